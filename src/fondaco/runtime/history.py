"""The journal as it may be looked at: a state as of any position, and entries as plain values."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import (
    MESSAGE_MARK,
    Command,
    CommandId,
    Entry,
    Event,
    Instant,
    StreamId,
    message_id,
)
from fondaco.ports.journal import Journal

S = TypeVar("S")
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Refs)

_STEP: Final = 2_000
_CHAIN_MAX: Final = 64  # causes behind each other; a chain is a handful
_LINKS_KEPT: Final = 20_000
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


class Window(NamedTuple):
    """Rows that were found, and the first and last position that was looked at for them."""

    rows: list[tuple[Entry, dict[str, Any]]]
    first: int
    last: int


def tail(
    journal: Journal,
    after_position: int,
    limit: int,
    shows: Callable[[Entry], bool],
    *,
    scan: int = 0,
) -> Window:
    """Rows after a position that `shows` says yes to, oldest first.

    Looks at `scan` entries at the most, or at `limit`: few rows, or none, need not mean that the
    end is reached.
    """
    looked = max(scan, limit)
    rows: list[tuple[Entry, dict[str, Any]]] = []
    last = after_position
    for entry in _some(journal, after_position, looked):
        last = entry.position
        if shows(entry):
            rows.append((entry, row_of(entry)))
            if len(rows) == limit:
                break
    return Window(rows, after_position + 1, last)


def tail_before(
    journal: Journal, before: int, limit: int, shows: Callable[[Entry], bool], *, scan: int = 0
) -> Window:
    """The newest rows below a position, oldest first; bounded as `tail` is."""
    until = min(before - 1, journal.head())
    lowest = max(until - max(scan, limit), 0)
    rows: list[tuple[Entry, dict[str, Any]]] = []
    at = until
    while at > lowest and len(rows) < limit:
        step = min(_STEP, at - lowest)
        for entry in reversed(journal.follow(at - step, step)):
            if entry.position > at:
                continue
            if entry.position <= at - step or len(rows) == limit:
                break
            if shows(entry):
                rows.append((entry, row_of(entry)))
        at -= step
    first = rows[-1][0].position if len(rows) == limit else at + 1
    return Window(rows[::-1], first, until)


def _some(journal: Journal, after_position: int, count: int) -> Iterator[Entry]:
    """Entries after a position, as many as `count`, a step at a time."""
    while count > 0:
        entries = journal.follow(after_position, min(count, _STEP))[:count]
        if not entries:
            return
        yield from entries
        count -= len(entries)
        after_position = entries[-1].position


class Link(NamedTuple):
    """What is needed of an entry that caused another."""

    stream: StreamId
    caused_by: CommandId
    at: Instant


class Origins:
    """Causes of entries, and where their chains began. Safe to ask from any thread; what was read
    once is remembered, for the entries of a page have few causes between them."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._known: dict[CommandId, Link | None] = {}

    def correlation(self, entry: Entry) -> str:
        """The same for everything that followed from one request, and for nothing else: the stream
        that was asked, and the id of what it was asked."""
        stream, caused_by = self.began(entry)
        return f"{stream}:{caused_by}"

    def began(self, entry: Entry) -> tuple[StreamId, CommandId]:
        """The stream that was asked at the beginning of its chain of causes, and what for."""
        stream, caused_by = entry.stream, entry.caused_by
        for _ in range(_CHAIN_MAX):
            link = self.cause(caused_by)
            if link is None:
                break
            stream, caused_by = link.stream, link.caused_by
        return stream, caused_by

    def cause(self, caused_by: CommandId) -> Link | None:
        """The entry that told the stream to do so; None for what no entry says."""
        source, mark, version = caused_by.rpartition(MESSAGE_MARK)
        if not mark or not (version.isascii() and version.isdecimal()):
            return None
        if caused_by not in self._known:
            found = self.journal.read(StreamId(source), int(version) - 1, 1)
            if len(self._known) > _LINKS_KEPT:
                self._known.clear()
            link = Link(found[0].stream, found[0].caused_by, found[0].at) if found else None
            self._known[caused_by] = link
            return link
        return self._known.get(caused_by)


def event_id(entry: Entry) -> str:
    """Unique, for good: what other entries name as their cause."""
    return str(message_id(entry.stream, entry.version))


def position_at(journal: Journal, at: Instant) -> int:
    """The last position that was recorded at `at` or before; 0: none was.

    Stamps of neighbours may differ by the time that a commit takes; no order is promised within it.
    """
    low, high = 0, journal.head()
    while low < high:
        middle = (low + high + 1) // 2
        entry = entry_at(journal, middle)
        if entry is not None and entry.at <= at:
            low = middle
        else:
            high = middle - 1
    return low


def entry_at(journal: Journal, position: int) -> Entry | None:
    found = journal.follow(position - 1, 1) if position > 0 else []
    return found[0] if found and found[0].position == position else None


def moments(journal: Journal, first: int, last: int, points: int) -> list[tuple[int, Instant]]:
    """Positions from `first` to `last`, evenly apart, each with the time at which it was recorded:
    what a slider draws its ticks and its density from."""
    if last < first:
        return []
    points = max(min(points, last - first + 1), 1)
    step = (last - first) / max(points - 1, 1)
    wanted = dict.fromkeys(first + round(nth * step) for nth in range(points))
    found = ((position, entry_at(journal, position)) for position in wanted)
    return [(position, entry.at) for position, entry in found if entry is not None]
