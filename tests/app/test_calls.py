"""The call matrix: allowed pairs pass, all others are refused, and its lines are those in use."""

import ast
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from fondaco.app import calls
from fondaco.app.calls import Calls, Line, allowed, lines
from fondaco.app.kinds import CALLS, ROOMS
from fondaco.domain.surveillance.cases.model import FIX_CASES
from fondaco.kernel.errors import Denied, Invalid
from fondaco.kernel.event import Command, CommandId, Instant, StreamId

DOMAIN: Final = Path(calls.__file__).parents[1] / "domain"
# A stream of each room that has any.
STREAM: Final = {
    "trading": "account/demo",
    "venues": "venue/PAPER/BTC-USD",
    "crossing": "venue/CROSS/BTC-USD",
    "midpoint": "venue/MIDPT/BTC-USD",
    "pooling": "venue/POOLS/BTC-USD",
    "routed": "venue/XNYS/BTC-USD",
    "cases": FIX_CASES,
    "reference": "reference/house",
    "checks": "checks/house",
    "identity": "identity/house",
    "approvals": "approvals/acme",
    "policies": "policies/acme",
    "audit": "audit/acme",
    "ledger": "ledger/acme",
    "fix": "fix/acme",
    "surveillance": "surveillance/acme",
    "webhooks": "webhooks/acme",
    "partners": "partners/acme",
    "tiers": "tiers/acme",
    "assessments": "assessment/asm-0123456789abcdef",
    "simulations": "simulations/acme/0123456789abcdef0123456789abcdef",
    "reports": "reports/acme",
    "payments": "purchase/pu_1",
    "payouts": "payout/po_1",
    "shops": "shop/acme",
    "test_clock": "test-clock/house",
}
# Drawn: orders to where they are executed, and reports of it back.
VENUES: Final = frozenset({"venues", "crossing", "midpoint", "pooling", "routed"})
DRAWN: Final = {("trading", each) for each in VENUES} | {(each, "trading") for each in VENUES}
NEEDED: Final = {
    ("trading", "trading"),
    ("surveillance", "cases"),
    ("assessments", "trading"),
    ("trading", "assessments"),
    ("payments", "shops"),
    ("payments", "assessments"),
    ("assessments", "payouts"),
    ("payouts", "assessments"),
}


def commands(module: Path) -> set[str]:
    """What the functions of a policies.py make: the commands that it imports and calls."""
    tree = ast.parse(module.read_text("utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".events")
        for alias in node.names
    }
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return (imported & called) - {"Ask"}  # a part of PlaceOrder


def kind(name: str) -> type[Command]:
    return type(name, (Command,), {}, frozen=True)


def may(source: str, target: str, says: str) -> bool:
    command = kind(says)(CommandId("c"), Instant(1))
    found = CALLS.refusal(StreamId(STREAM[source]), StreamId(STREAM[target]), command)
    if found is None:
        return True
    assert isinstance(found, Denied)
    assert (found.code, found.retryable) == ("call_refused", False)
    return False


def test_there_is_a_stream_here_for_every_room_that_has_a_law() -> None:
    assert set(STREAM) == {room.name for room in ROOMS if room.prefix}


def test_each_of_all_pairs_passes_or_is_refused_as_it_is_listed() -> None:
    listed = allowed(lines(), STREAM)
    says = {each.says for each in listed} | {"SomethingElse"}
    passed = {
        (source, target, each)
        for source, target, each in product(STREAM, STREAM, says)
        if may(source, target, each)
    }
    assert passed == {tuple(each) for each in listed}
    assert {(source, target) for source, target, _ in passed} == DRAWN | NEEDED
    assert not any(each == "SomethingElse" for *_, each in passed)


def test_every_message_that_a_policy_makes_has_a_line_and_every_line_a_policy() -> None:
    made = set[str]().union(*(commands(path) for path in DOMAIN.rglob("policies.py")))
    assert made == {says for line in lines() for says in line.says}


@pytest.mark.parametrize("says", ["EnterOrder", "RecordExecution"])
def test_a_link_goes_one_way(says: str) -> None:
    forth, back = may("trading", "venues", says), may("venues", "trading", says)
    assert forth is not back


def test_a_matrix_without_lines_lets_nothing_through_and_rooms_must_be_there() -> None:
    empty = Calls(frozenset(), lambda stream: stream.partition("/")[0])
    ask = kind("EnterOrder")(CommandId("c"), Instant(1))
    assert empty.refusal(StreamId("account/a"), StreamId("account/b"), ask) is not None
    with pytest.raises(Invalid, match="rooms that there are not: nowhere"):
        allowed([Line(("trading",), ("nowhere",), ("EnterOrder",), "")], STREAM)
