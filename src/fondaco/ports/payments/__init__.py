"""A payment provider: takes money for purchases on pages of its own, gives it back, pays it out.

No card number, and nothing that could pay, ever comes to us: a buyer types it on the provider's
page. What the provider hears of a buyer is the purchase's id.

Promises, which `tests/conformance/test_payments.py` holds every adapter to:

1. What is asked under one key is done once. Asked again with the same content it is answered as the
   first time; with other content it is a `Conflict`, and nothing is done.
2. Amounts are whole minor units (ISO 4217), both ways. Nothing is converted or rounded.
3. A checkout is open until its time, and then can never be paid.
4. Never more is given back than was paid: `Invalid`, code "provider_refused".
5. `said` believes only what one of the webhook's secrets has signed, not long ago: `Denied`. It
   returns None for what it does not speak of.
6. Evidence of a dispute is handed in once, and is the last word: more of it, or some for a dispute
   that is decided or unknown, is `Invalid`, code "provider_refused".
7. `moved` lists every movement of money of a span of time once, oldest first.

A provider that gives no answer is `Unavailable`: ask again under the same key.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

Headers = Mapping[str, str]  # names in small letters


class CheckoutAsk(NamedTuple):
    """`key` is made of `purchase_id`, and of `again` where another was asked for before that nobody
    has seen. `lines` are what the buyer reads: a text and an amount each."""

    purchase_id: str
    title: str
    lines: tuple[tuple[str, int], ...]
    total: int
    currency: str  # ISO 4217, in capitals
    digits: int  # of its minor unit
    success_url: str
    cancel_url: str
    expires_at_s: int
    again: str = ""

    @property
    def key(self) -> str:
        name = f"checkout/{self.purchase_id}"
        return f"{name}/{self.again}" if self.again else name


class Checkout(NamedTuple):
    session: str
    url: str  # "" once it is not open
    expires_at_s: int
    state: Literal["open", "complete", "expired"]
    is_paid: bool
    payment: str
    amount: int
    currency: str
    purchase_id: str


class RefundAsk(NamedTuple):
    """`refund_id` is the key."""

    refund_id: str
    purchase_id: str
    payment: str
    amount: int
    currency: str


class PayoutAsk(NamedTuple):
    """`payout_id` is the key; `destination` is the provider's name of who is paid."""

    payout_id: str
    amount: int
    currency: str
    destination: str


class EvidenceAsk(NamedTuple):
    """`evidence_id` is the key; `dispute` is the provider's name of it."""

    evidence_id: str
    dispute: str
    product: str  # what was sold
    activity: str  # that it was used, and when
    text: str  # whatever else


class Made(NamedTuple):
    """A refund or payout as the provider has it. One that is "pending" is told of later."""

    reference: str
    state: Literal["done", "pending", "failed"]
    reason: str = ""


class Moved(NamedTuple):
    """One line of the provider's own books: what came is above zero, what went below."""

    reference: str  # the payment of a sale, else of the refund, dispute or transfer
    kind: Literal[
        "sale", "refund", "refund_back", "dispute", "dispute_won", "payout", "payout_back"
    ]  # fmt: skip
    amount: int
    currency: str
    at_s: int
    purchase_id: str  # or payout_id; "" where the provider does not say


class Said(NamedTuple):
    """A message of the provider. `purchase_id` "" with a `payment`: `purchase_of` knows it."""

    notice: str
    kind: Literal[
        "paid", "pending", "declined", "unpaid", "expired", "refunded", "refund_failed",
        "dispute_opened", "dispute_won", "dispute_lost", "payout_failed",
    ]  # fmt: skip
    purchase_id: str = ""
    payout_id: str = ""
    payment: str = ""
    session: str = ""
    amount: int = 0
    currency: str = ""
    reference: str = ""
    refund_id: str = ""
    reason: str = ""
    fee: int = 0
    due_s: int = 0  # until when a dispute may be answered; 0: it does not say


class PaymentsProvider(Protocol):
    """Belongs to one event loop."""

    @property
    def name(self) -> str: ...

    async def open_checkout(self, ask: CheckoutAsk) -> Checkout: ...

    async def checkout(self, session: str) -> Checkout:
        """As it is now. Raises `NotFound`."""
        ...

    async def expire_checkout(self, session: str) -> Checkout:
        """Close it, if it is open; as it is then."""
        ...

    async def refund(self, ask: RefundAsk) -> Made: ...

    async def pay_out(self, ask: PayoutAsk) -> Made: ...

    async def submit_evidence(self, ask: EvidenceAsk) -> None: ...

    async def moved(self, since_s: int, until_s: int) -> Sequence[Moved]:
        """From `since_s` on, up to `until_s`, which is not part of it."""
        ...

    async def purchase_of(self, payment: str) -> str:
        """Which purchase a payment is of; "" for none of ours."""
        ...

    def said(self, headers: Headers, raw: bytes, now_s: float) -> Said | None:
        """What a webhook's body says. Raises `Denied` for what is not signed, `Invalid` for what
        is signed and cannot be read."""
        ...

    async def close(self) -> None: ...
