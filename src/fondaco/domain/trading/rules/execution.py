"""A venue has executed: what each fill costs, to the last ledger unit.

An order as a whole pays its exact cost rounded up, or receives it rounded down; each fill pays the
difference that it makes to that. So many small fills cost no more than one large one, and the hold
of an order that executes at its limit is used up exactly. Fees go the same way, rounded up. What
earlier fills paid beyond the exact amounts is carried in `rest` and `fee_rest`.

The venue's clearing account is owed the same for both sides of a trade: the fill's own cost,
rounded down. `residue` is what lies between that and `gross`, at most one unit, and goes to (or
comes from) the account `rounding`: per asset, postings of a fill add up to zero.

    buy:  account -gross, clearing +(gross - residue), rounding +residue
    sell: account +gross, clearing -(gross + residue), rounding +residue

Of a contract no asset moves: what a fill has realized against the average cost of the position goes
to the account, or comes from it, and rounding stays within `realized`.

Fees of an event contract have a formula of their own, which may round each fill against the account
anew. What it charges is charged, but no more than was set aside for it and no more than a sale has
brought in: then a fill still takes nothing from what is free.

What a venue did has happened. A fill beyond OrderQty, or of an order that has ended, is booked, and
says so in `over`: a balance may then be negative. Only what cannot be placed at all is set aside
for reconciliation: another symbol or side, worse than the limit, never sent, told twice.
"""

from typing import Final

from fondaco.domain.reference.model import NOTIONAL, RATE_SCALE, Instrument, InstrumentKind
from fondaco.domain.trading.events import (
    Fill,
    OrderFilled,
    RecordExecution,
    ReportUnmatched,
    TradingEvent,
)
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    Order,
    OrdStatus,
    Position,
    Side,
    TradingRefs,
)
from fondaco.domain.trading.rules import groups
from fondaco.domain.trading.rules.holds import AMOUNT_MAX, BUY, hold_of
from fondaco.domain.trading.rules.margin import position_lots
from fondaco.kernel.money import half_even_div

MARGIN: Final = AccountType.MARGIN
LINEAR: Final = InstrumentKind.LINEAR
NOTHING: Final = Position(0, 0)
FILLED: Final = OrdStatus.FILLED
PARTIALLY_FILLED: Final = OrdStatus.PARTIALLY_FILLED
PENDING_CANCEL: Final = OrdStatus.PENDING_CANCEL
PENDING_REPLACE: Final = OrdStatus.PENDING_REPLACE


def record(
    state: AccountState, command: RecordExecution, refs: TradingRefs
) -> tuple[TradingEvent, ...]:
    number = command.number
    instrument = refs.instruments.get(command.symbol)
    if instrument is None:
        return _unmatched(number, f"{command.symbol} does not trade here")
    if not command.fills:
        return _unmatched(number, "an execution without a fill")
    order = state.working.get(number)
    if order is None:
        return _late(state, command, instrument)
    if order.symbol != command.symbol or order.side is not command.side:
        return _unmatched(number, f"order {number} is to {order.side} {order.symbol}")
    if not order.at_venue:
        return _unmatched(number, f"order {number} was not sent to a venue")
    if command.exec_number <= order.last_exec and _was_booked(state, command):
        return _unmatched(number, f"execution {command.exec_number} was booked before")
    return _fills(state, order, command, instrument, refs)


def _fills(
    state: AccountState,
    order: Order,
    command: RecordExecution,
    instrument: Instrument,
    refs: TradingRefs,
) -> tuple[TradingEvent, ...]:
    """One event per fill, then what the order's group makes of it."""
    events: list[TradingEvent] = []
    cum, cost, rest, fee_rest = order.cum_lots, order.cum_cost, order.rest, order.fee_rest
    lots = order.lots
    status, hold = order.ord_status, order.hold
    books = Books(state, instrument)
    for fill in command.fills:
        if not _is_sane(order, fill):
            text = f"{fill.lots} lots at {fill.px} do not fit order {order.number}"
            events.append(ReportUnmatched(order.number, text))
            continue
        gross, rest, residue = exact_gross(instrument, order.side is BUY, fill.px, fill.lots, rest)
        fee, fee_rest = _fee(instrument, command, fill, gross, fee_rest)
        realized = books.book(command.side, fill.lots, gross)
        left, before = lots - cum, hold
        cum, cost = cum + fill.lots, cost + gross
        over = fill.lots - left if fill.lots > left else 0
        if order.cash_qty and order.side is BUY and cost > order.cash_qty:
            over = fill.lots
        if cum >= lots:
            status, hold, leaves = FILLED, 0, 0
        else:
            leaves = lots - cum
            status = _still(order)
            hold = hold_of(order, instrument, lots, cum, cost, rest, fee_rest)
        if instrument.fee_formula is not NOTIONAL and not over:
            fee, hold = _set_aside(order, instrument, before - gross, hold, fee)
        events.append(
            OrderFilled(
                order.number,
                order.symbol,
                order.side,
                command.exec_number,
                fill.lots,
                fill.px,
                command.is_maker,
                gross,
                fill.lots * books.base_per_lot,
                fee,
                0 if books.is_contract else residue,
                hold,
                cum,
                leaves,
                status,
                over if over < fill.lots else fill.lots,
                order.base,
                order.quote,
                rest,
                fee_rest,
                books.is_contract,
                realized,
                books.position.cost,
            )
        )
        if status is FILLED:
            # More of the same report is beyond the order; it is owed nothing and carries nothing.
            lots = cum
    if order.group and cum > order.cum_lots:
        events += groups.after_execution(state, order, cum, refs)
    if books.is_kept:
        events += _keep_reducing(state, order, instrument, cum - order.cum_lots)
    return tuple(events)


def _keep_reducing(
    state: AccountState, order: Order, instrument: Instrument, lots: int
) -> list[TradingEvent]:
    """A position became smaller: what says reduce-only and is more than that leaves is canceled."""
    sums = state.open_lots.get(order.symbol)
    if sums is None or not sums.reducing:
        return []
    signed = lots if order.side is BUY else -lots
    left = position_lots(state, instrument) + signed
    reducing = sums.reducing - (lots if order.reduce_only else 0)
    if reducing <= abs(left):
        return []
    events: list[TradingEvent] = []
    asked: dict[int, bool] = {order.number: True}
    for other in state.working.values():
        if other.reduce_only and other.symbol == order.symbol:
            events += groups.cancel_of(state, other, "reduce_only", asked)
    return events


def _late(
    state: AccountState, command: RecordExecution, instrument: Instrument
) -> tuple[TradingEvent, ...]:
    """An order that is done, or that nobody remembers any more: all of it is over."""
    number = command.number
    if not 0 < number <= state.order_count:
        return _unmatched(number, f"there is no order {number}")
    known = state.ended.get(number)
    cum, status = 0, OrdStatus.UNKNOWN
    if known is not None:
        if known.symbol != command.symbol or known.side is not command.side:
            return _unmatched(number, f"order {number} was to {known.side} {known.symbol}")
        if command.exec_number <= known.last_exec and _was_booked(state, command):
            return _unmatched(number, f"execution {command.exec_number} was booked before")
        cum, status = known.cum_lots, known.ord_status
    events: list[TradingEvent] = []
    books = Books(state, instrument)
    for fill in command.fills:
        if not (0 < fill.px < AMOUNT_MAX and 0 < fill.lots < AMOUNT_MAX):
            events.append(ReportUnmatched(number, f"{fill.lots} lots at {fill.px} make no sense"))
            continue
        gross, _, residue = exact_gross(instrument, command.side is BUY, fill.px, fill.lots, 0)
        fee, _ = _fee(instrument, command, fill, gross, 0)
        realized = books.book(command.side, fill.lots, gross)
        cum += fill.lots
        events.append(
            OrderFilled(
                number,
                command.symbol,
                command.side,
                command.exec_number,
                fill.lots,
                fill.px,
                command.is_maker,
                gross,
                fill.lots * books.base_per_lot,
                fee,
                0 if books.is_contract else residue,
                0,
                cum,
                0,
                status,
                fill.lots,
                instrument.base,
                instrument.quote,
                is_contract=books.is_contract,
                realized=realized,
                position_cost=books.position.cost,
            )
        )
    return tuple(events)


class Books:
    """The position of a margin account while the fills of one report are booked, at average cost:
    a fill that reduces realizes what lies between its price and that; one that goes beyond zero
    opens with the rest. A cash account keeps none, and nothing is realized."""

    __slots__ = ("base_per_lot", "is_contract", "is_kept", "position")

    def __init__(self, state: AccountState, instrument: Instrument) -> None:
        self.is_kept = state.account_type is MARGIN
        self.is_contract = instrument.kind is LINEAR
        self.base_per_lot = 0 if self.is_contract else instrument.base_per_lot
        known = state.positions.get(instrument.symbol) if self.is_kept else None
        self.position = NOTHING if known is None else known

    def book(self, side: Side, lots: int, gross: int) -> int:
        """What it realized, in the quote asset and before fees."""
        if not self.is_kept:
            return 0
        before, realized = self.position, 0
        sign = 1 if side is BUY else -1
        cost = before.cost
        if before.lots * sign < 0:
            closing = min(abs(before.lots), lots)
            at_cost = half_even_div(cost * closing, abs(before.lots))
            proceeds = half_even_div(gross * closing, lots)
            realized = -sign * proceeds - at_cost
            cost -= at_cost
            gross -= proceeds
        self.position = Position(before.lots + sign * lots, cost + sign * gross)
        return realized


def _still(order: Order) -> OrdStatus:
    """The status of an order that has executed in part: what it was asked goes first. A report also
    resolves an order that its venue had been silent about."""
    if order.cancel_reason:
        return PENDING_CANCEL
    return PENDING_REPLACE if order.pending_lots else PARTIALLY_FILLED


def _is_sane(order: Order, fill: Fill) -> bool:
    """Whether a fill is positive and no worse than the limit that the venue was given."""
    px = fill.px
    if not (0 < px < AMOUNT_MAX and 0 < fill.lots < AMOUNT_MAX):
        return False
    if order.side is BUY:
        return px <= order.px or px <= order.pending_px
    return px >= order.px or 0 < order.pending_px <= px


def _was_booked(state: AccountState, command: RecordExecution) -> bool:
    """Executions up to the last one booked, but for those that it overtook."""
    return command.exec_number not in state.missing.get(command.number, ())


def exact_gross(
    instrument: Instrument, is_buy: bool, px: int, lots: int, rest: int
) -> tuple[int, int, int]:
    """Ledger units of the fill, the order's `rest` after it, and its residue."""
    den = instrument.cost_den
    exact = px * lots * instrument.cost_num
    if is_buy:
        gross = -((rest - exact) // den)
        return gross, gross * den - exact + rest, gross - exact // den
    gross = (exact + rest) // den
    return gross, exact + rest - gross * den, exact // den - gross


def _fee(
    instrument: Instrument, command: RecordExecution, fill: Fill, gross: int, fee_rest: int
) -> tuple[int, int]:
    """Ledger units of the quote asset, and the order's `fee_rest` after it. By a formula of its own
    a sale pays no more than it brings in."""
    is_maker = command.is_maker
    if instrument.fee_formula is not NOTIONAL:
        is_buy = command.side is BUY
        fee, carried = instrument.charge(
            fill.px, fill.lots, is_buy=is_buy, is_maker=is_maker, carried=fee_rest
        )
        return fee if is_buy else min(fee, gross), carried
    exact = gross * (instrument.maker_fee_ppm if is_maker else instrument.taker_fee_ppm)
    fee = -((fee_rest - exact) // RATE_SCALE)
    return fee, fee * RATE_SCALE - exact + fee_rest


def _set_aside(
    order: Order, instrument: Instrument, left: int, hold: int, fee: int
) -> tuple[int, int]:
    """A formula's fee, and the hold after it: of what the order had set aside `left` is there once
    the fill is paid for; `hold` would have its whole reserve again, which is not taken anew."""
    if not order.hold or order.side is not BUY or order.ref_px:
        return fee, hold
    needed = max(hold - instrument.fee_reserve, 0)
    fee = min(fee, max(left - needed, 0))
    return fee, min(hold, max(left - fee, 0))


def _unmatched(number: int, text: str) -> tuple[TradingEvent, ...]:
    return (ReportUnmatched(number, text),)
