"""The dark book presents itself to app.py. Policies and kinds are those of all venues."""

from typing import Final

from fondaco.domain.venues.midpoint.model import PREFIX
from fondaco.domain.venues.midpoint.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(name="midpoint", prefix=PREFIX, decider=decider)
