"""What an order would cost if it were placed now, against what the market displays. Pure, exact.

Nothing is decided by it. What the market displays within the order's limit executes at once, level
by level; the rest of a limit order rests, and is taken to execute at its limit, as a maker. A stop
waits: all of it is taken to execute at its stop, or at its limit, as a taker. Levels are those of
the other side, best first, in whole ticks and lots.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from fondaco.domain.reference.model import NOTIONAL, RATE_SCALE, Instrument
from fondaco.domain.trading.model import AccountState, Order, OrdType, TimeInForce
from fondaco.domain.trading.rules.execution import Books
from fondaco.domain.trading.rules.holds import BUY
from fondaco.kernel.money import ceil_div

Levels = Sequence[tuple[int, int]]
_AT_ONCE: Final = (OrdType.MARKET, OrdType.LIMIT)
_NEVER_RESTS: Final = (TimeInForce.IOC, TimeInForce.FOK)


class Cost(msgspec.Struct, frozen=True, gc=False):
    """Amounts are ledger units of the quote asset; `paid` is the sum of ticks x lots."""

    at_once: int  # lots that what is displayed would execute
    paid: int  # for them
    later: int  # lots that would rest, or wait for their stop
    unfilled: int  # lots that would end without having executed
    gross: int  # of both, rounded against the account
    fees: int
    slippage: int | None  # what executes at once pays beyond the middle of the touch

    @property
    def lots(self) -> int:
        return self.at_once + self.later


def cost_of(order: Order, instrument: Instrument, levels: Levels, touch: int | None) -> Cost:
    """`touch` is best bid + best ask in ticks, twice the middle; None where a side is empty."""
    at_once, paid, spent = (0, 0, False)
    if order.ord_type in _AT_ONCE and not order.post_only:
        at_once, paid, spent = _taken(order, instrument, levels)
    left = 0 if spent else order.lots - at_once
    if order.time_in_force is TimeInForce.FOK and left:
        at_once, paid, left = 0, 0, order.lots
    rests = order.ord_type is not OrdType.MARKET and order.time_in_force not in _NEVER_RESTS
    later = left if rests else 0
    is_stop = order.ord_type not in _AT_ONCE
    taken, resting = _units(order, instrument, paid), 0
    if later:
        resting = _units(order, instrument, later * (order.px or order.stop_px))
    later_ppm = instrument.taker_fee_ppm if is_stop else instrument.maker_fee_ppm
    fees = ceil_div(taken * instrument.taker_fee_ppm + resting * later_ppm, RATE_SCALE)
    if instrument.fee_formula is not NOTIONAL:
        fees = _by_formula(order, instrument, levels, at_once, later, is_maker=not is_stop)
    return Cost(
        at_once,
        paid,
        later,
        left - later,
        taken + resting,
        fees,
        _slippage(order, instrument, at_once, paid, touch),
    )


def _by_formula(
    order: Order,
    instrument: Instrument,
    levels: Levels,
    at_once: int,
    later: int,
    *,
    is_maker: bool,
) -> int:
    """Each level is a fill of its own; `is_maker`: so is what executes later, at its own price."""
    is_buy, fees, carried = order.side is BUY, 0, 0
    for px, shown in levels:
        lots = min(shown, at_once)
        if not lots:
            break
        at_once -= lots
        fee, carried = instrument.charge(px, lots, is_buy=is_buy, is_maker=False, carried=carried)
        fees += fee
    if later:
        px = order.px or order.stop_px
        fees += instrument.charge(px, later, is_buy=is_buy, is_maker=is_maker, carried=carried)[0]
    return fees


def _taken(order: Order, instrument: Instrument, levels: Levels) -> tuple[int, int, bool]:
    """Lots, ticks x lots, and whether an order by cash has spent, or raised, all of it."""
    took = paid = 0
    for px, shown in levels:
        if px > order.px if order.side is BUY else px < order.px:
            break
        lots = min(shown, order.lots - took)
        if order.cash_qty:
            wanted = _for_cash(order, instrument, px, paid)
            if wanted <= lots:
                return took + wanted, paid + wanted * px, True
        took += lots
        paid += lots * px
        if took == order.lots:
            break
    return took, paid, False


def _for_cash(order: Order, instrument: Instrument, px: int, paid: int) -> int:
    """Lots at `px` that what is left of the cash buys, or that raise it."""
    left = order.cash_qty * instrument.cost_den - paid * instrument.cost_num
    each = px * instrument.cost_num
    return max(left // each if order.side is BUY else ceil_div(left, each), 0)


def _units(order: Order, instrument: Instrument, ticks: int) -> int:
    exact = ticks * instrument.cost_num
    if order.side is BUY:
        return ceil_div(exact, instrument.cost_den)
    return exact // instrument.cost_den


def _slippage(
    order: Order, instrument: Instrument, lots: int, paid: int, touch: int | None
) -> int | None:
    if touch is None or not lots:
        return None
    away = 2 * paid - touch * lots if order.side is BUY else touch * lots - 2 * paid
    return ceil_div(away * instrument.cost_num, 2 * instrument.cost_den)


def executed(state: AccountState, order: Order, instrument: Instrument, cost: Cost) -> AccountState:
    """The account as it would be after such a fill. The state that is given stays as it is."""
    books = Books(state, instrument)
    realized = books.book(order.side, cost.lots, cost.gross)
    sign = 1 if order.side is BUY else -1
    moved = {instrument.quote: -sign * cost.gross - cost.fees}
    if books.is_contract:
        moved = {instrument.quote: realized - cost.fees}
    else:
        moved[instrument.base] = sign * cost.lots * instrument.base_per_lot
    balances = dict(state.balances)
    for asset, units in moved.items():
        balances[asset] = balances.get(asset, 0) + units
    positions = {**state.positions, instrument.symbol: books.position}
    if not books.position.lots:
        del positions[instrument.symbol]
    return msgspec.structs.replace(state, balances=balances, positions=positions)
