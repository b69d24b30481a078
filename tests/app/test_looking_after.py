"""People are let in, shut out and helped, at the doors of a running house."""

import io
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.sync.client import connect

from fondaco.app.files import Files
from fondaco.app.machines import open_journal
from fondaco.cli import main
from fondaco.domain.identity.model import IDENTITY_STREAM
from fondaco.runtime.history import kind_of
from running import Client, Reply, Running, house

PASSWORD: Final = "correct horse battery staple"
EMAIL: Final = "grace.hopper@navy.example"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    data = tmp_path_factory.mktemp("looking")
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    with house(data, options=["--set", "four_eyes=strict"], log=data / "log") as running:
        patch = pytest.MonkeyPatch()
        for user in ("root", "reba"):
            patch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
            who = ["--data", str(data), "--tenant", "demo", "--user", user, "--role", "admin"]
            assert main(["user", "add", *who]) == 0
        patch.undo()
        yield running, data


def signed_in(running: Running, user: str) -> Client:
    return running.client(login(running, user).body["token"])


def login(running: Running, user: str, password: str = PASSWORD) -> Reply:
    body = {"tenant": "demo", "user": user, "password": password}
    return running.client("").ask("POST", "/api/users/login", body)


def user(running: Running, root: Client, what: str, name: str, *more: str) -> int:
    where = ["--url", running.url, "--token", root.token]
    return main(["user", what, "--user", name, *where, *more])


def mailed(data: Path, pattern: str) -> str:
    texts = [path.read_text() for path in sorted((data / "mail").iterdir())]
    return next(found[1] for text in reversed(texts) if (found := re.search(pattern, text)))


def let_in(running: Running, data: Path, name: str, monkeypatch: Any, capsys: Any) -> Client:
    """Invited as a trader by root, agreed to by reba."""
    root = signed_in(running, "root")
    more = ["--email", f"{name}.{EMAIL}", "--role", "trader", "--reason", "joins the desk"]
    capsys.readouterr()
    assert user(running, root, "invite", name, *more) == 0
    invited = json.loads(capsys.readouterr().out)
    code = mailed(data, rf"--user {name} --code (\S+)")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    who = ["--tenant", "demo", "--user", name, "--url", running.url]
    assert main(["user", "accept", *who, "--code", code]) == 0
    found = signed_in(running, name)
    assert found.ask("GET", "/api/orders").status == 403, "nobody has agreed to a role yet"
    approve = f"/api/approvals/{invited['approval_id']}/approve"
    own = root.ask("POST", approve, {"reason": "I think so"})
    assert (own.status, own.body["code"]) == (403, "own_approval")
    done = signed_in(running, "reba").ask("POST", approve, {"reason": "I know so"})
    assert (done.status, done.body["state"]) == (200, "executed"), done.body
    return found


def is_told(data: Path, kind: str) -> bool:
    """Whether the journal hears of it within a moment."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        with closing(open_journal(Files(data))) as journal:
            if any(kind_of(each.event) == kind for each in journal.read(IDENTITY_STREAM)):
                return True
        time.sleep(0.1)
    return False


def test_from_an_invitation_to_the_first_order(
    served: tuple[Running, Path], monkeypatch: Any, capsys: Any
) -> None:
    running, data = served
    grace = let_in(running, data, "grace", monkeypatch, capsys)
    order = {"account_id": "demo", "cl_ord_id": "g-1", "symbol": "BTC-USD", "side": "buy"}
    placed = grace.ask("POST", "/api/orders", {**order, "ord_type": "market", "order_qty": "0.01"})
    assert placed.status == 201, placed.body
    assert is_told(data, "identity.person_invited.v1")
    for path in (each for each in data.rglob("*") if each.is_file() and each.parent.name != "mail"):
        assert EMAIL.encode() not in path.read_bytes(), path


def test_who_is_locked_is_refused_at_every_door(
    served: tuple[Running, Path], monkeypatch: Any, capsys: Any
) -> None:
    running, data = served
    ada = let_in(running, data, "ada", monkeypatch, capsys)
    root = signed_in(running, "root")
    made = ada.ask("POST", "/api/keys", {"name": "laptop"})
    key = running.client(made.body["token"])
    query = {"query": "{ identity_session { caller } }"}
    ask = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream"}
    doors: dict[str, Callable[[Client], int]] = {
        "rest": lambda who: who.ask("GET", "/api/session").status,
        "v2": lambda who: who.ask("GET", "/api/v2/session").status,
        "graphql": lambda who: who.ask("POST", "/graphql", query).status,
        "mcp": lambda who: who.ask("POST", "/mcp", ask, headers=accept).status,
    }
    for name, door in doors.items():
        assert {door(ada), door(key)} <= {200, 202, 400, 404}, name
    order = {"account_id": "demo", "symbol": "BTC-USD", "side": "buy", "order_qty": "0.01"}
    waits = ada.ask("POST", "/api/tickets", {}).body["ticket"]
    with connect(
        f"ws://127.0.0.1:{running.port}/ws/trading",
        additional_headers={"Authorization": f"Bearer {key.token}"},
    ) as socket:
        assert user(running, root, "lock", "ada", "--reason", "left the firm") == 0
        for name, door in doors.items():
            assert (door(ada), door(key)) == (401, 401), name
        placed = {"op": "place", "id": 1, "cl_ord_id": "late", **order, "ord_type": "market"}
        socket.send(json.dumps(placed))
        assert '"status":401' in str(socket.recv(timeout=10))
    with pytest.raises(Exception, match="401"):
        connect(f"ws://127.0.0.1:{running.port}/ws/trading?ticket={waits}")
    found = login(running, "ada")
    assert (found.status, found.body["code"]) == (403, "user_locked")
    shown = next(each for each in root.get("/api/users")["items"] if each["user"] == "ada")
    assert (shown["state"], shown["lock_reason"]) == ("locked", "left the firm")
    assert is_told(data, "identity.person_locked.v1")
    assert user(running, root, "unlock", "ada", "--reason", "a mistake") == 0
    assert doors["rest"](key) == 200, "a key comes back"
    assert doors["rest"](ada) == 401, "a session does not"
    assert login(running, "ada").status == 200
    assert user(running, root, "end-sessions", "ada") == 0


def test_nobody_is_locked_out_of_the_house(served: tuple[Running, Path], capsys: Any) -> None:
    running, _ = served
    root = signed_in(running, "root")
    assert user(running, root, "lock", "root", "--reason", "a joke") == 1
    assert "cannot lock yourself" in capsys.readouterr().err
    held = root.ask("PUT", "/api/users/nobody/roles", {"roles": ["admin"], "reason": "as agreed"})
    assert held.status == 404, "told before anybody is asked to agree"
