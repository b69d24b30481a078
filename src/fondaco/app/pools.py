"""The clock of the pooling desks: it says when it is time to go to the street."""

from collections.abc import Callable
from typing import Any, Final

from fondaco.domain.market.board import Board
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import Side, TradingRefs
from fondaco.domain.venues.model import venue_stream
from fondaco.domain.venues.pooling.events import CutBlock
from fondaco.domain.venues.pooling.model import DESK_STREAM, MIC
from fondaco.domain.venues.pooling.rules import is_due
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Command, Instant, StreamId, message_id
from fondaco.runtime.committer import Answer
from fondaco.runtime.loading import Memory

SIDES: Final = tuple(Side)


class Pools:
    """Belongs to the loop's thread. What it sees may be ahead of the disk: it only asks, and the
    desk decides."""

    def __init__(
        self,
        board: Board,
        refs: TradingRefs,
        peek: Callable[[StreamId], Memory[Any] | None],
        submit: Callable[[StreamId, Command], Answer],
        every_ms: int,
    ) -> None:
        self._board = board
        self._refs = refs
        self._peek = peek
        self._submit = submit
        self._every_ns = every_ms * 1_000_000
        self._next = 0
        self._told: dict[StreamId, int] = {}
        self._is_open = False

    def streams(self) -> list[StreamId]:
        """What must be in memory when the house starts: the desks, and their own account."""
        pools = [venue_stream(symbol, MIC) for symbol in self._symbols()]
        return [*pools, DESK_STREAM] if pools else []

    def _symbols(self) -> list[Symbol]:
        return [symbol for symbol, each in self._refs.instruments.items() if each.round_lots]

    def look(self, now: Instant) -> None:
        """Blocks are cut so often and no oftener. Before the desk's own account is open nobody
        could go to the street for them."""
        if now < self._next:
            return
        self._next = now + self._every_ns
        symbols = self._symbols()
        if not self._is_open:
            desk = self._peek(DESK_STREAM) if symbols else None
            self._is_open = desk is not None and desk.state.opened
            if not self._is_open:
                return
        for symbol in symbols:
            pool = self._peek(venue_stream(symbol, MIC))
            if pool is None or not pool.state.orders:
                continue
            book = self._board.books.get(symbol)
            for side in SIDES:
                if is_due(pool.state, side, book, now):
                    self._cut(symbol, side, now)

    def _cut(self, symbol: Symbol, side: Side, now: Instant) -> None:
        """Numbers go up with time, so also from where the desk stands after a restart. One that is
        lost to a failed commit, or that has to wait, is asked for at the next look."""
        source = StreamId(f"pool/{symbol}")
        self._told[source] = max(self._told.get(source, 0) + 1, now)
        command = CutBlock(message_id(source, self._told[source]), now, side)
        try:
            self._submit(venue_stream(symbol, MIC), command)
        except Unavailable:
            return
