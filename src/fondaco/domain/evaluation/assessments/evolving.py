"""What is true of an assessment after each event. Computes nothing, and accepts every event."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.events import AssessmentEvent
from fondaco.domain.evaluation.assessments.model import (
    Assessment,
    PayoutRecord,
    State,
    Violation,
)
from fondaco.domain.evaluation.model import Tier
from fondaco.kernel.event import Instant

_decode: Final = msgspec.json.Decoder(Tier).decode


def evolve(state: Assessment, event: AssessmentEvent) -> Assessment:
    moves = _EVOLVED.get(type(event))
    if moves is not None:
        moves(state, event)
    return state


def _created(state: Assessment, event: ev.AssessmentCreated) -> None:
    state.assessment_id, state.tenant, state.user = event.assessment_id, event.tenant, event.user
    state.source, state.fingerprint = event.source, event.fingerprint
    state.tier, state.created_at = _decode(event.terms), event.at


def _begun(state: Assessment, event: ev.StageBegun) -> None:
    state.stage, state.account, state.accounts = event.stage, event.account, event.nth
    state.opening, state.numbers, state.counted = True, None, 0
    state.ended_at = Instant(0)
    if event.why in ("reset", "upgrade"):
        state.state, state.violation, state.more_days = "purchased", None, 0
    if state.tier is not None:
        state.tier = msgspec.structs.replace(state.tier, account=event.size)


def _started(state: Assessment, event: ev.AssessmentStarted) -> None:
    state.opening = False
    state.state = "funded" if state.is_funded_stage else "active"


def _kept(state: Assessment, event: ev.StandingKept) -> None:
    state.numbers = event.numbers
    if state.state == "funded" and not state.funded_at:
        state.funded_at = event.numbers.began_at


def _counted(state: Assessment, event: ev.TradeCounted) -> None:
    state.counted = event.order


def _violated(state: Assessment, event: ev.RuleViolated) -> None:
    state.violation = Violation(
        event.rule,
        event.at,
        event.value,
        event.limit,
        event.equity,
        event.day,
        event.day_from,
    )


def _ended(to: State) -> Callable[[Assessment, Any], None]:
    def end(state: Assessment, event: Any) -> None:
        state.state, state.ended_at, state.opening = to, event.at, False

    return end


def _passed(state: Assessment, event: ev.AssessmentPassed) -> None:
    if not event.is_funded:
        state.state, state.ended_at = "passed", event.at


def _closing(state: Assessment, event: ev.AccountClosing) -> None:
    state.closing[event.account] = event.nth


def _retired(state: Assessment, event: ev.AccountRetired) -> None:
    state.closing.pop(event.account, None)


def _frozen(state: Assessment, event: ev.AssessmentFrozen) -> None:
    state.frozen = event.reason


def _thawed(state: Assessment, event: ev.AssessmentThawed) -> None:
    state.frozen = ""


def _extended(state: Assessment, event: ev.AssessmentExtended) -> None:
    state.more_days += event.days


def _upgraded(state: Assessment, event: ev.AssessmentUpgraded) -> None:
    state.tier, state.fingerprint = _decode(event.terms), event.fingerprint


def _asked(state: Assessment, event: ev.PayoutAsked) -> None:
    state.payouts.append(PayoutRecord(event.number, event.profit, event.amount, event.at, event.by))


def _agreed(state: Assessment, event: ev.PayoutAgreed) -> None:
    found = state.payouts[event.number - 1]
    found.state, found.decided_by, found.tries = "agreed", event.by, 1
    state.profit += event.profit
    state.paid_at = event.at


def _again(state: Assessment, event: ev.PayoutTriedAgain) -> None:
    found = state.payouts[event.number - 1]
    found.state, found.decided_by, found.tries = "agreed", event.by, event.nth
    found.reason = ""


def _refused(state: Assessment, event: ev.PayoutRefused) -> None:
    found = state.payouts[event.number - 1]
    found.state, found.decided_by, found.reason = "refused", event.by, event.reason


def _settled(state: Assessment, event: ev.PayoutSettled) -> None:
    found = state.payouts[event.number - 1]
    found.state, found.reason = "paid" if event.paid else "failed", event.text


_EVOLVED: Final[dict[type, Callable[[Assessment, Any], None]]] = {
    ev.AssessmentCreated: _created,
    ev.StageBegun: _begun,
    ev.AssessmentStarted: _started,
    ev.StandingKept: _kept,
    ev.TradeCounted: _counted,
    ev.RuleViolated: _violated,
    ev.AssessmentPassed: _passed,
    ev.AssessmentFailed: _ended("failed"),
    ev.AssessmentAbandoned: _ended("abandoned"),
    ev.AssessmentExpired: _ended("expired"),
    ev.AccountClosing: _closing,
    ev.AccountRetired: _retired,
    ev.AssessmentFrozen: _frozen,
    ev.AssessmentThawed: _thawed,
    ev.AssessmentExtended: _extended,
    ev.AssessmentUpgraded: _upgraded,
    ev.PayoutAsked: _asked,
    ev.PayoutAgreed: _agreed,
    ev.PayoutTriedAgain: _again,
    ev.PayoutRefused: _refused,
    ev.PayoutSettled: _settled,
}
