"""The follower of a dark book: it watches the lit one, and says when its middle has moved to where
orders could meet. Belongs to the loop's thread."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from fondaco.domain.market.model import Aggressor, Trade
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import Side
from fondaco.domain.venues.events import OrderExecuted
from fondaco.domain.venues.midpoint.events import MatchMidpoint
from fondaco.domain.venues.midpoint.meeting import could_meet
from fondaco.domain.venues.midpoint.model import MIC, MidpointState, twice_middle
from fondaco.domain.venues.midpoint.rules import evolve
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId, message_id

SOURCE: Final = MIC.lower()


class Shown(Protocol):
    """What of the house's board this needs."""

    @property
    def books(self) -> Mapping[Symbol, Any]: ...
    def traded(self, trade: Trade, position: int, /) -> None: ...


class MidpointWatch:
    """One symbol. It keeps a copy of the dark book of its own, as of what is durable."""

    def __init__(self, board: Shown, state: MidpointState) -> None:
        self.source = StreamId(f"midpoint/{state.symbol}")
        self._board = board
        self._state = state
        self._told = 0
        self._seen = 0  # the middle for which it was last looked whether somebody could meet

    def __len__(self) -> int:
        """Orders that rest."""
        return len(self._state.orders)

    def rebuild(self, state: MidpointState, heard: Mapping[str, int]) -> None:
        """From the venue's own memory. `heard` says what the venue was last told by us."""
        self._state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=MidpointState)
        self._told = heard.get(self.source, 0)
        self._seen = 0

    def hear(self, entry: Entry) -> None:
        """One entry of the venue, once it is durable; in order.

        What was executed is printed where the lit book is our own: the market's prints are not ours
        to add to. The buyers' side of every trade says all of it.
        """
        event: Any = entry.event
        symbol = self._state.symbol
        book = self._board.books.get(symbol)
        if isinstance(event, OrderExecuted) and event.side is Side.BUY and book and book.is_own:
            aggressor: Aggressor = "sell" if event.is_maker else "buy"
            for fill in event.fills:
                at, nth = entry.at, entry.position
                trade = Trade(symbol, fill.px, fill.lots, aggressor, nth, at, at, SOURCE)
                self._board.traded(trade, nth)
        evolve(self._state, event)
        self._seen = 0

    def on_book(self, at: Instant) -> MatchMidpoint | None:
        """An update of the lit book is complete. A middle that nobody wants is looked at once."""
        twice = twice_middle(self._board.books.get(self._state.symbol))
        if twice == self._seen:
            return None
        self._seen = twice
        if not twice or not could_meet(list(self._state.orders.values()), twice):
            return None
        return MatchMidpoint(self._cause(at), at, twice)

    def release(self) -> None:
        """The venue did not get the last command: the next look asks again."""
        self._seen = 0

    def _cause(self, at: Instant) -> CommandId:
        """Numbers that go up with time, and from where the venue stands after a restart."""
        self._told = max(self._told + 1, at)
        return message_id(self.source, self._told)
