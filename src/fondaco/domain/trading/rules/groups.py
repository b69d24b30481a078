"""Orders that belong together. Their numbers follow one another, and the first names the group.

An OCO is two orders of one symbol, side and quantity. One hold covers both: it lies on the leg at
the venue, or on the first, and is worked out at the worse of the two prices. When a leg executes,
the other is made smaller by as much while it waits at the account; at a venue it cannot be, so it
loses its quantity and is asked to be canceled. When a stop is triggered it takes the hold, and the
other leg goes likewise. What a leg executes after that is booked and said to be over.

A bracket is a buy, then a take-profit limit and a stop-loss, both to sell; on margin, where what is
not there can be sold, also a sale and two purchases. These two are suspended until the first
executes. The stop-loss guards whatever has executed so far; the take-profit goes to its venue once,
when the entry is done, for all of it, and from then on the two are an OCO. A stop-loss that
triggers ends the entry.

Canceling a leg of an OCO, or one of the two children, cancels both. When a venue ends a leg that
nobody asked it to, the other stays and takes over the hold.
"""

from typing import Final

import msgspec

from fondaco.domain.reference.model import Instrument
from fondaco.domain.trading.events import (
    CancelRequested,
    OrderCanceled,
    OrderExpired,
    OrderReleased,
    OrderReplaced,
    TradingEvent,
)
from fondaco.domain.trading.model import (
    AccountState,
    Contingency,
    Order,
    OrdStatus,
    OrdType,
    TradingRefs,
)
from fondaco.domain.trading.rules.holds import BUY, SELL, hold_for, margin_hold

OCO: Final = Contingency.OCO
BRACKET: Final = Contingency.BRACKET
SUSPENDED: Final = OrdStatus.SUSPENDED
PENDING_CANCEL: Final = OrdStatus.PENDING_CANCEL
# Ledger units that an OCO to buy holds beyond the worse of its two costs: a leg that takes over
# from one that has executed in part rounds anew, its cost and its fees. It does so once.
SPARE: Final = 2
_STOPS: Final = frozenset({OrdType.STOP, OrdType.STOP_LIMIT, OrdType.TRAILING_STOP})


def mismatch(orders: list[Order], contingency: Contingency) -> str:
    """Why `orders`, sound by themselves, do not make such a group; "" if they do."""
    if len({order.symbol for order in orders}) != 1:
        return "the orders of a group are for one symbol"
    if any(order.cash_qty or order.display_lots for order in orders):
        return "the orders of a group are by quantity, and all of it is displayed"
    if len({order.lots for order in orders}) != 1:
        return "the orders of a group are for one quantity"
    if contingency is OCO:
        if len(orders) != 2 or orders[0].side is not orders[1].side:
            return "an OCO is two orders of the same side"
        if any(order.ord_type is OrdType.MARKET for order in orders):
            return "a market order does not wait for another"
        return ""
    return _bracket_mismatch(orders)


def _bracket_mismatch(orders: list[Order]) -> str:
    sides = [order.side for order in orders]
    if sides != [BUY, SELL, SELL] and not (sides == [SELL, BUY, BUY] and orders[0].ref_px):
        return "a bracket is a buy and two sells, or on margin a sell and two buys"
    entry, target, stop = orders
    if target.ord_type is not OrdType.LIMIT or stop.ord_type not in _STOPS:
        return "a bracket is an entry, a take-profit limit and a stop-loss"
    if entry.side is BUY and target.px <= stop.stop_px:
        return "the take-profit must be above the stop-loss"
    if entry.side is SELL and target.px >= stop.stop_px:
        return "the take-profit of a sale must be below the stop-loss"
    return ""


def join(orders: list[Order], contingency: Contingency) -> list[bool]:
    """Makes `orders` a group. Says of each whether another one holds what it needs."""
    for order in orders:
        order.group, order.contingency = orders[0].number, contingency
    if contingency is OCO:
        first, second = orders
        carrier = second if second.at_venue and not first.at_venue else first
        if first.ref_px:  # on margin: the worse of what the two may lose
            sign = 1 if first.side is BUY else -1
            lost = max(sign * (leg.hold_px - leg.ref_px) for leg in orders)
            carrier.hold_px = max(carrier.ref_px + sign * lost, 1)
        else:
            carrier.hold_px = max(first.hold_px, second.hold_px)
        if first.side is BUY:
            first.spare = second.spare = SPARE
        return [carrier is not first, carrier is not second]
    for child in orders[1:]:
        child.at_venue = False
        child.ord_status = SUSPENDED
    return [False, True, True]


def sibling(state: AccountState, order: Order) -> Order | None:
    """The other leg of an OCO, or the other child of a bracket, while it works."""
    if order.contingency is OCO:
        number = 2 * order.group + 1 - order.number
    elif order.number == order.group:
        return None
    else:
        number = 2 * order.group + 3 - order.number
    found = state.working.get(number)
    return found if found is not None and found.group == order.group else None


def children(state: AccountState, entry: Order) -> tuple[Order | None, Order | None]:
    """Take-profit and stop-loss of a bracket's entry, while they work."""
    working, group = state.working, entry.group
    return working.get(group + 1), working.get(group + 2)


def is_entry(order: Order) -> bool:
    return order.contingency is BRACKET and order.number == order.group


def cancel_of(
    state: AccountState, order: Order, reason: str, asked: dict[int, bool]
) -> list[TradingEvent]:
    """Cancels `order`, and what goes with it; `asked` remembers who was within this turn."""
    together = [order]
    if order.group:
        if is_entry(order):
            if not order.at_venue:
                together += [c for c in children(state, order) if c is not None]
        else:
            other = sibling(state, order)
            if other is not None:
                together.append(other)
    events: list[TradingEvent] = []
    for one in together:
        if one.number in asked or one.ord_status is PENDING_CANCEL:
            continue
        asked[one.number] = True
        if one.at_venue:
            events.append(CancelRequested(one.number, reason, one.symbol, one.mic))
        elif reason == "expired":
            events.append(OrderExpired(one.number, one.cum_lots))
        else:
            events.append(OrderCanceled(one.number, reason, one.cum_lots))
    return events


def after_execution(
    state: AccountState, order: Order, cum_lots: int, refs: TradingRefs
) -> list[TradingEvent]:
    """What follows when `order` has executed up to `cum_lots`."""
    if is_entry(order):
        instrument = refs.instruments.get(order.symbol)
        return released(state, order, cum_lots, instrument, is_done=cum_lots >= order.lots)
    other = sibling(state, order)
    if other is None:
        return []
    if other.at_venue:
        return leave_venue(other)
    left = other.lots - min(cum_lots, order.lots) + order.cum_lots
    if left <= other.cum_lots:
        return [OrderCanceled(other.number, "oco", other.cum_lots)]
    return [restated(other, left, 0)]


def leave_venue(order: Order, reason: str = "oco") -> list[TradingEvent]:
    """An order at a venue gives up what is left of its quantity, its hold, and then itself."""
    events: list[TradingEvent] = []
    if order.lots > order.cum_lots:
        events.append(restated(order, order.cum_lots, 0))
    if order.ord_status is not PENDING_CANCEL:
        events.append(CancelRequested(order.number, reason, order.symbol, order.mic))
    return events


def restated(order: Order, lots: int, hold: int) -> OrderReplaced:
    return OrderReplaced(
        order.number,
        order.cl_ord_id,
        lots,
        order.px,
        order.stop_px,
        hold,
        order.ord_status,
        order.hold_px,
        order.spare,
    )


def released(
    state: AccountState,
    entry: Order,
    cum_lots: int,
    instrument: Instrument | None,
    *,
    is_done: bool,
) -> list[TradingEvent]:
    """The children of a bracket, now that `cum_lots` of its entry have executed."""
    target, stop = children(state, entry)
    events: list[TradingEvent] = []
    if not cum_lots:
        if is_done:
            events += [
                OrderCanceled(child.number, "bracket", child.cum_lots)
                for child in (target, stop)
                if child is not None
            ]
        return events
    if stop is not None and not stop.at_venue:
        hold = 0 if is_done and target is not None else _guarding(stop, cum_lots, instrument)
        events.append(_release(stop, cum_lots, hold, at_venue=False))
    if is_done and target is not None and target.ord_status is SUSPENDED:
        hold = _guarding(target, cum_lots, instrument)
        events.append(_release(target, cum_lots, hold, at_venue=True))
    return events


def _guarding(child: Order, lots: int, instrument: Instrument | None) -> int:
    """What a child holds once it works for `lots`: those, or on margin what they may lose."""
    if child.ref_px and instrument is not None:
        return margin_hold(child, instrument, lots)
    return lots * child.base_per_lot


def _release(child: Order, lots: int, hold: int, *, at_venue: bool) -> OrderReleased:
    works = msgspec.structs.replace(
        child, lots=lots, hold=hold, at_venue=at_venue, ord_status=OrdStatus.NEW
    )
    return OrderReleased(child.number, lots, hold, works)


def after_trigger(state: AccountState, order: Order) -> list[TradingEvent]:
    """A stop goes to its venue with the hold of its group: what else is in it goes."""
    if not order.group or is_entry(order):
        return []
    events: list[TradingEvent] = []
    other = sibling(state, order)
    if other is not None:
        if other.at_venue:
            events += leave_venue(other)
        else:
            events.append(OrderCanceled(other.number, "oco", other.cum_lots))
    entry = state.working.get(order.group) if order.contingency is BRACKET else None
    if entry is not None and entry.at_venue and entry.ord_status is not PENDING_CANCEL:
        events.append(CancelRequested(entry.number, "bracket", entry.symbol, entry.mic))
    return events


def after_end(
    state: AccountState, order: Order, instrument: Instrument | None
) -> list[TradingEvent]:
    """What follows when `order` ends before it was filled, and nobody in its group asked for it."""
    if is_entry(order):
        return released(state, order, order.cum_lots, instrument, is_done=True)
    other = sibling(state, order) if order.group else None
    if (
        other is None
        or instrument is None
        or other.hold
        or other.ord_status is SUSPENDED
        or other.lots <= other.cum_lots
        or order.lots <= order.cum_lots
    ):
        return []
    heir = msgspec.structs.replace(other, spare=0)
    return [restated(heir, heir.lots, hold_for(heir, instrument))]
