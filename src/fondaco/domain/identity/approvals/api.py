"""What may be asked about what waits for a second person."""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.approvals.model import How, State, Verdict
from fondaco.domain.identity.model import Scope
from fondaco.kernel.errors import Denied, Invalid, NotFound, Refused
from fondaco.kernel.operation import Do, Operation, Stamp

ApprovalId = Annotated[str, Meta(pattern=r"^apr-[1-9][0-9]{0,15}$", examples=["apr-7"])]
Reason = Annotated[
    str, Meta(min_length=3, max_length=200, examples=["checked with the desk by telephone"])
]


class ApprovalsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: Literal["waiting", "closed", "all"] = "all"


class ApprovalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    approval_id: ApprovalId


class DecideRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    approval_id: ApprovalId
    reason: Reason


class BreakGlassRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`minutes` from now on you need no second person; the house allows at most a setting's."""

    reason: Reason
    minutes: Annotated[int, Meta(ge=1, le=1_440)] = 15


class ReviewRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    approval_id: ApprovalId
    verdict: Verdict
    reason: Reason


class ApprovalShown(msgspec.Struct, frozen=True, kw_only=True):
    """One operation that was asked. `request` is what it would do, as it was asked. `how` says who
    agreed: "second" somebody else, "glass" nobody (see `glass`), "alone" the same person, because
    the house is one person's. `position` is where the journal says so. Times are nanoseconds since
    1970, UTC. `result` is what the operation answered, to whoever approved it."""

    approval_id: str
    operation: str
    summary: str
    request: dict[str, Any]
    scope: str
    account_id: str
    state: State
    asked_by: str
    asked_at: str
    expires_at: str
    how: How
    decided_by: str
    decided_at: str
    reason: str
    glass: str  # the id of what was broken for it
    error: str
    evidence: str  # of the entry that let it be done: "approvals/acme@7"; fondaco why shows it
    position: int = 0  # of the entry that this request has left
    may_decide: bool = False  # whether you may
    result: Any = None
    is_agents: bool = False  # an agent proposes it, and `asked_by` is the agent
    client: str = ""  # what the agent's program calls itself: its own word
    preview: Any = None  # what rules would have said when it was proposed


class GlassShown(msgspec.Struct, frozen=True, kw_only=True):
    """One person did both halves until `until`. It is open until somebody else has reviewed it."""

    approval_id: str
    broken_by: str
    reason: str
    broken_at: str
    until: str
    is_open: bool  # it still lets its person do both halves
    verdict: str
    reviewed_by: str
    reviewed_at: str
    review: str
    used_for: list[str]  # approvals
    may_review: bool = False
    as_user: str = ""  # in whose name they ask; "": they do both halves in their own


class ApprovalsReply(msgspec.Struct, frozen=True):
    """Newest first. `mode` says whether somebody may do both halves, and why."""

    items: list[ApprovalShown]
    glasses: list[GlassShown]
    mode: str


class Desk(Protocol):
    """The part of a house that asks for a second person."""

    async def list(self, stamp: Stamp, which: str) -> ApprovalsReply: ...

    async def show(self, stamp: Stamp, approval_id: str) -> ApprovalShown: ...

    async def decide(
        self, stamp: Stamp, approval_id: str, reason: str, *, agrees: bool
    ) -> ApprovalShown: ...

    async def break_glass(self, stamp: Stamp, reason: str, minutes: int) -> GlassShown: ...

    async def review(
        self, stamp: Stamp, approval_id: str, verdict: str, reason: str
    ) -> GlassShown: ...


async def _list(ask: ApprovalsRequest, stamp: Stamp, desk: Desk) -> ApprovalsReply:
    return await desk.list(stamp, ask.state)


async def _show(ask: ApprovalRequest, stamp: Stamp, desk: Desk) -> ApprovalShown:
    return await desk.show(stamp, ask.approval_id)


async def _approve(ask: DecideRequest, stamp: Stamp, desk: Desk) -> ApprovalShown:
    return await desk.decide(stamp, ask.approval_id, ask.reason, agrees=True)


async def _reject(ask: DecideRequest, stamp: Stamp, desk: Desk) -> ApprovalShown:
    return await desk.decide(stamp, ask.approval_id, ask.reason, agrees=False)


async def _break(ask: BreakGlassRequest, stamp: Stamp, desk: Desk) -> GlassShown:
    return await desk.break_glass(stamp, ask.reason, ask.minutes)


async def _review(ask: ReviewRequest, stamp: Stamp, desk: Desk) -> GlassShown:
    return await desk.review(stamp, ask.approval_id, ask.verdict, ask.reason)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="approvals.list",
        summary="What waits for a second person, what was decided, and what glass was broken.",
        method="GET",
        path="/approvals",
        request=ApprovalsRequest,
        reply=ApprovalsReply,
        scope=Scope.APPROVALS_READ,
        source="approvals",
        answer=_list,
    ),
    Do(
        name="approvals.show",
        summary="One operation that needs, or needed, a second person.",
        method="GET",
        path="/approvals/{approval_id}",
        request=ApprovalRequest,
        reply=ApprovalShown,
        scope=Scope.APPROVALS_READ,
        errors=(NotFound,),
        source="approvals",
        answer=_show,
    ),
    Do(
        name="approvals.approve",
        summary="Agree to what somebody else has asked; it is done at once, in their name.",
        method="POST",
        path="/approvals/{approval_id}/approve",
        request=DecideRequest,
        reply=ApprovalShown,
        scope=Scope.APPROVALS_WRITE,
        errors=(NotFound, Denied, Refused),
        source="approvals",
        answer=_approve,
    ),
    Do(
        name="approvals.reject",
        summary="Refuse what somebody else has asked, with a reason.",
        method="POST",
        path="/approvals/{approval_id}/reject",
        request=DecideRequest,
        reply=ApprovalShown,
        scope=Scope.APPROVALS_WRITE,
        errors=(NotFound, Denied, Refused),
        source="approvals",
        answer=_reject,
    ),
    Do(
        name="approvals.break_glass",
        summary="In an emergency: need no second person for some minutes; it is told and reviewed.",
        method="POST",
        path="/approvals/break-glass",
        request=BreakGlassRequest,
        reply=GlassShown,
        scope=Scope.APPROVALS_WRITE,
        errors=(Invalid, Refused),
        status=201,
        source="approvals",
        answer=_break,
    ),
    Do(
        name="approvals.review",
        summary="Say whether glass that somebody else has broken was broken rightly.",
        method="POST",
        path="/approvals/{approval_id}/review",
        request=ReviewRequest,
        reply=GlassShown,
        scope=Scope.APPROVALS_WRITE,
        errors=(NotFound, Denied, Refused),
        source="approvals",
        answer=_review,
    ),
)
