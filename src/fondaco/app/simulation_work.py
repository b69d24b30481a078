"""A simulation as parts that any worker may walk, and what is made of them: the same bytes for any
number of workers, and for whichever there are."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeAlias

import msgspec

from fondaco.app.projecting import parts as projection_parts
from fondaco.app.simulating import PathsOdds, Run, effect_of, parts_of, paths_odds, walked
from fondaco.domain.evaluation.model import Tier
from fondaco.domain.evaluation.simulation.attached import TraderOdds, title_of
from fondaco.domain.evaluation.simulation.attached import written as odds_written
from fondaco.domain.evaluation.simulation.odds import variants
from fondaco.domain.evaluation.simulation.traders import Trader
from fondaco.domain.evaluation.simulations.model import (
    OddsInputs,
    ProjectionInputs,
    Question,
    SimulationKind,
    ValidationInputs,
)
from fondaco.domain.performance.projection import Plan, Walked, check, projection, walk
from fondaco.domain.performance.validation import StrategyValidation, validation
from fondaco.ports.compute import Pool

Told: TypeAlias = Callable[[int], None]


class Step(NamedTuple):
    """`end(*of, found)` makes something of what `walk` has found for each of `parts`, in their
    order. `weights` are how much of the work each part is."""

    walk: Callable[..., Any]
    parts: Sequence[tuple[Any, ...]]
    weights: Sequence[int]
    end: Callable[..., Any]
    of: tuple[Any, ...]


def steps(question: Question) -> Iterator[Step]:
    """One after the other; what they end with is given to `result_of`. Raises `Invalid`."""
    found = question.inputs
    if isinstance(found, OddsInputs):
        yield from _steps_of_odds(found, with_effects=_has_effects(question))
    elif isinstance(found, ProjectionInputs):
        plan = plan_of(found)
        check(plan)
        parts = projection_parts(plan)
        yield Step(walk, parts, [count for _, _, count in parts], _projection, (plan,))
    else:
        yield Step(validated, [(found,)], [found.bootstraps], _only, ())


def total(question: Question) -> int:
    """How much work there is."""
    found = question.inputs
    if not isinstance(found, OddsInputs):
        return question.paths
    changes = len(list(variants(tier_of(found)))) if _has_effects(question) else 0
    return len(found.traders) * found.paths * (1 + changes)


def answered(question: Question, pool: Pool | None = None, told: Told | None = None) -> str:
    """Works it out and waits; without a pool, here."""
    return result_of(question, [_answered(each, pool, told) for each in steps(question)])


def _answered(step: Step, pool: Pool | None, told: Told | None) -> Any:
    walks: list[Future[Any]] = []
    if pool is not None:
        walks = [pool.submit(step.walk, *each) for each in step.parts]
    found = []
    for nth, weight in enumerate(step.weights):
        found.append(walks[nth].result() if walks else step.walk(*step.parts[nth]))
        if told is not None:
            told(weight)
    return step.end(*step.of, found)


def result_of(question: Question, ends: Sequence[Any]) -> str:
    """The bytes that are kept, as text."""
    found = question.inputs
    if not isinstance(found, OddsInputs):
        return msgspec.json.encode(ends[0]).decode()
    left = iter(ends)
    changes = list(variants(tier_of(found))) if _has_effects(question) else []
    traders = []
    for text, _ in found.traders:
        is_now: PathsOdds = next(left)
        effects = [effect_of(rule, change, is_now, next(left)) for rule, change, _ in changes]
        traders.append(
            TraderOdds(trader=text, title=title_of(text), odds=is_now.odds, effects=effects)
        )
    return odds_written(traders)


def days_of(trader: Trader) -> tuple[int, ...]:
    """Results of days, in millionths of the account; a day without a trade has 0."""
    begins = (0, *trader.ends)
    return tuple(
        sum(trader.results[begin:end]) for begin, end in zip(begins, trader.ends, strict=False)
    )


def plan_of(found: ProjectionInputs) -> Plan:
    return Plan(
        results=found.results,
        days=found.days,
        paths=found.paths,
        seed=found.seed,
        block=found.block,
    )


def tier_of(found: OddsInputs) -> Tier:
    return msgspec.json.decode(found.terms, type=Tier)


def run_of(found: OddsInputs) -> Run:
    return Run(
        paths=found.paths,
        seed=found.seed,
        days=found.days,
        funded_days=found.funded_days,
        workers=1,
        sales=found.sales,
        capital=found.capital,
        crowd=found.crowd,
        sales_a_day=found.sales_a_day,
    )


def validated(found: ValidationInputs) -> StrategyValidation:
    return validation(
        [each / 1e6 for each in found.results],
        trials=found.trials,
        others=[[each / 1e6 for each in other] for other in found.others],
        seed=found.seed,
        bootstraps=found.bootstraps,
        block=found.block,
    )


def _has_effects(question: Question) -> bool:
    return question.kind is SimulationKind.SENSITIVITY


def _steps_of_odds(found: OddsInputs, *, with_effects: bool) -> Iterator[Step]:
    tier, run = tier_of(found), run_of(found)
    changes = [other for _, _, other in variants(tier)] if with_effects else []
    for _, trader in found.traders:
        for nth, each in enumerate((tier, *changes)):
            parts = parts_of(each, trader, run, with_books=nth == 0)
            weights = [0 if part.is_books else part.paths for part in parts]
            yield Step(walked, [(part,) for part in parts], weights, _odds, (each, parts, run))


def _odds(tier: Tier, parts: Sequence[Any], run: Run, found: Sequence[bytes]) -> PathsOdds:
    return paths_odds(tier, parts, found, run)


def _projection(plan: Plan, found: Sequence[Sequence[Walked]]) -> Any:
    return projection(plan, [each for part in found for each in part])


def _only(found: Sequence[Any]) -> Any:
    return found[0]
