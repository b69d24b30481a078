"""Ratios of a series of periodic returns, as C. Bacon, Practical Portfolio Performance Measurement
and Attribution (2nd ed. 2008) defines them; `periods` is how many there are in a year, and whoever
shows an annualised figure says which it was.

Deviations divide by the number of returns unless told otherwise. A ratio whose denominator is
nought is None.
"""

from collections.abc import Sequence
from math import fsum, prod, sqrt


def mean(returns: Sequence[float]) -> float:
    return fsum(returns) / len(returns)


def annualized_return(returns: Sequence[float], periods: int) -> float:
    """Geometric: (1 + total) to the power of a year's share, less one."""
    return float(prod(1.0 + each for each in returns) ** (periods / len(returns))) - 1.0


def deviation(returns: Sequence[float], *, of_sample: bool = False) -> float:
    """Standard deviation of one period; of a sample: divided by n - 1."""
    middle, count = mean(returns), len(returns) - of_sample
    return sqrt(fsum((each - middle) ** 2 for each in returns) / count) if count > 0 else 0.0


def mean_absolute_deviation(returns: Sequence[float]) -> float:
    middle = mean(returns)
    return fsum(abs(each - middle) for each in returns) / len(returns)


def downside_deviation(returns: Sequence[float], target: float = 0.0) -> float:
    """Below the target, over all periods."""
    return sqrt(fsum(min(each - target, 0.0) ** 2 for each in returns) / len(returns))


def upside_risk(returns: Sequence[float], target: float = 0.0) -> float:
    return sqrt(fsum(max(each - target, 0.0) ** 2 for each in returns) / len(returns))


def downside_potential(returns: Sequence[float], target: float = 0.0) -> float:
    return fsum(max(target - each, 0.0) for each in returns) / len(returns)


def upside_potential(returns: Sequence[float], target: float = 0.0) -> float:
    return fsum(max(each - target, 0.0) for each in returns) / len(returns)


def downside_frequency(returns: Sequence[float], target: float = 0.0) -> float:
    return sum(each < target for each in returns) / len(returns)


def upside_frequency(returns: Sequence[float], target: float = 0.0) -> float:
    return sum(each > target for each in returns) / len(returns)


def sharpe(returns: Sequence[float], periods: int, riskless: float = 0.0) -> float | None:
    """Annualised mean excess over annualised deviation of a sample; `riskless` is of one period."""
    spread = deviation(returns, of_sample=True)
    return (mean(returns) - riskless) / spread * sqrt(periods) if spread else None


def sortino(returns: Sequence[float], periods: int, target: float = 0.0) -> float | None:
    below = downside_deviation(returns, target)
    return (mean(returns) - target) / below * sqrt(periods) if below else None


def calmar(returns: Sequence[float], periods: int) -> float | None:
    """Annualised return over the deepest drawdown."""
    depth = max_drawdown(returns)
    return annualized_return(returns, periods) / depth if depth else None


def bernardo_ledoit(returns: Sequence[float]) -> float | None:
    """What was gained over what was lost: the profit factor of periods, or Omega at nought."""
    lost = fsum(-each for each in returns if each < 0.0)
    return fsum(each for each in returns if each > 0.0) / lost if lost else None


def d_ratio(returns: Sequence[float]) -> float | None:
    """Losses over gains, each weighed by how many there are of it."""
    lost, gained = [e for e in returns if e < 0.0], [e for e in returns if e > 0.0]
    if not gained:
        return None
    return len(lost) * fsum(-each for each in lost) / (len(gained) * fsum(gained))


def omega_sharpe(returns: Sequence[float], target: float = 0.0) -> float | None:
    below = downside_potential(returns, target)
    return (upside_potential(returns, target) - below) / below if below else None


def kurtosis(returns: Sequence[float]) -> float:
    """The fourth moment over the square of the second; 3 of a normal distribution."""
    middle = mean(returns)
    second = fsum((each - middle) ** 2 for each in returns) / len(returns)
    fourth = fsum((each - middle) ** 4 for each in returns) / len(returns)
    return fourth / second**2 if second else 0.0


def sample_kurtosis(returns: Sequence[float]) -> float | None:
    """Of a sample, as spreadsheets have it before they take 3 (n - 1)^2 / ((n - 2) (n - 3)) off;
    None of fewer than four returns, or of equal ones."""
    n, spread, middle = len(returns), deviation(returns, of_sample=True), mean(returns)
    if n < 4 or not spread:
        return None
    fourth = fsum(((each - middle) / spread) ** 4 for each in returns)
    return n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * fourth


def skewness(returns: Sequence[float]) -> float:
    middle = mean(returns)
    second = fsum((each - middle) ** 2 for each in returns) / len(returns)
    third = fsum((each - middle) ** 3 for each in returns) / len(returns)
    return float(third / second**1.5) if second else 0.0


def skewness_kurtosis(returns: Sequence[float]) -> float | None:
    peaked = kurtosis(returns)
    return skewness(returns) / peaked if peaked else None


def adjusted_sharpe(returns: Sequence[float], periods: int) -> float | None:
    """Of the annualised return over the annualised deviation of a sample, less for lopsided and for
    fat tails (Pezier)."""
    spread = deviation(returns, of_sample=True) * sqrt(periods)
    if not spread:
        return None
    plain = annualized_return(returns, periods) / spread
    tails = (kurtosis(returns) - 3.0) / 24.0 * plain**2
    return plain * (1.0 + skewness(returns) / 6.0 * plain - tails)


def kappa(returns: Sequence[float], target: float = 0.0, order: int = 2) -> float | None:
    """Mean excess over the root of the lower partial moment of an order; at 2 it is Sortino's, of
    one period."""
    below = fsum(max(target - each, 0.0) ** order for each in returns) / len(returns)
    return (mean(returns) - target) / float(below ** (1.0 / order)) if below else None


def prospect_ratio(returns: Sequence[float], target: float = 0.0) -> float | None:
    """Losses hurt 2.25 times as much as gains please (Watanabe)."""
    below = downside_deviation(returns, target)
    felt = fsum(max(each, 0.0) + 2.25 * min(each, 0.0) for each in returns) / len(returns)
    return (felt - target) / below if below else None


def volatility_skewness(returns: Sequence[float], target: float = 0.0) -> float | None:
    """Upside variance over downside variance; its root is the variability skewness."""
    below = downside_deviation(returns, target)
    return (upside_risk(returns, target) / below) ** 2 if below else None


def losing_runs(returns: Sequence[float]) -> list[float]:
    """What each unbroken run of losing periods has lost, added up and not compounded."""
    found: list[float] = []
    before = 0.0
    for each in returns:
        if each < 0.0:
            lost = found.pop() if before < 0.0 else 0.0
            found.append(lost - each)
        before = each
    return found


def burke(returns: Sequence[float], periods: int) -> float | None:
    """Annualised return over the root of the squares of losing runs."""
    squares = fsum(each**2 for each in losing_runs(returns))
    return annualized_return(returns, periods) / sqrt(squares) if squares else None


def modified_burke(returns: Sequence[float], periods: int) -> float | None:
    """The same, of the mean over all periods."""
    plain = burke(returns, periods)
    return None if plain is None else plain * sqrt(len(returns))


def pain_ratio(returns: Sequence[float], periods: int) -> float | None:
    pain = pain_index(returns)
    return annualized_return(returns, periods) / pain if pain else None


def martin_ratio(returns: Sequence[float], periods: int) -> float | None:
    """Annualised return over the Ulcer index."""
    ulcer = ulcer_index(returns)
    return annualized_return(returns, periods) / ulcer if ulcer else None


def drawdown_series(returns: Sequence[float]) -> list[float]:
    """After each period, how far below its highest wealth an investor is, from 0.0 to 1.0."""
    wealth = peak = 1.0
    found = []
    for each in returns:
        wealth *= 1.0 + each
        peak = max(peak, wealth)
        found.append(1.0 - wealth / peak)
    return found


def max_drawdown(returns: Sequence[float]) -> float:
    return max(drawdown_series(returns), default=0.0)


def pain_index(returns: Sequence[float]) -> float:
    """Mean drawdown over all periods."""
    return mean(drawdown_series(returns))


def ulcer_index(returns: Sequence[float]) -> float:
    """Root of the mean squared drawdown."""
    return sqrt(mean([each**2 for each in drawdown_series(returns)]))
