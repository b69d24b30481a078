"""Four eyes as a law: whatever anybody asks in whatever order, one person is never enough."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.identity.approvals import events as ev
from fondaco.domain.identity.approvals.model import WAITING_MAX, Approvals, open_lent, stream_of
from fondaco.domain.identity.approvals.rules import DENIALS, decider
from fondaco.gateway.errors import MEANINGS
from fondaco.kernel.event import CommandId, Instant

PEOPLE = ("ada", "bob", "eve")
KEYS = ("laptop", "phone")
ID = CommandId("c")


@dataclass(frozen=True)
class Edition:
    version: int = 0


def tell(state: Approvals, command: Any) -> list[Any]:
    events = decider.decide(state, command, Edition())
    assert events, "every command leaves a trace"
    for event in events:
        decider.evolve(state, event)
    return list(events)


def ask(at: int, user: str = "ada", key: str = "laptop", ttl: int = 100, alone: str = "") -> Any:
    return ev.AskApproval(
        ID, Instant(at), "risk.set_limits", "{}", "limits:write", "", user, f"{user}/{key}",
        Instant(at + ttl), alone,
    )  # fmt: skip


def approve(at: int, number: int, user: str, key: str = "laptop") -> Any:
    return ev.Approve(ID, Instant(at), number, user, f"{user}/{key}", "looked at it")


def reject(at: int, number: int, user: str) -> Any:
    return ev.Reject(ID, Instant(at), number, user, f"{user}/laptop", "looked at it")


def break_glass(at: int, user: str, for_: int = 10) -> Any:
    return ev.BreakGlass(ID, Instant(at), user, f"{user}/laptop", "fire", Instant(at + for_))


def review(at: int, number: int, user: str) -> Any:
    return ev.ReviewGlass(ID, Instant(at), number, user, f"{user}/phone", "justified", "it burned")


def lend(at: int, user: str, as_user: str, for_: int = 10) -> Any:
    until = Instant(at + for_)
    return ev.BeginImpersonation(
        ID, Instant(at), user, f"{user}/laptop", as_user, "she is away", until
    )


def end_lent(at: int, number: int, user: str) -> Any:
    return ev.EndImpersonation(ID, Instant(at), number, user, f"{user}/laptop")


people, numbers = st.sampled_from(PEOPLE), st.integers(1, 8)
acts = st.one_of(
    st.builds(lambda u, k, t: lambda at: ask(at, u, k, t), people, st.sampled_from(KEYS),
              st.integers(1, 60)),
    st.builds(lambda n, u, k: lambda at: approve(at, n, u, k), numbers, people,
              st.sampled_from(KEYS)),
    st.builds(lambda n, u: lambda at: reject(at, n, u), numbers, people),
    st.builds(lambda n: lambda at: ev.NoteExecution(ID, Instant(at), n, ""), numbers),
    st.builds(lambda u, f: lambda at: break_glass(at, u, f), people, st.integers(1, 40)),
    st.builds(lambda n, u: lambda at: review(at, n, u), numbers, people),
    st.just(lambda at: ev.ExpireApprovals(ID, Instant(at))),
    st.builds(lambda u, o, f: lambda at: lend(at, u, o, f), people, people, st.integers(1, 40)),
    st.builds(lambda n, u: lambda at: end_lent(at, n, u), numbers, people),
)  # fmt: skip


class Witness:
    """Remembers what was said, and finds it right or wrong by what four eyes promise."""

    def __init__(self) -> None:
        self.asked: dict[int, ev.ApprovalAsked] = {}
        self.ended: dict[int, str] = {}
        self.glasses: dict[int, ev.GlassBroken] = {}
        self.lent: dict[int, ev.ImpersonationBegun] = {}
        self.reviewed: set[int] = set()

    @property
    def all_glasses(self) -> dict[int, Any]:
        return {**self.glasses, **self.lent}

    def see(self, event: Any, at: int) -> None:
        told: dict[Any, Callable[[Any, int], None]] = {
            ev.ApprovalAsked: self.on_asked,
            ev.ApprovalGranted: self.on_granted,
            ev.ApprovalRejected: self.on_rejected,
            ev.ApprovalExpired: self.on_expired,
            ev.ApprovalExecuted: self.on_executed,
            ev.GlassBroken: self.on_broken,
            ev.GlassReviewed: self.on_reviewed,
            ev.ImpersonationBegun: self.on_begun,
            ev.ImpersonationEnded: self.on_ended,
            ev.ApprovalDenied: self.on_denied,
            ev.ApprovalUnchanged: lambda _, __: None,
        }
        told[type(event)](event, at)

    def end(self, number: int, how: str) -> None:
        assert number not in self.ended, "decided once"
        self.ended[number] = how

    def on_asked(self, event: ev.ApprovalAsked, _: int) -> None:
        assert event.number not in {**self.asked, **self.glasses}
        self.asked[event.number] = event

    def on_granted(self, event: ev.ApprovalGranted, at: int) -> None:
        case = self.asked[event.number]
        assert at < case.expires_at
        self.end(event.number, "granted")
        if event.how == "second":
            assert event.user != case.user
            return
        assert event.how == "glass"
        glass = self.glasses[event.glass]
        assert glass.user == case.user
        assert at < glass.until
        assert event.glass not in self.reviewed

    def on_begun(self, event: ev.ImpersonationBegun, _: int) -> None:
        assert event.user != event.as_user
        assert event.number not in {**self.asked, **self.glasses, **self.lent}
        open_ = self.all_glasses.items()
        assert all(n in self.reviewed for n, each in open_ if each.user == event.user)
        self.lent[event.number] = event

    def on_ended(self, event: ev.ImpersonationEnded, at: int) -> None:
        assert at < self.lent[event.number].until
        assert event.number not in self.reviewed

    def on_denied(self, event: ev.ApprovalDenied, _: int) -> None:
        assert event.code in DENIALS

    def on_rejected(self, event: ev.ApprovalRejected, _: int) -> None:
        assert event.user != self.asked[event.number].user
        self.end(event.number, "rejected")

    def on_expired(self, event: ev.ApprovalExpired, at: int) -> None:
        assert at >= self.asked[event.number].expires_at
        self.end(event.number, "expired")

    def on_executed(self, event: ev.ApprovalExecuted, _: int) -> None:
        assert self.ended[event.number] == "granted"
        self.ended[event.number] = "executed"

    def on_broken(self, event: ev.GlassBroken, _: int) -> None:
        open_ = self.all_glasses.items()
        mine = {n for n, each in open_ if each.user == event.user}
        assert mine <= self.reviewed, "the last one was reviewed"
        self.glasses[event.number] = event

    def on_reviewed(self, event: ev.GlassReviewed, _: int) -> None:
        assert event.user != self.all_glasses[event.number].user
        assert event.number not in self.reviewed
        self.reviewed.add(event.number)


@given(st.lists(st.tuples(acts, st.integers(0, 15)), max_size=40))
def test_nobody_does_both_halves_and_everything_is_done_once(steps: list[Any]) -> None:
    state, at, witness = decider.initial(stream_of("acme")), 0, Witness()
    for act, later in steps:
        at += later
        for event in tell(state, act(at)):
            witness.see(event, at)


@pytest.mark.parametrize(
    ("before", "command", "code"),
    [
        ((ask(1),), approve(2, 1, "ada", "laptop"), "own_approval"),
        ((ask(1),), approve(2, 1, "ada", "phone"), "own_approval"),
        ((ask(1),), reject(2, 1, "ada"), "own_approval"),
        ((ask(1),), approve(101, 1, "bob"), "not_waiting"),
        ((ask(1), reject(2, 1, "bob")), approve(3, 1, "eve"), "not_waiting"),
        ((ask(1), approve(2, 1, "bob")), approve(3, 1, "eve"), "not_waiting"),
        ((), approve(1, 1, "bob"), "unknown_approval"),
        ((break_glass(1, "ada"),), break_glass(90, "ada"), "glass_unreviewed"),
        ((break_glass(1, "ada"),), review(2, 1, "ada"), "own_review"),
        ((break_glass(1, "ada"), review(2, 1, "bob")), review(3, 1, "eve"), "already_reviewed"),
        ((ask(1),), review(2, 1, "bob"), "unknown_approval"),
        ((), lend(1, "ada", "ada"), "own_name"),
        ((lend(1, "ada", "bob"),), lend(90, "ada", "bob"), "glass_unreviewed"),
        ((lend(1, "ada", "bob"),), break_glass(90, "ada"), "glass_unreviewed"),
        ((break_glass(1, "ada"),), lend(90, "ada", "bob"), "glass_unreviewed"),
        ((lend(1, "ada", "bob"),), review(2, 1, "ada"), "own_review"),
        ((break_glass(1, "ada"),), end_lent(2, 1, "ada"), "unknown_approval"),
        (tuple(ask(1) for _ in range(WAITING_MAX)), ask(2, "bob"), "too_many_waiting"),
    ],
)
def test_what_is_denied(before: tuple[Any, ...], command: Any, code: str) -> None:
    state = decider.initial(stream_of("acme"))
    for each in before:
        tell(state, each)
    denied = tell(state, command)[-1]
    assert isinstance(denied, ev.ApprovalDenied)
    assert denied.code == code


def test_another_s_name_is_nobody_s_second_person() -> None:
    state = decider.initial(stream_of("acme"))
    tell(state, lend(0, "ada", "bob", 10))
    assert [type(each) for each in tell(state, ask(1))] == [ev.ApprovalAsked], "as without it"
    assert open_lent(state, 1, Instant(9)) is not None
    assert open_lent(state, 1, Instant(10)) is None, "it ends by itself"
    assert [type(each) for each in tell(state, end_lent(2, 1, "bob"))] == [ev.ImpersonationEnded]
    assert open_lent(state, 1, Instant(3)) is None
    assert [type(each) for each in tell(state, end_lent(3, 1, "bob"))] == [ev.ApprovalUnchanged]
    tell(state, review(4, 1, "eve"))
    assert type(tell(state, lend(5, "ada", "bob"))[-1]) is ev.ImpersonationBegun


def test_glass_lets_its_person_act_until_its_time_is_over_or_somebody_has_reviewed() -> None:
    state = decider.initial(stream_of("acme"))
    tell(state, break_glass(0, "ada", 10))
    assert [type(each) for each in tell(state, ask(9))] == [ev.ApprovalAsked, ev.ApprovalGranted]
    assert [type(each) for each in tell(state, ask(10))] == [ev.ApprovalAsked]
    assert [type(each) for each in tell(state, ask(9, "bob"))] == [ev.ApprovalAsked]
    other = decider.initial(stream_of("acme"))
    tell(other, break_glass(0, "ada", 10))
    tell(other, review(1, 1, "bob"))
    assert [type(each) for each in tell(other, ask(2))] == [ev.ApprovalAsked]


def test_a_full_queue_takes_more_once_its_time_is_over() -> None:
    state = decider.initial(stream_of("acme"))
    for _ in range(WAITING_MAX):
        tell(state, ask(1))
    events = tell(state, ask(200, "bob"))
    assert isinstance(events[-1], ev.ApprovalAsked)
    assert sum(isinstance(each, ev.ApprovalExpired) for each in events) == WAITING_MAX


def test_every_denial_is_explained() -> None:
    assert MEANINGS.keys() >= DENIALS
