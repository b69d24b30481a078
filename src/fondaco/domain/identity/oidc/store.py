"""Records of clients, grants and signing keys. Codes and tokens come as hashes, keys sealed."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.identity.model import IDENTITY_STREAM
from fondaco.domain.identity.oidc.model import Client
from fondaco.kernel.event import Event, Instant
from fondaco.ports.store import publish

metadata: Final = sa.MetaData()

clients: Final = sa.Table(
    "identity_oauth_clients",
    metadata,
    sa.Column("client_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_digest", sa.Text, nullable=False),  # "": public
    sa.Column("redirect_uris", sa.Text, nullable=False),  # JSON
    sa.Column("scopes", sa.Text, nullable=False),  # JSON
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("removed_at", sa.BigInteger),
)

codes: Final = sa.Table(
    "identity_oauth_codes",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("grant_id", sa.Text, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("challenge", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
)

# Devices that ask, RFC 8628. Codes come as hashes; of a grant that was revoked nothing is left.
devices: Final = sa.Table(
    "identity_oauth_devices",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("user_code", sa.Text, nullable=False, unique=True),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # JSON
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),  # where it asked from; for ten minutes
    sa.Column("state", sa.Text, nullable=False),  # "waiting", "agreed", "refused", "used"
    sa.Column("grant_id", sa.Text, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False),
    sa.Column("interval_s", sa.Integer, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),  # last; 0 never
)

grants: Final = sa.Table(
    "identity_oauth_grants",
    metadata,
    sa.Column("grant_id", sa.Text, primary_key=True),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # JSON
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("second_factor", sa.Text, nullable=False),
    sa.Column("signed_in_at", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
)

refreshing: Final = sa.Table(
    "identity_oauth_refreshing",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("grant_id", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
)

signing_keys: Final = sa.Table(
    "identity_signing_keys",
    metadata,
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("alg", sa.Text, nullable=False),
    sa.Column("private", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("public", sa.Text, nullable=False),  # JWK
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.BigInteger),  # shown until then; null: it signs
)

# Who is whom at providers of others: a hash of issuer and subject, and a user here.
links: Final = sa.Table(
    "identity_foreign",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)


def linked(conn: sa.Connection, subject: str) -> Any:
    """The row, or None."""
    return conn.execute(sa.select(links).where(links.c.subject == subject)).one_or_none()


def link(conn: sa.Connection, subject: str, tenant: str, user: str, at: Instant) -> None:
    conn.execute(links.insert().values(subject=subject, tenant=tenant, user=user, created_at=at))


def add_client(conn: sa.Connection, client: Client, secret_digest: str) -> None:
    row = msgspec.structs.asdict(client)
    del row["is_public"]
    row |= {"redirect_uris": _json(client.redirect_uris), "scopes": _json(client.scopes)}
    conn.execute(clients.insert().values(**row, secret_digest=secret_digest))


def client(conn: sa.Connection, client_id: str) -> tuple[Client, str] | None:
    """With the digest of its secret; None where there is none, or no longer."""
    there = (clients.c.client_id == client_id, clients.c.removed_at.is_(None))
    row = conn.execute(sa.select(clients).where(*there)).one_or_none()
    return None if row is None else (_client(row), row.secret_digest)


def clients_of(conn: sa.Connection, tenant: str) -> Sequence[Client]:
    chosen = (clients.c.tenant == tenant, clients.c.removed_at.is_(None))
    rows = conn.execute(sa.select(clients).where(*chosen).order_by(clients.c.created_at))
    return [_client(row) for row in rows]


def remove_client(conn: sa.Connection, tenant: str, client_id: str, at: Instant) -> bool:
    there = (
        clients.c.tenant == tenant,
        clients.c.client_id == client_id,
        clients.c.removed_at.is_(None),
    )
    return conn.execute(clients.update().where(*there).values(removed_at=at)).rowcount == 1


def add_grant(conn: sa.Connection, **row: Any) -> None:
    conn.execute(grants.insert().values(**row | {"scopes": _json(row["scopes"])}))


def grant(conn: sa.Connection, grant_id: str) -> Any:
    """The row, or None; `scopes` are JSON."""
    return conn.execute(sa.select(grants).where(grants.c.grant_id == grant_id)).one_or_none()


def live_grants(conn: sa.Connection, at: Instant) -> dict[str, Any]:
    of = clients.c.client_id == grants.c.client_id
    chosen = (grants.c.revoked_at.is_(None), grants.c.ends_at > at, clients.c.removed_at.is_(None))
    rows = conn.execute(sa.select(grants).join(clients, of).where(*chosen))
    return {row.grant_id: row for row in rows}


def grants_of(conn: sa.Connection, tenant: str, user: str, at: Instant) -> Sequence[Any]:
    """With the names of their clients, newest first."""
    of = clients.c.client_id == grants.c.client_id
    chosen = (
        grants.c.tenant == tenant,
        grants.c.user == user,
        grants.c.revoked_at.is_(None),
        grants.c.ends_at > at,
    )
    return conn.execute(
        sa.select(*grants.c, clients.c.name.label("client_name"))
        .join(clients, of)
        .where(*chosen)
        .order_by(grants.c.created_at.desc())
    ).all()


def revoke_grant(conn: sa.Connection, grant_id: str, at: Instant) -> bool:
    there = (grants.c.grant_id == grant_id, grants.c.revoked_at.is_(None))
    return conn.execute(grants.update().where(*there).values(revoked_at=at)).rowcount == 1


def add_code(conn: sa.Connection, **row: Any) -> None:
    conn.execute(codes.insert().values(**row))


def code(conn: sa.Connection, digest: str) -> Any:
    return conn.execute(sa.select(codes).where(codes.c.digest == digest)).one_or_none()


def use_code(conn: sa.Connection, digest: str, at: Instant) -> bool:
    """Whether nobody has used it before."""
    there = (codes.c.digest == digest, codes.c.used_at.is_(None))
    return conn.execute(codes.update().where(*there).values(used_at=at)).rowcount == 1


def add_device(conn: sa.Connection, **row: Any) -> None:
    conn.execute(devices.insert().values(**row))


def device(conn: sa.Connection, digest: str) -> Any:
    """By what the device has; the row, or None."""
    return conn.execute(sa.select(devices).where(devices.c.digest == digest)).one_or_none()


def device_of(conn: sa.Connection, user_code: str) -> Any:
    """By the digest of what a person types; the row, or None."""
    there = devices.c.user_code == user_code
    return conn.execute(sa.select(devices).where(there)).one_or_none()


def devices_waiting(conn: sa.Connection, at: Instant) -> int:
    waits = (devices.c.state == "waiting", devices.c.ends_at > at)
    return conn.scalar(sa.select(sa.func.count()).select_from(devices).where(*waits)) or 0


def change_device(conn: sa.Connection, digest: str, **row: Any) -> None:
    conn.execute(devices.update().where(devices.c.digest == digest).values(**row))


def add_refresh(conn: sa.Connection, digest: str, grant_id: str, at: Instant) -> None:
    conn.execute(refreshing.insert().values(digest=digest, grant_id=grant_id, created_at=at))


def refresh(conn: sa.Connection, digest: str) -> Any:
    return conn.execute(sa.select(refreshing).where(refreshing.c.digest == digest)).one_or_none()


def use_refresh(conn: sa.Connection, digest: str, at: Instant) -> bool:
    there = (refreshing.c.digest == digest, refreshing.c.used_at.is_(None))
    return conn.execute(refreshing.update().where(*there).values(used_at=at)).rowcount == 1


def add_signing_key(
    conn: sa.Connection, jwk: dict[str, str], private: bytes, at: Instant, old_until: Instant
) -> None:
    """In place of the one of its algorithm, which is shown until `old_until`."""
    same = (signing_keys.c.alg == jwk["alg"], signing_keys.c.ends_at.is_(None))
    conn.execute(signing_keys.update().where(*same).values(ends_at=old_until))
    conn.execute(
        signing_keys.insert().values(
            kid=jwk["kid"],
            alg=jwk["alg"],
            private=private,
            public=msgspec.json.encode(jwk).decode(),
            created_at=at,
        )
    )


def signing_keys_at(conn: sa.Connection, at: Instant) -> Sequence[Any]:
    """Those that sign and those that still verify, newest first."""
    shown = sa.or_(signing_keys.c.ends_at.is_(None), signing_keys.c.ends_at > at)
    newest = signing_keys.c.created_at.desc()
    return conn.execute(sa.select(signing_keys).where(shown).order_by(newest)).all()


def forget(conn: sa.Connection, before: Instant) -> None:
    """Codes and tokens that nobody could use any more, and keys that are shown no more."""
    old = sa.select(grants.c.grant_id).where(grants.c.ends_at < before)
    conn.execute(codes.delete().where(codes.c.ends_at < before))
    conn.execute(devices.delete().where(devices.c.ends_at < before))
    conn.execute(refreshing.delete().where(refreshing.c.grant_id.in_(old)))
    conn.execute(signing_keys.delete().where(signing_keys.c.ends_at < before))


def tell(conn: sa.Connection, event: Event, at: Instant) -> None:
    publish(conn, IDENTITY_STREAM, event, at)


def _json(names: Iterable[str]) -> str:
    return msgspec.json.encode(list(names)).decode()


def _client(row: Any) -> Client:
    return Client(
        row.client_id,
        row.tenant,
        row.name,
        tuple(msgspec.json.decode(row.redirect_uris)),
        tuple(msgspec.json.decode(row.scopes)),
        row.machine,
        not row.secret_digest,
        row.created_at,
    )
