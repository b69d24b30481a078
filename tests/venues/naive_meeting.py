"""The obvious way to meet in the dark: everybody is looked at again after each trade. An oracle."""

from fractions import Fraction
from typing import NamedTuple


class Waits(NamedTuple):
    """`place` says who came first; `account` is whose it is."""

    place: int
    account: str
    is_buy: bool
    px: int
    leaves: int
    least: int


def meet(orders: list[Waits], middle: Fraction, newcomers: list[int]) -> list[tuple[int, int, int]]:
    """(buyer, seller, lots) of every trade, in order. `newcomers` take in turn; so does, behind
    them, whoever a trade leaves with less than its least."""
    left = {each.place: each.leaves for each in orders}
    by_place = {each.place: each for each in orders}
    eligible = [
        each for each in sorted(orders) if (each.px >= middle if each.is_buy else each.px <= middle)
    ]
    trades: list[tuple[int, int, int]] = []
    turns = list(newcomers)
    while turns:
        taker = by_place[turns.pop(0)]
        if taker not in eligible:
            continue
        for maker in eligible:
            if maker.is_buy == taker.is_buy or maker.account == taker.account:
                continue
            lots = min(left[maker.place], left[taker.place])
            wanted = [min(each.least, left[each.place]) for each in (maker, taker)]
            if not lots or lots < max(wanted):
                continue
            buyer, seller = (taker, maker) if taker.is_buy else (maker, taker)
            trades.append((buyer.place, seller.place, lots))
            for each in (maker, taker):
                left[each.place] -= lots
                again = 0 < left[each.place] < each.least
                if again and each.place not in turns:
                    turns.append(each.place)
    return trades


def could_trade(orders: list[Waits], middle: Fraction) -> bool:
    """Whether any two of them would."""
    return any(
        one.is_buy
        and not other.is_buy
        and one.account != other.account
        and other.px <= middle <= one.px
        and min(one.leaves, other.leaves) >= min(one.least, one.leaves)
        and min(one.leaves, other.leaves) >= min(other.least, other.leaves)
        for one in orders
        for other in orders
    )
