"""The one writer's seat at a PostgreSQL journal: a lease for people, an epoch for the law.

The head row says who owns the journal, under which epoch, and where it ends. Every write asks for
that epoch and that end in the statement that writes, so whoever lost the seat can write nothing,
however late a statement of theirs arrives. The lease says only whether somebody is there to be
waited for: no lock is held while nothing is written, so nothing must be taken from the dead.
"""

import os
import socket
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any, Final, Literal

import psycopg

from fondaco.kernel.errors import Conflict, Corrupt, FondacoError, Unavailable
from fondaco.ports.journal import FENCED
from fondaco.ports.journal._pg_connection import (
    Connection,
    connect,
    is_uncertain,
    named,
    unavailable,
)

BEAT_S: Final = 1.0  # between signs of life
LEASE_S: Final = 5.0  # without one, and the seat is free
LOOK_S: Final = 0.1
TRIES: Final = 5  # of a write that may be tried again

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS fondaco_head ("
    " shard INT4 PRIMARY KEY,"
    " house TEXT NOT NULL,"  # the journal's own name, made once
    " owner TEXT NOT NULL,"  # empty: nobody writes
    " epoch INT8 NOT NULL,"  # grows with every connection that writes
    " position INT8 NOT NULL)",
    "CREATE TABLE IF NOT EXISTS fondaco_lease ("
    " shard INT4 PRIMARY KEY,"
    " owner TEXT NOT NULL,"
    " process TEXT NOT NULL,"  # as that machine knows it
    " writer TEXT NOT NULL,"  # as people do
    " seen_at TIMESTAMPTZ NOT NULL)",
    # What one commit wrote of one stream.
    "CREATE TABLE IF NOT EXISTS fondaco_journal ("
    " shard INT4 NOT NULL,"
    " last INT8 NOT NULL,"  # the commit's last position
    " stream TEXT NOT NULL,"
    " version INT8 NOT NULL,"  # the stream's, after it
    " places BYTEA NOT NULL,"  # for each decision, how far before `last` its first event is
    " crc INT8 NOT NULL,"  # CRC-32 of all the others
    " payload BYTEA NOT NULL,"  # the decisions, as in a frame of the segment journal
    " PRIMARY KEY (shard, last, stream))",
    "CREATE UNIQUE INDEX IF NOT EXISTS fondaco_journal_stream"
    " ON fondaco_journal (shard, stream, version)",
)
# The order path has no time to compress. CockroachDB knows neither, and needs neither.
_TUNING: Final = (
    "ALTER TABLE fondaco_journal ALTER COLUMN payload SET STORAGE EXTERNAL",
    "ALTER TABLE fondaco_head SET (fillfactor = 10)",
)
_BEGIN: Final = (
    "INSERT INTO fondaco_head VALUES (%s, %s, '', 0, 0) ON CONFLICT DO NOTHING",
    "INSERT INTO fondaco_lease VALUES (%s, '', '', '', now()) ON CONFLICT DO NOTHING",
)
_LOOK: Final = (
    "SELECT h.house, h.owner, h.epoch, l.process, l.writer, l.seen_at::TEXT"
    " FROM fondaco_head h JOIN fondaco_lease l ON l.shard = h.shard WHERE h.shard = %s"
)
_TAKE: Final = """
WITH head AS (
    UPDATE fondaco_head SET owner = %(mine)s, epoch = epoch + 1
    WHERE shard = %(shard)s AND owner = %(theirs)s AND epoch = %(epoch)s
    RETURNING epoch, position
), lease AS (
    UPDATE fondaco_lease
    SET owner = %(mine)s, process = %(process)s, writer = %(writer)s, seen_at = now()
    WHERE shard = %(shard)s AND EXISTS (SELECT 1 FROM head) RETURNING shard
)
SELECT epoch, position FROM head
"""
_RENEW: Final = (
    "UPDATE fondaco_head SET epoch = epoch + 1 WHERE shard = %s AND owner = %s"
    " RETURNING epoch, position"
)
_BEAT: Final = "UPDATE fondaco_lease SET seen_at = now() WHERE shard = %s AND owner = %s"
_RELEASE: Final = "UPDATE fondaco_head SET owner = '' WHERE shard = %s AND owner = %s"
# One statement, one transaction, one round trip; and nothing where the seat is another's.
_APPEND: Final = """
WITH head AS (
    UPDATE fondaco_head SET position = %(after)b
    WHERE shard = %(shard)b AND epoch = %(epoch)b AND position = %(before)b
    RETURNING shard
)
INSERT INTO fondaco_journal (shard, last, stream, version, places, crc, payload)
SELECT head.shard, %(after)b, part.stream, part.version, part.places, part.crc, part.payload
FROM head CROSS JOIN unnest(
    %(streams)b::TEXT[], %(versions)b::INT8[], %(places)b::BYTEA[], %(crcs)b::INT8[],
    %(payloads)b::BYTEA[]
) AS part (stream, version, places, crc, payload)
"""


class Seat:
    """Not for several threads at a time; it has a thread of its own, which gives signs of life."""

    def __init__(self, url: str, shard: int) -> None:
        self._url = url
        self._where = named(url)
        self._shard = shard
        self._token = os.urandom(16).hex()
        self._epoch = 0
        self._warned = False
        self._lost_by: FondacoError | None = None  # the seat, for good
        self._conn: Connection | None = None  # none: what became of the last write is not known
        self.house = ""
        self.position = 0
        conn = connect(url)
        try:
            self._take(conn)
        except psycopg.Error as error:
            conn.close()
            raise unavailable(self._where, error) from error
        except BaseException:
            conn.close()
            raise
        self._use(conn)
        self._ended = Flag()
        self._beating = Thread(target=self._beat, name="journal-lease", daemon=True)
        self._beating.start()

    def settle(self) -> None:
        """Find out what became of a write that was in doubt: after this it is there, or never will
        be. Raises `Unavailable` while nobody can tell."""
        if self._lost_by is not None:
            raise self._lost_by.with_traceback(None)
        if self._conn is None:
            self._renew()

    def append(self, parts: dict[str, list[Any]], count: int) -> None:
        """Write one commit of `count` events: `streams`, `versions`, `places`, `crcs`, `payloads`,
        an item a stream. Durable on return, on a synchronous replica too, where there is one."""
        before = self.position
        after = before + count
        for _ in range(TRIES):
            self.settle()
            if self.position != before:  # it was in doubt, and is there
                return self._came_through(before, after)
            conn = self._conn
            assert conn is not None  # noqa: S101  `settle` made it, or raised
            asked = {
                "shard": self._shard, "epoch": self._epoch, "before": before, "after": after,
                **parts,
            }  # fmt: skip
            self._warned = False
            try:
                written = conn.execute(_APPEND, asked, prepare=True).rowcount
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                continue  # 40001: nothing was written
            except psycopg.Error as error:
                if not is_uncertain(conn, error):
                    raise unavailable(self._where, error) from error
                self._lose()
                continue
            except BaseException:  # interrupted while it was under way
                self._lose()
                raise
            if self._warned:  # committed here, and perhaps not on the replica
                self._lose()
                continue
            if not written:
                raise self._displaced(conn)
            self.position = after
            return None
        raise Unavailable(f"{self._where} did not take it, asked {TRIES} times; try again")

    def close(self) -> None:
        """Let the next writer in at once."""
        self._ended.set()
        self._beating.join()
        if self._conn is not None:
            with suppress(psycopg.Error):  # then the lease runs out
                self._conn.execute(_RELEASE, (self._shard, self._token))
            self._lose()

    def _came_through(self, before: int, after: int) -> None:
        if self.position != after:
            self._lost_by = Corrupt(
                f"{self._where} ends at {self.position}, which this writer never wrote: it had "
                f"{before}, and {after} under way. Somebody else writes to its tables"
            )
            raise self._lost_by

    def _use(self, conn: Connection) -> None:
        self._conn = conn
        conn.add_notice_handler(self._hear)

    def _hear(self, notice: psycopg.errors.Diagnostic) -> None:
        """A wait for the replica that was broken off is a success with a warning, and none to us.

        See PostgreSQL, src/backend/replication/syncrep.c.
        """
        self._warned = self._warned or notice.severity_nonlocalized == "WARNING"

    def _lose(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _renew(self) -> None:
        """A connection in whose presence nothing comes through any more that an earlier one began.

        The epoch moves on, so that a statement still under way finds another one than it asks for;
        and this commit is durable, on a replica too, only after all that stands before it.
        """
        conn = connect(self._url)
        try:
            row = conn.execute(_RENEW, (self._shard, self._token)).fetchone()
            if row is None:
                raise self._displaced(conn)
        except psycopg.Error as error:
            conn.close()
            raise unavailable(self._where, error) from error
        except BaseException:
            conn.close()
            raise
        epoch, position = row
        if position < self.position:
            conn.close()
            self._lost_by = Corrupt(
                f"{self._where} ends at {position}, and {self.position} was acknowledged: the "
                f"server has lost what it said was durable. A replica that was behind was "
                f"promoted, or a backup restored; stop, and see docs/beyond-one-machine.md"
            )
            raise self._lost_by
        self._epoch, self.position = epoch, position
        self._use(conn)

    def _take(self, conn: Connection) -> None:
        """Sit down, at once where the seat is free or its owner dead; else after its lease."""
        self._prepare(conn)
        process, writer = this_process(), f"process {os.getpid()} on {socket.gethostname()}"
        first_seen = ""
        for looks in count():
            found = conn.execute(_LOOK, (self._shard,)).fetchone()
            if found is None:
                raise Corrupt(f"{self._where} has a journal without a lease; restore it")
            self.house, theirs, epoch, their_process, their_name, seen_at = found
            first_seen = first_seen or seen_at
            fate = "dead" if not theirs else fate_of(their_process)
            if fate == "alive" or seen_at != first_seen:
                raise Conflict(
                    f"{self._where} has a writer already, {their_name}: stop that one first, or "
                    f"open it for reading",
                    writer=their_name,
                )
            if fate == "dead" or looks * LOOK_S >= LEASE_S:
                asked = {
                    "shard": self._shard, "mine": self._token, "theirs": theirs, "epoch": epoch,
                    "process": process, "writer": writer,
                }  # fmt: skip
                taken = self._try_to_take(conn, asked)
                if taken is not None:
                    self._epoch, self.position = taken
                    return
            time.sleep(LOOK_S)

    def _try_to_take(self, conn: Connection, asked: dict[str, Any]) -> tuple[int, int] | None:
        try:
            row = conn.execute(_TAKE, asked).fetchone()
        except psycopg.errors.SerializationFailure:  # somebody else was quicker
            return None
        return None if row is None else (row[0], row[1])

    def _prepare(self, conn: Connection) -> None:
        """Make what is not there yet. Two that begin at once may meet."""
        for _ in range(TRIES):
            try:
                if conn.execute(_LOOK, (self._shard,)).fetchone() is None:
                    conn.execute(_BEGIN[0], (self._shard, os.urandom(16).hex()))
                    conn.execute(_BEGIN[1], (self._shard,))
                return
            except psycopg.errors.UndefinedTable:
                self._make_tables(conn)
            except psycopg.errors.SerializationFailure:
                continue

    def _make_tables(self, conn: Connection) -> None:
        (version,) = conn.execute("SELECT version()").fetchone() or ("",)
        tuning = () if "CockroachDB" in version else _TUNING
        try:
            for statement in (*_SCHEMA, *tuning):
                conn.execute(statement)
        except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable):
            time.sleep(LOOK_S)  # they are being made

    def _displaced(self, conn: Connection) -> FondacoError:
        found = conn.execute(_LOOK, (self._shard,)).fetchone()
        who = found[4] if found and found[1] else "nobody any more"
        if found and found[1] == self._token:
            text = f"{self._where} was written to by somebody who is not its writer"
            self._lost_by = Corrupt(text)
        else:
            text = f"{self._where} has another writer now, {who}: this one lost its seat"
            self._lost_by = Unavailable(f"{text}, and must stop", code=FENCED)
        return self._lost_by

    def _beat(self) -> None:
        conn: Connection | None = None
        while not self._ended.wait(BEAT_S):
            try:
                if conn is None:
                    conn = connect(self._url)
                    conn.execute("SET synchronous_commit = off")  # a lost one is only one less
                conn.execute(_BEAT, (self._shard, self._token))
            except (psycopg.Error, FondacoError):
                if conn is not None:
                    conn.close()
                conn = None
        if conn is not None:
            conn.close()


def this_process() -> str:
    """As any process of this machine can find it again; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")
        return f"{boot} {space} {os.getpid()} {_started(os.getpid())}"
    except OSError:
        return ""


def fate_of(process: str) -> Literal["alive", "dead", "unknown"]:
    """Of what `this_process` said. Another machine, or another container, cannot tell."""
    own, named = this_process().split(), process.split()
    if len(named) != 4 or named[:2] != own[:2]:
        return "unknown"
    try:
        return "alive" if _started(int(named[2])) == named[3] else "dead"
    except (OSError, ValueError):
        return "dead"


def _started(pid: int) -> str:
    """When it began, in ticks of this boot; empty of one that has ended and is not buried yet."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]
