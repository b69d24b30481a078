"""A person is forgotten, and everything else stays as it was: rows R16 and X23."""

import io
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from fondaco.app.erasure import ROWS
from fondaco.app.files import Files
from fondaco.app.machines import open_journal
from fondaco.app.offline import backup, prove, replay, restore, verify
from fondaco.cli import main
from fondaco.domain.identity.model import IDENTITY_STREAM
from fondaco.kernel.codec import Unread
from running import Client, Running, house

PASSWORD: Final = "correct horse battery staple"
EMAIL: Final = "ada.lovelace@analytical.example"
NAME: Final = "Ada King Lovelace"
DEVICE: Final = "Difference Engine No. 2"
PERSONAL: Final = (EMAIL, NAME, DEVICE)
# What says nothing of a person but the name that nobody else is given from then on.
STAYING: Final = {
    "identity_users": "the name",
    "identity_erased": "that they were forgotten",
    "identity_holds": "a legal hold, which wins",
    "identity_service_accounts": "machines, and whose they are",
}
REASON: Final = {"reason": "asked for it, case 7"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    data = tmp_path_factory.mktemp("erasure") / "house"
    data.mkdir()
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    with house(data, options=["--set", "topics=file://"], log=data.parent / "log") as running:
        yield running, data


def scanned(folder: Path) -> list[str]:
    """Where something personal stands, in clear or as hexadecimal digits, as kept replies are."""
    return [
        f"{path.relative_to(folder)}: {text}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for text in PERSONAL
        if text.encode() in (content := path.read_bytes())
        or text.encode().hex().encode() in content
    ]


def added(running: Running, data: Path, monkeypatch: Any, user: str) -> Client:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    who = ["--data", str(data), "--tenant", "demo", "--user", user, "--role", "trader"]
    assert main(["user", "add", *who, "--email", EMAIL, "--name", NAME]) == 0
    login = {"tenant": "demo", "user": user, "password": PASSWORD, "device_name": DEVICE}
    found = running.client("").ask("POST", "/api/users/login", login)
    assert found.status == 200, found.body
    return running.client(found.body["token"])


def plan(client: Client, user: str) -> Any:
    return client.get(f"/api/users/{user}/erasure")


def test_a_person_is_forgotten_and_every_proof_holds(
    served: tuple[Running, Path], monkeypatch: Any, capsys: Any, tmp_path: Path
) -> None:
    running, data = served
    files = Files(data)
    ada = added(running, data, monkeypatch, "ada")
    order = {"cl_ord_id": "a-1", "symbol": "BTC-USD", "side": "buy", "ord_type": "market"}
    placed = ada.ask("POST", "/api/orders", {"account_id": "demo", **order, "order_qty": "0.01"})
    assert placed.status == 201, placed.body
    (data / "mail").mkdir(exist_ok=True)
    (data / "mail" / "1.eml").write_text(f"To: {EMAIL}\n\nhello")
    (data / "captures").mkdir(exist_ok=True)
    (data / "captures" / "noted").write_text(f"58={NAME}")
    backup(files, tmp_path / "before")
    position = json.loads(prove(files, 2, 0))["size"]
    proof = prove(files, position, position)
    account = list(replay(files, position, "account/demo"))

    deadline = time.monotonic() + 15
    while "unreadable" not in {e["fate"] for e in plan(running.client(), "ada")["places"]}:
        assert time.monotonic() < deadline, "the journal was never told of her"
        time.sleep(0.05)
    told = data / "published" / "trading.order-placed"
    while placed.body["order_id"] not in "".join(e.read_text() for e in told.glob("*.jsonl")):
        assert time.monotonic() < deadline, "the bus was never told of her order"
        time.sleep(0.05)
    capsys.readouterr()
    assert main(["erase", "ada", "--dry-run", "--url", running.url]) == 0
    dry = json.loads(capsys.readouterr().out)
    fates = {(each["where"], each["fate"]) for each in dry["places"]}
    assert dry["state"] == "possible"
    assert {("records", "destroyed"), ("mail", "destroyed"), ("captures/noted", "kept")} <= fates
    assert ("journal and its backups", "unreadable") in fates
    kept = [each for each in dry["places"] if each["fate"] == "kept"]
    assert all(each["why"] and int(each["until"]) > 0 for each in kept)
    assert (data / "mail" / "1.eml").exists(), "nothing of it was done"

    assert main(["erase", "ada", "--reason", "asked for it", "--url", running.url]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done["state"] == "done"
    assert scanned(data) == [f"captures/noted: {NAME}"], "which is somebody else's record"
    assert ada.ask("GET", "/api/orders").status == 401
    again = {"tenant": "demo", "user": "ada", "password": PASSWORD}
    assert running.client("").ask("POST", "/api/users/login", again).status == 401
    assert list(replay(files, position, "account/demo")) == account, "aggregates are unchanged"
    assert prove(files, position, position) == proof, "the proof of before is the proof of now"
    assert verify(files)["wrong"] == []

    restore(tmp_path / "before", tmp_path / "again", keys=None)
    assert scanned(tmp_path / "again") == scanned(data)
    with closing(open_journal(Files(tmp_path / "again"))) as journal:
        said = [entry.event for entry in journal.read(IDENTITY_STREAM)]
    assert Unread in map(type, said)
    assert "ada" not in {getattr(event, "user", "") for event in said}
    assert list(replay(Files(tmp_path / "again"), position, "account/demo")) == account
    with house(tmp_path / "again") as revived:
        assert revived.client().ask("GET", "/api/users").status == 200, "it serves without its keys"


def test_every_table_with_rows_of_people_is_known_to_who_forgets_them(
    served: tuple[Running, Path],
) -> None:
    """By the columns of records.db, so that a new table cannot be left out."""
    _, data = served
    with closing(sqlite3.connect(f"file:{data / 'records.db'}?mode=ro", uri=True)) as conn:
        tables = [
            name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        of_people = {
            table
            for table in tables
            if {"tenant", "user"} <= {row[1] for row in conn.execute(f"PRAGMA table_info({table})")}
        }
    assert of_people - {table.name for table, _ in ROWS} == set(STAYING)


def test_a_legal_hold_wins_and_says_why(served: tuple[Running, Path], monkeypatch: Any) -> None:
    running, data = served
    root = running.client()
    added(running, data, monkeypatch, "eve")
    until = {"until": 4_000_000_000_000_000_000, "reason": "litigation 12/26"}
    assert root.ask("PUT", "/api/users/eve/hold", until).status == 200
    held = plan(root, "eve")
    assert held["state"] == "held"
    assert "litigation 12/26" in held["hold"]
    refused = root.ask("POST", "/api/users/eve/erasure", REASON)
    assert (refused.status, refused.body["code"]) == (409, "held")
    assert "litigation 12/26" in refused.body["message"]
    assert plan(root, "eve")["places"][0]["count"] == 1
    assert root.ask("POST", "/api/users/eve/hold/lift", REASON).status == 200
    assert root.ask("POST", "/api/users/eve/hold/lift", REASON).status == 404
    assert root.ask("POST", "/api/users/eve/erasure", REASON).body["state"] == "done"
    assert root.ask("POST", "/api/users/nobody/erasure", REASON).status == 404
