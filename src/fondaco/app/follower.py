"""The second process of a house: views, the journal's index, its Merkle log and snapshots.

It only reads the journal, so it may die and start again at any time; it ends when its parent does.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Event as Flag
from threading import Thread
from typing import Any, Final

from fondaco.app.checks import keep_checking
from fondaco.app.files import Files
from fondaco.app.kinds import build_digest, room_of
from fondaco.app.machines import open_journal
from fondaco.app.proofs import grow
from fondaco.app.say import say
from fondaco.app.tracing import HopsKept
from fondaco.app.views import every_view
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import Entry, StreamId
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.loading import Snapshots, load
from fondaco.runtime.projector import Projector
from fondaco.runtime.tracing.watch import ViewsWatch
from fondaco.settings import PREFIX

END_S: Final = 10.0
AGAIN_S: Final = 0.1  # before a dead one is started again; each death doubles it
AGAIN_MAX_S: Final = 30.0
WELL_AFTER_S: Final = 3.0
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
        self._snapshots = Snapshots(files.snapshots, build_digest())
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
    os.nice(NICENESS)
    for each in (signal.SIGINT, signal.SIGTERM):  # which a terminal or an init sends to all of us
        signal.signal(each, signal.SIG_IGN)
    stop = Flag()
    Thread(target=_end_with_parent, args=(stop,), daemon=True).start()
    journal = open_journal(files)
    store = SqliteStore(files.views, durable=False)
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
        Projector(journal, store, views, watch).run(stop, beside)
        if checks_every_s:
            checking.join()  # it reads what is closed below
        store.settle()
    finally:
        watch.close()
        log.close()
        store.close()
        journal.close()


def _end_with_parent(stop: Flag) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()


class Follower:
    """The child process, as its parent sees it."""

    def __init__(
        self,
        files: Files,
        *,
        snapshot_every: int,
        checks_every_s: int,
        root_every_s: int,
        traces_quota_bytes: int,
    ) -> None:
        self._command = [sys.executable, "-m", "fondaco", "follow", "--data", str(files.root)]
        self._command += ["--snapshot-every", str(snapshot_every)]
        self._command += ["--checks-every", str(checks_every_s)]
        self._command += ["--root-every", str(root_every_s)]
        self._command += ["--traces-quota", str(traces_quota_bytes)]
        # Not as an option: an address may hold a password, and everybody can list commands.
        self._environment = {**os.environ, f"{PREFIX}JOURNAL": files.journal_at}
        self.deaths = 0
        self.failures = 0  # deaths one soon after the other
        self.trouble = ""  # why there is none just now, or was none a moment ago
        self._again_at = 0.0
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def keep_alive(self) -> None:
        """Start it again if it has died: it goes on where the rows are. To be called often."""
        status, now = self._process.poll(), time.monotonic()
        if status is None:
            if self.trouble and now - self._began > WELL_AFTER_S:
                self.trouble, self.failures = "", 0
        elif not self._again_at:
            self.deaths += 1
            self.failures += 1
            self.trouble = f"the process that fills the views has ended with {status}"
            self._again_at = now + min(AGAIN_S * 2.0 ** (self.failures - 1), AGAIN_MAX_S)
            say(f"{self.trouble}; it is started again")
        elif now >= self._again_at:
            with suppress(OSError):  # no room for another process just now
                self._start()
                self._again_at = 0.0

    def end(self) -> None:
        """Close its standard input, at which it ends, and wait."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self._began = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603  # ourselves
            self._command, stdin=subprocess.PIPE, env=self._environment
        )
