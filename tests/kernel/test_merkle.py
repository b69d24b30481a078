"""Laws of Merkle trees: against the definition, and against who checks them without us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.kernel.merkle import (
    EMPTY,
    Peaks,
    consistency,
    inclusion,
    leaf_hash,
    node_hash,
    root_of,
)
from fondaco.runtime.proofs.verifier import Wrong, check_consistency, check_inclusion

LEAVES = [leaf_hash(bytes([number % 256, number // 256])) for number in range(300)]
sizes = st.integers(1, len(LEAVES))


class Drawn:
    """Complete nodes, worked out from the leaves each time."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._leaves = leaves

    def __call__(self, level: int, place: int) -> bytes:
        return defined(self._leaves[place << level : place + 1 << level])


def defined(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, word by word."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(defined(leaves[:k]), defined(leaves[k:]))


NODES = Drawn(LEAVES)


@given(size=st.integers(0, len(LEAVES)), cuts=st.lists(st.integers(0, len(LEAVES)), max_size=6))
def test_a_root_is_that_of_the_definition_however_the_log_grew(size: int, cuts: list[int]) -> None:
    peaks = Peaks()
    ends = [*sorted(cut for cut in cuts if cut < size), size]
    for begin, end in zip([0, *ends], ends, strict=False):
        peaks.extend(LEAVES[begin:end])
    assert peaks.size == size
    assert peaks.root() == root_of(size, NODES) == defined(LEAVES[:size])


@given(st.data())
def test_every_leaf_is_proven(data: st.DataObject) -> None:
    size = data.draw(sizes)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion(index, size, NODES)
    root = defined(LEAVES[:size])
    check_inclusion(LEAVES[index], index, size, root, path)
    other = data.draw(st.integers(0, len(LEAVES) - 1).filter(lambda each: each != index))
    with pytest.raises(Wrong):
        check_inclusion(LEAVES[other], index, size, root, path)
    with pytest.raises(Wrong):
        check_inclusion(LEAVES[index], other, size, root, path)
    with pytest.raises(Wrong):
        check_inclusion(LEAVES[index], index, size, root, mutated(path, data))


@given(st.data())
def test_every_older_root_is_proven(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, len(LEAVES)))
    old = data.draw(st.integers(1, size - 1))
    path = consistency(old, size, NODES)
    older, root = defined(LEAVES[:old]), defined(LEAVES[:size])
    check_consistency(old, size, older, root, path)
    other = data.draw(st.integers(0, size + 1).filter(lambda each: each != old))
    with pytest.raises(Wrong):
        check_consistency(old, size, defined(LEAVES[:other]), root, path)
    with pytest.raises(Wrong):
        check_consistency(old, size, older, defined(LEAVES[: size - 1]), path)
    with pytest.raises(Wrong):
        check_consistency(other, size, older, root, path)
    with pytest.raises(Wrong):
        check_consistency(old, size, older, root, mutated(path, data))


def mutated(path: list[bytes], data: st.DataObject) -> list[bytes]:
    """Another path: one hash changed, left out, put in, or two that differ exchanged."""
    found = list(path)
    what = data.draw(st.sampled_from(("flip", "drop", "add", "swap")))
    at = data.draw(st.integers(0, max(len(found) - 1, 0)))
    if what == "add" or not found:
        found.insert(at, data.draw(st.sampled_from(LEAVES)))
    elif what == "drop":
        del found[at]
    elif what == "swap" and found[at] != found[0]:
        found[at], found[0] = found[0], found[at]
    else:
        found[at] = bytes([found[at][0] ^ 1]) + found[at][1:]
    return found


@pytest.mark.parametrize(("old", "size"), [(0, 5), (5, 5), (6, 5), (-1, 5), (-1, -5), (1, 0)])
def test_what_is_no_older_log_is_not_proven(old: int, size: int) -> None:
    with pytest.raises(Wrong):
        check_consistency(old, size, LEAVES[0], LEAVES[0], [LEAVES[0]])


def test_who_asks_for_what_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="leaf 5 is not in a tree of 5"):
        inclusion(5, 5, NODES)
    with pytest.raises(ValueError, match="does not begin with one of 6"):
        consistency(6, 5, NODES)
