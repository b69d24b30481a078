"""What webhooks tell: the public types, which journal entries they are made of, and how.

A type never changes its meaning: its fields are added to, or it gets a new number. Of an account it
says what the WebSocket at /ws/trading says.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from fondaco.app.webhooks.firm import OF_THE_FIRM, OVERSEERS
from fondaco.app.webhooks.told import Opening, Told
from fondaco.domain.evaluation.assessments.events import AssessmentCreated
from fondaco.domain.evaluation.assessments.model import PREFIX as ASSESSMENTS
from fondaco.domain.evaluation.assessments.model import assessment_of, assessment_stream
from fondaco.domain.identity.approvals import events as apr
from fondaco.domain.identity.approvals.model import ID_PREFIX as APPROVAL
from fondaco.domain.identity.approvals.model import PREFIX as APPROVALS
from fondaco.domain.identity.model import Scope
from fondaco.domain.ledger.events import CheckCleared, CheckFailed
from fondaco.domain.notify.api import EventType
from fondaco.domain.notify.events import WebhookDisabled, WebhookTestAsked
from fondaco.domain.notify.model import PREFIX as WEBHOOKS
from fondaco.domain.notify.model import Endpoint
from fondaco.domain.reference.events import HouseKilled, HouseUnkilled, InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM, HouseState
from fondaco.domain.reference.rules import decider as reference
from fondaco.domain.reports.events import ReportReady
from fondaco.domain.reports.model import PREFIX as REPORTS
from fondaco.domain.surveillance.cases.events import CaseClosed, CaseOpened
from fondaco.domain.surveillance.events import AlertRaised
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import PREFIX as ACCOUNTS
from fondaco.domain.trading.model import account_of
from fondaco.domain.trading.refs import CURRENCY
from fondaco.gateway.tell import (
    BalanceMessage,
    ExecutionMessage,
    MarginMessage,
    OrderMessage,
    Teller,
)
from fondaco.kernel.event import Entry, Event, StreamId
from fondaco.kernel.instants import rfc_3339
from fondaco.ports.journal import Journal
from fondaco.runtime.loading import load

_encode: Final = msgspec.json.Encoder().encode


class AccountMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account was opened, or may trade otherwise than before."""

    position: int
    account_id: str
    at: int
    name: str = ""
    currency: str = ""
    account_type: str = ""
    state: str = ""
    reason: str = ""


class ApprovalMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an operation stands that needs a second person."""

    position: int
    approval_id: str
    at: int
    operation: str = ""
    account_id: str = ""
    by: str = ""
    reason: str = ""
    error: str = ""


class AlertMessage(msgspec.Struct, frozen=True):
    """Surveillance has found something, or it became more severe."""

    position: int
    alert: str
    at: int
    pattern: str
    title: str
    severity: str
    subject: str
    session: str


class CaseMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    position: int
    case_number: int
    at: int
    subject: str = ""
    title: str = ""
    outcome: str = ""


class CheckMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A standing check does not hold, or holds again."""

    position: int
    check: str
    at: int
    wrong: list[str] = []


class HouseMessage(msgspec.Struct, frozen=True):
    """The kill switch was thrown, or taken back."""

    position: int
    at: int
    reason: str
    by: str


class InstrumentMessage(msgspec.Struct, frozen=True):
    position: int
    at: int
    symbol: str
    base: str
    quote: str


class WebhookMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of a webhook itself: a test, or that it was disabled."""

    position: int
    webhook_id: str
    at: int
    host: str = ""
    reason: str = ""
    by: str = ""


class ReportMessage(msgspec.Struct, frozen=True):
    """A report can be fetched. `sha256` is of its document."""

    position: int
    at: int
    report_id: str
    kind: str
    account_id: str
    assessment_id: str
    as_of_position: int
    sha256: str
    html_sha256: str
    pdf_sha256: str
    by: str


# What the documents call it.
_TOPICS: Final[Mapping[str, str]] = {
    "order.accepted.v1": "trading.order-placed",
    "execution.filled.v1": "trading.order-filled",
}


class Body(msgspec.Struct, frozen=True):
    """What is sent: the payload of Standard Webhooks. `timestamp` is when it happened, RFC 3339."""

    type: str
    timestamp: str
    tenant: str  # "" of what is the house's
    data: msgspec.Raw


def _account(entry: Entry) -> str:
    return f"account/{account_of(entry.stream)}"


def _of_account(name: str, kind: type[Event], scope: Scope, shape: type[msgspec.Struct]) -> Told:
    topic = _TOPICS.get(name, "")
    return Told(name, kind, scope, ACCOUNTS, _account, shape, None, topic)


def _approval(entry: Entry) -> ApprovalMessage:
    event: Any = entry.event
    return ApprovalMessage(
        entry.position,
        f"{APPROVAL}{event.number}",
        entry.at,
        getattr(event, "operation", ""),
        getattr(event, "account", ""),
        getattr(event, "by", ""),
        getattr(event, "reason", ""),
        getattr(event, "error", ""),
    )


def _of_approval(name: str, kind: type[Event]) -> Told:
    return Told(
        name, kind, Scope.APPROVALS_READ, APPROVALS,
        lambda entry: f"approval/{APPROVAL}{entry.event.number}",  # type: ignore[attr-defined]
        ApprovalMessage, _approval,
    )  # fmt: skip


def _opened(entry: Entry) -> AccountMessage:
    event: Any = entry.event
    return AccountMessage(
        entry.position, account_of(entry.stream), entry.at, event.name, event.currency,
        event.account_type,
    )  # fmt: skip


def _state_set(entry: Entry) -> AccountMessage:
    event: Any = entry.event
    return AccountMessage(
        entry.position, account_of(entry.stream), entry.at, state=event.state, reason=event.reason
    )


def _alert(entry: Entry) -> AlertMessage:
    e: Any = entry.event
    return AlertMessage(
        entry.position, e.alert, entry.at, e.pattern, e.title, e.severity, e.subject, e.session
    )


def _case(entry: Entry) -> CaseMessage:
    event: Any = entry.event
    return CaseMessage(
        entry.position, event.number, entry.at, getattr(event, "subject", ""),
        getattr(event, "title", ""), getattr(event, "outcome", ""),
    )  # fmt: skip


def _check(entry: Entry) -> CheckMessage:
    event: Any = entry.event
    return CheckMessage(entry.position, event.name, entry.at, list(getattr(event, "wrong", ())))


def _house(entry: Entry) -> HouseMessage:
    event: Any = entry.event
    return HouseMessage(entry.position, entry.at, event.reason, event.by)


def _instrument(entry: Entry) -> InstrumentMessage:
    found = entry.event.instrument  # type: ignore[attr-defined]
    return InstrumentMessage(entry.position, entry.at, found.symbol, found.base, found.quote)


def _webhook(entry: Entry) -> WebhookMessage:
    event: Any = entry.event
    return WebhookMessage(
        entry.position, event.webhook_id, entry.at, getattr(event, "host", ""),
        getattr(event, "reason", ""), getattr(event, "by", ""),
    )  # fmt: skip


def _report(entry: Entry) -> ReportMessage:
    return ReportMessage(entry.position, entry.at, *msgspec.structs.astuple(entry.event))


_ORDERS: Final[Mapping[str, type[Event]]] = {
    "order.accepted.v1": ev.OrderAccepted,
    "order.rejected.v1": ev.OrderRejected,
    "order.triggered.v1": ev.OrderTriggered,
    "order.released.v1": ev.OrderReleased,
    "order.cancel_requested.v1": ev.CancelRequested,
    "order.canceled.v1": ev.OrderCanceled,
    "order.expired.v1": ev.OrderExpired,
    "order.completed.v1": ev.OrderCompleted,
    "order.refused.v1": ev.OrderRefused,
    "order.replace_requested.v1": ev.ReplaceRequested,
    "order.replaced.v1": ev.OrderReplaced,
    "order.change_denied.v1": ev.ChangeDenied,
    "order.unknown.v1": ev.OrderUnknown,
    "order.resolved.v1": ev.OrderResolved,
}
_BALANCES: Final[Mapping[str, type[Event]]] = {
    "balance.deposited.v1": ev.CashDeposited,
    "balance.withdrawn.v1": ev.CashWithdrawn,
    "balance.transfer_sent.v1": ev.TransferSent,
    "balance.transfer_received.v1": ev.TransferReceived,
    "balance.transfer_voided.v1": ev.TransferVoided,
    "balance.swap_charged.v1": ev.SwapCharged,
    "balance.contract_paid.v1": ev.ContractPaid,
    "balance.allocation_booked.v1": ev.AllocationBooked,
    "balance.reset.v1": ev.AccountReset,
}
_MARGINS: Final[Mapping[str, type[Event]]] = {
    "margin.warned.v1": ev.MarginWarned,
    "margin.eased.v1": ev.MarginEased,
    "margin.liquidation_began.v1": ev.LiquidationBegan,
    "margin.liquidation_ended.v1": ev.LiquidationEnded,
}
_APPROVALS: Final[Mapping[str, type[Event]]] = {
    "approval.asked.v1": apr.ApprovalAsked,
    "approval.granted.v1": apr.ApprovalGranted,
    "approval.rejected.v1": apr.ApprovalRejected,
    "approval.expired.v1": apr.ApprovalExpired,
    "approval.executed.v1": apr.ApprovalExecuted,
}

TEST: Final = "webhook.test.v1"
_OF_ACCOUNTS: Final = (
    *(_of_account(n, k, Scope.ORDERS_READ, OrderMessage) for n, k in _ORDERS.items()),
    _of_account("execution.filled.v1", ev.OrderFilled, Scope.ORDERS_READ, ExecutionMessage),
    *(_of_account(n, k, Scope.ACCOUNTS_READ, BalanceMessage) for n, k in _BALANCES.items()),
    *(_of_account(n, k, Scope.ACCOUNTS_READ, MarginMessage) for n, k in _MARGINS.items()),
    Told(
        "account.opened.v1", ev.AccountOpened, Scope.ACCOUNTS_READ, ACCOUNTS, _account,
        AccountMessage, _opened,
    ),
    Told(
        "account.state_set.v1", ev.TradingStateSet, Scope.ACCOUNTS_READ, ACCOUNTS, _account,
        AccountMessage, _state_set,
    ),
)  # fmt: skip


def _case_of(entry: Entry) -> str:
    return f"case/{entry.event.number}"  # type: ignore[attr-defined]


def _check_of(entry: Entry) -> str:
    return f"check/{entry.event.name}"  # type: ignore[attr-defined]


def _alert_of(entry: Entry) -> str:
    return f"alert/{entry.event.alert}"  # type: ignore[attr-defined]


def _hook_of(entry: Entry) -> str:
    return f"webhook/{entry.event.webhook_id}"  # type: ignore[attr-defined]


_READ: Final = Scope.HOUSE_READ
_OF_THE_HOUSE: Final = (
    Told("alert.raised.v1", AlertRaised, _READ, "", _alert_of, AlertMessage, _alert),
    Told("case.opened.v1", CaseOpened, _READ, "", _case_of, CaseMessage, _case),
    Told("case.closed.v1", CaseClosed, _READ, "", _case_of, CaseMessage, _case),
    Told("check.failed.v1", CheckFailed, _READ, "", _check_of, CheckMessage, _check),
    Told("check.cleared.v1", CheckCleared, _READ, "", _check_of, CheckMessage, _check),
    Told(
        "house.killed.v1", HouseKilled, Scope.MARKET_READ, "", lambda _: "house", HouseMessage,
        _house,
    ),
    Told(
        "house.unkilled.v1", HouseUnkilled, Scope.MARKET_READ, "", lambda _: "house",
        HouseMessage, _house,
    ),
    Told(
        "instrument.listed.v1", InstrumentListed, Scope.MARKET_READ, "", lambda _: "house",
        InstrumentMessage, _instrument,
    ),
)  # fmt: skip
_OF_WEBHOOKS: Final = (
    Told(
        "webhook.disabled.v1", WebhookDisabled, Scope.WEBHOOKS_READ, WEBHOOKS, _hook_of,
        WebhookMessage, _webhook,
    ),
    Told(TEST, WebhookTestAsked, Scope.WEBHOOKS_READ, WEBHOOKS, _hook_of, WebhookMessage, _webhook),
)  # fmt: skip


def _subject_of(entry: Entry) -> StreamId:
    """The assessment whose account a report is of; "" where it is of another account."""
    name = assessment_of(entry.event.account_id)  # type: ignore[attr-defined]  # a ReportReady
    return assessment_stream(name) if name else StreamId("")


_OF_REPORTS: Final = (
    Told(
        "report.ready.v1", ReportReady, Scope.REPORTS_READ, REPORTS,
        lambda entry: f"report/{entry.event.report_id}",  # type: ignore[attr-defined]
        ReportMessage, lambda entry, _: _report(entry), "report.ready",
        begins=AssessmentCreated, overseers=OVERSEERS, ordered_by="report", subject=_subject_of,
    ),
)  # fmt: skip

TYPES: Final[tuple[Told, ...]] = (
    *_OF_ACCOUNTS,
    *(_of_approval(name, kind) for name, kind in _APPROVALS.items()),
    *_OF_THE_HOUSE,
    *_OF_WEBHOOKS,
    *_OF_REPORTS,
    *OF_THE_FIRM,
)
BY_KIND: Final[Mapping[type[Event], Told]] = {each.kind: each for each in TYPES}
BY_NAME: Final[Mapping[str, Told]] = {each.name: each for each in TYPES}
NAMES: Final = frozenset(name for each in TYPES for name in each.names)
OPENING_WITHIN: Final = 64  # entries, in which a stream says whose it is
BACK_AT_ONCE: Final = 64
OPENINGS_MAX: Final = 10_000  # streams whose beginning is remembered


def event_types() -> list[EventType]:
    return [
        EventType(
            each.name,
            (each.kind.__doc__ or each.shape.__doc__ or each.name).split("\n\n")[0].strip(),
            each.scope,
            _ordered_by(each),
            _schema(each.shape),
            each.family,
            each.topic,
            list(each.also),
        )
        for each in TYPES
    ]


def _ordered_by(told: Told) -> str:
    if told.ordered_by:
        return told.ordered_by
    return {ACCOUNTS: "account", APPROVALS: "approval", WEBHOOKS: "webhook", REPORTS: "report"}.get(
        told.tenant, told.name.partition(".")[0]
    )


def _schema(shape: type[msgspec.Struct]) -> dict[str, Any]:
    _, parts = msgspec.json.schema_components([shape], ref_template="#/$defs/{name}")
    found: dict[str, Any] = parts.pop(shape.__name__)
    if parts:
        found["$defs"] = dict(parts)
    return found


def _is_of(accounts: tuple[str, ...], entry: Entry) -> bool:
    """Whether it is about one of these accounts, or the assessment of one."""
    if entry.stream.startswith(ACCOUNTS):
        return account_of(entry.stream) in accounts
    if isinstance(entry.event, ReportReady):
        return entry.event.account_id in accounts
    if not entry.stream.startswith(ASSESSMENTS):
        return False
    account = getattr(entry.event, "account", "")
    if account:
        return account in accounts
    return entry.stream.removeprefix(ASSESSMENTS) in {assessment_of(each) for each in accounts}


def _of_maker(entry: Entry, told: Told) -> Opening:
    """Of what is about nothing that somebody has bought: who has made it."""
    event: Any = entry.event
    return Opening(entry.stream.removeprefix(told.tenant), event.by.partition("/")[0], event)


class _Shown:
    """What a `Teller` reads of the reference data."""

    def __init__(self, house: HouseState) -> None:
        self.instruments, self.assets, self.currency = house.instruments, house.assets, CURRENCY


class Telling:
    """Makes bodies out of entries, wherever the journal can be read. For one thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._house: Any = None
        self._openings: dict[StreamId, Opening] = {}
        self._teller = Teller(lambda: self._house)

    def opening_of(self, entry: Entry, told: Told) -> Opening | None:
        """Whose the entry is; None: nobody's, its stream did not begin as such."""
        if told.begins is None and told.tenant != ACCOUNTS:
            return Opening(entry.stream.removeprefix(told.tenant) if told.tenant else "")
        stream = entry.stream if told.subject is None else told.subject(entry)
        found = self._openings.get(stream)
        if found is None:
            limit = OPENING_WITHIN if told.begins else 1
            first = self._journal.read(stream, limit=limit) if stream else []
            kind = told.begins or Event
            begun: Any = next((each.event for each in first if isinstance(each.event, kind)), None)
            if begun is None and told.subject is not None:
                return _of_maker(entry, told)
            if begun is None:
                return None
            found = Opening(begun.tenant, getattr(begun, "user", ""), begun)
            if len(self._openings) >= OPENINGS_MAX:
                self._openings.clear()
            self._openings[stream] = found
        if told.after is None:
            return found
        return msgspec.structs.replace(found, last=self._last(entry, told.after))

    def tenant_of(self, entry: Entry, told: Told) -> str:
        """ "" for what is the house's, or nobody's."""
        opening = self.opening_of(entry, told)
        return "" if opening is None else opening.tenant

    def _last(self, entry: Entry, kind: type[Event]) -> Event | None:
        until = entry.version - 1
        while until > 0:
            after = max(0, until - BACK_AT_ONCE)
            for each in reversed(self._journal.read(entry.stream, after, until - after)):
                if isinstance(each.event, kind):
                    return each.event
            until = after
        return None

    def hears(self, endpoint: Endpoint, entry: Entry, told: Told) -> str:
        """By which name an endpoint hears an entry, but for what its owner may read by now; "":
        it is not for it."""
        name = "" if told.name == TEST else told.heard_as(endpoint)
        if not name:
            return ""
        opening = self.opening_of(entry, told)
        if opening is None or opening.tenant not in ("", endpoint.tenant):
            return ""
        if told.begins and not told.may_be_heard(opening, endpoint.owner, endpoint.scopes):
            return ""  # somebody else's: not even the log says that there was something
        return name if endpoint.accounts is None or _is_of(endpoint.accounts, entry) else ""

    def may_be_heard(self, entry: Entry, told: Told, owner: str, held: frozenset[Any]) -> bool:
        """Whether whoever holds these scopes now may read it."""
        return told.may_be_heard(self.opening_of(entry, told), owner, held)

    def body(self, entry: Entry, told: Told, name: str = "") -> bytes:
        """`name` is the type that it is told as."""
        opening = self.opening_of(entry, told) or Opening("")
        if told.make is None:
            data = self._as_told(entry, told)
        else:
            given = (entry, opening) if told.begins else (entry,)
            data = _encode(told.make(*given))
        at = rfc_3339(entry.at)
        return _encode(Body(name or told.name, at, opening.tenant, msgspec.Raw(data)))

    def _as_told(self, entry: Entry, told: Told) -> bytes:
        channel = str(told.shape.__struct_config__.tag)
        if self._house is None:
            self._read_house()
        try:
            found = self._teller.messages(entry)
        except KeyError:  # of an instrument that was listed since
            self._read_house()
            found = self._teller.messages(entry)
        return next(text for name, text in found if name == channel)

    def _read_house(self) -> None:
        self._house = _Shown(load(HOUSE_STREAM, reference, self._journal).state)
