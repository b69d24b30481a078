"""What the account holds, pays and releases; and what it refuses, in which order."""

import msgspec
import pytest

from build import (
    BTC,
    BTC_USD,
    DAY_ENDS,
    ETH_USD,
    SECOND,
    USD,
    Scenario,
    ask,
    btc_usd,
    buy,
    cancel,
    deposit,
    ended,
    fill,
    given,
    mark,
    market,
    opened,
    placed,
    refs,
    sell,
    stop,
    trail,
    trigger,
    withdraw,
)
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import Limits, Symbol
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import Ask, Fill, OrderAccepted, OrderRejected
from fondaco.domain.trading.model import (
    Excess,
    Headroom,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    TradingRefs,
    TradingState,
)

CENT = 1_000_000  # ledger units
SELL = Side.SELL
FEES = refs(btc=btc_usd(maker=100, taker=1_000))


# --- Holds --------------------------------------------------------------------------------------


def test_a_buy_holds_its_cost_until_it_executes() -> None:
    story = given().when(buy(order_qty="5", price="100.00")).then(OrderAccepted)
    assert story.state.free(USD) == 9_500_00 * CENT

    story.when(fill(lots=5_000, px=99_00)).then(ev.OrderFilled)
    assert story.state.free(USD) == story.state.balances[USD] == 9_505_00 * CENT
    assert story.state.free(BTC) == 15 * 10**9
    assert not story.state.working


def test_a_sell_holds_what_it_offers() -> None:
    story = given().when(sell(order_qty="4"))
    assert story.state.free(BTC) == 6 * 10**9
    story.when(fill(lots=1_000, px=101_00, side=SELL))
    assert story.state.balances[USD] == 10_101_00 * CENT
    assert story.state.held[BTC] == 3 * 10**9


def test_a_cancel_releases_when_the_venue_has_answered() -> None:
    story = given().when(buy(), cancel()).then(ev.CancelRequested)
    assert story.order().ord_status is OrdStatus.PENDING_CANCEL
    assert story.state.held[USD] == 100_00 * CENT
    story.when(ended()).then(ev.OrderCanceled)
    assert story.state.held[USD] == 0


@pytest.mark.parametrize(
    ("order", "held"),
    [
        (buy(), 100_10 * CENT),  # a fee of 0.1 %, the worse of the two
        (market(), 105_10 * CENT + CENT // 2),  # protected 5 % above the mark
        (stop(side=Side.BUY, stop_px="110.00"), 115_61 * CENT + CENT * 55 // 100),
        (
            placed(ask(price="111.00", stop_px="110.00", ord_type=OrdType.STOP_LIMIT)),
            111_11 * CENT + CENT // 10,
        ),
        (
            placed(ask(price="", trail_offset="10.00", ord_type=OrdType.TRAILING_STOP)),
            115_61 * CENT + CENT * 55 // 100,
        ),
        (
            placed(ask(order_qty="", cash_order_qty="50", price="", ord_type=OrdType.MARKET)),
            50_00 * CENT,
        ),
    ],
)
def test_what_a_buy_holds(order: ev.PlaceOrder, held: int) -> None:
    story = given(using=FEES).when(order).then(OrderAccepted)
    assert story.state.held[USD] == held


def test_many_small_fills_cost_what_one_large_one_costs() -> None:
    """A lot at a tick is a thousandth of a ledger unit here: every fill has something to round."""
    fine = refs(btc=btc_usd(maker=137, taker=1_009, lot="0.000000001"))
    parts = [Fill(99_99, 333) for _ in range(30)]
    one = given(using=fine).when(buy(order_qty="0.00001"), fill(lots=9_990, px=99_99))
    many = given(using=fine).when(
        buy(order_qty="0.00001"), fill(lots=333, px=99_99, more=parts[1:])
    )
    assert many.state.balances == one.state.balances
    assert many.state.held == one.state.held
    assert len(many.events) == 30


def test_both_sides_of_a_trade_owe_clearing_the_same() -> None:
    fine = refs(btc=btc_usd(lot="0.000000001"))
    bought = given(using=fine).when(buy(order_qty="0.1"), fill(lots=333, px=99_99))
    sold = given(using=fine).when(
        sell(order_qty="0.1", price="99.99"), fill(lots=333, px=99_99, side=SELL)
    )
    buyer, seller = bought.only(ev.OrderFilled), sold.only(ev.OrderFilled)
    assert buyer.gross - buyer.residue == seller.gross + seller.residue == 3_329


def test_an_order_by_notional_spends_its_cash_and_no_more() -> None:
    by_cash = placed(ask(order_qty="", cash_order_qty="50", price="", ord_type=OrdType.MARKET))
    story = given(deposit("50"), using=FEES).when(by_cash).then(OrderAccepted)
    order = story.order()
    assert (order.cash_qty, order.lots) == (49_95004995, 525)  # fees are off; lots at 95.00
    story.when(fill(lots=499, px=100_00), ended())
    assert story.state.balances[USD] == 50_00 * CENT - 49_90 * CENT - CENT * 499 // 100
    assert story.state.free(USD) == story.state.balances[USD]


def test_an_order_to_sell_by_notional_offers_the_most_that_it_could_need() -> None:
    by_cash = ask(side=SELL, order_qty="", cash_order_qty="95", price="", ord_type=OrdType.MARKET)
    story = given().when(placed(by_cash)).then(OrderAccepted)
    assert story.state.held[BTC] == 10**9  # at 95.00, where its protection ends


def test_a_withdrawal_takes_what_is_free() -> None:
    story = given(deposit("100")).when(buy(price="60.00"), withdraw("40.01"))
    assert story.only(ev.TransferRefused).limit == "40"
    story.when(withdraw("40")).then(ev.CashWithdrawn)
    assert story.state.free(USD) == 0


@pytest.mark.parametrize(
    "told",
    [
        deposit("0"),
        deposit("-1"),
        deposit("NaN"),
        deposit("1e400"),
        deposit("1" * 80),
        deposit("0.000000001"),
        deposit("99999999999999999"),
        deposit("1", "XYZ"),
        withdraw("-5"),
    ],
)
def test_transfers_that_make_no_sense_are_refused(told: ev.RecordDeposit | ev.Withdraw) -> None:
    story = given().when(told).then(ev.TransferRefused)
    assert story.state == given().state


# --- Stops --------------------------------------------------------------------------------------


def test_a_stop_waits_at_the_account_and_goes_with_its_protection() -> None:
    story = given().when(stop(stop_px="90.00", order_qty="2"))
    assert not story.order().at_venue
    story.when(trigger(1, mark("90.01"))).then(ev.NothingToDo)
    story.when(trigger(1, mark("89.00", quality=Quality.STALE))).then(ev.NothingToDo)
    story.when(trigger(1, mark("89.00", ETH_USD))).then(ev.NothingToDo)
    story.when(trigger(1, mark("89.00"))).then(ev.OrderTriggered)
    gone = story.only(ev.OrderTriggered)
    assert (gone.px, gone.order.at_venue, gone.hold) == (85_50, True, 2 * 10**9)
    assert story.order() == gone.order
    story.when(trigger(1, mark("89.00"))).then(ev.NothingToDo)


def test_a_buy_stop_never_needs_more_than_it_held() -> None:
    story = given(deposit("105"), using=refs(mark("90.00"))).when(
        stop(side=Side.BUY, stop_px="100.00")
    )
    assert story.state.free(USD) == 0
    story.when(trigger(1, mark("104.00")), fill(px=105_00))
    assert story.state.balances[USD] == 0


def test_a_trailing_stop_follows_one_way_only() -> None:
    trailing = ask(side=SELL, price="", trail_offset="5.00", ord_type=OrdType.TRAILING_STOP)
    story = given().when(placed(trailing))
    assert story.order().stop_px == 95_00
    story.when(trail(1, mark("103.00"))).then(ev.OrderTrailed)
    assert story.order().stop_px == 98_00
    story.when(trail(1, mark("99.00"))).then(ev.NothingToDo)
    story.when(trigger(1, mark("97.99"))).then(ev.OrderTriggered)


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCING])
def test_a_buy_stop_does_not_trigger_where_buying_has_ended(state: TradingState) -> None:
    story = given().when(stop(side=Side.BUY, stop_px="110.00"))
    story.when(trigger(1, mark("111.00")), using=refs(state=state)).then(ev.NothingToDo)


# --- Refusals -----------------------------------------------------------------------------------

LIMITS = Limits(
    order_qty_max={BTC_USD: 90_000},
    order_notional_max=5_000_00 * CENT,
    collar_bps=1_000,
    position_max={BTC_USD: 40_000},
    concentration_max_bps=3_000,
    class_concentration_max_bps={"crypto": 2_500},
    daily_loss_max=1,
    orders_max=2,
    notional_max=150_00 * CENT,
    rate_window_ms=1_000,
    duplicate_window_ms=1_000,
)
STALE = mark(quality=Quality.STALE)
LATE = DAY_ENDS + 1
DAY = TimeInForce.DAY


def house(*marks: Mark, **changes: object) -> TradingRefs:
    return refs(*marks, limits=LIMITS, **changes)  # type: ignore[arg-type]


# In order of precedence: each row is wrong in its own way and, as far as can be, in later ones.
WORST = {"order_qty": "99.0001", "price": "200.001", "reduce_only": True, "time_in_force": DAY}
HALTED = house(STALE, state=TradingState.HALTED, restricted=[BTC_USD])
RESTRICTED = house(STALE, state=TradingState.REDUCING, restricted=[BTC_USD])
UNRATED = house(STALE, state=TradingState.REDUCING)
del UNRATED.rates[BTC]
UNSEEN = house(mark(symbol=ETH_USD), state=TradingState.REDUCING)


def off(**terms: object) -> Ask:
    return msgspec.structs.replace(ask("new", **{**WORST, **terms}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "using", "reason"),
    [
        (off(symbol="NONE"), HALTED, Reason.UNKNOWN_INSTRUMENT),
        (off(stop_px="1"), HALTED, Reason.UNSUPPORTED_ORDER),
        (off(), HALTED, Reason.QUANTITY_OFF_LOT),
        (off(order_qty="99"), HALTED, Reason.PRICE_OFF_TICK),
        (off(order_qty="99", price="200.00"), HALTED, Reason.TRADING_HALTED),
        (off(order_qty="99", price="200.00"), RESTRICTED, Reason.RESTRICTED),
        (off(order_qty="99", price="200.00"), UNSEEN, Reason.MARKET_CLOSED),
        (ask("new", order_qty="99", reduce_only=True), UNSEEN, Reason.NO_MARK),
        (ask("new", order_qty="99", reduce_only=True), UNRATED, Reason.NO_MARK),
        (
            ask("new", order_qty="99", reduce_only=True),
            house(STALE, state=TradingState.REDUCING),
            Reason.MARKET_QUALITY,
        ),
        (
            ask("new", order_qty="99", reduce_only=True),
            house(state=TradingState.REDUCING),
            Reason.REDUCING_ONLY,
        ),
        (ask("new", order_qty="99", reduce_only=True), house(), Reason.WOULD_NOT_REDUCE),
        (ask("new", side=SELL, reduce_only=True), house(), Reason.WOULD_NOT_REDUCE),
    ],
)
def test_refusals_in_order_of_precedence(what: Ask, using: TradingRefs, reason: Reason) -> None:
    story = given(deposit("100"), using=house()).when(placed(what, at=LATE), using=using)
    refusal = story.only(OrderRejected)
    assert refusal.reason is reason, refusal.text
    assert refusal.excess is None
    assert story.state.order_count == refusal.number == 1


def test_a_name_that_works_is_refused_before_all_else_and_then_an_account_that_is_not_open() -> (
    None
):
    nonsense = placed(ask("used", symbol="NONE", order_qty="0"))
    story = given().when(buy("used"), nonsense)
    assert story.only(OrderRejected).reason is Reason.DUPLICATE_ORDER
    stranger = Scenario(refs()).when(nonsense)
    assert stranger.only(OrderRejected).reason is Reason.ACCOUNT_UNKNOWN
    assert stranger.state.opened is False


# 1,000.00 USD and 10 BTC, then BTC fell from 100.00 to 99.00: 10.00 were lost. One order of
# 100.00 was placed within the window; the notional that is left of it is 50.00.
MEASURED = [
    ("91", "200.00", {}, Reason.DUPLICATE_WINDOW),
    ("91", "200.00", {"duplicate_window_ms": 0}, Reason.EXCEEDS_ORDER_QTY),
    ("89", "200.00", {}, Reason.EXCEEDS_ORDER_NOTIONAL),
    ("24", "200.00", {}, Reason.OUTSIDE_COLLAR),
    ("45", "100.00", {}, Reason.EXCEEDS_POSITION_LIMIT),
    ("20", "100.00", {}, Reason.EXCEEDS_CONCENTRATION),
    ("20", "100.00", {"concentration_max_bps": 0}, Reason.EXCEEDS_CLASS_CONCENTRATION),
    (
        "20",
        "100.00",
        {"concentration_max_bps": 0, "class_concentration_max_bps": {}},
        Reason.EXCEEDS_DAILY_LOSS,
    ),
]
QUIET = {"concentration_max_bps": 0, "class_concentration_max_bps": {}, "daily_loss_max": 0}
PACED = [
    ("20", {"orders_max": 1}, Reason.EXCEEDS_ORDER_RATE),
    ("20", {}, Reason.EXCEEDS_NOTIONAL_RATE),
    ("20", {"notional_max": 0}, Reason.EXCEEDS_BUYING_POWER),
]


def loose(**changes: object) -> Limits:
    return msgspec.structs.replace(LIMITS, **changes)


@pytest.mark.parametrize(
    ("order_qty", "price", "changes", "reason"),
    MEASURED + [(qty, "100.00", {**QUIET, **changes}, reason) for qty, changes, reason in PACED],
)
def test_measuring_rules_in_order_of_precedence(
    order_qty: str, price: str, changes: dict[str, object], reason: Reason
) -> None:
    limits = loose(**changes)
    before = placed(
        ask("before", order_qty="91", price="200.00"), at=SECOND
    )  # so that its like is a duplicate
    story = given(deposit("1000"), deposit("10", BTC), using=refs())
    story.when(buy("first", at=SECOND), using=refs(limits=loose(**{**QUIET, "collar_bps": 0})))
    story.state.recent[f"{BTC_USD}+91000@20000^0"] = before.at
    fallen = refs(mark("99.00"), mark(symbol=ETH_USD), limits=limits)
    story.when(placed(ask("o2", order_qty=order_qty, price=price), at=SECOND + 1), using=fallen)
    refusal = story.only(OrderRejected)
    assert refusal.reason is reason, refusal.text
    assert (refusal.excess is None) is (reason is Reason.DUPLICATE_WINDOW)


@pytest.mark.parametrize(
    ("what", "limits", "excess"),
    [
        (
            buy(order_qty="95", price="100.00"),
            Limits(),
            Excess("9509.5", "410", "9099.5", "USD", "4.095"),
        ),
        (sell(order_qty="7"), Limits(), Excess("7", "2", "5", "BTC", "2")),
        (
            buy(order_qty="3"),
            Limits(order_qty_max={BTC_USD: 500}),
            Excess("3", "0.5", "2.5", "BTC", "0.5"),
        ),
        (
            buy(order_qty="3"),
            Limits(order_notional_max=250_00 * CENT),
            Excess("300", "250", "50", "USD", "2.5"),
        ),
        (buy(price="102.00"), Limits(collar_bps=150), Excess("200", "150", "50", "bps", "0")),
        (
            buy(order_qty="3"),
            Limits(position_max={BTC_USD: 3_500}),
            Excess("5", "3.5", "1.5", "BTC", "1.5"),
        ),
        (
            buy(order_qty="3"),  # 2 BTC and 410.00 USD are 610.00
            Limits(concentration_max_bps=5_000),
            Excess("500", "305", "195", "USD", "1.05"),
        ),
        (
            buy(order_qty="3"),
            Limits(class_concentration_max_bps={"crypto": 5_000}),
            Excess("500", "305", "195", "USD", "1.05"),
        ),
        (
            buy(order_qty="3"),
            Limits(notional_max=120_00 * CENT),
            Excess("300", "120", "180", "USD", "1.2"),
        ),
    ],
)
def test_a_refusal_says_how_far_beyond_and_what_would_have_passed(
    what: ev.PlaceOrder, limits: Limits, excess: Excess
) -> None:
    using = refs(btc=btc_usd(taker=1_000), limits=limits)
    story = given(deposit("410"), deposit("2", BTC), using=using).when(what)
    assert story.only(OrderRejected).excess == excess


def test_accepted_orders_keep_the_marks_and_what_was_left_of_every_rule() -> None:
    limits = Limits(
        order_qty_max={BTC_USD: 5_000},
        order_notional_max=300_00 * CENT,
        collar_bps=1_000,
        position_max={BTC_USD: 20_000},
        concentration_max_bps=7_500,
        class_concentration_max_bps={"crypto": 9_000},
        daily_loss_max=100_00 * CENT,
        orders_max=3,
        notional_max=400_00 * CENT,
    )
    story = given(deposit("1000"), deposit("10", BTC), using=refs(limits=limits)).when(
        buy("o1", price="99.00", at=SECOND), buy("o2", price="99.00", at=SECOND)
    )
    assert story.only(OrderAccepted).headroom == Headroom(
        qty=5_000,
        notional=300_00 * CENT,
        collar=11_00,
        position=9_000,
        concentration=2_000,
        class_concentration=3_500,
        daily_loss=100_00 * CENT,
        orders=2,
        notional_rate=301_00 * CENT,
        power=901_00 * CENT,
    )
    assert story.only(OrderAccepted).marks == (mark(),)
    assert story.only(OrderAccepted).notional == 99_00 * CENT


UNSOUND = {
    "market with a price": {"ord_type": OrdType.MARKET},
    "limit without": {"price": ""},
    "stop without": {"ord_type": OrdType.STOP, "price": ""},
    "stop with a price": {"ord_type": OrdType.STOP, "stop_px": "90.00"},
    "stop limit without": {"ord_type": OrdType.STOP_LIMIT, "price": "90.00"},
    "trailing without": {"ord_type": OrdType.TRAILING_STOP, "price": ""},
    "no amount": {"order_qty": ""},
    "Z10, both amounts": {"ord_type": OrdType.MARKET, "price": "", "cash_order_qty": "5"},
    "limit by notional": {"order_qty": "", "cash_order_qty": "5"},
    "gtd without a date": {"time_in_force": TimeInForce.GTD},
    "gtd of the past": {"time_in_force": TimeInForce.GTD, "expire_time": 1},
    "a date without gtd": {"expire_time": SECOND},
    "market gtd": {
        "ord_type": OrdType.MARKET,
        "price": "",
        "time_in_force": TimeInForce.GTD,
        "expire_time": SECOND,
    },
    "post-only at once": {"post_only": True, "time_in_force": TimeInForce.IOC},
    "post-only market": {"post_only": True, "ord_type": OrdType.MARKET, "price": ""},
    "iceberg at once": {"display_qty": "0.5", "time_in_force": TimeInForce.FOK},
    "stop at once": {
        "ord_type": OrdType.STOP,
        "price": "",
        "stop_px": "90.00",
        "time_in_force": TimeInForce.IOC,
    },
}


@pytest.mark.parametrize("terms", UNSOUND.values(), ids=UNSOUND)
def test_combinations_that_make_no_sense(terms: dict[str, object]) -> None:
    what = ask(**terms)  # type: ignore[arg-type]
    story = given().when(placed(what))
    assert story.only(OrderRejected).reason is Reason.UNSUPPORTED_ORDER


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"order_qty": "0"}, Reason.QUANTITY_OFF_LOT),
        ({"order_qty": "-1"}, Reason.QUANTITY_OFF_LOT),
        ({"order_qty": "NaN"}, Reason.QUANTITY_OFF_LOT),
        ({"order_qty": "1e30"}, Reason.QUANTITY_OFF_LOT),
        ({"order_qty": "9" * 5_000}, Reason.QUANTITY_OFF_LOT),
        ({"order_qty": "0.0005"}, Reason.QUANTITY_OFF_LOT),
        ({"order_qty": "1", "display_qty": "2"}, Reason.QUANTITY_OFF_LOT),
        ({"price": "100.001"}, Reason.PRICE_OFF_TICK),
        ({"price": "0"}, Reason.PRICE_OFF_TICK),
        ({"price": "١٠٠"}, Reason.PRICE_OFF_TICK),
        ({"price": "9" * 5_000}, Reason.PRICE_OFF_TICK),
        ({"price": "abc"}, Reason.PRICE_OFF_TICK),
    ],
)
def test_nonsense_is_refused_and_never_raises(terms: dict[str, str], reason: Reason) -> None:
    story = given().when(placed(ask(**terms)))  # type: ignore[arg-type]
    assert story.only(OrderRejected).reason is reason


def test_z11_a_quantity_finer_than_a_billionth_is_refused() -> None:
    fine = refs(btc=btc_usd(lot="0.000000001"))
    story = given(using=fine).when(placed(ask(order_qty="0.000000001"))).then(OrderAccepted)
    story.when(placed(ask("o2", order_qty="0.0000000001")))
    assert story.only(OrderRejected).reason is Reason.QUANTITY_OFF_LOT


def test_the_ledger_has_an_end() -> None:
    story = given().when(sell(price="999999999999.99", order_qty="10"))
    assert story.only(OrderRejected).reason is Reason.EXCEEDS_ORDER_NOTIONAL


def test_own_limits_go_before_those_of_the_house() -> None:
    own = ev.SetLimits(opened().command_id, opened().at, Limits(order_qty_max={BTC_USD: 1}))
    story = given().when(own, buy())
    assert story.only(OrderRejected).reason is Reason.EXCEEDS_ORDER_QTY
    story.when(msgspec.structs.replace(own, limits=None), buy("o2")).then(OrderAccepted)


@pytest.mark.parametrize(
    ("state", "reason"),
    [(TradingState.HALTED, Reason.TRADING_HALTED), (TradingState.REDUCING, Reason.REDUCING_ONLY)],
)
def test_the_strictest_trading_state_counts(state: TradingState, reason: Reason) -> None:
    own = ev.SetTradingState(opened().command_id, opened().at, state, "asked")
    for story in (
        given().when(own, buy()),
        given(using=refs(state=state)).when(buy()),
        given(using=refs(states={BTC_USD: state})).when(buy()),
    ):
        assert story.only(OrderRejected).reason is reason
    given(using=refs(states={Symbol(ETH_USD): state})).when(buy()).then(OrderAccepted)


BAD = [each for each in Quality if each is not Quality.OK]


@pytest.mark.parametrize("quality", BAD)
def test_nothing_is_opened_on_a_book_that_is_not_ok(quality: Quality) -> None:
    story = given(using=refs(mark(quality=quality))).when(buy())
    assert story.only(OrderRejected).reason is Reason.MARKET_QUALITY


@pytest.mark.parametrize(
    "using",
    [refs(state=TradingState.REDUCING), *(refs(mark(quality=quality)) for quality in BAD)],
)
def test_orders_that_reduce_pass_where_nothing_else_does(using: TradingRefs) -> None:
    given(using=using).when(sell(order_qty="10")).then(OrderAccepted)
    story = given(using=using).when(sell(order_qty="10.001"))
    assert story.only(OrderRejected).reason is Reason.EXCEEDS_POSITION
