"""Questions to the tables of the trading room. Each is asked for a tenant, and shows nothing of
another's; None is the house itself, which sees all.

Lists are newest first, and a cursor names the last row that was seen: what is inserted meanwhile
comes before it, so that a page neither repeats nor skips anything.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.ledger.model import Balances, LedgerAccount
from fondaco.domain.reference.model import Instrument, InstrumentKind
from fondaco.domain.trading.model import PREFIX, AccountType
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
)
from fondaco.domain.trading.store import tables as t
from fondaco.domain.trading.store.busts import amended
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.instants import moment
from fondaco.kernel.money import Asset, AssetCode
from fondaco.runtime.projector import positions as stands_at

_DIGITS: Final = 18  # of an order's number
LIMIT_MAX: Final = 1_000
_EXECUTED: Final = frozenset({"trading.order_filled.v1", "trading.fill_corrected.v1"})
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
    order_ids: str | None = None  # separated by commas


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
    position, number = _read_cursor(cursor, 2) if cursor else (0, 0)
    is_open = bool(asked.ord_status) and not t.DONE.intersection(asked.ord_status)
    if is_open:
        query = query.where(t.IS_OPEN)
    if tenant is not None:
        by_tenant = asked.account_id is None and not _by_symbol(asked)
        query = query.where((o.tenant if by_tenant else _unindexed(o.tenant)) == tenant)
    if asked.account_id is not None:
        query = query.where(o.account_id == asked.account_id)
        if asked.cl_ord_id is not None:
            numbers = _numbers_called(conn, asked.account_id, asked.cl_ord_id)
            query = query.where(o.number.in_(numbers))
    elif asked.cl_ord_id is not None:
        query = query.where(o.cl_ord_id == asked.cl_ord_id)
    if asked.account_id is not None and not is_open:
        # An account's numbers grow as positions do, and the index of its order ids ends in them.
        query = query.order_by(o.number.desc())
        if cursor:
            query = query.where(o.number < number)
    else:
        query = query.order_by(o.position.desc())
        if cursor:
            query = query.where(o.position < position)
    rows = conn.execute(query.limit(limit + 1)).all()
    printing = terms(conn)
    lines = [_order_line(row, printing) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(lines, f"{last.position}-{last.number}" if last is not None else None)


def _matching(asked: OrderFilter) -> list[sa.ColumnElement[bool]]:
    o = t.orders.c
    found: list[sa.ColumnElement[bool]] = []
    if asked.order_ids is not None:
        found.append(_named(o, asked.order_ids))
    if asked.symbol is not None:
        symbol = o.symbol if _by_symbol(asked) else _unindexed(o.symbol)
        found.append(symbol == asked.symbol)
    if asked.ord_status:
        found.append(o.ord_status.in_(asked.ord_status))
    if asked.side is not None:
        found.append(o.side == asked.side)
    if asked.since is not None:
        found.append(o.created_at >= asked.since)
    if asked.until is not None:
        found.append(o.created_at < asked.until)
    return found


def _by_symbol(asked: OrderFilter) -> bool:
    """The index over symbols ends in the status: without one it would sort all of a symbol."""
    return asked.symbol is not None and asked.account_id is None and len(asked.ord_status) == 1


def _unindexed(column: sa.Column[str]) -> sa.ColumnElement[str]:
    """`column`, but no reason to choose an index: there is a better one for this question."""
    return column.concat("")


def _named(columns: Any, order_ids: str) -> sa.ColumnElement[bool]:
    """Rows of these orders. Raises `Invalid` for what is no id of one."""
    numbers: dict[str, list[int]] = {}
    for order_id in order_ids.split(","):
        account, _, number = order_id.rpartition(".")
        if not account or not number.isdecimal() or len(number) > _DIGITS:
            raise Invalid(f"order_ids has {order_id[:80]!r}, must be such as demo.57,demo.58")
        numbers.setdefault(account, []).append(int(number))
    return sa.or_(
        *(
            sa.and_(columns.account_id == account, columns.number.in_(found))
            for account, found in numbers.items()
        )
    )


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
    filled = [position for position, kind, _ in events if kind in _EXECUTED]
    executed = conn.execute(
        sa.select(t.executions).where(x.position.in_(filled)).order_by(x.position)
    ).all()
    gone = amended(conn, executed)
    printing = terms(conn)
    first = "trading.order_rejected.v1" if row.reason else "trading.order_accepted.v1"
    return OrderReplyFull(
        _order_line(row, printing),
        [
            Step(row.position, first, moment(row.created_at)),
            *(Step(position, kind, moment(at)) for position, kind, at in events),
        ],
        [_execution_line(found, printing, gone) for found in executed],
    )


def find_order(
    conn: sa.Connection, tenant: str | None, called: str, account_id: str = ""
) -> tuple[str, int]:
    """Account and number of what is `called` by its order_id or its cl_ord_id: the last one.

    Without `account_id` every account of the tenant is looked into. Raises `NotFound`.
    """
    o, f = t.orders.c, t.cl_ord_ids.c
    head, _, number = called.rpartition(".")
    if head and number.isdecimal() and number.isascii() and len(number) < 19:
        query = sa.select(o.account_id, o.number, o.tenant)
        query = query.where(o.account_id == head, o.number == int(number))
        row = conn.execute(query).one_or_none()
        if row is not None and tenant in (None, row.tenant):
            return row.account_id, row.number
    mine = sa.select(t.accounts.c.account_id)
    if tenant is not None:
        mine = mine.where(t.accounts.c.tenant == tenant)
    if account_id:
        mine = mine.where(t.accounts.c.account_id == account_id)
    for c in (o, f):
        named = sa.select(c.account_id, c.number).where(c.account_id.in_(mine))
        last = conn.execute(
            named.where(c.cl_ord_id == called).order_by(c.number.desc()).limit(1)
        ).one_or_none()
        if last is not None:
            return last.account_id, last.number
    raise NotFound(f"there is no order {called[:80]}")


def life(
    conn: sa.Connection, tenant: str | None, account_id: str, number: int, limit: int
) -> list[int]:
    """Positions of the first `limit` entries about an order, in order. Raises `NotFound`."""
    o, e = t.orders.c, t.order_events.c
    row = conn.execute(
        sa.select(o.position, o.tenant).where(o.account_id == account_id, o.number == number)
    ).one_or_none()
    if row is None or tenant not in (None, row.tenant):
        raise NotFound(f"there is no order {account_id}.{number}")
    later = sa.select(e.position).where(e.account_id == account_id, e.number == number)
    return [row.position, *conn.execute(later.order_by(e.position).limit(limit - 1)).scalars()]


def currencies(conn: sa.Connection, tenant: str | None) -> dict[str, str]:
    """Currency by account, of a tenant's accounts or of all."""
    a = t.accounts.c
    query = sa.select(a.account_id, a.currency)
    if tenant is not None:
        query = query.where(a.tenant == tenant)
    return dict(tuple(row) for row in conn.execute(query))


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
    order_ids: str | None = None,
) -> Page[ExecutionLine]:
    """Trade history."""
    x, limit = t.executions.c, min(limit, LIMIT_MAX)
    query = sa.select(t.executions).order_by(x.position.desc())
    if tenant is not None:
        by_tenant = account_id is None and symbol is None
        query = query.where((x.tenant if by_tenant else _unindexed(x.tenant)) == tenant)
    if account_id is not None:
        query = query.where(x.account_id == account_id)
    if order_ids is not None:  # what has happened to an order is found by its number
        e = t.order_events.c
        query = query.where(x.position.in_(sa.select(e.position).where(_named(e, order_ids))))
    if symbol is not None:
        query = query.where((x.symbol if account_id is None else _unindexed(x.symbol)) == symbol)
    if since is not None:
        query = query.where(x.at >= since)
    if until is not None:
        query = query.where(x.at < until)
    if cursor:
        query = query.where(x.position < _read_cursor(cursor, 1)[0])
    rows = conn.execute(query.limit(limit + 1)).all()
    printing = terms(conn)
    gone = amended(conn, rows)
    lines = [_execution_line(row, printing, gone) for row in rows[:limit]]
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


def owners_of(conn: sa.Connection) -> dict[str, str]:
    """The tenant of every account."""
    a = t.accounts.c
    return {row.account_id: row.tenant for row in conn.execute(sa.select(a.account_id, a.tenant))}


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


def accounts_at_work(conn: sa.Connection) -> list[str]:
    """Those with open orders."""
    o = t.orders.c
    return list(conn.execute(sa.select(o.account_id).where(t.IS_OPEN).distinct()).scalars())


def accounts_on_margin(conn: sa.Connection) -> list[str]:
    a = t.accounts.c
    rows = conn.execute(sa.select(a.account_id).where(a.account_type == AccountType.MARGIN.value))
    return list(rows.scalars())


def holders(conn: sa.Connection, assets: Sequence[str], symbols: Sequence[str]) -> list[str]:
    """Accounts that have anything of `assets`, or an open order in `symbols`."""
    b, o = t.balances.c, t.orders.c
    having = sa.select(b.account_id, b.balance).where(b.asset.in_(assets))
    found = [account for account, units in conn.execute(having) if int(units)]
    working = sa.select(o.account_id).where(t.IS_OPEN, o.symbol.in_(symbols)).distinct()
    return list(dict.fromkeys((*found, *conn.execute(working).scalars())))


def client_balances(conn: sa.Connection) -> Balances:
    """Every balance by the account's stream and asset: to be compared with the ledger's."""
    b = t.balances.c
    rows = conn.execute(sa.select(b.account_id, b.asset, b.balance))
    return {
        (LedgerAccount(PREFIX + account_id), AssetCode(asset)): int(units)
        for account_id, asset, units in rows
    }


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
    hold_asset = terms_.quote if row.side == "buy" or row.on_margin else terms_.base
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


def _execution_line(
    row: sa.Row[Any], printing: Terms, gone: dict[tuple[str, int, int], str]
) -> ExecutionLine:
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
        amended=gone.get((row.account_id, row.number, row.exec_number)),
    )


def _account_line(row: sa.Row[Any]) -> AccountLine:
    return AccountLine(
        account_id=row.account_id,
        name=row.name,
        currency=row.currency,
        trading_state=row.trading_state,
        opened_at=moment(row.opened_at),
        account_type=row.account_type,
        limits=msgspec.json.decode(row.limits) if row.limits is not None else None,
    )


def _position_line(row: sa.Row[Any], printing: Terms, owned: dict[str, int]) -> PositionLine:
    terms_ = printing.instrument(row.symbol)
    return PositionLine(
        account_id=row.account_id,
        symbol=row.symbol,
        qty=terms_.qty_text(row.lots)
        if terms_.kind is InstrumentKind.LINEAR
        else printing.amount(owned.get(terms_.base, 0), terms_.base),
        traded_qty=terms_.qty_text(row.lots),
        currency=terms_.quote,
        cost=printing.amount(row.cost, terms_.quote),
        realized=printing.amount(row.realized, terms_.quote),
        fees=printing.amount(row.fees, terms_.quote),
        avg_px=printing.avg_px(row.symbol, row.cost, row.lots),
        position=row.last_position,
    )
