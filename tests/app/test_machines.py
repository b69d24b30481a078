"""A whole house whose journal is in PostgreSQL and whose cache is in Redis: the same house."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest
import redis

from fondaco.app.files import Files
from fondaco.app.machines import open_journal, refuse_lost_end
from fondaco.app.offline import (
    backup,
    create_key,
    examine,
    explain,
    list_keys,
    rebuild,
    replay,
    restore,
    verify,
)
from fondaco.cli import main
from fondaco.kernel.errors import Conflict, Corrupt, Invalid, NotFound
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.settings import load, without_secrets
from running import Running, house, order
from servers import Valkey, postgres, valkey
from simulation.test_kill import (
    everything_acknowledged_is_there_once,
    retries_are_answered_once,
    the_money_adds_up,
)
from simulation.under_load import Told, until_killed

BUY: Final = order("once", price="60000.00", time_in_force="ioc")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return postgres().database(str(tmp_path))


@pytest.fixture
def files(tmp_path: Path, url: str) -> Files:
    return Files(tmp_path / "house", url, url)


def states(where: Path | Files) -> list[str]:
    return list(replay(where, -1, ""))


def fondaco(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.run(
        [sys.executable, "-m", "fondaco", *words],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path, **environment},
    )  # fmt: skip


def commands() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            continue


def told(folder: Path) -> list[bytes]:
    """What everybody can read of processes about a folder."""
    return [each for each in commands() if str(folder).encode() in each]


def test_what_was_acknowledged_is_there_once_after_kill_9_and_tools_agree(
    tmp_path: Path, files: Files, url: str
) -> None:
    shared = ["--journal", url, "--cache", f"{valkey().url}?db=2", "--set", f"store={url}"]
    told = Told()
    with house(files.root, options=shared) as running:
        asyncio.run(until_killed(running, 7, 1.0, told))
    assert not told.otherwise
    assert len(told.accepted) > 20

    with house(files.root, options=shared) as running:
        client = running.client()
        everything_acknowledged_is_there_once(client, told)
        retries_are_answered_once(client, told)
        the_money_adds_up(client)
        refused = fondaco("up", "--data", str(tmp_path / "other"), "--port", "0", "--journal", url)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "has a writer already, process" in refused.stderr
        assert running.client().get("/ready")["checks"]["cache"] == {"ok": True, "text": "answers"}
        backup(files, tmp_path / "while it runs")
        create_key(files, "demo", "ada", "elsewhere", ["trader"], None)
        assert not files.records.exists()
        assert running.stop() == 0

    assert verify(files)["wrong"] == []
    assert rebuild(files)["different"] == []
    assert "accepted as new" in explain(files, next(iter(told.accepted)), as_json=False)
    assert any("no synchronous replica" in line for line in examine(files))
    ran = fondaco("verify", "--data", str(files.root), "--journal", url)
    assert ran.returncode == 0, ran.stderr
    taken_home(tmp_path, files)


def taken_home(tmp_path: Path, files: Files) -> None:
    """Into segments, and from there into another database: the same states at the same end."""
    backup(files, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "embedded")
    assert states(tmp_path / "embedded") == states(files)
    again = Files(tmp_path / "again", postgres().database(f"{tmp_path} again"))
    restore(tmp_path / "backup", again.root, again.journal_at)
    assert states(again) == states(files)
    assert list_keys(tmp_path / "embedded", "demo") == list_keys(files, "demo") != []
    assert verify(again)["wrong"] == []
    with pytest.raises(Conflict, match="is not empty"):
        restore(tmp_path / "backup", tmp_path / "third", again.journal_at)


def test_rates_are_counted_where_all_see_them_and_here_while_that_is_away(tmp_path: Path) -> None:
    cache = Valkey()
    options = ["--cache", cache.url, "--set", "rate_user_per_s=5", "--set", "rate_user_burst=30"]
    with house(tmp_path / "house", options=options) as running:
        spent(running)
        shared = redis.Redis.from_url(cache.url)
        assert next(shared.scan_iter("rate:user:*"), None), "it counts nothing there"
        shared.close()
        cache.kill()
        time.sleep(4)  # what was taken there is taken here, and 5 a second come back
        spent(running, least=20)  # nobody is let in for free, and nobody is locked out
        checks = running.client(token="").get("/ready")["checks"]
        assert "by this process alone" in checks["cache"]["text"]


def spent(running: Running, *, most: int = 60, least: int = 0) -> None:
    """Ask until told to wait; how often that was."""
    client = running.client()
    statuses = [client.ask("GET", "/api/orders?account_id=demo").status for _ in range(80)]
    assert set(statuses) == {200, 429}
    assert least <= statuses.count(200) <= most


# --- A directory belongs to one journal ----------------------------------------------------------


def test_a_directory_with_one_journal_is_not_opened_with_another(
    tmp_path: Path, files: Files
) -> None:
    embedded, other = Files(tmp_path / "embedded"), postgres().database(f"{tmp_path} other")
    open_journal(embedded, writer=True).close()
    with pytest.raises(NotFound, match="holds no journal"):
        open_journal(files)
    open_journal(files, writer=True).close()
    open_journal(files).close()
    with pytest.raises(Conflict, match=r"holds a journal of its own.*restore --journal"):
        open_journal(Files(embedded.root, files.journal_at), writer=True)
    with pytest.raises(Conflict, match="is in PostgreSQL: name it with --journal"):
        open_journal(Files(files.root), writer=True)
    with pytest.raises(Conflict, match="belongs to another journal"):
        open_journal(Files(files.root, other), writer=True)


def test_a_journal_that_ends_before_what_was_seen_is_refused(files: Files) -> None:
    open_journal(files, writer=True).close()
    views = SqliteStore(files.root / "views.db")
    refuse_lost_end(files, views, 0)
    files.cursor.write_text("41")
    refuse_lost_end(files, views, 41)
    with pytest.raises(Corrupt, match=r"ends at 40, and .* has seen position 41"):
        refuse_lost_end(files, views, 40)
    views.close()


def test_a_server_that_is_not_there_is_said_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FONDACO_JOURNAL", f"postgresql://app:s3cret@/db?host={tmp_path}")
    at = ["--data", str(tmp_path / "house")]
    (tmp_path / "house" / "journal").mkdir(parents=True)
    for words, status in ((["up", "--port", "0"], 1), (["doctor"], 0), (["replay"], 1)):
        assert main([*words, *at]) == status
        said = "".join(capsys.readouterr())
        assert f"PostgreSQL {tmp_path}/db" in said
        assert "s3cret" not in said


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://a:b@h/d", "postgresql://a:…@h/d"),
        ("postgresql://a@h/d?password=x&host=y", "postgresql://a@h/d?password=…&host=y"),
        ("redis://:b@h:1/0", "redis://:…@h:1/0"),
        ("segments", "segments"),
    ],
)
def test_addresses_are_shown_without_what_is_secret(address: str, shown: str) -> None:
    assert without_secrets(address) == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal", "mysql://x"),
        ("journal", "segments2"),
        ("cache", "memcached://x"),
        ("cache", ""),
        ("store", "mysql://x"),
    ],
)
def test_an_address_of_nothing_we_know_is_refused(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=f"{name} is .*, must be one of"):
        load({name: value}, {})


def test_a_house_hides_its_password_and_stops_once_its_seat_is_taken(
    tmp_path: Path, url: str
) -> None:
    address = url.replace("app@", "app:unlisted@")
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "fondaco.toml").write_text(f'journal = "{address}"')
    with house(tmp_path / "house") as running:
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
        os.kill(int(children.read_text()), signal.SIGKILL)  # the next one is begun by a command
        until = time.monotonic() + 20
        found = told(tmp_path)
        while not any(b"follow" in each for each in found):
            assert time.monotonic() < until, "there is no follower to look at"
            time.sleep(0.05)
            found = told(tmp_path)
        assert not [each for each in found if b"unlisted" in each]

        with psycopg.connect(url, autocommit=True) as admin:  # as a house on another machine does
            admin.execute("UPDATE fondaco_head SET owner = 'another', epoch = epoch + 1")
        assert running.client().ask("POST", "/api/orders", BUY).status == 503
        assert running.process.wait(20) == 1
        assert "another writer now" in running.said()
        assert "unlisted" not in running.said()
