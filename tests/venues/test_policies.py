"""Between an account and a venue: which entry says what to whom, always with the same id."""

import msgspec
import pytest

from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.trading.events import (
    CancelRequested,
    Fill,
    OrderAccepted,
    OrderCanceled,
    OrderReleased,
    OrderTriggered,
    RecordDenial,
    RecordEnd,
    RecordExecution,
    RecordReplaced,
    ReplaceRequested,
)
from fondaco.domain.trading.model import (
    ClOrdId,
    Headroom,
    Order,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from fondaco.domain.venues.events import (
    CancelAtVenue,
    ChangeDenied,
    EnterOrder,
    NothingMatched,
    OrderBooked,
    OrderEnded,
    OrderExecuted,
    OrderReplaced,
    ReplaceAtVenue,
)
from fondaco.domain.venues.policies import policies, report, route
from fondaco.domain.venues.room import room
from fondaco.domain.venues.routed.events import ExecutionBusted, OrderHeard, OrderSilent
from fondaco.kernel.event import Command, CommandId, Entry, Event, Instant
from venues.paper import NOW, STREAM, SYMBOL, A

BUY, GTC = Side.BUY, TimeInForce.GTC
ORDER = Order(
    7, ClOrdId("o7"), SYMBOL, BUY, OrdType.LIMIT, GTC, 50, 100, 5_000_000, NOW, display_lots=10
)
STOP = msgspec.structs.replace(ORDER, ord_type=OrdType.STOP, at_venue=False)
MARK = Mark(SYMBOL, 100, Quality.OK, "test", 1, NOW)
TO_VENUE, TO_ACCOUNT = CommandId("account/A@12"), CommandId("venue/PAPER/BTC-USD@12")
FILLS = (Fill(101, 5, 3),)
AT = Instant(NOW + 7)  # when those who are told hear of it


def entry(event: Event) -> Entry:
    stream = STREAM if type(event).__module__.startswith("fondaco.domain.venues") else A
    return Entry(stream, 12, 99, CommandId("o7#00"), NOW, 1, event)


def entered(px: int, *, is_market: bool = False, cum: int = 0) -> EnterOrder:
    return EnterOrder(
        TO_VENUE,
        AT,
        A,
        7,
        SYMBOL,
        BUY,
        px,
        50,
        GTC,
        is_market,
        10,
        cum_lots=cum,
        exec_number=cum,
    )


def accepted(order: Order) -> OrderAccepted:
    return OrderAccepted(order, Headroom(), ())


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (accepted(ORDER), entered(100)),
        (
            accepted(msgspec.structs.replace(ORDER, ord_type=OrdType.MARKET)),
            entered(100, is_market=True),
        ),
        (OrderTriggered(7, MARK, 105, 0, STOP), entered(105, is_market=True)),
        (
            OrderTriggered(
                7, MARK, 100, 0, msgspec.structs.replace(STOP, ord_type=OrdType.STOP_LIMIT)
            ),
            entered(100),
        ),
        (
            OrderReleased(7, 50, 0, msgspec.structs.replace(ORDER, cum_lots=2, last_exec=2)),
            entered(100, cum=2),
        ),
        (CancelRequested(7, "kill", SYMBOL), CancelAtVenue(TO_VENUE, AT, A, 7, "kill")),
        (
            ReplaceRequested(7, ClOrdId("o8"), 60, 99, 0, SYMBOL),
            ReplaceAtVenue(TO_VENUE, AT, A, 7, 60, 99),
        ),
        # What does not work at a venue stays in the account.
        (accepted(STOP), None),
        (OrderReleased(7, 50, 0, STOP), None),
        (OrderCanceled(7, "requested", 0), None),
    ],
)
def test_an_account_speaks_to_the_venue_of_the_symbol(
    event: Event, command: Command | None
) -> None:
    expected = [] if command is None else [(STREAM, command)]
    assert list(route(entry(event), AT)) == expected
    assert list(route(entry(event), AT)) == expected, "a redelivery asked for something else"
    assert list(report(entry(event), AT)) == []


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (
            OrderExecuted(A, 7, 3, SYMBOL, BUY, FILLS, False, 45),
            RecordExecution(TO_ACCOUNT, AT, 7, SYMBOL, BUY, 3, FILLS, False),
        ),
        (
            OrderEnded(A, 7, OrdStatus.EXPIRED, "no_liquidity"),
            RecordEnd(TO_ACCOUNT, AT, 7, OrdStatus.EXPIRED, "no_liquidity"),
        ),
        (OrderReplaced(A, 7, 60, 99, 55, 4, False), RecordReplaced(TO_ACCOUNT, AT, 7, 60, 99)),
        (ChangeDenied(A, 7, "too_late"), RecordDenial(TO_ACCOUNT, AT, 7, "too_late")),
        (OrderBooked(A, 7, BUY, 100, 50, 50, 0, 4, 0), None),
        (NothingMatched(100), None),
    ],
)
def test_a_venue_reports_to_the_account_whose_order_it_is(
    event: Event, command: Command | None
) -> None:
    expected = [] if command is None else [(A, command)]
    assert list(report(entry(event), AT)) == expected
    assert list(route(entry(event), AT)) == []


def test_the_room_offers_every_policy_under_the_events_that_it_hears() -> None:
    assert room.policies is policies
    assert set(policies) == {
        OrderAccepted,
        OrderTriggered,
        OrderReleased,
        CancelRequested,
        ReplaceRequested,
        OrderExecuted,
        OrderEnded,
        OrderReplaced,
        ChangeDenied,
        OrderSilent,
        OrderHeard,
        ExecutionBusted,
    }
    assert {OrderBooked, OrderExecuted, NothingMatched} <= set(room.kinds)
