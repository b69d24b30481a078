"""A venue takes an execution back, or says that it was another one.

What was booked stays written; what comes back is booked beside it, so that an order has cost what
its other executions cost without this one: rounding goes by the whole order, so it is worked out
anew over those that stand. What executed after the order was done is rounded by itself.

A position at average cost is what it would be without the execution, unless something has reduced
it since: then what has been realized and what is left have cost the same in all, divided as it was
that day. What a bracket has released stays released.
"""

from typing import NamedTuple

import msgspec

from fondaco.domain.reference.model import NOTIONAL, RATE_SCALE, Instrument
from fondaco.domain.trading.events import (
    Fill,
    FillBusted,
    FillCorrected,
    GainConverted,
    OrderFilled,
    RecordBust,
    RecordExecution,
    ReportUnmatched,
    TradingEvent,
)
from fondaco.domain.trading.model import (
    AccountState,
    Booked,
    Order,
    OrdStatus,
    Position,
    TradingRefs,
)
from fondaco.domain.trading.rules import settlement
from fondaco.domain.trading.rules.evolve import take_back
from fondaco.domain.trading.rules.execution import LINEAR, MARGIN, NOTHING, exact_gross
from fondaco.domain.trading.rules.holds import BUY, hold_of


class Cost(NamedTuple):
    """What executions of an order cost: ledger units of the quote asset, and what is carried."""

    gross: int
    residue: int
    fee: int
    rest: int
    fee_rest: int


def record(state: AccountState, command: RecordBust, refs: TradingRefs) -> tuple[TradingEvent, ...]:
    number, ref = command.number, command.ref_number
    instrument = refs.instruments.get(command.symbol)
    order, done = state.working.get(number), state.ended.get(number)
    found = order or done
    if instrument is None or found is None:
        return _unmatched(number, f"order {number} is not known any more: {command.text}")
    if found.symbol != command.symbol or found.side is not command.side:
        return _unmatched(number, f"order {number} is to {found.side} {found.symbol}")
    booked = [each for each in state.executed.get(number, ()) if each.exec_number == ref]
    if not booked or ref in state.matched.get(number, ()):
        return _unmatched(number, f"execution {ref} is none that can be taken back")
    bust = _bust(state, command, booked[0], instrument)
    more = _converted(bust, instrument, refs)
    if command.fill is None:
        return (bust, *more)
    return _correct(state, command, command.fill, bust, refs, more)


def _correct(
    state: AccountState,
    command: RecordBust,
    fill: Fill,
    bust: FillBusted,
    refs: TradingRefs,
    more: tuple[TradingEvent, ...],
) -> tuple[TradingEvent, ...]:
    """What there was instead is booked as any execution is, on the account as it then is."""
    after = _without(state, bust)
    execution = RecordExecution(
        command.command_id, command.at, command.number, command.symbol, command.side,
        command.exec_number, (fill,), command.is_maker,
    )  # fmt: skip
    told = settlement.record(after, execution, refs)
    filled = [event for event in told if isinstance(event, OrderFilled)]
    if not filled:  # it does not fit the order: the old one is none all the same
        return (bust, *more, *told)
    new = filled[0]
    if new.over > fill.lots - bust.last_lots:  # of an order that was done
        new = msgspec.structs.replace(new, over=max(fill.lots - bust.last_lots, 0))
    corrected = FillCorrected(command.number, command.symbol, bust, new)
    rest = (event for event in told if not isinstance(event, OrderFilled))
    return (corrected, *more, *rest)


def _bust(
    state: AccountState, command: RecordBust, gone: Booked, instrument: Instrument
) -> FillBusted:
    number, is_buy = command.number, command.side is BUY
    all_of_it = state.executed[number]
    before = _cost(all_of_it, instrument, is_buy=is_buy)
    after = _cost([each for each in all_of_it if each is not gone], instrument, is_buy=is_buy)
    gross, is_contract = before.gross - after.gross, instrument.kind is LINEAR
    position, realized = _position(state, command, gone, gross)
    order = state.working.get(number)
    if order is not None:
        cum = order.cum_lots - gone.lots
        hold, leaves, status = _standing(order, instrument, cum, gross, after)
    else:
        done = state.ended[number]
        cum, hold, leaves, status = done.cum_lots - gone.lots, 0, 0, done.ord_status
        has_less = command.fill is None or command.fill.lots < gone.lots
        if status is OrdStatus.FILLED and has_less and not gone.is_late:
            status = OrdStatus.CANCELED
    return FillBusted(
        number,
        command.symbol,
        command.side,
        command.exec_number,
        command.ref_number,
        gone.lots,
        gone.px,
        gone.is_maker,
        gross,
        0 if is_contract else gone.lots * instrument.base_per_lot,
        before.fee - after.fee,
        0 if is_contract else before.residue - after.residue,
        hold,
        cum,
        leaves,
        status,
        instrument.base,
        instrument.quote,
        after.rest,
        after.fee_rest,
        is_contract,
        state.account_type is MARGIN,
        realized,
        position.cost,
        command.text,
    )


def _standing(
    order: Order, instrument: Instrument, cum: int, gross: int, after: Cost
) -> tuple[int, int, OrdStatus]:
    """Hold, lots that are left, and status of an order that works."""
    hold = order.hold
    if hold or not order.group:  # of a group, the order that holds counts for all
        paid = order.cum_cost - gross
        hold = hold_of(order, instrument, order.lots, cum, paid, after.rest, after.fee_rest)
    status = order.ord_status
    if status in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED):
        status = OrdStatus.PARTIALLY_FILLED if cum else OrdStatus.NEW
    return hold, max(order.lots - cum, 0), status


def _position(
    state: AccountState, command: RecordBust, gone: Booked, gross: int
) -> tuple[Position, int]:
    """What is left of a margin account's position, and the gain that was none."""
    if state.account_type is not MARGIN:
        return NOTHING, 0
    known = state.positions.get(command.symbol, NOTHING)
    sign = 1 if command.side is BUY else -1
    lots = known.lots - sign * gone.lots
    cost = known.cost - gone.cost - sign * (gross - gone.gross)
    realized = gone.realized
    if not lots:  # nothing is left that could cost anything
        realized, cost = realized + cost, 0
    return Position(lots, cost), realized


def _cost(fills: list[Booked], instrument: Instrument, *, is_buy: bool) -> Cost:
    """One after the other, as they were booked."""
    total = residue = fee = rest = fee_rest = 0
    for each in fills:
        carried = 0 if each.is_late else rest
        gross, left, odd = exact_gross(instrument, is_buy, each.px, each.lots, carried)
        total, residue = total + gross, residue + odd
        rest = rest if each.is_late else left
        if instrument.fee_formula is not NOTIONAL:
            fee += each.fee
            continue
        exact = gross * _ppm(each, instrument)
        carried = 0 if each.is_late else fee_rest
        one = -((carried - exact) // RATE_SCALE)
        fee += one
        fee_rest = fee_rest if each.is_late else one * RATE_SCALE - exact + carried
    return Cost(total, residue, fee, rest, fee_rest)


def _ppm(each: Booked, instrument: Instrument) -> int:
    """The rate that it was charged then; of what cost nothing, today's."""
    if each.gross:
        return each.fee_exact // each.gross
    return instrument.maker_fee_ppm if each.is_maker else instrument.taker_fee_ppm


def _converted(
    bust: FillBusted, instrument: Instrument, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    """Of a contract that settles in another asset, what comes back is converted at today's rate."""
    units = bust.fee - bust.realized
    quote, settle = refs.rates.get(instrument.quote), refs.rates.get(instrument.settle)
    if not instrument.settle or not units or quote is None or settle is None or not settle.num:
        return ()
    comes = units * quote.num * settle.den // (quote.den * settle.num)
    return (
        GainConverted(
            bust.number, bust.exec_number, bust.symbol, instrument.quote, units,
            instrument.settle, comes,
        ),
    )  # fmt: skip


def _without(state: AccountState, bust: FillBusted) -> AccountState:
    """The account after the bust. Only what that touches is copied."""
    number = bust.number
    after: AccountState = state.__copy__()  # type: ignore[attr-defined]
    after.balances, after.held, after.coming = {**state.balances}, {**state.held}, {**state.coming}
    after.positions = {**state.positions}
    after.open_lots = {symbol: each.__copy__() for symbol, each in state.open_lots.items()}  # type: ignore[attr-defined]
    after.executed = {**state.executed, number: [*state.executed[number]]}
    after.working, after.ended = {**state.working}, {**state.ended}
    if number in state.working:
        after.working[number] = state.working[number].__copy__()  # type: ignore[attr-defined]
    if number in state.ended:
        after.ended[number] = state.ended[number].__copy__()  # type: ignore[attr-defined]
    take_back(after, bust)
    return after


def _unmatched(number: int, text: str) -> tuple[TradingEvent, ...]:
    return (ReportUnmatched(number, text),)
