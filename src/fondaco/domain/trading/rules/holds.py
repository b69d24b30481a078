"""What an order sets aside, and the prices at which that is worked out.

The law: while an order executes no worse than its hold assumed, its account's free balance never
shrinks by a fill. That holds to the last ledger unit, because rounding goes by the whole order and
not by the fill: `rest` and `fee_rest` carry what earlier fills paid beyond their exact price, and
what is left of the order is held net of them.

Where the instrument's fees have a formula of their own, fills may round against the account, each
anew. An order sets a reserve aside for that, of which its fills take what they need.
"""

from typing import Final

from fondaco.domain.reference.model import NOTIONAL, RATE_SCALE, Instrument
from fondaco.domain.trading.model import Order, OrdType, Side

# Nothing that is counted exceeds this: it fits 64 bits, with room to add two of them.
AMOUNT_MAX: Final = 1 << 61
BPS: Final = 10_000
BUY: Final = Side.BUY
SELL: Final = Side.SELL
MS: Final = 1_000_000  # nanoseconds
PACE_SLOTS: Final = 8  # of the rate window; an order counts for up to an eighth longer than it
_MARKET: Final = OrdType.MARKET


def hold_for(order: Order, instrument: Instrument) -> int:
    """What `order` must hold for all of it that may still execute."""
    return hold_of(
        order,
        instrument,
        order.lots,
        order.cum_lots,
        order.cum_cost,
        order.rest,
        order.fee_rest,
    )


def hold_of(
    order: Order,
    instrument: Instrument,
    lots: int,
    cum_lots: int,
    cum_cost: int,
    rest: int,
    fee_rest: int,
) -> int:
    """The same for other lots, or after fills that the order has not booked yet.

    Terms that a venue has been asked for count where they are worse than those that stand.
    """
    pending = order.pending_lots
    left = (lots if lots > pending else pending) - cum_lots
    if left <= 0:
        return 0
    if order.ref_px:
        return margin_hold(order, instrument, left)
    if order.side is SELL:
        return left * order.base_per_lot
    cash_qty = order.cash_qty
    if cash_qty:
        return with_fees(instrument, max(cash_qty - cum_cost, 0), fee_rest)
    px, pending_px = order.hold_px, order.pending_px
    if pending_px > px:
        px = pending_px
    return buy_hold(instrument, px, left, rest, fee_rest) + order.spare


def margin_hold(order: Order, instrument: Instrument, lots: int) -> int:
    """Ledger units of the quote asset that executing `lots` may lose against what the order was
    worth when it came, fees included; and one more, which is not lost but says that this order
    counts: who holds nothing lets another of its group count."""
    px, ref_px = order.hold_px, order.ref_px
    if order.side is BUY:
        px = order.pending_px if order.pending_px > px else px
        away = px - ref_px
    else:
        px = order.pending_px if 0 < order.pending_px < px else px
        away = ref_px - px
    gross = lots * (px if px > ref_px else ref_px) * instrument.cost_num
    fees = -(-gross * fee_ppm(instrument) // (instrument.cost_den * RATE_SCALE))
    loss = -(-lots * away * instrument.cost_num // instrument.cost_den) if away > 0 else 0
    fees += instrument.fee_reserve
    # A cost that is no whole unit is rounded once for a whole order.
    return loss + fees + (1 if instrument.cost_den == 1 else 2)


def buy_hold(instrument: Instrument, px: int, lots: int, rest: int = 0, fee_rest: int = 0) -> int:
    """Ledger units of the quote asset that `lots` at `px` cost at most, fees included."""
    gross = -((rest - px * lots * instrument.cost_num) // instrument.cost_den)
    if instrument.fee_formula is NOTIONAL:
        return with_fees(instrument, gross, fee_rest)
    exact = instrument.fee_exact_up(px, lots, fee_ppm(instrument))
    return gross + exact + instrument.fee_reserve


def with_fees(instrument: Instrument, gross: int, fee_rest: int = 0) -> int:
    """`gross` and the most that it may cost in fees."""
    if instrument.fee_formula is not NOTIONAL:
        exact = -(-gross * fee_ppm(instrument) // RATE_SCALE)
        return gross + exact + instrument.fee_reserve if gross else 0
    return gross - ((fee_rest - gross * fee_ppm(instrument)) // RATE_SCALE)


def without_fees(instrument: Instrument, amount: int, px: int = 0) -> int:
    """The largest gross, at `px` or better, that `amount` pays together with its fees; 0: at any
    price."""
    if instrument.fee_formula is not NOTIONAL:
        one, amount = instrument.payout_ticks, amount - instrument.fee_reserve
        dear = fee_ppm(instrument) * (one - px if px < one else 0)
        return amount * RATE_SCALE * one // (RATE_SCALE * one + dear) if amount > 0 else 0
    return amount * RATE_SCALE // (RATE_SCALE + fee_ppm(instrument))


def fee_ppm(instrument: Instrument) -> int:
    """The worse of the two rates: nobody knows before which side of the trade it will be."""
    taker, maker = instrument.taker_fee_ppm, instrument.maker_fee_ppm
    return taker if taker > maker else maker


def lots_for(instrument: Instrument, px: int, amount: int) -> int:
    """The most lots that cost no more than `amount` at `px`, before fees."""
    return amount * instrument.cost_den // (px * instrument.cost_num)


def protected(px: int, side: Side, bps: int) -> int:
    """How far from `px` a market order may go: a whole tick, no worse than `bps`, at least one."""
    if side is BUY:
        return px * (BPS + bps) // BPS
    low = -(px * (bps - BPS) // BPS)
    return low if low > 0 else 1


def same_order(order: Order) -> str:
    """What makes two orders the same to the duplicate window; a market order has no price."""
    symbol, cash_qty, stop_px = order.symbol, order.cash_qty, order.stop_px
    sign = "+" if order.side is BUY else "-"
    if cash_qty:
        return f"{symbol}{sign}={cash_qty}"
    px = 0 if order.ord_type is _MARKET else order.px
    if stop_px:
        return f"{symbol}{sign}{order.lots}@{px}^{stop_px}"
    return f"{symbol}{sign}{order.lots}@{px}^0"
