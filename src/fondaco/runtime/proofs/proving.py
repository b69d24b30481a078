"""What anybody may ask of the log: its root, the roots that were published, and proofs."""

from itertools import zip_longest
from pathlib import Path
from typing import Final, Literal

import msgspec

from fondaco.kernel.codec import Codec
from fondaco.kernel.errors import Corrupt, NotFound, Unavailable
from fondaco.ports.journal import Journal
from fondaco.runtime.proofs import roots, signing
from fondaco.runtime.proofs.roots import Root
from fondaco.runtime.proofs.tree import Tree

_ONE: Final = b"\x91"  # MessagePack: an array of one


class Inclusion(msgspec.Struct, frozen=True, kw_only=True):
    """Entry `position` is in the log of `size` entries with this `root` (RFC 9162, 2.1.3).

    `record` are the bytes of the decision that it is event `nth` of, hexadecimal, from which
    `verifier` works out the leaf. `stream` and `version` are in them and are not needed.
    """

    proof: Literal["inclusion"] = "inclusion"
    position: int
    nth: int
    stream: str
    version: int
    record: str
    size: int
    root: str
    path: list[str]


class Consistency(msgspec.Struct, frozen=True, kw_only=True):
    """The log of `size` entries begins with that of `old_size` (RFC 9162, 2.1.4)."""

    proof: Literal["consistency"] = "consistency"
    old_size: int
    old_root: str
    size: int
    root: str
    path: list[str]


class Proofs:
    """Read while the follower goes on. Safe to call from any thread."""

    def __init__(self, folder: Path, journal: Journal, codec: Codec) -> None:
        self._folder = folder
        self._journal = journal
        self._codec = codec
        self._tree = Tree(folder)

    @property
    def size(self) -> int:
        """How many entries are hashed."""
        return self._tree.size

    def root(self, size: int) -> str:
        """Hexadecimal. Raises as `_reach` does."""
        self._reach(size)
        return self._tree.root(size).hex()

    def published(self) -> list[Root]:
        """Oldest first."""
        return roots.published(self._folder)

    @property
    def public_key(self) -> str:
        """Of who signs roots here, hexadecimal; "" while nobody does."""
        return signing.public(self._folder)

    def inclusion(self, position: int, size: int = 0) -> Inclusion:
        """Of one entry, in the log of `size` entries; 0 is the newest root that was published and
        holds it, or the log as it is now."""
        if position < 1:
            raise NotFound(f"there is no entry {position}: positions begin at 1")
        size = size or self._size_with(position)
        if size < position:
            raise NotFound(f"entry {position} is not among the first {size}")
        self._reach(size)
        raw, nth = self._raw(position)
        [record] = self._codec.records(_ONE + raw)
        return Inclusion(
            position=position,
            nth=nth,
            stream=record.stream,
            version=record.expected_version + nth + 1,
            record=raw.hex(),
            size=size,
            root=self._tree.root(size).hex(),
            path=[each.hex() for each in self._tree.inclusion(position - 1, size)],
        )

    def consistency(self, old: int, size: int = 0) -> Consistency:
        """That the log of `size` entries begins with that of `old`; 0 as for `inclusion`."""
        size = size or self._size_with(old + 1)
        if not 0 < old < size:
            raise NotFound(
                f"the log of {size} entries has no earlier one of {old}; from 1 on it has"
            )
        self._reach(size)
        return Consistency(
            old_size=old,
            old_root=self._tree.root(old).hex(),
            size=size,
            root=self._tree.root(size).hex(),
            path=[each.hex() for each in self._tree.consistency(old, size)],
        )

    def close(self) -> None:
        self._tree.close()

    def _raw(self, position: int) -> tuple[bytes, int]:
        """The record that holds an entry, and the entry's place in it."""
        stored = self._journal.stored(position - 1, 1)[0]
        first = stored.first
        for raw, count in zip_longest(stored.records, stored.counts, fillvalue=1):
            if position < first + count:
                return bytes(raw), position - first
            first += count
        raise Corrupt(f"the journal has no entry {position}; run fondaco verify")

    def _size_with(self, position: int) -> int:
        """Where a proof of an entry is best led to: what others may have."""
        last = roots.newest(self.published())
        return last.size if last and position <= last.size else self._tree.size

    def _reach(self, size: int) -> None:
        """Raises `NotFound` for what was never written, `Unavailable` for what is hashed soon."""
        hashed = self._tree.size
        if size <= hashed:
            return
        head = self._journal.head()
        if size > head:
            raise NotFound(f"the journal has {head} entries, not {size}")
        raise Unavailable(f"{hashed} of {head} entries are hashed; ask again", code="view_behind")
