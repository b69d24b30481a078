"""The calendar of announcements in a running house: imported, listed, removed, and shown to who is
assessed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.test_restart import wait_for
from fondaco.app.offline import create_key
from fondaco.cli import main
from running import Client, Running, house

CSV = """time,importance,currencies,instruments,title,source,id
2126-12-10T13:30:00Z,high,USD,,US CPI,bls.gov,cpi
2126-12-11T13:30:00Z,low,,BTC-USD,Upgrade,,
2126-12-12T13:30:00Z,high,JPY,,Tankan,boj.or.jp,tankan
"""


class Staff(NamedTuple):
    running: Running
    tokens: dict[str, str]

    def of(self, who: str) -> Client:
        return self.running.client(self.tokens[who])

    def said(self, capsys: pytest.CaptureFixture[str], *words: str, exit_status: int = 0) -> str:
        url = ["--url", self.running.url, "--token", self.tokens["ada"]]
        capsys.readouterr()
        assert main(["news", *words, *url]) == exit_status
        return capsys.readouterr().out


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    data = tmp_path_factory.mktemp("news")
    roles = {"ada": ["admin"], "tim": ["trader"]}
    tokens = {
        who: create_key(data, "demo", who, "key", mine, None)["token"]
        for who, mine in roles.items()
    }
    with house(data, log=data / "log") as running:
        yield Staff(running, tokens)


def test_a_calendar_is_tried_imported_listed_and_removed(
    staff: Staff, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "december.csv"
    file.write_text(CSV)
    tried = staff.said(capsys, "import", str(file), "--dry-run")
    assert tried.endswith("3 new, 0 changed, 0 known, 1 that touch nothing here (only tried)\n")
    tim = staff.of("tim")
    assert tim.get("/api/news")["items"] == []
    assert staff.said(capsys, "import", str(file)).endswith("1 that touch nothing here\n")
    assert "0 new, 0 changed, 3 known" in staff.said(capsys, "import", str(file))
    found = tim.get("/api/news?importance=high&symbol=BTC-USD")["items"]
    assert [each["id"] for each in found] == ["cpi"]
    assert "BTC-USD" in found[0]["touches"]
    assert [each["time"] for each in found] == ["2126-12-10T13:30:00Z"]
    later = {"time": "2126-12-10T15:00:00Z", "title": "US CPI", "importance": "high", "id": "cpi"}
    moved = tmp_path / "moved.json"
    moved.write_text(json.dumps([later]))
    assert "0 new, 1 changed, 0 known" in staff.said(capsys, "import", str(moved))
    listed = json.loads(staff.said(capsys, "list", "--json"))["items"]
    assert [each["id"] for each in listed][::2] == ["cpi", "tankan"]
    assert listed[0]["time"] == "2126-12-10T15:00:00Z"
    assert "not expected" in staff.said(capsys, "remove", "tankan")
    staff.said(capsys, "remove", "tankan", exit_status=1)
    assert "tankan" not in staff.said(capsys, "list")


def test_only_the_firm_writes_and_what_is_wrong_is_said(staff: Staff) -> None:
    ada, tim = staff.of("ada"), staff.of("tim")
    one: dict[str, Any] = {"time": "2126-01-01T00:00:00Z", "importance": "low", "title": "x"}
    assert tim.ask("POST", "/api/news", {"items": [one], "reason": "r"}).status == 403
    assert tim.ask("DELETE", "/api/news/cpi").status == 403
    strange = {"items": [{**one, "instruments": ["XYZ-USD"]}], "reason": "r"}
    for dry_run in (True, False):
        refused = ada.ask("POST", "/api/news", {**strange, "dry_run": dry_run})
        assert (refused.status, refused.body["code"]) == (409, "unknown_instrument")
        assert "XYZ-USD" in refused.body["message"]
    wrong = ada.ask("POST", "/api/news", {"csv": "time,title\n", "reason": "r"})
    assert wrong.status == 422
    assert "must have time, importance, title" in wrong.body["message"]


TIER = """name = "quiet"
title = "Quiet, 10,000"
effective_from = 2026-01-01
account = "10000"
[[phases]]
name = "Challenge"
target = "8%"
overall_loss = { limit = "10%" }
news = { before_minutes = 60, after_minutes = 60, importance = "medium" }
"""


def sold(client: Client) -> None:
    """A tier with a window in its first phase, on sale."""
    assert client.ask("POST", "/api/tiers", {"text": TIER}).status == 200
    path = "/api/tiers/quiet/versions/1"
    asked = {"traders": ["coin:win=0.5,stake=100"], "paths": 200, "seed": 1}
    assert client.ask("POST", f"{path}/simulate", asked).status < 300
    wait_for(lambda: client.get(f"{path}/simulation")["state"] == "attached")
    published = client.ask("POST", f"{path}/publish", {"note": "a test"})
    assert published.status == 200, published.body


def test_an_order_in_a_window_is_refused_at_the_door_and_the_window_is_shown(staff: Staff) -> None:
    ada = staff.of("ada")
    sold(ada)
    asked = {"tier": "quiet", "user": "tim", "reference": "window"}
    given = ada.ask("POST", "/api/assessments", asked).body
    path = f"/api/assessments/{given['assessment_id']}"
    wait_for(lambda: ada.get(path)["headroom"])
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    item: dict[str, Any] = {"time": now, "importance": "medium", "title": "NFP", "id": "nfp"}
    item["currencies"] = ["BTC"]
    assert ada.ask("POST", "/api/news", {"items": [item], "reason": "r"}).status == 200
    shown = ada.get(path)["next_news"]
    assert (shown["id"], shown["is_open"]) == ("nfp", True)
    assert "BTC-USD" in shown["symbols"]
    order = {"account_id": given["account_id"], "cl_ord_id": "n1", "symbol": "BTC-USD"}
    order |= {"side": "buy", "ord_type": "market", "order_qty": "0.01"}
    refused = staff.of("tim").ask("POST", "/api/orders", order)
    assert (refused.status, refused.body["code"]) == (409, "news_window"), refused.body
    assert "NFP (medium)" in refused.body["message"]
    assert ada.ask("DELETE", "/api/news/nfp").status == 200
    assert (ada.get(path)["next_news"] or {"id": ""})["id"] != "nfp"
    again = staff.of("tim").ask("POST", "/api/orders", {**order, "cl_ord_id": "n2"})
    assert again.status == 201, again.body


def test_who_is_assessed_is_told_what_is_refused(staff: Staff) -> None:
    """Of two steps and a funded account only the last one has a window."""
    ada = staff.of("ada")
    given = ada.ask(
        "POST", "/api/assessments", {"tier": "two-step-100k", "user": "tim", "reference": "prize"}
    )
    assert given.status < 300, given.body
    found = ada.get(f"/api/assessments/{given.body['assessment_id']}")
    assert found["next_news"] is None
    said = [text for part in found["wording"] for text in part["sentences"]]
    assert sum("of high importance in this house's calendar" in text for text in said) == 1
