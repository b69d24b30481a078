"""What rests in the dark. There is one stream, and one state, per symbol."""

from typing import Final

import msgspec

from fondaco.domain.market.model import Quality
from fondaco.domain.reference.model import MIDPOINT_MIC, Symbol
from fondaco.domain.trading.model import Side
from fondaco.domain.venues.model import Depth
from fondaco.kernel.event import StreamId

MIC: Final = MIDPOINT_MIC
PREFIX: Final = f"venue/{MIC}/"
RESTING_MAX: Final = 1_000  # orders of a symbol: who meets whom is looked at pair by pair


class Hidden(msgspec.Struct, gc=False, array_like=True):
    """An order that rests. Only `evolve` changes it."""

    account_stream: StreamId
    number: int
    side: Side
    px: int  # it meets nobody beyond this
    lots: int
    leaves_lots: int
    min_lots: int  # MinQty (110): no execution is smaller, unless less than that is left; 0: any
    exec_number: int
    place: int  # among all that were ever booked here: who came first

    @property
    def least(self) -> int:
        """The fewest lots that it executes at once."""
        return min(self.min_lots, self.leaves_lots)


class MidpointState(msgspec.Struct):
    """`orders` are by place, so that who came first comes first; `places` finds them."""

    symbol: Symbol
    orders: dict[int, Hidden] = {}
    places: dict[StreamId, dict[int, int]] = {}
    booked: int = 0  # orders ever booked, and booked anew

    def find(self, account_stream: StreamId, number: int) -> Hidden | None:
        places = self.places.get(account_stream)
        return None if places is None else self.orders.get(places.get(number, 0))


def twice_middle(book: Depth | None) -> int:
    """Best bid and best ask of the lit book added up, so that its middle is exact; 0: it has none.

    A book is no reference unless it is OK, orders meet there as they come, and it has two sides.
    """
    if book is None or book.quality is not Quality.OK or not book.is_continuous:
        return 0
    bids, asks = book.bids(1), book.asks(1)
    if not bids or not asks or bids[0][0] >= asks[0][0]:
        return 0
    return bids[0][0] + asks[0][0]
