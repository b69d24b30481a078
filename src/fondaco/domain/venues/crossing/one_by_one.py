"""The matching kernel, one command at a time: each call answers with event objects. Hot."""

from typing import Final, TypeAlias

from fondaco.domain.venues.crossing.matching import (
    CANCEL_OLDEST,
    FILLED,
    LOTS_MAX,
    WHY,
    MatchingBook,
)
from fondaco.domain.venues.crossing.turns import Ended, Matched, Rested, Revised

Happened: TypeAlias = Matched | Ended | Revised | Rested

_REQUESTED: Final = WHY[1]
_WOULD_TAKE: Final = WHY[2]
_SELF_MATCH: Final = WHY[5]
_REFUSED: Final = WHY[6]


class Engine:
    """A book whose turns say what happened. `manner` is as `MatchingBook` reads it."""

    __slots__ = ("_enter", "_take_off", "book")

    def __init__(self) -> None:
        self.book = MatchingBook()
        self._enter = self.book.enter
        self._take_off = self.book.take_off

    def enter(
        self, order: int, owner: int, manner: int, px: int, lots: int, display: int = 0
    ) -> list[Happened]:
        """An order comes in: who it meets, and what becomes of what is left of it."""
        executed = self._enter(order, owner, manner, px, lots, display)
        rested = self.book.rested
        # The one mode in which an order rests whole after it has ended others.
        if rested == lots and manner >> 4 != CANCEL_OLDEST:
            return [Rested(order, px, lots)]
        return self._told(order, px, lots, rested, executed)

    def replace(self, order: int, px: int, leaves: int, manner: int = 0) -> list[Happened]:
        """New terms, of which `leaves` are left: less of it at its price keeps its place.

        Of `manner`, post-only and self-match prevention count. What is refused changes nothing.
        """
        book, found = self.book, self.book.find(order)
        if found is None:
            return []
        _, owner, side, old_px, before, display, _ = found
        if px == old_px and 0 < leaves <= before:
            if leaves < before:
                self._take_off(order, before - leaves, False)
            return [Revised(order, px, leaves)]
        manner = (manner & ~7) | side
        fits = (
            0 < px <= LOTS_MAX
            and 0 < leaves <= LOTS_MAX - (book.asks if side else book.bids).total + before
        )
        if not fits or not 0 <= manner < 5 * 16:
            return [Ended(order, 0, _REFUSED)]
        if manner & 8 and book.plan(side, px, 1, 0, 0):
            return [Ended(order, 0, _WOULD_TAKE)]
        self._take_off(order, 0, False)
        return self.enter(order, owner, manner, px, leaves, display)

    def cancel(self, order: int) -> list[Happened]:
        """Nothing happens to an order that is not here."""
        lots = self._take_off(order, 0, False)
        return [Ended(order, lots, _REQUESTED)] if lots > 0 else []

    def _told(self, order: int, px: int, lots: int, rested: int, executed: int) -> list[Happened]:
        events: list[Happened] = []
        for kind, maker, at_px, each, leaves, _ in self.book.steps():
            if kind == FILLED:
                events.append(Matched(maker, order, at_px, each, leaves))
            elif leaves:
                events.append(Revised(maker, at_px, leaves))
            else:
                events.append(Ended(maker, each, _SELF_MATCH))
        if rested:
            events.append(Rested(order, px, rested))
        elif self.book.why:
            events.append(Ended(order, lots - max(executed, 0), WHY[self.book.why]))
        return events
