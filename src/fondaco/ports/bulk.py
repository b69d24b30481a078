"""The store's fast lane, for views: statements run for many rows at once, past all that SQLAlchemy
does per row on the way.

The statement is SQLAlchemy's, so that it fits the database; the rows go as tuples to the driver of
the same connection, inside the same transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

INT64_MAX: Final = 2**63 - 1


class Units(sa.types.UserDefinedType[int]):
    """Ledger units, which may need more than 64 bits.

    SQLite keeps what it is given in a column of this type: an integer where it fits, else its
    digits as text; `int()` reads both. Elsewhere it is a NUMERIC.
    """

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "UNITS_BLOB"  # BLOB: no affinity, so that no digits become a float

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return lambda value: value if value is None else int(value)


UNITS: Final = Units().with_variant(sa.Numeric(60, 0), "postgresql")


def stored(value: Any) -> Any:
    """What the driver can take: an integer beyond 64 bits goes as its digits."""
    if isinstance(value, int) and not -INT64_MAX <= value <= INT64_MAX:
        return str(value)
    return value


def tune(conn: sa.Connection) -> None:
    """For a connection that fills views: pages of many accounts in memory, fewer checkpoints."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA cache_size = -32000")  # KiB; the default is 2000
        conn.exec_driver_sql("PRAGMA wal_autocheckpoint = 4000")  # pages; the default is 1000


class Bulk:
    """A statement that is run for many rows at once, past all that is done per row on the way."""

    def __init__(self, statement: sa.Insert | sa.Update | sa.Delete, names: Sequence[str]) -> None:
        self._statement = statement
        self._names = list(names)
        self._sql: dict[str, str] = {}

    def run(self, conn: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        if not conn.dialect.positional:
            conn.execute(self._statement, [dict(zip(self._names, r, strict=True)) for r in rows])
            return
        sql = self._sql.get(conn.dialect.name)
        if sql is None:
            # The column keys are named so that the order of the placeholders can be compared.
            compiled = self._statement.compile(dialect=conn.dialect, column_keys=self._columns())
            if list(compiled.positiontup or ()) != self._names:
                raise ValueError(f"{compiled} takes {compiled.positiontup}, not {self._names}")
            sql = self._sql[conn.dialect.name] = str(compiled)
        conn.exec_driver_sql(sql, list(rows))

    def _columns(self) -> list[str] | None:
        return None if isinstance(self._statement, sa.Delete | sa.Update) else self._names


def insert_into(table: sa.Table) -> Bulk:
    return Bulk(table.insert(), [column.name for column in table.columns])


def update_of(table: sa.Table, changed: Sequence[str], key: Sequence[str]) -> Bulk:
    """Sets `changed` where `key` equals; rows give the first, then the second."""
    where = [table.c[name] == sa.bindparam(f"at_{name}") for name in key]
    values: dict[str, Any] = {name: sa.bindparam(f"to_{name}") for name in changed}
    names = [*(f"to_{name}" for name in changed), *(f"at_{name}" for name in key)]
    return Bulk(table.update().where(*where).values(values), names)


class Pick:
    """A select of at most one row per key, for many keys."""

    def __init__(self, columns: Sequence[sa.Column[Any]], key: Sequence[sa.Column[Any]]) -> None:
        self._names = [f"at_{column.name}" for column in key]
        where = [c == sa.bindparam(n) for c, n in zip(key, self._names, strict=True)]
        self._statement = sa.select(*columns).where(*where)
        self._sql: dict[str, str] = {}

    def run(
        self, conn: sa.Connection, keys: Iterable[tuple[Any, ...]]
    ) -> Iterator[tuple[tuple[Any, ...], Any]]:
        """Each key whose row is there, with the row as the driver gives it."""
        if not conn.dialect.positional:
            for key in keys:
                named = dict(zip(self._names, key, strict=True))
                found = conn.execute(self._statement, named).one_or_none()
                if found is not None:
                    yield key, found
            return
        sql = self._sql.get(conn.dialect.name)
        if sql is None:
            sql = self._sql[conn.dialect.name] = str(self._statement.compile(dialect=conn.dialect))
        cursor = conn.connection.cursor()
        try:
            for key in keys:
                cursor.execute(sql, key)
                row = cursor.fetchone()
                if row is not None:
                    yield key, row
        finally:
            cursor.close()
