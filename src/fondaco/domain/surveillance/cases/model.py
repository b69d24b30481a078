"""Nouns of cases."""

from typing import Final, Literal

import msgspec

from fondaco.kernel.event import Instant, StreamId

PREFIX: Final = "cases/"
FIX_CASES: Final = StreamId(PREFIX + "fix")
ID_PREFIX: Final = "case-"
OPENS: Final = ("medium", "high", "critical")  # what is less joins a case that is open
CLOSED_KEPT: Final = 500  # in memory; the journal has them all
GATHERED_KEPT: Final = 200  # alerts of a case that are listed; the others are counted
NOTES_KEPT: Final = 500  # likewise what was written

SEVERITIES: Final = ("low", "medium", "high", "critical")
CaseState = Literal["open", "closed"]
Outcome = Literal["true_positive", "false_positive", "benign", "inconclusive", "duplicate"]


class Gathered(msgspec.Struct, frozen=True):
    """An alert of a case."""

    alert: str
    pattern: str
    title: str
    severity: str
    session: str
    at: Instant


class Note(msgspec.Struct, frozen=True):
    """What somebody did or wrote."""

    at: Instant
    by: str
    what: Literal["opened", "assigned", "commented", "closed", "reopened"]
    text: str


class AlertCase(msgspec.Struct):
    """`alerts` are the newest; `count` is of all. `severity` is the worst of them."""

    number: int
    subject: str
    title: str
    opened_at: Instant
    severity: str = "low"
    state: CaseState = "open"
    assignee: str = ""
    outcome: str = ""
    reason: str = ""
    closed_by: str = ""
    closed_at: Instant = Instant(0)
    count: int = 0
    alerts: dict[str, Gathered] = {}
    notes: list[Note] = []


class Cases(msgspec.Struct):
    """In the order in which they were opened; `open_of` has the open one of each subject."""

    last: int = 0
    cases: dict[int, AlertCase] = {}
    open_of: dict[str, int] = {}


def id_of(number: int) -> str:
    return f"{ID_PREFIX}{number}"


def number_of(case_id: str) -> int:
    """0 for what names none."""
    text = case_id.removeprefix(ID_PREFIX)
    fits = case_id.startswith(ID_PREFIX) and text.isascii() and text.isdecimal() and len(text) < 16
    return int(text) if fits else 0
