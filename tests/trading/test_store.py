"""What the tables of the trading room hold after a history, and how they are asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from fondaco.domain.reference.events import SessionChanged
from fondaco.domain.reference.model import HOUSE_STREAM, Limits, Session, TradingState
from fondaco.domain.trading import events as ev
from fondaco.domain.trading import store as looks
from fondaco.domain.trading.model import OrdStatus, OrdType, Side
from fondaco.domain.trading.replies import WaitingStop
from fondaco.domain.trading.store import OrderFilter, TradingView
from fondaco.domain.trading.store import tables as t
from fondaco.domain.trading.store.days import DaysView
from fondaco.domain.trading.store.statements import (
    _day_at,
    daily,
    daily_csv,
    days_amiss,
    transfers,
)
from fondaco.domain.trading.why import why
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.projector import Projector
from ledger.history import BTC, BTC_USD, DEMO, OTHER, USD, History


class Asked:
    """A history, carried into views, and a connection to ask them."""

    def __init__(self, folder: Path) -> None:
        self.history = History().open().open(OTHER, "others")
        self.history.deposit(10**14).deposit(10**10, BTC)
        self.views = SqliteStore(folder / "views.db", durable=False)
        self.projector = Projector(self.history.journal, self.views, [TradingView(), DaysView()])

    def reading(self) -> sa.Connection:
        self.projector.catch_up()
        self._block = self.views.reading()
        return self._block.__enter__()

    def done(self) -> None:
        self._block.__exit__(None, None, None)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    made = Asked(tmp_path)
    yield made
    made.views.close()


def test_orders_and_balances_follow_the_journal(asked: Asked) -> None:
    history = asked.history
    resting, done = history.accept("a"), history.accept("b", lots=40)
    history.fill(done, 10, 30)
    history.cancel(resting)
    refused = history.reject("c")
    conn = asked.reading()
    orders = conn.execute(
        sa.select(t.orders.c.number, t.orders.c.ord_status, t.orders.c.hold).order_by("number")
    ).all()
    balances = {r.asset: (r.balance, r.held) for r in conn.execute(sa.select(t.balances))}
    asked.done()
    assert orders == [(resting, "canceled", 0), (done, "filled", 0), (refused, "rejected", 0)]
    paid = 40 * 5_000_000 * 10
    assert balances == {"USD": (10**14 - paid - paid // 500, 0), "BTC": (10**10 + 400_000, 0)}


def test_an_order_is_shown_with_its_history_and_executions(asked: Asked) -> None:
    number = asked.history.accept("mine", lots=100, px=5_000_000)
    asked.history.fill(number, 10, 30, px=4_999_000).fill(number, 20)
    conn = asked.reading()
    found = looks.order(conn, "demo", f"demo.{number}")
    assert found == looks.order(conn, "demo", account_id="demo", cl_ord_id="mine")
    asked.done()
    line = found.order
    assert (line.order_id, line.ord_status, line.price) == ("demo.1", "partially_filled", "50000")
    assert (line.order_qty, line.cum_qty, line.leaves_qty) == ("0.001", "0.0006", "0.0004")
    assert line.avg_px == "49993.33333333"
    assert (line.hold, line.hold_asset) == ("20", "USD")
    assert [step.kind for step in found.history] == [
        "trading.order_accepted.v1",
        "venues.order_booked.v1",
        *["trading.order_filled.v1"] * 3,
    ]
    assert [(x.exec_id, x.last_qty, x.last_px) for x in found.executions] == [
        ("demo.1.1", "0.0001", "49990"),
        ("demo.1.1.2", "0.0003", "49990"),
        ("demo.1.2", "0.0002", "50000"),
    ]


def test_a_refused_order_is_a_row_with_its_reason(asked: Asked) -> None:
    number = asked.history.reject("no")
    conn = asked.reading()
    line = looks.order(conn, "demo", f"demo.{number}").order
    asked.done()
    assert (line.ord_status, line.reason, line.order_qty) == (
        "rejected",
        "exceeds_buying_power",
        "1e9",
    )


def test_an_order_is_found_by_every_cl_ord_id_that_it_ever_had(asked: Asked) -> None:
    number = asked.history.accept("first")
    asked.history.replace(number, "second", 50, 4_000_000)
    conn = asked.reading()
    for name in ("first", "second"):
        (line,) = looks.orders(conn, "demo", OrderFilter(account_id="demo", cl_ord_id=name)).items
        assert (line.cl_ord_id, line.order_qty, line.price) == ("second", "0.0005", "40000")
    asked.done()


def test_an_order_that_its_account_has_forgotten_stays_done(asked: Asked) -> None:
    """What comes too late of it is told with UNKNOWN, and counted from nothing."""
    number = asked.history.accept("a", lots=40)
    asked.history.fill(number, 30).cancel(number)
    late = ev.OrderFilled(
        number, BTC_USD.symbol, Side.BUY, 2, 5, 5_000_000, False, 25, 50, 0, 0, 0, 5, 0,
        OrdStatus.UNKNOWN, 5,
    )  # fmt: skip
    asked.history.write(DEMO, late)
    asked.history.write(DEMO, ev.ChangeDenied(number, OrdStatus.UNKNOWN, "too_late"))
    conn = asked.reading()
    o = t.orders.c
    found = conn.execute(sa.select(o.ord_status, o.is_open, o.cum_lots)).one()
    asked.done()
    assert tuple(found) == ("canceled", 0, 35)


def test_an_order_by_cash_was_for_what_it_has_executed_once_its_cash_is_spent(
    asked: Asked,
) -> None:
    number = asked.history.accept("cash", lots=100)
    asked.history.fill(number, 30)
    asked.history.write(DEMO, ev.OrderCompleted(number, BTC_USD.symbol, 30))
    conn = asked.reading()
    found = looks.order(conn, "demo", f"demo.{number}").order
    held = conn.execute(sa.select(t.balances.c.held)).scalars().all()
    told = why(conn, asked.history.journal, f"demo.{number}", tenant="demo", account_id="")
    asked.done()
    shown = (found.ord_status, found.order_qty, found.cum_qty, found.leaves_qty, found.hold)
    assert shown == ("filled", "0.0003", "0.0003", "0", "0")
    assert not any(held)
    assert told.steps[-1].said == "filled: its cash is spent on 0.0003"


FILTERS = {
    "all": (OrderFilter(), "654321"),
    "account": (OrderFilter(account_id="demo"), "65421"),
    "open": (OrderFilter(account_id="demo", ord_status=("new",)), "54"),
    "two states": (OrderFilter(ord_status=("new", "filled")), "5431"),
    "symbol": (OrderFilter(symbol="ETH-USD"), "52"),
    "symbol and status": (OrderFilter(symbol="BTC-USD", ord_status=("new",)), "43"),
    "side": (OrderFilter(account_id="demo", side="sell"), "4"),
    "cl_ord_id": (OrderFilter(account_id="demo", cl_ord_id="c2"), "2"),
    "cl_ord_id anywhere": (OrderFilter(cl_ord_id="c1"), "31"),
    "nothing": (OrderFilter(account_id="nobody"), ""),
}


@pytest.mark.parametrize("name", FILTERS)
def test_orders_are_filtered_and_come_newest_first(asked: Asked, name: str) -> None:
    history = asked.history
    history.accept()
    history.accept(symbol="ETH-USD", lots=10)
    history.accept(stream=OTHER)
    history.accept(side=Side.SELL)
    history.accept(symbol="ETH-USD", lots=10)
    history.reject("c6")
    history.fill(1, 100).cancel(2)
    conn = asked.reading()
    made = conn.execute(sa.select(t.orders.c.account_id, t.orders.c.number).order_by("position"))
    ids = {f"{account}.{number}": str(n) for n, (account, number) in enumerate(made, 1)}
    query, expected = FILTERS[name]
    page = looks.orders(conn, None, query)
    asked.done()
    assert "".join(ids[line.order_id] for line in page.items) == expected
    assert page.next is None


@pytest.mark.parametrize("account_id", ["demo", None])
def test_pages_neither_repeat_nor_skip_while_orders_come_in(
    asked: Asked, account_id: str | None
) -> None:
    for _ in range(7):
        asked.history.accept()
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        conn = asked.reading()
        page = looks.orders(
            conn, "demo", OrderFilter(account_id=account_id), cursor=cursor, limit=3
        )
        asked.done()
        seen += [line.order_id for line in page.items]
        asked.history.accept()
        cursor = page.next
    assert seen == [f"demo.{n}" for n in range(7, 0, -1)]


def test_executions_are_the_trade_history_in_pages(asked: Asked) -> None:
    number = asked.history.accept(lots=100)
    for _ in range(5):
        asked.history.fill(number, 10)
    asked.history.fill(asked.history.accept(symbol="ETH-USD", lots=10), 10)
    conn = asked.reading()
    first = looks.executions(conn, "demo", account_id="demo", symbol="BTC-USD", limit=3)
    rest = looks.executions(
        conn, "demo", account_id="demo", symbol="BTC-USD", limit=3, cursor=first.next or ""
    )
    every = looks.executions(conn, "demo")
    asked.done()
    assert [x.exec_id for x in first.items + rest.items] == [f"demo.1.{n}" for n in (5, 4, 3, 2, 1)]
    assert rest.next is None
    assert [x.symbol for x in every.items] == ["ETH-USD", *["BTC-USD"] * 5]


@pytest.mark.parametrize("cursor", ["x", "1", "1-x", "-1-1", "1-2-3", "9" * 30 + "-1"])
def test_a_cursor_that_we_did_not_give_is_invalid(asked: Asked, cursor: str) -> None:
    conn = asked.reading()
    with pytest.raises(Invalid, match="cursor"):
        looks.orders(conn, "demo", OrderFilter(), cursor=cursor)
    asked.done()


def test_another_tenant_sees_nothing(asked: Asked) -> None:
    number = asked.history.accept("mine")
    asked.history.fill(number, 10)
    conn = asked.reading()
    assert looks.orders(conn, "others", OrderFilter()).items == []
    assert looks.orders(conn, "others", OrderFilter(account_id="demo")).items == []
    assert looks.executions(conn, "others", account_id="demo").items == []
    assert [line.account_id for line in looks.accounts(conn, "others").items] == ["other"]
    for ask in (
        lambda: looks.order(conn, "others", f"demo.{number}"),
        lambda: looks.order(conn, "others", account_id="demo", cl_ord_id="mine"),
        lambda: looks.account(conn, "others", "demo"),
        lambda: looks.positions(conn, "others", "demo"),
        lambda: looks.statement_csv(conn, "others", "demo", 0, 2**62),
    ):
        with pytest.raises(NotFound):
            ask()
    asked.done()


@pytest.mark.parametrize("order_id", ["", "x", "demo.", ".1", "demo.x", "demo.99", "demo.-1"])
def test_an_order_that_is_not_there_is_not_found(asked: Asked, order_id: str) -> None:
    conn = asked.reading()
    with pytest.raises(NotFound):
        looks.order(conn, "demo", order_id)
    asked.done()


def test_an_account_shows_balances_state_and_limits(asked: Asked) -> None:
    asked.history.accept(lots=100, px=5_000_000)
    asked.history.write(DEMO, ev.TradingStateSet(TradingState.REDUCING, "late"))
    asked.history.write(DEMO, ev.LimitsSet(Limits(collar_bps=50), "new client"))
    conn = asked.reading()
    found = looks.account(conn, "demo", "demo")
    asked.done()
    shown = [msgspec.structs.astuple(line) for line in found.balances]
    assert shown == [("BTC", "10", "0", "10"), ("USD", "1000000", "50", "999950")]
    assert (found.account.trading_state, found.open_orders) == ("reducing", 1)
    assert found.account.limits == {"collar_bps": 50}
    assert found.position == asked.history.journal.head()


def test_a_position_is_closed_at_average_cost(asked: Asked) -> None:
    history = asked.history
    history.fill(history.accept(lots=100, px=1_000_000), 100)
    history.fill(history.accept(lots=100, px=2_000_000), 100)
    history.fill(history.accept(side=Side.SELL, lots=50, px=4_000_000), 50)
    conn = asked.reading()
    (line,) = looks.positions(conn, "demo", "demo")
    asked.done()
    assert (line.traded_qty, line.qty, line.avg_px) == ("0.0015", "10.0015", "15000")
    assert (line.cost, line.realized) == ("22.5", "12.5")
    assert line.fees == "0.1"


def test_a_position_may_turn_since_deposits_are_sold_too(asked: Asked) -> None:
    history = asked.history
    history.fill(history.accept(lots=10, px=1_000_000), 10)
    history.fill(history.accept(side=Side.SELL, lots=30, px=2_000_000), 30)
    history.fill(history.accept(lots=20, px=3_000_000), 20)
    conn = asked.reading()
    (line,) = looks.positions(conn, "demo", "demo")
    asked.done()
    assert (line.traded_qty, line.cost, line.avg_px) == ("0", "0", None)
    assert line.realized == "-1"  # bought 10 at 10,000, sold 30 at 20,000, bought 20 at 30,000


def test_sums_beyond_64_bits_are_kept_exactly(asked: Asked) -> None:
    """A single amount fits into 64 bits, or the journal would not take it; what they add up to
    need not."""
    most = 2**63 - 1
    for _ in range(3):
        asked.history.deposit(most)
    number = asked.history.accept(lots=10**9, px=9 * 10**8)
    for _ in range(2):  # twice what was ordered
        asked.history.fill(number, 10**9)
    conn = asked.reading()
    balance = conn.execute(sa.select(t.balances).where(t.balances.c.asset == "USD")).one()
    row = conn.execute(sa.select(t.orders)).one()
    line = looks.account(conn, "demo", "demo").balances[1]
    asked.done()
    cost = 2 * 10**9 * 9 * 10**8 * 10
    assert cost > most
    assert row.cum_cost == cost
    assert balance.balance == 10**14 + 3 * most - cost - cost // 500
    assert line.balance == f"{balance.balance // 10**8}.{balance.balance % 10**8:08}".rstrip("0")


def test_a_new_process_learns_which_stops_wait_and_when_orders_expire(asked: Asked) -> None:
    history = asked.history
    stop = history.accept(ord_type=OrdType.STOP, stop_px=5_100_000, at_venue=False)
    ended = history.accept(ord_type=OrdType.STOP, stop_px=5_200_000, at_venue=False)
    history.cancel(ended)
    late, soon = history.accept(expire_time=2_000), history.accept(expire_time=1_000)
    conn = asked.reading()
    waiting, due = looks.pending_triggers(conn), looks.deadlines(conn)
    tenants = looks.open_accounts(conn)
    asked.done()
    assert waiting == [WaitingStop("demo", stop, "BTC-USD", "buy", 5_100_000, 0, False)]
    assert [(line.number, line.expire_time) for line in due] == [(soon, 1_000), (late, 2_000)]
    assert tenants == {"demo": "demo", "other": "others"}


def test_a_statement_opens_runs_and_closes(asked: Asked) -> None:
    history = asked.history
    since = history.at + 1
    number = history.accept(lots=3, px=4_999_999)
    history.fill(number, 1, 2)
    history.withdraw(12_345_678, USD)
    until = history.at + 1
    history.deposit(1)
    conn = asked.reading()
    lines = list(looks.statement(conn, "demo", "demo", since, until))
    text = looks.statement_csv(conn, "demo", "demo", since, until)
    asked.done()
    assert [(line.kind, line.asset, line.amount_exact) for line in lines] == [
        ("opening", "BTC", "0"),
        ("opening", "USD", "0"),
        ("buy", "BTC", "0.00001"),
        ("buy", "USD", "-0.4999999"),
        ("fee", "USD", "-0.001"),
        ("buy", "BTC", "0.00002"),
        ("buy", "USD", "-0.9999998"),
        ("fee", "USD", "-0.002"),
        ("withdrawal", "USD", "-0.12345678"),
        ("closing", "BTC", "0"),
        ("closing", "USD", "0"),
    ]
    assert lines[3].reference == "demo.1.1"
    assert (lines[3].amount, lines[3].balance) == ("-0.50", "999999.50")
    assert (lines[-1].balance, lines[-1].balance_exact) == ("999998.37", "999998.37354352")
    assert text.splitlines()[0].startswith("time,kind,reference,asset,amount,balance,")
    assert len(text.splitlines()) == 12


DAY = 86_400 * 10**9


def test_a_day_opens_where_the_one_before_has_closed(asked: Asked) -> None:
    """Three session days; on the second nothing moves, and the third begins at another minute."""
    history = asked.history
    first = history.at // DAY
    number = history.accept(lots=30)
    history.fill(number, 30)
    history.at += 2 * DAY
    history.write(HOUSE_STREAM, SessionChanged(Session("UTC", 60), "test"))
    number = history.accept(lots=10, px=5_100_000, side=Side.SELL)
    history.fill(number, 10)
    history.write(DEMO, ev.TransferSent(1, OTHER, "demo", USD.code, 7, 7))
    conn = asked.reading()
    told = [daily(conn, "demo", "demo", first + nth, first + 2) for nth in range(3)]
    shown = {nth: {line.asset: line for line in told[nth].balances} for nth in range(3)}
    cash = transfers(conn, "demo", "demo", 2)
    text = daily_csv(told[2]).splitlines()
    with pytest.raises(NotFound, match="not begun"):
        daily(conn, "demo", "demo", first + 3, first + 2)
    with pytest.raises(NotFound):
        daily(conn, "others", "demo", first, first + 2)
    amiss = days_amiss(conn)
    asked.done()
    assert amiss == []
    assert shown[0]["USD"].opening == "0"
    assert shown[0]["BTC"].closing == shown[1]["BTC"].closing == "10.0003"
    assert (told[1].movements, told[1].final, told[2].final) == ([], True, False)
    usd = shown[2]["USD"]
    assert shown[0]["USD"].closing == usd.opening
    assert (usd.fees, usd.realized) == ("0.0102", "0.1")  # 10 lots, a thousand dollars higher
    assert shown[0]["USD"].realized == "0"
    assert usd.change == "5.08979993"
    assert [line.kind for line in told[2].movements] == ["sell", "sell", "fee", "transfer_out"]
    assert told[2].movements[-1].balance_exact == usd.closing
    assert [line.kind for line in cash] == ["transfer_out", "deposit"]
    assert (cash[0].balance_exact, cash[1].balance_exact) == (usd.closing, "10")
    assert len(text) == 1 + 2 + 4 + 2
    assert text[-1].endswith(usd.closing)


def test_statements_look_at_no_more_than_their_days(asked: Asked) -> None:
    """However long the history is before them: the rows they fetch are those of the day."""
    history = asked.history
    for _ in range(30):
        history.fill(history.accept(lots=1), 1)
    history.at += DAY
    history.deposit(5)
    conn = asked.reading()
    since = history.at
    lines = list(looks.statement(conn, "demo", "demo", since, since + 10))
    x = t.executions.c
    day, first = _day_at(conn, since)
    fetched = conn.execute(
        sa.select(sa.func.count()).where(x.account_id == "demo", x.position >= first)
    ).scalar_one()
    asked.done()
    assert fetched == 0
    assert day == since // DAY
    assert [line.kind for line in lines].count("buy") == 0
    assert [line.kind for line in lines].count("deposit") == 1


# Row C56: "orderId unique; (userId, createdAt -1); (symbol, status); createdAt -1; positions
# (userId, symbol) unique". An order id is account and number, whose index is unique and descends.
PLANS = {
    "order id": (
        lambda c: looks.order(c, "demo", "demo.1"),
        "trading_orders_v2 USING INDEX trading_orders_v2_id (account_id=? AND number=?)",
    ),
    "account, newest first": (
        lambda c: looks.orders(c, "demo", OrderFilter(account_id="demo"), cursor="9-9"),
        "trading_orders_v2 USING INDEX trading_orders_v2_id (account_id=? AND number<?)",
    ),
    "account, open": (
        lambda c: looks.orders(c, "demo", OrderFilter(account_id="demo", ord_status=("new",))),
        "trading_orders_v2 USING INDEX trading_orders_v2_open (account_id=?)",
    ),
    "account and cl_ord_id": (
        lambda c: looks.orders(c, "demo", OrderFilter(account_id="demo", cl_ord_id="x")),
        "trading_orders_v2_cl_ord_id (account_id=? AND cl_ord_id=?)",
    ),
    "symbol and status": (
        lambda c: looks.orders(c, "demo", OrderFilter(symbol="BTC-USD", ord_status=("new",))),
        "trading_orders_v2 USING INDEX trading_orders_v2_symbol (symbol=? AND ord_status=?)",
    ),
    "symbol, newest first": (
        lambda c: looks.orders(c, "demo", OrderFilter(symbol="BTC-USD")),
        "trading_orders_v2 USING INDEX trading_orders_v2_tenant (tenant=?)",
    ),
    "newest first": (
        lambda c: looks.orders(c, "demo", OrderFilter(), cursor="9-9"),
        "trading_orders_v2 USING INDEX trading_orders_v2_tenant (tenant=? AND position<?)",
    ),
    "executions of an account": (
        lambda c: looks.executions(c, "demo", account_id="demo", symbol="BTC-USD"),
        "trading_executions_v2 USING INDEX trading_executions_v2_account (account_id=?)",
    ),
    "executions of a symbol": (
        lambda c: looks.executions(c, "demo", symbol="BTC-USD"),
        "trading_executions_v2 USING INDEX trading_executions_v2_symbol (symbol=?)",
    ),
    "executions": (
        lambda c: looks.executions(c, "demo"),
        "trading_executions_v2 USING INDEX trading_executions_v2_tenant (tenant=?)",
    ),
    "positions": (
        lambda c: looks.positions(c, "demo", "demo"),
        "trading_positions_v2 USING PRIMARY KEY (account_id=?)",
    ),
    "waiting stops": (looks.pending_triggers, "trading_orders_v2_waiting"),
    "deadlines": (looks.deadlines, "trading_orders_v2_expire_time"),
}


@pytest.mark.parametrize("name", PLANS)
def test_every_list_uses_its_index_and_sorts_nothing(asked: Asked, name: str) -> None:
    asked.history.fill(asked.history.accept(), 10)
    conn = asked.reading()
    said: list[tuple[str, Any]] = []

    def note(_conn: object, _cursor: object, sql: str, parameters: Any, *_: object) -> None:
        said.append((sql, parameters))

    sa.event.listen(conn, "before_cursor_execute", note)
    query, index = PLANS[name]
    query(conn)  # type: ignore[no-untyped-call]
    sa.event.remove(conn, "before_cursor_execute", note)
    plans = [
        row[3]
        for sql, parameters in said
        for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
        if "instruments" not in sql and "assets" not in sql
    ]
    asked.done()
    assert any(index in plan for plan in plans), plans
    assert not any("TEMP B-TREE" in plan for plan in plans), plans


def test_the_columns_and_the_row_agree(asked: Asked) -> None:
    from fondaco.domain.trading.store.rows import Row

    assert tuple(t.orders.columns.keys()) == Row.__struct_fields__
    unique = {str(index.name): index.unique for index in t.orders.indexes}
    assert unique["trading_orders_v2_id"] is True
    assert [c.name for c in t.positions.primary_key] == ["account_id", "symbol"]
