"""What the account of the pooling desk is asked to book, and what it has booked."""

import msgspec

from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import Side
from fondaco.kernel.event import Command, Event
from fondaco.kernel.money import AssetCode


class Fill(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One execution at one price, as a venue reports it."""

    px: int
    lots: int
    level: int = 0  # which update of the displayed level it took from; 0 for a maker


class BookAllocation(Command, frozen=True, gc=False):
    """Customers have had `fills` of a block out of this account, or into it: they bought or sold as
    `side` says."""

    block: int
    symbol: Symbol
    side: Side
    fills: tuple[Fill, ...]


class AllocationBooked(Event, frozen=True, gc=False, tag="trading.allocation_booked.v1"):
    """The other side of a block's parts: `base_units` have left this account for `cash` where
    customers bought, and the other way round where they sold. `cash` is each part's own cost
    rounded down, as it stands on the clearing account; see rules/execution.py."""

    block: int
    symbol: Symbol
    side: Side  # of the customers
    lots: int
    base: AssetCode
    quote: AssetCode
    base_units: int
    cash: int
