"""Holdings under tokens: analysts join them and learn no name; who has a name back says why."""

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
import pytest

from fondaco.app.offline import create_key
from fondaco.cli import main
from running import Client, Running, begin, order

PATIENCE_S: Final = 20.0
HOLDINGS: Final = "/api/analytics/holdings"
# Of what no byte of an answer to an analyst may be. Accounts are opened under these names.
NAMED: Final = {"desk-lovelace": "Ada Lovelace", "desk-babbage": "Charles Babbage"}
NAMES: Final = (*NAMED, *NAMED.values(), "lovelace", "babbage", "ada", "charles", "demo")


class Firm(NamedTuple):
    """ana analyses, sue looks after compliance, ann runs the house, oda audits, tim trades."""

    houses: list[Running]
    data: Path
    tokens: dict[str, str]

    def of(self, who: str) -> Client:
        return self.houses[-1].client(self.tokens.get(who, who))


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    data = tmp_path_factory.mktemp("vault")
    roles = {
        "ana": "analyst", "sue": "compliance", "ann": "admin", "oda": "auditor", "tim": "trader",
        "ada": "trader",
    }  # fmt: skip
    tokens = {
        who: create_key(data, "demo", who, "key", [role], None)["token"]
        for who, role in roles.items()
    }
    tokens["eve"] = create_key(data, "other", "eve", "key", ["compliance"], None)["token"]
    running = begin(data, options=["--set", "password_memory_mib=8"], log=data / "log").wait()
    made = Firm([running], data, tokens)
    try:
        for account, name in NAMED.items():
            opened = {"account_id": account, "name": name}
            reply = running.client().ask("POST", "/api/accounts", opened)
            assert reply.status in (200, 201), reply.body
            paid = {"asset": "USD", "amount": "1000.00", "transfer_id": f"seed-{account}"}
            reply = running.client().ask("POST", f"/api/accounts/{account}/deposits", paid)
            assert reply.status in (200, 201), reply.body
            place = f"/api/accounts/{account}?min_position={reply.body['position']}"
            running.client().get(place)
        for account in NAMED:
            owner = made.of("ann").ask("PUT", f"/api/accounts/{account}/owner", {"user": "ada"})
            assert (owner.status, owner.body["user"]) == (200, "ada")
        yield made
    finally:
        made.houses[-1].kill()


def until(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline, "it was never there"
        time.sleep(0.05)
    return found


def seen(firm: Firm) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = firm.of("ana").get(f"{HOLDINGS}?limit=1000")["items"]
    return items


def revealed(firm: Firm, *tokens: str, by: str = "sue", reason: str = "margin call") -> Any:
    asked = {"tokens": list(tokens), "reason": reason}
    reply = firm.of(by).ask("POST", "/api/analytics/reveal", asked)
    assert reply.status == 200, reply.body
    return reply.body


def test_an_analyst_sees_every_holding_and_no_name(firm: Firm) -> None:
    """Requirement A51."""
    items = seen(firm)
    ours = [each for each in items if each["owner"]]
    assert {each["name"] for each in ours} == {"USD"}
    assert {each["qty"] for each in ours} == {"1000"}
    assert len({each["account"] for each in ours}) == 2
    assert len({each["owner"] for each in ours}) == 1, "joined by whose they are"
    assert [each["account"] for each in items] == sorted(each["account"] for each in items)
    ana = firm.of("ana")
    answers = [ana.ask("GET", f"{HOLDINGS}?limit=1000"), ana.ask("GET", f"{HOLDINGS}/export")]
    answers.append(ana.ask("GET", f"{HOLDINGS}/export?form=jsonl"))
    query = "{ it: vault_holdings { items { account owner name qty } } }"
    answers.append(ana.ask("POST", "/graphql", {"query": query}))
    call = {"name": "vault_holdings", "arguments": {}}
    tool = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    answers.append(ana.ask("POST", "/mcp", tool))
    for answer in answers:
        assert answer.status == 200, answer.body
        body = answer.body
        text = body.decode() if isinstance(body, bytes) else json.dumps(body)
        assert ours[0]["account"] in text
        everything = (text + json.dumps(dict(answer.headers))).lower()
        assert [n for n in NAMES if re.search(rf"\b{n.lower()}\b", everything)] == []
    rows = list(csv.DictReader(io.StringIO(answers[1].body.decode())))
    lines = [json.loads(line) for line in answers[2].body.decode().splitlines()]
    assert [row["account"] for row in rows] == [line["account"] for line in lines]
    assert len(rows) == len(items)


def test_pages_are_the_whole(firm: Firm) -> None:
    items, paged = seen(firm), firm.of("ana").all(f"{HOLDINGS}?limit=1")
    for each in (*items, *paged):
        each["value"] = None  # prices move
    assert paged == items


def test_an_analyst_is_told_nothing_else(firm: Firm) -> None:
    """Least privilege: neither accounts nor names, and the denial is kept."""
    ana = firm.of("ana")
    for path in ("/api/accounts", "/api/orders", "/api/users", "/api/audit"):
        assert ana.ask("GET", path).status == 403, path
    asked = {"tokens": [seen(firm)[0]["account"]], "reason": "curious"}
    for who in ("ana", "tim", "ann", "oda"):
        reply = firm.of(who).ask("POST", "/api/analytics/reveal", asked)
        assert (reply.status, reply.body["code"]) == (403, "denied"), who
    oda = firm.of("oda")
    path = "/api/audit?kind=denial&operation=vault.reveal"
    found = until(lambda: {each["user"] for each in oda.get(path)["items"]} >= {"ana", "tim"})
    assert found
    for who in ("tim", "ann", "oda"):
        assert firm.of(who).ask("GET", HOLDINGS).status == 403, who


def test_names_are_given_back_for_a_reason_that_the_journal_keeps(firm: Firm) -> None:
    ours = [each for each in seen(firm) if each["owner"]]
    tokens = sorted({each["account"] for each in ours} | {each["owner"] for each in ours})
    stray = "acc_" + "a" * 24
    found = revealed(firm, *tokens, stray, reason="margin call, case 7")
    assert {each["name"] for each in found["items"]} == {*NAMED, "ada"}
    assert {each["kind"] for each in found["items"] if each["name"] == "ada"} == {"owner"}
    assert found["unknown"] == [stray]
    oda = firm.of("oda")

    def noted() -> Any:
        lines = oda.get("/api/audit?kind=act&operation=vault.reveal")["items"]
        return [each for each in lines if each["position"] == found["position"]]

    [line] = until(noted)
    assert (line["caller"], line["user"], line["code"]) == ("sue/key", "sue", "revealed")
    assert line["text"].startswith("margin call, case 7: ")
    assert all(token in line["text"] for token in tokens)
    assert line["count"] == len(tokens)
    acts = "/api/audit?kind=act&operation=vault.reveal&caller=sue"
    assert "rest" in {each["door"] for each in oda.get(acts)["items"]}, "noted before"
    entry = oda.get(f"/api/journal?after={found['position'] - 1}&limit=1")
    assert "audit.tokens_revealed.v1" in json.dumps(entry)
    assert not any(name in json.dumps(entry) for name in NAMED), "the journal has tokens alone"
    for wrong in ({"tokens": tokens}, {"tokens": tokens, "reason": ""}, {"tokens": ["desk-1"]}):
        reply = firm.of("sue").ask("POST", "/api/analytics/reveal", wrong)
        assert reply.status == 422, reply.body


def test_the_same_is_had_at_the_command_line_and_as_columns(
    firm: Firm, tmp_path: Path, capsys: Any
) -> None:
    items = seen(firm)
    ana = ["--url", firm.houses[-1].url, "--token", firm.tokens["ana"]]
    assert main(["tokens", "holdings", *ana, "--form", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    columns = tmp_path / "holdings.parquet"
    assert main(["tokens", "holdings", *ana, "--form", "parquet", "--out", str(columns)]) == 0
    table = pl.read_parquet(columns)
    assert [row["account"] for row in rows] == table["account"].to_list()
    assert table["qty"].to_list() == [Decimal(each["qty"]) for each in items]
    assert [name for name in NAMED if name.encode() in columns.read_bytes()] == []
    sue = ["--url", firm.houses[-1].url, "--token", firm.tokens["sue"]]
    asked = [items[0]["account"], "--reason", "case 4"]
    assert main(["tokens", "reveal", *ana, *asked]) != 0
    assert main(["tokens", "reveal", *sue, *asked]) == 0
    assert json.loads(capsys.readouterr().out)["items"][0]["kind"] == "account"


def test_another_tenant_has_other_tokens_and_maps_none_of_ours(firm: Firm) -> None:
    tokens = sorted({each["account"] for each in seen(firm)})
    found = revealed(firm, *tokens, by="eve")
    assert (found["items"], found["unknown"]) == ([], tokens)
    assert firm.of("eve").get(HOLDINGS)["items"] == []


def test_a_key_for_one_account_sees_and_maps_that_one(firm: Firm) -> None:
    key = create_key(firm.data, "demo", "sue", "one", ["compliance"], ["desk-babbage"])["token"]
    one = firm.houses[-1].client(key)
    until(lambda: one.ask("GET", "/api/session").status == 200)
    items = seen(firm)
    mine = one.get(f"{HOLDINGS}?limit=1000")["items"]
    assert len(mine) == 1
    assert mine[0] in items
    tokens = sorted({each["account"] for each in items})
    reply = one.ask("POST", "/api/analytics/reveal", {"tokens": tokens, "reason": "case 8"})
    assert [each["name"] for each in reply.body["items"]] == ["desk-babbage"]


def test_tokens_survive_a_restart_and_a_new_master(firm: Firm) -> None:
    before = seen(firm)
    firm.houses[-1].kill()
    assert main(["keys", "rotate", "--data", str(firm.data)]) == 0
    firm.houses.append(begin(firm.data, log=firm.data / "log").wait())
    after = seen(firm)
    for each in (*before, *after):
        each["value"] = None  # prices move
    assert after == before


def test_who_is_forgotten_is_behind_no_token(firm: Firm) -> None:
    """Requirement R16: what was exported before says nothing any more."""
    [owner] = {each["owner"] for each in seen(firm) if each["owner"]}
    assert revealed(firm, owner)["items"][0]["name"] == "ada"
    placed = order("v-1", account_id="desk-babbage", order_qty="0.001", price="1000.00")
    assert firm.of("tim").ask("POST", "/api/orders", placed).status == 201
    gone = firm.of("demo").ask("POST", "/api/users/ada/erasure", {"reason": "asked, case 9"})
    assert (gone.status, gone.body["state"]) == (200, "done"), gone.body
    found = revealed(firm, owner)
    assert (found["items"], found["unknown"]) == ([], [owner])
    assert {each["owner"] for each in seen(firm)} == {None}
    assert firm.of("ann").get("/api/accounts/desk-babbage/owner")["user"] is None
