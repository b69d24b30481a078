"""A day of FIX sessions as a report: JSON, and a page that needs nothing else."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from html import escape
from pathlib import Path
from typing import Any, Final

from fondaco.app.files import Files
from fondaco.app.fix.columns import refused_of, series_of
from fondaco.app.fix.measures import lake_of
from fondaco.app.fix.page import table
from fondaco.app.fix.store import open_messages
from fondaco.app.machines import open_records
from fondaco.domain.fix.measuring import FoundLine, HourLine, PartLine, ReasonLine, ReportReply
from fondaco.domain.fix.message import loose
from fondaco.domain.fix.search.telling import name_of as type_name
from fondaco.domain.fix.series import Point
from fondaco.domain.fix.store import messages as kept
from fondaco.domain.surveillance import store as alerts
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.instants import EPOCH, moment, parsed_day

DAY_NS: Final = 86_400_000_000_000
HOUR_NS: Final = 3_600_000_000_000
REASONS: Final = 20
ALERTS: Final = 500
_NEVER: Final = 2**62
_TEXT_MAX: Final = 160
_SEVERITIES: Final = ("critical", "high", "medium", "low")
_CODES: Final = {
    373: "SessionRejectReason",
    380: "BusinessRejectReason",
    102: "CxlRejReason",
    103: "OrdRejReason",
    281: "MDReqRejReason",
}
_CSS: Final = Path(__file__).with_name("page.css")


def report_of(files: Files, conn: Any, records: Any, day: str) -> ReportReply:
    """`conn` reads the index of messages, `records` the alerts. Raises `Invalid`."""
    after = _begin(day)
    before, lake = after + DAY_NS, lake_of(files)
    points, _ = series_of(lake, conn, after, before, DAY_NS, None)
    hours, _ = series_of(lake, conn, after, before, HOUR_NS, None)
    found = alerts.page(records, below=_NEVER, limit=100_000, after=after, before=before)
    found.sort(key=lambda each: (-each.severity, each.first_at, each.number))
    sessions = [_session(each, found) for each in points]
    reasons = Counter(_reason(raw) for _, raw in refused_of(lake, conn, after, before))
    severities = Counter(each.severity.name.lower() for each in found)
    return ReportReply(
        day=day,
        messages=sum(each.received + each.sent for each in points),
        rejects=sum(each.rejects for each in points),
        sessions=sessions,
        counterparties=list(_counterparties(sessions)),
        hours=list(_hours(hours)),
        reasons=[
            ReasonLine(name, text, count)
            for (name, text), count in sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
        ][:REASONS],
        by_severity={each: severities[each] for each in _SEVERITIES},
        alerts=[_found(each) for each in found[:ALERTS]],
    )


def _begin(day: str) -> int:
    begin = (parsed_day(day, "day") - EPOCH.date()).days * DAY_NS
    if not 0 <= begin < 2**63 - DAY_NS:
        raise Invalid(f"{day} is no day of a house, must be between 1970 and 2261")
    return begin


def counterparty_of(session: str) -> str:
    """The other side: behind "->" in the name of a session."""
    return session.partition("->")[2] or session


def _session(point: Point, found: Sequence[alerts.Recorded]) -> PartLine:
    p50, p99, longest = (
        None if each < 0 else each / 1_000 for each in (point.p50, point.p99, point.longest)
    )
    return PartLine(
        counterparty=counterparty_of(point.session),
        session=point.session,
        received=point.received,
        sent=point.sent,
        rejects=point.rejects,
        answered=point.answered,
        p50_us=p50,
        p99_us=p99,
        max_us=longest,
        alerts=sum(each.session == point.session for each in found),
    )


def _counterparties(sessions: Sequence[PartLine]) -> Iterator[PartLine]:
    for name in sorted({each.counterparty for each in sessions}):
        of = [each for each in sessions if each.counterparty == name]
        yield PartLine(
            counterparty=name,
            session="",
            received=sum(each.received for each in of),
            sent=sum(each.sent for each in of),
            rejects=sum(each.rejects for each in of),
            answered=sum(each.answered for each in of),
            p50_us=of[0].p50_us if len(of) == 1 else None,
            p99_us=of[0].p99_us if len(of) == 1 else None,
            max_us=max((each.max_us for each in of if each.max_us is not None), default=None),
            alerts=sum(each.alerts for each in of),
        )


def _hours(points: Sequence[Point]) -> Iterator[HourLine]:
    for at in sorted({each.at for each in points}):
        of = [each for each in points if each.at == at]
        messages = sum(each.received + each.sent for each in of)
        yield HourLine(moment(at), messages, sum(each.rejects for each in of))


def _reason(raw: bytes) -> tuple[str, str]:
    """What refuses, and why: its text, or else its code."""
    message = loose(raw)
    text = message.text(58)
    for tag, name in _CODES.items():
        code = message.text(tag)
        if not text and code:
            text = f"{name} {code}"
    return type_name(raw) or (message.text(35) or ""), (text or "no reason given")[:_TEXT_MAX]


def _found(each: alerts.Recorded) -> FoundLine:
    return FoundLine(
        each.alert,
        moment(each.last_at),
        each.pattern,
        each.title,
        each.severity.name.lower(),
        each.session,
        each.subject,
        each.count,
    )


def report_in(files: Files, day: str) -> ReportReply:
    """Of a data directory, whether a house runs on it or not."""
    if not files.messages.exists():
        raise NotFound(f"{files.root} holds no messages; name the data directory of a house")
    with closing(open_messages(files)) as store, closing(open_records(files)) as records:
        records.create(alerts.metadata)
        with store.writing() as conn:
            kept.create(conn)
        with store.reading() as conn, records.reading() as recorded:
            return report_of(files, conn, recorded, day)


def page_of_day(report: ReportReply) -> str:
    """Every text of a counterparty is escaped."""
    title = f"FIX sessions on {report.day}"
    tiles = [(report.messages, "messages", ""), (report.rejects, "rejects", "")]
    tiles += [
        (report.by_severity[each], f"{each} alerts", each if report.by_severity[each] else "")
        for each in _SEVERITIES
    ]
    return "".join(
        [
            "<!doctype html><html lang=en><head><meta charset=utf-8>",
            '<meta name=viewport content="width=device-width,initial-scale=1">',
            f"<title>{title}</title><style>{_CSS.read_text('utf-8')}</style></head>",
            f"<body><main><h1>{title}</h1><p class=soft>UTC, midnight to midnight.</p>",
            "<div class=tiles>",
            *(
                f'<div class=tile><b class="{tone}">{count:,}</b>{what}</div>'
                for count, what, tone in tiles
            ),
            "</div><h2>Sessions</h2>",
            table(_PARTS, [_cells(each, each.session) for each in report.sessions]),
            "<h2>Counterparties</h2>",
            table(_PARTS, [_cells(each, each.counterparty) for each in report.counterparties]),
            "<h2>Why messages were refused</h2>",
            table(("message", "reason", "times"), [
                (each.name, each.text, each.count) for each in report.reasons
            ]),
            "<h2>Alerts</h2>",
            table(("severity", "last", "what", "session", "whom", "times"), [
                (each.severity, each.at[11:19], f"{each.title} ({each.pattern})", each.session,
                 each.subject, each.count)
                for each in report.alerts
            ]),
            "<h2>By the hour</h2>",
            table(("from", "messages", "rejects"), [
                (each.at[11:16], each.messages, each.rejects) for each in report.hours
            ]),
            f"<p class=soft>{escape(_LATENCY)}</p></main></body></html>",
        ]
    )  # fmt: skip


_LATENCY: Final = (
    "A latency is from a request (D, F, G) to the first answer (8, 9) to its ClOrdID, in µs; "
    "quantiles by nearest rank."
)
_PARTS: Final = (
    "name", "received", "sent", "rejects", "answered", "p50 µs", "p99 µs", "max µs", "alerts",
)  # fmt: skip


def _cells(part: PartLine, name: str) -> tuple[Any, ...]:
    times = ("–" if us is None else f"{us:,.0f}" for us in (part.p50_us, part.p99_us, part.max_us))
    return (name, part.received, part.sent, part.rejects, part.answered, *times, part.alerts)


def lines_of(report: ReportReply) -> Iterator[str]:
    """For a terminal."""
    yield f"{report.day}: {report.messages:,} messages, {report.rejects:,} rejects"
    alerts_ = ", ".join(f"{count} {name}" for name, count in report.by_severity.items())
    yield f"alerts: {alerts_}"
    for each in report.sessions:
        name, *cells = _cells(each, each.session)
        told = ", ".join(f"{word} {cell}" for word, cell in zip(_PARTS[1:], cells, strict=True))
        yield f"{name}: {told}"
    for reason in report.reasons:
        yield f"{reason.count:6} × {reason.name}: {reason.text}"
