"""The journal in a list, for tests and simulation. Keeps every promise but the third."""

from collections.abc import Iterator, Sequence
from threading import Lock

from fondaco.kernel.codec import Codec
from fondaco.kernel.errors import Conflict
from fondaco.kernel.event import Decision, Entry, Event, StreamId
from fondaco.ports.journal import Damage, Stored, Walked, entries_of, kept


class MemoryJournal:
    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._decisions: list[Decision[Event]] = []
        self._entries: list[Entry] = []
        self._heads: dict[StreamId, int] = {}
        self._lock = Lock()

    def append(self, decisions: Sequence[Decision[Event]]) -> list[Entry]:
        with self._lock:
            heads: dict[StreamId, int] = {}
            for decision in decisions:
                stream, expected = decision.stream, decision.expected_version
                head = heads.get(stream, self._heads.get(stream, 0))
                if head != expected:
                    raise Conflict(f"{stream} is at {head}, not at {expected}", stream=stream)
                heads[stream] = head + len(decision.events)
            # Through the codec, so that nothing gets by in tests that would fail on a disk.
            copies = self._codec.decode(self._codec.encode(decisions))
            new = entries_of(copies, len(self._entries))
            self._decisions += copies
            self._entries += new
            self._heads |= heads
            return new

    def read(self, stream: StreamId, after_version: int = 0, limit: int = -1) -> list[Entry]:
        tail = [e for e in self._entries if e.stream == stream and e.version > after_version]
        return tail if limit < 0 else tail[:limit]

    def replay(self, stream: StreamId, after_version: int = 0) -> Iterator[Decision[Event]]:
        for decision in list(self._decisions):
            last = decision.expected_version + len(decision.events)
            if decision.stream == stream and last > after_version:
                yield decision

    def follow(self, after_position: int, limit: int) -> list[Entry]:
        """One entry at a time: who follows must not care where a transaction ends."""
        return self._entries[after_position : after_position + limit]

    def stored(self, after_position: int, limit: int) -> list[Stored]:
        end = after_position + limit
        return [
            each.stored
            for each in self._walked()
            if each.stored.first + each.stored.count - 1 > after_position
            and each.stored.first <= end
        ]

    def walk(self, *, beyond: bool) -> Iterator[Walked | Damage]:
        yield from self._walked()

    def _walked(self) -> Iterator[Walked]:
        position = 1
        for decision in list(self._decisions):
            [record] = self._codec.records(self._codec.encode((decision,)))
            yield kept(record, position)
            position += record.count

    def head(self) -> int:
        return len(self._entries)

    def close(self) -> None:
        pass
