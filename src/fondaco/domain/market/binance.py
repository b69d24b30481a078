"""Binance spot on the wire: what its messages mean, and how its book is kept. Pure.

A book starts from a REST snapshot and goes on by the updates of the depth stream, which carry the
first and the last number of the changes inside them (U, u). The exchange's rules, held here:

- updates are kept until the snapshot is there; those with u <= lastUpdateId are dropped;
- the first one that is applied has U <= lastUpdateId + 1 <= u, each later one U = previous u + 1;
- anything else is a hole: the book is GAPPED until a newer snapshot starts it again.

The best-bid-and-offer stream numbers its messages alike, so a ticker numbered u must equal the book
after the update that ends with u. Every one that can be compared is; a difference is a hole too.

Frames come as the feeds wrote them to the tape. `SOURCE` is the combined stream, `SOURCE.NAME` a
snapshot of the instrument NAME, `SOURCE.house` what the feed itself had to say (`Notice`).
"""

from collections import deque
from collections.abc import Collection, Iterable
from typing import Final, Literal, TypeAlias

import msgspec

from fondaco.domain.market.board import Board, LiveBook
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.listings import Listing
from fondaco.domain.market.model import Trade
from fondaco.kernel.event import Instant

HOUSE: Final = "house"  # the last part of the source of a `Notice`
REPLAY: Final = "replay"  # the first part of the source of whatever was recorded before
PENDING_MAX: Final = 5_000  # updates without a snapshot: eight minutes of them
TICKERS_MAX: Final = 10_000
MS: Final = 1_000_000

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


class Notice(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a feed knows and the exchange did not say; on the tape, so that a replay knows it too.

    `reset`: the connection is new, nothing that came before goes on. `fetching`: a snapshot of
    `name` was asked for. `clock`: event times that follow belong to a recording; one at `origin`
    is now `start`, and time runs `speed` times as fast.
    """

    notice: Literal["reset", "fetching", "clock"]
    name: str = ""
    reason: str = ""
    origin: int = 0
    start: int = 0
    speed: float = 1.0


class Synchroniser:
    """Keeps one instrument's book by the exchange's rules."""

    def __init__(self, board: Board, listing: Listing) -> None:
        self._board = board
        self.name = listing.name
        self.book: LiveBook = board.book(listing.symbol)
        self.wants_snapshot = True
        self._joined = False  # an update has been applied since the snapshot
        self._pending: deque[tuple[Instant, Instant, int, Payload]] = deque(maxlen=PENDING_MAX)
        self._tickers: deque[Ticker] = deque(maxlen=TICKERS_MAX)

    def reset(self, at: Instant) -> None:
        """Nothing that came before goes on: wait for a snapshot."""
        self._forget()
        condition = self.book.condition
        self.book.tallies.recoveries += condition.synced or condition.hole
        condition.synced = condition.hole = condition.silent = False
        self._board.condition_changed(self.book, at)

    def fetching(self, at: Instant) -> None:
        """Somebody asked the exchange for a snapshot."""
        self.wants_snapshot = False
        condition = self.book.condition
        if condition.hole:
            condition.hole = False
            self.book.tallies.recoveries += 1
            self._board.condition_changed(self.book, at)

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
        self._hole(at)
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
        book.condition.synced, book.condition.hole = True, False
        self._joined, self.wants_snapshot = False, False
        while self._pending:
            event_at, _, _, update = self._pending.popleft()
            if not self._goes_on(update):
                self._hole(at)
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
            self._hole(at)

    def no_snapshot(self) -> None:
        """What came in its place was something else. A book that goes on does not need it."""
        self.book.tallies.malformed += 1
        self.wants_snapshot = not self.book.condition.synced

    def malformed(self, at: Instant) -> None:
        """A message about this instrument made no sense: something is missing now."""
        self.book.tallies.malformed += 1
        self._hole(at)

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
                self._hole(at)
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

    def _hole(self, at: Instant) -> None:
        condition = self.book.condition
        self._forget()
        if condition.synced or not condition.hole:
            self.book.tallies.gaps += 1
        condition.synced, condition.hole = False, True
        self._board.condition_changed(self.book, at)

    def _forget(self) -> None:
        self._pending.clear()
        self._tickers.clear()
        self._joined, self.wants_snapshot = False, True


class Normaliser:
    """Frames in, the board moves. One per feed; the same frames always give the same board."""

    def __init__(self, board: Board, listings: Iterable[Listing]) -> None:
        self._board = board
        self._syncs = {each.name: Synchroniser(board, each) for each in listings}
        self._decode = msgspec.json.Decoder(Message).decode
        self._notice = msgspec.json.Decoder(Notice).decode
        self._sources: dict[str, tuple[str, str]] = {}  # tape source: label, last part
        self._clock: Notice | None = None
        self.unknown = 0  # messages of instruments that are not listed, or of no known kind
        self.malformed = 0  # messages that are no JSON of a known shape

    def take(self, source: str, at: Instant, position: int, raw: bytes) -> None:
        """One frame, which stands on the tape at `position`."""
        label, part = self._sources.get(source) or self._source(source)
        if part == HOUSE:
            self._told(raw, at)
            return
        try:
            message = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._senseless(part, at)
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
            sync.update(payload, self._happened(book, payload.event_ms, at), at, position)
        elif kind == "trade":
            self._trade(sync, payload, label, at, position)
        elif not kind and payload.last:
            sync.ticker(
                (payload.last, payload.bid, payload.bid_qty, payload.ask, payload.ask_qty), at
            )
        else:
            self.unknown += 1

    @property
    def wants(self) -> Collection[str]:
        """Names of instruments that need a snapshot, which nobody is fetching yet."""
        return [name for name, sync in self._syncs.items() if sync.wants_snapshot]

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
        happened = self._happened(book, payload.trade_ms, at)
        aggressor: Literal["buy", "sell"] = "sell" if payload.buyer_is_maker else "buy"
        trade = Trade(book.symbol, px, qty, aggressor, payload.trade_id, happened, at, label)
        self._board.traded(trade, position)

    def _happened(self, book: LiveBook, event_ms: int, at: Instant) -> Instant:
        """The exchange's time; never after receipt, whatever the two clocks say."""
        event_at = event_ms * MS
        clock = self._clock
        if clock is not None:
            event_at = clock.start + int((event_at - clock.origin) / clock.speed)
        latency = at - event_at
        tallies = book.tallies
        if latency < 0:
            tallies.latency_negative += 1
            tallies.latency_last_ns = 0
            return at
        tallies.latency_last_ns = latency
        if latency > tallies.latency_max_ns:
            tallies.latency_max_ns = latency
        return Instant(event_at)

    def _told(self, raw: bytes, at: Instant) -> None:
        notice = self._notice(raw)
        named = self._syncs.get(notice.name)
        if notice.notice == "clock":
            self._clock = notice
        elif notice.notice == "reset":
            for sync in self._syncs.values() if named is None else [named]:
                sync.reset(at)
        elif named is not None:
            named.fetching(at)

    def _senseless(self, part: str, at: Instant) -> None:
        """Nobody knows whose message it was: every book of this feed may miss it."""
        self.malformed += 1
        named = self._syncs.get(part)
        if named is not None:
            named.no_snapshot()
            return
        for sync in self._syncs.values():
            sync.malformed(at)

    def _source(self, source: str) -> tuple[str, str]:
        parts = source.split(".")
        label = f"{REPLAY}:{parts[1]}" if parts[0] == REPLAY and len(parts) > 1 else parts[0]
        self._sources[source] = found = label, parts[-1]
        return found


def notice(
    what: Literal["reset", "fetching", "clock"],
    *,
    name: str = "",
    reason: str = "",
    origin: int = 0,
    start: int = 0,
    speed: float = 1.0,
) -> bytes:
    """The bytes of a `Notice`."""
    return msgspec.json.encode(Notice(what, name, reason, origin, start, speed))
