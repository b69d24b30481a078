"""Roots as they were published: one line each in a file that only grows. They are the evidence.

The tree can be made again from the journal, these lines cannot. One that has left the machine, in
a log, in a mail, in an auditor's hands, binds everything that was written before it.
"""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from fondaco.kernel.errors import Corrupt, Invalid, Unavailable
from fondaco.kernel.event import Instant

FILE: Final = "roots"
GIVEN: Final = "given"  # by whoever asks; it has been elsewhere
_NS: Final = 1_000_000_000
_NAMED: Final = re.compile(r"([0-9a-fA-F]{64})@([0-9]{1,19})")


class Root(msgspec.Struct, frozen=True):
    """`root` is the hash over the first `size` entries, hexadecimal."""

    size: int
    root: str
    at: str  # when it was published, UTC
    why: str = ""  # "first", "due" or "stop"
    key: str = ""  # the public key that it is signed with; see `signing`
    signature: str = ""  # Ed25519, hexadecimal

    def __str__(self) -> str:
        return f"{self.root}@{self.size}"


_decode: Final = msgspec.json.Decoder(Root).decode


def named(text: str) -> Root:
    """A root as people hand it on: HASH@SIZE. Raises `Invalid`."""
    match = _NAMED.fullmatch(text)
    if match is None:
        raise Invalid(f"{text[:100]!r} is no root: write HASH@SIZE, as fondaco proof --roots does")
    return Root(int(match[2]), match[1].lower(), "", GIVEN)


def moment(at: Instant) -> str:
    whole = datetime.fromtimestamp(at // _NS, UTC)
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")


def published(folder: Path) -> list[Root]:
    """All of them, oldest first. Raises `Corrupt` naming the line that is none."""
    try:
        lines = (folder / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unavailable(f"{folder / FILE} cannot be read: {error.strerror}") from error
    found: list[Root] = []
    for number, line in enumerate(lines, 1):
        try:
            root = _decode(line)
            named(str(root))
        except (msgspec.MsgspecError, Invalid) as error:
            raise Corrupt(f"line {number} of {folder / FILE} is no root: {error}") from error
        if found and root.size <= found[-1].size:
            raise Corrupt(f"line {number} of {folder / FILE} is of {root.size} entries, no more "
                          f"than the one before it")  # fmt: skip
        found.append(root)
    return found


def publish(folder: Path, root: Root) -> None:
    """Write one line behind the others; it is durable on return."""
    path = folder / FILE
    line = msgspec.json.encode(root) + b"\n"
    try:
        is_new = not path.exists()
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            before = os.fstat(file).st_size
            if os.write(file, line) != len(line):
                os.ftruncate(file, before)
                raise OSError(28, "no space left for a line")
            os.fsync(file)
        finally:
            os.close(file)
        if is_new:
            parent = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(parent)
            finally:
                os.close(parent)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from error


def newest(roots: Sequence[Root]) -> Root | None:
    return roots[-1] if roots else None
