"""The dark book: who meets whom, at which price, and what of it nobody sees."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fondaco.domain.market.model import Quality
from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import OrdStatus, Side, TimeInForce
from fondaco.domain.venues.events import EnterOrder, NothingMatched, OrderBooked, OrderEnded
from fondaco.domain.venues.midpoint import rules
from fondaco.domain.venues.midpoint.events import MatchMidpoint
from fondaco.domain.venues.midpoint.meeting import at_middle
from fondaco.domain.venues.midpoint.model import RESTING_MAX, twice_middle
from fondaco.kernel.event import StreamId
from venues.floors import MidpointFloor
from venues.naive_meeting import Waits, could_trade, meet
from venues.paper import CAUSE, NOW, A, B, Market, enter, replace

BUY, SELL = Side.BUY, Side.SELL
C = StreamId("account/C")
IOC = TimeInForce.IOC


def dark(bid: int = 99, ask: int = 101) -> MidpointFloor:
    """A dark book beside a lit one of a single level a side."""
    floor = MidpointFloor()
    floor.market = Market((("bid", bid, 10), ("ask", ask, 10)))
    floor.begin()
    return floor


def waits(floor: MidpointFloor, came: EnterOrder | None = None) -> list[Waits]:
    """What rests, and who has just come, as the oracle reads it."""
    found = [
        Waits(
            order.place,
            order.account_stream,
            order.side is BUY,
            order.px,
            order.leaves_lots,
            order.min_lots,
        )
        for order in floor.state.orders.values()
    ]
    if came is not None:
        is_buy = came.side is BUY
        place = floor.state.booked + 1
        found.append(Waits(place, came.account_stream, is_buy, came.px, came.lots, came.min_lots))
    return found


def had(trades: list[tuple[int, int, int]], orders: list[Waits]) -> dict[str, int]:
    """Lots by account, side and place."""
    lots: dict[str, int] = {}
    for buyer, seller, each in trades:
        for place in (buyer, seller):
            lots[str(place)] = lots.get(str(place), 0) + each
    return lots


entering = st.builds(
    lambda account, side, px, lots, least, tif: {
        "account": account, "side": side, "px": px, "lots": lots,
        "min_lots": min(least, lots), "tif": tif,
    },
    st.sampled_from([A, B, C]), st.sampled_from(Side), st.integers(97, 103), st.integers(1, 20),
    st.sampled_from([0, 0, 3, 7, 12]), st.sampled_from([TimeInForce.GTC] * 3 + [IOC]),
)  # fmt: skip
moving = st.tuples(st.integers(97, 101), st.integers(1, 4))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(entering, entering, entering, moving), max_size=30))
def test_who_meets_whom_is_what_the_obvious_way_says(play: list[Any]) -> None:
    """After every turn; and whoever is left could not have traded with anybody."""
    floor, bid, ask = dark(), 99, 101
    for number, step in enumerate(play, 1):
        if isinstance(step, dict):
            came = enter(number, **step)
            before = waits(floor, came)
            newcomers = [floor.state.booked + 1]
            events = floor.ask(came)
        else:
            floor.market.show("bid", bid, 0)
            floor.market.show("ask", ask, 0)
            bid, ask = step[0], step[0] + step[1]
            floor.market.show("bid", bid, 5)
            floor.market.show("ask", ask, 5)
            before = waits(floor)
            newcomers = [each.place for each in before]
            events = floor.ask(MatchMidpoint(CAUSE, NOW, bid + ask))
        middle = Fraction(bid + ask, 2)
        expected = had(meet(before, middle, newcomers), before)
        accounts = {str(each.place): each for each in before}
        told: dict[tuple[str, bool], int] = {}
        for event in events:
            for fill in getattr(event, "fills", ()):
                key = (event.account_stream, event.side is BUY)
                told[key] = told.get(key, 0) + fill.lots
        naive: dict[tuple[str, bool], int] = {}
        for place, lots in expected.items():
            key = (accounts[place].account, accounts[place].is_buy)
            naive[key] = naive.get(key, 0) + lots
        assert told == naive
        left = {each.place: each.leaves for each in waits(floor)}
        for place, each in accounts.items():
            if int(place) in left:
                assert left[int(place)] == each.leaves - expected.get(place, 0)
        assert not could_trade(waits(floor), middle)


@given(st.integers(2, 10_000), st.integers(1, 10_000))
@example(201, 1)
def test_the_price_is_the_middle_to_half_a_tick_of_one_lot(twice: int, lots: int) -> None:
    """Exactly where it is a whole tick or the lots can be halved; the odd lot goes at the even."""
    fills = at_middle(twice, lots)
    assert sum(fill.lots for fill in fills) == lots
    assert all(abs(2 * fill.px - twice) <= 1 and fill.lots > 0 for fill in fills)
    off = 2 * sum(fill.px * fill.lots for fill in fills) - twice * lots
    assert off == 0 if twice % 2 == 0 or lots % 2 == 0 else abs(off) == 1
    if off:
        assert max(fills, key=lambda fill: fill.lots).px % 2 == 0


@pytest.mark.parametrize(
    ("quality", "levels"),
    [
        *((quality, (("bid", 99, 5), ("ask", 101, 5))) for quality in Quality if quality != "ok"),
        (Quality.OK, (("bid", 99, 5),)),
        (Quality.OK, (("ask", 101, 5),)),
        (Quality.OK, ()),
        (Quality.OK, (("bid", 100, 5), ("ask", 100, 5))),
    ],
)
def test_nobody_meets_while_the_lit_book_is_no_reference(quality: Quality, levels: Any) -> None:
    floor = MidpointFloor()
    floor.market = Market(levels)
    floor.market.turn(quality)
    floor.begin()
    for order in (enter(1, BUY, 105, 5, account=A), enter(2, SELL, 95, 5, account=B)):
        [booked] = floor.ask(order)
        assert isinstance(booked, OrderBooked)
    [ended] = floor.ask(enter(3, BUY, 105, 5, IOC, account=C))
    assert (ended.ord_status, ended.text) == (OrdStatus.EXPIRED, "no_reference")
    assert floor.watch.on_book(NOW) is None
    floor.market.turn(Quality.OK)
    floor.market.show("bid", 99, 5)
    floor.market.show("bid", 100, 0)
    floor.market.show("ask", 100, 0)
    floor.market.show("ask", 101, 5)
    command = floor.watch.on_book(NOW)
    assert command is not None
    assert [event.fills for event in floor.ask(command)] == [(Fill(100, 5),)] * 2


def test_an_auction_of_our_own_book_is_no_reference() -> None:
    market = Market((("bid", 99, 5), ("ask", 101, 5)))
    assert twice_middle(market.book) == 200
    market.book.phase = "opening_auction"
    assert twice_middle(market.book) == 0


def test_time_alone_says_who_goes_first() -> None:
    """Not the limit: everybody is served at the same price."""
    floor = dark()
    floor.ask(enter(1, SELL, 100, 5, account=A))
    floor.ask(enter(2, SELL, 95, 5, account=B))
    taker, first = floor.ask(enter(3, BUY, 101, 5, IOC, account=C))
    assert (taker.fills, taker.is_maker) == ((Fill(100, 5),), False)
    assert (first.account_stream, first.is_maker) == (A, True)


def test_no_execution_is_smaller_than_both_want_it() -> None:
    """One that is passed by keeps its place; what is less than a minimum goes whole or not."""
    floor = dark()
    floor.ask(enter(1, SELL, 100, 20, account=A, min_lots=15))
    [booked] = floor.ask(enter(2, BUY, 100, 10, account=B))
    assert isinstance(booked, OrderBooked)
    events = floor.ask(enter(3, BUY, 100, 17, account=C))
    # Three are left of twenty, fewer than it wanted: those go all at once, to whoever waits.
    assert {event.number: [fill.lots for fill in event.fills] for event in events} == {
        1: [17, 3],
        2: [3],
        3: [17],
    }
    assert [order.leaves_lots for order in floor.state.orders.values()] == [7]


def test_the_same_account_passes_itself_by() -> None:
    floor = dark()
    floor.ask(enter(1, SELL, 100, 5, account=A))
    [booked] = floor.ask(enter(2, BUY, 100, 5, account=A))
    assert isinstance(booked, OrderBooked)
    assert len(floor.ask(enter(3, BUY, 100, 5, account=B))) == 2


def test_new_terms_may_let_it_meet() -> None:
    floor = dark()
    floor.ask(enter(1, SELL, 101, 5, account=A))
    floor.ask(enter(2, BUY, 100, 5, account=B))
    replaced, taker, maker = floor.ask(replace(1, lots=5, px=100, account=A))
    assert (replaced.px, taker.number, maker.number) == (100, 1, 2)


def test_the_follower_speaks_once_for_each_middle_that_somebody_wants() -> None:
    floor = dark()
    floor.ask(enter(1, SELL, 103, 5, account=A))
    floor.ask(enter(2, BUY, 103, 5, account=B))
    assert floor.watch.on_book(NOW) is None
    floor.market.show("ask", 101, 0).show("ask", 107, 5)
    command = floor.watch.on_book(NOW)
    assert command is not None
    assert floor.watch.on_book(NOW) is None
    floor.watch.release()
    again = floor.watch.on_book(NOW)
    assert again is not None
    assert again.command_id != command.command_id
    assert len(floor.ask(again)) == 2
    [nothing] = floor.ask(command)
    assert isinstance(nothing, NothingMatched)


def test_only_our_own_book_is_printed_on() -> None:
    for is_own, prints in ((True, 1), (False, 0)):
        floor = dark()
        floor.market.book.is_own = is_own
        floor.ask(enter(1, SELL, 100, 5, account=A))
        floor.ask(enter(2, BUY, 100, 5, account=B))
        assert len(floor.board.printed) == prints


def test_a_book_takes_no_more_than_it_can_look_through() -> None:
    floor = dark()
    for number in range(1, RESTING_MAX + 1):
        for event in rules.decide(floor.state, enter(number, BUY, 99, 1), floor.refs):
            rules.evolve(floor.state, event)
    [refused] = rules.decide(floor.state, enter(0, BUY, 99, 1), floor.refs)
    assert isinstance(refused, OrderEnded)
    assert (refused.ord_status, refused.text) == (OrdStatus.REJECTED, "book_full")
