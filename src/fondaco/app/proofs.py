"""The Merkle log of a data directory: grown, proven from, and held against its journal."""

import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from fondaco.app.clock import Clock
from fondaco.app.files import Files, is_served
from fondaco.app.kinds import CODEC
from fondaco.app.machines import open_journal
from fondaco.app.say import say
from fondaco.app.secrets import open_ring, signing_seed
from fondaco.kernel.errors import Corrupt, FondacoError
from fondaco.ports.journal import Journal
from fondaco.runtime.proofs import roots, signature_verifier, signing, verifier
from fondaco.runtime.proofs.audit import Finding, Verdict, audit
from fondaco.runtime.proofs.growth import Growth
from fondaco.runtime.proofs.proving import Proofs
from fondaco.runtime.proofs.roots import Root
from fondaco.runtime.proofs.tree import LEVELS, Tree

LAST_MAX: Final = 200_000  # entries that a house that stops still hashes; else the next start does
_NEVER_S: Final = 1 << 40
_TELL_EVERY_S: Final = 2.0


def grow(files: Files, journal: Journal, *, every_s: int) -> Growth:
    """For the one process that hashes what is written."""
    return Growth(
        files.proofs, journal, Clock(), say, every_s=every_s, signing=lambda: _signer(files)
    )


def _signer(files: Files) -> signing.Signer:
    with closing(open_ring(files)) as ring:
        return signing.signer(files.proofs, signing_seed(ring))


def proofs(files: Files, journal: Journal) -> Proofs:
    return Proofs(files.proofs, journal, CODEC)


def publish_last(files: Files) -> None:
    """The root of everything that a house has written, once it has stopped in good order."""
    try:
        with closing(open_journal(files)) as journal:
            if journal.head() - Tree(files.proofs).size > LAST_MAX:
                return
            with closing(grow(files, journal, every_s=_NEVER_S)) as log:
                log.finish()
    except FondacoError as error:
        say(f"no root of the end is published: {error.message}")


def check(files: Files, given: Sequence[Root], *, progress: bool) -> Verdict:
    """The journal against the tree and every root, those that are `given` included."""
    with closing(open_journal(files)) as journal:
        beyond = not is_served(files)
        tell = _Teller(journal.head()) if progress else _nothing
        try:
            published = roots.published(files.proofs)
        except Corrupt as error:
            return Verdict(0, "", 0, Finding(0, "", 0, 0, error.message))
        with closing(Tree(files.proofs)) as tree:
            return audit(journal.walk(beyond=beyond), tree, [*published, *given], tell)


def copy(files: Files, to: Files) -> None:
    """Before the journal is copied, so that the copy's tree is never ahead of its journal. What
    lies above is copied before what it is made of, and the roots before both."""
    if not (files.proofs / roots.FILE).exists():
        return
    to.proofs.mkdir()
    if (files.proofs / signing.PUBLIC).exists():  # a backup may be read by more people than we are
        shutil.copyfile(files.proofs / signing.PUBLIC, to.proofs / signing.PUBLIC)
    for name in (roots.FILE, *(f"level-{level}" for level in reversed(range(LEVELS)))):
        if (files.proofs / name).exists():
            shutil.copyfile(files.proofs / name, to.proofs / name)


def verifier_text() -> str:
    """The program that checks proofs without us."""
    return Path(verifier.__file__).read_text("utf-8")


def signature_verifier_text() -> str:
    """The program that checks without us whose the roots are."""
    return Path(signature_verifier.__file__).read_text("utf-8")


class _Teller:
    """Says on stderr how far a long journal has been read."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._at = time.monotonic()

    def __call__(self, entries: int) -> None:
        now = time.monotonic()
        if now - self._at > _TELL_EVERY_S:
            self._at = now
            sys.stderr.write(f"{entries:,} of {self._entries:,} entries\n")


def _nothing(_: int) -> None:
    """Say nothing."""
