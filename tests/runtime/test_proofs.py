"""The tree in its files, and the follower that grows it: it may die anywhere."""

import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.noted import CODEC, A, B, FaultyDisk, decision, folder_in_memory
from fondaco.kernel.errors import Corrupt, Invalid, NotFound, Unavailable
from fondaco.kernel.event import Instant
from fondaco.kernel.merkle import EMPTY, Peaks
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.runtime.proofs import roots, signing
from fondaco.runtime.proofs.growth import Growth
from fondaco.runtime.proofs.proving import Proofs
from fondaco.runtime.proofs.roots import Root
from fondaco.runtime.proofs.tree import GrowingTree, Tree
from fondaco.runtime.proofs.verifier import check_consistency, check_inclusion
from kernel.test_merkle import LEAVES, defined

DAY_NS = 86_400 * 10**9


def hashes(count: int) -> list[bytes]:
    return [sha256(number.to_bytes(4, "big")).digest() for number in range(count)]


# --- The tree in files ----------------------------------------------------------------------------


def test_a_large_tree_gives_the_root_of_every_size_and_proves_what_it_holds(tmp_path: Path) -> None:
    """70,000 leaves reach into the third file, and two levels of nodes lie between any two."""
    leaves = hashes(70_000)
    tree = GrowingTree(tmp_path, 0)
    peaks, expected = Peaks(), {0: EMPTY}
    for begin in range(0, len(leaves), 1_777):
        tree.append(leaves[begin : begin + 1_777])
        peaks.extend(leaves[begin : begin + 1_777])
        expected[peaks.size] = peaks.root()
    reader = Tree(tmp_path)
    assert reader.size == tree.size == 70_000
    assert {size: reader.root(size) for size in expected} == expected
    for index, size in ((0, 70_000), (65_535, 65_536), (65_536, 70_000), (69_999, 70_000)):
        path = reader.inclusion(index, size)
        check_inclusion(leaves[index], index, size, reader.root(size), path)
    for old, size in ((1, 70_000), (65_536, 70_000), (65_535, 65_537), (256, 69_999)):
        path = reader.consistency(old, size)
        check_consistency(old, size, reader.root(old), reader.root(size), path)
    with pytest.raises(ValueError, match="has 70000 leaves, not 70001"):
        reader.root(70_001)


def test_upper_files_are_made_again_of_the_leaves(tmp_path: Path) -> None:
    leaves = hashes(2_000)
    tree = GrowingTree(tmp_path, 0)
    tree.append(leaves)
    root, whole = tree.root(2_000), (tmp_path / "level-1").read_bytes()
    for content in (None, b"", whole[:64], whole + bytes(32 * 9)):
        (tmp_path / "level-1").unlink()
        if content is not None:
            (tmp_path / "level-1").write_bytes(content)
        if content is None or len(content) < len(whole):
            assert Tree(tmp_path).root(2_000) == root, "a reader does without"
        again = GrowingTree(tmp_path, 0)
        assert (tmp_path / "level-1").read_bytes() == whole
        assert again.root(2_000) == root


@given(st.lists(st.integers(0, 600), max_size=6), st.integers(0, 2_000), st.booleans())
def test_a_tree_that_was_cut_goes_on_where_whole_leaves_end(
    steps: list[int], cut: int, zeros: bool
) -> None:
    """After the power went, the end of the file may be missing, or be zeros."""
    with folder_in_memory() as folder:
        leaves = hashes(sum(steps) + 300)
        tree = GrowingTree(folder, 0)
        done = 0
        for step in steps:
            tree.append(leaves[done : done + step])
            done += step
        if done:
            path = folder / "level-0"
            content = path.read_bytes()
            cut -= cut % 32 if zeros else 0
            kept = content[: max(len(content) - cut, 0)]
            path.write_bytes(kept.ljust(len(content), b"\0") if zeros else kept)
        again = GrowingTree(folder, 0)
        size = again.size
        assert max(done - cut // 32 - 1, 0) <= size <= done
        again.append(leaves[size:])
        assert again.root(len(leaves)) == Tree(folder).root(len(leaves)) == defined_by(leaves)


def defined_by(leaves: list[bytes]) -> bytes:
    peaks = Peaks()
    peaks.extend(leaves)
    return peaks.root()


def test_what_was_synced_is_never_cut_off(tmp_path: Path) -> None:
    """A leaf of zeros is no end where a root was published behind it: that is damage."""
    tree = GrowingTree(tmp_path, 0)
    tree.append([*LEAVES[:9], bytes(32)])
    assert GrowingTree(tmp_path, 10).size == 10
    assert GrowingTree(tmp_path, 9).size == 9
    assert GrowingTree(tmp_path, 0).size == 9


# --- The follower ---------------------------------------------------------------------------------


class Grown:
    """A journal, and the log of it; `now` is nanoseconds since 1970."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.proofs = folder.with_name("proofs")
        self.journal = SegmentJournal(folder, CODEC, segment_bytes=4096, disk=FaultyDisk())
        self.now = 5 * DAY_NS + 1
        self.said: list[str] = []
        self.versions = 0
        self.log = self.begin()

    def begin(self) -> Growth:
        return Growth(
            self.proofs, self.journal, lambda: Instant(self.now), self.said.append, every_s=86_400
        )

    def write(self, turns: int) -> None:
        for _ in range(turns):
            version = self.versions
            one, two = decision(A, version, f"a{version}"), decision(B, 2 * version, "x", "y")
            self.journal.append([one, two])
            self.versions += 1

    def sizes(self) -> list[int]:
        return [root.size for root in roots.published(self.proofs)]

    def close(self) -> None:
        self.log.close()
        self.journal.close()


@pytest.fixture
def grown() -> Iterator[Grown]:
    with folder_in_memory() as folder:
        found = Grown(folder)
        yield found
        found.close()


def test_a_root_is_published_first_then_daily_and_at_the_end(grown: Grown) -> None:
    assert not grown.log.step()
    assert grown.sizes() == [], "there is nothing to publish a root of"
    grown.write(1)
    grown.log.step()
    grown.write(1)
    grown.log.step()
    assert grown.sizes() == [3], "the next is due after midnight, UTC"
    grown.now += DAY_NS - 2
    grown.log.step()
    assert grown.sizes() == [3]
    grown.now += 1
    grown.log.step()
    grown.now += 3 * DAY_NS
    grown.log.step()
    assert grown.sizes() == [3, 6], "not where nothing was written"
    grown.write(1)
    grown.log.finish()
    grown.log.finish()
    assert grown.sizes() == [3, 6, 9]
    found = roots.published(grown.proofs)
    assert [root.why for root in found] == ["first", "due", "due"]
    assert found[1].at == "1970-01-07T00:00:00Z"
    assert grown.said == [f"root {root}" for root in found]
    assert signing.unsigned(found) == []
    assert {root.key for root in found} == {signing.public(grown.proofs)}
    grown.write(1)
    grown.log.finish()
    assert roots.published(grown.proofs)[-1].why == "stop"


def test_a_root_that_nobody_signed_is_named(grown: Grown) -> None:
    for _ in range(3):
        grown.write(1)
        grown.now += DAY_NS
        grown.log.step()
    old, *rest = roots.published(grown.proofs)
    bare = msgspec.structs.replace(old, key="", signature="")
    assert signing.unsigned([bare, *rest]) == [], "there was no key yet"
    bare = msgspec.structs.replace(rest[0], signature="")
    assert signing.unsigned([old, bare, rest[1]]) == [
        "the root of the first 6 entries is not signed"
    ]
    for change in ({"root": "1" * 64}, {"at": "2026-01-01T00:00:00Z"}, {"why": "stop"},
                   {"key": "2" * 64}, {"key": "x"}):  # fmt: skip
        wrong = msgspec.structs.replace(rest[0], **change)
        [said] = signing.unsigned([old, wrong, rest[1]])
        assert said == "the root of the first 6 entries is not signed by the key that it names"


def test_the_key_is_made_once_and_kept_to_ourselves(tmp_path: Path) -> None:
    first = signing.signer(tmp_path)
    assert (tmp_path / signing.KEY).stat().st_mode & 0o777 == 0o600
    assert signing.signer(tmp_path).key == first.key == signing.public(tmp_path)
    (tmp_path / signing.KEY).write_text("nonsense")
    with pytest.raises(Corrupt, match="is no key"):
        signing.signer(tmp_path)


def test_whoever_dies_anywhere_goes_on_to_the_same_roots(grown: Grown) -> None:
    """Each time the tree's files are those of some moment before, the journal is of now."""
    moments = [grown.proofs.with_name(f"proofs-{nth}") for nth in range(6)]
    for moment in moments:
        grown.write(30)
        grown.log.step()
        shutil.copytree(grown.proofs, moment)
    grown.log.finish()
    grown.log.close()
    last = roots.published(grown.proofs)[-1]
    assert last.size == 540
    for moment in moments:
        for lost in (0, 1, 33, 32 * 50):
            shutil.rmtree(grown.proofs)
            shutil.copytree(moment, grown.proofs)
            path = grown.proofs / "level-0"
            os.truncate(path, max(path.stat().st_size - lost, 0))
            log = grown.begin()
            log.finish()
            log.close()
            assert log.trouble == ""
            assert roots.published(grown.proofs)[-1].root == last.root


def test_a_tree_that_is_gone_is_made_again_and_held_against_its_roots(grown: Grown) -> None:
    grown.write(20)
    grown.log.finish()
    grown.log.close()
    (grown.proofs / "level-0").unlink()
    grown.log = grown.begin()
    grown.log.finish()
    assert (grown.log.trouble, grown.log.size) == ("", 60)
    assert grown.sizes() == [60]


@pytest.mark.parametrize("lost", [True, False])
def test_nothing_is_published_any_more_once_the_roots_do_not_fit(grown: Grown, lost: bool) -> None:
    grown.write(20)
    grown.log.finish()
    grown.log.close()
    leaves = grown.proofs / "level-0"
    if lost:  # it is made again, of a journal whose roots were others
        leaves.unlink()
        line = (grown.proofs / "roots").read_text()
        (grown.proofs / "roots").write_text(
            line.replace(roots.published(grown.proofs)[0].root, "1" * 64)
        )
    else:
        content = bytearray(leaves.read_bytes())
        content[100] ^= 1
        leaves.write_bytes(content)
    before = (grown.proofs / "roots").read_bytes()
    grown.log = grown.begin()
    grown.write(1)
    for _ in range(3):
        grown.log.step()
    grown.log.finish()
    assert "run fondaco verify" in grown.log.trouble
    assert (grown.proofs / "roots").read_bytes() == before
    assert len(grown.said) == 2, "it says so once"


def test_a_journal_that_is_shorter_than_its_tree_is_seen(grown: Grown) -> None:
    grown.write(2)
    other = Grown(grown.folder.with_name("other"))
    other.log.close()
    grown.log.finish()
    grown.log.close()
    other.proofs = grown.proofs
    log = other.begin()
    assert not log.step()
    assert "ends at position 0 and its tree has 6 leaves" in log.trouble
    log.close()
    other.journal.close()


def test_two_never_grow_one_tree(grown: Grown) -> None:
    grown.write(1)
    grown.log.step()
    second = grown.begin()
    assert not second.step()
    assert "another process" in grown.said[-1]
    grown.log.close()
    grown.write(1)
    second.step()
    second.close()
    assert second.trouble == ""
    assert Tree(grown.proofs).size == 6


def test_a_full_disk_is_waited_for(grown: Grown, monkeypatch: pytest.MonkeyPatch) -> None:
    grown.write(100)
    written = os.write

    def full(file: int, content: bytes) -> int:
        if "level-0" in os.readlink(f"/proc/self/fd/{file}"):
            written(file, bytes(content)[:100])
            raise OSError(28, "No space left on device")
        return written(file, content)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        for _ in range(3):
            assert not grown.log.step()
    assert [text for text in grown.said if "No space" in text] == grown.said
    assert len(grown.said) == 1
    grown.log.finish()
    assert grown.sizes() == [300]
    assert grown.log.trouble == ""


# --- What is asked of it --------------------------------------------------------------------------


def test_every_entry_is_proven_under_the_newest_root_that_holds_it(grown: Grown) -> None:
    grown.write(7)
    grown.log.step()
    grown.write(7)
    grown.log.step()
    log = Proofs(grown.proofs, grown.journal, CODEC)
    assert grown.sizes() == [21]
    for entry in grown.journal.follow(0, 1_000):
        found = log.inclusion(entry.position)
        assert (found.stream, found.version) == (entry.stream, entry.version)
        assert found.size == (21 if entry.position <= 21 else 42)
        assert found.root == log.root(found.size)
    assert log.inclusion(1, 30).size == 30
    assert log.consistency(5).size == 21
    assert log.consistency(22).size == 42
    for wrong in (lambda: log.inclusion(0), lambda: log.inclusion(43), lambda: log.inclusion(9, 8),
                  lambda: log.consistency(0), lambda: log.consistency(9, 9),
                  lambda: log.consistency(9, 50), lambda: log.root(43)):  # fmt: skip
        with pytest.raises(NotFound):
            wrong()
    grown.write(1)
    with pytest.raises(Unavailable, match="42 of 45 entries are hashed"):
        log.root(45)
    log.close()


@pytest.mark.parametrize(
    "line",
    ["", "{}", '{"size":9,"root":"ab","at":""}', '{"size":3,"root":"%s","at":""}' % ("0" * 64)],
)
def test_a_line_that_is_no_root_is_named(tmp_path: Path, line: str) -> None:
    roots.publish(tmp_path, Root(5, "0" * 64, "2026-01-01T00:00:00Z", "due"))
    with (tmp_path / "roots").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(Corrupt, match="line 2 of"):
        roots.published(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "12", "0" * 64, "0" * 64 + "@", "x" * 64 + "@1", "0" * 63 + "@1"]
)
def test_what_is_no_root_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="write HASH@SIZE"):
        roots.named(text)


def test_a_root_is_named_as_it_is_shown() -> None:
    root = Root(5, defined(LEAVES[:5]).hex(), "", roots.GIVEN)
    assert roots.named(str(root)) == root
