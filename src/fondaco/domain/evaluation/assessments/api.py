"""What may be asked about assessments, and of them."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.evaluation.assessments.model import State
from fondaco.domain.identity.model import NameText, Scope
from fondaco.kernel.errors import NotFound, Refused, Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp

AssessmentText = Annotated[
    str, Meta(pattern=r"^asm-[0-9a-f]{16}$", examples=["asm-0123456789abcdef"])
]
TierName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", examples=["two-step-100k"])]
SourceText = Annotated[str, Meta(min_length=1, max_length=100, examples=["prize of June"])]
Why = Annotated[str, Meta(min_length=3, max_length=500, examples=["as agreed"])]
Ns = Annotated[str, Meta(pattern=r"^[0-9]{1,20}$")]


class AssessmentsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One's own; of everybody, or of `user`, for who may read all."""

    state: State | None = None
    user: NameText | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 200


class AssessmentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    assessment_id: AssessmentText


class GiveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An assessment that nobody pays for. The same `reference` gives the same one again."""

    tier: TierName
    user: NameText
    reference: SourceText


class AbandonRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    assessment_id: AssessmentText
    reason: Why


class DecideRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    assessment_id: AssessmentText
    number: Annotated[int, Meta(ge=1, le=100_000)]
    agrees: bool
    reason: Why


class PayoutsAskedRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one's own assessments; of everybody's for who may read all."""

    state: Literal["asked", "agreed", "paid", "refused", "failed"] | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 200


class ViolationsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one's own assessments; of everybody's for who may read all. `cursor` goes on beneath a
    position."""

    rule: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    cursor: Annotated[int, Meta(ge=1, le=2**63 - 1)] = 2**63 - 1
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 200


class EquityRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    assessment_id: AssessmentText
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 2_000


class AssessmentLine(msgspec.Struct, frozen=True, kw_only=True):
    """Times are nanoseconds since 1970, UTC; "0" where it has not happened."""

    assessment_id: str
    user: str
    tier: str
    version: int
    fingerprint: str
    account_id: str
    state: State
    stage: int
    stage_name: str
    size: str
    created_at: str
    began_at: str
    ended_at: str
    reason: str
    frozen: str


class AssessmentsReply(msgspec.Struct, frozen=True):
    """The newest first."""

    items: Sequence[AssessmentLine]


class HeadroomLine(msgspec.Struct, frozen=True, kw_only=True):
    """`level` is the equity at which the rule breaks, `base` what it is counted from, `used` the
    part of what may be lost that is gone."""

    rule: str
    title: str
    level: str
    base: str
    limit: str
    headroom: str
    used_ppm: int
    used: str
    state: Literal["well", "warned", "broken"]


class ConditionLine(msgspec.Struct, frozen=True):
    """What passing needs. That it is not there yet is no violation."""

    name: str
    needed: str
    reached: str
    is_met: bool


class ViolationLine(msgspec.Struct, frozen=True, kw_only=True):
    rule: str
    at: str
    value: str
    limit: str
    balance: str
    equity: str
    day: str
    day_from: str
    account_id: str
    stage: int
    position: int


class ViolationsLine(msgspec.Struct, frozen=True, kw_only=True):
    """What an assessment says of it, and whose it was. `GET /assessments/{assessment_id}/pack` has
    its evidence."""

    assessment_id: str
    user: str
    tier: str
    version: int
    rule: str
    at: str
    value: str
    limit: str
    balance: str
    equity: str
    day: str
    day_from: str
    account_id: str
    stage: int
    position: int


class ViolationsReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest first; `next` is the cursor of what comes behind them."""

    items: Sequence[ViolationsLine]
    next: int | None = None


class AssessmentPayoutLine(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    state: str
    profit: str
    amount: str
    currency: str
    asked_by: str
    asked_at: str
    decided_by: str
    reason: str


class AskedPayoutLine(msgspec.Struct, frozen=True, kw_only=True):
    assessment_id: str
    user: str
    tier: str
    account_id: str
    number: int
    state: str
    profit: str
    amount: str
    currency: str
    asked_by: str
    asked_at: str
    decided_by: str
    reason: str


class PayoutsAskedReply(msgspec.Struct, frozen=True):
    """The newest first."""

    items: Sequence[AskedPayoutLine]


class WordingPart(msgspec.Struct, frozen=True):
    heading: str
    sentences: Sequence[str]


class NextNewsLine(msgspec.Struct, frozen=True, kw_only=True):
    """The announcement whose window is open, or opens next: from `begins_at` to `ends_at` nothing
    is opened in `symbols`."""

    id: str
    title: str
    importance: str
    at: str
    begins_at: str
    ends_at: str
    is_open: bool
    symbols: Sequence[str]


class AssessmentReply(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment as it stands, marked at the market of now."""

    assessment_id: str
    user: str
    tier: str
    version: int
    fingerprint: str
    account_id: str
    currency: str
    size: str
    state: State
    frozen: str
    stage: int
    stage_name: str
    stages: Sequence[str]
    created_at: str
    began_at: str
    ended_at: str
    balance: str
    equity: str
    open_positions: int
    day_from: str
    time_zone: str
    resets_at: str
    trades: int
    days_traded: int
    headroom: Sequence[HeadroomLine]
    next_news: NextNewsLine | None
    conditions: Sequence[ConditionLine]
    violations: Sequence[ViolationLine]
    payouts: Sequence[AssessmentPayoutLine]
    may_ask_payout: bool
    why_no_payout: str
    wording: Sequence[WordingPart]


class GivenReply(msgspec.Struct, frozen=True):
    assessment_id: str
    account_id: str
    position: int


class AssessmentDone(msgspec.Struct, frozen=True):
    assessment_id: str
    position: int


class PointLine(msgspec.Struct, frozen=True):
    """Limits are null where there is no such rule."""

    at: str
    equity: str
    balance: str
    daily_limit: str | None
    overall_limit: str | None
    account_id: str


class ResetLine(msgspec.Struct, frozen=True):
    at: str
    day_from: str


class EquityReply(msgspec.Struct, frozen=True):
    points: Sequence[PointLine]
    resets: Sequence[ResetLine]


class PackReply(msgspec.Struct, frozen=True):
    """`zip` is the pack, in base64; `sha256` is of the zip itself."""

    assessment_id: str
    file_name: str
    sha256: str
    zip: str


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What all assessments hold of one instrument together, at its mark."""

    symbol: str
    is_funded: bool
    assessments: int
    long_qty: str
    short_qty: str
    net_qty: str
    net_notional: str
    currency: str


class RiskBookReply(msgspec.Struct, frozen=True, kw_only=True):
    """The firm's own risk: what traders win on funded accounts it pays. `profit` is what they are
    ahead of the sizes of their accounts, `owed` their part of that where it is above nothing."""

    assessments: int
    funded: int
    profit_funded: str
    owed_funded: str
    near: int  # assessments that have used four fifths of a limit
    items: Sequence[Exposure]


class RiskBookRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Assessments(Protocol):
    """The part of a house that keeps assessments. What is asked of one that is not there, or is
    somebody else's, raises `NotFound`; what it does not allow, `Refused`."""

    async def listed(self, ask: AssessmentsRequest, stamp: Stamp) -> AssessmentsReply: ...

    async def one(self, assessment_id: str, stamp: Stamp) -> AssessmentReply: ...

    async def give(self, ask: GiveRequest, stamp: Stamp) -> GivenReply: ...

    async def abandon(self, ask: AbandonRequest, stamp: Stamp) -> AssessmentDone: ...

    async def ask_payout(self, ask: AssessmentRequest, stamp: Stamp) -> AssessmentDone: ...

    async def payouts_asked(self, ask: PayoutsAskedRequest, stamp: Stamp) -> PayoutsAskedReply: ...

    async def violations(self, ask: ViolationsRequest, stamp: Stamp) -> ViolationsReply: ...

    async def decide_payout(self, ask: DecideRequest, stamp: Stamp) -> AssessmentDone: ...

    async def equity(self, ask: EquityRequest, stamp: Stamp) -> EquityReply: ...

    async def pack(self, assessment_id: str, stamp: Stamp) -> PackReply: ...

    def risk_book(self, stamp: Stamp) -> RiskBookReply: ...


async def _listed(ask: AssessmentsRequest, stamp: Stamp, on: Assessments) -> AssessmentsReply:
    return await on.listed(ask, stamp)


async def _one(ask: AssessmentRequest, stamp: Stamp, on: Assessments) -> AssessmentReply:
    return await on.one(ask.assessment_id, stamp)


async def _give(ask: GiveRequest, stamp: Stamp, on: Assessments) -> GivenReply:
    return await on.give(ask, stamp)


async def _abandon(ask: AbandonRequest, stamp: Stamp, on: Assessments) -> AssessmentDone:
    return await on.abandon(ask, stamp)


async def _ask_payout(ask: AssessmentRequest, stamp: Stamp, on: Assessments) -> AssessmentDone:
    return await on.ask_payout(ask, stamp)


async def _payouts(ask: PayoutsAskedRequest, stamp: Stamp, on: Assessments) -> PayoutsAskedReply:
    return await on.payouts_asked(ask, stamp)


async def _violations(ask: ViolationsRequest, stamp: Stamp, on: Assessments) -> ViolationsReply:
    return await on.violations(ask, stamp)


async def _decide(ask: DecideRequest, stamp: Stamp, on: Assessments) -> AssessmentDone:
    return await on.decide_payout(ask, stamp)


async def _equity(ask: EquityRequest, stamp: Stamp, on: Assessments) -> EquityReply:
    return await on.equity(ask, stamp)


async def _pack(ask: AssessmentRequest, stamp: Stamp, on: Assessments) -> PackReply:
    return await on.pack(ask.assessment_id, stamp)


async def _risk_book(_: RiskBookRequest, stamp: Stamp, on: Assessments) -> RiskBookReply:
    return on.risk_book(stamp)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="evaluation.assessments",
        summary="Assessments: your own, or everybody's where you may read them.",
        method="GET",
        path="/assessments",
        request=AssessmentsRequest,
        reply=AssessmentsReply,
        scope=Scope.EVALUATION_READ,
        source="assessments",
        answer=_listed,
    ),
    Do(
        name="evaluation.give_assessment",
        summary="Give somebody an assessment on a tier, without a purchase.",
        method="POST",
        path="/assessments",
        request=GiveRequest,
        reply=GivenReply,
        scope=Scope.EVALUATION_WRITE,
        errors=(NotFound, Refused),
        status=201,
        source="assessments",
        answer=_give,
    ),
    Do(
        name="evaluation.assessment",
        summary="One assessment as it stands now: headroom to every rule, and what passing needs.",
        method="GET",
        path="/assessments/{assessment_id}",
        request=AssessmentRequest,
        reply=AssessmentReply,
        scope=Scope.EVALUATION_READ,
        errors=(NotFound,),
        source="assessments",
        answer=_one,
    ),
    Do(
        name="evaluation.equity",
        summary="The path of an assessment's equity, thinned, with its limits and daily resets.",
        method="GET",
        path="/assessments/{assessment_id}/equity",
        request=EquityRequest,
        reply=EquityReply,
        scope=Scope.EVALUATION_READ,
        errors=(NotFound,),
        source="assessments",
        answer=_equity,
    ),
    Do(
        name="evaluation.pack",
        summary="A dispute pack: all entries with their proofs, and a script that judges them.",
        method="GET",
        path="/assessments/{assessment_id}/pack",
        request=AssessmentRequest,
        reply=PackReply,
        scope=Scope.EVALUATION_READ,
        errors=(NotFound, Refused, Unavailable),
        source="assessments",
        answer=_pack,
    ),
    Do(
        name="evaluation.risk_book",
        summary="What all assessments of your tenant hold together, funded ones apart.",
        method="GET",
        path="/assessments/risk-book",
        request=RiskBookRequest,
        reply=RiskBookReply,
        scope=Scope.EVALUATION_WRITE,
        source="assessments",
        answer=_risk_book,
    ),
    Do(
        name="evaluation.payouts",
        summary="Payouts that were asked for, with who asked and what was decided, newest first.",
        method="GET",
        path="/assessments/payouts",
        request=PayoutsAskedRequest,
        reply=PayoutsAskedReply,
        scope=Scope.EVALUATION_READ,
        source="assessments",
        answer=_payouts,
    ),
    Do(
        name="evaluation.violations",
        summary="Rules that were broken, with value and limit, newest first.",
        method="GET",
        path="/violations",
        request=ViolationsRequest,
        reply=ViolationsReply,
        scope=Scope.EVALUATION_READ,
        source="assessments",
        answer=_violations,
    ),
    Do(
        name="evaluation.abandon",
        summary="Give an assessment up: its positions are closed, and it ends.",
        method="POST",
        path="/assessments/{assessment_id}/abandon",
        request=AbandonRequest,
        reply=AssessmentDone,
        scope=Scope.EVALUATION_ASK,
        errors=(NotFound, Refused),
        source="assessments",
        answer=_abandon,
    ),
    Do(
        name="evaluation.ask_payout",
        summary="Ask for your part of a funded account's profit; somebody else must agree.",
        method="POST",
        path="/assessments/{assessment_id}/payouts",
        request=AssessmentRequest,
        reply=AssessmentDone,
        scope=Scope.EVALUATION_ASK,
        errors=(NotFound, Refused),
        status=201,
        source="assessments",
        answer=_ask_payout,
    ),
    Do(
        name="evaluation.decide_payout",
        summary="Agree to a payout that somebody else asked for, refuse it, or try it again.",
        method="POST",
        path="/assessments/{assessment_id}/payouts/{number}",
        request=DecideRequest,
        reply=AssessmentDone,
        scope=Scope.EVALUATION_WRITE,
        errors=(NotFound, Refused),
        source="assessments",
        answer=_decide,
    ),
)
