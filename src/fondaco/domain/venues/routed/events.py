"""What is told to a venue elsewhere, and what it says: FIX's words, in whole lots and ticks.

An execution is two events of one turn: `ReportNoted` has the counterparty's ExecID, by which it is
never counted again, and `OrderExecuted`, as every venue says it, is what the account hears.
"""

from typing import TypeAlias

from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import Side, TimeInForce
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.kernel.event import Command, Event, StreamId

# --- What is asked, besides what every venue is asked -------------------------------------------


class HearReport(Command, frozen=True, gc=False, kw_only=True):
    """They have sent an ExecutionReport (8), or a TradeCaptureReport (AE) of one execution.

    `exec_type` and `ord_status` are those of FIX 4.4. Quantities count from when the order was
    sent; -1 and 0 where they were not said. `wrong` says why a price or a quantity is none of
    ours: then nothing of it is counted.
    """

    cl_ord_id: str
    orig_cl_ord_id: str = ""
    order_id: str = ""
    exec_id: str = ""
    exec_type: str
    ord_status: str = ""
    last_lots: int = 0
    last_px: int = 0
    cum_lots: int = -1
    lots: int = 0
    px: int = 0
    is_maker: bool = False
    ref_id: str = ""
    text: str = ""
    wrong: str = ""


class HearDenial(Command, frozen=True, gc=False, kw_only=True):
    """They have sent an OrderCancelReject (9): `reason` is CxlRejReason (102)."""

    cl_ord_id: str
    orig_cl_ord_id: str = ""
    reason: str = ""
    text: str = ""


class HearNothing(Command, frozen=True, gc=False):
    """They are away, or have not answered in time, says who watches the session."""

    account_stream: StreamId
    number: int
    text: str


class NeverLeft(Command, frozen=True, gc=False):
    """A request was written down and not sent, and will not be."""

    cl_ord_id: str


# --- What happened ------------------------------------------------------------------------------


class OrderRouted(Event, frozen=True, gc=False, tag="venues.order_routed.v1"):
    """To be sent as a NewOrderSingle (D) under a ClOrdID of the house's own. `cum_lots` had
    executed before, elsewhere; what is left of `lots` is sent."""

    account_stream: StreamId
    number: int
    cl_ord_id: str
    symbol: Symbol
    side: Side
    px: int
    lots: int
    cum_lots: int
    time_in_force: TimeInForce
    is_market: bool
    display_lots: int
    post_only: bool
    min_lots: int
    exec_number: int


class CancelRouted(Event, frozen=True, gc=False, tag="venues.cancel_routed.v1"):
    """To be sent as an OrderCancelRequest (F)."""

    account_stream: StreamId
    number: int
    cl_ord_id: str
    orig_cl_ord_id: str
    reason: str


class ReplaceRouted(Event, frozen=True, gc=False, tag="venues.replace_routed.v1"):
    """To be sent as an OrderCancelReplaceRequest (G). A quiet one was asked by nobody who would be
    answered: more of the order works now."""

    account_stream: StreamId
    number: int
    cl_ord_id: str
    orig_cl_ord_id: str
    lots: int
    px: int
    is_quiet: bool = False


class ReportNoted(Event, frozen=True, gc=False, tag="venues.report_noted.v1"):
    """They said something. `what` it was to us: "acknowledged", "pending", "executed", "replaced",
    "busted", "denied", "status", "repeated" (it was counted before), "short" (they have executed
    more than they have told us, `cum_lots` in all; with an `ord_status`, the order has ended but
    for that), "disputed" (they no longer know what they knew, or know less), "stray" (it is about
    no order of ours), "silence" (nobody had been awaited)."""

    what: str
    cl_ord_id: str
    account_stream: StreamId
    number: int
    exec_id: str = ""
    order_id: str = ""
    cum_lots: int = -1
    ord_status: str = ""
    text: str = ""


class ExecutionBusted(Event, frozen=True, gc=False, tag="venues.execution_busted.v1"):
    """They take an execution back (ExecType H), or it was another one, `fill` (G). `ref_number` is
    the execution that it is about; this report is number `exec_number` of the order."""

    account_stream: StreamId
    number: int
    exec_number: int
    ref_number: int
    symbol: Symbol
    side: Side
    busted: Fill
    fill: Fill | None
    is_maker: bool
    leaves_lots: int
    text: str


class TradeDisputed(Event, frozen=True, gc=False, tag="venues.trade_disputed.v1"):
    """They report a trade that cannot be booked (ExecType F), or take back (H) or correct (G) one
    that was never counted. Nothing was booked: people must settle it. FIX: BusinessMessageReject
    (j) went back."""

    account_stream: StreamId
    number: int
    cl_ord_id: str
    exec_type: str
    exec_id: str
    ref_id: str
    lots: int
    px: int
    text: str


class OrderSilent(Event, frozen=True, gc=False, tag="venues.order_silent.v1"):
    """What has become of the order is not known: the account counts its worst case."""

    account_stream: StreamId
    number: int
    text: str


class OrderHeard(Event, frozen=True, gc=False, tag="venues.order_heard.v1"):
    """It was silent, and works: as far executed as we know."""

    account_stream: StreamId
    number: int


RoutedCommand: TypeAlias = (
    EnterOrder | CancelAtVenue | ReplaceAtVenue | HearReport | HearDenial | HearNothing | NeverLeft
)
OwnRouted: TypeAlias = (
    OrderRouted
    | CancelRouted
    | ReplaceRouted
    | ReportNoted
    | ExecutionBusted
    | TradeDisputed
    | OrderSilent
    | OrderHeard
)
RoutedEvent: TypeAlias = OwnRouted | OrderExecuted | OrderEnded | OrderReplaced | ChangeDenied
