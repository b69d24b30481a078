"""Records of whom accounts belong to. They go with the person; the account stays."""

from typing import Final

import sqlalchemy as sa

from fondaco.domain.identity import store as identity
from fondaco.domain.identity.events import AccountOwnerSet
from fondaco.domain.identity.model import TenantId, UserId
from fondaco.domain.identity.people.store import tell
from fondaco.kernel.event import Instant

metadata: Final = sa.MetaData()

owners: Final = sa.Table(
    "identity_account_owners",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("set_at", sa.BigInteger, nullable=False),
)


def owners_of(conn: sa.Connection, tenant: str) -> dict[str, str]:
    """User by account, of those accounts that are somebody's."""
    o = owners.c
    rows = conn.execute(sa.select(o.account, o.user).where(o.tenant == tenant))
    return {row.account: row.user for row in rows}


def set_owner(
    conn: sa.Connection, tenant: str, account: str, user: str | None, by: str, at: Instant
) -> None:
    """None: nobody's. Raises `NotFound` for an unknown user."""
    before = owners_of(conn, tenant).get(account)
    if before == user:
        return
    if user is not None:
        identity.user(conn, TenantId(tenant), UserId(user))
    there = (owners.c.tenant == tenant, owners.c.account == account)
    conn.execute(owners.delete().where(*there))
    if before is not None:
        tell(conn, AccountOwnerSet(tenant, before, account, False, by), at)
    if user is not None:
        row = {"tenant": tenant, "account": account, "user": user, "set_at": at}
        conn.execute(owners.insert().values(**row))
        tell(conn, AccountOwnerSet(tenant, user, account, True, by), at)
