"""Tiers in a running house: on sale at its first start, defined, simulated, published by two."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from fondaco.app.offline import create_key
from fondaco.app.simulating import Run, simulate
from fondaco.cli import main
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.simulation.traders import trader_of
from fondaco.domain.evaluation.wording import wording
from running import Client, Reply, Running, house

TEXT: Final = """\
name = "mine"
title = "Mine, 10,000"
effective_from = 2026-01-01
account = "10000"
fee = "99"
[[phases]]
name = "Challenge"
target = "8%"
overall_loss = { limit = "10%" }
"""
PATIENCE_S: Final = 60.0
HOUR_NS: Final = 3_600_000_000_000
SOLD: Final = ["instant-10k", "one-step-50k", "three-step-25k", "two-step-100k"]


class Staff(NamedTuple):
    """ada and ria may both write tiers, tim trades."""

    running: Running
    tokens: dict[str, str]
    data: Path

    def of(self, who: str) -> Client:
        return self.running.client(self.tokens[who])


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    data = tmp_path_factory.mktemp("tiers")
    roles = {"ada": ["admin"], "ria": ["risk"], "tim": ["trader"]}
    tokens = {
        who: create_key(data, "demo", who, "key", mine, None)["token"]
        for who, mine in roles.items()
    }
    tokens["eve"] = create_key(data, "other", "eve", "key", ["admin"], None)["token"]
    with house(data, options=["--set", "four_eyes=strict"], log=data / "log") as running:
        yield Staff(running, tokens, data)


def test_a_demo_house_sells_its_own_tiers_with_their_odds(staff: Staff) -> None:
    found = staff.of("tim").get("/api/tiers")["items"]
    assert [each["tier"] for each in found] == SOLD
    for each in found:
        terms = tier_of(text_of(each["tier"]))
        said = [text for _, sentences in wording(terms) for text in sentences]
        assert (each["state"], each["version"], each["wording"]) == ("published", 1, said)
        assert each["odds"]["paths"] == 10_000
        for odds in each["odds"]["traders"]:
            assert 0 <= odds["pass_probability"] + odds["ruin_probability"] <= 1
        one = staff.of("tim").get(f"/api/tiers/{each['tier']}")
        assert one["item"] == each
        assert sha256(one["terms"].encode()).hexdigest() == each["fingerprint"]
        assert tier_of(one["text"]) == terms
    two = next(each for each in found if each["tier"] == "two-step-100k")
    assert [each["target"] for each in two["phases"]] == ["10000", "5000"]
    assert two["phases"][0]["daily_loss"] == {
        "amount": "5000",
        "part": None,
        "counted_from": "balance",
    }


def test_another_tenant_sells_nothing_of_ours(staff: Staff) -> None:
    eve = staff.of("eve")
    assert eve.get("/api/tiers?state=all")["items"] == []
    assert eve.ask("GET", "/api/tiers/two-step-100k").status == 404


def test_a_version_is_defined_from_text_numbered_and_never_changed(staff: Staff) -> None:
    ada, tim = staff.of("ada"), staff.of("tim")
    assert tim.ask("POST", "/api/tiers", {"text": TEXT}).status == 403
    tried = ada.ask("POST", "/api/tiers", {"text": TEXT, "dry_run": True}).body
    assert (tried["version"], tried["position"], tried["publishable"]) == (1, 0, True)
    assert ada.ask("GET", "/api/tiers/mine").status == 404, "it was only tried"
    made = ada.ask("POST", "/api/tiers", {"text": TEXT}).body
    assert made["position"] > 0
    assert {**made, "position": 0} == tried, "what was tried is what is kept"
    again = ada.ask("POST", "/api/tiers", {"text": TEXT}).body
    assert (again["version"], again["fingerprint"]) == (1, made["fingerprint"])
    wrong = TEXT.replace('"8%"', '"0"')
    second = ada.ask("POST", "/api/tiers", {"text": wrong}).body
    assert (second["version"], second["publishable"]) == (2, False)
    assert [each["code"] for each in second["findings"] if each["weight"] == "contradiction"] == [
        "no_target"
    ]
    changed = ada.ask("POST", "/api/tiers", {"text": "version = 1\n" + wrong})
    assert (changed.status, changed.body["code"]) == (409, "version_fixed")
    assert ada.ask("POST", "/api/tiers", {"text": "name = 1.5"}).status == 422
    draft = ada.get("/api/tiers/mine")
    assert (draft["item"]["version"], draft["item"]["state"]) == (2, "draft")
    assert [each["version"] for each in draft["versions"]] == [2, 1]
    assert ada.get("/api/tiers/mine?version=1")["text"] == "version = 1\n" + TEXT
    assert tim.ask("GET", "/api/tiers/mine").status == 404, "nobody buys a draft, or sees it"
    assert "mine" not in [each["tier"] for each in tim.get("/api/tiers?state=all")["items"]]
    assert [each["tier"] for each in ada.get("/api/tiers?state=draft")["items"]] == ["mine"] * 2


def test_what_does_not_fit_this_house_is_found_and_not_published(
    staff: Staff, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing contradicts itself in the text: only this house does not trade XYZ-USD."""
    ada, file = staff.of("ada"), tmp_path / "strange.toml"
    text = TEXT.replace('"mine"', '"strange"').replace(
        "[[phases]]", 'instruments = ["BTC-USD", "XYZ-USD"]\n[[phases]]'
    )
    file.write_text(text)
    assert main(["tier", "lint", str(file)]) == 0
    capsys.readouterr()
    url = ["--url", staff.running.url, "--token", staff.tokens["ada"]]
    assert main(["tier", "lint", str(file), *url]) == 1
    assert "contradiction  line 6  instruments  instrument_unknown" in capsys.readouterr().out
    made = ada.ask("POST", "/api/tiers", {"text": text}).body
    [found] = [each for each in made["findings"] if each["weight"] == "contradiction"]
    assert (found["code"], found["line"], made["publishable"]) == ("instrument_unknown", 6, False)
    refused = ada.ask("POST", "/api/tiers/strange/versions/1/publish", {"note": "try"})
    assert (refused.status, refused.body["code"]) == (409, "instrument_unknown")
    assert "XYZ-USD" in refused.body["message"]


def until_over(client: Client, path: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while (found := client.get(path))["state"] == "running":
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def agreed(staff: Staff, held: Reply, by: str) -> Any:
    assert held.status == 202, held.body
    path = f"/api/approvals/{held.body['approval_id']}/approve"
    found = staff.of(by).ask("POST", path, {"reason": "looked at it"})
    assert (found.status, found.body["state"]) == (200, "executed"), found.body
    return found.body["result"]


def test_a_version_is_simulated_published_by_two_and_retired(staff: Staff) -> None:
    """Requirements P13 and R5: no tier is sold without the odds of exactly its terms."""
    ada, ria, tim = staff.of("ada"), staff.of("ria"), staff.of("tim")
    text = TEXT.replace('"mine"', '"life"')
    made = ada.ask("POST", "/api/tiers", {"text": text}).body
    path = "/api/tiers/life/versions/1"
    refused = ada.ask("POST", f"{path}/publish", {"note": "too soon"})
    assert (refused.status, refused.body["code"]) == (409, "no_simulation"), "nobody is asked"
    assert ada.get(f"{path}/simulation")["state"] == "none"
    ask = {"traders": ["skilled:risk=1%", "coin:win=0.5,stake=1000"], "paths": 1_000, "seed": 7}
    begun = ada.ask("POST", f"{path}/simulate", ask).body
    assert (begun["state"], begun["total"]) == ("running", 2_000)
    found = until_over(ada, f"{path}/simulation")
    assert (found["state"], found["done"]) == ("attached", 2_000), found
    # The same bytes come of what the journal has kept, in this process and with one worker.
    tier = tier_of(text)
    run = Run(paths=1_000, seed=7, workers=1, sales=100, capital=10_000.0)
    for each in found["odds"]["traders"]:
        again = simulate(tier, trader_of(each["trader"]), run)
        assert each["pass_probability"] == again.pass_probability
        assert each["firm_profit_mean"] == again.firm_profit_mean
    held = ada.ask("POST", f"{path}/publish", {"note": "for sale"})
    assert tim.ask("GET", "/api/tiers/life").status == 404, "one person is not enough"
    own = f"/api/approvals/{held.body['approval_id']}/approve"
    assert ada.ask("POST", own, {"reason": "mine"}).status == 403
    sold = agreed(staff, held, "ria")["item"]
    assert (sold["state"], sold["fingerprint"]) == ("published", made["fingerprint"])
    assert tim.get("/api/tiers/life")["item"] == sold
    refused = ada.ask("POST", f"{path}/simulate", ask)
    assert (refused.status, refused.body["code"]) == (409, "already_published")
    # Another version, later: until then the first is on sale, and then no more.
    second = ada.ask("POST", "/api/tiers", {"text": text.replace('"8%"', '"9%"')}).body
    assert second["version"] == 2
    ada.ask("POST", "/api/tiers/life/versions/2/simulate", {"paths": 100})
    assert until_over(ada, "/api/tiers/life/versions/2/simulation")["state"] == "attached"
    backwards = ria.ask("POST", "/api/tiers/life/versions/2/publish", {"effective_from": 1})
    assert (backwards.status, backwards.body["code"]) == (409, "backwards")
    starts = time.time_ns() + HOUR_NS
    held = ria.ask("POST", "/api/tiers/life/versions/2/publish", {"effective_from": starts})
    waits = agreed(staff, held, "ada")["item"]
    assert (waits["state"], waits["effective_from"]) == ("waiting", str(starts))
    assert tim.get("/api/tiers/life")["item"]["effective_until"] == str(starts)
    assert tim.get("/api/tiers/life")["item"]["version"] == 1
    # Retired before its time, it never was: the first stays, until it is retired too.
    assert ada.ask("POST", "/api/tiers/life/versions/2/retire", {}).status == 200
    assert tim.get("/api/tiers/life")["item"]["effective_until"] == ""
    assert ada.ask("POST", f"{path}/retire", {"note": "enough"}).body["item"]["state"] == "retired"
    assert "life" not in [each["tier"] for each in tim.get("/api/tiers")["items"]]
    assert tim.get("/api/tiers/life")["item"]["state"] == "retired"


def test_a_simulation_is_canceled_and_what_cannot_be_run_is_said(staff: Staff) -> None:
    ada = staff.of("ada")
    ada.ask("POST", "/api/tiers", {"text": TEXT.replace('"mine"', '"long"')})
    path = "/api/tiers/long/versions/1"
    for trader, said in (
        ("journal:file=/etc/passwd", "not one of journals"),
        ("nobody", "must be one of"),
        ("skilled:risk=0%", "risks nothing"),
    ):
        refused = ada.ask("POST", f"{path}/simulate", {"traders": [trader]})
        assert (refused.status, said in refused.body["message"]) == (422, True), refused.body
    assert ada.ask("POST", "/api/tiers/none/versions/1/simulate", {}).status == 404
    assert ada.ask("POST", "/api/tiers/long/versions/x/simulate", {}).status == 422
    assert ada.ask("POST", "/api/tiers/long/versions/0/simulate", {}).status == 422
    assert ada.ask("POST", f"{path}/simulate", {"paths": 200_000}).body["state"] == "running"
    other = ada.ask("POST", f"{path}/simulate", {"paths": 200_000, "seed": 2})
    assert (other.status, other.body["code"]) == (409, "simulating")
    assert ada.ask("DELETE", f"{path}/simulation").body["state"] == "canceled"
    assert ada.get(f"{path}/simulation")["odds"] is None
    assert staff.of("tim").ask("GET", f"{path}/simulation").status == 403


def test_the_command_line_takes_a_text_to_the_shelf(
    staff: Staff, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "typed.toml"
    file.write_text(TEXT.replace('"mine"', '"typed"'), "utf-8")

    def typed(*words: str, who: str = "ada") -> tuple[int, str]:
        status = main(["tier", *words, "--url", staff.running.url, "--token", staff.tokens[who]])
        said = capsys.readouterr()
        return status, said.out + said.err

    assert typed("define", str(file), "--dry-run")[0] == 0
    status, said = typed("define", str(file))
    assert (status, json.loads(said)["version"]) == (0, 1)
    status, said = typed("publish", "typed", "1", "--note", "too soon")
    assert (status, "no simulation" in said) == (1, True)
    status, said = typed("attach", "typed", "1", "--trader", "fair", "--paths", "200")
    assert (status, json.loads(said)["odds"]["paths"]) == (0, 200)
    status, said = typed("publish", "typed", "1", "--note", "for sale")
    assert (status, json.loads(said)["operation"]) == (0, "tiers.publish")
    found = staff.of("ria").ask(
        "POST", f"/api/approvals/{json.loads(said)['approval_id']}/approve", {"reason": "right"}
    )
    assert found.body["state"] == "executed"
    assert "typed version 1: Mine, 10,000, USD 99" in typed("sold", who="tim")[1]
    status, said = typed("retire", "typed", "1", "--note", "enough")
    assert (status, json.loads(said)["item"]["state"]) == (0, "retired")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(TEXT.replace('"8%"', '"0"'), "utf-8")
    assert typed("define", str(wrong), "--dry-run")[0] == 1
    assert typed("define", str(tmp_path / "none.toml"))[0] == 2


def walking(house_pid: int) -> list[int]:
    """Processes that a house has begun to walk paths in."""
    found = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parent = int(each.read_text().rpartition(")")[2].split()[1])
            if parent == house_pid and b"spawn_main" in (each.parent / "cmdline").read_bytes():
                found.append(int(each.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_house_that_starts_again_sells_what_it_sold(tmp_path: Path) -> None:
    """Also where it was killed while it simulated; and what it sells at first is put there once."""
    token = create_key(tmp_path, "demo", "ada", "key", ["admin"], None)["token"]
    with house(tmp_path, log=tmp_path / "log") as running:
        ada = running.client(token)
        ada.ask("POST", "/api/tiers", {"text": TEXT})
        ada.ask("POST", "/api/tiers/mine/versions/1/simulate", {"paths": 200, "traders": ["fair"]})
        before = until_over(ada, "/api/tiers/mine/versions/1/simulation")
        assert before["state"] == "attached"
        sold = ada.ask("POST", "/api/tiers/mine/versions/1/publish", {"note": "alone, in a demo"})
        assert sold.status == 200, sold.body
        ada.ask("POST", "/api/tiers", {"text": TEXT.replace('"mine"', '"late"')})
        ada.ask("POST", "/api/tiers/late/versions/1/simulate", {"paths": 200_000})
        shelf, one = ada.get("/api/tiers"), ada.get("/api/tiers/mine")
        workers = walking(running.process.pid)
        assert workers, "it is under way"
        os.kill(running.process.pid, signal.SIGKILL)  # it alone: those that it began are to notice
        running.process.wait(PATIENCE_S)
    deadline = time.monotonic() + PATIENCE_S
    while any(Path(f"/proc/{each}").exists() for each in workers):
        assert time.monotonic() < deadline, "who walked paths for nobody never ends"
        time.sleep(0.05)
    with house(tmp_path, log=tmp_path / "log") as running:
        ada = running.client(token)
        assert ada.get("/api/tiers") == shelf
        assert ada.get("/api/tiers/mine") == one
        late = ada.get("/api/tiers/late/versions/1/simulation")
        assert (late["state"], late["odds"]) == ("none", None), "it is asked for again"
        refused = ada.ask("POST", "/api/tiers/late/versions/1/publish", {})
        assert (refused.status, refused.body["code"]) == (409, "no_simulation")
        assert all(len(ada.get(f"/api/tiers/{n}")["versions"]) == 1 for n in [*SOLD, "mine"])


def test_a_version_is_tried_on_what_was_traded(staff: Staff) -> None:
    """Who would have passed or failed; tests/app/test_replaying.py looks at the verdicts."""
    ada = staff.of("ada")
    path = "/api/tiers/two-step-100k/versions/1/replay"
    empty = ada.ask("POST", path, {})
    assert (empty.status, empty.body["assessments"]) == (200, 0)
    gift = {"tier": "two-step-100k", "user": "tim", "reference": "prize"}
    given = ada.ask("POST", "/api/assessments", gift)
    assert given.status == 201, given.body
    account = given.body["account_id"]
    deadline = time.monotonic() + PATIENCE_S
    order = {
        "account_id": account, "symbol": "BTC-USD", "side": "buy", "ord_type": "market",
        "order_qty": "0.1", "cl_ord_id": "one",
    }  # fmt: skip
    while (sent := staff.of("tim").ask("POST", "/api/orders", order)).status != 201:
        assert time.monotonic() < deadline, sent.body
        time.sleep(0.1)
        order["cl_ord_id"] += "+"
    while not (found := ada.ask("POST", path, {}).body)["attempts"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    assert (found["compared"], found["same"], found["changes"]) == (1, 1, [])
    other = ada.ask("POST", "/api/tiers/one-step-50k/versions/1/replay", {}).body
    assert (other["attempts"], other["compared"]) == (1, 0), "its account is of another size"
    assert staff.of("tim").ask("POST", path, {}).status == 403
    assert ada.ask("POST", "/api/tiers/none/versions/1/replay", {}).status == 404


def test_a_version_is_simulated_with_what_was_traded(
    staff: Staff, capsys: pytest.CaptureFixture[str]
) -> None:
    """By an account of this house, and by a file of anybody; with what each rule does."""
    ada, tim = staff.of("ada"), staff.of("tim")
    gift = {"tier": "two-step-100k", "user": "tim", "reference": "drawn"}
    account = ada.ask("POST", "/api/assessments", gift).body["account_id"]
    deadline = time.monotonic() + PATIENCE_S
    for nth, side in enumerate(("buy", "sell", "buy", "sell")):
        order = {"account_id": account, "symbol": "BTC-USD", "side": side, "ord_type": "market",
                 "order_qty": "0.1", "cl_ord_id": f"d{nth}"}  # fmt: skip
        while (sent := tim.ask("POST", "/api/orders", order)).status != 201:
            assert time.monotonic() < deadline, sent.body
            time.sleep(0.1)
            order["cl_ord_id"] += "+"
    while (drawn := ada.get(f"/api/accounts/{account}/journal"))["trades"] < 2:
        assert time.monotonic() < deadline, drawn
        time.sleep(0.1)
    assert (drawn["size"], drawn["currency"]) == ("100000", "USD")
    trips = ada.get(f"/api/accounts/{account}/trips")["items"]
    profits = [line.split(",")[1] for line in drawn["text"].splitlines()[1:]]
    assert profits == [each["net"] for each in reversed(trips)]

    ada.ask("POST", "/api/tiers", {"text": TEXT.replace('"mine"', '"drawn"')})
    path = "/api/tiers/drawn/versions/1"
    days = "day,percent\n" + "".join(f"2026-03-{nth:02},{nth % 3 - 1}\n" for nth in range(1, 29))
    ask = {
        "traders": [f"account:{account},block=2", "journal:days.csv"], "paths": 300,
        "journals": [{"name": "days.csv", "text": days}], "sensitivity": True,
    }  # fmt: skip
    assert ada.ask("POST", f"{path}/simulate", ask).status == 200
    found = until_over(ada, f"{path}/simulation")
    assert found["state"] == "attached", found
    account_odds, file_odds = found["odds"]["traders"]
    assert account_odds["title"] == file_odds["title"] == "Trades days that somebody has traded"
    again = simulate(
        tier_of(TEXT), trader_of("journal:days.csv", days),
        Run(paths=300, workers=1, sales=100, capital=10_000.0),
    )  # fmt: skip
    assert file_odds["pass_probability"] == again.pass_probability
    effects = {(each["rule"], each["change"]): each for each in file_odds["effects"]}
    assert effects["target", "-25 %"]["pass_change"] >= 0
    assert effects["overall_loss", "none"]["pass_change"] >= 0
    for trader in ("account:nobody", "journal:other.csv"):
        refused = ada.ask("POST", f"{path}/simulate", {"traders": [trader], "seed": 2})
        assert refused.status in (404, 422), refused.body

    line = ["tier", "simulate", "one-step-50k", "--trader", f"account:{account}", "--paths", "50"]
    assert main([*line, "--url", staff.running.url, "--token", staff.tokens["ada"]]) == 0
    assert "passes" in capsys.readouterr().out
