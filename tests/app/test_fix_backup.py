"""What a house keeps of FIX is in its backup, and checked by `fondaco verify`."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from fondaco.app.files import Files
from fondaco.app.fix.archive import Archiving, Retention, manifest
from fondaco.app.fix.captures import CaptureFolder
from fondaco.app.fix.columns import Columns, open_lake
from fondaco.app.fix.copying import copy_fix, wrong
from fondaco.app.fix.indexing import Indexing
from fondaco.app.fix.store import open_messages
from fondaco.app.machines import open_records
from fondaco.domain.fix import encode
from fondaco.gateway.fix.keeping import RECEIVED
from fondaco.kernel.event import Instant
from fondaco.ports.tape.segments import SegmentTape

DAY = 86_400_000_000_000
NOW = 20_000 * DAY


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A house's FIX: a tape of eight days, archived and in columns, and an upload."""
    files = Files(tmp_path / "house")
    files.root.mkdir()
    with closing(SegmentTape(files.fix)) as tape:
        for number in range(1, 9):
            raw = encode("FIX.4.4", [(35, b"D"), (34, b"%d" % number), (58, b"word")])
            tape.append("s1", Instant(NOW - (8 - number) * DAY), RECEIVED + raw)
    with closing(open_messages(files)) as store, closing(open_records(files)) as records:
        with closing(Indexing(files.fix, store, records)) as indexing:
            assert not indexing.step()
        Archiving(files.fix_archive, store, Retention(3, 3, 1_000)).step(NOW)
    with closing(Columns(open_lake(files.fix_lake), files.fix, 1_000)) as columns:
        columns.step(NOW)
    captures = CaptureFolder(files.captures, octets_max=1 << 20, quota=1 << 20)
    captures.begin("monday.log", b"8=FIX.4.4|9=5|", "me", "2026-11-22", more=False)
    return files


def test_archive_columns_uploads_and_tape_are_copied_as_they_are(
    files: Files, tmp_path: Path
) -> None:
    assert manifest(files.fix_archive).messages == 4
    copy = Files(tmp_path / "copy")
    copy_fix(files, copy)
    for folder in ("captures", "archive/fix", "lake/fix", "fix"):
        assert content(copy.root / folder) == content(files.root / folder)
        assert content(copy.root / folder)
    assert list(wrong(copy)) == []
    assert json.loads((copy.fix_lake / "manifest.json").read_bytes())["positions"] == {"s1": 8}

    part, *_ = open_lake(copy.fix_lake).parts(0, NOW + DAY)
    (copy.fix_lake / part.path).write_bytes(b"PAR1")
    (copy.fix_archive / manifest(copy.fix_archive).files[0].file).unlink()
    assert [line.rpartition("/")[2].split(" ", 1)[1] for line in wrong(copy)] == [
        "is missing",
        "does not match its SHA-256 in the manifest",
    ]


def test_files_that_are_put_together_meanwhile_are_copied_as_what_they_became(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = open_lake(files.fix_lake)
    with closing(SegmentTape(files.fix)) as tape:
        tape.append("s1", Instant(NOW - 3 * DAY), RECEIVED + encode("FIX.4.4", [(35, b"0")]))
    with closing(Columns(lake, files.fix, 1_000)) as columns:
        monkeypatch.setattr(lake, "compact", lambda _: 0)
        columns.step(NOW)
    before = files.fix_lake / "manifest.json"
    stale = before.read_bytes()
    monkeypatch.undo()
    assert lake.compact("9999") == 2
    fresh, reads = before.read_bytes(), []

    def read(path: Path) -> bytes:
        if path == before:
            reads.append(path)
            return stale if len(reads) == 1 else fresh
        with path.open("rb") as file:
            return file.read()

    monkeypatch.setattr(Path, "read_bytes", read)
    copy = Files(tmp_path / "copy")
    copy_fix(files, copy)
    monkeypatch.undo()
    assert len(reads) == 2
    assert sum(part.rows for part in open_lake(copy.fix_lake).parts(0, NOW + DAY)) == 9
    assert list(wrong(copy)) == []
