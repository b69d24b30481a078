"""Who meets whom in the dark. Pure.

All meet at the one price that the middle of the lit book is, so that time alone says who goes
first. An execution is between two orders of different accounts and at least as large as either
wants it; of what is less than its minimum, an order executes all or nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import Side
from fondaco.domain.venues.midpoint.model import Hidden

LOTS_MAX: Final = 2**62
_BUY: Final = Side.BUY


class Meeting:
    """One turn. It works on copies: `met` is what happens, the orders stay as they are."""

    def __init__(self, orders: Iterable[Hidden], twice: int) -> None:
        """`orders` come as they came; those whose limit the middle is beyond take no part."""
        self._twice = twice
        self._sides: dict[Side, list[_Open]] = {side: [] for side in Side}
        self._open: dict[int, _Open] = {}
        for order in orders:
            if may_meet(order, twice):
                self._open[order.place] = each = _Open(order)
                self._sides[order.side].append(each)
        self.fills: dict[int, list[Fill]] = {}  # by place

    def let(self, places: Iterable[int]) -> None:
        """Each of these takes what it can have, and so does whom that leaves with less than its
        minimum, until nobody can have anything."""
        waiting = {place: True for place in places if place in self._open}
        while waiting:
            place = next(iter(waiting))
            del waiting[place]
            self._take(self._open[place], waiting)

    def _take(self, taker: "_Open", waiting: dict[int, bool]) -> None:
        others = self._sides[Side.SELL if taker.order.side is _BUY else _BUY]
        for maker in others:
            if not taker.left:
                break
            lots = min(taker.left, maker.left)
            if (
                not lots
                or lots < taker.least
                or lots < maker.least
                or taker.order.account_stream == maker.order.account_stream
            ):
                continue
            for each in (maker, taker):
                each.left -= lots
                self.fills.setdefault(each.order.place, []).extend(at_middle(self._twice, lots))
                if 0 < each.left < each.order.min_lots:
                    waiting[each.order.place] = True


class _Open:
    """An order with what it has left in this turn."""

    __slots__ = ("left", "order")

    def __init__(self, order: Hidden) -> None:
        self.order = order
        self.left = order.leaves_lots

    @property
    def least(self) -> int:
        return min(self.order.min_lots, self.left)


def may_meet(order: Hidden, twice: int) -> bool:
    """Whether the middle is no worse than its limit."""
    return 2 * order.px >= twice if order.side is _BUY else 2 * order.px <= twice


def at_middle(twice: int, lots: int) -> list[Fill]:
    """`lots` at the middle. Where that lies between two ticks, half of them at each; a lot that
    cannot be halved goes at the even tick, as amounts are rounded here."""
    low = twice // 2
    if twice % 2 == 0:
        return [Fill(low, lots)]
    half = lots // 2
    at_low, at_high = (lots - half, half) if low % 2 == 0 else (half, lots - half)
    return [Fill(px, each) for px, each in ((low, at_low), (low + 1, at_high)) if each]


def could_meet(orders: Sequence[Hidden], twice: int) -> bool:
    """Whether it is worth a turn to look. Never no where somebody could meet somebody."""
    most, least = dict.fromkeys(Side, 0), dict.fromkeys(Side, LOTS_MAX)
    for order in orders:
        if may_meet(order, twice):
            side = order.side
            most[side] = max(most[side], order.leaves_lots)
            least[side] = min(least[side], order.least)
    return most[_BUY] >= least[Side.SELL] and most[Side.SELL] >= least[_BUY]
