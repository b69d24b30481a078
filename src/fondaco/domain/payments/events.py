"""What is asked of purchases, payouts and the shop of a tenant, and what becomes of them.

`notice` is the payment provider's own name of the message that said so: an event of theirs, whose
bytes are on the tape; "" where nobody had to say it. Amounts are as `model` has them.
"""

from typing import TypeAlias

from fondaco.domain.payments.model import (
    Affiliate,
    Coupon,
    Evidence,
    Line,
    Notice,
    Product,
    TaxRate,
)
from fondaco.kernel.event import Command, Event, Instant

# --- A purchase -----------------------------------------------------------------------------------


class OpenPurchase(Command, frozen=True, gc=False):
    """The price was worked out by the door, of what the shop said at that moment."""

    tenant: str
    user: str
    product: Product
    lines: tuple[Line, ...]
    total: int
    tax: int
    country: str
    coupon: str
    affiliate: str
    commission: int
    provider: str
    expires_at: Instant


class RecordCheckout(Command, frozen=True, gc=False):
    """The provider has a page on which it can be paid."""

    session: str
    url: str
    expires_at: Instant


class ExpirePurchase(Command, frozen=True, gc=False):
    """Nobody can pay it any more, the provider says."""

    reason: str


class HearNotice(Command, frozen=True, gc=False):
    """A message of the provider whose signature was right, or an answer to our own question.
    `due_at` is until when a dispute may be answered; 0 where it says nothing of that."""

    notice: Notice
    due_at: Instant = Instant(0)


class AskRefund(Command, frozen=True, gc=False):
    """`amount` 0: all that may still be asked back."""

    refund_id: str
    amount: int
    reason: str
    by: str


class FailRefund(Command, frozen=True, gc=False):
    """The provider has refused it."""

    refund_id: str
    reason: str


class AskEvidence(Command, frozen=True, gc=False):
    """A second person has agreed to it."""

    evidence_id: str
    dispute: str
    evidence: Evidence
    by: str


class RecordEvidence(Command, frozen=True, gc=False):
    """What the provider answered: `reason` "" where it has taken it."""

    evidence_id: str
    dispute: str
    reason: str


class PurchaseOpened(Event, frozen=True, gc=False, tag="payments.purchase_opened.v1"):
    tenant: str
    user: str
    product: Product
    lines: tuple[Line, ...]
    total: int
    tax: int
    country: str
    coupon: str
    affiliate: str
    commission: int
    provider: str
    opened_at: Instant
    expires_at: Instant


class CheckoutOpened(Event, frozen=True, gc=False, tag="payments.checkout_opened.v1"):
    session: str
    url: str
    expires_at: Instant


class PaymentPending(Event, frozen=True, gc=False, tag="payments.payment_pending.v1"):
    """The buyer has done all they must; their bank has not paid yet."""

    payment: str
    session: str
    notice: str


class PaymentDeclined(Event, frozen=True, gc=False, tag="payments.payment_declined.v1"):
    """`is_final`: the checkout is over. Else the buyer may try again on the same page."""

    payment: str
    reason: str
    is_final: bool
    notice: str


class PurchaseCompleted(Event, frozen=True, gc=False, tag="payments.purchase_completed.v1"):
    """It is paid to the cent. At most one of a purchase, whatever the provider says how often."""

    purchase_id: str
    tenant: str
    user: str
    product: Product
    paid_amount: int
    currency: str
    completed_at: Instant
    payment: str
    provider: str
    tax: int
    coupon: str
    affiliate: str
    commission: int
    notice: str


class PurchaseExpired(Event, frozen=True, gc=False, tag="payments.purchase_expired.v1"):
    reason: str
    notice: str


class RefundAsked(Event, frozen=True, gc=False, tag="payments.refund_asked.v1"):
    refund_id: str
    amount: int
    currency: str
    payment: str
    reason: str
    by: str


class Refunded(Event, frozen=True, gc=False, tag="payments.refunded.v1"):
    """`tax` and `commission` are the parts of both that went back with it."""

    refund_id: str  # "" where it was made at the provider
    reference: str
    amount: int
    currency: str
    refunded_total: int
    is_whole: bool
    tax: int
    affiliate: str
    commission: int
    tenant: str
    provider: str
    notice: str


class RefundFailed(Event, frozen=True, gc=False, tag="payments.refund_failed.v1"):
    """For good. `was_done`: the buyer's bank sent it back after it had left; then `amount`, `tax`
    and `commission` are what came back with it."""

    refund_id: str
    reference: str
    reason: str
    was_done: bool
    amount: int
    currency: str
    tax: int
    affiliate: str
    commission: int
    tenant: str
    provider: str
    notice: str


class DisputeOpened(Event, frozen=True, gc=False, tag="payments.dispute_opened.v1"):
    """The buyer's bank took the money back, until it is decided who is right. `fee` is what the
    provider charges for that."""

    dispute: str
    amount: int
    currency: str
    reason: str
    fee: int
    provider: str
    notice: str


class DisputeClosed(Event, frozen=True, gc=False, tag="payments.dispute_closed.v1"):
    dispute: str
    is_won: bool
    amount: int
    currency: str
    provider: str
    notice: str


class EvidenceDue(Event, frozen=True, gc=False, tag="payments.evidence_due.v1"):
    """Until when a dispute may be answered. The provider says so with the dispute itself."""

    dispute: str
    due_at: Instant
    notice: str


class EvidenceAsked(Event, frozen=True, gc=False, tag="payments.evidence_asked.v1"):
    """It is to be handed in, as it is here: the last word, and no second one."""

    evidence_id: str
    dispute: str
    evidence: Evidence
    by: str


class EvidenceSent(Event, frozen=True, gc=False, tag="payments.evidence_sent.v1"):
    """The provider has it, and gives it to the buyer's bank."""

    evidence_id: str
    dispute: str
    provider: str


class EvidenceRefused(Event, frozen=True, gc=False, tag="payments.evidence_refused.v1"):
    """The provider does not take it: another may be handed in while the dispute is open."""

    evidence_id: str
    dispute: str
    reason: str
    provider: str


class PaymentMismatched(Event, frozen=True, gc=False, tag="payments.payment_mismatched.v1"):
    """What the provider says cannot be right: `what` is "amount", "currency", "paid_twice" or
    "refund_beyond". Nothing else follows from it: a person must look."""

    what: str
    expected: str
    found: str
    payment: str
    notice: str


class NoticeKept(Event, frozen=True, gc=False, tag="payments.notice_kept.v1"):
    """It speaks of money that has not come yet: its message was faster. It counts once it has."""

    notice: Notice


class NoticeNoted(Event, frozen=True, gc=False, tag="payments.notice_noted.v1"):
    """Nothing that was not known: `kind` is a notice's, "opened" or "checkout"."""

    kind: str
    notice: str


class PurchaseRefused(Event, frozen=True, gc=False, tag="payments.purchase_refused.v1"):
    """`reason` is permanent: "not_paid", "beyond_paid", "nothing_left", "disputed", "completed",
    "unknown", "no_dispute", "dispute_over", "evidence_given"."""

    reason: str
    text: str
    by: str


PurchaseCommand: TypeAlias = (
    OpenPurchase
    | RecordCheckout
    | ExpirePurchase
    | HearNotice
    | AskRefund
    | FailRefund
    | AskEvidence
    | RecordEvidence
)
PurchaseEvent: TypeAlias = (
    PurchaseOpened
    | CheckoutOpened
    | PaymentPending
    | PaymentDeclined
    | PurchaseCompleted
    | PurchaseExpired
    | RefundAsked
    | Refunded
    | RefundFailed
    | DisputeOpened
    | DisputeClosed
    | EvidenceDue
    | EvidenceAsked
    | EvidenceSent
    | EvidenceRefused
    | PaymentMismatched
    | NoticeKept
    | NoticeNoted
    | PurchaseRefused
)

# --- A payout -------------------------------------------------------------------------------------


class PayOut(Command, frozen=True, gc=False):
    """`destination` is the provider's name of the account that is paid into."""

    tenant: str
    user: str
    assessment_id: str
    amount: int
    currency: str
    destination: str = ""


class SettlePayout(Command, frozen=True, gc=False):
    """What the provider answered, or said later: `reason` "" where it has paid."""

    reference: str
    reason: str
    notice: str


class PayoutOrdered(Event, frozen=True, gc=False, tag="payments.payout_ordered.v1"):
    payout_id: str
    tenant: str
    user: str
    assessment_id: str
    amount: int
    currency: str
    destination: str


class PayoutPaid(Event, frozen=True, gc=False, tag="payments.payout_paid.v1"):
    payout_id: str
    tenant: str
    user: str
    assessment_id: str
    amount: int
    currency: str
    reference: str
    paid_at: Instant
    notice: str


class PayoutFailed(Event, frozen=True, gc=False, tag="payments.payout_failed.v1"):
    """`was_paid`: it came back after it had been paid."""

    payout_id: str
    tenant: str
    user: str
    assessment_id: str
    amount: int
    currency: str
    reference: str
    reason: str
    was_paid: bool
    notice: str


class PayoutNoted(Event, frozen=True, gc=False, tag="payments.payout_noted.v1"):
    """Asked or said again: nothing follows."""

    reference: str
    notice: str


PayoutCommand: TypeAlias = PayOut | SettlePayout
PayoutEvent: TypeAlias = PayoutOrdered | PayoutPaid | PayoutFailed | PayoutNoted

# --- The shop of a tenant -------------------------------------------------------------------------


class PutCoupon(Command, frozen=True, gc=False):
    coupon: Coupon
    by: str


class RetireCoupon(Command, frozen=True, gc=False):
    code: str
    by: str


class TakeCoupon(Command, frozen=True, gc=False):
    """Hold one use of it for a purchase that is paid before `until`, or never."""

    code: str
    purchase_id: str
    user: str
    product: str
    currency: str
    until: Instant


class UseCoupon(Command, frozen=True, gc=False):
    """The purchase was paid."""

    code: str
    purchase_id: str
    user: str


class PutAffiliate(Command, frozen=True, gc=False):
    affiliate: Affiliate
    by: str


class PutTaxRate(Command, frozen=True, gc=False):
    """A rate of 0 takes the country out."""

    rate: TaxRate
    by: str


class CouponPut(Event, frozen=True, gc=False, tag="payments.coupon_put.v1"):
    coupon: Coupon
    by: str


class CouponRetired(Event, frozen=True, gc=False, tag="payments.coupon_retired.v1"):
    code: str
    by: str


class CouponTaken(Event, frozen=True, gc=False, tag="payments.coupon_taken.v1"):
    code: str
    purchase_id: str
    user: str
    at: Instant
    until: Instant


class CouponUsed(Event, frozen=True, gc=False, tag="payments.coupon_used.v1"):
    code: str
    purchase_id: str
    user: str


class AffiliatePut(Event, frozen=True, gc=False, tag="payments.affiliate_put.v1"):
    affiliate: Affiliate
    by: str


class TaxRatePut(Event, frozen=True, gc=False, tag="payments.tax_rate_put.v1"):
    rate: TaxRate
    by: str


class ShopRefused(Event, frozen=True, gc=False, tag="payments.shop_refused.v1"):
    """`reason` is permanent: "unknown_coupon", "coupon_not_yet", "coupon_over", "coupon_used_up",
    "coupon_not_for_this"."""

    reason: str
    text: str
    by: str


ShopCommand: TypeAlias = (
    PutCoupon | RetireCoupon | TakeCoupon | UseCoupon | PutAffiliate | PutTaxRate
)
ShopEvent: TypeAlias = (
    CouponPut | CouponRetired | CouponTaken | CouponUsed | AffiliatePut | TaxRatePut | ShopRefused
)
