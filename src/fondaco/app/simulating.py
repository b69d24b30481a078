"""Runs the simulation of a tier on all cores: parts of the paths in processes of their own."""

import math
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple, TypeAlias

import msgspec

from fondaco.domain.evaluation.model import Tier
from fondaco.domain.evaluation.simulation.odds import (
    COLUMNS,
    Firm,
    Odds,
    RuleEffect,
    change_se,
    lowest_of,
    odds,
    passes_of,
    variants,
)
from fondaco.domain.evaluation.simulation.traders import ALONE, Crowd, Trader, paths_of
from fondaco.kernel.errors import Invalid
from fondaco.ports.compute import Pool
from fondaco.ports.compute.processes import Processes

PATHS_MAX: Final = 10_000_000
OPEN_DAYS: Final = 3_660  # of a phase that is watched until it ends
PART: Final = 20_000  # paths of one turn of a worker
_ALONE: Final = 20_000  # so few are done before a second process has begun

Told: TypeAlias = Callable[[int, int], None]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What is simulated. `days`: how long a phase is watched, 0 until it ends. `workers` 0: all.
    Buyers of a book, of `sales` sales, take the part `crowd` of their trades together."""

    paths: int = 100_000
    seed: int = 1
    days: int = 60
    funded_days: int = 180
    workers: int = 0
    sales: int = 1_000
    capital: float = 0.0
    crowd: float = 0.5
    sales_a_day: int = 10

    @property
    def book(self) -> Crowd:
        """A book has no more sales than there are paths."""
        return Crowd(self.crowd, min(self.sales, self.paths), self.sales_a_day)


class Part(NamedTuple):
    """Some paths of traders who are alone; or else books of them, of which only the lowest that
    each was is kept: paths of a crowd are not independent, and no odds are made of them."""

    tier: Tier
    trader: Trader
    run: Run
    first: int
    paths: int
    is_books: bool


class Found(NamedTuple):
    """What parts have found, joined in their order."""

    rows: bytes
    lowest: bytes


class PathsOdds(NamedTuple):
    """Odds, and which of the paths pass."""

    odds: Odds
    passes: bytes


def simulate(
    tier: Tier, trader: Trader, run: Run, told: Told | None = None, pool: Pool | None = None
) -> Odds:
    """The odds of one kind of trader in a tier; the same for any number of workers, and for those
    of any `pool`.

    `told` hears how many paths are done, and of how many. Raises `Invalid` for what cannot be run.
    """
    with _workers(run, pool) as found:
        return _odds(found, tier, trader, run, told).odds


def sensitivity(
    tier: Tier, trader: Trader, run: Run, told: Told | None = None, pool: Pool | None = None
) -> tuple[Odds, list[RuleEffect]]:
    """The odds, and what each rule of the tier does to them: the same dice with another rule."""
    check(tier, run)
    changes = list(variants(tier))
    total = run.paths * (len(changes) + 1)

    def tell(nth: int) -> Told | None:
        return (lambda done, _: told(nth * run.paths + done, total)) if told else None

    with _workers(run, pool) as found:
        is_now = _odds(found, tier, trader, run, tell(0))
        effects = [
            effect_of(
                rule,
                change,
                is_now,
                _odds(found, other, trader, run, tell(nth), with_books=False),
            )
            for nth, (rule, change, other) in enumerate(changes, 1)
        ]
    return is_now.odds, effects


def effect_of(rule: str, change: str, before: PathsOdds, after: PathsOdds) -> RuleEffect:
    is_now, would = before.odds, after.odds
    return RuleEffect(
        rule=rule,
        change=change,
        pass_probability=would.pass_probability,
        pass_change=would.pass_probability - is_now.pass_probability,
        firm_profit_mean=would.firm_profit_mean,
        firm_profit_change=would.firm_profit_mean - is_now.firm_profit_mean,
        payout_mean=would.payout_mean,
        payout_change=would.payout_mean - is_now.payout_mean,
        pass_change_se=change_se(before.passes, after.passes),
    )


def check(tier: Tier, run: Run) -> None:
    """Raises `Invalid` for what cannot be run."""
    for name, value, low, high in (
        ("paths", run.paths, 1, PATHS_MAX),
        ("seed", run.seed, 0, (1 << 64) - 1),
        ("days", run.days, 0, 3_660),
        ("funded-days", run.funded_days, 1, 3_660),
        ("sales", run.sales, 1, 1_000_000),
        ("sales-a-day", run.sales_a_day, 1, 1_000_000),
        ("workers", run.workers, 0, 1_024),
    ):
        if not low <= value <= high:
            raise Invalid(f"{name} is {value}, must be from {low} to {high}")
    if not math.isfinite(run.capital) or run.capital < 0:
        raise Invalid(f"capital is {run.capital}, must be 0 or more")
    if not 0 <= run.crowd <= 1:
        raise Invalid(f"crowd is {run.crowd}, must be from 0 to 1")
    if not run.days and not all(each.target and each.overall_loss for each in tier.phases):
        raise Invalid("days is 0, and a phase without a target or an overall loss may never end")


def _odds(
    pool: Pool | None,
    tier: Tier,
    trader: Trader,
    run: Run,
    told: Told | None,
    *,
    with_books: bool = True,
) -> PathsOdds:
    parts, found, done = parts_of(tier, trader, run, with_books=with_books), [], 0
    begun = [pool.submit(walked, each) for each in parts] if pool else []
    walks = (each.result() for each in begun) if pool else map(walked, parts)
    for part, each in zip(parts, walks, strict=True):
        found.append(each)
        done += 0 if part.is_books else part.paths
        if told:
            told(done, run.paths)
    return paths_odds(tier, parts, found, run)


def paths_odds(tier: Tier, parts: Sequence[Part], found: Sequence[bytes], run: Run) -> PathsOdds:
    """Of what each part has found."""
    all_found = joined(parts, found)
    rows = array("q")
    rows.frombytes(all_found.rows)
    return PathsOdds(odds_of(tier, all_found, run), passes_of(tier, rows))


def parts_of(tier: Tier, trader: Trader, run: Run, *, with_books: bool = True) -> list[Part]:
    """What workers are given. Raises `Invalid` for what cannot be run."""
    check(tier, run)
    paths_of(tier, trader, days=run.days, funded_days=run.funded_days)  # says what is wrong, here
    found = [
        Part(tier, trader, run, first, min(PART, run.paths - first), is_books=False)
        for first in range(0, run.paths, PART)
    ]
    if with_books and tier.payout is not None:
        sales = run.book.sales
        paths, turn = run.paths // sales * sales, max(PART // sales, 1) * sales
        found += [
            Part(tier, trader, run, first, min(turn, paths - first), is_books=True)
            for first in range(0, paths, turn)
        ]
    return found


def joined(parts: Sequence[Part], found: Sequence[bytes]) -> Found:
    pairs = list(zip(parts, found, strict=True))
    return Found(
        b"".join(each for part, each in pairs if not part.is_books),
        b"".join(each for part, each in pairs if part.is_books),
    )


def odds_of(tier: Tier, found: Found, run: Run) -> Odds:
    """Of what all parts have found. A firm that pays nothing is never ruined."""
    rows, lowest = array("q"), array("q")
    rows.frombytes(found.rows)
    if tier.payout is None:
        lowest = array("q", bytes(8 * (run.paths // run.book.sales)))
    lowest.frombytes(found.lowest)
    return odds(tier, rows, Firm(capital=run.capital, crowd=run.book, lowest=lowest))


def walked(part: Part) -> bytes:
    """Rows of paths, or the lowest of books; they are the same whoever walks them."""
    tier, trader, run, first, count, is_books = part
    crowd = run.book if is_books else ALONE
    paths = paths_of(tier, trader, days=run.days, funded_days=run.funded_days, crowd=crowd)
    if not is_books:
        found = array("q", bytes(8 * COLUMNS * count))
        paths.run(run.seed, first, count, found, array("q", [0]))
        return found.tobytes()
    rows = array("q", bytes(8 * COLUMNS * crowd.sales))
    phase_days = run.days or OPEN_DAYS
    days = crowd.sales // crowd.a_day + phase_days * len(tier.phases) + run.funded_days + 2
    lowest = array("q")
    for start in range(first, first + count, crowd.sales):
        flows = array("q", bytes(8 * days))
        paths.run(run.seed, start, crowd.sales, rows, flows)
        lowest.append(lowest_of(flows))
    return lowest.tobytes()


@contextmanager
def _workers(run: Run, given: Pool | None) -> Iterator[Pool | None]:
    count = run.workers or os.cpu_count() or 1
    if given is not None or count == 1 or run.paths <= _ALONE:
        yield given
        return
    pool = Processes(count, has_threads=False)
    try:
        yield pool
    finally:
        pool.close()
