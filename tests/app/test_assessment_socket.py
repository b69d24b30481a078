"""Assessments over /ws/trading, over a real socket: the gauge moves, a rule warns, a rule breaks;
and whose it is not hears nothing."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from websockets.sync.client import ClientConnection, connect

from app.test_restart import wait_for
from fondaco.cli import main
from running import TOKEN, Client, Running, house

PASSWORD: Final = "correct horse battery staple"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    data = tmp_path_factory.mktemp("socket") / "house"
    data.mkdir()
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    with house(data) as running:
        yield running, data


def given(client: Client, reference: str) -> tuple[str, str]:
    """An assessment that is active, and its account."""
    gift = {"tier": "two-step-100k", "user": "demo", "reference": reference}
    made = client.ask("POST", "/api/assessments", gift).body
    name = made["assessment_id"]
    wait_for(lambda: client.ask("GET", f"/api/assessments/{name}").body["state"] == "active")
    return name, made["account_id"]


def opened(running: Running, token: str = TOKEN) -> ClientConnection:
    url = f"ws://127.0.0.1:{running.port}/ws/trading"
    return connect(url, additional_headers={"Authorization": f"Bearer {token}"})


def say(socket: ClientConnection, **ask: Any) -> None:
    socket.send(msgspec.json.encode(ask).decode())


def heard(socket: ClientConnection, is_it: Callable[[Any], bool]) -> Any:
    while True:
        message = msgspec.json.decode(socket.recv(timeout=20))
        if is_it(message):
            return message


def bought(client: Client, account: str, qty: str) -> None:
    order = {
        "account_id": account, "cl_ord_id": f"b{qty}", "symbol": "BTC-USD", "side": "buy",
        "ord_type": "market", "order_qty": qty, "time_in_force": "ioc",
    }  # fmt: skip
    told = client.ask("POST", "/api/orders", order)
    assert told.status == 201, told.body


def test_what_is_followed_is_told_as_it_stands_and_when_it_moves(
    served: tuple[Running, Path],
) -> None:
    running = served[0]
    client = running.client()
    name, account = given(client, "live")
    with opened(running) as socket:
        say(socket, op="follow", id=1, assessments=[name])
        first = heard(socket, lambda m: m.get("channel") == "assessments")
        shown = client.get(f"/api/assessments/{name}")
        assert first["assessment_id"] == name
        assert first["account_id"] == account
        assert (first["equity"], first["state"], first["why"]) == ("100000", "active", [])
        assert first["headroom"] == shown["headroom"]
        assert first["conditions"] == shown["conditions"]
        assert heard(socket, lambda m: m.get("op") == "follow")["status"] == 200
        bought(client, account, "1")
        counted = heard(socket, lambda m: "trade" in m.get("why", ()))
        assert (counted["open_positions"], counted["trades"]) == (1, 1)
        moved = heard(socket, lambda m: m.get("equity") not in (None, "100000"))
        assert {each["rule"] for each in moved["headroom"]} == {"daily_loss", "overall_loss"}
        given_up = client.ask("POST", f"/api/assessments/{name}/abandon", {"reason": "enough"})
        assert given_up.status == 200, given_up.body
        ended = heard(socket, lambda m: "ended" in m.get("why", ()))
        assert ended["state"] == "abandoned"
        say(socket, op="unfollow", id=2, assessments=[name])
        assert heard(socket, lambda m: m.get("id") == 2)["status"] == 200


def test_it_is_told_to_nobody_else(
    served: tuple[Running, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, data = served
    client = running.client()
    name, _ = given(client, "mine")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    who = ["--data", str(data), "--tenant", "demo", "--user", "wil", "--email", "wil@house.example"]
    assert main(["user", "add", *who, "--role", "trader"]) == 0
    login = {"tenant": "demo", "user": "wil", "password": PASSWORD}
    token = running.client("").ask("POST", "/api/users/login", login).body["token"]
    with opened(running, token) as socket:
        say(socket, op="follow", id=1, assessments=[name])
        told = heard(socket, lambda m: m.get("id") == 1)
        assert (told["status"], told["error"]["code"]) == (404, "not_found")
    asked = {"name": "bot", "scopes": ["orders:read"]}
    token = client.ask("POST", "/api/keys", asked).body["token"]
    with opened(running, token) as socket:
        say(socket, op="follow", id=2, assessments=[name])
        assert heard(socket, lambda m: m.get("id") == 2)["status"] == 403
    with opened(running) as socket:
        missing = "asm-0000000000000000"
        say(socket, op="follow", id=3, assessments=[missing])
        assert heard(socket, lambda m: m.get("id") == 3)["status"] == 404
        say(socket, op="follow", id=4, assessments=["demo"])
        assert heard(socket, lambda m: m.get("id") == 4)["status"] == 422
