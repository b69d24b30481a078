"""An audit as one HTML file that needs nothing else: no script, no font, no server."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from fondaco.app.fix.audit_text import NAMES, duration, moment
from fondaco.app.fix.report import Report, SessionReport

_CSS: Final = Path(__file__).with_name("page.css")
_WIDTH: Final = 1000
_HEIGHT: Final = 102
_BARS: Final = 200
SESSIONS_SHOWN: Final = 100
# What of a session's story stands above its bars, and how grave it looks.
_MARKS: Final = {
    "logon": "low",
    "logout": "low",
    "restart": "medium",
    "reset": "medium",
    "reject": "medium",
    "gap": "high",
    "rewind": "high",
    "resend request": "medium",
    "garbled": "high",
}
_SEVERITIES: Final = ("critical", "high", "medium", "low")


def page_of(report: Report) -> str:
    """The whole page. Every text of the capture is escaped, every secret was masked before."""
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width,initial-scale=1">',
        "<title>FIX audit</title><style>",
        _CSS.read_text("utf-8"),
        "</style></head><body><main><h1>FIX audit</h1>",
        *_files(report),
        *_tiles(report),
        "<h2>Threats</h2>",
        *_alerts(report),
        "<h2>Sessions</h2>",
        *(each for one in report.sessions[:SESSIONS_SHOWN] for each in _session(one)),
        "<h2>Counterparties</h2>",
        table(
            ("CompID", "sessions", "sent", "received", "garbled", "gaps"),
            [
                (each.name, each.sessions, each.sent, each.received, each.garbled, each.gaps)
                for each in report.parties
            ],
        ),
        "<h2>Connections</h2>",
        _connections(report),
        "<h2>What was looked for</h2>",
        table(
            ("pattern", "name", "what it is", "ATT&CK"),
            [
                (each["id"], each["title"], each["says"], " ".join(each["attack"]))
                for each in report.examined
            ],
        ),
        "</main></body></html>",
    ]
    return "".join(parts)


def _files(report: Report) -> Iterator[str]:
    for file in report.files:
        span = f", {moment(file.first_at)} to {moment(file.last_at)} UTC" if file.first_at else ""
        kind = "lines" if file.format == "log" else "packets"
        yield (
            f"<p class=soft><code>{escape(file.name)}</code>: {file.format}, "
            f"{file.octets:,} bytes, {file.packets:,} {kind}{span}</p>"
        )
        over = [f"{count:,} {why}" for why, count in sorted(file.passed_over.items())]
        if file.snapped:
            over.append(f"{file.snapped:,} cut by the snap length")
        if over:
            yield f"<p class=soft>passed over: {escape('; '.join(over))}</p>"


def _tiles(report: Report) -> Iterator[str]:
    yield "<div class=tiles>"
    dark = sum(each.kind == "TLS" for each in report.connections)
    lost = sum(each.lost for each in report.connections)
    for number, what, tone in (
        (report.messages, "messages", ""),
        (len(report.sessions), "sessions", ""),
        (report.garbled, "garbled", "high" if report.garbled else ""),
        (lost, "bytes not captured", "medium" if lost else ""),
        (dark, "encrypted, not read", "medium" if dark else ""),
        *(
            (sum(alert["severity"] == each for alert in report.alerts), f"{each} alerts", each)
            for each in _SEVERITIES[1:]
        ),
    ):
        shown = tone if number else ""
        yield f'<div class=tile><b class="{shown}">{number:,}</b>{what}</div>'
    yield "</div>"


def _alerts(report: Report) -> Iterator[str]:
    if not report.examined:
        yield "<p class=soft>They were not looked for.</p>"
    elif not report.alerts:
        yield f"<p class=good>None found by {len(report.examined)} patterns.</p>"
    for alert in report.alerts[:500]:
        severity = alert["severity"]
        times = f" · {alert['count']:,} times" if alert["count"] > 1 else ""
        yield (
            f'<article class="{severity}"><h3><span class="mark {severity}">{severity}</span>'
            f"{alert['pattern']} {escape(alert['title'])}: {escape(alert['subject'])}</h3>"
            f"<p>{escape(alert['reason'])}</p>"
            f"<p class=soft>{moment(alert['first_at'])} UTC{times} · ATT&amp;CK "
            f"{escape(' '.join(alert['attack']))}</p>"
        )
        if alert["evidence"]:
            count = len(alert["evidence"])
            many = "s" if count > 1 else ""
            yield f"<details><summary>{count} message{many} as evidence</summary>"
            for each in alert["evidence"]:
                yield (
                    f"<p class=soft>{escape(each['file'])}, byte {each['offset']:,}, "
                    f"{escape(each['connection'])}, sha256 {each['sha256'][:16]}…</p>"
                    f"<pre>{escape(each['text'])}</pre>"
                )
            yield "</details>"
        yield "</article>"


def _session(session: SessionReport) -> Iterator[str]:
    yield f"<article><h3>{escape(session.name)}</h3>"
    latency = session.latency
    said = [
        session.begin_string,
        session.state,
        f"{session.messages:,} messages",
        f"{session.connections} connections",
        f"HeartBtInt {session.heart_bt_int} s" if session.heart_bt_int else "",
        f"{session.resend_requests} resend requests" if session.resend_requests else "",
        f"{session.rejects} rejects" if session.rejects else "",
    ]
    yield f"<p class=soft>{escape(' · '.join(each for each in said if each))}</p>"
    yield timeline(session)
    if latency.count:
        open_ = f", {latency.unanswered:,} without an answer" if latency.unanswered else ""
        yield (
            f"<p>Request to answer: median {duration(latency.p50)}, p99 {duration(latency.p99)}, "
            f"longest {duration(latency.longest)} of {latency.count:,}{open_}</p>"
        )
    rows = [
        (
            way.party or "?",
            way.messages,
            way.octets,
            way.garbled,
            f"{way.gaps} ({way.missing} missing)" if way.gaps else 0,
            way.rewinds,
            way.duplicates,
            ", ".join(
                f"{NAMES.get(kind, kind or 'none')} {count:,}"
                for kind, count in sorted(way.types.items(), key=lambda each: -each[1])[:8]
            ),
        )
        for way in session.ways
        if way.messages
    ]
    yield table(
        ("sender", "messages", "bytes", "garbled", "gaps", "rewinds", "PossDup", "types"), rows
    )
    if session.happenings:
        yield f"<details><summary>{session.happened:,} happenings</summary>"
        yield table(
            ("time (UTC)", "byte", "what", ""),
            [
                (moment(each["at"]), each["offset"], each["kind"], each["text"])
                for each in session.happenings
            ],
        )
        yield "</details>"
    yield "</article>"


def timeline(session: SessionReport) -> str:
    """Messages over time as bars, and above them what happened."""
    if not session.beats:
        return ""
    first, last = session.first_at, max(session.last_at, session.first_at + 1)
    bars = [0] * _BARS
    for at, count in session.beats:
        place = (at + session.beat_ns // 2 - first) * _BARS // (last - first)
        bars[min(max(place, 0), _BARS - 1)] += count
    most = max(bars)
    step = _WIDTH / _BARS
    drawn = [
        f'<rect class=bar x="{i * step:.1f}" y="{100 - 75 * n / most:.1f}" '
        f'width="{step * 0.8:.1f}" height="{max(75 * n / most, 1):.1f}"/>'
        for i, n in enumerate(bars)
        if n
    ]
    marked: set[tuple[int, str]] = set()
    for each in session.happenings:
        tone = _MARKS.get(each["kind"])
        place = (each["at"] - first) * _BARS // (last - first)
        if tone is None or (place, tone) in marked:
            continue
        marked.add((place, tone))
        x = min(max(place, 0), _BARS - 1) * step
        drawn.append(
            f'<path class=mark-{tone} d="M{x:.1f} 6l4 8h-8z"><title>{escape(each["kind"])}: '
            f"{escape(each['text'])}</title></path>"
        )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio=none role=img '
        f'aria-label="messages over time, at most {most:,} in a bar">'
        f"<line class=axis x1=0 y1=100.5 x2={_WIDTH} y2=100.5 />{''.join(drawn)}</svg>"
        f"<p class=span><span>{moment(first)}</span>"
        f"<span>{duration(last - first)}, at most {most:,} a bar</span>"
        f"<span>{moment(last)}</span></p>"
    )


def _connections(report: Report) -> str:
    return table(
        ("#", "client", "server", "speaks", "messages", "bytes", "lost", "again", "odd"),
        [
            (
                each.number,
                each.client,
                each.server,
                "; ".join([each.kind, *each.tls]) + ("" if each.began else ", begun before"),
                each.messages,
                each.octets,
                each.lost,
                each.again,
                ", ".join(f"{count} {kind}" for kind, count in sorted(each.notes.items())),
            )
            for each in report.connections
        ],
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    body = []
    for row in rows:
        cells = "".join(
            f"<td class=n>{cell:,}</td>"
            if isinstance(cell, int)
            else f"<td>{escape(str(cell))}</td>"
            for cell in row
        )
        body.append(f"<tr>{cells}</tr>")
    names = "".join(f"<th>{escape(head)}</th>" for head in heads)
    return f"<div class=wide><table><tr>{names}</tr>{''.join(body)}</table></div>"
