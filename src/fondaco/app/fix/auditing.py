"""The process that reads uploads: each is audited, its messages become searchable.

Begun by the indexer where a capture waits, and ended when none does. A capture that kills it is
tried three times.
"""

from collections import OrderedDict
from contextlib import closing
from time import time_ns
from typing import Final

from fondaco.app.child import begin_child
from fondaco.app.files import Files
from fondaco.app.fix.audit import Audit
from fondaco.app.fix.captures import TRIED_MAX, CaptureFolder, Progress, source_of, waiting
from fondaco.app.fix.page import page_of
from fondaco.app.fix.store import open_messages
from fondaco.app.machines import open_records
from fondaco.domain.fix.api import Flow, Line, Sighting
from fondaco.domain.fix.search.model import Asked
from fondaco.domain.fix.store.messages import (
    Keeper,
    create,
    follow,
    forget,
    id_of,
    name_of,
    span_of,
)
from fondaco.domain.surveillance import store as alerts
from fondaco.domain.surveillance.fix.watch import Watch
from fondaco.domain.surveillance.model import Alert
from fondaco.kernel.errors import Invalid
from fondaco.ports.store import Store

NICENESS: Final = 10
REMEMBERED: Final = 100_000  # messages of which a later alert may be told
FORGOTTEN_AT_ONCE: Final = 1_000
Place = tuple[int, bytes, int, str]


class _Kept(Audit):
    """The audit of one capture, which also keeps what it sees."""

    def __init__(self, number: int, captures: CaptureFolder, store: Store, records: Store) -> None:
        super().__init__(Watch())
        self._number, self._captures = number, captures
        self._store, self._records = store, records
        self._keeper = Keeper()
        self._count = 0
        self._rows: list[tuple[int, Asked]] = []
        self._recent: OrderedDict[Place, int] = OrderedDict()
        self._proofs: dict[int, list[str | None]] = {}  # by the place of an alert in its list
        self._sessions: dict[int, str] = {}
        self._octets = max(captures.file(number).stat().st_size, 1)
        self._read = 0

    def _see(self, sightings: list[Sighting]) -> None:
        watch = self.watch
        assert watch is not None  # noqa: S101  # it was given one
        for seen in sightings:
            line: Line = self.tally.line_of(seen)
            self._take(seen, line)
            watch.see(seen, line)
            self.tally.count(seen, line)
            for place in range(len(self._sessions), len(watch.alerts)):
                self._sessions[place] = str(line.session.name)
        self._find(watch.alerts)

    def _after(self, flows: list[Flow]) -> None:
        super()._after(flows)
        with self._store.writing() as conn:
            self._keeper.keep(conn, self._rows)
        self._rows = []
        self._read += 1 << 20
        self._note("reading", min(self._read / self._octets, 0.99))

    def _take(self, seen: Sighting, line: Line) -> None:
        self._count += 1
        session, way = str(line.session.name), "out" if line.side else "in"
        asked = Asked(seen.at, session, "out" if way == "out" else "in", bytes(seen.raw))
        self._rows.append((id_of(self._count, self._number), asked))
        self._recent[seen.at, seen.sender, seen.seq, seen.msg_type] = self._count
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)

    def _find(self, found: list[Alert]) -> None:
        """Which messages the evidence is, while they are remembered."""
        for place, alert in enumerate(found):
            proofs = self._proofs.setdefault(place, [])
            for each in alert.evidence[len(proofs) :]:
                sender = each.sender.encode("latin-1")
                number = self._recent.get((each.at, sender, each.seq, each.msg_type))
                proofs.append(name_of(id_of(number, self._number)) if number else None)

    def finish(self) -> None:
        """The report, and the alerts into the records."""
        assert self.watch is not None  # noqa: S101  # it was given one
        found = self.watch.alerts
        self._find(found)
        with self._records.writing() as conn:
            for place, alert in enumerate(found):
                session, proofs = self._sessions.get(place, ""), self._proofs[place]
                alerts.record(conn, alert, session, proofs, time_ns(), capture=self._number)
        report = self.report()
        self._captures.keep(self._number, report.as_json(), page_of(report))
        with self._store.writing() as conn:
            follow(conn, {source_of(self._number): self._count})
        self._note("read", 1.0)

    def _note(self, state: str, progress: float) -> None:
        found = len(self.watch.alerts) if self.watch is not None else 0
        known = self._captures.progress(self._number)
        self._captures.note(
            self._number,
            Progress(
                "read" if state == "read" else "reading",
                progress,
                self._count,
                found,
                tried=known.tried,
            ),
        )


def read_captures(files: Files) -> None:
    """Read what waits, one after the other, until nothing does or the parent is gone."""
    stop = begin_child(NICENESS)
    captures = CaptureFolder(files.captures)
    with (
        captures.reading() as is_ours,
        closing(open_messages(files)) as store,
        closing(open_records(files)) as records,
    ):
        with store.writing() as conn:
            create(conn)
        records.create(alerts.metadata)
        while is_ours and not stop.is_set() and (numbers := waiting(captures, store)):
            read_capture(numbers[0], captures, store, records)


def read_capture(number: int, captures: CaptureFolder, store: Store, records: Store) -> None:
    """Audit one capture and keep its messages; what cannot be read is noted as failed."""
    tried = captures.progress(number).tried + 1
    if tried > TRIED_MAX:
        trouble = f"whoever read it died, {TRIED_MAX} times; try `fondaco fix audit` on it"
        captures.note(number, Progress("failed", trouble=trouble, tried=tried))
        return
    captures.note(number, Progress("reading", tried=tried))
    _forget(store, number)
    found = _Kept(number, captures, store, records)
    try:
        found.read(captures.file(number))
        found.finish()
    except Invalid as error:
        said = error.message.replace(f"{captures.file(number)}", captures.upload(number).name)
        captures.note(number, Progress("failed", trouble=said, tried=tried))


def _forget(store: Store, number: int) -> None:
    """What an earlier attempt has left."""
    left = True
    while left:
        with store.writing() as conn:
            left = forget(conn, span_of(number), FORGOTTEN_AT_ONCE) > 0
