"""The segment journal beside SQLite, in one run: durable appends a second, and reading them back.

    python benchmarks/journal.py --rounds 5 --seconds 1 --on .

Both get the same decisions, encode them alike and are durable when `append` returns. The peer is
the simplest that SQLite can do for a journal: WAL, synchronous FULL, one row a batch and no index
but its key; versions are checked in memory and entries returned, as the journal does. They take
turns round by round, each in files of its own on the disk that `--on` names; figures are medians,
`ratio` is journal over peer, `encrypted_ratio` an encrypted journal over one that is not. Prints
one JSON object.
"""

import argparse
import gc
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

from fondaco.kernel.codec import Codec
from fondaco.kernel.errors import Conflict
from fondaco.kernel.event import CommandId, Decision, Entry, Event, Instant, StreamId
from fondaco.ports.at_rest import KEY_BYTES, AtRest
from fondaco.ports.journal import entries_of
from fondaco.ports.journal.segments import SegmentJournal


class Noted(Event, frozen=True, gc=False, array_like=True, tag="bench.noted.v1"):
    text: str
    number: int


CODEC: Final = Codec(Noted)
STREAMS: Final = [StreamId(f"account/{number}") for number in range(20)]
BATCHES: Final = (1, 10, 100)
READ_ENTRIES: Final = 200_000
READ_BATCH: Final = 10
Figures: TypeAlias = dict[str, float]  # by name; times in milliseconds


class Peer:
    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("CREATE TABLE batch (position INTEGER PRIMARY KEY, payload BLOB)")
        self._position = 0
        self._versions: dict[StreamId, int] = {}

    def append(self, decisions: list[Decision[Event]]) -> list[Entry]:
        for decision in decisions:
            if self._versions.get(decision.stream, 0) != decision.expected_version:
                raise Conflict(decision.stream)
            self._versions[decision.stream] = decision.expected_version + len(decision.events)
        entries = entries_of(decisions, self._position)
        self._position += len(entries)
        row = (self._position, CODEC.encode(decisions))
        self._database.execute("INSERT INTO batch VALUES (?, ?)", row)
        return entries

    def decisions(self) -> Iterator[Decision[Event]]:
        for (payload,) in self._database.execute("SELECT payload FROM batch ORDER BY position"):
            yield from CODEC.decode(payload)

    def close(self) -> None:
        self._database.close()


class Source:
    """Decisions of one event and 200 bytes each, over twenty streams in turn."""

    def __init__(self) -> None:
        self._versions = dict.fromkeys(STREAMS, 0)
        self._count = 0

    def batch(self, size: int) -> list[Decision[Event]]:
        made: list[Decision[Event]] = []
        for _ in range(size):
            stream = STREAMS[self._count % len(STREAMS)]
            version = self._versions[stream]
            self._versions[stream] = version + 1
            self._count += 1
            cause = CommandId(f"{self._count:012d}#0123456789abcdef")
            events = (Noted("x" * 110, self._count),)
            made.append(
                Decision(stream, version, cause, Instant(1_700_000_000_000_000_000), 7, events)
            )
        return made


def appends(
    append: Callable[[list[Decision[Event]]], object], size: int, seconds: float
) -> Figures:
    source = Source()
    waits: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        batch = source.batch(size)
        begun = time.perf_counter()
        append(batch)
        waits.append(time.perf_counter() - begun)
    waits.sort()
    return {
        "entries_per_s": len(waits) * size / sum(waits),
        "p50_ms": waits[len(waits) // 2] * 1e3,
        "p99_ms": waits[len(waits) * 99 // 100] * 1e3,
        "worst_ms": waits[-1] * 1e3,
    }


def per_second(read: Callable[[], int]) -> float:
    begun = time.perf_counter()
    count = read()
    return count / (time.perf_counter() - begun)


def followed(journal: SegmentJournal) -> int:
    position = 0
    while page := journal.follow(position, 1_000):
        position = page[-1].position
    return position


def counted(decisions: Iterator[Decision[Event]]) -> int:
    return sum(len(decision.events) for decision in decisions)


def reads(folder: Path, rounds: int) -> dict[str, float]:
    """Of `READ_ENTRIES` in frames of ten: one stream of twenty, one alone, all, and the peer's."""
    journal, alone = SegmentJournal(folder / "many", CODEC), SegmentJournal(folder / "one", CODEC)
    peer, source = Peer(folder / "peer.db"), Source()
    for number in range(READ_ENTRIES // READ_BATCH):
        batch = source.batch(READ_BATCH)
        journal.append(batch)
        peer.append(batch)
        first = number * READ_BATCH
        alone.append(
            [
                Decision(STREAMS[0], first + n, d.caused_by, d.at, d.refs_version, d.events)
                for n, d in enumerate(batch)
            ]
        )
    while journal.index_more() or alone.index_more():
        pass
    measures: dict[str, Callable[[], int]] = {
        "replay_entries_per_s": lambda: counted(alone.replay(STREAMS[0])),
        "replay_of_20_streams_entries_per_s": lambda: sum(
            counted(journal.replay(stream)) for stream in STREAMS
        ),
        "decisions_entries_per_s": lambda: counted(d for d, _ in journal.decisions(0)),
        "follow_entries_per_s": lambda: followed(journal),
        "verify_entries_per_s": journal.verify,
        "sqlite_decisions_entries_per_s": lambda: counted(peer.decisions()),
    }
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, read in measures.items():
            found[name].append(per_second(read))
    for each in (journal, alone, peer):
        each.close()
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--on", type=Path, default=Path())
    asked = parser.parse_args()
    gc.disable()
    report: dict[str, object] = {
        "record_bytes": len(CODEC.encode(Source().batch(100))) / 100,
        "rounds": asked.rounds,
        "seconds": asked.seconds,
    }
    for size in BATCHES:
        ours: list[Figures] = []
        theirs: list[Figures] = []
        encrypted: list[Figures] = []
        for _ in range(asked.rounds):
            with tempfile.TemporaryDirectory(dir=asked.on) as name:
                journal = SegmentJournal(Path(name) / "journal", CODEC)
                ours.append(appends(journal.append, size, asked.seconds))
                journal.close()
                key = AtRest(os.urandom(KEY_BYTES))
                sealed = SegmentJournal(Path(name) / "encrypted", CODEC, at_rest=key)
                encrypted.append(appends(sealed.append, size, asked.seconds))
                sealed.close()
                peer = Peer(Path(name) / "peer.db")
                theirs.append(appends(peer.append, size, asked.seconds))
                peer.close()
        both = medians(ours), medians(theirs)
        ratio = both[0]["entries_per_s"] / both[1]["entries_per_s"]
        report[f"append_{size}"] = {
            "journal": both[0],
            "encrypted": medians(encrypted),
            "sqlite": both[1],
            "ratio": round(ratio, 2),
            "encrypted_ratio": round(
                medians(encrypted)["entries_per_s"] / both[0]["entries_per_s"], 2
            ),
        }
    with tempfile.TemporaryDirectory(dir=asked.on) as name:
        report["read"] = {k: round(v) for k, v in reads(Path(name), asked.rounds).items()}
    print(json.dumps(report, indent=2))


def medians(figures: list[Figures]) -> Figures:
    return {
        name: round(statistics.median(figure[name] for figure in figures), 3) for name in figures[0]
    }


if __name__ == "__main__":
    main()
