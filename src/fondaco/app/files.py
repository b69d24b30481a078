"""What lies where in a data directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fondaco.kernel.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Files:
    """A data directory. `journal`, `records` and `tape` are the house; the roots in `proofs` are
    the evidence that nobody changed it; the rest may be deleted.

    `journal_at` and `store_at` are the settings `journal` and `store`: here, or an address.
    """

    root: Path
    journal_at: str = "segments"
    store_at: str = "sqlite"
    keys_at: Path | None = None  # of a copy: where the keys are that open it

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def journal_mark(self) -> Path:
        """Which journal this directory belongs to, where that is elsewhere."""
        return self.journal / "house"

    @property
    def lock(self) -> Path:
        """Held by the process that writes the journal."""
        return self.journal / "lock"

    @property
    def proofs(self) -> Path:
        return self.root / "proofs"

    @property
    def tape(self) -> Path:
        return self.root / "tape"

    @property
    def secrets(self) -> Path:
        """The key ring, and the keys of those whom data is about; no backup has them."""
        return self.keys_at or self.root / "secrets"

    @property
    def fix(self) -> Path:
        """The tape of FIX sessions, from which they know their numbers."""
        return self.root / "fix"

    @property
    def agreements(self) -> Path:
        """With whom FIX is spoken."""
        return self.root / "fix.toml"

    @property
    def messages(self) -> Path:
        """FIX messages as they are searched; filled from the tape `fix`."""
        return self.root / "messages.db"

    @property
    def captures(self) -> Path:
        """Captures and logs that were uploaded, and what was found in them."""
        return self.root / "captures"

    @property
    def fix_archive(self) -> Path:
        """FIX messages that are too old for the index."""
        return self.root / "archive" / "fix"

    @property
    def fix_lake(self) -> Path:
        """FIX messages as columns, by day and session."""
        return self.root / "lake" / "fix"

    @property
    def places(self) -> Path:
        """How far topics, FIX messages and alerts were published, by address."""
        return self.root / "publishing"

    @property
    def records(self) -> Path:
        return self.root / "records.db"

    @property
    def webhooks(self) -> Path:
        """What is to be sent to other programs, what came of it, and up to where that is."""
        return self.root / "webhooks.db"

    @property
    def notices(self) -> Path:
        """What people are to be told, what came of it, and up to where that is."""
        return self.root / "notices.db"

    @property
    def reports(self) -> Path:
        """Reports that were made, each with its page and its PDF."""
        return self.root / "reports.db"

    @property
    def logs(self) -> Path:
        """The tape of the log where it is told to others, and up to where it was."""
        return self.root / "logs"

    @property
    def payments(self) -> Path:
        """The tape of what payment providers have said, byte for byte."""
        return self.root / "payments"

    @property
    def payments_sandbox(self) -> Path:
        """The books of the payment provider in this house, which moves no money."""
        return self.root / "sandbox.db"

    @property
    def views(self) -> Path:
        return self.root / "views.db"

    @property
    def candles(self) -> Path:
        return self.root / "candles.db"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def checks(self) -> Path:
        """What the last round of standing checks found."""
        return self.root / "checks.json"

    @property
    def traces(self) -> Path:
        """When what was written happened, and what has become of spans."""
        return self.root / "traces"

    @property
    def verified(self) -> Path:
        """What the last verification that was asked for over the door has found."""
        return self.root / "verified.json"

    @property
    def cursor(self) -> Path:
        """Up to which position the reactor's messages were all heard."""
        return self.root / "reactor.cursor"


def files_at(where: Path | Files) -> Files:
    return where if isinstance(where, Files) else Files(where)


def is_served(files: Files) -> bool:
    """Whether some process of this machine holds the journal for writing."""
    try:
        with files.lock.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def make_root(files: Files) -> None:
    """Raises `Unavailable` where a house cannot write."""
    try:
        files.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{files.root} cannot be a data directory: {error.strerror}") from error
    if not os.access(files.root, os.W_OK | os.X_OK):
        raise Unavailable(f"{files.root} cannot be written; name another with --data, or mend that")


@contextmanager
def tape_lock(files: Files) -> Iterator[None]:
    """One process writes a tape. Raises `Unavailable` while another one does."""
    files.tape.mkdir(parents=True, exist_ok=True)
    with (files.tape / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Unavailable(
                f"{files.tape} is being written by another process; record into another folder"
            ) from None
        yield


def read_cursor(path: Path) -> int:
    """0 where there is none, or none that can be read: then everything is told again."""
    try:
        return max(int(path.read_text()), 0)
    except (FileNotFoundError, ValueError):
        return 0


def write_cursor(path: Path, position: int) -> None:
    """In place: a rename a second would make the file system's own journal busy, and ours waits
    for that one. Twenty digits in one page are written whole, or not."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(file, b"%020d" % position, 0)
    finally:
        os.close(file)
