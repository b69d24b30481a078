"""What the rules have found becomes events; and what follows where a stage has ended. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from fondaco.domain.evaluation import rules as law
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.events import AssessmentEvent
from fondaco.domain.evaluation.assessments.model import (
    Assessment,
    Look,
    numbers_of,
    size_of,
    standing_of,
)
from fondaco.domain.evaluation.model import MONEY_DECIMALS, PhaseTerms, Tier
from fondaco.domain.evaluation.rules import Finding, Standing
from fondaco.domain.reference.model import Limits, Symbol
from fondaco.domain.trading.model import AccountId, NewsRule, TradeRules
from fondaco.kernel.event import Instant
from fondaco.kernel.money import AssetCode, format_scaled

Events = tuple[AssessmentEvent, ...]
BPS: Final = 10_000
_MINUTE_NS: Final = 60_000_000_000


def own_standing(state: Assessment) -> Standing | None:
    """A copy of how it stands, to be marked; None: no rule holds now."""
    if state.tier is None or state.numbers is None or state.opening or state.is_ended:
        return None
    if state.numbers.verdict != "active":
        return None
    standing = standing_of(state.tier, state.stage, state.numbers)
    if state.more_days and standing.terms.time_limit_days:
        days = standing.terms.time_limit_days + state.more_days
        standing.terms = msgspec.structs.replace(standing.terms, time_limit_days=days)
    return standing


def kept(state: Assessment, standing: Standing, look: Look) -> ev.StandingKept:
    return ev.StandingKept(
        state.stage,
        state.account,
        numbers_of(standing),
        look.at,
        look.marks,
        look.account_version,
    )


def found_events(state: Assessment, found: Sequence[Finding], look: Look) -> list[AssessmentEvent]:
    """Resets, warnings and violations, with their evidence; how a stage ended is for `ended`."""
    events: list[AssessmentEvent] = []
    tier, account = state.tier, state.account
    for each in found:
        match each:
            case law.DayReset() if tier is not None:
                events.append(
                    ev.DayReset(
                        account,
                        each.day,
                        each.at,
                        tier.time_zone,
                        each.day_from,
                        each.day_limit,
                        each.overall_limit,
                    )
                )
            case law.RuleWarned():
                events.append(
                    ev.RuleWarned(
                        account, each.rule, each.at, each.limit, each.headroom, look.equity
                    )
                )
            case law.RuleBroken() if tier is not None:
                events.append(_violated(state, tier, each, look))
    return events


def _violated(state: Assessment, tier: Tier, broken: law.RuleBroken, look: Look) -> ev.RuleViolated:
    return ev.RuleViolated(
        state.account,
        broken.rule,
        broken.at,
        broken.value,
        broken.limit,
        broken.balance,
        broken.equity,
        broken.day,
        broken.day_from,
        broken.peak,
        state.stage,
        tier.name,
        tier.version,
        state.fingerprint,
        look.marks,
    )


def ended(
    state: Assessment, standing: Standing, events: Sequence[AssessmentEvent], at: Instant
) -> Events:
    """What follows from the verdict; nothing while the stage goes on."""
    account = state.account
    match standing.verdict:
        case "failed":
            rule = next(e.rule for e in events if isinstance(e, ev.RuleViolated))
            return (
                ev.AssessmentFailed(at, account, rule),
                *close_account(account, f"{rule} is broken"),
            )
        case "expired":
            return (
                ev.AssessmentExpired(at, account),
                *close_account(account, "the time limit is over"),
            )
        case "abandoned":
            reason = "too long without a trade"
            return (
                ev.AssessmentAbandoned(at, account, "", reason),
                *close_account(account, reason),
            )
        case "passed":
            return _passed(state, standing, at)
        case _:
            return ()


def _passed(state: Assessment, standing: Standing, at: Instant) -> Events:
    tier, account, following = standing.tier, state.account, state.stage + 1
    passed = ev.StagePassed(state.stage, account, at, standing.balance)
    closed = close_account(account, "the stage is passed")
    done: Events = ()
    if following >= len(tier.phases):
        is_funded = following < len(tier.stages)
        done = (ev.AssessmentPassed(at, account, standing.balance, is_funded),)
    if following >= len(tier.stages):
        return (passed, *done, *closed)
    return (passed, *done, *closed, *begin_stage(state, tier, following, "passed"))


def close_account(account: AccountId, reason: str) -> Events:
    return (ev.AccountStopped(account, reason), ev.AccountClosing(account, 1))


def begin_stage(state: Assessment, tier: Tier, stage: int, why: str) -> Events:
    """A stage on a fresh account: as large as the profits of all payouts have made it."""
    nth, is_funded = state.accounts + 1, stage >= len(tier.phases)
    size = size_of(tier, state.profit).account if is_funded else tier.account
    account = AccountId(f"{state.assessment_id}-{nth}")
    return (
        ev.StageBegun(
            stage, tier.stages[stage].name, account, nth, state.tenant, size, is_funded, why
        ),
        ev.AccountLimited(account, _limits(tier)),
        ev.AccountRuled(account, trade_rules(tier, stage)),
        ev.AccountProvided(account, AssetCode(tier.currency), format_scaled(size, MONEY_DECIMALS)),
    )


def trade_rules(tier: Tier, stage: int) -> TradeRules:
    """What may be opened on an account of a stage, as the account itself keeps it."""
    terms = tier.stages[stage]
    return TradeRules(
        risk_max=terms.max_risk_per_trade,
        positions_max=terms.max_positions,
        lots_max=terms.max_lots,
        leverage=tier.leverage,
        instruments=tuple(Symbol(each) for each in tier.instruments),
        news=news_rule(terms),
    )


def news_rule(terms: PhaseTerms) -> NewsRule | None:
    """The window of its stage, as an account keeps it."""
    news = terms.news
    if news is None:
        return None
    before, after = news.before_minutes * _MINUTE_NS, news.after_minutes * _MINUTE_NS
    return NewsRule(before, after, news.importance)


def _limits(tier: Tier) -> Limits:
    """Of the account itself, in place of the house's: no instrument for more than the leverage."""
    return Limits(concentration_max_bps=tier.leverage * BPS)
