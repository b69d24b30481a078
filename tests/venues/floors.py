"""Every venue behind one door, for suites that ask the same of all of them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from fondaco.domain.market.model import BookSide, Quality
from fondaco.domain.reference.model import Allocation
from fondaco.domain.trading.model import OrdStatus, Side
from fondaco.domain.venues.crossing import rules as crossing
from fondaco.domain.venues.crossing.events import SetPhase
from fondaco.domain.venues.crossing.model import MIC as CROSSING
from fondaco.domain.venues.crossing.model import CrossingState, Phase
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    NothingMatched,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
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
from fondaco.domain.venues.routed import rules as routed
from fondaco.domain.venues.routed.events import (
    CancelRouted,
    HearDenial,
    HearReport,
    OrderRouted,
    ReplaceRouted,
    ReportNoted,
)
from fondaco.domain.venues.routed.model import RoutedState, RouteRefs
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
    meets_itself = False  # whether orders of one account may trade with each other there
    is_whole = False  # whether both sides of every trade are of this house
    trace: tuple[type[Event], ...] = (OrderBooked, OrderEnded)  # of an order, and of its cancel

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
    trace = (PoolJoined, OrderEnded)
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


class RoutedFloor(Floor):
    """A counterparty that is a paper venue itself, behind reports that never get lost."""

    mic = "BRKR"
    decider = routed.decider
    state_type = RoutedState
    meets_itself = True
    trace = (OrderRouted, CancelRouted)

    def begin(self) -> None:
        self.there = PaperFloor()
        self.there.market = self.market
        self.there.begin()
        self.told = 0

    @property
    def refs(self) -> Any:
        return RouteRefs(1, is_up=True)

    def ask(self, command: Command) -> list[Any]:
        """The turn, what the counterparty makes of it, and what is made of that: as accounts and
        other venues know it."""
        found = super().ask(command)
        for event in list(found):
            if isinstance(event, OrderRouted | CancelRouted | ReplaceRouted):
                for report in self.answered(event):
                    found += self.ask(report)
        return [event for event in found if not isinstance(event, INSIDE)]

    def answered(self, event: OrderRouted | CancelRouted | ReplaceRouted) -> Iterator[Command]:
        serial = self.state.names[event.cl_ord_id]
        order = self.state.orders[serial]
        asked: Command
        if isinstance(event, OrderRouted):
            asked = EnterOrder(
                CAUSE, NOW, THERE, serial, SYMBOL, event.side, event.px, event.lots,
                event.time_in_force, event.is_market, event.display_lots, event.post_only,
                min_lots=event.min_lots,
            )  # fmt: skip
        elif isinstance(event, CancelRouted):
            asked = CancelAtVenue(CAUSE, NOW, THERE, serial, "requested")
        else:
            asked = ReplaceAtVenue(CAUSE, NOW, THERE, serial, event.lots, event.px)
        assert event.account_stream == order.account_stream
        yield from self.reports(asked, event.cl_ord_id)

    def reports(self, asked: Command, cl_ord_id: str = "") -> Iterator[Command]:
        for event in self.there.ask(asked):
            if isinstance(event, NothingMatched):
                continue
            order = self.state.orders[event.number]
            self.told += 1
            if isinstance(event, ChangeDenied):
                yield HearDenial(command_id=CAUSE, at=NOW, cl_ord_id=cl_ord_id, reason="0")
                continue
            said: dict[str, Any] = {
                "cl_ord_id": cl_ord_id or order.cl_ord_id,
                "exec_id": f"e{self.told}",
            }
            base: dict[str, Any] = {
                "command_id": CAUSE,
                "at": NOW,
                "order_id": f"t{event.number}",
                **said,
            }
            match event:
                case OrderExecuted():
                    for nth, fill in enumerate(event.fills):
                        last: dict[str, Any] = {"last_lots": fill.lots, "last_px": fill.px}
                        exec_id = f"{said['exec_id']}.{nth}"
                        yield HearReport(**base | last | {"exec_id": exec_id}, exec_type="F")
                case OrderEnded():
                    yield HearReport(**base, exec_type=ENDS[event.ord_status], text=event.text)
                case OrderReplaced():
                    yield HearReport(**base, exec_type="5", lots=event.lots, px=event.px)
                case _:
                    yield HearReport(**base, exec_type="0", ord_status="0")

    def resting(self) -> dict[Key, Terms]:
        state: RoutedState = self.state
        return {
            (order.account_stream, order.number): (order.px, order.lots - order.cum_lots)
            for order in state.working()
        }

    def stir(self, side: BookSide, px: int, lots: int, quality: Quality) -> Iterable[Command]:
        for command in self.there.stir(side, px, lots, quality):
            yield from self.reports(command)


THERE: Final = StreamId("account/ours-with-them")
INSIDE: Final = (OrderRouted, CancelRouted, ReplaceRouted, ReportNoted)
ENDS: Final = {OrdStatus.CANCELED: "4", OrdStatus.EXPIRED: "C", OrdStatus.REJECTED: "8"}


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
    RoutedFloor,
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
