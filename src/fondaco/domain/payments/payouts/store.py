"""Records: where a trader is paid. What names an account comes here sealed, under its person's key,
and is forgotten with them; the journal never has it."""

from typing import Final

import sqlalchemy as sa

from fondaco.kernel.event import Instant

metadata: Final = sa.MetaData()

destinations: Final = sa.Table(
    "payments_destinations",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("destination", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
# What a payout was begun with: one that is asked again after a crash must ask for the same.
begun: Final = sa.Table(
    "payments_payout_destinations",
    metadata,
    sa.Column("payout_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("destination", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("at", sa.BigInteger, nullable=False),
)


def destination(conn: sa.Connection, tenant: str, user: str) -> sa.Row[tuple[object, ...]] | None:
    d = destinations.c
    return conn.execute(
        sa.select(destinations).where(d.tenant == tenant, d.user == user)
    ).one_or_none()


def put(
    conn: sa.Connection, tenant: str, user: str, provider: str, sealed: bytes, at: Instant
) -> None:
    d = destinations.c
    columns = {"provider": provider, "destination": sealed, "changed_at": at}
    changed = destinations.update().where(d.tenant == tenant, d.user == user).values(columns)
    if not conn.execute(changed).rowcount:
        conn.execute(destinations.insert().values(tenant=tenant, user=user, **columns))


def begun_with(conn: sa.Connection, payout_id: str) -> bytes | None:
    query = sa.select(begun.c.destination).where(begun.c.payout_id == payout_id)
    return conn.execute(query).scalar_one_or_none()


def begin(
    conn: sa.Connection, payout_id: str, tenant: str, user: str, sealed: bytes, at: Instant
) -> None:
    row = {"payout_id": payout_id, "tenant": tenant, "user": user, "destination": sealed, "at": at}
    conn.execute(begun.insert().values(row))
