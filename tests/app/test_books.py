"""Books in a whole house: what pends there survives a crash, and expires when it is due."""

import time
from pathlib import Path
from typing import Any

from fondaco.app.offline import rebuild, verify
from running import Client, house

AT = "/api/ledgers/treasury"


def done(client: Client, path: str, body: object) -> Any:
    reply = client.ask("POST", f"{AT}{path}", body)
    assert reply.status in (200, 201), reply
    return reply.body


def move(client: Client, amount: str, **more: object) -> Any:
    asked = {"debit": "ada", "credit": "cash", "amount": amount, **more}
    return done(client, "/transfers", asked)


def status_of(client: Client, number: int) -> str:
    return str(client.get(f"{AT}/transfers/{number}")["status"])


def test_what_pends_survives_a_crash_and_expires_when_it_is_due(tmp_path: Path) -> None:
    with house(tmp_path) as running:
        client = running.client()
        for name in ("ada", "cash"):
            done(client, "/accounts", {"account": name, "asset": "USD"})
        move(client, "1", pending=True, timeout_s=1)
        move(client, "2", pending=True)
        move(client, "4", pending=True, timeout_s=3_600)
        running.kill()
    with house(tmp_path) as running:
        client = running.client()
        until = time.monotonic() + 20
        while status_of(client, 1) != "expired":
            assert time.monotonic() < until, "it never expired"
            time.sleep(0.05)
        last = done(client, "/transfers/2/post", {})
        ada = client.get(f"{AT}/accounts/ada?min_position={last['position']}")
        assert (ada["debits_pending"], ada["debits_posted"]) == ("4", "2")
        assert running.stop() == 0
    assert verify(tmp_path)["wrong"] == []
    assert rebuild(tmp_path)["different"] == []
