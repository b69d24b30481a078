"""Stripe, through its own SDK (pip install 'fondaco[stripe]').

The SDK forms the requests and reads the answers; the house's own courier carries them, so that one
place is called as carefully as any other. The version of the API is pinned. Keys of the port are
Stripe's idempotency keys, which it keeps for at least a day.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import stripe

from fondaco.kernel.errors import Conflict, FondacoError, Invalid, NotFound, Unavailable
from fondaco.ports.outbound import Outbound, Request
from fondaco.ports.payments import (
    Checkout,
    CheckoutAsk,
    EvidenceAsk,
    Headers,
    Made,
    Moved,
    PayoutAsk,
    RefundAsk,
    Said,
    messages,
    signatures,
)

NAME: Final = "stripe"
PAGE: Final = 100  # lines of a list at a time
ANSWER_MAX: Final = 4 << 20
WITHIN_S: Final = 20.0
_KINDS: Final[Mapping[str, Any]] = {
    "charge": "sale", "payment": "sale", "refund": "refund", "payment_refund": "refund",
    "refund_failure": "refund_back", "payment_failure_refund": "refund_back",
    "transfer": "payout", "transfer_refund": "payout_back",
}  # fmt: skip
_STATES: Final[Mapping[str, Any]] = {
    "succeeded": "done", "failed": "failed", "canceled": "failed",
}  # fmt: skip


class Carried(stripe.HTTPClient):
    """Calls of the SDK, carried by the house. The courier tries again, so the SDK does not."""

    name = "fondaco"

    def __init__(self, outbound: Outbound) -> None:
        super().__init__()
        self._outbound = outbound

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        key = next((value for name, value in headers.items() if name == "Idempotency-Key"), "")
        body = post_data or b""
        request = Request(
            method.upper(),
            url,
            tuple((name, value) for name, value in headers.items() if name != "Idempotency-Key"),
            body.encode() if isinstance(body, str) else body,
            key,
            within_s=WITHIN_S,
            body_max=ANSWER_MAX,
            place=NAME,
        )
        found = await self._outbound.ask(request)
        return found.body, found.status, found.headers

    async def close_async(self) -> None:
        """The courier is the house's."""


class Stripe:
    """`fondaco.ports.payments.PaymentsProvider`. `secrets` are the webhook's, the newest first."""

    name: Final = NAME

    def __init__(
        self, outbound: Outbound, key: str, secrets: Sequence[str], address: str = ""
    ) -> None:
        """`address` is another one than Stripe's own, as a mock's. Raises `Invalid` for what is no
        key."""
        if not key.startswith(("sk_", "rk_")) or not key.isascii():
            raise Invalid("a secret key of Stripe begins with sk_ or rk_")
        if not secrets or not all(each.startswith("whsec_") for each in secrets):
            raise Invalid("a secret of a webhook of Stripe begins with whsec_")
        if address and urlsplit(address).scheme not in ("http", "https"):
            raise Invalid(f"{address[:80]!r} is no address")
        self._secrets = tuple(secrets)
        stripe.enable_telemetry = False
        self._client = stripe.StripeClient(
            key,
            stripe_version=messages.API_VERSION,
            base_addresses={"api": address} if address else None,
            max_network_retries=0,
            http_client=Carried(outbound),
        )

    async def open_checkout(self, ask: CheckoutAsk) -> Checkout:
        about = {"purchase_id": ask.purchase_id}
        lines = "; ".join(f"{text}: {_money(amount, ask)}" for text, amount in ask.lines)
        product = {"name": ask.title, "description": lines[:500]}
        price = {
            "currency": ask.currency.lower(), "unit_amount": ask.total, "product_data": product,
        }  # fmt: skip
        params: Any = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "client_reference_id": ask.purchase_id,
            "metadata": about,
            "payment_intent_data": {"metadata": about},
            "success_url": ask.success_url,
            "cancel_url": ask.cancel_url,
            "expires_at": ask.expires_at_s,
        }
        key = ask.key
        sessions = self._client.v1.checkout.sessions
        made = await self._asked(sessions.create_async(params, {"idempotency_key": key}))
        return _checkout(made)

    async def checkout(self, session: str) -> Checkout:
        return _checkout(
            await self._asked(self._client.v1.checkout.sessions.retrieve_async(session))
        )

    async def expire_checkout(self, session: str) -> Checkout:
        found = await self.checkout(session)
        if found.state != "open":
            return found
        try:
            made = await self._asked(self._client.v1.checkout.sessions.expire_async(session))
        except Invalid:  # somebody has just paid it
            return await self.checkout(session)
        return _checkout(made)

    async def refund(self, ask: RefundAsk) -> Made:
        made = await self._asked(
            self._client.v1.refunds.create_async(
                {
                    "payment_intent": ask.payment,
                    "amount": ask.amount,
                    "metadata": {"refund_id": ask.refund_id, "purchase_id": ask.purchase_id},
                },
                {"idempotency_key": f"refund/{ask.refund_id}"},
            )
        )
        state = _STATES.get(made.status or "", "pending")
        return Made(made.id, state, str(getattr(made, "failure_reason", None) or ""))

    async def pay_out(self, ask: PayoutAsk) -> Made:
        """To the trader's connected account, "acct_…", from which Stripe pays their bank."""
        if not ask.destination.startswith("acct_"):
            raise Invalid(
                "the trader has no account at Stripe to be paid into: acct_…",
                code="provider_refused",
            )
        made = await self._asked(
            self._client.v1.transfers.create_async(
                {
                    "amount": ask.amount,
                    "currency": ask.currency.lower(),
                    "destination": ask.destination,
                    "transfer_group": ask.payout_id,
                    "metadata": {"payout_id": ask.payout_id},
                },
                {"idempotency_key": f"payout/{ask.payout_id}"},
            )
        )
        return Made(made.id, "done")

    async def submit_evidence(self, ask: EvidenceAsk) -> None:
        evidence = {
            "product_description": ask.product,
            "access_activity_log": ask.activity,
            "uncategorized_text": ask.text,
        }
        given: Any = {name: text for name, text in evidence.items() if text}
        params: Any = {
            "evidence": given, "metadata": {"evidence_id": ask.evidence_id}, "submit": True,
        }  # fmt: skip
        options: Any = {"idempotency_key": f"evidence/{ask.evidence_id}"}
        try:
            await self._asked(self._client.v1.disputes.update_async(ask.dispute, params, options))
        except NotFound as error:
            raise Invalid(error.message, code="provider_refused") from error

    async def moved(self, since_s: int, until_s: int) -> Sequence[Moved]:
        found: list[Any] = []
        while True:
            params: Any = {
                "created": {"gte": since_s, "lt": until_s},
                "limit": PAGE,
                "expand": ["data.source"],
            }
            if found:
                params["starting_after"] = found[-1].id
            page = await self._asked(self._client.v1.balance_transactions.list_async(params))
            found += page.data
            if not page.has_more or not page.data:
                break
        lines = (_line(each) for each in reversed(found))  # Stripe lists the newest first
        return [line for line in lines if line is not None]

    async def purchase_of(self, payment: str) -> str:
        try:
            found = await self._asked(self._client.v1.payment_intents.retrieve_async(payment))
        except NotFound:
            return ""
        return _about(found).get("purchase_id", "")

    def said(self, headers: Headers, raw: bytes, now_s: float) -> Said | None:
        signatures.verify(self._secrets, headers.get(signatures.HEADER), raw, now_s)
        return messages.read(raw)

    async def close(self) -> None:
        """Nothing is kept open here."""

    async def _asked(self, call: Any) -> Any:
        try:
            return await call
        except stripe.StripeError as error:
            raise known(error) from error


def known(error: stripe.StripeError) -> FondacoError:
    """What of Stripe's is ours; its key stands in none of its messages."""
    text = f"Stripe says: {(error.user_message or str(error))[:200]}"
    if isinstance(error, stripe.IdempotencyError):
        return Conflict(text, code="key_reused")
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError):
        if error.code == "resource_missing" and error.http_status == 404:
            return NotFound(text)
        return Invalid(text, code="provider_refused")
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return Unavailable(f"{text}: see the setting stripe_key", code="provider_key")
    return Unavailable(text, code="no_answer")


def _checkout(made: Any) -> Checkout:
    payment = made.payment_intent
    return Checkout(
        made.id,
        made.url or "",
        made.expires_at,
        made.status or "open",
        made.payment_status in ("paid", "no_payment_required"),
        str(getattr(payment, "id", payment) or ""),
        made.amount_total or 0,
        (made.currency or "").upper(),
        _about(made).get("purchase_id", ""),
    )


def _about(made: Any) -> dict[str, str]:
    """What we have noted with one of its objects."""
    found = getattr(made, "metadata", None)
    return {name: str(value) for name, value in found.to_dict().items()} if found else {}


def _line(each: Any) -> Moved | None:
    """None for what is no purchase's or payout's: fees, and what Stripe pays us."""
    source = each.source
    reference = str(getattr(source, "id", source) or "")
    about = _about(source)
    kind = _KINDS.get(each.type)
    if each.type == "adjustment" and reference.startswith(("dp_", "du_")):
        kind = "dispute" if each.amount < 0 else "dispute_won"
    if kind is None:
        return None
    if kind == "sale":
        payment = getattr(source, "payment_intent", None)
        reference = str(getattr(payment, "id", payment) or reference)
    name = about.get("payout_id") or about.get("purchase_id") or ""
    return Moved(reference, kind, each.amount, each.currency.upper(), each.created, name)


def _money(minor: int, ask: CheckoutAsk) -> str:
    whole, part = divmod(abs(minor), 10**ask.digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{part:0{ask.digits}d}" if ask.digits else f"{sign}{whole}"
