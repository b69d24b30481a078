"""The books of tenants as tables: accounts with their four sums, and every transfer."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.ledger.events import (
    BookAccountOpened,
    TransferExpired,
    TransferMade,
    TransferPending,
    TransferPosted,
    TransferVoided,
)
from fondaco.domain.ledger.model import PREFIX, book_of
from fondaco.kernel.event import Entry, Event
from fondaco.ports.bulk import Pick, insert_into, update_of

VIEW: Final = "ledger_books_v1"
_REMEMBERED_MAX: Final = 100_000  # accounts kept in memory; then it starts anew

metadata: Final = sa.MetaData()

# Sums are below 2^61: the law of books sees to it.
accounts: Final = sa.Table(
    "ledger_accounts_v1",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("book", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("decimals", sa.Integer, nullable=False),
    sa.Column("debits_must_not_exceed_credits", sa.SmallInteger, nullable=False),
    sa.Column("credits_must_not_exceed_debits", sa.SmallInteger, nullable=False),
    sa.Column("debits_pending", sa.BigInteger, nullable=False),
    sa.Column("debits_posted", sa.BigInteger, nullable=False),
    sa.Column("credits_pending", sa.BigInteger, nullable=False),
    sa.Column("credits_posted", sa.BigInteger, nullable=False),
    sa.Column("opened_at", sa.BigInteger, nullable=False),
    sa.Column("last_position", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

transfers: Final = sa.Table(
    "ledger_transfers_v1",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("book", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("debit", sa.Text, nullable=False),
    sa.Column("credit", sa.Text, nullable=False),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("decimals", sa.Integer, nullable=False),
    sa.Column("units", sa.BigInteger, nullable=False),  # as it was asked for
    sa.Column("posted", sa.BigInteger, nullable=False),  # of `units`
    sa.Column("status", sa.Text, nullable=False),  # "pending", "posted", "voided", "expired"
    sa.Column("two_phase", sa.SmallInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),  # 0: never
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("last_position", sa.BigInteger, nullable=False),
    sa.Index("ledger_transfers_v1_debit", "tenant", "book", "debit", "number"),
    sa.Index("ledger_transfers_v1_credit", "tenant", "book", "credit", "number"),
    sqlite_with_rowid=False,
)
IS_PENDING: Final = transfers.c.status == sa.literal_column("'pending'")
sa.Index(
    "ledger_transfers_v1_pending",
    transfers.c.expires_at,
    sqlite_where=IS_PENDING,
    postgresql_where=IS_PENDING,
)

_SUMS: Final = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
_KEY: Final = ("tenant", "book", "account")
_INSERT_ACCOUNTS: Final = insert_into(accounts)
_UPDATE_ACCOUNTS: Final = update_of(accounts, [*_SUMS, "last_position"], _KEY)
_PICK_ACCOUNTS: Final = Pick(
    [accounts.c[name] for name in (*_SUMS, "last_position")], [accounts.c[name] for name in _KEY]
)
_INSERT_TRANSFERS: Final = insert_into(transfers)
_RESOLVE_TRANSFERS: Final = update_of(
    transfers,
    ["posted", "status", "updated_at", "last_position"],
    ["tenant", "book", "number"],
)


class _Sums(msgspec.Struct, gc=False, array_like=True):
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0
    last_position: int = 0


_Account = tuple[str, str, str]


class _Batch:
    def __init__(self, conn: sa.Connection) -> None:
        self.conn = conn
        self.opened: list[tuple[Any, ...]] = []
        self.touched: dict[_Account, None] = {}
        self.made: list[tuple[Any, ...]] = []
        self.resolved: list[tuple[Any, ...]] = []


class BooksView:
    """What it remembers is a copy of rows that it alone writes."""

    name: Final = VIEW

    def __init__(self) -> None:
        self._sums: dict[_Account, _Sums] = {}

    def forget(self) -> None:
        self._sums = {}

    @property
    def tables(self) -> Sequence[str]:
        return sorted(metadata.tables)

    def create(self, conn: sa.Connection) -> None:
        metadata.create_all(conn)

    def drop(self, conn: sa.Connection) -> None:
        metadata.drop_all(conn)

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        if len(self._sums) > _REMEMBERED_MAX:
            self.forget()
        batch = _Batch(conn)
        applied = self._APPLIED
        for entry in entries:
            told = applied.get(type(entry.event))
            if told is not None and entry.stream.startswith(PREFIX):
                told(self, batch, entry, entry.event)
        # In this order: what a batch opens or makes, it may also change.
        _INSERT_ACCOUNTS.run(conn, batch.opened)
        rows = [(*msgspec.structs.astuple(self._sums[key]), *key) for key in batch.touched]
        _UPDATE_ACCOUNTS.run(conn, rows)
        _INSERT_TRANSFERS.run(conn, batch.made)
        _RESOLVE_TRANSFERS.run(conn, batch.resolved)

    def _opened(self, batch: _Batch, entry: Entry, event: BookAccountOpened) -> None:
        key = (*book_of(entry.stream), str(event.account))
        self._sums[key] = _Sums(last_position=entry.position)
        batch.opened.append(
            (
                *key, event.asset, event.decimals, int(event.debits_must_not_exceed_credits),
                int(event.credits_must_not_exceed_debits), 0, 0, 0, 0, entry.at, entry.position,
            )
        )  # fmt: skip

    def _made(self, batch: _Batch, entry: Entry, event: TransferMade | TransferPending) -> None:
        pending = isinstance(event, TransferPending)
        self._move(
            batch, entry, event, event.units if pending else 0, 0 if pending else event.units
        )
        batch.made.append(
            (
                *book_of(entry.stream), event.number, event.debit, event.credit, event.asset,
                event.decimals, event.units, 0 if pending else event.units,
                "pending" if pending else "posted", int(pending),
                event.expires_at if isinstance(event, TransferPending) else 0, event.reference,
                entry.at, entry.at, entry.position,
            )
        )  # fmt: skip

    def _resolved(
        self,
        batch: _Batch,
        entry: Entry,
        event: TransferPosted | TransferVoided | TransferExpired,
    ) -> None:
        posted = event.units if isinstance(event, TransferPosted) else 0
        self._move(batch, entry, event, -event.set_aside, posted)
        status = _STATUS[type(event)]
        at = (entry.at, entry.position)
        batch.resolved.append((posted, status, *at, *book_of(entry.stream), event.number))

    def _move(self, batch: _Batch, entry: Entry, event: Any, pending: int, posted: int) -> None:
        of = book_of(entry.stream)
        debit = self._find(batch, (*of, str(event.debit)))
        debit.debits_pending += pending
        debit.debits_posted += posted
        credit = self._find(batch, (*of, str(event.credit)))
        credit.credits_pending += pending
        credit.credits_posted += posted
        debit.last_position = credit.last_position = entry.position

    def _find(self, batch: _Batch, key: _Account) -> _Sums:
        batch.touched[key] = None
        known = self._sums.get(key)
        if known is None:
            known = self._sums[key] = _Sums()
            for _, row in _PICK_ACCOUNTS.run(batch.conn, [key]):
                known = self._sums[key] = _Sums(*row)
        return known

    _APPLIED: ClassVar[dict[type[Event], Callable[..., None]]] = {
        BookAccountOpened: _opened,
        TransferMade: _made,
        TransferPending: _made,
        TransferPosted: _resolved,
        TransferVoided: _resolved,
        TransferExpired: _resolved,
    }


_STATUS: Final = {
    TransferPosted: "posted",
    TransferVoided: "voided",
    TransferExpired: "expired",
}


# --- Questions ----------------------------------------------------------------------------------


def book_accounts(
    conn: sa.Connection, tenant: str, book: str, account: str = ""
) -> list[sa.Row[Any]]:
    """All of a book in the order of their names, or one."""
    a = accounts.c
    query = sa.select(accounts).where(a.tenant == tenant, a.book == book).order_by(a.account)
    if account:
        query = query.where(a.account == account)
    return list(conn.execute(query))


def book_transfers(
    conn: sa.Connection,
    tenant: str,
    book: str,
    *,
    account: str = "",
    status: str = "",
    below: int = 0,
    limit: int = 100,
) -> list[sa.Row[Any]]:
    """The newest first; those with numbers below `below`, where that is given."""
    t = transfers.c
    query = sa.select(transfers).where(t.tenant == tenant, t.book == book)
    if account:
        query = query.where(sa.or_(t.debit == account, t.credit == account))
    if status:
        query = query.where(t.status == status)
    if below:
        query = query.where(t.number < below)
    return list(conn.execute(query.order_by(t.number.desc()).limit(limit)))


def book_transfer(conn: sa.Connection, tenant: str, book: str, number: int) -> sa.Row[Any] | None:
    t = transfers.c
    query = sa.select(transfers).where(t.tenant == tenant, t.book == book, t.number == number)
    return conn.execute(query).one_or_none()


def book_deadlines(conn: sa.Connection) -> list[tuple[str, str, int]]:
    """Tenant, book and instant of each expiry that is to come, soonest first."""
    t = transfers.c
    query = sa.select(t.tenant, t.book, t.expires_at).where(
        IS_PENDING, t.expires_at > sa.literal_column("0")
    )
    return [tuple(row) for row in conn.execute(query.distinct().order_by(t.expires_at))]


def pending_amiss(conn: sa.Connection) -> list[str]:
    """Accounts whose pending sums are not those of the transfers that are pending."""
    t, a = transfers.c, accounts.c
    summed: dict[_Account, list[int]] = {}
    for side, column in enumerate((t.debit, t.credit)):
        query = sa.select(t.tenant, t.book, column, sa.func.sum(t.units)).where(IS_PENDING)
        for tenant, book, account, units in conn.execute(query.group_by(t.tenant, t.book, column)):
            summed.setdefault((tenant, book, account), [0, 0])[side] = int(units)
    kept = {
        (tenant, book, account): [debits, credits]
        for tenant, book, account, debits, credits in conn.execute(
            sa.select(a.tenant, a.book, a.account, a.debits_pending, a.credits_pending).where(
                sa.or_(a.debits_pending != 0, a.credits_pending != 0)
            )
        )
    }
    return [
        f"{PREFIX}{'/'.join(key)}: {kept.get(key, [0, 0])} units pending, "
        f"its transfers say {summed.get(key, [0, 0])}"
        for key in sorted({*summed, *kept})
        if kept.get(key, [0, 0]) != summed.get(key, [0, 0])
    ]
