"""Disks that fail, fill up and die under the journal: promises 2, 3, 5 and 8, the hard way.

The faults come from a seam that a test makes fail, from a limit on file sizes, from a small file
system where we may mount one, and from the kernel's own calls where strace is there.
"""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from faults.journal_process import journal_process
from faults.noted import (
    CODEC,
    A,
    B,
    Died,
    DyingDisk,
    FaultyDisk,
    copied,
    decision,
    everything,
    folder_in_memory,
    full,
    head_word,
    set_head_word,
)
from fondaco.kernel.errors import Conflict, Unavailable
from fondaco.kernel.event import Decision, Entry, Event, StreamId
from fondaco.ports.journal import entries_of
from fondaco.ports.journal._frames import segment_of
from fondaco.ports.journal.segments import SegmentJournal

STREAMS = [A, B, StreamId("venue/X")]


def opened(
    folder: Path, disk: FaultyDisk | None = None, segment_bytes: int = 512
) -> SegmentJournal:
    """On a disk that is told to sync and spares itself the trouble."""
    return SegmentJournal(folder, CODEC, segment_bytes=segment_bytes, disk=disk or FaultyDisk())


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_in_memory() as folder:
        yield folder


def when(failing: range, number: int, _call: str, count: int) -> int:
    return number if count in failing else 0


def calls_of_a_clean_run(folder: Path) -> list[str]:
    disk = FaultyDisk()
    journal = opened(folder, disk)
    for version in range(6):
        journal.append([decision(A, version, "x" * 100)])
    journal.close()
    return disk.calls


@pytest.mark.parametrize("times", [1, 2, 5, 12])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_any_call_may_fail_and_nothing_acknowledged_is_lost(
    folder: Path, number: int, times: int
) -> None:
    calls = calls_of_a_clean_run(folder)
    shutil.rmtree(folder)
    assert {"pwrite", "fdatasync", "sync_folder"} <= set(calls)
    for nth in range(1, len(calls) + 1):
        failing = range(nth, nth + times)
        disk = FaultyDisk(partial(when, failing, number))
        journal = opened(folder, disk)
        follower = SegmentJournal(folder, CODEC, writer=False)
        written: list[Entry] = []
        failed, numbers = 0, set[object]()
        while len(written) < 6:
            try:
                written += journal.append([decision(A, len(written), f"{failed}" + "x" * 100)])
            except Unavailable as error:
                failed += 1
                numbers.add(error.details["errno"])
            assert failed <= times
            # What failed is there for nobody, and what did not is there for everybody.
            assert everything(journal) == everything(follower) == written
        assert numbers <= {number}
        assert failed or len(disk.calls) < nth  # a segment made ahead saves some calls
        assert journal.verify() == 6
        journal.close()
        journal = opened(folder)
        assert everything(journal) == journal.read(A) == written
        journal.close()
        shutil.rmtree(folder)


def test_a_failed_sync_may_not_be_believed_afterwards(folder: Path) -> None:
    """The bytes of the failed append are all there: in the page cache, where nobody is safe."""
    disk = FaultyDisk()
    journal = opened(folder, disk, 4096)
    written = journal.append([decision(A, 0, "1")])
    segment = segment_of(head_word(folder))
    count = len(disk.calls)
    disk.fails = lambda call, nth: errno.EIO if call == "fdatasync" and nth == count + 2 else 0
    with pytest.raises(Unavailable, match=r"cannot write to .*00000001\.seg: Input/output error"):
        journal.append([decision(A, 1, "never")])
    assert b"never" in (folder / f"{segment:08d}.seg").read_bytes()
    journal.close()
    disk = FaultyDisk()
    journal = opened(folder, disk)  # the header of the next segment is what counts
    assert everything(journal) == written
    count = len(disk.calls)  # those of the recovery
    disk.fails = lambda call, nth: errno.EIO if nth == count + 1 else 0
    with pytest.raises(Unavailable):
        journal.append([decision(A, 1, "neither")])
    written += journal.append([decision(A, 1, "instead")])
    assert segment_of(head_word(folder)) > segment
    assert everything(journal) == journal.read(A) == written
    assert journal.verify() == 2
    journal.close()


def test_a_segment_that_a_dying_process_began_has_a_durable_name_before_it_is_used(
    folder: Path,
) -> None:
    """It died between the sync of the header and that of the folder: a power cut later would take
    the whole file away, with what was acknowledged in it. Found by `fondaco sim --seed 1176`."""

    class DiesBeforeTheFolder(FaultyDisk):
        def sync_folder(self, folder: Path) -> None:
            raise Died

    with pytest.raises(Died):
        opened(folder, DiesBeforeTheFolder(), 4096).append([decision(A, 0, "1")])
    (folder / "lock").unlink()  # held by the journal that is dead
    disk = FaultyDisk()
    journal = opened(folder, disk, 4096)
    journal.append([decision(A, 0, "1")])
    assert [path.name for path in folder.glob("*.seg")] == ["00000001.seg"], "it goes on in there"
    assert disk.calls == ["sync_folder", "pwrite", "fdatasync"]
    journal.close()


def test_a_full_disk_serves_again_once_there_is_room(folder: Path) -> None:
    disk = FaultyDisk()
    journal = opened(folder, disk)
    written = journal.append([decision(A, 0, "1")])
    disk.fails = full
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"No space left .* free space there"):
            journal.append([decision(A, 1, "2")])
        with pytest.raises(Conflict):
            journal.append([decision(A, 0, "2")])
    disk.fails = lambda call, count: 0
    written += journal.append([decision(A, 1, "3")])
    assert everything(journal) == written
    assert len(list(folder.glob("*.seg"))) == 2  # what was tried in vain is cleared away
    journal.close()


@pytest.mark.parametrize("failing", ["pwrite", "fdatasync", "sync_folder"])
def test_segments_that_never_began_are_cleared_away(folder: Path, failing: str) -> None:
    disk = FaultyDisk()
    journal = opened(folder, disk)
    written = journal.append([decision(A, 0, "x" * 300)])
    disk.fails = lambda call, nth: errno.EIO if call == failing else 0
    for _ in range(9):
        with pytest.raises(Unavailable, match="cannot begin"):
            journal.append([decision(A, 1, "x" * 300)])
    assert [path.name for path in folder.glob("*.seg")] == ["00000001.seg"]
    disk.fails = lambda call, nth: 0
    written += journal.append([decision(A, 1, "x" * 300)])
    assert everything(journal) == written
    journal.close()


def test_a_disk_too_full_for_the_next_segment_is_no_matter_yet(folder: Path) -> None:
    """Who prepares it fails in silence, once; the commit that needs one makes a smaller one."""
    disk = FaultyDisk()
    disk.spare_fails = errno.ENOSPC
    journal = opened(folder, disk, 4 << 20)
    written: list[Entry] = []
    for version in range(30):
        written += journal.append([decision(A, version, "x" * 100_000)])
    assert everything(journal) == written
    assert {path.stat().st_size for path in folder.glob("*.seg")} == {1 << 20}
    assert not (folder / "prepared").exists()
    journal.close()


def test_a_call_that_writes_less_than_asked_is_continued(folder: Path) -> None:
    class Stutter(FaultyDisk):
        def pwrite(self, file: int, content: bytes | memoryview, offset: int) -> int:
            return super().pwrite(file, content[: max(1, len(content) // 3)], offset)

    journal = opened(folder, Stutter())
    written = journal.append([decision(A, 0, "x" * 400)])
    journal.close()
    journal = opened(folder)
    assert everything(journal) == written
    journal.close()


def test_a_process_that_dies_at_any_byte_leaves_all_or_nothing(folder: Path) -> None:
    """Also while it begins a segment, of which then nothing counts."""
    journal = opened(folder)
    written = journal.append([decision(A, 0, "x" * 100)])
    journal.close()
    lost = kept = 0
    for lives_for in range(0, 1200, 3):
        other = copied(folder, folder.with_name("other"))
        disk = DyingDisk()
        disk.lives_for = lives_for
        journal = opened(other, disk)
        try:
            journal.append([decision(A, 1, "y" * 300)])  # does not fit: a new segment
            break
        except Died:
            lost += 1
        journal.close()
        journal = opened(other)
        assert everything(journal) == written
        journal.append([decision(A, 1, "z")])
        assert journal.verify() == 2
        journal.close()
        kept += 1
    assert lost == kept > 300


def test_an_append_that_is_interrupted_is_not_written_over(folder: Path) -> None:
    disk = DyingDisk()
    journal = opened(folder, disk, 4096)
    journal.append([decision(A, 0, "1")])
    disk.lives_for = 50
    with pytest.raises(Died):
        journal.append([decision(A, 1, "2")])
    disk.lives_for = -1
    journal.append([decision(A, 1, "3")])
    assert segment_of(head_word(folder)) == 2
    assert [entry.position for entry in everything(journal)] == [1, 2]
    assert journal.verify() == 2
    journal.close()


def test_killed_at_any_moment_it_has_what_it_acknowledged(folder: Path) -> None:
    acknowledged = 0
    for turn in range(3):
        with journal_process(folder, writer=True) as told:
            for _ in range(5):
                (acknowledged, failed) = told("append", 7, 900)
                assert failed == 0
            assert told.process.stdin
            told.process.stdin.write('["append", 4000, 9]\n')
            told.process.stdin.flush()
            watching = SegmentJournal(folder, CODEC, writer=False)
            for _ in range(10_000_000):
                if watching.head() >= acknowledged + 20:
                    break  # it is in the midst of it
            acknowledged = watching.head()
        journal = opened(folder)
        assert journal.head() >= acknowledged, turn
        assert journal.verify() == journal.head() == len(journal.read(A))
        acknowledged = journal.head()
        journal.close()


def test_the_kernel_refuses_larger_files_and_then_allows_them(folder: Path) -> None:
    with journal_process(folder, writer=True, segment_bytes=65536) as told:
        assert told("append", 1, 10) == [1, 0]
        told("file_size_max", 32768)
        full_at, failed = told("append", 100, 1000)
        assert failed > 0
        assert told("append", 3, 1000) == [full_at, 3]
        told("file_size_max", -1)
        assert told("append", 100, 1000) == [full_at + 100, 0]
    assert SegmentJournal(folder, CODEC, writer=False).verify() == full_at + 100


@pytest.fixture
def small_file_system(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "small"
    where.mkdir()
    tools = shutil.which("mount"), shutil.which("umount")
    mount = [tools[0] or "", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(where)]
    if (
        os.geteuid()
        or shutil.which("mount") is None
        or subprocess.run(mount, check=False).returncode
    ):
        pytest.skip("mounting a small file system needs root")
    yield where
    subprocess.run([tools[1] or "", "--lazy", str(where)], check=True)


def test_a_file_system_that_is_full_and_then_is_not(small_file_system: Path) -> None:
    ballast = small_file_system / "ballast"
    ballast.write_bytes(bytes(600_000))
    journal = opened(small_file_system / "journal", segment_bytes=65536)
    written: list[Entry] = []
    refusals: list[str] = []
    while len(refusals) < 3 and len(written) < 1000:
        try:
            written += journal.append([decision(A, len(written), "x" * 5000)])
        except Unavailable as full:  # what the refused one took is given back: another may fit
            refusals.append(str(full))
    assert 20 < len(written) < 200
    assert all("No space left on device" in refusal for refusal in refusals)
    assert everything(journal) == written
    ballast.unlink()
    for _ in range(20):
        written += journal.append([decision(A, len(written), "x" * 5000)])
    assert everything(journal) == written
    assert journal.verify() == len(written)
    journal.close()


@pytest.mark.parametrize(
    "fault",
    ["fdatasync:error=EIO:when=9", "pwrite64:error=ENOSPC:when=12", "fsync:error=EIO:when=2"],
)
def test_the_kernel_says_that_a_call_failed(folder: Path, fault: str) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    probe = subprocess.run([strace, "-qq", "-e", "trace=none", "true"], check=False)
    if probe.returncode:
        pytest.skip("strace may not trace here")
    call = fault.partition(":")[0]
    under = (strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={fault}")
    with journal_process(folder, writer=True, segment_bytes=2048, under=under) as told:
        assert told("append", 20, 200) == [19, 1]
        assert told("append", 5, 200) == [24, 0]
        assert told("look") == [24, list(range(1, 25))]
    assert SegmentJournal(folder, CODEC, writer=False).verify() == 24


class UnsyncedDisk(DyingDisk):
    """Fails and dies as told, and spares the real disk."""

    def __init__(self) -> None:
        super().__init__(lambda call, count: self.failing.pop(0) if self.failing else 0)
        self.failing: list[int] = []


class JournalModel(RuleBasedStateMachine):
    """A journal, its follower and its index against a list; `unclear` may be there or not."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(os.environ["JOURNAL_MODEL"])
        self.folder = self.root / "journal"
        for path in self.root.iterdir():
            shutil.rmtree(path)
        self.entries: list[Entry] = []
        self.unclear: list[Entry] = []
        self.words = [0]
        self.open()
        self.follower = SegmentJournal(self.folder, CODEC, writer=False)
        self.followed: list[Entry] = []

    def open(self) -> None:
        self.disk = UnsyncedDisk()
        self.journal = opened(self.folder, self.disk)
        if self.unclear and self.journal.head() > len(self.entries):
            self.entries += self.unclear
        self.unclear = []
        assert self.journal.head() == len(self.entries)

    def versions(self) -> dict[StreamId, int]:
        return {s: sum(e.stream == s for e in self.entries) for s in STREAMS}

    def decided(self, sizes: list[tuple[int, int, int]]) -> list[Decision[Event]]:
        versions = self.versions()
        decided: list[Decision[Event]] = []
        for at, count, length in sizes:
            stream = STREAMS[at]
            texts = [chr(97 + count) * length] * count
            decided.append(decision(stream, versions[stream], *texts))
            versions[stream] += count
        return decided

    sizes = st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(0, 200)), min_size=1, max_size=4
    )

    @rule(sizes=sizes)
    def append(self, sizes: list[tuple[int, int, int]]) -> None:
        decided = self.decided(sizes)
        expected = entries_of(decided, len(self.entries))
        assert self.journal.append(decided) == expected
        self.entries += expected
        self.unclear = []  # cut off for ever, if it was not there
        self.words.append(head_word(self.folder))

    @rule(sizes=sizes, off=st.sampled_from([-1, 1, 2]))
    def conflict(self, sizes: list[tuple[int, int, int]], off: int) -> None:
        *before, last = self.decided(sizes)
        other = decision(last.stream, last.expected_version + off, "conflict")
        with pytest.raises(Conflict):
            self.journal.append([*before, other])

    @rule(
        sizes=sizes,
        failing=st.lists(st.sampled_from([0, errno.EIO, errno.ENOSPC]), min_size=1, max_size=9),
    )
    def fail(self, sizes: list[tuple[int, int, int]], failing: list[int]) -> None:
        decided = self.decided(sizes)
        expected = entries_of(decided, len(self.entries))
        self.disk.failing = list(failing)
        try:
            assert self.journal.append(decided) == expected
            self.entries += expected
            self.unclear = []
            self.words.append(head_word(self.folder))
        except Unavailable:
            if not self.unclear:
                self.unclear = expected
        self.disk.failing = []

    @rule(sizes=sizes, lives_for=st.integers(0, 900), lagging=st.integers(0, 3))
    def die(self, sizes: list[tuple[int, int, int]], lives_for: int, lagging: int) -> None:
        decided = self.decided(sizes)
        expected = entries_of(decided, len(self.entries))
        self.disk.lives_for = lives_for
        try:
            assert self.journal.append(decided) == expected
            self.entries += expected
            self.unclear = []
            self.words.append(head_word(self.folder))
        except Died:
            if not self.unclear:
                self.unclear = expected
        self.journal.close()
        if lagging and len(self.words) > lagging:  # the power went, too
            set_head_word(self.folder, self.words[-1 - lagging])
        self.open()

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.open()

    @rule(limit=st.integers(1, 5))
    def index(self, limit: int) -> None:
        self.follower.index_more(limit)

    @rule(beside=st.booleans())
    def lose_the_index(self, beside: bool) -> None:
        for path in self.folder.glob("index/*" if beside else "index/*.db"):
            path.unlink()

    @rule()
    def back_up(self) -> None:
        self.follower.backup(self.root / "backup")
        copy = SegmentJournal(self.root / "backup", CODEC)
        assert everything(copy) == self.entries
        assert copy.verify() == len(self.entries)
        copy.close()
        shutil.rmtree(self.root / "backup")

    @rule(limit=st.integers(1, 9))
    def follow(self, limit: int) -> None:
        after = len(self.followed)
        self.followed += self.follower.follow(after, limit)
        assert self.followed == self.entries[: len(self.followed)]
        assert len(self.followed) >= min(after + limit, len(self.entries))

    @invariant()
    def reads(self) -> None:
        if not hasattr(self, "journal"):
            return
        for look in (self.journal, self.follower):
            assert look.head() == len(self.entries)
            for stream in STREAMS:
                own = [entry for entry in self.entries if entry.stream == stream]
                assert look.read(stream) == own
                assert look.read(stream, len(own) // 2) == own[len(own) // 2 :]

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            assert everything(self.journal) == self.entries
            assert self.journal.verify() == len(self.entries)
            self.journal.close()
            self.follower.close()


def test_any_history_is_that_of_a_list(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_MODEL", str(folder.parent))
    run_state_machine_as_test(
        JournalModel,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
