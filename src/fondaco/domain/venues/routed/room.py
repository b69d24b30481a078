"""Venues elsewhere present themselves to app.py: whatever is no venue of the house's own.
Policies and kinds are those of all venues."""

from typing import Final

from fondaco.domain.venues.routed.model import PREFIX
from fondaco.domain.venues.routed.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(name="routed", prefix=PREFIX, decider=decider)
