"""What is fast says the same as what is plain: the codec, the law of a session, orders, reports."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import build as b
from fix.link import BEGINS, SECOND, terms
from fondaco.domain.fix import encode, parse
from fondaco.domain.fix.api import Law, SentInMemory, SessionId, Terms, Write, say, say_all
from fondaco.domain.fix.encoding import seal
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api import orders as od
from fondaco.domain.trading.model import OrdStatus, OrdType, TradingRefs
from fondaco.gateway.fix.trading import words
from fondaco.gateway.fix.trading.blotter import Blotter
from fondaco.gateway.fix.trading.usual import usual
from fondaco.gateway.fix.trading.writing import Writing
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId

ACCOUNTS: Final = ("demo", "other")
STREAM: Final = StreamId("account/demo")
# Values as they are, as they may be, and as they are not.
SAID: Final[dict[int, list[bytes]]] = {
    1: [b"demo", b"other", b"another", b"d\xe9mo"],
    11: [b"a-1", b"A:b.c+d=e_f", b"with spaces", b"x" * 64, b"x" * 65, b"\xe9", b"a\nb"],
    18: [b"6", b"E M", b"1"],
    38: [b"1", b"0.001", b"1.50", b"0", b"0.0", b"007", b"1.", b".5", b"-1", b"1.2345678901",
         b"123456789012", b"1234567890123", b"1e3", b"1.000000000", b"1.0000000000"],
    40: [b"2", b"1", b"3", b"P", b"9"],
    44: [b"1000.00", b"1000", b"0.10", b"1000.", b"-5", b"00.5", b"abc"],
    54: [b"1", b"2", b"5"],
    55: [b"BTC-USD", b"btc", b"A" * 40, b"A" * 41, b"A\nB"],
    59: [b"1", b"0", b"3", b"4", b"6", b"7"],
    99: [b"900"],
    110: [b"1"],
    111: [b"1"],
    126: [b"20260102-10:11:12"],
    152: [b"100"],
    211: [b"-1"],
    1138: [b"1"],
}  # fmt: skip
USUAL: Final = {1: b"demo", 11: b"a-1", 55: b"BTC-USD", 54: b"1", 38: b"1", 40: b"2", 59: b"1"}
CHANGES: Final = st.dictionaries(st.sampled_from(sorted(SAID)), st.integers(0, 99), max_size=4)


def asked_by_the_tables(message: Any) -> tuple[str, ev.Ask] | None:
    """As `Orders` reads an order that is not as usual; None where it is refused."""
    try:
        account = message.text(1) or ACCOUNTS[0]
        if account not in ACCOUNTS:
            return None
        said = {**words.read(words.ORDER, message), "account_id": account}
        return account, od.order_ask(msgspec.convert(said, od.PlaceOrderRequest))
    except (Invalid, ValueError):
        return None


@given(CHANGES, st.sets(st.sampled_from(sorted(USUAL)), max_size=1))
def test_a_usual_order_is_read_as_the_tables_read_it(
    changes: dict[int, int], without: set[int]
) -> None:
    said = {tag: value for tag, value in USUAL.items() if tag not in without}
    said |= {tag: SAID[tag][nth % len(SAID[tag])] for tag, nth in changes.items()}
    message = parse(encode("FIX.4.4", [(35, b"D"), (34, b"2"), *sorted(said.items())]))
    found = usual(message, ACCOUNTS, ACCOUNTS[0])
    if found is not None:
        assert found == asked_by_the_tables(message)
        ids = [od.place_ask(each, Instant(1)).command_id for each in (found[1],)]
        assert ids[0].startswith(f"{found[1].cl_ord_id}#")


@pytest.mark.parametrize("more", [{}, {44: b"1000.00"}, {40: b"1"}, {59: b"3", 44: b"0.5"}])
def test_what_nearly_all_orders_are_is_usual(more: dict[int, bytes]) -> None:
    fields = sorted({**USUAL, **more}.items())
    message = parse(encode("FIX.4.4", [(35, b"D"), (34, b"2"), *fields]))
    found = usual(message, ACCOUNTS, ACCOUNTS[0])
    assert found is not None
    assert found == asked_by_the_tables(message)


def test_some_values_at_once() -> None:
    raw = encode("FIX.4.4", [(35, b"D"), (34, b"2"), *((n, b"%d" % n) for n in range(100, 200))])
    message = parse(raw)
    tags = (34, 7, 199, 100, 163, 164)
    assert message.values(tags) == [message.get(tag) for tag in tags]
    assert message.values(()) == []


VALUES: Final = st.binary(max_size=40).map(lambda raw: raw.replace(b"\x01", b"."))


@given(st.lists(st.tuples(st.integers(11, 88), VALUES), max_size=30))
def test_a_sealed_body_is_what_encode_makes_of_its_fields(body: list[tuple[int, bytes]]) -> None:
    fields = [(35, b"8"), *(each for each in body if each[0] != 35)]
    said = b"".join(b"%d=%b\x01" % each for each in fields)
    assert seal(b"FIX.4.4", said) == encode("FIX.4.4", fields)


LAWS: Final[dict[str, Terms]] = {
    "FIX.4.4": terms("acceptor"),
    "FIX.4.2 in seconds": Terms(id=SessionId("FIX.4.2", "A", "B", "s", "t"), time_places=0),
    "369": terms("acceptor", last_processed=True),
    "in microseconds": terms("acceptor", time_places=6),
    "limited": terms("acceptor", send_max_per_s=5),
}


def logged_on(of: Terms) -> Law:
    law = Law(of, SentInMemory())
    law.is_connected = law.is_up = True
    law.next_out = law.next_in = 98
    return law


@pytest.mark.parametrize("name", LAWS)
def test_what_is_said_at_once_is_as_if_said_one_by_one(name: str) -> None:
    one_by_one, at_once = logged_on(LAWS[name]), logged_on(LAWS[name])
    bodies = [(b"11=a-%d\x0158=\xe9\x01" % nth, 7 + nth) for nth in range(4)]
    now = BEGINS + SECOND // 8
    found = say_all(at_once, "8", bodies, now)
    if name in ("369", "limited"):
        assert found is None
        assert at_once.numbers == one_by_one.numbers
        return
    plain = [
        say(one_by_one, "8", [(11, b"a-%d" % nth), (58, b"\xe9")], now, (), 7 + nth)
        for nth in range(4)
    ]
    assert found == plain
    assert all(isinstance(each, Write) and each.leaves for each in found)
    assert at_once.numbers == one_by_one.numbers
    assert at_once._last_sent == one_by_one._last_sent
    assert list(at_once._sent.between(1, 200)) == list(one_by_one._sent.between(1, 200))


def accepted(using: TradingRefs, nth: int, change: Callable[[Any], None]) -> Entry:
    story = b.given(using=using).when(b.placed(b.ask(f"o{nth}")))
    event = msgspec.structs.replace(story.only(ev.OrderAccepted))
    order = msgspec.structs.replace(event.order, number=nth)
    change(order)
    event = msgspec.structs.replace(event, order=order)
    return Entry(STREAM, nth, 1_000 + nth, CommandId("x#1"), Instant(BEGINS + nth), 1, event)


ORDERS: Final[dict[str, dict[str, Any]]] = {
    "limit": {},
    "large": {"lots": 123_456_789_012, "px": 98_765_432_101},
    "market": {"ord_type": OrdType.MARKET},
    "stop": {"ord_type": OrdType.STOP, "stop_px": 99_00, "px": 0},
    "pending": {"ord_status": OrdStatus.PENDING_NEW},
    "ended": {"ord_status": OrdStatus.CANCELED},
}


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4", "FIXT.1.1"])
def test_the_report_of_a_new_order_is_what_the_tables_say(name: str, version: str) -> None:
    using = b.refs()

    def change(order: Any) -> None:
        for field, value in ORDERS[name].items():
            setattr(order, field, value)

    entry = accepted(using, 3, change)
    blotter = Blotter(STREAM, lambda: using)
    [quick] = blotter.hear(entry)
    plain = blotter._report(blotter.orders[3], entry, "0")
    assert isinstance(quick, words.Report)
    assert quick.is_new == (name not in ("stop", "ended"))
    assert msgspec.structs.replace(quick, is_new=False) == plain
    if not quick.is_new:
        return
    writing = Writing(Terms(id=SessionId(version, "HOUSE", "BROKER")))
    for is_copy in (False, True):
        plain.is_copy = is_copy
        said = b"".join(b"%d=%b\x01" % each for each in writing.report(plain))
        assert writing.opened(quick, is_copy=is_copy) == said
