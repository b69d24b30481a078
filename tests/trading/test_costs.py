"""What an order would cost before it is placed: against what the market displays, exactly."""

from typing import Any

import msgspec
import pytest
from hypothesis import given as over
from hypothesis import strategies as st

import build as b
from build import BTC, USD, on_margin
from fondaco.domain.market.board import Board
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api.cost import CostReply, preview
from fondaco.domain.trading.model import Order, OrdType, Side, TimeInForce
from fondaco.domain.trading.rules.costs import cost_of, executed
from fondaco.domain.trading.rules.entry import read
from fondaco.domain.trading.rules.holds import hold_for
from fondaco.domain.trading.rules.margin import equity_of, free_margin, requirement_of
from fondaco.kernel.event import Instant

UNIT = 10**8  # ledger units of a dollar
FEES = b.btc_usd(maker=1_000, taker=2_000)  # 10 and 20 bp
ASKS = [(10_000, 1_000), (10_010, 2_000), (10_050, 5_000)]  # 1 at 100.00, 2 at 100.10, 5 at 100.50
BIDS = [(9_990, 1_000), (9_980, 2_000), (9_950, 5_000)]
TOUCH = 9_990 + 10_000
RATES = b.tiers((0, 200_000, 100_000, 0))


def order_of(**terms: Any) -> Order:
    found = read(b.given().state, b.ask(**terms), b.refs(btc=FEES), 1, Instant(1))
    assert isinstance(found, Order), found
    return found


def cost(levels: list[tuple[int, int]], touch: int | None = TOUCH, **terms: Any) -> Any:
    return cost_of(order_of(**terms), FEES, levels, touch)


MARKET: dict[str, Any] = {"ord_type": OrdType.MARKET, "price": ""}
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK
SELL = Side.SELL
FOUR: dict[str, Any] = {"order_qty": "4", "price": "100.10"}
FAR = [(10_000, 1_000), (10_600, 1_000)]  # the second is beyond a market order's protection
STOP: dict[str, Any] = {"ord_type": OrdType.STOP, "price": "", "stop_px": "101.00"}


@pytest.mark.parametrize(
    ("levels", "terms", "at_once", "later", "unfilled", "gross", "fee"),
    [
        # within its limit it takes level by level, and the rest rests at the limit
        (ASKS, {"order_qty": "2", "price": "100.10"}, 2_000, 0, 0, "200.1", "0.4002"),
        (ASKS, FOUR, 3_000, 1_000, 0, "400.3", "0.7005"),
        (ASKS, {"order_qty": "1", "price": "99.00"}, 0, 1_000, 0, "99", "0.099"),
        (ASKS, {**FOUR, "post_only": True}, 0, 4_000, 0, "400.4", "0.4004"),
        (ASKS, {**FOUR, "time_in_force": IOC}, 3_000, 0, 1_000, "300.2", "0.6004"),
        (ASKS, {**FOUR, "time_in_force": FOK}, 0, 0, 4_000, "0", "0"),
        (BIDS, {"order_qty": "2", "side": SELL, "price": "99.80"}, 2_000, 0, 0, "199.7", "0.3994"),
        # a market order takes what is displayed within its protection, and nothing of it rests
        (ASKS, {"order_qty": "3", **MARKET}, 3_000, 0, 0, "300.2", "0.6004"),
        (ASKS, {"order_qty": "9", **MARKET}, 8_000, 0, 1_000, "802.7", "1.6054"),
        (FAR, {"order_qty": "2", **MARKET}, 1_000, 0, 1_000, "100", "0.2"),
        ([], {"order_qty": "2", **MARKET}, 0, 0, 2_000, "0", "0"),
        # a stop waits, and is taken to execute at its stop, as a taker
        (ASKS, {"order_qty": "1", **STOP}, 0, 1_000, 0, "101", "0.202"),
    ],
)  # fmt: skip
def test_what_is_displayed_is_taken_within_the_limit(
    levels: list[tuple[int, int]],
    terms: dict[str, Any],
    at_once: int,
    later: int,
    unfilled: int,
    gross: str,
    fee: str,
) -> None:
    found = cost(levels, **terms)
    assert (found.at_once, found.later, found.unfilled) == (at_once, later, unfilled)
    assert (found.gross, found.fees) == (round(float(gross) * UNIT), round(float(fee) * UNIT))


def test_an_order_by_cash_spends_no_more_than_its_cash_and_its_fees() -> None:
    found = cost(ASKS, order_qty="", cash_order_qty="250", **MARKET)
    assert found.at_once == 2_493  # 1 at 100.00, and 149.50 less 20 bp of all buys 1.493 at 100.10
    assert found.gross + found.fees <= 250 * UNIT
    assert found.unfilled == 0
    raised = cost(BIDS, order_qty="", cash_order_qty="150", side=SELL, **MARKET)
    assert raised.gross >= 150 * UNIT
    assert raised.at_once == 1_503  # 99.90, and what is left of 150.00 at 99.80, rounded up
    assert raised.unfilled == 0


def test_slippage_is_what_is_paid_beyond_the_middle_of_the_touch() -> None:
    assert cost(ASKS, order_qty="1", **MARKET).slippage == 5 * UNIT // 100  # half the spread
    assert cost(BIDS, order_qty="1", side=SELL, **MARKET).slippage == 5 * UNIT // 100
    assert cost(ASKS, order_qty="3", **MARKET).slippage == 35 * UNIT // 100
    assert cost(ASKS, None, order_qty="1", **MARKET).slippage is None  # one side is empty
    assert cost(ASKS, order_qty="1", price="99.00").slippage is None  # nothing executes at once


LADDERS = st.lists(
    st.tuples(st.integers(9_500, 10_500), st.integers(1, 5_000)), unique_by=lambda level: level[0]
)


@over(
    LADDERS,
    st.integers(1, 20_000),
    st.integers(9_400, 10_600),
    st.sampled_from(list(Side)),
    st.sampled_from([TimeInForce.GTC, IOC, FOK]),
    st.booleans(),
)
def test_every_lot_is_told_of_once_and_no_more_is_spent_than_would_be_held(
    ladder: list[tuple[int, int]],
    lots: int,
    px: int,
    side: Side,
    tif: TimeInForce,
    is_market: bool,
) -> None:
    levels = sorted(ladder, reverse=side is SELL)
    terms: dict[str, Any] = MARKET if is_market else {"price": f"{px / 100:.2f}"}
    order = order_of(order_qty=f"{lots / 1000:.3f}", side=side, time_in_force=tif, **terms)
    found = cost_of(order, FEES, levels, None)
    assert found.at_once + found.later + found.unfilled == lots
    assert found.at_once <= sum(shown for _, shown in levels)
    if side is Side.BUY:
        assert found.gross + found.fees <= hold_for(order, FEES)


def asked(**terms: Any) -> ev.Ask:
    return b.ask("n", **terms)


def board() -> Board:
    made = Board({FEES.symbol: FEES})
    for side, levels in ((0, BIDS), (1, ASKS)):
        for px, lots in levels:
            made.books[FEES.symbol].levels.apply(side, px, lots, 1)
    return made


def test_the_preview_says_it_as_text() -> None:
    refs, story = b.refs(btc=FEES), b.given()
    found = preview(story.state, asked(order_qty="4", price="100.10"), refs, Instant(1), board())
    assert found == CostReply(
        currency="USD",
        qty="4",
        at_once_qty="3",
        unfilled_qty="0",
        avg_px="100.0667",
        notional="400.3",
        fee="0.7005",
        slippage="0.35",
        slippage_bps="11.67",
        hold="401.2008",  # all of it at the limit and the worse of the two fees
        hold_asset="USD",
        qty_max="99.7",  # of 10,000.00
        margin=None,
    )
    state = msgspec.msgpack.encode(story.state)
    sold = preview(
        story.state, asked(order_qty="2", side=SELL, price="99.80"), refs, Instant(1), board()
    )
    assert sold is not None
    assert (sold.hold, sold.hold_asset, sold.qty_max) == ("2", "BTC", "10")
    assert preview(story.state, asked(order_qty="0.0001"), refs, Instant(1), board()) is None
    assert msgspec.msgpack.encode(story.state) == state


@pytest.mark.parametrize(("side", "qty"), [(Side.BUY, "20"), (SELL, "20"), (Side.BUY, "60")])
def test_on_margin_it_says_where_the_account_would_stand(side: Side, qty: str) -> None:
    house = b.refs(btc=b.btc_usd(taker=2_000), margins={b.BTC_USD: RATES})
    story = on_margin(using=house)
    levels = [(10_000, 100_000)]
    terms: dict[str, Any] = {"side": side, "order_qty": qty, "price": "100.00"}
    order = read(story.state, b.ask(**terms), house, 1, Instant(1))
    assert isinstance(order, Order)
    instrument = house.instruments[b.BTC_USD]
    after = executed(story.state, order, instrument, cost_of(order, instrument, levels, None))
    made = Board({instrument.symbol: instrument})
    made.books[b.BTC_USD].levels.apply(1 if side is Side.BUY else 0, *levels[0], 1)
    found = preview(story.state, b.ask(**terms), house, Instant(1), made)
    assert found is not None
    assert found.margin is not None
    assert story.state.balances == {USD: 1_000 * UNIT}  # looked at, not changed
    equity, needs = equity_of(after, house), requirement_of(after, house)
    assert equity is not None
    assert needs is not None
    assert round(float(found.margin.equity) * UNIT) == equity
    assert round(float(found.margin.initial) * UNIT) == needs[0]
    assert found.margin.used_bps == needs[1] * 10_000 // equity
    if qty == "60":  # refused, and it says by how much
        assert float(found.margin.available) < 0
        return
    # … which is where the account stands once that has happened.
    story.when(b.placed(b.ask(**terms)))
    accepted = story.only(ev.OrderAccepted).order
    left = free_margin(story.state, story.using)
    assert left is not None
    assert round(float(found.margin.available) * UNIT) == left
    story.when(b.fill(1, accepted.lots, 10_000, side=side))
    assert story.state.balances == after.balances
    assert story.state.positions == after.positions
    assert story.state.balances[BTC] == (1 if side is Side.BUY else -1) * 20 * 10**9
