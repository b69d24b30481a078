"""Bitstamp's WebSocket version 2, as recorded in January 2022: changes of the book, and trades.

A book starts from the REST answer `order_book` and goes on by the channel `diff_order_book`. Both
carry a `microtimestamp`, which is the only order there is: changes up to the snapshot's are
dropped, those after it are applied, and one that is older than the one before it is a hole. The
snapshot may come after the first changes, which therefore wait for it. Of a trade, type 0 is a
buyer's.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from fondaco.domain.market.board import Board
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.connection import Connection, Keeper
from fondaco.domain.market.listings import Listing, listing
from fondaco.domain.market.model import Trade
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

SOURCE: Final = "bitstamp-2022"
FORMAT: Final = "recorded format of 2022"
PENDING_MAX: Final = 5_000  # changes without a snapshot
_EMPTY: Final = msgspec.Raw(b"")


class Payload(msgspec.Struct, gc=False):
    """Changes of a book, or a trade; numbers stay text until the kernel reads them."""

    microtimestamp: str = ""
    bids: msgspec.Raw = _EMPTY
    asks: msgspec.Raw = _EMPTY
    id: int = 0
    amount_str: str = ""
    price_str: str = ""
    type: int = -1


class Message(msgspec.Struct, gc=False):
    """A message of the connection."""

    event: str
    channel: str = ""
    data: msgspec.Raw = _EMPTY


class Product(msgspec.Struct, gc=False):
    """One line of the list of products."""

    name: str
    url_symbol: str
    base_decimals: int
    counter_decimals: int


class BitstampBook(Keeper):
    """One pair's book."""

    def __init__(self, board: Board, listed: Listing) -> None:
        super().__init__(board, listed)
        self._pending: deque[tuple[Payload, Instant]] = deque(maxlen=PENDING_MAX)
        self._joined = False  # a change has been applied since the snapshot

    def start(self, answer: Payload, at: Instant, position: int) -> None:
        """Start from a snapshot, unless the book goes on by itself."""
        book = self.book
        book.tallies.snapshots += 1
        if book.condition.synced:
            return
        if not answer.microtimestamp.isdecimal():
            self.no_snapshot()
            return
        book.version += 1
        try:
            book.levels.load_levels(BID, bytes(answer.bids), book.version)
            book.levels.load_levels(ASK, bytes(answer.asks), book.version)
        except (ValueError, OverflowError):
            self.malformed(at)
            return
        book.sequence, book.at, book.position = int(answer.microtimestamp), at, position
        self.started()
        self._joined = False
        pending, snapshot_us = list(self._pending), book.sequence
        self._pending.clear()
        for waited, event_at in pending:
            if int(waited.microtimestamp) > snapshot_us and not self._apply(
                waited, event_at, at, position
            ):
                return
        self._board.settle(book)

    def update(self, changes: Payload, event_at: Instant, at: Instant, position: int) -> None:
        book = self.book
        book.tallies.diffs += 1
        if not book.condition.synced:
            self._pending.append((changes, event_at))
            return
        if self._apply(changes, event_at, at, position):
            self._board.settle(book)

    def _apply(self, changes: Payload, event_at: Instant, at: Instant, position: int) -> bool:
        """Whether the book goes on."""
        book = self.book
        when_us = int(changes.microtimestamp)
        if when_us < book.sequence:
            if not self._joined:
                return True  # the snapshot was newer: nothing is missing
            self.hole(at)
            return False
        book.version += 1
        try:
            book.levels.read_levels(BID, bytes(changes.bids), book.version)
            book.levels.read_levels(ASK, bytes(changes.asks), book.version)
        except (ValueError, OverflowError):
            self.malformed(at)
            return False
        book.sequence, book.at, book.event_at, book.position = when_us, at, event_at, position
        self._joined = True
        return True

    def _forget(self) -> None:
        super()._forget()
        self._pending.clear()
        self._joined = False


class Bitstamp(Connection):
    """One per feed."""

    def __init__(self, board: Board, listings: Iterable[Listing]) -> None:
        self._board = board
        self._books = {each.name: BitstampBook(board, each) for each in listings}
        super().__init__(self._books)
        self.share_pulse()
        self._decode = msgspec.json.Decoder(Message).decode
        self._payload = msgspec.json.Decoder(Payload).decode

    def hear(self, label: str, part: str, at: Instant, position: int, raw: bytes) -> None:
        self.pulse(at)
        try:
            answered = self._books.get(part)
            if answered is not None:
                self._answer(answered, label, at, position, raw)
                return
            message = self._decode(raw)
            channel, _, name = message.channel.rpartition("_")
            kept = self._books.get(name)
            if kept is None:
                self.unknown += message.event not in _SAID
                return
            kept.book.source = label
            kept.book.tallies.messages += 1
            if message.event == "data" and channel == "diff_order_book":
                changes = self._payload(message.data)
                when_us = int(changes.microtimestamp)
                happened = self.happened(kept.book, when_us * 1_000, at)
                kept.update(changes, happened, at, position)
            elif message.event == "trade" and channel == "live_trades":
                self._traded(kept, self._payload(message.data), label, at, position)
            else:
                self.unknown += message.event not in _SAID
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
            self.senseless(part, at)

    def _answer(
        self, kept: BitstampBook, label: str, at: Instant, position: int, raw: bytes
    ) -> None:
        kept.book.source = label
        kept.book.tallies.messages += 1
        kept.start(self._payload(raw), at, position)

    def _traded(
        self, kept: BitstampBook, payload: Payload, label: str, at: Instant, position: int
    ) -> None:
        book = kept.book
        try:
            px = book.levels.read_px(f'"{payload.price_str}"'.encode())
            qty = book.levels.read_qty(f'"{payload.amount_str}"'.encode())
            when_us, aggressor = int(payload.microtimestamp), _AGGRESSORS[payload.type]
        except (ValueError, OverflowError, KeyError):
            book.tallies.malformed += 1  # the book is none the worse for it
            return
        book.tallies.trades += 1
        happened = self.happened(book, when_us * 1_000, at)
        self._board.traded(
            Trade(book.symbol, px, qty, aggressor, payload.id, happened, at, label), position
        )


_SAID: Final = frozenset(("bts:subscription_succeeded", "bts:heartbeat", "bts:request_reconnect"))
_AGGRESSORS: Final[dict[int, Literal["buy", "sell"]]] = {0: "buy", 1: "sell"}


def listings(products: bytes, names: Sequence[str]) -> tuple[Listing, ...]:
    """Of the answer to `trading-pairs-info`. Raises `Invalid` for one that is not on it."""
    try:
        lines = msgspec.json.decode(products, type=list[Product])
    except msgspec.MsgspecError as error:
        raise Invalid(f"Bitstamp's list of products makes no sense: {error}") from None
    found = {each.name.replace("/", "-"): each for each in lines}
    for name in names:
        if name not in found:
            raise Invalid(f"{name[:40]!r} is not among the {len(found)} pairs of Bitstamp's list")
    return tuple(
        listing(
            it.url_symbol,
            *it.name.split("/"),
            px_decimals=it.counter_decimals,
            qty_decimals=it.base_decimals,
        )
        for it in (found[name] for name in names or found)
    )
