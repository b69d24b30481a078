"""What a trader hears of an entry that restates an order."""

import msgspec

from fondaco.domain.trading.events import OrderAccepted, OrderCompleted
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


def test_an_order_whose_cash_is_spent_is_filled_for_what_it_has_executed() -> None:
    event = OrderCompleted(7, BTC_USD.symbol, 1_500)
    cause = CommandId("venue/PAPER/BTC-USD@3")
    entry = Entry(StreamId("account/demo"), 9, 42, cause, Instant(5), 1, event)
    [(channel, text)] = Teller(lambda: REFS).messages(entry)
    assert channel == "orders"
    said = msgspec.json.decode(text)
    assert (said["kind"], said["ord_status"]) == ("trading.order_completed.v1", "filled")
    assert (said["order_id"], said["order_qty"], said["leaves_qty"]) == ("demo.7", "0.0015", "0")


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
