"""What decisions are given besides state and command, by the room that decides."""

from collections.abc import Callable
from typing import Any

from fondaco.domain.market.board import Board
from fondaco.domain.trading.model import TradingRefs
from fondaco.domain.venues.model import VenueRefs, mic_of, symbol_of
from fondaco.domain.venues.routed.model import PREFIX as ELSEWHERE
from fondaco.domain.venues.routed.model import RouteRefs
from fondaco.kernel.event import StreamId


class Given:
    """`routes` are the venues elsewhere by name, and whether each can be told something now."""

    def __init__(self, refs: TradingRefs, board: Board) -> None:
        self.routes: dict[str, Callable[[], bool]] = {}
        self._refs, self._board = refs, board
        self._at_venues: dict[StreamId, VenueRefs] = {}

    def to(self, prefix: str) -> Callable[[StreamId], Any]:
        """To the streams of one room."""
        if prefix == ELSEWHERE:
            return self._elsewhere
        if prefix.startswith(ELSEWHERE):
            return self._at_venue
        return lambda _: self._refs

    def _at_venue(self, stream: StreamId) -> VenueRefs:
        refs = self._at_venues.get(stream)
        if refs is None or refs.book is None:
            book = self._board.books.get(symbol_of(stream))
            refs = self._at_venues[stream] = VenueRefs(self._refs.version, book)
        refs.version = self._refs.version
        return refs

    def _elsewhere(self, stream: StreamId) -> RouteRefs:
        is_up = self.routes.get(mic_of(stream))
        return RouteRefs(self._refs.version, is_up is not None and is_up())
