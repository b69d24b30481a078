"""What would be left without anybody to look after it: open orders, positions, money on its way."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import sqlalchemy as sa

from fondaco.domain.trading.store.days import sent
from fondaco.domain.trading.store.tables import IS_OPEN, accounts, orders, positions

LEFT_MAX: Final = 100  # of each kind: who has more knows what to do
LeftKind = Literal["order", "position", "transfer"]


class LeftOpen(NamedTuple):
    account_id: str
    kind: LeftKind
    what: str  # an order's id, an instrument, an asset


def left_open(conn: sa.Connection, tenant: str) -> Iterator[LeftOpen]:
    """In all accounts of a tenant."""
    mine = accounts.c.tenant == tenant
    waiting = sa.select(orders.c.account_id, orders.c.number).where(IS_OPEN)
    of_tenant = waiting.where(orders.c.tenant == tenant).limit(LEFT_MAX)
    for row in conn.execute(of_tenant):
        yield LeftOpen(row.account_id, "order", f"{row.account_id}.{row.number}")
    of = accounts.c.account_id == positions.c.account_id
    held = sa.select(positions.c.account_id, positions.c.symbol).join(accounts, of)
    for row in conn.execute(held.where(mine, positions.c.lots != 0).limit(LEFT_MAX)):
        yield LeftOpen(row.account_id, "position", row.symbol)
    of = accounts.c.account_id == sent.c.account_id
    moving = sa.select(sent.c.account_id, sent.c.asset).join(accounts, of)
    for row in conn.execute(moving.where(mine, sent.c.status == "pending").limit(LEFT_MAX)):
        yield LeftOpen(row.account_id, "transfer", row.asset)
