"""Whether what was traded well was luck: the Sharpe ratio deflated by how many were tried, its
bootstrap, and the probability that the best of several in one half of the days is none in the
other.

Bailey and López de Prado, The Sharpe Ratio Efficient Frontier (2012) and The Deflated Sharpe Ratio
(2014); Bailey, Borwein, López de Prado and Zhu, The Probability of Backtest Overfitting (2017).
Ratios are of one day, and not annualized.
"""

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import NormalDist
from typing import Final

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.kernel.seeded import Seeded

_NORMAL: Final = NormalDist()
_EULER: Final = 0.577_215_664_901_532_9
PARTS_MAX: Final = 16
BINS: Final = 40  # of a histogram of bootstraps


class Moments(msgspec.Struct, frozen=True):
    """Of returns: how many, their Sharpe ratio, skewness, and kurtosis (3 for a normal)."""

    days: int
    sharpe: float
    skewness: float
    kurtosis: float


class RatioBin(msgspec.Struct, frozen=True):
    """How many bootstraps have a Sharpe ratio from `low` to below `high`."""

    low: float
    high: float
    count: int


class StrategyValidation(msgspec.Struct, frozen=True, kw_only=True):
    """`probabilistic_sharpe` is the probability that the true ratio is above 0,
    `deflated_sharpe` that it is above the best that `trials` of no skill would have shown.
    `sharpe_low` and `sharpe_high` hold 95 of 100 bootstraps; `overfit_probability` is of the best
    among several, and None of one alone."""

    days: int
    sharpe: float
    sharpe_annual: float
    skewness: float
    kurtosis: float
    trials: int
    expected_max_sharpe: float
    probabilistic_sharpe: float
    deflated_sharpe: float
    sharpe_low: float
    sharpe_high: float
    mean_below_zero: float  # of bootstraps
    overfit_probability: float | None
    seed: int
    bootstraps: int
    bins: tuple[RatioBin, ...]  # of the bootstraps, of equal width; the last has its end in it


def moments(returns: Sequence[float]) -> Moments:
    """Of the population. Raises `Invalid` where they do not differ."""
    n = len(returns)
    mean = math.fsum(returns) / n if n else 0.0
    second, third, fourth = (
        math.fsum((each - mean) ** power for each in returns) / max(n, 1) for power in (2, 3, 4)
    )
    if n < 3 or second <= 1e-24:
        raise Invalid(f"there are {n} days that differ too little, must be 3 that differ")
    spread = math.sqrt(second)
    return Moments(n, mean / spread, third / spread**3, fourth / second**2)


def probabilistic_sharpe(of: Moments, benchmark: float = 0.0) -> float:
    """That the true Sharpe ratio is above a benchmark (2012, equation 11)."""
    variance = 1 - of.skewness * of.sharpe + (of.kurtosis - 1) / 4 * of.sharpe**2
    if variance <= 0:
        raise Invalid("the returns are too skewed for a standard error of their Sharpe ratio")
    return _NORMAL.cdf((of.sharpe - benchmark) * math.sqrt(of.days - 1) / math.sqrt(variance))


def expected_max_sharpe(trials: int, variance: float) -> float:
    """The best ratio of so many trials without skill, whose ratios vary so (2014, equation 6)."""
    if trials < 2:
        return 0.0
    one = _NORMAL.inv_cdf(1 - 1 / trials)
    other = _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - _EULER) * one + _EULER * other)


def deflated_sharpe(of: Moments, trials: int, variance: float) -> float:
    """That the true ratio is above the best of so many trials of none."""
    return probabilistic_sharpe(of, expected_max_sharpe(trials, variance))


def overfit_probability(columns: Sequence[Sequence[float]], parts: int = 10) -> float:
    """By combinatorially symmetric cross-validation: in how many of all halves of `parts` parts of
    the days the best of them is in the worse half of the others. Raises `Invalid`."""
    if len(columns) < 2 or parts % 2 or not 2 <= parts <= PARTS_MAX:
        raise Invalid(f"there must be 2 strategies and an even number of parts, to {PARTS_MAX}")
    length = len(columns[0]) // parts
    if length < 2 or any(len(each) != len(columns[0]) for each in columns):
        raise Invalid(f"all strategies must have the same days, {2 * parts} of them at least")
    sums = [
        [_sums(column[nth * length : (nth + 1) * length]) for nth in range(parts)]
        for column in columns
    ]
    lost = total = 0
    for chosen in combinations(range(parts), parts // 2):
        others = [nth for nth in range(parts) if nth not in chosen]
        inside = [_ratio(each, chosen) for each in sums]
        outside = [_ratio(each, others) for each in sums]
        best = max(range(len(inside)), key=inside.__getitem__)
        rank = sum(each <= outside[best] for each in outside)
        lost += rank / (len(columns) + 1) <= 0.5
        total += 1
    return lost / total


def validation(
    returns: Sequence[float],
    *,
    trials: int,
    others: Sequence[Sequence[float]],
    seed: int,
    bootstraps: int = 1_000,
    block: float = 5.0,
    year: int = 252,
) -> StrategyValidation:
    """Of one strategy's days. The variance of the ratios that were tried is that of `others`, where
    there are any, and of an estimate without skill otherwise, 1 / days. Raises `Invalid`."""
    if trials < 1 or bootstraps < 100:
        raise Invalid(f"trials is {trials}, must be 1 at least; bootstraps 100 at least")
    of = moments(returns)
    ratios = [of.sharpe, *(moments(each).sharpe for each in others)]
    trials = max(trials, len(ratios))
    mean = math.fsum(ratios) / len(ratios)
    spread = math.fsum((each - mean) ** 2 for each in ratios) / max(len(ratios) - 1, 1)
    variance = spread if others else 1 / of.days
    drawn = sorted(_drawn(returns, seed, bootstraps, block))
    columns = [returns, *others]
    return StrategyValidation(
        days=of.days,
        sharpe=of.sharpe,
        sharpe_annual=of.sharpe * math.sqrt(year),
        skewness=of.skewness,
        kurtosis=of.kurtosis,
        trials=trials,
        expected_max_sharpe=expected_max_sharpe(trials, variance),
        probabilistic_sharpe=probabilistic_sharpe(of),
        deflated_sharpe=deflated_sharpe(of, trials, variance),
        sharpe_low=drawn[int(0.025 * (bootstraps - 1))],
        sharpe_high=drawn[int(0.975 * (bootstraps - 1))],
        mean_below_zero=sum(each < 0 for each in drawn) / bootstraps,
        overfit_probability=overfit_probability(columns) if others else None,
        seed=seed,
        bootstraps=bootstraps,
        bins=binned(drawn),
    )


def binned(ordered: Sequence[float], count: int = BINS) -> tuple[RatioBin, ...]:
    """A histogram of numbers in their order."""
    low, high = ordered[0], ordered[-1]
    if high <= low:
        return (RatioBin(low, high, len(ordered)),)
    width = (high - low) / count
    counts = [0] * count
    for each in ordered:
        counts[min(int((each - low) / width), count - 1)] += 1
    return tuple(
        RatioBin(low + nth * width, low + (nth + 1) * width, found)
        for nth, found in enumerate(counts)
    )


def _drawn(returns: Sequence[float], seed: int, count: int, block: float) -> list[float]:
    """Sharpe ratios of as many days drawn in stretches (Politis and Romano 1994)."""
    n, found = len(returns), []
    restart = round((1 << 53) / block)
    for number in range(count):
        dice = Seeded(seed).child(str(number))
        at, total, squares = dice.below(n), 0.0, 0.0
        for _ in range(n):
            total += returns[at]
            squares += returns[at] ** 2
            at = dice.below(n) if dice.bits() >> 11 < restart else (at + 1) % n
        found.append(_of_sums(n, total, squares))
    return found


def _sums(part: Sequence[float]) -> tuple[int, float, float]:
    return len(part), math.fsum(part), math.fsum(each * each for each in part)


def _ratio(sums: Sequence[tuple[int, float, float]], chosen: Sequence[int]) -> float:
    return _of_sums(
        sum(sums[nth][0] for nth in chosen),
        math.fsum(sums[nth][1] for nth in chosen),
        math.fsum(sums[nth][2] for nth in chosen),
    )


def _of_sums(n: int, total: float, squares: float) -> float:
    """A Sharpe ratio; without any spread it is as good or bad as can be."""
    mean = total / n
    spread = squares / n - mean * mean
    if spread <= 1e-18:
        return math.copysign(1e9, mean) if mean else 0.0
    return mean / math.sqrt(spread)
