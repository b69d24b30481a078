"""The reference room presents itself to app.py."""

from typing import Final, get_args

from fondaco.domain.reference.events import ReferenceEvent
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.reference.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="reference", prefix=HOUSE_STREAM, decider=decider, kinds=get_args(ReferenceEvent)
)
