# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""pcap and pcapng, link layers, IP and TCP: from a file's bytes to connections' segments. Hot.

Formats: draft-ietf-opsawg-pcap (both byte orders, microseconds and nanoseconds) and
draft-ietf-opsawg-pcapng; link types 0, 108 (loopback), 1 (Ethernet, with 802.1Q and 802.1ad tags),
101 (raw IP), 113 and 276 (Linux cooked). Everything that is passed over is counted.
"""

from typing import Any

from fondaco.domain.fix.capture.flows import Endpoint, Flow
from fondaco.domain.fix.capture.interfaces import Interface, interface_of
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.domain.fix.capture.wire import Half
from fondaco.kernel.errors import Invalid

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled
PACKET_MAX = 1 << 20
_PACKET_MAX = cython.declare(cython.longlong, PACKET_MAX)
BLOCK_MAX = 1 << 26
LINKS = (0, 1, 12, 14, 101, 108, 113, 228, 229, 276)
_MAGICS = {
    b"\xa1\xb2\xc3\xd4": (True, 1000),
    b"\xd4\xc3\xb2\xa1": (False, 1000),
    b"\xa1\xb2\x3c\x4d": (True, 1),
    b"\x4d\x3c\xb2\xa1": (False, 1),
}
_NG = b"\x0a\x0d\x0d\x0a"


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _u16(data: cython.p_const_uchar, i: cython.Py_ssize_t) -> cython.longlong:
    return (data[i] << 8) | data[i + 1]


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _u32(data: cython.p_const_uchar, i: cython.Py_ssize_t, big: cython.bint) -> cython.longlong:
    a: cython.longlong = data[i]
    b: cython.longlong = data[i + 1]
    c: cython.longlong = data[i + 2]
    d: cython.longlong = data[i + 3]
    if big:
        return (a << 24) | (b << 16) | (c << 8) | d
    return (d << 24) | (c << 16) | (b << 8) | a


def is_capture(head: bytes) -> bool:
    """Whether a file that begins so is a pcap or a pcapng."""
    return head[:4] in _MAGICS or head[:4] == _NG


@cython.final
@cython.cclass
class Packets:
    """A capture, chunk by chunk: `feed` gives the messages that became complete, `finish` the rest.

    `flows` has every TCP connection in the order in which they were first seen.
    """

    packets = cython.declare(cython.longlong, visibility="readonly")
    octets = cython.declare(cython.longlong, visibility="readonly")
    passed_over = cython.declare(dict, visibility="readonly")
    snapped = cython.declare(cython.longlong, visibility="readonly")
    first_at = cython.declare(cython.longlong, visibility="readonly")
    last_at = cython.declare(cython.longlong, visibility="readonly")
    flows = cython.declare(list, visibility="readonly")
    format = cython.declare(str, visibility="readonly")
    _halves = cython.declare(dict)
    _ids = cython.declare(dict)
    _carry = cython.declare(bytes)
    _at = cython.declare(cython.longlong)  # place in the file of the next byte to read
    _big = cython.declare(cython.bint)
    _tick = cython.declare(cython.longlong)
    _link = cython.declare(cython.longlong)
    _interfaces = cython.declare(list)
    _out = cython.declare(list)
    _skip = cython.declare(cython.longlong)
    _numbered = cython.declare(cython.longlong)

    def __init__(self) -> None:
        self.packets = self.octets = self.snapped = self.first_at = self.last_at = 0
        self.passed_over = {}
        self.flows = []
        self.format = ""
        self._halves = {}
        self._ids = {}
        self._carry = b""
        self._at = 0
        self._big = False
        self._tick = 1000
        self._link = -1
        self._interfaces = []
        self._out = []
        self._skip = 0
        self._numbered = 0

    def feed(self, chunk: bytes) -> list[Sighting]:
        """The messages that end in this chunk. Raises Invalid where it is no capture."""
        data: bytes = self._carry + chunk if self._carry else chunk
        i: cython.Py_ssize_t = 0
        self._out = []
        if not self.format:
            if len(data) < 28:
                self._carry = data
                return []
            i = self._begin(data)
        i = self._records(data, i) if self.format == "pcap" else self._blocks(data, i)
        self._carry = data[i:]
        self._at += i
        return self._out

    def finish(self) -> list[Sighting]:
        """What was still waiting when the capture ended."""
        self._out = []
        if self._carry:
            self._pass_over("cut off at the end of the file")
        for flow in self.flows:
            for half in flow.halves:
                half.finish(max(half.last_at, flow.last_at), self._out)
        return self._out

    def retire(self, ended: int, silent: int) -> tuple[list[Flow], list[Sighting]]:
        """Forget the connections that ended before `ended`, or said nothing since `silent`; give
        them, and what of their messages still waited for bytes. For captures that never end."""
        gone: list[Flow] = []
        self._out = []
        for flow in self.flows:
            over: cython.longlong = max(flow.reset_at, flow.closed_at)
            last: cython.longlong = flow.first_at
            for half in flow.halves:
                last = max(last, half.last_at)
            if not (0 < over < ended or last < silent):
                continue
            gone.append(flow)
            for half in flow.halves:
                half.finish(last, self._out)
                ends = flow.ends if half.side == 0 else (flow.ends[1], flow.ends[0])
                key = ends[0].address + ends[1].address
                key += b"".join(each.port.to_bytes(2, "big") for each in ends)
                known = self._halves.get(key)
                if known is not None and known.flow is flow:
                    del self._halves[key]
                    self._ids.pop(key, None)
        if gone:
            numbers = {flow.number for flow in gone}
            self.flows = [flow for flow in self.flows if flow.number not in numbers]
        return gone, self._out

    @cython.cfunc
    def _begin(self, data: bytes) -> cython.Py_ssize_t:
        text: cython.p_const_uchar = data
        magic = data[:4]
        if magic == _NG:
            self.format = "pcapng"
            return 0
        if magic not in _MAGICS:
            raise Invalid(
                f"a capture begins with the magic number of pcap or pcapng, not with {magic.hex()}"
            )
        big, tick = _MAGICS[magic]
        self.format = "pcap"
        self._big = big
        self._tick = tick
        self._link = _u32(text, 20, self._big) & 0x0FFFFFFF
        if self._link not in LINKS:
            raise Invalid(f"link type {self._link} is not one of {', '.join(map(str, LINKS))}")
        return 24

    @cython.cfunc
    def _records(self, data: bytes, i: cython.Py_ssize_t) -> cython.Py_ssize_t:
        text: cython.p_const_uchar = data
        n: cython.Py_ssize_t = len(data)
        size: cython.longlong
        whole: cython.longlong
        while i + 16 <= n:
            size = _u32(text, i + 8, self._big)
            whole = _u32(text, i + 12, self._big)
            if size > _PACKET_MAX:
                raise Invalid(
                    f"the packet at byte {self._at + i} claims {size} bytes, "
                    f"the limit is {PACKET_MAX}: the capture is damaged there"
                )
            if i + 16 + size > n:
                break
            self._packet(
                data,
                i + 16,
                i + 16 + size,
                whole,
                _u32(text, i, self._big) * 1_000_000_000
                + _u32(text, i + 4, self._big) * self._tick,
                self._at + i,
                self._link,
            )
            i += 16 + size
        return i

    @cython.cfunc
    def _blocks(self, data: bytes, i: cython.Py_ssize_t) -> cython.Py_ssize_t:
        text: cython.p_const_uchar = data
        n: cython.Py_ssize_t = len(data)
        kind: cython.longlong
        size: cython.longlong
        while i + 12 <= n:
            if data[i : i + 4] == _NG:  # a new section may have another byte order
                self._big = data[i + 8 : i + 12] == b"\x1a\x2b\x3c\x4d"
                self._interfaces = []
            kind = _u32(text, i, self._big)
            size = _u32(text, i + 4, self._big)
            if size < 12 or size > BLOCK_MAX or size % 4:
                raise Invalid(
                    f"the block at byte {self._at + i} claims {size} bytes, which cannot be: "
                    "the capture is damaged there"
                )
            if i + size > n:
                break
            if kind == 6 or kind == 2:
                self._enhanced(data, i, size, kind)
            elif kind == 1:
                self._interfaces.append(interface_of(data[i + 8 : i + size - 4], self._big))
            elif kind == 3 and self._interfaces:
                whole: cython.longlong = _u32(text, i + 8, self._big)
                self._packet(
                    data,
                    i + 12,
                    i + 12 + min(whole, size - 16),
                    whole,
                    self.last_at,
                    self._at + i,
                    self._interfaces[0].link,
                )
            i += size
        return i

    @cython.cfunc
    def _enhanced(
        self, data: bytes, i: cython.Py_ssize_t, size: cython.longlong, kind: cython.longlong
    ) -> None:
        """An enhanced packet block, or the packet block that it replaced."""
        text: cython.p_const_uchar = data
        which: cython.longlong = (
            _u32(text, i + 8, self._big)
            if kind == 6
            else (_u32(text, i + 8, self._big) >> (0 if not self._big else 16)) & 0xFFFF
        )
        caught: cython.longlong = _u32(text, i + 20, self._big)
        if which >= len(self._interfaces) or caught > size - 32:
            self._pass_over("a block that names no interface or overruns")
            return
        interface: Interface = self._interfaces[which]
        ticks = (int(_u32(text, i + 12, self._big)) << 32) | int(_u32(text, i + 16, self._big))
        at = interface.nanoseconds(ticks)
        self._packet(
            data,
            i + 28,
            i + 28 + caught,
            _u32(text, i + 24, self._big),
            at,
            self._at + i,
            interface.link,
        )

    @cython.cfunc
    def _pass_over(self, why: str) -> None:
        self.passed_over[why] = self.passed_over.get(why, 0) + 1

    @cython.cfunc
    def _packet(  # noqa: C901 - the layers of one packet
        self,
        data: bytes,
        i: cython.Py_ssize_t,
        stop: cython.Py_ssize_t,
        whole: cython.longlong,
        at: cython.longlong,
        offset: cython.longlong,
        link: cython.longlong,
    ) -> None:
        text: cython.p_const_uchar = data
        kind: cython.longlong
        self.packets += 1
        self.octets += stop - i
        if self.first_at == 0 or at < self.first_at:
            self.first_at = at
        if at > self.last_at:
            self.last_at = at
        if whole > stop - i:
            self.snapped += 1
        if link == 1 and stop - i >= 14:
            kind = _u16(text, i + 12)
            i += 14
        elif link == 113 and stop - i >= 16:
            kind = _u16(text, i + 14)
            i += 16
        elif link == 276 and stop - i >= 20:
            kind = _u16(text, i)
            i += 20
        elif link == 0 or link == 108:
            i += 4
            kind = 0
        else:
            kind = 0
        while kind in (0x8100, 0x88A8, 0x9100) and i + 4 <= stop:
            kind = _u16(text, i + 2)
            i += 4
        if kind != 0 and kind != 0x0800 and kind != 0x86DD:
            self._pass_over("not IP")
            return
        if stop - i < 20:
            self._pass_over("too short for IP")
        elif text[i] >> 4 == 4:
            self._ipv4(data, i, stop, at, offset)
        elif text[i] >> 4 == 6:
            self._ipv6(data, i, stop, at, offset)
        else:
            self._pass_over("not IP")

    @cython.cfunc
    def _ipv4(
        self,
        data: bytes,
        i: cython.Py_ssize_t,
        stop: cython.Py_ssize_t,
        at: cython.longlong,
        offset: cython.longlong,
    ) -> None:
        text: cython.p_const_uchar = data
        head: cython.Py_ssize_t = (text[i] & 15) * 4
        total: cython.Py_ssize_t = _u16(text, i + 2)
        if text[i + 9] != 6:
            self._pass_over("not TCP")
            return
        if _u16(text, i + 6) & 0x3FFF:
            self._pass_over("a fragment of an IP packet")
            return
        if total == 0:  # the network card cut it up later
            total = stop - i
        if head < 20 or i + head + 20 > stop or total < head + 20:
            self._pass_over("too short for TCP")
            return
        if head == 20:
            key = text[i + 12 : i + 24]
        else:
            key = text[i + 12 : i + 20] + text[i + head : i + head + 4]
        self._tcp(data, i + head, stop, i + total, key, text[i + 8], at, offset)

    @cython.cfunc
    def _ipv6(
        self,
        data: bytes,
        i: cython.Py_ssize_t,
        stop: cython.Py_ssize_t,
        at: cython.longlong,
        offset: cython.longlong,
    ) -> None:
        text: cython.p_const_uchar = data
        kind: cython.longlong
        size: cython.Py_ssize_t
        k: cython.Py_ssize_t = i + 40
        if stop - i < 60:
            self._pass_over("too short for TCP")
            return
        size = _u16(text, i + 4)
        kind = text[i + 6]
        while kind in (0, 43, 60) and k + 8 <= stop:
            kind = text[k]
            k += 8 + text[k + 1] * 8
        if kind == 44:
            self._pass_over("a fragment of an IP packet")
        elif kind != 6:
            self._pass_over("not TCP")
        elif k + 20 > stop:
            self._pass_over("too short for TCP")
        else:
            end = i + 40 + size if size else stop
            key = data[i + 8 : i + 40] + data[k : k + 4]
            self._tcp(data, k, stop, end, key, text[i + 7], at, offset)

    @cython.cfunc
    def _tcp(
        self,
        data: bytes,
        i: cython.Py_ssize_t,
        stop: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        key: bytes,
        ttl: cython.longlong,
        at: cython.longlong,
        offset: cython.longlong,
    ) -> None:
        """A segment; the packet's bytes end at `stop`, those that were sent at `end`."""
        text: cython.p_const_uchar = data
        flags: cython.longlong = text[i + 13]
        seq: cython.longlong = _u32(text, i + 4, True)
        payload: cython.Py_ssize_t = i + (text[i + 12] >> 4) * 4
        missing: cython.longlong = end - stop if end > stop else 0
        half: Half
        known = self._halves.get(key)
        if known is None or (flags & 2 and self._is_new(known, key, seq, flags)):
            known = self._connect(key, flags, at, offset)
        half = known
        if end < stop:
            stop = end  # Ethernet fills up short frames
        if flags & 2:
            half.opened(seq)
            self._ids[key] = seq
            seq = (seq + 1) & 0xFFFFFFFF
        half.seen(ttl, at, offset)
        if flags & 4:
            half.flow.reset_at = at
            half.flow.note("reset", at, offset, half.side, "RST")
            for each in half.flow.halves:
                each.is_reset = True
            return
        if payload < stop or (missing and payload < end):
            if half.is_reset:
                half.flow.note("after reset", at, offset, half.side, "bytes after RST")
            if payload > stop:
                missing -= payload - stop
                payload = stop
            half.segment(data, payload, stop, seq, missing, at, offset, self._out)
        if flags & 1:
            half.flow.closed_at = at

    @cython.cfunc
    def _is_new(
        self, half: Any, key: bytes, seq: cython.longlong, flags: cython.longlong
    ) -> cython.bint:
        """Whether a SYN opens another connection between the same ports."""
        known = self._ids.get(key)
        if known is not None:
            return known != seq
        return not flags & 16 and half.octets > 0

    @cython.cfunc
    def _connect(
        self, key: bytes, flags: cython.longlong, at: cython.longlong, offset: cython.longlong
    ) -> object:
        n: cython.Py_ssize_t = (len(key) - 4) // 2
        source = Endpoint(key[:n], _u16(key, 2 * n))
        other = Endpoint(key[n : 2 * n], _u16(key, 2 * n + 2))
        back = key[n : 2 * n] + key[:n] + key[2 * n + 2 :] + key[2 * n : 2 * n + 2]
        opens = not flags & 16 if flags & 2 else source.port >= other.port
        client, server = (source, other) if opens else (other, source)
        self._numbered += 1
        flow = Flow(self._numbered, client, server, at)
        flow.began = bool(flags & 2)
        flow.first_offset = offset
        old = self._halves.get(key)
        if old is not None:  # the ports are used again
            for half in old.flow.halves:
                half.finish(at, self._out)
            self._ids.pop(key, None)
            self._ids.pop(back, None)
        flow.halves = (Half(flow, 0), Half(flow, 1))
        self.flows.append(flow)
        self._halves[key] = flow.halves[0 if opens else 1]
        self._halves[back] = flow.halves[1 if opens else 0]
        return self._halves[key]
