"""From entries to an actor's memory: the state, what it has answered and whom it has heard."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from struct import Struct
from typing import Any, Final, Generic

import msgspec
import xxhash

from fondaco.kernel.decider import C, Decider, E, R, S, no_keys
from fondaco.kernel.errors import Corrupt, Unavailable
from fondaco.kernel.event import (
    MESSAGE_MARK,
    REQUEST_MARK,
    CommandId,
    Decision,
    StreamId,
)
from fondaco.ports.at_rest import AtRest, opened, sealed
from fondaco.ports.journal import Journal
from fondaco.runtime.answered import Answered


def hash_of(key: str) -> int:
    """64 bits, equal in every process."""
    return xxhash.xxh3_64_intdigest(key.encode())


PIECE_BYTES: Final = 256 * 1024  # of a snapshot, on its way to the disk
PAUSE_S: Final = 0.002  # behind each


class Cause:
    """A command id, taken apart: a request's key and its hash, or who told what."""

    __slots__ = ("hash", "is_request", "own", "told")

    def __init__(self, caused_by: CommandId) -> None:
        own, mark, _ = caused_by.rpartition(REQUEST_MARK)
        if mark:
            self.is_request = True
            self.told = 0  # the version of the entry that told it; 0: it is no message
            self.own = own  # the key of a request, or the stream that a message comes from
            self.hash = hash_of(own)
        else:
            self.is_request = False
            self.own, mark, told = caused_by.rpartition(MESSAGE_MARK)
            self.told = int(told) if mark else 0


class Memory(Generic[S]):
    """What an actor knows of its stream."""

    __slots__ = ("answered", "heard", "state", "version")

    def __init__(self, state: S) -> None:
        self.state = state
        self.version = 0
        self.answered = Answered()  # hashes of the keys that may not be used again
        self.heard: dict[str, int] = {}  # the highest version told by each source

    def live_through(self, decider: Decider[S, C, E, R], cause: Cause, events: Sequence[E]) -> None:
        """Be what a decision makes of it. What goes wrong here leaves it half changed."""
        state, evolve = self.state, decider.evolve
        first = self.version + 1
        for event in events:
            state = evolve(state, event)
        self.state, self.version = state, self.version + len(events)
        used_own = False
        if decider.keys_used is not no_keys:
            used_own = self._use_keys(decider, cause, events, first)
        if cause.is_request:
            if not used_own:
                self.answered.add(cause.hash, first)
        elif cause.told:
            self.heard[cause.own] = cause.told

    def _use_keys(
        self, decider: Decider[S, C, E, R], cause: Cause, events: Sequence[E], first: int
    ) -> bool:
        """Remember what `events` have used up; whether the cause's own key was among it."""
        used_own = False
        for version, event in enumerate(events, first):
            for key in decider.keys_used(event):
                is_own = cause.is_request and key == cause.own
                used_own = used_own or is_own
                self.answered.add(cause.hash if is_own else hash_of(key), version)
        return used_own


def load(
    stream: StreamId,
    decider: Decider[S, C, E, R],
    journal: Journal,
    snapshots: "Snapshots | None" = None,
) -> Memory[S]:
    """The memory of the owner of `stream`: a snapshot, if there is one, and the tail behind it."""
    memory = snapshots.load(stream, decider) if snapshots else None
    if memory is None or not journal.read(stream, memory.version - 1, 1):  # of another journal
        memory = Memory(decider.initial(stream))
    for decision in journal.replay(stream, memory.version):
        replay(memory, decider, decision)
    return memory


def replay(memory: Memory[S], decider: Decider[S, C, E, R], decision: Decision[Any]) -> None:
    if decision.expected_version != memory.version:
        raise Corrupt(
            f"{decision.stream} continues at {decision.expected_version}, not at {memory.version}"
        )
    memory.live_through(decider, Cause(decision.caused_by), decision.events)


class Snapshots:
    """A stream's memory as of some version, in a file of its own: a cache that anyone may delete.

    `build`, 32 bytes, names the code that wrote it. A snapshot of another build is passed over.
    """

    def __init__(self, folder: Path, build: bytes, at_rest: AtRest | None = None) -> None:
        self._folder, self._at_rest = folder, at_rest
        self._build = build
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, stream: StreamId, memory: Memory[Any]) -> None:
        content = msgspec.msgpack.encode(
            (
                stream,
                memory.answered.dump(),
                memory.heard,
                msgspec.msgpack.encode(memory.state, enc_hook=plain),
            )
        )
        content = sealed(self._at_rest, content, stream.encode())
        path = self._path(stream)
        partial = path.with_suffix(".part")
        sums = _checksum(memory.version, content)
        _write_gently(
            partial, _HEAD.pack(self._build, memory.version, len(content), sums) + content
        )
        partial.replace(path)  # Never half a snapshot under its name.

    def load(self, stream: StreamId, decider: Decider[S, C, E, R]) -> Memory[S] | None:
        try:
            stored = self._path(stream).read_bytes()
        except OSError:
            return None
        version, content = self._head(stored), stored[_HEAD.size :]
        if not version or _HEAD.unpack_from(stored)[3] != _checksum(version, content):
            return None
        try:
            content = opened(self._at_rest, content, stream.encode())
            name, answered, heard, state = _SHAPE.decode(content)
            memory = Memory(msgspec.msgpack.decode(state, type=decider.state, dec_hook=made))
        except (msgspec.MsgspecError, Corrupt, Unavailable):
            return None  # A cache that cannot be read is no cache.
        if name != stream:
            return None
        memory.version, memory.heard = version, heard
        memory.answered = Answered.load(answered)
        return memory

    def version(self, stream: StreamId) -> int:
        """Of the snapshot on the disk; 0 where there is none of this build."""
        try:
            with self._path(stream).open("rb") as file:
                return self._head(file.read(_HEAD.size))
        except OSError:
            return 0

    def _head(self, stored: bytes) -> int:
        if len(stored) < _HEAD.size:
            return 0
        build, version, size, _ = _HEAD.unpack_from(stored)
        is_whole = len(stored) in (_HEAD.size, _HEAD.size + size)
        return version if build == self._build and is_whole else 0

    def _path(self, stream: StreamId) -> Path:
        return self._folder / f"{hash_of(stream):016x}.snapshot"


def plain(kept: Any) -> Any:
    """What a snapshot holds of a part of a state that is no plain value: what its `dump` gives."""
    return kept.dump()


def made(kind: Any, stored: Any) -> Any:
    """The part again, by its `load`."""
    return kind.load(stored)


def _write_gently(path: Path, content: bytes) -> None:
    """A piece at a time, each synced before the next: fifty megabytes on their way to the disk at
    once make everybody wait who waits for the journal's next sync."""
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), PIECE_BYTES):
            file.write(content[start : start + PIECE_BYTES])
            os.fdatasync(file.fileno())
            time.sleep(PAUSE_S)


def _checksum(version: int, content: bytes) -> bytes:
    return xxhash.xxh3_128_digest(version.to_bytes(8, "little") + content)


_HEAD: Final = Struct("<32sQQ16s")  # build, version, length of what follows, its checksum
_SHAPE: Final = msgspec.msgpack.Decoder(
    tuple[str, list[tuple[bytes, bytes]], dict[str, int], bytes]
)
