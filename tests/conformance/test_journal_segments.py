"""What is asked of segment files alone: readers beside a writer, damage, the index, backups."""

import fcntl
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faults.journal_process import journal_process
from faults.noted import (
    CODEC,
    A,
    B,
    FaultyDisk,
    copied,
    decision,
    everything,
    flip,
    folder_in_memory,
    head_word,
    set_head_word,
)
from fondaco.kernel.errors import Conflict, Corrupt, Invalid, Unavailable
from fondaco.kernel.event import Entry
from fondaco.ports.journal._chain import Chain
from fondaco.ports.journal._frames import FRAME_HEADER, SEGMENT_HEADER, segment_of
from fondaco.ports.journal.segments import SegmentJournal


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_in_memory() as folder:
        yield folder


def small(folder: Path, disk: FaultyDisk | None = None) -> SegmentJournal:
    """On a disk that is told to sync and spares itself the trouble."""
    return SegmentJournal(folder, CODEC, segment_bytes=4096, disk=disk or FaultyDisk())


def reader(folder: Path) -> SegmentJournal:
    return SegmentJournal(folder, CODEC, writer=False)


def written_to(folder: Path, turns: int, segment_bytes: int = 4096) -> list[Entry]:
    """A closed journal of `turns` appends of two entries each."""
    journal = SegmentJournal(folder, CODEC, segment_bytes=segment_bytes, disk=FaultyDisk())
    written: list[Entry] = []
    for turn in range(turns):
        written += journal.append([decision(A, turn, f"a{turn}"), decision(B, turn, f"b{turn}")])
    journal.close()
    return written


def test_7_also_in_another_process_which_is_named(folder: Path) -> None:
    with journal_process(folder, writer=True) as told:
        assert told("append", 1, 1) == [1, 0]
        with pytest.raises(Conflict, match=f"process {told.process.pid}"):
            small(folder)
        with journal_process(folder, writer=True) as second:
            assert second("look")[0] == "conflict"
    journal = small(folder)  # killed, it holds nothing
    assert journal.head() == 1
    journal.close()


def test_5_nobody_sees_what_is_not_durable_yet(folder: Path) -> None:
    syncing, go_on = threading.Event(), threading.Event()

    class SlowDisk(FaultyDisk):
        def fdatasync(self, file: int) -> None:
            if writer.head() == 1:
                syncing.set()
                go_on.wait(20)
            super().fdatasync(file)

    writer = small(folder)
    writer.append([decision(A, 0, "durable")])
    writer.close()
    writer = small(folder, disk=SlowDisk())
    with journal_process(folder, writer=False) as told:
        assert told("look") == [1, [1]]
        appending = threading.Thread(target=writer.append, args=([decision(A, 1, "2")],))
        appending.start()
        assert syncing.wait(20)
        assert told("look") == [1, [1]]
        assert len(writer.read(A)) == len(list(writer.replay(A))) == writer.head() == 1
        go_on.set()
        appending.join()
        assert told("look") == [2, [1, 2]]
    writer.close()


def test_5_a_reader_in_another_process_follows_without_gaps(folder: Path) -> None:
    turns = 600
    journal = SegmentJournal(folder, CODEC, segment_bytes=8192)
    with journal_process(folder, writer=False) as told:
        appending = threading.Thread(
            target=lambda: [journal.append([decision(A, n, "x" * (n % 90))]) for n in range(turns)]
        )
        appending.start()
        assert told("follow", turns) == list(range(1, turns + 1))
        appending.join()
    assert len(list(folder.glob("*.seg"))) > 5
    journal.close()


def test_a_reader_may_come_first_and_writes_nothing(folder: Path) -> None:
    early = reader(folder)
    assert (early.head(), early.follow(0, 9), early.read(A), early.verify()) == (0, [], [], 0)
    assert not folder.exists()
    written = written_to(folder, 3)
    assert early.follow(0, 9) == written
    with pytest.raises(Unavailable, match="not open for writing"):
        early.append([decision(A, 3, "1")])


def test_a_decision_without_events_is_refused(folder: Path) -> None:
    journal = small(folder)
    with pytest.raises(Invalid):
        journal.append([decision(A, 0)])
    assert journal.append([]) == []
    journal.close()
    with pytest.raises(Unavailable):
        journal.append([decision(A, 0, "1")])


def test_a_group_larger_than_a_segment_gets_one_of_its_own(folder: Path) -> None:
    journal = small(folder)
    written = journal.append([decision(A, 0, "1")])
    written += journal.append([decision(A, 1, "x" * 3_000_000)])
    written += journal.append([decision(A, 2, "3")])
    assert everything(journal) == written
    assert journal.verify() == 3
    journal.close()


@pytest.mark.parametrize("cut", ["zeros", "end of file", "noise"])
def test_a_torn_last_frame_is_cut_off_at_every_length(folder: Path, cut: str) -> None:
    written_to(folder, 2)
    before = head_word(folder)
    journal = small(folder)
    written = everything(journal)
    journal.append([decision(A, 2, "torn off")])
    journal.close()
    begin = head_word(folder) & 0xFFFFFF
    content = (folder / "00000001.seg").read_bytes()
    end = len(content.rstrip(b"\0"))
    set_head_word(folder, before)
    for length in range(begin, end):
        rest = {"zeros": len(content) - length, "end of file": 0, "noise": 99}[cut]
        torn = content[:length] + (b"\xf7" if cut == "noise" else b"\0") * rest
        (folder / "00000001.seg").write_bytes(torn)
        other = copied(folder, folder.with_name("torn"))
        journal = small(other)
        assert everything(journal) == written, length
        more = journal.append([decision(A, 2, "instead"), decision(B, 2, "instead")])
        journal.close()
        # What was written once is not written over by others.
        clean = cut == "zeros" and length == begin
        assert segment_of(head_word(other)) == (1 if clean else 2)
        journal = small(other)
        assert everything(journal) == everything(reader(other)) == written + more, length
        assert journal.verify() == 6
        journal.close()


def test_a_whole_last_frame_that_nobody_was_told_of_is_kept_and_synced_again(folder: Path) -> None:
    written_to(folder, 1)
    before = head_word(folder)
    written_again = copied(folder, folder.with_name("again"))
    journal = small(written_again)
    journal.append([decision(A, 1, "2")])
    journal.close()
    set_head_word(written_again, before)
    assert reader(written_again).head() == 2
    disk = FaultyDisk()
    journal = small(written_again, disk=disk)
    assert disk.synced == [str(written_again / "00000001.seg")]
    assert disk.calls[0] == "pwrite"
    assert journal.head() == reader(written_again).head() == 3
    journal.close()


@pytest.mark.parametrize("lagging", [False, True])
def test_a_flipped_bit_in_the_middle_is_found_and_located(folder: Path, lagging: bool) -> None:
    """Also after a power cut, when only the frames behind it say that it was acknowledged."""
    written_to(folder, 3)
    frame = (head_word(folder) & 0xFFFFFF) - SEGMENT_HEADER >> 1  # all three are of one length
    for offset in range(SEGMENT_HEADER + 2 * frame):
        other = copied(folder, folder.with_name("flipped"))
        flip(other / "00000001.seg", offset, bit=offset % 8)
        if lagging:
            set_head_word(other, 0)
        began = 0 if offset < SEGMENT_HEADER else offset - (offset - SEGMENT_HEADER) % frame
        with pytest.raises(Corrupt, match=f"segment 00000001 at byte {began}:"):
            small(other)


def test_a_flipped_bit_in_the_last_frame_is_no_torn_frame(folder: Path) -> None:
    written_to(folder, 3)
    begin = head_word(folder) & 0xFFFFFF
    for offset in range(begin, begin + FRAME_HEADER + 40):
        other = copied(folder, folder.with_name("flipped"))
        flip(other / "00000001.seg", offset)
        for look in (small, lambda folder: reader(folder).head()):
            with pytest.raises(Corrupt, match=f"at byte {begin}:"):
                look(other)


def test_a_flipped_bit_in_an_old_segment_is_found_by_whoever_reads_it(folder: Path) -> None:
    written_to(folder, 40, segment_bytes=512)
    flip(folder / "00000002.seg", SEGMENT_HEADER + FRAME_HEADER + 9)
    journal = small(folder)
    for look in (journal.verify, lambda: everything(journal), lambda: journal.read(A)):
        with pytest.raises(Corrupt, match=f"segment 00000002 at byte {SEGMENT_HEADER}:"):
            look()
    journal.close()


def test_a_missing_segment_is_found(folder: Path) -> None:
    written_to(folder, 40, segment_bytes=512)
    (folder / "00000002.seg").unlink()
    with pytest.raises(Corrupt, match=r"00000002\.seg is missing"):
        reader(folder).verify()


def test_frames_of_another_journal_are_not_believed(folder: Path) -> None:
    written_to(folder, 40, segment_bytes=512)
    written_to(folder.with_name("other"), 40, segment_bytes=512)
    shutil.copy(folder.with_name("other") / "00000002.seg", folder / "00000002.seg")
    with pytest.raises(Corrupt, match="segment 00000002"):
        reader(folder).verify()


@pytest.mark.parametrize("indexed", [0, 1, 13, 40, 1000])
def test_the_index_changes_nothing_that_is_read(folder: Path, indexed: int) -> None:
    written = written_to(folder, 40, segment_bytes=512)
    own = [entry for entry in written if entry.stream == B]
    follower = reader(folder)
    filled = 0
    while filled < indexed and follower.index_more(1):
        filled += 1
    assert filled == min(indexed, 40)
    journal = small(folder)
    steps: dict[str, Callable[[], object]] = {
        "as it is": lambda: None,
        "deleted": lambda: shutil.rmtree(folder / "index", ignore_errors=True),
        "rebuilt in part": lambda: follower.index_more(5),
        "rebuilt": lambda: [follower.index_more(7) for _ in range(9)],
        "half deleted": lambda: list(map(os.unlink, folder.glob("index/*.db"))),
        "rebuilt beside old logs": lambda: follower.index_more(9),
        "emptied": lambda: next(folder.glob("index/*.db")).write_bytes(b""),
        "rebuilt from nothing": lambda: [follower.index_more(9) for _ in range(3)],
        "damaged": lambda: next(folder.glob("index/*.db")).write_bytes(b"no database" * 1000),
    }
    for step, take in steps.items():
        take()
        version = len(own)
        for look in (journal, follower, reader(folder)):
            assert look.read(B) == own, step
            assert look.read(B, after_version=11) == own[11:], step
            assert look.read(B, after_version=version - 1) == own[-1:], step
        with pytest.raises(Conflict):
            journal.append([decision(B, version - 1, "late")])
        own += journal.append([decision(B, version, step)])
    successor = reader(folder)  # of the follower, who may have the sound file in memory
    while successor.index_more(7):
        pass
    assert reader(folder).read(B) == own
    (file,) = folder.glob("index/*.db")
    index = sqlite3.connect(file)
    assert index.execute("SELECT count(*) FROM frame").fetchone() == (80 + len(steps),)
    index.close()
    journal.close()


def test_the_index_of_another_journal_is_not_believed(folder: Path) -> None:
    """Of one that looks the same from afar: as many frames, at the same places."""
    other = folder.with_name("other")
    for where, streams in ((folder, (A, B)), (other, (B, A))):
        journal = small(where)
        for turn in range(8):
            journal.append([decision(streams[turn % 2], turn // 2, "1")])
        journal.close()
    filler = reader(folder)
    assert filler.index_more(100)
    filler.close()
    shutil.copytree(folder / "index", other / "index")
    late = reader(other)
    for _ in range(2):
        assert [entry.position for entry in late.read(A)] == [2, 4, 6, 8]
        assert [entry.position for entry in late.read(B)] == [1, 3, 5, 7]
        late.index_more(100)


def test_an_index_that_was_deleted_takes_nothing_of_its_successor_along(folder: Path) -> None:
    written_to(folder, 20)
    journal, follower = small(folder), reader(folder)
    assert follower.index_more(5)
    assert len(journal.read(A)) == 20  # and has the file open
    shutil.rmtree(folder / "index")
    assert follower.index_more(5)
    assert len(journal.read(A)) == 20  # closes it
    assert follower.index_more(50)
    index = sqlite3.connect(next(folder.glob("index/*.db")))
    assert index.execute("SELECT count(*) FROM frame").fetchone() == (40,)
    index.close()
    journal.close()


def test_an_index_that_lacks_a_frame_is_found_out(folder: Path) -> None:
    written_to(folder, 20)
    follower = reader(folder)
    assert follower.index_more(50)
    index = sqlite3.connect(next(folder.glob("index/*.db")))
    index.execute("DELETE FROM frame WHERE version = 8")
    index.commit()
    index.close()
    for after in (0, 7):
        with pytest.raises(
            Corrupt, match=r"goes on at version 8, not where it was: delete .*index"
        ):
            follower.read(B, after)
    shutil.rmtree(folder / "index")
    assert len(follower.read(B)) == 20


def test_versions_that_do_not_follow_each_other_are_found(folder: Path) -> None:
    """As a build would write them that does not check."""
    journal = small(folder)
    assert journal._tip is not None
    journal._tip.append(CODEC.encode([decision(A, 0, "1"), decision(A, 2, "3")]), 2)
    for look in (journal.verify, lambda: journal.read(A)):
        with pytest.raises(Corrupt):
            look()
    journal.close()


def test_one_process_at_a_time_fills_the_index(folder: Path) -> None:
    written_to(folder, 9)
    with (folder / "index.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not reader(folder).index_more(5)
    with journal_process(folder, writer=False) as told:
        assert told("index", 5) is True
        assert reader(folder).index_more(4)
        assert told("index", 5) is False


def test_a_backup_of_a_running_journal_is_a_journal(folder: Path) -> None:
    journal = SegmentJournal(folder, CODEC, segment_bytes=8192)
    stop, grown = threading.Event(), threading.Semaphore(0)

    def load() -> None:
        version = 0
        while not stop.is_set():
            journal.append([decision(A, version, "x" * (version % 50)), decision(B, version, "y")])
            version += 1
            if version % 100 == 0:
                grown.release()

    appending = threading.Thread(target=load)
    appending.start()
    try:
        for number in range(4):
            assert grown.acquire(timeout=20)
            least = journal.head()
            (journal if number % 2 else reader(folder)).backup(folder.with_name(f"backup{number}"))
            read_only = reader(folder.with_name(f"backup{number}")).verify()
            copy = SegmentJournal(folder.with_name(f"backup{number}"), CODEC, segment_bytes=8192)
            assert copy.verify() == copy.head() == read_only >= least
            assert everything(copy, 100) == everything(journal, 100)[: copy.head()]
            version = copy.head() // 2
            assert copy.append([decision(B, version, "on")])[0].position == copy.head()
            copy.close()
    finally:
        stop.set()
        appending.join()
    with pytest.raises(Conflict, match="there already"):
        journal.backup(folder.with_name("backup0"))
    journal.close()


def test_decisions_come_with_the_position_of_their_first_event(folder: Path) -> None:
    journal = small(folder)
    journal.append([decision(A, 0, "1", "2"), decision(B, 0, "3")])
    journal.append([decision(B, 1, "4")])
    found = [(d.stream, first) for d, first in journal.decisions(0)]
    assert found == [(A, 1), (B, 3), (B, 4)]
    assert [first for _, first in journal.decisions(1)] == [1, 3, 4]
    assert [first for _, first in journal.decisions(2)] == [3, 4]
    assert [first for _, first in journal.decisions(3)] == [4]
    assert list(journal.decisions(4)) == []
    journal.close()


def test_the_next_segment_is_made_ahead(folder: Path) -> None:
    """A commit that finds it there writes no zeros; one that does not makes a segment itself."""
    disk = FaultyDisk()
    journal = SegmentJournal(folder, CODEC, segment_bytes=65536, disk=disk)
    journal.append([decision(A, 0, "x" * 40_000)])  # beyond the half
    for thread in threading.enumerate():
        if thread.name == "journal-spare":
            thread.join()
    disk.calls.clear()
    journal.append([decision(A, 1, "x" * 30_000)])
    assert disk.calls == ["pwrite", "fdatasync", "sync_folder", "pwrite", "fdatasync"]
    assert (folder / "00000002.seg").stat().st_size == 65536
    journal.close()
    assert not (folder / "prepared").exists()


def test_any_thread_may_read_and_fill_the_index_meanwhile(folder: Path) -> None:
    turns = 200
    journal = SegmentJournal(folder, CODEC, segment_bytes=2048, disk=FaultyDisk())
    follower = reader(folder)
    done = threading.Event()
    files: set[str] = set()

    def read(look: SegmentJournal) -> int:
        looks = 0
        while not done.is_set():
            versions = [entry.version for entry in look.read(A)]
            assert versions == list(range(1, len(versions) + 1))
            replayed = [d.expected_version for d in look.replay(A, after_version=5)]
            assert replayed == list(range(5, 5 + len(replayed)))
            positions = [entry.position for entry in look.follow(0, 10_000)]
            assert positions == list(range(1, len(positions) + 1))
            looks += 1
        return looks  # maybe none, on a busy machine

    def fill(filler: SegmentJournal) -> int:
        filled = 0
        while not done.is_set():
            filled += filler.index_more(3)
            files.update(path.name for path in folder.glob("index/*.db"))
        return filled

    with ThreadPoolExecutor() as threads:
        others = [threads.submit(read, look) for look in (journal, journal, follower, follower)]
        others += [threads.submit(fill, filler) for filler in (follower, reader(folder))]
        for version in range(turns):
            journal.append([decision(A, version, "x" * (version % 60)), decision(B, version, "y")])
        while not files:
            pass
        done.set()
        *looks, filled, more = [other.result() for other in others]
        assert sum(looks)
        assert filled + more
    assert len(files) == 1  # nobody thought that it was of another journal
    assert len(journal.read(A)) == len(follower.read(B)) == turns
    journal.close()


def test_a_place_that_is_newer_than_the_end_is_its_end(folder: Path) -> None:
    """A reader's thread may have seen the journal longer than another one, which asked before."""
    written_to(folder, 2)
    chain = Chain(folder)
    early = chain.extend(head_word(folder))
    journal = SegmentJournal(folder, CODEC, segment_bytes=512)
    journal.append([decision(A, 2, "x" * 9000)])
    journal.close()
    late = chain.extend(head_word(folder))
    assert [frame.first for _, frame in chain.frames(early.stop, late)] == [5]
    assert list(chain.frames(late.stop, early)) == []
    assert chain.extend(early.last) == late


def test_a_long_journal_is_not_mapped_all_at_once(folder: Path) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("/proc is not here")
    journal = SegmentJournal(folder, CODEC, segment_bytes=512, disk=FaultyDisk())
    for version in range(200):
        journal.append([decision(A, version, "x" * 450)])
    assert journal.verify() == len(journal.read(A)) == len(everything(journal)) == 200
    assert len(list(folder.glob("*.seg"))) == 200
    assert maps.read_text().count(f"{folder}/0000") <= 65
    journal.close()
