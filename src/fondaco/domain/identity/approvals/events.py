"""What the journal keeps of four eyes: who asked for what, who agreed, why, and what came of it.

Requests are kept as they were asked, so an operation whose request names a person, or holds a
secret, cannot be one that needs a second person.
"""

from typing import TypeAlias

from fondaco.kernel.event import Command, Event, Instant


class AskApproval(Command, frozen=True, gc=False):
    """`alone` is why one person may do both halves, "" where nobody may."""

    operation: str
    request: str
    scope: str
    account: str
    user: str
    by: str
    expires_at: Instant
    alone: str = ""


class Approve(Command, frozen=True, gc=False):
    number: int
    user: str
    by: str
    reason: str


class Reject(Command, frozen=True, gc=False):
    number: int
    user: str
    by: str
    reason: str


class NoteExecution(Command, frozen=True, gc=False):
    """`error` is why it could not be done; "" where it was."""

    number: int
    error: str = ""


class ExpireApprovals(Command, frozen=True, gc=False):
    """The time of some has passed."""


class BreakGlass(Command, frozen=True, gc=False):
    user: str
    by: str
    reason: str
    until: Instant


class ReviewGlass(Command, frozen=True, gc=False):
    number: int
    user: str
    by: str
    verdict: str
    said: str


class ApprovalAsked(Event, frozen=True, gc=False, tag="approvals.asked.v1"):
    number: int
    operation: str
    request: str
    scope: str
    account: str
    user: str
    by: str
    asked_at: Instant
    expires_at: Instant


class ApprovalGranted(Event, frozen=True, gc=False, tag="approvals.granted.v1"):
    """`how` is "second" (somebody else agreed), "glass" (of that number, to be reviewed) or "alone"
    (the house is one person's)."""

    number: int
    how: str
    user: str
    by: str
    reason: str
    at: Instant
    glass: int
    asked_by: str


class ApprovalRejected(Event, frozen=True, gc=False, tag="approvals.rejected.v1"):
    number: int
    user: str
    by: str
    reason: str
    at: Instant


class ApprovalExpired(Event, frozen=True, gc=False, tag="approvals.expired.v1"):
    number: int


class ApprovalExecuted(Event, frozen=True, gc=False, tag="approvals.executed.v1"):
    number: int
    error: str


class ApprovalDenied(Event, frozen=True, gc=False, tag="approvals.denied.v1"):
    """Somebody tried what four eyes do not allow: `code` says what."""

    number: int
    user: str
    by: str
    code: str
    text: str


class GlassBroken(Event, frozen=True, gc=False, tag="approvals.glass_broken.v1"):
    number: int
    user: str
    by: str
    reason: str
    at: Instant
    until: Instant


class GlassReviewed(Event, frozen=True, gc=False, tag="approvals.glass_reviewed.v1"):
    number: int
    user: str
    by: str
    verdict: str
    said: str
    at: Instant


class ApprovalUnchanged(Event, frozen=True, gc=False, tag="approvals.unchanged.v1"):
    """It was so already."""


ApprovalCommand: TypeAlias = (
    AskApproval | Approve | Reject | NoteExecution | ExpireApprovals | BreakGlass | ReviewGlass
)
ApprovalEvent: TypeAlias = (
    ApprovalAsked
    | ApprovalGranted
    | ApprovalRejected
    | ApprovalExpired
    | ApprovalExecuted
    | ApprovalDenied
    | GlassBroken
    | GlassReviewed
    | ApprovalUnchanged
)
