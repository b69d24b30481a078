"""What a venue's book of one symbol accepts and publishes."""

from typing import TypeAlias

import msgspec

from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import OrdStatus, SelfMatch, Side, TimeInForce
from fondaco.kernel.event import Command, Event, StreamId

# --- What is asked ------------------------------------------------------------------------------


class EnterOrder(Command, frozen=True, gc=False):
    """FIX NewOrderSingle (35=D). What is left of the order is `lots - cum_lots`.

    A market order has no limit where `px` is 0. `cash_qty`, in ledger units of the quote asset,
    caps what a market order by notional spends or receives at execution prices; fees are not in it,
    since the account took them off before it sent the order.
    """

    account_stream: StreamId  # where the executions go
    number: int
    symbol: Symbol
    side: Side
    px: int
    lots: int
    time_in_force: TimeInForce
    is_market: bool = False
    display_lots: int = 0
    post_only: bool = False
    cash_qty: int = 0
    cum_lots: int = 0
    exec_number: int = 0  # of the last execution that the account has booked
    self_match: SelfMatch | None = None  # SelfMatchPreventionInstruction (2964); None: the newest
    min_lots: int = 0  # MinQty (110), of each execution


class CancelAtVenue(Command, frozen=True, gc=False):
    """FIX OrderCancelRequest (35=F). With the reason "expired" the order ends as EXPIRED."""

    account_stream: StreamId
    number: int
    reason: str


class ReplaceAtVenue(Command, frozen=True, gc=False):
    """FIX OrderCancelReplaceRequest (35=G). `lots` is the new OrderQty, executed ones included."""

    account_stream: StreamId
    number: int
    lots: int
    px: int


class Match(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How much of a resting order the market has reached."""

    account_stream: StreamId
    number: int
    lots: int


class MatchResting(Command, frozen=True, gc=False):
    """The market came to orders that rest here, says the follower that watches it.

    Either trades reached them, at `px`; or (`is_crossed`) the other side of the market displays
    `px`, which is through their price: then no more executes than is displayed and not yet used.
    """

    px: int
    matches: tuple[Match, ...]
    is_crossed: bool = False


# --- What happened ------------------------------------------------------------------------------


class OrderBooked(Event, frozen=True, gc=False, tag="venues.order_booked.v1"):
    """What is left of an order rests. `queue_ahead` is what the market displayed at its price."""

    account_stream: StreamId
    number: int
    side: Side
    px: int
    lots: int
    leaves_lots: int
    display_lots: int
    queue_ahead: int
    exec_number: int
    post_only: bool = False
    self_match: SelfMatch | None = None
    min_lots: int = 0
    is_top: bool = False  # it bettered the market of a book where that is served first


class OrderExecuted(Event, frozen=True, gc=False, tag="venues.order_executed.v1"):
    """FIX ExecutionReport (35=8), ExecType (150) = F. One event per turn and order."""

    account_stream: StreamId
    number: int
    exec_number: int  # of this order: 1, 2, 3 … without gaps
    symbol: Symbol
    side: Side
    fills: tuple[Fill, ...]  # a taker's at the levels' prices, a maker's at its own
    is_maker: bool
    leaves_lots: int
    took: tuple[Fill, ...] = ()  # displayed depth that a crossed maker used, at the levels' prices


class OrderEnded(Event, frozen=True, gc=False, tag="venues.order_ended.v1"):
    """What was left of an order will not execute: ExecType 4, C or 8."""

    account_stream: StreamId
    number: int
    ord_status: OrdStatus  # CANCELED, EXPIRED or REJECTED
    text: str  # "would_take", "no_liquidity", "cash_spent", "not_at_once", or the cancel's reason


class OrderReplaced(Event, frozen=True, gc=False, tag="venues.order_replaced.v1"):
    """ExecType 5. An order keeps its place in the queue only if all that changed is less of it.
    Nobody asked for a restatement: prevention of self-matches took something off (ExecType D)."""

    account_stream: StreamId
    number: int
    lots: int
    px: int
    leaves_lots: int
    queue_ahead: int
    keeps_place: bool
    is_restated: bool = False


class ChangeDenied(Event, frozen=True, gc=False, tag="venues.change_denied.v1"):
    """FIX OrderCancelReject (35=9). Nothing changed."""

    account_stream: StreamId
    number: int
    text: str  # "too_late": nothing is left of it; "would_take": it is post-only


class NothingMatched(Event, frozen=True, gc=False, tag="venues.nothing_matched.v1"):
    """What the follower saw has been overtaken: those orders are gone, or the depth is used up."""

    px: int


VenueCommand: TypeAlias = EnterOrder | CancelAtVenue | ReplaceAtVenue | MatchResting
VenueEvent: TypeAlias = (
    OrderBooked | OrderExecuted | OrderEnded | OrderReplaced | ChangeDenied | NothingMatched
)
