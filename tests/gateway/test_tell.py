"""What a trader hears of an entry that restates an order."""

import msgspec

from fondaco.domain.trading.events import (
    AccountReset,
    OrderAccepted,
    OrderCompleted,
    ResetBalance,
    TransferPosted,
    TransferReceived,
    TransferReturned,
    TransferSent,
    TransferVoided,
)
from fondaco.domain.trading.model import (
    ClOrdId,
    Contingency,
    Headroom,
    Order,
    OrdType,
    Side,
    TimeInForce,
)
from fondaco.gateway.tell import Teller
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId
from fondaco.kernel.money import AssetCode
from gateway.desk import BTC_USD, REFS

USD = 10**8


def test_an_order_whose_cash_is_spent_is_filled_for_what_it_has_executed() -> None:
    event = OrderCompleted(7, BTC_USD.symbol, 1_500)
    cause = CommandId("venue/PAPER/BTC-USD@3")
    entry = Entry(StreamId("account/demo"), 9, 42, cause, Instant(5), 1, event)
    [(channel, text)] = Teller(lambda: REFS).messages(entry)
    assert channel == "orders"
    said = msgspec.json.decode(text)
    assert (said["kind"], said["ord_status"]) == ("trading.order_completed.v1", "filled")
    assert (said["order_id"], said["order_qty"], said["leaves_qty"]) == ("demo.7", "0.0015", "0")


def test_what_moves_between_accounts_is_told_as_balances_and_as_nothing_else() -> None:
    """A transfer has a number as an order has one: who hears of it must not take it for that."""
    usd, there = AssetCode("USD"), StreamId("account/other")
    balances = (ResetBalance(usd, 7 * USD, 5 * USD), ResetBalance(AssetCode("BTC"), 0, 10**9))
    for event, changes in (
        (TransferSent(1, there, "t", usd, 3 * USD, 3 * USD), {"USD": "-3"}),
        (TransferReceived(there, 1, usd, 3 * USD, 3 * USD), {"USD": "3"}),
        (TransferVoided(1, usd, 3 * USD, 3 * USD, "why"), {"USD": "3"}),
        (TransferPosted(1), None),
        (TransferReturned(there, 1, usd, 3 * USD, "why"), None),
        (AccountReset(balances, 0), {"USD": "-2", "BTC": "1"}),
    ):
        entry = Entry(StreamId("account/demo"), 9, 42, CommandId("x"), Instant(5), 1, event)
        told = Teller(lambda: REFS).messages(entry)
        found = [(channel, msgspec.json.decode(text)["changes"]) for channel, text in told]
        assert found == ([("balances", changes)] if changes else [])


def test_who_watches_hears_all_terms_of_an_accepted_order() -> None:
    order = Order(
        3,
        ClOrdId("mine"),
        BTC_USD.symbol,
        Side.SELL,
        OrdType.STOP_LIMIT,
        TimeInForce.GTD,
        1_500,
        5_000_000,
        0,
        Instant(5),
        stop_px=5_100_000,
        expire_time=Instant(1_800_000_000_000_000_000),
        reduce_only=True,
        group=2,
        contingency=Contingency.OCO,
        at_venue=False,
        quote=AssetCode("USD"),
    )
    event = OrderAccepted(order, Headroom(), ())
    entry = Entry(StreamId("account/demo"), 9, 42, CommandId("x"), Instant(5), 1, event)
    [(_, text)] = Teller(lambda: REFS).messages(entry)
    said = msgspec.json.decode(text)
    terms = {"ord_type": "stop_limit", "time_in_force": "gtd", "price": "50000", "stop_px": "51000"}
    terms |= {"list_id": "demo.2", "contingency": "oco", "expire_time": "2027-01-15T08:00:00Z"}
    assert {name: said[name] for name in terms} == terms
    assert (said["reduce_only"], said["at_venue"], "post_only" in said) == (True, False, False)
