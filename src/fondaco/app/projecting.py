"""Projections on all cores: parts of the paths in processes of their own, and the same numbers for
any number of them."""

import os
from typing import Final

from fondaco.domain.performance.projection import (
    Plan,
    Projection,
    Walked,
    check,
    projection,
    walk,
)
from fondaco.ports.compute import Pool
from fondaco.ports.compute.processes import Processes

PART: Final = 500  # paths of one turn of a worker


def parts(plan: Plan) -> list[tuple[Plan, int, int]]:
    """What workers are given."""
    firsts = range(0, plan.paths, PART)
    return [(plan, first, min(PART, plan.paths - first)) for first in firsts]


def projected(plan: Plan, workers: int = 0, pool: Pool | None = None) -> Projection:
    """`workers` 0: all cores; or those of a `pool`. Raises `Invalid` for what cannot be walked."""
    check(plan)
    found: list[Walked] = []
    given = parts(plan)
    count = min(workers or os.cpu_count() or 1, len(given))
    if pool is None and count == 1:
        return projection(plan, [each for part in given for each in walk(*part)])
    walkers = pool or Processes(count, has_threads=False)
    try:
        for each in [walkers.submit(walk, *part) for part in given]:
            found += each.result()
    finally:
        if pool is None:
            walkers.close()
    return projection(plan, found)
