"""What is asked about purchases: to buy, to see what was bought, to give money back."""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.payments.model import (
    CodeText,
    CountryText,
    LineKind,
    Purchase,
    PurchaseIdText,
    Purpose,
    Shown,
    amount_text,
)
from fondaco.kernel.errors import Conflict, NotFound, Refused, Unavailable
from fondaco.kernel.money import DecimalText
from fondaco.kernel.operation import Do, Operation, Stamp

TierText = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", examples=["one-phase"])]
AssessmentText = Annotated[str, Meta(max_length=64, examples=["as_5f2c9a1b4d3e6078"])]
ReasonText = Annotated[str, Meta(min_length=1, max_length=500)]
Limit = Annotated[int, Meta(ge=1, le=500)]
NsNumber = Annotated[int, Meta(ge=0, le=2**62)]


class OfferRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`country` is where the buyer is taxed. `assessment_id` is the one that is reset, extended or
    upgraded; absent for a new one."""

    tier: TierText
    purpose: Purpose = "assessment"
    assessment_id: AssessmentText = ""
    coupon: CodeText | None = None
    affiliate: CodeText | None = None
    country: CountryText | None = None


class LineShown(msgspec.Struct, frozen=True):
    """A discount is negative; a tax that the price includes is 0 here, and its text says it."""

    kind: LineKind
    text: str
    amount: str


class OfferShown(msgspec.Struct, frozen=True, kw_only=True):
    """What it would cost now."""

    tier: str
    version: int
    fingerprint: str
    title: str
    purpose: Purpose
    lines: list[LineShown]
    total: str
    tax: str
    currency: str


class RefundShown(msgspec.Struct, frozen=True):
    refund_id: str
    amount: str
    state: Literal["asked", "done", "failed"]
    reason: str


class PurchaseShown(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts are of `currency`; times are nanoseconds since 1970, UTC, "" where there is none.
    `checkout_url` is where it is paid, "" where it is not to be paid any more. `assessment_id` is
    the one that was bought, once it is paid for; or the one that this changes."""

    purchase_id: str
    state: Shown
    user: str
    tier: str
    version: int
    fingerprint: str
    title: str
    purpose: Purpose
    assessment_id: str | None
    lines: list[LineShown]
    total: str
    tax: str
    currency: str
    country: str
    coupon: str
    affiliate: str
    provider: str
    checkout_url: str
    opened_at: str
    expires_at: str
    completed_at: str
    refunded: str
    refundable: str
    refunds: list[RefundShown]
    dispute: Literal["", "open", "won", "lost"]


class PurchasesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`user` is for who may see everybody's. `before` is the `next` of the page before."""

    state: Shown | None = None
    user: Annotated[str, Meta(max_length=64)] = ""
    before: NsNumber = 0
    limit: Limit = 100


class PurchasesReply(msgspec.Struct, frozen=True):
    """`next` 0: that was all."""

    items: list[PurchaseShown]
    next: int


class NamedPurchase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    purchase_id: PurchaseIdText


class RefundRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`amount` absent: all that may still be given back."""

    purchase_id: PurchaseIdText
    reason: ReasonText
    amount: DecimalText | None = None


class ReconciliationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day of the provider, UTC; absent: yesterday."""

    day: Annotated[
        str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", examples=["2026-11-21"])
    ] = ""


class MovementShown(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is the purchase or payout, "" where the provider does not say."""

    kind: str
    reference: str
    name: str
    amount: str
    currency: str
    at: str


class DifferenceShown(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    reference: str
    name: str
    ours: str
    ours_currency: str
    theirs: str
    theirs_currency: str


class ReconciliationShown(msgspec.Struct, frozen=True, kw_only=True):
    """`compared` movements of the day are the same here and there."""

    day: str
    provider: str
    is_right: bool
    compared: int
    missing_here: list[MovementShown]
    missing_there: list[MovementShown]
    differ: list[DifferenceShown]


class PayoutsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`user` is for who may see everybody's."""

    state: Literal["ordered", "paid", "failed"] | None = None
    user: Annotated[str, Meta(max_length=64)] = ""
    limit: Limit = 100


class NoDestination(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class DestinationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The payment provider's name of the account that you are paid into: at Stripe your connected
    account, "acct_…". The sandbox takes anything, and refuses to pay into "acct_closed"."""

    destination: Annotated[
        str, Meta(min_length=1, max_length=100, examples=["acct_1A2b3C4d5E6f7G"])
    ]


class DestinationShown(msgspec.Struct, frozen=True):
    """Where you are paid; all "" while you have said nothing. `changed_at` is ns since 1970."""

    destination: str
    provider: str
    changed_at: str


class PayoutShown(msgspec.Struct, frozen=True, kw_only=True):
    payout_id: str
    user: str
    assessment_id: str
    amount: str
    currency: str
    state: str
    reference: str
    reason: str


class PayoutsReply(msgspec.Struct, frozen=True):
    items: list[PayoutShown]


class Purchases(Protocol):
    """What the door is given to answer from."""

    async def offer(self, ask: OfferRequest, stamp: Stamp) -> OfferShown: ...

    async def buy(self, ask: OfferRequest, stamp: Stamp) -> PurchaseShown: ...

    async def listed(self, ask: PurchasesRequest, stamp: Stamp) -> PurchasesReply: ...

    async def shown(self, ask: NamedPurchase, stamp: Stamp) -> PurchaseShown: ...

    async def refund(self, ask: RefundRequest, stamp: Stamp) -> PurchaseShown: ...

    async def may_refund(self, ask: RefundRequest, stamp: Stamp) -> None: ...

    async def payouts(self, ask: PayoutsRequest, stamp: Stamp) -> PayoutsReply: ...

    async def destination(self, stamp: Stamp) -> DestinationShown: ...

    async def put_destination(self, ask: DestinationRequest, stamp: Stamp) -> DestinationShown: ...

    async def reconciliation(
        self, ask: ReconciliationRequest, stamp: Stamp
    ) -> ReconciliationShown: ...


def lines_shown(state_lines: Any, currency: str) -> list[LineShown]:
    return [
        LineShown(each.kind, each.text, amount_text(each.amount, currency)) for each in state_lines
    ]


def purchase_shown(state: Purchase) -> PurchaseShown:
    currency, product = state.currency, state.product
    is_payable = state.stage == "checkout"
    disputes = [each.state for each in state.disputes.values()]
    return PurchaseShown(
        purchase_id=state.purchase_id,
        state=state.shown,
        user=state.user,
        tier=product.code,
        version=product.version,
        fingerprint=product.fingerprint,
        title=product.title,
        purpose=product.purpose,
        assessment_id=product.assessment_id or None,
        lines=lines_shown(state.lines, currency),
        total=amount_text(state.total, currency),
        tax=amount_text(state.tax, currency),
        currency=currency,
        country=state.country,
        coupon=state.coupon,
        affiliate=state.affiliate,
        provider=state.provider,
        checkout_url=state.url if is_payable else "",
        opened_at=str(state.opened_at),
        expires_at=str(state.expires_at) if state.expires_at else "",
        completed_at=str(state.completed_at) if state.completed_at else "",
        refunded=amount_text(state.refunded, currency),
        refundable=amount_text(state.refundable, currency),
        refunds=[
            RefundShown(name, amount_text(each.amount, currency), each.state, each.reason)
            for name, each in state.refunds.items()
        ],
        dispute=disputes[-1] if disputes else "",
    )


async def _offer(ask: OfferRequest, stamp: Stamp, on: Purchases) -> OfferShown:
    return await on.offer(ask, stamp)


async def _buy(ask: OfferRequest, stamp: Stamp, on: Purchases) -> PurchaseShown:
    return await on.buy(ask, stamp)


async def _listed(ask: PurchasesRequest, stamp: Stamp, on: Purchases) -> PurchasesReply:
    return await on.listed(ask, stamp)


async def _shown(ask: NamedPurchase, stamp: Stamp, on: Purchases) -> PurchaseShown:
    return await on.shown(ask, stamp)


async def _refund(ask: RefundRequest, stamp: Stamp, on: Purchases) -> PurchaseShown:
    return await on.refund(ask, stamp)


async def _may_refund(ask: RefundRequest, stamp: Stamp, on: Purchases) -> None:
    await on.may_refund(ask, stamp)


async def _payouts(ask: PayoutsRequest, stamp: Stamp, on: Purchases) -> PayoutsReply:
    return await on.payouts(ask, stamp)


async def _destination(_: NoDestination, stamp: Stamp, on: Purchases) -> DestinationShown:
    return await on.destination(stamp)


async def _put_destination(
    ask: DestinationRequest, stamp: Stamp, on: Purchases
) -> DestinationShown:
    return await on.put_destination(ask, stamp)


async def _reconciliation(
    ask: ReconciliationRequest, stamp: Stamp, on: Purchases
) -> ReconciliationShown:
    return await on.reconciliation(ask, stamp)


_ONE: Final = "/purchases/{purchase_id}"
OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="purchases.offer",
        summary="What a tier would cost now, with its discount and tax, before anything is bought.",
        method="GET",
        path="/purchases/offer",
        request=OfferRequest,
        reply=OfferShown,
        scope=Scope.PURCHASES_READ,
        errors=(NotFound, Refused, Unavailable),
        source="payments",
        answer=_offer,
    ),
    Do(
        name="purchases.buy",
        summary="Buy a tier for oneself: the answer says where it is paid, on the provider's page.",
        method="POST",
        path="/purchases",
        request=OfferRequest,
        reply=PurchaseShown,
        scope=Scope.PURCHASES_WRITE,
        errors=(Conflict, NotFound, Refused, Unavailable),
        status=201,
        source="payments",
        answer=_buy,
    ),
    Do(
        name="purchases.list",
        summary="What was bought, newest first: by oneself, or by everybody for who may see that.",
        method="GET",
        path="/purchases",
        request=PurchasesRequest,
        reply=PurchasesReply,
        scope=Scope.PURCHASES_READ,
        source="payments",
        answer=_listed,
    ),
    Do(
        name="purchases.show",
        summary="One purchase, with its lines, its refunds and where it is paid.",
        method="GET",
        path=_ONE,
        request=NamedPurchase,
        reply=PurchaseShown,
        scope=Scope.PURCHASES_READ,
        errors=(NotFound,),
        source="payments",
        answer=_shown,
    ),
    Do(
        name="purchases.payouts",
        summary="What was paid out, newest first: to oneself, or to everybody if one may see that.",
        method="GET",
        path="/payouts",
        request=PayoutsRequest,
        reply=PayoutsReply,
        scope=Scope.PURCHASES_READ,
        source="payments",
        answer=_payouts,
    ),
    Do(
        name="purchases.payout_destination",
        summary="Where you are paid: your account at the payment provider.",
        method="GET",
        path="/payouts/destination",
        request=NoDestination,
        reply=DestinationShown,
        scope=Scope.PURCHASES_READ,
        errors=(Unavailable,),
        source="payments",
        answer=_destination,
    ),
    Do(
        name="purchases.set_payout_destination",
        summary="Say where you are paid from now on; payouts that have begun stay where they were.",
        method="PUT",
        path="/payouts/destination",
        request=DestinationRequest,
        reply=DestinationShown,
        scope=Scope.PURCHASES_WRITE,
        errors=(Unavailable,),
        source="payments",
        answer=_put_destination,
    ),
    Do(
        name="purchases.reconciliation",
        summary="A day of ours beside the provider's own books: what is missing, what differs.",
        method="GET",
        path="/purchases/reconciliation",
        request=ReconciliationRequest,
        reply=ReconciliationShown,
        scope=Scope.PAYMENTS_READ,
        errors=(Unavailable,),
        source="payments",
        answer=_reconciliation,
    ),
    Do(
        name="purchases.refund",
        summary="Give back what was paid, or a part of it, once a second person agrees.",
        method="POST",
        path=f"{_ONE}/refund",
        request=RefundRequest,
        reply=PurchaseShown,
        scope=Scope.PAYMENTS_WRITE,
        errors=(NotFound, Refused, Unavailable),
        needs_second=True,
        source="payments",
        answer=_refund,
        check=_may_refund,
    ),
)
