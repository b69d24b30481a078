"""The crossing venue presents itself to app.py. Policies and kinds are those of all venues."""

from typing import Final

from fondaco.domain.venues.crossing.model import PREFIX
from fondaco.domain.venues.crossing.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(name="crossing", prefix=PREFIX, decider=decider)
