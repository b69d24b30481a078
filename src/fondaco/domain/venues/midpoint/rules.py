"""The laws of the dark book. Pure: no clock, no randomness, no I/O, no await.

Orders of this house meet each other at the middle of the lit book of their instrument, while that
is fit to be believed; else they wait. Nothing of them is shown before they execute. An account does
not meet itself: its orders pass each other by.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import OrdStatus, TimeInForce
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    NothingMatched,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.domain.venues.midpoint.events import MatchMidpoint, MidpointCommand, MidpointEvent
from fondaco.domain.venues.midpoint.meeting import Meeting
from fondaco.domain.venues.midpoint.model import (
    RESTING_MAX,
    Hidden,
    MidpointState,
    twice_middle,
)
from fondaco.domain.venues.model import VenueRefs, symbol_of
from fondaco.kernel.decider import Decider
from fondaco.kernel.event import StreamId

_FOK: Final = TimeInForce.FOK
_AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.FOK)


def initial(stream: StreamId) -> MidpointState:
    """A book on which nothing rests."""
    return MidpointState(symbol=symbol_of(stream))


def decide(
    state: MidpointState, command: MidpointCommand, refs: VenueRefs
) -> tuple[MidpointEvent, ...]:
    """What happens if this is asked now. Never changes the state; never raises for a refusal."""
    return _DECIDE[type(command)](state, command, refs)


def evolve(state: MidpointState, event: MidpointEvent) -> MidpointState:
    """The book after this event. The state is its owner's alone, so it is changed in place."""
    _EVOLVE[type(event)](state, event)
    return state


# --- Entering -----------------------------------------------------------------------------------


def _enter(state: MidpointState, ask: EnterOrder, refs: VenueRefs) -> tuple[MidpointEvent, ...]:
    leaves, at_once = ask.lots - ask.cum_lots, ask.is_market or ask.time_in_force in _AT_ONCE
    twice = twice_middle(refs.book)
    wrong = _barred(state, ask, leaves, at_once=at_once)
    if wrong:
        return (OrderEnded(ask.account_stream, ask.number, OrdStatus.REJECTED, wrong),)
    came = Hidden(
        ask.account_stream,
        ask.number,
        ask.side,
        ask.px,
        ask.lots,
        leaves,
        ask.min_lots,
        ask.exec_number,
        state.booked + 1,
    )
    fills = _meet(state, twice, came)
    mine = fills.pop(came.place, [])
    left = leaves - sum(fill.lots for fill in mine)
    if mine and ask.post_only:
        return (OrderEnded(ask.account_stream, ask.number, OrdStatus.REJECTED, "would_take"),)
    if left and ask.time_in_force is _FOK:
        text = "not_at_once" if mine else "no_liquidity"
        return (OrderEnded(ask.account_stream, ask.number, OrdStatus.EXPIRED, text),)
    events: list[MidpointEvent] = []
    if mine:
        events.append(_executed(state, came, mine, is_maker=False))
    events += [_executed(state, state.orders[place], each) for place, each in fills.items()]
    if left and at_once:
        text = "no_liquidity" if twice else "no_reference"
        events.append(OrderEnded(ask.account_stream, ask.number, OrdStatus.EXPIRED, text))
    elif left:
        events.append(_booked(ask, left, ask.exec_number + bool(mine)))
    return tuple(events)


def _barred(state: MidpointState, ask: EnterOrder, leaves: int, *, at_once: bool) -> str:
    """Why no order may come in now; "" if it may."""
    if leaves <= 0:
        return "nothing_left"
    if ask.cash_qty or not ask.px:
        return "unsupported"
    return "book_full" if not at_once and len(state.orders) >= RESTING_MAX else ""


def _booked(ask: EnterOrder, leaves: int, exec_number: int) -> OrderBooked:
    return OrderBooked(
        ask.account_stream,
        ask.number,
        ask.side,
        ask.px,
        ask.lots,
        leaves,
        0,
        0,
        exec_number,
        ask.post_only,
        min_lots=ask.min_lots,
    )


def _meet(state: MidpointState, twice: int, came: Hidden) -> dict[int, list[Fill]]:
    """What a newcomer, or an order under new terms, has and lets others have; by place."""
    if not twice:
        return {}
    others = [
        order
        for order in state.orders.values()
        if (order.account_stream, order.number) != (came.account_stream, came.number)
    ]
    meeting = Meeting(sorted([*others, came], key=_place), twice)
    meeting.let([came.place])
    return meeting.fills


def _place(order: Hidden) -> int:
    return order.place


def _executed(
    state: MidpointState, order: Hidden, fills: list[Fill], *, is_maker: bool = True
) -> OrderExecuted:
    return OrderExecuted(
        order.account_stream,
        order.number,
        order.exec_number + 1,
        state.symbol,
        order.side,
        tuple(fills),
        is_maker=is_maker,
        leaves_lots=order.leaves_lots - sum(fill.lots for fill in fills),
    )


# --- Changing -----------------------------------------------------------------------------------


def _cancel(state: MidpointState, ask: CancelAtVenue, _: VenueRefs) -> tuple[MidpointEvent, ...]:
    if state.find(ask.account_stream, ask.number) is None:
        return (ChangeDenied(ask.account_stream, ask.number, "too_late"),)
    status = OrdStatus.EXPIRED if ask.reason == "expired" else OrdStatus.CANCELED
    return (OrderEnded(ask.account_stream, ask.number, status, ask.reason),)


def _replace(
    state: MidpointState, ask: ReplaceAtVenue, refs: VenueRefs
) -> tuple[MidpointEvent, ...]:
    """New terms. Only less of it, at its limit, keeps the place; less may be all that it wants."""
    account_stream, number = ask.account_stream, ask.number
    order = state.find(account_stream, number)
    leaves = 0 if order is None else ask.lots - (order.lots - order.leaves_lots)
    if order is None or leaves <= 0:
        return (ChangeDenied(account_stream, number, "too_late"),)
    keeps_place = ask.px == order.px and leaves <= order.leaves_lots
    changed = msgspec.structs.replace(
        order,
        px=ask.px,
        lots=ask.lots,
        leaves_lots=leaves,
        place=order.place if keeps_place else state.booked + 1,
    )
    fills = _meet(state, twice_middle(refs.book), changed)
    mine = fills.pop(changed.place, [])
    events: list[MidpointEvent] = [
        OrderReplaced(account_stream, number, ask.lots, ask.px, leaves, 0, keeps_place)
    ]
    if mine:
        events.append(_executed(state, changed, mine, is_maker=keeps_place))
    events += [_executed(state, state.orders[place], each) for place, each in fills.items()]
    return tuple(events)


# --- The lit book moves -------------------------------------------------------------------------


def _match(state: MidpointState, told: MatchMidpoint, refs: VenueRefs) -> tuple[MidpointEvent, ...]:
    """Everybody as if they came now, in the order in which they did."""
    twice = twice_middle(refs.book)
    if not twice:
        return (NothingMatched(told.twice // 2),)
    meeting = Meeting(state.orders.values(), twice)
    meeting.let(state.orders)
    return tuple(
        _executed(state, state.orders[place], fills) for place, fills in meeting.fills.items()
    ) or (NothingMatched(twice // 2),)


# --- What is true afterwards --------------------------------------------------------------------


def _on_booked(state: MidpointState, event: OrderBooked) -> None:
    _put(
        state,
        Hidden(
            event.account_stream,
            event.number,
            event.side,
            event.px,
            event.lots,
            event.leaves_lots,
            event.min_lots,
            event.exec_number,
            0,
        ),
    )


def _put(state: MidpointState, order: Hidden) -> None:
    """At the back."""
    state.booked += 1
    order.place = state.booked
    state.orders[order.place] = order
    state.places.setdefault(order.account_stream, {})[order.number] = order.place


def _remove(state: MidpointState, order: Hidden) -> None:
    del state.orders[order.place]
    places = state.places[order.account_stream]
    del places[order.number]
    if not places:
        del state.places[order.account_stream]


def _on_executed(state: MidpointState, event: OrderExecuted) -> None:
    order = state.find(event.account_stream, event.number)
    if order is None:
        return  # a newcomer, which rests only with what is left
    order.exec_number, order.leaves_lots = event.exec_number, event.leaves_lots
    if not event.leaves_lots:
        _remove(state, order)


def _on_ended(state: MidpointState, event: OrderEnded) -> None:
    order = state.find(event.account_stream, event.number)
    if order is not None:
        _remove(state, order)


def _on_replaced(state: MidpointState, event: OrderReplaced) -> None:
    order = state.find(event.account_stream, event.number)
    if order is None:
        return
    order.lots, order.px, order.leaves_lots = event.lots, event.px, event.leaves_lots
    if not event.keeps_place:
        _remove(state, order)
        _put(state, order)


def _on_nothing(state: MidpointState, event: ChangeDenied | NothingMatched) -> None:
    """The trace that a command left; the book is as it was."""


_DECIDE: Final[dict[type, Callable[[MidpointState, Any, VenueRefs], tuple[MidpointEvent, ...]]]] = {
    EnterOrder: _enter,
    CancelAtVenue: _cancel,
    ReplaceAtVenue: _replace,
    MatchMidpoint: _match,
}
_EVOLVE: Final[dict[type, Callable[[MidpointState, Any], None]]] = {
    OrderBooked: _on_booked,
    OrderExecuted: _on_executed,
    OrderEnded: _on_ended,
    OrderReplaced: _on_replaced,
    ChangeDenied: _on_nothing,
    NothingMatched: _on_nothing,
}

decider: Final = Decider(initial, decide, evolve, MidpointState)
