"""Replaces, expiry, the trading day, and the windows that slide."""

import pytest

from build import (
    BTC,
    BTC_USD,
    SECOND,
    USD,
    ask,
    btc_usd,
    buy,
    cancel,
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
    stop,
    trigger,
    venue_denied,
    venue_replaced,
    withdraw,
)
from fondaco.domain.reference.model import Limits, TradingState
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import OrderAccepted, OrderRejected
from fondaco.domain.trading.model import Contingency, OrdStatus, OrdType, Reason, Side, TimeInForce
from fondaco.kernel.event import Instant

CENT = 1_000_000
SELL = Side.SELL


# --- Replace ------------------------------------------------------------------------------------


def test_while_a_replace_is_asked_for_the_hold_covers_both_terms() -> None:
    story = given().when(buy(order_qty="2", price="100.00"), replace(order_qty="3", price="90.00"))
    story.then(ev.ReplaceRequested)
    assert story.state.held[USD] == 300_00 * CENT  # three, at the higher price
    story.when(venue_replaced(lots=3_000, px=90_00)).then(ev.OrderReplaced)
    assert story.state.held[USD] == 270_00 * CENT
    order = story.order()
    assert (order.cl_ord_id, order.lots, order.px) == ("o1b", 3_000, 90_00)
    assert story.state.numbers == {"o1b": 1}


def test_a_replace_must_be_able_to_hold_both_terms() -> None:
    """Three at 90.00 would fit; three at 100.00, which may execute meanwhile, would not."""
    story = given(deposit("280")).when(buy(order_qty="2"), replace(order_qty="3", price="90.00"))
    assert story.only(ev.ChangeDenied).text.startswith(Reason.EXCEEDS_BUYING_POWER)
    story.when(replace(order_qty="2.8", price="90.00")).then(ev.ReplaceRequested)
    assert story.state.free(USD) == 0


def test_a_replace_that_is_denied_gives_back_what_it_held() -> None:
    story = given().when(buy(order_qty="2"), replace(order_qty="3"), fill(lots=500))
    assert story.state.held[USD] == 250_00 * CENT
    story.when(venue_denied(text="would_take")).then(ev.ChangeDenied)
    assert story.state.held[USD] == 150_00 * CENT
    assert story.order().ord_status is OrdStatus.PARTIALLY_FILLED
    assert story.state.numbers == {"o1": 1}
    story.when(buy("o1b")).then(OrderAccepted)  # the name is free again


def test_a_fill_may_leave_nothing_of_the_new_terms() -> None:
    story = given().when(buy(order_qty="5"), replace(order_qty="2"), fill(lots=3_000))
    story.when(venue_replaced(lots=2_000, px=100_00)).then(ev.OrderReplaced)
    assert story.only(ev.OrderReplaced).ord_status is OrdStatus.FILLED
    assert not story.state.working
    assert story.state.held[USD] == 0


@pytest.mark.parametrize(
    ("side", "lots", "px"),
    [
        (Side.BUY, 1, 101_01),
        (Side.BUY, 2, 101_00),
        (Side.SELL, 1, 99_99),
        (Side.SELL, 2, 101_00),
    ],
)
def test_a_venue_cannot_take_terms_beyond_those_that_were_asked_for(
    side: Side, lots: int, px: int
) -> None:
    """Nothing was set aside for them: held is what the old terms and the new ones need."""
    order = placed(ask("o1", side=side, order_qty="0.001", price="100.00"))
    change = replace(price="101.00")
    story = given().when(order, change, venue_replaced(lots=lots, px=px)).then(ev.ReportUnmatched)
    assert story.state == given().when(order, change).state
    story.when(venue_replaced(lots=1, px=101_00)).then(ev.OrderReplaced)


def test_a_leg_that_gave_up_its_quantity_does_not_get_it_back_by_a_replace() -> None:
    """The other leg was triggered and has the hold; the venue takes the replace meanwhile."""
    leg = ask("o1", side=SELL, price="105.00")
    guard = ask("o2", side=SELL, price="", stop_px="95.00", ord_type=OrdType.STOP)
    story = given().when(listed(leg, guard, contingency=Contingency.OCO))
    story.when(replace(price="106.00"), trigger(2, mark("94.00")))
    assert story.state.held[BTC] == 10**9
    story.when(venue_replaced(lots=1_000, px=106_00)).then(ev.OrderReplaced)
    order = story.order()
    assert (order.lots, order.hold, order.px) == (0, 0, 106_00)
    assert order.ord_status is OrdStatus.PENDING_CANCEL
    assert story.state.held[BTC] == 10**9
    story.when(fill(px=106_00, side=SELL))
    assert story.only(ev.OrderFilled).over == 1_000


def test_a_leg_whose_hold_lies_on_the_other_holds_nothing_when_it_is_replaced() -> None:
    legs = (ask("o1", side=SELL, price="105.00"), ask("o2", side=SELL, price="107.00"))
    story = given().when(listed(*legs, contingency=Contingency.OCO))
    story.when(replace(2, price="106.00"), venue_replaced(2, lots=1_000, px=106_00))
    story.then(ev.OrderReplaced)
    assert (story.state.working[1].hold, story.state.working[2].hold) == (10**9, 0)
    assert story.state.held[BTC] == 10**9


def test_a_replace_to_what_has_executed_cancels_the_rest() -> None:
    story = given().when(buy(order_qty="5"), fill(lots=3_000), replace(order_qty="3"))
    story.then(ev.CancelRequested)


def test_what_waits_at_the_account_is_replaced_at_once() -> None:
    story = given().when(stop(stop_px="90.00"), replace(order_qty="2", stop_px="95.00"))
    story.then(ev.OrderReplaced)
    assert (story.order().stop_px, story.order().lots) == (95_00, 2_000)
    assert story.state.held[BTC] == 2 * 10**9
    buying = given().when(stop(side=Side.BUY, stop_px="110.00"), replace(stop_px="120.00"))
    assert buying.state.held[USD] == buying.order().hold == 126_00 * CENT


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (replace(order_qty="101"), "exceeds_buying_power"),
        (replace(price="10001.00"), "exceeds_buying_power"),
        (replace(order_qty="0.0001"), "quantity_off_lot"),
        (replace(price="1.001"), "price_off_tick"),
        (replace(stop_px="90.00"), "unsupported_order"),
        (replace(order_qty="2", cl_ord_id="o2"), "duplicate_order"),
        (replace(7), "unknown_order"),
    ],
)
def test_replaces_that_are_denied(change: ev.ReplaceOrder, text: str) -> None:
    story = given().when(buy(), stop("o2"), change).then(ev.ChangeDenied)
    assert story.only(ev.ChangeDenied).text.startswith(text)
    assert story.state == given().when(buy(), stop("o2")).state


@pytest.mark.parametrize("pending", [replace(order_qty="2"), cancel()])
def test_a_second_replace_waits_for_the_first_and_a_cancel_does_not(
    pending: ev.ReplaceOrder | ev.CancelOrder,
) -> None:
    story = given().when(buy(), pending, replace(order_qty="3", cl_ord_id="o1c"))
    assert story.only(ev.ChangeDenied).text == "already_pending"
    story = given().when(buy(), replace(order_qty="2"), cancel()).then(ev.CancelRequested)
    story.when(venue_replaced(lots=2_000, px=100_00)).then(ev.OrderReplaced)
    assert story.order().ord_status is OrdStatus.PENDING_CANCEL
    story.when(ended()).then(ev.OrderCanceled)
    assert story.state.held[USD] == 0


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(order_qty_max={BTC_USD: 2_500}), Reason.EXCEEDS_ORDER_QTY),
        (Limits(order_notional_max=250_00 * CENT), Reason.EXCEEDS_ORDER_NOTIONAL),
        (Limits(position_max={BTC_USD: 12_500}), Reason.EXCEEDS_POSITION_LIMIT),
        (Limits(concentration_max_bps=1_140), Reason.EXCEEDS_CONCENTRATION),
    ],
)
def test_the_rules_run_on_what_a_replace_adds(limits: Limits, reason: Reason) -> None:
    story = given(using=refs(limits=limits)).when(buy(order_qty="2"))
    story.when(replace(order_qty="2.5")).then(ev.ReplaceRequested)
    story = given(using=refs(limits=limits)).when(buy(order_qty="2"), replace(order_qty="3"))
    assert story.only(ev.ChangeDenied).text.startswith(reason)


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCING])
def test_a_smaller_order_is_always_welcome_but_in_a_halt(state: TradingState) -> None:
    story = given().when(buy(order_qty="2"))
    smaller, larger = replace(order_qty="1"), replace(order_qty="3")
    kind = ev.ChangeDenied if state is TradingState.HALTED else ev.ReplaceRequested
    story.when(larger, using=refs(state=state)).then(ev.ChangeDenied)
    story.when(smaller, using=refs(state=state)).then(kind)


# --- Expiry -------------------------------------------------------------------------------------


def test_what_is_due_expires_at_once_or_when_the_venue_has_answered() -> None:
    until = {"time_in_force": TimeInForce.GTD, "expire_time": 5 * SECOND}
    waiting = ask("o2", side=SELL, price="", stop_px="90.00", ord_type=OrdType.STOP, **until)  # type: ignore[arg-type]
    story = given().when(placed(ask(**until)), placed(waiting), sell("o3"))  # type: ignore[arg-type]
    story.when(expire(5 * SECOND - 1)).then(ev.NothingToDo)
    story.when(expire(5 * SECOND)).then(ev.CancelRequested, ev.OrderExpired)
    assert story.only(ev.CancelRequested).reason == "expired"
    story.when(expire(6 * SECOND)).then(ev.NothingToDo)
    story.when(ended(1, OrdStatus.CANCELED)).then(ev.OrderExpired)
    assert list(story.state.working) == [3]
    assert not story.state.due


def test_a_day_order_lives_as_long_as_the_session() -> None:
    using = refs(closes_at=Instant(9 * SECOND))
    story = given(using=using).when(placed(ask(time_in_force=TimeInForce.DAY)))
    story.when(expire(9 * SECOND)).then(ev.CancelRequested)
    story.when(placed(ask("o2", time_in_force=TimeInForce.DAY), at=9 * SECOND))
    assert story.only(OrderRejected).reason is Reason.MARKET_CLOSED


@pytest.mark.parametrize("final", [OrdStatus.EXPIRED, OrdStatus.CANCELED])
def test_what_does_not_execute_at_once_is_ended_by_the_venue(final: OrdStatus) -> None:
    story = given().when(
        placed(ask(time_in_force=TimeInForce.IOC)), fill(lots=400), ended(1, final)
    )
    assert type(story.events[0]) is (
        ev.OrderExpired if final is OrdStatus.EXPIRED else ev.OrderCanceled
    )
    assert story.state.held[USD] == 0


# --- The trading day ----------------------------------------------------------------------------

LOSING = Limits(daily_loss_max=50_00 * CENT)


def test_a_day_that_lost_enough_lets_nobody_buy_until_the_next() -> None:
    story = given(deposit("1000"), deposit("10", BTC), using=refs(limits=LOSING))
    story.when(buy("a"), using=refs(mark("96.00"), limits=LOSING)).then(OrderAccepted)
    fallen = refs(mark("95.00"), limits=LOSING)
    story.when(buy("b", price="95.00"), using=fallen)
    refusal = story.only(OrderRejected)
    assert refusal.reason is Reason.EXCEEDS_DAILY_LOSS
    assert refusal.excess is not None
    assert (refusal.excess.value, refusal.excess.order_qty_max) == ("50", "0")
    story.when(sell("c", price="95.00")).then(OrderAccepted)

    tomorrow = refs(mark("95.00"), limits=LOSING, day=1)
    story.when(buy("d", price="95.00"), using=tomorrow).then(ev.SessionRolled, OrderAccepted)
    assert story.only(ev.SessionRolled).equity == 1_950_00 * CENT
    story.when(buy("e", price="94.00")).then(OrderAccepted)


def test_deposits_and_withdrawals_are_neither_gains_nor_losses() -> None:
    story = given(deposit("1000"), deposit("10", BTC), using=refs(limits=LOSING))
    story.when(withdraw("900"), deposit("500"), withdraw("1", BTC))
    story.when(buy()).then(OrderAccepted)
    story.when(buy("o2", price="94.00"), using=refs(mark("94.00"), limits=LOSING))
    assert story.only(OrderRejected).reason is Reason.EXCEEDS_DAILY_LOSS


def test_a_session_waits_until_everything_can_be_valued() -> None:
    using = refs(limits=LOSING)
    del using.rates[BTC]
    story = given(deposit("1000"), deposit("10", BTC), using=using)
    assert story.only(ev.CashDeposited).value == -1
    story.when(buy())
    assert story.only(OrderRejected).reason is Reason.NO_MARK
    story.when(buy("o2"), using=refs(limits=LOSING)).then(ev.SessionRolled, OrderAccepted)
    assert story.state.session_equity == 2_000_00 * CENT


# --- Windows ------------------------------------------------------------------------------------


def test_the_rate_window_slides() -> None:
    """Slots of an eighth of a second: an order counts for a second, and an eighth at most."""
    story = given(using=refs(limits=Limits(orders_max=3)))
    story.when(*(buy(f"o{n}", price=f"9{n}.00", at=SECOND) for n in range(3)))
    story.when(buy("a", at=2 * SECOND))
    assert story.only(OrderRejected).reason is Reason.EXCEEDS_ORDER_RATE
    story.when(buy("b", at=2 * SECOND + SECOND // 8)).then(OrderAccepted)
    assert story.state.pace_orders == 1


def test_windows_remember_no_more_than_they_need() -> None:
    limits = Limits(orders_max=10**6, notional_max=10**17, duplicate_window_ms=10)
    story = given(deposit("1000000"), using=refs(limits=limits))
    for n in range(2_000):
        story.when(buy(f"o{n}", price=f"{50 + n % 40}.00", at=SECOND + n * SECOND // 200))
        story.then(OrderAccepted)
    assert len(story.state.pace) <= 10
    assert len(story.state.recent) <= 3
    assert len(story.state.recent_before) <= 3
    assert 200 <= story.state.pace_orders <= 226


def test_the_same_order_again_too_soon_is_refused() -> None:
    using = refs(limits=Limits(duplicate_window_ms=500))
    story = given(using=using).when(buy("a", at=SECOND), buy("b", at=SECOND + SECOND // 2 - 1))
    assert story.only(OrderRejected).reason is Reason.DUPLICATE_WINDOW
    story.when(buy("c", price="99.99", at=SECOND + 1)).then(OrderAccepted)
    story.when(buy("d", at=SECOND + SECOND // 2)).then(OrderAccepted)


def test_a_replace_may_use_what_its_order_holds() -> None:
    fees = refs(btc=btc_usd(taker=1_000))
    story = given(deposit("1001"), using=fees).when(buy(order_qty="9"), replace(order_qty="10"))
    story.then(ev.ReplaceRequested)
    assert story.state.free(USD) == 0


def test_a_command_told_to_an_account_that_is_open_opens_nothing() -> None:
    story = given().when(ev.OpenAccount(cancel().command_id, Instant(1), "other", "x"))
    story.then(ev.NothingToDo)
    assert story.state.tenant == "demo"
    assert story.state.session_equity == 11_000_00 * CENT
    assert mark().px == 100_00
