"""Connections of the PostgreSQL journal, and what its server says, in our words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final, TypeAlias, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from fondaco.kernel.errors import Corrupt, FondacoError, Invalid, NotFound, Unavailable

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
T = TypeVar("T")

IDLE_MAX: Final = 8  # readers' connections that are kept
# A server that says nothing more is given up after about ten seconds. The URL may say otherwise.
_DEFAULTS: Final[dict[str, object]] = {
    "application_name": "fondaco",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# It came to an end with the connection, or nobody can tell whether it did.
_UNCERTAIN: Final = ("08", "57P", "40003")
_TOO_LARGE: Final = "54"


def named(url: str) -> str:
    """The server and database of `url`, without whatever is secret in it."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise Invalid(f"the address of the journal cannot be read: {_text(error)}") from None
    host, port = parts.get("host") or "local socket", parts.get("port")
    return f"PostgreSQL {host}{f':{port}' if port else ''}/{parts.get('dbname') or ''}"


def connect(url: str) -> Connection:
    """Autocommit; every statement is a SERIALIZABLE transaction that is durable when it returns,
    whatever the server's defaults are. Raises `Unavailable`."""
    try:
        conn = psycopg.connect(make_conninfo(url, **_missing(url)), autocommit=True)
        conn.execute("SET default_transaction_isolation = 'serializable'")
        conn.execute("SET statement_timeout = 0")
        (level,) = _one(conn.execute("SHOW synchronous_commit"))
        if level in ("off", "local"):  # anything else waits for a synchronous replica, if any
            conn.execute("SET synchronous_commit = on")
    except psycopg.Error as error:
        raise unavailable(named(url), error) from error
    return conn


def _missing(url: str) -> dict[str, Any]:
    said = conninfo_to_dict(url)
    return {name: value for name, value in _DEFAULTS.items() if name not in said}


def _one(rows: "psycopg.Cursor[tuple[Any, ...]]") -> tuple[Any, ...]:
    row = rows.fetchone()
    if row is None:
        raise Corrupt("the server answered with nothing where there is always a row")
    return row


def is_uncertain(conn: Connection, error: psycopg.Error) -> bool:
    """Whether the statement that met `error` may have been committed after all."""
    state = error.sqlstate
    return conn.closed or state is None or state.startswith(_UNCERTAIN)


def unavailable(where: str, error: psycopg.Error) -> FondacoError:
    state = error.sqlstate or ""
    if state == "42P01":
        return NotFound(f"{where} holds no journal; `fondaco up --journal` makes one")
    if state.startswith(_TOO_LARGE):
        return Invalid(f"{where} cannot take this: {_text(error)}")
    return Unavailable(f"{where}: {_text(error)}")


def _text(error: psycopg.Error) -> str:
    """In one line: libpq gives one for each address that it tried."""
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


class Readers:
    """Connections for reading, for as many threads as ask. A statement sees one moment."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._where = named(url)
        self._idle: list[Connection] = []
        self._lock = Lock()
        self._closed = False

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows. One that a restart of the server has cut off is asked again, once."""
        return self._with(lambda conn: conn.execute(_sql(sql), values, binary=True).fetchall())

    def _with(self, act: Callable[[Connection], T]) -> T:
        with self._lock:
            conn = self._idle.pop() if self._idle else None
        if conn is not None:
            try:
                with self._lent(conn):
                    return act(conn)
            except psycopg.Error as error:
                if not conn.closed:
                    raise unavailable(self._where, error) from error
        fresh = connect(self._url)
        try:
            with self._lent(fresh):
                # One statement sees one moment anyway; this way the writer never waits for it.
                fresh.execute("SET default_transaction_isolation = 'read committed'")
                fresh.execute("SET default_transaction_read_only = on")
                return act(fresh)
        except psycopg.Error as error:
            raise unavailable(self._where, error) from error

    @contextmanager
    def _lent(self, conn: Connection) -> Iterator[None]:
        try:
            yield
        except BaseException:
            conn.close()
            raise
        with self._lock:
            if not self._closed and len(self._idle) < IDLE_MAX:
                self._idle.append(conn)
                return
        conn.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle, self._closed = self._idle, [], True
        for conn in idle:
            conn.close()


def _sql(text: str) -> Any:
    """Ours: what others chose goes as values."""
    return text
