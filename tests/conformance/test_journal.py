"""One suite for every journal, one test a promise. An adapter not in `OPEN` does not exist.

The eighth promise needs a disk that fails: `tests/faults/test_journal_faults.py`.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from faults.noted import CODEC, A, B, decision, everything
from fondaco.kernel.errors import Conflict
from fondaco.kernel.event import Entry
from fondaco.ports.at_rest import AtRest
from fondaco.ports.journal import Journal, LastingJournal, Walked, entries_of
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.journal.postgres import PostgresJournal
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.runtime.proofs.leaves import leaf_hashes, record_hashes
from servers import postgres

# Opens the journal that lives in, or is named by, a folder; again after a close, if it is durable.
Open: TypeAlias = Callable[[Path], Any]
OPEN: dict[str, Open] = {
    "memory": lambda _: MemoryJournal(CODEC),
    "segments": lambda folder: SegmentJournal(folder / "journal", CODEC, segment_bytes=512),
    "encrypted segments": lambda folder: SegmentJournal(
        folder / "journal", CODEC, segment_bytes=512, at_rest=AtRest(bytes(32))
    ),
    "postgres": lambda folder: PostgresJournal(postgres().database(str(folder)), CODEC),
}
DURABLE = sorted(OPEN.keys() - {"memory"})
each = pytest.mark.parametrize("journal", OPEN, indirect=True)
each_durable = pytest.mark.parametrize("adapter", DURABLE)


@pytest.fixture
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    opened = OPEN[request.param](tmp_path)
    yield opened
    opened.close()


@each
def test_1_versions_count_within_a_stream_without_gaps(journal: Journal) -> None:
    journal.append([decision(A, 0, "1", "2"), decision(B, 0, "3"), decision(A, 2, "4")])
    assert [entry.version for entry in journal.read(A)] == [1, 2, 3]
    assert [entry.version for entry in journal.read(A, after_version=1, limit=1)] == [2]
    assert [entry.version for entry in journal.read(A, after_version=2)] == [3]
    assert journal.read(A, limit=0) == journal.read(A, after_version=3) == []


@each
def test_2_append_is_all_or_nothing(journal: Journal) -> None:
    with pytest.raises(Conflict):
        journal.append([decision(A, 0, "1"), decision(B, 1, "2")])
    assert journal.follow(0, limit=10) == journal.read(A) == []
    assert journal.head() == 0
    journal.append([decision(A, 0, "1")])


@each_durable
def test_3_what_append_returned_is_still_there_afterwards(adapter: str, tmp_path: Path) -> None:
    written: list[Entry] = []
    for version in range(40):
        journal = OPEN[adapter](tmp_path)
        assert journal.head() == version
        written += journal.append([decision(A, version, "x" * 7 * version)])
        journal.close()
    journal = OPEN[adapter](tmp_path)
    assert journal.read(A) == everything(journal) == written
    journal.close()


@each
def test_4_a_decision_on_another_version_is_never_written(journal: Journal) -> None:
    journal.append([decision(A, 0, "1")])
    for late in (decision(A, 0, "2"), decision(A, 2, "2")):
        with pytest.raises(Conflict, match=f"account/A is at 1, not at {late.expected_version}"):
            journal.append([late])
    with pytest.raises(Conflict):
        journal.append([decision(B, 0, "1"), decision(B, 0, "1")])
    assert len(journal.read(A)) == journal.head() == 1


@each_durable
def test_4_also_by_a_journal_that_was_opened_again(adapter: str, tmp_path: Path) -> None:
    journal = OPEN[adapter](tmp_path)
    journal.append([decision(A, 0, "1"), decision(B, 0, "1")])
    journal.append([decision(A, 1, "2")])
    journal.close()
    journal = OPEN[adapter](tmp_path)
    for late in (decision(A, 0, "3"), decision(A, 1, "3"), decision(B, 0, "3")):
        with pytest.raises(Conflict):
            journal.append([late])
    assert [e.position for e in journal.append([decision(A, 2, "3"), decision(B, 1, "2")])] == [
        4,
        5,
    ]
    journal.close()


@each
def test_5_positions_grow_without_gaps_that_could_fill_later(journal: Journal) -> None:
    journal.append([decision(A, 0, "1", "2")])
    with pytest.raises(Conflict):
        journal.append([decision(B, 0, "3"), decision(A, 0, "3")])
    journal.append([decision(B, 0, "4")])
    assert [entry.position for entry in journal.follow(0, limit=10)] == [1, 2, 3]
    assert journal.follow(1, limit=1)[0].position == 2
    assert [entry.stream for entry in journal.follow(2, limit=10)] == [B]
    assert journal.follow(3, limit=10) == journal.follow(9, limit=10) == []
    assert journal.head() == 3


@each_durable
def test_5_a_page_holds_whole_transactions(adapter: str, tmp_path: Path) -> None:
    journal = OPEN[adapter](tmp_path)
    journal.append([decision(A, 0, "1", "2"), decision(B, 0, "3")])
    journal.append([decision(A, 2, "4")])
    assert [entry.position for entry in journal.follow(0, limit=1)] == [1, 2, 3]
    journal.close()


@each
def test_6_what_is_read_equals_what_was_appended(journal: Journal) -> None:
    written: list[Entry] = []
    versions = {A: 0, B: 0}
    for turn in range(60):
        texts = ["é…\0" * turn, str(turn)][: 1 + turn % 2]
        stream = A if turn % 3 else B
        decided = [decision(stream, versions[stream], *texts)]
        versions[stream] += len(texts)
        expected = entries_of(decided, len(written))
        assert journal.append(decided) == expected
        written += expected
    assert everything(journal) == written
    for stream in (A, B):
        own = [entry for entry in written if entry.stream == stream]
        assert journal.read(stream) == own
        for after in (0, 1, 7, len(own) - 1, len(own)):
            assert journal.read(stream, after) == own[after:]
            replayed = [(d.expected_version, d.events) for d in journal.replay(stream, after)]
            events = [event for _, decided in replayed for event in decided]
            assert events[-len(own[after:]) or len(events) :] == [e.event for e in own[after:]]
            assert not replayed or replayed[0][0] <= after


@each_durable
@pytest.mark.parametrize("turns", [0, 1, 60])
def test_6_what_tools_read_is_all_that_was_appended(
    adapter: str, turns: int, tmp_path: Path
) -> None:
    journal: LastingJournal = OPEN[adapter](tmp_path)
    for turn in range(turns):
        journal.append([decision(A, 2 * turn, "1", "x" * turn), decision(B, turn, "2")])
    written = everything(journal)
    assert journal.verify() == journal.head() == len(written) == 3 * turns
    for after in (0, 1, 2, 3, 100):
        found = list(journal.decisions(after))
        entries = [each for one, first in found for each in entries_of([one], first - 1)]
        tail = [each for each in entries if each.position > after]
        assert tail == [each for each in written if each.position > after]
        assert len(entries) - len(tail) <= 1, "decisions before the one asked for"
    journal.backup(tmp_path / "backup" / "journal")
    with pytest.raises(Conflict, match="is there already"):
        journal.backup(tmp_path / "backup" / "journal")
    journal.close()
    at_rest = AtRest(bytes(32)) if "encrypted" in adapter else None
    copy = SegmentJournal(tmp_path / "backup" / "journal", CODEC, writer=False, at_rest=at_rest)
    assert everything(copy) == written
    copy.close()


@each_durable
def test_7_a_second_writer_is_refused(adapter: str, tmp_path: Path) -> None:
    journal = OPEN[adapter](tmp_path)
    with pytest.raises(Conflict, match=str(os.getpid())):
        OPEN[adapter](tmp_path)
    journal.append([decision(A, 0, "1")])
    journal.close()
    OPEN[adapter](tmp_path).close()


@each
def test_9_what_is_stored_is_what_was_appended_byte_for_byte(journal: Journal) -> None:
    turns = [
        [decision(A, 0, "1", "2"), decision(B, 0, "3")],
        [decision(A, 2, "é" * 300)],
        [decision(B, 1, "4", "5", "6")],
    ]
    expected: list[bytes] = []
    for turn in turns:
        for each_decision in turn:
            [record] = CODEC.raw(CODEC.encode([each_decision]))
            expected += record_hashes(len(expected) + 1, record, len(each_decision.events))
        journal.append(turn)
    assert len(expected) == journal.head() == 7
    for after in range(8):
        for limit in (1, 2, 100):
            stored = journal.stored(after, limit)
            hashes = [each for one in stored for each in leaf_hashes(one)]
            first = stored[0].first if stored else after + 1
            assert first <= after + 1
            assert hashes == expected[first - 1 : first - 1 + len(hashes)]
            assert first - 1 + len(hashes) >= min(after + limit, 7)
    walked = list(journal.walk(beyond=False))
    assert all(isinstance(each, Walked) for each in walked)
    found = [each for one in walked if isinstance(one, Walked) for each in leaf_hashes(one.stored)]
    assert found == expected
    streams = [r.stream for one in walked if isinstance(one, Walked) for r in one.records]
    assert streams == [A, B, A, B]
