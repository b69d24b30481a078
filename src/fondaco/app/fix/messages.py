"""FIX messages and alerts as a house answers for them: search, one in words, timelines."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from threading import Lock
from typing import Any, Final

from fondaco.app.at_rest import open_sqlite
from fondaco.app.files import Files
from fondaco.app.fix.archive import Retention, manifest, retention_of
from fondaco.app.fix.captures import CaptureFolder
from fondaco.app.fix.daily import page_of_day, report_of
from fondaco.app.fix.desk import Desk
from fondaco.app.fix.exhibits import evidence_of
from fondaco.app.fix.exports import exported_alerts
from fondaco.app.fix.indexing import Indexer
from fondaco.app.fix.measures import series_reply
from fondaco.app.fix.publishing import Publisher, is_asked_for
from fondaco.app.fix.store import open_messages
from fondaco.app.fix.telling import plain
from fondaco.app.fix.timeline import timeline
from fondaco.app.fix.trail import Kept, trail
from fondaco.app.house import Kernel
from fondaco.app.say import say
from fondaco.app.views import POSTS
from fondaco.domain.fix.looking import (
    Archived,
    MessageLine,
    MessageReply,
    MessagesReply,
    MessagesRequest,
    TimelineReply,
    TimelineRequest,
)
from fondaco.domain.fix.measuring import ReportReply, SeriesReply, SeriesRequest
from fondaco.domain.fix.message import loose, what_is_wrong
from fondaco.domain.fix.search.asking import asked as read_query
from fondaco.domain.fix.search.model import All, OfSession, Pattern, Query, Way, When
from fondaco.domain.fix.search.telling import name_of as type_name
from fondaco.domain.fix.search.telling import summary, written
from fondaco.domain.fix.shown import decoded
from fondaco.domain.fix.store import messages as kept
from fondaco.domain.fix.trailing import TrailReply
from fondaco.domain.fix.uploading import AppendCapture, CaptureLine, CaptureReply, UploadCapture
from fondaco.domain.surveillance import store as alerts
from fondaco.domain.surveillance.events import AlertRaised
from fondaco.domain.surveillance.fix.patterns import PATTERNS
from fondaco.domain.surveillance.looking import (
    AlertLine,
    AlertReply,
    AlertsReply,
    AlertsRequest,
    EvidenceLine,
    EvidenceReply,
    ExportRequest,
)
from fondaco.domain.surveillance.model import Severity
from fondaco.domain.trading.why import why
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import Entry
from fondaco.kernel.instants import instant_of, moment
from fondaco.kernel.operation import Stamp
from fondaco.ports.journal import Journal
from fondaco.ports.store import Store
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.tracing.looking import Beside

_NEVER: Final = 2**62


class Messages:
    """Answers on any thread. The child that follows the tape runs while there is something to
    follow; the store is opened when it is first asked."""

    def __init__(
        self,
        files: Files,
        records: Store,
        captures: CaptureFolder,
        retention: Retention,
        journal: Journal,
        *,
        follows: bool,
        publisher: Publisher | None = None,
    ) -> None:
        self._files, self._records, self._captures = files, records, captures
        self._publisher = publisher
        self._retention, self._journal = retention, journal
        self._opening = Lock()
        self._store: SqliteStore | None = None
        self._indexer: Indexer | None = None
        if follows or captures.numbers():
            self._begin()
        if publisher is not None:
            publisher.begin()

    def keep_alive(self) -> None:
        """To be called often."""
        if self._indexer is not None:
            self._indexer.keep_alive()
        if self._publisher is not None:
            self._publisher.keep_alive()

    @property
    def indexer(self) -> Indexer | None:
        return self._indexer

    def close(self) -> None:
        if self._indexer is not None:
            self._indexer.end()
        if self._publisher is not None:
            self._publisher.end()
        if self._store is not None:
            self._store.close()

    def _begin(self) -> None:
        self._opened()
        if self._indexer is None:
            self._indexer = Indexer(self._files, self._retention)
            self._indexer.begin()

    # --- Messages -------------------------------------------------------------------------------

    def search(self, asked: MessagesRequest) -> MessagesReply:
        span = kept.span_of(int(asked.capture or 0))
        if asked.cursor:
            span = kept.Span(span.above, min(int(asked.cursor), span.below))
        with self._reading() as conn:
            found = kept.search(conn, _query(asked), span, asked.limit)
        items = [_line(each) for each in found.items]
        following = None if found.next is None else str(found.next)
        return MessagesReply(
            items, following, found.complete, found.examined, self._archived(asked)
        )

    def _archived(self, asked: MessagesRequest) -> Archived | None:
        """What is no longer in the index, where that may be asked for."""
        known = manifest(self._files.fix_archive)
        last = max((each.last_at for each in known.files), default=0)
        if not last or asked.capture or (asked.after and instant_of(asked.after) > last):
            return None
        return Archived(moment(last), known.messages, str(self._files.fix_archive))

    def one(self, message_id: str) -> MessageReply:
        id = kept.id_named(message_id)
        with self._reading() as conn:
            found = kept.one(conn, id) if id >= 0 else None
        if found is None:
            raise NotFound(f"there is no FIX message {message_id[:40]!r}; search tells their ids")
        return _full(found)

    def timeline(self, asked: TimelineRequest, at: int) -> TimelineReply:
        with self._reading() as conn, self._records.reading() as records:
            return timeline(conn, records, asked, at)

    def report(self, day: str) -> ReportReply:
        with self._reading() as conn, self._records.reading() as records:
            return report_of(self._files, conn, records, day)

    def report_page(self, day: str) -> str:
        return page_of_day(self.report(day))

    def trail(self, message_id: str) -> TrailReply:
        with ExitStack() as stack:
            views = stack.enter_context(
                closing(open_sqlite(self._files, self._files.views, durable=False))
            )
            of = Kept(
                self._files,
                stack.enter_context(self._reading()),
                stack.enter_context(self._records.reading()),
                partial(
                    why,
                    stack.enter_context(views.reading()),
                    self._journal,
                    beside=Beside(self._files.traces, POSTS),
                ),
            )
            return trail(of, message_id)

    def series(self, asked: SeriesRequest, at: int) -> SeriesReply:
        with self._reading() as conn:
            return series_reply(self._files, conn, asked, at)

    # --- Alerts ---------------------------------------------------------------------------------

    def alerts(self, asked: AlertsRequest) -> AlertsReply:
        self._opened()
        with self._records.reading() as conn:
            found = alerts.page(
                conn,
                below=int(asked.cursor or _NEVER),
                limit=asked.limit,
                capture=int(asked.capture or 0),
                session=asked.session,
                severity=Severity[asked.severity.upper()],
            )
        following = str(found[-1].number) if len(found) == asked.limit else None
        return AlertsReply([AlertLine(**_told(each)) for each in found], following)

    def alert(self, alert_id: str) -> AlertReply:
        self._opened()
        with self._records.reading() as conn:
            found = alerts.one(conn, alert_id)
        if found is None:
            raise NotFound(f"there is no alert {alert_id[:40]!r}; GET /fix/alerts lists them")
        pattern = PATTERNS.get(found.pattern)
        evidence = [
            EvidenceLine(
                message=proof.message,
                at=moment(proof.evidence.at),
                connection=proof.evidence.connection,
                sender=proof.evidence.sender,
                seq_num=proof.evidence.seq,
                msg_type=proof.evidence.msg_type,
                text=proof.evidence.text,
                sha256=proof.evidence.sha256,
            )
            for proof in found.proofs
        ]
        return AlertReply(**_told(found), says=pattern.says if pattern else "", evidence=evidence)

    def evidence(self, alert_id: str) -> EvidenceReply:
        shown = self.alert(alert_id)
        with self._reading() as conn:
            return evidence_of(conn, shown)

    def exported(self, asked: ExportRequest) -> str:
        self._opened()
        with self._records.reading() as conn:
            severity = Severity[asked.severity.upper()]
            found = alerts.page(conn, below=_NEVER, limit=asked.limit, severity=severity)
        return "".join(f"{line}\n" for line in exported_alerts(map(plain, found), asked.form))

    # --- Captures -------------------------------------------------------------------------------

    async def upload(self, asked: UploadCapture, by: Stamp) -> CaptureLine:
        def keep() -> CaptureLine:
            at = moment(by.at)
            begin = self._captures.begin
            number = begin(asked.name, asked.content, by.caller, at, more=asked.more)
            return self._captures.line(number)

        line = await asyncio.to_thread(keep)
        self._begin()
        return line

    async def append(self, asked: AppendCapture, by: Stamp) -> CaptureLine:
        number = int(asked.capture_id)
        await asyncio.to_thread(self._captures.append, number, asked)
        self._begin()
        return await asyncio.to_thread(self._captures.line, number)

    def captures(self) -> Sequence[CaptureLine]:
        return self._captures.lines()

    def capture(self, capture_id: str) -> CaptureReply:
        return self._captures.reply(int(capture_id))

    def page(self, capture_id: str) -> str:
        return self._captures.page(int(capture_id))

    # --- Store ----------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        with self._opened().reading() as conn:
            yield conn

    def _opened(self) -> SqliteStore:
        with self._opening:
            if self._store is None:
                self._records.create(alerts.metadata)
                store = open_messages(self._files)
                with store.writing() as conn:
                    kept.create(conn)
                self._store = store
            return self._store


def _query(asked: MessagesRequest) -> Query:
    """What the query says, and what stands beside it."""
    found: list[Query] = [read_query(asked.query)]
    if asked.session is not None:
        found.append(OfSession("=", Pattern((asked.session,))))
    if asked.direction is not None:
        found.append(Way(asked.direction))
    if asked.after is not None:
        found.append(When(">=", instant_of(asked.after)))
    if asked.before is not None:
        found.append(When("<", instant_of(asked.before)))
    return All(tuple(found))


def _line(found: kept.Kept) -> MessageLine:
    return MessageLine(**_shown(found))


def _shown(found: kept.Kept) -> dict[str, Any]:
    return {
        "id": kept.name_of(found.id),
        "at": moment(found.at),
        "session": found.session,
        "direction": found.direction,
        "msg_type": found.msg_type,
        "name": type_name(found.raw),
        "seq_num": found.seq_num,
        "summary": summary(found.raw),
        "garbled": what_is_wrong(loose(found.raw)),
    }


def _full(found: kept.Kept) -> MessageReply:
    words = decoded(found.raw)
    capture = kept.capture_of(found.id)
    return MessageReply(
        **_shown(found),
        raw=written(found.raw),
        hex=found.raw.hex(),
        octets=len(found.raw),
        dictionary=words.dictionary,
        fields=words.fields,
        source=str(capture) if capture else "house",
    )


def _told(found: alerts.Recorded) -> dict[str, Any]:
    return {
        "id": found.alert,
        "at": moment(found.last_at),
        "first_at": moment(found.first_at),
        "pattern": found.pattern,
        "title": found.title,
        "severity": found.severity.name.lower(),
        "subject": found.subject,
        "session": found.session,
        "reason": found.reason,
        "count": found.count,
        "attack": found.attack,
        "capture": str(found.capture) if found.capture else None,
    }


@contextmanager
def messages(kernel: Kernel, records: Store, desk: Desk) -> Iterator[Messages]:
    """Of a house that is being begun: where nobody speaks FIX, nothing is followed."""
    kernel.listeners.append(tell_alerts)
    files, settings = kernel.files, kernel.settings
    captures = CaptureFolder(
        files.captures,
        octets_max=settings.fix_capture_max_bytes,
        quota=settings.fix_captures_quota_bytes,
    )
    follows = bool(desk.agreements.sessions)
    publisher = Publisher(files, settings) if follows and is_asked_for(settings) else None
    with closing(
        Messages(
            files,
            records,
            captures,
            retention_of(settings),
            kernel.journal,
            follows=follows,
            publisher=publisher,
        )
    ) as found:
        yield found


def tell_alerts(entries: Sequence[Entry]) -> None:
    """Every alert stands in the log, once it is in the journal."""
    for entry in entries:
        event = entry.event
        if isinstance(event, AlertRaised):
            say(
                f"FIX alert {event.alert}, {event.severity}: {event.title}: {event.subject}: "
                f"{event.reason}"
            )
