"""The laws of the stream that keeps which standing checks fail: once when one fails, once when it
holds again. Whoever checks may tell as often as they like."""

from collections.abc import Callable
from typing import Any, Final

from fondaco.domain.ledger.events import (
    CheckCleared,
    CheckFailed,
    ChecksEvent,
    ChecksUnchanged,
    RecordChecks,
)
from fondaco.domain.ledger.model import ChecksState
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import StreamId


def initial(_: StreamId) -> ChecksState:
    """Nothing has failed yet."""
    return ChecksState()


def decide(state: ChecksState, command: RecordChecks, _: Refs) -> tuple[ChecksEvent, ...]:
    """What is news in what was found. A check that was not made stays as it was."""
    events: list[ChecksEvent] = []
    for found in command.found:
        if found.wrong and found.name not in state.failing:
            events.append(CheckFailed(found.name, found.wrong, command.position))
        elif not found.wrong and found.name in state.failing:
            events.append(CheckCleared(found.name, command.position))
    return tuple(events) or (ChecksUnchanged(command.position),)


def evolve(state: ChecksState, event: ChecksEvent) -> ChecksState:
    _EVOLVED[type(event)](state, event)
    return state


def _on_failed(state: ChecksState, event: CheckFailed) -> None:
    state.failing[event.name] = event.wrong


def _on_cleared(state: ChecksState, event: CheckCleared) -> None:
    state.failing.pop(event.name, None)


def _on_nothing(_: ChecksState, __: ChecksUnchanged) -> None:
    """The trace that a command left."""


_EVOLVED: Final[dict[type, Callable[[ChecksState, Any], None]]] = {
    CheckFailed: _on_failed,
    CheckCleared: _on_cleared,
    ChecksUnchanged: _on_nothing,
}

decider: Final = Decider(initial, decide, evolve, ChecksState)
