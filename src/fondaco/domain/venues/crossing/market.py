"""Market data out of our own book: what the venue has written becomes levels, trades and a mark.

It keeps a second copy of the book and takes it through the same `evolve`, but only with what is
durable: the venue's own memory runs ahead of the disk, and nobody may see what could be lost.
"""

from typing import Any, Final, Protocol

import msgspec

from fondaco.domain.market.model import Indicative, Trade
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import Side
from fondaco.domain.venues.crossing.events import Uncrossed
from fondaco.domain.venues.crossing.model import MIC, CrossingState, OwnBook
from fondaco.domain.venues.crossing.rules import SHUT, evolve, indicative
from fondaco.domain.venues.events import OrderExecuted
from fondaco.kernel.event import Entry, Instant

SOURCE: Final = MIC.lower()


class Shown(Protocol):
    """What of the house's board this needs."""

    def book(self, symbol: Symbol, /) -> Any: ...
    def settle(self, book: Any, /) -> None: ...
    def traded(self, trade: Trade, position: int, /) -> None: ...


class OwnMarket:
    """One instrument. `state` is the venue's as of what is durable; it is copied."""

    def __init__(self, board: Shown, state: CrossingState, at: Instant) -> None:
        self._board = board
        self._state = msgspec.structs.replace(
            state,
            book=OwnBook.load([list(row) for row in state.book.dump()]),
            owners=list(state.owners),
            numbers=dict(state.numbers),
            terms={key: msgspec.structs.replace(each) for key, each in state.terms.items()},
        )
        self._touched: dict[tuple[int, int], None] = {
            (row[2], row[3]): None for row in self._state.book.dump()
        }
        book = board.book(state.symbol)
        book.source = SOURCE
        book.condition.synced = True
        book.indicative = self._indicative
        self._indicated: tuple[int, Indicative | None] = (-1, None)  # as of a version of the book
        if state.last_px:
            book.own_px = state.last_px
        self.settle(at)

    @property
    def shown(self) -> CrossingState:
        """As of what is durable."""
        return self._state

    def hear(self, entry: Entry) -> None:
        """One entry of the venue's stream, in order. `settle` makes what it changed visible."""
        event: Any = entry.event
        self._touch(event)
        if isinstance(event, OrderExecuted) and not event.is_maker:
            aggressor = "buy" if event.side is Side.BUY else "sell"
            for nth, fill in enumerate(event.fills, 1):
                self._trade(fill.px, fill.lots, aggressor, self._state.trades + nth, entry)
        elif isinstance(event, Uncrossed) and event.lots:
            aggressor = "buy" if event.surplus > 0 else "sell"
            self._trade(event.px, event.lots, aggressor, self._state.trades + 1, entry)
        evolve(self._state, event)
        self._touch(event)

    def settle(self, at: Instant) -> None:
        """What was written together is shown together."""
        book = self._board.book(self._state.symbol)
        book.version += 1
        for side, px in self._touched:
            book.levels.apply(side, px, self._state.book.matching.qty(side, px), book.version)
        self._touched.clear()
        book.sequence = book.version
        book.phase = self._state.phase
        book.condition.closed = self._state.phase in SHUT
        book.at = book.event_at = at
        self._board.settle(book)

    def _indicative(self) -> Indicative | None:
        version = self._board.book(self._state.symbol).version
        if self._indicated[0] != version:
            found = indicative(self._state)
            shown = None if found is None else Indicative(found.px, found.lots, found.surplus)
            self._indicated = (version, shown)
        return self._indicated[1]

    def _touch(self, event: Any) -> None:
        """The level at which the event's order rests, before or after it."""
        account_stream = getattr(event, "account_stream", None)
        if account_stream is None:
            return
        row = self._state.book.matching.find(self._state.order_id(account_stream, event.number))
        if row is not None:
            self._touched[row[2], row[3]] = None

    def _trade(self, px: int, lots: int, aggressor: Any, trade_id: int, entry: Entry) -> None:
        self._board.book(self._state.symbol).own_px = px
        trade = Trade(self._state.symbol, px, lots, aggressor, trade_id, entry.at, entry.at, SOURCE)
        self._board.traded(trade, entry.position)
