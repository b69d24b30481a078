"""Statistics and reports at the doors of a running house."""

from base64 import b64decode
from collections.abc import Iterator
from csv import DictReader
from decimal import Decimal
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest

from app.firm import Firm, opened
from app.test_money import done
from app.test_purchases import press
from app.test_restart import wait_for
from fondaco.domain.evaluation.assessments.model import account_id, assessment_id_of
from running import TOKEN, Client, Running, house


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    data = tmp_path_factory.mktemp("reports") / "house"
    with house(data) as found:
        yield found, data


@pytest.fixture
def client(running: tuple[Running, Path]) -> Iterator[Client]:
    found = running[0].client()
    yield found
    found.close()


def position_of(client: Client) -> int:
    """Of a house in which something has happened to an account."""
    done(client, "/api/accounts", {"account_id": "told", "name": "Ada", "virtual": True})
    moved = done(client, "/api/accounts/told/deposits", {"asset": "USD", "amount": "1000.01"})
    return int(moved["position"])


def test_a_report_is_made_once_hashed_noted_and_found_again(client: Client) -> None:
    seen = position_of(client)
    asked = {"kind": "trade_history", "account_id": "told", "min_position": seen}
    made: Any = done(client, "/api/reports", asked, 201)
    assert (made["state"], made["account_id"]) == ("ready", "told")
    page = client.ask("GET", made["html_url"])
    assert sha256(page.body).hexdigest() == made["html_sha256"]
    paper = client.ask("GET", made["pdf_url"])
    assert paper.headers["content-type"] == "application/pdf"
    assert sha256(paper.body).hexdigest() == made["pdf_sha256"]
    wanted = f'{{ reports_pdf(report_id: "{made["report_id"]}") }}'
    carried: Any = done(client, "/graphql", {"query": wanted}, 200)
    assert b64decode(carried["data"]["reports_pdf"]) == paper.body, "as base64 where text is told"
    rows = client.ask("GET", f"/api/reports/{made['report_id']}/csv?table=movements").body
    assert rows.decode().splitlines()[1].endswith(",deposit,,1000.01,USD")
    again: Any = done(client, "/api/reports", {**asked, "kind": "risk_analysis"}, 201)
    assert again["report_id"] != made["report_id"]
    shown: Any = client.get(f"/api/reports/{made['report_id']}")
    assert shown == made
    listed = client.get("/api/reports?account_id=told")["items"]
    assert [each["report_id"] for each in listed] == [again["report_id"], made["report_id"]]
    found = client.get(f"/api/accounts/told/statistics?min_position={seen}")
    (usd,) = (line for line in found["reconciliation"] if line["asset"] == "USD")
    assert (usd["ledger"], usd["difference"]) == ("1000.01", "0")
    assert Decimal(found["equity"]) == Decimal("1000.01")


def test_what_there_is_not_is_said(client: Client) -> None:
    for path in ("/api/reports/" + "0" * 24, "/api/accounts/nobody/statistics"):
        assert client.ask("GET", path).status == 404
    done(client, "/api/reports", {"kind": "risk_analysis", "account_id": "nobody"}, 404)
    done(client, "/api/reports", {"kind": "assessment_summary", "account_id": "demo"}, 404)
    assert client.ask("GET", "/api/accounts/demo/statistics?time_zone=Mars").status == 422


FRAIL: Final = """\
name = "frail"
title = "Broken by half a dollar"
effective_from = 2026-01-01
account = "50000"
fee = "9"
leverage = 5
[[phases]]
name = "Challenge"
target = "8%"
min_trades = 3
overall_loss = { limit = "0.001%" }
"""


def test_an_assessment_is_told_with_its_verdict_its_margins_and_its_evidence(
    running: tuple[Running, Path], client: Client
) -> None:
    opened(Firm(running[0], {"ada": TOKEN, "ian": TOKEN}, running[1]), FRAIL)
    gift = {"tier": "frail", "user": "demo", "reference": "to be told"}
    given: Any = done(client, "/api/assessments", gift)
    account, name = given["account_id"], given["assessment_id"]

    def told(kind: str) -> Any:
        asked = {"kind": kind, "account_id": account}
        wait_for(lambda: client.ask("POST", "/api/reports", asked).status in (200, 201))
        reply = client.ask("POST", "/api/reports", asked)
        assert reply.status in (200, 201), reply
        return reply.body

    def table(report: Any, which: str) -> list[dict[str, str]]:
        found = client.ask("GET", f"/api/reports/{report['report_id']}/csv?table={which}").body
        return list(DictReader(StringIO(found.decode())))

    def buy(qty: str) -> None:
        order = {
            "account_id": account, "cl_ord_id": f"b-{qty[2:]}", "symbol": "BTC-USD", "side": "buy",
            "ord_type": "market", "order_qty": qty, "time_in_force": "ioc",
        }  # fmt: skip
        done(client, "/api/orders", order)

    def line() -> Any:
        return next(
            each
            for each in client.get("/api/assessments")["items"]
            if each["account_id"] == account
        )

    wait_for(lambda: client.get(f"/api/assessments/{name}")["state"] == "active")
    buy("0.001")
    wait_for(lambda: client.get(f"/api/assessments/{name}")["trades"] == 1)
    wait_for(lambda: table(told("assessment_summary"), "conditions")[1]["reached"] == "1")
    summary = told("assessment_summary")
    assert summary["assessment_id"] == name
    rules = {each["rule"]: each for each in table(summary, "rules")}
    assert set(rules) == {"Overall loss"}
    assert {each["state"] for each in rules.values()} == {"kept"}
    assert rules["Overall loss"]["limit"] == "49,999.50"
    assert table(told("compliance"), "violations") == []

    buy("2")
    wait_for(lambda: line()["state"] == "failed")
    summary = told("assessment_summary")
    broken = table(summary, "violations")
    assert [each["rule"] for each in broken] == ["overall loss"]
    shown = client.get(f"/api/assessments/{name}")["violations"][0]
    assert (broken[0]["value"], broken[0]["limit"]) == (shown["value"], shown["limit"])
    assert broken[0]["entry"] == str(shown["position"])
    page = client.ask("GET", summary["html_url"]).body.decode()
    assert "failed" in page
    assert "49,999.50" in page
    compliance = told("compliance")
    assert table(compliance, "violations") == broken
    priced = table(compliance, "evidence")
    assert {each["instrument"] for each in priced} <= {"BTC-USD"}
    assert all(int(each["tape"]) >= 0 for each in priced)


def test_the_account_of_an_earlier_stage_is_told_of_as_that_stage_has_ended(
    running: tuple[Running, Path], client: Client
) -> None:
    def bought(**more: str) -> str:
        purchase: Any = done(client, "/api/purchases", {"tier": "one-step-50k", **more}, 201)
        assert press(running[0], purchase, "pay") == 303
        return str(purchase["purchase_id"])

    name = assessment_id_of(bought())
    first = account_id(name, 1)

    def account() -> str:
        found = client.ask("GET", f"/api/assessments/{name}")
        return str(found.body["account_id"]) if found.status == 200 else ""

    wait_for(lambda: account() == first)
    bought(purpose="reset", assessment_id=name)
    wait_for(lambda: account() == account_id(name, 2))

    def told(kind: str) -> Any:
        """What is there is asked for again until the views have heard of the reset."""
        reply = client.ask("POST", "/api/reports", {"kind": kind, "account_id": first})
        return reply.body if reply.status in (200, 201) else None

    def says_so() -> bool:
        report = told("assessment_summary")
        page = client.ask("GET", report["html_url"]).body if report else b""
        return b"begun anew after a reset" in page

    wait_for(says_so)
    assert told("compliance")["assessment_id"] == name
    done(client, "/api/reports", {"kind": "assessment_summary", "account_id": f"{name}-9"}, 404)
