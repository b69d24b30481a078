"""Every WebSocket of the house, and what app.py needs to wire them.

streams = Streams(door, refs, board, position=journal.head())
kernel.listeners.append(streams.publish)
uvicorn.Config(door, ws=streams.socket(queue_max=…), ws_per_message_deflate=False, …)
"""

from collections.abc import Mapping
from typing import Any, Final

from fondaco.domain.market.api import Board
from fondaco.domain.trading.api.orders import RefsNow
from fondaco.gateway.door import Door
from fondaco.gateway.guard.lines import Lines
from fondaco.gateway.market_stream import MarketHub, MarketTalk
from fondaco.gateway.sockets import Opening, Socket, socket_of
from fondaco.gateway.trading_stream import TradingHub, TradingTalk

PREFIXES: Final = ("", "/api", "/api/v1")
TRADING: Final = "/ws/trading"
MARKET: Final = "/ws/market-data"


class Streams:
    def __init__(
        self,
        door: Door,
        refs: RefsNow,
        board: Board | None,
        *,
        position: int = 0,
        per_user_max: int = 10_000,
    ) -> None:
        """`position` is the journal's end, from where on `publish` is told everything."""
        self._context = door.context
        self._per_user_max = per_user_max
        self.users: dict[str, int] = {}  # connections by caller
        self.trading = TradingHub(door.endpoints, refs, position)
        self.market = MarketHub(board, door.house.now) if board is not None else None
        door.sockets = self.trading.tally
        self.publish = self.trading.publish
        self.others: dict[str, Opening] = {}  # of other doors, by path
        self._socket: type[Socket] | None = None

    @property
    def open_count(self) -> int:
        return self._socket.open_count[0] if self._socket else 0

    def socket(
        self,
        *,
        queue_max: int = 10_000,
        connections_max: int = 10_000,
        lines: Lines | None = None,
    ) -> type[Socket]:
        """The protocol to give to uvicorn."""
        openings: dict[str, Opening] = {prefix + TRADING: self._open_trading for prefix in PREFIXES}
        if self.market is not None:
            openings |= {prefix + MARKET: self._open_market for prefix in PREFIXES}
        openings |= self.others
        self._socket = socket_of(
            openings, queue_max=queue_max, connections_max=connections_max, lines=lines
        )
        return self._socket

    def _open_trading(
        self, socket: Socket, headers: Mapping[str, str], query: dict[str, list[str]]
    ) -> Any:
        return TradingTalk(self.trading, *self.parts(socket, headers, query))

    def _open_market(
        self, socket: Socket, headers: Mapping[str, str], query: dict[str, list[str]]
    ) -> Any:
        assert self.market is not None  # noqa: S101  # else there is no such path
        return MarketTalk(self.market, *self.parts(socket, headers, query))

    def parts(self, *asked: Any) -> tuple[Any, ...]:
        """What a talk is made of, for what is asked by a socket: itself, its headers, its query."""
        return (self._context, *asked, self.users, self._per_user_max)
