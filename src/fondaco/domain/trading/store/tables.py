"""Tables of the trading room. Their shape is never migrated: change it, raise the number of the
tables and of the view, and it fills beside the old one.

Prices are ticks and quantities lots, as everywhere; `instruments` and `assets` hold what it takes
to print them. Amounts of money are ledger units.
"""

from typing import Any, Final

import sqlalchemy as sa

from fondaco.ports.bulk import UNITS

VIEW: Final = "trading_v2"
DONE: Final = frozenset({"filled", "canceled", "expired", "rejected"})  # of OrdStatus

metadata: Final = sa.MetaData()


# What a row of `orders` holds besides its position; the same names, in this order, in `rows.Row`.
orders: Final = sa.Table(
    "trading_orders_v2",
    metadata,
    # SQLite keeps rows in the order of an integer primary key: newest first costs no other index.
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),  # order_id is account_id.number
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("cl_ord_id", sa.Text, nullable=False),  # the last that it was given
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("ord_type", sa.Text, nullable=False),
    sa.Column("time_in_force", sa.Text),  # absent from a refused order, as what follows may be
    sa.Column("ord_status", sa.Text, nullable=False),
    sa.Column("lots", sa.BigInteger, nullable=False),
    sa.Column("px", sa.BigInteger, nullable=False),
    sa.Column("stop_px", sa.BigInteger, nullable=False),
    sa.Column("trail", sa.BigInteger, nullable=False),
    sa.Column("display_lots", sa.BigInteger, nullable=False),
    sa.Column("cash_qty", UNITS, nullable=False),
    sa.Column("expire_time", sa.BigInteger, nullable=False),
    sa.Column("exec_inst", sa.Text),  # FIX ExecInst (18): "6" post-only, "E" reduce-only, "6 E"
    sa.Column("group_number", sa.BigInteger, nullable=False),
    sa.Column("contingency", sa.Text),
    sa.Column("at_venue", sa.SmallInteger, nullable=False),
    sa.Column("is_open", sa.SmallInteger, nullable=False),  # its status is not one of DONE
    sa.Column("hold", UNITS, nullable=False),
    sa.Column("cum_lots", sa.BigInteger, nullable=False),
    sa.Column("leaves_lots", sa.BigInteger, nullable=False),
    sa.Column("cum_cost", UNITS, nullable=False),
    sa.Column("fees", UNITS, nullable=False),
    sa.Column("last_exec", sa.BigInteger, nullable=False),
    sa.Column("last_part", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),  # of a refusal: `Reason`
    sa.Column("text", sa.Text),
    sa.Column("asked_qty", sa.Text),  # a refused order as it was asked for: perhaps no number
    sa.Column("asked_px", sa.Text),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("last_position", sa.BigInteger, nullable=False),  # of the entry that changed it last
    sa.Column("on_margin", sa.SmallInteger, nullable=False),  # then the quote asset holds for it
    # An order id is an account and a number, and numbers grow: this is "orderId unique" and
    # "(userId, createdAt -1)" in one.
    sa.Index("trading_orders_v2_id", "account_id", "number", unique=True),
    sa.Index("trading_orders_v2_cl_ord_id", "account_id", "cl_ord_id"),
    sa.Index("trading_orders_v2_symbol", "symbol", "ord_status"),
    sa.Index("trading_orders_v2_tenant", "tenant", "position"),
)
# Written out, so that a query that says the same can use a partial index.
IS_OPEN: Final = orders.c.is_open == sa.literal_column("1")
EXPIRES: Final = sa.and_(IS_OPEN, orders.c.expire_time > sa.literal_column("0"))
WAITS: Final = sa.and_(IS_OPEN, orders.c.at_venue == sa.literal_column("0"))


def _where(condition: sa.ColumnElement[bool]) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


sa.Index("trading_orders_v2_open", orders.c.account_id, orders.c.position, **_where(IS_OPEN))
sa.Index("trading_orders_v2_expire_time", orders.c.expire_time, **_where(EXPIRES))
sa.Index("trading_orders_v2_waiting", orders.c.position, **_where(WAITS))

# What an order was called before a replace.
cl_ord_ids: Final = sa.Table(
    "trading_cl_ord_ids_v2",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("cl_ord_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Every entry about an order but its first, whose position is the row's own; those of its venue too.
order_events: Final = sa.Table(
    "trading_order_events_v2",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

executions: Final = sa.Table(
    "trading_executions_v2",
    metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("exec_number", sa.BigInteger, nullable=False),
    sa.Column("part", sa.Integer, nullable=False),  # 1, 2 … within one report of the venue
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("last_lots", sa.BigInteger, nullable=False),
    sa.Column("last_px", sa.BigInteger, nullable=False),
    sa.Column("gross", UNITS, nullable=False),
    sa.Column("fee", UNITS, nullable=False),
    sa.Column("is_maker", sa.SmallInteger, nullable=False),
    sa.Column("over_lots", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    # Of a contract nothing moves but this, which reducing has gained or lost, and the fee.
    sa.Column("realized", UNITS, nullable=False),
    sa.Column("is_contract", sa.SmallInteger, nullable=False),
    sa.Index("trading_executions_v2_account", "account_id", "position"),
    sa.Index("trading_executions_v2_symbol", "symbol", "position"),
    sa.Index("trading_executions_v2_tenant", "tenant", "position"),
)

balances: Final = sa.Table(
    "trading_balances_v2",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("asset", sa.Text, primary_key=True),
    sa.Column("balance", UNITS, nullable=False),
    sa.Column("held", UNITS, nullable=False),  # set aside for open orders
    sa.Column("last_position", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What was traded of an instrument. A deposit of its base asset is a balance, not a position; of a
# contract there is nothing else.
positions: Final = sa.Table(
    "trading_positions_v2",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("symbol", sa.Text, primary_key=True),
    sa.Column("lots", sa.BigInteger, nullable=False),  # bought less sold
    sa.Column("cost", UNITS, nullable=False),  # of `lots`, at average cost
    sa.Column("realized", UNITS, nullable=False),  # proceeds less average cost, before fees
    sa.Column("fees", UNITS, nullable=False),
    sa.Column("last_position", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Deposits and withdrawals. With the executions, and what `days` calls movements, they are all that
# moves a balance.
transfers: Final = sa.Table(
    "trading_transfers_v2",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("units", UNITS, nullable=False),  # negative: withdrawn
    sa.Column("at", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

accounts: Final = sa.Table(
    "trading_accounts_v2",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("trading_state", sa.Text, nullable=False),
    sa.Column("limits", sa.Text),  # JSON; absent: those of the house
    sa.Column("opened_at", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("account_type", sa.Text, nullable=False),
    sa.Index("trading_accounts_v2_tenant", "tenant", "account_id"),
)

instruments: Final = sa.Table(
    "trading_instruments_v2",
    metadata,
    sa.Column("symbol", sa.Text, primary_key=True),
    sa.Column("terms", sa.Text, nullable=False),  # `Instrument` as JSON
)

assets: Final = sa.Table(
    "trading_assets_v2",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("terms", sa.Text, nullable=False),  # `Asset` as JSON
)
