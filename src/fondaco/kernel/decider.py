"""A decider is the law of one kind of stream: three pure functions, run by any actor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from fondaco.kernel.event import Command, Event, StreamId


class Refs(Protocol):
    """Reference data and marks for a decision, put together by the shell before the turn."""

    @property
    def version(self) -> int:
        """Which edition this is; kept with every entry decided under it."""
        ...


S = TypeVar("S")
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Refs)


def no_keys(_: Any) -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True)
class Decider(Generic[S, C, E, R]):
    """`decide` never changes the state it is shown; only `evolve`, called by its owner, does.

    `decide` returns at least one event for every command, and `evolve` accepts every event that
    was ever written. `tests/properties` holds every decider to this.
    """

    initial: Callable[[StreamId], S]
    decide: Callable[[S, C, R], tuple[E, ...]]
    evolve: Callable[[S, E], S]
    state: type[S]  # what a snapshot holds
    # Names that may be used once in the life of a stream, such as a cl_ord_id. A command's own key
    # (`request_id`) is one anyway; these are the others.
    keys_asked: Callable[[C], Sequence[str]] = no_keys  # what a command wants to use
    keys_used: Callable[[E], Sequence[str]] = no_keys  # what an event has used up
