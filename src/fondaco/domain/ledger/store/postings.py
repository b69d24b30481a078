"""Views of the ledger: every posting, and what they add up to."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.ledger.model import CLEARING, Balances, LedgerAccount, Posters, Posting
from fondaco.kernel.event import Entry
from fondaco.kernel.money import AssetCode
from fondaco.ports.bulk import UNITS, Pick, insert_into, stored, update_of

VIEW: Final = "ledger_v1"
_REMEMBERED_MAX: Final = 100_000  # balances kept in memory; then it starts anew

metadata: Final = sa.MetaData()

postings: Final = sa.Table(
    "ledger_postings_v1",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True),  # of the entry that posts
    sa.Column("leg", sa.Integer, primary_key=True),  # 1, 2 … within the entry
    sa.Column("debit", sa.Text, nullable=False),
    sa.Column("credit", sa.Text, nullable=False),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("units", UNITS, nullable=False),
    sqlite_with_rowid=False,
)

balances: Final = sa.Table(
    "ledger_balances_v1",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("asset", sa.Text, primary_key=True),
    sa.Column("units", UNITS, nullable=False),  # debits less credits
    sa.Column("last_position", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

_INSERT_POSTINGS: Final = insert_into(postings)
_INSERT_BALANCES: Final = insert_into(balances)
_UPDATE_BALANCES: Final = update_of(balances, ["units", "last_position"], ["account", "asset"])
_PICK_BALANCES: Final = Pick(
    [balances.c.units, balances.c.last_position], [balances.c.account, balances.c.asset]
)


class _Balance(msgspec.Struct, gc=False):
    units: int = 0
    last_position: int = 0
    is_new: bool = True  # there is no row yet


class LedgerView:
    """Adds up what `posters` say of each entry. What it remembers is a copy of its own rows."""

    name: Final = VIEW

    def __init__(self, posters: Posters) -> None:
        self._posters = posters
        self._balances: dict[tuple[str, str], _Balance] = {}

    def forget(self) -> None:
        self._balances = {}

    @property
    def tables(self) -> Sequence[str]:
        return sorted(metadata.tables)

    def create(self, conn: sa.Connection) -> None:
        metadata.create_all(conn)

    def drop(self, conn: sa.Connection) -> None:
        metadata.drop_all(conn)

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        if len(self._balances) > _REMEMBERED_MAX:
            self.forget()
        rows: list[tuple[Any, ...]] = []
        touched: set[tuple[str, str]] = set()
        posters = self._posters
        for entry in entries:
            poster = posters.get(type(entry.event))
            if poster is None:
                continue
            position = entry.position
            for leg, posting in enumerate(poster(entry), 1):
                debit, credit, asset, units = (
                    posting.debit, posting.credit, posting.asset, posting.units,
                )  # fmt: skip
                rows.append((position, leg, debit, credit, asset, stored(units)))
                for key, change in (((debit, asset), units), ((credit, asset), -units)):
                    balance = self._balances.get(key)
                    if balance is None:
                        balance = self._fetch(conn, key)
                    balance.units += change
                    balance.last_position = position
                    touched.add(key)
        _INSERT_POSTINGS.run(conn, rows)
        self._write(conn, touched)

    def _fetch(self, conn: sa.Connection, key: tuple[str, str]) -> _Balance:
        balance = self._balances[key] = _Balance()
        for _, (units, position) in _PICK_BALANCES.run(conn, [key]):
            balance.units, balance.last_position, balance.is_new = int(units), position, False
        return balance

    def _write(self, conn: sa.Connection, touched: set[tuple[str, str]]) -> None:
        new, old = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for key in touched:
            balance = self._balances[key]
            values = (stored(balance.units), balance.last_position)
            if balance.is_new:
                new.append((*key, *values))
                balance.is_new = False
            else:
                old.append((*values, *key))
        _INSERT_BALANCES.run(conn, new)
        _UPDATE_BALANCES.run(conn, old)


def ledger_balances(conn: sa.Connection, account: str = "") -> Balances:
    """Debits less credits, of one account or of all."""
    query = sa.select(balances.c.account, balances.c.asset, balances.c.units)
    if account:
        query = query.where(balances.c.account == account)
    return {
        (LedgerAccount(name), AssetCode(asset)): int(units)
        for name, asset, units in conn.execute(query)
    }


def postings_of(conn: sa.Connection, position: int) -> list[Posting]:
    """What one entry posted, in order."""
    query = sa.select(postings.c.debit, postings.c.credit, postings.c.asset, postings.c.units)
    rows = conn.execute(query.where(postings.c.position == position).order_by(postings.c.leg))
    return [
        Posting(LedgerAccount(debit), LedgerAccount(credit), AssetCode(asset), int(units))
        for debit, credit, asset, units in rows
    ]


def placed_postings(conn: sa.Connection, after: int) -> Iterator[tuple[int, Posting]]:
    """Every posting behind a position, oldest first, each with its own; lazily."""
    p = postings.c
    query = sa.select(p.position, p.debit, p.credit, p.asset, p.units).where(p.position > after)
    for position, debit, credit, asset, units in conn.execute(query.order_by(p.position, p.leg)):
        posting = Posting(LedgerAccount(debit), LedgerAccount(credit), AssetCode(asset), int(units))
        yield position, posting


def clearing_since(conn: sa.Connection) -> list[tuple[str, str, int, int]]:
    """What stands on clearing accounts: account, asset, units, and where it moved last."""
    b = balances.c
    query = sa.select(b.account, b.asset, b.units, b.last_position)
    rows = conn.execute(query.where(b.account.startswith(CLEARING)).order_by(b.account, b.asset))
    return [
        (account, asset, int(units), position) for account, asset, units, position in rows if units
    ]


def all_postings(conn: sa.Connection) -> Iterator[Posting]:
    """Every posting, oldest first, lazily."""
    query = sa.select(postings.c.debit, postings.c.credit, postings.c.asset, postings.c.units)
    for debit, credit, asset, units in conn.execute(
        query.order_by(postings.c.position, postings.c.leg)
    ):
        yield Posting(LedgerAccount(debit), LedgerAccount(credit), AssetCode(asset), int(units))
