"""What is asked of an assessment, and what the journal keeps of it.

Who listens outside knows some of them by the names of the documents: `TOPICS`.
"""

from typing import Final, TypeAlias

from fondaco.domain.evaluation.assessments.model import Look, Numbers
from fondaco.domain.market.model import Mark
from fondaco.domain.reference.model import Limits, Symbol
from fondaco.domain.trading.model import AccountId, TradeRules
from fondaco.kernel.event import Command, Event, Instant
from fondaco.kernel.money import AssetCode

# --- What is asked ------------------------------------------------------------------------------


class CreateAssessment(Command, frozen=True, gc=False):
    """`terms` is the frozen tier as JSON, whose SHA-256 is its fingerprint; `source` the purchase
    that it is for, or who gives it away."""

    assessment_id: str
    tenant: str
    user: str
    source: str
    terms: str


class NoteDeposit(Command, frozen=True, gc=False):
    """The account of a stage has its money: the stage begins."""

    account: AccountId


class NoteTrade(Command, frozen=True, gc=False):
    """The account has traded. `opens`: the position is larger by it, or the other way round."""

    account: AccountId
    symbol: Symbol
    order: int
    opens: bool


class MarkAssessment(Command, frozen=True, gc=False):
    """The account as it was seen, in the order of time: who watches thinks that it means
    something, or it is to be kept. An observation, with its evidence; the rules decide."""

    account: AccountId
    looks: tuple[Look, ...]


class CheckClosing(Command, frozen=True, gc=False):
    """An account whose stage has ended, as it is now: it is closed until nothing is open."""

    account: AccountId
    open_positions: int
    working: int


class AbandonAssessment(Command, frozen=True, gc=False):
    by: str
    reason: str


class FreezeAssessment(Command, frozen=True, gc=False):
    """Nobody trades on it while somebody disputes its payment, or after it was paid back."""

    reason: str
    by: str


class ThawAssessment(Command, frozen=True, gc=False):
    reason: str
    by: str


class ResetAssessment(Command, frozen=True, gc=False):
    """Its stage begins anew on a fresh account, also where it had failed. `source` has paid it."""

    source: str


class ExtendAssessment(Command, frozen=True, gc=False):
    source: str
    days: int


class UpgradeAssessment(Command, frozen=True, gc=False):
    """It begins anew under other terms, which were bought."""

    source: str
    terms: str


class AskPayout(Command, frozen=True, gc=False):
    by: str


class DecidePayout(Command, frozen=True, gc=False):
    number: int
    agrees: bool
    by: str
    reason: str


class NotePayout(Command, frozen=True, gc=False):
    """What became of the money: `paid`, or why not."""

    number: int
    paid: bool
    text: str = ""


# --- What happened ------------------------------------------------------------------------------


class AssessmentCreated(Event, frozen=True, gc=False, tag="assessments.created.v1"):
    """Somebody has an assessment: topic `assessment.created`. `terms` are frozen here."""

    assessment_id: str
    tenant: str
    user: str
    source: str
    tier: str
    tier_version: int
    fingerprint: str
    terms: str
    at: Instant


class StageBegun(Event, frozen=True, gc=False, tag="assessments.stage_begun.v1"):
    """A stage is to be traded on a fresh account of its size, which is opened now."""

    stage: int
    name: str
    account: AccountId
    nth: int
    tenant: str
    size: int
    is_funded: bool
    why: str  # "begun", "passed", "payout", "reset", "upgrade"


class AccountProvided(Event, frozen=True, gc=False, tag="assessments.account_provided.v1"):
    """The account gets its money."""

    account: AccountId
    asset: AssetCode
    amount: str


class AccountLimited(Event, frozen=True, gc=False, tag="assessments.account_limited.v1"):
    """The account refuses what its tier never allows."""

    account: AccountId
    limits: Limits


class AccountRuled(Event, frozen=True, gc=False, tag="assessments.account_ruled.v1"):
    """The account refuses orders that would break a rule of trades of its stage."""

    account: AccountId
    rules: TradeRules


class AssessmentStarted(Event, frozen=True, gc=False, tag="assessments.started.v1"):
    """The money is there: from here on the rules of the stage hold."""

    stage: int
    account: AccountId


class StandingKept(Event, frozen=True, gc=False, tag="assessments.standing_kept.v1"):
    """How the account stands, as the rules left it. `marks` are what its equity was worked out
    from, `account_version` the account's last entry that is in it; 0: not seen now."""

    stage: int
    account: AccountId
    numbers: Numbers
    at: Instant
    marks: tuple[Mark, ...] = ()
    account_version: int = 0


class TradeCounted(Event, frozen=True, gc=False, tag="assessments.trade_counted.v1"):
    """An order has begun to execute that opens or adds to a position; what is open since."""

    account: AccountId
    symbol: Symbol
    order: int
    open_positions: int
    lots: int
    notional: int
    risk: int


class DayReset(Event, frozen=True, gc=False, tag="assessments.day_reset.v1"):
    """A day began in the tier's time zone: what its loss is counted from, and both limits."""

    account: AccountId
    day: int
    at: Instant
    time_zone: str
    day_from: int
    day_limit: int
    overall_limit: int


class RuleWarned(Event, frozen=True, gc=False, tag="assessments.rule_warned.v1"):
    """Less than a fifth of what may be lost is left."""

    account: AccountId
    rule: str
    at: Instant
    limit: int
    headroom: int
    equity: int


class RuleViolated(Event, frozen=True, gc=False, tag="assessments.rule_violated.v1"):
    """A rule is broken: topic `rules.violation-detected`. The marks are those that equity was
    worked out from, each with its place on the tape."""

    account: AccountId
    rule: str
    at: Instant
    value: int
    limit: int
    balance: int
    equity: int
    day: int
    day_from: int
    peak: int
    stage: int
    tier: str
    tier_version: int
    fingerprint: str
    marks: tuple[Mark, ...]


class AccountStopped(Event, frozen=True, gc=False, tag="assessments.account_stopped.v1"):
    """From here on positions of the account may only be made smaller."""

    account: AccountId
    reason: str


class AccountResumed(Event, frozen=True, gc=False, tag="assessments.account_resumed.v1"):
    account: AccountId
    reason: str


class AccountClosing(Event, frozen=True, gc=False, tag="assessments.account_closing.v1"):
    """Its orders are canceled and its positions closed; `nth` time of asking."""

    account: AccountId
    nth: int


class AccountRetired(Event, frozen=True, gc=False, tag="assessments.account_retired.v1"):
    """Nothing is open on it any more; it is halted for good."""

    account: AccountId


class StagePassed(Event, frozen=True, gc=False, tag="assessments.stage_passed.v1"):
    stage: int
    account: AccountId
    at: Instant
    balance: int


class AssessmentPassed(Event, frozen=True, gc=False, tag="assessments.passed.v1"):
    """Its last phase is passed: topic `assessment.completed`."""

    at: Instant
    account: AccountId
    balance: int
    is_funded: bool  # a funded stage follows


class AssessmentFailed(Event, frozen=True, gc=False, tag="assessments.failed.v1"):
    """A rule was broken: topic `assessment.failed`."""

    at: Instant
    account: AccountId
    rule: str


class AssessmentAbandoned(Event, frozen=True, gc=False, tag="assessments.abandoned.v1"):
    """Given up, or nobody traded for too long: topic `assessment.abandoned`."""

    at: Instant
    account: AccountId
    by: str  # "": too long without a trade
    reason: str


class AssessmentExpired(Event, frozen=True, gc=False, tag="assessments.expired.v1"):
    """Its time is over."""

    at: Instant
    account: AccountId


class AssessmentFrozen(Event, frozen=True, gc=False, tag="assessments.frozen.v1"):
    account: AccountId
    reason: str
    by: str


class AssessmentThawed(Event, frozen=True, gc=False, tag="assessments.thawed.v1"):
    account: AccountId
    reason: str
    by: str


class AssessmentReset(Event, frozen=True, gc=False, tag="assessments.reset.v1"):
    source: str


class AssessmentExtended(Event, frozen=True, gc=False, tag="assessments.extended.v1"):
    source: str
    days: int


class AssessmentUpgraded(Event, frozen=True, gc=False, tag="assessments.upgraded.v1"):
    source: str
    tier: str
    tier_version: int
    fingerprint: str
    terms: str


class PayoutAsked(Event, frozen=True, gc=False, tag="assessments.payout_asked.v1"):
    number: int
    profit: int
    amount: int
    currency: AssetCode
    by: str
    at: Instant


class PayoutAgreed(Event, frozen=True, gc=False, tag="assessments.payout_agreed.v1"):
    """The trader's part is to be paid; `tenant` and `user` are whom."""

    number: int
    profit: int
    amount: int
    currency: AssetCode
    tenant: str
    user: str
    by: str
    at: Instant


class PayoutTriedAgain(Event, frozen=True, gc=False, tag="assessments.payout_tried_again.v1"):
    """The provider could not pay it: it is asked once more, as another payout there. `nth` is 2 the
    first time."""

    number: int
    nth: int
    profit: int
    amount: int
    currency: AssetCode
    tenant: str
    user: str
    by: str
    at: Instant


class PayoutRefused(Event, frozen=True, gc=False, tag="assessments.payout_refused.v1"):
    number: int
    by: str
    reason: str


class PayoutSettled(Event, frozen=True, gc=False, tag="assessments.payout_settled.v1"):
    number: int
    paid: bool
    text: str


class AssessmentDenied(Event, frozen=True, gc=False, tag="assessments.denied.v1"):
    """Somebody asked what the assessment does not allow."""

    code: str
    text: str


class NothingNoted(Event, frozen=True, gc=False, tag="assessments.nothing_noted.v1"):
    """The trace of what found nothing to do."""

    text: str


AssessmentCommand: TypeAlias = (
    CreateAssessment
    | NoteDeposit
    | NoteTrade
    | MarkAssessment
    | CheckClosing
    | AbandonAssessment
    | FreezeAssessment
    | ThawAssessment
    | ResetAssessment
    | ExtendAssessment
    | UpgradeAssessment
    | AskPayout
    | DecidePayout
    | NotePayout
)
AssessmentEvent: TypeAlias = (
    AssessmentCreated
    | StageBegun
    | AccountProvided
    | AccountLimited
    | AccountRuled
    | AssessmentStarted
    | StandingKept
    | TradeCounted
    | DayReset
    | RuleWarned
    | RuleViolated
    | AccountStopped
    | AccountResumed
    | AccountClosing
    | AccountRetired
    | StagePassed
    | AssessmentPassed
    | AssessmentFailed
    | AssessmentAbandoned
    | AssessmentExpired
    | AssessmentFrozen
    | AssessmentThawed
    | AssessmentReset
    | AssessmentExtended
    | AssessmentUpgraded
    | PayoutAsked
    | PayoutAgreed
    | PayoutTriedAgain
    | PayoutRefused
    | PayoutSettled
    | AssessmentDenied
    | NothingNoted
)

# The names that the documents give what happens here. A failed assessment and one that was given
# up are two things; who relied on one name for both subscribes to the alias.
TOPICS: Final[dict[type[Event], str]] = {
    AssessmentCreated: "assessment.created",
    AssessmentPassed: "assessment.completed",
    AssessmentFailed: "assessment.failed",
    AssessmentAbandoned: "assessment.abandoned",
    RuleViolated: "rules.violation-detected",
}
ALIASES: Final[dict[str, str]] = {"assessment.failed": "assessment.abandoned"}
