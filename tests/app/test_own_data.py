"""Somebody asks for what is kept of them, and to be forgotten, at the doors of a running house."""

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from fondaco.cli import main
from fondaco.domain.identity.erasure.store import ROWS
from running import Client, Reply, Running, house

PASSWORD: Final = "correct horse battery staple"
EMAIL: Final = "ada.lovelace@analytical.example"
PATH: Final = "/api/users/my-data"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    data = tmp_path_factory.mktemp("own")
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    with house(data, options=["--set", "four_eyes=strict"], log=data / "log") as running:
        patch = pytest.MonkeyPatch()
        for user, role in (("root", "admin"), ("reba", "admin"), ("ada", "trader")):
            patch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
            who = ["--data", str(data), "--tenant", "demo", "--user", user, "--role", role]
            assert main(["user", "add", *who, "--email", EMAIL, "--name", "Ada King"]) == 0
        patch.undo()
        yield running, data


def signed_in(running: Running, user: str) -> Client:
    body = {"tenant": "demo", "user": user, "password": PASSWORD, "device_name": "Engine No. 2"}
    return running.client(running.client("").ask("POST", "/api/users/login", body).body["token"])


def ordered(client: Client, side: str, cl_ord_id: str) -> Reply:
    order = {"account_id": "demo", "symbol": "BTC-USD", "ord_type": "market", "order_qty": "0.01"}
    return client.ask("POST", "/api/orders", {**order, "side": side, "cl_ord_id": cl_ord_id})


def test_everything_that_would_go_is_shown_first(served: tuple[Running, Path]) -> None:
    """Law: whatever table forgetting destroys rows of, the export has those rows."""
    running, _ = served
    ada = signed_in(running, "ada")
    assert ada.ask("POST", "/api/keys", {"name": "laptop"}).status == 201
    assert ada.ask("PUT", "/api/preferences/desk", {"value": {"theme": "dark"}}).status == 200
    profile = {"person": {"given_name": "Ada", "family_name": "King"}, "version": 0}
    ada.ask("PUT", "/api/users/ada/profile", profile)
    found = ada.get(PATH)
    said = json.dumps(found)
    assert {EMAIL, "Ada King", "Engine No. 2", "laptop"} <= {
        each for each in (EMAIL, "Ada King", "Engine No. 2", "laptop") if each in said
    }
    assert "$argon2" not in said
    assert "identity_people.password" in found["left_out"]
    words = {what: table.name for table, what in ROWS}
    plan = ada.get(f"{PATH}/deletion")["plan"]["places"]
    going = {words[each["what"]] for each in plan if each["where"] == "records"}
    assert going == set(found["records"])
    assert {"identity_people", "identity_sessions", "identity_keys"} <= going
    assert all(each["fate"] == "kept" for each in found["elsewhere"])
    other = json.dumps(signed_in(running, "root").get(PATH))
    assert "laptop" not in other
    made = ada.ask("POST", "/api/keys", {"name": "script"})
    key = running.client(made.body["token"])
    assert key.ask("GET", PATH).status == 403, "a key is no person"
    assert running.client("").ask("GET", PATH).status == 401


def stand(client: Client, kinds: list[str]) -> None:
    """Until what is in the way is of these kinds: orders are filled, and views follow, within a
    moment."""
    until = time.monotonic() + 20
    found = None
    while found != kinds and time.monotonic() < until:
        found = [each["kind"] for each in client.get(f"{PATH}/deletion")["blockers"]]
        time.sleep(0.1)
    assert found == kinds


def test_open_positions_stand_in_the_way_until_they_are_closed(
    served: tuple[Running, Path], capsys: Any
) -> None:
    running, _ = served
    ada, root, reba = (signed_in(running, user) for user in ("ada", "root", "reba"))
    assert ordered(ada, "buy", "a-1").status == 201
    stand(ada, ["position"])
    refused = ada.ask("POST", f"{PATH}/deletion", {"user": "ada"})
    assert (refused.status, refused.body["code"]) == (409, "still_open")
    assert "demo holds BTC-USD" in refused.body["message"]
    assert ordered(ada, "sell", "a-2").status == 201
    stand(ada, [])
    mistyped = ada.ask("POST", f"{PATH}/deletion", {"user": "adda"})
    assert mistyped.status == 422
    asked = ada.ask("POST", f"{PATH}/deletion", {"user": "ada"})
    assert asked.status == 200, asked.body
    approval = asked.body["approval_id"]
    again = ada.ask("POST", f"{PATH}/deletion", {"user": "ada"})
    assert again.body["approval_id"] == approval, "asked once"
    decide = f"/api/approvals/{approval}/approve"
    own = ada.ask("POST", decide, {"reason": "it is mine"})
    assert (own.status, own.body["code"]) == (403, "own_approval")
    assert ordered(ada, "buy", "a-3").status == 201
    stand(ada, ["position"])
    late = root.ask("POST", decide, {"reason": "looked at it"})
    assert late.body["state"] == "failed" or "still_open" in late.body["error"], late.body
    assert ordered(ada, "sell", "a-4").status == 201
    stand(ada, [])
    asked = ada.ask("POST", f"{PATH}/deletion", {"user": "ada"})
    decide = f"/api/approvals/{asked.body['approval_id']}/approve"
    done = reba.ask("POST", decide, {"reason": "looked at it"})
    assert done.body["error"] == "", done.body
    assert ada.ask("GET", "/api/session").status == 401
    plan = root.get("/api/users/ada/erasure")
    assert plan["state"] in ("done", "unfinished")
    root_last = root.get(f"{PATH}/deletion")
    assert root_last["blockers"] == [], "reba is left to run the house"
    where = ["--url", running.url, "--token", root.token]
    capsys.readouterr()
    assert main(["user", "my-data", *where]) == 0
    assert json.loads(capsys.readouterr().out)["user"] == "root"
    assert main(["user", "delete-me", "--dry-run", *where]) == 0
