"""A Merkle tree in files that only grow: the leaves, and every eighth level above them.

`level-0` holds the hash of each leaf, 32 bytes, one behind the other; `level-1` a hash for every
256 of them, `level-2` for every 65,536. What lies between is worked out when it is asked for: at
most 255 hashes for each of a proof's nodes. Only `level-0` counts. The others can be made of it.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from fondaco.kernel.errors import Corrupt, Unavailable
from fondaco.kernel.merkle import HASH_BYTES, above, consistency, inclusion, root_of

STRIDE: Final = 8  # levels between two files
TILE: Final = 1 << STRIDE
LEVELS: Final = 8  # 256**8 leaves
_BLOCK: Final = 4_096


class Tree:
    """Read by anybody, while the one who writes goes on. Safe to read from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[int, int] = {}

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._count(0)

    def leaves(self, first: int, end: int) -> bytes:
        """The hashes of leaves from `first` up to `end`, one behind the other."""
        return self._read(0, first, end - first)

    def root(self, size: int) -> bytes:
        """The root when there were `size` leaves. Raises `ValueError` for more than there are."""
        self._check(size)
        return root_of(size, self._node)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        self._check(size)
        return inclusion(index, size, self._node)

    def consistency(self, old: int, size: int) -> list[bytes]:
        self._check(size)
        return consistency(old, size, self._node)

    def close(self) -> None:
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def _check(self, size: int) -> None:
        if size > self.size:
            raise ValueError(f"the tree has {self.size} leaves, not {size}")

    def _node(self, level: int, place: int) -> bytes:
        files, rest = divmod(level, STRIDE)
        [found] = above(self._hashes(files, place << rest, 1 << rest), rest)
        return found

    def _hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Of the level of a file, which may be behind the one below it."""
        if level and self._count(level) < first + count:
            return [
                above(self._hashes(level - 1, place * TILE, TILE), STRIDE)[0]
                for place in range(first, first + count)
            ]
        return _cut(self._read(level, first, count))

    def _path(self, level: int) -> Path:
        return self._folder / f"level-{level}"

    def _count(self, level: int) -> int:
        file = self._open(level)
        return 0 if file is None else os.fstat(file).st_size // HASH_BYTES

    def _read(self, level: int, first: int, count: int) -> bytes:
        file = self._open(level)
        length = count * HASH_BYTES
        found = b"" if file is None else os.pread(file, length, first * HASH_BYTES)
        if len(found) != length:
            raise Corrupt(f"{self._path(level)} is shorter than it was: run fondaco verify")
        return found

    def _open(self, level: int) -> int | None:
        file = self._files.get(level)
        if file is None:
            try:
                opened = os.open(self._path(level), os.O_RDONLY)
            except FileNotFoundError:
                return None
            file = self._files.setdefault(level, opened)
            if file != opened:  # another thread was first
                os.close(opened)
        return file


class GrowingTree(Tree):
    """For its one writer. Whatever fails is found again by a new one on the same files."""

    def __init__(self, folder: Path, kept: int) -> None:
        """`kept` leaves were synced. What came later may have been lost with the machine's power:
        it is cut off where it ends in zeros, and hashed again. Disks lose whole sectors, so no leaf
        is half zeros."""
        super().__init__(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._cut_torn_end(kept)
        self._size = super().size
        self._tails: list[list[bytes]] = []  # of each file, those that have no parent yet
        for level in range(LEVELS):
            self._resume(level)

    @property
    def size(self) -> int:
        return self._size

    def append(self, hashes: list[bytes]) -> None:
        """Add leaves. Raises `Unavailable` where the disk takes no more."""
        added = len(hashes)
        for level in range(LEVELS):
            if not hashes:
                break
            self._write(level, hashes)
            hashes = self._parents(level, hashes)
        self._size += added

    def sync(self) -> None:
        """Make what was added outlive a power cut."""
        for level in range(LEVELS):
            if (file := self._open(level)) is not None:
                os.fdatasync(file)

    def _parents(self, level: int, hashes: list[bytes]) -> list[bytes]:
        tail = self._tails[level] + hashes
        whole = len(tail) - len(tail) % TILE
        self._tails[level] = tail[whole:]
        return above(tail[:whole], STRIDE)

    def _resume(self, level: int) -> None:
        """Fill a file up to the one below it, or cut it back, and read what has no parent yet."""
        count = self._count(level)
        if level:
            should = self._count(level - 1) // TILE
            if count > should:
                os.truncate(self._path(level), should * HASH_BYTES)
            for place in range(count, should):
                below = self._hashes(level - 1, place * TILE, TILE)
                self._write(level, above(below, STRIDE))
            count = should
        whole = count - count % TILE
        self._tails.append(self._hashes(level, whole, count - whole) if count > whole else [])

    def _cut_torn_end(self, kept: int) -> None:
        path = self._path(0)
        try:
            end = path.stat().st_size
        except FileNotFoundError:
            return
        last = end - end % HASH_BYTES
        with path.open("rb") as file:
            while last > kept * HASH_BYTES:
                begin = max(last - _BLOCK, kept * HASH_BYTES)
                file.seek(begin)
                sound = file.read(last - begin).rstrip(b"\0")
                last = begin + -(-len(sound) // HASH_BYTES) * HASH_BYTES
                if sound:
                    break
        if last != end:
            os.truncate(path, last)

    def _write(self, level: int, hashes: list[bytes]) -> None:
        path = self._path(level)
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                before = os.fstat(file).st_size
                content = memoryview(b"".join(hashes))
                try:
                    while content:
                        content = content[os.write(file, content) :]
                except OSError:
                    with suppress(OSError):
                        os.ftruncate(file, before)
                    raise
            finally:
                os.close(file)
        except OSError as error:
            raise Unavailable(f"{path} cannot be written: {error.strerror}") from error


def _cut(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
