"""What an actor remembers is the same from the journal, from a snapshot, or lived through."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.kernel.errors import Corrupt, Unavailable
from fondaco.kernel.event import CommandId, Decision, Instant
from fondaco.ports.at_rest import AtRest
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.runtime.actor import Host
from fondaco.runtime.answered import SPLIT_AT, Answered
from fondaco.runtime.committer import Committer
from fondaco.runtime.loading import Memory, Snapshots, load, replay
from runtime.till import CODEC, T1, T2, Rates, Till, Took, law, put, told

BUILD = b"b" * 32


def essence(memory: Memory[Till]) -> tuple[object, ...]:
    return (memory.version, memory.state, memory.heard, sorted(map(repr, items(memory.answered))))


def items(answered: Answered) -> list[object]:
    return [pair for shard in answered._shards for pair in shard.items()]


def lived(count: int) -> tuple[MemoryJournal, Memory[Till]]:
    journal = MemoryJournal(CODEC)
    committer = Committer(journal)
    host = Host(law, lambda _: Rates(), journal, committer)
    for nth in range(1, count + 1):
        host.submit(T1, put(nth, f"k{nth}") if nth % 3 else told(T2, nth, nth))
        committer.commit()
    memory = host.peek(T1)
    assert memory
    return journal, memory


@pytest.mark.parametrize("at", [0, 1, 7, 20])
def test_a_snapshot_and_the_tail_behind_it_make_the_same_memory(tmp_path: Path, at: int) -> None:
    journal, memory = lived(20)
    snapshots = Snapshots(tmp_path, BUILD)
    early = Memory(law.initial(T1))
    for decision in list(journal.replay(T1))[:at]:
        replay(early, law, decision)
    if at:
        snapshots.save(T1, early)
    assert snapshots.version(T1) == at
    assert essence(load(T1, law, journal, snapshots)) == essence(memory)
    assert essence(load(T1, law, journal)) == essence(memory)


def test_an_encrypted_snapshot_says_nothing_and_is_no_snapshot_without_its_key(
    tmp_path: Path,
) -> None:
    journal, memory = lived(20)
    key = AtRest(bytes(32))
    Snapshots(tmp_path, BUILD, key).save(T1, memory)
    [path] = tmp_path.glob("*.snapshot")
    assert T1.encode() not in path.read_bytes()
    loaded = Snapshots(tmp_path, BUILD, key).load(T1, law)
    assert loaded is not None
    assert essence(loaded) == essence(memory)
    for other in (None, AtRest(b"x" * 32)):
        snapshots = Snapshots(tmp_path, BUILD, other)
        assert snapshots.load(T1, law) is None
        assert essence(load(T1, law, journal, snapshots)) == essence(memory)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda b: b[:-1],
        lambda b: b"x" * 32 + b[32:],
        lambda b: b"",
        lambda b: b[:60] + b"z" * (len(b) - 60),
        lambda b: b[:-1] + bytes([b[-1] ^ 1]),  # still well-formed, of another amount
        lambda b: b[:32] + bytes([b[32] ^ 1]) + b[33:],  # of another version
    ],
)
def test_a_snapshot_that_is_torn_or_of_another_build_is_passed_over(
    tmp_path: Path, spoil: object
) -> None:
    journal, memory = lived(9)
    snapshots = Snapshots(tmp_path, BUILD)
    snapshots.save(T1, memory)
    (file,) = tmp_path.iterdir()
    file.write_bytes(spoil(file.read_bytes()))  # type: ignore[operator]
    assert essence(load(T1, law, journal, snapshots)) == essence(memory)


def test_a_snapshot_of_a_longer_journal_is_passed_over(tmp_path: Path) -> None:
    """As after a restore beside what was left of another house."""
    _, longer = lived(12)
    journal, memory = lived(9)
    snapshots = Snapshots(tmp_path, BUILD)
    snapshots.save(T1, longer)
    assert essence(load(T1, law, journal, snapshots)) == essence(memory)


def test_a_hole_in_the_history_is_not_bridged() -> None:
    later = Decision(T1, 5, CommandId("c"), Instant(1), 7, (Took(1),))
    with pytest.raises(Corrupt, match="till/1 continues at 5, not at 0"):
        replay(Memory(Till()), law, later)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=200), st.integers(0, 2**64 - 1))
def test_every_key_is_found_with_all_its_versions(keys: list[int], other: int) -> None:
    answered, expected = Answered(), dict[int, list[int]]()
    for version, key in enumerate(keys, 1):
        answered.add(key, version)
        expected.setdefault(key, []).append(version)
    copy = Answered.load(answered.dump())
    for found in (answered, copy):
        assert len(found) == len(keys)
        assert {key: sorted(found.find(key)) for key in expected} == expected
        assert sorted(found.find(other)) == expected.get(other, [])


def test_many_keys_are_found_and_cost_at_most_sixteen_bytes_each() -> None:
    answered = Answered()
    count = 5 * SPLIT_AT
    keys = [(nth * 0x9E3779B97F4A7C15) % 2**64 for nth in range(1, count + 1)]
    for version, key in enumerate(keys, 1):
        answered.add(key, version)
    assert all(list(answered.find(key)) == [nth] for nth, key in enumerate(keys, 1))
    assert answered.byte_count / count <= 18  # of one size; 16 on average over all sizes


def test_who_is_waked_is_there_though_somebody_asks_or_a_commit_has_failed() -> None:
    """A stream that is being loaded for a command was once taken for loaded: whoever had to watch
    it found nobody, and never looked again."""

    async def both() -> list[bool]:
        journal, _ = lived(3)
        committer = Committer(journal)
        with ThreadPoolExecutor(2) as loaders:
            host = Host(law, lambda _: Rates(), journal, committer, loaders=loaders)
            asked = host.submit(T1, put(9, "k9"))
            await host.wake(T1)
            found = [host.peek(T1) is not None]
            committer.commit()
            await asked
            host._actors[T1].lease.lost = Unavailable("the disk was full")
            found.append(host.peek(T1) is None)
            await host.wake(T1)
            found.append(host.peek(T1) is not None)
            return found

    assert asyncio.run(both()) == [True, True, True]
