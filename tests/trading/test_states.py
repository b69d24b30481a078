"""OrdStatus: every state against everything that can be said to it, and FIX's own matrices."""

from collections.abc import Iterator

import pytest
from msgspec import structs

from build import (
    BTC,
    Scenario,
    ask,
    btc_usd,
    bust,
    buy,
    cancel,
    cancel_all,
    deposit,
    ended,
    expire,
    fill,
    given,
    listed,
    mark,
    placed,
    refs,
    replace,
    sell,
    silent,
    stands,
    stop,
    trail,
    trigger,
    venue_denied,
    venue_replaced,
)
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import Fill, TradingCommand
from fondaco.domain.trading.model import (
    AccountState,
    Contingency,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from fondaco.domain.trading.rules import decide, evolve
from fondaco.domain.trading.rules.states import MOVES
from fondaco.kernel.event import Event

# Only a venue elsewhere takes an execution back.
ELSEWHERE = refs(btc=structs.replace(btc_usd(), mic="BRKR"))
FAR = 2_000_000 * 10**9  # when the day is over
DAY = TimeInForce.DAY

WORKING = placed(ask(order_qty="10", time_in_force=DAY))
WAITING = placed(
    ask(price="", stop_px="110.00", ord_type=OrdType.STOP, order_qty="10", time_in_force=DAY)
)
TRAILING = placed(
    ask(
        price="",
        trail_offset="5.00",
        ord_type=OrdType.TRAILING_STOP,
        order_qty="10",
        side=Side.SELL,
        time_in_force=DAY,
    )
)
BY_CASH = placed(ask(order_qty="", cash_order_qty="500", price="", ord_type=OrdType.MARKET))
SPENT = ended(status=OrdStatus.EXPIRED, text=ev.CASH_SPENT)
OCO = listed(
    ask("o1", side=Side.SELL, order_qty="4", price="120.00"),
    ask("o2", side=Side.SELL, order_qty="4", price="", stop_px="90.00", ord_type=OrdType.STOP),
    contingency=Contingency.OCO,
)
BRACKET = listed(
    ask("o1", order_qty="4", time_in_force=DAY),
    ask("o2", side=Side.SELL, order_qty="4", price="120.00", time_in_force=DAY),
    ask("o3", side=Side.SELL, order_qty="4", price="", stop_px="90.00", ord_type=OrdType.STOP),
    contingency=Contingency.BRACKET,
)
PART = fill(lots=3_000)
SMALLER = replace(order_qty="5")
LARGER = replace(order_qty="12")

# Every way into a state that makes a difference to what comes next.
STATES: dict[str, tuple[TradingCommand, ...]] = {
    "nothing": (),
    "new": (WORKING,),
    "new, waits": (WAITING,),
    "new, trails": (TRAILING,),
    "new, in an oco": (OCO,),
    "partially filled": (WORKING, PART),
    "partially filled, in an oco": (OCO, fill(lots=1_000, px=120_00, side=Side.SELL)),
    "pending cancel": (WORKING, cancel()),
    "pending cancel, partly filled": (WORKING, PART, cancel()),
    "pending cancel after a replace": (WORKING, PART, SMALLER, cancel()),
    "pending replace": (WORKING, SMALLER),
    "pending replace, partly filled": (WORKING, SMALLER, PART),
    "pending replace, larger": (WORKING, PART, LARGER),
    "pending replace, in an oco": (OCO, replace(price="119.00")),
    "unknown": (WORKING, silent()),
    "unknown, partly filled": (WORKING, PART, silent()),
    "unknown, to be canceled": (WORKING, PART, cancel(), silent()),
    "unknown, to be replaced": (WORKING, SMALLER, silent()),
    "unknown, partly filled, to be replaced": (WORKING, PART, SMALLER, silent()),
    "unknown, replaced, to be canceled": (WORKING, PART, SMALLER, cancel(), silent()),
    "unknown, in an oco": (OCO, silent()),
    "suspended": (BRACKET,),
    "released": (BRACKET, fill(lots=1_000)),
    "by cash": (BY_CASH,),
    "by cash, partially filled": (BY_CASH, PART),
    "by cash, to be canceled": (BY_CASH, PART, cancel()),
    "by cash, unknown": (BY_CASH, PART, silent()),
    "cash spent": (BY_CASH, PART, SPENT),
    "filled": (WORKING, fill(lots=10_000)),
    "filled, over": (WORKING, fill(lots=10_000, nth=4), fill(lots=100)),
    "filled, in two": (WORKING, PART, fill(lots=7_000, nth=4)),
    "partially filled, in two": (WORKING, PART, fill(lots=2_000, nth=4)),
    "canceled, partly filled": (WORKING, PART, cancel(), ended()),
    "expired, partly filled": (WORKING, PART, expire(FAR), ended(status=OrdStatus.EXPIRED)),
    "rejected, partly filled": (WORKING, PART, ended(status=OrdStatus.REJECTED)),
    "canceled": (WAITING, cancel()),
    "expired": (WORKING, expire(FAR), ended()),
    "rejected by the venue": (WORKING, ended(status=OrdStatus.REJECTED)),
    "rejected by us": (buy(order_qty="99999"),),
}
SAID: tuple[TradingCommand, ...] = (
    PART,
    fill(lots=1_000, nth=2),
    fill(lots=1_000, px=121_00, nth=2, side=Side.SELL),
    fill(lots=2_000, nth=3),
    fill(lots=10_000, nth=2),
    fill(lots=20_000, nth=2),
    bust(),
    bust(to=Fill(99_00, 3_000)),
    bust(to=Fill(99_00, 2_000)),
    bust(to=Fill(99_00, 30_000)),
    cancel(),
    cancel(2),
    replace(order_qty="11"),
    replace(price="99.00"),
    replace(stop_px="111.00"),
    replace(2, price="121.00", cl_ord_id="o2b"),
    replace(2, order_qty="3", cl_ord_id="o2b"),
    ended(status=OrdStatus.CANCELED),
    ended(status=OrdStatus.EXPIRED),
    ended(status=OrdStatus.REJECTED),
    SPENT,
    venue_replaced(lots=5_000, px=100_00),
    venue_replaced(lots=2_000, px=100_00),
    venue_denied(),
    silent(),
    stands(),
    trigger(1, mark("110.00")),
    trigger(2, mark("89.00")),
    trail(1, mark("105.00")),
    cancel_all(),
    expire(FAR),
    WORKING,
    WAITING,
    OCO,
    BRACKET,
    buy("big", order_qty="99999"),
)


def status(state: AccountState, number: int) -> OrdStatus | None:
    order = state.working.get(number)
    if order is not None:
        return order.ord_status
    done = state.ended.get(number)
    return None if done is None else done.ord_status


def moves(story: Scenario, *commands: TradingCommand) -> Iterator[tuple[object, ...]]:
    """Status before, event, status after, of every order that an event is about."""
    for command in commands:
        for event in decide(story.state, command, story.using):
            number = getattr(event, "number", 0)
            if isinstance(event, ev.OrderAccepted):
                number = event.order.number
            before = status(story.state, number)
            evolve(story.state, event)
            after = status(story.state, number)
            if (before or after) and not isinstance(event, ev.ReportUnmatched):
                yield before, type(event), after


ALL_MOVES: set[tuple[OrdStatus | None, type[Event], OrdStatus]] = {
    (before, event, after)
    for before, by_event in MOVES.items()
    for event, targets in by_event.items()
    for after in targets
}


def test_the_table_of_moves_says_all_that_happens_and_nothing_else() -> None:
    happened: set[tuple[object, ...]] = set()
    for way in STATES.values():
        for said in SAID:
            story = given(using=ELSEWHERE)
            happened |= set(moves(story, *way, said))
    assert happened - ALL_MOVES == set()
    assert ALL_MOVES - happened == set()


def test_every_state_is_in_the_table_but_the_one_that_accounts_do_not_know() -> None:
    assert {s for s in MOVES if s} == {*OrdStatus} - {OrdStatus.PENDING_NEW}


@pytest.mark.parametrize("way", STATES)
def test_whatever_is_said_to_an_order_it_stays_whole(way: str) -> None:
    """CumQty + LeavesQty = OrderQty while it works, and nothing is held for one that is done."""
    for said in SAID:
        story = given(using=ELSEWHERE).when(*STATES[way], said)
        assert story.events
        for order in story.state.working.values():
            assert order.leaves_lots + order.cum_lots == order.lots
            assert order.leaves_lots >= 0
            assert order.hold >= 0
        for asset, held in story.state.held.items():
            holds = [
                order.hold
                for order in story.state.working.values()
                if asset == (order.quote if order.side is Side.BUY else order.base)
            ]
            assert held == sum(holds)


@pytest.mark.parametrize(
    ("history", "status_", "lots"),
    [
        ((BY_CASH, PART, SPENT), OrdStatus.FILLED, 3_000),
        ((BY_CASH, PART, cancel(), SPENT), OrdStatus.FILLED, 3_000),  # it had met its terms before
        ((BY_CASH, SPENT), OrdStatus.EXPIRED, 0),  # its cash buys not one lot
        ((WORKING, PART, SPENT), OrdStatus.EXPIRED, 3_000),  # it has a quantity to fill
        ((BY_CASH, PART, ended(text="no_liquidity")), OrdStatus.CANCELED, 3_000),
    ],
)
def test_an_order_by_cash_is_filled_once_its_cash_is_spent(
    history: tuple[TradingCommand, ...], status_: OrdStatus, lots: int
) -> None:
    story = given().when(*history)
    assert seen(story) == (status_, lots, 0)
    assert not any(story.state.held.values())


# --- FIX 4.2, appendix D ------------------------------------------------------------------------


def seen(story: Scenario) -> tuple[OrdStatus, int, int]:
    """OrdStatus, CumQty, LeavesQty, as an ExecutionReport would say them."""
    order = story.state.working.get(1)
    if order is not None:
        return order.ord_status, order.cum_lots, order.leaves_lots
    done = story.state.ended[1]
    return done.ord_status, done.cum_lots, 0


Row = tuple[TradingCommand, tuple[OrdStatus, int, int]]
TEN = buy(order_qty="10", price="10.00")


def filled(lots: int, nth: int) -> TradingCommand:
    return fill(lots=lots, px=10_00, nth=nth)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            [
                (TEN, (OrdStatus.NEW, 0, 10_000)),
                (filled(2_000, 1), (OrdStatus.PARTIALLY_FILLED, 2_000, 8_000)),
                # D4 lets this fill cross the request on the wire; here the request comes after it.
                (filled(3_000, 2), (OrdStatus.PARTIALLY_FILLED, 5_000, 5_000)),
                (cancel(), (OrdStatus.PENDING_CANCEL, 5_000, 5_000)),
                (filled(1_000, 3), (OrdStatus.PENDING_CANCEL, 6_000, 4_000)),
                (ended(), (OrdStatus.CANCELED, 6_000, 0)),
            ],
            id="P6",
        ),
        pytest.param(
            [
                (TEN, (OrdStatus.NEW, 0, 10_000)),
                (filled(5_000, 1), (OrdStatus.PARTIALLY_FILLED, 5_000, 5_000)),
                (cancel(), (OrdStatus.PENDING_CANCEL, 5_000, 5_000)),
                (filled(1_000, 2), (OrdStatus.PENDING_CANCEL, 6_000, 4_000)),
                (filled(4_000, 3), (OrdStatus.FILLED, 10_000, 0)),
                (venue_denied(text="too_late"), (OrdStatus.FILLED, 10_000, 0)),
            ],
            id="P7",
        ),
    ],
)
def test_cancels_that_cross_fills(rows: list[Row]) -> None:
    story = given()
    for command, expected in rows:
        story.when(command)
        assert seen(story) == expected


def test_a_cancel_of_what_has_filled_is_too_late() -> None:
    story = given().when(TEN, filled(10_000, 1), cancel()).then(ev.ChangeDenied)
    assert story.only(ev.ChangeDenied) == ev.ChangeDenied(1, OrdStatus.FILLED, "too_late")
    story.when(cancel(7))
    assert story.only(ev.ChangeDenied) == ev.ChangeDenied(7, OrdStatus.REJECTED, "unknown_order")


def test_a_denied_cancel_leaves_the_order_as_the_fills_in_between_made_it() -> None:
    story = given().when(TEN, cancel(), filled(1, 1), venue_denied(text="closed"))
    assert seen(story) == (OrdStatus.PARTIALLY_FILLED, 1, 9_999)
    story.when(cancel())
    assert story.order().ord_status is OrdStatus.PENDING_CANCEL


# --- Reports that are late, early, double or too large ------------------------------------------


def test_a_report_told_twice_is_booked_once() -> None:
    story = given().when(TEN, filled(1_000, 1), filled(1_000, 1)).then(ev.ReportUnmatched)
    assert story.order().cum_lots == 1_000
    story.when(filled(9_000, 2), filled(9_000, 2)).then(ev.ReportUnmatched)
    assert story.state.balances[BTC] == 20 * 10**9


def test_reports_out_of_order_are_all_booked_once() -> None:
    story = given().when(TEN, filled(300, 3), filled(100, 1), filled(100, 1))
    story.then(ev.ReportUnmatched)
    assert story.order().cum_lots == 400
    story.when(filled(200, 2)).then(ev.OrderFilled)
    assert not story.state.missing
    story.when(filled(300, 3)).then(ev.ReportUnmatched)
    assert story.order().cum_lots == 600


def test_a_report_that_was_overtaken_by_the_end_is_booked_as_over() -> None:
    story = given().when(TEN, filled(300, 2), cancel(), ended(), filled(100, 1))
    fill_of_one = story.only(ev.OrderFilled)
    assert (fill_of_one.over, fill_of_one.ord_status) == (100, OrdStatus.CANCELED)
    story.when(filled(100, 1)).then(ev.ReportUnmatched)
    assert story.state.ended[1].cum_lots == 400


@pytest.mark.parametrize(
    ("history", "over"),
    [
        ((TEN, filled(9_000, 1), filled(1_500, 2)), 500),
        ((TEN, filled(10_000, 1), filled(700, 2)), 700),
        ((TEN, cancel(), ended(), filled(1_000, 1)), 1_000),
        ((TEN, ended(status=OrdStatus.EXPIRED), filled(1_000, 1)), 1_000),
        ((buy(order_qty="99999"), filled(1_000, 1)), 1_000),
    ],
)
def test_money_that_moved_is_booked_and_said_to_be_over(
    history: tuple[TradingCommand, ...], over: int
) -> None:
    story = given().when(*history)
    last = story.only(ev.OrderFilled)
    assert last.over == over
    assert last.leaves_lots == last.hold == 0
    assert not any(story.state.held.values())
    assert story.state.balances[BTC] == 10 * 10**9 + 10**6 * story.state.ended[1].cum_lots


@pytest.mark.parametrize(
    "said",
    [
        fill(7),
        fill(symbol="ETH-USD"),
        fill(symbol="NONE"),
        fill(side=Side.SELL),
        fill(px=10_01),
        fill(px=0),
        fill(lots=-1),
        ended(7),
        ended(status=OrdStatus.NEW),
        venue_replaced(lots=5_000, px=10_00),
        venue_denied(),
        silent(7),
    ],
)
def test_what_cannot_be_placed_is_recorded_and_changes_nothing(said: TradingCommand) -> None:
    story = given().when(TEN, said).then(ev.ReportUnmatched)
    assert story.state == given().when(TEN).state


def test_a_stop_that_was_not_sent_cannot_execute() -> None:
    story = given().when(stop(), fill(px=90_00, side=Side.SELL)).then(ev.ReportUnmatched)
    assert story.order().cum_lots == 0


def test_a_silent_order_counts_until_a_report_resolves_it() -> None:
    story = given().when(sell(order_qty="4"), silent()).then(ev.OrderUnknown)
    assert story.state.held[BTC] == 4 * 10**9
    story.when(fill(lots=1_000, side=Side.SELL))
    assert story.order().ord_status is OrdStatus.PARTIALLY_FILLED
    story.when(silent(), ended()).then(ev.OrderCanceled)
    assert story.state.held[BTC] == 0


def test_a_silent_order_that_works_is_what_it_was() -> None:
    story = given().when(sell(order_qty="4"), silent(), stands()).then(ev.OrderResolved)
    assert story.order().ord_status is OrdStatus.NEW
    story.when(silent(), fill(lots=1_000, side=Side.SELL), silent(), stands())
    assert story.order().ord_status is OrdStatus.PARTIALLY_FILLED
    story.when(cancel(), silent(), stands())
    assert story.order().ord_status is OrdStatus.PENDING_CANCEL
    story.when(stands()).then(ev.ReportUnmatched)


def test_what_is_forgotten_is_bounded_and_still_booked() -> None:
    story = given(deposit("10000000"), deposit("10", BTC))
    for n in range(1_100):
        story.when(stop(f"s{n}"), cancel(n + 1))
    assert len(story.state.ended) == 1_024
    story.when(fill(1, side=Side.SELL)).then(ev.OrderFilled)
    assert story.only(ev.OrderFilled).over == 1_000
    story.when(cancel(1))
    assert story.only(ev.ChangeDenied).text == "too_late"
