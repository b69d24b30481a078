"""Simulations in a running house: walked once, found again by id, and the same wherever walked."""

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
from fondaco.app.simulation_work import answered
from fondaco.cli import main
from fondaco.domain.evaluation.simulations.model import read
from fondaco.ports.compute.processes import Processes
from running import Client, Running, house

PATIENCE_S: Final = 60.0
DAYS: Final = "day,percent\n" + "".join(
    f"2026-03-{nth:02},{(nth * 7) % 11 / 10 - 0.45:.2f}\n" for nth in range(1, 29)
)
OTHER: Final = DAYS.replace("0.", "0.1")
JOURNALS: Final = [{"name": "days.csv", "text": DAYS}, {"name": "other.csv", "text": OTHER}]
TIER: Final = {"tier": "one-step-50k", "version": 1, "seed": 5}
ASKS: Final[dict[str, dict[str, Any]]] = {
    "tier_odds": {"odds": {**TIER, "traders": ["fair", "skilled"], "paths": 300}},
    "sensitivity": {"odds": {**TIER, "traders": ["fair"], "paths": 100}},
    "projection": {
        "projection": {"journal": "journal:days.csv", "days": 60, "paths": 1_200},
        "journals": JOURNALS,
    },
    "validation": {
        "validation": {"journal": "journal:days.csv", "against": ["journal:other.csv"]},
        "journals": JOURNALS,
    },
}
LONG: Final = {"odds": {**TIER, "traders": ["skilled"], "paths": 200_000, "days": 3_000}}


class Staff(NamedTuple):
    """ada asks, eve is of another tenant, tim trades."""

    running: Running
    tokens: dict[str, str]

    def of(self, who: str) -> Client:
        return self.running.client(self.tokens[who])


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    data = tmp_path_factory.mktemp("simulations")
    tokens = {
        who: create_key(data, tenant, who, "key", [role], None)["token"]
        for who, tenant, role in (
            ("ada", "demo", "admin"), ("eve", "other", "admin"), ("tim", "demo", "trader"),
        )
    }  # fmt: skip
    with house(data, log=data / "log") as running:
        yield Staff(running, tokens)


def asked(client: Client, kind: str, **more: Any) -> Any:
    found = client.ask("POST", "/api/simulations", {"kind": kind, **ASKS[kind], **more})
    assert found.status == 200, found.body
    return found.body


def until_over(client: Client, simulation_id: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while (found := client.get(f"/api/simulations/{simulation_id}"))["item"]["state"] == "running":
        assert 0 <= found["item"]["done"] <= found["item"]["total"]
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def ran(client: Client, kind: str) -> Any:
    found = until_over(client, asked(client, kind)["item"]["simulation_id"])
    assert found["item"]["state"] == "done", found
    return found


@pytest.mark.parametrize("kind", list(ASKS))
def test_each_kind_is_found_by_its_id_and_is_the_same_by_any_workers(
    staff: Staff, kind: str
) -> None:
    """Requirement P44: from what was kept alone, with one worker and with two, bit by bit."""
    found = ran(staff.of("ada"), kind)
    item = found["item"]
    kept = read(item["kind"], item["law"], found["inputs"])
    assert kept.simulation_id == item["simulation_id"], "the id is the hash of what it was made of"
    assert sha256(found["result"].encode()).hexdigest() == item["result_sha256"]
    assert answered(kept) == found["result"]
    pool = Processes(2)
    try:
        assert answered(kept, pool) == found["result"]
    finally:
        pool.close()
    shown = {"projection": "projection", "validation": "validation"}.get(kind, "traders")
    assert found[shown], "what was found is told as what it is, too"
    assert (item["asked_by"], item["error"], item["seed"]) == (
        "ada/key", "", str(kept.inputs.seed)
    )  # fmt: skip


def test_the_same_question_is_walked_once(staff: Staff) -> None:
    ada = staff.of("ada")
    first = ran(ada, "projection")
    again = asked(ada, "projection")
    assert again == first, "at once, and not a second time: the times are those of the first"
    other = asked(ada, "projection", journals=[{"name": "days.csv", "text": OTHER}])
    assert other["item"]["simulation_id"] != first["item"]["simulation_id"]
    until_over(ada, other["item"]["simulation_id"])


def test_they_are_listed_by_kind_tier_and_state(staff: Staff) -> None:
    ada = staff.of("ada")
    ids = {kind: ran(ada, kind)["item"]["simulation_id"] for kind in ASKS}
    deadline = time.monotonic() + PATIENCE_S

    def listed(query: str = "") -> list[str]:
        return [each["simulation_id"] for each in ada.get(f"/api/simulations?{query}")["items"]]

    while not set(ids.values()) <= set(listed("limit=1000")):
        assert time.monotonic() < deadline, "the views have not come so far"
        time.sleep(0.05)
    for kind, simulation_id in ids.items():
        assert simulation_id in listed(f"kind={kind}&state=done")
        assert simulation_id not in listed(f"kind={kind}&state=canceled")
    of_tier = listed("tier=one-step-50k&limit=1000")
    assert ids["tier_odds"] in of_tier
    assert ids["projection"] not in of_tier
    assert listed("tier=none-such") == []
    first = ada.get("/api/simulations?limit=1")
    second = ada.get(f"/api/simulations?limit=1&cursor={first['next']}")
    assert first["items"][0]["simulation_id"] != second["items"][0]["simulation_id"]
    row = next(
        each for each in ada.get("/api/simulations?kind=sensitivity")["items"]
        if each["simulation_id"] == ids["sensitivity"]
    )  # fmt: skip
    assert row == ada.get(f"/api/simulations/{ids['sensitivity']}")["item"]


def test_one_is_canceled_and_begun_again(staff: Staff) -> None:
    ada = staff.of("ada")
    begun = ada.ask("POST", "/api/simulations", {"kind": "tier_odds", **LONG}).body["item"]
    simulation_id = begun["simulation_id"]
    path = f"/api/simulations/{simulation_id}"
    assert (begun["state"], begun["total"]) == ("running", 200_000)
    running = ada.get("/api/simulations?state=running")["items"]
    assert simulation_id in [each["simulation_id"] for each in running] or not running
    stopped = ada.ask("DELETE", path).body["item"]
    assert (stopped["state"], stopped["result_sha256"]) == ("canceled", "")
    assert ada.ask("DELETE", path).body["item"] == stopped, "it comes too late, and changes nothing"
    again = ada.ask("POST", "/api/simulations", {"kind": "tier_odds", **LONG}).body["item"]
    assert (again["simulation_id"], again["state"]) == (simulation_id, "running")
    assert ada.ask("DELETE", path).body["item"]["state"] == "canceled"


def test_nobody_else_finds_it(staff: Staff) -> None:
    ada, eve, tim = staff.of("ada"), staff.of("eve"), staff.of("tim")
    found = ran(ada, "projection")
    path = f"/api/simulations/{found['item']['simulation_id']}"
    assert (eve.ask("GET", path).status, eve.ask("DELETE", path).status) == (404, 404)
    assert eve.get("/api/simulations")["items"] == []
    # Asked by another tenant it is another one, though the id is the same: that is its inputs'.
    theirs = ran(eve, "projection")
    assert theirs["result"] == found["result"]
    assert (theirs["item"]["asked_by"], found["item"]["asked_by"]) == ("eve/key", "ada/key")
    assert tim.ask("GET", path).status == 403
    assert tim.ask("GET", "/api/simulations").status == 403
    assert tim.ask("POST", "/api/simulations", {"kind": "projection"}).status == 403


def test_what_cannot_be_walked_is_said(staff: Staff) -> None:
    ada = staff.of("ada")
    for body, said in (
        ({"kind": "projection", **ASKS["tier_odds"]}, "has projection, and nothing else"),
        ({"kind": "projection"}, "has projection, and nothing else"),
        ({"kind": "projection", "projection": {"journal": "fair"}}, "must be account:ID"),
        ({"kind": "projection", "projection": {"journal": "journal:x.csv"}}, "not one of journals"),
        ({"kind": "validation", "validation": {"journal": "account:none"}}, "none"),
        ({"kind": "tier_odds", "odds": {**TIER, "tier": "none"}}, "there is no version 1"),
        ({"kind": "tier_odds", "odds": {**TIER, "traders": ["nobody"]}}, "must be one of"),
    ):
        refused = ada.ask("POST", "/api/simulations", body)
        assert refused.status in (404, 422), refused.body
        assert said in refused.body["message"], refused.body
    assert ada.ask("GET", f"/api/simulations/{'0' * 32}").status == 404
    same = [{"name": "days.csv", "text": "day,percent\n2026-03-02,1\n2026-03-03,1\n2026-03-04,1\n"}]
    flat = asked(ada, "validation", validation={"journal": "journal:days.csv"}, journals=same)
    failed = until_over(ada, flat["item"]["simulation_id"])
    assert failed["item"]["state"] == "failed", failed
    assert "differ" in failed["item"]["error"]


def test_a_version_s_simulation_is_one_of_them(staff: Staff) -> None:
    ada = staff.of("ada")
    text = (
        'name = "kept"\ntitle = "Kept"\neffective_from = 2026-01-01\naccount = "10000"\n'
        'fee = "99"\n[[phases]]\nname = "Challenge"\ntarget = "8%"\n'
        'overall_loss = { limit = "10%" }\n'
    )
    ada.ask("POST", "/api/tiers", {"text": text})
    path = "/api/tiers/kept/versions/1"
    ask = {"traders": ["fair"], "paths": 200, "seed": 9}
    begun = ada.ask("POST", f"{path}/simulate", ask).body
    found = until_over(ada, begun["simulation_id"])
    deadline = time.monotonic() + PATIENCE_S
    while (odds := ada.get(f"{path}/simulation"))["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert odds["odds"]["traders"] == found["traders"]
    assert (found["item"]["kind"], found["item"]["tier"]) == ("tier_odds", "kept")
    # Asked again it is attached again, and not walked again.
    again = ada.ask("POST", f"{path}/simulate", ask).body
    assert (again["state"], again["simulation_id"]) == ("attached", begun["simulation_id"])
    assert ada.get(f"/api/simulations/{begun['simulation_id']}") == found


def test_the_command_line_walks_one_again_and_compares(
    staff: Staff, capsys: pytest.CaptureFixture[str]
) -> None:
    simulation_id = ran(staff.of("ada"), "sensitivity")["item"]["simulation_id"]

    def typed(*words: str) -> tuple[int, str]:
        house = ["--url", staff.running.url, "--token", staff.tokens["ada"]]
        status = main(["simulate", *words, *house])
        said = capsys.readouterr()
        return status, said.out + said.err

    status, said = typed("show", simulation_id)
    assert (status, "sensitivity of one-step-50k version 1: done" in said) == (0, True), said
    for workers in ("1", "2"):
        status, said = typed("again", simulation_id, "--workers", workers, "--json")
        assert (status, json.loads(said)["same"]) == (0, True), said
    assert "the same, bit by bit" in typed("again", simulation_id)[1]
    deadline = time.monotonic() + PATIENCE_S
    while simulation_id not in typed("list", "--kind", "sensitivity")[1]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert typed("show", "0" * 32)[0] == 1
    assert typed("again", simulation_id, "--compute", "nowhere")[0] != 0


def test_one_that_the_end_of_a_house_cut_off_is_asked_for_again(tmp_path: Path) -> None:
    token = create_key(tmp_path, "demo", "ada", "key", ["admin"], None)["token"]
    with house(tmp_path, log=tmp_path / "log") as running:
        ada = running.client(token)
        kept = ran(ada, "projection")
        begun = ada.ask("POST", "/api/simulations", {"kind": "tier_odds", **LONG}).body["item"]
        assert begun["state"] == "running"
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait(PATIENCE_S)
    with house(tmp_path, log=tmp_path / "log") as running:
        ada = running.client(token)
        assert ada.get(f"/api/simulations/{kept['item']['simulation_id']}") == kept
        path = f"/api/simulations/{begun['simulation_id']}"
        assert ada.get(path)["item"]["state"] == "interrupted"
        again = ada.ask("POST", "/api/simulations", {"kind": "tier_odds", **LONG}).body["item"]
        assert (again["simulation_id"], again["state"]) == (begun["simulation_id"], "running")
        assert ada.ask("DELETE", path).body["item"]["state"] == "canceled"


def test_a_house_walks_on_ray_what_it_walks_by_itself(tmp_path: Path, staff: Staff) -> None:
    """The same bytes; and it ends as it is told to, whatever Ray makes of signals."""
    token = create_key(tmp_path, "demo", "ada", "key", ["admin"], None)["token"]
    options = ["--set", "compute=ray:local"]
    with house(tmp_path, options=options, log=tmp_path / "log") as running:
        found = ran(running.client(token), "projection")
        assert found["result"] == ran(staff.of("ada"), "projection")["result"]
        os.kill(running.process.pid, signal.SIGTERM)
        assert running.process.wait(PATIENCE_S) == 0
