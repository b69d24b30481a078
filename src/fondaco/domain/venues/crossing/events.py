"""What only the crossing venue accepts and publishes; all else is in the room's `events`."""

from typing import TypeAlias

from fondaco.domain.venues.crossing.model import Phase
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.kernel.event import Command, Event


class SetPhase(Command, frozen=True, gc=False):
    """Go into another phase. Out of an auction into continuous trading, or out of the closing one
    into anything, the book uncrosses. `reference_px` is for an auction that leaves it open."""

    phase: Phase
    reason: str = ""
    by: str = ""
    reference_px: int = 0


class PhaseSet(Event, frozen=True, gc=False, tag="venues.phase_set.v1"):
    phase: Phase
    reason: str
    by: str


class Uncrossed(Event, frozen=True, gc=False, tag="venues.uncrossed.v1"):
    """An auction has ended at one price; the executions follow it. `lots` of 0: nobody met."""

    px: int
    lots: int
    surplus: int  # that would have bought (above 0) or sold there
    trades: int


CrossingCommand: TypeAlias = EnterOrder | CancelAtVenue | ReplaceAtVenue | SetPhase
CrossingEvent: TypeAlias = (
    OrderBooked | OrderExecuted | OrderEnded | OrderReplaced | ChangeDenied | PhaseSet | Uncrossed
)
OwnEvent: TypeAlias = PhaseSet | Uncrossed
