"""Writes captures: conversations over TCP as packets, packets as a pcap file.

For drills (attacks of our own making, to see whether they are found), for slices of evidence, and
for tests of the reader. Checksums of IP and TCP are left zero, as network cards that fill them in
leave them.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from fondaco.domain.fix.capture.flows import Endpoint

SYN: Final = 2
ACK: Final = 16
FIN: Final = 1
RST: Final = 4
PSH: Final = 8
_MASK: Final = 0xFFFFFFFF


class Packet(NamedTuple):
    """Bytes of a link-layer frame and when they were captured, in nanoseconds since 1970."""

    at: int
    frame: bytes


class Conversation:
    """One TCP connection, as packets in `packets`. Sequence numbers begin where told."""

    def __init__(
        self,
        client: Endpoint,
        server: Endpoint,
        seqs: tuple[int, int] = (1000, 500_000),
        ttls: tuple[int, int] = (64, 61),
    ) -> None:
        self.ends = (client, server)
        self.seqs = list(seqs)
        self.ttls = list(ttls)
        self.packets: list[Packet] = []

    def open(self, at: int) -> None:
        """The three-way handshake."""
        self.segment(0, at, flags=SYN)
        self.seqs[0] = (self.seqs[0] + 1) & _MASK
        self.segment(1, at + 50_000, flags=SYN | ACK)
        self.seqs[1] = (self.seqs[1] + 1) & _MASK
        self.segment(0, at + 100_000, flags=ACK)

    def send(self, side: int, payload: bytes, at: int, mss: int = 1460) -> None:
        """The payload in segments of at most `mss` bytes, a microsecond apart."""
        for start in range(0, len(payload), mss):
            piece = payload[start : start + mss]
            self.segment(side, at + start // mss * 1000, piece, flags=ACK | PSH)
            self.seqs[side] = (self.seqs[side] + len(piece)) & _MASK

    def close(self, at: int, side: int = 0) -> None:
        self.segment(side, at, flags=FIN | ACK)
        self.seqs[side] = (self.seqs[side] + 1) & _MASK
        self.segment(1 - side, at + 50_000, flags=FIN | ACK)
        self.seqs[1 - side] = (self.seqs[1 - side] + 1) & _MASK

    def segment(
        self, side: int, at: int, payload: bytes = b"", flags: int = ACK, seq: int | None = None
    ) -> None:
        """One packet; `seq` differs from the next number where something is to be wrong."""
        number = self.seqs[side] if seq is None else seq & _MASK
        acked = self.seqs[1 - side] if flags & ACK else 0
        ports = self.ends[side].port, self.ends[1 - side].port
        head = struct.pack(">HHIIBBHHH", *ports, number, acked, 5 << 4, flags, 64_240, 0, 0)
        self.packets.append(Packet(at, ethernet(ip(self.ends, side, head + payload, self.ttls))))


def ip(ends: Sequence[Endpoint], side: int, body: bytes, ttls: Sequence[int]) -> bytes:
    """An IPv4 or IPv6 packet, as the addresses ask."""
    source, target = ends[side].address, ends[1 - side].address
    if len(source) == 16:
        return struct.pack(">IHBB", 6 << 28, len(body), 6, ttls[side]) + source + target + body
    total = 20 + len(body)
    return struct.pack(">BBHHHBBH", 0x45, 0, total, 0, 0x4000, ttls[side], 6, 0) + (
        source + target + body
    )


def ethernet(packet: bytes) -> bytes:
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    return b"\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02" + kind + packet


def pcap(packets: Iterable[Packet], link: int = 1, snap: int = 262_144) -> bytes:
    """A little-endian pcap file with nanoseconds."""
    out = bytearray(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snap, link))
    for at, frame in packets:
        kept = frame[:snap]
        out += struct.pack("<IIII", at // 10**9, at % 10**9, len(kept), len(frame)) + kept
    return bytes(out)


def fix(begin_string: str, fields: Sequence[tuple[int, bytes]]) -> bytes:
    """A message with its BodyLength and CheckSum; `fields` begin with 35."""
    body = b"".join(b"%d=%b\x01" % field for field in fields)
    head = b"8=%b\x019=%d\x01" % (begin_string.encode(), len(body))
    return head + body + b"10=%03d\x01" % (sum(head + body) % 256)
