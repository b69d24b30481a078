"""Statements: every movement of an account between two instants, with the balance after each.

Amounts are shown twice: rounded to the asset's minor unit, half to even, as clients read them, and
exactly, as the ledger has them. The running balance is of exact amounts, rounded last, so that
rounding never adds up.
"""

import csv
from collections.abc import Iterator
from heapq import merge
from io import StringIO
from typing import Final

import sqlalchemy as sa

from fondaco.domain.trading.replies import StatementLine, Terms, exec_id, moment, rounded
from fondaco.domain.trading.store import tables as t
from fondaco.domain.trading.store.queries import owned_account, terms

COLUMNS: Final = StatementLine.__struct_fields__

_Movement = tuple[int, int, int, str, str, str, int]  # position, leg, at, kind, about, asset, units


def statement(
    conn: sa.Connection, tenant: str | None, account_id: str, since: int, until: int
) -> Iterator[StatementLine]:
    """Opening balances at `since`, movements before `until`, closing balances. Nanoseconds.

    Raises `NotFound` for an account that there is not, or that is another tenant's.
    """
    owned_account(conn, tenant, account_id)
    printing = terms(conn)
    balances: dict[str, int] = {}
    is_open = False
    for _, _, at, kind, about, asset, units in _movements(conn, account_id, until, printing):
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
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(COLUMNS)
    for line in statement(conn, tenant, account_id, since, until):
        writer.writerow([getattr(line, name) for name in COLUMNS])
    return text.getvalue()


def _movements(
    conn: sa.Connection, account_id: str, until: int, printing: Terms
) -> Iterator[_Movement]:
    """Everything that moved a balance, in the order of the journal."""
    return merge(_transfers(conn, account_id, until), _trades(conn, account_id, until, printing))


def _transfers(conn: sa.Connection, account_id: str, until: int) -> Iterator[_Movement]:
    m = t.transfers.c
    query = sa.select(m.position, m.asset, m.units, m.at)
    query = query.where(m.account_id == account_id, m.at < until).order_by(m.position)
    for position, asset, units, at in conn.execute(query):
        kind = "deposit" if units > 0 else "withdrawal"
        yield position, 0, at, kind, "", asset, units


def _trades(
    conn: sa.Connection, account_id: str, until: int, printing: Terms
) -> Iterator[_Movement]:
    x = t.executions.c
    query = sa.select(t.executions).where(x.account_id == account_id, x.at < until)
    for row in conn.execute(query.order_by(x.position)):
        of = printing.instrument(row.symbol)
        sign = 1 if row.side == "buy" else -1
        about = exec_id(account_id, row.number, row.exec_number, row.part)
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
