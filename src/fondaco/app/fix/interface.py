"""Packets of a network interface, as Linux hands them out: AF_PACKET, packet(7). No libpcap."""

import errno
import socket
import struct
import time
from typing import Final, NamedTuple, Self

from fondaco.domain.fix.capture.writing import Packet
from fondaco.kernel.errors import Invalid

SNAP: Final = 262_144  # bytes of a packet; one that the kernel joined has up to 65,549
_ALL: Final = 3  # ETH_P_ALL
_OUTGOING: Final = 4  # PACKET_OUTGOING
_LOOPBACK: Final = 772  # ARPHRD_LOOPBACK
_LINKS: Final = {1: 1, _LOOPBACK: 1, 65_534: 101, 519: 101}  # ARPHRD_… to LINKTYPE_…
_SOL_PACKET: Final = 263
_ADD_MEMBERSHIP: Final = 1
_STATISTICS: Final = 6
_PROMISCUOUS: Final = 1  # PACKET_MR_PROMISC
_SO_RCVBUFFORCE: Final = 33
_SO_TIMESTAMPNS: Final = 35
_BUFFER: Final = 64 << 20
_TIMESPEC: Final = struct.Struct("@qq")
_ANCILLARY: Final = 64
_BATCH: Final = 2000  # packets that are taken at once


class Drops(NamedTuple):
    """Packets that the kernel offered, and those of them that it had to throw away."""

    packets: int
    dropped: int


class Interface:
    """An interface's packets, both ways, with the kernel's clock. Needs CAP_NET_RAW.

    Raises Invalid where the machine, the privilege or the interface is not what it takes.
    """

    def __init__(self, name: str, *, promiscuous: bool = False) -> None:
        self.name = name
        self.packets = self.dropped = 0
        self._socket = _opened(name)
        try:
            self._bind(promiscuous)
        except BaseException:
            self._socket.close()
            raise

    def _bind(self, promiscuous: bool) -> None:
        try:
            self._socket.bind((self.name, _ALL))
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
            names = ", ".join(name for _, name in socket.if_nameindex())
            raise Invalid(f"no interface {self.name!r} here: there are {names}") from error
        kind = self._socket.getsockname()[3]
        if kind not in _LINKS:
            raise Invalid(
                f"interface {self.name} has hardware type {kind}; "
                f"Ethernet, loopback and raw IP can be read: {sorted(_LINKS)}"
            )
        self.link = _LINKS[kind]
        self._twice = kind == _LOOPBACK  # what leaves over it also arrives
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        except PermissionError:  # without CAP_NET_ADMIN the machine's limit holds
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if promiscuous:
            index = socket.if_nametoindex(self.name)
            wish = struct.pack("@iHH8s", index, _PROMISCUOUS, 0, b"")
            self._socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, wish)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def read(self, wait_s: float) -> list[Packet]:
        """What came, oldest first; waits for the first packet at most so long."""
        found: list[Packet] = []
        self._socket.settimeout(wait_s)
        while len(found) < _BATCH:
            try:
                frame, ancillary, _, address = self._socket.recvmsg(SNAP, _ANCILLARY)
            except (BlockingIOError, TimeoutError):
                break
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # it may come up again
                    raise
                break
            self._socket.settimeout(0)
            if not (self._twice and address[2] == _OUTGOING):
                found.append(Packet(_moment(ancillary), frame))
        return found

    def statistics(self) -> Drops:
        """Counts since the interface was opened; the kernel counts them."""
        told = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 8)
        packets, dropped = struct.unpack("@II", told)  # since it was last asked
        self.packets += packets
        self.dropped += dropped
        return Drops(self.packets, self.dropped)


def _opened(name: str) -> socket.socket:
    if not hasattr(socket, "AF_PACKET"):
        raise Invalid("capturing from an interface needs Linux: read a capture file instead")
    try:
        # Of no protocol until it is bound, or it would take from every interface at first.
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as error:
        raise Invalid(
            f"capturing from {name} needs the capability CAP_NET_RAW, which this process does not "
            "have: run it as root, or give the capability to the interpreter with setcap"
        ) from error


def _moment(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS) and len(value) >= 16:
            seconds, ns = _TIMESPEC.unpack_from(value)
            return int(seconds) * 1_000_000_000 + int(ns)
    return time.time_ns()
