"""Finds what contradicts itself in a tier's terms, before somebody buys it.

A *contradiction* cannot be meant: a rule that can never be kept, or one that makes another one
meaningless. What is *unusual* may be meant, and surprises whoever buys it.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from fondaco.domain.evaluation.model import PPM, PhaseTerms, Tier

Weight = Literal["contradiction", "unusual"]
_EPOCH: Final = date(1970, 1, 1)
_YEARS: Final = 366


class LintFinding(msgspec.Struct, frozen=True):
    """Where (a key of the text), what, and what to do about it."""

    weight: Weight
    code: str
    where: str
    text: str


def lint(tier: Tier) -> list[LintFinding]:
    """What is wrong with a tier, in the order of its text."""
    found = list(_whole(tier))
    for nth, terms in enumerate(tier.stages):
        is_funded = nth >= len(tier.phases)
        where = "funded" if is_funded else f"phases[{nth}]"
        found += _losses(tier, terms, where)
        found += _risks(terms, where)
        found += _times(terms, where)
        found += _conditions(terms, where, is_funded=is_funded)
    found += _between(tier)
    found += _paying(tier)
    return found


def _wrong(code: str, where: str, text: str) -> LintFinding:
    return LintFinding("contradiction", code, where, text)


def _odd(code: str, where: str, text: str) -> LintFinding:
    return LintFinding("unusual", code, where, text)


def _whole(tier: Tier) -> Iterator[LintFinding]:
    if tier.effective_until <= tier.effective_from:
        yield _wrong(
            "never_sold", "effective_until", "it ends before it begins: make it later, or leave it"
        )
    if len(dict.fromkeys(tier.instruments)) < len(tier.instruments):
        yield _odd("instrument_twice", "instruments", "an instrument is named twice")
    strange = _missing_or_double(tier)
    if strange:
        yield _odd(
            "reset_on_clock_change",
            "reset_at",
            f"on {strange} clocks in {tier.time_zone} show this time twice or not at all: the day "
            "is reset once, but nobody expects when; take an hour away from 01:00 to 03:59",
        )


def _missing_or_double(tier: Tier) -> str:
    """A day within a year on which the minute of the reset is no plain minute; or ""."""
    zone = ZoneInfo(tier.time_zone)
    at = time(tier.reset_minute // 60, tier.reset_minute % 60)
    for offset in range(_YEARS):
        day = _EPOCH + timedelta(days=tier.effective_from + offset)
        first, second = (datetime.combine(day, at, zone).replace(fold=fold) for fold in (0, 1))
        if first.astimezone(UTC) != second.astimezone(UTC):
            return day.isoformat()
    return ""


def _losses(tier: Tier, terms: PhaseTerms, where: str) -> Iterator[LintFinding]:
    daily, overall = terms.daily_loss, terms.overall_loss
    if overall is None:
        text = "nothing ends it but the loss of the whole account"
        yield _odd("no_overall_loss", where, text)
    if overall and overall.amount > tier.account:
        text = "it is more than the account has: equity below 0 is somebody else's money"
        yield _wrong("loss_over_account", f"{where}.overall_loss", text)
    if overall and overall.locks_at < tier.account - overall.amount:
        text = "the limit would begin over the level that it stops at: it never moves, and is lower"
        yield _wrong("lock_below_start", f"{where}.overall_loss.locks_at", text)
    if daily is None:
        return
    most = daily.amount or tier.account * daily.part_ppm // PPM
    if overall and most >= overall.amount:
        text = "it is no smaller than the overall loss, which on a first day ends the account first"
        yield _wrong("daily_never_first", f"{where}.daily_loss", text)
    if daily.basis == "initial":
        text = (
            "counted from the account's size it is the same limit on every day: an overall loss by "
            'another name; count it from "balance", "equity" or "higher"'
        )
        weight = _wrong if overall and overall.follows == "static" else _odd
        yield weight("daily_is_static", f"{where}.daily_loss.from", text)
    if daily.basis == "equity" and terms.weekend == "allowed":
        text = (
            "a day that begins with an open loss is counted from less, and one with an open gain "
            "from more: tell traders, or count it from the balance"
        )
        yield _odd("daily_from_open_equity", f"{where}.daily_loss.from", text)


def _risks(terms: PhaseTerms, where: str) -> Iterator[LintFinding]:
    daily, overall, risk = terms.daily_loss, terms.overall_loss, terms.max_risk_per_trade
    key = f"{where}.max_risk_per_trade"
    if not risk:
        return
    limits = [each.amount for each in (daily, overall) if each and each.amount]
    if limits and risk > min(limits):
        text = "one trade that keeps this rule may break another: make it smaller than every loss"
        yield _wrong("risk_over_loss", key, text)
    elif limits and terms.max_positions and risk * terms.max_positions > min(limits):
        text = "all positions at their stops at once lose more than a loss that ends the account"
        yield _odd("positions_over_loss", f"{where}.max_positions", text)
    if terms.target and risk > terms.target:
        text = "more may be risked in one trade than the whole target"
        yield _odd("risk_over_target", key, text)


def _times(terms: PhaseTerms, where: str) -> Iterator[LintFinding]:
    limit = terms.time_limit_days
    if limit and terms.min_trading_days > limit:
        text = f"{terms.min_trading_days} days are to be traded within {limit}: nobody can pass"
        yield _wrong("days_over_limit", f"{where}.min_trading_days", text)
    if limit and terms.inactivity_days >= limit:
        text = f"it can never be met, since the time is over after {limit} days"
        yield _wrong("inactivity_over_limit", f"{where}.inactivity_days", text)
    if terms.news and not terms.news.before_minutes and not terms.news.after_minutes:
        text = "a window of no minutes forbids the very instant of an announcement, and no other"
        yield _wrong("empty_news_window", f"{where}.news", text)


def _conditions(terms: PhaseTerms, where: str, *, is_funded: bool) -> Iterator[LintFinding]:
    if not is_funded and not terms.target:
        yield _wrong("no_target", f"{where}.target", "a phase without a target is never passed")
    if is_funded and (terms.target or terms.min_trading_days or terms.min_trades):
        text = "a funded account is never passed: targets, days and trades to pass mean nothing"
        yield _wrong("funded_has_conditions", where, text)
    share = terms.consistency_ppm
    if share > PPM:
        yield _wrong("consistency_over_all", f"{where}.consistency", "it is more than all profit")
    elif share:
        days = -(-PPM // share)
        if terms.time_limit_days and days > terms.time_limit_days:
            text = f"it takes {days} days with profit, and there are {terms.time_limit_days}"
            yield _wrong("consistency_over_limit", f"{where}.consistency", text)
        elif terms.target and days > max(terms.min_trading_days, 1):
            text = (
                f"it takes {days} days with profit to keep it: say so with "
                f"min_trading_days = {days}, which now is {terms.min_trading_days}"
            )
            yield _odd("consistency_over_days", f"{where}.consistency", text)
        if share == PPM:
            text = "no day makes more than all profit unless another one loses: it is hardly a rule"
            yield _odd("consistency_of_all", f"{where}.consistency", text)


def _between(tier: Tier) -> Iterator[LintFinding]:
    """What a later stage allows less of than the one before: traders learn one rule and are
    judged by another."""
    for nth, (before, after) in enumerate(zip(tier.stages, tier.stages[1:], strict=False), 1):
        where = "funded" if nth >= len(tier.phases) else f"phases[{nth}]"
        for rule in ("daily_loss", "overall_loss"):
            one, other = getattr(before, rule), getattr(after, rule)
            if one != other:
                text = "it differs from the stage before: say it where both are read"
                yield _odd("rule_changes", f"{where}.{rule}", text)
        if before.target and after.target > before.target:
            text = "it is more than in the phase before"
            yield _odd("target_rises", f"{where}.target", text)


def _paying(tier: Tier) -> Iterator[LintFinding]:
    payout, funded = tier.payout, tier.funded
    if payout is None or funded is None:
        return
    if not 0 < payout.split_ppm <= PPM:
        yield _wrong("split", "payout.split", "it must be above 0 % and at most 100 %")
    first = max(payout.first_after_days, 1)
    if funded.time_limit_days and first > funded.time_limit_days:
        text = f"nobody is paid: the account ends after {funded.time_limit_days} days"
        yield _wrong("paid_never", "payout.first_after_days", text)
    if payout.refunds_fee and not tier.fee:
        yield _odd("refund_of_nothing", "payout.refunds_fee", "there is no fee to give back")
    if not tier.phases and not tier.fee:
        text = "an account that pays from the first day on costs nothing"
        yield _odd("free_funding", "fee", text)
    last_profit, last_account, last_split = 0, tier.account, payout.split_ppm
    for nth, step in enumerate(tier.scaling):
        where = f"scaling[{nth}]"
        if step.profit <= last_profit:
            yield _wrong("scaling_order", f"{where}.profit", "it must be more than the step before")
        if step.account < last_account or step.split_ppm < last_split:
            text = "who makes more has less: neither account nor split may fall"
            yield _wrong("scaling_down", where, text)
        if step.split_ppm > PPM:
            yield _wrong("split", f"{where}.split", "it must be at most 100 %")
        last_profit, last_account, last_split = step.profit, step.account, step.split_ppm


def is_wrong(found: list[LintFinding]) -> bool:
    """Whether there is a contradiction, which keeps a tier from being published."""
    return any(each.weight == "contradiction" for each in found)
