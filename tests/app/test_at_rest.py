"""A directory that is encrypted, or is switched over: nothing of an order lies there in clear."""

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from fondaco import cli
from fondaco.app.at_rest import at_rest, encrypt
from fondaco.app.files import Files
from fondaco.app.fix.archive import Archiving, Retention, manifest
from fondaco.app.fix.columns import Columns, open_lake
from fondaco.app.fix.copying import wrong
from fondaco.app.fix.indexing import Indexing
from fondaco.app.fix.store import open_messages
from fondaco.app.machines import open_records
from fondaco.app.offline import backup, restore, verify
from fondaco.app.sealing import open_file, seal_house
from fondaco.domain.fix import encode
from fondaco.gateway.fix.keeping import RECEIVED
from fondaco.kernel.errors import Conflict, Denied, FondacoError, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.tape.segments import SegmentTape
from fondaco.ports.tape.tail import SegmentTail
from running import Client, house

SOAK: Final = os.environ.get("FONDACO_SOAK") == "1"
DAY: Final = 86_400_000_000_000
NOW: Final = 20_000 * DAY
# What somebody who has the disk would look for: an order's own name, its text, whose it is, and
# that it is one at all.
WORDS: Final = (b"mine-and-nobodys", b"order_accepted", b"account/demo", b"BTC-USD", b"8=FIX")
# Feeds of the market are no secret, and neither are names of settings, folders and checksums.
OPEN: Final = ("tape/", "proofs/", "secrets/", "traces/", "fondaco.toml")


def found(root: Path) -> list[str]:
    """Files that say one of the words, folders named after one included."""
    return [
        f"{path.relative_to(root)}: {word.decode()}"
        for path in sorted(root.rglob("*"))
        if path.is_file() and not str(path.relative_to(root)).startswith(OPEN)
        for word in WORDS
        if word in path.read_bytes() or word in str(path).encode()
    ]


def order(client: Client, name: str) -> dict[str, Any]:
    asked = {
        "account_id": "demo", "cl_ord_id": name, "symbol": "BTC-USD", "side": "buy",
        "ord_type": "limit", "order_qty": "0.01", "price": "1000.00",
    }  # fmt: skip
    headers = {"Idempotency-Key": f"key-{name}"}
    reply = client.ask("POST", "/api/orders", asked, headers=headers)
    assert reply.status == 201, reply.body
    made: dict[str, Any] = reply.body
    return made


def names(client: Client, position: int) -> set[str]:
    listed = client.get(f"/api/orders?account_id=demo&min_position={position}")["items"]
    return {each["cl_ord_id"] for each in listed}


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house that has run encrypted from its first day, and ended."""
    data = tmp_path_factory.mktemp("encrypted") / "house"
    with house(data, options=["--set", "encrypt_at_rest=true"]) as running:
        made = order(running.client(), "mine-and-nobodys")
        assert names(running.client(), made["position"]) == {"mine-and-nobodys"}
        assert not found(data), "while it runs"
        assert running.stop() == 0
    return data


@pytest.fixture(scope="module")
def in_clear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that has run in the clear."""
    data = tmp_path_factory.mktemp("clear") / "house"
    with house(data) as running:
        made = order(running.client(), "mine-and-nobodys")
        names(running.client(), made["position"])
        assert running.stop() == 0
    files = Files(data)
    filled(files)
    assert {line.partition(":")[0].partition("/")[0] for line in found(data)} >= {
        "journal", "views.db", "records.db", "messages.db", "fix",
    }  # fmt: skip
    return data


@pytest.fixture
def clear(in_clear: Path, tmp_path: Path) -> Path:
    return shutil.copytree(in_clear, tmp_path / "house")


def filled(files: Files) -> None:
    """FIX of eight days: on the tape, in the index, archived and in columns."""
    key = at_rest(files)
    with closing(SegmentTape(files.fix, at_rest=key)) as tape:
        for number in range(1, 9):
            raw = encode("FIX.4.4", [(35, b"D"), (34, b"%d" % number), (11, b"mine-and-nobodys")])
            tape.append("s1", Instant(NOW - (8 - number) * DAY), RECEIVED + raw)
    with closing(open_messages(files)) as store, closing(open_records(files)) as records:
        with closing(Indexing(files.fix, store, records, key)) as indexing:
            assert not indexing.step()
        Archiving(files.fix_archive, store, Retention(3, 3, 1_000), key).step(NOW)
    with closing(Columns(open_lake(files.fix_lake, key), files.fix, 1_000, key)) as columns:
        columns.step(NOW)


def rows(files: Files) -> int:
    lake = open_lake(files.fix_lake, at_rest(files))
    import polars as pl

    return sum(pl.read_parquet(lake.opened(part)).height for part in lake.parts(0, NOW + DAY))


def test_nothing_of_an_order_lies_there_in_clear_and_all_of_it_is_there(
    encrypted: Path, tmp_path: Path
) -> None:
    data = shutil.copytree(encrypted, tmp_path / "house")
    files = Files(data)
    filled(files)
    assert not found(data)
    assert verify(data)["wrong"] == list(wrong(files)) == []
    assert rows(files) == 8
    [archived] = manifest(files.fix_archive).files
    assert b"mine-and-nobodys" not in open_file(files, files.fix_archive / archived.file)[:2]
    [segment, *_] = files.fix.glob("*/*.seg")
    assert open_file(files, segment).count(b"mine-and-nobodys") >= 1
    with closing(SegmentTail(files.fix, {}, at_rest(files))) as tail:
        assert len(list(tail.step())) == 8
    with house(data) as running:  # that it is encrypted is not a matter of today's settings
        second = order(running.client(), "mine-and-nobodys-2")
        expected = {"mine-and-nobodys", "mine-and-nobodys-2"}
        assert names(running.client(), second["position"]) == expected
        assert running.stop() == 0
    assert not found(data)


def test_a_backup_needs_the_keys_that_were_not_in_it(encrypted: Path, tmp_path: Path) -> None:
    to, keys, again = tmp_path / "backup", tmp_path / "keys", tmp_path / "again"
    assert backup(encrypted, to, keys)["entries"] > 0
    assert not found(to)
    with pytest.raises(Unavailable, match="key is not here"):
        restore(to, again)
    with pytest.raises(Denied, match="which unseals"):
        restore(to, again, keys=keys)
    assert not (keys / "unseal.key").exists(), "a key was made up"
    shutil.copy(encrypted / "secrets" / "unseal.key", keys)
    restore(to, again, keys=keys)
    assert verify(again)["wrong"] == []


def test_without_its_key_a_directory_says_so(encrypted: Path, tmp_path: Path) -> None:
    data = shutil.copytree(encrypted, tmp_path / "house")
    (data / "secrets" / "unseal.key").unlink()
    with pytest.raises(Denied, match="put it there"):
        verify(data)


def test_a_directory_in_the_clear_is_switched_over(
    clear: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = verify(clear)
    assert cli.main(["up", "--data", str(clear), "--set", "encrypt_at_rest=true"]) != 0
    assert "fondaco seal" in capsys.readouterr().err
    assert cli.main(["seal", "--data", str(clear)]) == 0
    said = capsys.readouterr().out
    assert f"the journal's {before['journal_entries']} entries are encrypted" in said
    assert not found(clear)
    assert verify(clear) == before, "the same entries under the same roots"
    assert rows(Files(clear)) == 8
    assert cli.main(["seal", "--data", str(clear)]) == 0, "again"
    with house(clear) as running:
        second = order(running.client(), "mine-and-nobodys-2")
        expected = {"mine-and-nobodys", "mine-and-nobodys-2"}
        assert names(running.client(), second["position"]) == expected
        # Its kept replies are there, too.
        again = order(running.client(), "mine-and-nobodys")
        assert again["order_id"] != second["order_id"]
        with pytest.raises(Conflict, match="is being served"):
            list(seal_house(Files(clear)))
        assert running.stop() == 0
    assert not found(clear)


def test_a_switch_that_dies_is_gone_on_with(
    clear: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind each call that puts something in its place."""
    before, died = verify(clear), 0
    for lives_for in range(0, 60, 1 if SOAK else 7):
        data = shutil.copytree(clear, tmp_path / f"dies{lives_for}")
        left, is_over = lives_for, False
        for name in ("rename", "replace"):
            real = getattr(Path, name)

            def dying(self: Path, target: Path, real: Any = real) -> Path:
                nonlocal left
                left -= 1
                if left < 0:
                    raise KeyboardInterrupt
                moved: Path = real(self, target)
                return moved

            monkeypatch.setattr(Path, name, dying)
        try:
            list(seal_house(Files(data)))
            is_over = True
        except KeyboardInterrupt:
            died += 1
        finally:
            monkeypatch.undo()
        assert list(seal_house(Files(data)))
        assert not found(data), lives_for
        if is_over or SOAK:
            assert verify(data) == before
        shutil.rmtree(data)
        if is_over:
            break
    assert died > 1


def test_what_is_elsewhere_is_not_ours_to_encrypt(tmp_path: Path) -> None:
    with pytest.raises(FondacoError, match="PostgreSQL"):
        encrypt(Files(tmp_path, "postgresql://somewhere"))
    assert not os.listdir(tmp_path)
