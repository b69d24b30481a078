"""Questions to the tables of the trading room. Each is asked for a tenant, and shows nothing of
another's; None is the house itself, which sees all.

Lists are newest first, and a cursor names the last row that was seen: what is inserted meanwhile
comes before it, so that a page neither repeats nor skips anything.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.reference.model import Instrument
from fondaco.domain.trading.replies import (
    AccountLine,
    AccountSummary,
    BalanceLine,
    Deadline,
    ExecutionLine,
    OrderLine,
    OrderReplyFull,
    Page,
    PositionLine,
    Step,
    Terms,
    WaitingStop,
    exec_id,
    moment,
)
from fondaco.domain.trading.store import tables as t
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.money import Asset
from fondaco.runtime.projector import positions as stands_at

LIMIT_MAX: Final = 1_000
_CHILD_STATES: Final = frozenset({"suspended"})


class OrderFilter(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What is absent does not matter. Times are nanoseconds; `until` is not included."""

    account_id: str | None = None
    symbol: str | None = None
    ord_status: tuple[str, ...] = ()
    side: str | None = None
    cl_ord_id: str | None = None
    since: int | None = None
    until: int | None = None


def terms(conn: sa.Connection) -> Terms:
    """All that were ever listed: a few dozen."""
    instruments = {
        symbol: msgspec.json.decode(text, type=Instrument)
        for symbol, text in conn.execute(sa.select(t.instruments))
    }
    assets = {
        code: msgspec.json.decode(text, type=Asset)
        for code, text in conn.execute(sa.select(t.assets))
    }
    return Terms(instruments, assets)


def orders(
    conn: sa.Connection,
    tenant: str | None,
    asked: OrderFilter,
    *,
    cursor: str = "",
    limit: int = 100,
) -> Page[OrderLine]:
    o, limit = t.orders.c, min(limit, LIMIT_MAX)
    query = sa.select(t.orders).where(*_matching(asked))
    if tenant is not None:
        query = query.where(o.tenant == tenant)
    position, number = _read_cursor(cursor, 2) if cursor else (0, 0)
    if asked.account_id is not None:
        # An account's numbers grow as positions do, and its index ends in them.
        query = query.where(o.account_id == asked.account_id).order_by(o.number.desc())
        if cursor:
            query = query.where(o.number < number)
        if asked.cl_ord_id is not None:
            query = query.where(
                o.number.in_(_numbers_called(conn, asked.account_id, asked.cl_ord_id))
            )
    else:
        query = query.order_by(o.position.desc())
        if cursor:
            query = query.where(o.position < position)
        if asked.cl_ord_id is not None:
            query = query.where(o.cl_ord_id == asked.cl_ord_id)
    rows = conn.execute(query.limit(limit + 1)).all()
    printing = terms(conn)
    lines = [_order_line(row, printing) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(lines, f"{last.position}-{last.number}" if last is not None else None)


def _matching(asked: OrderFilter) -> list[sa.ColumnElement[bool]]:
    o = t.orders.c
    found: list[sa.ColumnElement[bool]] = []
    if asked.symbol is not None:
        # The index over symbols ends in the status: without one it would sort all of a symbol.
        by_index = asked.account_id is None and len(asked.ord_status) == 1
        symbol = o.symbol if by_index else o.symbol.concat("")
        found.append(symbol == asked.symbol)
    if asked.ord_status:
        found.append(o.ord_status.in_(asked.ord_status))
        if not t.DONE.intersection(asked.ord_status):
            found.append(t.IS_OPEN)
    if asked.side is not None:
        found.append(o.side == asked.side)
    if asked.since is not None:
        found.append(o.created_at >= asked.since)
    if asked.until is not None:
        found.append(o.created_at < asked.until)
    return found


def _numbers_called(conn: sa.Connection, account_id: str, cl_ord_id: str) -> list[int]:
    """Numbers of the orders that have, or had before a replace, this `cl_ord_id`."""
    tables = (t.orders, t.cl_ord_ids)
    return [
        number
        for table in tables
        for (number,) in conn.execute(
            sa.select(table.c.number).where(
                table.c.account_id == account_id, table.c.cl_ord_id == cl_ord_id
            )
        )
    ]


def order(
    conn: sa.Connection,
    tenant: str | None,
    order_id: str = "",
    *,
    account_id: str = "",
    cl_ord_id: str = "",
) -> OrderReplyFull:
    """By `order_id`, or by account and `cl_ord_id`.

    Raises `NotFound`, also for what is another tenant's.
    """
    o = t.orders.c
    if order_id:
        account_id, number = split_order_id(order_id)
        numbers = [number]
    else:
        numbers = _numbers_called(conn, account_id, cl_ord_id)
    query = sa.select(t.orders).where(o.account_id == account_id, o.number.in_(numbers))
    row = conn.execute(query.order_by(o.number.desc()).limit(1)).one_or_none()
    if row is None or (tenant is not None and row.tenant != tenant):
        raise NotFound(f"there is no order {order_id or cl_ord_id}")
    e, x = t.order_events.c, t.executions.c
    events = conn.execute(
        sa.select(e.position, e.kind, e.at)
        .where(e.account_id == row.account_id, e.number == row.number)
        .order_by(e.position)
    ).all()
    filled = [position for position, kind, _ in events if kind == "trading.order_filled.v1"]
    executed = conn.execute(
        sa.select(t.executions).where(x.position.in_(filled)).order_by(x.position)
    )
    printing = terms(conn)
    first = "trading.order_rejected.v1" if row.reason else "trading.order_accepted.v1"
    return OrderReplyFull(
        _order_line(row, printing),
        [
            Step(row.position, first, moment(row.created_at)),
            *(Step(position, kind, moment(at)) for position, kind, at in events),
        ],
        [_execution_line(found, printing) for found in executed],
    )


def split_order_id(order_id: str) -> tuple[str, int]:
    """Account and number. Raises `NotFound`: no order is called anything else."""
    account_id, _, number = order_id.rpartition(".")
    if not account_id or not number.isdecimal() or not number.isascii() or len(number) > 18:
        raise NotFound(f"there is no order {order_id[:80]}: order ids are account.number")
    return account_id, int(number)


def executions(
    conn: sa.Connection,
    tenant: str | None,
    *,
    account_id: str | None = None,
    symbol: str | None = None,
    since: int | None = None,
    until: int | None = None,
    cursor: str = "",
    limit: int = 100,
) -> Page[ExecutionLine]:
    """Trade history."""
    x, limit = t.executions.c, min(limit, LIMIT_MAX)
    query = sa.select(t.executions).order_by(x.position.desc())
    if tenant is not None:
        query = query.where(x.tenant == tenant)
    if account_id is not None:
        query = query.where(x.account_id == account_id)
    if symbol is not None:
        query = query.where((x.symbol if account_id is None else x.symbol.concat("")) == symbol)
    if since is not None:
        query = query.where(x.at >= since)
    if until is not None:
        query = query.where(x.at < until)
    if cursor:
        query = query.where(x.position < _read_cursor(cursor, 1)[0])
    rows = conn.execute(query.limit(limit + 1)).all()
    printing = terms(conn)
    lines = [_execution_line(row, printing) for row in rows[:limit]]
    return Page(lines, str(lines[-1].position) if len(rows) > limit else None)


def accounts(
    conn: sa.Connection, tenant: str | None, *, cursor: str = "", limit: int = 100
) -> Page[AccountLine]:
    a, limit = t.accounts.c, min(limit, LIMIT_MAX)
    query = sa.select(t.accounts).where(a.account_id > cursor).order_by(a.account_id)
    if tenant is not None:
        query = query.where(a.tenant == tenant)
    rows = conn.execute(query.limit(limit + 1)).all()
    lines = [_account_line(row) for row in rows[:limit]]
    return Page(lines, lines[-1].account_id if len(rows) > limit else None)


def account(conn: sa.Connection, tenant: str | None, account_id: str) -> AccountSummary:
    """Raises `NotFound`, also for another tenant's."""
    row = owned_account(conn, tenant, account_id)
    printing, o = terms(conn), t.orders.c
    open_orders = conn.execute(
        sa.select(sa.func.count()).where(o.account_id == account_id, t.IS_OPEN)
    ).scalar_one()
    return AccountSummary(
        account=_account_line(row),
        balances=balances(conn, account_id, printing),
        open_orders=open_orders,
        position=stands_at(conn)[t.VIEW],
    )


def balances(conn: sa.Connection, account_id: str, printing: Terms) -> list[BalanceLine]:
    b = t.balances.c
    rows = conn.execute(
        sa.select(b.asset, b.balance, b.held).where(b.account_id == account_id).order_by(b.asset)
    )
    return [
        BalanceLine(
            asset,
            printing.amount(balance, asset),
            printing.amount(held, asset),
            printing.amount(balance - held, asset),
        )
        for asset, balance, held in rows
    ]


def positions(conn: sa.Connection, tenant: str | None, account_id: str) -> list[PositionLine]:
    """Of every instrument that the account has traded. Raises `NotFound`."""
    owned_account(conn, tenant, account_id)
    p, b = t.positions.c, t.balances.c
    printing = terms(conn)
    owned = {
        asset: int(units)
        for asset, units in conn.execute(
            sa.select(b.asset, b.balance).where(b.account_id == account_id)
        )
    }
    rows = conn.execute(sa.select(t.positions).where(p.account_id == account_id).order_by(p.symbol))
    return [_position_line(row, printing, owned) for row in rows]


# --- What a process that has just started must know ---------------------------------------------


def pending_triggers(conn: sa.Connection) -> list[WaitingStop]:
    """Stops and trailing stops that are not at a venue, oldest first."""
    o = t.orders.c
    rows = conn.execute(
        sa.select(o.account_id, o.number, o.symbol, o.side, o.stop_px, o.trail, o.ord_status)
        .where(t.WAITS)
        .order_by(o.position)
    )
    return [
        WaitingStop(account_id, number, symbol, side, stop_px, trail, status in _CHILD_STATES)
        for account_id, number, symbol, side, stop_px, trail, status in rows
        if stop_px
    ]


def deadlines(conn: sa.Connection) -> list[Deadline]:
    """When open orders expire, soonest first."""
    o = t.orders.c
    rows = conn.execute(
        sa.select(o.account_id, o.number, o.expire_time).where(t.EXPIRES).order_by(o.expire_time)
    )
    return [Deadline(*row) for row in rows]


def open_accounts(conn: sa.Connection) -> dict[str, str]:
    """Tenant by account."""
    a = t.accounts.c
    return dict(tuple(row) for row in conn.execute(sa.select(a.account_id, a.tenant)))


# --- Lines --------------------------------------------------------------------------------------


def owned_account(conn: sa.Connection, tenant: str | None, account_id: str) -> sa.Row[Any]:
    """Its row. Raises `NotFound`: whose an account is shows nowhere else."""
    row = conn.execute(
        sa.select(t.accounts).where(t.accounts.c.account_id == account_id)
    ).one_or_none()
    if row is None or (tenant is not None and row.tenant != tenant):
        raise NotFound(f"there is no account {account_id[:80]}")
    return row


def _read_cursor(cursor: str, parts: int) -> Sequence[int]:
    numbers = cursor.split("-")
    if len(numbers) != parts or not all(n.isdecimal() and len(n) < 19 for n in numbers):
        raise Invalid(f"cursor is {cursor[:40]}, must be the `next` of the page before")
    return [int(n) for n in numbers]


def _order_line(row: sa.Row[Any], printing: Terms) -> OrderLine:
    if row.reason is not None:
        return OrderLine(
            order_id=f"{row.account_id}.{row.number}",
            account_id=row.account_id,
            cl_ord_id=row.cl_ord_id,
            symbol=row.symbol,
            side=row.side,
            ord_type=row.ord_type,
            ord_status=row.ord_status,
            order_qty=row.asked_qty,
            leaves_qty="0",
            cum_qty="0",
            price=row.asked_px or None,
            created_at=moment(row.created_at),
            updated_at=moment(row.updated_at),
            position=row.last_position,
            at_venue=False,
            reason=row.reason,
            text=row.text,
        )
    terms_ = printing.instrument(row.symbol)
    hold_asset = terms_.quote if row.side == "buy" else terms_.base
    exec_inst = row.exec_inst or ""
    return OrderLine(
        order_id=f"{row.account_id}.{row.number}",
        account_id=row.account_id,
        cl_ord_id=row.cl_ord_id,
        symbol=row.symbol,
        side=row.side,
        ord_type=row.ord_type,
        ord_status=row.ord_status,
        order_qty=terms_.qty_text(row.lots),
        leaves_qty=terms_.qty_text(row.leaves_lots),
        cum_qty=terms_.qty_text(row.cum_lots),
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        position=row.last_position,
        time_in_force=row.time_in_force,
        price=terms_.px_text(row.px) if row.px else None,
        avg_px=printing.avg_px(row.symbol, row.cum_cost, row.cum_lots),
        stop_px=terms_.px_text(row.stop_px) if row.stop_px else None,
        trail_offset=terms_.px_text(row.trail) if row.trail else None,
        display_qty=terms_.qty_text(row.display_lots) if row.display_lots else None,
        cash_order_qty=printing.amount(row.cash_qty, terms_.quote) if row.cash_qty else None,
        expire_time=moment(row.expire_time) if row.expire_time else None,
        post_only="6" in exec_inst,
        reduce_only="E" in exec_inst,
        list_id=f"{row.account_id}.{row.group_number}" if row.group_number else None,
        contingency=row.contingency,
        at_venue=bool(row.at_venue),
        hold=printing.amount(row.hold, hold_asset),
        hold_asset=hold_asset,
        fees=printing.amount(row.fees, terms_.quote),
        text=row.text,
    )


def _execution_line(row: sa.Row[Any], printing: Terms) -> ExecutionLine:
    terms_ = printing.instrument(row.symbol)
    return ExecutionLine(
        exec_id=exec_id(row.account_id, row.number, row.exec_number, row.part),
        order_id=f"{row.account_id}.{row.number}",
        account_id=row.account_id,
        symbol=row.symbol,
        side=row.side,
        last_qty=terms_.qty_text(row.last_lots),
        last_px=terms_.px_text(row.last_px),
        gross=printing.amount(row.gross, terms_.quote),
        fee=printing.amount(row.fee, terms_.quote),
        currency=terms_.quote,
        liquidity="maker" if row.is_maker else "taker",
        at=moment(row.at),
        position=row.position,
        over_qty=terms_.qty_text(row.over_lots) if row.over_lots else None,
    )


def _account_line(row: sa.Row[Any]) -> AccountLine:
    return AccountLine(
        account_id=row.account_id,
        name=row.name,
        currency=row.currency,
        trading_state=row.trading_state,
        opened_at=moment(row.opened_at),
        limits=msgspec.json.decode(row.limits) if row.limits is not None else None,
    )


def _position_line(row: sa.Row[Any], printing: Terms, owned: dict[str, int]) -> PositionLine:
    terms_ = printing.instrument(row.symbol)
    return PositionLine(
        account_id=row.account_id,
        symbol=row.symbol,
        qty=printing.amount(owned.get(terms_.base, 0), terms_.base),
        traded_qty=terms_.qty_text(row.lots),
        currency=terms_.quote,
        cost=printing.amount(row.cost, terms_.quote),
        realized=printing.amount(row.realized, terms_.quote),
        fees=printing.amount(row.fees, terms_.quote),
        avg_px=printing.avg_px(row.symbol, row.cost, row.lots),
        position=row.last_position,
    )
