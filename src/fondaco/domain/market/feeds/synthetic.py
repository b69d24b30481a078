"""A market out of a seed, for machines without a network. Labelled synthetic wherever it is shown.

Each price walks at random and is drawn back to where it began; its book keeps some thirty levels a
side on a grid, whose sizes change while the touch moves through them; trades happen at the touch.
It speaks the exchange's own messages, numbered without holes, so that everything behind it is
exercised as it would be by the exchange. The same seed and times give the same bytes.
"""

import asyncio
from typing import Final

import msgspec

from fondaco.domain.market.binance import Binance
from fondaco.domain.market.connection import MS, notice
from fondaco.domain.market.intake import Arrival, Clock, Emit
from fondaco.domain.market.listings import Listing, assets_of, listed
from fondaco.domain.reference.model import Instrument
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.kernel.money import Asset
from fondaco.kernel.seeded import Seeded

SOURCE: Final = "synthetic"
SEED: Final = 7
RATE: Final = 10  # updates a second of each instrument
RATE_MAX: Final = 1_000
LEVELS: Final = 30
SNAPSHOT_EVERY_S: Final = 3_600  # so that any hour of a tape can be replayed by itself
PULL: Final = 0.002  # of the distance to its anchor, per update
PAUSE_MIN_S: Final = 0.001  # a loop's clock is no finer, and to ask it again at once costs more


class Shape(msgspec.Struct, frozen=True):
    """How one instrument behaves: prices in ticks, sizes in lots."""

    anchor: int
    grid: int  # between levels behind the touch
    spread_max: int
    step: float  # standard deviation of one update
    size: int  # of a usual level
    clip: int  # of a usual trade


SHAPES: Final = {
    "BTCUSD": Shape(5_000_000, 50, 40, 60.0, 40_000, 1_500),
    "ETHUSD": Shape(250_000, 5, 6, 4.0, 80_000, 3_000),
    "SOLUSD": Shape(15_000, 1, 3, 0.6, 300_000, 10_000),
}

Levels = dict[int, int]


class Walk:
    """One instrument: its book, and what changes in it with every step."""

    def __init__(self, listing: Listing, shape: Shape, seed: int) -> None:
        self._listing, self._shape = listing, shape
        self._random = Seeded(seed)
        self._middle = float(shape.anchor)
        self._last_id, self._trade_id = 1_000_000, 0
        self.bids: Levels = {}
        self.asks: Levels = {}
        self._move()

    def snapshot(self) -> bytes:
        """The whole book as the exchange's REST answer."""
        return msgspec.json.encode(
            {
                "lastUpdateId": self._last_id,
                "bids": self._texts(sorted(self.bids.items(), reverse=True)),
                "asks": self._texts(sorted(self.asks.items())),
            }
        )

    def step(self, at: Instant) -> list[bytes]:
        """Trades that happened, the update that they and others left, and the new touch."""
        messages = [self._trade(at) for _ in range(self._random.below(3))]
        bids, asks = dict(self.bids), dict(self.asks)
        self._move()
        bid_changes, ask_changes = _changes(bids, self.bids), _changes(asks, self.asks)
        changed = max(len(bid_changes) + len(ask_changes), 1)
        first, self._last_id = self._last_id + 1, self._last_id + changed
        update = {
            "e": "depthUpdate",
            "E": at // MS,
            "s": self._listing.name,
            "U": first,
            "u": self._last_id,
            "b": self._texts(bid_changes),
            "a": self._texts(ask_changes),
        }
        bid, ask = max(self.bids), min(self.asks)
        ticker = {
            "u": self._last_id,
            "s": self._listing.name,
            "b": self._px(bid),
            "B": self._qty(self.bids[bid]),
            "a": self._px(ask),
            "A": self._qty(self.asks[ask]),
        }
        messages.append(self._combined("depth@100ms", update))
        messages.append(self._combined("bookTicker", ticker))
        return messages

    def _move(self) -> None:
        shape, random = self._shape, self._random
        self._middle += random.normal() * shape.step - PULL * (self._middle - shape.anchor)
        self._middle = max(self._middle, shape.anchor / 2)
        spread = random.between(1, shape.spread_max)
        bid = int(self._middle) - spread // 2
        self.bids = self._side(self.bids, bid, -1)
        self.asks = self._side(self.asks, bid + spread, 1)

    def _side(self, old: Levels, touch: int, away: int) -> Levels:
        """The touch and the grid behind it: sizes stay but for the touch and a few others."""
        grid, random = self._shape.grid, self._random
        first = touch // grid + 1 if away > 0 else (touch - 1) // grid
        prices = [touch, *((first + away * nth) * grid for nth in range(LEVELS - 1))]
        new = {px: old.get(px) or self._size(nth) for nth, px in enumerate(prices)}
        new[touch] = self._size(0)
        for _ in range(3):
            nth = random.below(LEVELS)
            new[prices[nth]] = self._size(nth)
        return new

    def _size(self, nth: int) -> int:
        usual = self._shape.size * (4 + nth) // 4
        return self._random.between(max(usual // 5, 1), 2 * usual)

    def _trade(self, at: Instant) -> bytes:
        sells = self._random.bits() & 1 == 0
        px = max(self.bids) if sells else min(self.asks)
        self._trade_id += 1
        trade = {
            "e": "trade",
            "E": at // MS,
            "s": self._listing.name,
            "t": self._trade_id,
            "p": self._px(px),
            "q": self._qty(self._random.between(1, 2 * self._shape.clip)),
            "T": at // MS,
            "m": sells,
            "M": True,
        }
        return self._combined("trade", trade)

    def _combined(self, stream: str, data: dict[str, object]) -> bytes:
        return msgspec.json.encode(
            {"stream": f"{self._listing.name.lower()}@{stream}", "data": data}
        )

    def _px(self, ticks: int) -> str:
        return self._listing.instrument.px_text(ticks)

    def _qty(self, lots: int) -> str:
        return self._listing.instrument.qty_text(lots)

    def _texts(self, levels: list[tuple[int, int]]) -> list[tuple[str, str]]:
        return [(self._px(px), self._qty(qty)) for px, qty in levels]


class SyntheticFeed:
    def __init__(self, *, seed: int = SEED, rate: int = RATE) -> None:
        if not 1 <= rate <= RATE_MAX:
            raise Invalid(f"rate is {rate}, must be 1 to {RATE_MAX} updates a second")
        self.label = SOURCE
        self.wire = Binance
        self.listings = listed(SHAPES)
        self._rate = rate
        self._walks = [
            Walk(each, SHAPES[each.name], seed * 1_000_003 + nth)
            for nth, each in enumerate(self.listings)
        ]

    def instruments(self) -> tuple[Instrument, ...]:
        return tuple(each.instrument for each in self.listings)

    def assets(self) -> tuple[Asset, ...]:
        return assets_of(self.listings)

    def opening(self, at: Instant) -> list[Arrival]:
        """What comes first: a snapshot of every book."""
        opening = [Arrival(f"{SOURCE}.house", at, notice("reset", reason="start"))]
        for listing, walk in zip(self.listings, self._walks, strict=True):
            opening.append(Arrival(f"{SOURCE}.{listing.name}", at, walk.snapshot()))
        return opening

    def step(self, nth: int, at: Instant) -> list[Arrival]:
        """The `nth` step: one instrument's turn, so that the work is spread over the second."""
        round_nth, turn = divmod(nth, len(self._walks))
        walk = self._walks[turn]
        arrivals = [Arrival(SOURCE, at, raw) for raw in walk.step(at)]
        if round_nth % (SNAPSHOT_EVERY_S * self._rate) == 1:
            name = self.listings[turn].name
            arrivals.append(Arrival(f"{SOURCE}.{name}", at, walk.snapshot()))
        return arrivals

    async def run(self, clock: Clock, emit: Emit) -> None:
        emit(self.opening(clock()))
        every_ns = 1_000_000_000 // (self._rate * len(self._walks))
        due, nth = clock(), 0
        while True:
            now = clock()
            if now - due > 1_000_000_000:
                due = now  # the loop was away: go on from here, do not make up for it
            while due <= now:
                emit(self.step(nth, now))
                nth += 1
                due = Instant(due + every_ns)
            await asyncio.sleep(max((due - clock()) / 1e9, PAUSE_MIN_S))


def _changes(old: Levels, new: Levels) -> list[tuple[int, int]]:
    """What turns `old` into `new`; a quantity of zero removes its level."""
    gone = [(px, 0) for px in old if px not in new]
    return gone + [(px, qty) for px, qty in new.items() if old.get(px) != qty]
