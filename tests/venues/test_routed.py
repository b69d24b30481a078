"""Orders at a counterparty: what its reports mean, whatever is lost, late or said twice."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.trading.events import Fill
from fondaco.domain.trading.model import OrdStatus, Side, TimeInForce
from fondaco.domain.venues.events import ChangeDenied, OrderEnded, OrderExecuted, OrderReplaced
from fondaco.domain.venues.model import venue_stream
from fondaco.domain.venues.routed.events import (
    CancelRouted,
    ExecutionBusted,
    HearDenial,
    HearNothing,
    HearReport,
    NeverLeft,
    OrderHeard,
    OrderRouted,
    OrderSilent,
    ReplaceRouted,
    ReportNoted,
    TradeDisputed,
)
from fondaco.domain.venues.routed.model import ENDED_MAX, RoutedState, RouteRefs
from fondaco.domain.venues.routed.rules import decider
from venues.paper import CAUSE, NOW, SYMBOL, A, cancel, enter, replace

UP, DOWN = RouteRefs(1, is_up=True), RouteRefs(1, is_up=False)


class There:
    """One symbol at a counterparty; `said` is what the last command left."""

    def __init__(self) -> None:
        self.state: RoutedState = decider.initial(venue_stream(SYMBOL, "BRKR"))
        self.said: list[Any] = []

    def ask(self, *commands: Any, refs: RouteRefs = UP) -> "There":
        for command in commands:
            self.said = list(decider.decide(self.state, command, refs))
            for event in self.said:
                decider.evolve(self.state, event)
        return self

    def told(self, exec_type: str, exec_id: str = "", **more: Any) -> "There":
        """A report about the first order."""
        name = more.pop("name", None) or self.first.cl_ord_id
        report = HearReport(
            command_id=CAUSE, at=NOW, cl_ord_id=name, exec_type=exec_type, exec_id=exec_id, **more
        )
        return self.ask(report)

    def traded(self, exec_id: str, lots: int, cum: int = -1, **more: Any) -> "There":
        return self.told("F", exec_id, last_lots=lots, last_px=100, cum_lots=cum, **more)

    @property
    def first(self) -> Any:
        return self.state.orders[1]

    def kinds(self) -> list[type]:
        return [type(event) for event in self.said]

    def only(self, kind: type) -> Any:
        [found] = [event for event in self.said if isinstance(event, kind)]
        return found


def there() -> There:
    """A buy of 10 at 100 that they have acknowledged."""
    return There().ask(enter(1, Side.BUY, 100, 10)).told("0", "e0", order_id="t1", ord_status="0")


def silent() -> There:
    return there().ask(HearNothing(CAUSE, NOW, A, 1, "away"))


def test_while_they_are_away_nothing_new_is_sent() -> None:
    away = There().ask(enter(1), refs=DOWN)
    assert (away.said[0].ord_status, away.said[0].text) == (OrdStatus.REJECTED, "venue_away")
    known = there().ask(replace(1, lots=12, px=100), refs=DOWN)
    assert known.only(ChangeDenied).text == "venue_away"
    assert known.ask(cancel(1), refs=DOWN).kinds() == [CancelRouted], "a cancel waits for them"


@pytest.mark.parametrize(
    "ask",
    [
        enter(1, cash=500_000),
        enter(1, px=0, is_market=True, tif=TimeInForce.IOC),
    ],
)
def test_what_they_could_not_keep_to_is_not_sent(ask: Any) -> None:
    assert There().ask(ask).only(OrderEnded).text == "unsupported_here"


def test_every_name_is_new_and_told_apart_by_the_moment() -> None:
    found = There().ask(enter(1), enter(2), cancel(1), replace(1, lots=9, px=101))
    names = list(found.state.names)
    assert len(set(names)) == 4
    assert all(name.startswith(f"{SYMBOL}.") for name in names)
    assert names[2:] == [f"{names[0]}.1", f"{names[0]}.2"]


def test_an_exec_id_is_counted_once() -> None:
    found = there().traded("e1", 4, 4)
    assert found.only(OrderExecuted).leaves_lots == 6
    assert found.traded("e1", 4, 4).kinds() == [ReportNoted]
    assert found.said[0].what == "repeated"
    assert found.first.cum_lots == 4
    assert found.traded("e2", 6, 10).only(OrderExecuted).leaves_lots == 0
    assert found.state.working() == []
    assert found.traded("e2", 6, 10).said[0].what == "repeated", "nor once it is done"


def test_a_late_execution_is_counted_after_the_end() -> None:
    found = there().told("4", "e1", cum_lots=0)
    assert found.only(OrderEnded).ord_status is OrdStatus.CANCELED
    assert found.traded("e2", 3).only(OrderExecuted).exec_number == 1
    assert found.traded("e2", 3).kinds() == [ReportNoted]


def test_an_end_waits_for_the_executions_that_they_speak_of() -> None:
    """The cancel of an order of which 4 have executed, and we know of 1."""
    found = there().traded("e1", 1, 1).told("4", "e3", cum_lots=4)
    assert found.kinds() == [ReportNoted, OrderSilent]
    assert found.first.is_short
    assert found.traded("e2", 3).only(OrderEnded).ord_status is OrdStatus.CANCELED
    assert found.first.cum_lots == 4


def test_a_status_resolves_what_was_unknown_and_never_makes_an_execution_up() -> None:
    found = silent().told("I", "0", ord_status="0", cum_lots=0)
    assert found.kinds() == [ReportNoted, OrderHeard]
    found = silent().told("I", "0", ord_status="1", cum_lots=3)
    assert found.kinds() == [ReportNoted], "it stays unknown"
    assert found.first.is_short
    assert found.first.cum_lots == 0
    assert found.traded("e1", 2).kinds() == [ReportNoted, OrderExecuted, OrderSilent]
    assert found.traded("e2", 1).kinds() == [ReportNoted, OrderExecuted]
    assert silent().told("I", "0", ord_status="4", cum_lots=0).only(OrderEnded)


def test_an_order_that_they_do_not_know() -> None:
    """Where they have acknowledged it that is a contradiction; else it has never arrived."""
    found = silent().told("I", "0", ord_status="8", cum_lots=0)
    assert [event.what for event in found.said] == ["disputed"]
    found = There().ask(enter(1)).told("I", "0", ord_status="8", text="unknown_order")
    assert found.only(OrderEnded).text == "never_arrived"


def test_a_status_that_knows_less_than_they_have_told_is_disputed() -> None:
    found = there().traded("e1", 4, 4).told("I", "0", ord_status="1", cum_lots=2)
    assert found.kinds() == [ReportNoted, OrderSilent]
    assert found.said[0].what == "disputed"
    assert found.first.cum_lots == 4


def test_a_trade_that_is_taken_back_is_told_once_and_executes_again() -> None:
    found = there().traded("e1", 4, 4).told("H", "e2", ref_id="e1", cum_lots=0, text="error")
    assert found.kinds() == [ReportNoted, ExecutionBusted]
    busted = found.only(ExecutionBusted)
    assert (busted.ref_number, busted.exec_number, busted.leaves_lots) == (1, 2, 10)
    assert (busted.busted, busted.fill, busted.text) == (Fill(100, 4), None, "error")
    assert (found.first.cum_lots, found.first.told_lots) == (0, 0)
    assert found.told("H", "e2", ref_id="e1", cum_lots=0).said[0].what == "repeated"
    assert found.traded("e3", 10, 10).only(OrderExecuted).exec_number == 3
    assert not found.state.working()


def test_a_correction_is_corrected_by_either_name() -> None:
    for ref_id in ("e1", "e2"):
        found = there().traded("e1", 4, 4)
        found.told("G", "e2", ref_id="e1", last_lots=3, last_px=99, cum_lots=3)
        assert found.only(ExecutionBusted).fill == Fill(99, 3)
        found.told("G", "e3", ref_id=ref_id, last_lots=5, last_px=98)
        again = found.only(ExecutionBusted)
        assert (again.busted, again.fill, again.ref_number) == (Fill(99, 3), Fill(98, 5), 2)
        assert (found.first.cum_lots, found.first.told_lots) == (5, 5)


def test_what_is_done_stays_so_with_less() -> None:
    found = there().traded("e1", 10, 10).told("H", "e2", ref_id="e1", cum_lots=0, ord_status="0")
    assert found.only(ExecutionBusted).leaves_lots == 0
    assert found.first.is_done
    assert not found.state.working()


def test_a_bust_resolves_what_was_unknown_where_it_says_all() -> None:
    found = there().traded("e1", 4, 4).ask(HearNothing(CAUSE, NOW, A, 1, "away"))
    found.told("H", "e2", ref_id="e1", cum_lots=0, ord_status="0")
    assert found.kinds() == [ReportNoted, ExecutionBusted, OrderHeard]
    found = there().traded("e1", 4, 4).told("H", "e2", ref_id="e1", cum_lots=2, ord_status="1")
    assert found.kinds() == [ReportNoted, ExecutionBusted, OrderSilent]
    assert found.traded("e3", 2, 2).kinds() == [ReportNoted, OrderExecuted]


@pytest.mark.parametrize(
    ("exec_type", "more"),
    [
        ("H", {"ref_id": "e7"}),
        ("H", {}),
        ("G", {"ref_id": "e7", "last_lots": 1, "last_px": 100}),
        ("G", {"ref_id": "e1"}),
        ("G", {"ref_id": "e1", "wrong": "31 (price) is 1.005"}),
    ],
)
def test_what_cannot_be_taken_back_is_disputed_loudly(exec_type: str, more: Any) -> None:
    found = there().traded("e1", 4, 4).told(exec_type, "e2", cum_lots=0, **more)
    assert found.kinds() == [TradeDisputed, OrderSilent]
    assert found.only(TradeDisputed).exec_type == exec_type
    assert found.first.cum_lots == 4


def test_a_price_that_is_none_of_ours_is_not_booked_and_leaves_unknown() -> None:
    found = there().traded("e1", 4, 4, wrong="31 (price) is 1.005")
    assert found.kinds() == [TradeDisputed, OrderSilent]
    assert found.first.cum_lots == 0


def test_changes_are_answered_by_their_own_names() -> None:
    found = there().ask(replace(1, lots=12, px=101))
    name = found.only(ReplaceRouted).cl_ord_id
    replaced = found.told("5", "e1", name=name, lots=12, px=101).only(OrderReplaced)
    assert (replaced.lots, replaced.px, replaced.is_restated) == (12, 101, False)
    assert found.first.cl_ord_id == name
    found.ask(cancel(1, reason="expired"))
    asked = found.only(CancelRouted)
    assert asked.orig_cl_ord_id == name
    denial = HearDenial(command_id=CAUSE, at=NOW, cl_ord_id=asked.cl_ord_id, reason="0")
    assert found.ask(denial).only(ChangeDenied).text == "too_late"
    assert found.ask(denial).kinds() == [ReportNoted], "told twice"
    again = found.ask(cancel(1, reason="expired")).only(CancelRouted).cl_ord_id
    assert found.told("4", "e2", name=again).only(OrderEnded).ord_status is OrdStatus.EXPIRED


def test_what_never_left_is_over() -> None:
    found = There().ask(enter(1))
    name = found.only(OrderRouted).cl_ord_id
    assert found.ask(NeverLeft(CAUSE, NOW, name)).only(OrderEnded).text == "venue_away"
    found = there().ask(replace(1, lots=12, px=101))
    name = found.only(ReplaceRouted).cl_ord_id
    assert found.ask(NeverLeft(CAUSE, NOW, name)).only(ChangeDenied).text == "venue_away"
    assert there().ask(NeverLeft(CAUSE, NOW, there().first.name)).kinds() == [ReportNoted]


def test_more_of_a_bracket_leg_is_a_replace_that_nobody_hears_of() -> None:
    found = there().ask(enter(1, Side.BUY, 100, 15))
    asked = found.only(ReplaceRouted)
    assert asked.is_quiet
    assert found.told("5", "e1", name=asked.cl_ord_id, lots=15, px=100).only(OrderReplaced)
    assert found.first.lots == 15


def test_what_is_about_no_order_of_ours_changes_nothing() -> None:
    found = there().told("F", "e9", name="nobody", last_lots=1, last_px=1)
    assert [event.what for event in found.said] == ["stray"]
    assert found.first.cum_lots == 0


def test_orders_that_are_done_are_forgotten_in_the_end() -> None:
    found = There()
    for number in range(1, ENDED_MAX + 3):
        found.ask(enter(number), cancel(number))
        order = found.state.find(A, number)
        found.told("4", f"e{number}", name=order.name if order else "")
    assert len(found.state.orders) == len(found.state.done) == ENDED_MAX
    assert len(found.state.names) == 2 * ENDED_MAX


fills = st.lists(st.integers(1, 4), max_size=5)


@settings(deadline=None, max_examples=150)
@given(truth=fills, ends=st.booleans(), rng=st.randoms(use_true_random=False), lost=st.data())
def test_whatever_is_lost_late_or_repeated_the_truth_is_reached_in_the_end(
    truth: list[int], ends: bool, rng: Any, lost: Any
) -> None:
    """Reports come in any order, some twice, some only when they are asked for again; silence falls
    at any time. Then a status, and the executions that it shows to be missing."""
    found = There().ask(enter(1, Side.BUY, 100, 21))
    reports: list[tuple[str, str, dict[str, Any]]] = [("0", "e0", {"ord_status": "0"})]
    cum = 0
    for number, lots in enumerate(truth, 1):
        cum += lots
        said: dict[str, Any] = {"last_lots": lots, "last_px": 100, "cum_lots": cum}
        said["ord_status"] = "1"
        reports.append(("F", f"e{number}", said))
    if ends:
        reports.append(("4", "end", {"cum_lots": cum, "ord_status": "4"}))
    came = [each for each in reports for _ in range(lost.draw(st.integers(0, 2)))]
    rng.shuffle(came)
    for exec_type, exec_id, said in came:
        if rng.random() < 0.2:
            found.ask(HearNothing(CAUSE, NOW, A, 1, "late"))
        before = found.first.cum_lots
        found.told(exec_type, exec_id, **said)
        assert found.first.cum_lots - before in (0, said.get("last_lots", 0))
    found.ask(HearNothing(CAUSE, NOW, A, 1, "late"))
    status = "4" if ends else "1" if cum else "0"
    found.told("I", "0", ord_status=status, cum_lots=cum)
    if found.first.is_short:
        for exec_type, exec_id, said in reports[1 : len(truth) + 1]:
            found.traded(exec_id, said["last_lots"])
            assert exec_type == "F"
    assert found.first.cum_lots == cum
    assert found.first.is_done == ends
    assert not found.first.is_silent
