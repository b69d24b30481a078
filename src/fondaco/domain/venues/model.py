"""The paper venue's side of an order: what rests on its book, and what of the market is used up.

There is one stream, and one state, per symbol. The market's own book is not here: it is tape, and
the shell gives it to every decision. What the house executed is here, because the market does not
know about it.
"""

from typing import Final, Protocol

import msgspec

from fondaco.domain.market.model import BookSide, Quality
from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.domain.trading.model import Side
from fondaco.kernel.event import StreamId

PREFIX: Final = "venue/PAPER/"
# How many price levels of a side are remembered as used. The oldest is forgotten for the next one:
# by then the market has long written it anew.
USED_LEVELS_MAX: Final = 4_096


def venue_stream(symbol: Symbol, mic: str = "PAPER") -> StreamId:
    """Where the orders of an instrument go that trades at the venue `mic`."""
    return f"venue/{mic}/{symbol}"  # type: ignore[return-value]  # see kernel.event


def symbol_of(stream: StreamId) -> Symbol:
    return Symbol(stream.rpartition("/")[2])


def mic_of(stream: StreamId) -> str:
    return stream.split("/")[1]


class Depth(Protocol):
    """The market's book of one symbol. The board's live book is one; it stands still in a turn."""

    @property
    def instrument(self) -> Instrument: ...
    @property
    def quality(self) -> Quality: ...

    @property
    def is_continuous(self) -> bool:
        """Whether orders meet there as they come."""
        ...

    def bids(self, limit: int, /) -> list[tuple[int, int]]:
        """Up to `limit` levels as (ticks, lots), best first."""
        ...

    def asks(self, limit: int, /) -> list[tuple[int, int]]: ...

    def qty(self, side: BookSide, px: int, /) -> int:
        """Lots displayed at `px`."""
        ...

    def level_version(self, side: BookSide, px: int, /) -> int:
        """Differs from what it was once the market has written this level again."""
        ...


class VenueRefs(msgspec.Struct):
    """What a decision is given besides state and command; `book` is None where no feed serves."""

    version: int
    book: Depth | None


class Resting(msgspec.Struct, gc=False, array_like=True):
    """An order on the book. Only `evolve` changes it."""

    side: Side
    px: int
    lots: int
    leaves_lots: int
    display_lots: int  # 0 shows everything
    queue_ahead: int  # lots displayed before it when it came
    exec_number: int  # of its last execution; 0 before the first
    place: int  # among all that were ever booked here: who came first
    post_only: bool = False

    @property
    def cum_lots(self) -> int:
        return self.lots - self.leaves_lots


class Used(msgspec.Struct, gc=False, array_like=True):
    """What takers have had of one displayed level since the market wrote it as `version`."""

    version: int
    lots: int


class VenueState(msgspec.Struct):
    """One symbol. `orders` are by account and by number, as messages name them."""

    symbol: Symbol
    orders: dict[StreamId, dict[int, Resting]] = {}
    bids: dict[int, Used] = {}  # by price
    asks: dict[int, Used] = {}
    booked: int = 0  # orders ever booked

    def find(self, account_stream: StreamId, number: int) -> Resting | None:
        orders = self.orders.get(account_stream)
        return None if orders is None else orders.get(number)
