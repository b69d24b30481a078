"""The simulator finds what it is there to find: a bug of each kind, planted, within a few seeds."""

from typing import Final

import pytest

from fondaco.app.simulation import simulate, text_of
from simulation.planted import PLANTS, planted

SEEDS_MAX: Final = 60
# Where the search begins, to spare the seeds that find nothing. One that is out of date costs time.
FIRST: Final = {
    "a_message_overtakes_those_that_wait": 38,
    "a_night_is_charged_only_where_somebody_asks": 26,
    "an_auction_forgets_the_last_pair": 43,
    "our_book_forgets_an_order_at_a_start": 8,
}
STEPS: Final = 120


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_found(name: str) -> None:
    first = FIRST.get(name, 0)
    for seed in (*range(first, SEEDS_MAX), *range(first)):
        with planted(name):
            report = simulate(seed, STEPS)
        if report.invariant:
            assert "fondaco sim --seed" in text_of(report)
            assert simulate(seed, STEPS).invariant == "", "it is found without the plant as well"
            return
    pytest.fail(f"not found by {SEEDS_MAX} seeds")
