"""Who is told of which events, and from what a notice of one is made.

A room that wants people to hear of something adds a template of that name to
`domain/notify/notices/templates.py` and a line here. Fields are text; nothing personal stands in an
entry, so nothing personal is in them.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from fondaco.app.webhooks.catalog import BY_KIND as TOLD
from fondaco.app.webhooks.catalog import Telling
from fondaco.domain.identity import events as idn
from fondaco.domain.identity.approvals import events as apr
from fondaco.domain.identity.approvals.model import ID_PREFIX as APPROVAL
from fondaco.domain.identity.approvals.model import PREFIX as APPROVALS
from fondaco.domain.identity.kyc import events as kyc
from fondaco.domain.identity.model import Scope
from fondaco.domain.ledger.events import CheckCleared, CheckFailed
from fondaco.domain.notify.events import WebhookDisabled
from fondaco.domain.notify.notices.model import SECOND_NS, Preferences, Topic
from fondaco.domain.reference.events import HouseKilled, HouseUnkilled
from fondaco.domain.surveillance.events import AlertRaised
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import account_of
from fondaco.kernel.event import Entry, Event


class Person(NamedTuple):
    """Somebody who may be told. `email` "": no address is known."""

    tenant: str
    user: str
    scopes: frozenset[str]
    email: str
    chosen: Preferences
    subscriptions: tuple[str, ...] = ()  # their ids


class People:
    """Everybody, to be found by name, by tenant or by what they may do."""

    def __init__(self, everybody: Iterable[Person]) -> None:
        self._by_name = {(each.tenant, each.user): each for each in everybody}

    def named(self, tenant: str, user: str) -> list[Person]:
        found = self._by_name.get((tenant, user))
        return [] if found is None else [found]

    def holding(self, scope: str, tenant: str = "") -> list[Person]:
        """Of every tenant where none is named."""
        return [
            each
            for each in self._by_name.values()
            if tenant in ("", each.tenant) and scope in each.scopes
        ]


Fields: TypeAlias = dict[str, str]
Audience: TypeAlias = Callable[[Entry, Telling, People], list[Person]]


class Kind(NamedTuple):
    """`name` is a template's. `fields` may read the message that webhooks are told. `told` says of
    an entry whether anybody is; `severity` how bad it is, "" where no pager is told."""

    name: str
    topic: Topic
    event: type[Event]
    audience: Audience
    fields: Callable[[Entry, Telling], Fields]
    is_urgent: bool = False
    told: Callable[[Entry], bool] = lambda _: True
    severity: Callable[[Entry], str] = lambda _: ""
    about: Callable[[Entry], str] = lambda _: ""
    is_over: bool = False
    # What it adds to what people have chosen: an alert that is severe also goes by mail.
    more: Callable[[Entry], tuple[str, ...]] = lambda _: ()


# --- Who ------------------------------------------------------------------------------------------


def person(entry: Entry, _: Telling, people: People) -> list[Person]:
    """Whom the event names."""
    event: Any = entry.event
    return people.named(event.tenant, event.user)


def of_account(entry: Entry, telling: Telling, people: People) -> list[Person]:
    """Who may read the account that has spoken, and wants to hear of it."""
    tenant, account = telling.tenant_of(entry, TOLD[type(entry.event)]), account_of(entry.stream)
    found = people.holding(Scope.ACCOUNTS_READ, tenant)
    return [each for each in found if each.chosen.wants(account)]


def holding(scope: Scope) -> Audience:
    """Who holds a scope in the tenant that the event names."""

    def found(entry: Entry, _: Telling, people: People) -> list[Person]:
        event: Any = entry.event
        return people.holding(scope, event.tenant)

    return found


def of_the_house(scope: Scope) -> Audience:
    """Who holds a scope, of whatever tenant."""
    return lambda _, __, people: people.holding(scope)


def _may_agree(entry: Entry, _: Telling, people: People) -> list[Person]:
    event: Any = entry.event
    found = people.holding(Scope.APPROVALS_WRITE, entry.stream.removeprefix(APPROVALS))
    scope = getattr(event, "scope", "")
    return [each for each in found if each.user != event.user and scope in {"", *each.scopes}]


# --- What -----------------------------------------------------------------------------------------


def shown_at(at: int) -> str:
    return f"{datetime.fromtimestamp(at // SECOND_NS, UTC):%Y-%m-%d %H:%M:%S} UTC"


def as_told(entry: Entry, telling: Telling) -> Fields:
    """What webhooks are told, as text."""
    body = msgspec.json.decode(telling.body(entry, TOLD[type(entry.event)]))
    return {name: str(value) for name, value in body["data"].items()} | {
        "tenant": body["tenant"],
        "at": shown_at(entry.at),
    }


def of_event(entry: Entry, _: Telling) -> Fields:
    """The event's own fields, as text."""
    event = entry.event
    found = {"at": shown_at(entry.at)}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        found[name] = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return found


def _margin(entry: Entry, telling: Telling) -> Fields:
    found = as_told(entry, telling)
    used = found.get("used_bps", "")
    percent = f"{int(used) / 100:.1f} %" if used.isdecimal() else "more than all of it"
    return {"maintenance": "", **found, "used": percent}


def _order(entry: Entry, telling: Telling) -> Fields:
    empty = dict.fromkeys(("cl_ord_id", "side", "order_qty", "symbol", "text"), "")
    return {**empty, **as_told(entry, telling)}


def _factor(entry: Entry, telling: Telling) -> Fields:
    found = of_event(entry, telling)
    return {**found, "change": "set up" if found["kind"] else "removed"}


def _approval(entry: Entry, _: Telling) -> Fields:
    event: Any = entry.event
    until = getattr(event, "expires_at", None) or event.until
    account = getattr(event, "account", "")
    return {
        "tenant": entry.stream.removeprefix(APPROVALS),
        "by": event.by,
        "operation": getattr(event, "operation", ""),
        "of_account": f" of account {account}" if account else "",
        "approval_id": f"{APPROVAL}{event.number}",
        "reason": getattr(event, "reason", ""),
        "until": shown_at(until),
    }


def _verified(entry: Entry, telling: Telling) -> Fields:
    event: Any = entry.event
    return {**of_event(entry, telling), "until": shown_at(event.until)}


def _severe(entry: Entry) -> str:
    event: Any = entry.event
    return {"critical": "critical", "high": "error"}.get(event.severity, "")


def _check(entry: Entry) -> str:
    event: Any = entry.event
    return f"check/{event.name}"


def _alert(entry: Entry) -> str:
    event: Any = entry.event
    return f"alert/{event.alert}"


def _is_last(entry: Entry) -> bool:
    """A fill after which nothing is left: many small ones are one notice."""
    event: Any = entry.event
    return not event.leaves_lots


def _of(
    name: str, topic: Topic, kind: type[Event], fields: Any = of_event, *, urgent: bool = False
) -> Kind:
    return Kind(name, topic, kind, person, fields, urgent)


_SECURITY: Final = (
    _of("security.new_device", "security", idn.DeviceAdded, urgent=True),
    _of("security.password_changed", "security", idn.PasswordChanged, urgent=True),
    _of("security.payout_destination_set", "security", idn.PayoutDestinationSet, urgent=True),
    _of("security.second_factor", "security", idn.SecondFactorSet, _factor, urgent=True),
    _of("security.passkey_added", "security", idn.PasskeyAdded, urgent=True),
    _of("security.recovery_code_used", "security", idn.RecoveryCodeUsed, urgent=True),
    _of("security.held_up", "security", idn.SignInHeldUp, urgent=True),
    _of("security.key_created", "security", idn.KeyCreated, urgent=True),
)
_KYC: Final = (
    _of("kyc.documents_needed", "kyc", kyc.DocumentsAsked),
    _of("kyc.approved", "kyc", kyc.KycApproved, _verified),
    _of("kyc.refused", "kyc", kyc.KycRefused),
    _of("kyc.expired", "kyc", kyc.KycExpired),
    Kind("kyc.review_waiting", "kyc", kyc.ReviewBegun, holding(Scope.KYC_WRITE), of_event),
)
_ACCOUNTS: Final = (
    Kind("orders.filled", "orders", ev.OrderFilled, of_account, as_told, told=_is_last),
    Kind("orders.rejected", "orders", ev.OrderRejected, of_account, _order),
    Kind("orders.rejected", "orders", ev.OrderRefused, of_account, _order),
    Kind("margin.warned", "margin", ev.MarginWarned, of_account, _margin, is_urgent=True),
    Kind(
        "margin.liquidation_began", "margin", ev.LiquidationBegan, of_account, _margin,
        is_urgent=True,
    ),
    Kind("margin.liquidation_ended", "margin", ev.LiquidationEnded, of_account, _margin),
    Kind("margin.state_set", "margin", ev.TradingStateSet, of_account, as_told, is_urgent=True),
)  # fmt: skip
_HOUSE: Final = (
    Kind("approvals.waiting", "approvals", apr.ApprovalAsked, _may_agree, _approval),
    Kind(
        "approvals.glass_broken", "approvals", apr.GlassBroken, _may_agree, _approval,
        is_urgent=True,
    ),
    Kind(
        "surveillance.alert", "surveillance", AlertRaised, of_the_house(Scope.HOUSE_READ), of_event,
        severity=_severe, about=_alert, more=lambda entry: ("email",) if _severe(entry) else (),
    ),
    Kind(
        "house.check_failed", "house", CheckFailed, of_the_house(Scope.HOUSE_WRITE), of_event,
        is_urgent=True, severity=lambda _: "critical", about=_check, more=lambda _: ("email",),
    ),
    Kind(
        "house.check_cleared", "house", CheckCleared, of_the_house(Scope.HOUSE_WRITE), of_event,
        severity=lambda _: "info", about=_check, is_over=True,
    ),
    Kind(
        "house.killed", "house", HouseKilled, of_the_house(Scope.HOUSE_READ), of_event,
        is_urgent=True, severity=lambda _: "critical", about=lambda _: "kill",
        more=lambda _: ("email",),
    ),
    Kind(
        "house.unkilled", "house", HouseUnkilled, of_the_house(Scope.HOUSE_READ), of_event,
        severity=lambda _: "info", about=lambda _: "kill", is_over=True,
    ),
    Kind(
        "house.webhook_disabled", "house", WebhookDisabled, holding(Scope.WEBHOOKS_WRITE), of_event,
    ),
)  # fmt: skip

KINDS: Final[tuple[Kind, ...]] = (*_SECURITY, *_KYC, *_ACCOUNTS, *_HOUSE)
BY_EVENT: Final[Mapping[type[Event], Kind]] = {each.event: each for each in KINDS}


def kinds_of(topic: Topic) -> list[str]:
    return sorted({each.name for each in KINDS if each.topic == topic})


def ways_of(kind: Kind, entry: Entry, one: Person) -> tuple[str, ...]:
    """By which ways somebody is told of an entry, in order."""
    asked = {*one.chosen.of(kind.topic), *kind.more(entry)}
    if "email" in asked and not one.email:
        asked.discard("email")
    return tuple(each for each in ("inbox", "email", "push") if each in asked)
