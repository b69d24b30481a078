"""What can be asked of the market: prices, books and bars, each with where it comes from."""

from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.market import looks as looks  # doors use it: it belongs to what is asked
from fondaco.domain.market.board import Board as Board
from fondaco.domain.reference.model import Symbol, SymbolText
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Look, Operation


class Reading(Protocol):
    """What the door gives a `Look`: the board, and the time."""

    @property
    def source(self) -> Board: ...

    @property
    def at(self) -> Instant: ...


class PriceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: SymbolText


class OrderbookRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: SymbolText
    depth: Annotated[int, Meta(ge=1, le=looks.DEPTH_MAX)] = 20


class ConsolidatedRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: SymbolText
    depth: Annotated[int, Meta(ge=1, le=looks.DEPTH_MAX)] = 20


class BarsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: SymbolText
    interval: Annotated[str, Meta(pattern=r"^[0-9]{1,3}[smhd]$", examples=["1m"])] = "1m"
    limit: Annotated[int, Meta(ge=1, le=looks.BARS_MAX)] = 100


class FeedsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class ContractsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class ContractsReply(msgspec.Struct, frozen=True):
    items: list[looks.ContractReply]


class FeedsReply(msgspec.Struct, frozen=True):
    items: list[looks.FeedReply]


def _price(ask: PriceRequest, on: Reading) -> looks.PriceReply:
    return looks.prices(on.source, Symbol(ask.symbol), on.at)


def _orderbook(ask: OrderbookRequest, on: Reading) -> looks.OrderbookReply:
    return looks.orderbook(on.source, Symbol(ask.symbol), ask.depth, on.at)


def _consolidated(ask: ConsolidatedRequest, on: Reading) -> looks.ConsolidatedReply:
    return looks.consolidated(on.source, Symbol(ask.symbol), ask.depth, on.at)


def _bars(ask: BarsRequest, on: Reading) -> looks.BarsReply:
    return looks.bars(on.source, Symbol(ask.symbol), ask.interval, ask.limit)


def _contracts(_: ContractsRequest, on: Reading) -> ContractsReply:
    return ContractsReply(looks.contracts(on.source))


def _feeds(_: FeedsRequest, on: Reading) -> FeedsReply:
    return FeedsReply(looks.feeds(on.source, on.at))


price: Final = Look(
    name="market.price",
    summary="Last, middle and mark of an instrument, each with source, age and quality.",
    method="GET",
    path="/market-data/prices/{symbol}",
    request=PriceRequest,
    reply=looks.PriceReply,
    scope=Scope.MARKET_READ,
    errors=(NotFound,),
    source="market",
    answer=_price,
    on_loop=True,
)
orderbook: Final = Look(
    name="market.orderbook",
    summary="The order book of an instrument, best levels first, with sequence and checksum.",
    method="GET",
    path="/market-data/orderbook/{symbol}",
    request=OrderbookRequest,
    reply=looks.OrderbookReply,
    scope=Scope.MARKET_READ,
    errors=(NotFound,),
    source="market",
    answer=_orderbook,
    on_loop=True,
)
consolidated: Final = Look(
    name="market.consolidated",
    summary="The levels of every good source of an instrument together, each with its origin.",
    method="GET",
    path="/market-data/consolidated/{symbol}",
    request=ConsolidatedRequest,
    reply=looks.ConsolidatedReply,
    scope=Scope.MARKET_READ,
    errors=(NotFound,),
    source="market",
    answer=_consolidated,
    on_loop=True,
)
bars: Final = Look(
    name="market.bars",
    summary="Open, high, low, close and volume of the newest intervals, oldest first.",
    method="GET",
    path="/market-data/bars/{symbol}",
    request=BarsRequest,
    reply=looks.BarsReply,
    scope=Scope.MARKET_READ,
    errors=(NotFound,),
    source="market",
    answer=_bars,
    on_loop=True,
)
contracts: Final = Look(
    name="market.contracts",
    summary="Event contracts: open, closed, determined, disputed or settled, and what they paid.",
    method="GET",
    path="/market-data/contracts",
    request=ContractsRequest,
    reply=ContractsReply,
    scope=Scope.MARKET_READ,
    source="market",
    answer=_contracts,
    on_loop=True,
)
feeds: Final = Look(
    name="market.feeds",
    summary="The health of every instrument's feed: quality, gaps, delays, sources and switches.",
    method="GET",
    path="/market-data/feeds",
    request=FeedsRequest,
    reply=FeedsReply,
    scope=Scope.MARKET_READ,
    source="market",
    answer=_feeds,
    on_loop=True,
)

OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    price,
    orderbook,
    consolidated,
    bars,
    contracts,
    feeds,
)
