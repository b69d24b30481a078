"""WS /ws/market-data: books, trades, bars, prices and consolidated books, snapshot then deltas.

    {"op":"subscribe","id":1,"channel":"book","symbols":["BTC-USD"]}
    {"op":"unsubscribe","id":2,"channel":"book","symbols":["BTC-USD"]}

What changed within a tick goes out together, encoded once for everybody. A book's deltas are
numbered without gaps; a peer that reads too slowly misses ticks, and is given a snapshot with the
newest state when it reads again: prices are conflated, never queued.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter_ns
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Action
from fondaco.domain.market.api import Board, looks
from fondaco.domain.market.model import Trade
from fondaco.domain.reference.model import Symbol, SymbolText
from fondaco.gateway.talk import Auth, Done, Id, Ping, Talk
from fondaco.kernel.errors import FondacoError, NotFound
from fondaco.kernel.event import Instant

Channel = Literal["book", "trades", "bars", "prices", "consolidated"]
SymbolsText = Annotated[list[SymbolText], Meta(min_length=1, max_length=200)]
TICK_S: Final = 0.02
DEPTH: Final = 50
CONSOLIDATED_DEPTH: Final = 20
BARS: Final = "1m"
_encode: Final = msgspec.json.Encoder().encode


class Subscribe(
    msgspec.Struct, frozen=True, tag_field="op", tag="subscribe", forbid_unknown_fields=True
):
    channel: Channel
    symbols: SymbolsText
    id: Id = None


class Unsubscribe(
    msgspec.Struct, frozen=True, tag_field="op", tag="unsubscribe", forbid_unknown_fields=True
):
    channel: Channel
    symbols: SymbolsText
    id: Id = None


class BookMessage(msgspec.Struct, frozen=True, tag_field="channel", tag="book"):
    """A delta names levels that changed; quantity "0" takes one away. `sequence` grows by one."""

    type: Literal["snapshot", "delta"]
    symbol: str
    sequence: int
    quality: str
    source: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    at: int
    phase: str = ""  # of the house's own venue
    indicative: looks.IndicativeReply | None = None  # what its auction would give now


class TradesMessage(msgspec.Struct, frozen=True, tag_field="channel", tag="trades"):
    """`missed` trades happened while the peer was reading too slowly."""

    symbol: str
    items: list["TradeLine"]
    missed: int = 0


class TradeLine(msgspec.Struct, frozen=True):
    price: str
    qty: str
    aggressor: str
    trade_id: int
    at: int
    source: str


class BarMessage(msgspec.Struct, frozen=True, tag_field="channel", tag="bars"):
    """The newest bar as it is now: it replaces the one with the same `start`."""

    symbol: str
    interval: str
    bar: looks.BarReply


class PriceMessage(msgspec.Struct, frozen=True, tag_field="channel", tag="prices"):
    symbol: str
    price: looks.PriceReply


class ConsolidatedMessage(msgspec.Struct, frozen=True, tag_field="channel", tag="consolidated"):
    """Every good source's best levels as they are now: it replaces the one before."""

    symbol: str
    book: looks.ConsolidatedReply


Ask = Subscribe | Unsubscribe | Auth | Ping
_decode: Final = msgspec.json.Decoder(Ask).decode
Levels = dict[str, str]


class MarketTalk(Talk):
    action = Action("market.stream", "market:read", reads=True, second=False)

    def __init__(self, hub: "MarketHub", *args: Any) -> None:
        self._hub = hub
        self.subscribed: set[tuple[Channel, Symbol]] = set()
        self.behind: dict[tuple[Channel, Symbol], int] = {}  # ticks or trades that were missed
        super().__init__(*args)

    def receive(self, message: bytes) -> None:
        try:
            ask = _decode(message)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self.malformed(message, error)
            return
        try:
            match ask:
                case Auth():
                    self.handle_auth(ask)
                case Ping():
                    self.say(Done(ask.id, 200, "pong"))
                case Subscribe():
                    self._subscribe(ask)
                case Unsubscribe():
                    for symbol in ask.symbols:
                        self._hub.unsubscribe(self, ask.channel, Symbol(symbol))
                    self.say(Done(ask.id, 200, "unsubscribe"))
        except FondacoError as error:
            self.fail(ask.id, error)

    def _subscribe(self, ask: Subscribe) -> None:
        self.known()
        symbols = [Symbol(symbol) for symbol in ask.symbols]
        for symbol in symbols:
            if symbol not in self._hub.board.books:
                raise NotFound(f"there is no market in {symbol}", code="unknown_symbol")
        self.say(Done(ask.id, 200, "subscribe"))
        for symbol in symbols:
            self._hub.subscribe(self, ask.channel, symbol)

    def offer(self, channel: Channel, symbol: Symbol, message: bytes, count: int = 1) -> None:
        """Send, or remember that something was missed."""
        key = channel, symbol
        if self.socket.is_slow or key in self.behind:
            self.behind[key] = self.behind.get(key, 0) + count
        else:
            self.socket.tell(message)

    def writable(self) -> None:
        """The newest state of everything that was missed."""
        behind, self.behind = self.behind, {}
        for (channel, symbol), missed in behind.items():
            message = self._hub.newest(channel, symbol, missed)
            if message is not None:
                self.socket.tell(message)

    def closed(self) -> None:
        super().closed()
        for channel, symbol in list(self.subscribed):
            self._hub.unsubscribe(self, channel, symbol)


class _Shown:
    """One instrument as its subscribers have it."""

    __slots__ = ("asks", "bids", "indicative", "phase", "quality", "sequence", "source")

    def __init__(self) -> None:
        self.bids: Levels = {}
        self.asks: Levels = {}
        self.quality = ""
        self.source = ""
        self.phase = ""
        self.indicative: looks.IndicativeReply | None = None
        self.sequence = 0


class MarketHub:
    """Listens to the board, and costs it nothing while nobody listens here."""

    def __init__(self, board: Board, now: Callable[[], Instant]) -> None:
        self.board = board
        self._now = now
        self._talks: dict[tuple[Channel, Symbol], list[MarketTalk]] = {}
        self._shown: dict[Symbol, _Shown] = {}
        self._dirty: dict[Symbol, int] = {}  # since when
        self._trades: dict[Symbol, list[Trade]] = {}
        self._wanted: set[Symbol] = set()
        self._ticking = False
        board.on_book.append(self._on_book)
        board.on_source.append(self._on_book)  # only the consolidated book differs by it
        board.on_trade.append(self._on_trade)
        board.on_quality.append(lambda symbol, _: self._on_book(symbol))

    def subscribe(self, talk: MarketTalk, channel: Channel, symbol: Symbol) -> None:
        key = channel, symbol
        if key in talk.subscribed:
            return
        talk.subscribed.add(key)
        if channel == "book" and symbol not in self._shown:
            self._shown[symbol] = _Shown()
            self._refresh(symbol)
        self._talks.setdefault(key, []).append(talk)
        self._wanted.add(symbol)
        message = self.newest(channel, symbol, 0)
        if message is not None:
            talk.socket.tell(message)

    def unsubscribe(self, talk: MarketTalk, channel: Channel, symbol: Symbol) -> None:
        key = channel, symbol
        if key not in talk.subscribed:
            return
        talk.subscribed.discard(key)
        talk.behind.pop(key, None)
        self._talks[key].remove(talk)
        if not self._talks[key]:
            del self._talks[key]
            if channel == "book":
                del self._shown[symbol]
            if not any(other == symbol for _, other in self._talks):
                self._wanted.discard(symbol)

    def newest(self, channel: Channel, symbol: Symbol, missed: int) -> bytes | None:
        """What somebody needs who has nothing, or has missed something."""
        if channel == "book":
            shown, book = self._shown[symbol], self.board.book(symbol)
            return _encode(
                BookMessage(
                    "snapshot",
                    symbol,
                    shown.sequence,
                    shown.quality,
                    book.source,
                    list(shown.bids.items()),
                    list(shown.asks.items()),
                    book.at,
                    shown.phase,
                    shown.indicative,
                )
            )
        if channel == "trades":
            return _encode(TradesMessage(symbol, [], missed)) if missed else None
        if channel == "consolidated":
            return self._consolidated(symbol)
        return self._bar(symbol) if channel == "bars" else self._price(symbol)

    # What the board says

    def _on_book(self, symbol: Symbol) -> None:
        if symbol in self._wanted:
            self._dirty.setdefault(symbol, perf_counter_ns())
            self._schedule()

    def _on_trade(self, trade: Trade) -> None:
        if trade.symbol in self._wanted:
            self._trades.setdefault(trade.symbol, []).append(trade)
            self._schedule()

    def _schedule(self) -> None:
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        self._ticking = False
        dirty, self._dirty = self._dirty, {}
        trades, self._trades = self._trades, {}
        for symbol, since in dirty.items():
            if ("book", symbol) in self._talks:
                self._tell("book", symbol, self._refresh(symbol))
            if ("prices", symbol) in self._talks:
                self._tell("prices", symbol, self._price(symbol))
            if ("consolidated", symbol) in self._talks:
                self._tell("consolidated", symbol, self._consolidated(symbol))
            self.board.path.told(perf_counter_ns() - since)
        for symbol, found in trades.items():
            if ("trades", symbol) in self._talks:
                self._tell("trades", symbol, self._lines(symbol, found), len(found))
            if ("bars", symbol) in self._talks:
                self._tell("bars", symbol, self._bar(symbol))

    def _tell(
        self, channel: Channel, symbol: Symbol, message: bytes | None, count: int = 1
    ) -> None:
        if message is not None:
            for talk in tuple(self._talks[channel, symbol]):
                talk.offer(channel, symbol, message, count)

    def _refresh(self, symbol: Symbol) -> bytes | None:
        """Bring what is shown up to the board; the delta between the two."""
        shown, book = self._shown[symbol], self.board.book(symbol)
        px, qty = book.instrument.px_text, book.instrument.qty_text
        bids = {px(ticks): qty(lots) for ticks, lots in book.bids(DEPTH)}
        asks = {px(ticks): qty(lots) for ticks, lots in book.asks(DEPTH)}
        more_bids, more_asks = _delta(shown.bids, bids), _delta(shown.asks, asks)
        told = shown.quality == book.quality and shown.source == book.source
        indicative = looks.indicative(book)
        told = told and (shown.phase, shown.indicative) == (book.phase, indicative)
        if told and not more_bids and not more_asks:
            return None
        shown.bids, shown.asks = bids, asks
        shown.quality, shown.source = book.quality, book.source
        shown.phase, shown.indicative = book.phase, indicative
        shown.sequence += 1
        return _encode(
            BookMessage(
                "delta",
                symbol,
                shown.sequence,
                shown.quality,
                book.source,
                more_bids,
                more_asks,
                book.at,
                shown.phase,
                shown.indicative,
            )
        )

    def _price(self, symbol: Symbol) -> bytes:
        return _encode(PriceMessage(symbol, looks.prices(self.board, symbol, self._now())))

    def _consolidated(self, symbol: Symbol) -> bytes:
        merged = looks.consolidated(self.board, symbol, CONSOLIDATED_DEPTH, self._now())
        return _encode(ConsolidatedMessage(symbol, merged))

    def _bar(self, symbol: Symbol) -> bytes | None:
        found = looks.bars(self.board, symbol, BARS, 1).items
        return _encode(BarMessage(symbol, BARS, found[-1])) if found else None

    def _lines(self, symbol: Symbol, trades: list[Trade]) -> bytes:
        instrument = self.board.book(symbol).instrument
        lines = [
            TradeLine(
                instrument.px_text(trade.px),
                instrument.qty_text(trade.qty),
                trade.aggressor,
                trade.trade_id,
                trade.event_at,
                trade.source,
            )
            for trade in trades
        ]
        return _encode(TradesMessage(symbol, lines))


def _delta(before: Levels, after: Levels) -> list[tuple[str, str]]:
    changed = [(px, qty) for px, qty in after.items() if before.get(px) != qty]
    return changed + [(px, "0") for px in before if px not in after]
