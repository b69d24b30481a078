"""The journal in PostgreSQL: a head row, and a row for what a commit wrote of a stream.

One process writes; any number of others, on any machine, read meanwhile. `append` is one statement
that moves the head row and inserts, and so it orders, fences and commits at once: no advisory lock,
no LISTEN, nothing that CockroachDB's dialect lacks. Where the server has a synchronous replica,
what `append` returned is on that as well. `docs/decisions/0012-postgresql-journal.md` says why.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path
from sys import byteorder
from threading import Lock
from typing import Any, Final
from zlib import crc32

from fondaco.kernel.codec import Codec, Record
from fondaco.kernel.errors import Conflict, Corrupt, Invalid, NotFound, Unavailable
from fondaco.kernel.event import Decision, Entry, Event, StreamId
from fondaco.ports.journal import Damage, Stored, Walked, entries_of, kept
from fondaco.ports.journal._pg_connection import Readers, named
from fondaco.ports.journal._pg_seat import Seat
from fondaco.ports.journal.segments import SegmentJournal

PAGE: Final = 200  # rows of one stream at a time
STEP: Final = 5_000  # entries of all streams at a time
_END: Final = 2**63 - 1

_HEAD: Final = "SELECT position FROM fondaco_head WHERE shard = %s"
_HOUSE: Final = "SELECT house FROM fondaco_head WHERE shard = %s"
_SETTINGS: Final = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s) ORDER BY name"
_VERSIONS: Final = (
    "SELECT stream, max(version) FROM fondaco_journal WHERE shard = %s AND stream = ANY(%s)"
    " GROUP BY stream"
)
_STREAM: Final = (
    "SELECT last, stream, version, places, crc, payload FROM fondaco_journal"
    " WHERE shard = %s AND stream = %s AND version > %s ORDER BY version LIMIT %s"
)
# Whole commits, up to the one that holds the last position asked for.
_FOLLOW: Final = (
    "SELECT last, stream, version, places, crc, payload FROM fondaco_journal"
    " WHERE shard = %s AND last > %s AND last <= COALESCE((SELECT min(last) FROM fondaco_journal"
    " WHERE shard = %s AND last >= %s), 9223372036854775807) ORDER BY last"
)
_Placed = tuple[Record, int]  # with the position of its first event


class PostgresJournal:
    """`url` is libpq's: `postgresql://user@host/database`. It may name several hosts.

    `writer=False` opens it for reading, beside the one writer and from any machine.
    """

    def __init__(self, url: str, codec: Codec, *, writer: bool = True, shard: int = 0) -> None:
        self._where = named(url)
        self._codec = codec
        self._shard = shard
        self._writing = Lock()
        self._heads: dict[StreamId, int] = {}
        self._readers = Readers(url)
        self._seat = Seat(url, shard) if writer else None

    @property
    def house(self) -> str:
        """The journal's own name, made with it: no other journal has it."""
        if self._seat is not None:
            return self._seat.house
        return str(self._ask_one(_HOUSE))

    def append(self, decisions: Sequence[Decision[Event]]) -> list[Entry]:
        with self._writing:
            if self._seat is None:
                raise Unavailable(f"{self._where} is not open for writing")
            try:
                self._seat.settle()
                heads = self._heads_after(decisions)
                if not heads:
                    return []
                before = self._seat.position
                count = sum(len(decision.events) for decision in decisions)
                self._seat.append(self._parts(decisions, before + count, heads), count)
            except Conflict:
                raise
            except BaseException:
                self._heads.clear()  # what is written may not be what we thought
                raise
            self._heads |= heads
        return entries_of(decisions, before)

    def read(self, stream: StreamId, after_version: int = 0, limit: int = -1) -> list[Entry]:
        found: list[Entry] = []
        if limit == 0:
            return found
        for record, first in self._records_of(stream, after_version, limit):
            entries = entries_of((self._decision(record),), first - 1)
            found += entries[max(0, after_version - record.expected_version) :]
            if 0 < limit <= len(found):
                return found[:limit]
        return found

    def replay(self, stream: StreamId, after_version: int = 0) -> Iterator[Decision[Event]]:
        records = self._records_of(stream, after_version, -1)
        return (self._decision(record) for record, _ in records)

    def follow(self, after_position: int, limit: int) -> list[Entry]:
        found: list[Entry] = []
        for record, first in self._page(after_position, limit):
            entries = entries_of((self._decision(record),), first - 1)
            found += entries[max(0, after_position + 1 - first) :]
        return found

    def decisions(self, after_position: int = 0) -> Iterator[tuple[Decision[Event], int]]:
        """Every decision after `after_position`, up to the end as it is now, with the position of
        its first event; the first decision may begin before."""
        for page in self._pages(after_position):
            for record, first in page:
                if first + record.count > after_position + 1:
                    yield self._decision(record), first

    def stored(self, after_position: int, limit: int) -> list[Stored]:
        page = self._page(after_position, limit)
        found = [kept(record, first).stored for record, first in page]
        return [each for each in found if each.first + each.count - 1 > after_position]

    def walk(self, *, beyond: bool) -> Iterator[Walked | Damage]:
        """Places are of no segment: a table has none."""
        position = 0
        try:
            for record, first in chain.from_iterable(self._pages(0)):
                if first != position + 1:
                    yield Damage(position + 1, 0, 0, f"it is missing: {first} is what comes next")
                    return
                yield kept(record, first)
                position += record.count
        except Corrupt as error:
            yield Damage(position + 1, 0, 0, error.message)

    def head(self) -> int:
        return int(self._ask_one(_HEAD))

    def verify(self) -> int:
        """Read everything and check that it is what was written; the number of positions checked.

        Raises:
            Corrupt: naming the first position where it is not.
        """
        versions: dict[str, int] = {}
        position = 0
        for page in self._pages(0):
            for record, first in page:
                expected = versions.get(record.stream, 0)
                if (first, record.expected_version) != (position + 1, expected):
                    raise Corrupt(
                        f"{self._where} is damaged: where position {position + 1} belongs stands "
                        f"{first}, {record.stream} after version {record.expected_version}, which "
                        f"is at {expected}; restore it from a backup"
                    )
                if len(self._codec.events(record)) != record.count:
                    raise Corrupt(f"{self._where} is damaged at position {first}: events missing")
                versions[record.stream] = expected + record.count
                position += record.count
        if position < self.head():
            raise Corrupt(f"{self._where} is damaged: what follows position {position} is missing")
        return position

    def backup(self, to: Path) -> None:
        """A segment journal in `to`, up to what is durable now, while this one goes on; every
        entry at its position."""
        if to.exists():
            raise Conflict(f"{to} is there already: name a folder that is not")
        partial = to.with_name(to.name + ".partial")
        if partial.exists():
            raise Conflict(f"{partial} is left from a backup that ended early: delete it")
        copy = SegmentJournal(partial, self._codec)
        try:
            for page in self._pages(0):
                copy.append([self._decision(record) for record, _ in page])
        finally:
            copy.close()
        partial.rename(to)

    def settings(self) -> dict[str, str]:
        """What the server says that durability depends on."""
        asked = ["fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names"]
        return dict(self._readers.ask(_SETTINGS, asked))

    def close(self) -> None:
        with self._writing:
            if self._seat is not None:
                self._seat.close()
                self._seat = None
        self._readers.close()

    def _ask_one(self, sql: str) -> Any:
        rows = self._readers.ask(sql, self._shard)
        if not rows:
            raise NotFound(f"{self._where} holds no journal of shard {self._shard}")
        return rows[0][0]

    def _heads_after(self, decisions: Sequence[Decision[Event]]) -> dict[StreamId, int]:
        """Each stream's version after `decisions`, or `Conflict`."""
        known = self._heads
        unknown = {each.stream for each in decisions if each.stream not in known}
        if unknown:
            found = dict(self._readers.ask(_VERSIONS, self._shard, sorted(unknown)))
            known.update((stream, found.get(stream, 0)) for stream in unknown)
        heads: dict[StreamId, int] = {}
        for decision in decisions:
            stream, expected = decision.stream, decision.expected_version
            version = heads.get(stream)
            if version is None:
                version = known[stream]
            if version != expected:
                raise Conflict(f"{stream} is at {version}, not at {expected}", stream=stream)
            if not decision.events:
                raise Invalid(f"a decision on {stream} holds no event: there is nothing to write")
            heads[stream] = version + len(decision.events)
        return heads

    def _parts(
        self, decisions: Sequence[Decision[Event]], last: int, heads: dict[StreamId, int]
    ) -> dict[str, list[Any]]:
        """What is written of each stream: a row of `fondaco_journal`, column by column."""
        own: dict[StreamId, tuple[list[Decision[Event]], array[int]]] = {}
        back = last - self._first_after_head()
        for decision in decisions:
            part = own.get(decision.stream)
            if part is None:
                part = own[decision.stream] = ([], array("I"))
            part[0].append(decision)
            part[1].append(back)
            back -= len(decision.events)
        encode = self._codec.encode
        places = [_packed(places) for _, places in own.values()]
        payloads = [encode(group) for group, _ in own.values()]
        streams = list(own)
        versions = [heads[stream] for stream in streams]
        crcs = list(map(_crc, (last,) * len(streams), streams, versions, places, payloads))
        return {
            "streams": streams, "versions": versions, "places": places, "crcs": crcs,
            "payloads": payloads,
        }  # fmt: skip

    def _first_after_head(self) -> int:
        assert self._seat is not None  # noqa: S101  only a writer writes
        return self._seat.position + 1

    def _records_of(self, stream: StreamId, after_version: int, limit: int) -> Iterator[_Placed]:
        """One stream's records, each with the position of its first event, a page at a time."""
        version, started = after_version, False
        size = min(limit, PAGE) if limit > 0 else PAGE  # a row holds one entry or more
        while rows := self._readers.ask(_STREAM, self._shard, stream, version, size):
            for placed in chain.from_iterable(self._placed(row) for row in rows):
                record = placed[0]
                expected, ends = record.expected_version, record.expected_version + record.count
                if expected != version and (started or expected > after_version):
                    raise Corrupt(
                        f"{stream} goes on at version {expected}, not at {version}: run `fondaco "
                        f"verify`, and restore the journal from a backup",
                        stream=stream,
                    )
                if ends > after_version:
                    started, version = True, ends
                    yield placed
            if len(rows) < size:
                return

    def _pages(self, after_position: int) -> Iterator[list[_Placed]]:
        """Everything up to the end as it is now, whole commits at a time."""
        position, end = after_position, self.head()
        while position < end and (page := self._page(position, min(STEP, end - position))):
            position = page[-1][1] + page[-1][0].count - 1
            yield page

    def _page(self, after_position: int, limit: int) -> list[_Placed]:
        until = min(after_position + limit, _END)
        rows = self._readers.ask(_FOLLOW, self._shard, after_position, self._shard, until)
        placed = [each for row in rows for each in self._placed(row)]
        placed.sort(key=itemgetter(1))
        return placed

    def _placed(self, row: tuple[Any, ...]) -> list[_Placed]:
        """The records of a row, in their order, with their positions."""
        last, stream, version, places, crc, payload = row
        if _crc(last, stream, version, places, payload) != crc:
            raise Corrupt(
                f"{self._where} is damaged: what {stream} wrote up to version {version}, before "
                f"position {last}, is not what was written; restore it from a backup",
                stream=stream,
            )
        backs = _unpacked(places)
        records = self._codec.records(payload)
        return [(record, last - back) for record, back in zip(records, backs, strict=True)]

    def _decision(self, record: Record) -> Decision[Event]:
        return Decision(
            record.stream, record.expected_version, record.caused_by, record.at,
            record.refs_version, self._codec.events(record),
        )  # fmt: skip


def _packed(places: "array[int]") -> bytes:
    """Four bytes each, little-endian."""
    if byteorder == "big":
        places.byteswap()
    return places.tobytes()


def _unpacked(stored: bytes) -> "array[int]":
    places = array("I", stored)
    if byteorder == "big":
        places.byteswap()
    return places


def _crc(last: int, stream: str, version: int, places: bytes, payload: bytes) -> int:
    return crc32(payload, crc32(places, crc32(f"{last} {version} {stream}".encode())))
