"""The second process of a house: views, the journal's index and snapshots.

It only reads the journal, so it may die and start again at any time; it ends when its parent does.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any, Final

from fondaco.app.files import Files
from fondaco.app.kinds import CODEC, build_digest, room_of
from fondaco.app.views import every_view
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import Entry, StreamId
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.loading import Snapshots, load
from fondaco.runtime.projector import Projector

END_S: Final = 10.0
NICENESS: Final = 5  # behind the process that answers, where both want the same core


class SnapshotsDue:
    """Counts what is new on each stream and has long tails snapshotted, on a thread of its own.

    It goes along as a view without tables: what it has counted may be lost with the process.
    """

    name: Final = "snapshots_v1"
    tables: Final[Sequence[str]] = ()

    def __init__(self, files: Files, every: int) -> None:
        self._files = files
        self._every = every
        self._snapshots = Snapshots(files.snapshots, build_digest())
        self._new: Counter[StreamId] = Counter()
        self._working: Thread | None = None

    def create(self, conn: Any) -> None:
        """No tables."""

    def drop(self, conn: Any) -> None:
        """No tables."""

    def forget(self) -> None:
        """What was counted twice only makes a snapshot come early."""

    def apply(self, _: Any, entries: Sequence[Entry]) -> None:
        self._new.update(entry.stream for entry in entries)
        if self._working and self._working.is_alive():
            return
        due = [stream for stream, count in self._new.items() if count >= self._every]
        if due:
            for stream in due:
                del self._new[stream]
            self._working = Thread(target=self._save, args=(due,), daemon=True)
            self._working.start()

    def _save(self, streams: Sequence[StreamId]) -> None:
        journal = SegmentJournal(self._files.journal, CODEC, writer=False)
        try:
            for stream in streams:
                decider = room_of(stream).decider
                if decider:
                    self._snapshots.save(stream, load(stream, decider, journal, self._snapshots))
        except (FondacoError, OSError) as error:
            print(f"no snapshot: {error}", file=sys.stderr)  # noqa: T201  # stderr is its log
        finally:
            journal.close()


def follow(root: Path, *, snapshot_every: int) -> None:
    """Run until standard input ends, which it does when the parent is gone."""
    os.nice(NICENESS)
    files = Files(root)
    stop = Flag()
    Thread(target=_end_with_parent, args=(stop,), daemon=True).start()
    journal = SegmentJournal(files.journal, CODEC, writer=False)
    store = SqliteStore(files.views, durable=False)
    try:
        Projector(journal, store, [*every_view(journal), SnapshotsDue(files, snapshot_every)]).run(
            stop
        )
    finally:
        store.close()
        journal.close()


def _end_with_parent(stop: Flag) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()


class Follower:
    """The child process, as its parent sees it."""

    def __init__(self, root: Path, snapshot_every: int) -> None:
        self._command = [sys.executable, "-m", "fondaco", "follow", "--data", str(root)]
        self._command += ["--snapshot-every", str(snapshot_every)]
        self._process = self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def keep_alive(self) -> None:
        """Start it again if it has died: it goes on where the rows are."""
        if self._process.poll() is not None:
            self._process = self._start()

    def end(self) -> None:
        """Close its standard input, at which it ends, and wait."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self._command, stdin=subprocess.PIPE)  # noqa: S603  # ourselves
