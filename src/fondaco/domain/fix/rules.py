"""The law of a FIX session's stream: what operators ordered. Whoever runs it carries it out."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from fondaco.domain.fix.events import (
    NoteLogoff,
    NoteLogon,
    SequenceSet,
    SessionCommand,
    SessionEvent,
    SessionLoggedOff,
    SessionLoggedOn,
    SessionStarted,
    SessionStopped,
    SessionUnchanged,
    SetSequence,
    StartSession,
    StopSession,
)
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import StreamId

PREFIX: Final = "fix/"


class SessionOrders(msgspec.Struct):
    """What is in force. `orders` counts how often numbers were set: the tape knows how many of
    these it has carried out."""

    is_stopped: bool = False
    is_up: bool = False
    orders: int = 0
    next_out: int = 1  # as they were set last
    next_in: int = 1
    reason: str = ""  # of what an operator did last
    by: str = ""


def initial(_: StreamId) -> SessionOrders:
    """Nobody has ordered anything: the session may run."""
    return SessionOrders()


def decide(state: SessionOrders, command: SessionCommand, _: Refs) -> tuple[SessionEvent, ...]:
    return (_decided(state, command),)


def _decided(state: SessionOrders, command: SessionCommand) -> SessionEvent:
    match command:
        case SetSequence():
            return SequenceSet(
                command.next_out,
                command.next_in,
                command.was_out,
                command.was_in,
                command.reason,
                command.by,
            )
        case StopSession() if not state.is_stopped:
            return SessionStopped(command.reason, command.by)
        case StartSession() if state.is_stopped:
            return SessionStarted(command.reason, command.by)
        case NoteLogon():
            return SessionLoggedOn(command.peer, command.next_out, command.next_in)
        case NoteLogoff() if state.is_up:
            return SessionLoggedOff(command.reason, command.next_out, command.next_in)
    return SessionUnchanged()


def evolve(state: SessionOrders, event: SessionEvent) -> SessionOrders:
    _EVOLVED[type(event)](state, event)
    return state


def _on_set(state: SessionOrders, event: SequenceSet) -> None:
    state.orders += 1
    state.next_out, state.next_in = event.next_out, event.next_in
    state.reason, state.by = event.reason, event.by


def _on_stopped(state: SessionOrders, event: SessionStopped) -> None:
    state.is_stopped, state.reason, state.by = True, event.reason, event.by


def _on_started(state: SessionOrders, event: SessionStarted) -> None:
    state.is_stopped, state.reason, state.by = False, event.reason, event.by


def _on_up(state: SessionOrders, _: SessionLoggedOn) -> None:
    state.is_up = True


def _on_down(state: SessionOrders, _: SessionLoggedOff) -> None:
    state.is_up = False


def _on_nothing(_: SessionOrders, __: SessionUnchanged) -> None:
    """The trace that a command left."""


_EVOLVED: Final[dict[type, Callable[[SessionOrders, Any], None]]] = {
    SequenceSet: _on_set,
    SessionStopped: _on_stopped,
    SessionStarted: _on_started,
    SessionLoggedOn: _on_up,
    SessionLoggedOff: _on_down,
    SessionUnchanged: _on_nothing,
}

decider: Final = Decider(initial, decide, evolve, SessionOrders)
