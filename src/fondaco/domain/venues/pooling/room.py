"""The pooling desk presents itself to app.py."""

from typing import Final, get_args

from fondaco.domain.venues.pooling.events import OwnPoolEvent
from fondaco.domain.venues.pooling.model import PREFIX
from fondaco.domain.venues.pooling.policies import policies
from fondaco.domain.venues.pooling.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="pooling", prefix=PREFIX, decider=decider, policies=policies, kinds=get_args(OwnPoolEvent)
)
