"""What the journal asks of the operating system, and the next segment made before it is needed."""

import fcntl
import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from fondaco.kernel.errors import Unavailable

_AHEAD: Final = 1 << 17  # bytes between two syncs of what nobody waits for


class Disk:
    """The calls that can fail. A test gives the journal one that does."""

    def pwrite(self, file: int, content: bytes | memoryview, offset: int) -> int:
        return os.pwrite(file, content, offset)

    def fdatasync(self, file: int) -> None:
        if sys.platform == "darwin":
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)  # its fsync leaves the bytes in the drive's cache
        else:
            os.fdatasync(file)

    def sync_folder(self, folder: Path) -> None:
        """Make names durable: a file that was synced may still have none."""
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(file)
        finally:
            os.close(file)

    def start(self, thread: Thread) -> None:
        """Make the next segment beside whoever commits."""
        thread.start()


def write(disk: Disk, file: int, content: bytes, offset: int) -> None:
    """All of `content`, however many calls that takes."""
    written = disk.pwrite(file, content, offset)
    while written < len(content):
        written += disk.pwrite(file, memoryview(content)[written:], offset + written)


def make_zeroed(disk: Disk, path: Path, size: int, *, step: int) -> None:
    """A new file of `size` written zeros: its later syncs have no block or length to record.

    Synced every `step` bytes, so that nobody's commit queues behind all of it.
    """
    zeros = bytes(min(step, size))
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for offset in range(0, size, len(zeros)):
            write(disk, file, zeros[: size - offset], offset)
            disk.fdatasync(file)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(file)


def unavailable(doing: str, path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"the journal cannot {doing} {path}: {error.strerror}. Nothing is acknowledged meanwhile; "
        f"free space there or replace the disk, and it serves again by itself",
        errno=error.errno,
        path=str(path),
    )


class Spare:
    """The next segment, made by a thread while there is still room in this one."""

    def __init__(self, folder: Path, size: int, disk: Disk) -> None:
        self._path = folder / "prepared"
        self._size = size
        self._disk = disk
        self._thread: Thread | None = None
        self._lock = Lock()
        self._ready = self._failed = False
        self._path.unlink(missing_ok=True)  # of a process that died: perhaps half made

    def prepare(self) -> None:
        """Begin to make one, unless there is one, or the last attempt failed: the disk is full."""
        if self._thread is None and not self._ready and not self._failed:
            self._thread = Thread(target=self._make, name="journal-spare", daemon=True)
            self._disk.start(self._thread)

    def take(self, path: Path, size_min: int) -> bool:
        """Give the spare the name `path`, if it is there and large enough. Waits for nothing."""
        with self._lock:
            self._failed = False
            if not self._ready or self._size < size_min:
                return False
            self._path.rename(path)
            self._ready = False
            return True

    def close(self) -> None:
        if (thread := self._thread) and thread.is_alive():
            thread.join()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _make(self) -> None:
        try:
            make_zeroed(self._disk, self._path, self._size, step=_AHEAD)
            made = True
        except OSError:  # Whoever needs the segment meets the same error, and reports it.
            made = False
        with self._lock:
            self._ready, self._failed, self._thread = made, not made, None
