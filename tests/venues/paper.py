"""A market to write, a venue to ask, and builders: an argument given means something."""

from collections.abc import Iterable

from fondaco.domain.market.board import LiveBook
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.model import Aggressor, BookSide, Quality, Trade
from fondaco.domain.reference.model import Symbol, instrument
from fondaco.domain.trading.model import SelfMatch, Side, TimeInForce
from fondaco.domain.venues.events import (
    CancelAtVenue,
    EnterOrder,
    Match,
    MatchResting,
    ReplaceAtVenue,
    VenueCommand,
    VenueEvent,
)
from fondaco.domain.venues.model import VenueRefs, VenueState, venue_stream
from fondaco.domain.venues.rules import decider
from fondaco.kernel.codec import Codec
from fondaco.kernel.event import CommandId, Instant, StreamId
from fondaco.kernel.money import Asset, AssetCode

BTC = Asset(AssetCode("BTC"), 9, 8, "crypto")
USD = Asset(AssetCode("USD"), 8, 2, "cash")
BTC_USD = instrument("BTC-USD", BTC, USD, tick="0.01", lot="0.001")
SYMBOL = Symbol("BTC-USD")
STREAM = venue_stream(SYMBOL)
A = StreamId("account/A")
B = StreamId("account/B")
CODEC = Codec(VenueEvent)
CAUSE = CommandId("test#0")
NOW = Instant(1_700_000_000_000_000_000)

LADDER: tuple[tuple[BookSide, int, int], ...] = (
    ("bid", 99, 10),
    ("bid", 98, 20),
    ("ask", 101, 10),
    ("ask", 102, 20),
)


class Market:
    """A live book that a test writes."""

    def __init__(self, levels: Iterable[tuple[BookSide, int, int]] = LADDER) -> None:
        self.book = LiveBook(BTC_USD)
        self.book.quality = Quality.OK
        for level in levels:
            self.show(*level)

    def show(self, side: BookSide, px: int, lots: int) -> "Market":
        """The exchange writes one level; zero removes it."""
        self.book.version += 1
        self.book.levels.apply(BID if side == "bid" else ASK, px, lots, self.book.version)
        return self

    def turn(self, quality: Quality) -> "Market":
        self.book.quality = quality
        return self


class Venue:
    """The paper venue of one symbol, before a market."""

    def __init__(self, market: Market | None = None) -> None:
        self.market = market or Market()
        self.state: VenueState = decider.initial(STREAM)
        self.journal: list[VenueEvent] = []

    @property
    def refs(self) -> VenueRefs:
        return VenueRefs(1, self.market.book)

    def ask(self, *commands: VenueCommand) -> list[VenueEvent]:
        """What the last of them left."""
        last: list[VenueEvent] = []
        for command in commands:
            last = list(decider.decide(self.state, command, self.refs))
            for event in last:
                self.journal.append(event)
                decider.evolve(self.state, event)
        return last


def enter(
    number: int = 1,
    side: Side = Side.BUY,
    px: int = 100,
    lots: int = 5,
    tif: TimeInForce = TimeInForce.GTC,
    *,
    account: StreamId = A,
    is_market: bool = False,
    display: int = 0,
    post_only: bool = False,
    cash: int = 0,
    cum_lots: int = 0,
    exec_number: int = 0,
    self_match: SelfMatch | None = None,
    min_lots: int = 0,
) -> EnterOrder:
    return EnterOrder(
        CAUSE,
        NOW,
        account,
        number,
        SYMBOL,
        side,
        px,
        lots,
        tif,
        is_market,
        display,
        post_only,
        cash,
        cum_lots,
        exec_number,
        self_match,
        min_lots,
    )


def cancel(number: int = 1, *, account: StreamId = A, reason: str = "requested") -> CancelAtVenue:
    return CancelAtVenue(CAUSE, NOW, account, number, reason)


def replace(number: int = 1, *, lots: int, px: int, account: StreamId = A) -> ReplaceAtVenue:
    return ReplaceAtVenue(CAUSE, NOW, account, number, lots, px)


def match(px: int, *matches: tuple[int, int], is_crossed: bool = False) -> MatchResting:
    """Numbers and lots of account A."""
    found = tuple(Match(A, number, lots) for number, lots in matches)
    return MatchResting(CAUSE, NOW, px, found, is_crossed)


def trade(px: int, qty: int, aggressor: Aggressor = "sell", at: int = NOW) -> Trade:
    return Trade(SYMBOL, px, qty, aggressor, 1, Instant(at), Instant(at), "test")
