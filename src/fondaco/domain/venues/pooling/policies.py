"""What the pooling desk's account does when a block is cut or allocated, and what the desk hears of
its street orders. Pure: an entry in, messages out. Ids come from the entry, so a redelivery asks
for the same thing again."""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.events import (
    Ask,
    BookAllocation,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    PlaceOrder,
)
from fondaco.domain.trading.model import ClOrdId, OrdType, TimeInForce
from fondaco.domain.venues.model import venue_stream
from fondaco.domain.venues.pooling.allocation import fills_at
from fondaco.domain.venues.pooling.events import (
    BlockAllocated,
    BlockCut,
    RecordStreetEnd,
    RecordStreetFill,
    RecordStreetOrder,
)
from fondaco.domain.venues.pooling.model import DESK_STREAM, MIC, PREFIX
from fondaco.kernel.event import (
    MESSAGE_MARK,
    Command,
    CommandId,
    Entry,
    Event,
    Instant,
    StreamId,
    message_id,
)

_Messages: TypeAlias = tuple[tuple[StreamId, Command], ...]
NOBODY: Final[_Messages] = ()


def to_street(entry: Entry, at: Instant) -> _Messages:
    """A block becomes an order of the desk's account, by the house's own way of orders: what the
    street does not do at once, it does not do."""
    event: BlockCut = entry.event  # type: ignore[assignment]
    if not event.lots:
        return NOBODY
    ask = Ask(
        ClOrdId(event.cl_ord_id),
        event.symbol,
        event.side,
        OrdType.LIMIT,
        TimeInForce.IOC,
        event.order_qty,
        event.price,
    )
    return ((DESK_STREAM, PlaceOrder(message_id(entry.stream, entry.version), at, ask)),)


def to_inventory(entry: Entry, at: Instant) -> _Messages:
    """The desk's account is the other side of every part."""
    event: BlockAllocated = entry.event  # type: ignore[assignment]
    if not event.parts:
        return NOBODY
    fills = tuple(fill for part in event.parts for fill in fills_at(part.lots, part.cost))
    cause = message_id(entry.stream, entry.version)
    command = BookAllocation(cause, at, event.block, event.symbol, event.side, fills)
    return ((DESK_STREAM, command),)


def _pool_of(caused_by: CommandId) -> StreamId | None:
    """The desk that an order was placed for; None for one that somebody else has placed."""
    source = caused_by.rpartition(MESSAGE_MARK)[0]
    return StreamId(source) if source.startswith(PREFIX) else None


def _block_of(cl_ord_id: str) -> int:
    return int(cl_ord_id.rpartition("-")[2])


def accepted(entry: Entry, at: Instant) -> _Messages:
    if entry.stream != DESK_STREAM:
        return NOBODY
    pool = _pool_of(entry.caused_by)
    if pool is None:
        return NOBODY
    order = entry.event.order  # type: ignore[attr-defined]  # an OrderAccepted
    cause = message_id(entry.stream, entry.version)
    return ((pool, RecordStreetOrder(cause, at, _block_of(order.cl_ord_id), order.number)),)


def rejected(entry: Entry, at: Instant) -> _Messages:
    if entry.stream != DESK_STREAM:
        return NOBODY
    pool = _pool_of(entry.caused_by)
    if pool is None:
        return NOBODY
    event: OrderRejected = entry.event  # type: ignore[assignment]
    text, cause = f"{event.reason}: {event.text}", message_id(entry.stream, entry.version)
    return ((pool, RecordStreetEnd(cause, at, 0, text, _block_of(event.cl_ord_id))),)


def filled(entry: Entry, at: Instant) -> _Messages:
    if entry.stream != DESK_STREAM:
        return NOBODY
    event: OrderFilled = entry.event  # type: ignore[assignment]
    cause = message_id(entry.stream, entry.version)
    command = RecordStreetFill(
        cause, at, event.number, event.last_px, event.last_lots, not event.leaves_lots
    )
    return ((venue_stream(event.symbol, MIC), command),)


def ended(entry: Entry, at: Instant) -> _Messages:
    if entry.stream != DESK_STREAM:
        return NOBODY
    event: OrderExpired | OrderCanceled | OrderRefused = entry.event  # type: ignore[assignment]
    if not event.symbol:
        return NOBODY
    text = getattr(event, "reason", "") or getattr(event, "text", "") or "no_liquidity"
    cause = message_id(entry.stream, entry.version)
    symbol = Symbol(event.symbol)
    return ((venue_stream(symbol, MIC), RecordStreetEnd(cause, at, event.number, text)),)


_Policy: TypeAlias = Callable[[Entry, Instant], Iterable[tuple[StreamId, Command]]]
policies: Final[dict[type[Event], tuple[_Policy, ...]]] = {
    BlockCut: (to_street,),
    BlockAllocated: (to_inventory,),
    OrderAccepted: (accepted,),
    OrderRejected: (rejected,),
    OrderFilled: (filled,),
    OrderExpired: (ended,),
    OrderCanceled: (ended,),
    OrderRefused: (ended,),
}
