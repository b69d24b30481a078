"""The way in: raw bytes to the tape first, then through the normaliser onto the board."""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, TypeAlias

from fondaco.domain.market.binance import Binance
from fondaco.domain.market.board import Board
from fondaco.domain.market.connection import Normaliser, Wire
from fondaco.domain.market.listings import Listing
from fondaco.kernel.event import Instant
from fondaco.ports.tape import Frame, Tape


class Arrival(NamedTuple):
    """What a feed hands over: not yet on any tape."""

    source: str
    at: Instant
    raw: bytes


# Takes a small batch and says of which instruments the feed must fetch a snapshot.
Emit: TypeAlias = Callable[[Iterable[Arrival]], Collection[str]]
Clock: TypeAlias = Callable[[], Instant]


class Intake:
    """Called by one feed, on the loop's thread, with everything that it received."""

    def __init__(
        self, board: Board, tape: Tape, listings: Iterable[Listing], wire: Wire = Binance
    ) -> None:
        self._tape = tape
        self._path = board.path
        self.normaliser: Normaliser = wire(board, listings)

    def __call__(self, arrivals: Iterable[Arrival]) -> Collection[str]:
        append, take = self._tape.append, self.normaliser.take
        clock = self._path.clock
        for source, at, raw in arrivals:
            began = clock()
            position = append(source, at, raw)
            taped = clock()
            take(source, at, position, raw)
            self._path.took(taped - began, clock() - taped)
        return self.normaliser.wants


def rebuild(
    frames: Iterable[Frame], board: Board, listings: Iterable[Listing], wire: Wire = Binance
) -> Normaliser:
    """Put what a tape holds on `board`: the same books, marks and trades as when it was written."""
    normaliser = wire(board, listings)
    for frame in frames:
        normaliser.take(frame.source, frame.at, frame.position, frame.raw)
    return normaliser
