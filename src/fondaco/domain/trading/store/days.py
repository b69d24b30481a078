"""Balances at the end of each session day, so that a statement of a day begins where the day did.

A day begins with the first entry that moves a balance in it, whoever's; days never go back, even
where clocks do. Everything here follows from the entries alone, however they are cut into batches.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.reference.api import session_day_and_close
from fondaco.domain.reference.events import InstrumentListed, SessionChanged
from fondaco.domain.reference.model import Instrument, Session
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import PREFIX, Side
from fondaco.kernel.errors import Corrupt
from fondaco.kernel.event import Entry, Event, Instant
from fondaco.kernel.money import half_even_div
from fondaco.ports.bulk import UNITS, Pick, insert_into, stored, update_of

VIEW: Final = "trading_days_v1"
_REMEMBERED_MAX: Final = 100_000  # rows kept in memory; then it starts anew

metadata: Final = sa.MetaData()

# Where each session day begins in the journal.
day_begins: Final = sa.Table(
    "trading_day_begins_v1",
    metadata,
    sa.Column("day", sa.Integer, primary_key=True),  # since 1970-01-01, in the session's time zone
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("trading_day_begins_v1_position", "position"),
    sqlite_with_rowid=False,
)

# A row for each day on which a balance moved.
days: Final = sa.Table(
    "trading_days_v1",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("asset", sa.Text, primary_key=True),
    sa.Column("day", sa.Integer, primary_key=True),
    sa.Column("closing", UNITS, nullable=False),  # the balance after its last movement
    sa.Column("fees", UNITS, nullable=False),  # of the day
    sa.Column("realized", UNITS, nullable=False),  # of the day, at average cost, before fees
    sqlite_with_rowid=False,
)

# What is held of each instrument, and what it cost: what `realized` is worked out from.
costs: Final = sa.Table(
    "trading_day_costs_v1",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("symbol", sa.Text, primary_key=True),
    sa.Column("lots", sa.BigInteger, nullable=False),
    sa.Column("cost", UNITS, nullable=False),
    sqlite_with_rowid=False,
)

# What moved a balance besides executions, deposits and withdrawals.
movements: Final = sa.Table(
    "trading_movements_v1",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("leg", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # "transfer_out", "transfer_in", "reset" …
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("units", UNITS, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Transfers to other accounts, each as its sender knows it.
sent: Final = sa.Table(
    "trading_sent_v1",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("to_account_id", sa.Text, nullable=False),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("units", UNITS, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # "pending", "posted", "voided"
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

virtual_accounts: Final = sa.Table(
    "trading_virtual_accounts_v1",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
)

_INSERT_BEGINS: Final = insert_into(day_begins)
_INSERT_DAYS: Final = insert_into(days)
_UPDATE_DAYS: Final = update_of(
    days, ["closing", "fees", "realized"], ["account_id", "asset", "day"]
)
_INSERT_COSTS: Final = insert_into(costs)
_UPDATE_COSTS: Final = update_of(costs, ["lots", "cost"], ["account_id", "symbol"])
_PICK_COSTS: Final = Pick([costs.c.lots, costs.c.cost], [costs.c.account_id, costs.c.symbol])
_INSERT_MOVEMENTS: Final = insert_into(movements)
_INSERT_SENT: Final = insert_into(sent)
_ANSWER_SENT: Final = update_of(
    sent, ["status", "text", "updated_at", "position"], ["account_id", "number"]
)


class _Day(msgspec.Struct, gc=False):
    day: int
    closing: int = 0
    fees: int = 0
    realized: int = 0
    is_new: bool = True  # there is no row yet


class _Cost(msgspec.Struct, gc=False):
    lots: int = 0
    cost: int = 0
    is_new: bool = True

    def trade(self, lots: int, gross: int) -> int:
        """What a trade realizes; `lots` are negative for a sale. Closes at average cost first, and
        opens with the rest."""
        sign, realized = (1 if lots > 0 else -1), 0
        if self.lots * sign < 0:
            closing = min(abs(self.lots), abs(lots))
            at_cost = half_even_div(self.cost * closing, abs(self.lots))
            proceeds = half_even_div(gross * closing, abs(lots))
            realized = -(sign * proceeds + at_cost)
            self.cost -= at_cost
            gross -= proceeds
        self.cost += sign * gross
        self.lots += lots
        return realized

    def untrade(self, lots: int, gross: int) -> int:
        """What a trade that was none realizes: see `rows.Position`."""
        sign = 1 if lots > 0 else -1
        if self.lots * sign < abs(lots):
            return self.trade(-lots, gross)
        self.lots -= lots
        self.cost -= sign * gross
        if self.lots:
            return 0
        left, self.cost = self.cost, 0
        return -left


class _Batch:
    def __init__(self, conn: sa.Connection) -> None:
        self.conn = conn
        self.begins: list[tuple[Any, ...]] = []
        self.days: dict[tuple[str, str, int], _Day] = {}
        self.costs: dict[tuple[str, str], _Cost] = {}
        self.movements: list[tuple[Any, ...]] = []
        self.sent: list[tuple[Any, ...]] = []
        self.answered: list[tuple[Any, ...]] = []
        self.virtual: list[str] = []


class DaysView:
    """`listed` are entries of the house's stream, as far as they were written before this began."""

    name: Final = VIEW

    def __init__(self, listed: Iterable[Entry] = ()) -> None:
        self._terms: dict[str, Instrument] = {}
        self._sessions: list[tuple[int, Session]] = [(0, Session())]  # from which position on
        for entry in listed:
            self._note(entry)
        self.forget()

    def forget(self) -> None:
        self._days: dict[tuple[str, str], _Day] = {}
        self._costs: dict[tuple[str, str], _Cost] = {}
        self._today = -1
        self._closes_at = Instant(0)
        self._knows_today = False

    @property
    def tables(self) -> Sequence[str]:
        return sorted(metadata.tables)

    def create(self, conn: sa.Connection) -> None:
        metadata.create_all(conn)

    def drop(self, conn: sa.Connection) -> None:
        metadata.drop_all(conn)

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        if len(self._days) + len(self._costs) > _REMEMBERED_MAX:
            self.forget()
        batch = _Batch(conn)
        applied = self._APPLIED
        for entry in entries:
            told = applied.get(type(entry.event))
            if told is not None:
                told(self, batch, entry, entry.event)
        self._write(batch)

    def _write(self, batch: _Batch) -> None:
        conn = batch.conn
        _INSERT_BEGINS.run(conn, batch.begins)
        new, old = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for key, row in batch.days.items():
            values = (stored(row.closing), stored(row.fees), stored(row.realized))
            (new.append((*key, *values)) if row.is_new else old.append((*values, *key)))
            row.is_new = False
        _INSERT_DAYS.run(conn, new)
        _UPDATE_DAYS.run(conn, old)
        new, old = [], []
        for pair, cost in batch.costs.items():
            values_ = (cost.lots, stored(cost.cost))
            (new.append((*pair, *values_)) if cost.is_new else old.append((*values_, *pair)))
            cost.is_new = False
        _INSERT_COSTS.run(conn, new)
        _UPDATE_COSTS.run(conn, old)
        _INSERT_MOVEMENTS.run(conn, batch.movements)
        _INSERT_SENT.run(conn, batch.sent)
        _ANSWER_SENT.run(conn, batch.answered)
        for account in batch.virtual:
            conn.execute(virtual_accounts.insert().values(account_id=account))

    # --- Which day it is --------------------------------------------------------------------------

    def _note(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, InstrumentListed):
            self._terms[event.instrument.symbol] = event.instrument
        elif isinstance(event, SessionChanged) and entry.position > self._sessions[-1][0]:
            self._sessions.append((entry.position, event.session))

    def _session_of(self, position: int) -> Session:
        """The one in force where an entry stands."""
        return self._sessions[bisect_left(self._sessions, position, key=lambda each: each[0]) - 1][
            1
        ]

    def _of_house(self, batch: _Batch, entry: Entry, event: Event) -> None:
        self._note(entry)
        self._closes_at = Instant(0)  # another session may have begun

    def _day(self, batch: _Batch, entry: Entry) -> int:
        if entry.at < self._closes_at:
            return self._today
        if not self._knows_today:
            found = batch.conn.execute(sa.select(sa.func.max(day_begins.c.day))).scalar()
            self._today = -1 if found is None else found
            self._knows_today = True
        day, self._closes_at = session_day_and_close(entry.at, self._session_of(entry.position))
        if day > self._today:
            self._today = day
            batch.begins.append((day, entry.position, entry.at))
        return self._today

    # --- What moves -------------------------------------------------------------------------------

    def _move(
        self, batch: _Batch, entry: Entry, account: str, asset: str, units: int, fee: int = 0
    ) -> _Day:
        """The row of the day, changed; a `fee` is of `units` already."""
        day, pair = self._day(batch, entry), (account, asset)
        row = self._days.get(pair)
        if row is None:
            row = self._fetch(batch, account, asset, day)
        if row.day != day:
            row = self._days[pair] = _Day(day, row.closing)
        row.closing += units
        row.fees += fee
        batch.days[account, asset, day] = row
        return row

    def _fetch(self, batch: _Batch, account: str, asset: str, day: int) -> _Day:
        d = days.c
        query = sa.select(d.day, d.closing, d.fees, d.realized)
        query = query.where(d.account_id == account, d.asset == asset)
        found = batch.conn.execute(query.order_by(d.day.desc()).limit(1)).one_or_none()
        row = _Day(day)
        if found is not None:
            row = _Day(found[0], int(found[1]), int(found[2]), int(found[3]), is_new=False)
        self._days[account, asset] = row
        return row

    def _filled(self, batch: _Batch, entry: Entry, event: ev.OrderFilled) -> None:
        account = entry.stream.removeprefix(PREFIX)
        terms = self._terms.get(event.symbol)
        if terms is None:
            raise Corrupt(f"{event.symbol} was traded, but no entry lists it")
        sign = 1 if event.side is Side.BUY else -1
        if event.is_contract:
            paid = event.realized - event.fee
        else:
            self._move(batch, entry, account, terms.base, sign * event.base_units)
            paid = -sign * event.gross - event.fee
        row = self._move(batch, entry, account, terms.quote, paid, event.fee)
        row.realized += self._cost(batch, account, event.symbol).trade(
            sign * event.last_lots, event.gross
        )

    def _cost(self, batch: _Batch, account: str, symbol: str) -> _Cost:
        pair = (account, symbol)
        known = self._costs.get(pair)
        if known is None:
            known = self._costs[pair] = _Cost()
            for _, (lots, cost) in _PICK_COSTS.run(batch.conn, [pair]):
                known.lots, known.cost, known.is_new = lots, int(cost), False
        batch.costs[pair] = known
        return known

    def _cash(
        self, batch: _Batch, entry: Entry, event: ev.CashDeposited | ev.CashWithdrawn
    ) -> None:
        units = event.units if isinstance(event, ev.CashDeposited) else -event.units
        self._move(batch, entry, entry.stream.removeprefix(PREFIX), event.asset, units)

    def _other(
        self, batch: _Batch, entry: Entry, leg: int, kind: str, about: str, asset: str, units: int
    ) -> None:
        account = entry.stream.removeprefix(PREFIX)
        self._move(batch, entry, account, asset, units)
        batch.movements.append(
            (account, entry.position, leg, kind, about, asset, stored(units), entry.at)
        )

    def _sent(self, batch: _Batch, entry: Entry, event: ev.TransferSent) -> None:
        to = event.to.removeprefix(PREFIX)
        self._other(batch, entry, 1, "transfer_out", to, event.asset, -event.units)
        account = entry.stream.removeprefix(PREFIX)
        batch.sent.append(
            (
                account, event.number, to, event.asset, stored(event.units), "pending", "",
                entry.at, entry.at, entry.position,
            )
        )  # fmt: skip

    def _received(self, batch: _Batch, entry: Entry, event: ev.TransferReceived) -> None:
        source = event.source.removeprefix(PREFIX)
        self._other(batch, entry, 1, "transfer_in", source, event.asset, event.units)

    def _posted(self, batch: _Batch, entry: Entry, event: ev.TransferPosted) -> None:
        key = (entry.stream.removeprefix(PREFIX), event.number)
        batch.answered.append(("posted", "", entry.at, entry.position, *key))

    def _voided(self, batch: _Batch, entry: Entry, event: ev.TransferVoided) -> None:
        self._other(batch, entry, 1, "transfer_returned", "", event.asset, event.units)
        key = (entry.stream.removeprefix(PREFIX), event.number)
        batch.answered.append(("voided", event.text, entry.at, entry.position, *key))

    def _virtual(self, batch: _Batch, entry: Entry, event: ev.AccountMadeVirtual) -> None:
        batch.virtual.append(entry.stream.removeprefix(PREFIX))

    def _covered(self, batch: _Batch, entry: Entry, event: ev.NegativeBalanceCovered) -> None:
        for leg, each in enumerate(event.covered, 1):
            self._other(batch, entry, leg, "covered", "", each.asset, each.units)

    def _paid(self, batch: _Batch, entry: Entry, event: ev.ContractPaid) -> None:
        """Closed at what it pays, for the gain of the day."""
        symbol, account = event.symbol, entry.stream.removeprefix(PREFIX)
        self._other(batch, entry, 1, "contract", symbol, event.base, -event.base_units)
        self._other(batch, entry, 2, "contract", symbol, event.quote, event.cash)
        cost, terms = self._cost(batch, account, symbol), self._terms[symbol]
        gross = terms.cost_down(event.payout, abs(cost.lots))
        self._days[account, event.quote].realized += cost.trade(-cost.lots, gross)

    def _swapped(self, batch: _Batch, entry: Entry, event: ev.SwapCharged) -> None:
        for leg, each in enumerate(event.charged, 1):
            self._other(batch, entry, leg, "swap", each.symbol, each.asset, -each.units)

    def _converted(self, batch: _Batch, entry: Entry, event: ev.GainConverted) -> None:
        about = event.symbol
        self._other(batch, entry, 1, "converted", about, event.quote, -event.units)
        self._other(batch, entry, 2, "converted", about, event.settle, event.settle_units)

    def _allocated(self, batch: _Batch, entry: Entry, event: ev.AllocationBooked) -> None:
        sign, about = (-1 if event.side is Side.BUY else 1), f"{event.symbol}.{event.block}"
        self._other(batch, entry, 1, "allocated", about, event.base, sign * event.base_units)
        self._other(batch, entry, 2, "allocated", about, event.quote, -sign * event.cash)
        cost = self._cost(batch, entry.stream.removeprefix(PREFIX), event.symbol)
        row = self._days[entry.stream.removeprefix(PREFIX), event.quote]
        row.realized += cost.trade(sign * event.lots, event.cash)

    def _failed(self, batch: _Batch, entry: Entry, event: ev.FillFailed) -> None:
        match, account = event.match, entry.stream.removeprefix(PREFIX)
        sign = 1 if match.side is Side.BUY else -1
        about = f"{match.number}.{match.exec_number}"
        self._other(batch, entry, 1, "failed", about, match.base, -sign * match.base_units)
        paid = sign * match.gross + match.fee
        self._other(batch, entry, 2, "failed", about, match.quote, paid)
        row = self._days[account, match.quote]
        row.fees -= match.fee
        cost = self._cost(batch, account, match.symbol)
        row.realized += cost.trade(-sign * match.lots, match.gross)

    def _busted(self, batch: _Batch, entry: Entry, event: ev.FillBusted) -> None:
        account, about = entry.stream.removeprefix(PREFIX), f"{event.number}.{event.ref_number}"
        sign = 1 if event.side is Side.BUY else -1
        paid = sign * event.gross + event.fee
        if event.is_contract:
            paid = event.fee - event.realized
        else:
            self._other(batch, entry, 1, "busted", about, event.base, -sign * event.base_units)
        self._other(batch, entry, 2, "busted", about, event.quote, paid)
        row = self._days[account, event.quote]
        row.fees -= event.fee
        cost = self._cost(batch, account, event.symbol)
        if event.on_margin:
            cost.lots, cost.cost = cost.lots - sign * event.last_lots, event.position_cost
            row.realized -= event.realized
        else:
            row.realized += cost.untrade(sign * event.last_lots, event.gross)

    def _corrected(self, batch: _Batch, entry: Entry, event: ev.FillCorrected) -> None:
        self._busted(batch, entry, event.bust)
        self._filled(batch, entry, event.fill)

    def _reset(self, batch: _Batch, entry: Entry, event: ev.AccountReset) -> None:
        for leg, each in enumerate(event.balances, 1):
            self._other(batch, entry, leg, "reset", "", each.asset, each.after - each.before)
        account = entry.stream.removeprefix(PREFIX)
        c = costs.c
        kept = batch.conn.execute(sa.select(c.symbol).where(c.account_id == account)).scalars()
        new = [symbol for of, symbol in self._costs if of == account]
        for symbol in dict.fromkeys((*kept, *new)):
            cost = self._cost(batch, account, symbol)
            cost.lots = cost.cost = 0

    _APPLIED: ClassVar[dict[type[Event], Callable[..., None]]] = {
        InstrumentListed: _of_house,
        SessionChanged: _of_house,
        ev.OrderFilled: _filled,
        ev.CashDeposited: _cash,
        ev.CashWithdrawn: _cash,
        ev.TransferSent: _sent,
        ev.TransferReceived: _received,
        ev.TransferPosted: _posted,
        ev.TransferVoided: _voided,
        ev.AccountMadeVirtual: _virtual,
        ev.AccountReset: _reset,
        ev.NegativeBalanceCovered: _covered,
        ev.ContractPaid: _paid,
        ev.SwapCharged: _swapped,
        ev.GainConverted: _converted,
        ev.AllocationBooked: _allocated,
        ev.FillFailed: _failed,
        ev.FillBusted: _busted,
        ev.FillCorrected: _corrected,
    }
