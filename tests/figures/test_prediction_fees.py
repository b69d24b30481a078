"""Fees of prediction markets as they are published: S1 to S4, and the tables that S3 stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.reference.fees import (
    CENT,
    CENTICENT,
    KALSHI_MAKER_PPM,
    ONE,
    kalshi_fee_cents,
    kalshi_fill,
    kalshi_trade_fee,
    polymarket_fee,
    rothera_fee_cents,
)
from fondaco.kernel.errors import Invalid

LOTS = 100 * 100  # a hundred contracts in hundredths

# Kalshi fee schedule: contracts, price in cents, fee in cents
S1 = [
    (100, 5, 34), (100, 95, 34), (100, 10, 63), (100, 90, 63), (100, 25, 132), (100, 75, 132),
    (100, 50, 175), (1, 50, 2), (1, 1, 1), (1, 99, 1), (100, 1, 7), (100, 30, 147),
]  # fmt: skip


@pytest.mark.parametrize(("contracts", "cents", "fee"), S1)
def test_s1_a_taker_pays_seven_percent_of_the_variance_up_to_the_cent(
    contracts: int, cents: int, fee: int
) -> None:
    assert kalshi_fee_cents(contracts * 100, cents * 100) == fee


def test_s2_a_maker_pays_a_quarter_of_it() -> None:
    assert kalshi_fee_cents(LOTS, 5_000, KALSHI_MAKER_PPM) == 44


# docs.kalshi.com/getting_started/fee_rounding, in millionths of a dollar: revenue and trade fee of
# each fill; rounding fee, accumulator before the rebate, rebate, net fee, change of the balance
S3 = {
    "three times 1 at 0.055": (
        (-55_000, 8_500),
        [
            (6_500, 6_500, 0, 15_000, -70_000),
            (6_500, 13_000, 10_000, 5_000, -70_000),
            (6_500, 9_500, 0, 15_000, -70_000),
        ],
    ),
    "three times 0.30 at 0.50": (
        (-150_000, 4_100),
        [
            (5_900, 5_900, 0, 10_000, -160_000),
            (5_900, 11_800, 10_000, 0, -160_000),
            (5_900, 7_700, 0, 10_000, -160_000),
        ],
    ),
}


@pytest.mark.parametrize("example", S3)
def test_s3_the_published_fills_round_as_published(example: str) -> None:
    (revenue, trade_fee), expected = S3[example]
    accumulated, rows = 0, []
    for _ in expected:
        fill = kalshi_fill(revenue, trade_fee, accumulated)
        accumulated = fill.accumulated
        rows.append(
            (fill.rounding_fee, accumulated + fill.rebate, fill.rebate, fill.net_fee,
             fill.balance_change)
        )  # fmt: skip
    assert rows == expected


@given(
    fills=st.lists(
        st.tuples(st.integers(1, 5_000), st.integers(1, ONE - 1), st.booleans()),
        min_size=1,
        max_size=30,
    ),
    step=st.sampled_from([CENT, CENTICENT]),
)
def test_s3_whatever_the_fills_nothing_is_lost_and_no_more_than_a_cent_is_kept(
    fills: list[tuple[int, int, bool]], step: int
) -> None:
    """The balance stays whole; fees and revenue account for every millionth; and what rounding
    took over the whole order is given back as soon as a fill is charged as much."""
    accumulated = took = 0
    for contracts, px, is_buy in fills:
        revenue = -contracts * px if is_buy else contracts * px
        trade_fee = kalshi_trade_fee(contracts, px)
        exact = 70_000 * contracts * px * (ONE - px)  # of 1e-16 dollars
        assert 0 <= trade_fee * 10**10 - exact < CENTICENT * 10**10
        fill = kalshi_fill(revenue, trade_fee, accumulated, step=step)
        assert fill.balance_change % step == 0
        assert fill.balance_change == revenue - fill.trade_fee - fill.rounding_fee
        assert 0 <= fill.rounding_fee < step
        assert fill.net_fee >= 0
        assert fill.accumulated <= CENT or fill.net_fee < CENT
        accumulated = fill.accumulated
        took += fill.rounding_fee - fill.rebate
    assert took == accumulated


def test_s4_rothera_rounds_halves_up_and_takes_a_cent_at_least() -> None:
    assert rothera_fee_cents(LOTS, 3_500, 60_000) == 137
    assert rothera_fee_cents(1, 100, 60_000) == 1


# docs.polymarket.com/trading/fees: rate · C · P · (1 - P), down to 0.00001
POLYMARKET = [
    (100, 5_000, 70_000, 1_750_000),
    (100, 3_000, 30_000, 630_000),
    (100, 5_000, 0, 0),
    (1, 100, 10_000, 90),  # 0.000099 is 0.00009
]


@pytest.mark.parametrize(("shares", "px", "rate_ppm", "fee"), POLYMARKET)
def test_a_taker_on_polymarket_pays_the_markets_own_rate(
    shares: int, px: int, rate_ppm: int, fee: int
) -> None:
    assert polymarket_fee(shares * 1_000_000, px, rate_ppm) == fee


@given(st.integers(0, 10**9), st.integers(0, ONE))
def test_yes_and_no_cost_the_same(qty: int, px: int) -> None:
    for fee in (kalshi_fee_cents, kalshi_trade_fee):
        assert fee(qty, px) == fee(qty, ONE - px)
    assert polymarket_fee(qty, px, 30_000) == polymarket_fee(qty, ONE - px, 30_000)


@pytest.mark.parametrize(("qty", "px"), [(-1, 5_000), (1, -1), (1, ONE + 1)])
def test_what_is_no_trade_is_refused(qty: int, px: int) -> None:
    with pytest.raises(Invalid, match="must be"):
        kalshi_fee_cents(qty, px)
    with pytest.raises(Invalid, match="must be"):
        kalshi_fill(-1, 50)
