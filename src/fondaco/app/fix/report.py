"""What an audit found, as plain values: the terminal, the page and JSON all say the same."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from fondaco.domain.fix.capture.flows import Flow
from fondaco.domain.fix.capture.tally import Session

HAPPENINGS_SHOWN: Final = 200
FLOWS_SHOWN: Final = 500


class Latencies(msgspec.Struct, frozen=True):
    """From a request to its first answer, in nanoseconds, by the capture's clock."""

    count: int
    p50: int
    p99: int
    longest: int
    unanswered: int


class Way(msgspec.Struct, frozen=True):
    """What one party of a session sent."""

    party: str
    messages: int
    octets: int
    types: dict[str, int]
    garbled: int
    gaps: int
    missing: int
    rewinds: int
    duplicates: int
    silence_ns: int


class SessionReport(msgspec.Struct, frozen=True):
    """One session; times are nanoseconds since 1970, `beats` are messages a bucket."""

    name: str
    begin_string: str
    state: str
    messages: int
    first_at: int
    last_at: int
    heart_bt_int: int
    connections: int
    resend_requests: int
    rejects: int
    ways: list[Way]
    latency: Latencies
    happened: int
    happenings: list[dict[str, Any]]
    beat_ns: int
    beats: list[tuple[int, int]]


class Connection(msgspec.Struct, frozen=True):
    """One TCP connection, or one pair of parties in a log."""

    number: int
    client: str
    server: str
    kind: str
    began: bool
    messages: int
    octets: int
    lost: int
    again: int
    reordered: int
    unparsed: int
    notes: dict[str, int]
    tls: list[str]


class FileReport(msgspec.Struct, frozen=True):
    """One file that was read, and what in it was passed over."""

    name: str
    format: str
    octets: int
    packets: int
    connections: int
    snapped: int
    passed_over: dict[str, int]
    first_at: int
    last_at: int


class Party(msgspec.Struct, frozen=True):
    """One CompID over all its sessions."""

    name: str
    sessions: int
    sent: int
    received: int
    garbled: int
    gaps: int


class Report(msgspec.Struct, frozen=True):
    """The whole audit. `alerts` are as `fondaco.domain.surveillance` shows them, worst first;
    `baseline` has the version of the one that behaviour was judged by, and the drift from it."""

    messages: int
    garbled: int
    octets: int
    files: list[FileReport]
    sessions: list[SessionReport]
    parties: list[Party]
    connections: list[Connection]
    alerts: list[dict[str, Any]]
    examined: list[dict[str, Any]]
    baseline: dict[str, Any] | None = None

    def as_json(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()


def session_report(session: Session) -> SessionReport:
    types = session.types()
    return SessionReport(
        name=session.name,
        begin_string=session.begin_string,
        state=session.state,
        messages=session.messages,
        first_at=session.first_at,
        last_at=session.last_at,
        heart_bt_int=session.heart_bt_int,
        connections=len(session.flows),
        resend_requests=types.get("2", 0),
        rejects=types.get("3", 0) + types.get("j", 0) + types.get("9", 0),
        ways=[
            Way(
                party=_text(line.sender),
                messages=line.messages,
                octets=line.octets,
                types=dict(sorted(line.types.items())),
                garbled=line.garbled,
                gaps=line.gaps,
                missing=line.missing,
                rewinds=line.rewinds,
                duplicates=line.duplicates,
                silence_ns=line.silence,
            )
            for line in session.lines
        ],
        latency=Latencies(
            count=session.latency.count,
            p50=session.latency.quantile(0.5),
            p99=session.latency.quantile(0.99),
            longest=session.latency.longest,
            unanswered=session.unanswered + len(session.open),
        ),
        happened=session.happened,
        happenings=[each._asdict() for each in session.happenings[:HAPPENINGS_SHOWN]],
        beat_ns=session.width,
        beats=session.beats(),
    )


def connections(flows: Iterable[Flow]) -> list[Connection]:
    """FIX and encrypted connections first; those that hold neither are cut where they are many."""
    rank = {"FIX": 0, "TLS": 1, "other": 2, "empty": 3}
    ordered = sorted(flows, key=lambda flow: (rank[flow.kind], flow.number))[:FLOWS_SHOWN]
    return [
        Connection(
            number=flow.number,
            client=str(flow.ends[0]),
            server=str(flow.ends[1]),
            kind=flow.kind,
            began=flow.began,
            messages=flow.messages,
            octets=sum(half.octets for half in flow.halves),
            lost=sum(half.lost for half in flow.halves),
            again=sum(half.again for half in flow.halves),
            reordered=sum(half.reordered for half in flow.halves),
            unparsed=sum(half.unparsed for half in flow.halves),
            notes=dict(flow.counts),
            tls=[
                f"{each.role}: {each.version}, cipher 0x{each.cipher:04X}, {each.server_name}"
                for each in flow.greetings.values()
            ],
        )
        for flow in ordered
    ]


def parties(sessions: Sequence[Session]) -> list[Party]:
    """Statistics of each CompID, the busiest first."""
    found: dict[bytes, list[int]] = {}
    for session in sessions:
        for line in session.lines:
            sent = found.setdefault(line.sender, [0, 0, 0, 0, 0])
            sent[0] += 1
            sent[1] += line.messages
            sent[3] += line.garbled
            sent[4] += line.gaps
            found.setdefault(line.target, [0, 0, 0, 0, 0])[2] += line.messages
    rows = [Party(_text(name), *counts) for name, counts in found.items()]
    return sorted(rows, key=lambda row: (-row.sent - row.received, row.name))


def _text(name: bytes) -> str:
    return name.decode("latin-1")
