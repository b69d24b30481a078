"""The embedded store: one SQLite file in WAL mode, one writer, any number of readers."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import sqlalchemy as sa

from fondaco.kernel.errors import Conflict, Corrupt, Unavailable

_READERS_MAX: Final = 16
# No such table or column, a broken file, another kind of file.
_NOT_OURS: Final = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_COMPILED: Final = sa.util.LRUCache[Any, Any](1_000)  # statements, for all files of a process
_TRUNCATE_TRIES: Final = 50  # of emptying the log, while others read
_TRUNCATE_AGAIN_S: Final = 0.1
_WAIT_S: Final = 10  # for a reader's connection, and for another process that writes


class SqliteStore:
    """`durable` syncs every commit, as records need.

    Views can be worked out again, so theirs are not synced at all: on the disk of the journal, a
    sync of megabytes makes everybody wait who waits for the journal. They survive the death of
    every process, but a power cut may leave them broken. So a file of theirs remembers in which
    boot of the machine it was written, and is begun anew in another one, unless it was settled.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._writing = Lock()
        self._boot = None if durable else _boot_id()
        if self._boot:
            _begin_anew_after_another_boot(path, self._boot)
        level = "FULL" if durable else "OFF" if self._boot else "NORMAL"
        self._writer = _engine(path, 1, "BEGIN IMMEDIATE", f"PRAGMA synchronous = {level}")
        self._readers = _engine(path, _READERS_MAX, "BEGIN", "PRAGMA query_only = ON")
        with _translated(), closing(self._connect()) as first:
            # Both are kept in the file. Views write many rows at a time, beside each other.
            first.execute(f"PRAGMA page_size = {4_096 if durable else 16_384}")
            first.execute("PRAGMA journal_mode = WAL")

    def create(self, metadata: sa.MetaData) -> None:
        with self.writing() as conn:
            metadata.create_all(conn)

    def drop(self, metadata: sa.MetaData) -> None:
        with self.writing() as conn:
            metadata.drop_all(conn)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with self._writing, _translated(), self._writer.begin() as conn:
            yield conn

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with _translated(), self._readers.begin() as conn:
            conn.exec_driver_sql("SELECT 1 FROM sqlite_schema LIMIT 1")  # From here on, one state.
            yield conn

    def copy(self, target: Path) -> None:
        if target.exists():
            raise Conflict(f"{target} is there already; name a file that is not")
        with (
            _translated(),
            closing(self._connect()) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)

    def settle(self) -> None:
        """Sync what is there, so that it survives a power cut until the next one opens it."""
        with self._writing, _translated(), closing(self._connect()) as last:
            last.execute("PRAGMA synchronous = FULL")
            busy, _, _ = last.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if self._boot and not busy:
            _marker(self._path).unlink(missing_ok=True)

    def scrub(self) -> None:
        with self._writing, _translated(), closing(self._connect()) as last:
            last.execute("PRAGMA secure_delete = ON")
            last.execute("VACUUM")
            for _ in range(_TRUNCATE_TRIES):
                busy, _, _ = last.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if not busy:
                    return
                time.sleep(_TRUNCATE_AGAIN_S)
        raise Unavailable(f"{self._path} is being read: its log could not be emptied; try again")

    def close(self) -> None:
        self._readers.dispose()
        self._writer.dispose()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_WAIT_S)


def _engine(path: Path, connections: int, begin: str, pragma: str) -> sa.Engine:
    """Connections that begin their transactions with `begin`, which the driver would do late."""
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        poolclass=sa.QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        connect_args={"timeout": _WAIT_S, "check_same_thread": False},
    )

    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = FAST")  # zeros where that costs nothing more
        connection.execute(pragma)

    def begun(conn: sa.Connection) -> None:
        conn.exec_driver_sql(begin)

    listen: Callable[..., None] = sa.event.listen
    listen(engine, "connect", connected)
    listen(engine, "begin", begun)
    engine.dialect = _dialect()  # a statement is compiled for a dialect, not for a file
    engine.update_execution_options(compiled_cache=_COMPILED)
    return engine


@cache
def _dialect() -> sa.Dialect:
    """What every file of this process is spoken to in."""
    engine = sa.create_engine("sqlite://")
    engine.connect().close()  # it learns what this SQLite can do
    engine.dispose()
    return engine.dialect


def _boot_id() -> str:
    """Of this run of the machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _marker(path: Path) -> Path:
    return path.with_name(path.name + ".boot")


def _begin_anew_after_another_boot(path: Path, boot: str) -> None:
    marker = _marker(path)
    try:
        written = marker.read_text() if marker.exists() else boot
        if written != boot:
            for suffix in ("-wal", "-shm", ""):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        with marker.open("w") as file:
            file.write(boot)
            file.flush()
            os.fsync(file.fileno())  # It must be there before anything that it warns of.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise Unavailable(f"{marker} cannot be used: {error}") from error


@contextmanager
def _translated() -> Iterator[None]:
    """Neither `sqlite3.Error` nor SQLAlchemy's names for it above this file."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise Conflict(f"a row like this is there already: {error.orig}") from error
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if getattr(cause, "sqlite_errorcode", None) in _NOT_OURS:
            raise Corrupt(f"the store is not what this build expects: {cause}") from error
        raise Unavailable(f"the store's file cannot be used: {cause}") from error
