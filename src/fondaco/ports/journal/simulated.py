"""A disk under the journal's own code that keeps only what it was asked to keep.

Writes go to real files, as to a page cache: a reader sees them at once, and they outlive the
process. What a sync has not covered is noted by the sector, with what was there before. A power cut
then takes back as much of it as it likes: none, all, each sector by itself, one in the middle; and
names of files that no sync of the folder has covered. After a sync that failed the sectors count
as neither written nor dirty: no later sync makes them durable.

Left out: a file that was deleted comes back after no power cut.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Final

from fondaco.kernel.seeded import Seeded
from fondaco.ports.journal._disk import Disk

SECTOR: Final = 512
_HEAD: Final = "head"  # the journal's word for where it ends: mapped, and never synced
_HEADS_KEPT: Final = 16


class Unsynced:
    """Of one file: the sectors that may be lost, as they were before, and the length it had."""

    __slots__ = ("dirty", "length", "lost")

    def __init__(self, length: int) -> None:
        self.length = length
        self.dirty: dict[int, bytes] = {}
        self.lost: dict[int, bytes] = {}  # whose sync has failed


class SimulatedDisk(Disk):
    """`died` is called where the process dies inside a call; what it returns is raised.

    `sync_fails`, `write_fails` and `short` are chances of a call, in thousandths.
    """

    def __init__(
        self, folder: Path, dice: Seeded, died: Callable[[], BaseException] = SystemExit
    ) -> None:
        self._folder = folder
        self._dice = dice
        self._died = died
        self._files: dict[int, Unsynced] = {}
        self._names: dict[str, int] = {}  # that a power cut leaves, with their inodes
        self._heads: list[bytes] = []
        self.sync_fails = self.write_fails = self.short = 0
        self.is_full = False
        self.calls_left = -1  # until the process dies; negative: it lives
        self.on_failed: Callable[[], None] = _nothing  # called when a sync has failed

    def heal(self) -> None:
        self.sync_fails = self.write_fails = self.short = 0
        self.is_full = False
        self.calls_left = -1
        self.on_failed = _nothing

    # --- What the journal asks --------------------------------------------------------------------

    def start(self, thread: Thread) -> None:
        thread.run()  # here and now: there is one thread

    def pwrite(self, file: int, content: bytes | memoryview, offset: int) -> int:
        dice = self._dice
        if self._dies():
            self._write(file, content[: dice.below(len(content) + 1)], offset)
            raise self._died()
        if self.is_full:
            raise _error(errno.ENOSPC)
        if dice.chance(self.write_fails, 1_000):
            self._write(file, content[: dice.below(len(content) + 1)], offset)
            raise _error(errno.EIO)
        if len(content) > 1 and dice.chance(self.short, 1_000):
            content = content[: dice.between(1, len(content) - 1)]
        return self._write(file, content, offset)

    def fdatasync(self, file: int) -> None:
        if self._dies():
            if self._dice.chance(1, 2):
                self._keep(file)
            raise self._died()
        if self._dice.chance(self.sync_fails, 1_000):
            unsynced = self._unsynced(file)
            for sector, before in unsynced.dirty.items():
                unsynced.lost.setdefault(sector, before)
            unsynced.dirty.clear()
            self.on_failed()
            raise _error(errno.EIO)
        self._keep(file)

    def sync_folder(self, folder: Path) -> None:
        if self._dies():
            raise self._died()
        if self._dice.chance(self.sync_fails, 1_000):
            raise _error(errno.EIO)
        self._names = {entry.name: entry.inode() for entry in os.scandir(folder)}

    def _write(self, file: int, content: bytes | memoryview, offset: int) -> int:
        if not len(content):
            return 0
        unsynced = self._unsynced(file)
        for sector in range(offset // SECTOR, (offset + len(content) - 1) // SECTOR + 1):
            if sector not in unsynced.dirty:
                before = unsynced.lost.pop(sector, None)
                if before is None:
                    before = os.pread(file, SECTOR, sector * SECTOR)
                unsynced.dirty[sector] = before
        return os.pwrite(file, content, offset)

    def _keep(self, file: int) -> None:
        unsynced = self._unsynced(file)
        unsynced.dirty.clear()
        unsynced.length = os.fstat(file).st_size
        self._note_head()

    def _unsynced(self, file: int) -> Unsynced:
        status = os.fstat(file)
        found = self._files.get(status.st_ino)
        if found is None:
            found = self._files[status.st_ino] = Unsynced(status.st_size)
        return found

    def _note_head(self) -> None:
        try:
            with (self._folder / _HEAD).open("rb", buffering=0) as file:
                head = file.read(8)
        except FileNotFoundError:
            return
        if len(head) == 8 and head not in self._heads[-1:]:
            self._heads = [*self._heads[1 - _HEADS_KEPT :], head]

    def _dies(self) -> bool:
        if self.calls_left < 0:
            return False
        self.calls_left -= 1
        return self.calls_left < 0

    # --- What happens to the machine --------------------------------------------------------------

    def cut_power(self) -> str:
        """Take back what was not synced, or some of it. Nobody has the journal open. Says what."""
        dice = self._dice
        manner = dice.below(4)
        taken = 0
        for path in sorted(self._folder.glob("*.seg")):
            inode = path.stat().st_ino
            if self._names.get(path.name) != inode and dice.chance(1, 2):
                path.unlink()
                taken += 1
            elif inode in self._files:
                taken += self._take_back(path, self._files[inode], manner)
        self._set_head_back()
        self._files.clear()
        self._names = {entry.name: entry.inode() for entry in os.scandir(self._folder)}
        said = ("all", "none", "each sector by itself", "each sector by itself, some in part")
        return f"{said[manner]} of what was not synced is lost: {taken} sectors or files"

    def _take_back(self, path: Path, unsynced: Unsynced, manner: int) -> int:
        dice = self._dice
        sectors = sorted({*unsynced.lost, *unsynced.dirty})
        taken, end = 0, unsynced.length
        with path.open("r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            for sector in sectors:
                begin = sector * SECTOR
                if manner == 1 or (manner > 1 and dice.chance(1, 2)):
                    end = max(end, min(begin + SECTOR, size))
                    continue
                before = unsynced.dirty.get(sector) or unsynced.lost.get(sector) or b""
                kept = dice.below(SECTOR) if manner == 3 and dice.chance(1, 4) else 0
                end = max(end, min(begin + kept, size)) if kept else end
                before = before.ljust(min(SECTOR, max(size - begin, 0)), b"\0")
                os.pwrite(file.fileno(), before[kept:], begin + kept)
                taken += 1
            if end < size:
                os.ftruncate(file.fileno(), end)
        return taken

    def _set_head_back(self) -> None:
        """The word may be any that it was before, since nobody has synced it."""
        path = self._folder / _HEAD
        if not path.exists():
            return
        if _HEAD not in self._names:
            path.unlink()
        elif self._heads and self._dice.chance(1, 2):
            head = self._dice.pick(self._heads)
            with path.open("r+b", buffering=0) as file:
                file.write(head)
            self._heads = self._heads[: self._heads.index(head) + 1]


def _nothing() -> None:
    """Nobody is told."""


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
