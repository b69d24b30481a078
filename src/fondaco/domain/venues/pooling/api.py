"""What can be asked of the pooling desks: who waits, what is on the street, who had what of it."""

from typing import Any, Final, Protocol

import msgspec

from fondaco.domain.identity.model import Scope
from fondaco.domain.reference.model import Instrument, Symbol, SymbolText
from fondaco.domain.trading.api.orders import RefsNow
from fondaco.domain.trading.model import Side, account_of, order_id
from fondaco.domain.venues.model import venue_stream
from fondaco.domain.venues.pooling.events import BlockAllocated
from fondaco.domain.venues.pooling.model import DESK, MIC, Block, PoolState
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import StreamId
from fondaco.kernel.money import format_scaled, half_even_div
from fondaco.kernel.operation import Do, Operation, Stamp

_MORE_DECIMALS: Final = 6  # of an average price, beyond those of the tick


class PoolsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to say."""


class PoolRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: SymbolText


class WaitingLine(msgspec.Struct, frozen=True):
    """Of one side, those included whose block is on the street."""

    orders: int
    qty: str


class StreetLine(msgspec.Struct, frozen=True):
    """A block on the street: `order_id` is the desk's own order, "" until that is accepted."""

    block: int
    side: Side
    order_id: str
    order_qty: str
    cum_qty: str
    price: str
    orders: int
    wanted_qty: str


class PoolLine(msgspec.Struct, frozen=True):
    """`inventory` is what blocks have left with the house, in units."""

    symbol: str
    lot_size: str
    round_lot: str
    account_id: str  # the desk's own
    inventory: str
    buys: WaitingLine
    sells: WaitingLine
    on_street: list[StreetLine]


class PoolsReply(msgspec.Struct, frozen=True):
    items: list[PoolLine]


class PartLine(msgspec.Struct, frozen=True):
    """`cost` is exact, before fees and before it is rounded to what the ledger keeps."""

    order_id: str
    qty: str
    cost: str


class AllocatedLine(msgspec.Struct, frozen=True):
    """A block that is over. `avg_px` is what all its parts were traded at, shown to six decimals
    more than a price has. `text` says why the street did not do all of it."""

    block: int
    side: Side
    street_qty: str
    street_cost: str
    avg_px: str
    qty: str  # of all parts
    cost: str
    parts: list[PartLine]
    inventory: str  # after it
    text: str


class PoolReply(msgspec.Struct, frozen=True):
    """`blocks` are the last that are over, newest first."""

    pool: PoolLine
    blocks: list[AllocatedLine]


class House(Protocol):
    def peek(self, stream: StreamId) -> Any:
        """The state of a stream's owner, if it is in memory; None if not."""
        ...


class Desks:
    """Asks that need the house's reference data as they are now."""

    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    async def pools(self, ask: PoolsRequest, stamp: Stamp, house: House) -> PoolsReply:
        instruments = self._refs().instruments.values()
        return PoolsReply(
            [_pool(each, _state(house, each)) for each in instruments if _pools(each)]
        )

    async def pool(self, ask: PoolRequest, stamp: Stamp, house: House) -> PoolReply:
        """Raises `NotFound` for what is not pooled."""
        terms = self._refs().instruments.get(Symbol(ask.symbol))
        if terms is None or not _pools(terms):
            text = f"{ask.symbol} is not pooled: it is not listed here, or has no round lot"
            raise NotFound(text, code="unknown_symbol")
        state = _state(house, terms)
        blocks = [_allocated(terms, each) for each in reversed(state.recent)]
        return PoolReply(_pool(terms, state), blocks)


def _pools(terms: Instrument) -> bool:
    return terms.round_lots > 0


def _state(house: House, terms: Instrument) -> PoolState:
    found: PoolState | None = house.peek(venue_stream(terms.symbol, MIC))
    return PoolState(terms.symbol) if found is None else found


def _pool(terms: Instrument, state: PoolState) -> PoolLine:
    return PoolLine(
        terms.symbol,
        terms.qty_text(1),
        terms.qty_text(terms.round_lots),
        DESK,
        terms.qty_text(state.inventory),
        _waiting(terms, state, Side.BUY),
        _waiting(terms, state, Side.SELL),
        [_street(terms, block) for block in state.blocks.values()],
    )


def _waiting(terms: Instrument, state: PoolState, side: Side) -> WaitingLine:
    lots = [order.leaves_lots for order in state.orders.values() if order.side is side]
    return WaitingLine(len(lots), terms.qty_text(sum(lots)))


def _street(terms: Instrument, block: Block) -> StreetLine:
    return StreetLine(
        block.number,
        block.side,
        order_id(DESK, block.order_number) if block.order_number else "",
        terms.qty_text(block.lots),
        terms.qty_text(block.cum_lots),
        terms.px_text(block.px),
        len(block.places),
        terms.qty_text(block.wanted),
    )


def _allocated(terms: Instrument, event: BlockAllocated) -> AllocatedLine:
    lots = sum(part.lots for part in event.parts)
    cost = sum(part.cost for part in event.parts)
    return AllocatedLine(
        event.block,
        event.side,
        terms.qty_text(event.street_lots),
        _money(terms, event.street_cost),
        _average(terms, event.street_cost, event.street_lots) or _average(terms, cost, lots),
        terms.qty_text(lots),
        _money(terms, cost),
        [
            PartLine(
                order_id(account_of(part.account_stream), part.number),
                terms.qty_text(part.lots),
                _money(terms, part.cost),
            )
            for part in event.parts
        ],
        terms.qty_text(event.inventory),
        event.text,
    )


def _money(terms: Instrument, cost: int) -> str:
    """Ticks x lots as an amount of the quote asset, exactly."""
    units = cost * terms.tick_units * terms.lot_units
    return format_scaled(units, terms.px_decimals + terms.qty_decimals)


def _average(terms: Instrument, cost: int, lots: int) -> str:
    if not lots:
        return ""
    units: int = half_even_div(cost * terms.tick_units * 10**_MORE_DECIMALS, lots)
    return format_scaled(units, terms.px_decimals + _MORE_DECIMALS)


def operations(refs: RefsNow) -> tuple[Operation[Any, Any], ...]:
    desks = Desks(refs)
    return (
        Do(
            name="venues.pools",
            summary="The pooling desks: fractional orders that wait, and what is on the street.",
            method="GET",
            path="/pools",
            request=PoolsRequest,
            reply=PoolsReply,
            scope=Scope.HOUSE_READ,
            source="house",
            answer=desks.pools,
        ),
        Do(
            name="venues.pool",
            summary="One pooling desk, and who had what of its last blocks at which price.",
            method="GET",
            path="/pools/{symbol}",
            request=PoolRequest,
            reply=PoolReply,
            example={"symbol": "ACME-USD"},
            scope=Scope.HOUSE_READ,
            errors=(NotFound,),
            source="house",
            answer=desks.pool,
        ),
    )
