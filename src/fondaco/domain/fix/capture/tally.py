# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""Sessions put together from the wire: who spoke with whom, how fast, what was missing. Hot.

An engine's session law refuses; this one forgives. It begins in the middle, survives what the
capture lost, and says what it saw. Memory is bounded by the number of sessions, not of messages.
"""

from typing import Any, NamedTuple

from fondaco.domain.fix.capture.flows import Flow
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.wire import Half

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled
EVENTS_MAX = 2000  # a session
OPEN_MAX = 65_536  # requests of a session whose answers are awaited
BUCKETS_MAX = 4096  # of a session's timeline
_SECOND = 1_000_000_000
_REQUESTS = frozenset("DFGQqEHVx")
_ANSWERS = frozenset("89r")


class Happening(NamedTuple):
    """Something worth a line in a session's story."""

    at: int
    offset: int
    side: int
    kind: str
    text: str


@cython.final
@cython.cclass
class Line:
    """What one CompID sent to another. `due` is the next MsgSeqNum, 0 before any was seen."""

    def __init__(self, session: Any, side: int, sender: bytes, target: bytes, begin: bytes) -> None:
        self.session: Any = session
        self.side = side
        self.begin = begin
        self.sender = sender
        self.target = target
        self.messages = self.octets = self.garbled = self.duplicates = 0
        self.gaps = self.missing = self.rewinds = self.due = 0
        self.first_at = self.last_at = self.silence = 0
        self.types: dict[str, int] = {}


@cython.final
@cython.cclass
class Latency:
    """Times in nanoseconds, in buckets of an eighth of a power of two."""

    def __init__(self) -> None:
        self.count = self.total = self.longest = 0
        self.buckets: dict[int, int] = {}

    def add(self, ns: cython.longlong) -> None:
        power: cython.longlong = 0
        part: cython.longlong = max(ns, 0)
        self.count += 1
        self.total += part
        if part > self.longest:
            self.longest = part
        while part > 15:
            part >>= 1
            power += 1
        key = power * 16 + part
        self.buckets[key] = self.buckets.get(key, 0) + 1

    def quantile(self, share: float) -> int:
        """The upper end of the bucket that holds this share of all, at most the longest."""
        left = share * self.count
        for key in sorted(self.buckets):
            left -= self.buckets[key]
            if left <= 0:
                return min(int(self.longest), ((key % 16) + 1) << (key // 16))
        return int(self.longest)


@cython.final
@cython.cclass
class Session:
    """Two CompIDs that speak with each other, over any number of connections.

    `state` is one of "begun before", "logon", "active", "logout" and "closed".
    """

    def __init__(self, begin: bytes, client: bytes, server: bytes) -> None:
        self.begin_string = begin.decode("latin-1")
        self.lines = (Line(self, 0, client, server, begin), Line(self, 1, server, client, begin))
        self.flows: list[Flow] = []
        self.state = "begun before"
        self.happenings: list[Happening] = []
        self.happened = 0
        self.latency = Latency()
        self.heart_bt_int = 0
        self.open: dict[bytes, int] = {}
        self.unanswered = 0
        self.width = _SECOND
        self.timeline: dict[int, int] = {}
        self._bucket = -1
        self._inside = 0

    @property
    def name(self) -> str:
        """ "CLIENT → SERVER" by CompIDs."""
        return " → ".join(line.sender.decode("latin-1") or "?" for line in self.lines)

    @property
    def first_at(self) -> int:
        return min((line.first_at for line in self.lines if line.messages), default=0)

    @property
    def last_at(self) -> int:
        return max(line.last_at for line in self.lines)

    @property
    def messages(self) -> int:
        return sum(line.messages for line in self.lines)

    def types(self) -> dict[str, int]:
        """Messages by MsgType, both ways."""
        found: dict[str, int] = {}
        for line in self.lines:
            for kind, count in line.types.items():
                found[kind] = found.get(kind, 0) + count
        return found

    def beats(self) -> list[tuple[int, int]]:
        """Messages over time: start of a bucket `width` wide in nanoseconds, and how many."""
        self._settle()
        return [(bucket * self.width, count) for bucket, count in sorted(self.timeline.items())]

    def tell(self, at: int, offset: int, side: int, kind: str, text: str) -> None:
        self.happened += 1
        if len(self.happenings) < EVENTS_MAX:
            self.happenings.append(Happening(at, offset, side, kind, text))

    def _settle(self) -> None:
        if self._inside:
            self.timeline[self._bucket] = self.timeline.get(self._bucket, 0) + self._inside
            self._inside = 0
        while len(self.timeline) > BUCKETS_MAX:
            self.width *= 2
            coarse: dict[int, int] = {}
            for bucket, count in self.timeline.items():
                coarse[bucket // 2] = coarse.get(bucket // 2, 0) + count
            self.timeline = coarse

    def beat(self, at: cython.longlong) -> None:
        bucket: cython.longlong = at // self.width
        if bucket != self._bucket:
            self._settle()
            self._bucket = at // self.width
        self._inside += 1


@cython.final
@cython.cclass
class Tally:
    """Every session of a capture. `observe` takes messages in the order of the wire."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.messages = self.garbled = self.octets = 0
        self._lines: dict[tuple[bytes, bytes, bytes], Line] = {}

    def observe(self, sightings: list[Any]) -> None:
        for seen in sightings:
            self.count(seen, self.line_of(seen))

    def line_of(self, of: Any) -> Line:
        """The line that a message belongs to; one without CompIDs counts for its connection's."""
        seen: Sighting = of
        half: Half = seen.half
        line: Line
        if half.session is not None:
            line = half.session
            if (
                (
                    line.sender is seen.sender
                    and line.target is seen.target
                    and line.begin is seen.begin
                )
                or not seen.sender
                or not seen.target
            ):
                return line
        found = self._lines.get((seen.sender, seen.target, seen.begin))
        if found is None:
            found = self._begun(seen, half)
        line = found
        half.session = line
        session: Session = line.session
        if half.flow not in session.flows:
            session.flows.append(half.flow)
        return line

    def _begun(self, seen: Sighting, half: Half) -> Line:
        ends = (seen.sender, seen.target) if half.side == 0 else (seen.target, seen.sender)
        session = Session(seen.begin, *ends)
        self.sessions.append(session)
        for line in session.lines:
            self._lines.setdefault((line.sender, line.target, line.begin), line)
        return session.lines[half.side]

    def count(self, of: Any, line: Line) -> None:  # noqa: C901 - by kind of message
        """Move the line's and its session's counters."""
        seen: Sighting = of
        session: Session = line.session
        at: cython.longlong = seen.at
        kind: str = seen.msg_type
        n: cython.longlong = len(seen.raw)
        self.messages += 1
        self.octets += n
        line.messages += 1
        line.octets += n
        if line.first_at == 0:
            line.first_at = at
        elif at - line.last_at > line.silence:
            line.silence = at - line.last_at
        line.last_at = at
        line.types[kind] = line.types.get(kind, 0) + 1
        session.beat(at)
        if seen.garbled is not None:
            self.garbled += 1
            line.garbled += 1
            session.tell(at, seen.offset, line.side, "garbled", seen.garbled)
            if not seen.half.flow.is_log:  # in a log it was edited, and is a message all the same
                return
        if kind in _REQUESTS:
            if seen.cl_ord_id is not None and not seen.poss_dup:
                if len(session.open) >= OPEN_MAX:
                    session.open.pop(next(iter(session.open)))
                    session.unanswered += 1
                session.open[seen.cl_ord_id] = at
        elif kind in _ANSWERS:
            if seen.cl_ord_id is not None:
                began = session.open.pop(seen.cl_ord_id, None)
                if began is not None:
                    session.latency.add(at - began)
        elif kind != "0":
            self._session_level(seen, line, session, kind)
        self._sequence(seen, line, session, kind)

    def _sequence(self, seen: Sighting, line: Line, session: Session, kind: str) -> None:
        """MsgSeqNum against what was due."""
        seq: cython.longlong = seen.seq
        if seq < 0:
            return
        if seen.poss_dup:
            line.duplicates += 1
            if seq >= line.due:
                line.due = seq + 1
        elif seq == line.due or line.due == 0:
            line.due = seq + 1
        elif seq > line.due:
            line.gaps += 1
            line.missing += seq - line.due
            text = f"{seq - line.due} missing before {seq}: {line.due} was due"
            session.tell(seen.at, seen.offset, line.side, "gap", text)
            line.due = seq + 1
        elif kind == "A":
            session.tell(seen.at, seen.offset, line.side, "restart", f"{seq} after {line.due - 1}")
            line.due = seq + 1
        elif kind != "4":
            line.rewinds += 1
            text = f"{seq} again without PossDup: {line.due} was due"
            session.tell(seen.at, seen.offset, line.side, "rewind", text)

    def _session_level(  # noqa: C901 - by kind of message
        self, seen: Sighting, line: Line, session: Session, kind: str
    ) -> None:
        at = seen.at
        if kind == "A":
            session.state = "active" if session.state == "logon" else "logon"
            beat = seen.get(108)
            if beat is not None and beat.isdigit() and len(beat) < 9:
                session.heart_bt_int = int(beat)
            if seen.get(141) == b"Y":
                line.due = 0
                session.tell(at, seen.offset, line.side, "reset", "ResetSeqNumFlag")
            session.tell(at, seen.offset, line.side, "logon", f"HeartBtInt {session.heart_bt_int}")
        elif kind == "5":
            session.state = "closed" if session.state == "logout" else "logout"
            session.tell(at, seen.offset, line.side, "logout", _text(seen))
        elif kind == "4":
            new = seen.get(36)
            if new is not None and new.isdigit() and len(new) < 18:
                if seen.get(123) != b"Y":
                    session.tell(
                        at, seen.offset, line.side, "reset", f"NewSeqNo {int(new)}, {line.due} due"
                    )
                    line.due = int(new)
                elif int(new) > line.due:
                    line.due = int(new)
        elif kind == "2":
            low, high = seen.get(7) or b"?", seen.get(16) or b"?"
            text = f"{low.decode('latin-1')} to {high.decode('latin-1')}"
            session.tell(at, seen.offset, line.side, "resend request", text)
        elif kind == "3" or kind == "j":
            session.tell(at, seen.offset, line.side, "reject", _text(seen))


def _text(seen: Sighting) -> str:
    text = seen.get(58)
    return "" if text is None else text[:120].decode("latin-1")
