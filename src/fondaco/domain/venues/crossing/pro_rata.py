"""Who trades at a level where size ranks instead of time. Pure.

An incoming order is shared out among those who rest at the best price, in proportion to what they
show, rounded down; what rounding leaves goes to who came first. With a top order, whoever bettered
the market is served before that, and a share of a single lot is none: CME Globex's algorithm of
2005 (figure O1). Without, it is Derive's (figure O2).

What icebergs hide is shared out after all that is shown. Orders of the taker's own account come
last at their price: there self-match prevention says what happens.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from fondaco.domain.venues.crossing.matching import (
    CANCEL_NEWEST,
    CANCEL_OLDEST,
    CANCELED,
    CUT,
    DECREMENT,
    FILLED,
)

Row = tuple[int, int, int, int, int, int, int]  # id, owner, side, px, leaves, display, shown
Step = tuple[int, int, int, int]  # kind, id, px, lots
_ID, _OWNER, _PX, _LEAVES, _SHOWN = 0, 1, 3, 4, 6
LEAST_WITH_TOP: Final = 2  # lots of a share; fewer are none


def allocate(lots: int, resting: Sequence[int], *, least: int = 1) -> list[int]:
    """What each of those who rest, in the order of time, has of `lots`; a share of fewer than
    `least` is none. What is left then goes by time."""
    total = sum(resting)
    if lots >= total:
        return list(resting)
    parts = [lots * each // total for each in resting]
    parts = [part if part >= least else 0 for part in parts]
    left = lots - sum(parts)
    for nth, each in enumerate(resting):
        more = min(left, each - parts[nth])
        parts[nth] += more
        left -= more
    return parts


def plan(
    rows: Iterable[Row], lots: int, owner: int, mode: int, *, top: int = 0, least: int = 1
) -> list[Step]:
    """A taker's steps, as the kernel writes them down. `rows` are what it reaches, the best price
    first and by time within it; `top` is the order that is served first, 0 for none."""
    steps: list[Step] = []
    for px, level in groupby(rows, key=lambda row: row[_PX]):
        found = list(level)
        is_own = bool(owner and mode)
        others = [row for row in found if not (is_own and row[_OWNER] == owner)]
        for order_id, each in _level(others, lots, top, least):
            steps.append((FILLED, order_id, px, each))
            lots -= each
        own = [row for row in found if is_own and row[_OWNER] == owner]
        for step in _own(own, lots, mode):
            steps.append(step)
            lots -= step[3] if step[0] == CUT else 0
        if not lots or (own and mode not in (CANCEL_OLDEST, DECREMENT)):
            break
    return steps


def _level(rows: list[Row], lots: int, top: int, least: int) -> Iterator[tuple[int, int]]:
    """Who has how much of it: the top order, then what is shown, then what is hidden."""
    shown = {row[_ID]: row[_SHOWN] for row in rows}
    if top in shown:
        first = min(lots, shown[top])
        shown[top] -= first
        lots -= first
        yield top, first
    hidden = {row[_ID]: row[_LEAVES] - row[_SHOWN] for row in rows}
    for sizes in (shown, hidden):
        parts = allocate(lots, list(sizes.values()), least=least)
        lots -= sum(parts)
        for order_id, part in zip(sizes, parts, strict=True):
            if part:
                yield order_id, part


def _own(rows: list[Row], lots: int, mode: int) -> Iterator[Step]:
    """Of its own orders a taker meets those that it has lots left for."""
    for row in rows if mode != CANCEL_NEWEST else ():
        if not lots:
            return
        if mode == DECREMENT:
            part = min(lots, row[_LEAVES])
            lots -= part
            yield CUT, row[_ID], row[_PX], part
        else:
            yield CANCELED, row[_ID], row[_PX], row[_LEAVES]
            if mode != CANCEL_OLDEST:
                return
