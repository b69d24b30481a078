"""A sandbox's time presents itself to app.py: one stream for the house, and what may be asked."""

from typing import Final, get_args

from fondaco.domain.identity.test_clock.api import OPERATIONS
from fondaco.domain.identity.test_clock.events import ClockEvent
from fondaco.domain.identity.test_clock.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="test_clock",
    prefix="test-clock/",
    decider=decider,
    operations=OPERATIONS,
    kinds=get_args(ClockEvent),
)
