"""WS /ws/market-data: snapshot then numbered deltas, and the newest for who reads slowly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect

from fondaco.domain.market.board import Board
from fondaco.domain.market.model import Trade
from fondaco.gateway.streams import Streams
from fondaco.kernel.event import Instant
from gateway.desk import BTC_USD, PEOPLE, REFS, Person, a_door
from gateway.server import PATIENCE_S, serving

pytestmark = pytest.mark.anyio
SYMBOL = BTC_USD.symbol


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def market_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEOPLE, "mia", Person("mia", "demo", frozenset({"market:read"})))


class Market:
    """A board that a test moves by hand."""

    def __init__(self, board: Board, port: int) -> None:
        self.board, self.port = board, port
        self._at = 0

    def level(self, side: str, px: str, qty: str) -> None:
        book = self.board.books[SYMBOL]
        self._at += 1
        book.version += 1
        kind = 0 if side == "bid" else 1
        book.levels.apply(kind, BTC_USD.ticks(px), BTC_USD.lots(qty))
        book.condition.synced = True
        book.source, book.at = "test", Instant(self._at)
        self.board.settle(book)

    def trade(self, px: str) -> None:
        self._at += 1
        at = Instant(self._at)
        trade = Trade(SYMBOL, BTC_USD.ticks(px), 5, "buy", self._at, at, at, "test")
        self.board.traded(trade, self._at)

    @asynccontextmanager
    async def talk(self, **knobs: Any) -> AsyncIterator[ClientConnection]:
        headers = {"Authorization": "Bearer mia"}
        url = f"ws://127.0.0.1:{self.port}/ws/market-data"
        async with connect(url, additional_headers=headers, **knobs) as found:
            yield found


@pytest.fixture
async def market() -> AsyncIterator[Market]:
    async with a_door() as (door, _):
        board = Board({SYMBOL: BTC_USD})
        streams = Streams(door, lambda: REFS, board)
        async with serving(door, ws=streams.socket()) as port:
            yield Market(board, port)


async def said(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return msgspec.json.decode(await socket.recv())


async def subscribe(socket: ClientConnection, channel: str, symbol: str = SYMBOL) -> Any:
    ask = {"op": "subscribe", "id": 1, "channel": channel, "symbols": [symbol]}
    await socket.send(msgspec.json.encode(ask).decode())
    return await said(socket)


class Copy:
    """What a client knows by applying what it was told."""

    def __init__(self) -> None:
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}
        self.sequence = 0

    def apply(self, message: Any) -> None:
        if message["type"] == "snapshot":
            self.bids, self.asks = dict(message["bids"]), dict(message["asks"])
        else:
            assert message["sequence"] == self.sequence + 1
            for side, changes in ((self.bids, message["bids"]), (self.asks, message["asks"])):
                for px, qty in changes:
                    side.pop(px, None)
                    if qty != "0":
                        side[px] = qty
        self.sequence = message["sequence"]


def truth(market: Market) -> tuple[dict[str, str], dict[str, str]]:
    book = market.board.books[SYMBOL]
    px, qty = BTC_USD.px_text, BTC_USD.qty_text
    bids = {px(ticks): qty(lots) for ticks, lots in book.bids(50)}
    return bids, {px(ticks): qty(lots) for ticks, lots in book.asks(50)}


async def test_deltas_applied_to_the_snapshot_give_the_book(market: Market) -> None:
    market.level("bid", "100.00", "1")
    market.level("ask", "101.00", "2")
    async with market.talk() as socket:
        assert (await subscribe(socket, "book"))["status"] == 200
        copy = Copy()
        copy.apply(await said(socket))
        assert (copy.bids, copy.asks) == truth(market)
        for nth in range(30):
            market.level("bid", f"{99 - nth % 7}.00", str(nth % 3))
            if nth % 5 == 0:
                await asyncio.sleep(0.025)
        market.level("ask", "102.00", "7")
        while (copy.bids, copy.asks) != truth(market):
            copy.apply(await said(socket))


async def test_who_reads_slowly_is_given_the_newest_and_nothing_old(market: Market) -> None:
    market.level("bid", "1.00", "1")
    async with market.talk(max_queue=1) as socket:
        await subscribe(socket, "book")
        copy = Copy()
        socket.transport.pause_reading()
        hub_socket = _peer(market)
        hub_socket.pause_writing()  # as the transport says when its buffer is full
        for nth in range(5):
            market.level("bid", "1.00", str(nth + 2))
            await asyncio.sleep(0.025)
        hub_socket.resume_writing()
        socket.transport.resume_reading()
        first, newest = await said(socket), await said(socket)
        copy.apply(first)
        assert (newest["type"], newest["bids"]) == ("snapshot", [["1", "6"]])
        copy.apply(newest)
        market.level("bid", "1.00", "9")
        copy.apply(await said(socket))  # asserts that the numbers go on
        assert copy.bids == {"1": "9"}


def _peer(market: Market) -> Any:
    """The house's side of the only connection."""
    listener: Any = market.board.on_book[0]
    [talk] = listener.__self__._talks["book", SYMBOL]
    return talk.socket


async def test_trades_bars_and_prices_are_told_as_they_happen(market: Market) -> None:
    async with market.talk() as socket:
        for channel in ("trades", "bars"):
            assert (await subscribe(socket, channel))["status"] == 200
        market.trade("100.00")
        market.trade("101.00")
        trades, bar = await said(socket), await said(socket)
        assert [line["price"] for line in trades["items"]] == ["100", "101"]
        assert (bar["channel"], bar["bar"]["high"], bar["bar"]["trades"]) == ("bars", "101", 2)
        await subscribe(socket, "prices")
        price = await said(socket)
        assert (price["channel"], price["price"]["last"]["price"]) == ("prices", "101")


async def test_what_is_not_there_is_refused_and_nobody_listens_in_vain(market: Market) -> None:
    listener: Any = market.board.on_book[0]
    hub = listener.__self__
    async with market.talk() as socket:
        assert (await subscribe(socket, "book", "NO-USD"))["error"]["code"] == "unknown_symbol"
        assert (await subscribe(socket, "gossip"))["error"]["code"] == "invalid"
        await subscribe(socket, "book")
        await said(socket)
        assert hub._wanted == {SYMBOL}
        ask = {"op": "unsubscribe", "id": 2, "channel": "book", "symbols": [SYMBOL]}
        await socket.send(msgspec.json.encode(ask).decode())
        assert (await said(socket))["op"] == "unsubscribe"
        assert not hub._wanted
        await subscribe(socket, "book")
        await said(socket)
    while hub._wanted:
        await asyncio.sleep(0.001)
    market.level("bid", "1.00", "1")  # costs nothing any more
    assert not hub._dirty


async def test_the_consolidated_book_tells_every_levels_sources(market: Market) -> None:
    market.level("bid", "100", "2")
    market.level("ask", "101", "1")
    async with market.talk() as socket:
        await subscribe(socket, "consolidated")
        first = await said(socket)
        assert first["channel"] == "consolidated"
        assert first["book"]["bids"] == [["100", "2", {"test": "2"}]]
        market.level("bid", "100.5", "3")
        then = (await said(socket))["book"]
        assert then["bids"][0] == ["100.5", "3", {"test": "3"}]
        assert market.board.path.histograms["price_told"].count >= 1
        assert [each["source"] for each in then["sources"]] == ["test"]
