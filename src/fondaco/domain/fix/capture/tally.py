# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""Sessions put together from the wire: who spoke with whom, how fast, what was missing. Hot.

An engine's session law refuses; this one forgives. It begins in the middle, survives what the
capture lost, and says what it saw. Memory is bounded by the number of sessions, not of messages.
"""

from typing import Any, NamedTuple

from fondaco.domain.fix.capture.sighting import Sighting

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

    sender = cython.declare(bytes, visibility="readonly")
    target = cython.declare(bytes, visibility="readonly")
    session = cython.declare(object, visibility="readonly")
    side = cython.declare(cython.longlong, visibility="readonly")
    messages = cython.declare(cython.longlong, visibility="readonly")
    octets = cython.declare(cython.longlong, visibility="readonly")
    garbled = cython.declare(cython.longlong, visibility="readonly")
    duplicates = cython.declare(cython.longlong, visibility="readonly")
    gaps = cython.declare(cython.longlong, visibility="readonly")
    missing = cython.declare(cython.longlong, visibility="readonly")
    rewinds = cython.declare(cython.longlong, visibility="readonly")
    due = cython.declare(cython.longlong, visibility="readonly")
    first_at = cython.declare(cython.longlong, visibility="readonly")
    last_at = cython.declare(cython.longlong, visibility="readonly")
    silence = cython.declare(cython.longlong, visibility="readonly")
    types = cython.declare(dict, visibility="readonly")

    def __init__(self, session: object, side: int, sender: bytes, target: bytes) -> None:
        self.session = session
        self.side = side
        self.sender = sender
        self.target = target
        self.messages = self.octets = self.garbled = self.duplicates = 0
        self.gaps = self.missing = self.rewinds = self.due = 0
        self.first_at = self.last_at = self.silence = 0
        self.types = {}


@cython.final
@cython.cclass
class Latency:
    """Times in nanoseconds, in buckets of an eighth of a power of two."""

    count = cython.declare(cython.longlong, visibility="readonly")
    total = cython.declare(cython.longlong, visibility="readonly")
    longest = cython.declare(cython.longlong, visibility="readonly")
    buckets = cython.declare(dict, visibility="readonly")

    def __init__(self) -> None:
        self.count = self.total = self.longest = 0
        self.buckets = {}

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

    begin_string = cython.declare(str, visibility="readonly")
    lines = cython.declare(tuple, visibility="readonly")
    flows = cython.declare(list, visibility="readonly")
    state = cython.declare(str, visibility="public")
    happenings = cython.declare(list, visibility="readonly")
    happened = cython.declare(cython.longlong, visibility="readonly")
    latency = cython.declare(object, visibility="readonly")
    heart_bt_int = cython.declare(cython.longlong, visibility="public")
    open = cython.declare(dict, visibility="readonly")
    unanswered = cython.declare(cython.longlong, visibility="readonly")
    width = cython.declare(cython.longlong, visibility="readonly")
    timeline = cython.declare(dict, visibility="readonly")
    _bucket = cython.declare(cython.longlong)
    _inside = cython.declare(cython.longlong)

    def __init__(self, begin_string: str, client: bytes, server: bytes) -> None:
        self.begin_string = begin_string
        self.lines = (Line(self, 0, client, server), Line(self, 1, server, client))
        self.flows = []
        self.state = "begun before"
        self.happenings = []
        self.happened = 0
        self.latency = Latency()
        self.heart_bt_int = 0
        self.open = {}
        self.unanswered = 0
        self.width = _SECOND
        self.timeline = {}
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

    @cython.cfunc
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

    @cython.cfunc
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

    sessions = cython.declare(list, visibility="readonly")
    messages = cython.declare(cython.longlong, visibility="readonly")
    garbled = cython.declare(cython.longlong, visibility="readonly")
    octets = cython.declare(cython.longlong, visibility="readonly")
    _lines = cython.declare(dict)

    def __init__(self) -> None:
        self.sessions = []
        self.messages = self.garbled = self.octets = 0
        self._lines = {}

    def observe(self, sightings: list[Sighting]) -> None:
        for seen in sightings:
            self.count(seen, self.line_of(seen))

    @cython.ccall
    def line_of(self, seen: Any) -> Line:
        """The line that a message belongs to; one without CompIDs counts for its connection's."""
        line: Line
        sender: bytes = seen.sender
        target: bytes = seen.target
        half = seen.half
        if half.session is not None:
            line = half.session
            if (line.sender is sender and line.target is target) or not sender or not target:
                return line
        found = self._lines.get((sender, target))
        line = self._begun(seen, half, sender, target) if found is None else found
        half.session = line
        session: Session = line.session
        if half.flow not in session.flows:
            session.flows.append(half.flow)
        return line

    @cython.cfunc
    def _begun(self, seen: Any, half: Any, sender: bytes, target: bytes) -> Line:
        begin = seen.raw[2:12].partition(b"\x01")[0].decode("latin-1")
        at_client = half.side == 0
        session = Session(begin, sender if at_client else target, target if at_client else sender)
        self.sessions.append(session)
        for line in session.lines:
            self._lines.setdefault((line.sender, line.target), line)
        return session.lines[half.side]

    @cython.ccall
    def count(self, seen: Any, line: Line) -> None:  # noqa: C901 - by kind of message
        """Move the line's and its session's counters."""
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

    @cython.cfunc
    def _sequence(self, seen: Any, line: Line, session: Session, kind: str) -> None:
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

    @cython.cfunc
    def _session_level(  # noqa: C901 - by kind of message
        self, seen: Any, line: Line, session: Session, kind: str
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
