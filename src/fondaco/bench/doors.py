"""Connections that carry orders: one order a request, many a request, or messages on a WebSocket.

Bytes are made and read by hand: a client library costs more per order than the house may, and
the two share a machine. A connection is used from one thread, and never blocks but to connect.
"""

import base64
import socket
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec

PIECE: Final = 1 << 15  # larger ones would be mapped and unmapped by the kernel each time
LOST: Final = "connection_lost"
UNREADABLE: Final = "unreadable_answer"

# Number of the order, and "" or why it was refused.
Answered = Callable[[int, str], None]


class Target(msgspec.Struct, frozen=True):
    """Where a house listens, and as whom we come."""

    host: str
    port: int
    token: str
    trace: bool = False  # whether each order is part of a trace of its own, which we name

    @classmethod
    def parse(cls, url: str, token: str, *, trace: bool = False) -> "Target":
        parts = urlsplit(url)
        return cls(parts.hostname or "127.0.0.1", parts.port or 80, token, trace)

    def connect(self) -> socket.socket:
        found = socket.create_connection((self.host, self.port), timeout=10)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found

    def head(self, method: str, path: str) -> bytes:
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Authorization: Bearer {self.token}\r\n"
        ).encode()


class Connection(Protocol):
    """What the load's loop needs of one."""

    @property
    def sock(self) -> socket.socket: ...

    @property
    def room(self) -> int:
        """How many orders it would take now."""

    def ask(self, first: int, orders: list[bytes]) -> None:
        """Send orders `first`, `first` + 1 …"""

    def read(self) -> bool:
        """Take in what has come. False: the other side has closed, and what was asked is lost."""


class _Wire:
    """A socket that takes what the kernel does not at once when it is next written to or read."""

    def __init__(self, target: Target) -> None:
        self.sock = target.connect()
        self.sock.setblocking(False)
        self._unsent = b""

    def write(self, data: bytes) -> None:
        if self._unsent:
            data = self._unsent + data
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:  # reset: reading says so, and who reads counts what is lost
            self._unsent = b""
            return
        self._unsent = data[sent:] if sent < len(data) else b""

    def take(self) -> bytes | None:
        """Bytes that came, b"" where there are none now, `None` at the end."""
        if self._unsent:
            self.write(b"")
        try:
            return self.sock.recv(PIECE) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None


class Http:
    """One request at a time on a kept connection: an order, or `batch` of them in a bulk."""

    def __init__(self, target: Target, answered: Answered, *, batch: int = 0) -> None:
        self._wire = _Wire(target)
        self.sock = self._wire.sock
        self.room = batch or 1
        self._batch = batch
        self._answered = answered
        path = "/api/orders/bulk" if batch else "/api/orders"
        self._head = target.head("POST", path)
        self._trace = target.trace
        self._first = self._count = 0
        self._answer = b""

    def ask(self, first: int, orders: list[bytes]) -> None:
        self._first, self._count, self.room = first, len(orders), 0
        body = b'{"orders":[%b]}' % b",".join(orders) if self._batch else orders[0]
        traced = b"traceparent: %b\r\n" % traceparent(first) if self._trace else b""
        self._wire.write(
            b"%b%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (self._head, traced, len(body), body)
        )

    def read(self) -> bool:
        piece = self._wire.take()
        if piece is None:
            self._settle([LOST] * self._count)
            return False
        answer = self._answer + piece if self._answer else piece
        whole = split(answer)
        if whole is None:
            self._answer = answer
            return True
        self._answer = b""
        status, body = whole
        if status == 201 and not self._batch:
            self._settle([""])
        elif self._batch and status < 300:
            self._settle(bulk_codes(body, self._count))
        else:
            self._settle([refusal(status, body)] * self._count)
        return True

    def _settle(self, codes: list[str]) -> None:
        for nth, code in enumerate(codes, self._first):
            self._answered(nth, code)
        self._count, self.room = 0, self._batch or 1


def traceparent(nth: int) -> bytes:
    """W3C Trace Context of a caller that has a trace for each of its requests."""
    return b"00-%032x-%016x-01" % (nth + 1, nth + 1)


def split(answer: bytes) -> tuple[int, bytes] | None:
    """Status and body of an answer that has come whole."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return None
    at = answer.find(b"content-length: ", 0, end)
    if at < 0:
        at = answer[:end].lower().find(b"content-length: ")
    length = int(answer[at + 16 : answer.index(b"\r", at + 16)]) if at >= 0 else 0
    if len(answer) < end + 4 + length:
        return None
    return int(answer[9:12]), answer[end + 4 :]


class _Problem(msgspec.Struct):
    """The part of an error's body that is for programs."""

    code: str = ""


class _Item(msgspec.Struct):
    """One line of a bulk's answer, or one message of a WebSocket."""

    id: int | str | None = None
    error: _Problem | None = None


class _Bulk(msgspec.Struct):
    items: list[_Item]


_PROBLEM: Final = msgspec.json.Decoder(_Problem)
_BULK: Final = msgspec.json.Decoder(_Bulk)
_ITEM: Final = msgspec.json.Decoder(_Item)


def refusal(status: int, body: bytes) -> str:
    """Why, as the house names it; else the bare status."""
    try:
        return _PROBLEM.decode(body).code or f"http_{status}"
    except msgspec.DecodeError:
        return f"http_{status}"


def bulk_codes(body: bytes, count: int) -> list[str]:
    try:
        items = _BULK.decode(body).items
    except msgspec.DecodeError:
        return [UNREADABLE] * count
    if len(items) != count:
        return [UNREADABLE] * count
    return [item.error.code if item.error else "" for item in items]


class WebSocket:
    """RFC 6455 by hand. Orders are text messages masked with a key of zeros, which leaves their
    bytes as they are: masking protects proxies from hostile pages, and here there is neither."""

    def __init__(
        self,
        target: Target,
        answered: Answered,
        *,
        window: int,
        path: str,
        heard: Callable[[bytes], None] | None = None,
    ) -> None:
        """`heard` is given the messages that answer no order."""
        self._wire = _Wire(target)
        self.sock = self._wire.sock
        self._answered = answered
        self._heard = heard
        self._window = window
        self._trace = target.trace
        self._open: set[int] = set()
        self._bytes = self._shake_hands(target, path)

    @property
    def room(self) -> int:
        return self._window - len(self._open)

    def ask(self, first: int, orders: list[bytes]) -> None:
        self._open.update(range(first, first + len(orders)))
        self._wire.write(
            b"".join(
                [
                    frame(b'{"op":"place","id":%d,%b%b' % (nth, self._traced(nth), order[1:]))
                    for nth, order in enumerate(orders, first)
                ]
            )
        )

    def _traced(self, nth: int) -> bytes:
        return b'"traceparent":"%b",' % traceparent(nth) if self._trace else b""

    def say(self, message: bytes) -> None:
        """Anything else than an order."""
        self._wire.write(frame(message))

    def read(self) -> bool:
        piece = self._wire.take()
        if piece is None:
            for nth in list(self._open):
                self._settle(nth, LOST)
            return False
        data, at = self._bytes + piece, 0
        while (found := next_frame(data, at)) is not None:
            opcode, start, at = found
            if opcode == 1:
                self._message(data[start:at])
            elif opcode == 9:
                self._wire.write(frame(data[start:at], opcode=10))
        self._bytes = data[at:]
        return True

    def _message(self, text: bytes) -> None:
        item = _ITEM.decode(text)
        if isinstance(item.id, int) and item.id in self._open:
            self._settle(item.id, item.error.code if item.error else "")
        elif self._heard:
            self._heard(text)

    def _settle(self, nth: int, code: str) -> None:
        self._open.discard(nth)
        self._answered(nth, code)

    def _shake_hands(self, target: Target, path: str) -> bytes:
        """Upgrade; what came behind the answer's head is the first of the frames."""
        self.sock.setblocking(True)
        key = base64.b64encode(bytes(16)).decode()
        self.sock.sendall(
            target.head("GET", path)
            + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self.sock.recv(PIECE)
            if not piece:
                raise ConnectionError(f"no WebSocket at {path}: {answer[:200]!r}")
            answer += piece
        head, _, rest = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(f"no WebSocket at {path}: {head[:200]!r}")
        self.sock.setblocking(False)
        return rest


def frame(payload: bytes, *, opcode: int = 1) -> bytes:
    """One whole message from a client, under a masking key of zeros."""
    size = len(payload)
    if size < 126:
        return b"%c%c\0\0\0\0%b" % (0x80 | opcode, 0x80 | size, payload)
    if size < 1 << 16:
        return b"%c\xfe%b\0\0\0\0%b" % (0x80 | opcode, size.to_bytes(2, "big"), payload)
    return b"%c\xff%b\0\0\0\0%b" % (0x80 | opcode, size.to_bytes(8, "big"), payload)


def next_frame(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Opcode, start and end of the payload of the unmasked frame at `at`; `None`: not whole yet."""
    if len(data) < at + 2:
        return None
    size, start = data[at + 1], at + 2
    if size > 125:
        wide = 2 if size == 126 else 8
        if len(data) < start + wide:
            return None
        size, start = int.from_bytes(data[start : start + wide], "big"), start + wide
    if len(data) < start + size:
        return None
    return data[at] & 15, start, start + size
