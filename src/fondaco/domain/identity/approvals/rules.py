"""The law of four eyes. A person is a user, whichever of their keys or sessions they come with."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from fondaco.domain.identity.approvals import agents
from fondaco.domain.identity.approvals.events import (
    AgentAllowed,
    AgentAsked,
    AgentRefused,
    AgentStarted,
    AgentStopped,
    ApprovalAsked,
    ApprovalCommand,
    ApprovalDenied,
    ApprovalEvent,
    ApprovalExecuted,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRejected,
    ApprovalUnchanged,
    Approve,
    AskApproval,
    BeginImpersonation,
    BreakGlass,
    EndImpersonation,
    ExpireApprovals,
    GlassBroken,
    GlassReviewed,
    ImpersonationBegun,
    ImpersonationEnded,
    NoteExecution,
    Reject,
    ReviewGlass,
)
from fondaco.domain.identity.approvals.model import (
    CLOSED_KEPT,
    WAITING_MAX,
    Approvals,
    Case,
    Glass,
    id_of,
    open_glass,
    unreviewed,
)
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import Instant, StreamId

# Why something is denied; what each means is on the doors' page of errors.
DENIALS: Final = frozenset(
    {
        "unknown_approval",
        "not_waiting",
        "own_approval",
        "own_review",
        "own_name",
        "glass_unreviewed",
        "too_many_waiting",
        "already_reviewed",
        "already_waiting",
        "own_agent",
        "too_many_agents",
    }
)


def initial(_: StreamId) -> Approvals:
    return Approvals()


def decide(state: Approvals, command: ApprovalCommand, _: Refs) -> tuple[ApprovalEvent, ...]:
    """What has expired meanwhile expires first, so that nobody approves it any more."""
    expired = tuple(_due(state, command.at))
    gone = frozenset(event.number for event in expired)
    match command:
        case AskApproval():
            return (*expired, *_asked(state, command, len(gone)))
        case Approve():
            return (*expired, _approved(state, command, gone))
        case Reject():
            return (*expired, _rejected(state, command, gone))
        case NoteExecution():
            return (*expired, _executed(state, command))
        case BreakGlass():
            return (*expired, _broken(state, command))
        case ReviewGlass():
            return (*expired, _reviewed(state, command))
        case BeginImpersonation():
            return (*expired, _begun(state, command))
        case EndImpersonation():
            return (*expired, _ended(state, command))
        case ExpireApprovals():
            return expired or (ApprovalUnchanged(),)
        case _:
            return (*expired, *agents.decided(state, command, gone))


def _due(state: Approvals, at: Instant) -> Iterator[ApprovalExpired]:
    for case in state.cases.values():
        if case.state == "waiting" and at >= case.expires_at:
            yield ApprovalExpired(case.number)


def _asked(state: Approvals, ask: AskApproval, gone: int) -> Iterator[ApprovalEvent]:
    cases = state.cases.values()
    waiting = sum(case.state == "waiting" and not case.is_agents for case in cases) - gone
    glass = open_glass(state, ask.user, ask.at)
    if waiting >= WAITING_MAX and not (ask.alone or glass):
        text = f"{waiting} operations wait for a second person, at most {WAITING_MAX} may"
        yield ApprovalDenied(0, ask.user, ask.by, "too_many_waiting", text)
        return
    number = state.last + 1
    yield ApprovalAsked(
        number,
        ask.operation,
        ask.request,
        ask.scope,
        ask.account,
        ask.user,
        ask.by,
        ask.at,
        ask.expires_at,
    )
    if ask.alone:
        how, reason, of = "alone", ask.alone, 0
    elif glass is not None:
        how, reason, of = "glass", glass.reason, glass.number
    else:
        return
    yield ApprovalGranted(number, how, ask.user, ask.by, reason, ask.at, of, ask.by)


def _waiting(
    state: Approvals, command: Approve | Reject, gone: frozenset[int]
) -> Case | ApprovalDenied:
    """The case, where this person may decide it now."""

    def denied(code: str, text: str) -> ApprovalDenied:
        return ApprovalDenied(command.number, command.user, command.by, code, text)

    name = id_of(command.number)
    case = state.cases.get(command.number)
    if case is None:
        return denied("unknown_approval", f"there is no {name}")
    if case.user == command.user:
        return denied(
            "own_approval",
            f"{name} was asked by {case.by}: somebody other than {case.user} must decide it",
        )
    if isinstance(command, Approve) and not command.alone and command.by in state.agents:
        text = f"{name}: {command.by} is an agent's key, and agents agree to nothing"
        return denied("own_approval", text)
    if case.state != "waiting" or command.number in gone:
        now = "expired" if command.number in gone else case.state
        return denied("not_waiting", f"{name} waits for nobody: it is {now}")
    return case


def _approved(state: Approvals, command: Approve, gone: frozenset[int]) -> ApprovalEvent:
    case = _waiting(state, command, gone)
    if isinstance(case, ApprovalDenied):
        return case
    return ApprovalGranted(
        case.number, "second", command.user, command.by, command.reason, command.at, 0, case.by
    )


def _rejected(state: Approvals, command: Reject, gone: frozenset[int]) -> ApprovalEvent:
    case = _waiting(state, command, gone)
    if isinstance(case, ApprovalDenied):
        return case
    return ApprovalRejected(case.number, command.user, command.by, command.reason, command.at)


def _executed(state: Approvals, command: NoteExecution) -> ApprovalEvent:
    case = state.cases.get(command.number)
    if case is None or case.state != "approved":
        return ApprovalUnchanged()
    return ApprovalExecuted(command.number, command.error)


def _broken(state: Approvals, command: BreakGlass) -> ApprovalEvent:
    return _unreviewed(state, command) or GlassBroken(
        state.last + 1, command.user, command.by, command.reason, command.at, command.until
    )


def _unreviewed(
    state: Approvals, command: BreakGlass | BeginImpersonation
) -> ApprovalDenied | None:
    before = unreviewed(state, command.user)
    if before is None:
        return None
    text = f"{id_of(before.number)}, broken by {before.by}, waits for somebody else's review"
    return ApprovalDenied(0, command.user, command.by, "glass_unreviewed", text)


def _begun(state: Approvals, command: BeginImpersonation) -> ApprovalEvent:
    if command.as_user == command.user:
        text = f"{command.user} needs no glass to be {command.user}"
        return ApprovalDenied(0, command.user, command.by, "own_name", text)
    return _unreviewed(state, command) or ImpersonationBegun(
        state.last + 1, command.user, command.by, command.as_user, command.reason, command.at,
        command.until,
    )  # fmt: skip


def _ended(state: Approvals, command: EndImpersonation) -> ApprovalEvent:
    glass = state.glasses.get(command.number)
    if glass is None or not glass.as_user:
        text = f"nobody asks in somebody else's name as {id_of(command.number)}"
        return ApprovalDenied(command.number, command.user, command.by, "unknown_approval", text)
    if glass.verdict or command.at >= glass.until:
        return ApprovalUnchanged()
    return ImpersonationEnded(command.number, command.user, command.by, command.at)


def _reviewed(state: Approvals, command: ReviewGlass) -> ApprovalEvent:
    def denied(code: str, text: str) -> ApprovalDenied:
        return ApprovalDenied(command.number, command.user, command.by, code, text)

    name, glass = id_of(command.number), state.glasses.get(command.number)
    if glass is None:
        return denied("unknown_approval", f"no glass was broken as {name}")
    if glass.user == command.user:
        text = f"{name} was broken by {glass.by}: somebody other than {glass.user} must review it"
        return denied("own_review", text)
    if glass.verdict:
        return denied("already_reviewed", f"{name} was reviewed by {glass.reviewed_by}")
    return GlassReviewed(
        command.number, command.user, command.by, command.verdict, command.said, command.at
    )


def evolve(state: Approvals, event: ApprovalEvent) -> Approvals:
    state.version += 1
    _EVOLVED[type(event)](state, event)
    return state


def _on_asked(state: Approvals, event: ApprovalAsked) -> None:
    state.last = event.number
    state.cases[event.number] = Case(
        event.number,
        event.operation,
        event.request,
        event.scope,
        event.account,
        event.user,
        event.by,
        event.asked_at,
        event.expires_at,
    )
    closed = [number for number, case in state.cases.items() if case.is_closed]
    for number in closed[: max(len(closed) - CLOSED_KEPT, 0)]:
        del state.cases[number]


def _on_granted(state: Approvals, event: ApprovalGranted) -> None:
    case = state.cases[event.number]
    case.state, case.how, case.glass = "approved", event.how, event.glass  # type: ignore[assignment]
    case.version = state.version
    _decided(case, event)
    if event.how == "budget":
        agents.spend(state, case)


def _on_rejected(state: Approvals, event: ApprovalRejected) -> None:
    case = state.cases[event.number]
    case.state = "rejected"
    _decided(case, event)


def _decided(case: Case, event: ApprovalGranted | ApprovalRejected) -> None:
    case.decided_user, case.decided_by = event.user, event.by
    case.decided_at, case.reason = event.at, event.reason


def _on_expired(state: Approvals, event: ApprovalExpired) -> None:
    state.cases[event.number].state = "expired"


def _on_executed(state: Approvals, event: ApprovalExecuted) -> None:
    case = state.cases[event.number]
    case.state, case.error = ("failed" if event.error else "executed"), event.error
    if event.error and case.how == "budget":
        agents.give_back(state, case)


def _on_broken(state: Approvals, event: GlassBroken) -> None:
    state.last = event.number
    state.glasses[event.number] = Glass(
        event.number, event.user, event.by, event.reason, event.at, event.until
    )
    closed = [number for number, glass in state.glasses.items() if glass.verdict]
    for number in closed[: max(len(closed) - CLOSED_KEPT, 0)]:
        del state.glasses[number]


def _on_begun(state: Approvals, event: ImpersonationBegun) -> None:
    state.last = event.number
    state.glasses[event.number] = Glass(
        event.number, event.user, event.by, event.reason, event.at, event.until,
        as_user=event.as_user,
    )  # fmt: skip


def _on_ended(state: Approvals, event: ImpersonationEnded) -> None:
    state.glasses[event.number].until = event.at


def _on_reviewed(state: Approvals, event: GlassReviewed) -> None:
    """Whoever has broken it needs a second person again from here on."""
    glass = state.glasses[event.number]
    glass.verdict, glass.said = event.verdict, event.said
    glass.reviewed_by, glass.reviewed_at = event.by, event.at


def _on_nothing(_: Approvals, __: ApprovalDenied | ApprovalUnchanged) -> None:
    """The trace that a command left."""


_EVOLVED: Final[dict[type, Callable[[Approvals, Any], None]]] = {
    ApprovalAsked: _on_asked,
    ApprovalGranted: _on_granted,
    ApprovalRejected: _on_rejected,
    ApprovalExpired: _on_expired,
    ApprovalExecuted: _on_executed,
    ApprovalDenied: _on_nothing,
    GlassBroken: _on_broken,
    GlassReviewed: _on_reviewed,
    ApprovalUnchanged: _on_nothing,
    AgentAsked: agents.on_asked,
    AgentRefused: agents.on_refused,
    AgentAllowed: agents.on_allowed,
    AgentStopped: agents.on_stopped,
    AgentStarted: agents.on_started,
    ImpersonationBegun: _on_begun,
    ImpersonationEnded: _on_ended,
}

decider: Final = Decider(initial, decide, evolve, Approvals)
