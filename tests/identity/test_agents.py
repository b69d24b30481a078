"""Agents as a law: whatever is asked, in whatever order, nobody has allowed less than was done."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.identity.approvals import events as ev
from fondaco.domain.identity.approvals.agents import DAY_NS
from fondaco.domain.identity.approvals.model import AGENT_WAITING_MAX, stream_of
from fondaco.domain.identity.approvals.rules import decider
from fondaco.kernel.event import CommandId, Instant
from identity.test_approvals import Edition

ID = CommandId("c")
AGENTS = ("ada/agent", "bot/first")
PEOPLE = (("ada", "ada/laptop"), ("bob", "bob/laptop"))
SYMBOLS = ("BTC-USD", "ETH-USD")


def tell(state: Any, command: Any) -> list[Any]:
    events = list(decider.decide(state, command, Edition()))
    assert events, "every command leaves a trace"
    for event in events:
        decider.evolve(state, event)
    return events


def propose(at: int, by: str = AGENTS[0], notional: int = 5, **more: Any) -> Any:
    given = {
        "operation": "trading.place_order", "request": '{"n":1}', "scope": "orders:write",
        "account": "demo", "by": by, "client": "c", "expires_at": Instant(at + 100),
        "notional": notional, "currency": "USD", "symbol": "BTC-USD", "reduces": False,
        "preview": "", "refusal": "",
    }  # fmt: skip
    return ev.AskForAgent(ID, Instant(at), **{**given, **more})


def allow(at: int, agent: str = AGENTS[0], by: str = "ada/laptop", **more: Any) -> Any:
    given = {
        "mode": "auto", "currency": "USD", "order_max": 10, "day_max": 25, "symbols": (),
        "until": Instant(at + 50), "alone": "",
    }  # fmt: skip
    asked = {**given, **more}
    return ev.AllowAgent(
        ID, Instant(at), agent, user=by.partition("/")[0], by=by, reason="as agreed", **asked
    )


def approve(at: int, number: int, by: str, alone: str = "") -> Any:
    return ev.Approve(ID, Instant(at), number, by.partition("/")[0], by, "looked at it", alone)


def stop(at: int, agent: str, by: str = "ada/laptop") -> Any:
    return ev.StopAgent(ID, Instant(at), agent, by.partition("/")[0], by, "enough")


def start(at: int, agent: str, by: str = "ada/laptop") -> Any:
    return ev.StartAgent(ID, Instant(at), agent, by.partition("/")[0], by, "again", "")


agents, numbers, amounts = st.sampled_from(AGENTS), st.integers(1, 9), st.integers(-1, 15)
keys = st.sampled_from([*(key for _, key in PEOPLE), *AGENTS])
acts = st.one_of(
    st.builds(
        lambda a, n, s, r: lambda at: propose(at, a, n, symbol=s, request=f'{{"n":{r}}}'),
        agents, amounts, st.sampled_from(SYMBOLS), st.integers(1, 5),
    ),
    st.builds(lambda a, n: lambda at: propose(at, a, n, refusal="too large"), agents, amounts),
    st.builds(
        lambda a, k, o, d, s, m: lambda at: allow(
            at, a, k, order_max=o, day_max=d, symbols=s, until=Instant(at + m)
        ),
        agents, keys, st.integers(0, 12), st.integers(0, 30),
        st.sampled_from([(), ("BTC-USD",)]), st.integers(0, 60),
    ),
    st.builds(lambda n, k: lambda at: approve(at, n, k), numbers, keys),
    st.builds(lambda n: lambda at: ev.NoteExecution(ID, Instant(at), n, ""), numbers),
    st.builds(lambda a, k: lambda at: stop(at, a, k), agents, keys),
    st.builds(lambda a, k: lambda at: start(at, a, k), agents, keys),
    st.just(lambda at: ev.ExpireApprovals(ID, Instant(at))),
)  # fmt: skip


class Witness:
    """Believes only what it was told, and adds up for itself."""

    def __init__(self) -> None:
        self.asked: dict[int, ev.AgentAsked] = {}
        self.ended: set[int] = set()
        self.budgets: dict[str, ev.AgentAllowed] = {}
        self.spent: dict[tuple[str, int], int] = defaultdict(int)
        self.stopped: set[str] = set()
        self.known: set[str] = set()

    def see(self, event: Any) -> None:
        match event:
            case ev.AgentAsked():
                assert event.by not in self.stopped
                self.asked[event.number] = event
                self.known.add(event.by)
            case ev.AgentRefused():
                assert event.by in self.stopped or event.code == "would_be_refused"
                self.known.add(event.by)
            case ev.ApprovalGranted(how="budget"):
                self.covered(event)
            case ev.ApprovalGranted():
                assert event.by not in self.known, "an agent has agreed"
                self.end(event.number)
            case ev.ApprovalRejected() | ev.ApprovalExpired():
                self.end(event.number)
            case ev.AgentAllowed():
                assert event.by not in {*self.known, event.agent}, "an agent has set a budget"
                self.budgets[event.agent] = event
                self.known.add(event.agent)
            case ev.AgentStopped():
                self.stopped.add(event.agent)
                self.known.add(event.agent)
            case ev.AgentStarted():
                assert event.by not in {*self.known, event.agent}
                self.stopped.discard(event.agent)
                self.known.add(event.agent)

    def covered(self, event: ev.ApprovalGranted) -> None:
        case = self.asked[event.number]
        budget, day = self.budgets[case.by], case.asked_at // DAY_NS
        assert case.asked_at < budget.until
        assert 0 <= case.notional <= budget.order_max
        assert not budget.symbols or case.symbol in budget.symbols
        self.spent[case.by, day] += case.notional
        assert self.spent[case.by, day] <= budget.day_max
        self.end(event.number)

    def end(self, number: int) -> None:
        assert number not in self.ended, "decided once"
        self.ended.add(number)

    def waiting(self, agent: str) -> int:
        return sum(e.by == agent for n, e in self.asked.items() if n not in self.ended)


@given(st.lists(st.tuples(acts, st.sampled_from([0, 1, 5, DAY_NS])), max_size=40))
def test_no_agent_does_what_no_person_has_allowed(steps: list[Any]) -> None:
    state, at, witness = decider.initial(stream_of("acme")), 0, Witness()
    for act, later in steps:
        at += later
        for event in tell(state, act(at)):
            witness.see(event)
        for agent in witness.stopped:
            assert not witness.waiting(agent), "what waited has ended with its agent"


@pytest.mark.parametrize(
    ("before", "command", "code"),
    [
        ((propose(1),), approve(2, 1, "ada/agent"), "own_approval"),
        ((propose(1), propose(1, "bot/first")), approve(2, 1, "bot/first"), "own_approval"),
        ((propose(1),), approve(101, 1, "ada/laptop"), "not_waiting"),
        ((propose(1), stop(2, "ada/agent")), approve(3, 1, "ada/laptop"), "not_waiting"),
        ((propose(1),), propose(2), "already_waiting"),
        (
            tuple(propose(1, request=str(n)) for n in range(AGENT_WAITING_MAX)),
            propose(2),
            "too_many_waiting",
        ),
        ((propose(1),), allow(2, by="ada/agent"), "own_agent"),
        ((propose(1),), allow(2, "bot/first", by="ada/agent"), "own_agent"),
        ((stop(1, "ada/agent"),), start(2, "ada/agent", "ada/agent"), "own_agent"),
    ],
)
def test_what_is_denied(before: tuple[Any, ...], command: Any, code: str) -> None:
    state = decider.initial(stream_of("acme"))
    for each in before:
        tell(state, each)
    denied = tell(state, command)[-1]
    assert isinstance(denied, ev.ApprovalDenied)
    assert denied.code == code


@pytest.mark.parametrize(
    ("more", "covered"),
    [
        ({}, True),
        ({"notional": 10}, True),
        ({"notional": 11}, False),
        ({"notional": -1}, False),  # nobody knows what it costs
        ({"notional": -1, "reduces": True}, True),
        ({"symbol": "SOL-USD"}, False),
        ({"currency": "EUR"}, False),
        ({"refusal": "too large"}, None),
    ],
)
def test_what_a_budget_covers(more: dict[str, Any], covered: bool | None) -> None:
    state = decider.initial(stream_of("acme"))
    tell(state, allow(1, symbols=SYMBOLS))
    kinds = [type(each) for each in tell(state, propose(2, **more))]
    wanted = {
        True: [ev.AgentAsked, ev.ApprovalGranted],
        False: [ev.AgentAsked],
        None: [ev.AgentRefused],
    }
    assert kinds == wanted[covered]


def test_a_budget_is_of_a_day_and_what_was_not_done_is_given_back() -> None:
    state = decider.initial(stream_of("acme"))
    tell(state, allow(1, until=Instant(3 * DAY_NS), day_max=20))

    def grants(at: int, request: str) -> bool:
        events = tell(state, propose(at, notional=10, request=request))
        return isinstance(events[-1], ev.ApprovalGranted)

    assert [grants(2, "1"), grants(3, "2"), grants(4, "3")] == [True, True, False]
    tell(state, ev.NoteExecution(ID, Instant(5), 1, "refused"))
    assert [grants(6, "4"), grants(7, "5")] == [True, False]
    assert grants(DAY_NS, "6")


def test_the_only_person_of_a_house_agrees_with_the_only_key() -> None:
    state = decider.initial(stream_of("demo"))
    tell(state, propose(1, "demo"))
    [granted] = tell(state, approve(2, 1, "demo", alone="one person"))
    assert isinstance(granted, ev.ApprovalGranted)
    assert granted.asked_by == "demo"


def test_agents_leave_room_for_people_in_the_queue() -> None:
    state = decider.initial(stream_of("acme"))
    for agent in range(20):
        for number in range(AGENT_WAITING_MAX):
            tell(state, propose(1, f"bot{agent}/first", request=str(number)))
    asked = ev.AskApproval(
        ID, Instant(2), "risk.set_limits", "{}", "limits:write", "", "ada", "ada/laptop",
        Instant(90),
    )  # fmt: skip
    assert isinstance(tell(state, asked)[-1], ev.ApprovalAsked)
