"""Wrapped data keys, and what stays of those that were destroyed. They lie in a file of their own,
which no backup has: an old copy of what a key has encrypted must not bring the key with it."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from fondaco.kernel.event import Instant

metadata: Final = sa.MetaData()

keys: Final = sa.Table(
    "subject_keys",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False, unique=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

tombstones: Final = sa.Table(
    "subject_tombstones",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),  # SHA-256 of the subject
    sa.Column("destroyed_at", sa.BigInteger, nullable=False),
)


def key_of(conn: sa.Connection, subject: str) -> Any:
    return conn.execute(sa.select(keys).where(keys.c.subject == subject)).one_or_none()


def key_named(conn: sa.Connection, key_id: str) -> Any:
    return conn.execute(sa.select(keys).where(keys.c.key_id == key_id)).one_or_none()


def add_key(conn: sa.Connection, key_id: str, subject: str, wrapped: bytes, at: Instant) -> None:
    row = {"key_id": key_id, "subject": subject, "wrapped": wrapped, "created_at": at}
    conn.execute(keys.insert().values(**row))


def put_wrapped(conn: sa.Connection, key_id: str, wrapped: bytes) -> None:
    conn.execute(keys.update().where(keys.c.key_id == key_id).values(wrapped=wrapped))


def all_keys(conn: sa.Connection) -> Sequence[Any]:
    return conn.execute(sa.select(keys).order_by(keys.c.created_at, keys.c.key_id)).all()


def destroy(conn: sa.Connection, key_id: str, name: str, at: Instant) -> None:
    conn.execute(keys.delete().where(keys.c.key_id == key_id))
    conn.execute(tombstones.insert().values(key_id=key_id, subject=name, destroyed_at=at))


def is_destroyed(conn: sa.Connection, key_id: str) -> bool:
    there = tombstones.c.key_id == key_id
    return conn.scalar(sa.select(tombstones.c.key_id).where(there)) is not None


def was_forgotten(conn: sa.Connection, name: str) -> Instant | None:
    """When a subject's key was destroyed last."""
    there = tombstones.c.subject == name
    at = conn.scalar(sa.select(sa.func.max(tombstones.c.destroyed_at)).where(there))
    return None if at is None else Instant(at)


def all_tombstones(conn: sa.Connection) -> Sequence[Any]:
    return conn.execute(sa.select(tombstones).order_by(tombstones.c.destroyed_at)).all()


def put_tombstone(conn: sa.Connection, key_id: str, name: str, at: Instant) -> None:
    """One that another copy of these keys has; the key goes, where it is still here."""
    if not is_destroyed(conn, key_id):
        destroy(conn, key_id, name, at)
