"""A room as it presents itself to app.py."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fondaco.kernel.decider import Decider
from fondaco.kernel.event import Command, Entry, Event, Instant, StreamId
from fondaco.kernel.operation import Operation

Message: TypeAlias = tuple[StreamId, Command]
# An entry, and when those who are told hear of it.
Policy: TypeAlias = Callable[[Entry, Instant], Iterable[Message]]


@dataclass(frozen=True, slots=True)
class Room:
    """`policies` are looked up by the type of the event; `kinds` are the events that it writes."""

    name: str
    prefix: str = ""  # of its streams: "account/"
    decider: Decider[Any, Any, Any, Any] | None = None
    policies: dict[type[Event], tuple[Policy, ...]] = field(default_factory=dict)
    operations: tuple[Operation[Any, Any], ...] = ()
    kinds: tuple[type[Event], ...] = ()
