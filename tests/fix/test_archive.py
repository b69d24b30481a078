"""What is too old for the index is in files, and nowhere twice."""

import gzip
from pathlib import Path

import pytest

from fondaco.app.fix.archive import AT_ONCE, DAY_NS, Archiving, Retention, manifest, wrong
from fondaco.app.fix.search import in_files
from fondaco.domain.fix import encode
from fondaco.domain.fix.search.asking import asked
from fondaco.domain.fix.search.model import EVERYTHING, Asked
from fondaco.domain.fix.store.messages import Keeper, create, search, span_of
from fondaco.ports.store.sqlite import SqliteStore

NOW = 1_795_341_600_000_000_000


def message(number: int, days: int) -> tuple[int, Asked]:
    """Every third is a heartbeat."""
    kind = b"0" if number % 3 == 0 else b"D"
    fields = [(35, kind), (34, b"%d" % number), (49, b"BUY"), (56, b"SELL"), (58, b"word")]
    return number, Asked(NOW - days * DAY_NS, "S", "in", encode("FIX.4.4", fields))


def left(store: SqliteStore, query: str = "") -> list[int]:
    with store.reading() as conn:
        found = search(conn, asked(query) if query else EVERYTHING, span_of(), 100)
    return [each.id for each in reversed(found.items)]


@pytest.fixture
def rows() -> list[tuple[int, Asked]]:
    return [message(number, 12 - number) for number in range(1, 12)]


def filled(path: Path, rows: list[tuple[int, Asked]]) -> SqliteStore:
    store = SqliteStore(path, durable=False)
    with store.writing() as conn:
        create(conn)
        Keeper().keep(conn, rows)
    return store


def test_each_class_goes_when_it_is_old_and_is_found_in_its_file(
    tmp_path: Path, rows: list[tuple[int, Asked]]
) -> None:
    store, folder = filled(tmp_path / "one.db", rows), tmp_path / "archive"
    archiving = Archiving(folder, store, Retention(5, 8, 1_000))
    assert len(rows) < AT_ONCE
    assert not archiving.step(NOW)
    # Heartbeats 3 and 6 are older than 5 days, the orders 1 and 2 than 8.
    assert left(store) == [4, 5, 7, 8, 9, 10, 11]
    assert left(store, "word 34<6".replace("word", '"word"')) == [4, 5]
    known = manifest(folder)
    assert [(each.kind, each.messages) for each in known.files] == [("admin", 2), ("rest", 2)]
    files = [folder / each.file for each in known.files]
    assert [hit["seq_num"] for hit in in_files('58:~"word"', files, 10)] == [3, 6, 1, 2]
    assert [hit["at"] for hit in in_files("34=6", files, 10)] == ["2026-11-16T10:00:00Z"]
    assert wrong(folder) == []
    assert not archiving.step(NOW)  # nothing more, and no empty file
    assert manifest(folder) == known

    # An index that is filled anew from the tape lets go of them again, and writes no file twice.
    again = filled(tmp_path / "two.db", rows)
    assert not Archiving(folder, again, Retention(5, 8, 1_000)).step(NOW)
    assert left(again) == left(store)
    assert manifest(folder) == known

    # Files have their time, too.
    assert not Archiving(folder, again, Retention(5, 8, 10)).step(NOW + DAY_NS // 2)
    assert [each.first for each in manifest(folder).files] == [3, 4]
    assert manifest(folder).gone == 2
    assert not files[1].exists()
    store.close()
    again.close()


def test_a_file_that_was_changed_is_named(tmp_path: Path, rows: list[tuple[int, Asked]]) -> None:
    store, folder = filled(tmp_path / "one.db", rows), tmp_path / "archive"
    Archiving(folder, store, Retention(5, 8, 1_000)).step(NOW)
    first, second = (folder / each.file for each in manifest(folder).files)
    first.write_bytes(gzip.compress(b"nothing"))
    second.unlink()
    assert [line.rpartition("/")[2] for line in wrong(folder)] == [
        f"{first.name} does not match its SHA-256 in the manifest",
        f"{second.name} is missing",
    ]
    store.close()
