"""Records of who is held from being forgotten, and of who was forgotten; and the rows that go."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from fondaco.domain.identity import store as identity
from fondaco.domain.identity.events import LegalHoldLifted, LegalHoldPlaced, PersonErased
from fondaco.domain.identity.kyc import store as kyc
from fondaco.domain.identity.oidc import store as oidc
from fondaco.domain.identity.people import store as people
from fondaco.domain.identity.people.store import tell
from fondaco.domain.identity.vault import store as vault
from fondaco.kernel.event import Instant
from fondaco.ports.store import outbox

metadata: Final = sa.MetaData()

holds: Final = sa.Table(
    "identity_holds",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("placed_by", sa.Text, nullable=False),
    sa.Column("placed_at", sa.BigInteger, nullable=False),
)

erased: Final = sa.Table(
    "identity_erased",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("done_at", sa.BigInteger),  # null: the rows are gone, and the key is still there
)

Rows: TypeAlias = tuple[tuple[sa.Table, str], ...]

# By table: what a person's rows there are, in words. Other rooms have more of them.
ROWS: Final[Rows] = (
    (people.people, "name, address, password hash and second factor"),
    (people.sessions, "sessions, with their devices and addresses"),
    (people.devices, "devices that are known"),
    (people.session_devices, "which device a session was begun with"),
    (people.device_trust, "devices that are trusted"),
    (people.recovery, "recovery codes"),
    (people.invitations, "an invitation that they have not taken up"),
    (people.passkeys, "passkeys, with the names that they were given"),
    (oidc.grants, "what they have agreed that applications may do"),
    (oidc.links, "whom they are at providers of others, as a hash"),
    (identity.preferences, "what they keep for their pages"),
    (identity.locks, "that they were shut out, and why"),
    (identity.keys, "API keys, with the names that they were given"),
    (vault.owners, "which accounts belong to them"),
    *kyc.OF_A_PERSON,
)


def counts(conn: sa.Connection, rows: Rows, tenant: str, user: str) -> list[tuple[str, str, int]]:
    """Table, what it is, and how many rows."""
    return [(table.name, what, _count(conn, table, tenant, user)) for table, what in rows]


def rows_of(conn: sa.Connection, table: sa.Table, tenant: str, user: str) -> list[dict[str, Any]]:
    """As they are kept."""
    found = conn.execute(sa.select(table).where(*_of(table, tenant, user)))
    return [dict(row._mapping) for row in found]


def _count(conn: sa.Connection, table: sa.Table, tenant: str, user: str) -> int:
    found = sa.select(sa.func.count()).select_from(table).where(*_of(table, tenant, user))
    return conn.scalar(found) or 0


def _of(table: sa.Table, tenant: str, user: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.tenant == tenant, table.c.user == user


def take_rows(
    conn: sa.Connection, rows: Rows, tenant: str, user: str, subject: str, by: str, at: Instant
) -> None:
    """Every row of a person but their user, who may do nothing from here on: so that nobody else is
    given that name. The journal is told in words that name nobody."""
    own = sa.select(identity.keys.c.key_id).where(*_of(identity.keys, tenant, user))
    terms = identity.key_terms
    conn.execute(terms.delete().where(terms.c.key_id.in_(own)))
    for table, _ in rows:
        conn.execute(table.delete().where(*_of(table, tenant, user)))
    users = identity.users
    conn.execute(users.update().where(*_of(users, tenant, user)).values(roles="[]"))
    conn.execute(erased.delete().where(*_of(erased, tenant, user)))
    conn.execute(erased.insert().values(tenant=tenant, user=user, at=at))
    tell(conn, PersonErased(tenant, subject, by), at)


def unfinished(conn: sa.Connection) -> Sequence[Any]:
    return conn.execute(sa.select(erased).where(erased.c.done_at.is_(None))).all()


def finish(conn: sa.Connection, tenant: str, user: str, at: Instant) -> None:
    conn.execute(erased.update().where(*_of(erased, tenant, user)).values(done_at=at))


def waits_to_be_told(conn: sa.Connection) -> bool:
    return conn.scalar(sa.select(outbox.c.number).limit(1)) is not None


def hold_of(conn: sa.Connection, tenant: str, user: str) -> Any:
    """The row, or None."""
    return conn.execute(sa.select(holds).where(*_of(holds, tenant, user))).one_or_none()


def put_hold(
    conn: sa.Connection, tenant: str, user: str, reason: str, until: Instant, by: str, at: Instant
) -> None:
    conn.execute(holds.delete().where(*_of(holds, tenant, user)))
    row = {"tenant": tenant, "user": user, "reason": reason, "until": until}
    conn.execute(holds.insert().values(**row, placed_by=by, placed_at=at))
    tell(conn, LegalHoldPlaced(tenant, user, until, by), at)


def lift_hold(conn: sa.Connection, tenant: str, user: str, by: str, at: Instant) -> bool:
    gone = conn.execute(holds.delete().where(*_of(holds, tenant, user))).rowcount == 1
    if gone:
        tell(conn, LegalHoldLifted(tenant, user, by), at)
    return gone
