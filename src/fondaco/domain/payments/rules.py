"""The law of a purchase: whatever a provider says, in any order and however often, it is completed
at most once, to the cent, and no more is given back than was paid. Pure."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

from msgspec.structs import replace

from fondaco.domain.payments.events import (
    AskEvidence,
    AskRefund,
    CheckoutOpened,
    DisputeClosed,
    DisputeOpened,
    EvidenceAsked,
    EvidenceDue,
    EvidenceRefused,
    EvidenceSent,
    ExpirePurchase,
    FailRefund,
    HearNotice,
    NoticeKept,
    NoticeNoted,
    OpenPurchase,
    PaymentDeclined,
    PaymentMismatched,
    PaymentPending,
    PurchaseCommand,
    PurchaseCompleted,
    PurchaseEvent,
    PurchaseExpired,
    PurchaseOpened,
    PurchaseRefused,
    RecordCheckout,
    RecordEvidence,
    RefundAsked,
    Refunded,
    RefundFailed,
)
from fondaco.domain.payments.model import (
    PREFIX,
    Dispute,
    Notice,
    Purchase,
    Refund,
    amount_text,
    step_of,
)
from fondaco.domain.payments.prices import share
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import Instant, StreamId

_Events = tuple[PurchaseEvent, ...]
_MONEY_BACK: Final = frozenset(
    {"refunded", "refund_failed", "dispute_opened", "dispute_won", "dispute_lost"}
)
FREE: Final = "none"  # the provider of what costs nothing


def initial(stream: StreamId) -> Purchase:
    return Purchase(purchase_id=stream.removeprefix(PREFIX))


def decide(state: Purchase, command: PurchaseCommand, _: Refs) -> _Events:
    match command:
        case OpenPurchase():
            return _open(state, command)
        case RecordCheckout():
            return _checkout(state, command)
        case HearNotice():
            return _with_time(_hear(state, command.notice, command.at), command)
        case ExpirePurchase():
            return _expire(state, command.reason, "")
        case AskRefund():
            return _ask_refund(state, command)
        case FailRefund():
            notice = Notice("", "refund_failed", refund_id=command.refund_id, reason=command.reason)
            return _refund_failed(state, notice, command.at)
        case AskEvidence():
            return _ask_evidence(state, command)
        case RecordEvidence():
            return _record_evidence(state, command)


def _open(state: Purchase, ask: OpenPurchase) -> _Events:
    if state.stage != "new":
        return (NoticeNoted("opened", ""),)
    opened = PurchaseOpened(
        ask.tenant, ask.user, ask.product, ask.lines, ask.total, ask.tax, ask.country, ask.coupon,
        ask.affiliate, ask.commission, ask.provider, ask.at, ask.expires_at,
    )  # fmt: skip
    if ask.total:
        return (opened,)
    done = PurchaseCompleted(
        state.purchase_id, ask.tenant, ask.user, ask.product, 0, ask.product.currency, ask.at, "",
        FREE, 0, ask.coupon, ask.affiliate, 0, "",
    )  # fmt: skip
    return opened, done


def _checkout(state: Purchase, told: RecordCheckout) -> _Events:
    if state.stage == "opened" or (state.stage == "checkout" and not state.session):
        return (CheckoutOpened(told.session, told.url, told.expires_at),)
    return (NoticeNoted("checkout", ""),)


# --- What the provider says -----------------------------------------------------------------------


def _hear(state: Purchase, notice: Notice, at: Instant) -> _Events:
    if state.stage == "new":
        text = "nobody has opened this purchase here"
        return (PurchaseRefused("unknown", text, notice.notice),)
    if notice.kind in _MONEY_BACK and state.stage != "completed":
        return (NoticeKept(notice),)
    return _HEARD[notice.kind](state, notice, at)


def _paid(state: Purchase, notice: Notice, at: Instant) -> _Events:
    if state.stage == "completed":
        if state.payment and notice.payment not in ("", state.payment):
            return (_mismatch("paid_twice", state.payment, notice.payment, notice),)
        return (NoticeNoted("paid", notice.notice),)
    if notice.currency != state.currency:
        return (_mismatch("currency", state.currency, notice.currency, notice),)
    if notice.amount != state.total:
        expected = amount_text(state.total, state.currency)
        return (_mismatch("amount", expected, amount_text(notice.amount, state.currency), notice),)
    completed = PurchaseCompleted(
        state.purchase_id, state.tenant, state.user, state.product, state.total, state.currency,
        at, notice.payment or state.payment, state.provider, state.tax, state.coupon,
        state.affiliate, state.commission, notice.notice,
    )  # fmt: skip
    found: list[PurchaseEvent] = [completed]
    if state.kept:  # what was faster than the money counts now
        trial = evolve(deepcopy(state), completed)
        for kept in state.kept:
            for event in _hear(trial, kept, at):
                found.append(event)
                trial = evolve(trial, event)
    return tuple(found)


def _pending(state: Purchase, notice: Notice, _: Instant) -> _Events:
    if state.stage in ("opened", "checkout"):
        return (PaymentPending(notice.payment, notice.session, notice.notice),)
    return (NoticeNoted("pending", notice.notice),)


def _declined(state: Purchase, notice: Notice, _: Instant) -> _Events:
    """One try; the page stays open."""
    if state.stage in ("completed", "expired"):
        return (NoticeNoted("declined", notice.notice),)
    return (PaymentDeclined(notice.payment, notice.reason, False, notice.notice),)


def _unpaid(state: Purchase, notice: Notice, _: Instant) -> _Events:
    """What was pending has failed: the page is closed by then."""
    if state.stage in ("completed", "expired"):
        return (NoticeNoted("unpaid", notice.notice),)
    return (PaymentDeclined(notice.payment, notice.reason, True, notice.notice),)


def _expired(state: Purchase, notice: Notice, _: Instant) -> _Events:
    return _expire(state, notice.reason or "expired", notice.notice)


def _expire(state: Purchase, reason: str, notice: str) -> _Events:
    if state.stage not in ("opened", "checkout"):
        return (NoticeNoted("expired", notice),)
    return (PurchaseExpired(reason, notice),)


def _mismatch(what: str, expected: str, found: str, notice: Notice) -> PaymentMismatched:
    return PaymentMismatched(what, expected, found, notice.payment, notice.notice)


# --- Refunds --------------------------------------------------------------------------------------


def _ask_refund(state: Purchase, ask: AskRefund) -> _Events:
    wrong = refund_is_wrong(state, ask.amount)
    if wrong:
        return (PurchaseRefused(*wrong, ask.by),)
    amount = ask.amount or state.refundable
    return (
        RefundAsked(ask.refund_id, amount, state.currency, state.payment, ask.reason, ask.by),
    )  # fmt: skip


def refund_is_wrong(state: Purchase, amount: int) -> tuple[str, str] | None:
    """Reason and text; None where so much may be asked back. `amount` 0 is all there is."""
    if state.stage != "completed":
        return "not_paid", "it is not paid: there is nothing to give back"
    if any(each.state == "open" for each in state.disputes.values()):
        return "disputed", "its bank has the money already, until the dispute is decided"
    left = state.refundable
    if not left:
        return "nothing_left", "all of it was given back, or is on its way"
    if amount > left:
        most = f"{amount_text(left, state.currency)} {state.currency}"
        return "beyond_paid", f"at most {most} may still be given back"
    if amount % step_of(state.currency):
        return "beyond_paid", f"nobody can be paid a part of the smallest unit of {state.currency}"
    return None


def _refunded(state: Purchase, notice: Notice, _: Instant) -> _Events:
    known = state.refunds.get(notice.refund_id or notice.reference)
    if known and known.state != "asked":  # one that has failed stays so
        return (NoticeNoted("refunded", notice.notice),)
    before, after = state.refunded, state.refunded + notice.amount
    found = amount_text(notice.amount, state.currency)
    if after > state.total:
        left = amount_text(state.total - before, state.currency)
        return (_mismatch("refund_beyond", left, found, notice),)
    if known and known.amount != notice.amount:
        expected = amount_text(known.amount, state.currency)
        return (_mismatch("amount", expected, found, notice),)
    tax, commission = _parts(state, before, after)
    return (
        Refunded(
            notice.refund_id, notice.reference, notice.amount, state.currency, after,
            after == state.total, tax, state.affiliate, commission, state.tenant, state.provider,
            notice.notice,
        ),
    )  # fmt: skip


def _parts(state: Purchase, before: int, after: int) -> tuple[int, int]:
    """Of tax and commission, what goes along as what is given back grows."""
    step = step_of(state.currency)
    tax, commission = (
        share(part, after, state.total, step) - share(part, before, state.total, step)
        for part in (state.tax, state.commission)
    )
    return tax, commission


def _refund_failed(state: Purchase, notice: Notice, _: Instant) -> _Events:
    """Also of one that nobody here has heard of: its success may come behind."""
    known = state.refunds.get(notice.refund_id or notice.reference)
    if known and known.state == "failed":
        return (NoticeNoted("refund_failed", notice.notice),)
    was_done = known is not None and known.state == "done"
    back = known.amount if known and was_done else 0
    tax, commission = _parts(state, state.refunded - back, state.refunded)
    return (
        RefundFailed(
            notice.refund_id, notice.reference, notice.reason, was_done, back, state.currency, tax,
            state.affiliate, commission, state.tenant, state.provider, notice.notice,
        ),
    )  # fmt: skip


# --- Disputes -------------------------------------------------------------------------------------


def _dispute_opened(state: Purchase, notice: Notice, _: Instant) -> _Events:
    if notice.reference in state.disputes:
        return (NoticeNoted("dispute_opened", notice.notice),)
    return (
        DisputeOpened(
            notice.reference, notice.amount, state.currency, notice.reason, notice.fee,
            state.provider, notice.notice,
        ),
    )  # fmt: skip


def _dispute_closed(state: Purchase, notice: Notice, at: Instant) -> _Events:
    """One that was decided before we heard of it was opened first all the same."""
    known = state.disputes.get(notice.reference)
    if known and known.state != "open":
        return (NoticeNoted(notice.kind, notice.notice),)
    closed = DisputeClosed(
        notice.reference, notice.kind == "dispute_won", known.amount if known else notice.amount,
        state.currency, state.provider, notice.notice,
    )  # fmt: skip
    if known:
        return (closed,)
    return (*_dispute_opened(state, replace(notice, kind="dispute_opened"), at), closed)


def _with_time(found: _Events, told: HearNotice) -> _Events:
    """A dispute that was not known comes with the time until which it may be answered."""
    is_new = any(isinstance(each, DisputeOpened | NoticeKept) for each in found)
    if not told.due_at or not is_new or told.notice.kind != "dispute_opened":
        return found
    return (*found, EvidenceDue(told.notice.reference, told.due_at, told.notice.notice))


def evidence_is_wrong(state: Purchase, dispute: str) -> tuple[str, str] | None:
    """Reason and text; None where evidence may be handed in."""
    found = state.disputes.get(dispute)
    if found is None:
        return "no_dispute", f"nobody disputes this purchase as {dispute[:40]!r}"
    if found.state != "open":
        return "dispute_over", f"the dispute is {found.state}: nothing more is heard"
    if found.evidence in ("asked", "sent"):
        return "evidence_given", "evidence was handed in: it is the last word, and there is one"
    return None


def _ask_evidence(state: Purchase, ask: AskEvidence) -> _Events:
    wrong = evidence_is_wrong(state, ask.dispute)
    if wrong:
        return (PurchaseRefused(*wrong, ask.by),)
    return (EvidenceAsked(ask.evidence_id, ask.dispute, ask.evidence, ask.by),)


def _record_evidence(state: Purchase, told: RecordEvidence) -> _Events:
    found = state.disputes.get(told.dispute)
    if found is None or (found.evidence, found.evidence_id) != ("asked", told.evidence_id):
        return (NoticeNoted("evidence", ""),)
    if told.reason:
        return (EvidenceRefused(told.evidence_id, told.dispute, told.reason, state.provider),)
    return (EvidenceSent(told.evidence_id, told.dispute, state.provider),)


_HEARD: Final[Mapping[str, Callable[[Purchase, Notice, Instant], _Events]]] = {
    "paid": _paid,
    "pending": _pending,
    "declined": _declined,
    "unpaid": _unpaid,
    "expired": _expired,
    "refunded": _refunded,
    "refund_failed": _refund_failed,
    "dispute_opened": _dispute_opened,
    "dispute_won": _dispute_closed,
    "dispute_lost": _dispute_closed,
}


# --- What is true afterwards ----------------------------------------------------------------------


def evolve(state: Purchase, event: PurchaseEvent) -> Purchase:
    act: Any = _EVOLVES.get(type(event))
    if act is not None:
        act(state, event)
    return state


def _was_opened(state: Purchase, event: PurchaseOpened) -> None:
    state.stage = "opened"
    state.tenant, state.user, state.product = event.tenant, event.user, event.product
    state.total, state.tax, state.currency = event.total, event.tax, event.product.currency
    state.coupon, state.affiliate = event.coupon, event.affiliate
    state.commission, state.provider = event.commission, event.provider
    state.lines, state.country = event.lines, event.country
    state.opened_at, state.expires_at = event.opened_at, event.expires_at


def _has_checkout(state: Purchase, event: CheckoutOpened) -> None:
    state.stage = "checkout"
    state.session, state.url, state.expires_at = event.session, event.url, event.expires_at


def _is_pending(state: Purchase, event: PaymentPending) -> None:
    state.stage = "pending"
    state.payment = event.payment
    state.session = state.session or event.session


def _was_declined(state: Purchase, event: PaymentDeclined) -> None:
    if event.is_final:
        state.stage = "expired"


def _was_completed(state: Purchase, event: PurchaseCompleted) -> None:
    state.stage = "completed"
    state.payment, state.completed_at = event.payment, event.completed_at
    state.kept = ()


def _has_expired(state: Purchase, _: PurchaseExpired) -> None:
    state.stage = "expired"


def _refund_is_asked(state: Purchase, event: RefundAsked) -> None:
    state.refunds[event.refund_id] = Refund(event.amount, "asked", "", event.reason)


def _was_refunded(state: Purchase, event: Refunded) -> None:
    name = event.refund_id or event.reference
    asked = state.refunds.get(name)
    reason = asked.reason if asked else ""
    state.refunds[name] = Refund(event.amount, "done", event.reference, reason)


def _refund_has_failed(state: Purchase, event: RefundFailed) -> None:
    name = event.refund_id or event.reference
    was = state.refunds.get(name) or Refund(0, "asked")
    reference = event.reference or was.reference
    state.refunds[name] = Refund(was.amount, "failed", reference, event.reason)


def _is_disputed(state: Purchase, event: DisputeOpened) -> None:
    state.disputes[event.dispute] = Dispute(event.amount, "open")


def _is_decided(state: Purchase, event: DisputeClosed) -> None:
    was = state.disputes.get(event.dispute) or Dispute(event.amount, "open")
    end: Any = "won" if event.is_won else "lost"
    state.disputes[event.dispute] = replace(was, amount=event.amount, state=end)


def _evidence_is_asked(state: Purchase, event: EvidenceAsked) -> None:
    found = state.disputes[event.dispute]
    found.evidence, found.evidence_id, found.said = "asked", event.evidence_id, event.evidence


def _evidence_was_sent(state: Purchase, event: EvidenceSent) -> None:
    state.disputes[event.dispute].evidence = "sent"


def _evidence_was_refused(state: Purchase, event: EvidenceRefused) -> None:
    state.disputes[event.dispute].evidence = "refused"


def _was_kept(state: Purchase, event: NoticeKept) -> None:
    state.kept = (*state.kept, event.notice)


_EVOLVES: Final[Mapping[type, Callable[[Purchase, Any], None]]] = {
    PurchaseOpened: _was_opened,
    CheckoutOpened: _has_checkout,
    PaymentPending: _is_pending,
    PaymentDeclined: _was_declined,
    PurchaseCompleted: _was_completed,
    PurchaseExpired: _has_expired,
    RefundAsked: _refund_is_asked,
    Refunded: _was_refunded,
    RefundFailed: _refund_has_failed,
    DisputeOpened: _is_disputed,
    DisputeClosed: _is_decided,
    EvidenceAsked: _evidence_is_asked,
    EvidenceSent: _evidence_was_sent,
    EvidenceRefused: _evidence_was_refused,
    NoticeKept: _was_kept,
}


decider: Final = Decider(initial, decide, evolve, Purchase)
