"""Builders of the exchange's messages, and an exchange that misbehaves on request.

An argument that a test gives means something to that test; the others are ordinary.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve

from fondaco.domain.market.binance import Binance
from fondaco.domain.market.board import Board
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.connection import notice
from fondaco.domain.market.feeds.synthetic import SHAPES, Walk
from fondaco.domain.market.listings import LISTINGS, listed
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import Symbol
from fondaco.kernel.event import Instant

BTC = Symbol("BTC-USDT")
MS = 1_000_000
Levels = list[tuple[str, str]]


def encoded(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def diff(
    first: int,
    last: int,
    *,
    bids: Levels | None = None,
    asks: Levels | None = None,
    name: str = "BTCUSDT",
    event_ms: int = 0,
) -> bytes:
    data = {"e": "depthUpdate", "E": event_ms, "s": name, "U": first, "u": last}
    return encoded(
        {
            "stream": f"{name.lower()}@depth@100ms",
            "data": {**data, "b": bids or [], "a": asks or []},
        }
    )


def snapshot(last: int, *, bids: Levels | None = None, asks: Levels | None = None) -> bytes:
    ordinary = ([("100.00", "1")], [("101.00", "1")])
    return encoded(
        {
            "lastUpdateId": last,
            "bids": ordinary[0] if bids is None else bids,
            "asks": ordinary[1] if asks is None else asks,
        }
    )


def ticker(number: int, bid: str = "100.00", ask: str = "101.00", qty: str = "1") -> bytes:
    data = {"u": number, "s": "BTCUSDT", "b": bid, "B": qty, "a": ask, "A": qty}
    return encoded({"stream": "btcusdt@bookTicker", "data": data})


def trade(
    trade_id: int = 1,
    *,
    px: str = "100.50",
    qty: str = "0.5",
    at_ms: int = 0,
    buyer_is_maker: bool = False,
) -> bytes:
    data = {"e": "trade", "E": at_ms, "s": "BTCUSDT", "t": trade_id, "p": px, "q": qty}
    return encoded(
        {
            "stream": "btcusdt@trade",
            "data": {**data, "T": at_ms, "m": buyer_is_maker, "M": True},
        }
    )


class Market:
    """A board with its normaliser; every message arrives 100 ms after the one before."""

    def __init__(self, *names: str, stale_after_ms: int = 2_000) -> None:
        listings = listed(names or ("BTCUSDT",))
        self.board = Board(
            {each.symbol: each.instrument for each in listings}, stale_after_ms=stale_after_ms
        )
        self.normaliser = Binance(self.board, listings)
        self.now = Instant(1_000_000 * MS)
        self.position = 0

    def hears(self, *messages: bytes, source: str = "binance", step_ms: int = 100) -> "Market":
        for raw in messages:
            self.now = Instant(self.now + step_ms * MS)
            self.position += 1
            self.normaliser.take(source, self.now, self.position, raw)
        return self

    def gets(self, raw: bytes) -> "Market":
        """A snapshot, from the exchange's other door."""
        return self.hears(raw, source="binance.BTCUSDT")

    def fetches(self) -> "Market":
        return self.hears(notice("fetching", name="BTCUSDT"), source="binance.house")

    def resets(self) -> "Market":
        return self.hears(notice("reset"), source="binance.house")

    @property
    def quality(self) -> Quality:
        return self.board.quality(BTC)

    @property
    def mark(self) -> Mark:
        return self.board.marks[BTC]

    @property
    def qualities(self) -> list[str]:
        return [quality.value for quality, _ in self.board.book(BTC).periods]

    def levels(self) -> tuple[dict[int, int], dict[int, int]]:
        depth = self.board.book(BTC).levels.depth
        return dict(depth(BID, 10**6)), dict(depth(ASK, 10**6))


Fault = Callable[["Exchange", ServerConnection, bytes], bytes | None]


class Exchange:
    """A WebSocket server and a REST server on loopback that speak the exchange's messages.

    The market behind both is the seeded one, or a recording: its messages in order, as fast as they
    go, and its snapshot. `fault` sees each message before it goes out, and may
    change it, keep it back (None) or break the connection.
    """

    def __init__(
        self, *, every_s: float = 0.01, recorded: list[bytes] | None = None, start: bytes = b""
    ) -> None:
        self.recorded, self.start = recorded, start
        shape = SHAPES["BTCUSD"]
        self.walk = Walk(LISTINGS["BTCUSDT"], shape, seed=11)
        self.every_s = every_s
        self.fault: Fault = lambda _, __, raw: raw
        self.subscriptions: list[list[str]] = []
        self.snapshots = 0
        self.refuse_snapshots = 0  # this many times, in the way of `refusal`
        self.refusal = "503"
        self.silent = False
        self.sent: list[bytes] = []
        self.stream_url = self.rest_url = ""
        self._sockets: set[ServerConnection] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Exchange"]:
        rest = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        async with serve(self._stream, "127.0.0.1", 0) as streams:
            self.stream_url = f"ws://127.0.0.1:{next(iter(streams.sockets)).getsockname()[1]}"
            self.rest_url = f"http://127.0.0.1:{rest.sockets[0].getsockname()[1]}"
            market = asyncio.create_task(self._market())
            try:
                yield self
            finally:
                market.cancel()
                rest.close()

    async def _market(self) -> None:
        if self.recorded is not None:
            while not self._sockets:
                await asyncio.sleep(0.01)
            for raw in self.recorded:
                for socket in list(self._sockets):
                    await socket.send(raw, text=True)
                    self.sent.append(raw)
            return
        nth = 0
        while True:
            nth += 1
            for raw in self.walk.step(Instant(nth * 10 * MS)):
                for socket in list(self._sockets):
                    message = self.fault(self, socket, raw)
                    if message is not None and not self.silent:
                        await socket.send(message, text=True)
                        self.sent.append(message)
            await asyncio.sleep(self.every_s)

    async def _stream(self, socket: ServerConnection) -> None:
        asked = json.loads(await socket.recv())
        assert asked["method"] == "SUBSCRIBE"
        self.subscriptions.append(asked["params"])
        await socket.send(encoded({"result": None, "id": asked["id"]}), text=True)
        self._sockets.add(socket)
        try:
            await socket.wait_closed()
        finally:
            self._sockets.discard(socket)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readline()
        while (await reader.readline()).strip():
            pass
        status, body, cut = b"200 OK", b"{}", 0
        if b"/api/v3/depth?symbol=BTCUSDT&" in request:
            self.snapshots += 1
            if self.refuse_snapshots > 0:
                self.refuse_snapshots -= 1
                status, body, cut = {
                    "503": (b"503 Service Unavailable", b"{}", 0),
                    "an error": (b"200 OK", b'{"code":-1003,"msg":"slow down"}', 0),
                    "a page": (b"200 OK", b"<html>we are back soon</html>", 0),
                    "cut short": (b"200 OK", self.walk.snapshot(), 50),
                    "nothing": (b"", b"", 0),
                }[self.refusal]
            else:
                body = self.start or self.walk.snapshot()
        head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        if status:
            writer.write(head % (status, len(body)) + body[: len(body) - cut])
        await writer.drain()
        writer.close()
