"""A tape that is synced: what was asked for is on the disk, or somebody is told that it is not."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.tape.segments import SegmentTape


class Disk:
    """Counts syncs, and refuses as many as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refuses = self.syncs = 0
        self._real: Any = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self.sync)

    def sync(self, file: int) -> None:
        if self.refuses:
            self.refuses -= 1
            raise OSError(errno.EIO, "Input/output error")
        self.syncs += 1
        self._real(file)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def frames(folder: Path) -> list[bytes]:
    """What somebody reads who opens it anew, as after a crash."""
    with closing(SegmentTape(folder, quota_bytes=1 << 30)) as tape:
        return [each.raw for each in tape.read()]


def test_what_was_synced_is_there_for_whoever_opens_it_next(tmp_path: Path, disk: Disk) -> None:
    with closing(SegmentTape(tmp_path, quota_bytes=1 << 30)) as tape:
        for nth in range(3):
            tape.append("a", Instant(1), b"%d" % nth)
            tape.append("b", Instant(1), b"%d" % nth)
            tape.sync()
            assert frames(tmp_path) == [b"%d" % (each // 2) for each in range(2 * nth + 2)]
        before = disk.syncs
        tape.sync()
        assert disk.syncs == before, "nothing was appended since"


def test_many_who_wait_share_syncs(tmp_path: Path, disk: Disk) -> None:
    with closing(SegmentTape(tmp_path, quota_bytes=1 << 30)) as tape:

        def one(nth: int) -> None:
            tape.append("a", Instant(1), b"%d" % nth)
            tape.sync()
            assert b"%d" % nth in frames(tmp_path)

        with ThreadPoolExecutor(8) as pool:
            assert len(list(pool.map(one, range(40)))) == 40
        assert 1 <= disk.syncs <= 40
        assert sorted(frames(tmp_path), key=int) == [b"%d" % nth for nth in range(40)]


def test_a_disk_that_cannot_sync_is_told_and_nothing_stands_behind_a_hole(
    tmp_path: Path, disk: Disk
) -> None:
    with closing(SegmentTape(tmp_path, quota_bytes=1 << 30)) as tape:
        tape.append("a", Instant(1), b"first")
        tape.sync()
        tape.append("a", Instant(1), b"second")
        disk.refuses = 1
        with pytest.raises(Unavailable, match="cannot be synced"):
            tape.sync()
        tape.append("a", Instant(1), b"third")
        tape.sync()
        assert len(list((tmp_path / "a").glob("*.seg"))) == 2, "a segment of its own"
    assert frames(tmp_path)[-1] == b"third"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("in the way")
    with closing(SegmentTape(tmp_path, quota_bytes=1 << 30)) as tape:
        tape.append("a", Instant(1), b"first")
        with pytest.raises(Unavailable, match="cannot be written"):
            tape.sync()
        (tmp_path / "a").unlink()
        tape.sync()
    assert frames(tmp_path) == [b"first"]
