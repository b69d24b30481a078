"""The laws of the paper venue. Pure: no clock, no randomness, no I/O, no await.

Takers have what the market displays, each level once until the market writes it again. Makers rest
behind what the market displays at their price, and execute when the follower says that the market
has come to them. Orders of this house never meet each other.
"""

from collections.abc import Callable
from typing import Any, Final

from fondaco.domain.market.model import Quality
from fondaco.domain.trading.events import CASH_SPENT, Fill
from fondaco.domain.trading.model import OrdStatus, Side, TimeInForce
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    MatchResting,
    NothingMatched,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
    VenueCommand,
    VenueEvent,
)
from fondaco.domain.venues.model import (
    USED_LEVELS_MAX,
    Depth,
    Resting,
    Used,
    VenueRefs,
    VenueState,
    symbol_of,
)
from fondaco.kernel.decider import Decider
from fondaco.kernel.event import StreamId

_BUY: Final = Side.BUY
_OK: Final = Quality.OK
_IOC: Final = TimeInForce.IOC
_FOK: Final = TimeInForce.FOK
_LEVELS_FIRST: Final = 8  # enough for nearly every taker; the next look is eight times as deep
_LEVELS_MOST: Final = 4_096


def initial(stream: StreamId) -> VenueState:
    """A book on which nothing rests."""
    return VenueState(symbol=symbol_of(stream))


def decide(state: VenueState, command: VenueCommand, refs: VenueRefs) -> tuple[VenueEvent, ...]:
    """What happens if this is asked now. Never changes the state; never raises for a refusal."""
    return _DECIDE[type(command)](state, command, refs)


def evolve(state: VenueState, event: VenueEvent) -> VenueState:
    """The book after this event. The state is its owner's alone, so it is changed in place."""
    _EVOLVE[type(event)](state, event)
    return state


# --- Entering -----------------------------------------------------------------------------------


def _enter(state: VenueState, ask: EnterOrder, refs: VenueRefs) -> tuple[VenueEvent, ...]:
    leaves, book = ask.lots - ask.cum_lots, refs.book
    if leaves <= 0:
        return (OrderEnded(ask.account_stream, ask.number, OrdStatus.REJECTED, "nothing_left"),)
    px, side = ask.px, ask.side
    if book is not None and _reaches(book, side, px):
        return _take(state, ask, book, leaves)
    if ask.is_market or ask.time_in_force is _IOC or ask.time_in_force is _FOK:
        return (OrderEnded(ask.account_stream, ask.number, OrdStatus.EXPIRED, "no_liquidity"),)
    return (_booked(ask, leaves, _queue(book, side, px), ask.exec_number),)


def _reaches(book: Depth, side: Side, px: int) -> bool:
    """Whether an order at `px` (0: at any price) takes from what the market displays."""
    if side is _BUY:
        best = book.asks(1)
        reaches = bool(best) and (not px or best[0][0] <= px)
    else:
        best = book.bids(1)
        reaches = bool(best) and best[0][0] >= px
    return reaches and book.quality is _OK


def _queue(book: Depth | None, side: Side, px: int) -> int:
    return 0 if book is None else book.qty("bid" if side is _BUY else "ask", px)


def _booked(ask: EnterOrder, leaves: int, queue_ahead: int, exec_number: int) -> OrderBooked:
    return OrderBooked(
        ask.account_stream,
        ask.number,
        ask.side,
        ask.px,
        ask.lots,
        leaves,
        ask.display_lots,
        queue_ahead,
        exec_number,
        ask.post_only,
    )


def _take(state: VenueState, ask: EnterOrder, book: Depth, leaves: int) -> tuple[VenueEvent, ...]:
    """An order that the market can meet at once."""
    account_stream, number, tif = ask.account_stream, ask.number, ask.time_in_force
    if ask.post_only:
        return (OrderEnded(account_stream, number, OrdStatus.REJECTED, "would_take"),)
    used = state.asks if ask.side is _BUY else state.bids
    taken = Taken(book, ask.side, used, cash=ask.cash_qty)
    fills = taken.upto(ask.px, leaves)
    left = leaves - sum(fill.lots for fill in fills)
    events: list[VenueEvent] = []
    if tif is _FOK and left and not taken.is_spent:
        return (OrderEnded(account_stream, number, OrdStatus.EXPIRED, "not_at_once"),)
    exec_number = ask.exec_number
    if fills:
        exec_number += 1
        events.append(
            OrderExecuted(
                account_stream,
                number,
                exec_number,
                ask.symbol,
                ask.side,
                fills,
                is_maker=False,
                leaves_lots=left,
            )
        )
    if left and (ask.is_market or ask.cash_qty or tif is _IOC or tif is _FOK):
        text = CASH_SPENT if taken.is_spent else "no_liquidity"
        events.append(OrderEnded(account_stream, number, OrdStatus.EXPIRED, text))
    elif left:
        queue = _queue(book, ask.side, ask.px)
        events.append(_booked(ask, left, queue, exec_number))
    return tuple(events)


class Taken:
    """What one turn takes from one side of the market, on top of what was used before it."""

    __slots__ = ("_book", "_cash", "_has_cap", "_lots", "_side", "_used", "is_spent")

    def __init__(self, book: Depth, side: Side, used: dict[int, Used], *, cash: int = 0) -> None:
        self._book = book
        self._side = side  # of who takes
        self._used = used
        self._cash = cash
        self._has_cap = cash > 0
        self._lots: dict[int, int] = {}  # taken in this turn, by price
        self.is_spent = False  # the cash does not buy one more lot at the next level

    def upto(self, px: int, lots: int) -> tuple[Fill, ...]:
        """Take up to `lots` at `px` or better; 0 is any price. The fills are at levels' prices."""
        fills: list[Fill] = []
        begin, limit = 0, _LEVELS_FIRST
        while True:
            levels = self._book.asks(limit) if self._side is _BUY else self._book.bids(limit)
            for level_px, displayed in levels[begin:]:
                if not lots or (px and (level_px > px if self._side is _BUY else level_px < px)):
                    return tuple(fills)
                fill = self._at(level_px, displayed, lots)
                if fill is not None:
                    fills.append(fill)
                    lots -= fill.lots
                if self.is_spent:
                    return tuple(fills)
            if len(levels) < limit or limit >= _LEVELS_MOST:
                return tuple(fills)
            begin, limit = limit, limit * 8

    def _at(self, px: int, displayed: int, lots: int) -> Fill | None:
        version = self._book.level_version("ask" if self._side is _BUY else "bid", px)
        free = displayed - self._lots.get(px, 0)
        used = self._used.get(px)
        if used is not None and used.version == version:
            free -= used.lots
        if free <= 0:
            return None
        lots = min(lots, free)
        if self._has_cap:
            instrument = self._book.instrument
            affordable = self._cash * instrument.cost_den // (px * instrument.cost_num)
            if affordable < lots:
                self.is_spent = True
                lots = affordable
            if not lots:
                return None
            self._cash -= instrument.cost_up(px, lots)
        self._lots[px] = self._lots.get(px, 0) + lots
        return Fill(px, lots, version)


# --- Changing -----------------------------------------------------------------------------------


def _cancel(state: VenueState, ask: CancelAtVenue, _: VenueRefs) -> tuple[VenueEvent, ...]:
    if state.find(ask.account_stream, ask.number) is None:
        return (ChangeDenied(ask.account_stream, ask.number, "too_late"),)
    status = OrdStatus.EXPIRED if ask.reason == "expired" else OrdStatus.CANCELED
    return (OrderEnded(ask.account_stream, ask.number, status, ask.reason),)


def _replace(state: VenueState, ask: ReplaceAtVenue, refs: VenueRefs) -> tuple[VenueEvent, ...]:
    """New terms. Where the market can meet them at once, the order takes."""
    account_stream, number = ask.account_stream, ask.number
    order, book = state.find(account_stream, number), refs.book
    if order is None or ask.lots <= order.cum_lots:
        return (ChangeDenied(account_stream, number, "too_late"),)
    leaves = ask.lots - order.cum_lots
    if ask.px == order.px and leaves <= order.leaves_lots:
        queue_ahead = order.queue_ahead
        return (OrderReplaced(account_stream, number, ask.lots, ask.px, leaves, queue_ahead, True),)
    takes = book is not None and _reaches(book, order.side, ask.px)
    if takes and order.post_only:
        return (ChangeDenied(account_stream, number, "would_take"),)
    queue = _queue(book, order.side, ask.px)
    replaced = OrderReplaced(account_stream, number, ask.lots, ask.px, leaves, queue, False)
    if book is None or not takes:
        return (replaced,)
    used = state.asks if order.side is _BUY else state.bids
    fills = Taken(book, order.side, used).upto(ask.px, leaves)
    if not fills:
        return (replaced,)
    left = leaves - sum(fill.lots for fill in fills)
    executed = OrderExecuted(
        account_stream,
        number,
        order.exec_number + 1,
        book.instrument.symbol,
        order.side,
        fills,
        is_maker=False,
        leaves_lots=left,
    )
    return (replaced, executed)


# --- The market comes to what rests -------------------------------------------------------------


def _match(state: VenueState, told: MatchResting, refs: VenueRefs) -> tuple[VenueEvent, ...]:
    """Each order that is still there executes at its own price, at most as much as is left."""
    taking: dict[Side, Taken] = {}
    if told.is_crossed:
        book = refs.book
        if book is None or book.quality is not _OK:
            return (NothingMatched(told.px),)
        taking = {
            Side.BUY: Taken(book, Side.BUY, state.asks),
            Side.SELL: Taken(book, Side.SELL, state.bids),
        }
    events: list[VenueEvent] = []
    matched: set[tuple[StreamId, int]] = set()
    for account_stream, number, asked_lots in [
        (each.account_stream, each.number, each.lots) for each in told.matches
    ]:
        order = state.find(account_stream, number)
        if order is None or (account_stream, number) in matched:
            continue
        if told.px > order.px if order.side is _BUY else told.px < order.px:
            continue  # It was replaced away from the market meanwhile.
        lots = min(order.leaves_lots, asked_lots)
        took: tuple[Fill, ...] = ()
        if told.is_crossed:
            took = taking[order.side].upto(order.px, lots)
            lots = sum(fill.lots for fill in took)
        if lots <= 0:
            continue
        matched.add((account_stream, number))
        events.append(
            OrderExecuted(
                account_stream,
                number,
                order.exec_number + 1,
                state.symbol,
                order.side,
                (Fill(order.px, lots),),
                is_maker=True,
                leaves_lots=order.leaves_lots - lots,
                took=took,
            )
        )
    return tuple(events) or (NothingMatched(told.px),)


# --- What is true afterwards --------------------------------------------------------------------


def _on_booked(state: VenueState, event: OrderBooked) -> None:
    state.booked += 1
    order = Resting(
        event.side,
        event.px,
        event.lots,
        event.leaves_lots,
        event.display_lots,
        event.queue_ahead,
        event.exec_number,
        state.booked,
        event.post_only,
    )
    orders = state.orders.get(event.account_stream)
    if orders is None:
        orders = state.orders[event.account_stream] = {}
    orders[event.number] = order


def _on_executed(state: VenueState, event: OrderExecuted) -> None:
    fills = event.took or (() if event.is_maker else event.fills)
    if fills:
        levels = state.asks if event.side is _BUY else state.bids
        for fill in fills:
            used = levels.pop(fill.px, None)  # so that it comes last: the oldest goes first
            before = used.lots if used is not None and used.version == fill.level else 0
            levels[fill.px] = Used(fill.level, before + fill.lots)
        while len(levels) > USED_LEVELS_MAX:
            del levels[next(iter(levels))]
    order = state.find(event.account_stream, event.number)
    if order is None:
        return
    order.exec_number = event.exec_number
    order.leaves_lots = event.leaves_lots
    if not event.leaves_lots:
        _remove(state, event.account_stream, event.number)


def _on_ended(state: VenueState, event: OrderEnded) -> None:
    _remove(state, event.account_stream, event.number)


def _on_replaced(state: VenueState, event: OrderReplaced) -> None:
    order = state.find(event.account_stream, event.number)
    if order is None:
        return
    order.lots = event.lots
    order.px = event.px
    order.leaves_lots = event.leaves_lots
    if not event.keeps_place:
        state.booked += 1
        order.place = state.booked
        order.queue_ahead = event.queue_ahead


def _on_nothing(state: VenueState, event: ChangeDenied | NothingMatched) -> None:
    """The trace that a command left; the book is as it was."""


def _remove(state: VenueState, account_stream: StreamId, number: int) -> None:
    orders = state.orders.get(account_stream)
    if orders is not None and orders.pop(number, None) is not None and not orders:
        del state.orders[account_stream]


_DECIDE: Final[dict[type, Callable[[VenueState, Any, VenueRefs], tuple[VenueEvent, ...]]]] = {
    EnterOrder: _enter,
    CancelAtVenue: _cancel,
    ReplaceAtVenue: _replace,
    MatchResting: _match,
}
_EVOLVE: Final[dict[type, Callable[[VenueState, Any], None]]] = {
    OrderBooked: _on_booked,
    OrderExecuted: _on_executed,
    OrderEnded: _on_ended,
    OrderReplaced: _on_replaced,
    ChangeDenied: _on_nothing,
    NothingMatched: _on_nothing,
}

decider: Final = Decider(initial, decide, evolve, VenueState)
