"""Statistics and reports at the doors of a running house."""

from base64 import b64decode
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.test_money import done
from running import Client, Running, house


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
