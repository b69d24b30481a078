"""The board: every instrument's book, mark, last trade, bars and quality, in memory.

It belongs to the loop's thread. A feed's normaliser writes it, everybody else reads; listeners are
called when an update is complete, so that what they read is what there is. It has no clock: time
comes with every frame, and `check` is told what time it is.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final
from zlib import crc32

from fondaco.domain.market.bars import Bars
from fondaco.domain.market.book import ASK, BID, Book
from fondaco.domain.market.contracts import Contract, Stage
from fondaco.domain.market.listings import EVENT
from fondaco.domain.market.model import (
    Bar,
    BookSide,
    Delays,
    Finality,
    Indicative,
    Mark,
    Price,
    Quality,
    Quote,
    Switch,
    Tallies,
    Trade,
)
from fondaco.domain.market.quality import Condition, judge
from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.money import half_even_div
from fondaco.runtime.tracing.prices import PricePath

STALE_AFTER_MS: Final = 2_000  # the feeds here speak every 100 ms; twenty in a row are no accident
CHECKSUM_LEVELS: Final = 10
PERIODS_KEPT: Final = 256  # of quality, per instrument
BarsBySymbol = dict[Symbol, dict[str, list[Bar]]]  # by interval, oldest first
READY: Final = frozenset((Quality.OK, Quality.CLOSED))
SWITCHES_KEPT: Final = 256  # of source, per instrument
CONTINUOUS: Final = "continuous"  # the phase in which orders of our own venue meet as they come
OUTLIER_PARTS: Final = 10  # a trade beyond a tenth of a good book's middle is somebody's mistake


class Pulse:
    """When a connection was last heard of, whichever of its books it spoke of."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = Instant(0)


class LiveBook:
    """One instrument's order book with what is known about it."""

    __slots__ = (
        "at",
        "condition",
        "event_at",
        "good_at",
        "indicative",
        "instrument",
        "is_own",
        "is_shared",
        "levels",
        "own_px",
        "periods",
        "phase",
        "position",
        "pulse",
        "quality",
        "sequence",
        "source",
        "symbol",
        "tallies",
        "version",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.symbol = instrument.symbol
        self.instrument = instrument
        self.levels = Book(
            instrument.px_decimals,
            instrument.tick_units,
            instrument.qty_decimals,
            instrument.lot_units,
        )
        self.condition = Condition()
        self.quality = Quality.RECOVERING
        self.is_own = False  # the book of a venue of this house
        self.own_px = 0  # of the last trade there, or of the listing
        self.phase = ""  # of our own venue; an exchange's book says it by its quality
        self.indicative: Callable[[], Indicative | None] = _no_auction
        self.sequence = 0  # the exchange's number of the last update in the book
        self.version = 0  # ours: grows with every update and snapshot, and is never set back
        self.source = ""
        self.position = 0  # on the tape
        self.at = Instant(0)  # the last update was received
        self.event_at = Instant(0)  # … and happened
        self.good_at = Instant(0)  # the last update that left the book OK was received
        self.is_shared = False  # it shows another board's book, where silences are counted
        self.pulse = Pulse()  # of an exchange that says every change: who speaks, left none out
        self.tallies = Tallies()
        self.periods: list[tuple[Quality, Instant]] = []  # each quality and when it began

    @property
    def is_continuous(self) -> bool:
        """Whether orders meet here as they come: what rests in an auction is no market."""
        return not self.phase or self.phase == CONTINUOUS

    def silent_at(self, now: Instant, limit_ns: int) -> bool:
        """Whether nothing was heard for longer than this. Our own book has nobody to be heard."""
        return not self.is_own and now - max(self.at, self.pulse.at) > limit_ns

    def bids(self, limit: int) -> list[tuple[int, int]]:
        """Up to `limit` levels as (ticks, lots), best first."""
        levels: list[tuple[int, int]] = self.levels.depth(BID, limit)
        return levels

    def asks(self, limit: int) -> list[tuple[int, int]]:
        levels: list[tuple[int, int]] = self.levels.depth(ASK, limit)
        return levels

    def qty(self, side: BookSide, px: int) -> int:
        """Lots displayed at `px`."""
        lots: int = self.levels.qty(BID if side == "bid" else ASK, px)
        return lots

    def level_version(self, side: BookSide, px: int) -> int:
        """`version` as it was when this level was last written; -1 where there is no level.

        Whoever consumed a level keeps this number: once it differs, the exchange has spoken again.
        """
        version: int = self.levels.version(_number(side), px)
        return version

    def checksum(self, levels: int = CHECKSUM_LEVELS) -> int:
        """CRC-32 of the text "bid px:bid lots:ask px:ask lots:…", best first, in ticks and lots.

        Where one side is shorter, its places are left out. A client that applies deltas computes
        the same from its own copy.
        """
        bids, asks = self.bids(levels), self.asks(levels)
        parts: list[str] = []
        for nth in range(max(len(bids), len(asks))):
            parts += [f"{px}:{qty}" for side in (bids, asks) for px, qty in side[nth : nth + 1]]
        return crc32(":".join(parts).encode())


class Board:
    """The market as the house knows it: `marks` is one dict for good, its values are replaced."""

    def __init__(
        self, instruments: Mapping[Symbol, Instrument], *, stale_after_ms: int = STALE_AFTER_MS
    ) -> None:
        self.instruments = dict(instruments)
        self.stale_after_ns = stale_after_ms * 1_000_000
        self.marks: dict[Symbol, Mark] = {}
        self.path = PricePath()
        self.on_book: list[Callable[[Symbol], None]] = []
        self.on_trade: list[Callable[[Trade], None]] = []
        self.on_quality: list[Callable[[Symbol, Quality], None]] = []
        self.on_source: list[Callable[[Symbol], None]] = []  # one that is not shown has moved
        self.on_check: list[Callable[[Instant], None]] = []
        self.on_switch: list[Callable[[Switch], None]] = []
        self.books = {symbol: LiveBook(each) for symbol, each in self.instruments.items()}
        self.delays = {symbol: dict[Quality, Delays]() for symbol in self.instruments}
        self.on_finality: list[Callable[[str, Finality], None]] = []  # of our own trades, by name
        self.on_contract: list[Callable[[Symbol], None]] = []
        self.contracts = {
            symbol: Contract(symbol, 10**each.px_decimals // each.tick_units)
            for symbol, each in self.instruments.items()
            if each.asset_class == EVENT
        }
        self.sources = {symbol: [book] for symbol, book in self.books.items()}  # first goes first
        self.switches = {symbol: list[Switch]() for symbol in self.instruments}
        self._lasts: dict[Symbol, Trade] = {}
        self._bars = {symbol: Bars() for symbol in self.instruments}

    # What everybody reads

    def add_own(self, instrument: Instrument) -> None:
        """An instrument that trades on our own venue: what is shown is that venue's book."""
        symbol = instrument.symbol
        book = LiveBook(instrument)
        book.is_own = True
        book.phase = CONTINUOUS
        book.own_px = instrument.reference_px
        self.instruments[symbol] = instrument
        self.books[symbol] = book
        self.delays[symbol] = {}
        self.sources[symbol] = [book]
        self.switches[symbol] = []
        self._bars[symbol] = Bars()

    def book(self, symbol: Symbol) -> LiveBook:
        """Raises `NotFound` for an instrument that no feed serves."""
        book = self.books.get(symbol)
        if book is None:
            raise NotFound(f"there is no market in {symbol[:40]}", code="unknown_symbol")
        return book

    def last(self, symbol: Symbol) -> Trade | None:
        return self._lasts.get(self.book(symbol).symbol)

    def bars(self, symbol: Symbol, interval: str, limit: int) -> list[Bar]:
        return self._bars[self.book(symbol).symbol].last(interval, limit)

    def bars_since(self, starts: Mapping[str, Mapping[str, Instant]]) -> BarsBySymbol:
        """As `Bars.since`, of every instrument of which there is anything new."""
        found = {each: bars.since(starts.get(each, {})) for each, bars in self._bars.items()}
        return {symbol: bars for symbol, bars in found.items() if bars}

    def restore_bars(self, symbol: Symbol, interval: str, bars: Iterable[Bar]) -> None:
        self._bars[symbol].restore(interval, bars)

    def quality(self, symbol: Symbol) -> Quality:
        return self.book(symbol).quality

    def price(self, symbol: Symbol, now: Instant) -> Price:
        """Last, middle and mark, each with where it came from and how old it is."""
        book, last, mark = self.book(symbol), self._lasts.get(symbol), self.marks.get(symbol)
        middle = self.middle(book)
        return Price(
            symbol=symbol,
            quality=book.quality,
            last=None if last is None else _quote(last.px, last.source, now, last.at),
            mid=None if middle is None else _quote(middle, book.source, now, book.at),
            mark=None if mark is None else _quote(mark.px, mark.source, now, mark.at),
        )

    @property
    def detection_delay_ns(self) -> dict[Symbol, int]:
        """Per instrument the longest time that a book could be wrong before its quality said so."""
        return {
            symbol: max((each.max_ns for each in found.values()), default=0)
            for symbol, found in self.delays.items()
        }

    @property
    def ready(self) -> bool:
        """Whether every instrument has an OK book, or one that is closed as it should be."""
        return not self.not_ready

    @property
    def not_ready(self) -> list[str]:
        """Each instrument that has not, and why."""
        return [
            f"{symbol} {book.quality}"
            for symbol, book in self.books.items()
            if book.quality not in READY
        ]

    # What the normaliser and the timer write

    def settle(self, book: LiveBook) -> None:
        """An update, or a change of condition, is complete: judge, mark, and tell."""
        condition, levels = book.condition, book.levels
        # What waits for an auction may lie crossed: nobody could have had it.
        crossed = levels.crossed() and book.is_continuous
        condition.silent = False
        if crossed != condition.crossed:
            condition.crossed = crossed
            book.tallies.crossed += crossed and condition.synced
        self._mark(book, book.at)
        self._judge(book, book.at)
        if not book.is_own:
            self.path.arrived(book.event_at, book.at)
        for listener in self.on_book:
            listener(book.symbol)

    def condition_changed(self, book: LiveBook, at: Instant) -> None:
        """Its levels are as they were, but what is known about them is not."""
        self._judge(book, at)

    def traded(self, trade: Trade, position: int) -> None:
        """A print that nobody could have had is counted, and moves neither price nor queue."""
        symbol = trade.symbol
        book = self.books[symbol]
        middle = self.middle(book)
        if (
            middle is not None
            and book.quality is Quality.OK
            and not book.is_own  # what was executed here is no mistake of somebody else's
            and abs(trade.px - middle) * OUTLIER_PARTS > middle
        ):
            book.tallies.outliers += 1
            return
        self._lasts[symbol] = trade
        self._bars[symbol].add(trade)
        if middle is None:
            self.marks[symbol] = Mark(
                symbol, trade.px, book.quality, trade.source, position, trade.at
            )
        for listener in self.on_trade:
            listener(trade)

    def switched(self, switch: Switch) -> None:
        """Another source is about to be shown."""
        kept = self.switches[switch.symbol]
        kept.append(switch)
        del kept[:-SWITCHES_KEPT]
        for listener in self.on_switch:
            listener(switch)

    def check(self, now: Instant) -> None:
        """Turn silence into STALE, and STALE back where the connection speaks again; called a few
        times a second."""
        for listener in self.on_check:
            listener(now)
        for symbol, contract in self.contracts.items():
            if contract.closes(now):
                self._contract_moved(self.books[symbol], now)
        for book in self.books.values():
            condition = book.condition
            silent = book.silent_at(now, self.stale_after_ns)
            if condition.synced and condition.silent is not silent:
                condition.silent = silent
                book.tallies.stale += silent and not book.is_shared
                self._judge(book, now)

    def quoted(self, book: LiveBook, at: Instant) -> None:
        """Its exchange quotes it: a contract of which nothing else is known is open."""
        if self.contracts[book.symbol].stage is Stage.CREATED:
            self.contract_moves(book, Stage.OPEN, at)

    def contract_moves(
        self, book: LiveBook, stage: Stage, at: Instant, determined: int = -1
    ) -> None:
        """The exchange said what became of a contract; what cannot be is counted by it."""
        if self.contracts[book.symbol].move(stage, at, determined):
            self._contract_moved(book, at)

    def own_trade(self, name: str, finality: Finality) -> None:
        """An exchange said what has become of a trade of ours."""
        for listener in self.on_finality:
            listener(name, finality)

    def restore_contract(self, symbol: Symbol, stage: Stage, determined: int, at: Instant) -> None:
        """What was known of a contract before this process began; nobody is told."""
        contract, book = self.contracts[symbol], self.books[symbol]
        contract.stage, contract.determined, contract.since = stage, determined, at
        book.condition.closed = not contract.trades
        self._judge(book, at)

    def _contract_moved(self, book: LiveBook, at: Instant) -> None:
        """A contract that is not open has no market; one that ended has no book either."""
        contract = self.contracts[book.symbol]
        book.condition.closed = not contract.trades
        if contract.stage not in (Stage.OPEN, Stage.PAUSED):
            book.levels.clear()
            book.version += 1
            book.condition.synced = False
        self._judge(book, at)
        for listener in self.on_contract:
            listener(book.symbol)

    def _mark(self, book: LiveBook, at: Instant) -> None:
        middle = _own_value(book) if book.is_own else self.middle(book)
        if middle is not None:
            quality = judge(book.condition)
            self.marks[book.symbol] = Mark(
                book.symbol, middle, quality, book.source, book.position, at
            )

    def _judge(self, book: LiveBook, at: Instant) -> None:
        quality, before = judge(book.condition), book.quality
        if quality is not before:
            book.quality = quality
            if before is Quality.OK:
                delays = self.delays[book.symbol].setdefault(quality, Delays())
                delays.add(max(at - book.good_at, 0))
            book.periods.append((quality, at))
            del book.periods[:-PERIODS_KEPT]
            mark = self.marks.get(book.symbol)
            if mark is not None and mark.quality is not quality:
                self.marks[book.symbol] = Mark(
                    mark.symbol, mark.px, quality, mark.source, mark.tape_position, mark.at
                )
            for listener in self.on_quality:
                listener(book.symbol, quality)
        if quality is Quality.OK:
            book.good_at = at

    @staticmethod
    def middle(book: LiveBook) -> int | None:
        """In ticks, half to even; None where a side is empty."""
        bid, ask = book.levels.best_bid(), book.levels.best_ask()
        return None if bid < 0 or ask < 0 else half_even_div(bid + ask, 2)


def _own_value(book: LiveBook) -> int | None:
    """The median of best bid, best ask and the last trade: one order far off moves it nowhere.

    Until there was a trade, the reference price of the listing stands for it.
    """
    px = book.own_px
    if not px:
        return Board.middle(book)
    if not book.is_continuous:
        return px  # nothing trades: what may still be taken back before an auction is worth nothing
    bid, ask = book.levels.best_bid(), book.levels.best_ask()
    if bid > px:
        px = bid
    return ask if 0 <= ask < px else px


def _no_auction() -> Indicative | None:
    return None


def _number(side: BookSide) -> int:
    return BID if side == "bid" else ASK


def _quote(px: int, source: str, now: Instant, at: Instant) -> Quote:
    return Quote(px, source, max(now - at, 0))
