"""The paper venue, one behaviour a row."""

import pytest

from fondaco.domain.market.model import Quality
from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import OrdStatus, Side, TimeInForce
from fondaco.domain.venues.events import (
    ChangeDenied,
    EnterOrder,
    NothingMatched,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    VenueEvent,
)
from fondaco.domain.venues.model import USED_LEVELS_MAX, VenueRefs
from fondaco.domain.venues.rules import decide
from venues.paper import (
    BTC_USD,
    A,
    B,
    Market,
    Venue,
    cancel,
    enter,
    match,
    replace,
)

BUY, SELL = Side.BUY, Side.SELL
GTC, DAY, GTD = TimeInForce.GTC, TimeInForce.DAY, TimeInForce.GTD
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


def said(events: list[VenueEvent]) -> list[tuple[object, ...]]:
    """What matters of each event, short enough to stand in a table."""
    short: list[tuple[object, ...]] = []
    for event in events:
        if isinstance(event, OrderExecuted):
            short.append(("exec", *((fill.px, fill.lots) for fill in event.fills)))
        elif isinstance(event, OrderBooked):
            short.append(("rests", event.leaves_lots, event.queue_ahead))
        elif isinstance(event, OrderEnded):
            short.append((str(event.ord_status), event.text))
        elif isinstance(event, OrderReplaced):
            short.append(("replaced", event.leaves_lots, event.queue_ahead, event.keeps_place))
        elif isinstance(event, ChangeDenied):
            short.append(("denied", event.text))
        else:
            short.append(("nothing", event.px))
    return short


# The market displays 10 at 101 and 20 at 102 to buyers, 10 at 99 and 20 at 98 to sellers.
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # Passive orders stand behind what is displayed at their price.
        (enter(px=99), [("rests", 5, 10)]),
        (enter(px=98, tif=DAY), [("rests", 5, 20)]),
        (enter(px=100, tif=GTD), [("rests", 5, 0)]),
        (enter(side=SELL, px=101), [("rests", 5, 10)]),
        (enter(side=SELL, px=100), [("rests", 5, 0)]),
        # Takers have the best levels first, at the levels' prices, and rest with what is left.
        (enter(px=101), [("exec", (101, 5))]),
        (enter(px=101, lots=10), [("exec", (101, 10))]),
        (enter(px=101, lots=12), [("exec", (101, 10)), ("rests", 2, 0)]),
        (enter(px=200, lots=12), [("exec", (101, 10), (102, 2))]),
        (enter(side=SELL, px=98, lots=31), [("exec", (99, 10), (98, 20)), ("rests", 1, 0)]),
        # IOC never rests.
        (enter(px=101, lots=12, tif=IOC), [("exec", (101, 10)), ("expired", "no_liquidity")]),
        (enter(px=100, tif=IOC), [("expired", "no_liquidity")]),
        # FOK is all or nothing.
        (enter(px=102, lots=30, tif=FOK), [("exec", (101, 10), (102, 20))]),
        (enter(px=102, lots=31, tif=FOK), [("expired", "not_at_once")]),
        (enter(px=100, tif=FOK), [("expired", "no_liquidity")]),
        # Market orders go to their protection, or to the end of the book, and never rest.
        (enter(px=0, lots=30, is_market=True), [("exec", (101, 10), (102, 20))]),
        (
            enter(px=0, lots=31, is_market=True),
            [("exec", (101, 10), (102, 20)), ("expired", "no_liquidity")],
        ),
        (
            enter(px=101, lots=12, is_market=True),
            [("exec", (101, 10)), ("expired", "no_liquidity")],
        ),
        (enter(px=0, side=SELL, lots=3, is_market=True), [("exec", (99, 3))]),
        # Post-only rests or is rejected; it does not take.
        (enter(px=101, post_only=True), [("rejected", "would_take")]),
        (enter(px=100, post_only=True), [("rests", 5, 0)]),
        # A caller who asks for nothing.
        (enter(px=100, lots=5, cum_lots=5), [("rejected", "nothing_left")]),
    ],
)
def test_an_order_takes_rests_or_ends(
    order: EnterOrder, expected: list[tuple[object, ...]]
) -> None:
    assert said(Venue().ask(order)) == expected


@pytest.mark.parametrize("quality", [each for each in Quality if each is not Quality.OK])
def test_nothing_executes_on_a_book_that_is_not_ok(quality: Quality) -> None:
    def ask(order: EnterOrder) -> list[tuple[object, ...]]:
        return said(Venue(Market().turn(quality)).ask(order))

    assert ask(enter(px=0, is_market=True)) == [("expired", "no_liquidity")]
    assert ask(enter(px=101, tif=IOC)) == [("expired", "no_liquidity")]
    assert ask(enter(px=101)) == [("rests", 5, 0)]
    assert ask(enter(px=101, post_only=True)) == [("rests", 5, 0)]


def test_without_a_feed_orders_rest_and_takers_expire() -> None:
    refs = VenueRefs(1, None)
    state = Venue().state
    assert said(list(decide(state, enter(px=101), refs))) == [("rests", 5, 0)]
    assert said(list(decide(state, enter(px=0, is_market=True), refs))) == [
        ("expired", "no_liquidity")
    ]


def test_a_level_is_had_once_until_the_market_writes_it_again() -> None:
    venue = Venue()
    assert said(venue.ask(enter(1, px=101, lots=7))) == [("exec", (101, 7))]
    assert said(venue.ask(enter(2, px=101, lots=7, tif=IOC, account=B))) == [
        ("exec", (101, 3)),
        ("expired", "no_liquidity"),
    ]
    assert said(venue.ask(enter(3, px=101, lots=7, tif=IOC))) == [("expired", "no_liquidity")]
    venue.market.show("ask", 102, 20)  # another level says nothing about this one
    assert said(venue.ask(enter(4, px=101, lots=7, tif=IOC))) == [("expired", "no_liquidity")]
    venue.market.show("ask", 101, 10)
    assert said(venue.ask(enter(5, px=101, lots=7, tif=IOC))) == [("exec", (101, 7))]


def test_fills_name_the_update_of_the_level_that_they_took() -> None:
    venue = Venue()
    version = venue.market.book.level_version("ask", 101)
    (executed,) = venue.ask(enter(px=101))
    assert isinstance(executed, OrderExecuted)
    assert executed.fills == (Fill(101, 5, version),)


def test_orders_of_the_house_do_not_meet() -> None:
    venue = Venue(Market([]))
    assert said(venue.ask(enter(1, px=100))) == [("rests", 5, 0)]
    assert said(venue.ask(enter(2, side=SELL, px=100))) == [("rests", 5, 0)]
    assert said(venue.ask(enter(3, side=SELL, px=0, is_market=True, account=B))) == [
        ("expired", "no_liquidity")
    ]


def test_a_deep_book_is_walked_to_its_end() -> None:
    venue = Venue(Market([("ask", 1_000 + nth, 1) for nth in range(700)]))
    (executed,) = venue.ask(enter(px=0, lots=700, is_market=True))
    assert isinstance(executed, OrderExecuted)
    assert [fill.px for fill in executed.fills] == list(range(1_000, 1_700))


# One lot of 0.001 BTC at one tick of 0.01 USD costs 1,000 ledger units of USD.
@pytest.mark.parametrize(
    ("cash", "lots", "side", "expected"),
    [
        (101 * 5 * 1_000, 99, BUY, [("exec", (101, 5)), ("expired", "cash_spent")]),
        (101 * 5 * 1_000 - 1, 99, BUY, [("exec", (101, 4)), ("expired", "cash_spent")]),
        (1_010_000 + 101_999, 99, BUY, [("exec", (101, 10)), ("expired", "cash_spent")]),
        (1_010_000 + 102_000, 99, BUY, [("exec", (101, 10), (102, 1)), ("expired", "cash_spent")]),
        (101_000, 1, BUY, [("exec", (101, 1))]),
        (100_999, 9, BUY, [("expired", "cash_spent")]),
        (
            10**9,
            99,
            BUY,
            [("exec", (101, 10), (102, 20)), ("expired", "no_liquidity")],
        ),
        (990_000 + 98_000, 99, SELL, [("exec", (99, 10), (98, 1)), ("expired", "cash_spent")]),
    ],
)
def test_cash_caps_a_market_order(
    cash: int, lots: int, side: Side, expected: list[tuple[object, ...]]
) -> None:
    assert (BTC_USD.cost_num, BTC_USD.cost_den) == (1_000, 1)
    events = Venue().ask(enter(side=side, px=0, lots=lots, is_market=True, cash=cash))
    assert said(events) == expected


def test_all_or_nothing_of_a_cash_amount_is_all_that_it_buys() -> None:
    cash = {"px": 0, "lots": 99, "tif": FOK, "is_market": True}
    assert said(Venue().ask(enter(cash=505_000, **cash))) == [  # type: ignore[arg-type]
        ("exec", (101, 5)),
        ("expired", "cash_spent"),
    ]
    assert said(Venue().ask(enter(cash=10**9, **cash))) == [  # type: ignore[arg-type]
        ("expired", "not_at_once")
    ]


def test_execution_numbers_count_each_order_for_itself() -> None:
    venue = Venue()
    venue.ask(enter(1, px=101, lots=12), enter(2, px=102, lots=40))
    venue.ask(match(101, (1, 1)), match(101, (1, 1), (2, 3)))
    numbers = [
        (event.number, event.exec_number, event.leaves_lots, event.is_maker)
        for event in venue.journal
        if isinstance(event, OrderExecuted)
    ]
    assert numbers == [
        (1, 1, 2, False),
        (2, 1, 20, False),
        (1, 2, 1, True),
        (1, 3, 0, True),
        (2, 2, 17, True),
    ]


@pytest.mark.parametrize(
    ("px", "asked", "expected"),
    [
        (99, (1, 3), [("exec", (99, 3))]),
        (98, (1, 3), [("exec", (99, 3))]),  # at its own price, whatever the trade's
        (99, (1, 50), [("exec", (99, 5))]),
        (99, (1, 2, 1, 2), [("exec", (99, 2))]),  # one execution of an order in a turn
        (100, (1, 3), [("nothing", 100)]),  # the market is not there
        (99, (7, 3), [("nothing", 99)]),
        (99, (1, 0), [("nothing", 99)]),
    ],
)
def test_a_resting_order_executes_at_its_own_price(
    px: int, asked: tuple[int, ...], expected: list[tuple[object, ...]]
) -> None:
    venue = Venue()
    venue.ask(enter(1, px=99))
    told = zip(asked[::2], asked[1::2], strict=True)
    assert said(venue.ask(match(px, *told))) == expected


def test_a_crossed_order_has_what_is_displayed_and_no_more() -> None:
    venue = Venue(Market([("ask", 105, 10)]))
    venue.ask(enter(1, px=103, lots=8), enter(2, px=102, lots=8), enter(3, px=104, lots=1))
    venue.market.show("ask", 102, 9)
    first = venue.ask(match(102, (1, 8), (2, 8), is_crossed=True))
    assert said(first) == [("exec", (103, 8)), ("exec", (102, 1))]
    assert said(venue.ask(match(102, (2, 7), (3, 1), is_crossed=True))) == [("nothing", 102)]
    assert said(venue.ask(enter(4, px=102, tif=IOC))) == [("expired", "no_liquidity")]
    venue.market.turn(Quality.STALE).show("ask", 102, 9)
    assert said(venue.ask(match(102, (2, 7), is_crossed=True))) == [("nothing", 102)]


def test_a_cancel_ends_what_rests_and_is_too_late_for_the_rest() -> None:
    venue = Venue()
    venue.ask(enter(1, px=99), enter(2, px=101))
    assert said(venue.ask(cancel(1))) == [("canceled", "requested")]
    assert said(venue.ask(cancel(1))) == [("denied", "too_late")]
    assert said(venue.ask(cancel(2))) == [("denied", "too_late")]
    assert said(venue.ask(enter(3, px=99), cancel(3, account=B))) == [("denied", "too_late")]
    assert said(venue.ask(cancel(3, reason="expired"))) == [("expired", "expired")]
    assert venue.state.orders == {}


@pytest.mark.parametrize(
    ("lots", "px", "expected"),
    [
        (9, 99, [("replaced", 7, 10, True)]),  # less of it keeps its place
        (10, 99, [("replaced", 8, 10, True)]),
        (11, 99, [("replaced", 9, 44, False)]),  # more of it goes to the back
        (9, 98, [("replaced", 7, 20, False)]),
        (2, 99, [("denied", "too_late")]),  # so much has executed already
        (9, 101, [("replaced", 7, 0, False), ("exec", (101, 7))]),
        (14, 101, [("replaced", 12, 0, False), ("exec", (101, 10))]),
    ],
)
def test_a_replace_keeps_loses_or_takes(
    lots: int, px: int, expected: list[tuple[object, ...]]
) -> None:
    venue = Venue()
    venue.ask(enter(1, px=99, lots=10), match(99, (1, 2)))
    venue.market.show("bid", 99, 44)
    assert said(venue.ask(replace(1, lots=lots, px=px))) == expected


def test_a_replace_of_what_is_gone_or_would_take_is_denied() -> None:
    venue = Venue()
    assert said(venue.ask(replace(1, lots=5, px=99))) == [("denied", "too_late")]
    venue.ask(enter(1, px=99, post_only=True))
    assert said(venue.ask(replace(1, lots=5, px=101))) == [("denied", "would_take")]
    assert said(venue.ask(replace(1, lots=5, px=100))) == [("replaced", 5, 0, False)]


def test_an_order_that_the_account_saw_execute_elsewhere_counts_on() -> None:
    venue = Venue()
    (executed, booked) = venue.ask(enter(px=101, lots=15, cum_lots=3, exec_number=2))
    assert isinstance(executed, OrderExecuted)
    assert isinstance(booked, OrderBooked)
    assert (executed.exec_number, executed.leaves_lots) == (3, 2)
    assert (booked.exec_number, booked.lots, booked.leaves_lots) == (3, 15, 2)


def test_what_was_used_is_forgotten_in_the_end() -> None:
    deep = USED_LEVELS_MAX + 50
    venue = Venue(Market([("ask", 1_000 + nth, 1) for nth in range(deep)]))
    for nth in range(deep):
        venue.ask(enter(nth, px=1_000 + nth, lots=1, tif=IOC))
        venue.market.show("ask", 1_000 + nth, 0)
    assert len(venue.state.asks) == USED_LEVELS_MAX
    assert venue.state.find(A, 1) is None


def test_nothing_matched_is_a_trace_only() -> None:
    venue = Venue()
    venue.ask(enter(1, px=99))
    before = repr(venue.state)
    assert venue.ask(match(99, (5, 1))) == [NothingMatched(99)]
    assert repr(venue.state) == before


def test_statuses_are_those_that_an_account_understands() -> None:
    venue = Venue()
    venue.ask(
        enter(1, px=101, post_only=True), enter(2, px=100, tif=IOC), enter(3, px=99), cancel(3)
    )
    statuses = [event.ord_status for event in venue.journal if isinstance(event, OrderEnded)]
    assert statuses == [OrdStatus.REJECTED, OrdStatus.EXPIRED, OrdStatus.CANCELED]
