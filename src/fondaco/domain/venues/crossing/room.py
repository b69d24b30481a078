"""The crossing venue presents itself to app.py. Its policies are those of all venues."""

from typing import Final, get_args

from fondaco.domain.venues.crossing.events import OwnEvent
from fondaco.domain.venues.crossing.model import PREFIX
from fondaco.domain.venues.crossing.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(name="crossing", prefix=PREFIX, decider=decider, kinds=get_args(OwnEvent))
