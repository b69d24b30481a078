"""The risk of ruin of somebody who goes on to trade as before.

Where each trade is drawn anew from the trades that were made, Lundberg's inequality bounds the
probability of ever losing a capital c by exp(-r c); r > 0 is the adjustment coefficient, for which
the mean of exp(-r x) over the trades x is one. Without a gain on average there is none, and ruin is
certain. For one who wins or loses one stake at a time it is no bound but the truth: r is ln(p / q),
and (q / p)^c the closed form of the gambler's ruin.

Sources: W. Feller, An Introduction to Probability Theory and Its Applications I (3rd ed. 1968),
XIV.2 (2.4) and (2.8); S. Asmussen and H. Albrecher, Ruin Probabilities (2nd ed. 2010), IV.5.
"""

from collections.abc import Sequence
from math import exp, expm1, fsum, inf

_STEPS = 200  # of a bisection: more than a double has digits


def adjustment_coefficient(trades: Sequence[float]) -> float:
    """Per unit of what `trades` are in. 0.0 without a gain on average, infinite without a loss."""
    if not trades or fsum(trades) <= 0.0:
        return 0.0
    worst = min(trades)
    if worst >= 0.0:
        return inf
    scale = -worst  # so that no exponent is larger than what is tried

    def beyond(rate: float) -> bool:
        return fsum(expm1(-rate * each / scale) for each in trades) > 0.0

    low, high = 0.0, 1.0
    while not beyond(high):
        low, high = high, 2.0 * high
        if high > 600.0:  # of e: nobody will live to see it
            return inf
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        if not low < middle < high:
            break
        if beyond(middle):
            high = middle
        else:
            low = middle
    return low / scale


def risk_of_ruin(trades: Sequence[float], capital: float) -> float:
    """At most so probable is it that `capital` is ever lost; both are in the same unit."""
    rate = adjustment_coefficient(trades)
    if rate == 0.0 or capital <= 0.0:
        return 1.0
    return 0.0 if rate == inf else exp(-rate * capital)


def gamblers_ruin(win: float, start: int, target: int) -> float:
    """How probable it is to lose `start` stakes before there are `target`, one at a time, when each
    is won with probability `win`: Feller XIV (2.4), (2.5)."""
    if win == 0.5:
        return 1.0 - start / target
    odds = (1.0 - win) / win
    if odds > 1.0:  # turned round, so that nothing overflows
        back = 1.0 / odds
        return float((1.0 - back ** (target - start)) / (1.0 - back**target))
    return float((odds**start - odds**target) / (1.0 - odds**target))
