"""The line in which makers wait: tables of what a trade reaches, and a plain twin that agrees."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.market.model import Aggressor, BookSide, Quality
from fondaco.domain.trading.model import OrdStatus, Side
from fondaco.domain.venues.events import MatchResting, OrderBooked, OrderEnded, OrderExecuted
from fondaco.domain.venues.queue import MATCHES_MAX, Line, PaperQueue, Waiter
from venues.paper import NOW, SYMBOL, A, B, Market, Venue, cancel, enter, replace, trade

BUY, SELL = Side.BUY, Side.SELL


class House:
    """A venue and its follower, wired as the shell does it, without a delay unless one is asked."""

    def __init__(self, market: Market | None = None) -> None:
        self.venue = Venue(market)
        self.market = self.venue.market
        self.queue = PaperQueue(SYMBOL, self.market.book)

    def ask(self, *commands: object) -> None:
        for command in commands:
            for event in self.venue.ask(command):  # type: ignore[arg-type]
                self.queue.hear(event)

    def trade(self, px: int, qty: int, aggressor: Aggressor = "sell") -> dict[int, int]:
        """Lots by order number that the trade brought about."""
        return self._deliver(self.queue.on_trade(trade(px, qty, aggressor)))

    def show(self, side: BookSide, px: int, lots: int) -> dict[int, int]:
        self.market.show(side, px, lots)
        return self._deliver(self.queue.on_book(NOW))

    def _deliver(self, commands: list[MatchResting]) -> dict[int, int]:
        seen = len(self.venue.journal)
        self.ask(*commands)
        done: dict[int, int] = {}
        for event in self.venue.journal[seen:]:
            if isinstance(event, OrderExecuted):
                lots = sum(fill.lots for fill in event.fills)
                done[event.number] = done.get(event.number, 0) + lots
        return done


def test_a_maker_waits_for_what_was_displayed_before_it() -> None:
    house = House()
    house.ask(enter(1, px=99, lots=5))  # behind 10
    assert house.trade(99, 9) == {}
    assert house.trade(99, 3) == {1: 2}
    assert house.trade(99, 9) == {1: 3}
    assert len(house.queue) == 0


@pytest.mark.parametrize(
    ("px", "qty", "aggressor", "expected"),
    [
        (98, 1, "sell", {1: 5}),  # through the price: all of it
        (99, 11, "sell", {1: 1}),
        (99, 100, "sell", {1: 5}),
        (100, 100, "sell", {}),  # it did not come down to us
        (99, 100, "buy", {}),  # buyers meet asks
        (98, 100, "buy", {}),
    ],
)
def test_a_trade_reaches_bids_from_its_price_up(
    px: int, qty: int, aggressor: Aggressor, expected: dict[int, int]
) -> None:
    house = House()
    house.ask(enter(1, px=99, lots=5))
    assert house.trade(px, qty, aggressor) == expected


@pytest.mark.parametrize(
    ("px", "qty", "aggressor", "expected"),
    [
        (102, 1, "buy", {1: 5}),
        (101, 11, "buy", {1: 1}),
        (100, 100, "buy", {}),
        (102, 100, "sell", {}),
    ],
)
def test_a_trade_reaches_asks_from_its_price_down(
    px: int, qty: int, aggressor: Aggressor, expected: dict[int, int]
) -> None:
    house = House()
    house.ask(enter(1, side=SELL, px=101, lots=5))
    assert house.trade(px, qty, aggressor) == expected


def test_the_first_come_is_the_first_served_and_a_lot_is_had_once() -> None:
    house = House()
    house.ask(enter(1, px=99, lots=5), enter(2, px=99, lots=5, account=B))
    house.show("bid", 99, 14)
    house.ask(enter(3, px=99, lots=5))  # behind 14
    assert house.trade(99, 17) == {1: 5, 2: 2}
    assert house.trade(99, 6) == {2: 3}  # and 3 of the 4 lots before number 3
    assert house.trade(99, 3) == {3: 2}


def test_a_trade_through_one_price_leaves_less_for_the_next() -> None:
    house = House(Market([]))
    house.ask(enter(1, px=100, lots=5), enter(2, px=99, lots=5))
    assert house.trade(99, 7) == {1: 5, 2: 2}


def test_nobody_is_further_back_than_what_is_displayed() -> None:
    house = House()
    house.ask(enter(1, px=99, lots=5))
    house.show("bid", 99, 3)
    house.show("bid", 99, 50)  # they came behind us
    assert house.trade(99, 5) == {1: 2}


def test_a_book_that_is_not_ok_moves_nobody() -> None:
    house = House()
    house.ask(enter(1, px=99, lots=5))
    house.market.turn(Quality.RECOVERING)
    house.show("bid", 99, 0)
    house.market.turn(Quality.OK)
    house.show("bid", 99, 10)
    assert house.trade(99, 10) == {}


def test_an_iceberg_shows_its_next_part_behind_the_others() -> None:
    house = House()
    house.ask(enter(1, px=99, lots=9, display=3), enter(2, px=99, lots=5))
    house.show("bid", 99, 4)
    assert house.trade(99, 4 + 3 + 5) == {1: 3, 2: 5}
    assert house.trade(99, 4) == {}  # what was displayed when its second part came
    assert house.trade(99, 5) == {1: 3}
    assert house.trade(98, 1) == {1: 3}


def test_one_large_trade_takes_one_part_of_an_iceberg_after_the_other() -> None:
    house = House(Market([("bid", 99, 1)]))
    house.ask(enter(1, px=99, lots=9, display=4))
    assert house.trade(99, 100) == {1: 9}


def test_the_market_comes_to_what_rests() -> None:
    house = House()
    house.ask(enter(1, px=100, lots=5), enter(2, px=99, lots=30))
    assert house.show("ask", 100, 2) == {1: 2}
    assert house.queue.on_book(NOW) == [], "the same level was spoken of twice"
    assert house.show("ask", 102, 7) == {}, "the same level was had twice"
    assert house.show("ask", 99, 8) == {1: 3, 2: 5}
    assert house.show("ask", 98, 40) == {2: 25}


def test_what_took_everything_and_rests_is_not_crossed_by_what_it_took() -> None:
    house = House()
    house.ask(enter(1, px=101, lots=15))
    assert house.show("bid", 98, 5) == {}
    assert house.trade(101, 4, "buy") == {}
    assert house.show("ask", 101, 4) == {1: 4}


def test_promises_are_not_made_twice_while_the_venue_has_not_answered() -> None:
    house = House(Market([]))
    house.ask(enter(1, px=99, lots=5))
    (first,) = house.queue.on_trade(trade(99, 3))
    (second,) = house.queue.on_trade(trade(99, 9))
    assert house.queue.on_trade(trade(98, 9)) == []
    assert [each.matches[0].lots for each in (first, second)] == [3, 2]
    house.queue.release(second)  # it was never delivered
    house.ask(first)
    assert house.trade(98, 1) == {1: 2}


def test_causes_go_up_so_that_a_receiver_can_tell_what_it_has_heard() -> None:
    house = House(Market([]))
    house.ask(*(enter(nth, px=99, lots=1) for nth in range(1, 5)))
    causes = [house.queue.on_trade(trade(99, 1))[0].command_id for _ in range(3)]
    numbers = [int(cause.rpartition("@")[2]) for cause in causes]
    assert [cause.rpartition("@")[0] for cause in causes] == ["market/BTC-USD"] * 3
    assert numbers == [NOW, NOW + 1, NOW + 2]
    later = PaperQueue(SYMBOL, house.market.book)
    later.rebuild(house.venue.state)
    (command,) = later.on_trade(trade(98, 1, at=NOW + 3))
    assert int(command.command_id.rpartition("@")[2]) > numbers[-1]


def test_numbers_go_on_where_the_venue_stands_though_the_clock_was_set_back() -> None:
    """Else the venue takes what it is told for a repetition, and nothing that rests executes."""
    house = House()
    house.ask(enter(1, px=99, lots=5))
    later = PaperQueue(SYMBOL, house.market.book)
    later.rebuild(house.venue.state, heard=NOW + 1_000)
    commands = [*later.on_trade(trade(98, 1, at=NOW)), *later.on_trade(trade(97, 1, at=NOW + 1))]
    numbers = [int(each.command_id.rpartition("@")[2]) for each in commands]
    assert numbers
    assert numbers == sorted(set(numbers))
    assert numbers[0] > NOW + 1_000


def test_canceled_and_replaced_orders_are_not_reached() -> None:
    house = House()
    house.ask(enter(1, px=99, lots=5), enter(2, px=99, lots=5), enter(3, px=99, lots=5))
    house.ask(cancel(1), replace(2, lots=3, px=99), replace(3, lots=5, px=98))
    assert house.trade(99, 100) == {2: 3}
    assert house.trade(98, 22) == {3: 2}


def test_after_a_restart_everybody_is_at_the_back_of_what_is_displayed() -> None:
    house = House()
    house.ask(enter(5, px=98), enter(1, px=99, lots=5, account=B), enter(2, px=99, lots=5))
    house.trade(99, 12)
    house.queue = PaperQueue(SYMBOL, house.market.book)
    house.queue.rebuild(house.venue.state)
    assert len(house.queue) == 3
    assert house.trade(99, 10) == {}
    assert house.trade(99, 4) == {1: 3, 2: 1}


def test_many_matches_become_several_commands() -> None:
    house = House(Market([]))
    house.ask(*(enter(nth, px=99, lots=1) for nth in range(MATCHES_MAX + 1)))
    commands = house.queue.on_trade(trade(98, 1))
    assert [len(command.matches) for command in commands] == [MATCHES_MAX, 1]
    house.ask(*commands)
    assert house.venue.state.orders == {}
    assert len(house.queue) == 0


# --- The twin: one list per price, and every order keeps its own distance -------------------------


@dataclass
class Plain:
    number: int
    px: int
    leaves: int
    display: int
    shown: int
    ahead: int


@dataclass
class PlainQueue:
    """Bids only. Everything is walked, always."""

    displayed: dict[int, int] = field(default_factory=dict)
    orders: list[Plain] = field(default_factory=list)

    def book(self, number: int, px: int, lots: int, display: int) -> None:
        shown = min(display, lots) if display else lots
        self.orders.append(Plain(number, px, lots, display, shown, self.displayed.get(px, 0)))

    def end(self, number: int) -> None:
        self.orders = [order for order in self.orders if order.number != number]

    def show(self, px: int, lots: int) -> None:
        self.displayed[px] = lots
        for near in sorted({order.px for order in self.orders}, reverse=True)[:4]:
            for order in self.orders:
                if order.px == near:
                    order.ahead = min(order.ahead, self.displayed.get(near, 0))

    def trade(self, px: int, qty: int) -> dict[int, int]:
        done: dict[int, int] = {}
        for order in [each for each in self.orders if each.px > px]:
            done[order.number] = order.leaves
            qty -= order.leaves
            order.leaves = 0
        while qty > 0:
            line = [each for each in self.orders if each.px == px and each.leaves]
            if not line:
                break
            order = line[0]
            gone = min(order.ahead, qty)
            for each in line:
                each.ahead = max(each.ahead - gone, 0)
            qty -= gone
            lots = min(order.shown, qty)
            if not lots:
                break
            qty -= lots
            order.shown -= lots
            order.leaves -= lots
            done[order.number] = done.get(order.number, 0) + lots
            if not order.shown and order.leaves:
                self.orders.remove(order)
                order.shown = min(order.display, order.leaves)
                order.ahead = self.displayed.get(px, 0)
                self.orders.append(order)
        self.orders = [order for order in self.orders if order.leaves]
        return done


prices = st.integers(96, 100)
sizes = st.integers(1, 12)
steps = st.one_of(
    st.tuples(st.just("book"), prices, sizes, st.integers(0, 4)),
    st.tuples(st.just("end"), st.integers(1, 12), st.just(0), st.just(0)),
    st.tuples(st.just("show"), prices, st.integers(0, 15), st.just(0)),
    st.tuples(st.just("trade"), prices, st.integers(1, 25), st.just(0)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=60))
def test_the_queue_agrees_with_its_plain_twin(history: list[tuple[str, int, int, int]]) -> None:
    house, twin, number = House(Market([])), PlainQueue(), 0
    for kind, what, lots, display in history:
        if kind == "book":
            number += 1
            house.ask(enter(number, px=what, lots=lots, display=display))
            twin.book(number, what, lots, display)
        elif kind == "end":
            house.ask(cancel(what))
            twin.end(what)
        elif kind == "show":
            house.show("bid", what, lots)
            twin.show(what, lots)
        else:
            assert house.trade(what, lots) == twin.trade(what, lots)
    resting = house.venue.state.orders.get(A, {})
    assert {each: order.leaves_lots for each, order in resting.items()} == {
        order.number: order.leaves for order in twin.orders
    }
    assert len(house.queue) == len(twin.orders)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=200))
def test_a_line_keeps_no_more_caps_than_it_needs(steps: list[tuple[bool, int]]) -> None:
    """`True` joins and leaves at once, which must leave nothing behind; else a level is written."""
    line = Line(100)
    front = Waiter((A, 0), 5, 0, line)
    line.join(front, 40)
    best = 40
    for joins, lots in steps:
        if joins:
            waiter = Waiter((A, 1), 5, 0, line)
            line.join(waiter, lots)
            del line.waiting[waiter.key]
        else:
            line.cap(lots)
            best = min(best, lots)
    assert line.place_of(front) == best
    assert len(line._cap_place) <= 2 * len(line.waiting) + 17


def test_events_about_orders_that_it_never_saw_are_passed_over() -> None:
    queue = PaperQueue(SYMBOL, Market().book)
    booked = OrderBooked(A, 1, BUY, 99, 5, 5, 0, 10, 0)
    executed = OrderExecuted(A, 9, 1, SYMBOL, BUY, (), True, 0)
    queue.hear(executed)
    queue.hear(booked)
    queue.hear(booked)
    assert len(queue) == 1
    queue.hear(OrderEnded(A, 1, OrdStatus.CANCELED, "requested"))
    assert len(queue) == 0
    assert queue.on_book(NOW) == []
