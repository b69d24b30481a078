"""Call auctions as published: at which price they uncross, and how much (figures.md, O3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.venues.crossing.auction import Resting, Uncross, pairs, uncross
from fondaco.kernel.event import StreamId

A = StreamId("account/A")
ASX_BIDS = ((640, 500), (639, 500), (639, 500), (634, 1000), (633, 500))
ASX_ASKS = ((610, 1000), (640, 500), (641, 520), (642, 550), (643, 519))


def test_o3_the_opening_of_the_asx() -> None:
    """Most is executed from 610 to 639, least is left over from 635 on; buyers press: 639."""
    assert uncross(ASX_BIDS, ASX_ASKS, 0) == Uncross(639, 1000, 500)


@pytest.mark.parametrize(
    ("bids", "asks", "reference_px", "expected"),
    [
        ((), ASX_ASKS, 5, None),
        (((9, 1),), ((10, 1),), 9, None),
        # More sellers at all prices that execute most: the lowest.
        (((12, 5),), ((10, 9),), 12, Uncross(10, 5, -4)),
        # As many of both: the reference price, no further than where all is executed.
        (((12, 5),), ((10, 5),), 11, Uncross(11, 5, 0)),
        (((12, 5),), ((10, 5),), 99, Uncross(12, 5, 0)),
        (((12, 5),), ((10, 5),), 1, Uncross(10, 5, 0)),
        # Pressure on both sides: buyers at 10, sellers at 12; the nearer one to the reference.
        (((12, 5), (10, 3)), ((10, 5), (12, 3)), 13, Uncross(11, 5, 0)),
    ],
)
def test_each_rule_decides_where_the_one_before_it_does_not(
    bids: tuple[tuple[int, int], ...],
    asks: tuple[tuple[int, int], ...],
    reference_px: int,
    expected: Uncross | None,
) -> None:
    assert uncross(bids, asks, reference_px) == expected


levels = st.lists(st.tuples(st.integers(1, 15), st.integers(1, 9)), max_size=8)


@given(levels, levels, st.integers(0, 16))
def test_no_price_executes_more_or_leaves_less(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], reference_px: int
) -> None:
    """Compared with every tick there is; and who trades is who may, each no more than it has."""
    every = []
    for px in range(17):
        bought = sum(lots for at, lots in bids if at >= px)
        sold = sum(lots for at, lots in asks if at <= px)
        every.append((-min(bought, sold), abs(bought - sold), px))
    found = uncross(bids, asks, reference_px)
    if found is None:
        assert min(every)[0] == 0
        return
    assert (-found.lots, abs(found.surplus)) == min(every)[:2]
    buyers = [Resting(A, n, *each) for n, each in enumerate(sorted(bids, reverse=True))]
    sellers = [Resting(A, n, *each) for n, each in enumerate(sorted(asks))]
    matched = pairs(buyers, sellers, found)
    assert sum(lots for _, _, lots in matched) == found.lots
    for side, mine in ((buyers, 0), (sellers, 1)):
        for each in side:
            had = sum(lots for *both, lots in matched if both[mine] == each)
            assert had <= each.lots
            assert not had or (each.px >= found.px if mine == 0 else each.px <= found.px)
