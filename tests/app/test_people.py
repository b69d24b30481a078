"""People at the doors of a running house: register, sign in with a cookie or a token, and out."""

import io
import json
import re
import time
from base64 import b32decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.sync.client import connect

from fondaco.app.files import Files
from fondaco.app.offline import replay
from fondaco.cli import main
from fondaco.domain.identity.people import totp
from running import Client, Reply, Running, house

PASSWORD: Final = "correct horse battery staple"
WHO: Final = {"tenant": "demo", "user": "ada"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    data = tmp_path_factory.mktemp("people")
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    with house(data, options=["--set", "four_eyes=strict"], log=data / "log") as running:
        yield running, data


def post(client: Client, what: str, body: dict[str, Any], **headers: str) -> Reply:
    return client.ask("POST", f"/api/users/{what}", body, headers=headers)


def operator_adds(
    data: Path, monkeypatch: pytest.MonkeyPatch, user: str, *roles: str, password: str = PASSWORD
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    named = [word for role in roles for word in ("--role", role)]
    who = ["--data", str(data), "--tenant", "demo", "--user", user]
    assert main(["user", "add", *who, *named]) == 0


def signed_in(running: Running, user: str, **more: Any) -> Client:
    body = {"tenant": "demo", "user": user, "password": PASSWORD, **more}
    found = post(running.client(""), "login", body)
    assert found.status == 200, found.body
    return running.client(found.body["token"])


def test_a_stranger_registers_verifies_and_signs_in_with_nothing_they_may_do(
    served: tuple[Running, Path], capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    running, data = served
    client = running.client("")
    asked = {**WHO, "password": PASSWORD, "email": "ada@example.com", "name": "Ada Lovelace"}
    weak = post(client, "register", {**asked, "password": "password1234"})
    assert (weak.status, weak.body["code"]) == (422, "weak_password")
    first, second = post(client, "register", asked), post(client, "register", asked)
    assert first.status == second.status == 200
    assert first.body == second.body
    (text,) = [t for p in (data / "mail").iterdir() if "--code" in (t := p.read_text())]
    code = re.search(r"--code (\w+)", text)
    assert code
    wrong = post(client, "login", {**WHO, "password": PASSWORD})
    assert (wrong.status, wrong.body["code"]) == (401, "sign_in_failed")
    where = ["--url", running.url, "--tenant", "demo", "--user", "ada"]
    assert main(["user", "verify", *where, "--code", code[1]]) == 0
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["user", "login", *where]) == 0
    ada = running.client(capsys.readouterr().out.strip())
    assert len(ada.get("/api/users/sessions")["items"]) == 1
    refused = ada.ask("GET", "/api/accounts")
    assert refused.status == 403, "a role is given by two others"
    assert running.client().ask("GET", "/api/accounts").status == 200, "demo goes on"
    told = "".join(replay(Files(data), -1, "identity/house"))
    assert "ada@example.com" not in told


def test_roles_are_given_by_two_and_end_with_the_next_request(
    served: tuple[Running, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, data = served
    for user, roles in (("root", ["admin"]), ("reba", ["admin"]), ("tim", ["trader"])):
        operator_adds(data, monkeypatch, user, *roles)
    root, reba, tim = (signed_in(running, user) for user in ("root", "reba", "tim"))
    assert tim.ask("GET", "/api/orders").status == 200
    change = {"roles": ["auditor"], "reason": "moved to audit"}
    held = root.ask("PUT", "/api/users/tim/roles", change)
    assert held.status == 202
    approve = f"/api/approvals/{held.body['approval_id']}/approve"
    again = signed_in(running, "root")
    own = again.ask("POST", approve, {"reason": "I think so"})
    assert (own.status, own.body["code"]) == (403, "own_approval"), "another session of the same"
    limits = {"limits": {"orders_max": 5}, "reason": "as agreed"}
    assert tim.ask("PUT", "/api/risk/limits", limits).status == 403
    root.ask("POST", "/api/users/logout", {})
    done = reba.ask("POST", approve, {"reason": "I know so"})
    assert (done.status, done.body["state"]) == (200, "executed"), done.body
    assert "journal:read" in tim.get("/api/session")["scopes"]
    assert root.ask("GET", "/api/session").status == 401


def test_a_browser_has_a_cookie_and_proves_that_a_change_is_its_own(
    served: tuple[Running, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, data = served
    operator_adds(data, monkeypatch, "bea", "trader")
    client = running.client("")
    body = {"tenant": "demo", "user": "bea", "password": PASSWORD, "cookie": True}
    planted = "fk_" + "a" * 43
    found = client.ask("POST", "/api/users/login", body, headers={"Cookie": planted})
    assert (found.status, found.body["token"]) == (200, "")
    cookie = found.headers["set-cookie"]
    for word in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/"):
        assert word in cookie
    sent = {"Cookie": cookie.partition(";")[0]}
    assert planted not in cookie
    assert client.ask("GET", "/api/session", headers=sent).body["user"] == "bea"
    for headers in (sent, {**sent, "X-CSRF-Token": "0" * 32}):
        forged = client.ask("POST", "/api/tickets", {}, headers=headers)
        assert (forged.status, forged.body["code"]) == (403, "csrf")
        order = {"account_id": "demo", "cl_ord_id": "x", "symbol": "BTC-USD", "side": "buy"}
        placed = client.ask("POST", "/api/orders", order, headers=headers)
        assert (placed.status, placed.body["code"]) == (403, "csrf")
        changed = {"old": PASSWORD, "new": "another seven words for the house"}
        assert client.ask("PUT", "/api/users/password", changed, headers=headers).status == 401
    proven = {**sent, "X-CSRF-Token": found.body["csrf"]}
    ticket = client.ask("POST", "/api/tickets", {}, headers=proven)
    assert ticket.status == 201
    with connect(f"ws://127.0.0.1:{running.port}/ws/trading?ticket={ticket.body['ticket']}") as ws:
        ws.send(json.dumps({"op": "ping", "id": 1}))
        assert json.loads(ws.recv(timeout=10))["id"] == 1
    out = client.ask("POST", "/api/users/logout", {}, headers=proven)
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert client.ask("GET", "/api/session", headers=sent).status == 401
    assert client.ask("GET", "/api/welcome", headers=sent).status == 200
    assert client.ask("POST", "/api/users/login", body, headers=sent).status == 200


def test_a_second_factor_from_the_picture_to_the_recovery_code(
    served: tuple[Running, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, data = served
    operator_adds(data, monkeypatch, "sue", "risk")
    sue = signed_in(running, "sue")
    begun = post(sue, "totp", {"password": PASSWORD}).body
    assert begun["picture"].startswith("data:image/svg+xml")
    assert begun["secret"] in begun["uri"]
    now = sue.get("/api/welcome")["at"]
    secret = b32decode(begun["secret"])
    code = totp.code_at(secret, totp.step_of(int(now)))
    codes = post(sue, "totp/confirm", {"code": code}).body["recovery_codes"]
    assert len(set(codes)) == 10
    body = {"tenant": "demo", "user": "sue", "password": PASSWORD}
    assert post(running.client(""), "login", body).body["state"] == "code_needed"
    assert post(running.client(""), "login", {**body, "code": code}).status == 401, "was used"
    assert post(running.client(""), "login", {**body, "code": codes[3]}).status == 200
    sue = running.client(sue.token)
    shown = sue.get("/api/users/sessions")
    assert (shown["second_factor"], shown["recovery_codes_left"]) == (True, 9)
    operator_adds(data, monkeypatch, "sue", password="words that only the operator knows")
    for _ in range(200):
        sue = running.client(sue.token)
        if sue.ask("GET", "/api/session").status == 401:
            break
        time.sleep(0.05)
    assert sue.ask("GET", "/api/session").status == 401, "a new password ends every session"


def test_guesses_are_answered_with_how_long_to_wait(served: tuple[Running, Path]) -> None:
    running, _ = served
    client = running.client("")
    answers = [
        post(client, "login", {"tenant": "demo", "user": "nobody", "password": "guess"})
        for _ in range(7)
    ]
    assert [each.status for each in answers] == [401] * 5 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) >= 1
