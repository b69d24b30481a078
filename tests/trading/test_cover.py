"""A stop that ends by itself: one of a day covers nothing, and a position that the house's own end
of a stop has left bare is closed in the same turn."""

from typing import Any

import pytest
from msgspec.structs import replace as replaced

import build as b
from build import BTC_USD, Scenario
from fondaco.domain.reference.model import Limits, TradingState
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import (
    AccountType,
    Contingency,
    OrdStatus,
    OrdType,
    Reason,
    Side,
    TimeInForce,
    TradeRules,
)
from fondaco.domain.trading.rules.cover import OURS
from fondaco.kernel.event import CommandId, Instant

UNIT = 10**8
RATES = b.tiers((0, 10_000, 5_000, 0))
EXPIRES = 5 * b.SECOND


def house(**more: Any) -> Any:
    limits = Limits(concentration_max_bps=1_000_000)
    elsewhere = replaced(b.btc_usd(), mic="BRKR")  # a venue that may take an execution back
    return b.refs(b.mark(), margins={BTC_USD: RATES}, limits=limits, btc=elsewhere, **more)


def bracket(until: TimeInForce = TimeInForce.GTC, qty: str = "10") -> ev.PlaceOrders:
    of: dict[str, Any] = {"side": Side.SELL, "order_qty": qty}
    ends: dict[str, Any] = {"time_in_force": until}
    if until is TimeInForce.GTD:
        ends["expire_time"] = Instant(EXPIRES)
    return b.listed(
        b.ask("e", side=Side.BUY, order_qty=qty, price="100.00"),
        b.ask("t", price="120.00", **of),
        b.ask("l", price="", stop_px="99.50", ord_type=OrdType.STOP, **of, **ends),
        contingency=Contingency.BRACKET,
    )


def story(risk: int = 10) -> Scenario:
    own = ev.SetTradeRules(CommandId("r"), Instant(1), TradeRules(risk_max=risk * UNIT), "test")
    return Scenario(house()).when(b.opened(AccountType.MARGIN), b.deposit("10000"), own)


def held() -> Scenario:
    """Ten at 100, five at risk: the entry (1) has executed, a target (2) and a stop (3) work."""
    found = story().when(bracket()).when(b.fill(lots=10_000))
    assert found.state.positions[BTC_USD].lots == 10_000
    return found


def closing(told: Scenario) -> Any:
    """The order that closes it, which the same turn has accepted."""
    order = told.only(ev.OrderAccepted).order
    assert order.cl_ord_id.startswith(OURS)
    assert (order.ord_type, order.side, order.reduce_only) == (OrdType.MARKET, Side.SELL, True)
    return order


@pytest.mark.parametrize("until", [TimeInForce.DAY, TimeInForce.GTD])
def test_a_stop_that_ends_by_itself_covers_nothing(until: TimeInForce) -> None:
    refused, *_ = story().when(bracket(until)).events
    assert isinstance(refused, ev.OrderRejected)
    assert refused.reason is Reason.EXCEEDS_TRADE_RISK
    text = f"at 99 or higher; its stop is {until} and covers nothing: make it gtc"
    assert refused.text.endswith(text)
    assert isinstance(story().when(bracket()).events[0], ev.OrderAccepted)


@pytest.mark.parametrize("until", [TimeInForce.DAY, TimeInForce.GTD])
def test_one_that_covers_nothing_may_go_and_nothing_follows(until: TimeInForce) -> None:
    """What may be there bare may lose such a stop, by a cancel and by its time."""
    told = story(risk=1_000).when(bracket(until)).when(b.fill(lots=10_000))
    told.when(b.expire(b.DAY_ENDS + 1))
    assert any(isinstance(each, ev.OrderExpired) for each in told.events)
    assert not any(isinstance(each, ev.PositionBared) for each in told.events)


def triggered() -> Scenario:
    told = held().marked(b.mark("99.40")).when(b.trigger(3, b.mark("99.40")))
    told.when(b.ended(2))  # the target has left its venue
    return told


@pytest.mark.parametrize("status", [OrdStatus.EXPIRED, OrdStatus.CANCELED, OrdStatus.REJECTED])
def test_a_venue_that_ends_a_stop_leaves_nothing_open(status: OrdStatus) -> None:
    told = triggered().when(b.ended(3, status, "nobody there"))
    bared = told.only(ev.PositionBared)
    assert (bared.lots, bared.risk, bared.risk_max) == (10_000, 1_000 * UNIT, 10 * UNIT)
    order = closing(told)
    assert order.lots == 10_000
    told.when(b.fill(order.number, 10_000, 99_00, side=Side.SELL, nth=7))
    assert BTC_USD not in told.state.positions
    told.when(ev.CheckCover(CommandId("c"), Instant(9), BTC_USD)).then(ev.NothingToDo)


def test_what_a_stop_had_left_is_closed() -> None:
    told = triggered().when(b.fill(3, 4_000, 99_50, side=Side.SELL, nth=3))
    told.when(b.ended(3, OrdStatus.EXPIRED))
    assert closing(told).lots == 6_000


def test_a_stop_that_is_taken_back_leaves_nothing_open() -> None:
    """It has executed as a whole, and its venue says that it has not."""
    told = triggered().when(b.fill(3, 10_000, 99_50, side=Side.SELL, nth=3))
    assert BTC_USD not in told.state.positions
    told.when(b.bust(3, 3, side=Side.SELL))
    assert told.only(ev.PositionBared).text == "an execution was taken back"
    assert closing(told).lots == 10_000


def test_who_finds_nobody_to_close_with_is_asked_again() -> None:
    told = triggered().when(b.ended(3, OrdStatus.EXPIRED))
    first = closing(told)
    again = ev.CheckCover(CommandId("c"), Instant(9), BTC_USD)
    told.when(again).then(ev.NothingToDo)  # one is at its venue
    told.when(b.ended(first.number, OrdStatus.EXPIRED))
    assert not any(isinstance(each, ev.PositionBared) for each in told.events)  # not at once
    second = closing(told.when(again))
    assert second.cl_ord_id != first.cl_ord_id


def test_while_the_house_stands_still_it_waits() -> None:
    """A halt takes stops too; nothing can be closed, and it is once somebody asks again."""
    halted = house(state=TradingState.HALTED)
    told = held()
    stop = ev.CancelOrders(CommandId("halt/1/"), Instant(5), reason="halt")
    told.when(stop, using=halted)
    assert told.only(ev.PositionBared).text == "its stop has ended: halt"
    told.when(b.ended(2))
    again = ev.CheckCover(CommandId("c"), Instant(9), BTC_USD)
    assert told.when(again).only(ev.OrderRejected).reason is Reason.TRADING_HALTED
    assert closing(told.when(again, using=house())).lots == 10_000


def test_one_that_another_stop_still_covers_stays() -> None:
    told = triggered()
    away = b.ask(
        "s2", side=Side.SELL, order_qty="10", price="", stop_px="99.10", ord_type=OrdType.STOP
    )
    told.when(b.placed(away))
    told.only(ev.OrderAccepted)
    told.when(b.ended(3, OrdStatus.EXPIRED))
    assert not any(isinstance(each, ev.PositionBared) for each in told.events)
    assert told.state.positions[BTC_USD].lots == 10_000


def test_an_account_without_the_rule_is_left_alone() -> None:
    none = ev.SetTradeRules(CommandId("r2"), Instant(1), TradeRules(positions_max=3), "test")
    told = triggered().when(none).when(b.ended(3, OrdStatus.EXPIRED))
    told.then(ev.OrderExpired)
