"""The follower that hashes the journal into the tree, and publishes its root now and then."""

import fcntl
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from fondaco.kernel.errors import Corrupt, FondacoError, Unavailable
from fondaco.kernel.event import Instant
from fondaco.kernel.instants import parsed_instant
from fondaco.ports.journal import Journal
from fondaco.runtime.proofs import roots
from fondaco.runtime.proofs.leaves import leaf_hashes
from fondaco.runtime.proofs.roots import Root
from fondaco.runtime.proofs.signing import Signer, signer
from fondaco.runtime.proofs.tree import GrowingTree

STEP: Final = 2_048  # entries at a time
_NS: Final = 1_000_000_000


class Growth:
    """The one writer of a tree. It may die anywhere: what it left is what it goes on from.

    What was published is never made to fit: where journal and tree no longer give it, this stops,
    says so once, and touches nothing more.
    """

    def __init__(
        self,
        folder: Path,
        journal: Journal,
        now: Callable[[], Instant],
        say: Callable[[str], None],
        *,
        every_s: int,
        signing: Callable[[], Signer] | None = None,
    ) -> None:
        """`signing` gives who signs roots; else that is the key in the folder."""
        self._folder = folder
        self._signing = signing or partial(signer, folder)
        self._journal = journal
        self._now = now
        self._say = say
        self._every_ns = every_s * _NS
        self.trouble = ""
        self._lock = -1
        self._tree: GrowingTree | None = None
        self._last: Root | None = None
        self._due = 0  # the interval after that of the last root
        self._said = ""
        self._unproven: list[Root] = []  # published, and ahead of a tree that is made again

    @property
    def size(self) -> int:
        return 0 if self._tree is None else self._tree.size

    def step(self) -> bool:
        """Hash what is new, up to a limit, and say whether there is more."""
        if self.trouble:
            return False
        try:
            more = self._step()
            self._said = ""
            return more
        except Unavailable as error:  # the disk is full: nothing is lost, it is tried again
            self._let_go(error)
        except Corrupt as error:
            self.trouble = error.message
            self._say(f"no entry is hashed any more, and no root published: {error.message}")
        return False

    def finish(self) -> None:
        """Hash and publish all there is; of a house that stops in good order."""
        while self.step():
            pass
        if self._tree is not None and not self.trouble:
            try:
                self._publish(self._tree, "stop")
            except Unavailable as error:
                self._let_go(error)

    def close(self) -> None:
        if self._tree is not None:
            self._tree.close()
            self._tree = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _step(self) -> bool:
        tree = self._tree or self._open()
        batch = self._journal.stored(tree.size, STEP)
        hashes = [each for stored in batch for each in leaf_hashes(stored)]
        if batch and batch[0].first <= tree.size:  # a tree that ended within an append
            del hashes[: tree.size + 1 - batch[0].first]
        if hashes:
            tree.append(hashes)
            self._prove(tree)
        if len(hashes) >= STEP:
            return True
        if self._now() >= self._due:
            self._publish(tree, "due" if self._last else "first")
        return False

    def _open(self) -> GrowingTree:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._lock < 0:
                self._lock = _locked(self._folder)
            found = roots.published(self._folder)
            last = roots.newest(found)
            tree = GrowingTree(self._folder, last.size if last else 0)
        except OSError as error:
            raise Unavailable(f"{self._folder} cannot be used: {error}") from error
        if tree.size > self._journal.head():
            raise Corrupt(
                f"the journal ends at position {self._journal.head()} and its tree has "
                f"{tree.size} leaves; run fondaco verify"
            )
        self._note(last)
        self._unproven = found
        self._prove(tree, newest_only=True)
        self._tree = tree
        return tree

    def _prove(self, tree: GrowingTree, *, newest_only: bool = False) -> None:
        """Hold the tree against what was published of it. Raises `Corrupt`."""
        if not self._unproven:
            return
        reached = [root for root in self._unproven if root.size <= tree.size]
        self._unproven = self._unproven[len(reached) :]
        for root in reached[-1:] if newest_only else reached:
            if tree.root(root.size).hex() != root.root:
                raise Corrupt(
                    f"the root of the first {root.size} entries is not the one that was published "
                    f"at {root.at}; run fondaco verify"
                )

    def _note(self, last: Root | None) -> None:
        """Another is due once an interval, counted from midnight UTC, has ended since."""
        self._last = last
        if last is not None:
            at = parsed_instant(last.at, "at")
            self._due = (at // self._every_ns + 1) * self._every_ns

    def _publish(self, tree: GrowingTree, why: str) -> None:
        """Nothing where nothing was written since, or what was published is not proven yet."""
        if self._unproven or tree.size <= (self._last.size if self._last else 0):
            return
        tree.sync()
        root = Root(tree.size, tree.root(tree.size).hex(), roots.moment(self._now()), why)
        root = self._signing().signed(root)
        roots.publish(self._folder, root)
        self._note(root)
        self._say(f"root {root}")

    def _let_go(self, error: FondacoError) -> None:
        """Begin again from the files."""
        if self._tree is not None:
            self._tree.close()
            self._tree = None
        if error.message != self._said:
            self._said = error.message
            self._say(f"entries wait to be hashed: {error.message}")


def _locked(folder: Path) -> int:
    """Raises `Unavailable` while another process grows the same tree."""
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise Unavailable(f"{folder} is being written by another process") from None
    return file
