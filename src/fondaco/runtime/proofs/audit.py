"""The whole journal held against every root that was ever published, and against the tree.

Where they differ there are three witnesses: the journal, the tree and the published roots, which
may also be given from outside. The tree tells entries apart, so where it agrees with a root, the
first entry that differs from it is the one that was changed. Where tree and journal agree with
each other and with no root, both were changed, and only the stretch between two roots is known.
"""

from collections.abc import Callable, Iterable

import msgspec

from fondaco.kernel.errors import Corrupt
from fondaco.kernel.event import StreamId
from fondaco.kernel.merkle import EMPTY, HASH_BYTES, Peaks
from fondaco.ports.journal import Damage, Seeming, Walked
from fondaco.runtime.proofs.leaves import leaf_hashes, record_hashes
from fondaco.runtime.proofs.roots import GIVEN, Root
from fondaco.runtime.proofs.tree import Tree


class Finding(msgspec.Struct, frozen=True):
    """The first entry that does not fit. `position` is 0 where no entry is to blame."""

    position: int
    stream: str
    segment: int
    offset: int  # of the record, or of the frame or segment that holds it
    what: str

    def __str__(self) -> str:
        if not self.position:
            return self.what
        of = f" of {self.stream}" if self.stream else ""
        where = f", in segment {self.segment:08d} at byte {self.offset}" if self.segment else ""
        return f"entry {self.position}{of}{where}: {self.what}"


class Verdict(msgspec.Struct, frozen=True):
    """`root` is that of all `entries` that could be read."""

    entries: int
    root: str
    roots: int  # how many fit
    finding: Finding | None


class Audit:
    """One run over a journal."""

    def __init__(self, tree: Tree, roots: Iterable[Root]) -> None:
        self._tree = tree
        self._size = tree.size  # before the journal's end was looked at, so never beyond it
        self._roots = sorted([*roots, Root(self._size, "", "")], key=lambda root: root.size)
        self._next = 0
        self._fitting = 0
        self._peaks = Peaks()
        self._versions: dict[StreamId, int] = {}
        self._sound = self._given = 0  # up to where a root fits, and one that was given
        self._behind: dict[int, Finding] = {}  # the first entry behind each of the two
        self._bad: Root | None = None  # the first root since that does not fit
        self._doubt: Finding | None = None  # the first entry since that differs from the tree
        self._root_lines: list[Root] = []  # that no journal gives
        self._tree_wrong = 0  # the first entry that the tree has wrong
        self._root_of_tree = EMPTY  # as the journal gives it
        self._last: Walked | None = None

    @property
    def entries(self) -> int:
        return self._peaks.size

    def add(self, walked: Walked) -> Finding | None:
        """The next append; what is said of it ends the audit."""
        self._last = walked
        hashes = leaf_hashes(walked.stored)
        for size in (self._sound, self._given):
            if size not in self._behind and size + 1 == walked.stored.first:
                self._behind[size] = self._at(walked, size + 1, "")
        if self._doubt is None:
            self._doubt = self._differing(walked, hashes)
        wrong = self._versions_wrong(walked)
        if wrong is not None:
            return self._earliest(wrong)
        return self._extend(walked, hashes)

    def damaged(self, damage: Damage) -> Finding:
        """What is said of a journal that cannot be read on."""
        position = damage.position
        for each in damage.rest:
            if position > self._size:
                break  # the tree does not know what stood there
            if not self._is_known(position, each):
                # What cannot even be read may not begin where it seems to.
                offset = each.offset if each.content else damage.offset
                at = (position, each.stream, damage.segment, offset)
                return self._earliest(Finding(*at, damage.what))
            position += each.count
        at = (damage.position, "", damage.segment, damage.offset)
        return self._earliest(Finding(*at, damage.what))

    def _is_known(self, position: int, seeming: Seeming) -> bool:
        """Whether the tree has these bytes at `position`."""
        end = position - 1 + seeming.count
        if not seeming.content or seeming.count < 1 or end > self._size:
            return False
        hashes = record_hashes(position, seeming.content, seeming.count)
        return b"".join(hashes) == self._tree.leaves(position - 1, end)

    def end(self) -> Finding | None:
        """What is said once everything has been read."""
        size = self._peaks.size
        longest = max([self._size, *(root.size for root in self._roots)])
        if size < longest:
            what = f"the journal ends at position {size}, where it had {longest} entries"
            return self._earliest(Finding(size + 1, "", *self._end_of_last(), what))
        return self._between() or self._doubt or self._aside()

    def verdict(self, finding: Finding | None) -> Verdict:
        return Verdict(self._peaks.size, self._peaks.root().hex(), self._fitting, finding)

    def _extend(self, walked: Walked, hashes: list[bytes]) -> Finding | None:
        last = self._peaks.size + len(hashes)
        while self._next < len(self._roots) and self._roots[self._next].size <= last:
            root = self._roots[self._next]
            self._next += 1
            until = root.size - self._peaks.size
            self._peaks.extend(hashes[:until])
            hashes = hashes[until:]
            if not root.root:
                self._root_of_tree = self._peaks.root()
            elif self._peaks.root().hex() == root.root:
                self._fits(root, walked)
            elif self._doubt is not None and self._tree_gives(root):
                return self._doubt  # the tree has what was published, the journal has not
            elif root.why == GIVEN:
                return self._not_given(root)
            elif self._bad is None:
                self._bad = root
        self._peaks.extend(hashes)
        return None

    def _fits(self, root: Root, walked: Walked) -> None:
        """Everything up to here is what it was, whatever else says so or not."""
        self._fitting += 1
        if self._bad is not None:
            self._root_lines.append(self._bad)
            self._bad = None
        if self._doubt is not None and self._doubt.position <= root.size:
            self._tree_wrong = self._tree_wrong or self._doubt.position
            self._doubt = None
        self._sound = root.size
        if root.why == GIVEN:
            self._given = root.size
        stored = walked.stored
        if root.size < stored.first + stored.count - 1:
            self._behind[root.size] = self._at(walked, root.size + 1, "")

    def _differing(self, walked: Walked, hashes: list[bytes]) -> Finding | None:
        """The first entry of an append that the tree has otherwise."""
        first = walked.stored.first - 1
        end = min(first + len(hashes), self._size)
        if first >= end:
            return None
        ours = b"".join(hashes[: end - first])
        theirs = self._tree.leaves(first, end)
        if ours == theirs:
            return None
        at = next(
            at for at in range(0, len(ours), HASH_BYTES)
            if ours[at : at + HASH_BYTES] != theirs[at : at + HASH_BYTES]
        )  # fmt: skip
        position = first + at // HASH_BYTES + 1
        return self._at(walked, position, "it is not what was hashed when it was written")

    def _versions_wrong(self, walked: Walked) -> Finding | None:
        position = walked.stored.first
        for record in walked.records:
            stream, version = record.stream, self._versions.get(record.stream, 0)
            if version != record.expected_version:
                what = f"it is version {record.expected_version + 1}, must be {version + 1}"
                return self._at(walked, position, what)
            self._versions[stream] = version + record.count
            position += record.count
        return None

    def _at(self, walked: Walked, position: int, what: str) -> Finding:
        """`position`, which is in this append, with its record's place."""
        stored = walked.stored
        first, offset = stored.first, stored.offset
        for record, raw in zip(walked.records, stored.records, strict=True):
            if position < first + record.count:
                return Finding(position, record.stream, stored.segment, offset, what)
            first += record.count
            offset += len(memoryview(raw))
        raise AssertionError(f"{position} is not in the append at {stored.first}")

    def _end_of_last(self) -> tuple[int, int]:
        """Segment and byte behind the last append."""
        if self._last is None:
            return 0, 0
        stored = self._last.stored
        return stored.segment, stored.offset + sum(len(memoryview(raw)) for raw in stored.records)

    def _earliest(self, finding: Finding) -> Finding:
        """`finding`, or what came before it."""
        if between := self._between():
            return between
        if self._doubt is not None and self._doubt.position <= finding.position:
            return self._doubt
        return finding

    def _between(self) -> Finding | None:
        """Where no root since has fitted, what was changed lies behind the last that did."""
        if self._bad is None:
            return None
        size, at = self._bad.size, self._bad.at
        what = (
            f"the first {size} entries do not give the root that was published at {at}: one of "
            f"the entries {self._sound + 1} to {size} was changed, and so was the tree; or else "
            "the line of that root"
        )
        return self._first_behind(self._sound, what)

    def _not_given(self, root: Root) -> Finding:
        what = (
            f"the first {root.size} entries do not give the root {root}: one of the entries "
            f"{self._given + 1} to {root.size} was changed, or that is the root of another house"
        )
        return self._first_behind(self._given, what)

    def _first_behind(self, size: int, what: str) -> Finding:
        found = self._behind.get(size) or Finding(size + 1, "", 0, 0, "")
        return msgspec.structs.replace(found, what=what)

    def _tree_gives(self, root: Root) -> bool:
        return root.size <= self._size and self._tree.root(root.size).hex() == root.root

    def _aside(self) -> Finding | None:
        """The journal is what it was; are the files beside it?"""
        if self._root_lines:
            root = self._root_lines[0]
            what = (
                f"the root {root}, published at {root.at}, is not that of the journal, which "
                "later roots fit: somebody changed its line"
            )
            return Finding(0, "", 0, 0, what)
        if self._tree_wrong:
            what = (
                f"the journal fits its roots, and leaf {self._tree_wrong} of the tree does not: "
                "delete level-* in the folder of the proofs, they are made again"
            )
            return Finding(0, "", 0, 0, what)
        if self._tree.root(self._size) != self._root_of_tree:
            what = (
                "the journal fits its roots, and the upper levels of the tree do not: delete "
                "level-1 and above in the folder of the proofs, they are made again"
            )
            return Finding(0, "", 0, 0, what)
        return None


def audit(
    walk: Iterable[Walked | Damage],
    tree: Tree,
    roots: Iterable[Root],
    progress: Callable[[int], None] = lambda _: None,
) -> Verdict:
    """Read everything and say whether it is what was written, and where it is not.

    `walk` has not begun yet: what it finds at its end must not be older than the tree.
    """
    run = Audit(tree, roots)
    try:
        for found in walk:
            finding = run.damaged(found) if isinstance(found, Damage) else run.add(found)
            if finding is not None:
                return run.verdict(finding)
            progress(run.entries)
        return run.verdict(run.end())
    except Corrupt as error:  # of the tree's own files
        return run.verdict(Finding(0, "", 0, 0, error.message))
