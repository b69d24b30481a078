"""What is true of orders elsewhere after each event. Pure, and total: whatever was ever written."""

from collections.abc import Callable
from typing import Any, Final

from fondaco.domain.trading.model import OrdStatus
from fondaco.domain.venues.events import ChangeDenied, OrderEnded, OrderExecuted, OrderReplaced
from fondaco.domain.venues.routed.events import (
    CancelRouted,
    ExecutionBusted,
    OrderHeard,
    OrderRouted,
    OrderSilent,
    ReplaceRouted,
    ReportNoted,
    RoutedEvent,
    TradeDisputed,
)
from fondaco.domain.venues.routed.model import (
    ENDED_MAX,
    Change,
    Counted,
    Ending,
    Routed,
    RoutedState,
)
from fondaco.kernel.event import StreamId

_KNOWN: Final = frozenset({"acknowledged", "pending", "executed", "replaced", "short"})


def evolve(state: RoutedState, event: RoutedEvent) -> RoutedState:
    """The state is its owner's alone, so it is changed in place."""
    state.version += 1
    _EVOLVE[type(event)](state, event)
    return state


def _on_routed(state: RoutedState, event: OrderRouted) -> None:
    state.serial += 1
    order = Routed(
        event.account_stream,
        event.number,
        event.cl_ord_id,
        event.cl_ord_id,
        event.side,
        event.px,
        event.lots,
        event.cum_lots,
        event.cum_lots,
        event.exec_number,
        state.version,
    )
    state.orders[state.serial] = order
    state.names[event.cl_ord_id] = state.serial
    state.numbers.setdefault(event.account_stream, {})[event.number] = state.serial


def _on_cancel(state: RoutedState, event: CancelRouted) -> None:
    _ask(state, event, Change(state.version, reason=event.reason))


def _on_replace(state: RoutedState, event: ReplaceRouted) -> None:
    _ask(state, event, Change(state.version, event.lots, event.px, is_quiet=event.is_quiet))


def _ask(state: RoutedState, event: CancelRouted | ReplaceRouted, change: Change) -> None:
    order = state.find(event.account_stream, event.number)
    if order is None:
        return
    order.change_count += 1
    order.changes[event.cl_ord_id] = change
    state.names[event.cl_ord_id] = state.names[order.name]


def _on_noted(state: RoutedState, event: ReportNoted) -> None:
    order = _of(state, event.account_stream, event.number)
    if order is None:
        return
    what = event.what
    if event.exec_id:
        order.seen[event.exec_id] = True
    order.noted = event.exec_id
    if event.order_id:
        order.order_id = event.order_id
    if what in _KNOWN or (what == "status" and event.ord_status != "8"):
        order.is_acknowledged = True
        order.told_lots = max(order.told_lots, event.cum_lots)
    if what == "busted":
        order.told_lots = max(event.cum_lots, 0)
    if what == "short" and event.ord_status:
        order.ending = Ending(OrdStatus(event.ord_status), event.text)
    if what in ("replaced", "denied") and order.changes.pop(event.cl_ord_id, None) is not None:
        order.cl_ord_id = event.cl_ord_id if what == "replaced" else order.cl_ord_id


def _on_disputed(state: RoutedState, event: TradeDisputed) -> None:
    order = _of(state, event.account_stream, event.number)
    if order is not None and event.exec_id:
        order.seen[event.exec_id] = True


def _on_silent(state: RoutedState, event: OrderSilent) -> None:
    order = state.find(event.account_stream, event.number)
    if order is not None:
        order.is_silent = True


def _on_heard(state: RoutedState, event: OrderHeard) -> None:
    order = state.find(event.account_stream, event.number)
    if order is not None:
        order.is_silent = False


def _on_executed(state: RoutedState, event: OrderExecuted) -> None:
    order = _of(state, event.account_stream, event.number)
    if order is None:
        return
    order.exec_number = event.exec_number
    order.cum_lots += sum(fill.lots for fill in event.fills)
    order.is_silent = False
    for fill in event.fills:
        counted = Counted(event.exec_number, fill.lots, fill.px, event.is_maker)
        order.counted[order.noted] = counted
    if order.cum_lots >= order.lots:
        _done(state, order)


def _on_busted(state: RoutedState, event: ExecutionBusted) -> None:
    order = _of(state, event.account_stream, event.number)
    if order is None:
        return
    order.exec_number = event.exec_number
    order.cum_lots -= event.busted.lots
    for exec_id, known in order.counted.items():
        if known.exec_number == event.ref_number:
            by = order.noted if event.fill is not None else ""
            order.counted[exec_id] = Counted(event.ref_number, 0, 0, known.is_maker, by)
            break
    if event.fill is not None:
        lots, px = event.fill.lots, event.fill.px
        order.cum_lots += lots
        order.counted[order.noted] = Counted(event.exec_number, lots, px, event.is_maker)
    if order.cum_lots >= order.lots:
        _done(state, order)


def _on_replaced(state: RoutedState, event: OrderReplaced) -> None:
    order = state.find(event.account_stream, event.number)
    if order is None:
        return
    order.lots, order.px, order.is_silent = event.lots, event.px, False
    if order.cum_lots >= order.lots:
        _done(state, order)


def _on_ended(state: RoutedState, event: OrderEnded) -> None:
    order = state.find(event.account_stream, event.number)
    if order is not None:
        _done(state, order)


def _on_denied(state: RoutedState, event: ChangeDenied) -> None:
    """The note before it has said which."""


def _of(state: RoutedState, account_stream: StreamId, number: int) -> Routed | None:
    """One that works; else the last that did under this number."""
    order = state.find(account_stream, number)
    if order is not None or not number:
        return order
    for serial in reversed(state.done):
        order = state.orders[serial]
        if order.number == number and order.account_stream == account_stream:
            return order
    return None


def _done(state: RoutedState, order: Routed) -> None:
    if order.is_done:
        return
    order.is_done, order.is_silent = True, False
    serial = state.names[order.name]
    numbers = state.numbers[order.account_stream]
    del numbers[order.number]
    if not numbers:
        del state.numbers[order.account_stream]
    state.done.append(serial)
    if len(state.done) > ENDED_MAX:
        gone = state.orders.pop(state.done.pop(0))
        for count in range(1, gone.change_count + 1):
            state.names.pop(f"{gone.name}.{count}", None)
        del state.names[gone.name]


_EVOLVE: Final[dict[type, Callable[[RoutedState, Any], None]]] = {
    OrderRouted: _on_routed,
    CancelRouted: _on_cancel,
    ReplaceRouted: _on_replace,
    ReportNoted: _on_noted,
    ExecutionBusted: _on_busted,
    TradeDisputed: _on_disputed,
    OrderSilent: _on_silent,
    OrderHeard: _on_heard,
    OrderExecuted: _on_executed,
    OrderReplaced: _on_replaced,
    OrderEnded: _on_ended,
    ChangeDenied: _on_denied,
}
