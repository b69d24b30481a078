"""Watches sessions from their own end: each message as it comes or goes, for as long as it runs.

A capture has packets; an engine, or another program, has messages. What they say and in which
order is the same, so the same detectors look at them. Memory is bounded, whoever writes.
"""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from fondaco.domain.fix.api import Endpoint, Flow, Half, Line, Sighting, Tally
from fondaco.domain.surveillance.fix.behaviour.baseline import Baseline
from fondaco.domain.surveillance.fix.limits import Thresholds
from fondaco.domain.surveillance.fix.watch import Watch
from fondaco.domain.surveillance.model import Alert
from fondaco.kernel.errors import Invalid

SESSIONS_MAX: Final = 4096  # pairs of CompIDs, and connections that are open at once
DIRECTIONS: Final = ("in", "out")


class _Open:
    """A connection of a session: its two ends, and which of them sends what goes "in"."""

    __slots__ = ("flow", "inward", "is_told", "line")

    def __init__(self, flow: Flow, inward: int, is_told: bool) -> None:
        self.flow = flow
        self.inward = inward
        self.is_told = is_told
        self.line: Line | None = None


class Lines:
    """The sessions' lines for messages; beyond SESSIONS_MAX pairs of CompIDs, strangers share one
    line, since whoever makes up names shall not fill the memory."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._pairs: set[tuple[bytes, bytes, bytes]] = set()
        self._strangers: Line | None = None

    def of(self, seen: Sighting) -> Line:
        pair = (seen.sender, seen.target, seen.begin)
        if pair not in self._pairs:
            if len(self._pairs) >= 2 * SESSIONS_MAX:
                if self._strangers is None:
                    self._strangers = self._tally.line_of(seen)
                return self._strangers
            self._pairs.add(pair)
        line: Line = self._tally.line_of(seen)
        return line


class Sensor:
    """`feed` it every message; it gives the alerts that the message raised, at once.

    `session` is any name that is the same for one session, for instance an engine's own id, or
    better for one connection, where several may claim the same session. `direction` is "in" for
    what was received, "out" for what was sent. Times are nanoseconds since 1970 and should not go
    back. Tell connections with `connected` and `disconnected` where you know them: without, each
    Logon counts as a new connection from an address unknown, and what depends on addresses and
    TLS is not looked for.
    """

    def __init__(
        self,
        limits: Thresholds | None = None,
        *,
        source: str = "live",
        baseline: Baseline | None = None,
    ) -> None:
        self.tally = Tally()
        self.fed = 0
        self._watch = Watch(limits, baseline=baseline)
        self._watch.begin(source)
        self._open: dict[str, _Open] = {}
        self._lines = Lines(self.tally)
        self._flows = 0

    def connected(
        self,
        session: str,
        at: int,
        *,
        peer: tuple[str, int] = ("", 0),
        local: tuple[str, int] = ("", 0),
        initiated: bool = False,
        encrypted: bool | None = None,
    ) -> list[Alert]:
        """A connection was made; `initiated` by us, or accepted. Its peer's host and port tell
        where a CompID comes from; `encrypted` is None where nobody knows."""
        self._end(session, at)
        ends = _endpoint(peer, session), _endpoint(local, "here")
        opened = self._begin(session, at, ends if not initiated else ends[::-1], not initiated)
        opened.is_told = True
        opened.flow.encrypted_by_tls = encrypted
        self._watch.opened(opened.flow)
        return self._watch.taken()

    def feed(
        self, session: str, direction: str, at: int, raw: bytes, mark: int | None = None
    ) -> list[Alert]:
        """Look at one message, whatever is wrong with its bytes; the alerts that it raised, or
        made more severe, worst first. What is only found once more counts up in the alert that
        was given before.

        `mark` is your number for the message: it stands in the evidence as `offset`; without one
        it is how many messages were fed before. Raises Invalid for another direction.
        """
        if direction not in DIRECTIONS:
            raise Invalid(f'direction {direction!r} is neither "in" nor "out"')
        offset = self.fed if mark is None else mark
        self.fed += 1
        opened = self._open.get(session)
        found: list[Sighting] = []
        # Which end it belongs to depends on its type, so it is looked at before it has a place.
        is_logon = b"\x0135=A\x01" in raw[:64]
        if opened is None or (is_logon and self._is_another(opened, direction)):
            self._end(session, at)
            opened = self._implied(session, direction, at, is_logon)
        half: Half = opened.flow.halves[opened.inward if direction == "in" else 1 - opened.inward]
        opened.flow.last_at = max(opened.flow.last_at, at)
        half.line(bytes(raw), at, offset, found)
        for seen in found:
            line = self._lines.of(seen)
            opened.line = line
            self._watch.see(seen, line)
            self.tally.count(seen, line)
        return self._watch.taken()

    def disconnected(self, session: str, at: int) -> list[Alert]:
        """The session's connection ended."""
        self._end(session, at)
        return self._watch.taken()

    def passed(self, at: int) -> list[Alert]:
        """Time went on: what is only seen by waiting, such as a connection without a logon.
        Call it about every second; it costs little."""
        self._watch.passed(at)
        return self._watch.taken()

    def _is_another(self, opened: _Open, direction: str) -> bool:
        """Whether a Logon begins a connection that nobody told of."""
        if opened.is_told:
            return False
        call = self._watch.call_of(opened.flow)
        side = opened.inward if direction == "in" else 1 - opened.inward
        return call.stage == "closed" or (side == 0 and call.stage != "connected")

    def _implied(self, session: str, direction: str, at: int, is_logon: bool) -> _Open:
        ends = _endpoint(("", 0), session), _endpoint(("", 0), "here")
        accepts = direction == "in" or not is_logon
        opened = self._begin(session, at, ends if accepts else ends[::-1], accepts)
        opened.flow.began = is_logon
        return opened

    def _begin(self, session: str, at: int, ends: Sequence[Endpoint], accepts: bool) -> _Open:
        if len(self._open) >= SESSIONS_MAX:
            silent = (name for name, each in self._open.items() if each.line is None)
            self._end(next(silent, next(iter(self._open))), at)
        self._flows += 1
        flow = Flow(self._flows, ends[0], ends[1], at)
        flow.began = True
        flow.is_wire = False
        flow.halves = (Half(flow, 0), Half(flow, 1))
        opened = self._open[session] = _Open(flow, 0 if accepts else 1, False)
        return opened

    def _end(self, session: str, at: int) -> None:
        opened = self._open.pop(session, None)
        if opened is None:
            return
        opened.flow.closed_at = max(at, 1)
        self._watch.ended(opened.flow)
        if opened.line is not None:  # a session lives longer than its connections
            opened.line.session.flows.clear()


def _endpoint(told: tuple[str, int], otherwise: str) -> Endpoint:
    host, port = told
    if not host:
        host = otherwise
    try:
        return Endpoint(ip_address(host).packed, port)
    except ValueError:
        name = host.encode("utf-8", "replace")
        # An address has 4 or 16 bytes, so a name must not; a name may end with a full stop.
        return Endpoint(name + b"." if len(name) in (4, 16) else name, port)
