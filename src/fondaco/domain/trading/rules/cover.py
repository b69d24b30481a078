"""The house's own end of a stop: a position that may not be bare is closed in the same turn.

A trader cannot take away the stop that a position needs, and one that ends by itself covers
nothing. What is left are ends that nobody asked for: a venue refuses a stop that was triggered, or
finds no one for it, an execution is taken back, both legs of a bracket execute, the house halts.
Whoever watches (see the shell) asks again with `CheckCover` where nobody was there to close with.
"""

from typing import Final

import msgspec

from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.events import (
    CancelOrders,
    CheckCover,
    ClosePositions,
    ExpireOrders,
    FillBusted,
    FillCorrected,
    NothingToDo,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    PositionBared,
    RecordBust,
    RecordEnd,
    RecordExecution,
    TradingCommand,
    TradingEvent,
)
from fondaco.domain.trading.model import AccountState, OrdType, Side, TimeInForce, TradingRefs
from fondaco.domain.trading.rules import lists
from fondaco.domain.trading.rules.evolve import evolve
from fondaco.domain.trading.rules.trades import STOPS, position_risk, stops_of
from fondaco.kernel.event import CommandId, Instant

OURS: Final = "!cover."  # begins the cl_ord_id of our orders; no door lets it in
_ENDED: Final = (OrderCanceled, OrderExpired, OrderRefused)
_MAY_BARE: Final = (RecordEnd, RecordBust, RecordExecution, ExpireOrders)


def after(
    state: AccountState,
    command: TradingCommand,
    events: tuple[TradingEvent, ...],
    refs: TradingRefs,
) -> tuple[TradingEvent, ...]:
    """What was decided, and what it makes necessary, of an account that limits its risk."""
    if not isinstance(command, _MAY_BARE) and not (
        isinstance(command, CancelOrders) and command.reason != "requested"
    ):
        return events
    touched = _touched(state, events)
    if not touched:
        return events
    then = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=AccountState)
    for event in events:
        evolve(then, event)
    more: list[TradingEvent] = []
    for symbol, text in touched.items():
        found = bare(then, symbol, refs, text)
        if found is not None:
            more += (found, *_close(then, symbol, refs, command.at))
    return (*events, *more)


def check(state: AccountState, command: CheckCover, refs: TradingRefs) -> tuple[TradingEvent, ...]:
    found = bare(state, command.symbol, refs, "it is still not closed")
    if found is None:
        return (NothingToDo(f"{command.symbol} is not bare, or is being closed"),)
    return (found, *_close(state, command.symbol, refs, command.at))


def bare(
    state: AccountState, symbol: Symbol, refs: TradingRefs, text: str = ""
) -> PositionBared | None:
    """Whether a position has lots without a stop, risks more than it may, and nothing closes it."""
    rules, position = state.trade_rules, state.positions.get(symbol)
    instrument = refs.instruments.get(symbol)
    if rules is None or not rules.risk_max or position is None or instrument is None:
        return None
    side = Side.BUY if position.lots > 0 else Side.SELL
    stops = stops_of(state.working.values(), symbol, side)
    if sum(lots for _, lots in stops) >= abs(position.lots):
        return None
    rate = refs.rates.get(instrument.quote)
    if rate is None or any(
        order.symbol == symbol and order.side is not side and order.ord_type is OrdType.MARKET
        for order in state.working.values()
    ):
        return None
    risk = -(-position_risk(instrument, position, stops) * rate.num // rate.den)
    if risk <= rules.risk_max:
        return None
    return PositionBared(symbol, position.lots, risk, rules.risk_max, text)


def _touched(state: AccountState, events: tuple[TradingEvent, ...]) -> dict[Symbol, str]:
    """Instruments whose positions may have lost a stop, and how."""
    found: dict[Symbol, str] = {}
    for event in events:
        if isinstance(event, _ENDED):
            order = state.working.get(event.number)
            if (
                order is not None
                and order.ord_type in STOPS
                and order.time_in_force is TimeInForce.GTC
            ):
                why = getattr(event, "reason", "") or getattr(event, "text", "") or "expired"
                found[order.symbol] = f"its stop has ended: {why}"
        elif isinstance(event, FillBusted | FillCorrected):
            found[event.symbol] = "an execution was taken back"
        elif isinstance(event, OrderFilled) and event.over:
            found[event.symbol] = "more has executed than was ordered"
    return found


def _close(
    state: AccountState, symbol: Symbol, refs: TradingRefs, at: Instant
) -> tuple[TradingEvent, ...]:
    key = CommandId(f"{OURS}{state.order_count}")
    told = lists.close(state, ClosePositions(key, at, symbol), refs)
    return tuple(event for event in told if not isinstance(event, NothingToDo))
