"""A book of our own: who rests, in which phase it is, and what it last traded at.

The venue is called CROSS. Market identifier codes (ISO 10383) have four characters, so that a name
of five can never be somebody else's; PAPER is named likewise.
"""

from enum import StrEnum
from typing import Final

import msgspec

from fondaco.domain.reference.model import CROSS_MIC, Symbol
from fondaco.domain.trading.model import SelfMatch
from fondaco.domain.venues.crossing.matching import (
    CANCEL_BOTH,
    CANCEL_NEWEST,
    CANCEL_OLDEST,
    DECREMENT,
    MatchingBook,
)
from fondaco.kernel.event import Instant, StreamId

MIC: Final = CROSS_MIC
PREFIX: Final = f"venue/{MIC}/"
_NUMBER_BITS: Final = 40  # of an order's id in the book; the bits above are its owner
_NUMBERS: Final = (1 << _NUMBER_BITS) - 1


class Phase(StrEnum):
    """What an instrument does on this venue: FIX TradingSessionSubID (625)."""

    PRE_OPEN = "pre_open"  # orders may come and go
    OPENING_AUCTION = "opening_auction"  # likewise; it ends with the uncrossing
    CONTINUOUS = "continuous"
    CLOSING_AUCTION = "closing_auction"
    HALTED = "halted"  # orders may only go
    CLOSED = "closed"  # likewise


class Step(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a book goes into when clocks show this minute of a day of business."""

    minute: int
    phase: Phase


class Schedule(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The phases of each day of business, in the order in which they come; the last one closes.
    Days are those of a calendar of the reference room, minutes those of a time zone (IANA)."""

    time_zone: str
    calendar: str
    steps: tuple[Step, ...]


class Terms(msgspec.Struct, gc=False, array_like=True):
    """What the book need not know of an order that rests there."""

    lots: int  # OrderQty, executed ones included
    exec_number: int
    post_only: bool
    mode: int  # of self-match prevention, as the kernel counts them


MODES: Final = {
    None: CANCEL_NEWEST,
    SelfMatch.CANCEL_NEWEST: CANCEL_NEWEST,
    SelfMatch.CANCEL_OLDEST: CANCEL_OLDEST,
    SelfMatch.CANCEL_BOTH: CANCEL_BOTH,
    SelfMatch.DECREMENT: DECREMENT,
}


class OwnBook:
    """The matching kernel with orders named as messages name them. Only `evolve` changes it."""

    __slots__ = ("matching",)

    def __init__(self) -> None:
        self.matching = MatchingBook()

    def dump(self) -> list[tuple[int, ...]]:
        """Every order, in an order in which `load` puts it back into its place."""
        rows: list[tuple[int, ...]] = self.matching.rows(0) + self.matching.rows(1)
        return rows

    def row(self, order_id: int) -> tuple[int, ...]:
        """Of an order that rests: what the kernel's `find` gives."""
        row: tuple[int, ...] = self.matching.find(order_id) or ()
        return row

    @classmethod
    def load(cls, rows: list[list[int]]) -> "OwnBook":
        book = cls()
        for row in rows:
            book.matching.add(*row)
        return book


class CrossingState(msgspec.Struct):
    """One symbol."""

    symbol: Symbol
    book: OwnBook = msgspec.field(default_factory=OwnBook)
    phase: Phase = Phase.CONTINUOUS
    owners: list[StreamId] = []  # whose orders ever rested here: the first is owner 1
    numbers: dict[StreamId, int] = {}  # of those
    terms: dict[int, Terms] = {}  # by the order's id in the book
    trades: int = 0
    last_px: int = 0  # 0: nothing has traded yet
    tops: tuple[int, int] = (
        0,
        0,
    )  # by side: whose order is served first, or 0
    schedule: Schedule | None = None
    stepped: Instant = Instant(0)  # when the last of its steps was due that the book has heard of

    def order_id(self, account_stream: StreamId, number: int) -> int:
        """In the book; 0 for an account that has never had an order there."""
        owner = self.numbers.get(account_stream, 0)
        return owner << _NUMBER_BITS | number if owner and 0 < number <= _NUMBERS else 0

    def whose(self, order_id: int) -> tuple[StreamId, int]:
        """Account and number."""
        return self.owners[(order_id >> _NUMBER_BITS) - 1], order_id & _NUMBERS
