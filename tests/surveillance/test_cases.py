"""Cases: one open for each subject, every alert in one, and what people did about them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.surveillance.cases.events import (
    AlertGathered,
    AlertSetAside,
    AssignCase,
    CaseAssigned,
    CaseClosed,
    CaseCommand,
    CaseCommented,
    CaseDenied,
    CaseEvent,
    CaseOpened,
    CaseReopened,
    CloseCase,
    CommentCase,
    GatherAlert,
    ReopenCase,
)
from fondaco.domain.surveillance.cases.model import CLOSED_KEPT, FIX_CASES, SEVERITIES, Cases
from fondaco.domain.surveillance.cases.policies import to_case
from fondaco.domain.surveillance.cases.rules import decider
from fondaco.domain.surveillance.events import AlertRaised
from fondaco.kernel.event import CommandId, Entry, Instant, StreamId

NO_REFS: Any = None
ID = CommandId("c")


class House:
    """A stream of cases that is given commands, one after the other."""

    def __init__(self) -> None:
        self.state: Cases = decider.initial(FIX_CASES)
        self.events: list[CaseEvent] = []

    def told(self, command: CaseCommand) -> list[CaseEvent]:
        before = msgspec.msgpack.encode(self.state)
        events = decider.decide(self.state, command, NO_REFS)
        assert events
        assert msgspec.msgpack.encode(self.state) == before
        for event in events:
            self.state = decider.evolve(self.state, event)
        self.events += events
        return list(events)

    def alert(self, name: str, severity: str = "high", subject: str = "A") -> list[CaseEvent]:
        return self.told(
            GatherAlert(ID, Instant(7), name, "F10", "Storm", severity, subject, "S", Instant(5))
        )


alerts = st.builds(
    GatherAlert,
    st.just(ID),
    st.integers(1, 9).map(Instant),
    st.sampled_from(["a", "b", "c"]),
    st.just("F10"),
    st.just("Storm"),
    st.sampled_from(SEVERITIES),
    st.sampled_from(["A", "B"]),
    st.just("S"),
    st.integers(1, 9).map(Instant),
)
numbers = st.integers(0, 4)
asks = st.one_of(
    st.builds(AssignCase, st.just(ID), st.just(Instant(9)), numbers, st.just("ada"), st.just("me")),
    st.builds(CommentCase, st.just(ID), st.just(Instant(9)), numbers, st.just("x"), st.just("me")),
    st.builds(
        CloseCase,
        st.just(ID),
        st.just(Instant(9)),
        numbers,
        st.just("false_positive"),
        st.just("x"),
        st.just("me"),
    ),
    st.builds(ReopenCase, st.just(ID), st.just(Instant(9)), numbers, st.just("x"), st.just("me")),
)


@given(commands=st.lists(st.one_of(alerts, asks), max_size=30))
def test_a_subject_has_one_open_case_and_every_alert_worth_one_is_in_it(
    commands: list[CaseCommand],
) -> None:
    house = House()
    for command in commands:
        house.told(command)
        state = house.state
        open_cases = [each for each in state.cases.values() if each.state == "open"]
        assert state.open_of == {each.subject: each.number for each in open_cases}
        if isinstance(command, GatherAlert) and command.severity != "low":
            gathered = state.cases[state.open_of[command.subject]].alerts[command.alert]
            assert SEVERITIES.index(gathered.severity) >= SEVERITIES.index(command.severity)
        for case in state.cases.values():
            worst = max(case.alerts.values(), key=lambda each: SEVERITIES.index(each.severity))
            assert case.severity == worst.severity
            assert case.count == len(case.alerts)
            assert bool(case.outcome) == (case.state == "closed")
    again = decider.initial(FIX_CASES)
    for event in house.events:
        packed = msgspec.msgpack.encode(event)
        again = decider.evolve(again, msgspec.msgpack.decode(packed, type=CaseEvent))
    assert again == house.state


def test_a_case_is_opened_gathers_and_is_closed_with_what_it_was() -> None:
    house = House()
    assert house.alert("little", "low") == [AlertSetAside("little", "low")]
    opened, gathered = house.alert("first", "medium")
    assert opened == CaseOpened(1, "A", "Storm", Instant(7))
    assert gathered == AlertGathered(1, "first", "F10", "Storm", "medium", "S", Instant(5))
    assert house.alert("first", "medium") == [AlertSetAside("first", "medium")]
    house.alert("little", "low")  # now there is one that it belongs to
    house.alert("first", "critical")
    house.alert("other", "high", "B")
    case = house.state.cases[1]
    assert (case.severity, case.count, list(case.alerts)) == ("critical", 2, ["little", "first"])
    at = Instant(9)
    assert house.told(AssignCase(ID, at, 1, "ada", "bob")) == [CaseAssigned(1, "ada", "bob", at)]
    assert house.told(CommentCase(ID, at, 1, "asked", "ada")) == [
        CaseCommented(1, "asked", "ada", at)
    ]
    closing = CloseCase(ID, at, 1, "true_positive", "their engine looped", "ada")
    assert house.told(closing) == [CaseClosed(1, "true_positive", "their engine looped", "ada", at)]
    assert [each.what for each in case.notes] == ["opened", "assigned", "commented", "closed"]
    opened, _ = house.alert("later")
    assert opened == CaseOpened(3, "A", "Storm", Instant(7))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (CommentCase(ID, Instant(9), 9, "x", "me"), "unknown_case"),
        (ReopenCase(ID, Instant(9), 2, "x", "me"), "case_open"),
        (AssignCase(ID, Instant(9), 1, "x", "me"), "case_closed"),
        (CloseCase(ID, Instant(9), 1, "benign", "x", "me"), "case_closed"),
        (ReopenCase(ID, Instant(9), 1, "x", "me"), "another_open"),
        (CommentCase(ID, Instant(9), 1, "x", "me"), ""),
    ],
)
def test_what_a_case_does_not_allow_is_denied_with_its_reason(
    command: CaseCommand, code: str
) -> None:
    house = House()
    house.alert("a")
    house.told(CloseCase(ID, Instant(8), 1, "benign", "a drill", "me"))
    house.alert("b")
    before = msgspec.msgpack.encode(house.state)
    (event,) = house.told(command)
    assert (event.code if isinstance(event, CaseDenied) else "") == code
    assert (msgspec.msgpack.encode(house.state) == before) == bool(code)


def test_a_closed_case_is_opened_again() -> None:
    house = House()
    house.alert("a")
    house.told(CloseCase(ID, Instant(8), 1, "benign", "a drill", "me"))
    (event,) = house.told(ReopenCase(ID, Instant(9), 1, "it was none", "me"))
    assert event == CaseReopened(1, "it was none", "me", Instant(9))
    house.alert("b")
    assert list(house.state.cases) == [1]
    assert list(house.state.cases[1].alerts) == ["a", "b"]


def test_memory_is_bounded() -> None:
    house = House()
    for number in range(CLOSED_KEPT + 20):
        house.alert(f"a{number}", subject=f"s{number}")
        if number:
            house.told(CloseCase(ID, Instant(8), number + 1, "benign", "x", "me"))
    assert len(house.state.cases) <= CLOSED_KEPT + 2
    assert 1 in house.state.cases  # open, however old
    for number in range(1_000):
        house.alert(f"b{number}", subject="s0")
    case = house.state.cases[1]
    assert (len(case.alerts), case.count) == (200, 1_001)


def test_an_alert_of_the_journal_becomes_a_command_with_its_entry_as_cause() -> None:
    raised = AlertRaised(
        "f10-1", "F10", "Storm", "high", "A", "S", "too often", ("T1499",), Instant(3), Instant(4),
        ("17",),
    )  # fmt: skip
    entry = Entry(StreamId("surveillance/fix"), 12, 400, ID, Instant(5), 0, raised)
    ((stream, command),) = to_case(entry, Instant(6))
    assert stream == FIX_CASES
    assert command == GatherAlert(
        CommandId("surveillance/fix@12"), Instant(6), "f10-1", "F10", "Storm", "high", "A", "S",
        Instant(4),
    )  # fmt: skip
