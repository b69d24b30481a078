"""Transfers between accounts, and which accounts are virtual: what their tables are asked."""

import sqlalchemy as sa

from fondaco.domain.trading.replies import SentLine
from fondaco.domain.trading.store import days as d
from fondaco.domain.trading.store.queries import owned_account, terms
from fondaco.kernel.instants import moment


def sent(
    conn: sa.Connection, tenant: str | None, account_id: str, below: int, limit: int
) -> list[SentLine]:
    """Newest first; those with numbers below `below`, where that is given."""
    owned_account(conn, tenant, account_id)
    s = d.sent.c
    query = sa.select(d.sent).where(s.account_id == account_id)
    if below:
        query = query.where(s.number < below)
    printing = terms(conn)
    return [
        SentLine(
            account_id=row.account_id,
            number=row.number,
            to_account_id=row.to_account_id,
            asset=row.asset,
            amount=printing.amount(int(row.units), row.asset),
            status=row.status,
            text=row.text,
            created_at=moment(row.created_at),
            updated_at=moment(row.updated_at),
            position=row.position,
        )
        for row in conn.execute(query.order_by(s.number.desc()).limit(limit))
    ]


def is_virtual(conn: sa.Connection, account_id: str) -> bool:
    v = d.virtual_accounts.c
    query = sa.select(v.account_id).where(v.account_id == account_id)
    return conn.execute(query).scalar() is not None
