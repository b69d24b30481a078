"""The law of the records' stream: what the records tell is written down as it was told. Pure."""

from typing import Final

import msgspec

from fondaco.domain.identity.events import IdentityEvent
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import Command, StreamId


class Tell(Command, frozen=True, gc=False):
    """A change of the records that was committed with them. Its command id is its number there."""

    event: IdentityEvent


class Told(msgspec.Struct):
    """How much was told: the stream decides nothing, so it need know nothing else."""

    count: int = 0


def initial(_: StreamId) -> Told:
    return Told()


def decide(_: Told, command: Tell, __: Refs) -> tuple[IdentityEvent, ...]:
    return (command.event,)


def evolve(state: Told, _: IdentityEvent) -> Told:
    state.count += 1
    return state


decider: Final = Decider(initial, decide, evolve, Told)
