"""What decisions are given besides state and command, by the room that decides."""

from collections.abc import Callable
from typing import Any

from fondaco.app.assessments.looking import look_at
from fondaco.domain.evaluation.assessments.model import PREFIX as ASSESSMENTS
from fondaco.domain.evaluation.assessments.model import AssessmentRefs
from fondaco.domain.market.board import Board
from fondaco.domain.trading.model import AccountId, TradingRefs, account_stream
from fondaco.domain.venues.model import VenueRefs, mic_of, symbol_of
from fondaco.domain.venues.routed.model import PREFIX as ELSEWHERE
from fondaco.domain.venues.routed.model import RouteRefs
from fondaco.kernel.event import Instant, StreamId
from fondaco.runtime.loading import Memory


class Given:
    """`routes` are the venues elsewhere by name, and whether each can be told something now."""

    def __init__(
        self, refs: TradingRefs, board: Board, peek: Callable[[StreamId], Memory[Any] | None]
    ) -> None:
        self.routes: dict[str, Callable[[], bool]] = {}
        self._refs, self._board = refs, board
        self._peek = peek
        self._at_venues: dict[StreamId, VenueRefs] = {}

    def to(self, prefix: str) -> Callable[[StreamId], Any]:
        """To the streams of one room."""
        if prefix == ELSEWHERE:
            return self._elsewhere
        if prefix.startswith(ELSEWHERE):
            return self._at_venue
        if prefix == ASSESSMENTS:
            return self._assessment
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

    def _assessment(self, stream: StreamId) -> AssessmentRefs:
        """With its account as it is now, where that is in memory; the decision says when."""
        memory = self._peek(stream)
        name = AccountId(memory.state.account if memory else "")
        account = self._peek(account_stream(name)) if name else None
        if account is None:
            return AssessmentRefs(self._refs.version)
        held, version = account.state, account.version
        return AssessmentRefs(
            self._refs.version, lambda: look_at(held, self._refs, Instant(0), version)
        )
