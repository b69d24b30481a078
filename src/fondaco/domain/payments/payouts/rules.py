"""The law of a payout: it is ordered once, and then paid or not. Pure."""

from typing import Final

from fondaco.domain.payments.events import (
    PayOut,
    PayoutCommand,
    PayoutEvent,
    PayoutFailed,
    PayoutNoted,
    PayoutOrdered,
    PayoutPaid,
    SettlePayout,
)
from fondaco.domain.payments.model import PAYOUTS, Payout
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import StreamId


def initial(stream: StreamId) -> Payout:
    return Payout(payout_id=stream.removeprefix(PAYOUTS))


def decide(state: Payout, command: PayoutCommand, _: Refs) -> tuple[PayoutEvent, ...]:
    if isinstance(command, PayOut):
        return (_order(state, command),)
    return (_settle(state, command),)


def _order(state: Payout, ask: PayOut) -> PayoutEvent:
    if state.state != "new":
        return PayoutNoted("", "")
    ordered = PayoutOrdered(
        state.payout_id, ask.tenant, ask.user, ask.assessment_id, ask.amount, ask.currency,
        ask.destination,
    )  # fmt: skip
    if ask.amount > 0:
        return ordered
    return PayoutFailed(
        state.payout_id, ask.tenant, ask.user, ask.assessment_id, ask.amount, ask.currency, "",
        "amount", False, "",
    )  # fmt: skip


def _settle(state: Payout, told: SettlePayout) -> PayoutEvent:
    """What failed stays so; what was paid may come back."""
    if state.state == "ordered" and not told.reason:
        return PayoutPaid(
            state.payout_id, state.tenant, state.user, state.assessment_id, state.amount,
            state.currency, told.reference, told.at, told.notice,
        )  # fmt: skip
    if told.reason and state.state in ("ordered", "paid"):
        return PayoutFailed(
            state.payout_id, state.tenant, state.user, state.assessment_id, state.amount,
            state.currency, told.reference or state.reference, told.reason, state.state == "paid",
            told.notice,
        )  # fmt: skip
    return PayoutNoted(told.reference, told.notice)


def evolve(state: Payout, event: PayoutEvent) -> Payout:
    match event:
        case PayoutOrdered():
            state.state = "ordered"
            state.tenant, state.user = event.tenant, event.user
            state.assessment_id, state.amount = event.assessment_id, event.amount
            state.currency, state.destination = event.currency, event.destination
        case PayoutPaid():
            state.state, state.reference = "paid", event.reference
        case PayoutFailed():
            state.state, state.reference = "failed", event.reference
            state.reason = event.reason
        case PayoutNoted():
            pass
    return state


decider: Final = Decider(initial, decide, evolve, Payout)
