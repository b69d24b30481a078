"""What the journal promises of failing disks and dying processes holds where it is encrypted."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from faults import test_journal_faults as faults
from faults.noted import CODEC, A, decision, folder_in_memory
from fondaco.kernel.errors import Corrupt, Unavailable
from fondaco.ports.at_rest import AtRest
from fondaco.ports.journal.segments import SegmentJournal

PROMISES: Final[list[Callable[[Path], None]]] = [
    faults.test_a_full_disk_serves_again_once_there_is_room,
    faults.test_a_call_that_writes_less_than_asked_is_continued,
    faults.test_a_process_that_dies_at_any_byte_leaves_all_or_nothing,
    faults.test_an_append_that_is_interrupted_is_not_written_over,
    lambda folder: faults.test_any_call_may_fail_and_nothing_acknowledged_is_lost(
        folder, errno.EIO, 2
    ),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_in_memory() as folder:
        yield folder


@pytest.mark.parametrize("promise", PROMISES)
def test_it_holds(
    folder: Path, promise: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "CODEC", CODEC.with_frames(AtRest(bytes(32))))
    promise(folder)


def test_without_its_key_or_with_another_nothing_is_read(folder: Path) -> None:
    """Nor is any of it on the disk, names of streams included."""
    key = AtRest(bytes(32))
    with_key = SegmentJournal(folder, CODEC, at_rest=key)
    with_key.append([decision(A, 0, "a word that nobody says")])
    while with_key.index_more():
        pass
    assert with_key.read(A)
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"a word that nobody" not in stored
    assert b"account/" not in stored
    for other, error in ((None, Unavailable), (AtRest(b"x" * 32), Corrupt)):
        with pytest.raises(error):
            SegmentJournal(folder, CODEC, writer=False, at_rest=other).follow(0, 10)
    with_key.close()
