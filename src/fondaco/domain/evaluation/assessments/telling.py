"""What `/ws/trading` says of an assessment while it is traded, and what of it at once."""

from typing import Final, Literal, TypeAlias

import msgspec

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.api import ConditionLine, HeadroomLine
from fondaco.domain.evaluation.assessments.model import State
from fondaco.kernel.event import Event

Why: TypeAlias = Literal["warned", "broken", "day", "stage", "trade", "frozen", "payout", "ended"]

# Whoever listens hears of these with their commit; that equity has moved may wait for its turn.
AT_ONCE: Final[dict[type[Event], Why]] = {
    ev.RuleWarned: "warned",
    ev.RuleViolated: "broken",
    ev.DayReset: "day",
    ev.StageBegun: "stage",
    ev.AssessmentStarted: "stage",
    ev.TradeCounted: "trade",
    ev.AssessmentFrozen: "frozen",
    ev.AssessmentThawed: "frozen",
    ev.PayoutAsked: "payout",
    ev.PayoutAgreed: "payout",
    ev.PayoutRefused: "payout",
    ev.PayoutSettled: "payout",
    ev.AssessmentPassed: "ended",
    ev.AssessmentFailed: "ended",
    ev.AssessmentAbandoned: "ended",
    ev.AssessmentExpired: "ended",
}


class AssessmentMessage(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="channel", tag="assessments"
):
    """An assessment as it stands at `at`: all of it, so that the last message is enough. `why` says
    what was written down that made it be said; nothing where its equity has moved. Times are ns
    since 1970 as text, amounts decimals of its currency."""

    assessment_id: str
    account_id: str
    state: State
    frozen: str  # why nobody may trade on it; "" where somebody may
    stage: int
    stage_name: str
    balance: str
    equity: str
    open_positions: int
    day_from: str
    resets_at: str
    trades: int
    days_traded: int
    headroom: list[HeadroomLine]
    conditions: list[ConditionLine]
    at: str
    why: list[Why]
