"""Every venue behind one door, for suites that ask the same of all of them."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from fondaco.domain.market.model import BookSide, Quality
from fondaco.domain.reference.model import Allocation
from fondaco.domain.trading.model import Side
from fondaco.domain.venues.crossing import rules as crossing
from fondaco.domain.venues.crossing.events import SetPhase
from fondaco.domain.venues.crossing.model import MIC as CROSSING
from fondaco.domain.venues.crossing.model import CrossingState, Phase
from fondaco.domain.venues.events import OrderBooked
from fondaco.domain.venues.midpoint import rules as midpoint
from fondaco.domain.venues.midpoint.model import MIC as MIDPOINT
from fondaco.domain.venues.midpoint.model import MidpointState
from fondaco.domain.venues.midpoint.watch import MidpointWatch
from fondaco.domain.venues.model import VenueRefs, VenueState, venue_stream
from fondaco.domain.venues.pooling import rules as pooling
from fondaco.domain.venues.pooling.events import (
    CutBlock,
    PoolJoined,
    RecordStreetEnd,
    RecordStreetFill,
    RecordStreetOrder,
)
from fondaco.domain.venues.pooling.model import MIC as POOLED
from fondaco.domain.venues.pooling.model import PoolState
from fondaco.domain.venues.queue import PaperQueue
from fondaco.domain.venues.rules import decider as paper
from fondaco.kernel.decider import Decider
from fondaco.kernel.event import Command, CommandId, Entry, Event, Instant, StreamId
from fondaco.runtime.loading import made, plain
from venues.paper import CAUSE, NOW, SYMBOL, Market, trade

Terms = tuple[int, int]  # limit and lots that are left
Key = tuple[StreamId, int]


class Floor:
    """One symbol at one venue: its state, the market around it, and who watches that for it."""

    mic = ""
    decider: Decider[Any, Any, Any, Any]
    state_type: type
    booked: type[Event] = OrderBooked  # what says that an order rests
    meets_itself = False  # whether orders of one account may trade with each other there
    is_whole = False  # whether both sides of every trade are of this house

    def __init__(self) -> None:
        self.market = Market()
        self.stream = venue_stream(SYMBOL, self.mic)
        self.state = self.decider.initial(self.stream)
        self.journal: list[Event] = []
        self.begin()

    def begin(self) -> None:
        """Whoever watches the market for this venue."""

    @property
    def refs(self) -> VenueRefs:
        return VenueRefs(1, self.market.book)

    def ask(self, command: Command) -> list[Any]:
        """One turn. A decision changes nothing, leaves a trace, and can be made again."""
        before = self.seen()
        events = list(self.decider.decide(self.state, command, self.refs))
        assert events, "every command leaves a trace"
        assert events == list(self.decider.decide(self.state, command, self.refs))
        assert self.seen() == before, "a decision changes nothing"
        for event in events:
            self.journal.append(event)
            self.decider.evolve(self.state, event)
            entry = Entry(self.stream, 1, len(self.journal), CommandId("x"), NOW, 1, event)
            self.hear(entry)
        return events

    def seen(self) -> bytes:
        """The whole state, as a snapshot has it."""
        return msgspec.msgpack.encode(self.state, enc_hook=plain)

    def reborn(self, kept: bytes) -> Any:
        return msgspec.msgpack.decode(kept, type=self.state_type, dec_hook=made)

    def hear(self, entry: Entry) -> None:
        """What is durable is told to who watches."""

    def resting(self) -> dict[Key, Terms]:
        raise NotImplementedError

    def stir(self, side: BookSide, px: int, lots: int, quality: Quality) -> Iterable[Command]:
        """Something happens around the venue; what it is told of that."""
        self.market.show(side, px, lots)
        self.market.turn(quality)
        return ()


class PaperFloor(Floor):
    mic = "PAPER"
    decider = paper
    state_type = VenueState
    meets_itself = True  # it meets the market, and never itself

    def begin(self) -> None:
        self.queue = PaperQueue(SYMBOL, self.market.book)

    def hear(self, entry: Entry) -> None:
        self.queue.hear(entry.event)  # type: ignore[arg-type]

    def resting(self) -> dict[Key, Terms]:
        state: VenueState = self.state
        return {
            (stream, number): (order.px, order.leaves_lots)
            for stream, orders in state.orders.items()
            for number, order in orders.items()
        }

    def stir(self, side: BookSide, px: int, lots: int, quality: Quality) -> Iterable[Command]:
        super().stir(side, px, lots, quality)
        yield from self.queue.on_book(NOW)
        if lots:
            yield from self.queue.on_trade(trade(px, lots, "sell" if side == "bid" else "buy"))


class CrossingFloor(Floor):
    mic = CROSSING
    decider = crossing.decider
    state_type = CrossingState
    is_whole = True

    def resting(self) -> dict[Key, Terms]:
        state: CrossingState = self.state
        return {state.whose(row[0]): (row[3], row[4]) for row in state.book.dump()}

    def stir(self, side: BookSide, px: int, lots: int, quality: Quality) -> Iterable[Command]:
        """Its phase; mostly it trades."""
        phases = [*Phase, *[Phase.CONTINUOUS] * len(Phase)]
        yield SetPhase(CAUSE, NOW, phases[(px + lots) % len(phases)], "test", "ada", px)


class ProRataFloor(CrossingFloor):
    """The same book where size ranks instead of time."""

    allocation = Allocation.PRO_RATA

    def begin(self) -> None:
        book = self.market.book
        book.instrument = msgspec.structs.replace(book.instrument, allocation=self.allocation)


class TopFloor(ProRataFloor):
    allocation = Allocation.PRO_RATA_TOP


class MidpointFloor(Floor):
    mic = MIDPOINT
    decider = midpoint.decider
    state_type = MidpointState
    is_whole = True

    def begin(self) -> None:
        self.board = Shown(self.market)
        self.watch = MidpointWatch(self.board, midpoint.decider.initial(self.stream))

    def hear(self, entry: Entry) -> None:
        self.watch.hear(entry)
        assert len(self.watch) == len(self.state.orders)

    def resting(self) -> dict[Key, Terms]:
        state: MidpointState = self.state
        return {
            (order.account_stream, order.number): (order.px, order.leaves_lots)
            for order in state.orders.values()
        }

    def stir(self, side: BookSide, px: int, lots: int, quality: Quality) -> Iterable[Command]:
        super().stir(side, px, lots, quality)
        found = self.watch.on_book(NOW)
        return () if found is None else (found,)


class PooledFloor(Floor):
    """The desk, and a street that does something of what is sent to it."""

    mic = POOLED
    decider = pooling.decider
    state_type = PoolState
    booked = PoolJoined
    round_lots = 10

    def begin(self) -> None:
        book = self.market.book
        book.instrument = msgspec.structs.replace(book.instrument, round_lots=self.round_lots)
        self.now = NOW

    def best(self, side: Side) -> int:
        return pooling.best_px(self.market.book, side)

    def resting(self) -> dict[Key, Terms]:
        state: PoolState = self.state
        return {
            (order.account_stream, order.number): (order.px, order.leaves_lots)
            for order in state.orders.values()
        }

    def stir(self, side: BookSide, px: int, lots: int, quality: Quality) -> Iterable[Command]:
        super().stir(side, px, lots, quality)
        self.now = Instant(self.now + 100 * pooling.AGAIN_NS)
        for block in list(self.state.blocks.values()):
            number, is_buy = 1_000 + block.number, block.side is Side.BUY
            yield RecordStreetOrder(CAUSE, NOW, block.number, number)
            done = min(lots, block.lots)
            at = min(px, block.px) if is_buy else max(px, block.px)
            if done:
                yield RecordStreetFill(CAUSE, NOW, number, at, done, done == block.lots)
            if done < block.lots:
                yield RecordStreetEnd(CAUSE, NOW, number, "no_liquidity")
        for each in Side:
            yield CutBlock(CAUSE, self.now, each)


class Shown:
    """A board with one book on it."""

    def __init__(self, market: Market) -> None:
        self.books: dict[Any, Any] = {SYMBOL: market.book}
        self.printed: list[Any] = []

    def traded(self, trade: Any, position: int) -> None:
        self.printed.append(trade)


FLOORS: Final[tuple[type[Floor], ...]] = (
    PaperFloor,
    CrossingFloor,
    ProRataFloor,
    TopFloor,
    MidpointFloor,
    PooledFloor,
)


def executed(events: Iterable[Any], side: Side) -> list[tuple[int, int]]:
    """Price and lots of every fill of a side, sorted."""
    return sorted(
        (fill.px, fill.lots)
        for event in events
        for fill in getattr(event, "fills", ())
        if event.side is side
    )


Make = Callable[[], Floor]
