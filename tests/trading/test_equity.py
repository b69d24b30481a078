"""The equity kernel against a naive twin: on the safe side always, and never far from the truth."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.trading.equity import (
    CASH_MAX,
    QTY_MAX,
    SHIFT_MAX,
    SHIFT_MIN,
    SOUND,
    Equity,
    fixed,
)
from trading.naive_equity import NaiveEquity, NaiveSlot, Tier

# Binance's first tiers of BTCUSDT, at 10,000 marking units to the dollar.
TIERS: list[Tier] = [
    (500_000_000, 8_000, 4_000, 0),
    (2_500_000_000, 10_000, 5_000, 500_000),
    (10_000_000_000, 20_000, 10_000, 13_000_000),
]
ONE_TIER: list[Tier] = [(1 << 51, 100_000, 50_000, 0)]
SLOTS = (
    NaiveSlot(TIERS),
    NaiveSlot(ONE_TIER, keeps_ppm=900_000, long_needs=False),
    NaiveSlot([], keeps_ppm=950_000),
)
WARNINGS = [8_000, 9_000]  # basis points
BREACHED = len(WARNINGS) + 1
ACCOUNTS = 4
LINES_MAX = len(SLOTS)

quantities = st.one_of(
    st.integers(-(10**9), 10**9), st.integers(-QTY_MAX, QTY_MAX), st.just(0), st.just(0)
)
prices = st.one_of(
    st.fractions(0, 10_000, max_denominator=10**9),
    st.builds(Fraction, st.integers(0, 10**18), st.integers(1, 10**24)),
)
steps = st.one_of(
    st.tuples(
        st.just("qty"),
        st.integers(0, ACCOUNTS - 1),
        st.integers(0, LINES_MAX - 1),
        quantities,
    ),
    st.tuples(st.just("cash"), st.integers(0, ACCOUNTS - 1), st.integers(-(10**13), 10**13)),
    st.tuples(st.just("price"), st.integers(0, LINES_MAX - 1), prices),
)


def both() -> tuple[Equity, NaiveEquity]:
    kernel, naive = Equity(WARNINGS), NaiveEquity(WARNINGS)
    for slot in SLOTS:
        kernel.add_slot(slot.tiers, keeps_ppm=slot.keeps_ppm, long_needs=slot.long_needs)
        naive.add_slot(slot)
    for _ in range(ACCOUNTS):
        kernel.add_account()
        naive.add_account()
    return kernel, naive


def take(kernel: Equity, naive: NaiveEquity, step: Sequence[Any]) -> list[int]:
    """The accounts whose level changed."""
    match step:
        case "qty", account, slot, qty:
            naive.qty[account, slot] = qty
            return [account] * kernel.set_qty(account, slot, qty)
        case "cash", account, units:
            naive.cash[account] = units
            return [account] * kernel.set_cash(account, units)
        case "price", slot, px:
            naive.prices[slot] = px
            changed: list[int] = kernel.set_price(slot, *fixed(px.numerator, px.denominator))
            return changed
    raise AssertionError(step)


@given(st.lists(steps, min_size=5, max_size=40))
def test_it_never_says_better_than_the_truth(history: list[Sequence[Any]]) -> None:
    """The law. And who hears of a level only when it changes knows every level all the time."""
    kernel, naive = both()
    heard = [SOUND] * ACCOUNTS
    for step in history:
        for account in take(kernel, naive, step):
            heard[account] = kernel.level(account)
        assert heard == [kernel.level(each) for each in range(ACCOUNTS)]
        for account in range(ACCOUNTS):
            assert kernel.level(account) >= naive.level(account)
    levels = range(BREACHED + 1)
    assert [kernel.count(level) for level in levels] == [heard.count(level) for level in levels]
    for account in range(ACCOUNTS):
        if naive_fits(naive, account):
            equity, initial, maintenance = naive.sums(account)
            assert kernel.sums(account)[0] <= equity
            assert kernel.sums(account)[1] >= initial
            assert kernel.sums(account)[2] >= maintenance


def naive_fits(naive: NaiveEquity, account: int) -> bool:
    """Whether every line is small enough for the kernel's numbers: else it is a suspect."""
    return all(
        abs(qty * naive.prices[slot]) < (1 << 50) - 2
        for (holder, slot), qty in naive.qty.items()
        if holder == account
    )


ordinary = st.lists(
    st.one_of(
        st.tuples(
            st.just("qty"),
            st.integers(0, ACCOUNTS - 1),
            st.integers(0, LINES_MAX - 1),
            st.integers(-(10**8), 10**8),
        ),
        st.tuples(st.just("cash"), st.integers(0, ACCOUNTS - 1), st.integers(0, 10**12)),
        st.tuples(
            st.just("price"),
            st.integers(0, LINES_MAX - 1),
            st.fractions(Fraction(1, 1_000), 10_000, max_denominator=10**6),
        ),
    ),
    min_size=5,
    max_size=40,
)


@given(ordinary)
def test_it_is_never_far_from_the_truth(history: list[Sequence[Any]]) -> None:
    """Within a billionth of what a line is worth, and a few units a line: so false alarms are rare,
    and a sum that was moved a thousand times has not drifted."""
    kernel, naive = both()
    for step in history:
        take(kernel, naive, step)
    for account in range(ACCOUNTS):
        gross = sum(
            abs(qty * naive.prices[slot])
            for (holder, slot), qty in naive.qty.items()
            if holder == account
        )
        near = Fraction(gross, 1 << 29) + 8 * LINES_MAX
        for found, true in zip(kernel.sums(account), naive.sums(account), strict=True):
            assert abs(found - true) <= near


@given(st.integers(0, 10**30), st.integers(1, 10**30))
def test_a_price_is_between_its_two_bounds(num: int, den: int) -> None:
    try:
        low, high, shift = fixed(num, den)
    except OverflowError:
        assert Fraction(num, den) >= 1 << 60
        return
    scale = Fraction(2) ** shift
    assert low <= num * scale / den <= high < 1 << 31
    assert SHIFT_MIN <= shift <= SHIFT_MAX
    if shift < SHIFT_MAX and num:
        assert high - low <= 1
        assert low >= 1 << 29


def test_a_tick_touches_only_those_who_hold_the_instrument() -> None:
    kernel, _ = both()
    kernel.set_cash(0, 6_000_000)
    kernel.set_cash(1, 6_000_000)
    kernel.set_price(0, *fixed(100, 1))
    assert kernel.set_qty(0, 0, -1_000_000) is True, "short of 100 million with 6 of cash"
    kernel.set_qty(0, 0, 0)
    assert kernel.holders(0) == 0
    assert kernel.level(0) == SOUND
    assert kernel.set_price(0, *fixed(1_000, 1)) == []


def test_levels_come_one_after_the_other_and_are_told_once() -> None:
    """100,000 units bought at 100 with a wallet of 1,000,000, as a linear contract: what they cost
    is in the cash. At 5 % they need 500,000 of it."""
    kernel = Equity(WARNINGS)
    kernel.add_slot([(1 << 51, 100_000, 50_000, 0)])
    account = kernel.add_account()
    kernel.set_price(0, *fixed(100, 1))
    kernel.set_qty(account, 0, 100_000)
    kernel.set_cash(account, 1_000_000 - 100_000 * 100)
    path = (100, 97, 96, 95.5, 95.2, 94.7, 94, 92, 95.2, 95.5, 96, 98)
    told = [
        (float(px), kernel.level(account))
        for px in map(Fraction, path)
        if kernel.set_price(0, *fixed(px.numerator, px.denominator))
    ]
    assert told == [
        (96, 1),  # 480,000 of 600,000: 80 % and the kernel's few units
        (95.2, 2),  # 476,000 of 520,000: 91.5 %
        (94.7, BREACHED),  # 473,500 of 470,000
        (95.2, 2),
        (95.5, 1),
        (98, SOUND),  # 490,000 of 800,000
    ]


def test_other_warnings_count_at_once() -> None:
    kernel = Equity(WARNINGS)
    kernel.add_slot(ONE_TIER)
    kernel.set_price(0, *fixed(100, 1))
    for nth, equity in enumerate((4_000, 900, 600, 480)):  # shorts of 10,000, which need 500
        kernel.add_account()
        kernel.set_qty(nth, 0, -100)
        kernel.set_cash(nth, 10_000 + equity)
    assert [kernel.level(each) for each in range(4)] == [0, 0, 1, 3]
    assert kernel.set_warnings([1_000, 5_000, 8_000, 9_000]) == [0, 1, 2, 3]
    assert [kernel.level(each) for each in range(4)] == [1, 2, 3, 5]
    assert kernel.set_warnings([9_500]) == [0, 1, 2, 3]
    assert [kernel.count(level) for level in range(kernel.breached + 1)] == [3, 0, 1]


def test_what_does_not_fit_makes_a_suspect_and_leaves_nothing_behind() -> None:
    kernel = Equity(WARNINGS)
    kernel.add_slot(ONE_TIER)
    rich, poor, big = (kernel.add_account() for _ in range(3))
    kernel.set_cash(rich, CASH_MAX)
    kernel.set_price(0, *fixed(1 << 40, 1))
    kernel.set_qty(poor, 0, -(1 << 20))
    kernel.set_qty(rich, 0, -(1 << 20))
    assert [kernel.level(each) for each in (rich, poor, big)] == [BREACHED, BREACHED, SOUND]
    assert kernel.nearest(10) == [rich, poor]
    kernel.set_price(0, *fixed(1, 1))
    assert [kernel.level(each) for each in (rich, poor)] == [SOUND, BREACHED]
    kernel.set_qty(poor, 0, 0)
    assert kernel.sums(poor) == (0, 0, 0)
    assert kernel.level(poor) == SOUND
    assert kernel.set_doubt(big, True) is True
    assert kernel.level(big) == BREACHED
    assert kernel.set_doubt(big, False) is True


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda k: k.set_cash(0, -CASH_MAX - 1), OverflowError),
        (lambda k: k.set_cash(0, -(1 << 70)), OverflowError),
        (lambda k: k.set_qty(0, 0, QTY_MAX + 1), OverflowError),
        (lambda k: k.set_qty(0, 0, 1 << 70), OverflowError),
        (lambda k: k.set_qty(1, 0, 1), IndexError),
        (lambda k: k.set_qty(-1, 0, 1), IndexError),
        (lambda k: k.set_qty(0, 1, 1), IndexError),
        (lambda k: k.set_price(1, 1, 1, 0), IndexError),
        (lambda k: k.set_price(0, 2, 1, 0), ValueError),
        (lambda k: k.set_price(0, 1, 1 << 31, 0), ValueError),
        (lambda k: k.set_price(0, 1, 1, SHIFT_MIN - 1), ValueError),
        (lambda k: k.add_slot([(100, 1, 1, 0), (100, 1, 1, 0)]), ValueError),
        (lambda k: k.add_slot([(100, 10, 10, 0), (200, 9, 10, 0)]), ValueError),
        (lambda k: k.add_slot([(10**9, 10, 10**5, 0), (10**10, 10, 10**5, 10**6)]), ValueError),
        (lambda k: k.add_slot([(100, 1_000_001, 1, 0)]), ValueError),
        (lambda k: k.add_slot([], keeps_ppm=-1), ValueError),
        (lambda k: k.set_warnings([9_000, 8_000]), ValueError),
        (lambda k: k.set_warnings([0]), ValueError),
        (lambda k: k.set_warnings([10_001]), ValueError),
        (lambda k: fixed(1, 0), ValueError),
        (lambda k: fixed(1 << 70, 1), OverflowError),
    ],
)
def test_what_it_cannot_count_is_refused_and_changes_nothing(
    call: Any, error: type[Exception]
) -> None:
    kernel = Equity(WARNINGS)
    kernel.add_slot(ONE_TIER)
    kernel.add_account()
    kernel.set_cash(0, 5)
    with pytest.raises(error):
        call(kernel)
    assert kernel.sums(0) == (5, 0, 0)
    assert kernel.nearest(1) == []


def test_it_grows() -> None:
    """Beyond any first guess of how many accounts there are, and back."""
    kernel = Equity(WARNINGS)
    kernel.add_slot(ONE_TIER)
    kernel.set_price(0, *fixed(3, 1))
    accounts = [kernel.add_account() for _ in range(1_000)]
    for each in accounts:
        kernel.set_cash(each, each)
        kernel.set_qty(each, 0, -each)
    assert kernel.count(BREACHED) == 999, "each owes three times what it has, but one has nothing"
    assert len(kernel.nearest(3)) == 3
    for each in accounts[::2]:
        kernel.set_qty(each, 0, 0)
    kernel.set_price(0, *fixed(0, 1))
    assert kernel.holders(0) == 500
    assert [kernel.sums(each)[2] for each in accounts[::2]] == [0] * 500


def test_other_terms_count_at_once() -> None:
    kernel = Equity(WARNINGS)
    kernel.add_slot([(1 << 51, 100_000, 50_000, 0)])
    account = kernel.add_account()
    kernel.set_price(0, *fixed(100, 1))
    kernel.set_cash(account, 1_060)
    kernel.set_qty(account, 0, -100)
    assert kernel.level(account) == BREACHED, "60 of equity is needed as 500"
    kernel.set_cash(account, 11_000)
    assert kernel.level(account) == SOUND
    assert kernel.set_terms(0, [(1 << 51, 300_000, 200_000, 0)]) == [account]
    assert kernel.level(account) == BREACHED
