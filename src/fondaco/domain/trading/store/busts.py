"""Which executions were taken back or corrected by their venue, for who reads `executions`."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import PREFIX
from fondaco.kernel.event import Entry
from fondaco.ports.rows import RowsView

VIEW: Final = "trading_busts_v1"
BUSTED, CORRECTED = "busted", "corrected"

metadata: Final = sa.MetaData()
busts: Final = sa.Table(
    VIEW,
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("ref_number", sa.BigInteger, primary_key=True),  # the execution that was none
    sa.Column("exec_number", sa.BigInteger, nullable=False),  # of the report that said so
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


class BustsView(RowsView):
    """One row for each."""

    name = VIEW
    metadata = metadata

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        for entry in entries:
            event = entry.event
            if isinstance(event, ev.FillBusted):
                _write(conn, entry, event, BUSTED)
            elif isinstance(event, ev.FillCorrected):
                _write(conn, entry, event.bust, CORRECTED)


def _write(conn: sa.Connection, entry: Entry, event: ev.FillBusted, kind: str) -> None:
    row = {
        "account_id": entry.stream.removeprefix(PREFIX), "number": event.number,
        "ref_number": event.ref_number, "exec_number": event.exec_number, "kind": kind,
        "text": event.text, "position": entry.position,
    }  # fmt: skip
    conn.execute(busts.insert().values(row))


def amended(conn: sa.Connection, rows: Sequence[Any]) -> dict[tuple[str, int, int], str]:
    """What has become of those of `rows`, executions, that do not stand: "busted", "corrected"."""
    orders = sorted({(row.account_id, row.number) for row in rows})
    if not orders or not sa.inspect(conn).has_table(VIEW):
        return {}
    b = busts.c
    query = sa.select(b.account_id, b.number, b.ref_number, b.kind)
    found = conn.execute(query.where(sa.tuple_(b.account_id, b.number).in_(orders)))
    return {(account, number, ref): kind for account, number, ref, kind in found}
