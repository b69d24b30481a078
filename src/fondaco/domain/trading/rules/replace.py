"""New terms for an order that works.

The rules run on what the new terms add: a replace that makes an order smaller, or no better for the
other side, always passes. While a venue is asked, the hold covers the old terms and the new ones.
Quantities of a group belong to all of it and cannot be replaced one by one; nor can the prices of
an OCO to buy, since both legs share one hold.
"""

from typing import Final

import msgspec

from fondaco.domain.reference.model import POOL_MIC, Instrument
from fondaco.domain.trading.events import (
    Ask,
    ChangeDenied,
    OrderRejected,
    OrderReplaced,
    ReplaceOrder,
    ReplaceRequested,
    TradingEvent,
)
from fondaco.domain.trading.model import AccountState, Order, OrdStatus, TradingRefs
from fondaco.domain.trading.rules.changes import denied
from fondaco.domain.trading.rules.entry import (
    ACTIVE,
    HALTED,
    LIMIT,
    MARKET,
    OK,
    STOP_LIMIT,
    TRAILING,
    limits_of,
    lots_in,
    strictest,
    ticks_in,
)
from fondaco.domain.trading.rules.execution import PENDING_CANCEL, PENDING_REPLACE
from fondaco.domain.trading.rules.groups import cancel_of, is_entry
from fondaco.domain.trading.rules.holds import BUY, hold_for, protected
from fondaco.domain.trading.rules.risk import judge
from fondaco.domain.trading.rules.trades import bared
from fondaco.domain.trading.rules.weighed import Ahead

UNKNOWN: Final = OrdStatus.UNKNOWN


def replace(
    state: AccountState, command: ReplaceOrder, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    order = state.working.get(command.number)
    if order is None:
        return (denied(state, command.number),)
    instrument = refs.instruments.get(order.symbol)
    new = _new_terms(state, order, command, instrument, refs)
    if isinstance(new, str):
        return (ChangeDenied(order.number, order.ord_status, new),)
    if new.lots <= order.cum_lots:
        return tuple(cancel_of(state, order, "requested", {}))
    text = bared(state, refs, order, (order.number,), new)
    if text:
        return (ChangeDenied(order.number, order.ord_status, text),)
    text = _too_much(state, order, new, refs, command)
    if text:
        return (ChangeDenied(order.number, order.ord_status, text),)
    if instrument is None:
        return (ChangeDenied(order.number, order.ord_status, "unknown_instrument"),)
    if order.at_venue:
        both = msgspec.structs.replace(order, pending_lots=new.lots, pending_px=new.px)
        hold = hold_for(both, instrument) if order.hold else 0
        return (
            ReplaceRequested(
                order.number, command.cl_ord_id, new.lots, new.px, hold, order.symbol, order.mic
            ),
        )
    hold = hold_for(new, instrument) if order.hold else 0
    return (
        OrderReplaced(
            order.number,
            command.cl_ord_id,
            new.lots,
            new.px,
            new.stop_px,
            hold,
            order.ord_status,
            new.hold_px,
        ),
    )


def _new_terms(
    state: AccountState,
    order: Order,
    command: ReplaceOrder,
    instrument: Instrument | None,
    refs: TradingRefs,
) -> Order | str:
    """The order as it would be, or why it cannot be."""
    if order.ord_status in (PENDING_CANCEL, PENDING_REPLACE, UNKNOWN):
        return "already_pending"
    if instrument is None:
        return "unknown_instrument"
    if state.numbers.get(command.cl_ord_id, order.number) != order.number:
        return "duplicate_order"
    text = _unsupported(order, command)
    if text:
        return text
    new = msgspec.structs.replace(order)
    text = _parse(new, command, instrument)
    if text:
        return text
    if command.stop_px and order.ord_type is not STOP_LIMIT:
        bps = limits_of(state, refs).market_protection_bps
        new.hold_px = protected(new.stop_px, order.side, bps)
    if command.stop_px and order.ref_px:
        new.ref_px = new.stop_px
    return new


def _parse(new: Order, command: ReplaceOrder, instrument: Instrument) -> str:
    """Reads what the command gives into `new`; "" or what is wrong with it."""
    if command.order_qty:
        lots = lots_in(command.order_qty, instrument)
        if not isinstance(lots, int):
            return f"{lots[0]}: {lots[1]}"
        if instrument.round_lots and lots % instrument.round_lots and new.mic != POOL_MIC:
            return "quantity_off_lot: what is no whole round lot is pooled: place another"
        new.lots = lots
    for text, what in ((command.price, "price"), (command.stop_px, "stop_px")):
        found = ticks_in(text, instrument, what) if text else 0
        if not isinstance(found, int):
            return f"{found[0]}: {found[1]}"
        if found and what == "price":
            new.px = new.hold_px = found
        elif found:
            new.stop_px = found
    return ""


def _unsupported(order: Order, command: ReplaceOrder) -> str:
    ord_type = order.ord_type
    if ord_type is MARKET or ord_type is TRAILING:
        return "unsupported_order: cancel it and place another"
    if command.price and ord_type is not LIMIT and ord_type is not STOP_LIMIT:
        return "unsupported_order: it has no price"
    if command.stop_px and (ord_type is LIMIT or order.at_venue):
        return "unsupported_order: it has no stop that waits"
    if order.group and (command.order_qty or (order.side is BUY and not is_entry(order))):
        return "unsupported_order: it shares its quantity and its hold"
    return ""


def _too_much(
    state: AccountState, order: Order, new: Order, refs: TradingRefs, command: ReplaceOrder
) -> str:
    """Why the account cannot carry what the new terms add; "" if it can, or if they add nothing."""
    found = _judged(state, order, new, refs, command)
    return f"{found.reason}: {found.text}" if isinstance(found, OrderRejected) else found


def measured(state: AccountState, command: ReplaceOrder, refs: TradingRefs) -> OrderRejected | None:
    """What a measuring rule said of terms that `replace` denies; None where none of them did."""
    order = state.working.get(command.number)
    if order is None:
        return None
    new = _new_terms(state, order, command, refs.instruments.get(order.symbol), refs)
    if isinstance(new, str) or new.lots <= order.cum_lots:
        return None
    found = _judged(state, order, new, refs, command)
    return found if isinstance(found, OrderRejected) else None


def _judged(
    state: AccountState, order: Order, new: Order, refs: TradingRefs, command: ReplaceOrder
) -> OrderRejected | str:
    allowed = strictest(state, refs, order.symbol)
    if allowed is HALTED:
        return "trading_halted"
    better = new.px > order.px or new.hold_px > order.hold_px
    if order.side is not BUY:
        better = new.px < order.px
    if new.lots <= order.lots and not better:
        return ""
    mark = refs.marks.get(order.symbol)
    if order.side is BUY and not order.ref_px:
        if allowed is not ACTIVE:
            return "reducing_only"
        if mark is None or mark.quality is not OK:
            return "market_quality"
    back = Ahead()
    back.give_back(order)
    # What has executed is paid for: the rules look at what is left, as at an order of that size.
    # The hold has to cover the old terms too, so the worse of each counts.
    worse = min if order.ref_px and order.side is not BUY else max
    left = msgspec.structs.replace(
        new,
        lots=max(new.lots, order.lots) - order.cum_lots,
        cum_lots=0,
        hold_px=worse(new.hold_px, order.hold_px),
    )
    ask = Ask(command.cl_ord_id, order.symbol, order.side, order.ord_type, order.time_in_force)
    covered = bool(order.group) and not order.hold
    verdict = judge(state, left, ask, refs, command.at, back, covered=covered)
    return verdict if isinstance(verdict, OrderRejected) else ""
