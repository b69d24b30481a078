"""What is ordered: a share that crosses the touch, the rest at rest over many prices.

Order n of a run is the same bytes in every run that saw the same market: what varies is drawn from
n, never from a generator, so that two houses can be given the same flow.
"""

from typing import Final, NamedTuple

import msgspec

CYCLE: Final = 4_000  # orders until terms repeat; only the cl_ord_id is always new
CROSS_BPS: Final = 20  # how far beyond the touch a marketable limit reaches
NEAR_BPS: Final = 20  # no resting order is nearer to the mark
FAR_BPS: Final = 400
SIZES: Final = 16
_STEP: Final = 16
_MIX: Final = 2_654_435_761  # Knuth's multiplicative hash: neighbors come out far apart


class Market(NamedTuple):
    """The mark and the steps of one instrument, in units of 10^-decimals."""

    symbol: str
    px: int
    tick: int
    px_decimals: int
    lot: int
    qty_decimals: int


class Terms(NamedTuple):
    """Everything about an order but who and its id."""

    symbol: str
    side: str
    order_qty: str
    price: str
    time_in_force: str
    marketable: bool


class Flow:
    """Orders 0, 1, 2 … of one run as JSON objects."""

    def __init__(
        self, market: Market, *, accounts: list[str], marketable: float, prefix: str
    ) -> None:
        self._marketable = marketable
        self._heads = [
            f'{{"account_id":"{each}","cl_ord_id":"{prefix}'.encode() for each in accounts
        ]
        self._tails = [_tail(terms(nth, market, marketable)) for nth in range(CYCLE)]
        self._market = market
        self._stale = 0  # this many at the end of the cycle still stand around an older mark

    def order(self, nth: int) -> bytes:
        heads = self._heads
        return b"%b%d%b" % (heads[nth % len(heads)], nth, self._tails[nth % CYCLE])

    def reprice(self, market: Market) -> None:
        """Follow the market: `step` by step, for the whole cycle at once would hold up orders."""
        self._market, self._stale = market, CYCLE

    def step(self) -> None:
        for nth in range(CYCLE - self._stale, CYCLE - max(self._stale - _STEP, 0)):
            self._tails[nth] = _tail(terms(nth, self._market, self._marketable))
        self._stale = max(self._stale - _STEP, 0)


def terms(nth: int, market: Market, marketable: float) -> Terms:
    """Terms of order `nth`: buys and sells alternate by hash, sizes are 1 to 16 small steps."""
    mixed = nth * _MIX % 2**32
    buys = mixed & 1 == 0
    crosses = nth * 7_919 % CYCLE < marketable * CYCLE  # coprime, so spread evenly over a cycle
    if crosses:
        away_ppm = CROSS_BPS * 100 * (1 if buys else -1)
    else:
        span = (FAR_BPS - NEAR_BPS) * 100
        away_ppm = (NEAR_BPS * 100 + (mixed >> 8) % span) * (-1 if buys else 1)
    px = market.px * (1_000_000 + away_ppm) // 1_000_000 // market.tick * market.tick
    step = max(clip(market) // 10 // market.lot, 1) * market.lot
    qty = step * (1 + (mixed >> 4) % SIZES)
    return Terms(
        market.symbol,
        "buy" if buys else "sell",
        text(qty, market.qty_decimals),
        text(px, market.px_decimals),
        "ioc" if crosses else "gtc",
        crosses,
    )


def clip(market: Market) -> int:
    """A usual order is worth some 50 of the quote asset: small beside what the touch displays."""
    worth: int = 50 * 10 ** (market.px_decimals + market.qty_decimals)
    return max(worth // max(market.px, 1), 1)


def text(units: int, decimals: int) -> str:
    if not decimals:
        return str(units)
    whole, rest = divmod(units, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}"


def _tail(order: Terms) -> bytes:
    rest = {
        "symbol": order.symbol,
        "side": order.side,
        "ord_type": "limit",
        "order_qty": order.order_qty,
        "price": order.price,
        "time_in_force": order.time_in_force,
    }
    return b'",' + msgspec.json.encode(rest)[1:]
