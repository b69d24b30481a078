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
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from fondaco.kernel.event import Decision, Entry, Event, StreamId

FENCED: Final = "fenced"  # code of Unavailable: there is another writer, and this one must stop


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
