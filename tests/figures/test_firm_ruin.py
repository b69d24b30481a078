"""A firm's ruin against its closed forms: the reflection principle (Feller I, III.7) for a firm
that wins or loses one stake a sale, and Cramér and Lundberg's formula for exponential claims
(Asmussen and Albrecher, Ruin Probabilities, 2nd ed., I.1 and IV.5)."""

import math
from array import array
from math import comb

import pytest
from msgspec.structs import replace

from fondaco.app.simulating import Run, joined, parts_of, simulate, walked
from fondaco.domain.evaluation.model import Payout, PhaseTerms, Tier
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.simulation.odds import lowest_of
from fondaco.domain.evaluation.simulation.traders import trader_of
from fondaco.kernel.seeded import Seeded

U = 10**8


def one_toss(win: str) -> Tier:
    """Instant funding for 1; who wins the toss of the first day is paid 2 on the second."""
    coin = tier_of(text_of("coin"))
    return replace(
        coin,
        account=100 * U,
        fee=1 * U,
        phases=(),
        funded=PhaseTerms(name="Funded"),
        payout=Payout(split_ppm=1_000_000, first_after_days=1, every_days=1),
    )


def hits(down: int, steps: int, p: float) -> float:
    """That a walk that goes up with 1 - p falls `down` steps within so many: the first passages at
    each step add up (the hitting time theorem)."""
    return sum(
        down / n * comb(n, (n + down) // 2) * p ** ((n + down) // 2) * (1 - p) ** ((n - down) // 2)
        for n in range(down, steps + 1)
        if (n + down) % 2 == 0
    )


def ends_just_over(down: int, steps: int, p: float) -> float:
    """That it never falls so far, and ends one step over: by reflection."""
    if (steps + down - 1) % 2:
        return 0.0
    lost = (steps + down - 1) // 2
    ways = comb(steps, lost) - comb(steps, lost + 1)
    return ways * p**lost * (1 - p) ** (steps - lost)


@pytest.mark.parametrize(("win", "capital"), [("0.5", 3), ("0.45", 2), ("0.55", 6)])
def test_a_firm_that_tosses_is_ruined_as_often_as_a_gambler(win: str, capital: int) -> None:
    """Each day but the last brings a fee before yesterday's payout: ruined are capital + 2 tosses
    more lost than won, or one less at the very end."""
    sales = 40
    trader = trader_of(f"coin:win={win},stake=2,trades=1")
    run = Run(
        paths=40_000, days=1, funded_days=1, sales=sales, sales_a_day=1, crowd=0.0,
        capital=float(capital), workers=1,
    )  # fmt: skip
    found = simulate(one_toss(win), trader, run)
    down, p = capital + 2, float(win)
    expected = hits(down, sales, p) + ends_just_over(down, sales, p)
    assert found.books == 1_000
    assert found.firm_ruin_probability is not None
    exact_se = math.sqrt(expected * (1 - expected) / found.books)
    assert abs(found.firm_ruin_probability - expected) <= 3 * exact_se
    assert found.firm_ruin_se == pytest.approx(exact_se, rel=0.2)


def test_a_crowd_wins_and_loses_together() -> None:
    """Everybody of one day tosses one coin: a day of ten sales brings 10, and costs 20 or nothing,
    so that the firm's lowest is that of a gambler with ten times the stake."""
    trader = trader_of("coin:win=0.5,stake=2,trades=1")
    run = Run(
        paths=40_000, days=1, funded_days=1, sales=40, sales_a_day=10, crowd=1.0, capital=15.0,
        workers=1,
    )  # fmt: skip
    tier = one_toss("0.5")
    parts = parts_of(tier, trader, run)
    lowest = array("q")
    lowest.frombytes(joined(parts, [walked(each) for each in parts]).lowest)
    assert {each // 10_000 for each in lowest} <= {0, -10, -20, -30, -40}
    found = simulate(tier, trader, run)
    # Beneath -15 where, of four tosses, two more are lost than won: five ways of sixteen.
    assert found.firm_ruin_probability == pytest.approx(5 / 16, abs=0.044)
    alone = simulate(tier, trader, replace(run, crowd=0.0))
    assert alone.firm_ruin_probability is not None
    assert found.firm_ruin_probability is not None
    assert alone.firm_ruin_probability < found.firm_ruin_probability
    assert (alone.pass_probability, alone.payout_mean) == (
        found.pass_probability,
        found.payout_mean,
    )


def test_exponential_claims_ruin_as_cramer_and_lundberg_say() -> None:
    """psi(u) = exp(-theta u / ((1 + theta) mu)) / (1 + theta): claims of mean 1, one a day, for
    premiums of 1.5 a day, and a capital of 2."""
    theta, capital, books, claims = 0.5, 2.0, 1_500, 120
    dice, ruined = Seeded(7), 0
    for _ in range(books):
        flows = [
            round(1e4 * (math.log(1 - dice.unit()) - (1 + theta) * math.log(1 - dice.unit())))
            for _ in range(claims)
        ]
        ruined += lowest_of(flows) < -capital * 1e4
    psi = math.exp(-theta * capital / (1 + theta)) / (1 + theta)
    assert abs(ruined / books - psi) <= 3 * math.sqrt(psi * (1 - psi) / books)
