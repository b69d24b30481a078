"""Whatever is done to a journal's files, `verify` finds it and says where."""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from faults import tampering
from faults.noted import CODEC, folder_in_memory, head_word
from faults.tampering import MENDED, SPOILED, Mending, Segment, Spot, Unchanged
from fondaco.kernel.merkle import Peaks
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.runtime.proofs import roots
from fondaco.runtime.proofs.audit import Verdict, audit
from fondaco.runtime.proofs.roots import GIVEN, Root
from fondaco.runtime.proofs.tree import Tree

TAMPERINGS: Final = 20_000 if os.environ.get("FONDACO_SOAK") == "1" else 1_000
PARTS: Final = 4  # for as many workers
KINDS: Final[tuple[Any, ...]] = (*MENDED, *SPOILED)


class Written(NamedTuple):
    folder: Path
    proofs: Path
    segments: list[Segment]
    files: dict[int, bytes]
    last: int
    spots: list[Spot]
    leaves: list[bytes]


@pytest.fixture(scope="module")
def written() -> Iterator[Written]:
    with folder_in_memory() as folder:
        proofs = folder.with_name("proofs")
        tampering.write(folder, proofs, random.Random(7))
        assert verdict(folder, proofs).finding is None, "as it was written"
        segments = tampering.read(folder)
        files, last, spots = tampering.packed(segments)
        for number, content in files.items():
            assert (folder / f"{number:08d}.seg").read_bytes().startswith(content)
        assert last == head_word(folder)
        shutil.rmtree(folder / "index", ignore_errors=True)
        found = Written(folder, proofs, segments, files, last, spots, tampering.leaves(segments))
        assert len(segments) > 3
        assert len(found.leaves) > 150
        assert len(roots.published(proofs)) > 3
        yield found


@pytest.fixture(autouse=True)
def _as_written(written: Written) -> None:
    tampering.put(written.folder, written.files, written.last)


def verdict(
    folder: Path, proofs: Path, *, given: tuple[Root, ...] = (), beyond: bool = True
) -> Verdict:
    journal = SegmentJournal(folder, CODEC, writer=False)
    with closing(journal), closing(Tree(proofs)) as tree:
        kept = [*roots.published(proofs), *given]
        return audit(journal.walk(beyond=beyond), tree, kept)


def first_difference(one: list[bytes], other: list[bytes]) -> int:
    """The position of the first leaf that differs; raises `Unchanged` where none of `one` does."""
    for position, (left, right) in enumerate(zip(one, other, strict=False), 1):
        if left != right:
            return position
    if len(other) >= len(one):
        raise Unchanged
    return len(other) + 1


def tamper(written: Written, kind: Callable[..., Any], rng: random.Random) -> Spot:
    """The record that is the first not to fit; where the journal ends, if none is left."""
    if kind in SPOILED:
        files = dict(written.files)
        hit = kind(files, written.spots, rng)
        spot = hit or tampering.first_spoiled(written.files, files, written.spots)
        tampering.put(written.folder, files, None)
        return spot
    changed = tampering.mended(written.segments, kind, rng)
    position = first_difference(written.leaves, tampering.leaves(changed))
    files, last, spots = tampering.packed(changed)
    tampering.put(written.folder, files, last)
    with closing(SegmentJournal(written.folder, CODEC, writer=False)) as journal:
        assert journal.verify() == journal.head(), "only its hashes say that it is another one"
    if position > journal.head():
        end = max(spots, key=lambda spot: spot.position)
        return Spot(position, end.segment, end.end, end.end, end.end)
    return max((spot for spot in spots if spot.position <= position), key=lambda s: s.position)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_thousand_tamperings_are_each_found_and_located(written: Written, part: int) -> None:
    """Bytes that are flipped, moved, repeated, cut off or gone; and entries that are edited, taken
    away, put in or put elsewhere, with every checksum, length, link, version and header mended."""
    rng = random.Random(f"tampering/{part}")
    done: dict[str, int] = {}
    while sum(done.values()) < TAMPERINGS // PARTS:
        tampering.put(written.folder, written.files, written.last)
        kind = rng.choice(KINDS)
        try:
            spot = tamper(written, kind, rng)
        except Unchanged:
            continue
        finding = verdict(written.folder, written.proofs, beyond=rng.random() < 0.5).finding
        what = f"{kind.__name__} at {spot}: {finding}"
        assert finding is not None, what
        assert finding.position == spot.position, what
        assert finding.segment == spot.segment, what
        # Of spoiled headers the frame, or the segment, is what is named.
        places = {spot.begin} if kind in MENDED else {spot.begin, spot.frame, 0}
        assert finding.offset in places, what
        done[kind.__name__] = done.get(kind.__name__, 0) + 1
    assert done.keys() == {kind.__name__ for kind in KINDS}


@pytest.mark.parametrize("kind", MENDED)
def test_who_mends_the_tree_too_is_found_by_the_roots(
    written: Written, tmp_path: Path, kind: Mending
) -> None:
    """Then the stretch is known: behind the last root that fits, up to the first that does not."""
    proofs = tmp_path / "proofs"
    for nth in range(5):
        tampering.put(written.folder, written.files, written.last)
        try:
            changed = tampering.mended(written.segments, kind, random.Random(f"tree/{nth}"))
            leaves = tampering.leaves(changed)
            position = first_difference(written.leaves, leaves)
        except Unchanged:
            continue
        tampering.put(written.folder, *tampering.packed(changed)[:2])
        shutil.copytree(written.proofs, proofs, dirs_exist_ok=True)
        (proofs / "level-0").write_bytes(b"".join(leaves))
        finding = verdict(written.folder, proofs).finding
        assert finding is not None
        sizes = [root.size for root in roots.published(proofs)]
        fitting = max([0, *(size for size in sizes if size < position)])
        beyond = min(size for size in sizes if size >= position)
        if beyond <= len(leaves):
            assert finding.position == fitting + 1
            assert f"entries {fitting + 1} to {beyond} " in finding.what
        else:
            assert finding.position == len(leaves) + 1


@pytest.mark.parametrize("kind", MENDED)
def test_who_mends_everything_is_found_by_a_root_that_has_left_the_machine(
    written: Written, tmp_path: Path, kind: Mending
) -> None:
    proofs = tmp_path / "proofs"
    proofs.mkdir()
    try:
        changed = tampering.mended(written.segments, kind, random.Random(3))
        leaves = tampering.leaves(changed)
        first_difference(written.leaves, leaves)
    except Unchanged:
        pytest.fail("choose another seed")
    tampering.put(written.folder, *tampering.packed(changed)[:2])
    (proofs / "level-0").write_bytes(b"".join(leaves))
    peaks = Peaks()
    peaks.extend(leaves)
    forged = Root(len(leaves), peaks.root().hex(), "2026-01-01T00:00:00Z", "stop")
    roots.publish(proofs, forged)
    assert verdict(written.folder, proofs).finding is None, "nothing here says so any more"
    true = roots.published(written.proofs)[-1]
    given = Root(true.size, true.root, "", GIVEN)
    finding = verdict(written.folder, proofs, given=(given,)).finding
    assert finding is not None
    if true.size <= len(leaves):
        assert str(true) in finding.what
        assert finding.position == 1
    else:
        assert finding.position == len(leaves) + 1


def test_a_leaf_of_the_tree_that_was_changed_is_not_held_against_the_journal(
    written: Written, tmp_path: Path
) -> None:
    proofs = tmp_path / "proofs"
    for position in (1, 57, len(written.leaves)):
        shutil.copytree(written.proofs, proofs, dirs_exist_ok=True)
        leaves = bytearray((proofs / "level-0").read_bytes())
        leaves[32 * position - 1] ^= 1
        (proofs / "level-0").write_bytes(leaves)
        finding = verdict(written.folder, proofs).finding
        assert finding is not None
        assert finding.position == 0
        assert f"leaf {position} of the tree" in finding.what


def test_a_published_root_that_was_changed_is_not_held_against_the_journal(
    written: Written, tmp_path: Path
) -> None:
    proofs = tmp_path / "proofs"
    shutil.copytree(written.proofs, proofs)
    lines = (proofs / "roots").read_text().splitlines(keepends=True)
    second = roots.published(proofs)[1]
    lines[1] = lines[1].replace(second.root, "0" * 64)
    (proofs / "roots").write_text("".join(lines))
    finding = verdict(written.folder, proofs).finding
    assert finding is not None
    assert finding.position == 0
    assert f"{'0' * 64}@{second.size}" in finding.what


def test_without_roots_and_tree_only_a_given_root_is_held_against_it(
    written: Written, tmp_path: Path
) -> None:
    nothing = verdict(written.folder, tmp_path)
    assert (nothing.finding, nothing.roots) == (None, 0)
    assert nothing.entries == len(written.leaves)
    last = roots.published(written.proofs)[-1]
    assert (nothing.root, nothing.entries) == (last.root, last.size)
    good = Root(last.size, last.root, "", GIVEN)
    assert verdict(written.folder, tmp_path, given=(good,)).roots == 1
    bad = Root(last.size - 1, last.root, "", GIVEN)
    assert verdict(written.folder, tmp_path, given=(bad,)).finding is not None
    longer = Root(last.size + 9, last.root, "", GIVEN)
    finding = verdict(written.folder, tmp_path, given=(longer,)).finding
    assert finding is not None
    assert finding.position == last.size + 1
