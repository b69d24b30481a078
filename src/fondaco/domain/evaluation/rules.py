"""What a stage of a frozen tier says of an account's equity, at every tick. Pure.

`begin` a standing, then `mark` it with every change of equity and tell it of every trade; both give
back what was found: breaks with their evidence, warnings, resets of the day, and the verdict.
Conditions of passing are no rules: that they are not met yet is never a break.

A day is reset once, when clocks in the tier's time zone show its minute: also on days of 23 and of
25 hours. The loss of a day is counted from what was last known before the reset.
"""

from typing import Final, Literal, TypeAlias

import msgspec

from fondaco.domain.evaluation.model import AMOUNT_STEP, PPM, DailyLoss, PhaseTerms, Tier
from fondaco.domain.reference.api import session_day_and_close
from fondaco.domain.reference.model import Session
from fondaco.kernel.event import Instant

WARNS_AT_PPM: Final = 800_000  # of what may be lost
NO_LIMIT: Final = -(1 << 63)  # lower than any equity
_DAY_NS: Final = 86_400_000_000_000
_MINUTE_NS: Final = 60_000_000_000
_NOON: Final = 720
_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday
_FRIDAY: Final = 4
_SATURDAY: Final = 5

RuleName: TypeAlias = Literal[
    "daily_loss",
    "overall_loss",
    "max_risk_per_trade",
    "max_positions",
    "max_lots",
    "leverage",
    "instruments",
    "news",
    "weekend",
]
Verdict: TypeAlias = Literal["active", "passed", "failed", "abandoned", "expired"]


class EquityMark(msgspec.Struct, frozen=True):
    """An account at an instant. `equity` is `balance` and what open positions would bring, with
    their costs."""

    at: Instant
    balance: int
    equity: int
    open_positions: int = 0


class TradeOpened(msgspec.Struct, frozen=True, kw_only=True):
    """What is open once it is. `risk` is lost if its stop is met; `notional` and `lots` are of all
    that is open; `announcements` are those that touch the instrument, around it."""

    at: Instant
    instrument: str = ""
    risk: int = 0
    open_positions: int = 1
    lots: int = 0
    notional: int = 0
    announcements: tuple[Instant, ...] = ()


class RuleBroken(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence: the rule, what was measured, its limit, and the day as it was reset."""

    rule: RuleName
    at: Instant
    value: int
    limit: int
    balance: int
    equity: int
    day: int
    day_from: int
    peak: int


class RuleWarned(msgspec.Struct, frozen=True):
    """Less than a fifth of what may be lost is left; said once a day."""

    rule: RuleName
    at: Instant
    limit: int
    headroom: int


class DayReset(msgspec.Struct, frozen=True):
    """A day began: what its loss is counted from, and both limits of it."""

    day: int
    at: Instant
    day_from: int
    day_limit: int
    overall_limit: int


class StageEnded(msgspec.Struct, frozen=True):
    at: Instant
    verdict: Verdict


Finding: TypeAlias = RuleBroken | RuleWarned | DayReset | StageEnded


class RuleDistance(msgspec.Struct, frozen=True):
    """How far equity is from a limit; `used_ppm` of what may be lost is gone."""

    rule: RuleName
    limit: int
    headroom: int
    used_ppm: int


class Condition(msgspec.Struct, frozen=True):
    """Something that passing needs, and how much of it there is."""

    name: str
    needed: int
    reached: int
    is_met: bool


class Standing(msgspec.Struct, kw_only=True):
    """One account in one stage. Changed by `mark` and `trade_opened`, and by nothing else."""

    terms: PhaseTerms
    tier: Tier
    began_at: Instant
    verdict: Verdict = "active"
    balance: int
    equity: int
    open_positions: int = 0
    day: int
    resets_at: Instant
    day_from: int
    day_limit: int = NO_LIMIT
    day_balance: int
    best_day: int = 0
    peak: int
    overall_limit: int = NO_LIMIT
    days_traded: int = 0
    last_day_traded: int = -1
    trades: int = 0
    last_trade_at: Instant
    warned: list[RuleName] = msgspec.field(default_factory=list)


def begin(tier: Tier, stage: int, at: Instant) -> Standing:
    """The standing of a fresh account in the nth of `tier.stages`."""
    day, resets_at = _day_of(tier, at)
    start = tier.account
    standing = Standing(
        terms=tier.stages[stage],
        tier=tier,
        began_at=at,
        balance=start,
        equity=start,
        day=day,
        resets_at=resets_at,
        day_from=start,
        day_balance=start,
        peak=start,
        last_trade_at=at,
    )
    _set_limits(standing)
    return standing


def mark(standing: Standing, seen: EquityMark) -> list[Finding]:
    """What an account's equity means. Marks come in the order of their time; what comes after the
    verdict means nothing."""
    found: list[Finding] = []
    if standing.verdict != "active":
        return found
    while seen.at >= standing.resets_at and standing.verdict == "active":
        _reset(standing, found)
    if standing.verdict != "active":
        return found
    standing.balance, standing.equity = seen.balance, seen.equity
    standing.open_positions = seen.open_positions
    overall = standing.terms.overall_loss
    if overall is not None and overall.follows == "trailing" and seen.equity > standing.peak:
        standing.peak = seen.equity
        _set_overall(standing)
    for rule, limit in _limits(standing):
        if _is_broken(standing, limit):
            return [*found, *_broken(standing, rule, seen.at, seen.equity, limit)]
    _warn(standing, seen.at, found)
    if seen.open_positions == 0 and all(each.is_met for each in conditions(standing)):
        _end(standing, seen.at, "passed", found)
    return found


def trade_opened(standing: Standing, trade: TradeOpened) -> list[Finding]:
    """What a trade means that was opened: counted, and measured by the rules of trades."""
    found = mark(
        standing, EquityMark(trade.at, standing.balance, standing.equity, standing.open_positions)
    )
    if standing.verdict != "active":
        return found
    terms, tier = standing.terms, standing.tier
    standing.trades += 1
    standing.last_trade_at = trade.at
    standing.open_positions = trade.open_positions
    if standing.last_day_traded != standing.day:
        standing.last_day_traded = standing.day
        standing.days_traded += 1
    most = max(standing.equity, 0) * tier.leverage
    measured: tuple[tuple[RuleName, int, int, bool], ...] = (
        ("max_risk_per_trade", trade.risk, terms.max_risk_per_trade, True),
        ("max_positions", trade.open_positions, terms.max_positions, True),
        ("max_lots", trade.lots, terms.max_lots, True),
        ("leverage", trade.notional, most, trade.notional > 0),
    )
    for rule, value, limit, is_ruled in measured:
        if is_ruled and value > limit and (limit or rule == "leverage"):
            return [*found, *_broken(standing, rule, trade.at, value, limit)]
    if tier.instruments and trade.instrument not in tier.instruments:
        return [*found, *_broken(standing, "instruments", trade.at, 0, 0)]
    near = _announced(terms, trade)
    if near is not None:
        return [*found, *_broken(standing, "news", trade.at, trade.at, near)]
    return found


def distances(standing: Standing) -> list[RuleDistance]:
    """How far equity is from each limit, the nearest first."""
    found: list[RuleDistance] = []
    for rule, limit in _limits(standing):
        start = standing.day_from if rule == "daily_loss" else standing.peak
        allowed = max(start - limit, 1)
        used = max(start - standing.equity, 0) * PPM // allowed
        found.append(RuleDistance(rule, limit, standing.equity - limit, used))
    return sorted(found, key=lambda each: each.headroom)


def conditions(standing: Standing) -> list[Condition]:
    """What passing needs, and a payout: a stage that has no target is never passed."""
    terms = standing.terms
    profit = standing.balance - standing.tier.account
    if terms.target:
        found = [Condition("target", terms.target, profit, profit >= terms.target)]
    else:
        found = [Condition("target", 0, 0, is_met=False)]
    for name, needed, reached in (
        ("min_trading_days", terms.min_trading_days, standing.days_traded),
        ("min_trades", terms.min_trades, standing.trades),
    ):
        if needed and terms.target:
            found.append(Condition(name, needed, reached, reached >= needed))
    if terms.consistency_ppm:
        best = max(standing.best_day, standing.balance - standing.day_balance)
        is_met = best * PPM <= terms.consistency_ppm * profit
        share = best * PPM // profit if profit > 0 else 0 if is_met else PPM
        found.append(Condition("consistency", terms.consistency_ppm, share, is_met))
    return found


def _day_of(tier: Tier, at: Instant) -> tuple[int, Instant]:
    return session_day_and_close(at, Session(tier.time_zone, tier.reset_minute))


def _limits(standing: Standing) -> list[tuple[RuleName, int]]:
    """Levels that equity stays over: the higher one first, which equity meets first."""
    found: list[tuple[RuleName, int]] = []
    if standing.terms.daily_loss is not None:
        found.append(("daily_loss", standing.day_limit))
    if standing.terms.overall_loss is not None:
        found.append(("overall_loss", standing.overall_limit))
    if len(found) == 2 and found[1][1] >= found[0][1]:
        found.reverse()
    return found


def _is_broken(standing: Standing, limit: int) -> bool:
    if standing.tier.broken_at == "touch":
        return standing.equity <= limit
    return standing.equity < limit


def _reset(standing: Standing, found: list[Finding]) -> None:
    """A day begins; a weekend, too much idleness and too much time end the stage here."""
    at, terms = standing.resets_at, standing.terms
    standing.day, standing.resets_at = _day_of(standing.tier, at)
    standing.best_day = max(standing.best_day, standing.balance - standing.day_balance)
    standing.day_balance = standing.balance
    overall = terms.overall_loss
    if overall is not None and overall.follows == "end_of_day":
        standing.peak = max(standing.peak, standing.balance)
    standing.day_from = _day_from(standing, terms.daily_loss)
    standing.warned.clear()
    _set_limits(standing)
    found.append(
        DayReset(standing.day, at, standing.day_from, standing.day_limit, standing.overall_limit)
    )
    if terms.weekend == "flat" and standing.open_positions and _begins_weekend(standing):
        found.extend(_broken(standing, "weekend", at, standing.open_positions, 0))
        return
    for rule, limit in _limits(standing):  # a new day's limit may be over what is open
        if _is_broken(standing, limit):
            found.extend(_broken(standing, rule, at, standing.equity, limit))
            return
    if terms.time_limit_days and at - standing.began_at >= terms.time_limit_days * _DAY_NS:
        _end(standing, at, "expired", found)
    elif terms.inactivity_days and at - standing.last_trade_at >= terms.inactivity_days * _DAY_NS:
        _end(standing, at, "abandoned", found)


def _day_from(standing: Standing, daily: DailyLoss | None) -> int:
    if daily is None:
        return standing.balance
    match daily.basis:
        case "initial":
            return standing.tier.account
        case "balance":
            return standing.balance
        case "equity":
            return standing.equity
        case "higher":
            return max(standing.balance, standing.equity)


def _set_limits(standing: Standing) -> None:
    daily = standing.terms.daily_loss
    if daily is not None:
        part = max(standing.day_from, 0) * daily.part_ppm // PPM
        amount = daily.amount or part // AMOUNT_STEP * AMOUNT_STEP
        standing.day_limit = standing.day_from - amount
    _set_overall(standing)


def _set_overall(standing: Standing) -> None:
    overall = standing.terms.overall_loss
    if overall is not None:
        limit = min(standing.peak - overall.amount, overall.locks_at)
        standing.overall_limit = max(standing.overall_limit, limit)


def _begins_weekend(standing: Standing) -> bool:
    """A day that begins in the evening is the next one's: it is Friday's that begins a weekend."""
    weekday = (standing.day + _EPOCH_WEEKDAY) % 7
    return weekday == (_SATURDAY if standing.tier.reset_minute < _NOON else _FRIDAY)


def _announced(terms: PhaseTerms, trade: TradeOpened) -> Instant | None:
    if terms.news is None:
        return None
    before = terms.news.before_minutes * _MINUTE_NS
    after = terms.news.after_minutes * _MINUTE_NS
    near = (at for at in trade.announcements if at - before <= trade.at <= at + after)
    return next(near, None)


def _broken(
    standing: Standing, rule: RuleName, at: Instant, value: int, limit: int
) -> tuple[Finding, ...]:
    standing.verdict = "failed"
    broken = RuleBroken(
        rule=rule,
        at=at,
        value=value,
        limit=limit,
        balance=standing.balance,
        equity=standing.equity,
        day=standing.day,
        day_from=standing.day_from,
        peak=standing.peak,
    )
    return broken, StageEnded(at, "failed")


def _end(standing: Standing, at: Instant, verdict: Verdict, found: list[Finding]) -> None:
    standing.verdict = verdict
    found.append(StageEnded(at, verdict))


def _warn(standing: Standing, at: Instant, found: list[Finding]) -> None:
    for each in distances(standing):
        if each.used_ppm >= WARNS_AT_PPM and each.rule not in standing.warned:
            standing.warned.append(each.rule)
            found.append(RuleWarned(each.rule, at, each.limit, each.headroom))
