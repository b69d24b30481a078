"""Asks about orders: requests, replies, and how the one becomes a command and entries the other."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from fondaco.domain.reference.model import Instrument, Symbol, SymbolText
from fondaco.domain.trading.events import Ask as OrderAsk
from fondaco.domain.trading.events import OrderAccepted, OrderRejected, PlaceOrder
from fondaco.domain.trading.model import (
    ClOrdId,
    Excess,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
    account_of,
    order_id,
)
from fondaco.kernel.errors import Corrupt, FondacoError, Refused
from fondaco.kernel.event import Entry, Instant, fingerprint, request_id
from fondaco.kernel.money import DecimalText
from fondaco.kernel.operation import Stamp

AccountText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", examples=["demo"])]
ClOrdIdText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:+=-]{1,64}$", examples=["my-order-1"])]
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class PlaceOrderRequest(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """`cl_ord_id` is yours: send the same request again if unsure that we heard you."""

    account_id: AccountText
    cl_ord_id: ClOrdIdText
    symbol: SymbolText
    side: Side
    ord_type: OrdType = OrdType.LIMIT
    order_qty: DecimalText | None = None  # in units of the base asset
    price: DecimalText | None = None  # the limit, per unit, in the quote asset
    time_in_force: TimeInForce = TimeInForce.DAY
    stop_px: DecimalText | None = None
    trail_offset: DecimalText | None = None  # how far a trailing stop stays behind the mark
    display_qty: DecimalText | None = None  # of an iceberg
    cash_order_qty: DecimalText | None = None  # of a market order: what to spend or to raise
    expire_time: Annotated[datetime, Meta(tz=True)] | None = None  # with gtd
    post_only: bool = False
    reduce_only: bool = False


class OrderReply(msgspec.Struct, frozen=True, gc=False):
    order_id: str
    cl_ord_id: str
    ord_status: OrdStatus
    leaves_qty: str
    position: int  # views that have reached it show this order


def instant_of(moment: datetime) -> Instant:
    """Exact: a float would lose the microseconds."""
    since = moment - _EPOCH
    return Instant(((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000)


def order_ask(ask: PlaceOrderRequest) -> OrderAsk:
    return OrderAsk(
        ClOrdId(ask.cl_ord_id),
        Symbol(ask.symbol),
        ask.side,
        ask.ord_type,
        ask.time_in_force,
        ask.order_qty or "",
        ask.price or "",
        ask.stop_px or "",
        ask.trail_offset or "",
        ask.display_qty or "",
        ask.cash_order_qty or "",
        instant_of(ask.expire_time) if ask.expire_time else Instant(0),
        ask.post_only,
        ask.reduce_only,
    )


def place(ask: PlaceOrderRequest, stamp: Stamp) -> PlaceOrder:
    """The same request has the same id; another one under a used `cl_ord_id` has not."""
    return PlaceOrder(request_id(ask.cl_ord_id, fingerprint(ask)), stamp.at, order_ask(ask))


def refusal(entry: Entry, event: OrderRejected) -> Refused:
    """A rejected order as the error that its sender gets."""
    details: dict[str, Any] = {
        "state": {
            "order_id": order_id(account_of(entry.stream), event.number),
            "cl_ord_id": event.cl_ord_id,
            "ord_status": OrdStatus.REJECTED,
            "position": entry.position,
        }
    }
    if isinstance(event.excess, Excess):
        details |= msgspec.structs.asdict(event.excess)
    return Refused(event.text, code=event.reason, **details)


class Replies:
    """From entries to replies. `instruments` is the house's own dictionary, which grows with it."""

    def __init__(self, instruments: Mapping[Symbol, Instrument]) -> None:
        self._instruments = instruments

    def placed(self, ask: PlaceOrderRequest, entries: tuple[Entry, ...]) -> OrderReply:
        """Raises `Refused`."""
        found = self.order(ask.cl_ord_id, entries)
        if isinstance(found, FondacoError):
            raise found
        return found

    def order(self, cl_ord_id: str, entries: tuple[Entry, ...]) -> OrderReply | Refused:
        """What became of the order that was asked for as `cl_ord_id`."""
        for entry in entries:
            event = entry.event
            if isinstance(event, OrderAccepted):
                order = event.order
                if order.cl_ord_id == cl_ord_id:
                    instrument = self._instruments[order.symbol]
                    return OrderReply(
                        order_id(account_of(entry.stream), order.number),
                        cl_ord_id,
                        order.ord_status,
                        instrument.qty_text(order.leaves_lots),
                        entry.position,
                    )
            elif isinstance(event, OrderRejected) and event.cl_ord_id == cl_ord_id:
                return refusal(entry, event)
        raise Corrupt(f"an order left {[type(entry.event).__name__ for entry in entries]}")
