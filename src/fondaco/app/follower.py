"""The second process of a house: views, the journal's index, its Merkle log and snapshots.

It only reads the journal, so it may die and start again at any time; it ends when its parent does.
"""

import time
from collections.abc import Sequence
from threading import Thread
from typing import Any, Final

from fondaco.app.at_rest import at_rest, open_sqlite
from fondaco.app.checks import keep_checking
from fondaco.app.child import Child, begin_child
from fondaco.app.files import Files
from fondaco.app.kinds import build_digest, room_of
from fondaco.app.machines import open_journal
from fondaco.app.proofs import grow
from fondaco.app.say import say
from fondaco.app.tracing import HopsKept
from fondaco.app.views import every_view
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import Entry, StreamId
from fondaco.runtime.loading import Snapshots, load
from fondaco.runtime.projector import Projector
from fondaco.runtime.tracing.watch import ViewsWatch
from fondaco.settings import Settings

SELDOM: Final = 4  # a long stream's tail, in those of a short one
NICENESS: Final = 5  # behind the process that answers, where both want the same core


class SnapshotsDue:
    """Has long tails snapshotted, on a thread of its own.

    It goes along as a view without tables: what it knows, the snapshots and the next entry tell it.
    """

    name: Final = "snapshots_v1"
    tables: Final[Sequence[str]] = ()

    def __init__(self, files: Files, every: int) -> None:
        self._files = files
        self._every = every
        self._snapshots = Snapshots(files.snapshots, build_digest(), at_rest(files))
        self._reached: dict[StreamId, int] = {}  # versions, of streams that have moved
        self._saved: dict[StreamId, int] = {}  # versions, of snapshots
        self._working: Thread | None = None

    def create(self, conn: Any) -> None:
        """No tables."""

    def drop(self, conn: Any) -> None:
        """No tables."""

    def forget(self) -> None:
        """A snapshot that is there need not be written, and is not."""

    def apply(self, _: Any, entries: Sequence[Entry]) -> None:
        reached, saved = self._reached, self._saved
        for entry in entries:
            reached[entry.stream] = entry.version
        if self._working and self._working.is_alive():
            return
        due = []
        for stream, version in reached.items():
            if stream not in saved:
                saved[stream] = self._snapshots.version(stream)
            if version - saved[stream] >= self._tail_max(saved[stream]):
                saved[stream] = version
                due.append(stream)
        reached.clear()
        if due:
            self._working = Thread(target=self._save, args=(due,), daemon=True)
            self._working.start()

    def _tail_max(self, saved: int) -> int:
        """The longer a history, the larger its snapshot may be, and the more seldom it is made."""
        return max(self._every, min(saved // 4, SELDOM * self._every))

    def _save(self, streams: Sequence[StreamId]) -> None:
        journal = open_journal(self._files)
        try:
            for stream in streams:
                decider = room_of(stream).decider
                if decider:
                    self._snapshots.save(stream, load(stream, decider, journal, self._snapshots))
        except (FondacoError, OSError) as error:
            say(f"no snapshot: {error}")
        finally:
            journal.close()


def follow(
    files: Files,
    *,
    snapshot_every: int,
    checks_every_s: int,
    root_every_s: int,
    traces_quota_bytes: int,
) -> None:
    """Run until standard input ends, which it does when the parent is gone."""
    stop = begin_child(NICENESS)
    journal = open_journal(files)
    store = open_sqlite(files, files.views, durable=False)
    checking = Thread(target=keep_checking, args=(files, store, checks_every_s, stop), daemon=True)
    log = grow(files, journal, every_s=root_every_s)
    hops = HopsKept(files)
    watch = ViewsWatch(files.traces, time.time_ns, traces_quota_bytes, hops.hear)

    def beside() -> bool:
        more = hops.step()
        return log.step() or more

    try:
        if checks_every_s:
            checking.start()
        views = [*every_view(journal), SnapshotsDue(files, snapshot_every)]
        noting = watch if traces_quota_bytes else None
        Projector(journal, store, views, noting).run(stop, beside)
        if checks_every_s:
            checking.join()  # it reads what is closed below
        store.settle()
    finally:
        watch.close()
        log.close()
        store.close()
        journal.close()


class Follower(Child):
    """The child process, as its parent sees it."""

    def __init__(self, settings: Settings) -> None:
        """Not begun."""
        options = ["follow", "--data", settings.data]
        options += ["--snapshot-every", str(settings.snapshot_every_entries)]
        options += ["--checks-every", str(settings.checks_every_s)]
        options += ["--root-every", str(settings.root_every_s)]
        options += ["--traces-quota", str(settings.traces_quota_bytes)]
        super().__init__("fills the views", options, {"JOURNAL": settings.journal})
