"""The embedded journal: segment files that only grow, one frame and one sync an `append`.

One process writes; any number of others read the same folder meanwhile, and see what is durable
and nothing else. `docs/decisions/0001-segment-journal.md` says why, and how fast.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Final

from fondaco.kernel.codec import FRAME_MARK, Codec
from fondaco.kernel.errors import Conflict, Corrupt, Invalid, Unavailable
from fondaco.kernel.event import Decision, Entry, Event, StreamId
from fondaco.ports.at_rest import AtRest
from fondaco.ports.journal import Damage, Stored, Walked, _tip, entries_of
from fondaco.ports.journal._backup import copy
from fondaco.ports.journal._chain import Chain, End, HeadWord, damaged
from fondaco.ports.journal._disk import Disk, unavailable
from fondaco.ports.journal._frames import place, segment_of
from fondaco.ports.journal._index import Index, Tail
from fondaco.ports.journal._walk import stored_of, walk

SEGMENT_BYTES: Final = 32 << 20


class SegmentJournal:
    """`writer=False` opens it for reading, beside the one writer and in any process. With `at_rest`
    what is appended is encrypted; its checksums are over what is stored."""

    def __init__(
        self,
        folder: Path,
        codec: Codec,
        *,
        writer: bool = True,
        segment_bytes: int = SEGMENT_BYTES,
        disk: Disk | None = None,
        at_rest: AtRest | None = None,
    ) -> None:
        self._folder = folder
        self._codec = codec if at_rest is None else codec.with_frames(at_rest)
        self._writing, self._reading = Lock(), Lock()
        self._heads: dict[StreamId, int] = {}
        self._closed = False
        self._tip: _tip.Tip | None = None
        self._lock: _tip.Lock | None = None
        try:
            if writer:
                folder.mkdir(parents=True, exist_ok=True)
                self._lock = _tip.Lock(folder)
            self._word = HeadWord(folder, writer=writer)
            self._chain = Chain(folder)
            self._index = Index(folder, at_rest.token if at_rest else str)
            self._tail = Tail(0)
            if writer:
                self._tip = _tip.Tip(folder, segment_bytes, disk or Disk(), self._word)
        except OSError as error:
            self.close()
            raise unavailable("open", folder, error) from error
        except BaseException:
            self.close()
            raise

    def append(self, decisions: Sequence[Decision[Event]]) -> list[Entry]:
        with self._writing:
            if self._tip is None or self._closed:
                raise Unavailable(f"the journal in {self._folder} is not open for writing")
            heads = self._heads_after(decisions)
            if not heads:
                return []
            before = self._tip.position
            count = sum(len(decision.events) for decision in decisions)
            self._tip.append(self._codec.encode(decisions), count)
            self._heads |= heads
        return entries_of(decisions, before)

    def read(self, stream: StreamId, after_version: int = 0, limit: int = -1) -> list[Entry]:
        found: list[Entry] = []
        if limit == 0:
            return found
        for decision, first in self._decisions_of(stream, after_version, limit):
            entries = entries_of((decision,), first - 1)
            found += entries[max(0, after_version - decision.expected_version) :]
            if 0 < limit <= len(found):
                return found[:limit]
        return found

    def replay(self, stream: StreamId, after_version: int = 0) -> Iterator[Decision[Event]]:
        return (decision for decision, _ in self._decisions_of(stream, after_version))

    def follow(self, after_position: int, limit: int) -> list[Entry]:
        found: list[Entry] = []
        end = self._end()
        if after_position >= end.position:
            return found
        for where, frame in self._chain.frames(self._chain.locate(after_position, end), end):
            entries = entries_of(self._codec.decode(frame.payload), frame.first - 1)
            found += entries[max(0, after_position + 1 - frame.first) :]
            if len(found) >= limit:
                self._chain.remember(frame.last, place(segment_of(where), frame.end))
                return found
        self._chain.remember(end.position, end.stop)
        return found

    def decisions(self, after_position: int = 0) -> Iterator[tuple[Decision[Event], int]]:
        """Every decision after `after_position`, up to the end as it is now, with the position of
        its first event; the first decision may begin before."""
        end = self._end()
        if after_position >= end.position:
            return
        for where, frame in self._chain.frames(self._chain.locate(after_position, end), end):
            first = frame.first
            for decision in self._codec.decode(frame.payload):
                after = first + len(decision.events)
                if after > after_position + 1:
                    yield decision, first
                first = after
            self._chain.remember(frame.last, place(segment_of(where), frame.end))

    def stored(self, after_position: int, limit: int) -> list[Stored]:
        found: list[Stored] = []
        end = self._end()
        if after_position >= end.position:
            return found
        enough = after_position + limit
        for where, frame in self._chain.frames(self._chain.locate(after_position, end), end):
            found.append(stored_of(frame, segment_of(where), self._codec))
            if frame.last >= enough:
                self._chain.remember(frame.last, place(segment_of(where), frame.end))
                return found
        self._chain.remember(end.position, end.stop)
        return found

    def walk(self, *, beyond: bool) -> Iterator[Walked | Damage]:
        yield from walk(self._folder, self._codec, self._word.load(), beyond=beyond)

    def head(self) -> int:
        return self._end().position

    def index_more(self, limit_frames: int = 1_000) -> bool:
        """Extend the index by up to `limit_frames`; for a follower to call, in its own time.

        False when there is nothing to add, or another process is adding it.
        """
        return self._index.fill(self._chain, self._end, self._codec, limit_frames)

    def verify(self) -> int:
        """Read everything and check that it is what was written; the number of positions checked.

        Raises:
            Corrupt: naming the segment and the byte where it is not.
        """
        end = self._end()
        versions: dict[StreamId, int] = {}
        links = {head.number: (head.link, head.position) for head in self._chain.heads()}
        link = position = 0
        for where, frame in self._chain.frames(0, end):
            stated = links.pop(segment_of(where), (link, position))
            if stated != (link, position) or (frame.link, frame.first) != (link, position + 1):
                raise damaged(where)
            for record in self._codec.records(frame.payload):
                if versions.get(record.stream, 0) != record.expected_version:
                    raise damaged(where)
                versions[record.stream] = record.expected_version + record.count
                position += record.count
            if position != frame.last:
                raise damaged(where)
            link = frame.crc
        return position

    def is_encrypted(self) -> bool:
        """Whether its first append is, and so all of them: who encrypts one writes it anew."""
        end = self._end()
        first = next(self._chain.frames(0, end), None) if end.position else None
        return first is None or bytes(first[1].payload[:1]) == FRAME_MARK

    def backup(self, to: Path) -> None:
        """A journal of its own in `to`, up to what is durable now, while this one goes on."""
        copy(self._folder, self._chain, self._end(), to)

    def close(self) -> None:
        with self._writing:
            self._closed = True
            if self._tip is not None:
                self._tip.close()
                self._tip = None
            if self._lock is not None:
                self._lock.release()
                self._lock = None
        if hasattr(self, "_index"):
            self._index.close()

    def _end(self) -> End:
        return self._chain.extend(self._word.load())

    def _heads_after(self, decisions: Sequence[Decision[Event]]) -> dict[StreamId, int]:
        """Each stream's version after `decisions`, or `Conflict`."""
        heads: dict[StreamId, int] = {}
        for decision in decisions:
            stream, expected = decision.stream, decision.expected_version
            version = heads.get(stream)
            if version is None:
                version = self._version(stream)
            if version != expected:
                raise Conflict(f"{stream} is at {version}, not at {expected}", stream=stream)
            if not decision.events:
                raise Invalid(f"a decision on {stream} holds no event: there is nothing to write")
            heads[stream] = version + len(decision.events)
        return heads

    def _version(self, stream: StreamId) -> int:
        known = self._heads.get(stream)
        if known is None:
            with self._reading:
                reach, indexed = self._index.version(stream, self._chain, self._end)
                known = self._tail_from(reach).versions.get(stream, indexed)
            self._heads[stream] = known
        return known

    def _tail_from(self, reach: int) -> Tail:
        """What the index, which reaches so far, does not hold yet. Under `_reading`."""
        if not self._tail.serves(reach):
            self._tail = Tail(reach)
        self._tail.extend(self._chain, self._end(), self._codec)
        return self._tail

    def _decisions_of(
        self, stream: StreamId, after_version: int, limit: int = -1
    ) -> Iterator[tuple[Decision[Event], int]]:
        """One stream's decisions, each with the position of its first event.

        With a `limit` at least that many entries, if there are as many: a frame holds one or more.
        """
        with self._reading:
            reach, places = self._index.places(stream, after_version, self._chain, self._end, limit)
            if len(places) != limit:
                beyond = self._tail_from(reach).places.get(stream, ())
                places.extend(where for where in beyond if where >= reach)
        records, events, frame_at = self._codec.records, self._codec.events, self._chain.frame
        version = -1
        for where in places:
            frame = frame_at(where)
            position = frame.first
            for record in records(frame.payload):
                if record.stream == stream:
                    expected = record.expected_version
                    if expected != version and (version >= 0 or expected > after_version):
                        raise Corrupt(
                            f"{stream} goes on at version {expected}, not where it was: delete "
                            f"{self._folder / 'index'}, and restore the journal from a backup "
                            f"if that does not help",
                            stream=stream,
                        )
                    version = expected + record.count
                    if version > after_version:
                        yield (
                            Decision(
                                stream,
                                expected,
                                record.caused_by,
                                record.at,
                                record.refs_version,
                                events(record),
                            ),
                            position,
                        )
                position += record.count
