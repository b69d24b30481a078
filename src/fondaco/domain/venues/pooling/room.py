"""The pooling desk presents itself to app.py. Kinds are those of all venues."""

from typing import Final

from fondaco.domain.venues.pooling.model import PREFIX
from fondaco.domain.venues.pooling.policies import policies
from fondaco.domain.venues.pooling.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(name="pooling", prefix=PREFIX, decider=decider, policies=policies)
