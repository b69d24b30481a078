"""What the journal's tests write, and disks that fail when they are told to."""

import errno
import os
import shutil
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fondaco.kernel.codec import Codec
from fondaco.kernel.event import CommandId, Decision, Entry, Event, Instant, StreamId
from fondaco.ports.journal import Journal
from fondaco.ports.journal._disk import Disk

A: Final = StreamId("account/A")
B: Final = StreamId("account/B")


class Noted(Event, frozen=True, gc=False, array_like=True, tag="test.noted.v1"):
    text: str


class Counted(Event, frozen=True, gc=False, array_like=True, tag="test.counted.v1"):
    number: int


CODEC: Final = Codec(Noted | Counted)


def decision(stream: StreamId, expected_version: int, *texts: str) -> Decision[Event]:
    cause = CommandId(f"{stream}@{expected_version}")
    return Decision(stream, expected_version, cause, Instant(5), 7, tuple(map(Noted, texts)))


def ahead() -> bool:
    """Whether this is the thread that makes the next segment."""
    return threading.current_thread().name == "journal-spare"


def everything(journal: Journal, limit: int = 5) -> list[Entry]:
    found: list[Entry] = []
    while page := journal.follow(found[-1].position if found else 0, limit):
        found += page
    return found


class Died(BaseException):
    """The process ended here."""


class FaultyDisk(Disk):
    """`fails` says whether the call of this name, counted from 1 over all calls, fails and how.

    The thread that makes the next segment ahead has a clock of its own, so its calls are not
    counted; they fail when `spare_fails` says so.
    """

    spare_fails = 0

    def __init__(self, fails: Callable[[str, int], int] = lambda name, count: 0) -> None:
        self.fails = fails
        self.calls: list[str] = []
        self.synced: list[str] = []  # the files, as they were named at the time
        self.failed: set[str] = set()

    def pwrite(self, file: int, content: bytes | memoryview, offset: int) -> int:
        if ahead():
            self._ask_ahead()
        else:
            self._ask("pwrite", file)
        return super().pwrite(file, content, offset)

    def fdatasync(self, file: int) -> None:
        if ahead():
            return
        name = os.readlink(f"/proc/self/fd/{file}")
        assert name not in self.failed, "a sync that failed is never asked again"
        self._ask("fdatasync", file)

    def sync_folder(self, folder: Path) -> None:
        self._ask("sync_folder", -1)

    def _ask_ahead(self) -> None:
        if self.spare_fails:
            raise OSError(self.spare_fails, os.strerror(self.spare_fails))

    def _ask(self, call: str, file: int) -> None:
        self.calls.append(call)
        if call == "fdatasync":
            self.synced.append(os.readlink(f"/proc/self/fd/{file}"))
        if number := self.fails(call, len(self.calls)):
            if call == "fdatasync":
                self.failed.add(os.readlink(f"/proc/self/fd/{file}"))
            raise OSError(number, os.strerror(number))


class DyingDisk(FaultyDisk):
    """Dies after `lives_for` more bytes."""

    lives_for = -1

    def pwrite(self, file: int, content: bytes | memoryview, offset: int) -> int:
        if ahead():
            return super().pwrite(file, content, offset)
        if 0 <= self.lives_for < len(content):
            super().pwrite(file, content[: self.lives_for], offset)
            raise Died
        written = super().pwrite(file, content, offset)
        if self.lives_for >= 0:
            self.lives_for -= written
        return written


def full(call: str, _count: int) -> int:
    """No byte fits any more, prepared ones too: what a thin-provisioned volume does."""
    return errno.ENOSPC if call == "pwrite" else 0


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """For what does not ask whether a disk keeps it: a journal's folder, and room beside it."""
    memory = Path("/dev/shm")  # noqa: S108
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name) / "journal"


def head_word(folder: Path) -> int:
    return int(struct.unpack("=Q", (folder / "head").read_bytes()[:8])[0])


def set_head_word(folder: Path, where: int) -> None:
    """Let the durable end that readers are told lag behind, as it may after a power cut."""
    with (folder / "head").open("r+b") as file:
        file.write(struct.pack("=Q", where))


def copied(folder: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(folder, to))


def flip(path: Path, offset: int, bit: int = 0) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))
