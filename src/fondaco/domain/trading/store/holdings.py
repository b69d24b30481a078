"""What all accounts of a tenant hold, row by row: for whoever shows it without their names."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import sqlalchemy as sa

from fondaco.domain.reference.model import InstrumentKind
from fondaco.domain.trading.store import tables as t
from fondaco.domain.trading.store.queries import terms
from fondaco.runtime.projector import positions as stands_at


class Held(NamedTuple):
    """`units` of the asset in its ledger's scale; None for a contract, of which `qty` is open."""

    account: str
    account_type: str
    currency: str
    kind: Literal["asset", "contract"]
    name: str
    qty: str
    held: str
    cost: str | None
    units: int | None


def holdings(conn: sa.Connection, tenant: str) -> Iterator[Held]:
    """Each account's assets and then its contracts, in the order of their names. What is nothing
    is left out."""
    a, b, p = t.accounts.c, t.balances.c, t.positions.c
    about = {
        row.account_id: (row.account_type, row.currency)
        for row in conn.execute(
            sa.select(a.account_id, a.account_type, a.currency).where(a.tenant == tenant)
        )
    }
    printing = terms(conn)
    mine = sa.select(a.account_id).where(a.tenant == tenant)
    for row in conn.execute(
        sa.select(t.balances).where(b.account_id.in_(mine)).order_by(b.account_id, b.asset)
    ):
        units, held = int(row.balance), int(row.held)
        if units or held:
            yield Held(
                row.account_id, *about[row.account_id], "asset", row.asset,
                printing.amount(units, row.asset), printing.amount(held, row.asset), None, units,
            )  # fmt: skip
    for row in conn.execute(
        sa.select(t.positions).where(p.account_id.in_(mine)).order_by(p.account_id, p.symbol)
    ):
        listed = printing.instrument(row.symbol)
        if listed.kind is InstrumentKind.LINEAR and row.lots:
            yield Held(
                row.account_id, *about[row.account_id], "contract", row.symbol,
                listed.qty_text(row.lots), "0", printing.amount(row.cost, listed.quote), None,
            )  # fmt: skip


def shows(conn: sa.Connection) -> int:
    """Up to which position of the journal that is."""
    return int(stands_at(conn)[t.VIEW])
