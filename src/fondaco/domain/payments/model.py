"""What a purchase is of, where it stands, and the streams that say so. Values.

Amounts are whole 10^-8 of their currency and, where somebody pays them, whole minor units of it
(ISO 4217: cents of EUR, yen of JPY). Parts are in millionths.
"""

import re
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant, StreamId
from fondaco.kernel.money import format_scaled

PREFIX: Final = "purchase/"
PAYOUTS: Final = "payout/"
SHOP: Final = "shop/"
DECIMALS: Final = 8
PPM: Final = 1_000_000
MINUTE_NS: Final = 60_000_000_000

Purpose: TypeAlias = Literal["assessment", "reset", "extension", "upgrade"]
LineKind: TypeAlias = Literal["fee", "discount", "tax"]
Stage: TypeAlias = Literal["new", "opened", "checkout", "pending", "completed", "expired"]
DisputeState: TypeAlias = Literal["", "open", "won", "lost"]
EvidenceState: TypeAlias = Literal["", "asked", "sent", "refused"]
# What somebody sees: the stage, and what became of it once it was paid.
Shown: TypeAlias = Literal[
    "opened", "awaiting_payment", "pending", "completed", "partly_refunded", "refunded",
    "disputed", "charged_back", "expired",
]  # fmt: skip
NoticeKind: TypeAlias = Literal[
    "paid", "pending", "declined", "unpaid", "expired", "refunded", "refund_failed",
    "dispute_opened", "dispute_won", "dispute_lost",
]  # fmt: skip

PurchaseIdText = Annotated[
    str, Meta(pattern=r"^pu_[0-9a-f]{24}$", examples=["pu_5f2c9a1b4d3e60785f2c9a1b"])
]
CodeText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$", examples=["SPRING"])]
CountryText = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", examples=["DE"])]

# ISO 4217 where that is not two digits. Three currencies are not sold in: ISO and payment providers
# count them differently (MGA, ISK, UGX), and an amount that means two things is no amount.
_MINOR: Final = {
    **dict.fromkeys(
        (
            "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "VND", "VUV", "XAF",
            "XOF", "XPF",
        ),
        0,
    ),
    **dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], 3),
}  # fmt: skip
_UNSOLD: Final = frozenset({"MGA", "ISK", "UGX"})
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class Product(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a purchase is of. `terms` are what the buyer keeps whatever is sold later; this room
    does not read them. `assessment_id` is the one that is reset, extended or upgraded."""

    code: str
    version: int
    fingerprint: str
    title: str
    amount: int
    currency: str
    purpose: Purpose = "assessment"
    assessment_id: str = ""
    terms: bytes = b""


class Line(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One line of an invoice; a discount is negative."""

    kind: LineKind
    text: str
    amount: int


class Notice(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a payment provider said of one purchase, in our words; "" and 0 where it said nothing.

    `reference` is the provider's name of the refund or dispute; `refund_id` our own of a refund.
    """

    notice: str  # the provider's event id
    kind: NoticeKind
    payment: str = ""
    session: str = ""
    amount: int = 0
    currency: str = ""
    reference: str = ""
    refund_id: str = ""
    reason: str = ""
    fee: int = 0


class Refund(msgspec.Struct):
    amount: int
    state: Literal["asked", "done", "failed"]
    reference: str = ""
    reason: str = ""


class Evidence(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is said to a buyer's bank: what was sold, that it was used, and whatever else."""

    product: str
    activity: str
    text: str


class Dispute(msgspec.Struct, omit_defaults=True):
    """`evidence_id` is our own name of what was handed in, once."""

    amount: int
    state: DisputeState
    evidence: EvidenceState = ""
    evidence_id: str = ""
    said: Evidence | None = None


class Purchase(msgspec.Struct):
    """The state of one purchase."""

    purchase_id: str = ""
    stage: Stage = "new"
    tenant: str = ""
    user: str = ""
    product: Product = Product("", 0, "", "", 0, "")
    lines: tuple[Line, ...] = ()
    total: int = 0
    tax: int = 0
    currency: str = ""
    country: str = ""
    coupon: str = ""
    affiliate: str = ""
    commission: int = 0
    provider: str = ""
    opened_at: Instant = Instant(0)
    completed_at: Instant = Instant(0)
    session: str = ""
    url: str = ""
    payment: str = ""
    expires_at: Instant = Instant(0)
    refunds: dict[str, Refund] = {}
    disputes: dict[str, Dispute] = {}
    kept: tuple[Notice, ...] = ()  # what was heard before that it was paid

    @property
    def refunded(self) -> int:
        return sum(each.amount for each in self.refunds.values() if each.state == "done")

    @property
    def lost(self) -> int:
        """What disputes hold back or have taken for good."""
        return sum(each.amount for each in self.disputes.values() if each.state in ("open", "lost"))

    @property
    def refundable(self) -> int:
        """What may still be asked back: what was paid, less all that went or is going back."""
        if self.stage != "completed":
            return 0
        asked = sum(each.amount for each in self.refunds.values() if each.state != "failed")
        return max(self.total - asked - self.lost, 0)

    @property
    def shown(self) -> Shown:
        return shown_state(
            self.stage,
            self.total,
            self.refunded,
            {each.state for each in self.disputes.values()},
        )


def shown_state(stage: str, total: int, refunded: int, disputes: set[DisputeState]) -> Shown:
    if stage == "completed":
        if "open" in disputes:
            return "disputed"
        if "lost" in disputes:
            return "charged_back"
        if refunded:
            return "refunded" if refunded >= total else "partly_refunded"
        return "completed"
    found: dict[str, Shown] = {
        "checkout": "awaiting_payment", "pending": "pending", "expired": "expired",
    }  # fmt: skip
    return found.get(stage, "opened")


class Payout(msgspec.Struct):
    """The state of one payout."""

    payout_id: str = ""
    state: Literal["new", "ordered", "paid", "failed"] = "new"
    tenant: str = ""
    user: str = ""
    assessment_id: str = ""
    amount: int = 0
    currency: str = ""
    destination: str = ""
    reference: str = ""
    reason: str = ""


class Coupon(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Takes `part_ppm` of the price off, or `amount` of `currency`; one of the two is 0.

    `uses_max` and `uses_each_max` (of one user) 0: as often as somebody likes. `products` empty:
    all. It is good from `begins_at` until `ends_at`, which is not part of it.
    """

    code: str
    part_ppm: int
    amount: int
    currency: str
    uses_max: int
    uses_each_max: int
    begins_at: Instant
    ends_at: Instant
    products: tuple[str, ...]


class Affiliate(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Earns `commission_ppm` of what buyers whom it brought have paid, without tax."""

    code: str
    name: str
    commission_ppm: int
    is_active: bool


class TaxRate(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`is_included`: the price holds it already."""

    country: str
    name: str
    rate_ppm: int
    is_included: bool


def purchase_stream(purchase_id: str) -> StreamId:
    return StreamId(PREFIX + purchase_id)


def payout_stream(payout_id: str) -> StreamId:
    return StreamId(PAYOUTS + payout_id)


def shop_stream(tenant: str) -> StreamId:
    return StreamId(SHOP + tenant)


def minor_digits(currency: str) -> int:
    """Raises `Invalid` for a currency that nothing is sold in."""
    if not _CURRENCY.fullmatch(currency) or currency in _UNSOLD:
        raise Invalid(f"nothing is sold in {currency[:10]!r}: choose a currency such as USD or EUR")
    return _MINOR.get(currency, 2)


def step_of(currency: str) -> int:
    """One minor unit, in 10^-8: a million of them are one cent."""
    return int(10 ** (DECIMALS - minor_digits(currency)))


def minor_of(amount: int, currency: str) -> int:
    """As payment providers count: 1234 of EUR are 12.34. Raises `Invalid` for parts of a cent."""
    minor, rest = divmod(amount, step_of(currency))
    if rest:
        raise Invalid(
            f"{format_scaled(amount, DECIMALS)} {currency} is no whole number of its minor unit"
        )
    return minor


def amount_text(amount: int, currency: str) -> str:
    """With all digits of the minor unit: "12.30"."""
    digits = minor_digits(currency)
    sign, minor = ("-" if amount < 0 else ""), abs(amount) // step_of(currency)
    if not digits:
        return f"{sign}{minor}"
    whole, part = divmod(minor, 10**digits)
    return f"{sign}{whole}.{part:0{digits}d}"


_AT_STRIPE: Final = re.compile(r"acct_[A-Za-z0-9]{8,60}")


def destination_is_wrong(provider: str, text: str) -> str:
    """Why a provider could pay nobody there; "" where it may. The sandbox takes anything."""
    if not text.isprintable() or not text.strip():
        return "destination must be text"
    if provider == "stripe" and not _AT_STRIPE.fullmatch(text):
        return "destination must be the trader's connected account at Stripe, such as acct_1A2b3C4d"
    return ""
