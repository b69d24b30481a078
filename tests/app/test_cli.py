"""`fondaco`: what each command says, what it leaves, and the status it ends with."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from app.test_restart import done, entries_after, still, wait_for
from fondaco.cli import EXIT_USAGE, EXIT_WRONG, main
from fondaco.kernel.event import Instant
from fondaco.ports.tape.segments import SegmentTape
from running import TOKEN, Client, Running, house, order

DECIMALS: Final = {"USD": 8, "BTC": 9}  # of the ledger
DEMO: Final = "account/demo"


class Beside:
    """Somebody who places resting orders all the while."""

    def __init__(self, running: Running) -> None:
        self.accepted: dict[str, int] = {}  # order_id -> position
        self._client = running.client()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._place)

    def _place(self) -> None:
        nth = 0
        while not self._over.is_set():
            nth += 1
            batch = [order(f"beside-{nth}-{one}", price="30000.00") for one in range(50)]
            found = self._client.ask("POST", "/api/orders/bulk", {"orders": batch}).body
            self.accepted |= {each["order_id"]: each["position"] for each in found["items"]}

    def __enter__(self) -> "Beside":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli") / "house"


@pytest.fixture(scope="module")
def running(data: Path) -> Iterator[Running]:
    with house(data) as found:
        client = found.client()
        done(client, "POST", "/api/orders", order("bought", price="60000.00", order_qty="0.25"))
        still(data)
        yield found


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    found = running.client()
    yield found
    found.close()


@pytest.fixture(scope="module")
def saved(running: Running, data: Path) -> tuple[Path, int, dict[str, int]]:
    """A backup taken under load: where, up to which position, and what was accepted by then."""
    with Beside(running) as beside:
        wait_for(lambda: len(beside.accepted) > 200)
        to = data.parent / "backup"
        assert main(["backup", "--data", str(data), "--to", str(to)]) == 0
        seen = len(beside.accepted)
        wait_for(lambda: len(beside.accepted) > seen)
    position = max(each.position for each in entries_after(to, 0))
    return to, position, {name: at for name, at in beside.accepted.items() if at <= position}


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(arguments) == status
    return capsys.readouterr().out


def test_a_backup_of_a_running_house_is_that_house(
    saved: tuple[Path, int, dict[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, position, accepted = saved
    data = tmp_path / "again"
    restored = json.loads(told(capsys, "restore", "--from", str(backup), "--data", str(data)))
    assert restored["entries"] == position
    assert json.loads(told(capsys, "verify", "--data", str(data)))["wrong"] == []
    with house(data) as again:
        client = again.client()
        found = client.all("/api/orders?account_id=demo&limit=500")
        assert len(accepted) > 200
        names = {each["order_id"] for each in found if each["cl_ord_id"] != "bought"}
        # One that was accepted and not answered yet may be there; its batch was.
        assert names >= set(accepted)
        assert len(names) < len(accepted) + 50
        assert again.stop() == 0
    rebuilt = json.loads(told(capsys, "rebuild", "--data", str(data)))
    assert rebuilt["different"] == []
    assert rebuilt["entries"] >= position
    assert not list(data.glob("views.rebuilt*"))
    refused = main(["restore", "--from", str(backup), "--data", str(data)])
    assert refused == EXIT_USAGE
    assert "is not empty" in capsys.readouterr().err


def test_a_rebuild_says_which_table_is_not_what_the_journal_makes(
    saved: tuple[Path, int, dict[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "house"
    shutil.copytree(saved[0], data)
    told(capsys, "verify", "--data", str(data))  # which fills the views
    with sqlite3.connect(data / "views.db") as views:
        views.execute("UPDATE trading_orders_v2 SET lots = lots + 1 WHERE number = 7")
    found = json.loads(told(capsys, "rebuild", "--data", str(data), status=EXIT_WRONG))
    [different] = found["different"]
    assert different.startswith("trading_orders_v2: ")


def test_a_replay_until_a_position_is_the_account_as_of_it(
    client: Client,
    data: Path,
    saved: tuple[Path, int, dict[str, int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    entries = [each for each in entries_after(data, 0) if each.stream == DEMO]
    for position in (entries[3].position, entries[-20].position, saved[1]):
        asked = ("--until", str(position), "--stream", DEMO, "--data", str(data))
        text, end = told(capsys, "replay", *asked).rsplit(f"\n{DEMO}  version ", 1)
        version = sum(each.position <= position for each in entries)
        assert end.startswith(f"{version}  sha256 ")
        state = json.loads(text)
        shown = client.get(f"/api/accounts/demo?as_of={position}")
        assert shown["position"] == position
        by_asset = {each["asset"]: Decimal(each["balance"]) for each in shown["balances"]}
        for asset, decimals in DECIMALS.items():
            units = state["balances"].get(asset, 0)
            assert by_asset.get(asset, Decimal(0)) == Decimal(units).scaleb(-decimals)
        assert shown["open_orders"] == len(state["working"])


def test_why_finds_an_order_by_each_of_its_names(
    client: Client, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [bought] = client.get("/api/orders?account_id=demo&cl_ord_id=bought")["items"]
    lives = []
    for name in (bought["order_id"], "bought"):
        life = json.loads(told(capsys, "why", name, "--json", "--data", str(data)))
        lives.append([step["kind"] for step in life["steps"]])
    assert lives[0] == lives[1]
    assert lives[0][0] == "trading.order_accepted.v1"
    assert "trading.order_filled.v1" in lives[0] or any("fill" in kind for kind in lives[0])
    last = life["steps"][-1]["position"]
    at = json.loads(told(capsys, "why", str(last), "--json", "--data", str(data)))
    assert last in [step["position"] for step in at["steps"]]
    assert "bought" in told(capsys, "why", "bought", "--data", str(data))
    told(capsys, "why", "nobody-knows-this", "--data", str(data), status=EXIT_WRONG)


def test_a_key_that_is_made_beside_a_house_is_known_and_revoked_at_once(
    running: Running, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--data", str(data), "--tenant", "demo")
    made = json.loads(
        told(capsys, "key", "create", *asked, "--user", "ann", "--role", "trader",
             "--account", "demo")
    )  # fmt: skip
    assert made["token"] not in told(capsys, "key", "list", *asked)
    client = running.client(made["token"])
    assert client.ask("GET", "/api/orders?account_id=demo&limit=1").status == 200
    told(capsys, "key", "revoke", *asked, "--key", made["key_id"])
    wait_for(lambda: client.ask("GET", "/api/orders?account_id=demo&limit=1").status == 401)
    assert "revoked" in told(capsys, "key", "list", *asked)
    told(capsys, "key", "revoke", *asked, "--key", "nothing", status=EXIT_WRONG)


def test_a_flipped_byte_is_found_with_its_segment_and_place(
    saved: tuple[Path, int, dict[str, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "house"
    shutil.copytree(saved[0], data)
    [segment] = (data / "journal").glob("*.seg")
    with segment.open("r+b") as file:
        file.seek(9_000)
        found = file.read(1)
        file.seek(9_000)
        file.write(bytes([found[0] ^ 16]))
    wrong = json.loads(told(capsys, "verify", "--data", str(data), status=EXIT_WRONG))["wrong"]
    assert len(wrong) == 1
    assert f"segment {segment.stem} at byte " in wrong[0]
    at = int(wrong[0].partition(" at byte ")[2].partition(":")[0])
    assert 0 < at <= 9_000, "where the frame begins that holds it"


def test_a_doctor_names_kernels_and_where_each_setting_is_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fondaco.toml").write_text("paper_latency_ms = 7\nport = 1\n")
    monkeypatch.setenv("FONDACO_PORT", "2")
    monkeypatch.setenv("FONDACO_LOG_LEVEL", "INFO")
    text = told(capsys, "doctor", "--data", str(tmp_path), "--set", "log_level=DEBUG")
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.startswith("  ")}
    assert re.search(r"^page (built, [\d,]+ bytes|not built: `make page`)", text, re.MULTILINE)
    assert rows["fondaco.domain.market.book:"][1].startswith(("compiled", "source"))
    assert rows["paper_latency_ms"][1:] == ["7", "ms", "file"]
    assert rows["port"][1:] == ["2", "TCP", "port", "environment"]
    assert rows["log_level"][1:] == ["DEBUG", "command", "line"]
    assert rows["behind_max_ms"][-1] == "default"


def test_a_market_is_recorded_and_served_again(tmp_path: Path) -> None:
    recorded = fondaco("record", "--feed", "synthetic", "--seconds", "1", "--data", str(tmp_path))
    assert recorded.returncode == 0, recorded.stderr
    found = json.loads(recorded.stdout)
    assert found["last_position"] > 10
    assert set(found["qualities"].values()) == {"ok"}
    options = ("--feed", f"replay:{tmp_path / 'tape'}")
    with house(tmp_path / "house", options=options) as running:
        client = running.client()
        price = client.get("/api/market-data/prices/BTC-USD")
        assert price["mark"]["source"].startswith("replay")
        assert price["synthetic"] is True, "a recording of a synthetic market is synthetic"
        assert "feed replay:synthetic" in running.said()
        taken = fondaco("record", "--feed", "synthetic", "--data", str(tmp_path / "house"))
        assert taken.returncode == EXIT_WRONG
        assert "is being written by another process" in taken.stderr
        assert running.stop() == 0


def test_a_recording_without_an_end_ends_with_a_signal_and_says_what_it_has(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "fondaco", "record", "--feed", "synthetic"]
    recording = subprocess.Popen(
        [*command, "--data", str(tmp_path)], stdout=subprocess.PIPE, env=environment()
    )
    wait_for(lambda: list(tmp_path.glob("tape/*/*.seg")))
    recording.send_signal(signal.SIGINT)
    out, _ = recording.communicate(timeout=20)
    assert recording.returncode == 0
    assert json.loads(out)["last_position"] > 0
    assert main(["verify", "--data", str(tmp_path)]) == EXIT_WRONG  # there is no journal


def test_what_is_older_than_its_retention_is_forgotten_at_the_start(tmp_path: Path) -> None:
    """Replies under idempotency keys, and sealed segments of the tape."""
    data = tmp_path / "house"
    days_ago = Instant(time.time_ns() - 400 * 24 * 3_600_000_000_000)
    tape = SegmentTape(data / "tape")
    for nth in range(2):
        tape.append("old", Instant(days_ago + nth), b"x")
        tape.seal()
    tape.append("new", Instant(time.time_ns()), b"x")
    tape.close()
    with house(data) as running:
        for key in ("young", "old"):
            headers = {"Idempotency-Key": key}
            running.client().ask("POST", "/api/orders", order(key), headers=headers)
        wait_for(lambda: not list((data / "tape" / "old").glob("*.seg")))
        assert running.stop() == 0
    with sqlite3.connect(data / "records.db") as records:
        hours_ago = time.time_ns() - 25 * 3_600_000_000_000
        kept = records.execute("SELECT name FROM gateway_replies").fetchall()
        if len(kept) != 2:
            pytest.fail(f"{len(kept)} answers are kept under two keys")
        records.execute(
            "UPDATE gateway_replies SET kept_at = ? WHERE name = ?", (hours_ago, *kept[0])
        )
    with house(data) as running:
        wait_for(lambda: replies(data) == [kept[1]])
        assert running.stop() == 0


def replies(data: Path) -> list[Any]:
    with sqlite3.connect(data / "records.db") as records:
        return records.execute("SELECT name FROM gateway_replies").fetchall()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["up", "--demo", "--host", "0.0.0.0"], "leave out --demo"),
        (["up", "--feed", "bloomberg"], "feed is 'bloomberg'"),
        (["up", "--feed", "replay:/nowhere"], "is not there"),
        (["up", "--set", "prot=1"], "did you mean port"),
        (["up", "--port", "70000"], "0 to 65535"),
        (["backup", "--to", "."], "exists already"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake_of_use(
    saved: tuple[Path, int, dict[str, int]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    data = saved[0] if arguments[0] == "backup" else tmp_path
    assert main([*arguments, "--data", str(data)]) == EXIT_USAGE
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["fly"], ["up", "--fast"], ["why"], ["record"], ["key"], ["key", "revoke"]]
)
def test_what_is_no_command_is_a_mistake_of_use(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == EXIT_USAGE


@pytest.mark.parametrize("command", ["replay", "verify", "rebuild"])
def test_where_there_is_no_house_it_is_said(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--data", str(tmp_path)]) == EXIT_WRONG
    assert "holds no journal" in capsys.readouterr().err


def environment() -> dict[str, str]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path}


def fondaco(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "fondaco", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)


def test_the_demo_token_is_no_secret_of_another_house(tmp_path: Path) -> None:
    """It is kept in memory: the same data directory without --demo does not know it."""
    with house(tmp_path / "house") as running:
        assert running.stop() == 0
    command = [sys.executable, "-m", "fondaco", "up", "--port", "0", "--feed", "none"]
    process = subprocess.Popen(
        [*command, "--data", str(tmp_path / "house")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=environment(),
    )
    running = Running(process)
    try:
        reply = running.wait().client(TOKEN).ask("GET", "/api/accounts")
        assert reply.status == 401
        assert "Bearer" not in running.said()
    finally:
        running.kill()
