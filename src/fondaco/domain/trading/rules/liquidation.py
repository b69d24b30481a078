"""Equity is checked: warnings, and liquidation where it no longer covers what it must.

Whoever watches equity only suspects; the account decides, on its own numbers, which its events keep
with the marks they come from. Nothing is decided on a book that is not OK, or without a price.

A liquidation is a state, so that it survives a restart, and each `CheckEquity` is one step of it:
cancel what works; while equity is below the initial requirement, close by reduce-only market orders
IOC, the largest requirement first and no more of it than is needed by the marks; wait for venues to
answer those. What found no liquidity is tried again by the next step. Once nothing is left to close
and the account owes more than it has, the house takes over what there is and pays what is owed.
"""

from typing import Final

import msgspec

from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import RATE_SCALE, Symbol, TradingState
from fondaco.domain.trading.events import (
    CheckEquity,
    Covered,
    LiquidationBegan,
    LiquidationEnded,
    MarginEased,
    MarginWarned,
    NegativeBalanceCovered,
    NothingToDo,
    OrderAccepted,
    OrderCanceled,
    TradingEvent,
)
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    ClOrdId,
    Headroom,
    Order,
    OrdStatus,
    OrdType,
    Position,
    Rate,
    Side,
    TimeInForce,
    TradingRefs,
)
from fondaco.domain.trading.rules.entry import limits_of, strictest
from fondaco.domain.trading.rules.groups import cancel_of
from fondaco.domain.trading.rules.holds import BPS, hold_for, protected
from fondaco.domain.trading.rules.margin import (
    LINEAR,
    Closing,
    Stand,
    closings,
    contract_worth,
    reducible,
    stand,
)
from fondaco.domain.trading.rules.margin_limits import net_worth
from fondaco.domain.trading.rules.weighed import Ahead
from fondaco.kernel.event import Instant

MARGIN: Final = AccountType.MARGIN
OK: Final = Quality.OK
HALTED: Final = TradingState.HALTED
UNKNOWN: Final = OrdStatus.UNKNOWN
OURS: Final = "!liquidation."  # begins the cl_ord_id of our orders; no door lets it in


def check(state: AccountState, command: CheckEquity, refs: TradingRefs) -> tuple[TradingEvent, ...]:
    if state.account_type is not MARGIN:
        return (NothingToDo("a cash account owes nothing"),)
    refs = newest(refs, command.marks)
    found = stand(state, refs)
    if found is None:
        return (NothingToDo("something has no price: nothing is decided"),)
    for mark in found.marks:
        if mark.quality is not OK:
            text = f"the book of {mark.symbol} is {mark.quality}: nothing is decided on it"
            return (NothingToDo(text),)
    if state.liquidating:
        return _go_on(state, found, refs, command.at)
    if found.equity < found.maintenance or found.equity < 0:
        began = LiquidationBegan(found.equity, found.initial, found.maintenance, found.marks)
        canceled, ahead = _cancel_all(state)
        return (began, *canceled, *_close(state, found, refs, ahead, command.at))
    return (_level(state, found, refs),)


def newest(refs: TradingRefs, marks: tuple[Mark, ...]) -> TradingRefs:
    """The refs with those of `marks` that are newer than theirs, and the rates made of these."""
    seen = {
        mark.symbol: mark
        for mark in marks
        if mark.px > 0
        and mark.symbol in refs.instruments
        and ((known := refs.marks.get(mark.symbol)) is None or known.at < mark.at)
    }
    if not seen:
        return refs
    rates = dict(refs.rates)
    for asset, rate in refs.rates.items():
        new = None if rate.mark is None else seen.get(rate.mark.symbol)
        if new is not None and rate.mark is not None:
            rates[asset] = Rate(rate.num * new.px, rate.den * rate.mark.px, new)
    return msgspec.structs.replace(refs, marks={**refs.marks, **seen}, rates=rates)


def _level(state: AccountState, found: Stand, refs: TradingRefs) -> TradingEvent:
    """Says that a warning level was reached, or left, once."""
    rules, told = refs.margin_rules, state.warned_bps
    used = found.maintenance * BPS // found.equity if found.equity > 0 else 0
    level = max((bps for bps in rules.warning_bps if bps <= used), default=0)
    if level > told:
        return MarginWarned(level, found.equity, found.maintenance, found.marks)
    if told and used < told - rules.hysteresis_bps:
        return MarginEased(level, found.equity, found.maintenance, found.marks)
    return NothingToDo(f"maintenance takes {used} bps of equity: nothing new")


# --- Liquidation --------------------------------------------------------------------------------


def _go_on(
    state: AccountState, found: Stand, refs: TradingRefs, at: Instant
) -> tuple[TradingEvent, ...]:
    canceled, ahead = _cancel_all(state)
    if canceled:
        return canceled
    if any(_is_ours(order) and order.ord_status is not UNKNOWN for order in state.working.values()):
        return (NothingToDo("the venues have not answered yet"),)
    if found.equity >= found.initial:
        return (LiquidationEnded(found.equity, found.initial, found.maintenance, found.marks),)
    closed = _close(state, found, refs, ahead, at)
    if closed:
        return closed
    worth = net_worth(state, refs)
    if worth is None or worth >= 0 or state.working or _closable(state, refs):
        return (NothingToDo("nothing can be closed now"),)
    covered = tuple(Covered(a, -units) for a, units in state.balances.items() if units)
    return (
        NegativeBalanceCovered(-worth, covered, found.marks),
        LiquidationEnded(0, 0, 0, found.marks),
    )


def _is_ours(order: Order) -> bool:
    return order.cl_ord_id.startswith(OURS)


def _cancel_all(state: AccountState) -> tuple[tuple[TradingEvent, ...], Ahead]:
    """Everything that works but our own; and what of it is given back at once."""
    events: list[TradingEvent] = []
    asked: dict[int, bool] = {}
    ahead = Ahead()
    for order in state.working.values():
        if not _is_ours(order):
            for event in cancel_of(state, order, "liquidation", asked):
                events.append(event)
                if isinstance(event, OrderCanceled):
                    ahead.give_back(state.working[event.number])
    return tuple(events), ahead


def _closable(state: AccountState, refs: TradingRefs) -> list[Closing]:
    """Positions that an order could close, if their market were open and there were liquidity."""
    return [each for each in closings(state, refs) if each.instrument.symbol in refs.marks]


def _close(
    state: AccountState, found: Stand, refs: TradingRefs, ahead: Ahead, at: Instant
) -> tuple[OrderAccepted, ...]:
    """One order per position, until what is left of them is covered by the marks."""
    orders: list[OrderAccepted] = []
    after, stands = state, found
    for each in _closable(state, refs):
        if stands.equity >= stands.initial:
            break
        mark = refs.marks[each.instrument.symbol]
        if mark.quality is not OK or strictest(state, refs, mark.symbol) is HALTED:
            continue
        room = reducible(state, refs, each.instrument, each.side)
        room = min(room - ahead.lots(mark.symbol, each.side), each.lots)
        if room <= 0:
            continue
        lots = _needed(after, each, refs, room)
        after = _without(after, each, refs, lots)
        stands = stand(after, refs) or stands
        number = state.order_count + 1 + len(orders)
        orders.append(_accepted(state, each, refs, number, lots, at))
    return tuple(orders)


def _needed(state: AccountState, each: Closing, refs: TradingRefs, room: int) -> int:
    """The fewest lots whose closing covers the rest; `room`, where that is not enough."""
    fails, passes = 0, room
    while passes - fails > 1:
        middle = (passes + fails) // 2
        found = stand(_without(state, each, refs, middle), refs)
        if found is not None and found.equity >= found.initial:
            passes = middle
        else:
            fails = middle
    return passes


def _without(state: AccountState, each: Closing, refs: TradingRefs, lots: int) -> AccountState:
    """The account as it would be, had it closed `lots` at the mark and paid the taker's fee."""
    instrument = each.instrument
    mark = refs.marks[instrument.symbol]
    balances, positions = dict(state.balances), dict(state.positions)
    signed = lots if each.side is Side.BUY else -lots
    worth = contract_worth(instrument, mark, signed)
    fee = -(-abs(worth) * instrument.taker_fee_ppm // RATE_SCALE)
    quote = instrument.quote
    balances[quote] = balances.get(quote, 0) - fee
    if instrument.kind is LINEAR:
        known = positions[instrument.symbol]
        at_cost = -known.cost * signed // known.lots
        balances[quote] += -worth - at_cost
        positions[instrument.symbol] = Position(known.lots + signed, known.cost - at_cost)
    else:
        base = instrument.base
        balances[base] = balances.get(base, 0) + signed * instrument.base_per_lot
        balances[quote] -= worth
    return msgspec.structs.replace(state, balances=balances, positions=positions)


def _accepted(
    state: AccountState, each: Closing, refs: TradingRefs, number: int, lots: int, at: Instant
) -> OrderAccepted:
    instrument, symbol = each.instrument, each.instrument.symbol
    mark = refs.marks[symbol]
    px = protected(mark.px, each.side, limits_of(state, refs).market_protection_bps)
    order = Order(
        number,
        ClOrdId(f"{OURS}{number}"),
        Symbol(symbol),
        each.side,
        OrdType.MARKET,
        TimeInForce.IOC,
        lots,
        px,
        0,
        at,
        reduce_only=True,
        base=instrument.base,
        quote=instrument.quote,
        base_per_lot=instrument.base_per_lot,
        hold_px=px,
        ref_px=mark.px,
    )
    order.mic = instrument.mic
    order.hold = hold_for(order, instrument)
    return OrderAccepted(order, Headroom(), (mark,))
