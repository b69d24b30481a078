"""Binance spot on the wire: what its messages mean, and how its book is kept. Pure.

A book starts from a REST snapshot and goes on by the updates of the depth stream, which carry the
first and the last number of the changes inside them (U, u). The exchange's rules, held here:

- updates are kept until the snapshot is there; those with u <= lastUpdateId are dropped;
- the first one that is applied has U <= lastUpdateId + 1 <= u, each later one U = previous u + 1;
- anything else is a hole: the book is GAPPED until a newer snapshot starts it again.

The best-bid-and-offer stream numbers its messages alike, so a ticker numbered u must equal the book
after the update that ends with u. Every one that can be compared is; a difference is a hole too.

Among the frames, `SOURCE` is the combined stream and `SOURCE.NAME` a snapshot of NAME.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec

from fondaco.domain.market.board import Board
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.connection import MS, Connection, Keeper
from fondaco.domain.market.listings import Listing
from fondaco.domain.market.model import Trade
from fondaco.kernel.event import Instant

PENDING_MAX: Final = 5_000  # updates without a snapshot: eight minutes of them
TICKERS_MAX: Final = 10_000

_EMPTY: Final = msgspec.Raw(b"")
Ticker: TypeAlias = tuple[int, msgspec.Raw, msgspec.Raw, msgspec.Raw, msgspec.Raw]


class Payload(msgspec.Struct, gc=False):
    """Depth update, best bid and offer, or trade; numbers stay text until the kernel reads them."""

    kind: str = msgspec.field(name="e", default="")
    name: str = msgspec.field(name="s", default="")
    first: int = msgspec.field(name="U", default=0)
    last: int = msgspec.field(name="u", default=0)
    bid: msgspec.Raw = msgspec.field(name="b", default=_EMPTY)  # levels, or the best price
    ask: msgspec.Raw = msgspec.field(name="a", default=_EMPTY)
    bid_qty: msgspec.Raw = msgspec.field(name="B", default=_EMPTY)
    ask_qty: msgspec.Raw = msgspec.field(name="A", default=_EMPTY)
    event_ms: int = msgspec.field(name="E", default=0)
    trade_ms: int = msgspec.field(name="T", default=0)
    trade_id: int = msgspec.field(name="t", default=0)
    px: msgspec.Raw = msgspec.field(name="p", default=_EMPTY)
    qty: msgspec.Raw = msgspec.field(name="q", default=_EMPTY)
    buyer_is_maker: bool = msgspec.field(name="m", default=False)


class Message(msgspec.Struct, gc=False):
    """A message of the combined stream (`data`), a snapshot (`last_update_id`), or neither."""

    data: Payload | None = None
    last_update_id: int = msgspec.field(name="lastUpdateId", default=-1)
    bids: msgspec.Raw = _EMPTY
    asks: msgspec.Raw = _EMPTY
    id: int | None = None  # the answer to a subscription


class Synchroniser(Keeper):
    """Keeps one instrument's book by the exchange's rules."""

    def __init__(self, board: Board, listing: Listing) -> None:
        super().__init__(board, listing)
        self._joined = False  # an update has been applied since the snapshot
        self._pending: deque[tuple[Instant, Instant, int, Payload]] = deque(maxlen=PENDING_MAX)
        self._tickers: deque[Ticker] = deque(maxlen=TICKERS_MAX)

    def update(self, update: Payload, event_at: Instant, at: Instant, position: int) -> None:
        book = self.book
        book.tallies.diffs += 1
        if not book.condition.synced:
            self._pending.append((event_at, at, position, update))
            return
        if update.last <= book.sequence:
            return  # seen before, or the snapshot was newer: nothing is missing
        if self._goes_on(update):
            if self._apply(update, event_at, at, position):
                self._compare(at)
                self._board.settle(book)
            return
        self.hole(at)
        self._pending.append((event_at, at, position, update))

    def snapshot(self, message: Message, at: Instant, position: int) -> None:
        """Start from a snapshot, unless the book goes on by itself."""
        book = self.book
        book.tallies.snapshots += 1
        if book.condition.synced:
            return
        while self._pending and self._pending[0][3].last <= message.last_update_id:
            self._pending.popleft()
        if self._pending and self._pending[0][3].first > message.last_update_id + 1:
            book.tallies.snapshots_late += 1
            self.wants_snapshot = True
            return
        book.version += 1
        try:
            book.levels.load_levels(BID, bytes(message.bids), book.version)
            book.levels.load_levels(ASK, bytes(message.asks), book.version)
        except (ValueError, OverflowError):
            self.malformed(at)
            return
        book.sequence, book.at, book.position = message.last_update_id, at, position
        self.started()
        self._joined = False
        while self._pending:
            event_at, _, _, update = self._pending.popleft()
            if not self._goes_on(update):
                self.hole(at)
                return
            if not self._apply(update, event_at, at, position):
                return
        self._compare(at)
        self._board.settle(book)

    def ticker(self, ticker: Ticker, at: Instant) -> None:
        """Remember it until the book has come as far, or compare it now."""
        book = self.book
        book.tallies.tickers += 1
        if ticker[0] > book.sequence or not book.condition.synced:
            self._tickers.append(ticker)
        elif ticker[0] == book.sequence and self._joined and not self._equals(ticker):
            self.hole(at)

    def _goes_on(self, update: Payload) -> bool:
        """Whether nothing is missing before `update`, which ends behind what the book has."""
        due = self.book.sequence + 1
        return update.first == due or (update.first < due and not self._joined)

    def _apply(self, update: Payload, event_at: Instant, at: Instant, position: int) -> bool:
        book = self.book
        book.version += 1
        try:
            book.levels.read_levels(BID, bytes(update.bid), book.version)
            book.levels.read_levels(ASK, bytes(update.ask), book.version)
        except (ValueError, OverflowError):
            self.malformed(at)
            return False
        book.sequence, book.at, book.event_at, book.position = update.last, at, event_at, position
        self._joined = True
        return True

    def _compare(self, at: Instant) -> None:
        """Hold the book against the tickers that it has caught up with."""
        tickers, sequence = self._tickers, self.book.sequence
        while tickers and tickers[0][0] <= sequence:
            ticker = tickers.popleft()
            if ticker[0] == sequence and self._joined and not self._equals(ticker):
                self.hole(at)
                return

    def _equals(self, ticker: Ticker) -> bool:
        levels, tallies = self.book.levels, self.book.tallies
        _, bid, bid_qty, ask, ask_qty = ticker
        try:
            bids = [(levels.read_px(bytes(bid)), levels.read_qty(bytes(bid_qty)))]
            asks = [(levels.read_px(bytes(ask)), levels.read_qty(bytes(ask_qty)))]
            same = bids == levels.depth(BID, 1) and asks == levels.depth(ASK, 1)
        except (ValueError, OverflowError):
            same = False
        tallies.tickers_compared += 1
        tallies.tickers_different += not same
        return same

    def _forget(self) -> None:
        self._pending.clear()
        self._tickers.clear()
        self._joined, self.wants_snapshot = False, True


class Binance(Connection):
    """One per feed; the same frames always give the same board."""

    def __init__(self, board: Board, listings: Iterable[Listing]) -> None:
        self._board = board
        self._syncs = {each.name: Synchroniser(board, each) for each in listings}
        super().__init__(self._syncs)
        self._decode = msgspec.json.Decoder(Message).decode

    def hear(self, label: str, part: str, at: Instant, position: int, raw: bytes) -> None:
        try:
            message = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.senseless(part, at)
            return
        payload = message.data
        if payload is None:
            sync = self._syncs.get(part)
            if sync is None:
                self.unknown += message.id is None
                return
            if message.last_update_id < 0:
                sync.no_snapshot()  # an error, politely put
                return
            sync.book.source = label
            sync.book.tallies.messages += 1
            sync.snapshot(message, at, position)
            return
        sync = self._syncs.get(payload.name)
        if sync is None:
            self.unknown += 1
            return
        book = sync.book
        book.source = label
        book.tallies.messages += 1
        kind = payload.kind
        if kind == "depthUpdate":
            sync.update(payload, self.happened(book, payload.event_ms * MS, at), at, position)
        elif kind == "trade":
            self._trade(sync, payload, label, at, position)
        elif not kind and payload.last:
            sync.ticker(
                (payload.last, payload.bid, payload.bid_qty, payload.ask, payload.ask_qty), at
            )
        else:
            self.unknown += 1

    def _trade(
        self, sync: Synchroniser, payload: Payload, label: str, at: Instant, position: int
    ) -> None:
        book = sync.book
        try:
            px = book.levels.read_px(bytes(payload.px))
            qty = book.levels.read_qty(bytes(payload.qty))
        except (ValueError, OverflowError):
            book.tallies.malformed += 1  # the book is none the worse for it
            return
        book.tallies.trades += 1
        happened = self.happened(book, payload.trade_ms * MS, at)
        aggressor: Literal["buy", "sell"] = "sell" if payload.buyer_is_maker else "buy"
        trade = Trade(book.symbol, px, qty, aggressor, payload.trade_id, happened, at, label)
        self._board.traded(trade, position)
