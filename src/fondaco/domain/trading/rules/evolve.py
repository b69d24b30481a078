"""The account after an event. Accepts every event ever written, refuses nothing, and computes
nothing that a rule might change. The state is its owner's alone, so it is changed in place."""

from collections.abc import Callable
from typing import Any, Final

from fondaco.domain.reference.model import OWN_MICS, RATE_SCALE
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    Booked,
    ClOrdId,
    Ended,
    OpenLots,
    Order,
    OrdStatus,
    Position,
)
from fondaco.domain.trading.rules.accounted import MONEY
from fondaco.domain.trading.rules.holds import BUY, MS, PACE_SLOTS, same_order
from fondaco.kernel.event import Event

ENDED_MAX: Final = 1_024  # orders that are done and still remembered
RECENT_MAX: Final = 16_384  # orders in each half of what the duplicate window remembers
MISSING_MAX: Final = 64  # executions of one order that may be overtaken and still be told late

MARGIN: Final = AccountType.MARGIN
FILLED: Final = OrdStatus.FILLED
PENDING_CANCEL: Final = OrdStatus.PENDING_CANCEL
PENDING_REPLACE: Final = OrdStatus.PENDING_REPLACE


def evolve(state: AccountState, event: Event) -> AccountState:
    """The same state, changed."""
    _EVOLVED[type(event)](state, event)
    return state


# --- Orders come --------------------------------------------------------------------------------


def _accepted(state: AccountState, event: ev.OrderAccepted) -> None:
    order: Order = event.order.__copy__()  # type: ignore[attr-defined]  # the fact stays
    number = order.number
    state.working[number] = order
    state.numbers[order.cl_ord_id] = number
    if number > state.order_count:
        state.order_count = number
    hold, base = order.hold, order.base
    held = state.held
    if order.ref_px:
        held[order.quote] = held.get(order.quote, 0) + hold
        if hold:
            _count(state, order, order.lots - order.cum_lots, 1)
    elif order.side is BUY:
        quote = order.quote
        held[quote] = held.get(quote, 0) + hold
        if hold:
            coming = state.coming
            coming[base] = coming.get(base, 0) + order.lots * order.base_per_lot
        if base not in state.balances:
            state.balances[base] = 0
    else:
        held[base] = held.get(base, 0) + hold
    if order.expire_time:
        state.due.setdefault(order.expire_time, {})[number] = True
    if event.pace_ms:
        _pace(state, order.transact_time, event.pace_ms, event.notional)
    if event.duplicate_ms:
        _remember(state, order, event.duplicate_ms)


def _pace(state: AccountState, at: int, width_ms: int, notional: int) -> None:
    """Counts an order in its slot of the rate window, and drops the slots that are over."""
    width = width_ms * MS
    begin = at - at % width
    pace = state.pace
    if pace and pace[-1][0] >= begin:
        last = pace[-1]
        last[1] += 1
        last[2] += notional
    else:
        over = at - (PACE_SLOTS + 1) * width
        while pace and pace[0][0] <= over:
            _, orders, worth = pace.pop(0)
            state.pace_orders -= orders
            state.pace_notional -= worth
        pace.append([begin, 1, notional])
    state.pace_orders += 1
    state.pace_notional += notional


def _remember(state: AccountState, order: Order, window_ms: int) -> None:
    """In two generations: when the younger one is older than the window, all of the elder is over.
    Taking orders out one by one would cost more the more there are."""
    recent, at = state.recent, order.transact_time
    if at - state.recent_since > window_ms * MS or len(recent) >= RECENT_MAX:
        state.recent_before, state.recent_since = recent, at
        recent = state.recent = {}
    recent[same_order(order)] = at


def _rejected(state: AccountState, event: ev.OrderRejected) -> None:
    if event.number > state.order_count:
        state.order_count = event.number
    _recall(state, event.number, Ended(event.symbol, event.side, OrdStatus.REJECTED, 0, 0))


# --- Orders execute, change and end -------------------------------------------------------------


def _weigh(state: AccountState, order: Order, hold: int, lots: int, cum: int, asked: int) -> None:
    """Sets hold and quantities of a working order, and moves the sums that they are part of."""
    if order.ref_px:
        before = order.lots if order.lots > order.pending_lots else order.pending_lots
        after = lots if lots > asked else asked
        change = after - cum if hold and after > cum else 0
        if order.hold and before > order.cum_lots:
            change -= before - order.cum_lots
        _count(state, order, change, (1 if hold else 0) - (1 if order.hold else 0))
        paid = order.quote
    elif order.side is BUY:
        before = order.lots if order.lots > order.pending_lots else order.pending_lots
        after = lots if lots > asked else asked
        change = after - cum if hold and after > cum else 0
        if order.hold and before > order.cum_lots:
            change -= before - order.cum_lots
        if change:
            base = order.base
            state.coming[base] = state.coming.get(base, 0) + change * order.base_per_lot
        paid = order.quote
    else:
        paid = order.base
    if hold != order.hold:
        state.held[paid] = state.held.get(paid, 0) + hold - order.hold
    order.hold, order.lots, order.cum_lots, order.pending_lots = hold, lots, cum, asked


def _count(state: AccountState, order: Order, lots: int, orders: int) -> None:
    """On margin: so many lots more may execute, or fewer, of so many more orders."""
    if not lots and not orders:
        return
    sums = state.open_lots.get(order.symbol)
    if sums is None:
        sums = state.open_lots[order.symbol] = OpenLots()
    if order.side is BUY:
        sums.buys += lots
    else:
        sums.sells += lots
    if order.reduce_only:
        sums.reducing += lots
    sums.orders += orders
    if not sums.orders:
        del state.open_lots[order.symbol]


def _moved(state: AccountState, event: ev.OrderFilled | ev.FillBusted, traded: int) -> None:
    """The position of a margin account, as the event says it is after so many lots more."""
    known = state.positions.get(event.symbol)
    lots = (0 if known is None else known.lots) + traded
    if lots:
        state.positions[event.symbol] = Position(lots, event.position_cost)
    elif known is not None:
        del state.positions[event.symbol]


def _filled(state: AccountState, event: ev.OrderFilled) -> None:
    balances, base, quote = state.balances, event.base, event.quote
    order = state.working.get(event.number)
    if event.number in state.executed or (order is not None and order.mic not in OWN_MICS):
        _keep(state, order, event)
    if state.account_type is MARGIN:
        _moved(state, event, event.last_lots if event.side is BUY else -event.last_lots)
    if event.is_contract:
        balances[quote] = balances.get(quote, 0) + event.realized - event.fee
    elif event.side is BUY:
        balances[base] = balances.get(base, 0) + event.base_units
        balances[quote] = balances.get(quote, 0) - event.gross - event.fee
    else:
        balances[base] = balances.get(base, 0) - event.base_units
        balances[quote] = balances.get(quote, 0) + event.gross - event.fee
    if order is None:
        known = state.ended.get(event.number)
        if known is not None:
            known.cum_lots = event.cum_lots
            known.last_exec = _booked(state, event, known.last_exec)
        return
    if event.exec_number != order.last_exec:
        order.last_exec = _booked(state, event, order.last_exec)
    order.cum_cost += event.gross
    order.fees += event.fee
    order.rest, order.fee_rest = event.rest, event.fee_rest
    _weigh(state, order, event.hold, order.lots, event.cum_lots, order.pending_lots)
    order.ord_status = event.ord_status
    if event.ord_status is FILLED:
        _end(state, order, FILLED)


def _keep(state: AccountState, order: Order | None, event: ev.OrderFilled) -> None:
    """An execution that its venue may take back."""
    fee_rest = 0 if order is None else order.fee_rest
    known, cost = state.positions.get(event.symbol), event.position_cost
    state.executed.setdefault(event.number, []).append(
        Booked(
            event.exec_number, event.last_lots, event.last_px, event.is_maker, event.gross,
            event.fee, event.fee * RATE_SCALE - event.fee_rest + fee_rest, order is None,
            event.realized, cost - known.cost if known is not None else cost,
        )
    )  # fmt: skip


def _busted(state: AccountState, event: ev.FillBusted) -> None:
    take_back(state, event)
    found = state.working.get(event.number) or state.ended.get(event.number)
    if found is not None:
        found.last_exec = _booked(state, event, found.last_exec)


def take_back(state: AccountState, event: ev.FillBusted) -> None:
    """What an execution had moved; that its report was heard is noted elsewhere."""
    kept, sign = state.executed.get(event.number, []), 1 if event.side is BUY else -1
    kept[:] = [each for each in kept if each.exec_number != event.ref_number]
    balances, base, quote = state.balances, event.base, event.quote
    if event.on_margin:
        _moved(state, event, -sign * event.last_lots)
    if event.is_contract:
        balances[quote] = balances.get(quote, 0) - event.realized + event.fee
    else:
        balances[base] = balances.get(base, 0) - sign * event.base_units
        balances[quote] = balances.get(quote, 0) + sign * event.gross + event.fee
    order, known = state.working.get(event.number), state.ended.get(event.number)
    if order is not None:
        order.cum_cost -= event.gross
        order.fees -= event.fee
        order.rest, order.fee_rest = event.rest, event.fee_rest
        _weigh(state, order, event.hold, order.lots, event.cum_lots, order.pending_lots)
        order.ord_status = event.ord_status
    elif known is not None:
        known.cum_lots, known.ord_status = event.cum_lots, event.ord_status


def _corrected(state: AccountState, event: ev.FillCorrected) -> None:
    take_back(state, event.bust)
    _filled(state, event.fill)


def _booked(state: AccountState, event: ev.OrderFilled | ev.FillBusted, last: int) -> int:
    """The highest execution booked; those that were overtaken are noted until they come."""
    told, number = event.exec_number, event.number
    if told > last + 1:
        gap = state.missing.setdefault(number, [])
        gap += range(last + 1, min(told, last + 1 + MISSING_MAX - len(gap)))
    elif told < last:
        missing = state.missing.get(number)
        if missing is not None and told in missing:
            missing.remove(told)
            if not missing:
                del state.missing[number]
    return told if told > last else last


def _end(state: AccountState, order: Order, status: OrdStatus) -> None:
    """Takes an order out of everything, and everything that it held out of the sums."""
    if order.hold:
        _weigh(state, order, 0, order.lots, order.cum_lots, 0)
    number = order.number
    del state.working[number]
    for cl_ord_id in (order.cl_ord_id, order.pending):
        if state.numbers.get(cl_ord_id) == number:
            del state.numbers[cl_ord_id]
    if order.expire_time:
        due = state.due.get(order.expire_time)
        if due is not None:
            due.pop(number, None)
            if not due:
                del state.due[order.expire_time]
    done = Ended(order.symbol, order.side, status, order.cum_lots, order.last_exec)
    _recall(state, number, done)


def _recall(state: AccountState, number: int, done: Ended) -> None:
    ended = state.ended
    ended[number] = done
    if len(ended) > ENDED_MAX:
        oldest = next(iter(ended))
        del ended[oldest]
        state.missing.pop(oldest, None)
        state.executed.pop(oldest, None)


def _canceled(state: AccountState, event: ev.OrderCanceled) -> None:
    order = state.working.get(event.number)
    if order is not None:
        _end(state, order, OrdStatus.CANCELED)


def _expired(state: AccountState, event: ev.OrderExpired) -> None:
    order = state.working.get(event.number)
    if order is not None:
        _end(state, order, OrdStatus.EXPIRED)


def _completed(state: AccountState, event: ev.OrderCompleted) -> None:
    order = state.working.get(event.number)
    if order is not None:
        _end(state, order, FILLED)


def _refused(state: AccountState, event: ev.OrderRefused) -> None:
    order = state.working.get(event.number)
    if order is not None:
        _end(state, order, OrdStatus.REJECTED)


def _cancel_requested(state: AccountState, event: ev.CancelRequested) -> None:
    order = state.working.get(event.number)
    if order is not None:
        order.ord_status = PENDING_CANCEL
        order.cancel_reason = event.reason


def _replace_requested(state: AccountState, event: ev.ReplaceRequested) -> None:
    order = state.working.get(event.number)
    if order is not None:
        order.ord_status = PENDING_REPLACE
        _weigh(state, order, event.hold, order.lots, order.cum_lots, event.lots)
        order.pending, order.pending_px = event.cl_ord_id, event.px
        state.numbers[event.cl_ord_id] = event.number


def _replaced(state: AccountState, event: ev.OrderReplaced) -> None:
    order = state.working.get(event.number)
    if order is None:
        return
    asked = order.pending_lots if event.cl_ord_id == order.cl_ord_id else 0
    if not order.pending or event.cl_ord_id == order.pending:
        asked = 0
    _weigh(state, order, event.hold, event.lots, order.cum_lots, asked)
    if not asked:
        order.pending, order.pending_px = ClOrdId(""), 0
    if event.cl_ord_id != order.cl_ord_id:
        if state.numbers.get(order.cl_ord_id) == order.number:
            del state.numbers[order.cl_ord_id]
        order.cl_ord_id = event.cl_ord_id
        state.numbers[event.cl_ord_id] = order.number
    order.px, order.stop_px = event.px, event.stop_px
    if order.ref_px and event.stop_px:
        order.ref_px = event.stop_px
    order.hold_px, order.spare = event.hold_px or event.px, event.spare
    order.ord_status = event.ord_status
    if event.ord_status is FILLED:
        _end(state, order, FILLED)


def _denied(state: AccountState, event: ev.ChangeDenied) -> None:
    """Only a denial by the venue changes anything: a request of ours is no longer pending."""
    order = state.working.get(event.number)
    if order is None or (event.ord_status is order.ord_status and event.hold < 0):
        return
    order.ord_status = event.ord_status
    order.cancel_reason = ""
    if order.pending and order.pending != order.cl_ord_id:
        state.numbers.pop(order.pending, None)
    hold = order.hold if event.hold < 0 else event.hold
    _weigh(state, order, hold, order.lots, order.cum_lots, 0)
    order.pending, order.pending_px = ClOrdId(""), 0


def _unknown(state: AccountState, event: ev.OrderUnknown) -> None:
    order = state.working.get(event.number)
    if order is not None:
        order.ord_status = OrdStatus.UNKNOWN


def _resolved(state: AccountState, event: ev.OrderResolved) -> None:
    order = state.working.get(event.number)
    if order is not None:
        order.ord_status = event.ord_status


def _triggered(state: AccountState, event: ev.OrderTriggered) -> None:
    order = state.working.get(event.number)
    if order is not None:
        order.at_venue = True
        order.px = order.hold_px = event.px
        order.spare = 0
        _weigh(state, order, event.hold, order.lots, order.cum_lots, 0)


def _trailed(state: AccountState, event: ev.OrderTrailed) -> None:
    order = state.working.get(event.number)
    if order is not None:
        order.stop_px = event.stop_px


def _released(state: AccountState, event: ev.OrderReleased) -> None:
    order = state.working.get(event.number)
    if order is not None:
        _weigh(state, order, event.hold, event.lots, order.cum_lots, 0)
        order.at_venue = event.order.at_venue
        order.ord_status = event.order.ord_status


_EVOLVED: Final[dict[type[Event], Callable[[AccountState, Any], None]]] = {
    ev.OrderAccepted: _accepted,
    ev.OrderRejected: _rejected,
    ev.OrderFilled: _filled,
    ev.FillBusted: _busted,
    ev.FillCorrected: _corrected,
    ev.OrderTriggered: _triggered,
    ev.OrderTrailed: _trailed,
    ev.OrderReleased: _released,
    ev.CancelRequested: _cancel_requested,
    ev.OrderCanceled: _canceled,
    ev.OrderExpired: _expired,
    ev.OrderCompleted: _completed,
    ev.OrderRefused: _refused,
    ev.ReplaceRequested: _replace_requested,
    ev.OrderReplaced: _replaced,
    ev.ChangeDenied: _denied,
    ev.OrderUnknown: _unknown,
    ev.OrderResolved: _resolved,
    **MONEY,
}
