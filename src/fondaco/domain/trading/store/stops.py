"""What a stop would end, and what it leaves."""

import sqlalchemy as sa

from fondaco.domain.trading.store import tables as t
from fondaco.runtime.projector import positions as stands_at


def at_work(
    conn: sa.Connection, account_id: str | None, symbol: str | None
) -> list[tuple[str, str, int]]:
    """Accounts with working orders, their tenants, and how many: the most first. Of one account,
    of one instrument, or of all."""
    o = t.orders.c
    count = sa.func.count().label("orders")
    query = sa.select(o.account_id, sa.func.max(o.tenant), count).where(t.IS_OPEN)
    if account_id is not None:
        query = query.where(o.account_id == account_id)
    if symbol is not None:
        query = query.where(o.symbol.concat("") == symbol)  # there are few that work: by `IS_OPEN`
    query = query.group_by(o.account_id).order_by(count.desc(), o.account_id)
    return [(account, tenant, int(orders)) for account, tenant, orders in conn.execute(query)]


def positions_left(conn: sa.Connection, account_id: str | None, symbol: str | None) -> int:
    """What was traded and not traded back."""
    p = t.positions.c
    query = sa.select(sa.func.count()).where(p.lots != 0)
    if account_id is not None:
        query = query.where(p.account_id == account_id)
    if symbol is not None:
        query = query.where(p.symbol == symbol)
    return int(conn.execute(query).scalar_one())


def accounts_of(conn: sa.Connection, tenant: str | None) -> frozenset[str]:
    a = t.accounts.c
    query = sa.select(a.account_id)
    if tenant is not None:
        query = query.where(a.tenant == tenant)
    return frozenset(conn.execute(query).scalars())


def stands(conn: sa.Connection) -> int:
    """The position that all views have reached."""
    return min(stands_at(conn).values(), default=0)
