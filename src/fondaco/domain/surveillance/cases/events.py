"""What the journal keeps of cases: what was gathered, who did what, and what it was in the end."""

from typing import TypeAlias

from fondaco.kernel.event import Command, Event, Instant


class GatherAlert(Command, frozen=True, gc=False):
    """An alert that was raised, or has become more severe."""

    alert: str
    pattern: str
    title: str
    severity: str
    subject: str
    session: str
    alerted_at: Instant


class AssignCase(Command, frozen=True, gc=False):
    """`to` "" takes it from whoever has it."""

    number: int
    to: str
    by: str


class CommentCase(Command, frozen=True, gc=False):
    number: int
    text: str
    by: str


class CloseCase(Command, frozen=True, gc=False):
    number: int
    outcome: str
    reason: str
    by: str


class ReopenCase(Command, frozen=True, gc=False):
    number: int
    reason: str
    by: str


class CaseOpened(Event, frozen=True, gc=False, tag="cases.opened.v1"):
    """The alert that it was opened for follows as the first that was gathered."""

    number: int
    subject: str
    title: str
    at: Instant


class AlertGathered(Event, frozen=True, gc=False, tag="cases.alert_gathered.v1"):
    number: int
    alert: str
    pattern: str
    title: str
    severity: str
    session: str
    at: Instant


class AlertSetAside(Event, frozen=True, gc=False, tag="cases.alert_set_aside.v1"):
    """No case was opened: it is not severe enough, or the case has it so already."""

    alert: str
    severity: str


class CaseAssigned(Event, frozen=True, gc=False, tag="cases.assigned.v1"):
    number: int
    to: str
    by: str
    at: Instant


class CaseCommented(Event, frozen=True, gc=False, tag="cases.commented.v1"):
    number: int
    text: str
    by: str
    at: Instant


class CaseClosed(Event, frozen=True, gc=False, tag="cases.closed.v1"):
    """`outcome` is "true_positive", "false_positive", "benign", "inconclusive" or "duplicate"."""

    number: int
    outcome: str
    reason: str
    by: str
    at: Instant


class CaseReopened(Event, frozen=True, gc=False, tag="cases.reopened.v1"):
    number: int
    reason: str
    by: str
    at: Instant


class CaseDenied(Event, frozen=True, gc=False, tag="cases.denied.v1"):
    """Somebody asked what the case does not allow: `code` is "unknown_case", "case_closed",
    "case_open" or "another_open"."""

    number: int
    code: str
    text: str
    by: str


CaseCommand: TypeAlias = GatherAlert | AssignCase | CommentCase | CloseCase | ReopenCase
CaseEvent: TypeAlias = (
    CaseOpened
    | AlertGathered
    | AlertSetAside
    | CaseAssigned
    | CaseCommented
    | CaseClosed
    | CaseReopened
    | CaseDenied
)
