"""What the venues do when an account has spoken, and what accounts hear of it. Pure: an entry in,
messages out. Ids come from the entry, so a redelivery asks for the same thing again."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from fondaco.domain.trading.events import (
    CancelRequested,
    OrderAccepted,
    OrderReleased,
    OrderTriggered,
    RecordBust,
    RecordDenial,
    RecordEnd,
    RecordExecution,
    RecordReplaced,
    RecordSilence,
    RecordStanding,
    ReplaceRequested,
)
from fondaco.domain.trading.model import Order, OrdType
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.domain.venues.model import venue_stream
from fondaco.domain.venues.routed.events import ExecutionBusted, OrderHeard, OrderSilent
from fondaco.kernel.event import Command, Entry, Event, Instant, StreamId, message_id

_Message: TypeAlias = tuple[StreamId, Command]
_Messages: TypeAlias = tuple[_Message, ...]

# What goes to the venue without a limit that it could rest at.
_MARKET: Final = frozenset({OrdType.MARKET, OrdType.STOP, OrdType.TRAILING_STOP})


def route(entry: Entry, at: Instant) -> Iterable[_Message]:
    """What an account has accepted, triggered, released or wants changed goes to its venue."""
    make = _ROUTES.get(type(entry.event))
    return () if make is None else make(entry, entry.event, at)


def report(entry: Entry, at: Instant) -> Iterable[_Message]:
    """What a venue did goes to the account whose order it was."""
    make = _REPORTS.get(type(entry.event))
    return () if make is None else make(entry, entry.event, at)


def _enter(entry: Entry, order: Order, px: int, at: Instant) -> _Messages:
    command = EnterOrder(
        message_id(entry.stream, entry.version),
        at,
        entry.stream,
        order.number,
        order.symbol,
        order.side,
        px,
        order.lots,
        order.time_in_force,
        order.ord_type in _MARKET,
        order.display_lots,
        order.post_only,
        order.cash_qty,
        order.cum_lots,
        order.last_exec,
        order.self_match,
        order.min_lots,
    )
    return ((venue_stream(order.symbol, order.mic), command),)


def _accepted(entry: Entry, event: OrderAccepted, at: Instant) -> _Messages:
    return _enter(entry, event.order, event.order.px, at) if event.order.at_venue else ()


def _triggered(entry: Entry, event: OrderTriggered, at: Instant) -> _Messages:
    return _enter(entry, event.order, event.px, at)


def _released(entry: Entry, event: OrderReleased, at: Instant) -> _Messages:
    order = event.order
    return _enter(entry, order, order.px, at) if order.at_venue else ()


def _cancel(entry: Entry, event: CancelRequested, at: Instant) -> _Messages:
    cause = message_id(entry.stream, entry.version)
    command = CancelAtVenue(cause, at, entry.stream, event.number, event.reason)
    return ((venue_stream(event.symbol, event.mic), command),)


def _replace(entry: Entry, event: ReplaceRequested, at: Instant) -> _Messages:
    cause = message_id(entry.stream, entry.version)
    command = ReplaceAtVenue(cause, at, entry.stream, event.number, event.lots, event.px)
    return ((venue_stream(event.symbol, event.mic), command),)


def _executed(entry: Entry, event: OrderExecuted, at: Instant) -> _Messages:
    command = RecordExecution(
        message_id(entry.stream, entry.version),
        at,
        event.number,
        event.symbol,
        event.side,
        event.exec_number,
        event.fills,
        event.is_maker,
    )
    return ((event.account_stream, command),)


def _busted(entry: Entry, event: ExecutionBusted, at: Instant) -> _Messages:
    command = RecordBust(
        message_id(entry.stream, entry.version),
        at,
        event.number,
        event.symbol,
        event.side,
        event.exec_number,
        event.ref_number,
        event.fill,
        event.is_maker,
        event.text,
    )
    return ((event.account_stream, command),)


def _ended(entry: Entry, event: OrderEnded, at: Instant) -> _Messages:
    cause = message_id(entry.stream, entry.version)
    command = RecordEnd(cause, at, event.number, event.ord_status, event.text)
    return ((event.account_stream, command),)


def _replaced(entry: Entry, event: OrderReplaced, at: Instant) -> _Messages:
    cause = message_id(entry.stream, entry.version)
    command = RecordReplaced(cause, at, event.number, event.lots, event.px, event.is_restated)
    return ((event.account_stream, command),)


def _denied(entry: Entry, event: ChangeDenied, at: Instant) -> _Messages:
    cause = message_id(entry.stream, entry.version)
    return ((event.account_stream, RecordDenial(cause, at, event.number, event.text)),)


def _silent(entry: Entry, event: OrderSilent, at: Instant) -> _Messages:
    cause = message_id(entry.stream, entry.version)
    return ((event.account_stream, RecordSilence(cause, at, event.number)),)


def _heard(entry: Entry, event: OrderHeard, at: Instant) -> _Messages:
    cause = message_id(entry.stream, entry.version)
    return ((event.account_stream, RecordStanding(cause, at, event.number)),)


_ROUTES: Final[dict[type[Event], Callable[[Entry, Any, Instant], _Messages]]] = {
    OrderAccepted: _accepted,
    OrderTriggered: _triggered,
    OrderReleased: _released,
    CancelRequested: _cancel,
    ReplaceRequested: _replace,
}
_REPORTS: Final[dict[type[Event], Callable[[Entry, Any, Instant], _Messages]]] = {
    OrderExecuted: _executed,
    ExecutionBusted: _busted,
    OrderEnded: _ended,
    OrderReplaced: _replaced,
    ChangeDenied: _denied,
    OrderSilent: _silent,
    OrderHeard: _heard,
}
policies: Final[dict[type[Event], tuple[Callable[[Entry, Instant], Iterable[_Message]], ...]]] = {
    **dict.fromkeys(_ROUTES, (route,)),
    **dict.fromkeys(_REPORTS, (report,)),
}
