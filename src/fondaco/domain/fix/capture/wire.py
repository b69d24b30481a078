# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""One direction of a TCP connection: segments in any order become FIX messages. Hot.

The first bytes that arrive for a place in the stream win; bytes that come again and differ are
reported. What is lost is skipped, and reading goes on at the next message. Framing differs from
an engine's on purpose: an engine follows BodyLength wherever it leads, while this looks for the
true end of a message that lies about its length, so that nothing can hide behind it.
"""

from typing import Any

from fondaco.domain.fix.capture.flows import Endpoint, Flow
from fondaco.domain.fix.capture.sighting import Sighting

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled
SOH = 1
BODY_MAX = cython.declare(cython.longlong, 1 << 18)  # a longer BodyLength is taken for a lie
HEAD_MAX = cython.declare(cython.longlong, 40)  # "8=FIXT.1.1|9=1234567|" and some
PENDING_MAX = cython.declare(
    cython.longlong, 1024
)  # segments that may wait for one that is missing
PENDING_BYTES_MAX = cython.declare(cython.longlong, 1 << 20)
WAIT_NS = cython.declare(
    cython.longlong, 3_000_000_000
)  # after which a missing segment is given up
WINDOW = cython.declare(cython.longlong, 1 << 24)  # bytes ahead that a sender may be
STRANGERS_MAX = cython.declare(
    cython.longlong, 8
)  # segments in a row from beyond it, until they are believed
RECENT = cython.declare(
    cython.longlong, 16
)  # delivered segments that are kept, to compare with what comes again
TINY = cython.declare(cython.longlong, 8)  # bytes; shorter segments are odd for FIX
TLS_KEPT = cython.declare(cython.longlong, 1 << 14)


@cython.final
@cython.cclass
class Half:
    """What one end of a connection sent. `segment` takes it as captured, `finish` ends it."""

    def __init__(self, flow: Flow, side: int) -> None:
        self.flow = flow
        self.side = side
        self.segments = self.octets = self.messages = self.garbled = 0
        self.lost = self.again = self.unparsed = self.reordered = self.tiny = 0
        self.ttl = -1
        self.first_at = self.last_at = 0
        self.closed = False
        self.session: Any = None
        self.place: Any = None
        self.is_reset = False
        self.tls: Any = None
        self.next = -1
        self.pos = 0
        self.strangers = 0
        self.reason: Any = None
        self.pending: list[Any] = []
        self.waiting = 0
        self.carry = bytearray()
        self.carry_offset = 0
        self.need = 0
        self.synced = False
        self.recent: list[Any] = [None] * RECENT
        self.recent_at = 0
        if not cython.compiled:
            self._places = [0] * RECENT

    @property
    def endpoint(self) -> Endpoint:
        return self.flow.ends[self.side]

    def opened(self, seq: cython.longlong) -> None:
        """SYN: the stream begins after this sequence number."""
        if self.next < 0:
            self.next = (seq + 1) & 0xFFFFFFFF
            self.synced = True

    def seen(self, ttl: cython.longlong, at: cython.longlong, offset: cython.longlong) -> None:
        """A packet of this end, with or without payload."""
        if ttl != self.ttl:
            if self.ttl >= 0:
                self.flow.note("ttl", at, offset, self.side, f"TTL went from {self.ttl} to {ttl}")
            self.ttl = ttl

    def segment(  # noqa: C901 - each way that a segment may lie
        self,
        data: bytes,
        start: cython.Py_ssize_t,
        stop: cython.Py_ssize_t,
        seq: cython.longlong,
        missing: cython.longlong,
        at: cython.longlong,
        offset: cython.longlong,
        out: list[Any],
    ) -> None:
        """The payload data[start:stop] for sequence number `seq` on; `missing` bytes that followed
        were not captured. Messages that are complete now are appended to `out`."""
        ahead: cython.longlong
        n: cython.Py_ssize_t = stop - start
        self.segments += 1
        self.octets += n
        if self.first_at == 0:
            self.first_at = at
        self.last_at = at
        if n < TINY:
            self.tiny += 1
        if self.next < 0:  # begun before the capture did
            self.next = seq
        ahead = ((seq - self.next + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        if ahead == 0 and not self.pending:
            self._take(data, start, stop, at, offset, out)
            if missing > 0:
                self._skip(missing, at, offset, out)
            return
        if ahead < 0:
            self.again += 1
            if n > 1 or ahead < -1:  # one byte again is how TCP asks whether the other end lives
                self._compare(data[start:stop], ahead, at, offset)
            if ahead + n <= 0:
                return
            start -= ahead
            ahead = 0
        elif ahead > WINDOW and self.strangers < STRANGERS_MAX:
            self.strangers += 1
            self.flow.note("out of window", at, offset, self.side, f"{ahead} bytes ahead")
            return
        elif ahead > 0:
            self.reordered += 1
        self.strangers = 0
        self._hold(data[start:stop], ahead, missing, at, offset)
        self._drain(at, out)
        if self.pending and (
            len(self.pending) > PENDING_MAX
            or self.waiting > PENDING_BYTES_MAX
            or at - self.pending[0][3] > WAIT_NS
        ):
            self._give_up(at, out)

    def line(
        self, raw: bytes, at: cython.longlong, offset: cython.longlong, out: list[Any]
    ) -> None:
        """A whole message, as a log has it; its frame is judged like one from the wire."""
        self.segments += 1
        self.octets += len(raw)
        if self.first_at == 0:
            self.first_at = at
        self.last_at = at
        if self._frame(raw, 0, len(raw), True) != len(raw) and self.reason is None:
            self.reason = "BodyLength is wrong"
        self._emit(raw, at, offset, out)

    def finish(self, at: cython.longlong, out: list[Any]) -> None:
        """Nothing more will come: read what waited for bytes that were lost, and what is left."""
        while self.pending:
            self._give_up(at, out)
        if self.carry:
            self._again(at, self.carry_offset, out, True)
        if self.tls is not None:
            self.flow.encrypted(self.side, bytes(self.tls))

    def _hold(
        self,
        piece: bytes,
        ahead: cython.longlong,
        missing: cython.longlong,
        at: cython.longlong,
        offset: cython.longlong,
    ) -> None:
        """Keep what no segment that came before it covers."""
        start: cython.longlong = self.pos + ahead
        stop: cython.longlong = start + len(piece)
        cursor: cython.longlong = start
        low: cython.longlong
        high: cython.longlong
        kept = []
        for place, held, _, _, _ in self.pending:
            low = max(place, cursor)
            high = min(place + len(held), stop)
            if low >= high:
                continue
            if piece[low - start : high - start] != held[low - place : high - place]:
                self._conflict(high - low, at, offset)
            if low > cursor:
                kept.append((cursor, piece[cursor - start : low - start], 0, at, offset))
            cursor = high
        if cursor < stop:
            kept.append((cursor, piece[cursor - start :], missing, at, offset))
        for each in kept:
            self.waiting += len(each[1])
        self.pending = sorted(self.pending + kept)

    def _drain(self, at: cython.longlong, out: list[Any]) -> None:
        """Deliver what waited, as far as it goes without a gap."""
        while self.pending and self.pending[0][0] <= self.pos:
            _, piece, missing, _, offset = self.pending.pop(0)
            self.waiting -= len(piece)
            self._take(piece, 0, len(piece), at, offset, out)
            if missing > 0:
                self._skip(missing, at, offset, out)

    def _give_up(self, at: cython.longlong, out: list[Any]) -> None:
        """The bytes before the first segment that waits were lost."""
        place, _, _, _, offset = self.pending[0]
        self._skip(place - self.pos, at, offset, out)
        self._drain(at, out)

    def _skip(
        self, n: cython.longlong, at: cython.longlong, offset: cython.longlong, out: list[Any]
    ) -> None:
        if self.carry:
            self._again(at, offset, out, True)
            self.carry = bytearray()
        self.lost += n
        self.pos += n
        self.next = (self.next + n) & 0xFFFFFFFF
        self.synced = False
        self.flow.note("lost", at, offset, self.side, f"{n} bytes are not in the capture")

    def _compare(
        self, piece: bytes, ahead: cython.longlong, at: cython.longlong, offset: cython.longlong
    ) -> None:
        """Whether bytes that come again are those that came before."""
        start: cython.longlong = self.pos + ahead
        for k in range(RECENT):
            old = self.recent[k]
            if old is None:
                continue
            place = self._places[k]
            low = max(place, start)
            high = min(place + len(old), start + len(piece))
            if low < high and piece[low - start : high - start] != old[low - place : high - place]:
                self._conflict(high - low, at, offset)

    def _conflict(self, n: cython.longlong, at: cython.longlong, offset: cython.longlong) -> None:
        self.flow.note("conflict", at, offset, self.side, f"{n} bytes came again and differ")

    def _take(
        self,
        data: bytes,
        start: cython.Py_ssize_t,
        stop: cython.Py_ssize_t,
        at: cython.longlong,
        offset: cython.longlong,
        out: list[Any],
    ) -> None:
        """The bytes that come next in the stream."""
        text: cython.p_const_uchar = data
        before: cython.Py_ssize_t = len(out)
        self._places[self.recent_at] = self.pos
        self.pos += stop - start
        self.next = (self.next + stop - start) & 0xFFFFFFFF
        if self.tls is not None or (
            self.messages == 0 and stop - start > 2 and text[start] == 22 and text[start + 1] == 3
        ):
            self.tls = bytearray() if self.tls is None else self.tls
            if len(self.tls) < TLS_KEPT:
                self.tls += data[start:stop]
            self._remember(data, start, stop, out, before)
            return
        if not self.carry:
            self._scan(data, start, stop, at, offset, offset, out, False)
            if self._consumed < stop:
                self.carry += data[self._consumed : stop]
                self.carry_offset = offset
                self.need = self._needs
            self._remember(data, start, stop, out, before)
            return
        self._remember(data, start, stop, out, before)
        self.carry += data[start:stop]
        if len(self.carry) >= self.need:
            self._again(at, offset, out, False)

    def _remember(
        self,
        data: bytes,
        start: cython.Py_ssize_t,
        stop: cython.Py_ssize_t,
        out: list[Any],
        before: cython.Py_ssize_t,
    ) -> None:
        """Keep a segment, to compare with what comes again: mostly it is the one message that it
        held, `out[before]`."""
        text: cython.p_const_uchar = data
        seen: Sighting
        if len(out) == before + 1:
            seen = out[before]
            if len(seen.raw) == stop - start:
                self.recent[self.recent_at] = seen.raw
                self.recent_at = (self.recent_at + 1) % RECENT
                return
        self.recent[self.recent_at] = text[start:stop]
        self.recent_at = (self.recent_at + 1) % RECENT

    def _again(
        self, at: cython.longlong, offset: cython.longlong, out: list[Any], last: cython.bint
    ) -> None:
        """Read what was kept, now that there is more of it."""
        whole: bytes = bytes(self.carry)
        self._scan(whole, 0, len(whole), at, self.carry_offset, offset, out, last)
        if self._consumed > 0:
            self.carry_offset = offset
        self.carry = bytearray(whole[self._consumed :])
        self.need = self._needs

    def _scan(
        self,
        data: bytes,
        i: cython.Py_ssize_t,
        stop: cython.Py_ssize_t,
        at: cython.longlong,
        offset: cython.longlong,
        later: cython.longlong,
        out: list[Any],
        last: cython.bint,
    ) -> None:
        """Find the messages in data[i:stop]; what they leave begins at `_consumed`, and is worth
        another look when it has `_needs` bytes. `last`: nothing more will come."""
        text: cython.p_const_uchar = data
        begin: cython.Py_ssize_t
        end: cython.Py_ssize_t
        while i < stop:
            if not (
                stop - i >= 5
                and text[i] == 56
                and text[i + 1] == 61
                and text[i + 2] == 70
                and text[i + 3] == 73
                and text[i + 4] == 88
            ):
                begin = data.find(b"8=FIX", i, stop)
                while begin > i and 48 <= text[begin - 1] <= 57:  # "58=FIX rejects that"
                    begin = data.find(b"8=FIX", begin + 5, stop)
                if begin < 0:
                    end = stop if last else _tail(data, i, stop)
                    self._unread(end - i, at, later)
                    self._consumed = end
                    self._needs = 5
                    return
                self._unread(begin - i, at, later)
                i = begin
            end = self._frame(data, i, stop, last)
            if end <= 0:
                self._consumed = i
                self._needs = -end
                return
            self._emit(text[i:end], at, offset, out)
            offset = later
            i = end
        self._consumed = stop
        self._needs = 0

    def _unread(self, n: cython.Py_ssize_t, at: cython.longlong, offset: cython.longlong) -> None:
        if n > 0:
            self.unparsed += n
            if self.synced:
                self.flow.note("unread", at, offset, self.side, f"{n} bytes between messages")

    def _frame(  # noqa: C901 - one pass over the head
        self, data: bytes, i: cython.Py_ssize_t, stop: cython.Py_ssize_t, last: cython.bint
    ) -> cython.Py_ssize_t:
        """The end of the message that begins at i, or minus the bytes that are needed to know."""
        text: cython.p_const_uchar = data
        k: cython.Py_ssize_t = i + 5
        limit: cython.Py_ssize_t = min(stop, i + HEAD_MAX)
        length: cython.longlong = 0
        self.reason = "its head is not 8, 9, 35"
        while k < limit and text[k] != 1:
            k += 1
        if k + 2 >= limit:
            if limit == i + HEAD_MAX or last:
                return self._cut(data, i, stop, last)
            return i - stop - 1
        if text[k + 1] != 57 or text[k + 2] != 61:
            return self._cut(data, i, stop, last)
        k += 3
        while k < limit and text[k] != 1:
            if text[k] < 48 or text[k] > 57:
                length = BODY_MAX + 1
            elif length <= BODY_MAX:
                length = length * 10 + (text[k] - 48)
            k += 1
        if k >= limit:
            if limit == i + HEAD_MAX or last:
                return self._cut(data, i, stop, last)
            return i - stop - 1
        self.reason = "BodyLength is wrong"
        if length > BODY_MAX or text[k - 1] == 61:
            return self._cut(data, i, stop, last)
        k += 1 + length
        if k + 7 > stop:
            return self._cut(data, i, stop, last) if last else i - k - 7
        if not (
            text[k - 1] == 1
            and text[k] == 49
            and text[k + 1] == 48
            and text[k + 2] == 61
            and text[k + 6] == 1
        ):
            return self._cut(data, i, stop, last)
        self.reason = None
        return k + 7

    def _cut(
        self, data: bytes, i: cython.Py_ssize_t, stop: cython.Py_ssize_t, last: cython.bint
    ) -> cython.Py_ssize_t:
        """The end of a message whose head cannot be trusted: its trailer, or the next message."""
        begin: cython.Py_ssize_t = data.find(b"\x018=FIX", i, stop)
        edge: cython.Py_ssize_t = stop if begin < 0 else begin + 1
        k: cython.Py_ssize_t = data.find(b"\x0110=", i, edge)
        end: cython.Py_ssize_t
        while k >= 0:
            end = data.find(b"\x01", k + 4, min(k + 13, edge))
            if end >= 0:
                return end + 1
            if k + 13 > stop and begin < 0 and not last:
                return i - stop - 1
            k = data.find(b"\x0110=", k + 4, edge)
        if begin >= 0:
            self.reason = "it has no trailer"
            return begin + 1
        if stop - i >= BODY_MAX:
            self.reason = "it is longer than this reads"
            return i + BODY_MAX
        if last:
            self.reason = "its end is not in the capture"
            return stop
        return i - stop - 1

    def _emit(
        self, raw: bytes, at: cython.longlong, offset: cython.longlong, out: list[Any]
    ) -> None:
        text: cython.p_const_uchar = raw
        n: cython.Py_ssize_t = len(raw)
        k: cython.Py_ssize_t
        total: cython.uint = 0
        if self.reason is None:
            for k in range(n - 7):
                total += text[k]
            total %= 256
            if not (
                text[n - 4] == 48 + total // 100
                and text[n - 3] == 48 + total // 10 % 10
                and text[n - 2] == 48 + total % 10
            ):
                self.reason = "CheckSum is wrong"
        self.messages += 1
        if self.reason is not None:
            self.garbled += 1
        self.synced = True
        seen: Sighting = Sighting.__new__(Sighting)
        seen.take(raw, at, offset, self, self.reason)
        out.append(seen)


@cython.cfunc
def _tail(data: bytes, i: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Where the bytes begin at the end of data[i:stop] that may be the beginning of a message; a
    digit before it goes with it, since "58=FIX" begins none."""
    text: cython.p_const_uchar = data
    n: cython.Py_ssize_t = min(4, stop - i)
    while n > 0 and data[stop - n : stop] != b"8=FIX"[:n]:
        n -= 1
    if stop - n > i and 48 <= text[stop - n - 1] <= 57:
        n += 1
    return stop - n
