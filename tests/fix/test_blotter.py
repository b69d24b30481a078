"""What FIX remembers of an account is read again from its journal, names of requests included."""

from typing import Final

import msgspec
import pytest

import build as b
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import TradingEvent
from fondaco.gateway.fix.trading.blotter import Blotter, ListTold
from fondaco.gateway.fix.trading.naming import CANCEL, LIST, key_of, name_in
from fondaco.gateway.fix.trading.words import Report
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId, request_id

STREAM: Final = StreamId("account/demo")
NAMES: Final = ["c-1", "with spaces / and #@ signs", "\xe9\x7f", "x" * 64]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_found_again_in_its_cause(name: str) -> None:
    cause = request_id(key_of(CANCEL, name, "who asked, and when"), "0" * 16)
    assert name_in(cause, CANCEL) == name
    assert name_in(cause, LIST) == ""
    assert cause.count("#") == 1
    assert "@" not in cause


def test_names_that_are_too_long_are_not_kept_and_requests_are_told_apart() -> None:
    long = key_of(CANCEL, "x" * 200, "a")
    assert name_in(long, CANCEL) == ""
    assert long != key_of(CANCEL, "x" * 200, "b")
    assert name_in(f"!cancel-{'0' * 24}#1", CANCEL) == ""


def entries(*told: tuple[str, TradingEvent]) -> list[Entry]:
    return [
        Entry(STREAM, nth, 100 + nth, CommandId(cause), Instant(nth), 1, event)
        for nth, (cause, event) in enumerate(told, 1)
    ]


def accepted(number: int, cl_ord_id: str) -> ev.OrderAccepted:
    event = b.given().when(b.placed(b.ask(cl_ord_id))).only(ev.OrderAccepted)
    return msgspec.structs.replace(event, order=msgspec.structs.replace(event.order, number=number))


def test_a_house_that_was_killed_knows_what_a_pending_cancel_is_called() -> None:
    using = b.refs()
    cancel = request_id(key_of(CANCEL, "c-1", "x"), "f")
    story = b.given(using=using).when(b.placed(b.ask("o1"))).when(b.cancel())
    [asked] = story.events
    ended = story.when(b.ended()).only(ev.OrderCanceled)
    found = entries(("o1#1", accepted(1, "o1")), (cancel, asked), ("venue/PAPER/X@9", ended))
    blotter = Blotter(STREAM, lambda: using)
    told = [each for entry in found for each in blotter.hear(entry)]
    said = [(it.exec_type, it.cl_ord_id, it.orig_cl_ord_id) for it in told if type(it) is Report]
    assert said == [("0", "o1", ""), ("6", "c-1", "o1"), ("4", "c-1", "o1")]


def test_a_list_is_over_once_with_the_last_of_its_orders() -> None:
    using = b.refs()
    cause = request_id(key_of(LIST, "the list", "x"), "f")
    story = b.given(using=using).when(b.placed(b.ask("o1"))).when(b.cancel())
    ended = story.when(b.ended()).only(ev.OrderCanceled)
    found = entries(
        (cause, accepted(1, "o1")),
        (cause, accepted(2, "o2")),
        ("a#1", msgspec.structs.replace(ended, number=1)),
        ("b#1", msgspec.structs.replace(ended, number=2)),
    )
    blotter = Blotter(STREAM, lambda: using)
    told = [blotter.hear(entry) for entry in found]
    assert [[type(each) for each in some] for some in told] == [
        [Report], [Report], [Report], [Report, ListTold],
    ]  # fmt: skip
    assert all(each.list_id == "the list" for some in told for each in some if type(each) is Report)
    over = told[-1][1]
    assert isinstance(over, ListTold)
    assert (over.list_id, over.kind, over.status, over.position) == ("the list", "5", "6", 104)
    assert [(row.cl_ord_id, row.ord_status, row.leaves_qty, row.cxl_qty) for row in over.rows] == [
        ("o1", "4", "0", "1"),
        ("o2", "4", "0", "1"),
    ]
