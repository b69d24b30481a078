"""Merkle trees over a log that only grows, hashed as RFC 9162 section 2.1 says, with SHA-256.

RFC 6962 hashes alike. Leaves are counted from 0, and a tree of `size` leaves holds those below it.
A node is named by its level, 0 for leaves, and its place there: it is over 2**level leaves.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final, TypeAlias

HASH_BYTES: Final = 32
EMPTY: Final = sha256().digest()  # the root of no leaves

# The hash of a node that is complete, by its level and its place there.
Node: TypeAlias = Callable[[int, int], bytes]


def leaf_hash(content: bytes) -> bytes:
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def parents(hashes: Iterable[bytes]) -> list[bytes]:
    """The level above; a last hash without a sibling has no parent yet."""
    two = iter(hashes)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(two, two, strict=False)]


def above(hashes: list[bytes], levels: int) -> list[bytes]:
    """The complete nodes that many levels above."""
    for _ in range(levels):
        hashes = parents(hashes)
    return hashes


class Peaks:
    """The root of a log while it grows, from one hash a level."""

    def __init__(self) -> None:
        self.size = 0
        self._waiting: list[bytes] = []  # by level: a node without a sibling yet, or nothing

    def extend(self, hashes: list[bytes]) -> None:
        """Add leaves."""
        self.size += len(hashes)
        level = 0
        while hashes:
            if level == len(self._waiting):
                self._waiting.append(b"")
            if waiting := self._waiting[level]:
                hashes = [waiting, *hashes]
            self._waiting[level] = hashes[-1] if len(hashes) % 2 else b""
            hashes = parents(hashes)
            level += 1

    def root(self) -> bytes:
        return _joined([peak for peak in self._waiting if peak])


def over(first: int, end: int, node: Node) -> bytes:
    """The hash over leaves from `first` up to `end`, where the tree has such a subtree."""
    peaks: list[bytes] = []
    while first < end:
        level = (end - first).bit_length() - 1
        peaks.append(node(level, first >> level))
        first += 1 << level
    return _joined(peaks[::-1])


def root_of(size: int, node: Node) -> bytes:
    return over(0, size, node)


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """What proves that leaf `index` is in the tree of `size` leaves: PATH of RFC 9162, 2.1.3.1."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _left(end - first)
        if index < middle:
            path.append(over(middle, end, node))
            end = middle
        else:
            path.append(over(first, middle, node))
            first = middle
    return path[::-1]


def consistency(old: int, size: int, node: Node) -> list[bytes]:
    """What proves that the tree of `size` leaves begins with that of `old`: PROOF of 2.1.4.1."""
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} does not begin with one of {old}")
    path: list[bytes] = []
    first, end = 0, size
    whole = True  # whether the old tree is a subtree of what is looked at
    while old and old != end:
        middle = first + _left(end - first)
        if old <= middle:
            path.append(over(middle, end, node))
            end = middle
        else:
            path.append(over(first, middle, node))
            first, whole = middle, False
    if old and not whole:
        path.append(over(first, end, node))
    return path[::-1]


def _left(size: int) -> int:
    """How many of `size` leaves, two or more, are left of the middle."""
    return 1 << (size - 1).bit_length() - 1


def _joined(peaks: list[bytes]) -> bytes:
    """The root over complete subtrees, the last and smallest first."""
    if not peaks:
        return EMPTY
    root = peaks[0]
    for peak in peaks[1:]:
        root = node_hash(peak, root)
    return root
