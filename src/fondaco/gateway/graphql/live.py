"""What happens, as subscriptions: the WebSockets' own talks, with a pipe where their socket is.

A talk knows who may hear what, catches up, conflates prices and gives up on who reads too slowly.
It lives on the loop of the house; what it says is taken out of the pipe on the thread of documents.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from fondaco.gateway import market_stream as market
from fondaco.gateway import tell
from fondaco.gateway.house import Caller
from fondaco.gateway.market_stream import MarketTalk
from fondaco.gateway.sockets import Socket
from fondaco.gateway.streams import Streams
from fondaco.gateway.talk import UNAUTHENTICATED, Talk
from fondaco.gateway.trading_stream import TradingTalk
from fondaco.kernel.errors import Denied, FondacoError, NotFound, Unavailable

SLOW_AT: Final = 256  # messages that wait: from here on prices are conflated
_decode: Final = msgspec.json.decode
_encode: Final = msgspec.json.encode


class Told(NamedTuple):
    """A subscription: a channel of a WebSocket."""

    name: str
    channel: str
    message: type
    summary: str
    is_market: bool


TOLD: Final = (
    Told("trading_executions", "executions", tell.ExecutionMessage, "Executions.", False),
    Told("trading_orders", "orders", tell.OrderMessage, "Where orders stand.", False),
    Told("trading_balances", "balances", tell.BalanceMessage, "What moved balances.", False),
    Told("trading_margin", "margin", tell.MarginMessage, "Alerts of margin accounts.", False),
    Told("market_book", "book", market.BookMessage, "A snapshot of a book, then deltas.", True),
    Told("market_trades", "trades", market.TradesMessage, "Trades.", True),
    Told("market_bars", "bars", market.BarMessage, "The newest bar as it is now.", True),
    Told("market_prices", "prices", market.PriceMessage, "Prices as they are now.", True),
    Told(
        "market_consolidated",
        "consolidated",
        market.ConsolidatedMessage,
        "The consolidated book as it is now.",
        True,
    ),
)


class Pipe:
    """Stands where a talk has its `Socket`. `messages` is read on another thread's loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, address: str, queue_max: int = 10_000
    ) -> None:
        self.loop, self.address = loop, address
        self.talk: Talk | None = None
        self._queue_max = queue_max
        self._queue: deque[bytes] = deque()
        self._was_slow = False
        self._drained = asyncio.Event()
        self._ended: FondacoError | None = None
        self._reader: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    # What a talk needs of a socket

    @property
    def is_slow(self) -> bool:
        if len(self._queue) > SLOW_AT:
            self._was_slow = True
            self._drained.clear()
        return self._was_slow

    @property
    def is_full(self) -> bool:
        return len(self._queue) > self._queue_max

    def tell(self, message: bytes) -> None:
        self._queue.append(message)
        self._wake()

    def close(self, code: int, reason: str) -> None:
        unknown = code == UNAUTHENTICATED
        self.end(Denied(reason, code="unauthenticated") if unknown else Unavailable(reason))

    async def writable_again(self) -> None:
        await self._drained.wait()

    # Its other end

    def end(self, error: FondacoError) -> None:
        if self._ended is None:
            self._ended = error
            self.shut()
            self._wake()

    def shut(self) -> None:
        """Nobody reads any more."""
        talk, self.talk = self.talk, None
        if talk is not None:
            talk.closed()

    async def messages(self) -> AsyncIterator[bytes]:
        """Until the talk ends, which raises what it said."""
        ready = asyncio.Event()
        self._reader = asyncio.get_running_loop(), ready
        try:
            while True:
                ready.clear()
                while self._queue:
                    yield self._queue.popleft()
                if self._was_slow:
                    self.loop.call_soon_threadsafe(self._read)
                if self._ended is not None:
                    raise self._ended
                if not self._queue:
                    await ready.wait()
        finally:
            self.loop.call_soon_threadsafe(self.shut)

    def _read(self) -> None:
        if self._was_slow and len(self._queue) <= SLOW_AT:
            self._was_slow = False
            self._drained.set()
            if self.talk is not None:
                self.talk.writable()

    def _wake(self) -> None:
        if self._reader is not None:
            loop, ready = self._reader
            if not ready.is_set() and not loop.is_closed():
                loop.call_soon_threadsafe(ready.set)


def listen(
    streams: Streams, caller: Caller, address: str, told: Told, given: Mapping[str, Any]
) -> Pipe:
    """On the loop of the house. Raises `Denied`; what else is wrong comes through the pipe."""
    pipe = Pipe(asyncio.get_running_loop(), address)
    parts = streams.parts(cast(Socket, pipe), {}, {})
    if told.is_market:
        if streams.market is None:
            raise NotFound("this house has no market")
        talk: Talk = MarketTalk(streams.market, *parts)
        ask = {"op": "subscribe", "channel": told.channel, "symbols": given["symbols"]}
    else:
        talk = TradingTalk(streams.trading, *parts)
        after = given.get("after")
        ask = {
            "op": "resume",
            "after": streams.trading.position if after is None else after,
            "channels": [told.channel],
            "accounts": given["account_ids"],
        }
    talk.admit(caller)
    pipe.talk = talk
    cast(Any, talk).receive(_encode(ask))
    return pipe


def said(message: bytes) -> tuple[Any, Any]:
    """What a message tells, and the problem that it is instead; neither of what only says that an
    ask was heard."""
    found = _decode(message)
    if "channel" in found:
        return found, None
    return None, found.get("error")
