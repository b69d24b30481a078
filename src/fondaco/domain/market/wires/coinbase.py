"""Coinbase's WebSocket feed (ws-feed.pro), as recorded in 2021: level2, matches and ticker.

A book begins with `snapshot` and goes on by `l2update`, whose changes carry the side, the price and
the new size. Neither has a sequence number, but matches do: `trade_id` grows by one per product, so
one that is left out says that messages were dropped, and the book may miss some too: a hole. An
update older than the one before it is a hole as well. The side of a match is the maker's.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import msgspec

from fondaco.domain.market.board import Board
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.connection import Connection, Keeper
from fondaco.domain.market.listings import Listing, listing
from fondaco.domain.market.model import Trade
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

SOURCE: Final = "coinbase-2021"
FORMAT: Final = "recorded format of 2021"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EMPTY: Final = msgspec.Raw(b"")


class Message(msgspec.Struct, gc=False):
    """Any message; numbers stay text until the kernel reads them."""

    type: str
    product_id: str = ""
    changes: msgspec.Raw = _EMPTY
    bids: msgspec.Raw = _EMPTY
    asks: msgspec.Raw = _EMPTY
    time: datetime | None = None
    trade_id: int = 0
    side: str = ""
    price: msgspec.Raw = _EMPTY
    size: msgspec.Raw = _EMPTY


class Product(msgspec.Struct, gc=False):
    """One line of the list of products."""

    id: str
    base_currency: str
    quote_currency: str
    quote_increment: str
    base_increment: str


class CoinbaseBook(Keeper):
    """One product's book."""

    def __init__(self, board: Board, listed: Listing) -> None:
        super().__init__(board, listed)
        self.updated_ns = 0  # the exchange's time of the last update
        self.trade_id = 0  # of the last match; 0 where there was none yet

    def start(self, message: Message, at: Instant, position: int) -> None:
        """A snapshot replaces the book: the exchange sends one with every subscription."""
        book = self.book
        book.tallies.snapshots += 1
        book.version += 1
        try:
            book.levels.load_levels(BID, bytes(message.bids), book.version)
            book.levels.load_levels(ASK, bytes(message.asks), book.version)
        except (ValueError, OverflowError):
            self.malformed(at)
            return
        book.at, book.position = at, position
        self.updated_ns = 0
        self.started()
        self._board.settle(book)

    def update(self, message: Message, when_ns: int, at: Instant, position: int) -> bool:
        """Whether it is in the book now."""
        book = self.book
        book.tallies.diffs += 1
        if not book.condition.synced:
            return False
        if when_ns < self.updated_ns:
            self.hole(at)
            return False
        book.version += 1
        try:
            book.levels.read_changes(bytes(message.changes), book.version)
        except (ValueError, OverflowError):
            self.malformed(at)
            return False
        self.updated_ns = when_ns
        book.at, book.position = at, position
        book.sequence += 1  # the exchange has none
        self._board.settle(book)
        return True

    def goes_on(self, trade_id: int, at: Instant) -> bool:
        """Whether a match is new. One that left others out makes a hole of them."""
        before, self.trade_id = self.trade_id, max(self.trade_id, trade_id)
        if before and trade_id > before + 1:
            self.hole(at)
        return trade_id > before

    def _forget(self) -> None:
        super()._forget()
        self.trade_id = 0


class Coinbase(Connection):
    """One per feed."""

    def __init__(self, board: Board, listings: Iterable[Listing]) -> None:
        self._board = board
        self._books = {each.name: CoinbaseBook(board, each) for each in listings}
        super().__init__(self._books)
        self.share_pulse()
        self._decode = msgspec.json.Decoder(Message).decode

    def hear(self, label: str, part: str, at: Instant, position: int, raw: bytes) -> None:
        self.pulse(at)
        try:
            message = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.senseless(part, at)
            return
        kept = self._books.get(message.product_id)
        if kept is None:
            self.unknown += message.type != "subscriptions"
            return
        book = kept.book
        book.source = label
        book.tallies.messages += 1
        kind, when_ns = message.type, _ns(message.time)
        if kind == "l2update":
            if kept.update(message, when_ns, at, position):
                book.event_at = self.happened(book, when_ns, at)
        elif kind == "match":
            if kept.goes_on(message.trade_id, at):
                self._traded(kept, message, self.happened(book, when_ns, at), label, position, at)
        elif kind == "snapshot":
            kept.start(message, at, position)
        elif kind == "last_match":  # before we listened: where the numbers begin, and no news
            kept.trade_id = message.trade_id
        elif kind == "ticker":
            book.tallies.tickers += 1
        else:
            self.unknown += kind != "heartbeat"

    def _traded(
        self,
        kept: CoinbaseBook,
        message: Message,
        happened: Instant,
        label: str,
        position: int,
        at: Instant,
    ) -> None:
        book = kept.book
        try:
            px = book.levels.read_px(bytes(message.price))
            qty = book.levels.read_qty(bytes(message.size))
            aggressor = _AGGRESSORS[message.side]
        except (ValueError, OverflowError, KeyError):
            book.tallies.malformed += 1  # the book is none the worse for it
            return
        book.tallies.trades += 1
        self._board.traded(
            Trade(book.symbol, px, qty, aggressor, message.trade_id, happened, at, label), position
        )


_AGGRESSORS: Final[dict[str, Literal["buy", "sell"]]] = {"buy": "sell", "sell": "buy"}


def _ns(time: datetime | None) -> int:
    return 0 if time is None else (time - _EPOCH) // _MICROSECOND * 1_000


def listings(products: bytes, names: Sequence[str]) -> tuple[Listing, ...]:
    """Of the answer to `/products`. Raises `Invalid` for one that is not on it."""
    try:
        lines = msgspec.json.decode(products, type=list[Product])
    except msgspec.MsgspecError as error:
        raise Invalid(f"Coinbase's list of products makes no sense: {error}") from None
    found = {each.id: each for each in lines}
    for name in names:
        if name not in found:
            raise Invalid(
                f"{name[:40]!r} is not among the {len(found)} products of Coinbase's list"
            )
    return tuple(
        listing(
            it.id,
            it.base_currency,
            it.quote_currency,
            px_decimals=len(it.quote_increment.partition(".")[2].rstrip("0")),
            qty_decimals=len(it.base_increment.partition(".")[2].rstrip("0")),
        )
        for it in (found[name] for name in names or found)
    )
