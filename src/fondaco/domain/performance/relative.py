"""Measures of periodic returns against a benchmark's, as C. Bacon, Practical Portfolio Performance
Measurement and Attribution (2nd ed. 2008) defines them; `periods` is how many there are in a year.

Both series are of the same periods. Annual returns are geometric, and deviations divide by the
number of returns. A ratio whose denominator is nought is None.
"""

from collections.abc import Sequence
from math import fsum, hypot, sqrt
from typing import Final

from fondaco.domain.performance.ratios import (
    annualized_return,
    deviation,
    downside_deviation,
    mean,
    sortino,
)

_RISK_PRICE: Final = 3.0  # of downside risk, in the excess return of Omega


def beta(returns: Sequence[float], benchmark: Sequence[float]) -> float | None:
    """The slope of the line through returns over those of the benchmark."""
    ours, theirs = mean(returns), mean(benchmark)
    pairs = zip(returns, benchmark, strict=True)
    together = fsum((r - ours) * (b - theirs) for r, b in pairs)
    alone = fsum((b - theirs) ** 2 for b in benchmark)
    return together / alone if alone else None


def jensen_alpha(
    returns: Sequence[float], benchmark: Sequence[float], periods: int, riskless: float = 0.0
) -> float | None:
    """A year's, and `riskless` too; Fama calls it selectivity."""
    slope = beta(returns, benchmark)
    if slope is None:
        return None
    market = annualized_return(benchmark, periods) - riskless
    return annualized_return(returns, periods) - riskless - slope * market


def specific_risk(
    returns: Sequence[float], benchmark: Sequence[float], periods: int
) -> float | None:
    """A year's deviation of what the line through the returns leaves unexplained."""
    slope = beta(returns, benchmark)
    if slope is None:
        return None
    left = [r - slope * b for r, b in zip(returns, benchmark, strict=True)]
    return deviation(left) * sqrt(periods)


def systematic_risk(
    returns: Sequence[float], benchmark: Sequence[float], periods: int, *, of_sample: bool = False
) -> float | None:
    slope = beta(returns, benchmark)
    if slope is None:
        return None
    return slope * deviation(benchmark, of_sample=of_sample) * sqrt(periods)


def total_risk(
    returns: Sequence[float], benchmark: Sequence[float], periods: int, *, of_sample: bool = False
) -> float | None:
    """The root of the squares of both."""
    specific = specific_risk(returns, benchmark, periods)
    systematic = systematic_risk(returns, benchmark, periods, of_sample=of_sample)
    return None if specific is None or systematic is None else hypot(specific, systematic)


def appraisal_ratio(
    returns: Sequence[float], benchmark: Sequence[float], periods: int
) -> float | None:
    """Jensen's alpha over the risk that was taken for it."""
    alpha, risk = (
        jensen_alpha(returns, benchmark, periods),
        specific_risk(returns, benchmark, periods),
    )
    return alpha / risk if alpha is not None and risk else None


def modified_treynor(
    returns: Sequence[float], benchmark: Sequence[float], periods: int
) -> float | None:
    risk = systematic_risk(returns, benchmark, periods)
    return annualized_return(returns, periods) / risk if risk else None


def fama_beta(returns: Sequence[float], benchmark: Sequence[float]) -> float | None:
    """The beta that a fully diversified portfolio of this deviation would have."""
    theirs = deviation(benchmark)
    return deviation(returns) / theirs if theirs else None


def net_selectivity(
    returns: Sequence[float], benchmark: Sequence[float], periods: int
) -> float | None:
    """Selectivity less what had to be earned for not being diversified."""
    alpha, slope = jensen_alpha(returns, benchmark, periods), beta(returns, benchmark)
    whole = fama_beta(returns, benchmark)
    if alpha is None or slope is None or whole is None:
        return None
    return alpha - (whole - slope) * annualized_return(benchmark, periods)


def m_squared(
    returns: Sequence[float], benchmark: Sequence[float], periods: int, riskless: float = 0.0
) -> float | None:
    """A year's return at the benchmark's risk (Modigliani)."""
    ours = deviation(returns)
    if not ours:
        return None
    excess = annualized_return(returns, periods) - riskless
    return excess * deviation(benchmark) / ours + riskless


def m_squared_sortino(
    returns: Sequence[float], benchmark: Sequence[float], periods: int, target: float
) -> float | None:
    """The same at the benchmark's downside risk below `target`, which is of one period."""
    root = sqrt(periods)
    ratio = sortino(returns, 1, target)
    if ratio is None:
        return None
    theirs, ours = downside_deviation(benchmark, target), downside_deviation(returns, target)
    return annualized_return(returns, periods) + ratio * (theirs - ours) * root


def omega_excess(
    returns: Sequence[float], benchmark: Sequence[float], periods: int, target: float
) -> float:
    """A year's return less what its downside risk, at that of the benchmark, should have paid."""
    downside = downside_deviation(returns, target) * downside_deviation(benchmark, target) * periods
    return annualized_return(returns, periods) - _RISK_PRICE * downside
