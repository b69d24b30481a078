"""What the house has said, so that it can be held to it: answers, and what it told on.

A promise that is broken raises `Broken`, with the name of the invariant.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from fondaco.kernel.errors import Conflict, FondacoError
from fondaco.kernel.event import (
    MESSAGE_MARK,
    REQUEST_MARK,
    Command,
    CommandId,
    Decision,
    Entry,
    Event,
    StreamId,
)
from fondaco.ports.journal import Journal

EVERYTHING: Final = 1 << 62


class Broken(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant
        self.text = text


def check(holds: object, invariant: str, text: str) -> None:
    if not holds:
        raise Broken(invariant, text)


class Witness:
    """Outlives every process of the house."""

    def __init__(self) -> None:
        self.answers: dict[tuple[StreamId, CommandId], tuple[Entry, ...]] = {}
        self.keys: dict[tuple[StreamId, str], CommandId] = {}  # of answers
        self.told: dict[int, Entry] = {}  # by position: what listeners were given
        self.told_to = 0

    def answered(
        self,
        stream: StreamId,
        command: Command,
        outcome: tuple[Entry, ...] | FondacoError,
        end: int,
    ) -> None:
        """An answer leaves the house, whose journal is durable up to `end`."""
        command_id = command.command_id
        key = command_id.rpartition(REQUEST_MARK)[0]
        first = self.answers.get((stream, command_id))
        if isinstance(outcome, FondacoError):
            self._failed(stream, command, outcome, first, key)
            return
        shown = f"{command_id} on {stream}"
        check(outcome, "an answer has entries", f"{shown} was answered with none")
        check(
            outcome[-1].position <= end,
            "no answer before its commit",
            f"{shown} was answered with position {outcome[-1].position}, the journal ends at {end}",
        )
        if first is not None:
            check(
                _places(first) == _places(outcome),
                "a retry gets the first answer",
                f"{shown} was answered with {_places(first)}, then with {_places(outcome)}",
            )
            return
        if key:
            other = self.keys.setdefault((stream, key), command_id)
            check(
                other == command_id,
                "a key is used once",
                f"{key} on {stream} was answered as {other} and as {command_id}",
            )
        self.answers[stream, command_id] = outcome

    def _failed(
        self,
        stream: StreamId,
        command: Command,
        error: FondacoError,
        first: tuple[Entry, ...] | None,
        key: str,
    ) -> None:
        if error.code == "key_reused":
            check(
                first is None,
                "a retry gets the first answer",
                f"{command.command_id} on {stream} was answered before, and now: {error.message}",
            )
            return
        check(
            error.retryable or isinstance(error, Conflict),
            "no stream is corrupt",
            f"{type(command).__name__} {command.command_id} on {stream}: {error.message}",
        )

    def heard(self, entries: Sequence[Entry]) -> None:
        """What a committed group tells on, in order and without a gap."""
        for entry in entries:
            check(
                entry.position == self.told_to + 1,
                "what is told on has no gaps",
                f"position {entry.position} was told on after {self.told_to}",
            )
            self.told_to = entry.position
            self.told[entry.position] = entry

    def restarted(self, journal: Journal, published: int) -> None:
        """The journal as a new process finds it: everything that was said is in there, once. What
        comes behind `published` will be told on yet."""
        entries = journal.follow(0, EVERYTHING)
        _numbered(entries)
        for position, entry in self.told.items():
            _is_there(entries, position, entry)
        for found in self.answers.values():
            for entry in found:
                if self.told.get(entry.position) is not entry:
                    _is_there(entries, entry.position, entry)
        self.told_to = published
        for entry in entries[len(self.told) : published]:  # durable, and told to nobody
            self.told[entry.position] = entry


def decided_once(decisions: Iterable[Decision[Event]]) -> None:
    """A request, or what one stream told another, is decided on once, however often it came."""
    seen: set[tuple[StreamId, CommandId]] = set()
    for decision in decisions:
        cause = decision.caused_by
        if REQUEST_MARK in cause or MESSAGE_MARK in cause:
            check(
                (decision.stream, cause) not in seen,
                "what is told twice happens once",
                f"{cause} was decided on {decision.stream} again, as version "
                f"{decision.expected_version + 1}",
            )
            seen.add((decision.stream, cause))


def _numbered(entries: Sequence[Entry]) -> None:
    versions: dict[StreamId, int] = {}
    for position, entry in enumerate(entries, 1):
        check(
            entry.position == position,
            "positions have no gaps",
            f"position {entry.position} follows {position - 1}",
        )
        version = versions[entry.stream] = versions.get(entry.stream, 0) + 1
        check(
            entry.version == version,
            "versions are 1, 2, 3 …",
            f"version {entry.version} of {entry.stream} follows {version - 1}",
        )


def _is_there(entries: Sequence[Entry], position: int, entry: Entry) -> None:
    check(
        position <= len(entries),
        "what was acknowledged is there",
        f"position {position} ({entry.caused_by} on {entry.stream}) was acknowledged, and the "
        f"journal ends at {len(entries)}",
    )
    check(
        entries[position - 1] == entry,
        "what was acknowledged is there",
        f"position {position} was acknowledged as {entry}, and is {entries[position - 1]}",
    )


def _places(entries: Sequence[Entry]) -> list[tuple[int, int]]:
    return [(entry.position, entry.version) for entry in entries]
