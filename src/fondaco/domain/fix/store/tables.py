"""Tables of the messages that are searched, and the index over their terms.

The tape has the messages; these follow it, and can be made again.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from fondaco.domain.fix.search.terms import Both, Narrowed, Term

metadata: Final = sa.MetaData()

sessions: Final = sa.Table(
    "fix_sessions_v1",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("session", sa.Text, nullable=False, unique=True),
)

messages: Final = sa.Table(
    "fix_messages_v1",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("session", sa.Integer, nullable=False),
    sa.Column("is_out", sa.SmallInteger, nullable=False),
    sa.Column("msg_type", sa.Text, nullable=False),
    sa.Column("seq_num", sa.BigInteger, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),  # without secrets
    sa.Index("fix_messages_v1_session", "session", "at"),
)

# How far each source of the tape was followed.
followed: Final = sa.Table(
    "fix_followed_v1",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)

_SQLITE: Final = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS fix_terms_v1 USING fts5("
    "terms, content='', columnsize=0, detail=none, tokenize='ascii')",
)
_POSTGRES: Final = (
    "CREATE TABLE IF NOT EXISTS fix_terms_v1 (id BIGINT PRIMARY KEY, terms TSVECTOR NOT NULL)",
    "CREATE INDEX IF NOT EXISTS fix_terms_v1_terms ON fix_terms_v1 USING GIN (terms)",
)


def create(conn: sa.Connection) -> None:
    """What is not there yet."""
    metadata.create_all(conn)
    for statement in _SQLITE if _is_sqlite(conn) else _POSTGRES:
        conn.exec_driver_sql(statement)


def keep_terms(conn: sa.Connection, rows: Iterable[tuple[int, Iterable[str]]]) -> None:
    """For each message what it is found by."""
    if _is_sqlite(conn):
        values: list[tuple[Any, ...]] = [(number, " ".join(terms)) for number, terms in rows]
        sql = "INSERT INTO fix_terms_v1 (rowid, terms) VALUES (?, ?)"
    else:
        values = [(number, sorted(terms)) for number, terms in rows]
        sql = "INSERT INTO fix_terms_v1 (id, terms) VALUES (%s, array_to_tsvector(%s::text[]))"
    if values:
        conn.exec_driver_sql(sql, values)


def forget_terms(conn: sa.Connection, rows: Iterable[tuple[int, Iterable[str]]]) -> None:
    """Messages that are no longer kept; SQLite must be told again by what they were found."""
    if _is_sqlite(conn):
        values: list[tuple[Any, ...]] = [(number, " ".join(terms)) for number, terms in rows]
        sql = "INSERT INTO fix_terms_v1 (fix_terms_v1, rowid, terms) VALUES ('delete', ?, ?)"
    else:
        values = [(number,) for number, _ in rows]
        sql = "DELETE FROM fix_terms_v1 WHERE id = %s"
    if values:
        conn.exec_driver_sql(sql, values)


def found(
    conn: sa.Connection, wanted: Narrowed, above: int, below: int, limit: int
) -> Sequence[int]:
    """Ids of messages that have the terms, the newest first, between two ids."""
    if _is_sqlite(conn):
        sql = (
            "SELECT rowid FROM fix_terms_v1 WHERE fix_terms_v1 MATCH ? AND rowid > ? AND rowid < ?"
            " ORDER BY rowid DESC LIMIT ?"
        )
        asked: tuple[Any, ...] = (_match(wanted), above, below, limit)
    else:
        sql = (
            "SELECT id FROM fix_terms_v1 WHERE terms @@ %s::tsquery AND id > %s AND id < %s"
            " ORDER BY id DESC LIMIT %s"
        )
        asked = (_tsquery(wanted), above, below, limit)
    return [number for (number,) in conn.exec_driver_sql(sql, asked)]


def _is_sqlite(conn: sa.Connection) -> bool:
    return conn.dialect.name == "sqlite"


def _match(wanted: Narrowed) -> str:
    """FTS5. Terms hold letters and digits only, and need no escape."""
    if isinstance(wanted, Term):
        return f'"{wanted.text}" *' if wanted.begins else f'"{wanted.text}"'
    word = " AND " if isinstance(wanted, Both) else " OR "
    return f"({word.join(map(_match, wanted.terms))})"


def _tsquery(wanted: Narrowed) -> str:
    if isinstance(wanted, Term):
        return f"'{wanted.text}':*" if wanted.begins else f"'{wanted.text}'"
    word = " & " if isinstance(wanted, Both) else " | "
    return f"({word.join(map(_tsquery, wanted.terms))})"
