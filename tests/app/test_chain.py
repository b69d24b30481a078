"""Zero trust in a whole house: each link that a request lacks is said at every door, in the same
words; whoever has all of them trades. The test is the sidecar in front of the house."""

import io
import time
from base64 import b32decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from websockets.sync.client import connect

from fondaco.cli import main
from fondaco.domain.identity.people import totp
from running import TOKEN, Client, Reply, Running, house

PASSWORD: Final = "correct horse battery staple"
PEER: Final = "spiffe://house/desk/ada"
MESH: Final = {
    "X-Forwarded-Client-Cert": f'Hash={"ab" * 32};Subject="CN=ada";URI={PEER}',
    "X-Forwarded-Proto": "https",
}
PLAIN: Final = {**MESH, "X-Forwarded-Proto": "http"}
OUTSIDE: Final = {"X-Forwarded-Proto": "https"}
OTHER: Final = {**MESH, "X-Forwarded-Client-Cert": "URI=spiffe://house/desk/eve"}
ORDER: Final = {"account_id": "demo", "symbol": "BTC-USD", "side": "buy", "ord_type": "limit",
                "order_qty": "0.01", "price": "1000.00"}  # fmt: skip


class Person(NamedTuple):
    """Somebody who is signed in. `codes` are recovery codes, each good once."""

    client: Client
    codes: list[str]
    session: Mapping[str, Any]


class Case(NamedTuple):
    token: str
    headers: Mapping[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    data = tmp_path_factory.mktemp("chain") / "house"
    data.mkdir()
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    said = ["zero_trust=demo", "proxies=127.0.0.1/32", "encrypt_at_rest=true"]
    options = [word for each in said for word in ("--set", each)]
    with house(data, options=options, log=data.parent / "log") as running:
        yield running, data


def signed_in(running: Running, user: str, code: str = "", device: str = "") -> Client:
    login = {"tenant": "demo", "user": user, "password": PASSWORD, "code": code, "device": device}
    found = running.client("").ask("POST", "/api/users/login", login, headers=MESH)
    assert found.body["state"] == "signed_in", found.body
    client = running.client(found.body["token"])
    client.session = found.body  # type: ignore[attr-defined]
    return client


def added(running: Running, data: Path, user: str, *roles: str) -> None:
    email = f"{user}@house.example"
    who = ["--data", str(data), "--tenant", "demo", "--user", user, "--email", email]
    named = [word for role in roles for word in ("--role", role)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        assert main(["user", "add", *who, *named]) == 0


def post(client: Client, path: str, body: Any) -> Reply:
    return client.ask("POST", f"/api/users/{path}", body, headers=MESH)


@pytest.fixture(scope="module")
def ada(served: tuple[Running, Path]) -> Person:
    """From a password to a whole chain, by what a page would ask."""
    running, data = served
    added(running, data, "ada", "trader", "admin", "auditor")
    client = signed_in(running, "ada")
    begun = post(client, "totp", {"password": PASSWORD})
    assert begun.status == 201, begun.body
    secret = b32decode(begun.body["secret"].replace(" ", ""))
    code = totp.code_at(secret, totp.step_of(time.time_ns()))
    codes = post(client, "totp/confirm", {"code": code}).body["recovery_codes"]
    device = client.session["device"]  # type: ignore[attr-defined]
    client = signed_in(running, "ada", codes[0], device)
    session = client.session  # type: ignore[attr-defined]
    shown = client.ask("GET", "/api/users/chain", headers=MESH).body
    assert [each["link"] for each in shown["links"] if not each["holds"]] == ["device_trust"]
    mine = client.ask("GET", "/api/users/devices", headers=MESH).body["items"]
    (device_id,) = [each["device_id"] for each in mine if each["is_this"]]
    trusted = post(client, f"devices/{device_id}/trust", {"code": codes[1]})
    assert trusted.status == 200, trusted.body
    return Person(client, codes[2:], session)


def ask(running: Running, case: Case, method: str = "GET", body: Any = None, path: str = "") -> Any:
    return running.client(case.token).ask(
        method, path or "/api/instruments", body, headers=case.headers
    )


def at_rest(running: Running, case: Case) -> Any:
    """What REST says to it."""
    found = ask(running, case).body
    return found if "code" in found else {"code": ""}


def at_graphql(running: Running, case: Case) -> Any:
    body = {"query": "{ reference_instruments { items { symbol } } }"}
    errors = ask(running, case, "POST", body, "/graphql").body.get("errors")
    return errors[0]["extensions"] if errors else {"code": ""}


def at_mcp(running: Running, case: Case) -> Any:
    call = {"name": "reference_instruments", "arguments": {}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    said = ask(running, case, "POST", body, "/mcp").body
    assert "result" in said, said
    found = said["result"]
    return found["structuredContent"] if found["isError"] else {"code": ""}


def at_socket(running: Running, case: Case) -> Any:
    url = f"ws://127.0.0.1:{running.port}/ws/trading"
    with connect(url, additional_headers=dict(case.headers)) as socket:
        socket.send(msgspec.json.encode({"op": "auth", "id": 1, "token": case.token}).decode())
        said = msgspec.json.decode(socket.recv(timeout=15))
    return said.get("error", {"code": ""})


DOORS: Final = {"REST": at_rest, "GraphQL": at_graphql, "MCP": at_mcp, "WebSocket": at_socket}


def test_every_door_says_the_same_of_each_link(served: tuple[Running, Path], ada: Person) -> None:
    running, data = served
    added(running, data, "bob", "trader")
    bob = signed_in(running, "bob")
    theirs = ada.client.ask("GET", "/api/users/bob/devices", headers=MESH).body["items"]
    path = f"/api/users/bob/devices/{theirs[0]['device_id']}/trust"
    assert ada.client.ask("POST", path, {"code": "1"}, headers=MESH).status == 403
    said = ada.client.ask("POST", path, {"code": ada.codes[0]}, headers=MESH)
    assert (said.status, said.body["items"][0]["state"]) == (200, "trusted")
    mine = ada.client.token
    stranger = signed_in(running, "ada", ada.codes[1])
    cases = {
        "": Case(mine, MESH),
        "link_encryption": Case(mine, PLAIN),
        "link_mesh": Case(mine, OUTSIDE),
        "link_session": Case(mine, OTHER),
        "link_mfa": Case(bob.token, MESH),
        "link_device": Case(stranger.token, MESH),
    }
    for code, case in cases.items():
        told = {door: said(running, case) for door, said in DOORS.items()}
        assert {door: each["code"] for door, each in told.items()} == dict.fromkeys(DOORS, code)
        details = [each.get("details") for each in told.values()]
        assert all(each == details[0] for each in details), "the same value, and what to do"
    assert at_rest(running, Case(TOKEN, MESH))["code"] == "link_session", (
        "a key is nobody's session"
    )
    assert at_rest(running, Case("", MESH))["code"] == "unauthenticated"
    lacks = ada.client.ask("GET", "/api/kyc/cases", headers=MESH)
    assert (lacks.status, lacks.body["code"]) == (403, "denied")
    denied = {each["code"] for each in audited(ada.client)}
    assert denied >= {"link_mesh", "link_device"}, "each refusal is in the journal"


def audited(client: Client) -> list[Any]:
    until = time.monotonic() + 15
    while True:
        found = client.ask("GET", "/api/audit?kind=denial", headers=MESH)
        items = found.body.get("items", [])
        if len(items) > 3 or time.monotonic() > until:
            return list(items)
        time.sleep(0.2)


def test_who_has_every_link_trades_until_the_device_is_forgotten(
    served: tuple[Running, Path], ada: Person
) -> None:
    running, _ = served
    other = signed_in(running, "ada", ada.codes[2])
    device = other.ask("GET", "/api/users/chain", headers=MESH).body["links"][5]["value"].split()[0]
    said = other.ask("POST", "/api/orders", {**ORDER, "cl_ord_id": "c-1"}, headers=MESH)
    assert (said.status, said.body["code"]) == (403, "link_device")
    assert said.body["details"]["do"].startswith("say that you trust it: POST")
    assert post(other, f"devices/{device}/trust", {"code": ada.codes[3], "days": 1}).status == 200
    said = other.ask("POST", "/api/orders", {**ORDER, "cl_ord_id": "c-1"}, headers=MESH)
    assert said.status == 201, said.body
    shown = other.ask("GET", "/api/users/chain", headers=MESH).body
    assert (shown["is_required"], shown["is_whole"]) == (True, True)
    gone = ada.client.ask("DELETE", f"/api/users/devices/{device}", headers=MESH)
    assert (gone.status, gone.body) == (200, {"ended": 1})
    assert other.ask("GET", "/api/instruments", headers=MESH).status == 401


def test_without_an_audit_nothing_is_let_through(served: tuple[Running, Path], ada: Person) -> None:
    """A disk that takes no lines: a file stands where their folder was."""
    running, data = served
    case, folder = Case(ada.client.token, MESH), data / "decisions"
    folder.rename(data / "aside")
    folder.write_bytes(b"")
    try:
        assert until_it_says(running, case, "link_audit")
    finally:
        folder.unlink()
        (data / "aside").rename(folder)
    assert until_it_says(running, case, "")


def until_it_says(running: Running, case: Case, code: str) -> bool:
    """Lines are written once a second; a denial leaves one."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        ask(running, case, path="/api/kyc/cases")
        if at_rest(running, case)["code"] == code:
            return True
        time.sleep(0.2)
    return False
