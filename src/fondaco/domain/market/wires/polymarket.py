"""Polymarket's market channel as recorded in February 2026: books, changes, trades, resolutions.

Each outcome of a question is a token with a book of its own (`asset_id`), and pays a dollar or
nothing. A message may be a list of messages. `book` replaces a book (its best levels come last);
`price_change` sets levels and says what the best bid and offer are after it: where ours differ,
something is missing.

Closed is not resolved, and what was resolved is not settled: `market_resolved` says who would win;
it is settled when an answer about the closed market names the same winner. What became of an own
trade is told by the user channel, by the name that we gave it.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, Literal

import msgspec

from fondaco.domain.market.board import Board
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.connection import MS, Connection, Keeper
from fondaco.domain.market.contracts import Contract, Stage
from fondaco.domain.market.listings import Listing, event_listing
from fondaco.domain.market.model import Finality, Trade
from fondaco.domain.reference.model import FeeFormula
from fondaco.kernel.event import Instant

SOURCE: Final = "polymarket-2026"
FORMAT: Final = "recorded format of 2026"
PX_DECIMALS: Final = 4
QTY_DECIMALS: Final = 6
NAME_DIGITS: Final = 20  # of a token's number, which has 77


class Level(msgspec.Struct, gc=False):
    price: str
    size: str


class Change(msgspec.Struct, gc=False):
    """One level as it is now, and the touch after it."""

    asset_id: str
    price: str
    size: str
    side: str
    best_bid: str = ""
    best_ask: str = ""


class Token(msgspec.Struct, gc=False):
    """One outcome of a market that was asked for."""

    token_id: str
    winner: bool = False


class Message(msgspec.Struct, gc=False):
    """A message of the market channel, or the answer to a question about one market."""

    event_type: str = ""
    asset_id: str = ""
    bids: list[Level] = []
    asks: list[Level] = []
    price_changes: list[Change] = []
    price: str = ""
    size: str = ""
    side: str = ""
    timestamp: str = ""
    assets_ids: list[str] = []
    winning_asset_id: str = ""
    closed: bool = False
    accepting_orders: bool | None = None
    tokens: list[Token] = []
    id: str = ""  # of an own trade, and what it is now
    status: str = ""


class PolymarketBook(Keeper):
    """One outcome's book."""

    def load(self, message: Message, at: Instant, position: int) -> None:
        """Replace the book. Raises `ValueError`."""
        book, levels = self.book, self.book.levels
        book.tallies.snapshots += 1
        book.version += 1
        levels.clear()
        for side, told in ((BID, message.bids), (ASK, message.asks)):
            for level in told:
                levels.apply(side, self.px(level.price), self.qty(level.size), book.version)
        book.at, book.position = at, position
        self.started()
        self._board.settle(book)

    def change(self, changes: list[Change], at: Instant, position: int) -> None:
        """Set levels, and compare the touch. Raises `ValueError`."""
        book, levels = self.book, self.book.levels
        book.tallies.diffs += 1
        if not book.condition.synced:
            return
        book.version += 1
        for each in changes:
            side = _SIDES.get(each.side)
            if side is None:
                raise ValueError("a side is BUY or SELL")
            levels.apply(side, self.px(each.price), self.qty(each.size), book.version)
        book.at, book.position = at, position
        if self._touches(changes[-1]):
            self._board.settle(book)
        else:
            self.hole(at)

    def px(self, text: str) -> int:
        """Raises `ValueError`."""
        px: int = self.book.levels.read_px(f'"{_whole(text)}"'.encode())
        return px

    def qty(self, text: str) -> int:
        """Raises `ValueError`."""
        qty: int = self.book.levels.read_qty(f'"{_whole(text)}"'.encode())
        return qty

    def _touches(self, told: Change) -> bool:
        """Whether our best bid and offer are theirs; 0 and 1 stand for an empty side."""
        tallies, levels = self.book.tallies, self.book.levels
        if not told.best_bid and not told.best_ask:
            return True
        whole = self._board.contracts[self.book.symbol].payout_ticks
        bid, ask = max(levels.best_bid(), 0), levels.best_ask()
        ask = whole if ask < 0 else ask
        theirs = self.px(told.best_bid or "0"), self.px(told.best_ask or "1")
        tallies.tickers_compared += 1
        same = theirs in ((bid, ask), (bid, ask % whole))
        tallies.tickers_different += not same
        return same


class Polymarket(Connection):
    """One per feed."""

    def __init__(self, board: Board, listings: Iterable[Listing]) -> None:
        self._board = board
        self._books = {each.name: PolymarketBook(board, each) for each in listings}
        super().__init__(self._books)
        self.share_pulse()
        self._decode = msgspec.json.Decoder(Message | list[Message]).decode

    def hear(self, label: str, part: str, at: Instant, position: int, raw: bytes) -> None:
        self.pulse(at)
        if raw in _SAID:
            return
        try:
            said = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.senseless(part, at)
            return
        for message in said if isinstance(said, list) else [said]:
            self._read(message, label, at, position)

    def _read(self, message: Message, label: str, at: Instant, position: int) -> None:
        by_asset: dict[str, list[Change]] = {}
        for change in message.price_changes:
            by_asset.setdefault(change.asset_id, []).append(change)
        named = [message.asset_id, *message.assets_ids, *by_asset]
        named += [token.token_id for token in message.tokens]
        found = [self._books[name] for name in dict.fromkeys(named) if name in self._books]
        self.unknown += not found
        for kept in found:
            kept.book.source = label
            kept.book.tallies.messages += 1
            try:
                self._tell(kept, message, by_asset.get(kept.name, []), at, position)
            except (ValueError, OverflowError):
                kept.malformed(at)

    def _tell(
        self,
        kept: PolymarketBook,
        message: Message,
        changes: list[Change],
        at: Instant,
        position: int,
    ) -> None:
        book = kept.book
        happened = at
        if message.timestamp.isdecimal():
            happened = self.happened(book, int(message.timestamp) * MS, at)
        kind = message.event_type
        if kind == "book":
            self._board.quoted(book, at)
            kept.load(message, at, position)
            book.event_at = happened
        elif kind == "price_change":
            kept.change(changes, at, position)
            book.event_at = happened
        elif kind == "last_trade_price":
            self._traded(kept, message, happened, at, position)
        elif kind == "trade":
            self._own(message)
        elif kind == "market_resolved" or message.tokens:
            self._ends(kept, message, at)
        else:
            self.unknown += kind not in ("tick_size_change", "new_market", "best_bid_ask")

    def _own(self, message: Message) -> None:
        """A `trade` of the user channel: an own one. It says nothing of the book."""
        try:
            self._board.own_trade(message.id, _finality(message.status))
        except ValueError:
            self.unknown += 1

    def _traded(
        self, kept: PolymarketBook, message: Message, happened: Instant, at: Instant, position: int
    ) -> None:
        book = kept.book
        aggressor = _AGGRESSORS.get(message.side)
        if aggressor is None:
            raise ValueError("a side is BUY or SELL")
        px, qty = kept.px(message.price), kept.qty(message.size)
        book.tallies.trades += 1
        self._board.quoted(book, at)
        self._board.traded(
            Trade(book.symbol, px, qty, aggressor, 0, happened, at, book.source), position
        )

    def _ends(self, kept: PolymarketBook, message: Message, at: Instant) -> None:
        contract, moves = self._board.contracts[kept.book.symbol], self._board.contract_moves
        winners = {token.token_id for token in message.tokens if token.winner}
        if message.winning_asset_id:
            winners.add(message.winning_asset_id)
        if not winners:
            if message.closed or message.accepting_orders is False:
                moves(kept.book, Stage.CLOSED if message.closed else Stage.PAUSED, at)
            return
        pays = contract.payout_ticks if kept.name in winners else 0
        if message.tokens and message.closed and _was_said(contract, pays):
            moves(kept.book, Stage.SETTLED, at, pays)
        else:
            moves(kept.book, Stage.DETERMINED, at, pays)


_SAID: Final = frozenset((b"PONG", b"PING", b"[]"))
_SIDES: Final = {"BUY": BID, "SELL": ASK}
_AGGRESSORS: Final[dict[str, Literal["buy", "sell"]]] = {"BUY": "buy", "SELL": "sell"}


def _was_said(contract: Contract, pays: int) -> bool:
    return contract.stage is Stage.DETERMINED and contract.determined == pays


def _whole(text: str) -> str:
    """They write ".5" too."""
    return f"0{text}" if text.startswith(".") else text


def _finality(status: str) -> Finality:
    """Raises `ValueError`."""
    return Finality(status.removeprefix("TRADE_STATUS_"))


def contract(asset_id: str) -> Listing:
    """One outcome's token. Its symbol is the beginning of a number that nobody reads."""
    code = f"EV{sha256(asset_id.encode()).hexdigest()[:12].upper()}"
    return event_listing(
        asset_id, f"PM-{asset_id[:NAME_DIGITS]}", code, "USDC",
        px_decimals=PX_DECIMALS, qty_decimals=QTY_DECIMALS,
        formula=FeeFormula.POLYMARKET,
    )  # fmt: skip
