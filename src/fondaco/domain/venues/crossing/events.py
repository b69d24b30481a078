"""What only the crossing venue accepts and publishes; all else is in the room's `events`."""

from typing import TypeAlias

from fondaco.domain.venues.crossing.model import Phase, Schedule
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
from fondaco.kernel.event import Command, Event, Instant


class SetPhase(Command, frozen=True, gc=False):
    """Go into another phase. Out of an auction into continuous trading, or out of the closing one
    into anything, the book uncrosses. `reference_px` is for an auction that leaves it open."""

    phase: Phase
    reason: str = ""
    by: str = ""
    reference_px: int = 0


class SetSchedule(Command, frozen=True, gc=False):
    """Go through these phases every day of business from now on; None: only as somebody asks."""

    schedule: Schedule | None
    reason: str = ""
    by: str = ""


class FollowSchedule(Command, frozen=True, gc=False):
    """A step of the schedule is due, says the follower that watches the clock."""

    due: Instant
    phase: Phase


class PhaseSet(Event, frozen=True, gc=False, tag="venues.phase_set.v1"):
    phase: Phase
    reason: str
    by: str
    due: Instant = Instant(0)  # of the step of a schedule that this is; 0: somebody asked for it


class ScheduleSet(Event, frozen=True, gc=False, tag="venues.schedule_set.v1"):
    """From here on the phases follow it; None: they follow nobody but those who set them."""

    schedule: Schedule | None
    reason: str
    by: str


class StepPassed(Event, frozen=True, gc=False, tag="venues.step_passed.v1"):
    """A step of the schedule was due, and the phase stays what it is."""

    due: Instant
    phase: Phase
    text: str  # "halted": only who asks ends that; "overtaken": by a later step


class Uncrossed(Event, frozen=True, gc=False, tag="venues.uncrossed.v1"):
    """An auction has ended at one price; the executions follow it. `lots` of 0: nobody met."""

    px: int
    lots: int
    surplus: int  # that would have bought (above 0) or sold there
    trades: int


CrossingCommand: TypeAlias = (
    EnterOrder | CancelAtVenue | ReplaceAtVenue | SetPhase | SetSchedule | FollowSchedule
)
OwnEvent: TypeAlias = PhaseSet | Uncrossed | ScheduleSet | StepPassed
CrossingEvent: TypeAlias = (
    OrderBooked | OrderExecuted | OrderEnded | OrderReplaced | ChangeDenied | OwnEvent
)
