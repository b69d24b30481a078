"""What is asked about disputes: to see them, and to say something to the buyer's bank."""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.payments.model import EvidenceState, Purpose, Shown
from fondaco.kernel.errors import NotFound, Refused, Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp

DisputeText = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_]{4,80}$", examples=["dp_5f2c9a1b4d3e6078"])
]
EvidenceText = Annotated[str, Meta(max_length=20_000)]
Limit = Annotated[int, Meta(ge=1, le=500)]


class DisputesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: Literal["open", "won", "lost"] | None = None
    limit: Limit = 200


class EvidenceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the buyer's bank is to read, in one language: what was sold, that it was used and when,
    and whatever else. At least one of them. It stays in the journal: leave out names, addresses
    and numbers of people."""

    dispute: DisputeText
    product: EvidenceText = ""
    activity: EvidenceText = ""
    text: EvidenceText = ""


class EvidenceShown(msgspec.Struct, frozen=True, kw_only=True):
    """`state` "" where none was handed in; `reason` is why the provider did not take it."""

    state: EvidenceState
    by: str
    at: str
    reason: str
    product: str
    activity: str
    text: str


class DisputeShown(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` is the provider's word for why; `due_at` until when it may be answered, "" where the
    provider has not said. Times are nanoseconds since 1970, UTC, "" where there is none.
    `assessment_id` is the one that was bought, or changed."""

    dispute: str
    state: Literal["open", "won", "lost"]
    amount: str
    fee: str
    currency: str
    reason: str
    provider: str
    opened_at: str
    due_at: str
    closed_at: str
    evidence: EvidenceShown
    purchase_id: str
    purchase_state: Shown
    user: str
    tier: str
    version: int
    title: str
    purpose: Purpose
    assessment_id: str | None
    total: str
    bought_at: str
    completed_at: str


class DisputesReply(msgspec.Struct, frozen=True):
    items: list[DisputeShown]


class Disputes(Protocol):
    """What the door is given to answer from."""

    async def disputes(self, ask: DisputesRequest, stamp: Stamp) -> DisputesReply: ...

    async def may_submit(self, ask: EvidenceRequest, stamp: Stamp) -> None: ...

    async def submit_evidence(self, ask: EvidenceRequest, stamp: Stamp) -> DisputeShown: ...


async def _listed(ask: DisputesRequest, stamp: Stamp, on: Disputes) -> DisputesReply:
    return await on.disputes(ask, stamp)


async def _may_submit(ask: EvidenceRequest, stamp: Stamp, on: Disputes) -> None:
    await on.may_submit(ask, stamp)


async def _submit(ask: EvidenceRequest, stamp: Stamp, on: Disputes) -> DisputeShown:
    return await on.submit_evidence(ask, stamp)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="purchases.disputes",
        summary="What buyers' banks have taken back: open disputes first, by the time left.",
        method="GET",
        path="/disputes",
        request=DisputesRequest,
        reply=DisputesReply,
        scope=Scope.PAYMENTS_READ,
        source="payments",
        answer=_listed,
    ),
    Do(
        name="purchases.submit_evidence",
        summary="Answer a dispute, once and for good, when a second person agrees.",
        method="POST",
        path="/disputes/{dispute}/evidence",
        request=EvidenceRequest,
        reply=DisputeShown,
        scope=Scope.PAYMENTS_WRITE,
        errors=(NotFound, Refused, Unavailable),
        needs_second=True,
        source="payments",
        answer=_submit,
        check=_may_submit,
    ),
)
