"""Everything that a busy house writes to its log is read: no secret and nobody's name is in it."""

import io
import json
import re
import time
from base64 import b32decode, b64encode
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from fondaco.cli import main
from fondaco.domain.identity.model import TOKEN_PREFIX
from fondaco.domain.identity.people import totp
from running import Client, house

DOCS: Final = Path(__file__).parents[2] / "docs"
PASSWORD: Final = "correct horse battery staple"
GUESS: Final = "a guess that nobody makes"
PERSON: Final = ("ada.lovelace@analytical.example", "Ada King Lovelace", "Difference Engine No. 2")
# What looks like a secret, whoever put it there.
SHAPES: Final = {
    "a token of ours": re.compile(rf"\b{TOKEN_PREFIX}[A-Za-z0-9_-]{{20,}}"),
    "a bearer header": re.compile(r"(?i)bearer +[A-Za-z0-9._~+/-]{8,}"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\."),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a password in an address": re.compile(r"://[^/\s:@]+:[^/\s@…]+@"),
    "an AWS key": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a hash of a password": re.compile(r"\$argon2"),
    "an e-mail address": re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"),
    "a card number": re.compile(r"\b\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}\b"),
    "an IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"),
}


def found_in(text: str, secrets: list[str]) -> list[str]:
    """What of `secrets` stands there, in clear, as hexadecimal digits or in base64; and shapes."""
    found = []
    for each in secrets:
        raw = each.encode()
        ways = (each, raw.hex(), b64encode(raw).decode().rstrip("="))
        found += [each for way in ways if way in text]
    return found + [name for name, shape in SHAPES.items() if shape.search(text)]


@pytest.mark.parametrize(
    "planted",
    [
        "Bearer abcdefgh12345678",
        "postgresql://ada:hunter2@db/x",
        "to ada@example.com",
        "4111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 00",
        "$argon2id$v=19",
        f"{TOKEN_PREFIX}{'a' * 43}",
        b64encode(PASSWORD.encode()).decode(),
        PASSWORD.encode().hex(),
    ],
)
def test_the_scanner_sees_what_it_must(planted: str) -> None:
    assert found_in(f"all is well {planted} and so on", [PASSWORD])
    assert not found_in("all is well 2026-11-22T05:00:00.000Z 12345.67 key_5f2c9a1b4d3e6078", [])


def busy(client: Client, stranger: Client, person: dict[str, Any]) -> list[str]:
    """Sign in, wrongly too; a second factor, keys, orders, refusals. What of it is secret."""
    email, name, device = PERSON
    login = {"tenant": "demo", "user": "ada", "password": PASSWORD, "device_name": device}
    wrong = stranger.ask("POST", "/api/users/login", {**login, "password": GUESS})
    assert wrong.status == 401
    found = stranger.ask("POST", "/api/users/login", login)
    assert found.status == 200
    token = found.body["token"]
    ada = person["as"](token)
    enrolled = ada.ask("POST", "/api/users/totp", {"password": PASSWORD})
    assert enrolled.status == 201, enrolled.body
    secret = enrolled.body["secret"].replace(" ", "")
    code = totp.code_at(b32decode(secret), totp.step_of(time.time_ns()))
    confirmed = ada.ask("POST", "/api/users/totp/confirm", {"code": code})
    assert confirmed.status == 200, confirmed.body
    codes = confirmed.body["recovery_codes"]
    key = ada.ask("POST", "/api/keys", {"name": "laptop"}).body["token"]
    order = {"account_id": "demo", "symbol": "BTC-USD", "side": "buy", "ord_type": "market"}
    for number, qty in enumerate(("0.01", "1000000000", "nonsense")):
        ada.ask("POST", "/api/orders", {**order, "cl_ord_id": f"l-{number}", "order_qty": qty})
    ada.ask("POST", "/api/orders", {"text": f"for {name}", "to": email})
    ada.ask("GET", f"/api/users/{email}/erasure")
    ada.ask("GET", f"/api/nothing?token={token}&email={email}")
    person["as"](key + "x").ask("GET", "/api/accounts")
    register = {"tenant": "demo", "user": "eve", "password": PASSWORD, "email": email}
    stranger.ask("POST", "/api/users/register", {**register, "name": name})
    stranger.ask("POST", "/api/users/register", {**register, "email": "nonsense", "name": name})
    client.ask("GET", "/api/users/ada/erasure")
    client.ask("POST", "/api/users/ada/erasure", {"reason": "case 7"})
    return [PASSWORD, GUESS, token, key, secret, *codes]


def test_no_log_of_a_busy_house_holds_a_secret_or_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "house"
    data.mkdir()
    (data / "fondaco.toml").write_text('password_memory_mib = 8\nlog_level = "DEBUG"\n')
    log = tmp_path / "log"
    with house(data, log=log) as running:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        who = ["--data", str(data), "--tenant", "demo", "--user", "ada", "--role", "trader"]
        assert main(["user", "add", *who, "--email", PERSON[0], "--name", PERSON[1]]) == 0
        secrets = busy(running.client(), running.client(""), {"as": running.client})
        secrets += [(data / "secrets" / "unseal.key").read_bytes().hex()]
        assert running.stop() == 0
    text = log.read_text("utf-8")
    assert found_in(text, [*secrets, *PERSON]) == []
    schema = json.loads((DOCS / "log.schema.json").read_text())
    check = jsonschema.Draft202012Validator(schema)
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    for line in lines:
        check.validate(line)
    assert {"users.login", "trading.place_order"} <= {line["operation"] for line in lines}
    assert {401, 200, 422} <= {line.get("status") for line in lines}
    assert not [line for line in text.splitlines() if not line.startswith(("{", "fondaco: "))]
