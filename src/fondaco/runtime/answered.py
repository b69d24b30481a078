"""Which keys a stream has answered: a 64-bit hash of each, and the version of its first entry.

A million orders ask this for ever, so it is as small as it can be: open addressing in flat arrays,
at most 16 bytes a key. A hit may be a collision; whoever asks confirms it in the journal.

This file is plain Python and is compiled by Cython where there is a C compiler.
"""

# mypy: disable-error-code="untyped-decorator, type-arg, arg-type, no-any-return, call-overload"

from array import array
from collections.abc import Sequence
from typing import Final

try:
    import cython
except ImportError:  # the same file, run as it is
    from fondaco.kernel import nocython as cython

SHARDS: Final = 32  # so that growing one moves some thousand keys, not a million
SPLIT_AT: Final = 4_096  # keys; fewer are kept in one shard, for its own size would count
_FIRST: Final = 8
_FULL_NUM: Final = 9  # a shard grows when more than 9/10 of it is taken …
_FULL_DEN: Final = 10
_GROW_NUM: Final = 5  # … by a quarter
_GROW_DEN: Final = 4


@cython.cclass
class Shard:
    """One open-addressing table with linear probing. Version 0 marks a free place."""

    # Views, taken once and not at every look: that would cost more than the look.
    keys: cython.ulonglong[::1]
    versions: cython.uint[::1]
    capacity: cython.ulonglong
    count: cython.ulonglong

    def __init__(self) -> None:
        self.capacity = _FIRST
        self.count = 0
        self.keys = memoryview(array("Q", bytes(8 * _FIRST)))
        self.versions = memoryview(array("I", bytes(4 * _FIRST)))

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.cdivision(True)
    def add(self, key: cython.ulonglong, version: cython.uint) -> None:
        if (self.count + 1) * _FULL_DEN > self.capacity * _FULL_NUM:
            self.grow()
        place: cython.ulonglong = (key >> 8) % self.capacity
        while self.versions[place] != 0:
            place += 1
            if place == self.capacity:
                place = 0
        self.keys[place] = key
        self.versions[place] = version
        self.count += 1

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.cdivision(True)
    def find(self, key: cython.ulonglong) -> Sequence[int]:
        """Every version under this hash; more than one only after a collision."""
        place: cython.ulonglong = (key >> 8) % self.capacity
        found: tuple = ()
        while self.versions[place] != 0:
            if self.keys[place] == key:
                found = (*found, self.versions[place])
            place += 1
            if place == self.capacity:
                place = 0
        return found

    @cython.boundscheck(False)
    @cython.wraparound(False)
    @cython.cdivision(True)
    def grow(self) -> None:
        old_keys: cython.ulonglong[::1] = self.keys
        old_versions: cython.uint[::1] = self.versions
        old_capacity: cython.ulonglong = self.capacity
        self.capacity = old_capacity * _GROW_NUM // _GROW_DEN + 2
        self.keys = memoryview(array("Q", bytes(8 * self.capacity)))
        self.versions = memoryview(array("I", bytes(4 * self.capacity)))
        keys: cython.ulonglong[::1] = self.keys
        versions: cython.uint[::1] = self.versions
        old: cython.ulonglong = 0
        place: cython.ulonglong = 0
        while old < old_capacity:
            if old_versions[old] != 0:
                place = (old_keys[old] >> 8) % self.capacity
                while versions[place] != 0:
                    place += 1
                    if place == self.capacity:
                        place = 0
                keys[place] = old_keys[old]
                versions[place] = old_versions[old]
            old += 1

    def items(self) -> list:
        """Every key with its version, in no order that means anything."""
        pairs = zip(self.keys, self.versions)  # noqa: B905
        return [(key, version) for key, version in pairs if version]

    def key_count(self) -> int:
        return self.count

    def byte_count(self) -> int:
        return 12 * self.capacity

    def restore(self, keys: bytes, versions: bytes) -> None:
        """What `dump` gave."""
        self.keys = memoryview(array("Q", keys))
        self.versions = memoryview(array("I", versions))
        self.capacity = len(self.versions)
        self.count = sum(1 for version in self.versions if version)

    def dump(self) -> tuple:
        return bytes(memoryview(self.keys)), bytes(memoryview(self.versions))


class Answered:
    """The keys of one stream. `len` counts them, collisions too."""

    __slots__ = ("_count", "_shards")

    def __init__(self) -> None:
        self._shards = [Shard()]
        self._count = 0

    def add(self, key: int, version: int) -> None:
        """Remember `key`, a 64-bit hash; `version` is at least 1."""
        self._count += 1
        if self._count == SPLIT_AT:
            self._split()
        shards = self._shards
        shards[key % len(shards)].add(key, version)

    def find(self, key: int) -> Sequence[int]:
        shards = self._shards
        found: Sequence[int] = shards[key % len(shards)].find(key)
        return found

    def __len__(self) -> int:
        return self._count

    @property
    def byte_count(self) -> int:
        """What the keys take, free places included."""
        return sum(shard.byte_count() for shard in self._shards)

    def dump(self) -> list[tuple[bytes, bytes]]:
        """As bytes of this machine's order, for a snapshot that this machine will read."""
        return [shard.dump() for shard in self._shards]

    @classmethod
    def load(cls, parts: Sequence[tuple[bytes, bytes]]) -> "Answered":
        answered = cls()
        answered._shards = [Shard() for _ in parts]
        for shard, (keys, versions) in zip(answered._shards, parts, strict=True):
            shard.restore(keys, versions)
        answered._count = sum(shard.key_count() for shard in answered._shards)
        return answered

    def _split(self) -> None:
        pairs = [pair for shard in self._shards for pair in shard.items()]
        self._shards = [Shard() for _ in range(SHARDS)]
        for key, version in pairs:
            self._shards[key % SHARDS].add(key, version)
