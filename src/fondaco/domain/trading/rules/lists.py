"""Orders placed: one, several as one, and those that close what the account has."""

from collections.abc import Iterator
from typing import Final

from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.domain.trading.events import (
    Ask,
    ClosePositions,
    NothingToDo,
    OrderAccepted,
    OrderCanceled,
    OrderRejected,
    PlaceOrder,
    PlaceOrders,
    TradingEvent,
)
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    ClOrdId,
    Contingency,
    Order,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    TradingRefs,
)
from fondaco.domain.trading.rules import groups
from fondaco.domain.trading.rules.entry import read, refuse
from fondaco.domain.trading.rules.groups import cancel_of
from fondaco.domain.trading.rules.holds import SELL
from fondaco.domain.trading.rules.margin import closings, reducible
from fondaco.domain.trading.rules.risk import judge
from fondaco.domain.trading.rules.weighed import Ahead
from fondaco.kernel.event import REQUEST_MARK, Instant
from fondaco.kernel.money import AssetCode

BRACKET: Final = Contingency.BRACKET
CASH: Final = "cash"  # the asset class that is no position


def place(state: AccountState, command: PlaceOrder, refs: TradingRefs) -> tuple[TradingEvent, ...]:
    ask, at = command.ask, command.at
    order = read(state, ask, refs, state.order_count + 1, at)
    if isinstance(order, OrderRejected):
        return (order,)
    return (judge(state, order, ask, refs, at),)


def place_all(
    state: AccountState, command: PlaceOrders, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """All are accepted, each beside those before it, or all are refused."""
    asks, contingency, at = command.asks, command.contingency, command.at
    if not asks:
        return (NothingToDo("a list without an order"),)
    first = state.order_count + 1
    orders: list[Order] = []
    seen: set[ClOrdId] = set()
    for number, ask in enumerate(asks, first):
        is_child = contingency is BRACKET and number > first
        order = read(state, ask, refs, number, at, is_child=is_child)
        if ask.cl_ord_id in seen and isinstance(order, Order):
            order = refuse(number, ask, (Reason.DUPLICATE_ORDER, "it is in this list twice"))
        if isinstance(order, OrderRejected):
            return _all_refused(first, asks, order)
        seen.add(ask.cl_ord_id)
        orders.append(order)
    covered = [False] * len(orders)
    if contingency is not None:
        text = groups.mismatch(orders, contingency)
        if text:
            wrong = refuse(first, asks[0], (Reason.UNSUPPORTED_ORDER, text))
            return _all_refused(first, asks, wrong)
        covered = groups.join(orders, contingency)
    return _judged(state, orders, asks, covered, refs, at)


def _judged(
    state: AccountState,
    orders: list[Order],
    asks: tuple[Ask, ...],
    covered: list[bool],
    refs: TradingRefs,
    at: Instant,
) -> tuple[TradingEvent, ...]:
    ahead, events = Ahead(), list[OrderAccepted]()
    ahead.beside = orders
    for order, ask, is_covered in zip(orders, asks, covered, strict=True):
        event = judge(state, order, ask, refs, at, ahead, covered=is_covered)
        if isinstance(event, OrderRejected):
            return _all_refused(orders[0].number, asks, event)
        ahead.add(order, event.notional)
        events.append(event)
    return tuple(events)


def _all_refused(
    first: int, asks: tuple[Ask, ...], offender: OrderRejected
) -> tuple[OrderRejected, ...]:
    """The one refusal for its own reason; the others because of it."""
    wrong = (Reason.LIST_REFUSED, f"{offender.cl_ord_id} of this list: {offender.reason}")
    return tuple(
        offender if number == offender.number else refuse(number, ask, wrong)
        for number, ask in enumerate(asks, first)
    )


def close(
    state: AccountState, command: ClosePositions, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """Cancels what works, then sells what is free, reduce-only at market; on margin, buys back what
    was sold short.

    What an order at a venue offers is not free before the venue has answered: closing again then
    sells it. A position is sold for the account's currency where there is such an instrument.
    """
    events: list[TradingEvent] = []
    asked: dict[int, bool] = {}
    ahead = Ahead()  # what is canceled at once is given back
    for order in state.working.values():
        if command.symbol is None or order.symbol == command.symbol:
            for event in cancel_of(state, order, "requested", asked):
                events.append(event)
                if type(event) is OrderCanceled:
                    ahead.give_back(state.working[event.number])
    key = command.command_id.partition(REQUEST_MARK)[0]
    number = state.order_count + 1
    for instrument, side, lots in _to_close(state, command, refs, ahead):
        if lots <= 0:
            continue
        symbol = instrument.symbol
        ask = Ask(
            ClOrdId(f"{key}.{symbol}"),
            symbol,
            side,
            OrdType.MARKET,
            TimeInForce.IOC,
            order_qty=instrument.qty_text(lots),
            reduce_only=True,
        )
        sold = read(state, ask, refs, number, command.at, is_child=True)
        events.append(
            sold
            if isinstance(sold, OrderRejected)
            else judge(state, sold, ask, refs, command.at, ahead)
        )
        number += 1
    return tuple(events) or (NothingToDo("there is no position to close"),)


def _to_close(
    state: AccountState, command: ClosePositions, refs: TradingRefs, ahead: Ahead
) -> Iterator[tuple[Instrument, Side, int]]:
    """Instrument, side and lots of the order that closes each position."""
    if state.account_type is not AccountType.MARGIN:
        for symbol in _to_sell(state, command, refs):
            instrument = refs.instruments[symbol]
            free = state.free(instrument.base) - ahead.held.get(instrument.base, 0)
            yield instrument, SELL, free // instrument.base_per_lot
        return
    for each in closings(state, refs):
        symbol = each.instrument.symbol
        if command.symbol is None or command.symbol == symbol:
            lots = reducible(state, refs, each.instrument, each.side)
            yield each.instrument, each.side, lots - ahead.lots(symbol, each.side)


def _to_sell(state: AccountState, command: ClosePositions, refs: TradingRefs) -> list[Symbol]:
    """One instrument for each position: that named, else the first by quote and name."""
    if command.symbol is not None:
        return [command.symbol] if command.symbol in refs.instruments else []
    chosen: dict[AssetCode, Symbol] = {}
    ranked = sorted(refs.instruments.values(), key=lambda i: (i.quote != refs.currency, i.symbol))
    for instrument in ranked:
        asset = refs.assets.get(instrument.base)
        if (asset is None or asset.asset_class != CASH) and state.balances.get(instrument.base):
            chosen.setdefault(instrument.base, instrument.symbol)
    return list(chosen.values())
