"""The laws of the paper venue, over any history that Hypothesis can think of."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Literal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.market.model import BookSide, Quality
from fondaco.domain.trading.model import Side, TimeInForce
from fondaco.domain.venues.events import (
    EnterOrder,
    MatchResting,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    VenueCommand,
    VenueEvent,
)
from fondaco.domain.venues.model import VenueState
from fondaco.domain.venues.queue import PaperQueue
from fondaco.domain.venues.rules import decide, decider
from fondaco.kernel.event import Decision, StreamId
from venues.paper import (
    CAUSE,
    CODEC,
    NOW,
    STREAM,
    SYMBOL,
    A,
    B,
    Market,
    Venue,
    cancel,
    enter,
    match,
    replace,
    trade,
)

PRICES = st.integers(95, 105)
NUMBERS = st.integers(1, 8)
SIDES = st.sampled_from(Side)
LOTS = st.integers(1, 30)

enters = st.builds(
    enter,
    NUMBERS,
    SIDES,
    PRICES,
    LOTS,
    st.sampled_from(TimeInForce),
    account=st.sampled_from([A, B]),
    is_market=st.booleans(),
    display=st.sampled_from([0, 0, 3]),
    post_only=st.booleans(),
    cash=st.sampled_from([0, 0, 500_000, 1_234_567]),
)
changes = st.one_of(
    st.builds(cancel, NUMBERS, account=st.sampled_from([A, B])),
    st.builds(replace, NUMBERS, lots=LOTS, px=PRICES, account=st.sampled_from([A, B])),
)
matches = st.builds(
    lambda px, found, crossed: match(px, *found, is_crossed=crossed),
    PRICES,
    st.lists(st.tuples(NUMBERS, st.integers(0, 40)), min_size=1, max_size=4),
    st.booleans(),
)
commands: st.SearchStrategy[VenueCommand] = enters | changes | matches
sides: st.SearchStrategy[BookSide] = st.sampled_from(["bid", "ask"])
Write = tuple[Literal["show", "quality"], BookSide, int, int]
writes: st.SearchStrategy[Write] = st.tuples(st.just("show"), sides, PRICES, st.integers(0, 20))
qualities: st.SearchStrategy[Write] = st.tuples(
    st.just("quality"), sides, st.integers(0, 5), st.just(0)
)
histories = st.lists(commands | writes | writes | qualities, max_size=40)
QUALITIES = [*Quality, Quality.OK]


class Numbered:
    """Accounts give every order another number; the strategy draws few, so that changes hit."""

    def __init__(self) -> None:
        self._seen: set[tuple[StreamId, int]] = set()

    def __call__(self, command: VenueCommand) -> bool:
        """Whether an account would send this."""
        if not isinstance(command, EnterOrder):
            return True
        key = (command.account_stream, command.number)
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new


def played(venue: Venue, history: list[VenueCommand | Write]) -> Iterator[VenueCommand]:
    """Write the market as told, and hand out the commands between."""
    sent = Numbered()
    for step in history:
        if isinstance(step, tuple):
            write(venue.market, step)
        elif sent(step):
            yield step


def run(history: list[VenueCommand | Write]) -> Venue:
    venue = Venue()
    for command in played(venue, history):
        venue.ask(command)
    return venue


def write(market: Market, step: Write) -> None:
    what, side, px, lots = step
    if what == "show":
        market.show(side, px, lots)
    else:
        market.turn(QUALITIES[px])


@settings(deadline=None)
@given(histories)
def test_replay_rebuilds_the_state_from_what_was_written(
    history: list[VenueCommand | Write],
) -> None:
    venue = run(history)
    replayed = decider.initial(STREAM)
    for event in venue.journal:
        (copy,) = CODEC.decode(CODEC.encode([Decision(STREAM, 0, CAUSE, NOW, 1, (event,))]))
        for each in copy.events:
            decider.evolve(replayed, each)  # type: ignore[arg-type]
    assert replayed == venue.state
    snapshot = msgspec.msgpack.decode(msgspec.msgpack.encode(venue.state), type=VenueState)
    assert snapshot == venue.state


@settings(deadline=None)
@given(histories, commands)
def test_decide_leaves_a_trace_is_repeatable_and_writes_nothing(
    history: list[VenueCommand | Write], command: VenueCommand
) -> None:
    venue = run(history)
    before = deepcopy(venue.state)
    first = decide(venue.state, command, venue.refs)
    assert first == decide(venue.state, command, venue.refs)
    assert venue.state == before, "decide changed the state"
    assert first, "a command left no trace"


@settings(deadline=None)
@given(histories)
def test_no_level_gives_more_than_it_displayed(history: list[VenueCommand | Write]) -> None:
    """Summed over every order of the house, per time that the market wrote the level."""
    venue, had = Venue(), dict[tuple[BookSide, int, int], int]()
    book = venue.market.book
    for command in played(venue, history):
        for event in venue.ask(command):
            if not isinstance(event, OrderExecuted):
                continue
            side: BookSide = "ask" if event.side is Side.BUY else "bid"
            fills = event.took or event.fills
            assert event.is_maker or all(fill.level for fill in fills)
            for fill in fills:
                if fill.level:
                    assert fill.level == book.level_version(side, fill.px)
                    key = (side, fill.px, fill.level)
                    had[key] = had.get(key, 0) + fill.lots
                    assert had[key] <= book.qty(side, fill.px)


@settings(deadline=None)
@given(histories)
def test_every_order_is_accounted_for(history: list[VenueCommand | Write]) -> None:
    """It never executes worse than its limit or beyond its quantity or cash; its executions are
    numbered without gaps; and in the end it rests, or ended, or has executed altogether."""
    venue = Venue()
    for command in played(venue, history):
        before = {
            (account, number): (order.px, order.leaves_lots, order.exec_number)
            for account, orders in venue.state.orders.items()
            for number, order in orders.items()
        }
        events = venue.ask(command)
        if isinstance(command, EnterOrder):
            before[command.account_stream, command.number] = (command.px, command.lots, 0)
            _entered(venue, command, events)
        for event in events:
            key = (getattr(event, "account_stream", A), getattr(event, "number", 0))
            if isinstance(event, OrderReplaced):
                before[key] = (event.px, event.leaves_lots, before[key][2])
            if isinstance(event, OrderExecuted):
                _executed(event, *before[key])


def _executed(event: OrderExecuted, px: int, leaves: int, exec_number: int) -> None:
    for fill in event.fills:
        assert fill.px <= px if event.side is Side.BUY else fill.px >= px
        assert fill.lots > 0
    assert event.leaves_lots == leaves - sum(fill.lots for fill in event.fills) >= 0
    assert event.exec_number == exec_number + 1


def _entered(venue: Venue, step: EnterOrder, events: list[VenueEvent]) -> None:
    executed = [event for event in events if isinstance(event, OrderExecuted)]
    ended = any(isinstance(event, OrderEnded) for event in events)
    booked = any(isinstance(event, OrderBooked) for event in events)
    filled = bool(executed) and executed[-1].leaves_lots == 0
    assert ended + booked + filled == 1, events
    assert len(executed) <= 1
    assert booked == (venue.state.find(step.account_stream, step.number) is not None)
    if booked:
        assert step.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
        assert not step.is_market
    if step.post_only:
        assert not executed
    if step.time_in_force is TimeInForce.FOK and executed and not step.cash_qty:
        assert filled
    if step.cash_qty and executed:
        instrument = venue.market.book.instrument
        cost = sum(instrument.cost_up(fill.px, fill.lots) for fill in executed[0].fills)
        assert cost <= step.cash_qty


Traded = tuple[Literal["trade"], Literal["buy", "sell"], int, int]
trades: st.SearchStrategy[Traded] = st.tuples(
    st.just("trade"), st.sampled_from(["buy", "sell"]), PRICES, LOTS
)


@settings(deadline=None)
@given(st.lists(enters | changes | writes | trades, max_size=40))
def test_the_follower_and_the_venue_agree_on_what_rests(
    history: list[VenueCommand | Write | Traded],
) -> None:
    """What the follower says that a trade has reached, the venue executes in full; and nothing is
    left at a price through which the market traded."""
    venue, sent = Venue(), Numbered()
    queue = PaperQueue(SYMBOL, venue.market.book)

    def ask(command: VenueCommand) -> list[VenueEvent]:
        events = venue.ask(command)
        for event in events:
            queue.hear(event)
        return events

    for step in history:
        if not isinstance(step, tuple):
            if sent(step):
                ask(step)
        elif step[0] == "trade":
            _, aggressor, px, lots = step
            for reached in queue.on_trade(trade(px, lots, aggressor)):
                _in_full(reached, ask(reached))
            _nothing_left_through(venue, aggressor, px)
        else:
            write(venue.market, step)
            for crossed in queue.on_book(NOW):
                ask(crossed)
        assert len(queue) == sum(map(len, venue.state.orders.values()))


def _in_full(command: MatchResting, events: list[VenueEvent]) -> None:
    assert {(each.account_stream, each.number): each.lots for each in command.matches} == {
        (event.account_stream, event.number): sum(fill.lots for fill in event.fills)
        for event in events
        if isinstance(event, OrderExecuted)
    }


def _nothing_left_through(venue: Venue, aggressor: str, px: int) -> None:
    for orders in venue.state.orders.values():
        for order in orders.values():
            if aggressor == "sell" and order.side is Side.BUY:
                assert order.px <= px
            if aggressor == "buy" and order.side is Side.SELL:
                assert order.px >= px
