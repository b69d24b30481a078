"""What only the pooling desk accepts and publishes; all else is in the room's `events`."""

from typing import TypeAlias

import msgspec

from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import Side
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    NothingMatched,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.kernel.event import Command, Event, Instant, StreamId

# --- What is asked ------------------------------------------------------------------------------


class CutBlock(Command, frozen=True, gc=False):
    """Time to go to the street, says the follower of the clock. Who takes part is decided by the
    book as it is in the turn."""

    side: Side


class RecordStreetOrder(Command, frozen=True, gc=False):
    """The desk's account has accepted a block's order: that has the number `order_number` there."""

    block: int
    order_number: int


class RecordStreetFill(Command, frozen=True, gc=False):
    """An order of the desk's account has executed."""

    order_number: int
    px: int
    lots: int
    is_done: bool


class RecordStreetEnd(Command, frozen=True, gc=False):
    """An order of the desk's account will not execute any more, or was refused: then `block` names
    it, since it has no number that counts."""

    order_number: int
    text: str
    block: int = 0


# --- What happened ------------------------------------------------------------------------------


class PoolJoined(Event, frozen=True, gc=False, tag="venues.pool_joined.v1"):
    """What is left of an order waits for the next block."""

    account_stream: StreamId
    number: int
    side: Side
    px: int
    lots: int
    leaves_lots: int
    exec_number: int
    at_once: bool


class CancelNoted(Event, frozen=True, gc=False, tag="venues.cancel_noted.v1"):
    """The order is part of a block on the street: what that leaves of it ends."""

    account_stream: StreamId
    number: int
    reason: str


class BlockCut(Event, frozen=True, gc=False, tag="venues.block_cut.v1"):
    """Orders of one side become a street order over `lots`, whole round lots, limited at `px`: the
    strictest of its members. `wanted` is what they want together; what lies between is for the
    house's inventory. Without lots the inventory does it alone."""

    block: int
    symbol: Symbol
    side: Side
    lots: int
    px: int
    wanted: int
    places: tuple[int, ...]
    cl_ord_id: str
    order_qty: str  # `lots` and `px` as text
    price: str


class BlockAccepted(Event, frozen=True, gc=False, tag="venues.block_accepted.v1"):
    """The desk's account has sent it to the street, as its order `order_number`."""

    block: int
    order_number: int


class BlockExecuted(Event, frozen=True, gc=False, tag="venues.block_executed.v1"):
    """The street executed some of it."""

    block: int
    px: int
    lots: int


class Part(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one order has of a block: `cost` in ticks x lots."""

    account_stream: StreamId
    number: int
    lots: int
    cost: int


class BlockAllocated(Event, frozen=True, gc=False, tag="venues.block_allocated.v1"):
    """A block is over, and this is who has what of it. `street_lots` at `street_cost`, in ticks x
    lots, are the parts and the house's: lots and cost of the parts, and what `inventory` moved by.
    Of a block that the inventory did alone the street has nothing; its price is the best displayed.
    """

    block: int
    symbol: Symbol
    side: Side
    street_lots: int
    street_cost: int
    parts: tuple[Part, ...]
    inventory: int  # lots, after this
    text: str = ""  # why the street did not do all of it
    not_before: Instant = Instant(0)  # the next one of this side


PoolCommand: TypeAlias = (
    EnterOrder
    | CancelAtVenue
    | ReplaceAtVenue
    | CutBlock
    | RecordStreetOrder
    | RecordStreetFill
    | RecordStreetEnd
)
OwnPoolEvent: TypeAlias = (
    PoolJoined | CancelNoted | BlockCut | BlockAccepted | BlockExecuted | BlockAllocated
)
PoolEvent: TypeAlias = (
    OwnPoolEvent | OrderExecuted | OrderEnded | OrderReplaced | ChangeDenied | NothingMatched
)
