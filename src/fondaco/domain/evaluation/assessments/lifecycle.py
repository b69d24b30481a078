"""What people and payments ask of an assessment: to give it up, to begin anew, to be paid. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import msgspec

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.ending import (
    Events,
    begin_stage,
    close_account,
    own_standing,
)
from fondaco.domain.evaluation.assessments.model import (
    CENT,
    PAYMENTS,
    PPM,
    Assessment,
    AssessmentRefs,
    PayoutRecord,
    may_ask_from,
    size_of,
)
from fondaco.domain.evaluation.model import MONEY_DECIMALS, Tier
from fondaco.domain.evaluation.rules import conditions
from fondaco.kernel.event import Instant
from fondaco.kernel.money import AssetCode, format_scaled

_decode: Final = msgspec.json.Decoder(Tier).decode


def frozen_terms(terms: str) -> Tier | None:
    """The tier of its JSON; None: these are no terms."""
    try:
        return _decode(terms)
    except msgspec.DecodeError:
        return None


def fingerprint_of(terms: str) -> str:
    """By which a frozen tier is known: the SHA-256 of its JSON, as it was sold."""
    return sha256(terms.encode()).hexdigest()


def denied(code: str, text: str) -> Events:
    return (ev.AssessmentDenied(code, text),)


def _create(state: Assessment, command: ev.CreateAssessment, _: AssessmentRefs) -> Events:
    if state.assessment_id:
        return (ev.NothingNoted("it was created before"),)
    tier = frozen_terms(command.terms)
    if tier is None or not tier.stages:
        return denied("unknown_terms", "its terms cannot be read, or have no stage")
    created = ev.AssessmentCreated(
        command.assessment_id,
        command.tenant,
        command.user,
        command.source,
        tier.name,
        tier.version,
        fingerprint_of(command.terms),
        command.terms,
        command.at,
    )
    new = Assessment(assessment_id=command.assessment_id, tenant=command.tenant)
    return (created, *begin_stage(new, tier, 0, "begun"))


def _abandon(state: Assessment, command: ev.AbandonAssessment, _: AssessmentRefs) -> Events:
    given_up = ev.AssessmentAbandoned(command.at, state.account, command.by, command.reason)
    if state.state == "passed" and command.by == PAYMENTS:  # whoever has their money back, has not
        return (given_up,)
    if state.is_ended:
        return denied("assessment_ended", f"it has {state.state} already")
    return (given_up, *close_account(state.account, "it was given up"))


def _freeze(state: Assessment, command: ev.FreezeAssessment, _: AssessmentRefs) -> Events:
    frozen = ev.AssessmentFrozen(state.account, command.reason, command.by)
    if state.is_ended:
        return (frozen,)
    return (frozen, ev.AccountStopped(state.account, command.reason))


def _thaw(state: Assessment, command: ev.ThawAssessment, _: AssessmentRefs) -> Events:
    if not state.frozen:
        return (ev.NothingNoted("it is not frozen"),)
    thawed = ev.AssessmentThawed(state.account, command.reason, command.by)
    if state.is_ended:
        return (thawed,)
    return (thawed, ev.AccountResumed(state.account, command.reason))


def _reset(state: Assessment, command: ev.ResetAssessment, _: AssessmentRefs) -> Events:
    if state.tier is None or state.frozen:
        return denied("frozen", f"it is frozen: {state.frozen}")
    if state.state == "passed" or state.is_funded_stage:
        return denied("not_resettable", "what is passed, or funded, is not begun anew")
    reset = ev.AssessmentReset(command.source)
    closed = () if state.is_ended else close_account(state.account, "it is reset")
    return (reset, *closed, *begin_stage(state, state.tier, state.stage, "reset"))


def _extend(state: Assessment, command: ev.ExtendAssessment, _: AssessmentRefs) -> Events:
    if state.is_ended:
        return denied("assessment_ended", f"it has {state.state} already")
    return (ev.AssessmentExtended(command.source, command.days),)


def _upgrade(state: Assessment, command: ev.UpgradeAssessment, _: AssessmentRefs) -> Events:
    tier = frozen_terms(command.terms)
    if tier is None or not tier.stages:
        return denied("unknown_terms", "its terms cannot be read, or have no stage")
    if state.is_ended or state.frozen or state.is_funded_stage:
        return denied("not_upgradable", "only what is active, and not funded, can be upgraded")
    upgraded = ev.AssessmentUpgraded(
        command.source, tier.name, tier.version, fingerprint_of(command.terms), command.terms
    )
    closed = close_account(state.account, "it is upgraded")
    return (upgraded, *closed, *begin_stage(state, tier, 0, "upgrade"))


# --- Payouts ------------------------------------------------------------------------------------


def why_no_payout(state: Assessment, at: Instant, refs: AssessmentRefs) -> tuple[str, str]:
    """Code and text; two times "" where a payout may be asked for."""
    standing, tier = own_standing(state), state.tier
    if standing is None or tier is None or tier.payout is None or state.state != "funded":
        return "not_funded", "only a funded account that is traded is paid"
    if state.frozen:
        return "frozen", f"it is frozen: {state.frozen}"
    if any(each.state == "asked" for each in state.payouts):
        return "payout_open", "a payout waits to be decided already"
    first = may_ask_from(state, tier.payout)
    if at < first:
        when = f"{datetime.fromtimestamp(first // 10**9, UTC):%Y-%m-%d %H:%M} UTC"
        return "too_early", f"the next payout may be asked for from {when} on"
    if refs.seen is None or refs.seen.open_positions or refs.seen.working:
        return "not_flat", "close every position and cancel every order first"
    profit, least = refs.seen.balance - tier.account, max(tier.payout.minimum, CENT)
    if profit < least:
        return "too_little", (
            f"the profit is {format_scaled(profit, MONEY_DECIMALS)}, must be at least "
            f"{format_scaled(least, MONEY_DECIMALS)}"
        )
    standing.balance = refs.seen.balance
    for each in conditions(standing):
        if each.name == "consistency" and not each.is_met:
            return "inconsistent", (
                f"the best day made {each.reached / 10_000:.2f} % of all profit, may make at most "
                f"{each.needed / 10_000:.2f} %: trade on until it does"
            )
    return "", ""


def _ask_payout(state: Assessment, command: ev.AskPayout, refs: AssessmentRefs) -> Events:
    code, text = why_no_payout(state, command.at, refs)
    if code or state.tier is None or refs.seen is None:
        return denied(code, text)
    profit = refs.seen.balance - state.tier.account
    asked = ev.PayoutAsked(
        len(state.payouts) + 1,
        profit,
        _part(state, state.tier, profit),
        AssetCode(state.tier.currency),
        command.by,
        command.at,
    )
    return (asked, ev.AccountStopped(state.account, "a payout waits to be decided"))


def _part(state: Assessment, tier: Tier, profit: int) -> int:
    """The trader's part, in whole cents rounded down; the fee comes back with the first."""
    part = profit * size_of(tier, state.profit).split_ppm // PPM // CENT * CENT
    if tier.payout is not None and tier.payout.refunds_fee and not state.paid_at:
        part += tier.fee
    return part


def _decide_payout(state: Assessment, command: ev.DecidePayout, refs: AssessmentRefs) -> Events:
    found = _payout(state, command.number)
    if found is not None and found.state == "failed" and command.agrees:
        return _try_again(state, command, found)
    if found is None or found.state != "asked" or state.tier is None:
        return denied("unknown_payout", f"no payout {command.number} waits to be decided")
    if not command.agrees:
        refused = ev.PayoutRefused(found.number, command.by, command.reason)
        return (refused, ev.AccountResumed(state.account, "the payout was refused"))
    seen = refs.seen
    if state.frozen or seen is None or seen.open_positions or seen.working:
        return denied("not_flat", "the account is frozen, or something is open on it")
    if seen.balance - state.tier.account != found.profit:
        return denied("profit_changed", "the profit is not what it was: refuse it, to ask anew")
    agreed = ev.PayoutAgreed(
        found.number,
        found.profit,
        found.amount,
        AssetCode(state.tier.currency),
        state.tenant,
        state.user,
        command.by,
        command.at,
    )
    after = msgspec.structs.replace(state, profit=state.profit + found.profit)
    closed = close_account(state.account, "its profit is paid out")
    return (agreed, *closed, *begin_stage(after, state.tier, state.stage, "payout"))


def _try_again(state: Assessment, command: ev.DecidePayout, found: PayoutRecord) -> Events:
    """What the provider could not pay is asked of it once more."""
    if state.frozen or state.tier is None:
        return denied("frozen", f"it is frozen: {state.frozen}")
    again = ev.PayoutTriedAgain(
        found.number,
        found.tries + 1,
        found.profit,
        found.amount,
        AssetCode(state.tier.currency),
        state.tenant,
        state.user,
        command.by,
        command.at,
    )
    return (again,)


def _note_payout(state: Assessment, command: ev.NotePayout, _: AssessmentRefs) -> Events:
    found = _payout(state, command.number)
    # What was paid may come back from the trader's bank.
    heard = ("agreed",) if command.paid else ("agreed", "paid")
    if found is None or found.state not in heard:
        return (ev.NothingNoted(f"no payout {command.number} is on its way"),)
    return (ev.PayoutSettled(command.number, command.paid, command.text),)


def _payout(state: Assessment, number: int) -> PayoutRecord | None:
    return next((each for each in state.payouts if each.number == number), None)


LIFE: Final[dict[type[Any], Callable[[Assessment, Any, AssessmentRefs], Events]]] = {
    ev.CreateAssessment: _create,
    ev.AbandonAssessment: _abandon,
    ev.FreezeAssessment: _freeze,
    ev.ThawAssessment: _thaw,
    ev.ResetAssessment: _reset,
    ev.ExtendAssessment: _extend,
    ev.UpgradeAssessment: _upgrade,
    ev.AskPayout: _ask_payout,
    ev.DecidePayout: _decide_payout,
    ev.NotePayout: _note_payout,
}
