"""The embedded store: one SQLite file in WAL mode, one writer, any number of readers."""

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import sqlalchemy as sa

from fondaco.kernel.errors import Conflict, Corrupt, Invalid, Unavailable
from fondaco.ports.at_rest import is_plain_sqlite

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

    def __init__(self, path: Path, *, durable: bool = True, key: str = "") -> None:
        """`key`, 64 hexadecimal digits, encrypts a file that is not there yet, or was; one in the
        clear is read as it is."""
        self._path = path
        self._page_bytes = 4_096 if durable else 16_384
        self._key = key if key and not _is_plain(path) else ""
        self._writing = Lock()
        self._boot = None if durable else _boot_id()
        if self._boot:
            _begin_anew_after_another_boot(path, self._boot)
        level = "FULL" if durable else "OFF" if self._boot else "NORMAL"
        opening = self._opening()
        pragma = f"PRAGMA synchronous = {level}"
        self._writer = _engine(path, 1, "BEGIN IMMEDIATE", (*opening, pragma))
        pragma = "PRAGMA query_only = ON"
        self._readers = _engine(path, _READERS_MAX, "BEGIN", (*opening, pragma))
        with _translated(), closing(self._connect()) as first:
            # Both are kept in the file. Views write many rows at a time, beside each other.
            first.execute(f"PRAGMA page_size = {self._page_bytes}")
            first.execute("PRAGMA journal_mode = WAL")
        if self._key:
            _encrypted.add(_place(path.stat()))

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
            closing(self._connect(target)) as copy,
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

    def _connect(self, path: Path | None = None) -> sqlite3.Connection:
        driver = sealed_driver() if self._key else sqlite3
        connection: sqlite3.Connection = driver.connect(path or self._path, timeout=_WAIT_S)
        for pragma in self._opening():
            connection.execute(pragma)
        return connection

    def _opening(self) -> tuple[str, ...]:
        """What a connection says before anything else."""
        return _keyed(self._key, self._page_bytes) if self._key else ()


# Files that this process has found encrypted, by device and inode. Who closes a file gives up all
# locks of their process on it, so one that SQLite may have open is not looked into again.
_encrypted: Final[set[tuple[int, int]]] = set()


def _place(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _is_plain(path: Path) -> bool:
    return path.exists() and _place(path.stat()) not in _encrypted and is_plain_sqlite(path)


def _keyed(key: str, page_bytes: int) -> tuple[str, ...]:
    """SQLCipher with a key that needs no derivation, and pages as large as in the clear."""
    said = f"PRAGMA key = \"x'{key}'\"", f"PRAGMA cipher_page_size = {page_bytes}"
    return (*said, "PRAGMA cipher_log_level = NONE")  # errors are raised, and that is enough


def sealed_driver() -> Any:
    """SQLite that encrypts. Raises `Invalid` where it is not installed."""
    try:
        from sqlcipher3 import dbapi2
    except ImportError as error:
        raise Invalid(
            f"this needs more than is installed: pip install 'fondaco[sealed]' ({error})"
        ) from error
    return dbapi2


def encrypt_file(path: Path, key: str, *, durable: bool) -> None:
    """Put an encrypted file in the place of one in the clear, which nobody has open."""
    beside = path.with_name(path.name + ".sealed")
    beside.unlink(missing_ok=True)
    page_bytes = 4_096 if durable else 16_384
    with _translated(), closing(sealed_driver().connect(path)) as clear:
        clear.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        clear.execute(f"ATTACH DATABASE ? AS sealed KEY \"x'{key}'\"", (str(beside),))
        clear.execute(f"PRAGMA sealed.cipher_page_size = {page_bytes}")
        clear.execute("SELECT sqlcipher_export('sealed')").fetchall()
        clear.execute("DETACH DATABASE sealed")
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _engine(path: Path, connections: int, begin: str, pragmas: tuple[str, ...]) -> sa.Engine:
    """Connections that begin their transactions with `begin`, which the driver would do late."""
    driver = sealed_driver() if pragmas[0].startswith("PRAGMA key") else sqlite3
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        poolclass=sa.QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        connect_args={"timeout": _WAIT_S, "check_same_thread": False},
        module=driver,
    )

    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None
        pragmas_after = ("PRAGMA foreign_keys = ON", "PRAGMA secure_delete = FAST")
        for pragma in (*pragmas[:-1], *pragmas_after, pragmas[-1]):
            connection.execute(pragma)  # secure_delete: zeros where that costs nothing more

    def begun(conn: sa.Connection) -> None:
        conn.exec_driver_sql(begin)

    listen: Callable[..., None] = sa.event.listen
    listen(engine, "connect", connected)
    listen(engine, "begin", begun)
    engine.dialect = _dialect(driver)  # a statement is compiled for a dialect, not for a file
    engine.update_execution_options(compiled_cache=_COMPILED)
    return engine


@cache
def _dialect(driver: Any) -> sa.Dialect:
    """What every file of this process, in the clear or not, is spoken to in."""
    engine = sa.create_engine("sqlite://", module=driver)
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


def _errors() -> tuple[type[Exception], ...]:
    """Of the drivers that were used."""
    used = "sqlcipher3.dbapi2" in sys.modules
    return (sqlite3.Error, sealed_driver().Error) if used else (sqlite3.Error,)


@contextmanager
def _translated() -> Iterator[None]:
    """Neither `sqlite3.Error` nor SQLAlchemy's names for it above this file."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise Conflict(f"a row like this is there already: {error.orig}") from error
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, *_errors()) as error:  # type: ignore[misc]
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if getattr(cause, "sqlite_errorcode", None) in _NOT_OURS:
            raise Corrupt(f"the store is not what this build expects: {cause}") from error
        raise Unavailable(f"the store's file cannot be used: {cause}") from error
