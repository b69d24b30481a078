"""Policies in a running house: published by two, in force at every door, kept, asked what if."""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from websockets.sync.client import connect

from fondaco.app.offline import create_key
from fondaco.cli import main
from fondaco.domain.identity.policy.builtin import builtin
from identity.policies import OWN, TESTS
from running import Client, Reply, Running, house, order

RULES: Final = {"own.rego": OWN, "own_test.rego": TESTS}
PATIENCE_S: Final = 20.0


class Staff(NamedTuple):
    """ada and bob run the house, tim trades, sue looks after compliance, ria agrees to risk."""

    running: Running
    tokens: dict[str, str]
    data: Path

    def of(self, who: str) -> Client:
        return self.running.client(self.tokens[who])


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    data = tmp_path_factory.mktemp("policies")
    roles = {
        "ada": ["admin"], "bob": ["admin"], "tim": ["trader"], "sue": ["compliance"],
        "ria": ["risk"], "tom": ["trader", "admin"],
    }  # fmt: skip
    tokens = {
        who: create_key(data, "demo", who, "key", mine, None)["token"]
        for who, mine in roles.items()
    }
    with house(data, options=["--set", "four_eyes=strict"], log=data / "log") as running:
        yield Staff(running, tokens, data)


def agreed(staff: Staff, held: Reply, by: str = "bob") -> Any:
    """What bob agrees to, done."""
    assert held.status == 202, held.body
    path = f"/api/approvals/{held.body['approval_id']}/approve"
    found = staff.of(by).ask("POST", path, {"reason": "looked at it"})
    assert (found.status, found.body["state"]) == (200, "executed"), found.body
    return found.body["result"]


def publish(staff: Staff, modules: dict[str, str], **more: Any) -> Any:
    text = {"modules": modules, "note": "as agreed", **more}
    return agreed(staff, staff.of("ada").ask("PUT", "/api/policy", text))


def back(staff: Staff, version: int = 0) -> None:
    order_ = {"version": version, "note": "as agreed"}
    agreed(staff, staff.of("ada").ask("POST", "/api/policy/rollback", order_))


def until(look: Callable[[], Any]) -> Any:
    """What `look` finds once it finds something."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline, "it was never there"
        time.sleep(0.1)
    return found


def test_a_policy_is_published_by_two_and_holds_at_every_door(staff: Staff) -> None:
    """Requirements A25, A29, A40: on the next order, whichever way it comes."""
    tim = staff.of("tim")
    small, large = order("p1", order_qty="0.01"), order("p2", order_qty="1.5", price="50000.00")
    assert tim.ask("POST", "/api/orders", small).status == 201
    made = publish(staff, RULES)
    try:
        current = staff.of("ada").get("/api/policy")
        assert (current["version"], current["revision"]) == (made["version"], made["revision"])
        assert current["modules"] == RULES
        denied = tim.ask("POST", "/api/orders", large)
        assert (denied.status, denied.body["code"]) == (403, "forbidden")
        assert denied.body["message"] == "50,000 at most"
        assert denied.body["details"]["policy"] == made["revision"][:12]
        assert tim.ask("POST", "/api/orders", {**small, "cl_ord_id": "p3"}).status == 201
        bulk = tim.ask(
            "POST", "/api/orders/bulk", {"orders": [{**small, "cl_ord_id": "p4"}, large]}
        )
        assert bulk.status == 403
        said = over_a_socket(staff, [{"op": "place", "id": 1, **large}, {"op": "place", "id": 2,
                                     **small, "cl_ord_id": "p5"}])  # fmt: skip
        assert [each["status"] for each in said] == [403, 201]
        replaced = tim.ask(
            "PATCH",
            f"/api/orders/{said[1]['order_id']}",
            {"cl_ord_id": "p6", "order_qty": "1.5", "price": "50000.00"},
        )
        assert replaced.status == 403, "an order that grows is a larger order"
        asked = {"operation": "trading.place_order", "account_id": "demo", "symbol": "BTC-USD"}
        for notional, allow in ((50_000, True), (50_001, False)):
            found = tim.ask("POST", "/api/policy/decide", {**asked, "notional": notional})
            assert (found.status, found.body["allow"]) == (200, allow)
    finally:
        back(staff)
    assert staff.of("ada").get("/api/policy")["revision"] == builtin().revision
    assert tim.ask("POST", "/api/orders", {**large, "cl_ord_id": "p7"}).status != 403


def over_a_socket(staff: Staff, asks: list[dict[str, Any]]) -> list[Any]:
    with connect(
        f"ws://127.0.0.1:{staff.running.port}/ws/trading",
        additional_headers={"Authorization": f"Bearer {staff.tokens['tim']}"},
    ) as socket:
        socket.send(json.dumps(asks))
        found = [json.loads(socket.recv(timeout=PATIENCE_S)) for _ in asks]
    return sorted(found, key=lambda each: int(each["id"]))


def test_what_is_wrong_with_rules_is_said_before_anybody_is_asked_to_agree(staff: Staff) -> None:
    ada = staff.of("ada")
    for modules, said in (
        ({"own.rego": OWN}, "it has no tests"),
        ({**RULES, "own.rego": OWN.replace("roles\n", "rolls\n", 1)}, "own.rego:7"),
        ({**RULES, "own.rego": OWN.replace("50000", "60000")}, "test_what_is_large_does_not"),
        ({**RULES, "own.rego": OWN.replace('"trader" in', '"trader" = = in')}, "own.rego:12"),
    ):
        refused = ada.ask("PUT", "/api/policy", {"modules": modules, "note": "as agreed"})
        assert refused.status == 422
        assert said in refused.body["message"]
    roles = {"modules": RULES, "data": {"roles": {"trader": {"house:write": True}}}}
    refused = ada.ask("PUT", "/api/policy", {**roles, "note": "as agreed"})
    assert "can only take away" in refused.body["message"]
    found = ada.ask("POST", "/api/policy/check", {"modules": RULES}).body
    assert (found["wrong"], [each["passed"] for each in found["tests"]]) == ("", [True, True])
    # The rule on notionals is held; nobody would miss the three others.
    assert (found["coverage_percent"], len(found["uncovered"])) == (25, 3)


def test_a_policy_waits_for_its_time_and_survives_a_restart(tmp_path: Path) -> None:
    with house(tmp_path, log=tmp_path / "log") as first:
        demo = first.client()
        later = {"modules": RULES, "note": "later", "effective_at": time.time_ns() + 10**9 * 3_600}
        assert demo.ask("PUT", "/api/policy", later).status == 200, "a demo is one person"
        found = demo.get("/api/policy")
        assert (found["version"], found["versions"][0]["state"]) == (0, "waiting")
        assert demo.ask("PUT", "/api/policy", {"modules": RULES, "note": "now"}).status == 200
        revision = demo.get("/api/policy")["revision"]
        assert revision != builtin().revision
    with house(tmp_path, log=tmp_path / "log") as second:
        found = second.client().get("/api/policy")
        assert (found["version"], found["revision"]) == (2, revision)
        large = order("r1", order_qty="1.5", price="50000.00")
        assert second.client().ask("POST", "/api/orders", large).status == 403


def test_denials_and_privileged_acts_are_in_the_journal_and_a_storm_is_a_few_lines(
    staff: Staff, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue 6, Audit."""
    tim, sue = staff.of("tim"), staff.of("sue")
    halt = {"state": "active", "reason": "nothing is wrong"}
    for _ in range(60):
        assert tim.ask("PUT", "/api/risk/trading-state", halt).status == 403
    assert staff.of("ria").ask("PUT", "/api/risk/trading-state", halt).status == 200
    assert staff.running.client("nobody").ask("GET", "/api/accounts").status == 401

    def told(kind: str, operation: str) -> Any:
        path = f"/api/audit?kind={kind}&operation={operation}&limit=1000"
        return sue.get(path)["items"]

    [act] = until(lambda: told("act", "risk.set_trading_state"))
    assert (act["caller"], act["door"], act["address"]) == ("ria/key", "rest", "loopback")
    until(
        lambda: any(
            each["code"] == "unauthenticated" for each in told("denial", "trading.accounts")
        )
    )
    lines = until(lambda: told("denial", "risk.set_trading_state"))
    assert {(each["caller"], each["code"]) for each in lines} == {("tim/key", "lacks_scope")}
    assert len(lines) <= 4, "60 denials: the first of a minute, and the others when it is over"
    assert lines[0]["policy"] == builtin().revision
    proof = sue.get(f"/api/journal/proof?position={act['position']}")
    assert proof, "what the audit says can be proved"
    rows = list(csv.DictReader(io.StringIO(_text(staff, "sue", "/api/audit/export?form=csv"))))
    assert {"act", "denial"} <= {row["kind"] for row in rows}
    assert [int(row["position"]) for row in rows] == sorted(int(row["position"]) for row in rows)
    assert main(["audit", "--url", staff.running.url, "--token", staff.tokens["sue"]]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= len(rows)


def test_what_if_says_who_would_lose_and_who_would_gain_what(
    staff: Staff, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue 6: over what was decided, by caller, operation and count, with examples."""
    tim, ria, ada = staff.of("tim"), staff.of("ria"), staff.of("ada")
    assert ria.ask("GET", "/api/risk/limits?account_id=demo").status == 200
    assert tim.ask("GET", "/api/house").status == 403
    same = ada.ask("POST", "/api/policy/what-if", {"modules": {}})
    assert same.status == 200
    assert same.body["changes"] == [], "other rules that are the same change nothing"
    assert same.body["decisions"] > 0
    strict = (
        "package own\n\nimport rego.v1\n\n"
        'deny contains {"code": "hands_off", "text": "ask tim"} if {\n'
        '\tinput.subject.user == "ria"\n\tinput.action.scope == "limits:read"\n}\n'
    )
    found = ada.ask("POST", "/api/policy/what-if", {"modules": {"own.rego": strict}}).body
    [change] = found["changes"]
    assert (change["effect"], change["caller"]) == ("loses", "ria/key")
    assert (change["operation"], change["reasons"]) == ("risk.limits", ["ask tim"])
    assert change["count"] >= 1
    assert change["examples"][0]["subject"]["user"] == "ria"
    # A brute-force count over the export finds the same.
    exported = [
        json.loads(line)
        for line in _text(staff, "sue", "/api/policy/decisions/export").splitlines()
    ]
    hit = [
        int(line["labels"]["weight"])
        for line in exported
        if line["result"]["allow"]
        and line["input"]["subject"]["user"] == "ria"
        and line["input"]["action"]["scope"] == "limits:read"
    ]
    assert sum(hit) == change["count"]
    assert all(set(line) >= {"decision_id", "timestamp", "input", "result"} for line in exported)
    (tmp_path / "own.rego").write_text(strict)
    where = ["--url", staff.running.url, "--token", staff.tokens["ada"]]
    assert main(["policy", "what-if", str(tmp_path / "own.rego"), *where]) == 0
    assert "ria/key  loses  risk.limits" in capsys.readouterr().out
    # What is denied now and would not be then is a gain: seen from under the strict rules.
    test = TESTS.split("test_what_is_large")[0]
    publish(staff, {"own.rego": strict, "own_test.rego": test})
    try:
        looked = staff.of("ria").ask("GET", "/api/risk/limits?account_id=demo")
        assert looked.status == 403
        found = staff.of("ada").ask("POST", "/api/policy/what-if", {"modules": {}}).body
        assert {(each["effect"], each["caller"]) for each in found["changes"]} == {
            ("gains", "ria/key")
        }
    finally:
        back(staff)


def test_no_single_person_trades_and_agrees_or_mends_the_audit(staff: Staff) -> None:
    """Requirement A46."""
    ada, tom, sue = staff.of("ada"), staff.of("tom"), staff.of("sue")
    text = {"modules": RULES, "note": "as agreed"}
    held = ada.ask("PUT", "/api/policy", text)
    path = f"/api/approvals/{held.body['approval_id']}"
    own = ada.ask("POST", f"{path}/approve", {"reason": "mine"})
    assert (own.status, own.body["code"]) == (403, "own_approval")
    both = tom.ask("POST", f"{path}/approve", {"reason": "I trade, too"})
    assert (both.status, both.body["code"]) == (403, "separation_of_duties")
    assert tom.ask("POST", "/api/orders", order("t1")).status == 201, "trading they may"
    assert staff.of("bob").ask("POST", f"{path}/reject", {"reason": "not now"}).status == 200
    before = sue.get("/api/audit?limit=1000")["items"]
    for method in ("DELETE", "PUT", "POST", "PATCH"):
        for who in staff.tokens:
            for place in ("/api/audit", "/api/journal", "/api/policy/decisions"):
                assert staff.of(who).ask(method, place, {}).status == 405
    after = sue.get("/api/audit?limit=1000")["items"]
    assert {each["position"] for each in before} <= {each["position"] for each in after}


def test_nothing_kept_of_decisions_names_where_somebody_was(staff: Staff) -> None:
    exported = _text(staff, "sue", "/api/policy/decisions/export")
    assert "127.0.0.1" not in exported
    assert not any(token in exported for token in staff.tokens.values())


def test_rules_are_tested_without_a_house(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in RULES.items():
        (tmp_path / name).write_text(text)
    assert main(["policy", "lint", str(tmp_path)]) == 0
    assert main(["policy", "test", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "pass  test_what_is_small_passes" in said
    assert "1 of 4 rules are held by a test, 25 %" in said
    assert "own.rego:6: no test would miss this rule" in said
    (tmp_path / "own.rego").write_text(OWN.replace("50000", "60000"))
    assert main(["policy", "test", str(tmp_path)]) == 1
    assert "FAIL  test_what_is_large_does_not" in capsys.readouterr().out
    (tmp_path / "own.rego").write_text(OWN.replace("input.subject.roles", "input.subject.rols", 1))
    assert main(["policy", "lint", str(tmp_path)]) == 1
    assert "own.rego:7: input.subject has no rols" in capsys.readouterr().out


def _text(staff: Staff, who: str, path: str) -> str:
    found = staff.of(who).ask("GET", path)
    assert found.status == 200
    return found.body if isinstance(found.body, str) else found.body.decode()
