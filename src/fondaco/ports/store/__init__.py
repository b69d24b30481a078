"""The store: SQL for views and records. It owns engine and transaction; rooms own tables.

Promises, which `tests/conformance/test_store.py` holds every adapter to, one test each:

1. What one `writing` block does is committed whole when the block ends, or not at all when it
   raises. So a record and the event that tells of it (`publish`) stand together or not at all.
2. A `reading` block sees whole transactions only, and one and the same state until it ends.
3. A `reading` block changes nothing: who tries is told Unavailable.
4. What a durable store committed is still there after the process, and then the machine, has died.
5. One writer at a time; others wait their turn. Readers wait for nobody, and nobody for them.
6. `create` makes what is not there and leaves what is; `drop` takes away what is. A view whose
   shape changes gets a new number in its name, is filled beside the old one, and that is dropped.
7. A row that is there already is a Conflict, tables that are missing or broken are Corrupt, any
   other failure is Unavailable. No library's error leaves an adapter.
8. `copy` makes a whole store of one moment while others read and write.
9. After `scrub` what was deleted before is nowhere in the store's own files.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol

import msgspec
import sqlalchemy as sa

from fondaco.kernel.event import Event, Instant


class Store(Protocol):
    """Safe to use from any thread; a connection belongs to the thread that opened the block."""

    def create(self, metadata: sa.MetaData) -> None: ...

    def drop(self, metadata: sa.MetaData) -> None: ...

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """One transaction. Raises `Conflict` or `Unavailable`; then nothing was written."""
        ...

    def reading(self) -> AbstractContextManager[sa.Connection]: ...

    def copy(self, target: Path) -> None:
        """Write everything as of one moment to `target`, which is not there yet."""
        ...

    def settle(self) -> None:
        """Make what was committed outlive a power cut, also where commits are not synced."""
        ...

    def scrub(self) -> None:
        """Write the file anew, so that nothing that was deleted is on free pages or in a log of its
        own. Others may read and write meanwhile, and wait for a moment."""
        ...

    def close(self) -> None: ...


outbox_metadata: Final = sa.MetaData()

# What records have to tell, in the transaction that changed them. A follower appends it to the
# journal and takes it away; if it dies in between it does so twice, under the same number.
outbox: Final = sa.Table(
    "store_outbox",
    outbox_metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("event", sa.LargeBinary, nullable=False),
    sqlite_autoincrement=True,  # a number is never used again
)


class Told(msgspec.Struct, frozen=True, gc=False):
    """An event on its way from the records to the journal; `event` is msgpack."""

    number: int
    at: Instant
    stream: str
    event: bytes


def publish(conn: sa.Connection, stream: str, event: Event, at: Instant) -> None:
    """Tell the journal of a change of records. To be called in the block that makes it."""
    packed = msgspec.msgpack.encode(event)
    conn.execute(outbox.insert().values(at=at, stream=stream, event=packed))


def told(conn: sa.Connection, limit: int) -> Sequence[Told]:
    """What has not been taken away yet, in the order in which it was committed."""
    columns = (outbox.c.number, outbox.c.at, outbox.c.stream, outbox.c.event)
    rows = conn.execute(sa.select(*columns).order_by(outbox.c.number).limit(limit))
    return [Told(number, Instant(at), stream, event) for number, at, stream, event in rows]


def take_away(conn: sa.Connection, up_to_number: int) -> None:
    """Forget what the journal holds by now."""
    conn.execute(outbox.delete().where(outbox.c.number <= up_to_number))
