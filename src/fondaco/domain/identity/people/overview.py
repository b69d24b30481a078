"""The tenant's users as whoever runs the house sees them: whether they can come in, and nothing
that says who they are."""

from typing import Literal

import msgspec
import sqlalchemy as sa

from fondaco.domain.identity import store as identity
from fondaco.domain.identity.model import TenantId, User
from fondaco.domain.identity.people import store
from fondaco.kernel.event import Instant

Standing = Literal["active", "invited", "locked", "no_password"]


class UserShown(msgspec.Struct, frozen=True):
    """`state` "no_password" is of machines, and of people who have keys alone. Times are
    nanoseconds since 1970, UTC; "" for never."""

    user: str
    roles: list[str]
    scopes: list[str]
    state: Standing = "active"
    is_machine: bool = False
    second_factor: bool = False  # an authenticator or a passkey
    sessions: int = 0
    keys: int = 0
    last_used_at: str = ""
    invited_until: str = ""
    locked_by: str = ""
    locked_at: str = ""
    lock_reason: str = ""


def users(conn: sa.Connection, tenant: str, at: Instant) -> list[UserShown]:
    """By name."""
    machines, locks = identity.owners(conn, tenant), identity.locks_of(conn, tenant)
    rows = {
        table.name: conn.execute(sa.select(table).where(table.c.tenant == tenant)).all()
        for table in (store.people, store.invitations, store.passkeys, store.sessions)
    }
    people = {row.user: row for row in rows[store.people.name]}
    invited = {row.user: row for row in rows[store.invitations.name]}
    begun = rows[store.sessions.name]
    enrolled = {row.user for row in rows[store.passkeys.name]}
    enrolled |= {name for name, row in people.items() if row.totp_at is not None}
    live = [row.user for row in begun if row.ended_at is None and row.ends_at > at]
    used = [(row.user, row.last_used_at) for row in begun]
    keys = identity.keys_of(conn, TenantId(tenant))
    used += [(key.user, key.last_used_at) for key in keys if key.last_used_at]
    holding = [key.user for key in keys if key.ends_at > at]
    found = []
    for user in identity.users_of(conn, TenantId(tenant)):
        name, lock, invitation = user.user, locks.get(user.user), invited.get(user.user)
        state: Standing = "active" if name in people else "no_password"
        state = "locked" if lock else "invited" if invitation else state
        last = max((when for whose, when in used if whose == name), default=0)
        found.append(
            UserShown(
                name,
                *_may(user),
                state=state,
                is_machine=name in machines,
                second_factor=name in enrolled,
                sessions=live.count(name),
                keys=holding.count(name),
                last_used_at=str(last) if last else "",
                invited_until=str(invitation.until) if invitation else "",
                locked_by=lock.locked_by if lock else "",
                locked_at=str(lock.locked_at) if lock else "",
                lock_reason=lock.reason if lock else "",
            )
        )
    return found


def _may(user: User) -> tuple[list[str], list[str]]:
    return [str(each) for each in user.roles], sorted(user.scopes)
