"""Runs the simulation of a tier on all cores: parts of the paths in processes of their own."""

import math
import multiprocessing
import os
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeAlias

import msgspec

from fondaco.domain.evaluation.model import Tier
from fondaco.domain.evaluation.simulation.odds import COLUMNS, Odds, RuleEffect, odds, variants
from fondaco.domain.evaluation.simulation.traders import Trader, paths_of
from fondaco.kernel.errors import Invalid

PATHS_MAX: Final = 10_000_000
PART: Final = 20_000  # paths of one turn of a worker
_ALONE: Final = 20_000  # so few are done before a second process has begun

Told: TypeAlias = Callable[[int, int], None]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What is simulated. `days`: how long a phase is watched, 0 until it ends. `workers` 0: all."""

    paths: int = 100_000
    seed: int = 1
    days: int = 60
    funded_days: int = 180
    workers: int = 0
    sales: int = 1_000
    capital: float = 0.0


Part: TypeAlias = tuple[Tier, Trader, Run, int, int]  # the first path, and how many


def simulate(tier: Tier, trader: Trader, run: Run, told: Told | None = None) -> Odds:
    """The odds of one kind of trader in a tier; the same for any number of workers.

    `told` hears how many paths are done, and of how many. Raises `Invalid` for what cannot be run.
    """
    with _workers(run) as pool:
        return _odds(pool, tier, trader, run, told)


def sensitivity(
    tier: Tier, trader: Trader, run: Run, told: Told | None = None
) -> tuple[Odds, list[RuleEffect]]:
    """The odds, and what each rule of the tier does to them: the same dice with another rule."""
    check(tier, run)
    changes = list(variants(tier))
    total = run.paths * (len(changes) + 1)

    def tell(nth: int) -> Told | None:
        return (lambda done, _: told(nth * run.paths + done, total)) if told else None

    effects: list[RuleEffect] = []
    with _workers(run) as pool:
        is_now = _odds(pool, tier, trader, run, tell(0))
        for nth, (rule, change, other) in enumerate(changes, 1):
            would = _odds(pool, other, trader, run, tell(nth))
            effects.append(
                RuleEffect(
                    rule=rule,
                    change=change,
                    pass_probability=would.pass_probability,
                    pass_change=would.pass_probability - is_now.pass_probability,
                    firm_profit_mean=would.firm_profit_mean,
                    firm_profit_change=would.firm_profit_mean - is_now.firm_profit_mean,
                )
            )
    return is_now, effects


def check(tier: Tier, run: Run) -> None:
    """Raises `Invalid` for what cannot be run."""
    for name, value, low, high in (
        ("paths", run.paths, 1, PATHS_MAX),
        ("seed", run.seed, 0, (1 << 64) - 1),
        ("days", run.days, 0, 3_660),
        ("funded-days", run.funded_days, 1, 3_660),
        ("sales", run.sales, 1, 1_000_000),
        ("workers", run.workers, 0, 1_024),
    ):
        if not low <= value <= high:
            raise Invalid(f"{name} is {value}, must be from {low} to {high}")
    if not math.isfinite(run.capital) or run.capital < 0:
        raise Invalid(f"capital is {run.capital}, must be 0 or more")
    if not run.days and not all(each.target and each.overall_loss for each in tier.phases):
        raise Invalid("days is 0, and a phase without a target or an overall loss may never end")


def _odds(
    pool: ProcessPoolExecutor | None, tier: Tier, trader: Trader, run: Run, told: Told | None
) -> Odds:
    rows, done = array("q"), 0
    parts = parts_of(tier, trader, run)
    for found in pool.map(walked, parts) if pool else map(walked, parts):
        rows.frombytes(found)
        done = len(rows) // COLUMNS
        if told:
            told(done, run.paths)
    return odds(tier, rows, sales=run.sales, capital=run.capital)


def parts_of(tier: Tier, trader: Trader, run: Run) -> list[Part]:
    """What workers are given. Raises `Invalid` for what cannot be run."""
    check(tier, run)
    paths_of(tier, trader, days=run.days, funded_days=run.funded_days)  # says what is wrong, here
    firsts = range(0, run.paths, PART)
    return [(tier, trader, run, first, min(PART, run.paths - first)) for first in firsts]


def odds_of(tier: Tier, rows: bytes, run: Run) -> Odds:
    """Of the rows of all parts, in their order."""
    found = array("q")
    found.frombytes(rows)
    return odds(tier, found, sales=run.sales, capital=run.capital)


def walked(asked: Part) -> bytes:
    """The rows of some of the paths; they are the same whoever walks them."""
    tier, trader, run, first, count = asked
    paths = paths_of(tier, trader, days=run.days, funded_days=run.funded_days)
    found = array("q", bytes(8 * COLUMNS * count))
    paths.run(run.seed, first, count, found)
    return found.tobytes()


@contextmanager
def _workers(run: Run) -> Iterator[ProcessPoolExecutor | None]:
    count = run.workers or os.cpu_count() or 1
    if count == 1 or run.paths <= _ALONE:
        yield None
        return
    how = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    with ProcessPoolExecutor(count, multiprocessing.get_context(how)) as pool:
        yield pool
