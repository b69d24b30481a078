"""The eighth promise over a network: what was under way when the connection broke is there for
every reader or for none, and whoever lost the seat writes nothing more."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from faults.noted import CODEC, A, B, decision, everything
from faults.wires import Wire, wire
from fondaco.kernel.errors import Conflict, Corrupt, Unavailable
from fondaco.ports.journal import FENCED, _pg_seat
from fondaco.ports.journal.postgres import PostgresJournal
from servers import postgres

MARK: Final = "the bytes that are cut"


@pytest.fixture
def wired() -> Iterator[Wire]:
    with (
        tempfile.TemporaryDirectory(prefix="wire_", dir="/tmp") as folder,
        wire(Path(folder), postgres().folder) as made,
    ):
        yield made


@pytest.fixture
def url(tmp_path: Path) -> str:
    return postgres().database(str(tmp_path))


def texts(url: str) -> list[str]:
    reader = PostgresJournal(url, CODEC, writer=False)
    found = [entry.event.text for entry in everything(reader)]  # type: ignore[attr-defined]
    reader.close()
    return found


@pytest.mark.parametrize("lost", ["request", "reply"])
def test_8_a_connection_that_breaks_writes_what_was_asked_once(
    wired: Wire, url: str, lost: str
) -> None:
    journal = PostgresJournal(wired.url(url), CODEC)
    journal.append([decision(A, 0, "before")])
    setattr(wired, f"cut_{lost}", MARK.encode())
    written = journal.append([decision(A, 1, MARK), decision(B, 0, "with it")])
    assert wired.cuts == 1
    assert [entry.position for entry in written] == [2, 3]
    journal.append([decision(A, 2, "after")])
    assert texts(url) == ["before", MARK, "with it", "after"]
    assert journal.read(A) == [entry for entry in everything(journal) if entry.stream == A]
    journal.close()


@pytest.mark.parametrize(("lost", "is_there"), [("request", False), ("reply", True)])
def test_8_while_nobody_can_tell_it_says_unavailable_and_then_it_is_all_or_nothing(
    wired: Wire, url: str, lost: str, is_there: bool
) -> None:
    journal = PostgresJournal(wired.url(url), CODEC)
    journal.append([decision(A, 0, "before")])
    setattr(wired, f"cut_{lost}", MARK.encode())
    wired.refuses = True
    for _ in range(2):
        with pytest.raises(Unavailable):
            journal.append([decision(A, 1, MARK)])
    wired.refuses = False
    version = len(journal.read(A))
    assert version == 1 + is_there
    journal.append([decision(A, version, "after")])
    assert texts(url) == ["before", *[MARK] * is_there, "after"]
    assert journal.verify() == journal.head() == version + 1
    journal.close()


def test_8_a_server_that_refuses_has_written_nothing_and_takes_the_next(url: str) -> None:
    journal = PostgresJournal(url, CODEC)
    journal.append([decision(A, 0, "before")])
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("ALTER TABLE fondaco_journal ADD CONSTRAINT no CHECK (stream <> 'account/B')")
        with pytest.raises(Unavailable, match='constraint "no"'):
            journal.append([decision(A, 1, "1"), decision(B, 0, "2")])
        admin.execute("ALTER TABLE fondaco_journal DROP CONSTRAINT no")
    assert journal.head() == 1
    journal.append([decision(A, 1, "1"), decision(B, 0, "2")])
    assert texts(url) == ["before", "1", "2"]
    journal.close()


def test_7_whoever_lost_the_seat_writes_nothing_more(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pg_seat, "this_process", lambda: "")  # as if on two machines
    monkeypatch.setattr(_pg_seat, "LEASE_S", 0.3)
    monkeypatch.setattr(_pg_seat, "BEAT_S", 3600.0)
    stale = PostgresJournal(url, CODEC)
    stale.append([decision(A, 0, "stale")])
    now = PostgresJournal(url, CODEC)  # since the first gives no sign of life
    now.append([decision(A, 1, "now")])
    for version in (1, 2):
        with pytest.raises(Unavailable, match=f"another writer now, process .* on "
                           f"{socket.gethostname()}") as raised:  # fmt: skip
            stale.append([decision(B, 0, str(version))])
        assert raised.value.code == FENCED
    stale.close()
    now.append([decision(A, 2, "still")])
    assert texts(url) == ["stale", "now", "still"]
    now.close()


def test_7_a_writer_on_another_machine_is_left_in_peace_while_it_gives_signs_of_life(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pg_seat, "this_process", lambda: "")
    monkeypatch.setattr(_pg_seat, "BEAT_S", 0.1)
    journal = PostgresJournal(url, CODEC)
    with pytest.raises(Conflict, match="has a writer already"):
        PostgresJournal(url, CODEC)
    journal.append([decision(A, 0, "1")])
    journal.close()


def test_7_the_seat_of_a_dead_process_is_free_at_once(url: str) -> None:
    script = (
        "import os, sys; from faults.noted import CODEC, A, decision\n"
        "from fondaco.ports.journal.postgres import PostgresJournal\n"
        "journal = PostgresJournal(sys.argv[1], CODEC); journal.append([decision(A, 0, '1')])\n"
        "os.kill(os.getpid(), 9)"
    )
    env = {"PYTHONPATH": ":".join(entry for entry in sys.path if entry), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run([sys.executable, "-c", script, url], env=env)
    assert ran.returncode == -9
    journal = PostgresJournal(url, CODEC)
    journal.append([decision(A, 1, "2")])
    assert texts(url) == ["1", "2"]
    journal.close()


def test_3_a_server_that_forgot_what_was_acknowledged_is_not_believed(url: str) -> None:
    journal = PostgresJournal(url, CODEC)
    for version in range(3):
        journal.append([decision(A, version, str(version))])
    with psycopg.connect(url, autocommit=True) as admin:  # as a replica that was behind
        admin.execute("DELETE FROM fondaco_journal WHERE last = 3")
        admin.execute("UPDATE fondaco_head SET position = 2, epoch = 77")
    for _ in range(2):
        with pytest.raises(Corrupt):
            journal.append([decision(A, 3, "3")])
    journal.close()
    assert texts(url) == ["0", "1"]


def test_3_nor_is_one_that_was_away_meanwhile(wired: Wire, url: str) -> None:
    journal = PostgresJournal(wired.url(url), CODEC)
    for version in range(3):
        journal.append([decision(A, version, str(version))])
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("DELETE FROM fondaco_journal WHERE last = 3")
        admin.execute("UPDATE fondaco_head SET position = 2")
    wired.cut_request = MARK.encode()
    for _ in range(2):
        with pytest.raises(Corrupt, match="ends at 2, and 3 was acknowledged"):
            journal.append([decision(A, 3, MARK)])
    journal.close()
    assert texts(url) == ["0", "1"]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("UPDATE fondaco_journal SET payload = payload || 'x' WHERE last = 2", "up to version 2"),
        ("UPDATE fondaco_journal SET stream = 'account/C' WHERE last = 2", "account/C"),
        ("DELETE FROM fondaco_journal WHERE last = 2", "where position 2 belongs stands 3"),
        ("DELETE FROM fondaco_journal WHERE last = 3", "follows position 2 is missing"),
    ],
)
def test_6_damage_is_found_and_located(url: str, damage: str, says: str) -> None:
    journal = PostgresJournal(url, CODEC)
    for version in range(3):
        journal.append([decision(A, version, "x" * 40)])
    assert journal.verify() == 3
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(damage.encode())
    with pytest.raises(Corrupt, match=says):
        journal.verify()
    journal.close()
