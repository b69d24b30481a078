"""`why` tells an order's life in words, each step walked back to the click."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import ClOrdId, Headroom, Reason, Side
from fondaco.domain.trading.store import TradingView
from fondaco.domain.trading.why import Cause, Why, text_of, why
from fondaco.domain.venues.events import OrderExecuted
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import Instant, StreamId, message_id
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.projector import Projector
from ledger.history import BTC_USD, DEMO, VENUE, History

Ask = Callable[..., Why]


@pytest.fixture
def history() -> History:
    """demo.1 is accepted, booked, then executed by the venue when a watcher saw the market."""
    made = History().open().open(StreamId("account/other"), "others").deposit(10**12)
    number = made.accept("mine")
    fill = ev.Fill(5_000_000, 40)
    executed = OrderExecuted(DEMO, number, 1, BTC_USD.symbol, Side.BUY, (fill,), True, 60)
    (entry,) = made.write(VENUE, executed, cause="match/BTC-USD/9")
    order = made.orders[DEMO, number]
    filled = ev.OrderFilled(
        number, order.symbol, order.side, 1, 40, 5_000_000, True, 2 * 10**9, 4 * 10**5, 2 * 10**6,
        0, 3 * 10**9, 40, 60, order.ord_status,
    )  # fmt: skip
    made.write(DEMO, filled, cause=message_id(entry.stream, entry.version))
    return made


@pytest.fixture
def ask(history: History, tmp_path: Path) -> Ask:
    def asked(about: str, **more: Any) -> Why:
        views = SqliteStore(tmp_path / "views.db", durable=False)
        Projector(history.journal, views, [TradingView()]).catch_up()
        with views.reading() as conn:
            return why(conn, history.journal, about, **more)

    return asked


@pytest.mark.parametrize("about", ["demo.1", "mine", "6", "7", "8", "9"])
def test_the_same_life_whichever_way_it_is_asked_for(ask: Ask, about: str) -> None:
    found = ask(about)
    assert found == ask("demo.1", tenant="demo")
    assert [step.kind for step in found.steps] == [
        "trading.order_accepted.v1",
        "venues.order_booked.v1",
        "venues.order_executed.v1",
        "trading.order_filled.v1",
    ]
    assert [step.stream for step in found.steps] == [DEMO, VENUE, VENUE, DEMO]


def test_causes_go_back_to_where_it_began(ask: Ask) -> None:
    accepted, booked, executed, filled = ask("demo.1").steps
    (request,) = accepted.causes
    assert request.by == "request"
    assert booked.causes == [
        Cause("entry", "account/demo@3", accepted.position, "trading.order_accepted.v1"),
        request,
    ]
    assert executed.causes == [Cause("watcher", "match/BTC-USD/9")]
    assert [cause.by for cause in filled.causes] == ["entry", "watcher"]
    assert filled.causes[0].position == executed.position


def test_rules_and_marks_are_shown_with_units(ask: Ask, history: History) -> None:
    mark = Mark(BTC_USD.symbol, 5_000_100, Quality.OK, "synthetic", 77, Instant(10**18))
    refused = ev.OrderRejected(
        2, ClOrdId("no"), BTC_USD.symbol, Side.BUY, Reason.EXCEEDS_ORDER_QTY, "too large", None,
        Headroom(qty=50, collar=100, orders=3, power=10**9, concentration=20), (mark,), "1", "2",
    )  # fmt: skip
    history.write(DEMO, refused)
    (step,) = ask("no").steps
    assert step.headroom == {
        "qty": "0.0005 BTC",
        "collar": "1 USD",
        "concentration": "20 bps",
        "orders": "3 orders",
        "power": "10 USD",
    }
    assert (step.marks[0].px, step.marks[0].tape_position) == ("50001", 77)
    assert step.said == "refused, exceeds_order_qty: too large"


def test_the_text_says_it_all(ask: Ask) -> None:
    text = text_of(ask("demo.1"))
    assert "accepted as new: buy 0.001 BTC-USD limit at 50000 gtc; holds 50 USD" in text
    assert "because of entry venue/PAPER/BTC-USD@2" in text
    assert "order executed: 0.0004 at 50000" in text
    assert "0.0004 at 50000 as maker, fee 0.02 USD; 0.0006 left" in text
    assert "left before it: power 0.00000007 USD" in text


def test_an_entry_about_no_order_is_told_alone(ask: Ask) -> None:
    (step,) = ask("5").steps
    assert (step.kind, step.event["units"]) == ("trading.cash_deposited.v1", 10**12)


@pytest.mark.parametrize("about", ["demo.1", "mine", "6", "7", "5", "1"])
def test_another_tenant_is_told_nothing(ask: Ask, about: str) -> None:
    with pytest.raises(NotFound):
        ask(about, tenant="others")


@pytest.mark.parametrize("about", ["demo.9", "nothing", "0", "999", "-1", ""])
def test_what_is_not_there_is_not_found(ask: Ask, about: str) -> None:
    with pytest.raises(NotFound):
        ask(about)
