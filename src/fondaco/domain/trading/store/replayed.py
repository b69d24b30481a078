"""Accounts of the views beside accounts replayed from the journal: a standing check."""

import sqlalchemy as sa

from fondaco.domain.trading.model import AccountState
from fondaco.domain.trading.store import tables as t


def account_ids(conn: sa.Connection, after: str, limit: int) -> list[str]:
    """Some of them, in the order of their names, behind `after`."""
    a = t.accounts.c
    query = sa.select(a.account_id).where(a.account_id > after).order_by(a.account_id).limit(limit)
    return list(conn.execute(query).scalars())


def account_amiss(conn: sa.Connection, account_id: str, state: AccountState) -> list[str]:
    """What the views say otherwise than the account's own state, as of the same position."""
    b, o = t.balances.c, t.orders.c
    rows = conn.execute(sa.select(b.asset, b.balance, b.held).where(b.account_id == account_id))
    shown = {str(asset): (int(balance), int(held)) for asset, balance, held in rows}
    is_so = {
        str(asset): (state.balances.get(asset, 0), state.held.get(asset, 0))
        for asset in (*state.balances, *state.held)
    }
    wrong = [
        f"{account_id} {asset}: balance and held {shown.get(asset, (0, 0))} in the views, "
        f"{is_so.get(asset, (0, 0))} replayed"
        for asset in sorted({*shown, *is_so})
        if shown.get(asset, (0, 0)) != is_so.get(asset, (0, 0))
    ]
    open_orders = conn.execute(
        sa.select(sa.func.count()).where(o.account_id == account_id, t.IS_OPEN)
    ).scalar_one()
    if open_orders != len(state.working):
        wrong.append(
            f"{account_id}: {open_orders} open orders in the views, {len(state.working)} replayed"
        )
    return wrong
