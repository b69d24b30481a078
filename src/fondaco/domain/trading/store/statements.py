"""Statements: every movement of an account in a time, or on a session day, with the balance after
each.

Amounts are shown twice: rounded to the asset's minor unit, half to even, as clients read them, and
exactly, as the ledger has them. The running balance is of exact amounts, rounded last, so that
rounding never adds up. Nothing is added up from the beginning: a statement starts from the closing
balances of the day before.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from heapq import merge
from io import StringIO
from typing import Final

import sqlalchemy as sa

from fondaco.domain.trading.replies import (
    DailyStatement,
    DayLine,
    StatementLine,
    Terms,
    exec_id,
    rounded,
)
from fondaco.domain.trading.store import days as d
from fondaco.domain.trading.store import tables as t
from fondaco.domain.trading.store.queries import owned_account, terms
from fondaco.kernel.errors import NotFound
from fondaco.kernel.instants import moment
from fondaco.runtime.projector import positions as stands_at

COLUMNS: Final = StatementLine.__struct_fields__
_EPOCH: Final = date(1970, 1, 1)
_FOREVER: Final = 2**62
_CASH_KINDS: Final = frozenset(
    {"deposit", "withdrawal", "transfer_in", "transfer_out", "transfer_returned", "reset"}
)

_Movement = tuple[int, int, int, str, str, str, int]  # position, leg, at, kind, about, asset, units


def statement(
    conn: sa.Connection, tenant: str | None, account_id: str, since: int, until: int
) -> Iterator[StatementLine]:
    """Opening balances at `since`, movements before `until`, closing balances. Nanoseconds.

    Raises `NotFound` for an account that there is not, or that is another tenant's.
    """
    owned_account(conn, tenant, account_id)
    printing = terms(conn)
    day, first = _day_at(conn, since)
    balances = _closing(conn, account_id, day)
    is_open = False
    for _, _, at, kind, about, asset, units in _movements(conn, account_id, first, printing):
        if at >= until:
            continue
        if not is_open and at >= since:
            is_open = True
            yield from _standing("opening", since, balances, printing)
        balances[asset] = balances.get(asset, 0) + units
        if is_open:
            yield _line(at, kind, about, asset, units, balances[asset], printing)
    if not is_open:
        yield from _standing("opening", since, balances, printing)
    yield from _standing("closing", until, balances, printing)


def statement_csv(
    conn: sa.Connection, tenant: str | None, account_id: str, since: int, until: int
) -> str:
    return _csv(statement(conn, tenant, account_id, since, until))


def transfers(
    conn: sa.Connection, tenant: str | None, account_id: str, limit: int
) -> list[StatementLine]:
    """What came and went besides trades, newest first. Looks at the days of those alone."""
    owned_account(conn, tenant, account_id)
    printing = terms(conn)
    found: list[StatementLine] = []
    position = _FOREVER
    while len(found) < limit:
        last = _last_transfer_before(conn, account_id, position)
        if last is None:
            break
        day, position = _day_holding(conn, last)
        lines = _of_day(conn, account_id, day, position, printing)
        found += reversed([line for line in lines if line.kind in _CASH_KINDS])
    return found[:limit]


def _last_transfer_before(conn: sa.Connection, account_id: str, position: int) -> int | None:
    """The position of the last one."""
    found = [
        conn.execute(
            sa.select(sa.func.max(table.c.position)).where(
                table.c.account_id == account_id, table.c.position < position
            )
        ).scalar()
        for table in (t.transfers, d.movements)
    ]
    return max((each for each in found if each is not None), default=None)


# --- A day --------------------------------------------------------------------------------------


def daily(
    conn: sa.Connection, tenant: str | None, account_id: str, day: int, today: int
) -> DailyStatement:
    """A session day, counted from 1970. Raises `NotFound` also for one that has not begun."""
    row = owned_account(conn, tenant, account_id)
    shown = (_EPOCH + timedelta(days=day)).isoformat()
    if day > today:
        raise NotFound(f"the session of {shown} has not begun")
    printing = terms(conn)
    opening, closing = _closing(conn, account_id, day), _closing(conn, account_id, day + 1)
    of_day = _sums_of(conn, account_id, day)
    b = d.day_begins.c
    first = conn.execute(sa.select(b.position).where(b.day == day)).scalar()
    lines = []
    for asset in sorted({*opening, *closing}):
        fees, realized = of_day.get(asset, (0, 0))
        before, after = opening.get(asset, 0), closing.get(asset, 0)
        lines.append(
            DayLine(
                asset=asset,
                opening=printing.amount(before, asset),
                closing=printing.amount(after, asset),
                change=printing.amount(after - before, asset),
                fees=printing.amount(fees, asset),
                realized=printing.amount(realized, asset),
                shown=rounded(after, printing.asset(asset)),
            )
        )
    return DailyStatement(
        account_id=account_id,
        name=row.name,
        currency=row.currency,
        day=shown,
        final=day < today,
        balances=lines,
        movements=[] if first is None else _of_day(conn, account_id, day, first, printing),
        position=min(stands_at(conn).values()),
    )


def _sums_of(conn: sa.Connection, account_id: str, day: int) -> dict[str, tuple[int, int]]:
    """Fees and what was realized on a day, by asset."""
    of = d.days.c
    query = sa.select(of.asset, of.fees, of.realized)
    rows = conn.execute(query.where(of.account_id == account_id, of.day == day))
    return {asset: (int(fees), int(realized)) for asset, fees, realized in rows}


def daily_csv(found: DailyStatement) -> str:
    """The movements between lines of what stood at the beginning and at the end."""
    opening = [_of_balance(found.day, "opening", of.asset, of.opening) for of in found.balances]
    closing = [_of_balance(found.day, "closing", of.asset, of.closing) for of in found.balances]
    return _csv([*opening, *found.movements, *closing])


def _of_balance(day: str, kind: str, asset: str, amount: str) -> StatementLine:
    return StatementLine(day, kind, "", asset, "0", amount, "0", amount)


def _of_day(
    conn: sa.Connection, account_id: str, day: int, first: int, printing: Terms
) -> list[StatementLine]:
    """What moved on a day that begins at `first`."""
    balances = _closing(conn, account_id, day)
    b = d.day_begins.c
    following = conn.execute(sa.select(sa.func.min(b.position)).where(b.position > first)).scalar()
    lines = []
    moved = _movements(conn, account_id, first, printing, following or _FOREVER)
    for _, _, at, kind, about, asset, units in moved:
        balances[asset] = balances.get(asset, 0) + units
        lines.append(_line(at, kind, about, asset, units, balances[asset], printing))
    return lines


def _closing(conn: sa.Connection, account_id: str, before: int) -> dict[str, int]:
    """Balances at the end of the last day before `before` on which each moved."""
    of, later = d.days.alias("of_day"), d.days.alias("later")
    latest = (
        sa.select(sa.func.max(later.c.day))
        .where(
            later.c.account_id == account_id,
            later.c.asset == of.c.asset,
            later.c.day < before,
        )
        .scalar_subquery()
    )
    query = sa.select(of.c.asset, of.c.closing)
    query = query.where(of.c.account_id == account_id, of.c.day == latest)
    return {asset: int(units) for asset, units in conn.execute(query)}


def _day_at(conn: sa.Connection, at: int) -> tuple[int, int]:
    """The last day that had begun at an instant, and where in the journal it begins."""
    b = d.day_begins.c
    query = sa.select(b.day, b.position).where(b.at <= at).order_by(b.day.desc()).limit(1)
    found = conn.execute(query).one_or_none()
    return (-1, 0) if found is None else (found.day, found.position)


def _day_holding(conn: sa.Connection, position: int) -> tuple[int, int]:
    """The day in which an entry stands, and where that begins."""
    b = d.day_begins.c
    query = sa.select(b.day, b.position).where(b.position <= position)
    found = conn.execute(query.order_by(b.position.desc()).limit(1)).one()
    return found.day, found.position


# --- Movements ----------------------------------------------------------------------------------


def _movements(
    conn: sa.Connection, account_id: str, first: int, printing: Terms, end: int = _FOREVER
) -> Iterator[_Movement]:
    """Everything that moved a balance from a position of the journal on, in its order."""
    return merge(
        _transfers(conn, account_id, first, end),
        _others(conn, account_id, first, end),
        _trades(conn, account_id, first, end, printing),
    )


def _transfers(conn: sa.Connection, account_id: str, first: int, end: int) -> Iterator[_Movement]:
    m = t.transfers.c
    query = sa.select(m.position, m.asset, m.units, m.at)
    query = query.where(m.account_id == account_id, m.position >= first, m.position < end)
    for position, asset, units, at in conn.execute(query.order_by(m.position)):
        kind = "deposit" if units > 0 else "withdrawal"
        yield position, 0, at, kind, "", asset, units


def _others(conn: sa.Connection, account_id: str, first: int, end: int) -> Iterator[_Movement]:
    m = d.movements.c
    query = sa.select(m.position, m.leg, m.at, m.kind, m.about, m.asset, m.units)
    query = query.where(m.account_id == account_id, m.position >= first, m.position < end)
    for row in conn.execute(query.order_by(m.position, m.leg)):
        yield row.position, row.leg, row.at, row.kind, row.about, row.asset, int(row.units)


def _trades(
    conn: sa.Connection, account_id: str, first: int, end: int, printing: Terms
) -> Iterator[_Movement]:
    x = t.executions.c
    query = sa.select(t.executions).where(x.account_id == account_id)
    query = query.where(x.position >= first, x.position < end)
    for row in conn.execute(query.order_by(x.position)):
        of = printing.instrument(row.symbol)
        sign = 1 if row.side == "buy" else -1
        about = exec_id(account_id, row.number, row.exec_number, row.part)
        if row.is_contract:
            yield row.position, 2, row.at, "realized", about, of.quote, int(row.realized)
        else:
            base_units = sign * row.last_lots * of.base_per_lot
            yield row.position, 1, row.at, row.side, about, of.base, base_units
            yield row.position, 2, row.at, row.side, about, of.quote, -sign * row.gross
        if row.fee:
            yield row.position, 3, row.at, "fee", about, of.quote, -row.fee


def _standing(
    kind: str, at: int, balances: dict[str, int], printing: Terms
) -> Iterator[StatementLine]:
    for asset, units in sorted(balances.items()):
        yield _line(at, kind, "", asset, 0, units, printing)


def _line(
    at: int, kind: str, about: str, asset: str, units: int, balance: int, printing: Terms
) -> StatementLine:
    scale = printing.asset(asset)
    return StatementLine(
        moment(at),
        kind,
        about,
        asset,
        rounded(units, scale),
        rounded(balance, scale),
        printing.amount(units, asset),
        printing.amount(balance, asset),
    )


def _csv(lines: Iterable[StatementLine]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([getattr(line, name) for name in COLUMNS])
    return text.getvalue()


def days_amiss(conn: sa.Connection) -> list[str]:
    """Balances that are not what their last day closed with."""
    of, later = d.days.alias("of_day"), d.days.alias("later")
    latest = (
        sa.select(sa.func.max(later.c.day))
        .where(later.c.account_id == of.c.account_id, later.c.asset == of.c.asset)
        .scalar_subquery()
    )
    query = sa.select(of.c.account_id, of.c.asset, of.c.closing).where(of.c.day == latest)
    closed = {(account, asset): int(units) for account, asset, units in conn.execute(query)}
    b = t.balances.c
    kept = {
        (account, asset): int(units)
        for account, asset, units in conn.execute(sa.select(b.account_id, b.asset, b.balance))
    }
    return [
        f"{key[0]} {key[1]}: closed its day with {closed.get(key, 0)} units, has {kept.get(key, 0)}"
        for key in sorted({*closed, *kept})
        if closed.get(key, 0) != kept.get(key, 0)
    ]
