"""One suite for every engine of policies: the same files, the same inputs, the same answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import opa
from fondaco.domain.identity.model import Role
from fondaco.domain.identity.policy.builtin import builtin, merged
from fondaco.domain.identity.policy.model import ENTRYPOINT, Action, Resource, decision_of
from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.policy import Policy, Sources
from fondaco.ports.policy.opa import OpaPolicy
from fondaco.ports.policy.rego import RegoPolicy
from identity.policies import LOOKS, OWN, caller, given

Open = Callable[[Sources], Policy]
PLACE = Action("trading.place_order", "orders:write", reads=False, second=False)
LIMITS = Action("risk.set_limits", "house:write", reads=False, second=True)
DESKS = '{"desks": {"rates": {"members": ["ada"], "accounts": ["a1", "a2"]}}}'


@contextmanager
def in_process() -> Iterator[Open]:
    yield lambda sources: RegoPolicy(sources, [ENTRYPOINT])


@contextmanager
def by_server() -> Iterator[Open]:
    with opa.serving() as url:
        yield lambda sources: OpaPolicy(url, sources)


ENGINES = {"rego": in_process, **({"opa": by_server} if opa.binary() else {})}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Open]:
    with ENGINES[request.param]() as found:
        yield found


def order(notional: int | None, account: str = "a1", symbol: str = "BTC-USD") -> Resource:
    return Resource(account, True, symbol, notional)


TRADER, PARTNER, ADMIN = caller(Role.TRADER), caller(Role.PARTNER), caller(Role.ADMIN)
BOTH = caller(Role.TRADER, Role.ADMIN)
# Who asks, for what, about what; whether it is allowed under the house's rules alone, with a
# tenant's own, and with rules that look at the request themselves; the codes of why not.
CASES: list[tuple[str, dict[str, Any], bool, bool, bool, set[str]]] = [
    ("nothing is known", {}, False, False, False, {"forbidden"}),
    ("no resource", given(TRADER, PLACE), True, True, True, set()),
    ("a small order", given(TRADER, PLACE, order(50_000)), True, True, True, set()),
    ("a large one", given(TRADER, PLACE, order(50_001)), True, False, False, {"forbidden"}),
    # What is not known is not above 50,000: rules that look themselves must say so themselves.
    ("of a size unknown", given(TRADER, PLACE, order(None)), True, False, True, {"forbidden"}),
    ("no such scope", given(ADMIN, PLACE, order(1)), False, False, False, {"lacks_scope"}),
    (
        "the key lacks it",
        given(caller(Role.TRADER), PLACE)
        | {"action": {"operation": "x", "scope": "orders:write", "in_key": False}},
        False, False, False, {"lacks_scope"},
    ),
    (
        "another's account",
        given(TRADER, PLACE, Resource("b", False)),
        False, False, False, {"unknown_account"},
    ),
    ("on the list", given(PARTNER, PLACE, order(1)), True, True, True, set()),
    (
        "not on the list",
        given(PARTNER, PLACE, order(1, symbol="SOL-USD")),
        True, False, True, {"forbidden"},
    ),
    (
        "one who trades agrees",
        given(BOTH, LIMITS, door="approving"),
        False, False, False, {"separation_of_duties"},
    ),
    ("but for an order of an agent", given(BOTH, PLACE, door="approving"), True, True, True, set()),
    (
        "in a house of one person",
        given(BOTH, LIMITS, door="approving", alone=True),
        True, True, True, set(),
    ),
    ("who does not trade agrees", given(ADMIN, LIMITS, door="approving"), True, True, True, set()),
    (
        "an agent by night",
        given(caller(Role.AGENT), Action("a", "orders:read", True, False), door="mcp"),
        True, False, True, {"night"},
    ),
]  # fmt: skip


def test_engines_give_the_answers_of_the_table(engine: Open) -> None:
    """Promise 1, for each rule of the house and each kind of rule that a tenant may have."""
    versions = [
        builtin(),
        merged((("own.rego", OWN),), "{}"),
        merged((("own.rego", LOOKS),), "{}"),
    ]
    for nth, sources in enumerate(versions):
        policy = engine(sources)
        for name, asked, *expected, codes in CASES:
            found = decision_of(policy.ask(ENTRYPOINT, asked), sources.revision)
            assert found.allow == expected[nth], (name, nth, found)
            if not expected[nth] and nth < 2:
                assert {each["code"] for each in found.reasons} == codes, (name, nth, found)
        policy.close()


def test_engines_say_the_same_checks_obligations_and_desks(engine: Open) -> None:
    policy = engine(merged((("own.rego", OWN),), DESKS))
    found = decision_of(policy.ask(ENTRYPOINT, given(TRADER, PLACE)), "")
    assert found.checks == (
        {"kind": "accounts", "any": ["a1", "a2"], "text": "it is no account of your desk"},
        {"kind": "notional_max", "value": 50_000, "text": "50,000 at most"},
    ) or sorted(each["kind"] for each in found.checks) == ["accounts", "notional_max"]
    elsewhere = policy.ask(ENTRYPOINT, given(TRADER, PLACE, order(1, "a3")))
    assert decision_of(elsewhere, "").reasons == (
        {"code": "forbidden", "text": "it is no account of your desk"},
    )
    assert decision_of(policy.ask(ENTRYPOINT, given(ADMIN, LIMITS)), "").obligations == (
        "tell_risk",
    )
    policy.close()


def test_what_no_rule_defines_is_none(engine: Open) -> None:
    """Promise 2: and it is a denial."""
    policy = engine(builtin())
    if isinstance(policy, RegoPolicy):
        policy = RegoPolicy(builtin(), [ENTRYPOINT, "fondaco/authz/holds_scope"])
    assert policy.ask("fondaco/authz/holds_scope", {}) is None
    assert decision_of(None, "r").allow is False
    policy.close()


def test_what_does_not_compile_says_where(engine: Open) -> None:
    """Promise 3."""
    wrong = OWN.replace('"trader" in', '"trader" = = in')
    with pytest.raises(Invalid, match=r"own\.rego:1[12]"):
        engine(merged((("own.rego", wrong),), "{}"))


def test_a_server_that_is_away_allows_nothing() -> None:
    """Promise 4."""
    with pytest.raises(Unavailable):
        OpaPolicy("http://127.0.0.1:9", builtin())


def test_a_version_is_what_its_text_and_data_say() -> None:
    """Promise 5: another text or other data are another revision; an order of files is none."""
    one = Sources((("a.rego", "package a"), ("b.rego", "package b")), '{"x": 1, "y": 2}')
    same = Sources((("b.rego", "package b"), ("a.rego", "package a")), '{"y":2,"x":1}')
    assert one.revision == same.revision
    assert one.revision != Sources(one.modules, '{"x": 1}').revision
    assert one.revision != Sources(one.modules[:1], one.data).revision
