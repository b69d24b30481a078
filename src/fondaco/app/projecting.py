"""Projections on all cores: parts of the paths in processes of their own, and the same numbers for
any number of them."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from fondaco.domain.performance.projection import (
    Plan,
    Projection,
    Walked,
    check,
    projection,
    walk,
)

PART: Final = 500  # paths of one turn of a worker


def projected(plan: Plan, workers: int = 0) -> Projection:
    """`workers` 0: all cores. Raises `Invalid` for what cannot be walked."""
    check(plan)
    firsts = range(0, plan.paths, PART)
    parts = [(plan, first, min(PART, plan.paths - first)) for first in firsts]
    count = min(workers or os.cpu_count() or 1, len(parts))
    if count == 1:
        return projection(plan, [each for part in parts for each in _walk(part)])
    how = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    with ProcessPoolExecutor(count, multiprocessing.get_context(how)) as pool:
        return projection(plan, [each for found in pool.map(_walk, parts) for each in found])


def _walk(part: tuple[Plan, int, int]) -> list[Walked]:
    return walk(*part)
