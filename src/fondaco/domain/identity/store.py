"""Records of the identity room. A change and the event that tells of it commit together."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.identity.events import (
    IdentityEvent,
    KeyCreated,
    KeyRevoked,
    KeyRotated,
    KeyTermsSet,
    MachineCreated,
    PersonLocked,
    PersonUnlocked,
    RolesChanged,
    TenantCreated,
    UserCreated,
)
from fondaco.domain.identity.model import (
    IDENTITY_STREAM,
    Key,
    KeyId,
    Role,
    Scope,
    TenantId,
    User,
    UserId,
)
from fondaco.kernel.errors import Invalid, NotFound, Taken
from fondaco.kernel.event import Instant
from fondaco.ports.store import publish

metadata: Final = sa.MetaData()

tenants: Final = sa.Table(
    "identity_tenants",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

users: Final = sa.Table(
    "identity_users",
    metadata,
    sa.Column("tenant", sa.Text, sa.ForeignKey(tenants.c.tenant), primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("roles", sa.Text, nullable=False),  # JSON
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

keys: Final = sa.Table(
    "identity_keys",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False, unique=True),  # of the token, which is not kept
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # JSON
    sa.Column("accounts", sa.Text),  # JSON; null: all of the tenant's
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("last_used_at", sa.BigInteger),
    sa.ForeignKeyConstraint(["tenant", "user"], [users.c.tenant, users.c.user]),
    sa.UniqueConstraint("tenant", "user", "name"),  # a name in a log means one key for ever
)

# How a key may be used. Beside the table of keys, which older houses have without it.
key_terms: Final = sa.Table(
    "identity_key_terms",
    metadata,
    sa.Column("key_id", sa.Text, sa.ForeignKey(keys.c.key_id), primary_key=True),
    sa.Column("networks", sa.Text, nullable=False),  # JSON
    sa.Column("signing", sa.Text, nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False),  # sealed, or a public key
    sa.Column("replaces", sa.Text, nullable=False),
)

service_accounts: Final = sa.Table(
    "identity_service_accounts",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

# Who is shut out, for as long as their row is here: every door refuses them.
locks: Final = sa.Table(
    "identity_locks",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("locked_by", sa.Text, nullable=False),
    sa.Column("locked_at", sa.BigInteger, nullable=False),
)

# What a user keeps for their pages. Nobody decides by it, so the journal is not told.
preferences: Final = sa.Table(
    "identity_preferences",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("value", sa.Text, nullable=False),  # JSON
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

_LOCKED: Final = sa.and_(locks.c.tenant == users.c.tenant, locks.c.user == users.c.user)
_TERMS: Final = [key_terms.c.networks, key_terms.c.signing, key_terms.c.replaces]
_KEY: Final = [*(column for column in keys.c if column.name != "digest"), *_TERMS]
_WITH_TERMS: Final = keys.outerjoin(key_terms, key_terms.c.key_id == keys.c.key_id)


def add_tenant(conn: sa.Connection, tenant: TenantId, at: Instant) -> None:
    """Do nothing where there is one."""
    if conn.scalar(sa.select(tenants.c.tenant).where(tenants.c.tenant == tenant)) is None:
        conn.execute(tenants.insert().values(tenant=tenant, created_at=at))
        _tell(conn, TenantCreated(tenant), at)


def tenant_names(conn: sa.Connection) -> list[str]:
    return list(conn.scalars(sa.select(tenants.c.tenant).order_by(tenants.c.tenant)))


def put_user(conn: sa.Connection, user: User, at: Instant) -> None:
    """Add a user, or give one other roles. Raises `NotFound` for an unknown tenant."""
    if conn.scalar(sa.select(tenants.c.tenant).where(tenants.c.tenant == user.tenant)) is None:
        raise NotFound(f"there is no tenant {user.tenant}; create it first")
    row = {"tenant": user.tenant, "user": user.user}
    there = sa.and_(users.c.tenant == user.tenant, users.c.user == user.user)
    roles = conn.scalar(sa.select(users.c.roles).where(there))
    if roles is None:
        conn.execute(users.insert().values(**row, roles=_json(user.roles), created_at=at))
        _tell(conn, UserCreated(user.tenant, user.user, user.roles), at)
    elif roles != _json(user.roles):
        conn.execute(users.update().where(there).values(roles=_json(user.roles)))
        _tell(conn, RolesChanged(user.tenant, user.user, user.roles), at)


def user(conn: sa.Connection, tenant: TenantId, name: UserId) -> User:
    there = sa.and_(users.c.tenant == tenant, users.c.user == name)
    roles = conn.scalar(sa.select(users.c.roles).where(there))
    if roles is None:
        raise NotFound(f"there is no user {name} in tenant {tenant}; create it first")
    return User(tenant, name, _roles(roles))


def roles(conn: sa.Connection) -> dict[tuple[str, str], tuple[Role, ...]]:
    """Of every tenant's users but those who are locked."""
    rows = conn.execute(sa.select(users).outerjoin(locks, _LOCKED).where(locks.c.user.is_(None)))
    return {(row.tenant, row.user): _roles(row.roles) for row in rows}


def users_of(conn: sa.Connection, tenant: TenantId) -> Sequence[User]:
    chosen = users.c.tenant == tenant
    rows = conn.execute(sa.select(users.c.user, users.c.roles).where(chosen).order_by(users.c.user))
    return [User(tenant, UserId(row.user), _roles(row.roles)) for row in rows]


def is_locked(conn: sa.Connection, tenant: str, user: str) -> bool:
    there = (locks.c.tenant == tenant, locks.c.user == user)
    return conn.scalar(sa.select(locks.c.user).where(*there)) is not None


def locked(conn: sa.Connection) -> frozenset[tuple[str, str]]:
    """Tenant and user of everybody who is."""
    rows = conn.execute(sa.select(locks.c.tenant, locks.c.user))
    return frozenset((row.tenant, row.user) for row in rows)


def put_lock(
    conn: sa.Connection, tenant: str, user: str, reason: str, by: str, at: Instant
) -> bool:
    """Whether they were not locked before."""
    if is_locked(conn, tenant, user):
        return False
    row = {"tenant": tenant, "user": user, "reason": reason, "locked_by": by, "locked_at": at}
    conn.execute(locks.insert().values(**row))
    _tell(conn, PersonLocked(tenant, user, reason, by), at)
    return True


def lift_lock(
    conn: sa.Connection, tenant: str, user: str, reason: str, by: str, at: Instant
) -> bool:
    """Whether they were locked."""
    there = (locks.c.tenant == tenant, locks.c.user == user)
    lifted = conn.execute(locks.delete().where(*there)).rowcount == 1
    if lifted:
        _tell(conn, PersonUnlocked(tenant, user, reason, by), at)
    return lifted


def locks_of(conn: sa.Connection, tenant: str) -> dict[str, sa.Row[tuple[str, str, str, str, int]]]:
    """By user."""
    rows = conn.execute(sa.select(locks).where(locks.c.tenant == tenant))
    return {row.user: row for row in rows}


def add_key(conn: sa.Connection, key: Key, digest: str, by: str, secret: bytes = b"") -> None:
    """`secret` is that of a key that signs. Raises `Conflict` where the user has, or had, a key of
    that name."""
    same = (keys.c.tenant == key.tenant, keys.c.user == key.user, keys.c.name == key.name)
    if conn.scalar(sa.select(keys.c.key_id).where(*same)) is not None:
        raise Taken(f"{key.user} has or had a key called {key.name}; choose another name")
    conn.execute(
        keys.insert().values(
            key_id=key.key_id,
            digest=digest,
            tenant=key.tenant,
            user=key.user,
            name=key.name,
            scopes=_json(key.scopes),
            accounts=None if key.accounts is None else _json(key.accounts),
            created_at=key.created_at,
            expires_at=key.expires_at,
        )
    )
    told = KeyCreated(
        key.key_id,
        key.tenant,
        key.user,
        key.name,
        key.scopes,
        key.accounts,
        key.expires_at,
        by,
    )
    _tell(conn, told, key.created_at)
    if key.networks or key.signing or key.replaces:
        conn.execute(
            key_terms.insert().values(
                key_id=key.key_id,
                networks=_json(key.networks),
                signing=key.signing,
                secret=secret,
                replaces=key.replaces,
            )
        )
        _tell(
            conn,
            KeyTermsSet(key.key_id, key.tenant, len(key.networks), key.signing),
            key.created_at,
        )


def key_named(conn: sa.Connection, tenant: TenantId, key_id: str) -> Key:
    """Raises `NotFound`."""
    there = (keys.c.tenant == tenant, keys.c.key_id == key_id)
    row = conn.execute(sa.select(*_KEY).select_from(_WITH_TERMS).where(*there)).one_or_none()
    if row is None:
        raise NotFound(f"there is no key {key_id[:64]} in tenant {tenant}")
    return _key(row._mapping)


def replace_key(conn: sa.Connection, old: Key, new: Key, ends_at: Instant, by: str) -> None:
    """From `ends_at` on the old one is refused."""
    conn.execute(keys.update().where(keys.c.key_id == old.key_id).values(expires_at=ends_at))
    _tell(conn, KeyRotated(old.key_id, new.key_id, old.tenant, ends_at, by), new.created_at)


def secrets_of_keys(conn: sa.Connection) -> dict[str, bytes]:
    """Of every key that signs, sealed as they are kept."""
    rows = conn.execute(
        sa.select(key_terms.c.key_id, key_terms.c.secret).where(key_terms.c.signing != "")
    )
    return {row.key_id: row.secret for row in rows}


def add_service_account(conn: sa.Connection, user: User, owner: str, by: str, at: Instant) -> None:
    """Raises `Conflict` where there is somebody of that name."""
    there = sa.and_(users.c.tenant == user.tenant, users.c.user == user.user)
    if conn.scalar(sa.select(users.c.user).where(there)) is not None:
        raise Taken(f"there is a user {user.user} already; choose another name")
    put_user(conn, user, at)
    conn.execute(
        service_accounts.insert().values(
            tenant=user.tenant, user=user.user, owner=owner, created_at=at
        )
    )
    _tell(conn, MachineCreated(user.tenant, user.user, owner, by), at)


def owners(conn: sa.Connection, tenant: str) -> dict[str, str]:
    """Who makes the keys of each service account."""
    accounts = service_accounts.c
    rows = conn.execute(sa.select(accounts.user, accounts.owner).where(accounts.tenant == tenant))
    return {row.user: row.owner for row in rows}


def revoke_key(conn: sa.Connection, tenant: TenantId, key_id: KeyId, at: Instant, by: str) -> None:
    """From `at` on the key is refused. Once is enough: again changes nothing."""
    there = sa.and_(keys.c.tenant == tenant, keys.c.key_id == key_id)
    row = conn.execute(sa.select(keys.c.revoked_at).where(there)).one_or_none()
    if row is None:
        raise NotFound(f"there is no key {key_id[:64]} in tenant {tenant}")
    if row.revoked_at is None:
        conn.execute(keys.update().where(there).values(revoked_at=at))
        _tell(conn, KeyRevoked(key_id, tenant, by), at)


def keys_of(conn: sa.Connection, tenant: TenantId, user: UserId | None = None) -> Sequence[Key]:
    """The tenant's keys, or one user's, oldest first; revoked ones too."""
    chosen: list[sa.ColumnElement[bool]] = [keys.c.tenant == tenant]
    if user is not None:
        chosen.append(keys.c.user == user)
    rows = conn.execute(
        sa.select(*_KEY)
        .select_from(_WITH_TERMS)
        .where(*chosen)
        .order_by(keys.c.created_at, keys.c.key_id)
    )
    return [_key(row._mapping) for row in rows]


def holders(conn: sa.Connection, digest: str | None = None) -> Iterable[tuple[str, User, Key]]:
    """Every key that is not revoked, or the one of `digest`, with its user; not of the locked."""
    chosen: list[sa.ColumnElement[bool]] = [keys.c.revoked_at.is_(None), locks.c.user.is_(None)]
    if digest is not None:
        chosen.append(keys.c.digest == digest)
    rows = conn.execute(
        sa.select(*keys.c, *_TERMS, users.c.roles)
        .select_from(_WITH_TERMS)
        .join(users, sa.and_(users.c.tenant == keys.c.tenant, users.c.user == keys.c.user))
        .outerjoin(locks, _LOCKED)
        .where(*chosen)
    )
    for row in rows:
        key = _key(row._mapping)
        yield row.digest, User(key.tenant, key.user, _roles(row.roles)), key


def note_use(conn: sa.Connection, used: Mapping[KeyId, Instant]) -> None:
    """Keep when keys were last used. Nobody decides by it, so the journal is not told."""
    if used:
        conn.execute(
            keys.update()
            .where(keys.c.key_id == sa.bindparam("one"))
            .values(last_used_at=sa.bindparam("moment")),
            [{"one": key_id, "moment": at} for key_id, at in used.items()],
        )


def preference(
    conn: sa.Connection, tenant: TenantId, user: UserId, name: str
) -> tuple[int, str, Instant] | None:
    """Version, value and time of what was kept under `name`."""
    row = conn.execute(
        sa.select(preferences.c.version, preferences.c.value, preferences.c.updated_at).where(
            *_kept_as(tenant, user, name)
        )
    ).one_or_none()
    return None if row is None else (row.version, row.value, Instant(row.updated_at))


def put_preference(
    conn: sa.Connection,
    tenant: TenantId,
    user: UserId,
    name: str,
    value: str,
    at: Instant,
    count_max: int,
) -> int:
    """The version that it has now. Raises `Invalid` where the user keeps too many."""
    found = preference(conn, tenant, user, name)
    if found is not None:
        version = found[0] + 1
        conn.execute(
            preferences.update()
            .where(*_kept_as(tenant, user, name))
            .values(version=version, value=value, updated_at=at)
        )
        return version
    of_user = (preferences.c.tenant == tenant, preferences.c.user == user)
    count = conn.scalar(sa.select(sa.func.count()).select_from(preferences).where(*of_user)) or 0
    if count >= count_max:
        raise Invalid(f"{user} keeps {count} things here, at most {count_max}; reuse a name")
    row = {"tenant": tenant, "user": user, "name": name, "version": 1, "value": value}
    conn.execute(preferences.insert().values(**row, updated_at=at))
    return 1


def _kept_as(tenant: TenantId, user: UserId, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    kept = preferences.c
    return (kept.tenant == tenant, kept.user == user, kept.name == name)


def _tell(conn: sa.Connection, event: IdentityEvent, at: Instant) -> None:
    publish(conn, IDENTITY_STREAM, event, at)


def _json(names: Iterable[str]) -> str:
    return msgspec.json.encode(list(names)).decode()


def _roles(text: str) -> tuple[Role, ...]:
    return msgspec.json.decode(text, type=tuple[Role, ...])


def _key(row: sa.RowMapping) -> Key:
    accounts = row["accounts"]
    return Key(
        KeyId(row["key_id"]),
        TenantId(row["tenant"]),
        UserId(row["user"]),
        row["name"],
        msgspec.json.decode(row["scopes"], type=tuple[Scope, ...]),
        None if accounts is None else msgspec.json.decode(accounts, type=tuple[str, ...]),
        row["created_at"],
        row["expires_at"],
        row["revoked_at"],
        row["last_used_at"],
        msgspec.json.decode(row["networks"] or b"[]", type=tuple[str, ...]),
        row["signing"] or "",
        KeyId(row["replaces"] or ""),
    )
