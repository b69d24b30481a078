"""What only the dark book accepts; all else is in the room's `events`."""

from typing import TypeAlias

from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    NothingMatched,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.kernel.event import Command


class MatchMidpoint(Command, frozen=True, gc=False):
    """The middle of the lit book has moved, says the follower that watches it, to `twice` half
    ticks. Who meets is decided by the book as it is in the turn."""

    twice: int


MidpointCommand: TypeAlias = EnterOrder | CancelAtVenue | ReplaceAtVenue | MatchMidpoint
MidpointEvent: TypeAlias = (
    OrderBooked | OrderExecuted | OrderEnded | OrderReplaced | ChangeDenied | NothingMatched
)
