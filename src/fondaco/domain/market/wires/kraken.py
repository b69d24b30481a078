"""Kraken's WebSocket version 1, as recorded in 2021: books, trades, and a checksum on every update.

A message is a list: channel number, one or two objects, channel name, pair. A book begins with `as`
and `bs`; updates carry `a`, `b` or both, and at their end `c`, the CRC-32 of the best ten levels:
asks first, each as the digits of its price and its quantity in the exchange's own text, the point
and the zeros in front of them left out. Our ticks and lots say the same digits, so every checksum
is computed from what the book holds; one that differs is a hole. How many decimals the exchange
writes is read off each snapshot: it is not what its list of products says.

What was written again (`r`) is a level like any other. Beyond the depth that was asked for, the
exchange does not say what becomes of levels, so they are dropped.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple
from zlib import crc32

import msgspec

from fondaco.domain.market.board import Board
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.connection import Connection, Keeper
from fondaco.domain.market.listings import Listing, listing
from fondaco.domain.market.model import Trade
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

SOURCE: Final = "kraken-2021"
FORMAT: Final = "recorded format of 2021"
CHECKSUM_LEVELS: Final = 10
ALIASES: Final = {"XBT": "BTC", "XDG": "DOGE"}
_EMPTY: Final = msgspec.Raw(b"")


class Levels(msgspec.Struct, gc=False):
    """The book's object in a message: a snapshot, or one side of an update with its checksum."""

    ask_start: msgspec.Raw = msgspec.field(name="as", default=_EMPTY)
    bid_start: msgspec.Raw = msgspec.field(name="bs", default=_EMPTY)
    ask: msgspec.Raw = msgspec.field(name="a", default=_EMPTY)
    bid: msgspec.Raw = msgspec.field(name="b", default=_EMPTY)
    checksum: str = msgspec.field(name="c", default="")


class Said(msgspec.Struct, gc=False):
    """A message that is no list: heartbeat, status, or the answer to a subscription."""

    event: str
    status: str = ""


class Pair(msgspec.Struct, gc=False):
    """One line of the list of products."""

    pair_decimals: int
    lot_decimals: int
    wsname: str = ""


class Products(msgspec.Struct, gc=False):
    result: dict[str, Pair]


class Scale(NamedTuple):
    """One of ours is `num / den` of the last place that the exchange writes."""

    num: int
    den: int


class KrakenBook(Keeper):
    """One pair's book."""

    def __init__(self, board: Board, listed: Listing) -> None:
        super().__init__(board, listed)
        self.depth = 0  # levels a side that were subscribed to
        self._px_scale = Scale(1, 1)
        self._qty_scale = Scale(1, 1)

    def start(self, levels: Levels, at: Instant, position: int) -> None:
        """A snapshot replaces the book: the exchange sends one with every subscription."""
        book = self.book
        book.tallies.snapshots += 1
        book.version += 1
        try:
            book.levels.load_levels(ASK, bytes(levels.ask_start), book.version)
            asked_us = book.levels.stamp_us
            book.levels.load_levels(BID, bytes(levels.bid_start), book.version)
            self._learn_decimals(bytes(levels.ask_start), bytes(levels.bid_start))
        except (ValueError, OverflowError):
            self.malformed(at)
            return
        book.event_at = Instant(max(asked_us, book.levels.stamp_us) * 1_000)
        book.at, book.position = at, position
        self.started()
        self._board.settle(book)

    def update(self, parts: Sequence[Levels], at: Instant, position: int) -> int:
        """Apply an update, whole, and hold the book against its checksum; gives its time in µs."""
        book = self.book
        book.tallies.diffs += 1
        if not book.condition.synced:
            return 0
        book.version += 1
        when_us = 0
        expected = ""
        try:
            for part in parts:
                for side, text in ((ASK, part.ask), (BID, part.bid)):
                    if text:
                        book.levels.read_levels(side, bytes(text), book.version)
                        when_us = max(when_us, book.levels.stamp_us)
                expected = part.checksum or expected
        except (ValueError, OverflowError):
            self.malformed(at)
            return 0
        if self.depth:
            book.levels.truncate(self.depth)
        book.at, book.position = at, position
        book.sequence += 1  # the exchange has none
        if not self._agrees(expected):
            self.hole(at)
            return 0
        self._board.settle(book)
        return when_us

    def checksum(self) -> int:
        """Of the book as it is, by the exchange's rule."""
        digits = self.book.levels.digits
        asks = digits(ASK, CHECKSUM_LEVELS, *self._px_scale, *self._qty_scale)
        bids = digits(BID, CHECKSUM_LEVELS, *self._px_scale, *self._qty_scale)
        return crc32((asks + bids).encode())

    def _agrees(self, expected: str) -> bool:
        """An update without a checksum cannot be told from one that lost it."""
        tallies = self.book.tallies
        tallies.checksums += 1
        if expected.isdecimal() and int(expected) == self.checksum():
            return True
        tallies.checksums_different += 1
        return False

    def _learn_decimals(self, *sides: bytes) -> None:
        """How many the exchange writes, off the first level there is."""
        instrument = self.book.instrument
        for side in sides:
            texts = side.split(b'"', 4)
            if len(texts) == 5:
                px, qty = (len(text.partition(b".")[2]) for text in (texts[1], texts[3]))
                self._px_scale = _scale(instrument.tick_units, instrument.px_decimals, px)
                self._qty_scale = _scale(instrument.lot_units, instrument.qty_decimals, qty)


class Kraken(Connection):
    """One per feed."""

    def __init__(self, board: Board, listings: Iterable[Listing]) -> None:
        self._board = board
        self._books = {each.name: KrakenBook(board, each) for each in listings}
        super().__init__(self._books)
        self.share_pulse()
        self._list = msgspec.json.Decoder(list[msgspec.Raw]).decode
        self._levels = msgspec.json.Decoder(Levels).decode
        self._said = msgspec.json.Decoder(Said).decode
        self._text = msgspec.json.Decoder(str).decode
        self._trades = msgspec.json.Decoder(list[list[str]]).decode

    def hear(self, label: str, part: str, at: Instant, position: int, raw: bytes) -> None:
        self.pulse(at)
        try:
            if raw[:1] != b"[":
                self.unknown += self._said(raw).event not in _SAID
                return
            parts = self._list(raw)
            channel, pair = self._text(parts[-2]), self._text(parts[-1])
            kept = self._books.get(pair)
            if kept is None:
                self.unknown += 1
                return
            kept.book.source = label
            kept.book.tallies.messages += 1
            if channel.startswith("book-"):
                self._book(
                    kept, channel, [self._levels(each) for each in parts[1:-2]], at, position
                )
            elif channel == "trade":
                self._traded(kept, self._trades(parts[1]), label, at, position)
            elif channel == "ticker":
                kept.book.tallies.tickers += 1
            else:
                self.unknown += 1
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, IndexError):
            self.senseless(part, at)

    def _book(
        self, kept: KrakenBook, channel: str, parts: list[Levels], at: Instant, position: int
    ) -> None:
        if parts[0].ask_start or parts[0].bid_start:
            kept.depth = int(channel.partition("-")[2])
            kept.start(parts[0], at, position)
            return
        when_us = kept.update(parts, at, position)
        if when_us:
            kept.book.event_at = self.happened(kept.book, when_us * 1_000, at)

    def _traded(
        self, kept: KrakenBook, trades: list[list[str]], label: str, at: Instant, position: int
    ) -> None:
        """Each is price, quantity, time, b or s, kind of order, more; none has a number."""
        book = kept.book
        for px_text, qty_text, when, side, *_ in trades:
            try:
                px = book.levels.read_px(f'"{px_text}"'.encode())
                qty = book.levels.read_qty(f'"{qty_text}"'.encode())
                seconds, _, micros = when.partition(".")
                when_us = int(seconds) * 1_000_000 + int(micros.ljust(6, "0")[:6])
                aggressor = _AGGRESSORS[side]
            except (ValueError, OverflowError, KeyError):
                book.tallies.malformed += 1  # the book is none the worse for it
                continue
            book.tallies.trades += 1
            happened = self.happened(book, when_us * 1_000, at)
            self._board.traded(
                Trade(book.symbol, px, qty, aggressor, 0, happened, at, label), position
            )


_SAID: Final = frozenset(("heartbeat", "systemStatus", "subscriptionStatus", "pong"))
_AGGRESSORS: Final[dict[str, Literal["buy", "sell"]]] = {"b": "buy", "s": "sell"}


def _scale(units: int, decimals: int, written: int) -> Scale:
    return Scale(units * 10 ** max(written - decimals, 0), 10 ** max(decimals - written, 0))


def listings(products: bytes, names: Sequence[str]) -> tuple[Listing, ...]:
    """Of the answer to `AssetPairs`. Raises `Invalid` for one that is not on it."""
    try:
        pairs = msgspec.json.decode(products, type=Products).result.values()
    except msgspec.MsgspecError as error:
        raise Invalid(f"Kraken's list of products makes no sense: {error}") from None
    found = {}
    for pair in pairs:
        base, _, quote = pair.wsname.partition("/")
        if quote:
            base, quote = ALIASES.get(base, base), ALIASES.get(quote, quote)
            found[f"{base}-{quote}"] = (pair.wsname, base, quote, pair)
    for name in names:
        if name not in found:
            raise Invalid(f"{name[:40]!r} is not among the {len(found)} pairs of Kraken's list")
    return tuple(
        listing(wsname, base, quote, px_decimals=it.pair_decimals, qty_decimals=it.lot_decimals)
        for wsname, base, quote, it in (found[name] for name in names or found)
    )
