# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""Which detectors need to see a message: what is unusual about it is found out once. Hot.

Most messages of a session are like the one before. A detector says by its `types` and `when` which
ones it looks at; `Triage` gives it those and no others, so that a usual message costs little.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fondaco.domain.fix.api import Flow
from fondaco.domain.surveillance.fix.limits import Thresholds

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

if not cython.compiled:  # the compiler has them from triage.pxd
    from fondaco.domain.fix.api import Half, Line, Session, Sighting, Tally

COMPILED = cython.compiled

# What may be unusual about a message: bits of a detector's `when`.
ALWAYS = 1
ODD = 2  # a field is oddly written, or a tag that stands once stands twice
BINARY = 4  # bytes that cannot be printed
LONG = 8  # a value of TEXT_MIN bytes, or a message longer than most values may be
SIZE = 16  # OrderQty that does not begin with a digit above zero
DUP = 32  # PossDup, or perhaps PossResend
UNDUE = 64  # another MsgSeqNum than was due
OUTSIDE = 128  # the connection is not between its logon and its logout
STRANGE = 256  # names others than the connection's logon did
MOVED = 512  # from the client, over another connection than the message before it
SKEWED = 1024  # SendingTime is off, or drifts
HOUR = 2048  # the first of its hour
UNDEFINED = 4096  # tags that FIX does not define, nor leaves to those who agree on them
# The compiler has them from triage.pxd.
if not cython.compiled:
    _ODD, _BINARY, _LONG, _SIZE, _DUP, _UNDUE = ODD, BINARY, LONG, SIZE, DUP, UNDUE
    _OUTSIDE, _STRANGE, _MOVED, _SKEWED, _FRESH = OUTSIDE, STRANGE, MOVED, SKEWED, HOUR
    _UNDEFINED = UNDEFINED

TEXT_MIN = 80  # bytes of a text that could hide anything worth hiding
ONCE_EVERYWHERE = frozenset({8, 9, 10, 34, 35, 43, 49, 52, 56, 97, 122})
ONCE_IN_ORDERS = frozenset({1, 11, 38, 40, 41, 44, 54, 55, 59, 60, 99})
_TWICE = cython.declare(
    cython.ulonglong, sum(1 << tag for tag in ONCE_EVERYWHERE | ONCE_IN_ORDERS if tag < 64)
)
_TEXT_MIN = cython.declare(cython.longlong, TEXT_MIN)
_QUANTITY = cython.declare(cython.ulonglong, 1 << 38)
_SUBS = cython.declare(cython.ulonglong, 1 << 50 | 1 << 57)
_BEHALF = cython.declare(cython.ulonglong, 1 << (115 & 63) | 1 << (128 & 63))
_RESEND = cython.declare(cython.ulonglong, 1 << (97 & 63))
_HOUR = cython.declare(cython.longlong, 3_600_000_000_000)
_MINUTE = cython.declare(cython.longlong, 60_000_000_000)
_SECOND = cython.declare(cython.longlong, 1_000_000_000)
_DRIFT = cython.declare(cython.longlong, 500_000_000)
_TYPES_MAX = 1000  # MsgTypes, which anybody may make up


@cython.final
@cython.cclass
class Call:
    """How far a connection has come: "connected", "logon", "active", "logout" or "closed".

    `logon` is the first Logon of its client, `accepted` whether the other end answered it so;
    `before` is the stage that the message now seen found.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.stage = self.before = "connected"
        self.logon: Sighting | None = None
        self.accepted = False
        self.logouts = 0
        self.told: list[object] = []
        self.last_at = flow.first_at
        self.is_log = flow.is_log
        self.began = flow.began

    @property
    def host(self) -> str:
        return str(self.flow.ends[0].host)

    @property
    def ended_at(self) -> int:
        """When its end was captured, which may lie ahead of the message now seen; or 0."""
        return self.flow.reset_at or self.flow.closed_at

    def is_over(self, at: int) -> bool:
        """Whether it had ended by then."""
        logged_out = self.stage == "closed" and self.last_at <= at
        return logged_out or 0 < self.ended_at <= at


@cython.final
@cython.cclass
class Track:
    """What is remembered of a line: the connection that it last came over and its last message,
    how far its clock is off, and the last hour in which it was heard and that was no surprise."""

    def __init__(self) -> None:
        self.owner: Call | None = None
        self.last: Sighting | None = None
        self.has_skew = False
        self.skew = self.times = 0
        self.drift_at = self.drift_skew = 0
        self.hour = -1


@cython.final
@cython.cclass
class Place:
    """Where a message stands: its connection, its session's line, and what was due before it.

    `is_blind` says that the capture lost bytes of this connection since the last message, so that
    a gap proves nothing.
    """

    def __init__(
        self, call: Call, line: Line, tracks: tuple[Track, Track], back: Half, of: object
    ) -> None:
        self.call = call
        self.line = line
        self.track, self.other = tracks
        self.due = 0
        self.is_blind = False
        self.losses = 0
        self.back = back
        self.of = of

    @property
    def session(self) -> str:
        return str(self.line.session.name)

    @property
    def way(self) -> str:
        return f"{_text(self.line.sender)} to {_text(self.line.target)}"


@cython.final
@cython.cclass
class Triage:
    """`see` moves a message's connection on, and shows it to those who want it."""

    def __init__(
        self, limits: Thresholds, detectors: Sequence[Any], call_of: Callable[[Flow], Call]
    ) -> None:
        self._call_of = call_of
        self._detectors = detectors
        self._places: dict[tuple[int, int], Place] = {}
        self._tracks: dict[int, Track] = {}
        self._seeing: dict[str, list[Any]] = {}
        self._value_max = limits.value_max
        self._warn = limits.skew_warn_ms * 1_000_000

    def __len__(self) -> int:
        """How many places are remembered."""
        return len(self._places)

    def forget(self, flow: int) -> None:
        """A connection is gone, or all of them where `flow` is 0."""
        if not flow:
            self._places.clear()
        for key in [key for key in self._places if key[1] == flow]:
            del self._places[key]

    def see(self, of: Any, at_line: Any) -> None:
        """A message, before the counters of its line have moved."""
        seen: Sighting = of
        line: Line = at_line
        half: Half = seen.half
        place: Place
        call: Call
        lost: cython.longlong
        traits: cython.ulonglong
        mask: cython.ulonglong
        known = half.place
        if known is not None:
            place = known
            if place.line is not line or place.of is not self:
                place = self._place(half, line)
        else:
            place = self._place(half, line)
        place.due = line.due
        call = place.call
        if seen.garbled is not None:
            for detector in self._detectors:
                detector.garbled(seen, place)
            if not call.is_log:
                return
        lost = half.lost + place.back.lost
        place.is_blind = lost != place.losses
        place.losses = lost
        self._advance(seen, call)
        traits = self._traits(seen, place)
        seeing = self._seeing.get(seen.msg_type)
        if seeing is None:
            seeing = self._seeing_of(seen.msg_type)
        for show, when in seeing:
            mask = when
            if mask & traits:
                show(seen, place)
        seen.forget()
        call.last_at = seen.at
        call.before = call.stage

    def observe(self, sightings: list[Any], counts: Any) -> None:
        """Messages in the order of the wire, counted by a Tally."""
        tally: Tally = counts
        line: Line
        for seen in sightings:
            line = tally.line_of(seen)
            self.see(seen, line)
            tally.count(seen, line)

    def _place(self, half: Half, line: Line) -> Place:
        flow = half.flow
        key = (id(line), flow.number)
        place = self._places.get(key)
        if place is None:
            session: Session = line.session
            track = self._tracks.setdefault(id(line), Track())
            other = self._tracks.setdefault(id(session.lines[1 - line.side]), Track())
            back = flow.halves[1 - half.side]
            place = Place(self._call_of(flow), line, (track, other), back, self)
            self._places[key] = place
        half.place = place
        return place

    def _seeing_of(self, kind: str) -> list[Any]:
        """Who wants to see messages of that type, and when."""
        if len(self._seeing) >= _TYPES_MAX:
            self._seeing.clear()
        self._seeing[kind] = found = [
            (detector.see, detector.when)
            for detector in self._detectors
            if detector.types is None or kind in detector.types
        ]
        return found

    def _advance(self, seen: Sighting, call: Call) -> None:
        """The state of the connection, forgiving: a capture may begin in the middle."""
        half: Half
        kind: str = seen.msg_type
        if kind == "A":
            half = seen.half
            if call.logon is None and half.side == 0:
                call.logon = seen
                call.stage = "logon"
            elif half.side == 1:
                call.accepted = True
                call.stage = "active"
        elif kind == "5":
            call.logouts += 1
            call.stage = "closed" if call.logouts > 1 else "logout"
        elif not call.began and call.stage == "connected":
            call.stage = call.before = "active"
            call.accepted = True

    def _traits(  # noqa: C901 - trait by trait
        self, seen: Sighting, place: Place
    ) -> cython.ulonglong:
        """What is unusual about a message."""
        call: Call = place.call
        logon: Sighting
        track: Track = place.track
        half: Half = seen.half
        found: cython.ulonglong = 1  # ALWAYS
        text: cython.p_const_uchar = seen.raw
        byte: cython.uchar
        if seen.is_odd or seen.twice & _TWICE:
            found |= _ODD
        if seen.odd_bytes:
            found |= _BINARY
        if seen.longest >= _TEXT_MIN or len(seen.raw) > self._value_max:
            found |= _LONG
        if seen.known & _QUANTITY:
            byte = text[seen._starts[38]]
            if byte < 49 or byte > 57:
                found |= _SIZE
        if seen.undefined:
            found |= _UNDEFINED
        if seen.poss_dup or seen.beyond & _RESEND:
            found |= _DUP
        if seen.seq != place.due:
            found |= _UNDUE
        if call.before != "active":
            found |= _OUTSIDE
        if not call.is_log:
            if call.logon is not None:
                logon = call.logon
                if seen.known & _SUBS or seen.beyond & _BEHALF or seen.begin is not logon.begin:
                    found |= _STRANGE
                elif half is logon.half:
                    if seen.sender is not logon.sender or seen.target is not logon.target:
                        found |= _STRANGE
                elif seen.sender is not logon.target or seen.target is not logon.sender:
                    found |= _STRANGE
            if self._is_skewed(seen, place):
                found |= _SKEWED
            if half.side == 0:
                if track.owner is call:
                    track.last = seen
                else:
                    found |= _MOVED
        if half.side == 0 and seen.at // _HOUR != track.hour:
            found |= _FRESH
        return found

    def _is_skewed(self, seen: Sighting, place: Place) -> cython.bint:
        """Whether its clock is off or drifts; else how far it is off is remembered."""
        track: Track = place.track
        sent: cython.longlong = seen.stamp()
        skew: cython.longlong = sent - seen.at
        off: cython.longlong = skew if skew > 0 else -skew
        moved: cython.longlong
        exact: cython.bint
        if not sent:
            return False
        exact = seen.has_fraction()
        if off > self._warn + (0 if exact else _SECOND):
            return True
        track.has_skew = True
        track.skew = skew
        track.times = 0
        if not exact:
            return False
        if not track.drift_at:
            track.drift_at = seen.at
            track.drift_skew = skew
            return False
        moved = skew - track.drift_skew
        return seen.at - track.drift_at > _MINUTE and (moved > _DRIFT or moved < -_DRIFT)


def _text(name: bytes) -> str:
    return name.decode("latin-1") or "?"
