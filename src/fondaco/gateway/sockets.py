"""WebSockets on a socket: uvicorn's protocol over the `websockets` library, with a short way.

A whole text message, which is nearly every one, is cut out, unmasked and handed on at once: no
queue, no task, no pause of the transport. Everything else (fragments, pings, closes, whatever is
wrong) goes to the library, frame by frame, so that it alone knows RFC 6455. What is sent while one
batch of input is worked on, or by one commit, leaves in one write.

Paths that have no session here are served by the application, as usual.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol
from urllib.parse import parse_qs

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.http11 import Request

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library was installed without its C part
    from websockets.utils import apply_mask

from fondaco.gateway.errors import codes_of
from fondaco.gateway.guard.lines import Lines
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.line import Line

TEXT: Final = 0x81  # the first byte of a whole text message
_HEAD_MIN: Final = 6  # bytes of a masked frame without payload


class Session(Protocol):
    """Who talks to one peer. All calls come on the loop's thread."""

    def begin(self) -> None:
        """Some messages follow."""
        ...

    def receive(self, message: bytes) -> None: ...

    def writable(self) -> None:
        """The peer reads again."""
        ...

    def closed(self) -> None: ...


Opening = Callable[["Socket", Mapping[str, str], dict[str, list[str]]], Session]


class Socket(WebSocketsSansIOProtocol):
    """Made for one set of sessions by `socket_of`."""

    sessions: ClassVar[Mapping[str, Opening]]
    queue_max: ClassVar[int]
    connections_max: ClassVar[int]
    open_count: ClassVar[list[int]]
    lines: ClassVar[Lines]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session: Session | None = None
        self.is_slow = False  # the peer does not read as fast as we write
        self.address = ""
        self._rest = b""
        self._fragmented = False
        self._out: list[bytes] = []
        self._flushing = False
        self._max = self.config.ws_max_size

    # Opening and closing

    def handle_connect(self, event: Request) -> None:
        path, _, query = event.path.partition("?")
        opening = self.sessions.get(path)
        if opening is None:
            super().handle_connect(event)
            return
        self.request = event
        self.handshake_initiated = True
        self.response = self.conn.accept(event)
        if self.response.status_code == 101:
            try:
                if self.open_count[0] >= self.connections_max:
                    self.response = self.conn.reject(503, "too many connections")
                else:
                    headers = {key.lower(): value for key, value in event.headers.raw_items()}
                    self.address = self._line(headers)
                    self.session = opening(self, headers, parse_qs(query))
                    if spoken := getattr(self.session, "subprotocol", ""):
                        self.response.headers["Sec-WebSocket-Protocol"] = spoken
            except FondacoError as error:
                self.response = self.conn.reject(codes_of(error).http, error.message)
        self.handshake_complete = True
        self.conn.send_response(self.response)
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.session is None:
            self.close_sent = True
            self.transport.close()
            return
        self.open_count[0] += 1
        self.start_keepalive()

    def _line(self, headers: Mapping[str, str]) -> Line:
        line = self.lines.of(self.transport, self.client[0] if self.client else "")
        if not line.is_proxy:
            return line
        return self.lines.behind(line, {k.encode(): v.encode() for k, v in headers.items()})

    def close(self, code: int, reason: str) -> None:
        """Say goodbye, after what was sent, and read no more."""
        if self.close_sent or self.transport.is_closing():
            return
        self.flush()
        self.close_sent = True
        self.conn.send_close(code, reason[:120])
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        session, self.session = self.session, None
        if session is not None:
            self.open_count[0] -= 1
            session.closed()
        self._out.clear()
        self.is_slow = False
        super().connection_lost(exc)

    def shutdown(self) -> None:
        if self.session is None:
            super().shutdown()
            return
        self.stop_keepalive()
        if not self.close_sent:
            self.close(CloseCode.GOING_AWAY, "the house is closing; come back and resume")
        self.transport.close()

    # What comes

    def data_received(self, data: bytes) -> None:
        session = self.session
        if session is None or self.close_sent:
            super().data_received(data)
            return
        session.begin()
        buffer = self._rest + data if self._rest else data
        self._rest = b""
        at, end = 0, len(buffer)
        while end - at >= _HEAD_MIN:
            size, start = buffer[at + 1] & 127, at + 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                start += wide
                if start > end:
                    break
                size = int.from_bytes(buffer[start - wide : start], "big")
            stop = start + 4 + size
            if buffer[at] != TEXT or self._fragmented or size > self._max or buffer[at + 1] < 128:
                if stop > end and size <= self._max and buffer[at + 1] >= 128:
                    break
                self._unusual(buffer[at : min(stop, end)])
            elif stop > end:
                break
            else:
                mask = buffer[start : start + 4]
                session.receive(apply_mask(buffer[start + 4 : stop], mask))
            at = stop
            if self.close_sent or self.session is None:
                return
        self._rest = buffer[at:] if at else buffer
        if self._out:
            self.flush()

    def _unusual(self, frame: bytes) -> None:
        if frame[0] & 0x0F < 8:  # control frames may stand between fragments
            self._fragmented = not frame[0] & 0x80
        super().data_received(frame)

    def send_receive_event_to_app(self) -> None:
        """A message that the library put together."""
        if self.session is None:
            super().send_receive_event_to_app()
            return
        message = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        self.session.receive(bytes(message))

    # What goes

    def tell(self, message: bytes) -> None:
        """One text message; it leaves with others, soon."""
        size = len(message)
        if size < 126:
            self._out.append(b"\x81%c%b" % (size, message))
        elif size < 65_536:
            self._out.append(b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), message))
        else:
            self._out.append(b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), message))
        if not self._flushing and not self.is_slow:
            self._flushing = True
            self.loop.call_soon(self.flush)

    @property
    def is_full(self) -> bool:
        """More waits for the peer than we keep."""
        return len(self._out) > self.queue_max

    def flush(self) -> None:
        self._flushing = False
        if self._out and not self.is_slow:
            if not (self.close_sent or self.transport.is_closing()):
                self.transport.write(b"".join(self._out))
            self._out.clear()

    async def writable_again(self) -> None:
        """Until the peer has read most of what was sent, or is gone."""
        await self.writable.wait()

    def pause_writing(self) -> None:
        self.is_slow = True
        if self.session is not None:
            self.transport.pause_reading()
        super().pause_writing()

    def resume_writing(self) -> None:
        self.is_slow = False
        super().resume_writing()
        if self.session is not None:
            self.transport.resume_reading()
            self.flush()
            self.session.writable()


def socket_of(
    sessions: Mapping[str, Opening],
    *,
    queue_max: int = 10_000,
    connections_max: int = 10_000,
    lines: Lines | None = None,
) -> type[Socket]:
    """The class to give to `uvicorn.Config(door, ws=…)`, with `ws_per_message_deflate=False`."""
    return type(
        "DoorSocket",
        (Socket,),
        {
            "sessions": dict(sessions),
            "queue_max": queue_max,
            "connections_max": connections_max,
            "open_count": [0],
            "lines": lines or Lines(),
        },
    )
