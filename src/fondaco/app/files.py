"""What lies where in a data directory."""

import fcntl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Files:
    """A data directory. `journal`, `records` and `tape` are the house; the rest may be deleted."""

    root: Path

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def tape(self) -> Path:
        return self.root / "tape"

    @property
    def records(self) -> Path:
        return self.root / "records.db"

    @property
    def views(self) -> Path:
        return self.root / "views.db"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def cursor(self) -> Path:
        """Up to which position the reactor's messages were all heard."""
        return self.root / "reactor.cursor"


def is_served(files: Files) -> bool:
    """Whether some process holds the journal for writing."""
    try:
        with (files.journal / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def read_cursor(path: Path) -> int:
    """0 where there is none, or none that can be read: then everything is told again."""
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return 0


def write_cursor(path: Path, position: int) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(str(position))
    partial.replace(path)
