"""The law of a tenant's policies: versions follow each other, and none is ever changed. Pure."""

from typing import Final

from fondaco.domain.identity.policy.events import (
    PolicyEvent,
    PolicyPublished,
    PolicyUnchanged,
    PublishPolicy,
)
from fondaco.domain.identity.policy.model import KEPT, Version, Versions
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import StreamId


def initial(_: StreamId) -> Versions:
    return Versions()


def decide(state: Versions, command: PublishPolicy, _: Refs) -> tuple[PolicyEvent, ...]:
    """A version takes effect when it is published, at the earliest."""
    effective_at = max(command.effective_at, command.at)
    newest = state.items[-1] if state.items else None
    if (
        newest is not None
        and (newest.modules, newest.data) == (command.modules, command.data)
        and newest.effective_at <= effective_at
    ):
        return (PolicyUnchanged(newest.version),)
    return (
        PolicyPublished(
            state.last + 1,
            command.revision,
            command.modules,
            command.data,
            effective_at,
            command.at,
            command.by,
            command.note,
            command.like,
        ),
    )


def evolve(state: Versions, event: PolicyEvent) -> Versions:
    if isinstance(event, PolicyPublished):
        state.last = event.version
        made = Version(
            event.version,
            event.revision,
            event.modules,
            event.data,
            event.effective_at,
            event.at,
            event.by,
            event.note,
            event.like,
        )
        # What is published later goes before what was to take effect later than it.
        state.items = [each for each in state.items if each.effective_at <= event.effective_at]
        state.items = [*state.items[-KEPT + 1 :], made]
    return state


decider: Final = Decider(initial, decide, evolve, Versions)
