"""The journal as it may be looked at: a state as of any position, and entries as plain values."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final, TypeVar

import msgspec

from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Command, Entry, Event, StreamId
from fondaco.ports.journal import Journal

S = TypeVar("S")
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Refs)

_STEP: Final = 2_000
_EXACT_MAX: Final = 2**53  # beyond it half the world's JSON readers round


def entries_until(journal: Journal, stream: StreamId, position: int) -> Iterator[Entry]:
    """One stream's entries up to a position of the journal, lazily."""
    version = 0
    while entries := journal.read(stream, version, _STEP):
        for entry in entries:
            if entry.position > position:
                return
            yield entry
        version = entries[-1].version


def state_at(
    journal: Journal, decider: Decider[S, C, E, R], stream: StreamId, position: int
) -> tuple[S, int]:
    """The state of a stream as it was when the journal ended at `position`, and its version then.

    Raises `Invalid` for a position that is not there yet.
    """
    head = journal.head()
    if not 0 <= position <= head:
        raise Invalid(f"as_of is {position}, must be a position of the journal: 0 to {head}")
    state, version = decider.initial(stream), 0
    for entry in entries_until(journal, stream, position):
        state = decider.evolve(state, entry.event)  # type: ignore[arg-type]
        version = entry.version
    return state, version


def plain(value: Any) -> Any:
    """As JSON may hold it, with the names of fields; integers that JSON would round go as text."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int):
        return value if -_EXACT_MAX <= value <= _EXACT_MAX else str(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def kind_of(event: Event) -> str:
    return str(type(event).__struct_config__.tag)


def row_of(entry: Entry) -> dict[str, Any]:
    """An entry as a line of the journal is shown. `at` is text: nanoseconds need 61 bits."""
    return {
        "position": entry.position,
        "stream": entry.stream,
        "version": entry.version,
        "kind": kind_of(entry.event),
        "at": str(entry.at),
        "caused_by": entry.caused_by,
        "refs_version": entry.refs_version,
        "event": plain(entry.event),
    }


def tail(
    journal: Journal, after_position: int, limit: int, shows: Callable[[StreamId], bool]
) -> tuple[list[dict[str, Any]], int]:
    """Rows after a position of streams that the reader may see, and where to go on after them.

    Looks at a bounded number of entries: few rows, or none, need not mean that the end is reached.
    """
    entries = journal.follow(after_position, limit)
    rows = [row_of(entry) for entry in entries[:limit] if shows(entry.stream)]
    return rows, entries[:limit][-1].position if entries else after_position
