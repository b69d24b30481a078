"""What may come of days like those that were traded: paths, how they fan out, how far they fall.

Each path draws days in stretches (the stationary bootstrap of Politis and Romano 1994) and adds
their results up, in parts of the account, which is not compounded: a prop firm's limits are
amounts. Every path has dice of its own, made of the seed and its number, so that any number of
workers gives the same numbers.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.kernel.seeded import Seeded

PATHS_MAX: Final = 200_000
DAYS_MAX: Final = 2_500
POINTS: Final = 60  # of a fan, at most
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_NUMBERS: Final = 0x94D0_49BB_1331_11EB
_BITS: Final = 1 << 53


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is projected: `results` of days, oldest first, in millionths of the account."""

    results: tuple[int, ...]
    days: int = 250
    paths: int = 2_000
    seed: int = 1
    block: float = 5.0

    @property
    def name(self) -> str:
        """The SHA-256 of all inputs: the same name is the same answer."""
        return sha256(msgspec.json.encode(self)).hexdigest()


class FanPoint(msgspec.Struct, frozen=True):
    """After so many days: the quantiles of `QUANTILES`, in parts of the account."""

    day: int
    quantiles: tuple[float, ...]


class PathScenario(msgspec.Struct, frozen=True):
    """One path, the number of which draws it again: as good an end as that part of all have."""

    name: str
    quantile: float
    path: int
    result: float
    drawdown: float
    curve: tuple[float, ...]  # at the days of the fan


class FallOdds(msgspec.Struct, frozen=True):
    """That a path falls so far from its highest within the days, with its standard error."""

    fall: float
    probability: float
    se: float


class Projection(msgspec.Struct, frozen=True, kw_only=True):
    """Parts of the account. `inputs` is the SHA-256 of all that it was made of."""

    inputs: str
    days: int
    paths: int
    seed: int
    block: float
    mean: float
    mean_se: float
    loss_probability: float
    result_quantiles: tuple[float, ...]
    drawdown_mean: float
    drawdown_se: float
    drawdown_quantiles: tuple[float, ...]
    falls: tuple[FallOdds, ...]
    fan: tuple[FanPoint, ...]
    scenarios: tuple[PathScenario, ...]


class Walked(msgspec.Struct, frozen=True):
    """Of one path, in millionths: its fall, and where it was at the days of the fan."""

    fall: int
    curve: tuple[int, ...]


def check(plan: Plan) -> None:
    """Raises `Invalid`."""
    for name, value, low, high in (
        ("days", plan.days, 1, DAYS_MAX),
        ("paths", plan.paths, 100, PATHS_MAX),
        ("seed", plan.seed, 0, (1 << 64) - 1),
        ("block", plan.block, 1, 1_000),
    ):
        if not low <= value <= high:
            raise Invalid(f"{name} is {value}, must be from {low} to {high}")
    if len(plan.results) < 2:
        raise Invalid(f"there are {len(plan.results)} days, must be 2 at least")


def fan_days(plan: Plan) -> list[int]:
    """Days that the fan shows, the last one among them."""
    points = min(plan.days, POINTS)
    return sorted({(nth + 1) * plan.days // points for nth in range(points)})


def walk(plan: Plan, first: int, count: int) -> list[Walked]:
    """Paths `first` … of a plan; the same, whoever walks them."""
    base = Seeded(plan.seed).bits()
    shown = set(fan_days(plan))
    return [_path(plan, base, number, shown) for number in range(first, first + count)]


def _path(plan: Plan, base: int, number: int, shown: set[int]) -> Walked:
    dice = Seeded(Seeded(base + number * _NUMBERS).bits())
    results, n = plan.results, len(plan.results)
    restart = round(_BITS / plan.block)
    at = value = top = fall = 0
    curve: list[int] = []
    for day in range(1, plan.days + 1):
        is_new = day == 1 or dice.bits() >> 11 < restart
        at = dice.below(n) if is_new else (at + 1) % n
        value += results[at]
        top = max(top, value)
        fall = max(fall, top - value)
        if day in shown:
            curve.append(value)
    return Walked(fall, tuple(curve))


def projection(plan: Plan, walked: Sequence[Walked]) -> Projection:
    """What all paths say, in their order."""
    days = fan_days(plan)
    ends = [each.curve[-1] for each in walked]
    falls = sorted(each.fall for each in walked)
    mean, mean_se = _mean(ends)
    fall_mean, fall_se = _mean(falls)
    columns = [sorted(each.curve[nth] for each in walked) for nth in range(len(days))]
    ranked = sorted(range(len(walked)), key=lambda each: (ends[each], each))
    return Projection(
        inputs=plan.name,
        days=plan.days,
        paths=plan.paths,
        seed=plan.seed,
        block=plan.block,
        mean=mean,
        mean_se=mean_se,
        loss_probability=sum(each < 0 for each in ends) / len(ends),
        result_quantiles=_quantiles(sorted(ends)),
        drawdown_mean=fall_mean,
        drawdown_se=fall_se,
        drawdown_quantiles=_quantiles(falls),
        falls=tuple(_odds_of_fall(falls, each) for each in (0.02, 0.05, 0.1, 0.2)),
        fan=tuple(
            FanPoint(day, _quantiles(column)) for day, column in zip(days, columns, strict=True)
        ),
        scenarios=tuple(
            _scenario(name, part, ranked[int(part * (len(ranked) - 1))], walked)
            for name, part in (("bad", 0.05), ("middle", 0.5), ("good", 0.95))
        ),
    )


def _scenario(name: str, part: float, path: int, walked: Sequence[Walked]) -> PathScenario:
    found = walked[path]
    curve = tuple(each / 1e6 for each in found.curve)
    return PathScenario(name, part, path, curve[-1], found.fall / 1e6, curve)


def _odds_of_fall(falls: Sequence[int], fall: float) -> FallOdds:
    part = sum(each >= fall * 1e6 for each in falls) / len(falls)
    return FallOdds(fall, part, (part * (1 - part) / len(falls)) ** 0.5)


def _quantiles(ordered: Sequence[int]) -> tuple[float, ...]:
    return tuple(ordered[int(q * (len(ordered) - 1))] / 1e6 for q in QUANTILES)


def _mean(values: Sequence[int]) -> tuple[float, float]:
    n, total = len(values), sum(values)
    mean = total / n
    spread = sum(each * each for each in values) / n - mean * mean
    return mean / 1e6, (max(spread, 0.0) / max(n - 1, 1)) ** 0.5 / 1e6
