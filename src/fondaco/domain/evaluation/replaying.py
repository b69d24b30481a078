"""A change of rules, tried on what was traded: who would have passed, and who would have failed.

One attempt is one account in one stage, from its first mark to where its own rules ended it. It is
judged by the same stage of other terms, from the same marks: those that the journal keeps, which
are at trades, resets, warnings and peaks, and now and then between. What was traded is taken as it
is: whoever knows another rule trades otherwise.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from fondaco.domain.evaluation.assessments.events import (
    AssessmentAbandoned,
    AssessmentExpired,
    AssessmentFailed,
    RuleViolated,
    StageBegun,
    StagePassed,
    StandingKept,
)
from fondaco.domain.evaluation.model import Tier
from fondaco.domain.evaluation.rules import EquityMark, RuleBroken, Standing, begin, mark
from fondaco.kernel.event import Event, Instant

_ENDED: Final[dict[type[Event], str]] = {
    StagePassed: "passed",
    AssessmentFailed: "failed",
    AssessmentAbandoned: "abandoned",
    AssessmentExpired: "expired",
}


class Point(msgspec.Struct, frozen=True):
    """An account as it was seen, with the trades and the days of trades that it had by then."""

    at: Instant
    balance: int
    equity: int
    open_positions: int
    trades: int
    days_traded: int


class Attempt(msgspec.Struct, kw_only=True):
    """`was`: active, passed, failed, abandoned or expired; `was_rule` is what was broken."""

    account: str
    stage: int
    is_funded: bool
    size: int
    was: str = "active"
    was_rule: str = ""
    points: list[Point] = []


class Judged(msgspec.Struct, frozen=True):
    """What other terms say of an attempt; `rule` "" where nothing was broken."""

    would: str
    rule: str
    at: Instant


def attempts(history: Iterable[Event]) -> list[Attempt]:
    """Of the events of one assessment, in their order."""
    found: dict[str, Attempt] = {}
    for event in history:
        if isinstance(event, StageBegun):
            found[event.account] = Attempt(
                account=event.account,
                stage=event.stage,
                is_funded=event.is_funded,
                size=event.size,
            )
            continue
        known = found.get(getattr(event, "account", ""))
        if known is None:
            continue
        if isinstance(event, StandingKept):
            seen = event.numbers
            known.points.append(
                Point(
                    event.at, seen.balance, seen.equity, seen.open_positions, seen.trades,
                    seen.days_traded,
                )
            )  # fmt: skip
        elif isinstance(event, RuleViolated):
            last = known.points[-1] if known.points else Point(event.at, 0, 0, 0, 0, 0)
            known.points.append(
                msgspec.structs.replace(
                    last, at=event.at, balance=event.balance, equity=event.equity
                )
            )
            known.was_rule = event.rule
        elif isinstance(event, StagePassed):
            last = known.points[-1] if known.points else Point(event.at, 0, 0, 0, 0, 0)
            known.points.append(
                msgspec.structs.replace(
                    last,
                    at=event.at,
                    balance=event.balance,
                    equity=event.balance,
                    open_positions=0,
                )
            )
        known.was = _ENDED.get(type(event), known.was)
    return [each for each in found.values() if each.points]


def stage_of(tier: Tier, attempt: Attempt) -> int | None:
    """The stage of other terms that an attempt is judged by; None where there is none such, or its
    account is of another size."""
    if attempt.size != tier.account:
        return None
    if attempt.is_funded:
        return len(tier.phases) if tier.funded else None
    return attempt.stage if attempt.stage < len(tier.phases) else None


def judged(tier: Tier, stage: int, attempt: Attempt) -> Judged:
    """The attempt under other terms, up to the last mark that there is of it."""
    standing = begin(tier, stage, attempt.points[0].at)
    for point in attempt.points:
        _count(standing, point)
        for each in mark(
            standing, EquityMark(point.at, point.balance, point.equity, point.open_positions)
        ):
            if isinstance(each, RuleBroken):
                return Judged("failed", each.rule, each.at)
        if standing.verdict != "active":
            return Judged(standing.verdict, "", point.at)
    return Judged("active", "", attempt.points[-1].at)


def _count(standing: Standing, point: Point) -> None:
    """Trades are what they were, whatever the rules."""
    if point.trades > standing.trades:
        standing.last_trade_at = point.at
    standing.trades, standing.days_traded = point.trades, point.days_traded
