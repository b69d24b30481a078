"""Published liquidation prices, to the digits that were printed.

Binance, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts": one wallet of
1,535,443.01 USDT with a long of ETHUSDT and one of BTCUSDT, each isolated and in cross mode.
Kraken, support article 203053156: a short on spot margin.
"""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.trading.model import Side
from fondaco.domain.trading.rules.liquidation_px import (
    ALONE,
    CALL_LEVEL,
    LIQUIDATION_LEVEL,
    Bracket,
    Exposed,
    Leveraged,
    Others,
    liquidation_px,
    maintenance,
    margin_level,
    nearest_px,
    printed,
    px_at_level,
)

WALLET = Fraction("1535443.01")
NO_END = Fraction(10**30)
ETH = Exposed(Side.BUY, Fraction("3683.979"), Fraction("1456.84"))
ETH_TIER = Bracket(NO_END, Fraction("0.10"), Fraction(135_365))
BTC = Exposed(Side.BUY, Fraction("109.488"), Fraction("32481.98"))
BTC_TIER = Bracket(NO_END, Fraction("0.025"), Fraction(16_300))


@pytest.mark.parametrize(
    ("position", "tier", "others", "published"),
    [
        pytest.param(ETH, ETH_TIER, ALONE, "1114.78", id="R2"),
        pytest.param(ETH, ETH_TIER, ("71200.81144", "-56354.57"), "1153.26", id="R3"),
        pytest.param(BTC, BTC_TIER, ALONE, "18778.73", id="R4"),
        pytest.param(BTC, BTC_TIER, ("356512.508", "-448192.89"), "26316.89", id="R5"),
    ],
)
def test_liquidation_prices_are_those_that_binance_prints(
    position: Exposed, tier: Bracket, others: Others | tuple[str, str], published: str
) -> None:
    if isinstance(others, tuple):
        others = Others(*map(Fraction, others))
    px = liquidation_px(WALLET, position, tier, others)
    assert px is not None
    assert printed(px) == Fraction(published)
    # R1: at that price, and only there, equity is the requirement.
    equity = WALLET + others.pnl + position.pnl(px)
    assert equity == others.maintenance + maintenance(px * position.qty, [tier])


def test_what_one_position_brings_to_the_other_is_what_binance_prints() -> None:
    """TMM and UPNL of the cross examples are the requirement and the profit of the other one, at
    marks that the page gives: 1,335.18 for ETH and 31,967.27 for BTC."""
    eth_mark, btc_mark = Fraction("1335.18"), Fraction("31967.27")
    assert printed(BTC.pnl(btc_mark)) == Fraction("-56354.57")
    assert printed(maintenance(BTC.qty * btc_mark, [BTC_TIER]), 5) == Fraction("71200.81144")
    assert printed(ETH.pnl(eth_mark)) == Fraction("-448192.89")
    assert printed(maintenance(ETH.qty * eth_mark, [ETH_TIER]), 3) == Fraction("356512.508")


def test_kraken_margin_levels_r9() -> None:
    """10,000 USD sold short at 50,000 with leverage 5: equity 5,000, used margin 0.04 BTC."""
    short = Leveraged(Side.SELL, Fraction("0.2"), Fraction(50_000), Fraction(5))
    assert short.used_margin == Fraction("0.04")
    equity = Fraction(5_000)
    assert margin_level(equity, short, Fraction(50_000)) == Fraction("2.5")
    at = Fraction(65_200)
    assert short.pnl(at) == -3_040
    assert equity + short.pnl(at) == 1_960
    assert short.used_margin * at == 2_608
    assert printed(margin_level(equity, short, at)) == Fraction("0.75")
    call = px_at_level(equity, short, CALL_LEVEL)
    closed = px_at_level(equity, short, LIQUIDATION_LEVEL)
    assert call is not None
    assert closed is not None
    assert short.entry_px < call < at < closed, "75 % is beyond the call, not yet liquidation"
    assert margin_level(equity, short, call) == CALL_LEVEL
    assert margin_level(equity, short, closed) == LIQUIDATION_LEVEL


def test_what_no_price_closes_has_none() -> None:
    rich = Exposed(Side.BUY, Fraction(1), Fraction(100))
    assert liquidation_px(Fraction(1_000), rich, Bracket(NO_END, Fraction("0.1"))) is None
    assert nearest_px(Fraction(1_000), rich, TIERS, Fraction(100)) is None
    # A requirement as large as the position itself moves with it: no price makes a difference.
    assert liquidation_px(Fraction(1), rich, Bracket(NO_END, Fraction(1))) is None
    assert px_at_level(
        Fraction(1), Leveraged(Side.BUY, *map(Fraction, (1, 1, 1))), Fraction(1)
    ) is (None)


# The first tiers of BTCUSDT as Binance printed them: each deduction makes two tiers meet.
TIERS = [
    Bracket(Fraction(50_000), Fraction("0.004")),
    Bracket(Fraction(250_000), Fraction("0.005"), Fraction(50)),
    Bracket(Fraction(1_000_000), Fraction("0.01"), Fraction(1_300)),
    Bracket(Fraction(10_000_000), Fraction("0.025"), Fraction(16_300)),
]
STEPS = [  # the same without deductions: the requirement jumps at each boundary
    Bracket(each.notional_max, each.rate) for each in TIERS
]


def test_the_tiers_of_the_examples_meet_at_their_boundaries() -> None:
    for lower, upper in pairwise(TIERS):
        at = lower.notional_max
        assert lower.requirement(at) == upper.requirement(at)


amounts = st.decimals(min_value="0.01", max_value="1000", places=2, allow_nan=False).map(Fraction)


@given(
    st.sampled_from(Side),
    amounts,
    amounts.map(lambda each: each * 100),
    amounts.map(lambda each: each * 1_000),
    amounts.map(lambda each: each * 100),
    st.sampled_from([TIERS, STEPS]),
    st.lists(st.integers(0, 99), min_size=1, max_size=20),
)
def test_nothing_is_closed_before_the_nearest_price(
    side: Side,
    qty: Fraction,
    entry: Fraction,
    wallet: Fraction,
    mark: Fraction,
    tiers: list[Bracket],
    on_the_way: list[int],
) -> None:
    """The law: on the way from the mark there is room; at the price found, or just behind, none."""
    position = Exposed(side, qty, entry)

    def room(px: Fraction) -> Fraction:
        return wallet + position.pnl(px) - maintenance(px * qty, tiers)

    px = nearest_px(wallet, position, tiers, mark)
    if px == mark:
        assert room(mark) <= 0
        return
    if px is None:
        end = Fraction(0) if side is Side.BUY else mark * 1_000
    else:
        end = px
        behind = px * Fraction(10**12 + (1 if side is Side.SELL else -1), 10**12)
        assert room(px) <= 0 or room(behind) <= 0
    for part in on_the_way:
        assert room(mark + (end - mark) * part / 100) > 0


def test_printed_rounds_half_to_even() -> None:
    shown = {"0.005": "0", "0.015": "0.02", "1.234": "1.23", "-0.015": "-0.02"}
    assert {text: printed(Fraction(text)) for text in shown} == {
        text: Fraction(Decimal(each)) for text, each in shown.items()
    }
