"""Orders that work are canceled, replaced, triggered, trailed and expired, and venues end them.

What is at a venue is only asked to change: the venue answers. What waits at the account (a stop, a
child of a bracket) changes at once. A cancel goes before a replace that is still asked for; any
other second change is denied until the first is answered.
"""

from typing import Final

import msgspec

from fondaco.domain.market.model import Mark
from fondaco.domain.reference.model import Instrument
from fondaco.domain.trading.events import (
    CASH_SPENT,
    CancelOrder,
    CancelOrders,
    ChangeDenied,
    ExpireOrders,
    NothingToDo,
    OrderCanceled,
    OrderCompleted,
    OrderExpired,
    OrderRefused,
    OrderReplaced,
    OrderResolved,
    OrderTrailed,
    OrderTriggered,
    OrderUnknown,
    RecordDenial,
    RecordEnd,
    RecordReplaced,
    RecordSilence,
    RecordStanding,
    ReportUnmatched,
    TradingEvent,
    TrailOrder,
    TriggerOrder,
)
from fondaco.domain.trading.model import AccountState, Order, OrdStatus, TradingRefs
from fondaco.domain.trading.rules import groups
from fondaco.domain.trading.rules.entry import (
    ACTIVE,
    HALTED,
    OK,
    STOP_LIMIT,
    TRAILING,
    limits_of,
    strictest,
)
from fondaco.domain.trading.rules.execution import (
    FILLED,
    PARTIALLY_FILLED,
    PENDING_CANCEL,
)
from fondaco.domain.trading.rules.groups import cancel_of
from fondaco.domain.trading.rules.holds import (
    BUY,
    buy_hold,
    hold_for,
    hold_of,
    margin_hold,
    protected,
)
from fondaco.domain.trading.rules.trades import bared

CANCELED: Final = OrdStatus.CANCELED
EXPIRED: Final = OrdStatus.EXPIRED
REJECTED: Final = OrdStatus.REJECTED
SUSPENDED: Final = OrdStatus.SUSPENDED
UNKNOWN: Final = OrdStatus.UNKNOWN


# --- Cancel and expire --------------------------------------------------------------------------


def cancel(
    state: AccountState, command: CancelOrder, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    order = state.working.get(command.number)
    if order is None:
        return (denied(state, command.number),)
    if order.ord_status is PENDING_CANCEL:
        return (ChangeDenied(order.number, PENDING_CANCEL, "already_pending"),)
    text = _still_needed(state, refs, order, {})
    if text:
        return (ChangeDenied(order.number, order.ord_status, text),)
    return tuple(cancel_of(state, order, command.reason, {}))


def _still_needed(
    state: AccountState, refs: TradingRefs, order: Order, gone: dict[int, bool]
) -> str:
    """Why a trader may not cancel it: it, or what goes with it, is the stop of a position."""
    if state.trade_rules is None:
        return ""
    other = groups.sibling(state, order)
    numbers = {order.number, *gone} | (set() if other is None else {other.number})
    return bared(state, refs, order, numbers)


def cancel_many(
    state: AccountState, command: CancelOrders, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """The one turn that walks all working orders, and says so of each."""
    events: list[TradingEvent] = []
    asked: dict[int, bool] = {}
    for order in state.working.values():
        if (command.symbol is None or order.symbol == command.symbol) and (
            command.side is None or order.side is command.side
        ):
            text = ""
            if command.reason == "requested":
                text = _still_needed(state, refs, order, asked)
            if text:
                events.append(ChangeDenied(order.number, order.ord_status, text))
            else:
                events += cancel_of(state, order, command.reason, asked)
    return tuple(events) or (NothingToDo("no working order is meant"),)


def expire(
    state: AccountState, command: ExpireOrders, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    events: list[TradingEvent] = []
    asked: dict[int, bool] = {}
    for instant in sorted(state.due):
        if instant > command.at:
            break
        for number in state.due[instant]:
            events += cancel_of(state, state.working[number], "expired", asked)
    return tuple(events) or (NothingToDo("nothing is due"),)


def denied(state: AccountState, number: int) -> ChangeDenied:
    """Nothing to change any more; FIX says Rejected for an order that never was."""
    if not 0 < number <= state.order_count:
        return ChangeDenied(number, REJECTED, "unknown_order")
    known = state.ended.get(number)
    return ChangeDenied(number, UNKNOWN if known is None else known.ord_status, "too_late")


# --- What venues answer -------------------------------------------------------------------------


def end(state: AccountState, command: RecordEnd, refs: TradingRefs) -> tuple[TradingEvent, ...]:
    order = state.working.get(command.number)
    if order is None or not order.at_venue:
        return (ReportUnmatched(command.number, f"no such order at a venue: {command.text}"),)
    event: TradingEvent
    if command.text == CASH_SPENT and order.cash_qty and order.cum_lots:
        event = OrderCompleted(order.number, order.symbol, order.cum_lots)
    elif command.ord_status is EXPIRED or order.cancel_reason == "expired":
        event = OrderExpired(order.number, order.cum_lots, order.symbol)
    elif command.ord_status is CANCELED:
        reason = order.cancel_reason or command.text
        event = OrderCanceled(order.number, reason, order.cum_lots, order.symbol)
    elif command.ord_status is REJECTED:
        event = OrderRefused(order.number, command.text, order.symbol)
    else:
        text = f"{command.ord_status} is not how an order ends"
        return (ReportUnmatched(order.number, text),)
    if not order.group:
        return (event,)
    return (event, *groups.after_end(state, order, refs.instruments.get(order.symbol)))


def denial(
    state: AccountState, command: RecordDenial, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """The venue will not: the order is what it was before we asked, or what it became since."""
    order = state.working.get(command.number)
    if order is None:
        late = denied(state, command.number)
        return (ChangeDenied(late.number, late.ord_status, command.text),)
    if not order.cancel_reason and not order.pending_lots:
        return (ReportUnmatched(order.number, f"nothing was asked: {command.text}"),)
    status, hold = standing(order), -1
    instrument = refs.instruments.get(order.symbol)
    if order.pending_lots and instrument is not None:
        old = msgspec.structs.replace(order, pending_lots=0, pending_px=0)
        hold = hold_of(
            old,
            instrument,
            old.lots,
            old.cum_lots,
            old.cum_cost,
            old.rest,
            old.fee_rest,
        )
        hold = hold if order.hold else 0
    return (ChangeDenied(order.number, status, command.text, hold),)


def standing(order: Order) -> OrdStatus:
    """The status of an order at a venue once nothing is pending."""
    return PARTIALLY_FILLED if order.cum_lots else OrdStatus.NEW


def silence(
    state: AccountState, command: RecordSilence, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    order = state.working.get(command.number)
    if order is None or not order.at_venue or order.ord_status is UNKNOWN:
        return (ReportUnmatched(command.number, "nothing is expected of a venue here"),)
    return (OrderUnknown(order.number),)


def stands(
    state: AccountState, command: RecordStanding, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """The venue has spoken again: the order is what it was before the silence."""
    order = state.working.get(command.number)
    if order is None or order.ord_status is not UNKNOWN:
        return (ReportUnmatched(command.number, "nothing was unknown of this order"),)
    status = standing(order)
    if order.cancel_reason:
        status = PENDING_CANCEL
    elif order.pending_lots:
        status = OrdStatus.PENDING_REPLACE
    return (OrderResolved(order.number, status),)


# --- Stops --------------------------------------------------------------------------------------


def trigger(
    state: AccountState, command: TriggerOrder, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """A stop whose mark was reached goes to its venue, no further than its protection."""
    order = state.working.get(command.number)
    if order is None or not _waits(order, command.mark):
        return (NothingToDo("no stop waits for this mark"),)
    if order.side is BUY:
        reached = command.mark.px >= order.stop_px
    else:
        reached = command.mark.px <= order.stop_px
    if not reached:
        return (NothingToDo(f"{command.mark.px} does not reach {order.stop_px}"),)
    allowed = strictest(state, refs, order.symbol)
    instrument = refs.instruments.get(order.symbol)
    if instrument is None or allowed is HALTED or (allowed is not ACTIVE and order.side is BUY):
        return (NothingToDo("trading is halted, or only reduces"),)
    px = order.px
    if order.ord_type is not STOP_LIMIT:
        px = protected(order.stop_px, order.side, limits_of(state, refs).market_protection_bps)
        if order.side is BUY:
            px = min(px, order.hold_px)
    left = order.lots - order.cum_lots
    if order.ref_px:
        hold = margin_hold(msgspec.structs.replace(order, hold_px=px), instrument, left)
    else:
        hold = buy_hold(instrument, px, left) if order.side is BUY else left * order.base_per_lot
    goes = msgspec.structs.replace(
        order, px=px, hold_px=px, hold=hold, spare=0, at_venue=True, ord_status=OrdStatus.NEW
    )
    triggered = OrderTriggered(order.number, command.mark, px, hold, goes)
    return (triggered, *groups.after_trigger(state, order))


def trail(state: AccountState, command: TrailOrder, refs: TradingRefs) -> tuple[TradingEvent, ...]:
    order = state.working.get(command.number)
    if order is None or order.ord_type is not TRAILING or not _waits(order, command.mark):
        return (NothingToDo("no stop trails this mark"),)
    if order.side is BUY:
        stop_px = command.mark.px + order.trail
        follows = stop_px < order.stop_px
    else:
        stop_px = command.mark.px - order.trail
        follows = stop_px > order.stop_px
    if not follows:
        return (NothingToDo(f"{command.mark.px} moves no stop at {order.stop_px}"),)
    return (OrderTrailed(order.number, stop_px, command.mark),)


def _waits(order: Order, mark: Mark) -> bool:
    return (
        not order.at_venue
        and order.stop_px > 0
        and order.ord_status is not SUSPENDED
        and mark.symbol == order.symbol
        and mark.quality is OK
    )


# --- Replaced -----------------------------------------------------------------------------------


def replaced(
    state: AccountState, command: RecordReplaced, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """A venue took new terms, perhaps after a fill that leaves nothing of them.

    A leg that gave up its quantity does not get it back by an answer, and whose hold lies on
    another leg holds nothing under its new terms either."""
    order = state.working.get(command.number)
    instrument = None if order is None else refs.instruments.get(order.symbol)
    if order is not None and instrument is not None and command.is_restated:
        return _restated(order, instrument, command.lots)
    if order is None or instrument is None or not order.pending_lots:
        return (ReportUnmatched(command.number, "no replace was asked for"),)
    if command.lots <= 0 or command.px <= 0:
        return (ReportUnmatched(command.number, "terms that make no sense"),)
    if _is_more(order, command):
        text = f"{command.lots} lots at {command.px} are more than was asked for"
        return (ReportUnmatched(order.number, text),)
    status = PENDING_CANCEL if order.cancel_reason else standing(order)
    lots, hold = command.lots, 0
    if lots <= order.cum_lots:
        status = FILLED
    elif order.group and order.lots <= order.cum_lots:
        lots = order.lots
    elif order.hold:
        new = msgspec.structs.replace(
            order, hold_px=command.px, pending_lots=0, pending_px=0, lots=command.lots
        )
        hold = hold_of(
            new,
            instrument,
            new.lots,
            new.cum_lots,
            new.cum_cost,
            new.rest,
            new.fee_rest,
        )
    return (
        OrderReplaced(
            order.number,
            order.pending or order.cl_ord_id,
            lots,
            command.px,
            order.stop_px,
            hold,
            status,
        ),
    )


def _restated(order: Order, instrument: Instrument, lots: int) -> tuple[TradingEvent, ...]:
    """The venue will not execute all of it. What is pending stays so; a leg that gave up its
    quantity does not get it back."""
    if not order.cum_lots < lots < order.lots:
        return (ReportUnmatched(order.number, f"{lots} lots restate nothing"),)
    less = msgspec.structs.replace(order, lots=lots)
    hold = hold_for(less, instrument) if order.hold else 0
    return (groups.restated(order, lots, hold),)


def _is_more(order: Order, command: RecordReplaced) -> bool:
    """Whether terms exceed the old ones and those that were asked for: nothing was set aside for
    them, and a fill at such a price is not booked either."""
    if command.lots > max(order.lots, order.pending_lots):
        return True
    if order.side is BUY:
        return command.px > max(order.px, order.pending_px)
    return command.px < min(order.px, order.pending_px)
