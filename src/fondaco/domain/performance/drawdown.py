"""Drawdowns of a curve: how far it was below its highest point so far, and for how long."""

from collections.abc import Iterable, Sequence

import msgspec


class Point(msgspec.Struct, frozen=True, gc=False):
    """A curve at a time; `value` in ledger units."""

    at: int
    value: int


class Drawdown(msgspec.Struct, frozen=True, gc=False):
    """From a peak to the lowest point after it, until the peak is reached again. `ended_at` 0: it
    is not over."""

    peak_at: int
    trough_at: int
    ended_at: int
    peak: int
    depth: int  # positive

    @property
    def ratio(self) -> float:
        """Of the peak; 0.0 where that is not positive."""
        return self.depth / self.peak if self.peak > 0 else 0.0


def drawdowns(curve: Iterable[Point]) -> list[Drawdown]:
    """In the order of their peaks."""
    found: list[Drawdown] = []
    peak = trough = None
    for point in curve:
        if peak is None or point.value >= peak.value:
            if peak is not None and trough is not None:
                found.append(_drawdown(peak, trough, point.at))
            peak, trough = point, None
        elif trough is None or point.value < trough.value:
            trough = point
    if peak is not None and trough is not None:
        found.append(_drawdown(peak, trough, 0))
    return found


def _drawdown(peak: Point, trough: Point, ended_at: int) -> Drawdown:
    return Drawdown(peak.at, trough.at, ended_at, peak.value, peak.value - trough.value)


def deepest(found: Sequence[Drawdown]) -> Drawdown | None:
    """By amount; of equals the first."""
    return max(found, key=lambda each: each.depth, default=None)


def longest_ns(found: Sequence[Drawdown], now: int) -> int:
    """From a peak until it was reached again, or until now."""
    return max(((each.ended_at or now) - each.peak_at for each in found), default=0)
