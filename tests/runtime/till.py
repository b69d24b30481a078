"""The smallest room there is, for tests of the loops: a till that never runs empty."""

from dataclasses import replace

import msgspec

from fondaco.kernel.codec import Codec
from fondaco.kernel.decider import Decider
from fondaco.kernel.event import (
    Command,
    CommandId,
    Event,
    Instant,
    StreamId,
    message_id,
    request_id,
)

T1, T2 = StreamId("till/1"), StreamId("till/2")


class Put(Command, frozen=True, gc=False):
    amount: int
    ticket: str = ""


class Took(Event, frozen=True, gc=False, array_like=True, tag="test.took.v1"):
    amount: int
    ticket: str = ""


class Declined(Event, frozen=True, gc=False, array_like=True, tag="test.declined.v1"):
    text: str


class Till(msgspec.Struct):
    total: int = 0
    count: int = 0


class Rates(msgspec.Struct, frozen=True):
    version: int = 7
    floor: int | None = 0


def decide(state: Till, command: Put, refs: Rates) -> tuple[Took | Declined, ...]:
    if state.total + command.amount < refs.floor:  # type: ignore[operator]
        return (Declined(f"{state.total} is there, {-command.amount} was asked"),)
    return (Took(command.amount, command.ticket),)


def evolve(state: Till, event: Took | Declined) -> Till:
    state.count += 1
    if isinstance(event, Took):
        state.total += event.amount
    return state


def _asked(command: Put) -> tuple[str, ...]:
    return (command.ticket,) if command.ticket else ()


def _used(event: Took | Declined) -> tuple[str, ...]:
    return (event.ticket,) if isinstance(event, Took) and event.ticket else ()


law = Decider(lambda _: Till(), decide, evolve, Till)
ticketed = replace(law, keys_asked=_asked, keys_used=_used)
CODEC = Codec(Took | Declined)


def put(amount: int = 1, key: str = "k1", *, ticket: str = "", content: str = "") -> Put:
    return Put(request_id(key, content or f"{amount}{ticket}"), Instant(1), amount, ticket)


def told(source: StreamId, version: int, amount: int = 1) -> Put:
    return Put(message_id(source, version), Instant(1), amount)


def timer(amount: int = 1) -> Put:
    return Put(CommandId("timer/1"), Instant(1), amount)
