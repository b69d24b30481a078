"""Who may do what, decided once for a caller, an operation and a door, and looked at by each
request. Belongs to the loop's thread."""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Final

from fondaco.app.policies.resources import Resources
from fondaco.domain.identity.model import is_lent
from fondaco.domain.identity.policy.builtin import builtin, in_force
from fondaco.domain.identity.policy.model import (
    ENTRYPOINT,
    TIMED,
    Action,
    Check,
    Decision,
    Resource,
    Version,
    action_of,
    clock_of,
    compiled,
    decision_of,
    subject_of,
)
from fondaco.domain.identity.policy.reading import Needs, needs_of
from fondaco.kernel.errors import Denied, FondacoError, NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.policy import Policy, Sources

GRANTS_MAX: Final = 50_000  # of callers, operations, doors; then all are decided anew
ADDRESSES_MAX: Final = 10_000
SAMPLE_EVERY: Final = 1_000  # of what is allowed and changes nothing that others rely on
Make = Callable[[Sources], Policy]


class PolicyDenied(Denied):
    """What the rules deny; it is kept already."""


class Grant:
    """What the rules say to a caller's operation before its request is known."""

    __slots__ = (
        "action", "caller", "checks", "decision", "given", "is_plain", "left", "needs_all", "until",
        "weight",
    )  # fmt: skip

    def __init__(
        self,
        caller: Any,
        action: Action,
        given: dict[str, Any],
        decision: Decision,
        needs: Needs,
        until: Instant,
    ) -> None:
        self.caller, self.action, self.given, self.decision = caller, action, given, decision
        self.checks: list[tuple[Check, str]] = [compiled(each) for each in decision.checks]
        self.needs_all = needs.resource  # the rules look at the request themselves
        self.until = until  # 0: for as long as the rules stand
        # Nothing is left to look at, but for whose account it is.
        self.is_plain = decision.allow and not self.checks and not self.needs_all
        self.left, self.weight = 1, 1  # the first use is always kept


class Rules:
    """One version of a tenant's rules, compiled."""

    def __init__(self, policy: Policy, needs: Needs) -> None:
        self.policy, self.needs = policy, needs
        self.revision = policy.sources.revision

    def decide(self, given: Mapping[str, Any]) -> Decision:
        return decision_of(self.policy.ask(ENTRYPOINT, given), self.revision)


Noted = Callable[[dict[str, Any], Decision, Action, Any, int], None]


class Grants:
    """`noted` is told of decisions that are kept: the input, the decision, the action, the request
    and how many such decisions it stands for."""

    def __init__(
        self,
        make: Make,
        resources: Resources,
        tenant_of: Callable[[str], str | None],
        now: Callable[[], Instant],
        alone: Callable[[str], bool],
        noted: Noted,
    ) -> None:
        self._make, self._resources, self._tenant_of = make, resources, tenant_of
        self._now, self._alone, self._noted = now, alone, noted
        self._house = Rules(make(builtin()), Needs())
        self._rules: dict[str, Rules] = {}  # of tenants with rules of their own
        self._grants: dict[tuple[str, str, str, str, str], Grant] = {}
        self._addresses: dict[str, str] = {}

    # --- What doors ask -------------------------------------------------------------------------

    def authorise(
        self,
        caller: Any,
        action: Action,
        accounts: Iterable[str],
        ask: Any,
        door: str,
        address: str,
    ) -> bool:
        """As `fondaco.gateway.house.House` promises."""
        place = self._addresses.get(address) or self._place(address)
        name = (caller.name, caller.tenant, action.operation, door, place)
        grant = self._grants.get(name)
        if grant is None or grant.caller is not caller or grant.action is not action or grant.until:
            grant = self._granted(name, grant, caller, action, door, place)
        if grant.is_plain:
            mine, tenant, tenant_of = caller.accounts, caller.tenant, self._tenant_of
            for account in accounts:
                if tenant_of(account) != tenant or not (mine is None or account in mine):
                    self._refuse_account(grant, account, ask)
            grant.left -= 1
            if not grant.left:
                self._sample(grant, ask, [(each, True) for each in accounts])
            return True
        self._look(grant, caller, accounts, ask)
        return False

    def decide(
        self, caller: Any, action: Action, resource: Resource, door: str, address: str
    ) -> Decision:
        """What the rules would say; nothing is done and nothing kept."""
        given = self.given(caller, action, door, self._place(address))
        return self._rules_of(caller.tenant).decide(self._whole(given, resource))

    # --- What rules are in force -----------------------------------------------------------------

    def put(self, tenant: str, version: Version | None) -> None:
        """From now on. None: the house's own rules alone."""
        if version is None:
            self._rules.pop(tenant, None)
        else:
            sources = in_force(version.modules, version.data)
            needs = needs_of(version.modules)
            self._rules[tenant] = Rules(self._make(sources), needs)
        self._grants.clear()

    def revision(self, tenant: str) -> str:
        return self._rules_of(tenant).revision

    def sources(self, tenant: str) -> Sources:
        return self._rules_of(tenant).policy.sources

    def _rules_of(self, tenant: str) -> Rules:
        return self._rules.get(tenant, self._house)

    # --- A grant ---------------------------------------------------------------------------------

    def _granted(
        self,
        name: tuple[str, str, str, str, str],
        grant: Grant | None,
        caller: Any,
        action: Action,
        door: str,
        place: str,
    ) -> Grant:
        if grant is not None and grant.caller == caller and grant.action == action:
            grant.caller, grant.action = caller, action  # the same, read from the records again
            if not grant.until or self._now() < grant.until:
                return grant
        rules = self._rules_of(caller.tenant)
        given = self.given(caller, action, door, place)
        until = Instant(0)
        if rules.needs.time:
            now = self._now()
            given["environment"].update(clock_of(now))
            until = Instant((now // 60_000_000_000 + 1) * 60_000_000_000)
        made = Grant(caller, action, given, rules.decide(given), rules.needs, until)
        if grant is not None:
            made.left, made.weight = grant.left, grant.weight
        if len(self._grants) >= GRANTS_MAX:
            self._grants.clear()
        self._grants[name] = made
        return made

    def given(self, caller: Any, action: Action, door: str, place: str) -> dict[str, Any]:
        """What rules see of a caller's operation, before its request is known."""
        return {
            "subject": subject_of(caller),
            "action": action_of(action, caller),
            "resource": {},
            "environment": {"door": door, "address": place, "alone": self._alone(caller.tenant)},
        }

    def _whole(self, given: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
        environment = {**given["environment"], **clock_of(self._now())}
        return {**given, "resource": resource.shown(), "environment": environment}

    # --- What is left to look at -----------------------------------------------------------------

    def _look(self, grant: Grant, caller: Any, accounts: Iterable[str], ask: Any) -> None:
        if not grant.decision.allow and not grant.needs_all:
            self._refuse(grant, grant.given, grant.decision, ask)
        mine, tenant = caller.accounts, caller.tenant
        owned = [
            (each, self._tenant_of(each) == tenant and (mine is None or each in mine))
            for each in accounts
        ]
        for resource in self._resources.of(owned, ask) or [Resource()]:
            if not resource.own:
                self._refuse_account(grant, resource.account, ask)
            if grant.needs_all:
                whole = self._whole(grant.given, resource)
                decision = self._rules_of(tenant).decide(whole)
                if not decision.allow:
                    self._refuse(grant, whole, decision, ask)
                continue
            now = self._now() if any(c["kind"] in TIMED for c in grant.decision.checks) else None
            for holds, text in grant.checks:
                if not holds(resource, now or Instant(0)):
                    said = ({"code": "forbidden", "text": text},)
                    decision = Decision(False, said, revision=grant.decision.revision)
                    self._refuse(grant, self._whole(grant.given, resource), decision, ask)
        grant.left -= 1
        if not grant.left:
            self._sample(grant, ask, owned)

    def _refuse_account(self, grant: Grant, account: str, ask: Any) -> None:
        said = ({"code": "unknown_account", "text": f"there is no account {account}"},)
        decision = Decision(False, said, revision=grant.decision.revision)
        given = {**grant.given, "resource": {"account": account, "own": False}}
        self._refuse(grant, given, decision, ask)

    def _refuse(self, grant: Grant, given: dict[str, Any], decision: Decision, ask: Any) -> None:
        self._noted(given, decision, grant.action, ask, 1)
        raise _error(decision)

    def _sample(self, grant: Grant, ask: Any, owned: Iterable[tuple[str, bool]]) -> None:
        given, action = grant.given, grant.action
        found = self._resources.of(owned, ask)
        if found:
            given = {**given, "resource": found[0].shown()}
        self._noted(given, grant.decision, action, ask, grant.weight)
        kept = action.is_privileged or is_lent(grant.caller.name)
        grant.left = grant.weight = 1 if kept else SAMPLE_EVERY

    def _place(self, address: str) -> str:
        """What kind of address: rules and logs need no more, and an address may name a person."""
        if len(self._addresses) >= ADDRESSES_MAX:
            self._addresses.clear()
        self._addresses[address] = found = _class_of(address)
        return found


def _class_of(address: str) -> str:
    if not address:
        return "inside"
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if found.is_loopback:
        return "loopback"
    return "private" if found.is_private else "public"


def _error(decision: Decision) -> FondacoError:
    """As doors have always said it: what is another's is not there, whatever else is wrong."""
    first = {each["code"]: each["text"] for each in reversed(decision.reasons)}
    if "lacks_scope" in first:
        return PolicyDenied(first["lacks_scope"])
    if "unknown_account" in first:
        return NotFound(first["unknown_account"], code="unknown_account")
    reason = decision.reasons[0]
    code = reason["code"] if reason["code"] == "separation_of_duties" else "forbidden"
    return PolicyDenied(
        reason["text"] or "the policy does not allow it",
        code=code,
        reason=reason["code"],
        policy=decision.revision[:12],
    )
