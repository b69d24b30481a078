"""What a decision is made of, what it says, and which version of the rules is in force.

Rules are Rego (`policies/*.rego`); a tenant's own, in the package `own`, can only take away. What
a rule leaves to be looked at request by request it says as a check, and those are compiled here, so
that an order costs no evaluation. `tests/identity/test_policy_model.py` holds both to one answer.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from fondaco.domain.identity.model import Action as Action
from fondaco.domain.identity.model import Caller, Role
from fondaco.kernel.event import Instant, StreamId

PREFIX: Final = "policies/"
ENTRYPOINT: Final = "fondaco/authz/decision"
KEPT: Final = 50  # versions, with their texts
MINUTE_NS: Final = 60_000_000_000
DAY_NS: Final = 86_400_000_000_000
# What a tenant's own policy cannot deny, so that a mistake can be taken back.
WAY_BACK: Final = frozenset(
    {
        "policy.current",
        "policy.rollback",
        "approvals.approve",
        "approvals.reject",
        "approvals.list",
        "approvals.show",
    }
)


class Resource(NamedTuple):
    """What one part of a request is about; "" and 0 where it names none.

    `notional` is in whole units of the quote asset, rounded up; None where nobody can say.
    """

    account: str = ""
    own: bool = True  # the caller's tenant has the account, and the caller may use it
    instrument: str = ""
    notional: int | None = 0

    def shown(self) -> dict[str, Any]:
        """As rules see it."""
        found: dict[str, Any] = {}
        if self.account:
            found.update(account=self.account, own=self.own)
        if self.instrument:
            found["instrument"] = self.instrument
            if self.notional is not None:  # engines do not agree on what null is compared to
                found["notional"] = self.notional
        return found


class Decision(msgspec.Struct, frozen=True):
    """`revision` is that of the rules; `checks` is what is left to look at."""

    allow: bool
    reasons: tuple[dict[str, str], ...] = ()
    checks: tuple[dict[str, Any], ...] = ()
    obligations: tuple[Any, ...] = ()
    revision: str = ""


def decision_of(found: Any, revision: str) -> Decision:
    """From an engine's answer, with lists in an order of their own. What is not said, or said
    otherwise than as it must be, is a denial."""
    if not isinstance(found, Mapping) or found.get("allow") is not True:
        reasons = found.get("reasons") if isinstance(found, Mapping) else None
        said = [each for each in reasons or () if isinstance(each, Mapping)]
        texts = [
            {"code": str(each.get("code", "forbidden")), "text": str(each.get("text", ""))}
            for each in said
        ] or [{"code": "forbidden", "text": "no rule allows it"}]
        return Decision(False, tuple(sorted(texts, key=_order)), revision=revision)
    return Decision(
        True,
        (),
        tuple(sorted(found.get("checks", ()), key=_order)),
        tuple(sorted(found.get("obligations", ()), key=_order)),
        revision,
    )


def _order(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")


# --- What rules see ---------------------------------------------------------------------------


def subject_of(caller: Any) -> dict[str, Any]:
    """Who asks. Names here are chosen ones, which stand for nobody outside."""
    if not isinstance(caller, Caller):
        return {"caller": "", "user": "", "tenant": "", "kind": "nobody", "roles": []}
    is_agent = caller.roles == (Role.AGENT,)
    return {
        "caller": caller.name,
        "user": caller.user,
        "tenant": caller.tenant,
        "kind": "agent" if is_agent else "session" if caller.is_session else "key",
        "roles": [str(role) for role in caller.roles],
        "second_factor": caller.second_factor,
        "device": "trusted" if caller.trusted_until else "known" if caller.device else "unknown",
    }


def action_of(action: Action, caller: Any) -> dict[str, Any]:
    return {
        "operation": action.operation,
        "scope": action.scope,
        "in_key": not action.scope or action.scope in caller.scopes,
        "reads": action.reads,
        "second": action.second,
        "way_back": action.operation in WAY_BACK,
    }


def clock_of(at: Instant) -> dict[str, int]:
    """Minute of the day, and ISO weekday (1 is Monday), both UTC."""
    return {"minute": at // MINUTE_NS % 1_440, "weekday": (at // DAY_NS + 3) % 7 + 1}


# --- Checks, compiled -------------------------------------------------------------------------

Check: TypeAlias = Callable[[Resource, Instant], bool]


def compiled(check: Mapping[str, Any]) -> tuple[Check, str]:
    """Whether it holds for a resource at a time, as `holds` in authz.rego says, and the sentence
    where it does not. One of an unknown kind holds never."""
    kind = check.get("kind")
    text = check.get("text")
    made = _COMPILED.get(kind, _never)(check)  # type: ignore[arg-type]
    return made, text if isinstance(text, str) else f"the check {kind} does not hold"


def _accounts(check: Mapping[str, Any]) -> Check:
    any_of = frozenset(check["any"])
    return lambda resource, _: not resource.account or resource.account in any_of


def _instruments(check: Mapping[str, Any]) -> Check:
    any_of = frozenset(check["any"])
    return lambda resource, _: not resource.instrument or resource.instrument in any_of


def _not_instruments(check: Mapping[str, Any]) -> Check:
    none_of = frozenset(check["any"])
    return lambda resource, _: resource.instrument not in none_of


def _notional_max(check: Mapping[str, Any]) -> Check:
    most = check["value"]
    return lambda resource, _: (
        not resource.instrument or (resource.notional is not None and resource.notional <= most)
    )


def _minutes(check: Mapping[str, Any]) -> Check:
    first, end = check["from"], check["to"]
    return lambda _, at: first <= at // MINUTE_NS % 1_440 < end


def _weekdays(check: Mapping[str, Any]) -> Check:
    days = frozenset(check["any"])
    return lambda _, at: (at // DAY_NS + 3) % 7 + 1 in days


def _never(_: Mapping[str, Any]) -> Check:
    return lambda _, __: False


_COMPILED: Final[dict[str, Callable[[Mapping[str, Any]], Check]]] = {
    "accounts": _accounts,
    "instruments": _instruments,
    "not_instruments": _not_instruments,
    "notional_max": _notional_max,
    "minutes": _minutes,
    "weekdays": _weekdays,
}
CHECKS: Final = tuple(_COMPILED)
TIMED: Final = frozenset({"minutes", "weekdays"})


# --- Versions of a tenant's own ---------------------------------------------------------------


class Version(msgspec.Struct):
    """One version of a tenant's own rules: Rego by file name, and data for `data.house`."""

    version: int
    revision: str  # SHA-256 of modules and data together with the house's own rules
    modules: tuple[tuple[str, str], ...]
    data: str
    effective_at: Instant
    published_at: Instant
    by: str
    note: str
    like: int = 0  # the version that this one takes back to


class Versions(msgspec.Struct):
    """Of one tenant, oldest first. Without any, the house's own rules are all there are."""

    items: list[Version] = []
    last: int = 0

    def in_force(self, at: Instant) -> Version | None:
        """The newest of those that have taken effect."""
        for each in reversed(self.items):
            if each.effective_at <= at:
                return each
        return None

    def of(self, version: int) -> Version | None:
        return next((each for each in self.items if each.version == version), None)


def stream_of(tenant: str) -> StreamId:
    return StreamId(PREFIX + tenant)
