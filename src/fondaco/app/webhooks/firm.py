"""What webhooks tell of the prop firm: purchases, assessments, broken rules, payouts, simulations.

Who is no overseer hears of what is their own. `topic` is the name that the documents have.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from fondaco.app.webhooks.told import Opening, Told
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.events import ALIASES, TOPICS
from fondaco.domain.evaluation.assessments.model import PREFIX as ASSESSMENTS
from fondaco.domain.evaluation.assessments.model import assessment_id_of, measured
from fondaco.domain.evaluation.model import MONEY_DECIMALS
from fondaco.domain.evaluation.offering.events import SimulationAttached
from fondaco.domain.evaluation.offering.model import PREFIX as TIERS
from fondaco.domain.identity.model import Scope
from fondaco.domain.payments import events as pay
from fondaco.domain.payments.model import PAYOUTS, amount_text
from fondaco.domain.payments.model import PREFIX as PURCHASES
from fondaco.kernel.event import Entry, Event
from fondaco.kernel.money import format_scaled

OVERSEERS: Final = frozenset({Scope.EVALUATION_WRITE, Scope.HOUSE_READ})
_TILL: Final = frozenset({Scope.PAYMENTS_READ})


class AssessmentMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """An assessment, after something has happened to it. `state` is absent where it stays what it
    was. Amounts are of the tier's currency."""

    position: int
    assessment_id: str
    at: int
    user: str
    tier: str  # as it was bought
    tier_version: int
    fingerprint: str
    state: str = ""
    account_id: str = ""
    stage: int | None = None  # 0 is the first
    stage_name: str = ""
    is_funded: bool | None = None  # the stage that begins, or follows
    balance: str = ""
    rule: str = ""
    reason: str = ""
    by: str = ""
    source: str = ""  # what has paid for it: a purchase_id, or who gave it away


class RuleMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule of an assessment: nearly reached, or broken. `evidence` is the path, in the house, of
    the pack that proves it: what was written, the marks, and the programs that judge it again."""

    position: int
    assessment_id: str
    at: int  # of the mark that it was seen at
    user: str
    account_id: str
    rule: str
    limit: str
    equity: str
    headroom: str = ""
    value: str = ""
    balance: str = ""
    day_from: str = ""
    stage: int | None = None
    tier: str = ""
    tier_version: int = 0
    fingerprint: str = ""
    marks: tuple[dict[str, Any], ...] = ()
    evidence: str = ""


class AssessmentPayoutMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payout of an assessment's profit: asked for, decided, and what came of it."""

    position: int
    assessment_id: str
    at: int
    user: str
    number: int
    state: str
    profit: str = ""
    amount: str = ""
    currency: str = ""
    by: str = ""
    reason: str = ""


class PaymentMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A purchase, and the money of it."""

    position: int
    purchase_id: str
    at: int
    user: str
    state: str
    tier: str
    tier_version: int
    purpose: str
    amount: str = ""
    currency: str = ""
    assessment_id: str = ""  # that it has made, or changes
    reason: str = ""


class TransferMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money to a trader, at the payment provider."""

    position: int
    payout_id: str
    at: int
    user: str
    assessment_id: str
    state: str
    amount: str
    currency: str
    reference: str = ""
    reason: str = ""


class SimulatedMessage(msgspec.Struct, frozen=True):
    """A simulation of a tier is done, and stands beside it."""

    position: int
    at: int
    tier: str
    tier_version: int
    fingerprint: str
    traders: int
    paths: int
    seed: int
    days: int


def _money(units: int) -> str:
    return format_scaled(units, MONEY_DECIMALS)


# --- Assessments ----------------------------------------------------------------------------------


def _assessed(**says: Any) -> Callable[[Entry, Opening], AssessmentMessage]:
    """`says` are fields of the message: what they are, or the name of the event's field."""

    def make(entry: Entry, opening: Opening) -> AssessmentMessage:
        made, event = opening.event, entry.event
        assert isinstance(made, ev.AssessmentCreated)  # noqa: S101  # what begins its stream
        told = {name: each(event) if callable(each) else each for name, each in says.items()}
        return AssessmentMessage(
            entry.position, made.assessment_id, entry.at, made.user, made.tier, made.tier_version,
            made.fingerprint, **told,
        )  # fmt: skip

    return make


def _field(name: str) -> Callable[[Any], Any]:
    return lambda event: getattr(event, name)


def _begun_state(event: ev.StageBegun) -> str:
    return "purchased" if event.why in ("begun", "reset", "upgrade") else ""


def _started(entry: Entry, opening: Opening) -> AssessmentMessage:
    event: Any = entry.event
    is_funded = isinstance(opening.last, ev.StageBegun) and opening.last.is_funded
    make = _assessed(
        state="funded" if is_funded else "active", stage=event.stage, account_id=event.account,
        is_funded=is_funded,
    )  # fmt: skip
    return make(entry, opening)


_ACCOUNT: Final = {"account_id": _field("account")}
_WHY: Final = {"reason": _field("reason"), "by": _field("by")}
_LIFE: Final[dict[type[Event], tuple[str, Any]]] = {
    ev.AssessmentCreated: ("created", _assessed(state="purchased", source=_field("source"))),
    ev.StageBegun: (
        "stage_begun",
        _assessed(
            state=_begun_state, stage=_field("stage"), stage_name=_field("name"),
            is_funded=_field("is_funded"), reason=_field("why"), **_ACCOUNT,
        ),
    ),
    ev.AssessmentStarted: ("started", _started),
    ev.StagePassed: (
        "stage_passed",
        _assessed(
            stage=_field("stage"), balance=lambda event: _money(event.balance), **_ACCOUNT
        ),
    ),
    ev.AssessmentPassed: (
        "completed",
        _assessed(
            state=lambda event: "" if event.is_funded else "passed", is_funded=_field("is_funded"),
            balance=lambda event: _money(event.balance), **_ACCOUNT,
        ),
    ),
    ev.AssessmentFailed: ("failed", _assessed(state="failed", rule=_field("rule"), **_ACCOUNT)),
    ev.AssessmentAbandoned: ("abandoned", _assessed(state="abandoned", **_WHY, **_ACCOUNT)),
    ev.AssessmentExpired: ("expired", _assessed(state="expired", **_ACCOUNT)),
    ev.AssessmentFrozen: ("frozen", _assessed(**_WHY, **_ACCOUNT)),
    ev.AssessmentThawed: ("thawed", _assessed(**_WHY, **_ACCOUNT)),
    ev.AssessmentReset: ("reset", _assessed(source=_field("source"))),
    ev.AssessmentExtended: ("extended", _assessed(source=_field("source"))),
    ev.AssessmentUpgraded: ("upgraded", _assessed(source=_field("source"))),
}  # fmt: skip


def _id(entry: Entry) -> str:
    return entry.stream.removeprefix(ASSESSMENTS)


def _warned(entry: Entry, opening: Opening) -> RuleMessage:
    event: Any = entry.event
    return RuleMessage(
        entry.position, _id(entry), event.at, opening.user, event.account, event.rule,
        _money(event.limit), _money(event.equity), _money(event.headroom),
    )  # fmt: skip


def _violated(entry: Entry, opening: Opening) -> RuleMessage:
    event: Any = entry.event
    marks = tuple(
        {
            "symbol": each.symbol, "at": each.at, "quality": each.quality, "source": each.source,
            "tape_position": each.tape_position,
        }
        for each in event.marks
    )  # fmt: skip
    return RuleMessage(
        entry.position, _id(entry), event.at, opening.user, event.account, event.rule,
        measured(event.rule, event.limit), _money(event.equity),
        value=measured(event.rule, event.value), balance=_money(event.balance),
        day_from=_money(event.day_from), stage=event.stage, tier=event.tier,
        tier_version=event.tier_version, fingerprint=event.fingerprint, marks=marks,
        evidence=f"/api/assessments/{_id(entry)}/pack",
    )  # fmt: skip


def _payout(state: str) -> Callable[[Entry, Opening], AssessmentPayoutMessage]:
    def make(entry: Entry, opening: Opening) -> AssessmentPayoutMessage:
        event: Any = entry.event
        is_money = hasattr(event, "profit")
        now = state or ("paid" if event.paid else "failed")
        return AssessmentPayoutMessage(
            entry.position, _id(entry), entry.at, opening.user, event.number, now,
            _money(event.profit) if is_money else "", _money(event.amount) if is_money else "",
            getattr(event, "currency", ""), getattr(event, "by", ""),
            getattr(event, "reason", "") or getattr(event, "text", ""),
        )  # fmt: skip

    return make


def _of_assessment(name: str, kind: type[Event], shape: Any, make: Any) -> Told:
    topic = TOPICS.get(kind, "")
    also = (ALIASES[topic],) if topic in ALIASES else ()
    return Told(
        name, kind, Scope.EVALUATION_READ, ASSESSMENTS,
        lambda entry: f"assessment/{_id(entry)}", shape, make, topic, also,
        ev.AssessmentCreated, OVERSEERS, "assessment",
        ev.StageBegun if kind is ev.AssessmentStarted else None,
    )  # fmt: skip


# --- Payments -------------------------------------------------------------------------------------


def _paid(state: str) -> Callable[[Entry, Opening], PaymentMessage]:
    def make(entry: Entry, opening: Opening) -> PaymentMessage:
        made, event = opening.event, entry.event
        assert isinstance(made, pay.PurchaseOpened)  # noqa: S101  # what begins its stream
        amount = getattr(event, "paid_amount", getattr(event, "total", getattr(event, "amount", 0)))
        currency = getattr(event, "currency", made.product.currency)
        now, purchase_id = state, entry.stream.removeprefix(PURCHASES)
        assessment_id = made.product.assessment_id
        if isinstance(event, pay.PurchaseCompleted) and not assessment_id:
            assessment_id = assessment_id_of(purchase_id)
        if isinstance(event, pay.Refunded):
            now = "refunded" if event.is_whole else "partly_refunded"
        elif isinstance(event, pay.DisputeClosed):
            now = "completed" if event.is_won else "charged_back"
        return PaymentMessage(
            entry.position, purchase_id, entry.at, made.user, now,
            made.product.code, made.product.version, made.product.purpose,
            amount_text(amount, currency) if amount else "", currency,
            assessment_id, getattr(event, "reason", ""),
        )  # fmt: skip

    return make


def _of_payment(name: str, kind: type[Event], state: str, topic: str = "") -> Told:
    return Told(
        name, kind, Scope.PURCHASES_READ, PURCHASES,
        lambda entry: entry.stream, PaymentMessage, _paid(state), topic, (),
        pay.PurchaseOpened, _TILL, "purchase",
    )  # fmt: skip


def _transferred(state: str) -> Callable[[Entry, Opening], TransferMessage]:
    def make(entry: Entry, opening: Opening) -> TransferMessage:
        event: Any = entry.event
        return TransferMessage(
            entry.position, event.payout_id, entry.at, opening.user, event.assessment_id, state,
            amount_text(event.amount, event.currency), event.currency,
            getattr(event, "reference", ""), getattr(event, "reason", ""),
        )  # fmt: skip

    return make


def _of_transfer(name: str, kind: type[Event], state: str) -> Told:
    return Told(
        name, kind, Scope.PURCHASES_READ, PAYOUTS, lambda entry: entry.stream, TransferMessage,
        _transferred(state), begins=kind, overseers=_TILL, ordered_by="payout",
    )  # fmt: skip


def _simulated(entry: Entry) -> SimulatedMessage:
    event: Any = entry.event
    return SimulatedMessage(
        entry.position, entry.at, event.name, event.version, event.fingerprint,
        len(event.traders), event.paths, event.seed, event.days,
    )  # fmt: skip


OF_THE_FIRM: Final[tuple[Told, ...]] = (
    *(
        _of_assessment(f"assessment.{name}.v1", kind, AssessmentMessage, make)
        for kind, (name, make) in _LIFE.items()
    ),
    _of_assessment("rules.warned.v1", ev.RuleWarned, RuleMessage, _warned),
    _of_assessment("rules.violation_detected.v1", ev.RuleViolated, RuleMessage, _violated),
    *(
        _of_assessment(f"payout.{name}.v1", kind, AssessmentPayoutMessage, _payout(state))
        for name, kind, state in (
            ("asked", ev.PayoutAsked, "asked"),
            ("agreed", ev.PayoutAgreed, "agreed"),
            ("tried_again", ev.PayoutTriedAgain, "agreed"),
            ("refused", ev.PayoutRefused, "refused"),
            ("settled", ev.PayoutSettled, ""),
        )
    ),
    _of_payment("payment.purchase_opened.v1", pay.PurchaseOpened, "opened"),
    _of_payment(
        "payment.purchase_completed.v1", pay.PurchaseCompleted, "completed",
        "payment.purchase-completed",
    ),
    _of_payment("payment.purchase_expired.v1", pay.PurchaseExpired, "expired"),
    _of_payment("payment.refunded.v1", pay.Refunded, ""),
    _of_payment("payment.dispute_opened.v1", pay.DisputeOpened, "disputed"),
    _of_payment("payment.dispute_closed.v1", pay.DisputeClosed, ""),
    _of_transfer("payment.payout_ordered.v1", pay.PayoutOrdered, "ordered"),
    _of_transfer("payment.payout_paid.v1", pay.PayoutPaid, "paid"),
    _of_transfer("payment.payout_failed.v1", pay.PayoutFailed, "failed"),
    Told(
        "montecarlo.simulation_completed.v1", SimulationAttached, Scope.TIERS_READ, TIERS,
        lambda entry: f"tier/{entry.event.name}",  # type: ignore[attr-defined]
        SimulatedMessage, _simulated, "montecarlo.simulation-completed", ordered_by="tier",
    ),
)  # fmt: skip
