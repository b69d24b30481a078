"""Records of people. Names and addresses are sealed before they come here; passwords, tokens and
codes come as hashes. A change and the event that tells of it commit together.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.identity import store as identity
from fondaco.domain.identity.events import IdentityEvent
from fondaco.domain.identity.model import IDENTITY_STREAM, KeyId, Role, TenantId, User, UserId
from fondaco.domain.identity.store import users
from fondaco.kernel.errors import Taken
from fondaco.kernel.event import Instant
from fondaco.ports.store import publish

metadata: Final = sa.MetaData()

people: Final = sa.Table(
    "identity_people",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("email", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("name", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("password", sa.Text, nullable=False),  # argon2id
    sa.Column("password_at", sa.BigInteger, nullable=False),
    sa.Column("verified_at", sa.BigInteger),
    sa.Column("verify_digest", sa.Text, nullable=False),
    sa.Column("verify_until", sa.BigInteger, nullable=False),
    sa.Column("totp", sa.LargeBinary),  # sealed
    sa.Column("totp_at", sa.BigInteger),  # since when it is asked for; null: not confirmed
    sa.Column("totp_step", sa.BigInteger, nullable=False),  # of the last code that was used
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

SAME: Final = people.c.created_at  # a change that changes nothing

recovery: Final = sa.Table(
    "identity_recovery",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("used_at", sa.BigInteger),
)

sessions: Final = sa.Table(
    "identity_sessions",
    metadata,
    sa.Column("session_id", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False, unique=True),  # of the token, which is not kept
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("device", sa.LargeBinary, nullable=False),  # sealed: what browsers say they are
    sa.Column("address", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("second_factor", sa.Text, nullable=False),  # "totp", "recovery" or ""
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("last_used_at", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
)

devices: Final = sa.Table(
    "identity_devices",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # of a token that only that device has
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)


# With which device a session was begun, and what certificate was shown there.
session_devices: Final = sa.Table(
    "identity_session_devices",
    metadata,
    sa.Column("session_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),  # the digest of its token
    sa.Column("peer", sa.Text, nullable=False),  # "" none
)

# Devices that somebody has said they trust, with a second factor.
device_trust: Final = sa.Table(
    "identity_device_trust",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("trusted_at", sa.BigInteger, nullable=False),
    sa.Column("trusted_until", sa.BigInteger, nullable=False),
    sa.Column("trusted_by", sa.Text, nullable=False),  # a caller
)


# Who may choose a password of their own by a link. Good once: used, it is gone.
invitations: Final = sa.Table(
    "identity_invitations",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("invited_by", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
)


# What is sealed under its subject's key, by table.
SEALED: Final[Mapping[str, tuple[str, ...]]] = {
    people.name: ("email", "name", "totp"),
    sessions.name: ("device", "address"),
    "identity_passkeys": ("name",),
}


def sealed_rows(conn: sa.Connection) -> Iterable[tuple[sa.Table, Any]]:
    """Every row in which something is sealed, with its table."""
    for table in (people, sessions, passkeys):
        for row in conn.execute(sa.select(table)).all():
            yield table, row


def put_sealed(conn: sa.Connection, table: sa.Table, row: Any, values: Mapping[str, bytes]) -> None:
    there = [column == getattr(row, column.name) for column in table.primary_key]
    conn.execute(table.update().where(*there).values(**values))


passkeys: Final = sa.Table(
    "identity_passkeys",
    metadata,
    sa.Column("passkey_id", sa.Text, primary_key=True),  # of the credential, hexadecimal
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False),  # SubjectPublicKeyInfo
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("name", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("is_copied", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("last_used_at", sa.BigInteger),
)


def passkey(conn: sa.Connection, passkey_id: str) -> Any:
    """The row, or None."""
    there = passkeys.c.passkey_id == passkey_id
    return conn.execute(sa.select(passkeys).where(there)).one_or_none()


def passkeys_of(conn: sa.Connection, tenant: str, user: str) -> Sequence[Any]:
    """Oldest first."""
    chosen = (passkeys.c.tenant == tenant, passkeys.c.user == user)
    return conn.execute(sa.select(passkeys).where(*chosen).order_by(passkeys.c.created_at)).all()


def add_passkey(conn: sa.Connection, **row: Any) -> None:
    conn.execute(passkeys.insert().values(**row))


def use_passkey(
    conn: sa.Connection, passkey_id: str, before: int, sign_count: int, at: Instant
) -> bool:
    """Whether its counter still stood at `before`."""
    there = (passkeys.c.passkey_id == passkey_id, passkeys.c.sign_count == before)
    change = passkeys.update().where(*there).values(sign_count=sign_count, last_used_at=at)
    return conn.execute(change).rowcount == 1


def remove_passkey(conn: sa.Connection, tenant: str, user: str, passkey_id: str) -> bool:
    there = (
        passkeys.c.tenant == tenant,
        passkeys.c.user == user,
        passkeys.c.passkey_id == passkey_id,
    )
    return conn.execute(passkeys.delete().where(*there)).rowcount == 1


def remove_passkeys(conn: sa.Connection, tenant: str, user: str) -> None:
    """All of somebody's."""
    there = (passkeys.c.tenant == tenant, passkeys.c.user == user)
    conn.execute(passkeys.delete().where(*there))


def person(conn: sa.Connection, tenant: str, user: str) -> Any:
    """The row, or None."""
    there = sa.and_(people.c.tenant == tenant, people.c.user == user)
    return conn.execute(sa.select(people).where(there)).one_or_none()


def add_person(conn: sa.Connection, **row: Any) -> None:
    conn.execute(people.insert().values(**row))


def remove_person(conn: sa.Connection, tenant: str, user: str) -> None:
    there = sa.and_(people.c.tenant == tenant, people.c.user == user)
    conn.execute(people.delete().where(there))


def change_person(conn: sa.Connection, tenant: str, user: str, **row: Any) -> None:
    there = sa.and_(people.c.tenant == tenant, people.c.user == user)
    conn.execute(people.update().where(there).values(**row))


def use_step(conn: sa.Connection, tenant: str, user: str, step: int) -> bool:
    """Whether nobody has used a code of this step, or a later one, before."""
    there = sa.and_(people.c.tenant == tenant, people.c.user == user, people.c.totp_step < step)
    return conn.execute(people.update().where(there).values(totp_step=step)).rowcount == 1


def put_codes(conn: sa.Connection, tenant: str, user: str, digests: Iterable[str]) -> None:
    """Instead of all that were there."""
    there = sa.and_(recovery.c.tenant == tenant, recovery.c.user == user)
    conn.execute(recovery.delete().where(there))
    rows = [{"tenant": tenant, "user": user, "digest": each} for each in digests]
    if rows:
        conn.execute(recovery.insert(), rows)


def use_code(conn: sa.Connection, tenant: str, user: str, digest: str, at: Instant) -> bool:
    there = sa.and_(
        recovery.c.tenant == tenant,
        recovery.c.user == user,
        recovery.c.digest == digest,
        recovery.c.used_at.is_(None),
    )
    return conn.execute(recovery.update().where(there).values(used_at=at)).rowcount == 1


def codes_left(conn: sa.Connection, tenant: str, user: str) -> int:
    there = (recovery.c.tenant == tenant, recovery.c.user == user, recovery.c.used_at.is_(None))
    return conn.scalar(sa.select(sa.func.count()).select_from(recovery).where(*there)) or 0


def invitation(conn: sa.Connection, tenant: str, user: str) -> Any:
    """The row, or None."""
    there = (invitations.c.tenant == tenant, invitations.c.user == user)
    return conn.execute(sa.select(invitations).where(*there)).one_or_none()


def check_not_last_admin(
    conn: sa.Connection, tenant: str, user: str, what: str, roles: Iterable[Role] = ()
) -> None:
    """Raises `Conflict` "last_admin" where nobody could run the house once `user` had only `roles`.
    Within the transaction that would do it, so that two do not do it to each other."""
    invited = invitations.c.tenant == tenant
    absent = {
        *identity.owners(conn, tenant),
        *identity.locks_of(conn, tenant),
        *conn.scalars(sa.select(invitations.c.user).where(invited)),
    }
    admins = {
        each.user
        for each in identity.users_of(conn, TenantId(tenant))
        if Role.ADMIN in each.roles and each.user not in absent
    }
    if Role.ADMIN not in roles and admins == {user}:
        raise Taken(
            f"{user} is the last admin of {tenant} and cannot be {what}: make somebody else an "
            "admin first",
            code="last_admin",
        )


def put_invitation(conn: sa.Connection, **row: Any) -> None:
    """In place of the one that there was."""
    there = (invitations.c.tenant == row["tenant"], invitations.c.user == row["user"])
    conn.execute(invitations.delete().where(*there))
    conn.execute(invitations.insert().values(**row))


def take_invitation(conn: sa.Connection, tenant: str, user: str, digest: str = "") -> bool:
    """Whether there was one, or the one of `digest`; from here on it is good no more."""
    there = [invitations.c.tenant == tenant, invitations.c.user == user]
    if digest:
        there.append(invitations.c.digest == digest)
    return conn.execute(invitations.delete().where(*there)).rowcount == 1


def add_session(conn: sa.Connection, **row: Any) -> None:
    conn.execute(sessions.insert().values(**row))


def sessions_of(conn: sa.Connection, tenant: str, user: str) -> Sequence[Any]:
    """Those that nobody has ended, newest first."""
    chosen = (
        sessions.c.tenant == tenant,
        sessions.c.user == user,
        sessions.c.ended_at.is_(None),
    )
    return conn.execute(
        sa.select(sessions).where(*chosen).order_by(sessions.c.created_at.desc())
    ).all()


def open_sessions(conn: sa.Connection, at: Instant) -> Iterable[tuple[str, User, Any]]:
    """Every one that may still be used, with its digest and its user."""
    of = sa.and_(users.c.tenant == sessions.c.tenant, users.c.user == sessions.c.user)
    chosen = (sessions.c.ended_at.is_(None), sessions.c.ends_at > at)
    with_it = session_devices.c.session_id == sessions.c.session_id
    trusted = device_trust.c.device == session_devices.c.device
    beside = (session_devices.c.device.label("with_device"), session_devices.c.peer)
    asked = sa.select(*sessions.c, users.c.roles, *beside, device_trust.c.trusted_until)
    joined = asked.join(users, of).outerjoin(session_devices, with_it)
    for row in conn.execute(joined.outerjoin(device_trust, trusted).where(*chosen)):
        roles = msgspec.json.decode(row.roles, type=tuple[Role, ...])
        yield row.digest, User(TenantId(row.tenant), UserId(row.user), roles), row


def end_session(conn: sa.Connection, session_id: str, at: Instant) -> None:
    conn.execute(sessions.update().where(sessions.c.session_id == session_id).values(ended_at=at))


def note_session_use(conn: sa.Connection, used: Mapping[KeyId, Instant]) -> None:
    """Nobody decides by it across a restart but idleness, so the journal is not told."""
    if used:
        conn.execute(
            sessions.update()
            .where(sessions.c.session_id == sa.bindparam("one"))
            .values(last_used_at=sa.bindparam("moment")),
            [{"one": each, "moment": at} for each, at in used.items()],
        )


def add_device(conn: sa.Connection, digest: str, tenant: str, user: str, at: Instant) -> None:
    conn.execute(devices.insert().values(digest=digest, tenant=tenant, user=user, created_at=at))


def has_device(conn: sa.Connection, tenant: str, user: str) -> bool:
    """Whether they have signed in from any."""
    there = (devices.c.tenant == tenant, devices.c.user == user)
    return conn.scalar(sa.select(devices.c.digest).where(*there).limit(1)) is not None


def addresses(conn: sa.Connection) -> dict[tuple[str, str], bytes]:
    """Everybody's, sealed under their keys."""
    found = conn.execute(sa.select(people.c.tenant, people.c.user, people.c.email))
    return {(row.tenant, row.user): row.email for row in found}


def knows_device(conn: sa.Connection, digest: str, tenant: str, user: str) -> bool:
    there = (devices.c.digest == digest, devices.c.tenant == tenant, devices.c.user == user)
    return conn.scalar(sa.select(devices.c.digest).where(*there)) is not None


def put_session_device(
    conn: sa.Connection, session_id: str, tenant: str, user: str, device: str, peer: str
) -> None:
    row = {"tenant": tenant, "user": user, "device": device, "peer": peer}
    conn.execute(session_devices.insert().values(session_id=session_id, **row))


def devices_by_session(conn: sa.Connection, tenant: str, user: str) -> dict[str, str]:
    """The digest of the device that each of somebody's sessions was begun with."""
    mine = (session_devices.c.tenant == tenant, session_devices.c.user == user)
    asked = sa.select(session_devices.c.session_id, session_devices.c.device).where(*mine)
    return {row.session_id: row.device for row in conn.execute(asked)}


def devices_of(conn: sa.Connection, tenant: str, user: str) -> Sequence[Any]:
    """Newest first, with up to when each is trusted, by whom, and the newest session's name."""
    trusted = device_trust.c.device == devices.c.digest
    asked = sa.select(*devices.c, *device_trust.c[3:]).outerjoin(device_trust, trusted)
    mine = (devices.c.tenant == tenant, devices.c.user == user)
    return conn.execute(asked.where(*mine).order_by(devices.c.created_at.desc())).all()


def sessions_on(conn: sa.Connection, tenant: str, user: str) -> dict[str, list[Any]]:
    """All of somebody's sessions that the records still have, newest first, by device."""
    there = session_devices.c.session_id == sessions.c.session_id
    asked = sa.select(*sessions.c, session_devices.c.device.label("with_device"))
    mine = (sessions.c.tenant == tenant, sessions.c.user == user)
    found: dict[str, list[Any]] = {}
    ordered = asked.join(session_devices, there).where(*mine).order_by(sessions.c.created_at.desc())
    for row in conn.execute(ordered):
        found.setdefault(row.with_device, []).append(row)
    return found


def trust_device(
    conn: sa.Connection,
    device: str,
    tenant: str,
    user: str,
    at: Instant,
    until: Instant,
    by: str,
) -> None:
    """In place of what was said of it before."""
    distrust_device(conn, device)
    row = {"tenant": tenant, "user": user, "trusted_at": at, "trusted_until": until}
    conn.execute(device_trust.insert().values(device=device, trusted_by=by, **row))


def distrust_device(conn: sa.Connection, device: str) -> bool:
    """Whether it was trusted, or had been once."""
    return conn.execute(device_trust.delete().where(device_trust.c.device == device)).rowcount == 1


def remove_device(conn: sa.Connection, device: str) -> None:
    """It is a stranger from now on; sessions that began with it say so still."""
    distrust_device(conn, device)
    conn.execute(devices.delete().where(devices.c.digest == device))


def tell(conn: sa.Connection, event: IdentityEvent, at: Instant) -> None:
    publish(conn, IDENTITY_STREAM, event, at)
