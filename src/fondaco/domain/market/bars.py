"""Bars from trades: open, high, low, close and volume of fixed intervals, in bounded memory.

A trade belongs to the interval of its event time. Within an interval the order of arrival decides
which is first and last, so bars equal a recomputation from the list of trades.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from fondaco.domain.market.model import Bar, Trade
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

SECOND: Final = 1_000_000_000
INTERVALS: Final = {
    "1s": SECOND,
    "1m": 60 * SECOND,
    "5m": 300 * SECOND,
    "15m": 900 * SECOND,
    "1h": 3_600 * SECOND,
    "1d": 86_400 * SECOND,
}
KEPT: Final = 1_500  # bars of each interval; a day of minutes


class Bars:
    """The newest `kept` bars of every interval of one instrument. An interval without trades has
    no bar."""

    __slots__ = ("_kept", "_rows", "late")

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._rows = [(length, dict[int, Bar]()) for length in INTERVALS.values()]
        self.late = 0  # trades older than the oldest bar that was still there

    def add(self, trade: Trade) -> None:
        for length, row in self._rows:
            start = trade.event_at - trade.event_at % length
            bar = row.get(start)
            if bar is not None:
                row[start] = _with(bar, trade)
            elif not row or start > next(reversed(row)):
                row[start] = _first(start, trade)
                if len(row) > self._kept:
                    del row[next(iter(row))]
            else:
                self._insert(row, start, trade)

    def last(self, interval: str, limit: int) -> list[Bar]:
        """Up to `limit` bars, oldest first. Raises `Invalid` for an interval there is not."""
        if interval not in INTERVALS:
            raise Invalid(f"interval is {interval[:20]!r}, must be one of {', '.join(INTERVALS)}")
        row = dict(self._rows)[INTERVALS[interval]]
        return list(row.values())[-limit:] if limit > 0 else []

    def since(self, starts: Mapping[str, Instant]) -> dict[str, list[Bar]]:
        """Of each interval the bars that begin then or later; all of an interval not named."""
        found: dict[str, list[Bar]] = {}
        for interval, (_, row) in zip(INTERVALS, self._rows, strict=True):
            first, new = starts.get(interval, 0), []
            for start in reversed(row):
                if start < first:
                    break
                new.append(row[start])
            if new:
                found[interval] = new[::-1]
        return found

    def restore(self, interval: str, bars: Iterable[Bar]) -> None:
        """What was known of an interval before this process began, oldest first. A bar that has
        begun since stays as it is."""
        row = dict(self._rows)[INTERVALS[interval]]
        known = {bar.start: bar for bar in bars} | row
        kept = sorted(known.items())[-self._kept :]
        row.clear()
        row.update(kept)

    def _insert(self, row: dict[int, Bar], start: int, trade: Trade) -> None:
        """A trade of an interval that had none when later ones already had: rare, so it sorts."""
        if len(row) == self._kept and start < next(iter(row)):
            self.late += 1
            return
        row[start] = _first(start, trade)
        ordered = sorted(row.items())[-self._kept :]
        row.clear()
        row.update(ordered)


def bars_of(trades: Iterable[Trade], length_ns: int) -> list[Bar]:
    """All bars of one interval, from the whole list: the definition that `Bars` is held to."""
    found: dict[int, list[Trade]] = {}
    for trade in trades:
        found.setdefault(trade.event_at // length_ns * length_ns, []).append(trade)
    return [
        Bar(
            start=Instant(start),
            open=of[0].px,
            high=max(trade.px for trade in of),
            low=min(trade.px for trade in of),
            close=of[-1].px,
            volume=sum(trade.qty for trade in of),
            buy_volume=sum(trade.qty for trade in of if trade.aggressor == "buy"),
            trades=len(of),
        )
        for start, of in sorted(found.items())
    ]


def _first(start: int, trade: Trade) -> Bar:
    px, qty = trade.px, trade.qty
    bought = qty if trade.aggressor == "buy" else 0
    return Bar(Instant(start), px, px, px, px, qty, bought, 1)


def _with(bar: Bar, trade: Trade) -> Bar:
    px, qty = trade.px, trade.qty
    return Bar(
        bar.start,
        bar.open,
        px if px > bar.high else bar.high,
        px if px < bar.low else bar.low,
        px,
        bar.volume + qty,
        bar.buy_volume + (qty if trade.aggressor == "buy" else 0),
        bar.trades + 1,
    )
