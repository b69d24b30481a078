"""Fills that settle later than they were traded, as a table; few, so each is written by itself."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import PREFIX
from fondaco.domain.trading.replies import SettlementLine
from fondaco.domain.trading.store.queries import owned_account, terms
from fondaco.kernel.event import Entry
from fondaco.kernel.instants import moment
from fondaco.ports.bulk import UNITS, stored
from fondaco.ports.rows import RowsView

VIEW: Final = "trading_settlements_v1"

metadata: Final = sa.MetaData()

settlements: Final = sa.Table(
    "trading_settlements_v1",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("exec_number", sa.BigInteger, nullable=False),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("units", UNITS, nullable=False),
    sa.Column("traded_at", sa.BigInteger, nullable=False),
    sa.Column("settles_at", sa.BigInteger, nullable=False),
    sa.Column("settled_at", sa.BigInteger, nullable=False),  # 0: not yet
    sqlite_with_rowid=False,
)
WAITS: Final = settlements.c.settled_at == sa.literal_column("0")
sa.Index(
    "trading_settlements_v1_waiting",
    settlements.c.account_id,
    settlements.c.settles_at,
    sqlite_where=WAITS,
    postgresql_where=WAITS,
)


class SettlementsView(RowsView):
    name = VIEW
    metadata = metadata

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        s = settlements.c
        for entry in entries:
            event = entry.event
            account = entry.stream.removeprefix(PREFIX)
            if isinstance(event, ev.FillUnsettled):
                conn.execute(
                    settlements.insert().values(
                        account_id=account, position=entry.position, number=event.number,
                        exec_number=event.exec_number, symbol=event.symbol, asset=event.asset,
                        units=stored(event.units), traded_at=entry.at,
                        settles_at=event.settles_at, settled_at=0,
                    )
                )  # fmt: skip
            elif isinstance(event, ev.FillsSettled):
                due = (s.account_id == account, WAITS, s.settles_at == event.settles_at)
                conn.execute(settlements.update().where(*due).values(settled_at=entry.at))
            elif isinstance(event, ev.AccountReset):  # what was coming is part of what is no more
                due_ = (s.account_id == account, WAITS)
                conn.execute(settlements.update().where(*due_).values(settled_at=entry.at))


def lines(
    conn: sa.Connection, tenant: str | None, account_id: str, state: str, limit: int
) -> list[SettlementLine]:
    """Newest first; only those "traded" and not settled, or only "settled" ones, where said."""
    owned_account(conn, tenant, account_id)
    printing, s = terms(conn), settlements.c
    query = sa.select(settlements).where(s.account_id == account_id)
    if state:
        query = query.where(WAITS if state == "traded" else sa.not_(WAITS))
    return [
        SettlementLine(
            order_id=f"{account_id}.{row.number}",
            exec_id=f"{account_id}.{row.number}.{row.exec_number}",
            symbol=row.symbol,
            asset=row.asset,
            amount=printing.amount(int(row.units), row.asset),
            state="settled" if row.settled_at else "traded",
            traded_at=moment(row.traded_at),
            settles_at=moment(row.settles_at),
            settled_at=moment(row.settled_at) if row.settled_at else None,
            position=row.position,
        )
        for row in conn.execute(query.order_by(s.position.desc()).limit(limit))
    ]


def due(conn: sa.Connection) -> list[tuple[str, int]]:
    """Accounts, and the instants at which something of theirs settles."""
    s = settlements.c
    query = sa.select(s.account_id, s.settles_at).where(WAITS).distinct()
    return [(account_id, settles_at) for account_id, settles_at in conn.execute(query)]
