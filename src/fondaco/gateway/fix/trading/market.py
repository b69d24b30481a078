"""What is asked about the market over FIX: books (V → W, X) and instruments (x → y, c → d).

A subscription is looked after ten times a second: what changed since it was last told is one X, or
one W, however often it changed in between; so a slow reader costs nobody anything.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from fondaco.domain.fix.api import Field, Message, Unsupported
from fondaco.domain.identity.model import Action, Scope
from fondaco.domain.market.api import Board
from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.domain.trading.model import TradingRefs
from fondaco.gateway.fix.line import Line
from fondaco.gateway.house import Caller, House
from fondaco.kernel.errors import Denied

LOOK: Final = Action("market.stream", Scope.MARKET_READ, reads=True, second=False)
EVERY_S: Final = 0.1
DEPTH_MAX: Final = 100  # levels a side; MarketDepth 0, the whole book, is as many
SUBSCRIPTIONS_MAX: Final = 1_000
BID, OFFER, TRADE = "0", "1", "2"  # MDEntryType (269)
UNKNOWN_SYMBOL, DUPLICATE_ID, TOO_MANY, UNSUPPORTED_TYPE = "0", "1", "2", "8"  # MDReqRejReason
Levels = dict[tuple[str, str], str]  # (MDEntryType, price) → quantity


class Subscription(msgspec.Struct):
    """A MarketDataRequest that is kept up to date; what each symbol's levels were when told."""

    md_req_id: str
    symbols: tuple[Symbol, ...]
    depth: int
    types: frozenset[str]
    is_incremental: bool
    told: dict[Symbol, Levels] = {}
    trades: dict[Symbol, int] = {}


class Refusal(Exception):
    """MDReqRejReason (281) and why."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason, self.text = reason, text


class Market:
    """One session's view of the market. `who` gives the caller, or raises `Denied`."""

    def __init__(
        self, house: House, board: Board, refs: Callable[[], TradingRefs], who: Callable[[], Caller]
    ) -> None:
        self._house, self._board, self._refs, self._who = house, board, refs, who
        self._subscriptions: dict[str, Subscription] = {}
        self._timer: asyncio.TimerHandle | None = None

    def up(self, line: Line) -> None:
        """Nothing is told before it is asked for."""

    def down(self, line: Line, reason: str) -> None:
        """Subscriptions end with the logon that they were made in."""
        self._subscriptions.clear()

    def received(self, line: Line, message: Message, seq_num: int) -> None:
        answer = {
            "V": self._data,
            "x": self._securities,
            "c": self._definition,
        }.get(message.msg_type)
        if answer is None:
            raise Unsupported
        try:
            self._house.authorise(self._who(), LOOK, (), None, "fix", "")
        except Denied as error:
            raise Unsupported(6, error.message) from error
        answer(line, message)

    # --- MarketDataRequest (V) ------------------------------------------------------------------

    def _data(self, line: Line, message: Message) -> None:
        md_req_id, kind = message.text(262) or "", message.text(263)
        if kind == "2":
            self._subscriptions.pop(md_req_id, None)
            return
        try:
            asked = self._asked(message, md_req_id)
        except Refusal as refusal:
            body = [(58, refusal.text), (262, md_req_id), (281, refusal.reason)]
            line.send("Y", [(tag, value.encode("latin-1", "replace")) for tag, value in body])
            return
        with line.gathered():
            for symbol in asked.symbols:
                line.send("W", self._snapshot(asked, symbol))
        if kind == "1":
            self._subscriptions[md_req_id] = asked
            self._arm(line)

    def _asked(self, message: Message, md_req_id: str) -> Subscription:
        types = frozenset(_all(message, 269))
        symbols = tuple(Symbol(symbol) for symbol in dict.fromkeys(_all(message, 55)))
        if md_req_id in self._subscriptions:
            raise Refusal(DUPLICATE_ID, "there is a subscription of this MDReqID")
        if len(self._subscriptions) >= SUBSCRIPTIONS_MAX:
            raise Refusal(TOO_MANY, f"a session has {SUBSCRIPTIONS_MAX} subscriptions at most")
        for symbol in symbols:
            if symbol not in self._board.books:
                raise Refusal(UNKNOWN_SYMBOL, f"there is no market in {symbol[:40]}")
        if not types <= {BID, OFFER, TRADE}:
            raise Refusal(UNSUPPORTED_TYPE, "MDEntryType is 0, 1 or 2")
        depth = message.integer(264) or DEPTH_MAX
        is_incremental = message.text(265) == "1"
        return Subscription(
            md_req_id, symbols, min(max(depth, 1), DEPTH_MAX), types, is_incremental
        )

    def _snapshot(self, of: Subscription, symbol: Symbol) -> list[Field]:
        """MarketData-SnapshotFullRefresh (W)."""
        levels = self._levels(of, symbol)
        of.told[symbol] = levels
        entries = [[(269, kind), (270, px), (271, qty)] for (kind, px), qty in levels.items()]
        entries += [trade for _, trade in self._trade(of, symbol)]
        body = [(55, symbol), (262, of.md_req_id), (268, str(len(entries)))]
        return _bytes([*body, *(field for entry in entries for field in entry)])

    def _refresh(self, of: Subscription, symbol: Symbol) -> list[Field] | None:
        """MarketData-IncrementalRefresh (X), or None where nothing has changed."""
        before, now = of.told.get(symbol, {}), self._levels(of, symbol)
        entries: list[list[tuple[int, str]]] = []
        for key in dict.fromkeys((*before, *now)):
            was, qty = before.get(key), now.get(key)
            if was == qty:
                continue
            action = "0" if was is None else "2" if qty is None else "1"
            kind, px = key
            entry = [(279, action), (269, kind), (278, f"{kind}{px}"), (55, symbol), (270, px)]
            entries.append(entry if qty is None else [*entry, (271, qty)])
        for number, trade in self._trade(of, symbol):
            first, *rest = trade
            entries.append([(279, "0"), first, (278, f"T{number}"), (55, symbol), *rest])
        of.told[symbol] = now
        if not entries:
            return None
        body = [(262, of.md_req_id), (268, str(len(entries)))]
        return _bytes([*body, *(field for entry in entries for field in entry)])

    def _levels(self, of: Subscription, symbol: Symbol) -> Levels:
        book = self._board.book(symbol)
        px, qty = book.instrument.px_text, book.instrument.qty_text
        levels: Levels = {}
        if BID in of.types:
            levels |= {(BID, px(ticks)): qty(lots) for ticks, lots in book.bids(of.depth)}
        if OFFER in of.types:
            levels |= {(OFFER, px(ticks)): qty(lots) for ticks, lots in book.asks(of.depth)}
        return levels

    def _trade(
        self, of: Subscription, symbol: Symbol
    ) -> Iterator[tuple[int, list[tuple[int, str]]]]:
        """The last trade, where it was not told yet."""
        trade = self._board.last(symbol) if TRADE in of.types else None
        if trade is None or of.trades.get(symbol) == trade.trade_id:
            return
        of.trades[symbol] = trade.trade_id
        instrument = self._board.book(symbol).instrument
        px, qty = instrument.px_text(trade.px), instrument.qty_text(trade.qty)
        yield trade.trade_id, [(269, TRADE), (270, px), (271, qty)]

    def _arm(self, line: Line) -> None:
        if self._timer is None and self._subscriptions:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(EVERY_S, self._look, line)

    def _look(self, line: Line) -> None:
        self._timer = None
        if not line.is_up:
            self._subscriptions.clear()
            return
        with line.gathered():
            for each in list(self._subscriptions.values()):
                for symbol in each.symbols:
                    self._tell(line, each, symbol)
        self._arm(line)

    def _tell(self, line: Line, of: Subscription, symbol: Symbol) -> None:
        if of.is_incremental:
            changed = self._refresh(of, symbol)
            if changed is not None:
                line.send("X", changed)
            return
        trade = self._board.last(symbol) if TRADE in of.types else None
        is_new = trade is not None and of.trades.get(symbol) != trade.trade_id
        if is_new or self._levels(of, symbol) != of.told.get(symbol):
            line.send("W", self._snapshot(of, symbol))

    # --- SecurityListRequest (x), SecurityDefinitionRequest (c) ---------------------------------

    def _securities(self, line: Line, message: Message) -> None:
        """SecurityList (y): all instruments, or the one that is named."""
        symbol = message.text(55)
        found = [
            each
            for each in self._refs().instruments.values()
            if symbol is None or each.symbol == symbol
        ]
        asked = message.text(320) or ""
        body = [(320, asked), (322, asked), (560, "0" if found else "2")]
        if found:
            body += [(393, str(len(found))), (893, "Y"), (146, str(len(found)))]
            body += [field for each in found for field in _terms(each)]
        line.send("y", _bytes(body))

    def _definition(self, line: Line, message: Message) -> None:
        """SecurityDefinition (d)."""
        symbol, asked = message.text(55) or "", message.text(320) or ""
        instrument = self._refs().instruments.get(Symbol(symbol))
        body = [(320, asked), (322, asked), (323, "1" if instrument else "6")]
        terms = [(55, symbol)] if instrument is None else _terms(instrument)
        line.send("d", _bytes([*terms, *body]))


def _terms(of: Instrument) -> list[tuple[int, str]]:
    """An instrument as FIX lists it: RoundLot is its lot."""
    lot = of.qty_text(1)
    return [(55, of.symbol), (207, of.mic), (15, of.quote), (561, lot), (562, lot)]


def _all(message: Message, tag: int) -> list[str]:
    """Every value of a field that groups repeat."""
    return [value.decode("latin-1") for each, value in message.fields() if each == tag]


def _bytes(body: list[tuple[int, str]]) -> list[Field]:
    return [(tag, value.encode("latin-1", "replace")) for tag, value in body]
