"""The store in PostgreSQL, or CockroachDB: for records that several machines must find."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from fondaco.kernel.errors import Conflict, Corrupt, Unavailable

_READERS_MAX: Final = 16
_WAIT_S: Final = 10  # for a connection
_TURNS_TRIED: Final = 1_000  # each was lost to another writer, who has come further by it
_TURN: Final = "fondaco_store_turn"
# No such table, column or schema.
_NOT_OURS: Final = ("42P01", "42703", "3F000")
_PAGE: Final = 1_000


class PostgresStore:
    """`url` is libpq's. `durable` waits for every commit, as records need.

    A writing block is SERIALIZABLE and begins by moving the one row of a table: whoever comes
    second is told 40001 there, and tries again, before anything was done. So writers take turns
    on any number of machines, and a block that has begun meets no other.
    """

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self._url = url
        self._durable = durable
        self._turn = Lock()  # of this process's writers
        self._writer = _engine(1, lambda: self._connect(psycopg.IsolationLevel.SERIALIZABLE))
        self._readers = _engine(_READERS_MAX, self._connect_reader)
        with _translated(), self._writer.connect() as conn:
            try:
                conn.exec_driver_sql(
                    f"CREATE TABLE IF NOT EXISTS {_TURN} (one INT4 PRIMARY KEY, turn INT8)"
                )
                conn.exec_driver_sql(f"INSERT INTO {_TURN} VALUES (1, 0) ON CONFLICT DO NOTHING")  # noqa: S608
                conn.commit()
            except sa.exc.DBAPIError as error:
                if _state(error) not in ("23505", "42P07", "40001"):
                    raise
                conn.rollback()  # somebody else has just made it

    def create(self, metadata: sa.MetaData) -> None:
        with self.writing() as conn:
            metadata.create_all(conn)

    def drop(self, metadata: sa.MetaData) -> None:
        with self.writing() as conn:
            metadata.drop_all(conn)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with self._turn, _translated(), self._writer.connect() as conn:
            _take_turn(conn)
            try:
                yield conn
            except BaseException:
                conn.rollback()
                raise
            conn.commit()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with _translated(), self._readers.connect() as conn:
            conn.exec_driver_sql("SELECT 1")  # From here on, one state.
            yield conn

    def copy(self, target: Path) -> None:
        """As a SQLite file, which the embedded store opens."""
        if target.exists():
            raise Conflict(f"{target} is there already; name a file that is not")
        made = sa.create_engine(sa.URL.create("sqlite", database=str(target)))
        try:
            with self.reading() as source, _translated(), made.begin() as copy:
                tables = _lite(source)
                tables.create_all(copy)
                for table in tables.sorted_tables:
                    rows = source.execute(sa.select(table)).mappings()
                    for page in rows.partitions(_PAGE):
                        copy.execute(table.insert(), [dict(row) for row in page])
        finally:
            made.dispose()

    def settle(self) -> None:
        """A commit that waits, behind those that did not."""
        with self._turn, _translated(), self._writer.connect() as conn:
            _take_turn(conn)
            conn.exec_driver_sql("SET LOCAL synchronous_commit = on")
            conn.commit()

    def scrub(self) -> None:
        """Of its tables. What the server's own log and its replicas keep is theirs to forget."""
        with self._turn, _translated(), closing(self._connect_alone()) as conn:
            conn.execute("VACUUM (FULL)")

    def _connect_alone(self) -> Any:
        return psycopg.connect(self._url, autocommit=True)

    def close(self) -> None:
        self._readers.dispose()
        self._writer.dispose()

    def _connect(self, level: psycopg.IsolationLevel) -> Any:
        conn = psycopg.connect(self._url, autocommit=True)
        conn.execute(f"SET synchronous_commit = {'on' if self._durable else 'off'}".encode())
        conn.autocommit = False
        conn.isolation_level = level
        return conn

    def _connect_reader(self) -> Any:
        conn = self._connect(psycopg.IsolationLevel.REPEATABLE_READ)
        conn.read_only = True
        return conn


def _engine(connections: int, connect: Callable[[], Any]) -> sa.Engine:
    return sa.create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=sa.QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        pool_pre_ping=True,  # a server that was restarted has cut them all off
    )


def _take_turn(conn: sa.Connection) -> None:
    for _ in range(_TURNS_TRIED):
        try:
            conn.exec_driver_sql(f"UPDATE {_TURN} SET turn = turn + 1 WHERE one = 1")  # noqa: S608
            return
        except sa.exc.DBAPIError as error:
            if _state(error) not in ("40001", "40P01"):
                raise
            conn.rollback()
    raise Unavailable(f"{_TURNS_TRIED} other writers were quicker; try again")


def _lite(conn: sa.Connection) -> sa.MetaData:
    """What is there, as SQLite can have it."""
    found = sa.MetaData()
    found.reflect(conn, only=lambda name, _: name != _TURN)
    for table in found.tables.values():
        table.indexes.clear()  # the house makes what it misses
        for column in table.columns:
            column.type = column.type.as_generic()
            column.server_default = None
            column.identity = None
    return found


def _state(error: sa.exc.DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


@contextmanager
def _translated() -> Iterator[None]:
    """Neither `psycopg.Error` nor SQLAlchemy's names for it above this file."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise Conflict(f"a row like this is there already: {error.orig}") from error
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if getattr(cause, "sqlstate", None) in _NOT_OURS:
            raise Corrupt(f"the store is not what this build expects: {cause}") from error
        raise Unavailable(f"the store cannot be used: {cause}") from error
