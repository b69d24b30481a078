"""What stands open now: trades that nobody has confirmed, and states that keep orders out.

Both are few. A fill that settles later is in `settlements`; here a position's gain is told by how
far what it came from has got.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from fondaco.domain.reference import events as ref
from fondaco.domain.reference.model import TradingState
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import PREFIX
from fondaco.domain.trading.replies import StateLine, Terms, WaitingFills
from fondaco.domain.trading.store import tables as t
from fondaco.domain.trading.store.queries import owned_account
from fondaco.domain.trading.store.settlements import WAITS, settlements
from fondaco.kernel.event import Entry
from fondaco.kernel.instants import moment
from fondaco.ports.bulk import UNITS, stored
from fondaco.ports.rows import RowsView

VIEW: Final = "trading_standing_v1"
MATCHED: Final = "matched"  # no chain has confirmed it: it may still be taken back
CONFIRMED: Final = "confirmed"  # it stands, and what it brings in has not settled

metadata: Final = sa.MetaData()

matches: Final = sa.Table(
    "trading_matches_v1",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("exec_number", sa.BigInteger, primary_key=True),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("lots", sa.BigInteger, nullable=False),
    sa.Column("gross", UNITS, nullable=False),
    sa.Column("fee", UNITS, nullable=False),
    sqlite_with_rowid=False,
)

# Only those that are not "active". A kill stands beside what was set before, and is lifted alone.
states: Final = sa.Table(
    "trading_states_v1",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),  # "kill", "house", "instrument", "account"
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


class StandingView(RowsView):
    name = VIEW
    metadata = metadata

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        for entry in entries:
            write = _WRITERS.get(type(entry.event))
            if write is not None:
                write(conn, entry, entry.event)


def _matched(conn: sa.Connection, entry: Entry, event: ev.FillMatched) -> None:
    row = {
        "account_id": entry.stream.removeprefix(PREFIX), "number": event.number,
        "exec_number": event.exec_number, "symbol": event.symbol, "side": event.side.value,
        "lots": event.lots, "gross": stored(event.gross), "fee": stored(event.fee),
    }  # fmt: skip
    conn.execute(matches.insert().values(row))


def _final(conn: sa.Connection, entry: Entry, event: ev.FillConfirmed | ev.FillFailed) -> None:
    m, fill = matches.c, event.match if isinstance(event, ev.FillFailed) else event
    conn.execute(
        matches.delete().where(
            m.account_id == entry.stream.removeprefix(PREFIX),
            m.number == fill.number,
            m.exec_number == fill.exec_number,
        )
    )


def _reset(conn: sa.Connection, entry: Entry, _: ev.AccountReset) -> None:
    mine = matches.c.account_id == entry.stream.removeprefix(PREFIX)
    conn.execute(matches.delete().where(mine))


def _account_state(conn: sa.Connection, entry: Entry, event: ev.TradingStateSet) -> None:
    account = entry.stream.removeprefix(PREFIX)
    _state(conn, entry, "account", account, event.state, event.reason, event.by)


def _house_state(conn: sa.Connection, entry: Entry, event: ref.StateChanged) -> None:
    scope = "instrument" if event.symbol else "house"
    _state(conn, entry, scope, event.symbol, event.state, event.reason, event.by)


def _killed(conn: sa.Connection, entry: Entry, event: ref.HouseKilled) -> None:
    _state(conn, entry, "kill", "", TradingState.HALTED, event.reason, event.by)


def _unkilled(conn: sa.Connection, entry: Entry, event: ref.HouseUnkilled) -> None:
    _state(conn, entry, "kill", "", TradingState.ACTIVE, event.reason, event.by)


def _state(
    conn: sa.Connection, entry: Entry, scope: str, name: str, state: TradingState,
    reason: str, by: str,
) -> None:  # fmt: skip
    """Said again, it stands since it was first said, with the newest reason."""
    s = states.c
    conn.execute(states.delete().where(s.scope == scope, s.name == name))
    if state is not TradingState.ACTIVE:
        row = {
            "scope": scope, "name": name, "state": state.value, "reason": reason, "by": by,
            "at": entry.at, "position": entry.position,
        }  # fmt: skip
        conn.execute(states.insert().values(row))


_WRITERS: Final[dict[type, Callable[..., None]]] = {
    ev.FillMatched: _matched,
    ev.FillConfirmed: _final,
    ev.FillFailed: _final,
    ev.AccountReset: _reset,
    ev.TradingStateSet: _account_state,
    ref.StateChanged: _house_state,
    ref.HouseKilled: _killed,
    ref.HouseUnkilled: _unkilled,
}


# --- Looks --------------------------------------------------------------------------------------


def waiting(conn: sa.Connection, account_id: str, printing: Terms) -> dict[str, list[WaitingFills]]:
    """By symbol, what is matched before what is confirmed; nothing of what is settled."""
    m, s, e = matches.c, settlements.c, t.executions.c
    found: dict[tuple[str, str], list[int]] = {}
    unconfirmed: set[tuple[int, int]] = set()

    def add(symbol: str, state: str, side: str, lots: int, gross: int, fee: int) -> None:
        sums = found.setdefault((symbol, state), [0, 0, 0])
        sign = 1 if side == "buy" else -1
        sums[0] += sign * lots
        sums[1] -= sign * gross + fee
        sums[2] += 1

    for row in conn.execute(sa.select(matches).where(m.account_id == account_id)):
        add(row.symbol, MATCHED, row.side, row.lots, int(row.gross), int(row.fee))
        unconfirmed.add((row.number, row.exec_number))
    # What a fill brings in is told by the entry behind the fill's own.
    fills = (
        sa.select(t.executions)
        .join(settlements, e.position == s.position - 1)
        .where(s.account_id == account_id, WAITS)
    )
    for row in conn.execute(fills):
        if (row.number, row.exec_number) not in unconfirmed:
            add(row.symbol, CONFIRMED, row.side, row.last_lots, int(row.gross), int(row.fee))
    lines: dict[str, list[WaitingFills]] = {}
    for (symbol, state), (lots, cash, fills_) in sorted(found.items(), key=_order):
        of = printing.instrument(symbol)
        line = WaitingFills(state, of.qty_text(lots), printing.amount(cash, of.quote), fills_)
        lines.setdefault(symbol, []).append(line)
    return lines


def _order(item: tuple[tuple[str, str], Any]) -> tuple[str, bool]:
    (symbol, state), _ = item
    return symbol, state != MATCHED


def restrictions(
    conn: sa.Connection, tenant: str | None, account_id: str | None
) -> list[StateLine]:
    """Of the house and of instruments; of the account, where one is named. Raises `NotFound`."""
    s = states.c
    meant = s.scope != "account"
    if account_id is not None:
        owned_account(conn, tenant, account_id)
        meant = sa.or_(meant, s.name == account_id)
    return [
        StateLine(
            scope=row.scope,
            name=row.name,
            state=row.state,
            reason=row.reason,
            by=row.by,
            at=moment(row.at),
            position=row.position,
        )
        for row in conn.execute(sa.select(states).where(meant).order_by(s.position))
    ]
