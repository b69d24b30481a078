"""What the journal keeps of a FIX session: what operators did to it, and when it was logged on.

Messages are the tape's. A session's stream is `fix/` and its name.
"""

from typing import TypeAlias

from fondaco.kernel.event import Command, Event


class SetSequence(Command, frozen=True, gc=False):
    """An operator sets the numbers that are sent and expected next. `was_out` and `was_in` are what
    they were when it was asked."""

    next_out: int
    next_in: int
    was_out: int
    was_in: int
    reason: str
    by: str


class StopSession(Command, frozen=True, gc=False):
    """Log it out, and let nobody log on."""

    reason: str
    by: str


class StartSession(Command, frozen=True, gc=False):
    reason: str
    by: str


class NoteLogon(Command, frozen=True, gc=False):
    peer: str
    next_out: int
    next_in: int


class NoteLogoff(Command, frozen=True, gc=False):
    reason: str
    next_out: int
    next_in: int


class SequenceSet(Event, frozen=True, gc=False, tag="fix.sequence_set.v1"):
    """An operator has set both numbers. They are in force once the session's tape says so too."""

    next_out: int
    next_in: int
    was_out: int
    was_in: int
    reason: str
    by: str


class SessionStopped(Event, frozen=True, gc=False, tag="fix.session_stopped.v1"):
    reason: str
    by: str


class SessionStarted(Event, frozen=True, gc=False, tag="fix.session_started.v1"):
    reason: str
    by: str


class SessionLoggedOn(Event, frozen=True, gc=False, tag="fix.session_logged_on.v1"):
    """Both sides have logged on; `peer` is the other side's address."""

    peer: str
    next_out: int
    next_in: int


class SessionLoggedOff(Event, frozen=True, gc=False, tag="fix.session_logged_off.v1"):
    reason: str
    next_out: int
    next_in: int


class SessionUnchanged(Event, frozen=True, gc=False, tag="fix.session_unchanged.v1"):
    """It was so already."""


SessionCommand: TypeAlias = SetSequence | StopSession | StartSession | NoteLogon | NoteLogoff
SessionEvent: TypeAlias = (
    SequenceSet
    | SessionStopped
    | SessionStarted
    | SessionLoggedOn
    | SessionLoggedOff
    | SessionUnchanged
)
