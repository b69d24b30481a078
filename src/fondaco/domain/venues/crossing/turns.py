"""What the matching kernel's turns give: one event object for each thing that happened."""

import msgspec


class Rested(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`lots` of an order are on the book, at the back of their price."""

    order: int
    px: int
    lots: int


class Matched(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A trade, at the maker's price."""

    maker: int
    taker: int
    px: int
    lots: int
    leaves: int  # of the maker


class Revised(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A resting order has `leaves` lots left from here on, in the place that it had."""

    order: int
    px: int
    leaves: int


class Ended(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """`lots` of an order will not execute. `why` is one of `matching.WHY`."""

    order: int
    lots: int
    why: str
