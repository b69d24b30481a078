"""Days on which a session behaves otherwise, with nothing in them that breaks a rule.

Whoever holds a stolen session and knows the thirty patterns would trade like this.
"""

from collections.abc import Callable, Mapping
from typing import Final

from fondaco.domain.surveillance.fix.drill.line import MS, TradingLine

Behaviour = Callable[[TradingLine], None]


def larger(line: TradingLine) -> None:
    """Orders three times as large: far under what a fat finger is."""
    line.size *= 3


def creeping(line: TradingLine) -> None:
    """Orders two thirds larger: no single one stands out."""
    line.size = line.size * 5 // 3


def faster(line: TradingLine) -> None:
    """Orders, and everything else, six times as often."""
    line.pace = 6


def one_sided(line: TradingLine) -> None:
    """Nothing but buys."""
    line.sides = (b"1", b"1")


def canceling(line: TradingLine) -> None:
    """Every order is canceled, at the usual pace."""
    line.fates = (7,) * 10


def slow_answers(line: TradingLine) -> None:
    """Somebody stands between the line and its venue, and takes 60 ms to read."""
    line.delay = 60 * MS


BEHAVIOURS: Final[Mapping[str, Behaviour]] = {
    "larger": larger,
    "creeping": creeping,
    "faster": faster,
    "one-sided": one_sided,
    "canceling": canceling,
    "slow": slow_answers,
}
