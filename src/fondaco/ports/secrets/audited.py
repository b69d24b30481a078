"""Any ring, with every read of a secret written down, and secrets that are lent for a while.

The audit is lines of JSON. Each names the SHA-256 of the line before, so a line that is changed or
taken out from between is noticed; what is cut off at the end shows when the last hash was kept
elsewhere. No line holds a value.
"""

import fcntl
import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from fondaco.kernel.errors import Corrupt, FondacoError, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.secrets import Secrets

T = TypeVar("T")

FIRST: Final = "0" * 64
LINE_MAX: Final = 4_096  # bytes of a line
_S: Final = 1_000_000_000


class Read(msgspec.Struct, frozen=True):
    """One line of the audit."""

    at: Instant
    what: str  # "get", "put", "remove", "rotate", "retire", "lease"
    name: str  # of the secret, or of the master
    by: str
    outcome: str  # "ok", or the code of the error
    before: str  # SHA-256 of the line before, hexadecimal


class Lease:
    """A secret for a while. After that it must be asked for again, and is written down again."""

    def __init__(self, name: str, value: bytes, ends_at: Instant, clock: Callable[[], int]) -> None:
        self.name, self.ends_at = name, ends_at
        self._value: bytes | None = value
        self._clock = clock

    @property
    def value(self) -> bytes:
        """Raises `Unavailable` once it has ended."""
        if self._value is None or self._clock() >= self.ends_at:
            self.end()
            raise Unavailable(f"the lease of {self.name} has ended: ask again", code="lease_ended")
        assert self._value is not None  # noqa: S101  # said above
        return self._value

    def end(self) -> None:
        self._value = None


class KeyRing:
    """What the house uses. `by` is who reads: a part of the house, or a user."""

    def __init__(self, ring: Secrets, audit: Path, clock: Callable[[], Instant]) -> None:
        self._ring, self._audit, self._clock = ring, audit, clock
        self.wrap, self.unwrap, self.is_current = ring.wrap, ring.unwrap, ring.is_current
        self.names, self.close = ring.names, ring.close

    @property
    def inner(self) -> Secrets:
        return self._ring

    def get(self, name: str, by: str) -> bytes:
        return self._noted("get", name, by, lambda: self._ring.get(name))

    def lease(self, name: str, by: str, seconds: int) -> Lease:
        value = self._noted("lease", name, by, lambda: self._ring.get(name))
        return Lease(name, value, Instant(self._clock() + seconds * _S), self._clock)

    def put(self, name: str, value: bytes, by: str) -> None:
        self._noted("put", name, by, lambda: self._ring.put(name, value))

    def remove(self, name: str, by: str) -> None:
        self._noted("remove", name, by, lambda: self._ring.remove(name))

    def rotate(self, by: str) -> str:
        return self._noted("rotate", "master", by, self._ring.rotate)

    def retire(self, by: str) -> Sequence[str]:
        return self._noted("retire", "masters", by, self._ring.retire)

    def _noted(self, what: str, name: str, by: str, ask: Callable[[], T]) -> T:
        try:
            found = ask()
        except FondacoError as error:
            self._note(what, name, by, error.code)
            raise
        self._note(what, name, by, "ok")
        return found

    def _note(self, what: str, name: str, by: str, outcome: str) -> None:
        """Nothing is given of which no line is kept."""
        try:
            file = os.open(self._audit, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                before = sha256(_last_line(file)).hexdigest() if os.fstat(file).st_size else FIRST
                line = Read(self._clock(), what, name, by, outcome, before)
                os.write(file, msgspec.json.encode(line) + b"\n")
            finally:
                os.close(file)
        except OSError as error:
            raise Unavailable(f"{self._audit} cannot be written: {error.strerror}") from error


def _last_line(file: int) -> bytes:
    end = os.fstat(file).st_size
    tail = os.pread(file, LINE_MAX, max(0, end - LINE_MAX))
    return tail.rstrip(b"\n").rpartition(b"\n")[2]


def audit_of(path: Path) -> list[Read]:
    """Every line, oldest first. Raises `Corrupt` at the first that does not follow."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found, before = [], FIRST
    for number, line in enumerate(lines, 1):
        try:
            read = msgspec.json.decode(line, type=Read)
        except msgspec.MsgspecError as error:
            raise Corrupt(f"line {number} of {path} is none of ours: {error}") from error
        if read.before != before:
            raise Corrupt(f"line {number} of {path} does not follow the one before it")
        found.append(read)
        before = sha256(line).hexdigest()
    return found
