"""The process that follows the tape of FIX sessions: messages become searchable, and are watched.

It only reads the tape, so it may die at any time and is started again; it goes on where the store
says that it was. Nothing on the way of an order waits for it.
"""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Event as Flag
from time import time_ns
from typing import Final

from fondaco.app.at_rest import at_rest
from fondaco.app.child import Child, begin_child
from fondaco.app.files import Files
from fondaco.app.fix.archive import Archiving, Retention
from fondaco.app.fix.captures import CaptureFolder, waiting
from fondaco.app.fix.columns import Columns, has_lake, open_lake
from fondaco.app.fix.store import open_messages
from fondaco.app.fix.taped import Made, Taped
from fondaco.app.fix.watching import Raised, Watching
from fondaco.app.machines import open_records
from fondaco.app.say import say
from fondaco.domain.fix.search.model import EVERYTHING, Asked
from fondaco.domain.fix.store.messages import (
    Keeper,
    create,
    follow,
    followed,
    id_of,
    name_of,
    search,
    span_of,
)
from fondaco.domain.surveillance import store as alerts
from fondaco.ports.at_rest import AtRest
from fondaco.ports.store import Store, outbox_metadata
from fondaco.ports.tape import Frame
from fondaco.ports.tape.tail import SegmentTail

NICENESS: Final = 5
POLL_S: Final = 0.1
AT_ONCE: Final = 2_000  # frames a transaction
AGAIN_NS: Final = 1_000_000_000
ARCHIVE_NS: Final = 60_000_000_000
COLUMNS_NS: Final = 60_000_000_000  # how young messages are in the lake
LOOK_NS: Final = 300_000_000  # how often captures are looked for
WARM: Final = 20_000  # messages that the detectors are shown again after a start


class Indexing:
    """Carries frames into the store of messages, and what the detectors find into the records."""

    def __init__(
        self, folder: Path, store: Store, records: Store, at_rest: AtRest | None = None
    ) -> None:
        self._store, self._records = store, records
        self._taped = Taped(folder)
        self._keeper, self._watching = Keeper(), Watching()
        self._looked_at = 0
        with store.writing() as conn:
            create(conn)
            positions = followed(conn)
        records.create(outbox_metadata)
        records.create(alerts.metadata)
        self._tail = SegmentTail(folder, positions, at_rest)
        self._watching.see(self._warm())

    def step(self) -> bool:
        """Take what has come; whether there may be more. After any error another one of us goes on
        where the store stands."""
        frames: list[Frame] = []
        for frame in self._tail.step():
            frames.append(frame)
            if len(frames) == AT_ONCE:
                break
        if not frames:
            self._look_again()
            return False
        rows = sorted(self._taped.messages(frames), key=lambda row: row[0])
        # Alerts first, which are the same when they are found again.
        happened: list[tuple[int, Asked | Made]] = [*rows, *self._taped.connections(frames)]
        self._record(self._watching.see(sorted(happened, key=lambda each: each[0])))
        self._look_again()
        with self._store.writing() as conn:
            self._keeper.keep(conn, [(id_of(position), each) for position, each in rows])
            follow(conn, {frame.source: frame.position for frame in frames})
        return len(frames) == AT_ONCE

    def _look_again(self) -> None:
        """About each second: what is seen by waiting, and what was found once more."""
        at = time_ns()
        if at - self._looked_at >= AGAIN_NS:
            self._looked_at = at
            self._record([*self._watching.passed(at), *self._watching.again()])

    def _record(self, raised: list[Raised]) -> None:
        if not raised:
            return
        with self._records.writing() as conn:
            for alert, session in raised:
                messages = [name_of(id_of(each.offset)) for each in alert.evidence]
                alerts.record(conn, alert, session, messages, time_ns())

    def _warm(self) -> list[tuple[int, Asked]]:
        """The newest messages that were followed before: what is usual must be known again."""
        with self._store.reading() as conn:
            found = search(conn, EVERYTHING, span_of(), WARM)
        return [(each.id, each.asked) for each in reversed(found.items)]

    def close(self) -> None:
        self._tail.close()


def follow_messages(files: Files, retention: Retention) -> None:
    """Run until standard input ends, which it does when the parent is gone."""
    stop = begin_child(NICENESS)
    with closing(open_messages(files)) as store, closing(open_records(files)) as records:
        key = at_rest(files)
        with closing(Indexing(files.fix, store, records, key)) as indexing:
            archiving = Archiving(files.fix_archive, store, retention, key)
            carrying = Carrying(files, retention.archive_days)
            _run(indexing, CaptureReading(files, store), archiving, carrying, stop)
        store.settle()


def _run(
    indexing: Indexing,
    reading: "CaptureReading",
    archiving: Archiving,
    carrying: "Carrying",
    stop: Flag,
) -> None:
    wait_s, archived_at = 0.0, 0
    while not stop.wait(wait_s):
        wait_s = 0.0 if indexing.step() else POLL_S
        reading.step()
        if wait_s:
            carrying.step(time_ns())
        if wait_s and time_ns() - archived_at > ARCHIVE_NS and not archiving.step(time_ns()):
            archived_at = time_ns()


class Carrying:
    """Has messages carried into the lake about each minute, where Polars is there to do it. Search
    and alerts do not stop for a lake that cannot be written."""

    def __init__(self, files: Files, keep_days: int) -> None:
        self._files, self._keep_days = files, keep_days
        self._columns: Columns | None = None
        self._due_at = time_ns() + COLUMNS_NS if has_lake() else None

    def step(self, now: int) -> None:
        if self._due_at is None or now < self._due_at:
            return
        self._due_at = now + COLUMNS_NS
        try:
            if self._columns is None:
                key = at_rest(self._files)
                lake = open_lake(self._files.fix_lake, key)
                self._columns = Columns(lake, self._files.fix, self._keep_days, key)
            if self._columns.step(now):
                self._due_at = now
        except OSError as error:
            say(f"FIX messages are not kept as columns just now: {error}")
            self._columns = None


class CaptureReading:
    """Has uploads read by a process of their own, which ends when none waits."""

    def __init__(self, files: Files, store: Store) -> None:
        self._captures, self._store = CaptureFolder(files.captures), store
        self._command = [sys.executable, "-m", "fondaco", "fix", "read-captures"]
        self._command += ["--data", str(files.root)]
        self._process: subprocess.Popen[bytes] | None = None
        self._looked_at = 0

    def step(self) -> None:
        at = time_ns()
        if at - self._looked_at < LOOK_NS or (self._process and self._process.poll() is None):
            return
        self._looked_at = at
        if waiting(self._captures, self._store):
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE)  # noqa: S603


class Indexer(Child):
    """The child process, as its parent sees it."""

    def __init__(self, files: Files, retention: Retention) -> None:
        settings = {
            "JOURNAL": files.journal_at,
            "STORE": files.store_at,
            "RETENTION_FIX_ADMIN_DAYS": str(retention.admin_days),
            "RETENTION_FIX_DAYS": str(retention.rest_days),
            "RETENTION_FIX_ARCHIVE_DAYS": str(retention.archive_days),
        }
        super().__init__(
            "keeps FIX messages for search", ["fix", "index", "--data", str(files.root)], settings
        )
