"""What a trader hears of an entry that restates an order."""

import msgspec

from fondaco.domain.trading.events import OrderCompleted
from fondaco.gateway.tell import Teller
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId
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
