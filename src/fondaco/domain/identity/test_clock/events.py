"""What is asked of a sandbox's time, and what became of it. `wall_at` is the machine's time."""

from typing import TypeAlias

from fondaco.domain.identity.test_clock.model import Posted
from fondaco.kernel.event import Command, Event, Instant


class BeginAdvance(Command, frozen=True, gc=False):
    """Time goes on to `to`, and `prices` are played on the way, in the order of their time."""

    to: Instant
    prices: tuple[Posted, ...]
    by: str
    wall_at: Instant


class EndAdvance(Command, frozen=True, gc=False):
    """It is there, `count` stops were made on the way; or `error` is why it is not, and `what` was
    due there. `by` has canceled it, unless that is ""."""

    number: int
    count: int
    wall_at: Instant
    what: str = ""
    error: str = ""
    by: str = ""


class SandboxOpened(Event, frozen=True, gc=False, tag="test_clock.sandbox_opened.v1"):
    """The first entry of a journal: this house is a sandbox, whose time begins here."""

    at: Instant
    wall_at: Instant


class AdvanceBegun(Event, frozen=True, gc=False, tag="test_clock.advance_begun.v1"):
    """Time has begun to move."""

    number: int
    since: Instant
    to: Instant
    prices: tuple[Posted, ...]
    by: str
    wall_at: Instant


class AdvanceDone(Event, frozen=True, gc=False, tag="test_clock.advance_done.v1"):
    """Time stands at `at`, and everything that was due until then is done."""

    number: int
    at: Instant
    count: int
    wall_at: Instant


class AdvanceFailed(Event, frozen=True, gc=False, tag="test_clock.advance_failed.v1"):
    """Time stands at `at`, since `what` was due then and could not be done."""

    number: int
    at: Instant
    what: str
    error: str
    wall_at: Instant


class AdvanceCanceled(Event, frozen=True, gc=False, tag="test_clock.advance_canceled.v1"):
    """Time stands at `at`, since somebody wanted it to go no further."""

    number: int
    at: Instant
    by: str
    wall_at: Instant


class AdvanceUnchanged(Event, frozen=True, gc=False, tag="test_clock.unchanged.v1"):
    """Time is there already, or on its way there."""

    number: int
    to: Instant


class AdvanceRefused(Event, frozen=True, gc=False, tag="test_clock.refused.v1"):
    """`reason` is permanent: "not_a_sandbox", "time_past", "too_far", "advancing"."""

    reason: str
    text: str


ClockCommand: TypeAlias = BeginAdvance | EndAdvance
ClockEvent: TypeAlias = (
    SandboxOpened
    | AdvanceBegun
    | AdvanceDone
    | AdvanceFailed
    | AdvanceCanceled
    | AdvanceUnchanged
    | AdvanceRefused
)
