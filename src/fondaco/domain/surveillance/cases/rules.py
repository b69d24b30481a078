"""The law of cases: a subject has at most one that is open, and its alerts go there. Pure."""

from collections.abc import Callable
from typing import Any, Final

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
from fondaco.domain.surveillance.cases.model import (
    CLOSED_KEPT,
    GATHERED_KEPT,
    NOTES_KEPT,
    OPENS,
    SEVERITIES,
    AlertCase,
    Cases,
    Gathered,
    Note,
    id_of,
)
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import StreamId


def initial(_: StreamId) -> Cases:
    return Cases()


def decide(state: Cases, command: CaseCommand, _: Refs) -> tuple[CaseEvent, ...]:
    if isinstance(command, GatherAlert):
        return _gathered(state, command)
    case = state.cases.get(command.number)
    denied = _denied(state, case, command)
    if denied is not None or case is None:
        return (denied or _deny(command, "unknown_case", "there is no such case"),)
    at, by = command.at, command.by
    match command:
        case AssignCase():
            return (CaseAssigned(command.number, command.to, by, at),)
        case CommentCase():
            return (CaseCommented(command.number, command.text, by, at),)
        case CloseCase():
            return (CaseClosed(command.number, command.outcome, command.reason, by, at),)
        case ReopenCase():
            return (CaseReopened(command.number, command.reason, by, at),)


def _gathered(state: Cases, alert: GatherAlert) -> tuple[CaseEvent, ...]:
    number = state.open_of.get(alert.subject)
    known = state.cases[number].alerts.get(alert.alert) if number is not None else None
    is_same = known is not None and _rank(known.severity) >= _rank(alert.severity)
    if is_same or (number is None and alert.severity not in OPENS):
        return (AlertSetAside(alert.alert, alert.severity),)
    found: tuple[CaseEvent, ...] = ()
    if number is None:
        number = state.last + 1
        found = (CaseOpened(number, alert.subject, alert.title, alert.at),)
    return (
        *found,
        AlertGathered(
            number,
            alert.alert,
            alert.pattern,
            alert.title,
            alert.severity,
            alert.session,
            alert.alerted_at,
        ),
    )


_Asked = AssignCase | CommentCase | CloseCase | ReopenCase


def _denied(state: Cases, case: AlertCase | None, command: _Asked) -> CaseDenied | None:
    """A comment may be added to what is closed; all else needs what is open, or closed."""
    name = id_of(command.number)
    if case is None:
        return _deny(command, "unknown_case", f"there is no {name}")
    if isinstance(command, ReopenCase):
        if case.state == "open":
            return _deny(command, "case_open", f"{name} is open already")
        other = state.open_of.get(case.subject)
        if other is not None:
            text = f"{case.subject} has another case that is open, {id_of(other)}: go on there"
            return _deny(command, "another_open", text)
    elif case.state == "closed" and not isinstance(command, CommentCase):
        text = f"{name} was closed by {case.closed_by} as {case.outcome}: reopen it first"
        return _deny(command, "case_closed", text)
    return None


def _deny(command: _Asked, code: str, text: str) -> CaseDenied:
    return CaseDenied(command.number, code, text, command.by)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


def evolve(state: Cases, event: CaseEvent) -> Cases:
    _EVOLVED[type(event)](state, event)
    return state


def _on_opened(state: Cases, event: CaseOpened) -> None:
    case = AlertCase(event.number, event.subject, event.title, event.at)
    state.last = event.number
    state.cases[event.number] = case
    state.open_of[event.subject] = event.number
    case.notes.append(Note(event.at, "", "opened", event.title))
    closed = [number for number, each in state.cases.items() if each.state == "closed"]
    for number in closed[: max(len(closed) - CLOSED_KEPT, 0)]:
        del state.cases[number]


def _on_gathered(state: Cases, event: AlertGathered) -> None:
    case = state.cases[event.number]
    case.count += event.alert not in case.alerts
    case.alerts.pop(event.alert, None)
    case.alerts[event.alert] = Gathered(
        event.alert, event.pattern, event.title, event.severity, event.session, event.at
    )
    if len(case.alerts) > GATHERED_KEPT:
        del case.alerts[next(iter(case.alerts))]
    if _rank(event.severity) > _rank(case.severity):
        case.severity = event.severity


def _on_assigned(state: Cases, event: CaseAssigned) -> None:
    case = state.cases[event.number]
    case.assignee = event.to
    _note(case, Note(event.at, event.by, "assigned", event.to))


def _on_commented(state: Cases, event: CaseCommented) -> None:
    _note(state.cases[event.number], Note(event.at, event.by, "commented", event.text))


def _on_closed(state: Cases, event: CaseClosed) -> None:
    case = state.cases[event.number]
    case.state, case.outcome, case.reason = "closed", event.outcome, event.reason
    case.closed_by, case.closed_at = event.by, event.at
    state.open_of.pop(case.subject, None)
    _note(case, Note(event.at, event.by, "closed", f"{event.outcome}: {event.reason}"))


def _on_reopened(state: Cases, event: CaseReopened) -> None:
    case = state.cases[event.number]
    case.state, case.outcome, case.reason, case.closed_by = "open", "", "", ""
    state.open_of[case.subject] = case.number
    _note(case, Note(event.at, event.by, "reopened", event.reason))


def _note(case: AlertCase, note: Note) -> None:
    case.notes.append(note)
    del case.notes[: max(len(case.notes) - NOTES_KEPT, 0)]


def _on_nothing(_: Cases, __: AlertSetAside | CaseDenied) -> None:
    """The trace that a command left."""


_EVOLVED: Final[dict[type, Callable[[Cases, Any], None]]] = {
    CaseOpened: _on_opened,
    AlertGathered: _on_gathered,
    AlertSetAside: _on_nothing,
    CaseAssigned: _on_assigned,
    CaseCommented: _on_commented,
    CaseClosed: _on_closed,
    CaseReopened: _on_reopened,
    CaseDenied: _on_nothing,
}

decider: Final = Decider(initial, decide, evolve, Cases)
