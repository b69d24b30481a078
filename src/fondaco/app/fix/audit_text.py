"""An audit for the terminal: what a person wants to know first, in eighty to a hundred columns."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from fondaco.app.fix.report import Report, SessionReport

SESSIONS_SHOWN: Final = 20
ALERTS_SHOWN: Final = 30
DRIFTS_SHOWN: Final = 5
_NS: Final = 1_000_000_000
# The types that most flow is made of; all of FIX's names are in the dictionaries.
NAMES: Final = {
    "0": "Heartbeat",
    "1": "TestRequest",
    "2": "ResendRequest",
    "3": "Reject",
    "4": "SequenceReset",
    "5": "Logout",
    "8": "ExecutionReport",
    "9": "OrderCancelReject",
    "A": "Logon",
    "AE": "TradeCaptureReport",
    "D": "NewOrderSingle",
    "E": "NewOrderList",
    "F": "OrderCancelRequest",
    "G": "OrderCancelReplaceRequest",
    "H": "OrderStatusRequest",
    "V": "MarketDataRequest",
    "W": "MarketDataSnapshot",
    "X": "MarketDataIncremental",
    "d": "SecurityDefinition",
    "h": "TradingSessionStatus",
    "j": "BusinessMessageReject",
    "q": "OrderMassCancelRequest",
    "r": "OrderMassCancelReport",
}


def lines_of(report: Report) -> Iterator[str]:
    for file in report.files:
        yield (
            f"{file.name}: {file.format}, {_octets(file.octets)}, {file.packets} "
            f"{'lines' if file.format == 'log' else 'packets'}, "
            f"{counted(file.connections, 'connection')}"
            f"{_span(file.first_at, file.last_at)}"
        )
        if file.snapped:
            yield f"  {file.snapped} packets were cut by the capture's snap length"
        for why, count in sorted(file.passed_over.items()):
            yield f"  {count} packets passed over: {why}"
    yield f"{report.messages} FIX messages in {counted(len(report.sessions), 'session')}" + (
        f", {report.garbled} of them garbled" if report.garbled else ""
    )
    for session in report.sessions[:SESSIONS_SHOWN]:
        yield ""
        yield from _session(session)
    if len(report.sessions) > SESSIONS_SHOWN:
        yield f"\n… and {len(report.sessions) - SESSIONS_SHOWN} more sessions"
    yield from _drift(report)
    yield from _hidden(report)
    yield from _alerts(report)


def _session(session: SessionReport) -> Iterator[str]:
    yield f"{session.name}  {session.begin_string}, {session.state}" + _span(
        session.first_at, session.last_at
    )
    for way in session.ways:
        if way.messages:
            kinds = ", ".join(
                f"{NAMES.get(kind, kind or 'no MsgType')} {count}"
                for kind, count in sorted(way.types.items(), key=lambda each: -each[1])[:6]
            )
            yield f"  {way.party or '?'}: {way.messages} messages, {_octets(way.octets)}: {kinds}"
            odd = [
                f"{count} {what}"
                for count, what in (
                    (way.garbled, "garbled"),
                    (way.gaps, f"gaps ({way.missing} messages missing)"),
                    (way.rewinds, "sequence numbers again"),
                    (way.duplicates, "possible duplicates"),
                )
                if count
            ]
            if odd:
                yield f"    {', '.join(odd)}"
    latency = session.latency
    if latency.count:
        yield (
            f"  request to answer: median {duration(latency.p50)}, p99 {duration(latency.p99)}, "
            f"longest {duration(latency.longest)} of {latency.count}"
            + (f"; {latency.unanswered} without an answer" if latency.unanswered else "")
        )
    if session.resend_requests or session.rejects:
        yield f"  {session.resend_requests} resend requests, {session.rejects} rejects"


def _drift(report: Report) -> Iterator[str]:
    """How far lines have moved from what is usual, the largest first."""
    if report.baseline is None:
        return
    yield ""
    yield f"beside baseline {report.baseline['version']}"
    for each in report.baseline["drift"][:DRIFTS_SHOWN]:
        yield (
            f"  {each['way']}: {each['feature']} moved by {each['moved']:+.1f} spreads, stability "
            f"index {each['stability']:.2f} ({each['windows']} windows)"
        )


def _hidden(report: Report) -> Iterator[str]:
    """What this could not look into, so that silence is not taken for safety."""
    dark = [each for each in report.connections if each.kind == "TLS"]
    other = [each for each in report.connections if each.kind == "other"]
    lost = sum(each.lost for each in report.connections)
    if dark or other or lost:
        yield ""
    if dark:
        yield f"encrypted, so that only greetings were read: {counted(len(dark), 'connection')}"
    if other:
        yield f"something else than FIX tag=value: {counted(len(other), 'connection')}"
    if lost:
        yield f"{_octets(lost)} of FIX and other connections are not in the capture"


def _alerts(report: Report) -> Iterator[str]:
    if not report.examined:
        return
    yield ""
    if not report.alerts:
        yield f"no threat found by {len(report.examined)} patterns"
        return
    yield f"{counted(len(report.alerts), 'alert')}, worst first"
    for alert in report.alerts[:ALERTS_SHOWN]:
        times = f" ({alert['count']} times)" if alert["count"] > 1 else ""
        name = f"{alert['pattern']} {alert['title']}"
        yield f"  {alert['severity']:<8} {name}: {alert['subject']}{times}"
        yield f"           {alert['reason']}"
        for each in alert["evidence"][:2]:
            yield f"           byte {each['offset']}: {each['text'][:110]}"
    if len(report.alerts) > ALERTS_SHOWN:
        yield f"  … and {len(report.alerts) - ALERTS_SHOWN} more: --json or --html has them"


def _span(first: int, last: int) -> str:
    if not first:
        return ""
    return f", {moment(first)} to {moment(last)} UTC ({duration(last - first)})"


def moment(at: int) -> str:
    return datetime.fromtimestamp(at // _NS, UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(ns: int) -> str:
    for unit, size in (("h", 3600 * _NS), ("min", 60 * _NS), ("s", _NS), ("ms", 10**6)):
        if ns >= size:
            return f"{ns / size:.1f} {unit}"
    return f"{ns / 1000:.1f} µs"


def counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _octets(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
