"""Kalshi's messages as recorded in 2026: books, trades, tickers and the life of its markets.

A market has bids only: what is bid for NO at q is offered of YES at 1 - q, and one contract pays a
dollar. Each market is two instruments here, the YES contract and the NO contract, whose book is the
other's seen from the other side: who has one of each has a dollar. Prices and counts are read from
the texts (`_dollars`, `_fp`), never from the cents and whole counts that stand beside them.

Every message of a subscription (`sid`) is numbered (`seq`): where a number is left out among those
of the book, each book of that subscription may miss a change, and is a hole. Deltas add to a level;
one that would take more than there is is a hole too. Who asked for no book has the ticker's touch.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Literal

import msgspec

from fondaco.domain.market.board import Board
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.connection import Connection, Keeper
from fondaco.domain.market.contracts import Stage
from fondaco.domain.market.listings import Listing, event_listing
from fondaco.domain.market.model import Trade
from fondaco.domain.reference.model import FeeFormula
from fondaco.kernel.event import Instant

SOURCE: Final = "kalshi-2026"
FORMAT: Final = "recorded format of 2026"
SECOND: Final = 1_000_000_000
NO: Final = ":no"  # ends the name of a NO contract, which no ticker does
PX_DECIMALS: Final = 4
QTY_DECIMALS: Final = 2
TAKER_PPM: Final = 70_000
MAKER_PPM: Final = 17_500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
Levels = list[tuple[str, str]]


class Body(msgspec.Struct, gc=False):
    """What any message carries; `ticker` is the name in answers to questions."""

    market_ticker: str = ""
    ticker: str = ""
    yes_dollars_fp: Levels = []
    no_dollars_fp: Levels = []
    yes_dollars: Levels = []
    no_dollars: Levels = []
    price_dollars: str = ""
    delta_fp: str = ""
    side: str = ""
    yes_price_dollars: str = ""
    count_fp: str = ""
    taker_side: str = ""
    trade_id: str = ""
    ts: int = 0
    created_time: datetime | None = None
    yes_bid_dollars: str = ""
    yes_ask_dollars: str = ""
    yes_bid_size_fp: str = ""
    yes_ask_size_fp: str = ""
    event_type: str = ""
    result: str = ""
    settlement_value: str = ""
    is_deactivated: bool | None = None
    close_ts: int = 0
    status: str = ""
    close_time: datetime | None = None


class Message(msgspec.Struct, gc=False):
    """A message of the connection, or the answer to a question about one market."""

    type: str = ""
    sid: int = 0
    seq: int = 0
    msg: Body | None = None
    market: Body | None = None
    orderbook_fp: Body | None = None
    trades: list[Body] = []


class KalshiBook(Keeper):
    """One market's YES contract, or its NO contract."""

    def __init__(self, board: Board, listed: Listing) -> None:
        super().__init__(board, listed)
        self.is_no = listed.name.endswith(NO)
        self.whole = board.contracts[listed.symbol].payout_ticks  # a dollar, in ticks
        self.has_levels = False  # a whole book was sent, not only its touch

    def load(self, yes: Levels, no: Levels, at: Instant, position: int) -> None:
        """Replace the book by all bids of both sides. Raises `ValueError`."""
        levels, book = self.book.levels, self.book
        book.version += 1
        book.tallies.snapshots += 1
        levels.clear()
        if self.is_no:
            yes, no = no, yes
        for px, qty in yes:
            levels.apply(BID, _px(self, px), _qty(self, qty), book.version)
        for px, qty in no:
            levels.apply(ASK, self.whole - _px(self, px), _qty(self, qty), book.version)
        self.has_levels = True
        self._settled(at, position)

    def touch(self, told: Body, at: Instant, position: int) -> None:
        """Where no book was sent: the best bid and offer. Raises `ValueError`."""
        if self.has_levels:
            return
        levels, book = self.book.levels, self.book
        book.version += 1
        levels.clear()
        bid, ask = _px(self, told.yes_bid_dollars), _px(self, told.yes_ask_dollars)
        bid_qty, ask_qty = _qty(self, told.yes_bid_size_fp), _qty(self, told.yes_ask_size_fp)
        if self.is_no:
            bid, ask, bid_qty, ask_qty = self.whole - ask, self.whole - bid, ask_qty, bid_qty
        levels.apply(BID, bid, bid_qty, book.version)
        levels.apply(ASK, ask, ask_qty, book.version)
        self._settled(at, position)

    def change(self, told: Body, at: Instant, position: int) -> None:
        """Add to a level, or take from it. Raises `ValueError`."""
        levels, book = self.book.levels, self.book
        book.tallies.diffs += 1
        if not (book.condition.synced and self.has_levels):
            return
        px, is_yes = _px(self, told.price_dollars), told.side == "yes"
        if not is_yes and told.side != "no":
            raise ValueError("a side is yes or no")
        side, px = (BID, px) if is_yes is not self.is_no else (ASK, self.whole - px)
        less = told.delta_fp.startswith("-")
        by = _qty(self, told.delta_fp[less:])
        left = levels.qty(side, px) + (-by if less else by)
        if left < 0:
            raise ValueError("more is taken from a level than there is")
        book.version += 1
        levels.apply(side, px, left, book.version)
        self._settled(at, position)

    def _settled(self, at: Instant, position: int) -> None:
        book = self.book
        book.at, book.position = at, position
        self.started()
        self._board.settle(book)

    def _forget(self) -> None:
        super()._forget()
        self.has_levels = False


class Kalshi(Connection):
    """One per feed."""

    def __init__(self, board: Board, listings: Iterable[Listing]) -> None:
        self._board = board
        self._books = {each.name: KalshiBook(board, each) for each in listings}
        super().__init__(self._books)
        self.share_pulse()
        self._decode = msgspec.json.Decoder(Message).decode
        self._last: dict[int, int] = {}  # number of each subscription's last message
        self._members: dict[int, set[str]] = {}  # books that it speaks of

    def hear(self, label: str, part: str, at: Instant, position: int, raw: bytes) -> None:
        self.pulse(at)
        try:
            message = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.senseless(part, at)
            return
        if message.type.startswith("orderbook"):
            self._numbered(message, at)
        body_of = message.msg or message.market or message.orderbook_fp
        for body in message.trades or ([body_of] if body_of else []):
            name = body.market_ticker or body.ticker or part
            found = [self._books[each] for each in (name, name + NO) if each in self._books]
            self.unknown += not found and message.type not in _SAID
            for kept in found:
                kept.book.source = label
                kept.book.tallies.messages += 1
                try:
                    self._read(message, body, kept, at, position)
                except (ValueError, OverflowError):
                    kept.malformed(at)

    def _read(
        self, message: Message, body: Body, kept: KalshiBook, at: Instant, position: int
    ) -> None:
        kind = message.type
        if kind == "market_lifecycle_v2":
            self._lived(kept, body, at)
        elif message.market is not None:
            self._stands(kept, body, at)
        elif kind == "trade" or message.trades:
            self._traded(kept, body, at, position)
        elif kind == "orderbook_snapshot" or message.orderbook_fp is not None:
            self._board.quoted(kept.book, at)
            kept.load(
                body.yes_dollars_fp or body.yes_dollars, body.no_dollars_fp or body.no_dollars,
                at, position,
            )  # fmt: skip
        elif kind == "orderbook_delta":
            kept.change(body, at, position)
        elif kind == "ticker":
            kept.book.tallies.tickers += 1
            self._board.quoted(kept.book, at)
            kept.touch(body, at, position)
        else:
            self.unknown += 1

    def _numbered(self, message: Message, at: Instant) -> None:
        """Hold a message of a book subscription against the number of the one before."""
        sid, before = message.sid, self._last.get(message.sid, 0)
        members = self._members.setdefault(sid, set())
        if message.msg is not None:
            members.add(message.msg.market_ticker)
        self._last[sid] = message.seq
        if before and message.seq != before + 1:
            for name in sorted(members):
                for each in (name, name + NO):
                    if each in self._books:
                        self._books[each].hole(at)

    def _traded(self, kept: KalshiBook, body: Body, at: Instant, position: int) -> None:
        book = kept.book
        px, qty = _px(kept, body.yes_price_dollars), _qty(kept, body.count_fp)
        aggressor = _AGGRESSORS.get(body.taker_side)
        if aggressor is None:
            raise ValueError("a taker bought yes or no")
        if kept.is_no:
            px, aggressor = kept.whole - px, "sell" if aggressor == "buy" else "buy"
        when_ns = body.ts * SECOND
        if body.created_time is not None:
            when_ns = (body.created_time - _EPOCH) // _MICROSECOND * 1_000
        trade_id = int(body.trade_id.replace("-", "")[:12], 16)  # the first 48 bits of theirs
        book.tallies.trades += 1
        self._board.quoted(book, at)
        happened = self.happened(book, when_ns, at)
        self._board.traded(
            Trade(book.symbol, px, qty, aggressor, trade_id, happened, at, book.source), position
        )

    def _lived(self, kept: KalshiBook, body: Body, at: Instant) -> None:
        contract = self._board.contracts[kept.book.symbol]
        if body.close_ts:
            contract.close_at = Instant(body.close_ts * SECOND)
        kind = body.event_type
        if kind in ("activated", "deactivated") and body.is_deactivated is not None:
            kind = "deactivated" if body.is_deactivated else "activated"
        stage = _STAGES.get(kind)
        if stage is not None:
            self._board.contract_moves(kept.book, stage, at, self._payout(kept, body))

    def _stands(self, kept: KalshiBook, body: Body, at: Instant) -> None:
        """What a question about a market was answered."""
        contract = self._board.contracts[kept.book.symbol]
        if body.close_time is not None:
            contract.close_at = Instant((body.close_time - _EPOCH) // _MICROSECOND * 1_000)
        stage = _STATUSES.get(body.status)
        if stage is None or stage is contract.stage:
            return
        pays = self._payout(kept, body)
        if stage is Stage.SETTLED and pays >= 0 and contract.determined != pays:
            self._board.contract_moves(kept.book, Stage.DETERMINED, at, pays)  # it says both
        self._board.contract_moves(kept.book, stage, at, pays)

    @staticmethod
    def _payout(kept: KalshiBook, body: Body) -> int:
        """In ticks; -1 where nothing is said of it. Raises `ValueError`."""
        if body.settlement_value:
            pays = _px(kept, body.settlement_value)
        else:
            pays = {"yes": kept.whole, "no": 0}.get(body.result, -1)
        return kept.whole - pays if kept.is_no and pays >= 0 else pays


_SAID: Final = frozenset(("subscribed", "unsubscribed", "ok", "error", "event_fee_update"))
_AGGRESSORS: Final[dict[str, Literal["buy", "sell"]]] = {"yes": "buy", "no": "sell"}
_STAGES: Final = {  # of market_lifecycle_v2
    "activated": Stage.OPEN,
    "deactivated": Stage.PAUSED,
    "closed": Stage.CLOSED,
    "determined": Stage.DETERMINED,
    "disputed": Stage.DISPUTED,
    "amended": Stage.DETERMINED,
    "settled": Stage.SETTLED,
}
_STATUSES: Final = {  # of a market that was asked for
    "active": Stage.OPEN,
    "open": Stage.OPEN,
    "inactive": Stage.PAUSED,
    "closed": Stage.CLOSED,
    "determined": Stage.DETERMINED,
    "disputed": Stage.DISPUTED,
    "amended": Stage.DETERMINED,
    "finalized": Stage.SETTLED,
    "settled": Stage.SETTLED,
}


def _px(kept: KalshiBook, text: str) -> int:
    px = kept.book.levels.read_px(f'"{text}"'.encode())
    if px > kept.whole:
        raise ValueError("a price is a dollar at most")
    return px


def _qty(kept: KalshiBook, text: str) -> int:
    qty: int = kept.book.levels.read_qty(f'"{text}"'.encode())
    return qty


def contract(name: str) -> Listing:
    """The YES contract of a market; or its NO contract, by its ticker and `NO`."""
    symbol = name.removesuffix(NO).upper() + ("-NO" if name.endswith(NO) else "")
    code = f"EV{sha256(name.encode()).hexdigest()[:12].upper()}"
    return event_listing(
        name, symbol, code, "USD", px_decimals=PX_DECIMALS, qty_decimals=QTY_DECIMALS,
        formula=FeeFormula.KALSHI, maker=MAKER_PPM, taker=TAKER_PPM,
    )  # fmt: skip
