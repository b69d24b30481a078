"""What the events of Stripe say, in our words (docs.stripe.com/api/events/types). Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.ports.payments import Said

API_VERSION: Final = "2026-10-28.endive"  # events and answers are of this one

_LATEST_S: Final = 1 << 33  # what is later is no time in nanoseconds

_Object = Mapping[str, Any]


class _Held(msgspec.Struct, frozen=True):
    object: dict[str, Any]


class _Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    data: _Held


_decode: Final = msgspec.json.Decoder(_Event).decode


def read(raw: bytes) -> Said | None:
    """None for what we do not listen to. Raises `Invalid` for what is no event."""
    try:
        event = _decode(raw)
        act = _READS.get(event.type)
        return None if act is None else act(event.id, event.data.object)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid(f"the message is no event that can be read: {error!r}"[:200]) from None


def _session(kind: Any) -> Callable[[str, _Object], Said]:
    def read_one(notice: str, its: _Object) -> Said:
        said = kind
        if kind == "paid" and its["payment_status"] == "unpaid":
            said = "pending"
        return Said(
            notice, said, _purchase(its), payment=_id(its.get("payment_intent")),
            session=str(its["id"]), amount=int(its.get("amount_total") or 0),
            currency=str(its.get("currency") or "").upper(),
        )  # fmt: skip

    return read_one


def _payment_failed(notice: str, its: _Object) -> Said:
    error = its.get("last_payment_error") or {}
    reason = str(error.get("decline_code") or error.get("code") or "declined")
    return Said(
        notice, "declined", _purchase(its), payment=str(its["id"]), amount=int(its["amount"]),
        currency=str(its["currency"]).upper(), reason=reason[:64],
    )  # fmt: skip


def _refund(notice: str, its: _Object) -> Said | None:
    kind: Any = {"succeeded": "refunded", "failed": "refund_failed", "canceled": "refund_failed"}
    found = kind.get(its.get("status"))
    if found is None:
        return None  # on its way: another message says what comes of it
    about = its.get("metadata") or {}
    return Said(
        notice, found, _purchase(its), payment=_id(its.get("payment_intent")),
        amount=int(its["amount"]), currency=str(its["currency"]).upper(), reference=str(its["id"]),
        refund_id=str(about.get("refund_id", "")), reason=str(its.get("failure_reason") or "")[:64],
    )  # fmt: skip


def _dispute(notice: str, its: _Object) -> Said | None:
    kinds: Any = {"won": "dispute_won", "lost": "dispute_lost"}
    status = str(its.get("status"))
    if status.startswith("warning_"):
        return None  # an inquiry: no money has moved
    fee = sum(int(each.get("fee") or 0) for each in its.get("balance_transactions") or ())
    return Said(
        notice, kinds.get(status, "dispute_opened"), _purchase(its),
        payment=_id(its.get("payment_intent")), amount=int(its["amount"]),
        currency=str(its["currency"]).upper(), reference=str(its["id"]),
        reason=str(its.get("reason") or "")[:64], fee=max(fee, 0), due_s=_due_s(its),
    )  # fmt: skip


def _due_s(its: _Object) -> int:
    found = (its.get("evidence_details") or {}).get("due_by")
    return found if isinstance(found, int) and 0 < found < _LATEST_S else 0


def _reversed(notice: str, its: _Object) -> Said:
    about = its.get("metadata") or {}
    return Said(
        notice, "payout_failed", payout_id=str(about.get("payout_id", "")),
        amount=int(its["amount"]), currency=str(its["currency"]).upper(),
        reference=str(its["id"]), reason="reversed",
    )  # fmt: skip


def _purchase(its: _Object) -> str:
    return str((its.get("metadata") or {}).get("purchase_id", ""))


def _id(found: Any) -> str:
    """Of what may be expanded."""
    return str(found["id"] if isinstance(found, dict) else found or "")


_READS: Final[Mapping[str, Callable[[str, _Object], Said | None]]] = {
    "checkout.session.completed": _session("paid"),
    "checkout.session.async_payment_succeeded": _session("paid"),
    "checkout.session.async_payment_failed": _session("unpaid"),
    "checkout.session.expired": _session("expired"),
    "payment_intent.payment_failed": _payment_failed,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.closed": _dispute,
    "transfer.reversed": _reversed,
}
LISTENED: Final = frozenset(_READS)
