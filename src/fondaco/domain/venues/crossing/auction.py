"""The call auction: at which one price most is executed. Pure.

The rules of the ASX's opening: of all prices the one that (1) executes most; of those the one that
(2) leaves least over; of those, (3) where all leave buyers over the highest, where all leave
sellers over the lowest; else (4) the one that is nearest to the reference price.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from fondaco.kernel.event import StreamId

Levels = Sequence[tuple[int, int]]
_NEAR: Final = (-1, 0, 1)  # ticks: between two limits all prices execute the same


class Uncross(NamedTuple):
    """`surplus` lots would buy (above 0) or sell (below 0) at `px` and find nobody."""

    px: int
    lots: int
    surplus: int


class Resting(NamedTuple):
    """One order in an auction, hidden lots included."""

    account_stream: StreamId
    number: int
    px: int
    lots: int


def uncross(bids: Levels, asks: Levels, reference_px: int) -> Uncross | None:
    """What an auction of these (ticks, lots) gives; None where nothing would execute."""
    at = _Curves(bids, asks).at
    found = [at(px) for px in _candidates(bids, asks)]
    most = max((each.lots for each in found), default=0)
    if not most:
        return None
    found = [each for each in found if each.lots == most]
    least = min(abs(each.surplus) for each in found)
    found = [each for each in found if abs(each.surplus) == least]
    if all(each.surplus > 0 for each in found):
        return found[-1]
    if all(each.surplus < 0 for each in found):
        return found[0]
    px = min(max(reference_px, found[0].px), found[-1].px)
    at_reference = at(px)
    if (at_reference.lots, abs(at_reference.surplus)) == (most, least):
        return at_reference
    return min(found, key=lambda each: (abs(each.px - reference_px), each.px))


def _candidates(bids: Levels, asks: Levels) -> list[int]:
    if not bids or not asks:
        return []
    low, high = min(px for px, _ in asks), max(px for px, _ in bids)
    near = {px + step for px, _ in (*bids, *asks) for step in _NEAR}
    return sorted(px for px in near if low <= px <= high)


class _Curves:
    """Demand and supply as sums by price, so that each price is looked up and not added up."""

    def __init__(self, bids: Levels, asks: Levels) -> None:
        self._bids, self._asks = sorted(bids), sorted(asks)
        self._bought = [0, *accumulate(lots for _, lots in self._bids)]
        self._sold = [0, *accumulate(lots for _, lots in self._asks)]

    def at(self, px: int) -> Uncross:
        below = bisect_left(self._bids, px, key=_price)
        bought = self._bought[-1] - self._bought[below]
        sold = self._sold[bisect_right(self._asks, px, key=_price)]
        return Uncross(px, min(bought, sold), bought - sold)


def _price(level: tuple[int, int]) -> int:
    return level[0]


def pairs(
    buyers: Sequence[Resting], sellers: Sequence[Resting], uncrossed: Uncross
) -> list[tuple[Resting, Resting, int]]:
    """Who trades how much with whom. Both come in price-time priority.

    An owner may meet itself here: in an auction nobody chooses whom to meet, so prevention does not
    apply, as at the exchanges that have both.
    """
    ends_bought = [min(end, uncrossed.lots) for end in accumulate(each.lots for each in buyers)]
    ends_sold = [min(end, uncrossed.lots) for end in accumulate(each.lots for each in sellers)]
    found: list[tuple[Resting, Resting, int]] = []
    done = b = s = 0
    while done < uncrossed.lots:
        end = min(ends_bought[b], ends_sold[s])
        if end > done:
            found.append((buyers[b], sellers[s], end - done))
        b += ends_bought[b] == end
        s += ends_sold[s] == end
        done = end
    return found
