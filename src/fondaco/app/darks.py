"""The followers of the dark books, one for each symbol in which orders rest unseen."""

from collections.abc import Callable, Iterable
from typing import Any

from fondaco.domain.market.board import Board
from fondaco.domain.reference.model import MIDPOINT_MIC, Symbol
from fondaco.domain.venues.midpoint.rules import initial
from fondaco.domain.venues.midpoint.watch import MidpointWatch
from fondaco.domain.venues.model import symbol_of, venue_stream
from fondaco.kernel.errors import FondacoError, Unavailable
from fondaco.kernel.event import Command, Entry, Instant, StreamId
from fondaco.runtime.committer import Answer, Outcome
from fondaco.runtime.loading import Memory


class Darks:
    """Belongs to the loop's thread."""

    def __init__(
        self,
        board: Board,
        submit: Callable[[StreamId, Command], Answer],
        now: Callable[[], Instant],
    ) -> None:
        self._board = board
        self._submit = submit
        self._now = now
        self._watches: dict[Symbol, MidpointWatch] = {}

    def streams(self, symbols: Iterable[Symbol]) -> list[StreamId]:
        """The dark books of those, which must be in memory when the house starts."""
        return [venue_stream(symbol, MIDPOINT_MIC) for symbol in symbols]

    def rebuild(self, stream: StreamId, memory: Memory[Any] | None) -> None:
        """From the venue's own memory, when the house starts."""
        if memory is not None and memory.version:
            self._watch(symbol_of(stream)).rebuild(memory.state, memory.heard)

    def hear(self, entry: Entry) -> None:
        """One entry of a dark book, once it is durable; in order."""
        self._watch(symbol_of(entry.stream)).hear(entry)

    def on_book(self, symbol: Symbol) -> None:
        """The lit book has changed: the dark one is told where orders could meet now."""
        watch = self._watches.get(symbol)
        if watch is None or not len(watch):
            return
        command = watch.on_book(self._now())
        if command is None:
            return

        def settled(outcome: Outcome) -> None:
            if isinstance(outcome, FondacoError):
                watch.release()

        try:
            self._submit(venue_stream(symbol, MIDPOINT_MIC), command).then(settled)
        except Unavailable:
            watch.release()

    def _watch(self, symbol: Symbol) -> MidpointWatch:
        watch = self._watches.get(symbol)
        if watch is None:
            book = initial(venue_stream(symbol, MIDPOINT_MIC))
            watch = self._watches[symbol] = MidpointWatch(self._board, book)
        return watch
