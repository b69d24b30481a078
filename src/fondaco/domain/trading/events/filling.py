"""An order has executed."""

from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import OrdStatus, Side
from fondaco.kernel.event import Event
from fondaco.kernel.money import AssetCode


class OrderFilled(Event, frozen=True, gc=False, tag="trading.order_filled.v1"):
    """Amounts are kept as they were rounded that day, so that no later rule can move them. Of a
    contract nothing moves but what it has gained or lost, `realized`, and the fee."""

    number: int
    symbol: Symbol
    side: Side
    exec_number: int
    last_lots: int
    last_px: int
    is_maker: bool
    gross: int  # ledger units of the quote asset: paid by a buy, received by a sell; see above
    base_units: int  # ledger units of the base asset that moved the other way
    fee: int  # of the quote asset
    residue: int  # of the quote asset: what `rounding` gains, or loses; see rules/execution.py
    hold: int  # of the order, after this
    cum_lots: int
    leaves_lots: int
    ord_status: OrdStatus
    over: int = 0  # lots beyond OrderQty, or after the order had ended: booked all the same
    base: AssetCode = AssetCode("")
    quote: AssetCode = AssetCode("")
    rest: int = 0  # of the order, after this: see Order
    fee_rest: int = 0
    is_contract: bool = False
    # Of a margin account, in the quote asset: what reducing its position has gained, fees apart,
    # and what is left of it has cost.
    realized: int = 0
    position_cost: int = 0
