"""The simulator finds what it is there to find: a bug of each kind, planted, within a few seeds."""

from typing import Final

import pytest

from fondaco.app.simulation import simulate, text_of
from simulation.planted import PLANTS, planted

SEEDS_MAX: Final = 60
STEPS: Final = 120


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_found(name: str) -> None:
    for seed in range(SEEDS_MAX):
        with planted(name):
            report = simulate(seed, STEPS)
        if report.invariant:
            assert "fondaco sim --seed" in text_of(report)
            assert simulate(seed, STEPS).invariant == "", "it is found without the plant as well"
            return
    pytest.fail(f"not found by {SEEDS_MAX} seeds")
