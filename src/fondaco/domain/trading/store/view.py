"""Carries entries into the tables of the trading room, a batch at a time.

Rows that one batch touches are worked out in memory and written once each: an order that is
accepted and filled between two steps of the projector costs one insert. What is written depends on
the entries alone, never on how they were cut into batches.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, TypeAlias

import msgspec
import sqlalchemy as sa

from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import Instrument
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import PREFIX, OrdStatus, TradingState
from fondaco.domain.trading.store import tables as t
from fondaco.domain.trading.store.moves import MOVES, busted
from fondaco.domain.trading.store.rows import Balance, Position, Row
from fondaco.kernel.errors import Corrupt
from fondaco.kernel.event import Entry, Event, StreamId
from fondaco.ports.bulk import Pick, insert_into, stored, tune, update_of

_REMEMBERED_MAX: Final = 100_000  # balances and positions kept in memory; then it starts anew

_Key: TypeAlias = tuple[str, int]  # account and number of an order
_Pair: TypeAlias = tuple[str, str]  # account and asset, or account and symbol


_CHANGING: Final = (
    "ord_status", "lots", "px", "stop_px", "at_venue", "is_open", "hold", "cum_lots",
    "leaves_lots", "cum_cost", "fees", "last_exec", "last_part", "text", "updated_at",
    "last_position",
)  # fmt: skip  # in the order of the columns
_INSERT_ORDERS: Final = insert_into(t.orders)
_UPDATE_ORDERS: Final = update_of(t.orders, _CHANGING, ["position"])
_RENAME_ORDERS: Final = update_of(t.orders, ["cl_ord_id"], ["position"])
_INSERT_FORMER: Final = insert_into(t.cl_ord_ids)
_INSERT_EVENTS: Final = insert_into(t.order_events)
_INSERT_EXECUTIONS: Final = insert_into(t.executions)
_INSERT_TRANSFERS: Final = insert_into(t.transfers)
_INSERT_BALANCES: Final = insert_into(t.balances)
_UPDATE_BALANCES: Final = update_of(
    t.balances, ["balance", "held", "last_position"], ["account_id", "asset"]
)
_INSERT_POSITIONS: Final = insert_into(t.positions)
_UPDATE_POSITIONS: Final = update_of(
    t.positions,
    ["lots", "cost", "realized", "fees", "last_position"],
    ["account_id", "symbol"],
)
_PICK_ORDERS: Final = Pick(t.orders.columns.values(), [t.orders.c.account_id, t.orders.c.number])
_PICK_BALANCES: Final = Pick(
    [t.balances.c.balance, t.balances.c.held, t.balances.c.last_position],
    [t.balances.c.account_id, t.balances.c.asset],
)
_PICK_POSITIONS: Final = Pick(
    [t.positions.c[n] for n in ("lots", "cost", "realized", "fees", "last_position")],
    [t.positions.c.account_id, t.positions.c.symbol],
)
_PICK_INSTRUMENTS: Final = Pick([t.instruments.c.terms], [t.instruments.c.symbol])
_PICK_TENANTS: Final = Pick([t.accounts.c.tenant], [t.accounts.c.account_id])
_INSTRUMENT: Final = msgspec.json.Decoder(Instrument)


def _kind(event: Event) -> str:
    return str(type(event).__struct_config__.tag)


class _Batch:
    """What one call of `apply` has worked out and not yet written."""

    def __init__(self, conn: sa.Connection) -> None:
        self.conn = conn
        self.rows: dict[_Key, Row] = {}  # accepted in this batch, or fetched
        self.new: list[Row] = []
        self.changed: dict[int, Row] = {}  # by position; also some of `new`
        self.renamed: list[tuple[str, int]] = []
        self.former: list[tuple[str, str, int]] = []
        self.events: list[tuple[Any, ...]] = []
        self.executions: list[tuple[Any, ...]] = []
        self.transfers: list[tuple[Any, ...]] = []
        self.balances: set[_Pair] = set()
        self.positions: set[_Pair] = set()


class TradingView:
    """The tables in `tables`, filled. What it remembers is a copy of rows that it alone writes."""

    name: Final = t.VIEW

    def __init__(self) -> None:
        self._tuned: object = None  # the driver's connection that was tuned
        self.forget()

    def forget(self) -> None:
        self._accounts: dict[StreamId, tuple[str, str]] = {}  # account and tenant
        self._instruments: dict[str, Instrument] = {}
        self._balances: dict[_Pair, Balance] = {}
        self._positions: dict[_Pair, Position] = {}

    @property
    def tables(self) -> Sequence[str]:
        return sorted(t.metadata.tables)

    def create(self, conn: sa.Connection) -> None:
        t.metadata.create_all(conn)

    def drop(self, conn: sa.Connection) -> None:
        t.metadata.drop_all(conn)

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        if len(self._balances) + len(self._positions) + len(self._accounts) > _REMEMBERED_MAX:
            self.forget()
        driver = conn.connection.dbapi_connection
        if driver is not self._tuned:
            tune(conn)
            self._tuned = driver
        batch = _Batch(conn)
        self._fetch(batch, entries)
        applied = self._APPLIED
        for entry in entries:
            told = applied.get(type(entry.event))
            if told is not None:
                told(self, batch, entry, entry.event)
            else:
                self._elsewhere(batch, entry)
        self._write(batch)

    def _elsewhere(self, batch: _Batch, entry: Entry) -> None:
        """What other rooms wrote about an order: they name its account's stream and its number."""
        event = entry.event
        stream = getattr(event, "account_stream", None)
        if stream is not None:
            number: int = event.number  # type: ignore[attr-defined]
            account = stream.removeprefix(PREFIX)
            batch.events.append((account, number, entry.position, _kind(event), entry.at))

    def _fetch(self, batch: _Batch, entries: Sequence[Entry]) -> None:
        """Rows of orders that `entries` change and that were accepted before them."""
        wanted: dict[_Key, None] = {}
        accepted: set[_Key] = set()
        for entry in entries:
            event = entry.event
            if type(event) is ev.OrderAccepted:
                accepted.add((entry.stream, event.order.number))
            elif type(event) is ev.OrderRejected:
                accepted.add((entry.stream, event.number))
            elif type(event) in _ABOUT_AN_ORDER:
                key = (entry.stream, event.number)  # type: ignore[attr-defined]
                if key not in accepted:
                    wanted[key] = None
        keys = [(stream.removeprefix(PREFIX), number) for stream, number in wanted]
        for key, columns in _PICK_ORDERS.run(batch.conn, keys):
            row = batch.rows[key] = Row(*columns)
            # Digits, where there were more than 64 bits.
            row.hold, row.cum_cost = int(row.hold), int(row.cum_cost)
            row.fees, row.cash_qty = int(row.fees), int(row.cash_qty)

    def _write(self, batch: _Batch) -> None:
        conn = batch.conn
        _INSERT_ORDERS.run(conn, [row.values() for row in batch.new])
        for row in batch.new:
            batch.changed.pop(row.position, None)
        _UPDATE_ORDERS.run(conn, [row.changes() for row in batch.changed.values()])
        _RENAME_ORDERS.run(conn, batch.renamed)
        _INSERT_FORMER.run(conn, batch.former)
        _INSERT_EVENTS.run(conn, batch.events)
        _INSERT_EXECUTIONS.run(conn, batch.executions)
        _INSERT_TRANSFERS.run(conn, batch.transfers)
        new, old = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for pair in batch.balances:
            b = self._balances[pair]
            values = (stored(b.balance), stored(b.held), b.last_position)
            (new.append((*pair, *values)) if b.is_new else old.append((*values, *pair)))
            b.is_new = False
        _INSERT_BALANCES.run(conn, new)
        _UPDATE_BALANCES.run(conn, old)
        new, old = [], []
        for pair in batch.positions:
            p = self._positions[pair]
            money = (stored(p.cost), stored(p.realized), stored(p.fees))
            row_ = (p.lots, *money, p.last_position)
            (new.append((*pair, *row_)) if p.is_new else old.append((*row_, *pair)))
            p.is_new = False
        _INSERT_POSITIONS.run(conn, new)
        _UPDATE_POSITIONS.run(conn, old)

    # --- What is remembered ---------------------------------------------------------------------

    def _account(self, batch: _Batch, stream: StreamId) -> tuple[str, str]:
        """Account and tenant; an account that was never opened belongs to nobody."""
        known = self._accounts.get(stream)
        if known is None:
            account = stream.removeprefix(PREFIX)
            found = [row[0] for _, row in _PICK_TENANTS.run(batch.conn, [(account,)])]
            known = (account, found[0] if found else "")
            if found:
                self._accounts[stream] = known
        return known

    def _instrument(self, batch: _Batch, symbol: str) -> Instrument:
        known = self._instruments.get(symbol)
        if known is None:
            for _, (terms,) in _PICK_INSTRUMENTS.run(batch.conn, [(symbol,)]):
                known = self._instruments[symbol] = _INSTRUMENT.decode(terms)
        if known is None:
            raise Corrupt(f"an order of {symbol}, which no entry before it lists")
        return known

    def _balance(self, batch: _Batch, account: str, asset: str) -> Balance:
        pair = (account, asset)
        known = self._balances.get(pair)
        if known is None:
            known = self._balances[pair] = Balance()
            for _, (balance, held, position) in _PICK_BALANCES.run(batch.conn, [pair]):
                known.balance, known.held, known.last_position = int(balance), int(held), position
                known.is_new = False
        batch.balances.add(pair)
        return known

    def _position(self, batch: _Batch, account: str, symbol: str) -> Position:
        pair = (account, symbol)
        known = self._positions.get(pair)
        if known is None:
            known = self._positions[pair] = Position()
            for _, (lots, cost, realized, fees, position) in _PICK_POSITIONS.run(
                batch.conn, [pair]
            ):
                known.lots, known.last_position, known.is_new = lots, position, False
                known.cost, known.realized, known.fees = int(cost), int(realized), int(fees)
        batch.positions.add(pair)
        return known

    # --- Orders ---------------------------------------------------------------------------------

    def _accepted(self, batch: _Batch, entry: Entry, event: ev.OrderAccepted) -> None:
        order = event.order
        account, tenant = self._account(batch, entry.stream)
        leaves = order.lots - order.cum_lots
        row = Row(
            entry.position, account, order.number, tenant, order.cl_ord_id, order.symbol,
            order.side._value_, order.ord_type._value_, order.time_in_force._value_,
            order.ord_status._value_, order.lots, order.px, order.stop_px, order.trail,
            order.display_lots, order.cash_qty, order.expire_time,
            _EXEC_INST[order.post_only, order.reduce_only], order.group,
            order.contingency._value_ if order.contingency is not None else None,
            1 if order.at_venue else 0, 1, order.hold, order.cum_lots, leaves, order.cum_cost,
            order.fees, order.last_exec, 0, None, None, None, None, entry.at, entry.at,
            entry.position, 1 if order.ref_px else 0,
        )  # fmt: skip
        batch.new.append(row)
        batch.rows[account, order.number] = row
        if order.hold:
            self._hold(batch, row, order.hold, entry.position)

    def _hold(self, batch: _Batch, row: Row, change: int, position: int) -> None:
        instrument = self._instrument(batch, row.symbol)
        asset = instrument.quote if row.side == "buy" or row.on_margin else instrument.base
        balance = self._balance(batch, row.account_id, asset)
        balance.held += change
        balance.last_position = position

    def _change(self, batch: _Batch, entry: Entry, number: int) -> Row | None:
        """The row that `entry` changes, marked as changed by it; None if it was never accepted."""
        account, _ = self._account(batch, entry.stream)
        kind = _kind(entry.event)
        batch.events.append((account, number, entry.position, kind, entry.at))
        row = batch.rows.get((account, number))
        if row is None:
            return None
        row.updated_at, row.last_position = entry.at, entry.position
        batch.changed[row.position] = row
        return row

    def _rehold(self, batch: _Batch, row: Row, hold: int) -> None:
        if hold != row.hold:
            self._hold(batch, row, hold - row.hold, row.last_position)
            row.hold = hold

    def _set_status(self, row: Row, status: OrdStatus) -> None:
        """Nothing opens an order that is done. An account forgets it in the end, and then calls it
        UNKNOWN; its row remembers."""
        if row.ord_status not in t.DONE:
            row.ord_status = status._value_

    def _rejected(self, batch: _Batch, entry: Entry, event: ev.OrderRejected) -> None:
        account, tenant = self._account(batch, entry.stream)
        row = Row(
            entry.position, account, event.number, tenant, event.cl_ord_id, event.symbol,
            event.side._value_, event.ord_type._value_, None, OrdStatus.REJECTED._value_, 0, 0, 0,
            0, 0, 0, 0, None, 0, None, 0, 0, 0, 0, 0, 0, 0, 0, 0, event.reason._value_, event.text,
            event.order_qty, event.price, entry.at, entry.at, entry.position, 0,
        )  # fmt: skip
        batch.new.append(row)
        batch.rows[account, event.number] = row

    def _filled(self, batch: _Batch, entry: Entry, event: ev.OrderFilled) -> None:
        self._booked(batch, entry, event, self._change(batch, entry, event.number))

    def _corrected(self, batch: _Batch, entry: Entry, event: ev.FillCorrected) -> None:
        row = self._change(batch, entry, event.number)
        busted(self, batch, entry, event.bust, row)
        self._booked(batch, entry, event.fill, row)

    def _busted(self, batch: _Batch, entry: Entry, event: ev.FillBusted) -> None:
        row = self._change(batch, entry, event.number)
        busted(self, batch, entry, event, row)

    def _booked(self, batch: _Batch, entry: Entry, event: ev.OrderFilled, row: Row | None) -> None:
        if row is not None:
            self._set_status(row, event.ord_status)
            row.cum_lots, row.leaves_lots = row.cum_lots + event.last_lots, event.leaves_lots
            row.cum_cost += event.gross
            row.fees += event.fee
            row.last_part = row.last_part + 1 if event.exec_number == row.last_exec else 1
            row.last_exec = event.exec_number
            self._rehold(batch, row, event.hold)
        self._traded(batch, entry, event, row)

    def _traded(self, batch: _Batch, entry: Entry, event: ev.OrderFilled, row: Row | None) -> None:
        account, tenant = self._account(batch, entry.stream)
        sign = 1 if event.side._value_ == "buy" else -1
        instrument = self._instrument(batch, event.symbol)
        cash = self._balance(batch, account, instrument.quote)
        cash.last_position = entry.position
        if event.is_contract:
            cash.balance += event.realized - event.fee
        else:
            base = self._balance(batch, account, instrument.base)
            base.balance += sign * event.base_units
            base.last_position = entry.position
            cash.balance -= sign * event.gross + event.fee
        position = self._position(batch, account, event.symbol)
        position.trade(sign * event.last_lots, event.gross)
        position.fees += event.fee
        position.last_position = entry.position
        part = row.last_part if row is not None else 1
        execution = (
            entry.position, account, event.number, event.exec_number, part, tenant, event.symbol,
            event.side._value_, event.last_lots, event.last_px, stored(event.gross),
            stored(event.fee), 1 if event.is_maker else 0, event.over, entry.at,
            stored(event.realized), 1 if event.is_contract else 0,
        )  # fmt: skip
        batch.executions.append(execution)

    def _ended(
        self,
        batch: _Batch,
        entry: Entry,
        event: ev.OrderCanceled | ev.OrderExpired | ev.OrderCompleted | ev.OrderRefused,
    ) -> None:
        row = self._change(batch, entry, event.number)
        if row is None:
            return
        row.leaves_lots = 0
        if isinstance(event, ev.OrderCanceled):
            row.ord_status, row.text = OrdStatus.CANCELED._value_, event.reason
        elif isinstance(event, ev.OrderExpired):
            row.ord_status = OrdStatus.EXPIRED.value
        elif isinstance(event, ev.OrderCompleted):
            row.ord_status, row.lots = OrdStatus.FILLED.value, event.cum_lots
        else:
            row.ord_status, row.text = OrdStatus.REJECTED._value_, event.text
        self._rehold(batch, row, 0)

    def _triggered(self, batch: _Batch, entry: Entry, event: ev.OrderTriggered) -> None:
        row = self._change(batch, entry, event.number)
        if row is not None:
            row.px, row.at_venue = event.px, 1
            row.ord_status = event.order.ord_status.value
            self._rehold(batch, row, event.hold)

    def _trailed(self, batch: _Batch, entry: Entry, event: ev.OrderTrailed) -> None:
        row = self._change(batch, entry, event.number)
        if row is not None:
            row.stop_px = event.stop_px

    def _released(self, batch: _Batch, entry: Entry, event: ev.OrderReleased) -> None:
        row = self._change(batch, entry, event.number)
        if row is not None:
            row.lots, row.leaves_lots = event.order.lots, event.order.lots - row.cum_lots
            row.ord_status = event.order.ord_status.value
            row.at_venue = 1 if event.order.at_venue else 0
            self._rehold(batch, row, event.hold)

    def _pending(
        self, batch: _Batch, entry: Entry, event: ev.CancelRequested | ev.ReplaceRequested
    ) -> None:
        row = self._change(batch, entry, event.number)
        if row is None:
            return
        if isinstance(event, ev.ReplaceRequested):
            row.ord_status = OrdStatus.PENDING_REPLACE.value
            self._rehold(batch, row, event.hold)
        else:
            row.ord_status = OrdStatus.PENDING_CANCEL.value

    def _replaced(self, batch: _Batch, entry: Entry, event: ev.OrderReplaced) -> None:
        row = self._change(batch, entry, event.number)
        if row is None:
            return
        if event.cl_ord_id != row.cl_ord_id:
            batch.former.append((row.account_id, row.cl_ord_id, row.number))
            batch.renamed.append((event.cl_ord_id, row.position))
            row.cl_ord_id = event.cl_ord_id
        row.lots, row.leaves_lots = event.lots, event.lots - row.cum_lots
        row.px, row.stop_px = event.px, event.stop_px
        row.ord_status = event.ord_status._value_
        self._rehold(batch, row, event.hold)

    def _denied(self, batch: _Batch, entry: Entry, event: ev.ChangeDenied) -> None:
        row = self._change(batch, entry, event.number)
        if row is not None:
            self._set_status(row, event.ord_status)
            if event.hold >= 0:
                self._rehold(batch, row, event.hold)

    def _unknown(self, batch: _Batch, entry: Entry, event: ev.OrderUnknown) -> None:
        row = self._change(batch, entry, event.number)
        if row is not None:
            row.ord_status = OrdStatus.UNKNOWN.value

    def _resolved(self, batch: _Batch, entry: Entry, event: ev.OrderResolved) -> None:
        row = self._change(batch, entry, event.number)
        if row is not None:
            row.ord_status = event.ord_status.value

    def _unmatched(self, batch: _Batch, entry: Entry, event: ev.ReportUnmatched) -> None:
        self._change(batch, entry, event.number)

    # --- Accounts, money and terms ----------------------------------------------------------------

    def _opened(self, batch: _Batch, entry: Entry, event: ev.AccountOpened) -> None:
        account = entry.stream.removeprefix(PREFIX)
        self._accounts[entry.stream] = (account, event.tenant)
        batch.conn.execute(
            t.accounts.insert().values(
                account_id=account,
                tenant=event.tenant,
                name=event.name,
                currency=event.currency,
                trading_state=TradingState.ACTIVE._value_,
                limits=None,
                opened_at=entry.at,
                position=entry.position,
                account_type=event.account_type._value_,
            )
        )

    def _moved(
        self, batch: _Batch, entry: Entry, event: ev.CashDeposited | ev.CashWithdrawn
    ) -> None:
        account, _ = self._account(batch, entry.stream)
        units = event.units if isinstance(event, ev.CashDeposited) else -event.units
        balance = self._balance(batch, account, event.asset)
        balance.balance += units
        balance.last_position = entry.position
        batch.transfers.append((account, entry.position, event.asset, stored(units), entry.at))

    def _limited(self, batch: _Batch, entry: Entry, event: ev.LimitsSet) -> None:
        limits = msgspec.json.encode(event.limits).decode() if event.limits is not None else None
        self._set_account(batch, entry, limits=limits)

    def _stated(self, batch: _Batch, entry: Entry, event: ev.TradingStateSet) -> None:
        self._set_account(batch, entry, trading_state=event.state.value)

    def _set_account(self, batch: _Batch, entry: Entry, **values: str | None) -> None:
        account = entry.stream.removeprefix(PREFIX)
        batch.conn.execute(
            t.accounts.update().where(t.accounts.c.account_id == account).values(values)
        )

    def _listed(self, batch: _Batch, entry: Entry, event: InstrumentListed) -> None:
        terms = event.instrument
        self._instruments[terms.symbol] = terms
        self._set_terms(batch, t.instruments.c.symbol, terms.symbol, terms)
        for asset in (event.base, event.quote):
            self._set_terms(batch, t.assets.c.code, asset.code, asset)

    def _set_terms(
        self, batch: _Batch, key: sa.Column[str], value: str, terms: msgspec.Struct
    ) -> None:
        text = msgspec.json.encode(terms).decode()
        batch.conn.execute(key.table.delete().where(key == value))
        batch.conn.execute(key.table.insert().values({key.name: value, "terms": text}))

    _APPLIED: ClassVar[dict[type[Event], Callable[..., None]]] = {
        ev.OrderAccepted: _accepted,
        ev.OrderRejected: _rejected,
        ev.OrderFilled: _filled,
        ev.FillCorrected: _corrected,
        ev.OrderTriggered: _triggered,
        ev.OrderTrailed: _trailed,
        ev.OrderReleased: _released,
        ev.CancelRequested: _pending,
        ev.OrderCanceled: _ended,
        ev.OrderExpired: _ended,
        ev.OrderCompleted: _ended,
        ev.OrderRefused: _ended,
        ev.ReplaceRequested: _pending,
        ev.OrderReplaced: _replaced,
        ev.ChangeDenied: _denied,
        ev.OrderUnknown: _unknown,
        ev.OrderResolved: _resolved,
        ev.ReportUnmatched: _unmatched,
        ev.AccountOpened: _opened,
        ev.CashDeposited: _moved,
        ev.CashWithdrawn: _moved,
        ev.LimitsSet: _limited,
        ev.TradingStateSet: _stated,
        InstrumentListed: _listed,
        **MOVES,
        ev.FillBusted: _busted,
    }


_ABOUT_AN_ORDER: Final = frozenset(
    {
        ev.OrderFilled,
        ev.FillBusted,
        ev.FillCorrected,
        ev.OrderTriggered,
        ev.OrderTrailed,
        ev.OrderReleased,
        ev.CancelRequested,
        ev.OrderCanceled,
        ev.OrderExpired,
        ev.OrderCompleted,
        ev.OrderRefused,
        ev.ReplaceRequested,
        ev.OrderReplaced,
        ev.ChangeDenied,
        ev.OrderUnknown,
        ev.OrderResolved,
        ev.ReportUnmatched,
    }
)
_EXEC_INST: Final = {
    (False, False): None,
    (True, False): "6",
    (False, True): "E",
    (True, True): "6 E",
}
