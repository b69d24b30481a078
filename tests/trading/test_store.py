"""What the tables of the trading room hold after a history, and how they are asked."""

from pathlib import Path

import sqlalchemy as sa

from fondaco.domain.trading.store import TradingView
from fondaco.domain.trading.store import tables as t
from fondaco.runtime.projector import Projector
from ledger.history import BTC, History, store


def test_orders_and_balances_follow_the_journal(tmp_path: Path) -> None:
    history = History().open().deposit(10**13).deposit(10**10, BTC)
    resting, done = history.accept("a"), history.accept("b", lots=40)
    history.fill(done, 10, 30).cancel(resting)
    refused = history.reject("c")
    views = store(tmp_path)
    projector = Projector(history.journal, views, [TradingView()])
    assert projector.catch_up() == history.journal.head()
    with views.reading() as conn:
        orders = conn.execute(
            sa.select(t.orders.c.number, t.orders.c.ord_status, t.orders.c.hold).order_by("number")
        ).all()
        balances = {
            row.asset: (row.balance, row.held) for row in conn.execute(sa.select(t.balances))
        }
    assert orders == [(resting, "canceled", 0), (done, "filled", 0), (refused, "rejected", 0)]
    paid = 40 * 5_000_000 * 10
    assert balances == {"USD": (10**13 - paid - paid // 500, 0), "BTC": (10**10 + 400_000, 0)}
