"""What simulated paths say: odds with their standard errors, times, payouts, the firm's result."""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, Final, TypeAlias

import msgspec
from msgspec.structs import replace

from fondaco.domain.evaluation.model import (
    AMOUNT_STEP,
    MONEY_DECIMALS,
    NEVER,
    PPM,
    OverallLoss,
    Payout,
    PhaseTerms,
    Tier,
)
from fondaco.domain.evaluation.simulation.paths import (
    ABANDONED,
    DAILY,
    EXPIRED,
    OPEN,
    OVERALL,
    PASSED,
)
from fondaco.domain.evaluation.simulation.traders import UNIT_DECIMALS, Crowd
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import parse_scaled

COLUMNS: Final = 6  # of a path: ended, passed, days, paid, payouts, trades
ENDS: Final = (OPEN, DAILY, OVERALL, EXPIRED, PASSED, ABANDONED)
TENTH: Final = PPM // 10
_SCALE: Final = 10**UNIT_DECIMALS
_QUANTILES: Final = (0.1, 0.5, 0.9)

Changing: TypeAlias = Callable[[PhaseTerms], PhaseTerms]


class Odds(msgspec.Struct, frozen=True, kw_only=True):
    """Of all paths. Probabilities with their standard errors; money in the tier's currency.

    A path passes when it passes all phases; where there is none (instant funding), when it is paid
    once. `ruin_probability` is of breaking a limit before that, and who trades too seldom is
    abandoned.

    A book is `sales` sales, `sales_a_day` of them on each day, whose buyers take the part `crowd`
    of their trades together. `firm_ruin_probability` is that of having lost more than `capital` on
    some day of a book, fees received less payouts; `firm_capital_99` is enough in 99 of 100 books.
    Its standard error is that of Agresti and Coull (1998), which is not 0 where no book is ruined.
    """

    paths: int
    pass_probability: float
    pass_se: float
    ruin_probability: float
    ruin_se: float
    daily_loss_probability: float
    overall_loss_probability: float
    expired_probability: float
    open_probability: float
    phase_pass_probabilities: tuple[float, ...]
    days_to_pass: tuple[float, ...]  # quantiles 0.1, 0.5, 0.9 of those who passed; or nothing
    paid_probability: float
    payouts_mean: float
    payout_mean: float
    payout_se: float
    trades_mean: float
    firm_profit_mean: float
    firm_profit_se: float
    firm_ruin_probability: float | None  # None only in odds of before it was always worked out
    books: int
    sales: int
    capital: float
    abandoned_probability: float = 0.0
    firm_ruin_se: float | None = None
    firm_capital_99: float | None = None
    crowd: float = 0.0
    sales_a_day: int = 0


class RuleEffect(msgspec.Struct, frozen=True, kw_only=True):
    """The same traders with the same dice, had one rule been another. `pass_change_se` counts only
    those who end otherwise by it: who passes either way says nothing of the difference."""

    rule: str
    change: str
    pass_probability: float
    pass_change: float
    firm_profit_mean: float
    firm_profit_change: float
    payout_mean: float = 0.0
    payout_change: float = 0.0
    pass_change_se: float | None = None  # None only in effects of before it was worked out


class Firm(msgspec.Struct, frozen=True, kw_only=True):
    """Whose books are looked at, and the lowest that each of them was, in 10^-4."""

    capital: float
    crowd: Crowd
    lowest: Sequence[int]


def passes_of(tier: Tier, rows: "array[int]") -> bytes:
    """1 for each path that passes, in their order."""
    phases = len(tier.phases)
    if phases:
        return bytes(each == phases for each in rows[1::COLUMNS])
    return bytes(each > 0 for each in rows[4::COLUMNS])


def change_se(before: bytes, after: bytes) -> float:
    """The standard error of a difference of two parts of the same paths (McNemar's pairs)."""
    n = len(before)
    others = (int.from_bytes(before) ^ int.from_bytes(after)).bit_count()
    net = sum(after) - sum(before)
    return math.sqrt(max(others - net * net / n, 0.0)) / n


def odds(tier: Tier, rows: "array[int]", firm: Firm) -> Odds:
    """Reads what the kernel wrote, six numbers a path."""
    n = len(rows) // COLUMNS
    ended, passed, days, paid, payouts, trades = (rows[at::COLUMNS] for at in range(COLUMNS))
    phases = len(tier.phases)
    has_passed = [bool(each) for each in passes_of(tier, rows)]
    counted = Counter(zip(ended, has_passed, strict=True))
    early = {how: counted[how, False] / n for how in ENDS}
    passes = sum(has_passed) / n
    ruin = early[DAILY] + early[OVERALL]
    reached = Counter(passed)
    results = list(_results(tier, paid, payouts))
    payout_mean, payout_se = _mean([each / _SCALE for each in paid])
    profit_mean, profit_se = _mean(results)
    books = len(firm.lowest)
    ruined = sum(each < -firm.capital * _SCALE for each in firm.lowest)
    times = sorted(day for day, yes in zip(days, has_passed, strict=True) if yes and phases)
    return Odds(
        paths=n,
        pass_probability=passes,
        pass_se=_se(passes, n),
        ruin_probability=ruin,
        ruin_se=_se(ruin, n),
        daily_loss_probability=early[DAILY],
        overall_loss_probability=early[OVERALL],
        expired_probability=early[EXPIRED],
        # Instant funding that is neither paid nor broken has outlasted its days.
        open_probability=early[OPEN] + early[PASSED],
        phase_pass_probabilities=tuple(
            sum(count for stage, count in reached.items() if stage > nth) / n
            for nth in range(phases)
        ),
        days_to_pass=tuple(float(times[int(q * (len(times) - 1))]) for q in _QUANTILES if times),
        paid_probability=sum(each > 0 for each in payouts) / n,
        payouts_mean=sum(payouts) / n,
        payout_mean=payout_mean,
        payout_se=payout_se,
        trades_mean=sum(trades) / n,
        firm_profit_mean=profit_mean,
        firm_profit_se=profit_se,
        firm_ruin_probability=ruined / books if books else None,
        books=books,
        sales=firm.crowd.sales,
        capital=firm.capital,
        abandoned_probability=early[ABANDONED],
        firm_ruin_se=_se((ruined + 2) / (books + 4), books + 4) if books else None,
        firm_capital_99=_enough(firm.lowest) if books else None,
        crowd=firm.crowd.part,
        sales_a_day=firm.crowd.a_day,
    )


def as_gamble(tier: Tier, start: str, target: str, floor: str) -> Tier:
    """The tier with another account size, and a balance to reach and one to fall to; "" leaves what
    is. Raises `Invalid` for a tier of several stages, and where they are not in their order."""
    if not (start or target or floor):
        return tier
    if len(tier.stages) != 1 or tier.funded is not None:
        raise Invalid(f"{tier.name} has several stages: --start, --target and --floor are for one")
    terms = tier.phases[0]
    overall = terms.overall_loss or OverallLoss(tier.account, "static", NEVER)
    begins = _level(start, "start", tier.account)
    reaches = _level(target, "target", begins + terms.target)
    falls = _level(floor, "floor", max(begins - overall.amount, 0))
    if not falls < begins < reaches:
        said = ", ".join(str(each // 10**MONEY_DECIMALS) for each in (falls, begins, reaches))
        raise Invalid(f"floor, start and target are {said}: they must go up")
    loss = replace(overall, amount=begins - falls)
    phase = replace(terms, target=reaches - begins, overall_loss=loss)
    return replace(tier, account=begins, phases=(phase,))


def variants(tier: Tier) -> Iterator[tuple[str, str, Tier]]:
    """The tier without each of its rules, and with each amount a quarter smaller and larger."""

    def has(rule: str) -> bool:
        return any(getattr(each, rule) for each in tier.stages)

    for rule in filter(has, ("target", "daily_loss", "overall_loss")):
        for change, parts in (("-25 %", 3), ("+25 %", 5)):
            yield rule, change, _changed(tier, partial(_by, rule=rule, parts=parts))
    for rule, none in _OPTIONAL:
        if has(rule):
            yield rule, "none", _changed(tier, partial(_without, rule=rule, none=none))
    if any(each.overall_loss and each.overall_loss.follows != "static" for each in tier.stages):
        yield "overall_loss", "static", _changed(tier, _static)
    if any(each.weekend == "flat" for each in tier.stages):
        flat = partial(_without, rule="weekend", none="allowed")
        yield "weekend", "allowed", _changed(tier, flat)
    yield "leverage", "a quarter", replace(tier, leverage=max(tier.leverage // 4, 1))
    yield from _of_payouts(tier)


def _of_payouts(tier: Tier) -> Iterator[tuple[str, str, Tier]]:
    if tier.scaling:
        yield "scaling", "none", replace(tier, scaling=())
    if tier.payout is not None:
        for rule, change, payout in _schedules(tier.payout):
            yield rule, change, replace(tier, payout=payout)


def _schedules(payout: Payout) -> Iterator[tuple[str, str, Payout]]:
    for change, by in (("-10 %", -TENTH), ("+10 %", TENTH)):
        part = payout.split_ppm + by
        if 0 <= part <= PPM:
            yield "split", change, replace(payout, split_ppm=part)
    twice, half = payout.every_days * 2, max(payout.every_days // 2, 1)
    yield "every_days", "twice", replace(payout, every_days=twice)
    yield "every_days", "half", replace(payout, every_days=half)
    if payout.first_after_days:
        yield "first_after_days", "none", replace(payout, first_after_days=0)
    if payout.minimum:
        yield "minimum", "none", replace(payout, minimum=0)
    if payout.refunds_fee:
        yield "refunds_fee", "none", replace(payout, refunds_fee=False)


def _without(terms: PhaseTerms, rule: str, none: int | str | None) -> PhaseTerms:
    said: dict[str, Any] = {rule: none}
    return replace(terms, **said)


_OPTIONAL: Final[tuple[tuple[str, int | None], ...]] = (
    ("daily_loss", None),
    ("overall_loss", None),
    ("min_trading_days", 0),
    ("min_trades", 0),
    ("time_limit_days", 0),
    ("max_risk_per_trade", 0),
    ("consistency_ppm", 0),
    ("inactivity_days", 0),
    ("max_lots", 0),
    ("news", None),
)


def _changed(tier: Tier, change: Changing) -> Tier:
    funded = change(tier.funded) if tier.funded else None
    return replace(tier, phases=tuple(change(each) for each in tier.phases), funded=funded)


def _by(terms: PhaseTerms, rule: str, parts: int) -> PhaseTerms:
    """A rule times `parts` quarters, to 10^-4."""

    def quarters(amount: int) -> int:
        return amount * parts // 4 // AMOUNT_STEP * AMOUNT_STEP

    daily, overall = terms.daily_loss, terms.overall_loss
    if rule == "target":
        return replace(terms, target=quarters(terms.target))
    if rule == "daily_loss" and daily is not None:
        part = daily.part_ppm * parts // 4
        return replace(
            terms, daily_loss=replace(daily, amount=quarters(daily.amount), part_ppm=part)
        )
    if rule == "overall_loss" and overall is not None:
        return replace(terms, overall_loss=replace(overall, amount=quarters(overall.amount)))
    return terms


def _static(terms: PhaseTerms) -> PhaseTerms:
    overall = terms.overall_loss
    if overall is None:
        return terms
    return replace(terms, overall_loss=OverallLoss(overall.amount, "static", NEVER))


def _level(text: str, name: str, otherwise: int) -> int:
    if not text:
        return otherwise
    return parse_scaled(text, UNIT_DECIMALS, name) * AMOUNT_STEP


def _results(tier: Tier, paid: "array[int]", payouts: "array[int]") -> Iterator[float]:
    """What the firm has of each sale: its fee, less what it paid."""
    fee = tier.fee / 10**MONEY_DECIMALS
    refund = fee if tier.payout and tier.payout.refunds_fee else 0.0
    for amount, times in zip(paid, payouts, strict=True):
        yield fee - amount / _SCALE - (refund if times else 0.0)


def _enough(lowest: Sequence[int]) -> float:
    """In 99 of 100 books."""
    return max(-sorted(lowest)[(len(lowest) - 1) // 100], 0) / _SCALE


def lowest_of(flows: Sequence[int]) -> int:
    """The lowest that what came in and went out on each day adds up to; 0 before the first."""
    return min(0, *accumulate(flows))


def _mean(values: Sequence[float]) -> tuple[float, float]:
    n = len(values)
    mean = math.fsum(values) / n
    spread = math.fsum((each - mean) ** 2 for each in values)
    return mean, math.sqrt(spread / n / max(n - 1, 1))


def _se(p: float, n: int) -> float:
    return math.sqrt(p * (1 - p) / n)
