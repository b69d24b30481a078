"""The books of a house: what each event posts, and that they always balance."""

from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from fondaco.domain.ledger.checks import not_cleared, standing_checks
from fondaco.domain.ledger.model import (
    FEES,
    OUTSIDE,
    ROUNDING,
    LedgerAccount,
    Posting,
    add_up,
    moved,
)
from fondaco.domain.ledger.store import LedgerView, balances, ledger_balances, postings_of
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading.events import Fill, OrderFilled
from fondaco.domain.trading.model import OrdStatus, Side
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.store import TradingView, client_balances
from fondaco.domain.venues.events import OrderExecuted
from fondaco.kernel.errors import Corrupt
from fondaco.kernel.money import AssetCode
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.projector import Projector
from ledger.history import BTC, BTC_USD, DEMO, USD, VENUE, History

COST = 100 * 5_000_000 * 10
FEE = COST // 500


def key(account: str, asset: str) -> tuple[LedgerAccount, AssetCode]:
    return LedgerAccount(account), AssetCode(asset)


def posting(debit: str, credit: str, asset: str, units: int) -> Posting:
    return Posting(LedgerAccount(debit), LedgerAccount(credit), AssetCode(asset), units)


@pytest.fixture
def views(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "views.db", durable=False)


def carried(history: History, views: SqliteStore) -> Projector:
    ledger = LedgerView(Postings().posters(OrderExecuted))
    projector = Projector(history.journal, views, [TradingView(), ledger])
    projector.catch_up()
    return projector


def executed(history: History, number: int, side: Side, *fills: Fill) -> None:
    event = OrderExecuted(DEMO, number, 1, BTC_USD.symbol, side, fills, False, 0)
    history.write(VENUE, event)


def traded() -> History:
    """A buy of 100 lots at 50,000.00, told by the venue and booked by the account."""
    history = History().open().deposit(10**12)
    number = history.accept(lots=100)
    executed(history, number, Side.BUY, Fill(5_000_000, 100))
    return history.fill(number, 100)


def test_a_fill_posts_both_legs_and_the_fee(views: SqliteStore) -> None:
    history = traded()
    carried(history, views)
    with views.reading() as conn:
        assert postings_of(conn, history.journal.head()) == [
            posting("account/demo", "clearing/PAPER", "BTC", 100 * BTC_USD.base_per_lot),
            posting("clearing/PAPER", "account/demo", "USD", COST),
            posting("house/fees", "account/demo", "USD", FEE),
        ]
        kept = ledger_balances(conn)
    assert kept[key("account/demo", "USD")] == 10**12 - COST - FEE
    assert kept[key(OUTSIDE, "USD")] == -(10**12)
    assert kept[key(FEES, "USD")] == FEE
    assert kept[key("market/PAPER", "USD")] == COST
    assert not_cleared(kept) == []


def test_clearing_shows_what_only_one_side_has_applied(views: SqliteStore) -> None:
    history = History().open().deposit(10**12)
    number = history.accept(lots=100)
    executed(history, number, Side.BUY, Fill(5_000_000, 100))
    carried(history, views)
    with views.reading() as conn:
        kept = ledger_balances(conn)
        assert standing_checks(conn) == []
    assert not_cleared(kept) == [
        f"{100 * BTC_USD.base_per_lot} units of BTC stand on clearing/PAPER",
        f"{-COST} units of USD stand on clearing/PAPER",
    ]


def test_a_sale_goes_the_other_way_and_clears_as_well(views: SqliteStore) -> None:
    history = History().open().deposit(10**10, BTC)
    number = history.accept(side=Side.SELL, lots=100)
    executed(history, number, Side.SELL, Fill(5_000_000, 60), Fill(5_000_000, 40))
    history.fill(number, 60, 40)
    carried(history, views)
    with views.reading() as conn:
        kept = ledger_balances(conn)
        assert standing_checks(conn, client_balances(conn)) == []
    assert kept[key("account/demo", "USD")] == COST - FEE
    assert not_cleared(kept) == []


def test_what_rounding_took_is_on_its_own_account() -> None:
    """A coarse ledger: one lot at one tick costs a hundredth of a unit."""
    coarse = msgspec.structs.replace(BTC_USD, cost_num=1, cost_den=100)
    history = History()
    listed = history.write(HOUSE_STREAM, InstrumentListed(coarse, BTC, USD, "test"))
    poster = Postings(listed).posters()[OrderFilled]
    number = history.accept(lots=3, px=12_345)
    filled = OrderFilled(
        number, coarse.symbol, Side.BUY, 1, 3, 12_345, False, 371, 3, 0, 1, 0, 3, 0,
        OrdStatus.FILLED,
    )  # fmt: skip
    (entry,) = history.write(DEMO, filled)
    kept = add_up(poster(entry))
    assert kept[key("clearing/PAPER", "USD")] == 370  # of 370.35
    assert kept[key(ROUNDING, "USD")] == 1
    assert kept[key("account/demo", "USD")] == -371


def test_a_fill_that_costs_nothing_posts_no_cash() -> None:
    """One lot at one tick costs a hundredth of a unit, of which the client pays one whole."""
    coarse = msgspec.structs.replace(BTC_USD, cost_num=1, cost_den=100)
    history = History()
    listed = history.write(HOUSE_STREAM, InstrumentListed(coarse, BTC, USD, "test"))
    posters = Postings(listed).posters(OrderExecuted)
    filled = OrderFilled(
        1, coarse.symbol, Side.BUY, 1, 1, 1, False, 1, 1, 0, 1, 0, 1, 0, OrdStatus.FILLED
    )
    (entry,) = history.write(DEMO, filled)
    assert list(posters[OrderFilled](entry)) == [
        posting("account/demo", "clearing/PAPER", "BTC", 1),
        posting(ROUNDING, "account/demo", "USD", 1),
    ]
    executed_ = OrderExecuted(DEMO, 1, 1, coarse.symbol, Side.BUY, (Fill(1, 1),), False, 0)
    (entry,) = history.write(VENUE, executed_)
    assert [p.asset for p in posters[OrderExecuted](entry)] == ["BTC"]


def test_a_rebate_goes_the_other_way() -> None:
    client, usd = key("account/demo", "USD")
    assert moved(FEES, client, usd, -5) == Posting(client, FEES, usd, 5)


def test_a_withdrawal_undoes_a_deposit(views: SqliteStore) -> None:
    carried(History().open().deposit(500).withdraw(500), views)
    with views.reading() as conn:
        assert set(ledger_balances(conn).values()) == {0}


def test_standing_checks_say_what_is_wrong(views: SqliteStore) -> None:
    history = traded()
    carried(history, views)
    with views.reading() as conn:
        assert standing_checks(conn, client_balances(conn)) == []
    key = (balances.c.account == "account/demo") & (balances.c.asset == "USD")
    with views.writing() as conn:
        conn.execute(balances.update().where(key).values(units=1))
    with views.reading() as conn:
        said = standing_checks(conn, client_balances(conn))
    assert len(said) == 3
    assert said[0].startswith("debits and credits of USD differ by")
    assert all("account/demo USD" in sentence for sentence in said[1:])


def test_a_trade_of_what_was_never_listed_stops_the_books() -> None:
    history = traded()
    entry = history.journal.follow(history.journal.head() - 1, 1)[0]
    with pytest.raises(Corrupt, match="no entry lists it"):
        Postings().posters()[type(entry.event)](entry)


def test_the_ledger_goes_on_after_a_restart(views: SqliteStore) -> None:
    history = traded()
    carried(history, views)
    number = history.accept(lots=10)
    history.fill(number, 10)
    known = history.journal.read(HOUSE_STREAM)
    ledger = LedgerView(Postings(known).posters(OrderExecuted))
    Projector(history.journal, views, [TradingView(), ledger]).catch_up()
    with views.reading() as conn:
        assert standing_checks(conn, client_balances(conn)) == []
        count = conn.execute(sa.select(sa.func.count()).select_from(balances)).scalar_one()
    assert count == 8  # client, clearing and market have two assets each; outside and fees one
