"""Asks about orders: requests, replies, and how the one becomes a command and entries the other."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fondaco.domain.reference.model import Symbol, SymbolText
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import Ask as OrderAsk
from fondaco.domain.trading.model import (
    AccountId,
    ClOrdId,
    Contingency,
    Excess,
    OrdStatus,
    OrdType,
    SelfMatch,
    Side,
    TimeInForce,
    TradingRefs,
    account_of,
    account_stream,
    order_id,
)
from fondaco.kernel.errors import Corrupt, FondacoError, Invalid, NotFound, Refused
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId, fingerprint, request_id
from fondaco.kernel.instants import instant_of
from fondaco.kernel.money import DecimalText
from fondaco.kernel.operation import Stamp

RefsNow: TypeAlias = Callable[[], TradingRefs]
AccountText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", examples=["demo"])]
ClOrdIdText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:+=-]{1,64}$", examples=["my-order-1"])]
OrderIdText = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.[1-9][0-9]{0,17}$", examples=["demo.57"])
]
OrderIdsText = Annotated[  # one or several, separated by commas
    str, Meta(pattern=r"^[A-Za-z0-9_.,-]+$", max_length=9_000, examples=["demo.57,demo.58"])
]
BULK_MAX: Final = 1_000
AN_ORDER: Final = {
    "account_id": "demo",
    "cl_ord_id": "my-order-1",
    "symbol": "BTC-USD",
    "side": "buy",
    "ord_type": "limit",
    "order_qty": "0.01",
    "price": "50000.00",
    "time_in_force": "gtc",
}

# The texts of an order are looked at all at once, behind the decoder: it would take a regular
# expression to each, which costs more than all the rest of reading an order.
_ACCOUNT: Final = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_CL_ORD_ID: Final = "[A-Za-z0-9_.:+=-]{1,64}"
_SYMBOL: Final = "[A-Z0-9][A-Z0-9._-]{0,39}"
_DECIMAL: Final = r"[0-9]{1,12}(?:\.[0-9]{1,9})?"
# Possessive, for each part ends where it must: nothing is looked at twice, at half the price.
_USUAL: Final = re.compile(
    f"{_ACCOUNT}\n{_CL_ORD_ID}\n{_SYMBOL}\n(?:{_DECIMAL})?\n(?:{_DECIMAL})?".replace("}", "}+")
).fullmatch
_AMOUNT: Final = re.compile(_DECIMAL).fullmatch


def _text(pattern: str, example: str) -> Meta:
    """For the documents; `PlaceOrderRequest` checks it."""
    return Meta(extra_json_schema={"pattern": f"^{pattern}$"}, examples=[example])


_Account = Annotated[str, _text(_ACCOUNT, "demo")]
_ClOrdId = Annotated[str, _text(_CL_ORD_ID, "my-order-1")]
_Symbol = Annotated[str, _text(_SYMBOL, "BTC-USD")]
_Amount = Annotated[str, _text(_DECIMAL, "10.25")]
_BECAUSE_OF_ANOTHER: Final = ("list_refused", "not_placed")
_FAR: Final = 2**63 - 1
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class PlaceOrderRequest(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """`cl_ord_id` is yours: send the same request again if unsure that we heard you."""

    account_id: _Account
    cl_ord_id: _ClOrdId
    symbol: _Symbol
    side: Side
    ord_type: OrdType = OrdType.LIMIT
    order_qty: _Amount | None = None  # in units of the base asset
    price: _Amount | None = None  # the limit, per unit, in the quote asset
    time_in_force: TimeInForce = TimeInForce.DAY
    stop_px: _Amount | None = None
    trail_offset: _Amount | None = None  # how far a trailing stop stays behind the mark
    display_qty: _Amount | None = None  # of an iceberg
    cash_order_qty: _Amount | None = None  # of a market order: what to spend or to raise
    expire_time: Annotated[datetime, Meta(tz=True)] | None = None  # with gtd
    post_only: bool = False
    reduce_only: bool = False
    # Where it would meet an order of the same account on the house's own book.
    self_match_prevention: SelfMatch | UnsetType | None = UNSET
    midpoint: bool | UnsetType = UNSET  # meet in the dark, at the middle of the lit book
    min_qty: _Amount | UnsetType | None = UNSET  # the least that one execution may be; midpoint

    def __post_init__(self) -> None:
        usual = (
            f"{self.account_id}\n{self.cl_ord_id}\n{self.symbol}\n"
            f"{'' if self.order_qty is None else self.order_qty}\n"
            f"{'' if self.price is None else self.price}"
        )
        if (
            not _USUAL(usual)
            or self.order_qty == ""
            or self.price == ""
            or self.stop_px is not None
            or self.trail_offset is not None
            or self.display_qty is not None
            or self.cash_order_qty is not None
            or self.min_qty
        ):
            _check_each(self)


def _check_each(ask: PlaceOrderRequest) -> None:
    """Raises `ValueError`, which the decoder makes its own, with the first field that is wrong."""
    for name, pattern in (("account_id", _ACCOUNT), ("cl_ord_id", _CL_ORD_ID), ("symbol", _SYMBOL)):
        if not re.fullmatch(pattern, getattr(ask, name)):
            raise ValueError(f"Expected text that matches {pattern} - at `$.{name}`")
    for name in _AMOUNTS:
        text = getattr(ask, name)
        if text is not None and text is not UNSET and not _AMOUNT(text):
            raise ValueError(f"Expected a decimal such as 10.25, unsigned - at `$.{name}`")


_AMOUNTS: Final = (
    "order_qty",
    "price",
    "stop_px",
    "trail_offset",
    "display_qty",
    "cash_order_qty",
    "min_qty",
)


class OrderReply(msgspec.Struct, frozen=True, gc=False):
    order_id: str
    cl_ord_id: str
    ord_status: OrdStatus
    leaves_qty: str
    position: int  # views that have reached it show this order


class BulkRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each order for itself; or, `atomic`, all or none of one account, decided in one turn."""

    orders: Annotated[list[PlaceOrderRequest], Meta(min_length=1, max_length=BULK_MAX)]
    atomic: bool = False
    contingency: Contingency | None = None  # of two (oco) or three (bracket) atomic orders

    @property
    def account_ids(self) -> set[str]:
        """Every account that the door must check."""
        return {order.account_id for order in self.orders}


class ItemError(msgspec.Struct, frozen=True, gc=False):
    """Why one item failed: the fields of a problem that belong to it alone."""

    code: str
    message: str
    retryable: bool
    reached_venue: str
    details: dict[str, Any]


class BulkItem(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a single request for this order would have been answered."""

    cl_ord_id: str
    status: int  # of HTTP: 201, 409 …
    order_id: str = ""
    ord_status: OrdStatus | None = None
    leaves_qty: str = ""
    position: int = 0
    error: ItemError | None = None


class BulkReply(msgspec.Struct, frozen=True, gc=False):
    items: list[BulkItem]
    accepted: int
    position: int  # views that have reached it show all of them


class CancelOrderRequest(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    order_id: OrderIdText


class ReplaceOrderRequest(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What is left out stays as it is. `cl_ord_id` names the new terms."""

    order_id: OrderIdText
    cl_ord_id: ClOrdIdText
    order_qty: DecimalText | None = None
    price: DecimalText | None = None
    stop_px: DecimalText | None = None


class CancelOrdersRequest(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    account_id: AccountText
    symbol: SymbolText | None = None
    side: Side | None = None


class ClosePositionsRequest(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    account_id: AccountText
    symbol: SymbolText | None = None


class ChangeReply(msgspec.Struct, frozen=True, gc=False):
    """`ord_status` is pending_cancel or pending_replace until the venue has answered."""

    order_id: str
    ord_status: OrdStatus
    position: int


class ChangesReply(msgspec.Struct, frozen=True, gc=False):
    items: list[ChangeReply]
    position: int


def stream_of_account(ask: Any) -> StreamId:
    return account_stream(ask.account_id)


def account_of_ask(ask: Any) -> str:
    account_id: str = ask.account_id
    return account_id


def account_of_order(ask: Any) -> str:
    """An order id is the account and the order's number."""
    account_id: str = ask.order_id.rpartition(".")[0]
    return account_id


def stream_of_order(ask: Any) -> StreamId:
    return account_stream(AccountId(account_of_order(ask)))


def number_of(order: str) -> int:
    return int(order.rpartition(".")[2])


def own_id(name: str, ask: msgspec.Struct, stamp: Stamp) -> CommandId:
    """The id of an ask that brings none: made of its Idempotency-Key, or else of the request's own
    id. The sign before it keeps it apart from every cl_ord_id. What an entry has the house do is
    named after that entry."""
    if stamp.cause:
        return request_id(stamp.cause, fingerprint(ask))
    asked = f"{stamp.tenant}/{stamp.caller}/{stamp.idempotency_key}".encode()
    return request_id(f"!{name}-{blake2b(asked, digest_size=12).hexdigest()}", fingerprint(ask))


def order_ask(ask: PlaceOrderRequest) -> OrderAsk:
    return OrderAsk(
        ask.cl_ord_id,  # type: ignore[arg-type]  # as they are: see kernel.event
        ask.symbol,  # type: ignore[arg-type]
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
        ask.self_match_prevention or UNSET,
        ask.midpoint or UNSET,
        ask.min_qty or UNSET,
    )


def place(ask: PlaceOrderRequest, stamp: Stamp) -> ev.PlaceOrder:
    """The same request has the same id over every door; another one under a used `cl_ord_id` has
    not."""
    return placed_at(ask, stamp.at)


def placed_at(ask: PlaceOrderRequest, at: Instant) -> ev.PlaceOrder:
    """As `place`; an order needs nothing else of its stamp."""
    return place_ask(order_ask(ask), at)


def place_ask(asked: OrderAsk, at: Instant) -> ev.PlaceOrder:
    """As `place`, of what has been read already."""
    return ev.PlaceOrder(request_id(asked.cl_ord_id, fingerprint(asked)), at, asked)


def place_all(ask: BulkRequest, stamp: Stamp) -> ev.PlaceOrders:
    """Named by the first of its orders, so that a retry is known without an Idempotency-Key."""
    if len(ask.account_ids) > 1:
        raise Invalid("atomic orders are decided in one turn, so they are of one account")
    size = {None: 0, Contingency.OCO: 2, Contingency.BRACKET: 3}[ask.contingency]
    if size and len(ask.orders) != size:
        raise Invalid(f"{ask.contingency} takes {size} orders, not {len(ask.orders)}")
    command_id = request_id(f"!list/{ask.orders[0].cl_ord_id}", fingerprint(ask))
    asks = tuple(order_ask(order) for order in ask.orders)
    return ev.PlaceOrders(command_id, stamp.at, asks, ask.contingency)


def cancel(ask: CancelOrderRequest, stamp: Stamp) -> ev.CancelOrder:
    return ev.CancelOrder(own_id("cancel", ask, stamp), stamp.at, number_of(ask.order_id))


def replace(ask: ReplaceOrderRequest, stamp: Stamp) -> ev.ReplaceOrder:
    return ev.ReplaceOrder(
        request_id(ask.cl_ord_id, fingerprint(ask)),
        stamp.at,
        number_of(ask.order_id),
        ClOrdId(ask.cl_ord_id),
        ask.order_qty or "",
        ask.price or "",
        ask.stop_px or "",
    )


def cancel_all(ask: CancelOrdersRequest, stamp: Stamp) -> ev.CancelOrders:
    symbol = Symbol(ask.symbol) if ask.symbol else None
    return ev.CancelOrders(own_id("cancel_all", ask, stamp), stamp.at, symbol, ask.side)


def close(ask: ClosePositionsRequest, stamp: Stamp) -> ev.ClosePositions:
    symbol = Symbol(ask.symbol) if ask.symbol else None
    return ev.ClosePositions(own_id("close", ask, stamp), stamp.at, symbol)


def refusal(entry: Entry, event: ev.OrderRejected) -> Refused:
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
    """From entries to replies. What a lot is, the house's reference data says."""

    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    def placed(self, ask: PlaceOrderRequest, entries: Sequence[Entry]) -> OrderReply:
        """Raises `Refused`."""
        found = self.order(ask.cl_ord_id, entries)
        if found is None:
            raise Corrupt(f"an order left {[type(entry.event).__name__ for entry in entries]}")
        if isinstance(found, FondacoError):
            raise found
        return found

    def order(self, cl_ord_id: str, entries: Sequence[Entry]) -> OrderReply | Refused | None:
        """What became of the order that was asked for as `cl_ord_id`."""
        for entry in entries:
            event = entry.event
            if isinstance(event, ev.OrderAccepted):
                order = event.order
                if order.cl_ord_id == cl_ord_id:
                    instrument = self._refs().instruments[order.symbol]
                    return OrderReply(
                        order_id(account_of(entry.stream), order.number),
                        cl_ord_id,
                        order.ord_status,
                        instrument.qty_text(order.leaves_lots),
                        entry.position,
                    )
            elif isinstance(event, ev.OrderRejected) and event.cl_ord_id == cl_ord_id:
                return refusal(entry, event)
        return None

    def item(self, cl_ord_id: str, entries: Sequence[Entry]) -> BulkItem:
        found = self.order(cl_ord_id, entries)
        if isinstance(found, OrderReply):
            return BulkItem(
                cl_ord_id, 201, found.order_id, found.ord_status, found.leaves_qty, found.position
            )
        if isinstance(found, Refused):
            return failed(cl_ord_id, found)
        return failed(cl_ord_id, Refused("not placed: another one was refused", code="not_placed"))

    def all_placed(self, ask: BulkRequest, entries: Sequence[Entry]) -> BulkReply:
        """Raises `Refused` with what became of each, where one was."""
        items = [self.item(order.cl_ord_id, entries) for order in ask.orders]
        errors = [item.error for item in items if item.error]
        if not errors:
            return bulk_reply(items)
        told = next((e for e in errors if e.code not in _BECAUSE_OF_ANOTHER), errors[0])
        raise Refused(
            f"none was placed: {told.message}",
            code=told.code,
            position=entries[-1].position,
            items=items,
            **told.details,
        )

    def changed(self, ask: Any, entries: Sequence[Entry]) -> ChangeReply:
        """Of a cancel or a replace. Raises `Refused` or `NotFound`."""
        number = number_of(ask.order_id)
        for entry in entries:
            event = entry.event
            if isinstance(event, ev.OrderRejected):
                raise refusal(entry, event)
            if getattr(event, "number", None) != number:
                continue
            if isinstance(event, ev.ChangeDenied):
                raise _denied(ask.order_id, entry, event)
            status = status_after(event)
            if status is not None:
                return ChangeReply(ask.order_id, status, entry.position)
        raise NotFound(
            f"{ask.order_id} is not working: there is no such order, or it is done",
            code="unknown_order",
            position=entries[-1].position,
        )


def all_changed(ask: Any, entries: Sequence[Entry]) -> ChangesReply:
    """Of a mass cancel or of closing positions: every order that it touched."""
    account, items = AccountId(ask.account_id), dict[int, ChangeReply]()
    for entry in entries:
        event = entry.event
        if isinstance(event, ev.OrderAccepted):
            number, status = event.order.number, event.order.ord_status
        else:
            number, found = getattr(event, "number", 0), status_after(event)
            if not number or found is None:
                continue
            status = found
        items[number] = ChangeReply(order_id(account, number), status, entry.position)
    return ChangesReply(list(items.values()), entries[-1].position)


def status_after(event: object) -> OrdStatus | None:
    """Of an order, by the event that it went through; None for those that leave it as it was."""
    match event:
        case ev.OrderCanceled():
            return OrdStatus.CANCELED
        case ev.OrderExpired():
            return OrdStatus.EXPIRED
        case ev.OrderCompleted():
            return OrdStatus.FILLED
        case ev.CancelRequested():
            return OrdStatus.PENDING_CANCEL
        case ev.ReplaceRequested():
            return OrdStatus.PENDING_REPLACE
        case (
            ev.OrderReplaced()
            | ev.OrderFilled()
            | ev.OrderResolved()
            | ev.FillBusted()
            | ev.FillCorrected()
        ):
            return event.ord_status
        case ev.OrderRejected() | ev.OrderRefused():
            return OrdStatus.REJECTED
        case ev.OrderUnknown():
            return OrdStatus.UNKNOWN
        case ev.OrderTriggered() | ev.OrderReleased():
            return OrdStatus.NEW
        case _:
            return None


def failed(cl_ord_id: str, error: FondacoError) -> BulkItem:
    """One item of a bulk that was refused, or that could not be decided."""
    details = {key: value for key, value in error.details.items() if key != "state"}
    state: Any = error.details.get("state", {})
    status = {"refused": 409, "conflict": 409, "unavailable": 503, "not_found": 404}
    return BulkItem(
        cl_ord_id,
        status.get(error.kind, 500),
        order_id=state.get("order_id", ""),
        ord_status=state.get("ord_status"),
        position=state.get("position", 0),
        error=ItemError(error.code, error.message, error.retryable, error.reached_venue, details),
    )


def bulk_reply(items: list[BulkItem]) -> BulkReply:
    accepted = sum(item.error is None for item in items)
    return BulkReply(items, accepted, max(item.position for item in items))


def _denied(order: str, entry: Entry, event: ev.ChangeDenied) -> FondacoError:
    state = {"order_id": order, "ord_status": event.ord_status, "position": entry.position}
    kind = NotFound if event.text == "unknown_order" else Refused
    return kind(f"{order} cannot be changed: {event.text}", code=event.text, state=state)
