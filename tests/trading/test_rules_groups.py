"""Orders that belong together: lists, OCO and bracket; and closing positions."""

import pytest

from build import (
    BTC,
    USD,
    Scenario,
    ask,
    btc_usd,
    buy,
    cancel,
    cancel_all,
    close,
    deposit,
    ended,
    fill,
    given,
    listed,
    mark,
    refs,
    replace,
    sell,
    silent,
    stop,
    trigger,
)
from fondaco.domain.reference.model import Limits, TradingState
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import Ask, OrderAccepted, OrderRejected
from fondaco.domain.trading.model import Contingency, OrdStatus, OrdType, Reason, Side

SELL = Side.SELL
CENT = 1_000_000


def limit_leg(cl_ord_id: str, price: str, *, side: Side = SELL, order_qty: str = "4") -> Ask:
    return ask(cl_ord_id, side=side, price=price, order_qty=order_qty)


def stop_leg(cl_ord_id: str, stop_px: str, *, side: Side = SELL, order_qty: str = "4") -> Ask:
    return ask(
        cl_ord_id, side=side, price="", stop_px=stop_px, ord_type=OrdType.STOP, order_qty=order_qty
    )


def oco(**changes: str) -> ev.PlaceOrders:
    legs = limit_leg("tp", "120.00", **changes), stop_leg("sl", "90.00", **changes)  # type: ignore[arg-type]
    return listed(*legs, contingency=Contingency.OCO)


def bracket() -> ev.PlaceOrders:
    entry = limit_leg("in", "100.00", side=Side.BUY)
    return listed(
        entry,
        limit_leg("tp", "120.00"),
        stop_leg("sl", "90.00"),
        contingency=Contingency.BRACKET,
    )


def free(story: Scenario) -> tuple[int, int]:
    """Whole dollars and whole bitcoins that nothing holds."""
    return story.state.free(USD) // (100 * CENT), story.state.free(BTC) // 10**9


# --- Lists --------------------------------------------------------------------------------------


def test_orders_of_a_list_are_judged_beside_those_before_them() -> None:
    """Each alone would pass."""
    pair = listed(ask("a", price="99.00", order_qty="60"), ask("b", price="98.00", order_qty="60"))
    story = given().when(pair).then(OrderRejected, OrderRejected)
    first, second = story.events
    assert isinstance(first, OrderRejected)
    assert isinstance(second, OrderRejected)
    assert (first.reason, second.reason) == (Reason.LIST_REFUSED, Reason.EXCEEDS_BUYING_POWER)
    assert (first.number, second.number, story.state.order_count) == (1, 2, 2)
    assert "b of this list" in first.text
    story.when(listed(ask("a", order_qty="60"), ask("c", order_qty="40")))
    story.then(OrderAccepted, OrderAccepted)
    assert free(story) == (0, 10)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(orders_max=1),
        Limits(notional_max=150_00 * CENT),
        Limits(position_max={"BTC-USD": 11_500}),  # type: ignore[dict-item]
        Limits(concentration_max_bps=1_050),
        Limits(duplicate_window_ms=1),
    ],
)
def test_a_list_is_no_way_round_a_rule(limits: Limits) -> None:
    using = refs(limits=limits)
    story = given(using=using).when(listed(ask("a"), ask("b"), at=10**9))
    assert {event.reason for event in story.events if isinstance(event, OrderRejected)} > {
        Reason.LIST_REFUSED
    }
    given(using=using).when(listed(ask("a"), at=10**9)).then(OrderAccepted)


def test_a_name_may_stand_in_a_list_once() -> None:
    story = given().when(listed(ask("a"), ask("a", price="99.00")))
    assert [e.reason for e in story.events if isinstance(e, OrderRejected)] == [
        Reason.LIST_REFUSED,
        Reason.DUPLICATE_ORDER,
    ]
    story.when(listed()).then(ev.NothingToDo)


# --- OCO ----------------------------------------------------------------------------------------


def test_an_oco_offers_its_quantity_once() -> None:
    story = given().when(oco()).then(OrderAccepted, OrderAccepted)
    assert free(story) == (10_000, 6)
    assert [order.group for order in story.state.working.values()] == [1, 1]


def test_a_leg_that_executes_makes_the_waiting_one_smaller() -> None:
    story = given().when(oco(), fill(lots=1_000, px=120_00, side=SELL))
    story.then(ev.OrderFilled, ev.OrderReplaced)
    assert story.order(2).leaves_lots == story.order(1).leaves_lots == 3_000
    assert free(story) == (10_120, 6)
    story.when(fill(lots=3_000, px=120_00, nth=2, side=SELL))
    story.then(ev.OrderFilled, ev.OrderCanceled)
    assert not story.state.working
    assert free(story) == (10_480, 6)


def test_a_triggered_stop_takes_the_hold_and_the_other_leg_goes() -> None:
    story = given().when(oco(), fill(lots=1_000, px=120_00, side=SELL), trigger(2, mark("89.00")))
    story.then(ev.OrderTriggered, ev.OrderReplaced, ev.CancelRequested)
    assert (story.order(1).hold, story.order(2).hold) == (0, 3 * 10**9)
    late = fill(lots=500, px=120_00, nth=2, side=SELL)
    story.when(late)  # before its cancel reached the venue
    assert story.only(ev.OrderFilled).over == 500
    story.when(fill(2, lots=3_000, px=89_00, side=SELL))
    assert not story.state.working
    assert story.state.balances[BTC] == 5_500_000_000


def test_an_oco_to_buy_needs_no_more_than_it_holds() -> None:
    """It holds the worse of the two prices, and two units for the leg that rounds anew."""
    fees = refs(btc=btc_usd(taker=1_000))
    legs = limit_leg("a", "90.00", side=Side.BUY), stop_leg("b", "110.00", side=Side.BUY)
    story = given(deposit("500"), using=fees).when(listed(*legs, contingency=Contingency.OCO))
    held = 4 * 115_50 * CENT * 1_001 // 1_000 + 2
    assert story.state.held[USD] == held
    story.when(fill(lots=1, px=89_99), trigger(2, mark("111.00")), ended(1))
    story.when(fill(2, lots=3_999, px=115_50))
    assert story.state.held[USD] == 0
    assert story.state.balances[USD] >= 500_00 * CENT - held


def test_canceling_one_leg_cancels_both() -> None:
    story = given().when(oco(), cancel(2)).then(ev.OrderCanceled, ev.CancelRequested)
    story.when(ended(1))
    assert not story.state.working
    assert free(story) == (10_000, 10)
    given().when(oco(), cancel_all()).then(ev.CancelRequested, ev.OrderCanceled)


def test_a_leg_that_its_venue_ends_leaves_the_hold_to_the_other() -> None:
    story = given().when(oco(), ended(1, OrdStatus.REJECTED))
    story.then(ev.OrderRefused, ev.OrderReplaced)
    assert story.order(2).hold == 4 * 10**9
    assert free(story) == (10_000, 6)
    story.when(cancel(2)).then(ev.OrderCanceled)
    assert free(story) == (10_000, 10)


def test_two_limits_the_first_to_execute_wins() -> None:
    pair = listed(limit_leg("a", "120.00"), limit_leg("b", "121.00"), contingency=Contingency.OCO)
    story = given().when(pair, fill(2, lots=1_000, px=121_00, side=SELL))
    story.then(ev.OrderFilled, ev.OrderReplaced, ev.CancelRequested)
    assert (story.order(1).leaves_lots, story.order(2).leaves_lots) == (0, 3_000)
    assert free(story) == (10_121, 6)


@pytest.mark.parametrize(
    "legs",
    [
        (limit_leg("a", "120.00"),),
        (limit_leg("a", "120.00"), stop_leg("b", "90.00", side=Side.BUY)),
        (limit_leg("a", "120.00"), stop_leg("b", "90.00", order_qty="3")),
        (limit_leg("a", "120.00"), ask("b", side=SELL, symbol="ETH-USD", order_qty="4")),
        (
            limit_leg("a", "120.00"),
            ask("b", side=SELL, order_qty="4", price="", ord_type=OrdType.MARKET),
        ),
    ],
)
def test_what_makes_no_oco(legs: tuple[Ask, ...]) -> None:
    story = given(deposit("10", BTC), deposit("10", "ETH"))
    story.when(listed(*legs, contingency=Contingency.OCO))
    reasons = [e.reason for e in story.events if isinstance(e, OrderRejected)]
    assert Reason.UNSUPPORTED_ORDER in reasons
    assert len(reasons) == len(legs)


# --- Bracket ------------------------------------------------------------------------------------


def test_the_children_of_a_bracket_wait_for_its_entry() -> None:
    story = given(deposit("400")).when(bracket())
    story.then(OrderAccepted, OrderAccepted, OrderAccepted)
    statuses = [order.ord_status for order in story.state.working.values()]
    assert statuses == [OrdStatus.NEW, OrdStatus.SUSPENDED, OrdStatus.SUSPENDED]
    story.when(trigger(3, mark("80.00"))).then(ev.NothingToDo)
    assert free(story) == (0, 0)


def test_a_stop_loss_guards_what_has_executed_and_then_both_children_work() -> None:
    story = given(deposit("400")).when(bracket(), fill(lots=1_000))
    story.then(ev.OrderFilled, ev.OrderReleased)
    assert (story.order(3).lots, story.order(3).hold) == (1_000, 10**9)
    assert story.order(2).ord_status is OrdStatus.SUSPENDED
    assert free(story) == (0, 0)

    story.when(fill(lots=3_000, nth=2)).then(ev.OrderFilled, ev.OrderReleased, ev.OrderReleased)
    target = story.order(2)
    assert (target.at_venue, target.lots, target.hold) == (True, 4_000, 4 * 10**9)
    assert (story.order(3).lots, story.order(3).hold) == (4_000, 0)

    story.when(fill(2, lots=4_000, px=120_00, side=SELL)).then(ev.OrderFilled, ev.OrderCanceled)
    assert free(story) == (480, 0)
    assert not story.state.working


def test_a_stop_loss_that_triggers_ends_the_entry_and_the_take_profit() -> None:
    story = given(deposit("400")).when(bracket(), fill(lots=1_000), trigger(3, mark("89.00")))
    story.then(ev.OrderTriggered, ev.OrderCanceled, ev.CancelRequested)
    assert story.order(1).ord_status is OrdStatus.PENDING_CANCEL
    story.when(fill(3, lots=1_000, px=89_00, side=SELL), ended(1)).then(ev.OrderCanceled)
    assert not story.state.working
    assert free(story) == (389, 0)


def test_an_entry_that_ends_early_lets_the_children_work_for_what_it_brought() -> None:
    story = given(deposit("400")).when(bracket(), fill(lots=1_000), cancel(1), ended(1))
    story.then(ev.OrderCanceled, ev.OrderReleased, ev.OrderReleased)
    assert (story.order(2).lots, story.order(3).lots) == (1_000, 1_000)
    assert free(story) == (300, 0)


def test_an_entry_that_brought_nothing_takes_its_children_along() -> None:
    story = given(deposit("400")).when(bracket(), ended(1, OrdStatus.EXPIRED))
    story.then(ev.OrderExpired, ev.OrderCanceled, ev.OrderCanceled)
    assert free(story) == (400, 0)
    assert not story.state.working


@pytest.mark.parametrize(
    "asks",
    [
        (limit_leg("in", "100.00"), limit_leg("tp", "90.00"), stop_leg("sl", "110.00")),
        (
            limit_leg("in", "100.00", side=Side.BUY),
            limit_leg("tp", "90.00"),
            stop_leg("sl", "95.00"),
        ),
        (
            limit_leg("in", "100.00", side=Side.BUY),
            stop_leg("sl", "90.00"),
            limit_leg("tp", "120.00"),
        ),
        (limit_leg("in", "100.00", side=Side.BUY), limit_leg("tp", "120.00")),
    ],
)
def test_what_makes_no_bracket(asks: tuple[Ask, ...]) -> None:
    story = given().when(listed(*asks, contingency=Contingency.BRACKET))
    reasons = [e.reason for e in story.events if isinstance(e, OrderRejected)]
    assert reasons[0] is Reason.UNSUPPORTED_ORDER
    assert len(reasons) == len(asks)


def test_a_child_may_move_its_price_but_not_its_quantity() -> None:
    story = given().when(bracket(), replace(2, price="130.00", cl_ord_id="tp2"))
    story.then(ev.OrderReplaced)
    assert story.order(2).px == 130_00
    story.when(replace(3, stop_px="95.00", cl_ord_id="sl2")).then(ev.OrderReplaced)
    assert story.order(3).stop_px == 95_00
    story.when(replace(3, order_qty="1", cl_ord_id="sl3")).then(ev.ChangeDenied)


# --- Closing ------------------------------------------------------------------------------------


def test_closing_cancels_what_works_and_sells_what_is_free() -> None:
    story = given(deposit("1000"), deposit("10", BTC), deposit("2", "ETH"))
    story.when(buy("a", price="50.00"), sell("b", order_qty="4"), stop("c"), close())
    story.then(
        ev.CancelRequested,
        ev.CancelRequested,
        ev.OrderCanceled,
        OrderAccepted,
        OrderAccepted,
    )
    sold = [event.order for event in story.events if isinstance(event, OrderAccepted)]
    assert [(order.symbol, order.lots, order.side) for order in sold] == [
        ("BTC-USD", 6_000, SELL),  # four are still offered until the venue has answered
        ("ETH-USD", 2_000, SELL),
    ]
    assert all(order.reduce_only and order.ord_type is OrdType.MARKET for order in sold)
    story.when(ended(2), close("BTC-USD", key="again"))
    assert story.only(OrderAccepted).order.lots == 4_000


def test_closing_what_is_not_there_does_nothing_and_a_halt_goes_before_it() -> None:
    given(deposit("1000")).when(close()).then(ev.NothingToDo)
    story = given(using=refs(state=TradingState.HALTED)).when(close())
    assert story.only(OrderRejected).reason is Reason.TRADING_HALTED


def test_a_mass_cancel_asks_each_order_once() -> None:
    story = given().when(
        buy("a"), sell("b"), stop("c"), buy("d", price="99.00"), cancel(4), silent(1)
    )
    story.when(cancel_all(side=SELL)).then(ev.CancelRequested, ev.OrderCanceled)
    story.when(cancel_all("ETH-USD")).then(ev.NothingToDo)
    story.when(cancel_all()).then(ev.CancelRequested)
    assert story.only(ev.CancelRequested).number == 1
