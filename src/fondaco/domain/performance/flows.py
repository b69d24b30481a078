"""Returns of money that came and went: linked over time, or weighted by how much there was.

Amounts are of whatever unit they are given in, as long as it is one; a rate is 0.1 for ten per
cent. What an investor pays in is negative, what comes back is positive.
"""

from collections.abc import Callable, Sequence
from math import fsum, isfinite, prod
from typing import Final

YEAR_DAYS: Final = 365.0
_STEPS_MAX: Final = 200  # halvings: more than a float has digits
_HIGHEST: Final = 2.0**40
_LOWEST: Final = -1.0 + 2.0**-40


def linked(returns: Sequence[float]) -> float:
    """Of all periods, one after the other: time-weighted, if flows come between periods alone."""
    return prod(1.0 + each for each in returns) - 1.0


def composite(weights: Sequence[float], returns: Sequence[float]) -> float:
    """Of several portfolios; weights as they are, which is by value at the beginning, or with the
    flows that came weighed by time."""
    return fsum(w * r for w, r in zip(weights, returns, strict=True))


def modified_dietz(start: float, end: float, flows: Sequence[tuple[float, float]]) -> float | None:
    """The return of a period with `flows`: each the share of the period that was left when it came,
    and its amount. Bacon 2.5."""
    came = fsum(amount for _, amount in flows)
    capital = start + fsum(share * amount for share, amount in flows)
    return (end - start - came) / capital if capital else None


def internal_rate(flows: Sequence[tuple[float, float]]) -> float | None:
    """The rate of one unit of time at which flows, each a time and an amount, are worth nothing
    together. None where no rate does, or where nothing says which of several: a rate is found if
    what is worth less than nothing at one end is worth more at the other."""
    found = [(at, amount) for at, amount in flows if amount]
    if not any(amount < 0 for _, amount in found) or not any(amount > 0 for _, amount in found):
        return None
    first = min(at for at, _ in found)
    scale = max(abs(amount) for _, amount in found)

    def worth(rate: float) -> float:
        base = 1.0 + rate
        return fsum(amount / scale * base ** (first - at) for at, amount in found)

    return _root(worth)


def yearly_rate(flows: Sequence[tuple[float, float]]) -> float | None:
    """A year's, of flows on days, counted from any: XIRR of spreadsheets, actual days over 365."""
    return internal_rate([(day / YEAR_DAYS, amount) for day, amount in flows])


def _root(of: Callable[[float], float]) -> float | None:
    """From nought outwards, so that of several the nearest bracket is taken; then halved."""
    low, high = _bracket(of)
    if low == high:
        return None
    below = _at(of, low) < 0.0
    for _ in range(_STEPS_MAX):
        middle = low + (high - low) / 2.0
        if middle in (low, high):
            break
        if (_at(of, middle) < 0.0) == below:
            low = middle
        else:
            high = middle
    return low + (high - low) / 2.0


def _bracket(of: Callable[[float], float]) -> tuple[float, float]:
    """Two rates between which it changes its sign; twice the same where it never does."""
    up, down, step = 0.0, 0.0, 2.0**-6
    sign = _at(of, 0.0) < 0.0
    while up < _HIGHEST or down > _LOWEST:
        higher = min(up + step, _HIGHEST)
        if (_at(of, higher) < 0.0) != sign:
            return up, higher
        lower = max(_LOWEST, down - (1.0 + down) / 2.0)
        if (_at(of, lower) < 0.0) != sign:
            return lower, down
        up, down, step = higher, lower, step * 2.0
    return 0.0, 0.0


def _at(of: Callable[[float], float], rate: float) -> float:
    try:
        found = of(rate)
    except OverflowError:
        return float("inf")
    return found if isfinite(found) else float("inf")
