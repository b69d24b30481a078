"""What the measuring rules find of an order: a ceiling each, and what was left before it."""

from typing import Final

import msgspec

from fondaco.domain.market.model import Mark
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import Headroom, OpenLots, Order, Reason, Side
from fondaco.domain.trading.rules.holds import AMOUNT_MAX, BUY, same_order
from fondaco.kernel.money import AssetCode

# The rules in the order of `Reason`, as ceilings and the fields of `Headroom` are listed.
MEASURES: Final = (
    Reason.EXCEEDS_ORDER_QTY,
    Reason.EXCEEDS_ORDER_NOTIONAL,
    Reason.OUTSIDE_COLLAR,
    Reason.EXCEEDS_POSITION_LIMIT,
    Reason.EXCEEDS_CONCENTRATION,
    Reason.EXCEEDS_CLASS_CONCENTRATION,
    Reason.EXCEEDS_DAILY_LOSS,
    Reason.EXCEEDS_ORDER_RATE,
    Reason.EXCEEDS_NOTIONAL_RATE,
    Reason.EXCEEDS_BUYING_POWER,
    Reason.EXCEEDS_MARGIN,
    Reason.EXCEEDS_ISSUER_CONCENTRATION,
    Reason.EXCEEDS_VENUE_CONCENTRATION,
    Reason.EXCEEDS_TRADE_RISK,
    Reason.EXCEEDS_OPEN_POSITIONS,
    Reason.EXCEEDS_OPEN_LOTS,
    Reason.EXCEEDS_LEVERAGE,
)
QTY: Final = 0
NOTIONAL: Final = 1
COLLAR: Final = 2
POSITION: Final = 3
CONCENTRATION: Final = 4
CLASS: Final = 5
LOSS: Final = 6
ORDERS: Final = 7
PACE: Final = 8
POWER: Final = 9
MARGIN: Final = 10
ISSUER: Final = 11
VENUE: Final = 12
RISK: Final = 13
POSITIONS: Final = 14
LOTS: Final = 15
LEVERAGE: Final = 16
NO_CEILINGS: Final = [AMOUNT_MAX] * len(MEASURES)
ALL_OFF: Final = [-1] * len(MEASURES)


class Ahead:
    """What a turn has accepted, and `evolve` has not seen, when it looks at the next order.

    Amounts may be negative: a replace gives back what the order holds before it asks anew.
    """

    __slots__ = ("beside", "coming", "held", "keys", "notional", "open_lots", "orders")

    def __init__(self) -> None:
        self.held: dict[AssetCode, int] = {}
        self.coming: dict[AssetCode, int] = {}
        self.open_lots: dict[Symbol, OpenLots] = {}  # of an account on margin, instead of coming
        self.keys: set[str] = set()
        self.orders = 0
        self.notional = 0
        self.beside: list[Order] = []  # all of the list that this turn looks at, also those to come

    def add(self, order: Order, notional: int) -> None:
        is_buy = order.side is BUY
        paid = order.quote if is_buy or order.ref_px else order.base
        self.held[paid] = self.held.get(paid, 0) + order.hold
        if order.ref_px and order.hold:
            self.count(order, order.lots, 1)
        elif is_buy and order.hold:
            more = order.lots * order.base_per_lot
            self.coming[order.base] = self.coming.get(order.base, 0) + more
        self.keys.add(same_order(order))
        self.orders += 1
        self.notional += notional

    def count(self, order: Order, lots: int, orders: int) -> None:
        """Of an account on margin: so many lots more may execute, of so many more orders."""
        sums = self.open_lots.setdefault(order.symbol, OpenLots())
        if order.side is BUY:
            sums.buys += lots
        else:
            sums.sells += lots
        sums.orders += orders

    def give_back(self, order: Order) -> None:
        """What a working order takes up now, before it is canceled or asks anew."""
        left = (order.lots if order.lots > order.pending_lots else order.pending_lots) - (
            order.cum_lots
        )
        paid = order.quote if order.side is BUY or order.ref_px else order.base
        self.held[paid] = self.held.get(paid, 0) - order.hold
        if order.hold and order.ref_px:
            self.count(order, -left, -1)
        elif order.hold and order.side is BUY:
            self.coming[order.base] = self.coming.get(order.base, 0) - left * order.base_per_lot

    def lots(self, symbol: Symbol, side: Side) -> int:
        """On margin: what this turn lets execute more."""
        sums = self.open_lots.get(symbol)
        return 0 if sums is None else sums.buys if side is BUY else sums.sells


class Weighed(msgspec.Struct, gc=False):
    """What the rules found: a ceiling each, and what was left of each before the order."""

    ceilings: list[int]
    left: list[int]
    marks: tuple[Mark, ...]  # that were used
    value_px: int  # ticks at which the rules value the order
    notional: int = 0  # of the order, in the account's currency
    has: int = 0  # base units, open buys included
    equity: int = 0
    in_class: int = 0  # of equity, open buys included
    loss: int = 0  # since the session began
    orders: int = 0  # within the rate window
    paced: int = 0  # notional within the rate window
    free: int = 0  # of what pays for the order; on margin, what it can close
    available: int = 0  # free margin before the order
    needed: int = 0  # of it, by the order
    in_issuer: int = 0  # of equity, open buys included
    in_venue: int = 0
    told: tuple[int, int] = (0, 0)  # the first rule of trades that is exceeded: value and limit
    hint: str = ""  # what would help beside a smaller order

    def headroom(self) -> Headroom:
        return Headroom(*self.left)
