"""Who may do what: the house's rules, what a grant leaves to look at, versions, and lint."""

import itertools
from collections.abc import Iterable
from typing import Any, Final

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from docs import catalog
from fondaco.app.policies.grants import Grants, PolicyDenied, Rules
from fondaco.domain.identity.model import SCOPES, Caller, Role, Scope
from fondaco.domain.identity.policy.builtin import builtin, merged
from fondaco.domain.identity.policy.events import PolicyPublished, PolicyUnchanged, PublishPolicy
from fondaco.domain.identity.policy.model import (
    ENTRYPOINT,
    WAY_BACK,
    Action,
    Decision,
    Resource,
    Version,
    Versions,
    compiled,
)
from fondaco.domain.identity.policy.reading import Needs, findings, needs_of, rules_in
from fondaco.domain.identity.policy.rules import decide, evolve
from fondaco.kernel.errors import FondacoError, NotFound
from fondaco.kernel.event import CommandId, Instant
from fondaco.kernel.operation import Look
from fondaco.ports.policy import Policy, Sources
from fondaco.ports.policy.rego import RegoPolicy
from identity.policies import LOOKS, OWN, TESTS, caller, given

MINUTE: Final = 60_000_000_000
# Which role held which scope when scopes alone decided. It is written down here so that a change of
# the rules is a change of this test.
HELD: Final = {
    Role.TRADER: "orders:read orders:write accounts:read market:read limits:read keys:write "
    "approvals:read approvals:write webhooks:read webhooks:write tiers:read "
    "evaluation:read evaluation:ask reports:read reports:write "
    "purchases:read purchases:write",
    Role.RISK: "orders:read accounts:read market:read limits:read limits:write house:read "
    "approvals:read approvals:write webhooks:read tiers:read tiers:write evaluation:read "
    "evaluation:write reports:read reports:write purchases:read payments:read",
    Role.COMPLIANCE: "orders:read accounts:read market:read limits:read limits:write house:read "
    "journal:read kyc:read kyc:write approvals:read approvals:write webhooks:read "
    "analytics:read tokens:reveal tiers:read evaluation:read "
    "reports:read reports:write purchases:read payments:read",
    Role.ADMIN: "accounts:read accounts:write market:read limits:read house:read house:write "
    "keys:write approvals:read approvals:write webhooks:read webhooks:write tiers:read "
    "tiers:write evaluation:read evaluation:write reports:read reports:write "
    "purchases:read payments:read payments:write",
    Role.AUDITOR: "orders:read accounts:read market:read limits:read house:read journal:read "
    "approvals:read webhooks:read tiers:read evaluation:read reports:read "
    "purchases:read payments:read",
    Role.PARTNER: "orders:read orders:write accounts:read market:read limits:read approvals:read "
    "approvals:write webhooks:read webhooks:write tiers:read "
    "reports:read reports:write",
    Role.AGENT: "orders:read orders:propose accounts:read market:read limits:read approvals:read "
    "tiers:read",
    Role.ANALYST: "analytics:read market:read",
}


def in_process(sources: Sources) -> Policy:
    return RegoPolicy(sources, [ENTRYPOINT])


HOUSE: Final = Rules(in_process(builtin()), Needs())
ACTIONS: Final = [
    Action(each.name, each.scope, isinstance(each, Look) or each.method == "GET", each.needs_second)
    for each in catalog.operations()
]


def test_the_rules_say_what_scopes_said_of_every_operation_and_role() -> None:
    assert {role: frozenset(map(str, SCOPES[role])) for role in Role} == {
        role: frozenset(text.split()) for role, text in HELD.items()
    }
    for role, action in itertools.product(Role, ACTIONS):
        expected = not action.scope or action.scope in HELD[role].split()
        found = HOUSE.decide(given(caller(role), action))
        assert found.allow == expected, (role, action, found)
        if not expected:
            text = f"ada/k lacks {action.scope}; use a key that has it"
            assert {"code": "lacks_scope", "text": text} in found.reasons
    assert len(ACTIONS) > 100


def test_two_roles_may_what_either_may_but_nobody_trades_and_agrees() -> None:
    """Requirement A46. One action of each scope: the rules do not know operations apart."""
    by_scope = {action.scope: action for action in ACTIONS}
    assert set(by_scope) >= {str(each) for each in Scope} - {"orders:propose"} | {""}
    trading = {Role.TRADER, Role.PARTNER}
    for pair, action in itertools.product(itertools.combinations(Role, 2), by_scope.values()):
        held = not action.scope or any(action.scope in HELD[role].split() for role in pair)
        assert HOUSE.decide(given(caller(*pair), action)).allow == held, (pair, action)
        both = action.scope != "orders:write" and trading & set(pair)
        found = HOUSE.decide(given(caller(*pair), action, door="approving"))
        assert found.allow == (held and not both), (pair, action, found)
        if held and both:
            assert [each["code"] for each in found.reasons] == ["separation_of_duties"]


def test_no_operation_takes_away_what_was_written_about_who_did_what() -> None:
    """Requirement A46: whoever may do everything finds nothing that deletes an audit."""
    about = ("audit.", "journal.", "policy.decisions", "policy.export_decisions")
    found = [action for action in ACTIONS if action.operation.startswith(about)]
    assert len(found) > 5
    changes = {action.operation for action in found if not action.reads}
    assert changes == {"journal.verify"}, "which reads all of it, and writes what it has found"


# --- Grants ---------------------------------------------------------------------------------------


class Asked:
    """The part of a house that a grant is asked by, without a house."""

    def __init__(self, own: str = "", tenants: dict[str, str] | None = None) -> None:
        self.now = Instant(10 * 60 * MINUTE)  # 10:00 on a Thursday
        self.noted: list[tuple[dict[str, Any], Decision, int]] = []
        self.evaluations = 0
        self.resources: list[Resource] = []
        tenants = tenants or {"a1": "acme", "b1": "other"}
        self.grants = Grants(
            self._make,
            self,  # type: ignore[arg-type]  # it has what is asked of `Resources`
            tenants.get,
            lambda: self.now,
            lambda _: False,
            self._note,
        )
        if own:
            self.put(own)

    def put(self, own: str, data: str = "{}") -> None:
        version = Version(1, "", (("own.rego", own),), data, Instant(0), Instant(0), "ada", "")
        self.grants.put("acme", version)

    def _make(self, sources: Sources) -> Policy:
        made, asked = in_process(sources), self

        class Counting:
            sources = made.sources

            def ask(self, entrypoint: str, given: Any) -> Any:
                asked.evaluations += 1
                return made.ask(entrypoint, given)

            def close(self) -> None:
                made.close()

        return Counting()

    def of(self, accounts: Iterable[tuple[str, bool]], ask: Any) -> list[Resource]:
        """What `Resources` finds in requests; here a test says it."""
        return self.resources

    def _note(self, given: Any, decision: Decision, action: Action, ask: Any, weight: int) -> None:
        self.noted.append((given, decision, weight))

    def may(self, who: Caller, action: Action, *resources: Resource, door: str = "rest") -> str:
        """ "" or the error's code."""
        self.resources = list(resources)
        accounts = [each.account for each in resources if each.account]
        try:
            self.grants.authorise(who, action, accounts, object(), door, "127.0.0.1")
        except FondacoError as error:
            return error.code
        return ""


PLACE: Final = Action("trading.place_order", "orders:write", reads=False, second=False)
LIMITS: Final = Action("trading.set_account_limits", "limits:write", reads=False, second=True)
TRADER, RISK = caller(Role.TRADER), caller(Role.RISK, user="rob")


def test_what_does_not_depend_on_the_request_is_decided_once() -> None:
    asked = Asked()
    for _ in range(5):
        assert asked.may(TRADER, PLACE, Resource("a1")) == ""
    assert asked.evaluations == 1
    assert asked.may(TRADER, PLACE, Resource("a1"), door="ws") == ""
    assert asked.evaluations == 2, "another door is another question"
    assert asked.may(TRADER, PLACE, Resource("b1")) == "unknown_account"
    confined = caller(Role.TRADER, user="kim", accounts=frozenset({"a2"}))
    assert asked.may(confined, PLACE, Resource("a1")) == "unknown_account"


def test_a_change_of_roles_or_of_rules_is_decided_anew() -> None:
    asked = Asked()
    assert asked.may(TRADER, PLACE, Resource("a1")) == ""
    again = caller(Role.TRADER)  # read from the records again, and the same
    assert asked.may(again, PLACE, Resource("a1")) == ""
    assert asked.evaluations == 1
    fewer = caller(Role.AUDITOR)
    assert asked.may(fewer, PLACE, Resource("a1")) == "denied"
    assert asked.may(TRADER, PLACE, Resource("a1")) == ""
    asked.put(OWN)
    large = Resource("a1", True, "BTC-USD", 50_001)
    assert asked.may(TRADER, PLACE, large) == "forbidden"
    asked.grants.put("acme", None)
    assert asked.may(TRADER, PLACE, large) == ""


def test_one_operation_asked_for_with_another_scope_is_another_question() -> None:
    asked, agent = Asked(), caller(Role.AGENT)
    proposing = PLACE._replace(scope="orders:propose")
    for _ in range(2):
        assert asked.may(agent, proposing, Resource("a1")) == ""
        assert asked.may(agent, PLACE, Resource("a1")) == "denied"


def test_checks_are_made_without_the_engine_and_rules_that_look_are_run() -> None:
    asked = Asked(OWN)
    small, large = (Resource("a1", True, "BTC-USD", each) for each in (50_000, 50_001))
    assert [asked.may(TRADER, PLACE, each) for each in (small, large)] == ["", "forbidden"]
    assert asked.evaluations == 1
    assert asked.may(TRADER, PLACE, small, large) == "forbidden", "of several orders, each"
    asked.put(LOOKS)
    before = asked.evaluations
    assert [asked.may(TRADER, PLACE, each) for each in (small, large)] == ["", "forbidden"]
    assert asked.evaluations == before + 3  # the grant, and each request


def test_denials_and_privileged_acts_are_kept_and_of_the_rest_a_sample() -> None:
    asked = Asked()
    for _ in range(3):
        assert asked.may(RISK, LIMITS, Resource("a1")) == ""
        assert asked.may(RISK, PLACE) == "denied"
    assert [(decision.allow, weight) for _, decision, weight in asked.noted] == [
        (True, 1),
        (False, 1),
    ] * 3
    asked.noted.clear()
    for _ in range(2_500):
        asked.may(TRADER, PLACE, Resource("a1"))
    weights = [weight for _, _, weight in asked.noted]
    assert weights == [1, 1_000, 1_000], "the first, and then one for a thousand"
    assert {decision.revision for _, decision, _ in asked.noted} == {builtin().revision}


@pytest.mark.parametrize("who", [caller(Role.AUDITOR), RISK])
def test_a_denial_says_by_which_rules(who: Caller) -> None:
    asked = Asked()
    with pytest.raises(PolicyDenied, match="lacks orders:write"):
        asked.grants.authorise(who, PLACE, (), None, "rest", "8.8.8.8")
    [(seen, decision, _)] = asked.noted
    assert seen["environment"] == {"door": "rest", "address": "public", "alone": False}
    assert decision.revision == builtin().revision
    with pytest.raises(NotFound):
        asked.grants.authorise(TRADER, PLACE, ["b1"], None, "rest", "")


def test_rules_that_know_the_time_are_run_each_minute() -> None:
    night = OWN.replace('input.environment.door == "mcp"', "input.environment.minute >= 1320")
    asked = Asked(night)
    agent, look = caller(Role.AGENT), Action("trading.orders", "orders:read", True, False)
    assert asked.may(agent, look) == ""
    assert asked.may(agent, look) == ""
    assert asked.evaluations == 1
    asked.now = Instant(22 * 60 * MINUTE)
    assert asked.may(agent, look) == "forbidden"


def test_the_way_back_cannot_be_denied() -> None:
    asked = Asked('package own\nimport rego.v1\ndeny contains {"code": "all", "text": "no"}\n')
    admin = caller(Role.ADMIN)
    for action in ACTIONS:
        if action.scope in HELD[Role.ADMIN].split():
            expected = "" if action.operation in WAY_BACK else "forbidden"
            assert asked.may(admin, action) == expected, action
    assert {action.operation for action in ACTIONS} >= WAY_BACK


CHECKS = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "kind": st.sampled_from(["accounts", "instruments", "not_instruments"]),
                "any": st.lists(st.sampled_from(["a1", "BTC-USD", "ETH-USD"]), max_size=2),
            }
        ),
        st.fixed_dictionaries({"kind": st.just("notional_max"), "value": st.integers(0, 100)}),
        st.fixed_dictionaries(
            {
                "kind": st.just("minutes"),
                "from": st.integers(0, 700),
                "to": st.integers(500, 1_440),
            }
        ),
        st.fixed_dictionaries(
            {
                "kind": st.just("weekdays"),
                "any": st.lists(st.integers(1, 7), min_size=1, max_size=6, unique=True),
            }
        ),
        st.just({"kind": "colour"}),
    ),
    max_size=3,
)
RESOURCES = st.builds(
    Resource,
    st.sampled_from(["", "a1", "a2"]),
    st.just(True),
    st.sampled_from(["", "BTC-USD", "SOL-USD"]),
    st.one_of(st.none(), st.integers(0, 120)),
)
READS = RegoPolicy(
    merged((("own.rego", "package own\nimport rego.v1\nchecks := input.checks\n"),), "{}"),
    [ENTRYPOINT],
)


@settings(max_examples=150, deadline=None)
@for_all(checks=CHECKS, resource=RESOURCES, minute=st.integers(0, 7 * 1_440 - 1))
def test_a_compiled_check_says_what_the_engine_says(
    checks: list[dict[str, Any]], resource: Resource, minute: int
) -> None:
    at = Instant(minute * MINUTE)
    clock = {"minute": minute % 1_440, "weekday": (minute // 1_440 + 3) % 7 + 1}
    asked: dict[str, Any] = {**given(TRADER, PLACE, resource), "checks": checks}
    asked["environment"].update(clock)
    if resource.account:
        asked["resource"]["own"] = True
    holds = all(compiled(each)[0](resource, at) for each in checks)
    assert READS.ask(ENTRYPOINT, asked)["allow"] == holds


# --- Versions -------------------------------------------------------------------------------------


def publish(text: str, *, at: int = 5, effective_at: int = 0) -> PublishPolicy:
    modules = (("own.rego", text),)
    return PublishPolicy(
        CommandId("c"), Instant(at), modules, "{}", "r", Instant(effective_at), "ada", "why"
    )


@for_all(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=8))
def test_versions_count_up_and_the_last_published_wins_from_its_time_on(
    asked: list[tuple[int, int]],
) -> None:
    state = Versions()
    published: list[PolicyPublished] = []
    for nth, (text, later) in enumerate(asked):
        command = publish(str(text), at=nth * 10, effective_at=later)
        [event] = decide(state, command, None)  # type: ignore[arg-type]
        state = evolve(state, event)
        if isinstance(event, PolicyPublished):
            published.append(event)
            assert event.effective_at >= command.at
        else:
            assert isinstance(event, PolicyUnchanged)
    assert [each.version for each in published] == list(range(1, len(published) + 1))
    for at in range(0, 130, 7):
        # As somebody would say it who has never seen the state: of those that are in effect, the
        # one that was published last and not taken over by an earlier beginning.
        standing: list[PolicyPublished] = []
        for each in published:
            standing = [s for s in standing if s.effective_at <= each.effective_at] + [each]
        expected = [each.version for each in standing if each.effective_at <= at]
        found = state.in_force(Instant(at))
        assert (found.version if found else None) == (expected[-1] if expected else None)


# --- Lint -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("package own", "package mine"), 1, "must be `package own`"),
        (("import rego.v1", ""), 1, "import rego.v1"),
        (("input.subject.roles\n\tinput", "input.subject.rolls\n\tinput"), 7, "did you mean roles"),
        (("input.environment.door", "input.environs.door"), 8, "did you mean environment"),
        (('input.environment.door == "mcp"', "time.now_ns() > 5"), 8, "another answer each time"),
        (('input.environment.door == "mcp"', "data.fondaco.authz"), 8, "`house` and `own`"),
    ],
)
def test_lint_says_file_line_and_what_to_do(change: tuple[str, str], line: int, said: str) -> None:
    found = findings([("own.rego", OWN.replace(*change, 1))])
    assert len(found) == 1
    assert str(found[0]).startswith(f"own.rego:{line}: ")
    assert said in found[0].text
    assert found[0].is_wrong


def test_lint_has_nothing_against_what_is_right_and_notes_what_is_slow() -> None:
    assert findings([("own.rego", OWN), ("own_test.rego", TESTS)]) == []
    [note] = findings([("own.rego", LOOKS)])
    assert not note.is_wrong
    assert "run for every order" in note.text


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("x if input.subject.user", Needs()),
        ('# input.resource\nx := "input.resource"', Needs()),
        ("x if input.resource.account", Needs(resource=True)),
        ('x if input["resource"].account', Needs(resource=True)),
        ("x if { y := input; y.resource }", Needs(resource=True, time=True)),
        ("x if { input[z].account }", Needs(resource=True, time=True)),
        ("x if input.environment.door", Needs()),
        ("x if input.environment.weekday == 7", Needs(time=True)),
        ("x if { e := input.environment; e.minute }", Needs(time=True)),
        ("import input.resource as r", Needs(resource=True)),
    ],
)
def test_what_rules_look_at_is_never_missed(text: str, needs: Needs) -> None:
    assert needs_of([("own.rego", text)]) == needs


def test_rules_are_told_apart() -> None:
    assert [OWN[begin:end].split(" ", 2)[0] for begin, end in rules_in(OWN)] == [
        "deny",
        "checks",
        "checks",
        "obligations",
    ]
