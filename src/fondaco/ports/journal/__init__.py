"""The journal: every stream's entries, in order, for good.

Promises, which `tests/conformance/test_journal.py` holds every adapter to, one test each:

1. Entries of a stream are numbered 1, 2, 3 … without gaps, and are never changed or removed.
2. `append` is all or nothing, over all the decisions that it is given.
3. What `append` returned is still there after the process, and then the machine, has died.
4. A decision made on another version than the stream's last is never written.
5. `follow` never shows position N before everything below N: no gap fills up later; and nothing
   that is not durable yet.
6. What is read equals what was appended.
7. One writer at a time: who opens a journal for writing that has a writer is refused.
8. After a failed `append` the journal either takes the next one, or says Unavailable until it can;
   what was not acknowledged is then either there for every reader or for none, for ever.
9. `stored` and `walk` give the same bytes for the same decisions, whatever the adapter.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from fondaco.kernel.codec import Record
from fondaco.kernel.event import Decision, Entry, Event, StreamId

FENCED: Final = "fenced"  # code of Unavailable: there is another writer, and this one must stop


class Stored(msgspec.Struct, frozen=True, gc=False):
    """What one append wrote, as the bytes that are kept of it; nothing is copied."""

    first: int  # position
    count: int  # of events
    records: Sequence[msgspec.Raw]  # one a decision, see `fondaco.kernel.codec`
    counts: Sequence[int]  # of events in each; nothing where every record holds one
    segment: int  # where it lies: the file, and the byte at which the first record begins
    offset: int


class Walked(msgspec.Struct, frozen=True, gc=False):
    """One append, with what its records say of themselves."""

    stored: Stored
    records: list[Record]


class Seeming(msgspec.Struct, frozen=True, gc=False):
    """What looks like a record, or its beginning, where one should be."""

    offset: int
    content: bytes  # empty: it cannot be read as one
    stream: str = ""
    count: int = 1


class Damage(msgspec.Struct, frozen=True, gc=False):
    """Where a journal stops being one. Everything before it follows from what was before that."""

    position: int  # of the first entry that is missing from here on
    segment: int
    offset: int
    what: str
    rest: list[Seeming] = []  # in what is damaged


class Journal(Protocol):
    """Safe to call from any thread."""

    def append(self, decisions: Sequence[Decision[Event]]) -> list[Entry]:
        """Write all of `decisions`, in this order, in one transaction. With none of them: find out
        what became of a write before, if that is in doubt.

        Raises:
            Conflict: a stream has moved on. Nothing was written; read its tail, decide again.
            Unavailable: nothing was written, or we cannot tell. Read the tail to find out.
        """
        ...

    def read(self, stream: StreamId, after_version: int = 0, limit: int = -1) -> list[Entry]:
        """One stream's entries, oldest first; `limit` below zero means all of them."""
        ...

    def replay(self, stream: StreamId, after_version: int = 0) -> Iterator[Decision[Event]]:
        """The same, a decision at a time and lazily; the first may begin before `after_version`."""
        ...

    def follow(self, after_position: int, limit: int) -> list[Entry]:
        """At least `limit` entries of all streams, whole transactions; fewer when there are no
        more.

        Empty means: nothing new yet.
        """
        ...

    def head(self) -> int:
        """The last durable position; 0 when nothing was written."""
        ...

    def stored(self, after_position: int, limit: int) -> list[Stored]:
        """As `follow`, the bytes of what was appended: the first holds `after_position` + 1."""
        ...

    def walk(self, *, beyond: bool) -> Iterator[Walked | Damage]:
        """Every append from the first on, as it is kept; last of all the damage, if any.

        Nothing that can be read is taken on trust, and what cannot be read raises nothing.
        `beyond` reads on where the durable end is known to lag, as the next writer will: only
        where there is no writer.
        """
        ...

    def close(self) -> None: ...


class LastingJournal(Journal, Protocol):
    """One that outlives its process, and what tools ask of it."""

    def decisions(self, after_position: int = 0) -> Iterator[tuple[Decision[Event], int]]:
        """Every decision after `after_position`, up to the end as it is now, with the position of
        its first event; the first decision may begin before."""
        ...

    def verify(self) -> int:
        """Read everything and check that it is what was written; the number of positions checked.

        Raises:
            Corrupt: naming the first place where it is not.
        """
        ...

    def backup(self, to: Path) -> None:
        """The same entries at the same positions as a segment journal in `to`, which is not there
        yet, up to what is durable now; the writer goes on meanwhile."""
        ...


def kept(record: Record, first: int) -> Walked:
    """A record, of which the first event stands at `first`, as the bytes that it was: a value has
    one way to be written. For adapters that cannot point at them."""
    raw = msgspec.Raw(msgspec.msgpack.encode(record))
    return Walked(Stored(first, record.count, [raw], [record.count], 0, 0), [record])


def entries_of(decisions: Iterable[Decision[Event]], last_position: int) -> list[Entry]:
    """`decisions` as the entries that they become right after `last_position`."""
    entries: list[Entry] = []
    position = last_position
    for d in decisions:
        version = d.expected_version
        for event in d.events:
            version += 1
            position += 1
            entries.append(
                Entry(d.stream, version, position, d.caused_by, d.at, d.refs_version, event)
            )
    return entries
