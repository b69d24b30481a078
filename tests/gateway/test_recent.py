"""What was counted lately: percentiles are those of the answers, to within a bucket."""

from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.gateway.recent import EDGES_S, Recent, latency
from fondaco.gateway.tally import EDGES_S as SHOWN
from fondaco.gateway.tally import Tally, counted
from fondaco.kernel.event import Instant

SECOND = 1_000_000_000
TIMES = st.lists(st.floats(1e-5, 9.0), min_size=1, max_size=300)


def test_edges_grow_by_little_and_hold_those_that_metrics_show() -> None:
    assert list(EDGES_S) == sorted(set(EDGES_S))
    assert all(after / before < 1.16 for before, after in pairwise(EDGES_S))
    assert set(SHOWN) <= set(EDGES_S)


@given(TIMES)
def test_buckets_that_metrics_show_are_those_of_the_times(times: list[float]) -> None:
    tally = Tally()
    for each in times:
        tally.add(201, each)
    naive = [0] * (len(SHOWN) + 1)
    for each in times:
        naive[bisect_left(SHOWN, each)] += 1
    assert tally.buckets == naive


@given(TIMES, TIMES)
def test_a_percentile_is_the_time_at_its_rank_to_within_a_bucket(
    early: list[float], late: list[float]
) -> None:
    tally = Tally()
    lately = Recent(lambda: counted([tally]))
    for nth, times in enumerate((early, late)):
        for each in times:
            tally.add(201, each)
        lately.tick(Instant((nth + 1) * SECOND), position=10 * nth)
    for since, times in ((0, early + late), (SECOND, late)):
        found = latency(lately.seconds(Instant(since)))
        assert found.answered == len(times)
        for share, edge in ((500, found.p50_s), (990, found.p99_s), (999, found.p999_s)):
            exact = sorted(times)[-(-len(times) * share // 1_000) - 1]
            assert edge is not None
            assert exact <= edge or exact > EDGES_S[-1]
            assert edge <= exact * 1.16 or edge == EDGES_S[0]


def test_a_second_has_what_came_in_it_and_steps_have_gaps_where_nobody_looked() -> None:
    tally = Tally()
    lately = Recent(lambda: counted([tally]), kept=3)
    assert latency(lately.seconds(Instant(0))) == (0, None, None, None)
    for at, position in ((1, 5), (2, 9), (9, 9), (10, 11)):
        tally.add(201 if at != 9 else 409, 0.004)
        lately.tick(Instant(at * SECOND), position)
    kept = lately.seconds(Instant(0))
    assert [(each.at // SECOND, each.refused, each.entries) for each in kept] == [
        (2, 0, 4),
        (9, 1, 0),
        (10, 0, 2),
    ]
    assert [at // SECOND for at, _ in lately.steps(Instant(0), 5)] == [5, 10, 15]
    assert latency(kept).p50_s == 0.0043


@pytest.mark.parametrize("seconds", [20.0, 1e9])
def test_what_is_beyond_every_edge_counts_as_the_last(seconds: float) -> None:
    tally = Tally()
    lately = Recent(lambda: counted([tally]))
    tally.add(201, seconds)
    lately.tick(Instant(SECOND), 1)
    assert latency(lately.seconds(Instant(0))).p99_s == EDGES_S[-1]
    assert tally.buckets[-1] == 1
