"""HTTP/1.1 on a socket: uvicorn's protocol, with a short way for hot operations.

A hot request is answered by callbacks alone: the parser has read it, its turn is taken, the commit
calls back, bytes go out. No task, no ASGI messages, no scope. What is in any way out of the
ordinary (a query, an Idempotency-Key, Expect, HTTP/1.0) goes the framework's way, to the same
answer.

Responses leave in the order of their requests. A connection that does not bring its request to an
end in time, idles for too long, or sends too much, is told so and closed.
"""

import asyncio
from collections import deque
from typing import Any, ClassVar, Final

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from fondaco.gateway import editions
from fondaco.gateway.door import SECURITY, Door, too_large
from fondaco.gateway.guard.filter import Filter
from fondaco.gateway.guard.lines import Lines
from fondaco.gateway.guard.rates import line_of
from fondaco.gateway.rest import Endpoint, Exchange, Response
from fondaco.kernel.errors import FondacoError, Invalid, Unavailable
from fondaco.kernel.line import Line

PIPELINED_MAX: Final = (
    256  # requests of one connection that wait for the disk; then we read no more
)
# Of a client that was refused while it sends: so much is read, and so long, before it is closed.
LINGER_BYTES: Final = 32 << 20
LINGER_S: Final = 5.0
HEADERS_MAX: Final = 100
HEAD_BYTES_MAX: Final = 65_536
CHUNKED_TIMES_MAX: Final = 8  # what chunks of one byte make of a body, and a little more
_SWEEP_S: Final = 1.0
_SECURITY: Final = b"".join(b"%b: %b\r\n" % pair for pair in SECURITY)
_HEAD: Final = (
    b"%bcontent-type: %b\r\ncontent-length: %d\r\n"
    b"x-request-id: %b\r\nx-correlation-id: %b\r\ntraceparent: %b\r\n%b%b%b\r\n%b"
)
_ELSEWHERE: Final = frozenset(
    {b"idempotency-key", b"expect", b"signature", b"upgrade", editions.HEADER}
)


class _Busy:
    """Stands where uvicorn looks for a request under way, so that it queues the next one."""

    response_complete = False
    disconnected = False
    keep_alive = True
    message_event = asyncio.Event()


class Slot:
    """A hot request's place in the order of responses."""

    __slots__ = ("content", "keep_alive", "protocol")

    def __init__(self, protocol: "Protocol", keep_alive: bool) -> None:
        self.protocol = protocol
        self.keep_alive = keep_alive
        self.content: bytes | None = None

    def fill(self, exchange: Exchange) -> None:
        self.content = rendered(exchange, exchange.response, self.keep_alive)
        self.protocol.flush()


class Protocol(HttpToolsProtocol):
    """Made for one door by `protocol_of`."""

    door: ClassVar[Door]
    hot: ClassVar[dict[tuple[bytes, bytes], Endpoint]]
    body_max: ClassVar[int]
    request_timeout_s: ClassVar[float]
    idle_timeout_s: ClassVar[float]
    connections_max: ClassVar[int]
    per_address_max: ClassVar[int]  # connections; 0: as many as there may be
    filter: ClassVar[Filter]
    elsewhere: ClassVar[frozenset[bytes]]  # headers with which a request goes the framework's way
    open: ClassVar[set["Protocol"]]
    by_address: ClassVar[dict[str, int]]
    sweeping: ClassVar[bool] = False
    lines: ClassVar[Lines]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slots: deque[Slot] = deque()
        self._endpoint: Endpoint | None = None  # of the hot request that is being read
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._around_bytes = 0
        self._reading_since = 0.0  # the first byte of the request that is being read; 0: none
        self._idle_since = self.loop.time()
        self._in_head = False
        self._head_began_earlier = False
        self._body_began_earlier = False
        self._is_large = False  # the piece that is being read may hold a head above the limit
        self._refused = False  # an error was answered: what else comes is not read
        self._lingering = -1  # bytes that are still taken and thrown away; below 0: not lingering
        self._shuts = False  # the house ends: nobody is waited for
        self._line = ""
        self._address = self._from = Line("")  # of the connection, and of the request's sender

    # Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        kind = type(self)
        host, port = self.client or ("", 0)
        self._address = self._from = kind.lines.of(transport, host)
        self.client = (self._from, port) if self.client else None
        kind.open.add(self)
        self._line = line_of(self._address)
        here = kind.by_address[self._line] = kind.by_address.get(self._line, 0) + 1
        if len(kind.open) > kind.connections_max:
            self._shuts = True  # there is no room to wait in
            self._refuse(Unavailable("too many connections; come back later", retry_after_s=1))
        elif 0 < kind.per_address_max < here:
            self._shuts = True
            self._refuse(
                Unavailable(
                    f"more than {kind.per_address_max} connections from your address; end some",
                    retry_after_s=1,
                )
            )
        if not kind.sweeping:
            kind.sweeping = True
            self.loop.call_later(_SWEEP_S, _sweep, kind, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        self._left()
        self._slots.clear()
        super().connection_lost(exc)

    def _left(self) -> None:
        """No longer one of ours: it is gone, or a WebSocket, which are counted elsewhere."""
        kind = type(self)
        if self not in kind.open:
            return
        kind.open.discard(self)
        here = kind.by_address.get(self._line, 0) - 1
        if here > 0:
            kind.by_address[self._line] = here
        else:
            kind.by_address.pop(self._line, None)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._discard(len(data))
            return
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        self._is_large = len(data) > HEAD_BYTES_MAX
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            self._refuse(_cause(error))
        except httptools.HttpParserError:
            self._refuse(Invalid("this is not HTTP/1.1", code="malformed_http"))
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self._left()
                self.handle_websocket_upgrade()
            else:
                self._refuse(Invalid("this upgrade is not offered", code="malformed_http"))
        else:
            if self._reading_since:
                self._weigh(len(data))

    def _weigh(self, size: int) -> None:
        """Count a piece that ended within a request; from the next one on, since what stood before
        it were other requests. A body in chunks may be followed by lines, as a head has them."""
        if self._in_head:
            self._head_bytes += size if self._head_began_earlier else 0
            self._head_began_earlier = True
        else:
            self._around_bytes += size if self._body_began_earlier else 0
            self._body_began_earlier = True
        if (
            self._head_bytes > HEAD_BYTES_MAX
            or self._around_bytes > HEAD_BYTES_MAX + CHUNKED_TIMES_MAX * self.body_max
        ):
            self._refuse(_headers_too_large())

    # Request

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = True
        self._head_began_earlier = False
        self._body_began_earlier = False
        self._head_bytes = 0
        self._body_bytes = 0
        self._around_bytes = 0
        self._reading_since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))
        if len(self.headers) > HEADERS_MAX:
            raise _headers_too_large()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._head_began_earlier or self._is_large:
            lines = sum(len(name) + len(value) + 4 for name, value in self.headers)
            if lines + len(self.url) > HEAD_BYTES_MAX:
                raise _headers_too_large()
        headers = dict(self.headers)
        if int(headers.get(b"content-length", b"0")) > self.body_max:
            raise too_large(self.body_max)
        if self._address.is_proxy:
            self._from = self.lines.behind(self._address, headers)
            self.client = (self._from, self.client[1] if self.client else 0)
        method = self.parser.get_method()
        endpoint = self.hot.get((method, self.url))
        if endpoint is None or len(headers) != len(self.headers):  # or one stands twice
            self.filter.check(method, self.url, self.headers)
        cycle = self.cycle
        if (
            endpoint is not None
            and (cycle is None or cycle.response_complete)
            and not self.pipeline
            and self.parser.get_http_version() == "1.1"
            and self.elsewhere.isdisjoint(headers)
        ):
            self._endpoint = endpoint
            self._headers = headers
            self._body = []
            return
        self._endpoint = None
        url, given = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers += given
        self.expect_100_continue = headers.get(b"expect", b"").lower() == b"100-continue"
        if self._slots:
            self.cycle = _BUSY  # type: ignore[assignment]
        super().on_headers_complete()
        if isinstance(self.cycle, _Busy):  # an upgrade: it queued nothing
            self.cycle = cycle

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._endpoint is None:
            super().on_body(body)
        elif self._body_bytes > self.body_max:
            raise too_large(self.body_max)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        self._reading_since = 0.0
        endpoint = self._endpoint
        if endpoint is None:
            super().on_message_complete()
            return
        self._endpoint = None
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        slot = Slot(self, self.parser.should_keep_alive())
        slots = self._slots
        slots.append(slot)
        headers = self._headers
        Exchange(endpoint, headers, slot.fill).begin(headers, body, self._from)
        if len(slots) >= PIPELINED_MAX:
            self.flow.pause_reading()

    # Response

    def flush(self) -> None:
        """Write what is answered, up to the first request that is not."""
        slots, transport = self._slots, self.transport
        if transport.is_closing():
            slots.clear()
            return
        while slots and slots[0].content is not None:
            slot = slots.popleft()
            transport.write(slot.content)  # type: ignore[arg-type]
            self.server_state.total_requests += 1
            if not slot.keep_alive:
                slots.clear()
                self._end()
                return
        if not slots:
            self._idle_since = self.loop.time()
            if self.pipeline:
                cycle, app = self.pipeline.pop()
                self._start_asgi_task(cycle, app)
            elif not self.flow.write_paused:
                self.flow.resume_reading()

    def _discard(self, size: int) -> None:
        if self._lingering >= 0:
            self._lingering -= size
            if self._lingering < 0:
                self.transport.close()

    def _end(self) -> None:
        """Close. Who was refused may still be sending, and a close would reset the connection under
        the answer: so say that no more comes, and take what is sent for a while. RFC 9112, 9.6."""
        transport = self.transport
        if not self._refused or self._shuts or not transport.can_write_eof():
            transport.close()
            return
        self._lingering = LINGER_BYTES
        transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_S, transport.close)

    def pause_writing(self) -> None:
        """Who does not read answers may ask no more: else they would pile up here."""
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self._slots and not self.pipeline:
            self.flow.resume_reading()

    def on_response_complete(self) -> None:
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def shutdown(self) -> None:
        """Answer what was asked, then close."""
        self._shuts = True
        if self._slots:
            self._slots[-1].keep_alive = False
            self._refused = True
        else:
            super().shutdown()

    def look(self, now: float) -> None:
        """Called every second: who has not sent a whole request in time, or idles, is closed."""
        if self._reading_since:
            if now - self._reading_since > self.request_timeout_s:
                self._refuse(Invalid("the request did not arrive whole in time", code="timed_out"))
        elif (
            not self._slots
            and (self.cycle is None or self.cycle.response_complete)
            and now - self._idle_since > self.idle_timeout_s
        ):
            self.transport.close()

    def _refuse(self, error: FondacoError) -> None:
        """Answer, after what was asked before, and read no more."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self._endpoint = None
        self._reading_since = 0.0
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True  # Its application hears that nobody listens any more.
            cycle.message_event.set()
            if cycle.response_started or self.pipeline:
                self.transport.close()
                return
        slot = Slot(self, keep_alive=False)
        self._slots.append(slot)
        Exchange(self.door.unknown, dict(self.headers or ()), slot.fill).fail(error)


def rendered(exchange: Exchange, response: Response, keep_alive: bool) -> bytes:
    extra = b"".join([b"%b: %b\r\n" % pair for pair in response.headers])
    return _HEAD % (
        STATUS_LINE[response.status],
        response.media_type,
        len(response.body),
        exchange.request_id.encode(),
        exchange.correlation_id.encode(),
        exchange.traceparent.encode(),
        _SECURITY,
        extra,
        b"" if keep_alive else b"connection: close\r\n",
        response.body,
    )


def protocol_of(
    door: Door,
    *,
    request_timeout_s: float,
    idle_timeout_s: float = 75.0,
    connections_max: int = 20_000,
    per_address_max: int = 0,
    rules: Filter | None = None,
    crossing: bool = False,
    lines: Lines | None = None,
) -> type[Protocol]:
    """The class to give to `uvicorn.Config(door, http=…)`. `crossing`: pages of other origins may
    be answered, and the framework's way says so to them."""
    return type(
        "DoorProtocol",
        (Protocol,),
        {
            "door": door,
            "hot": door.hot,
            "body_max": door.body_max,
            "request_timeout_s": request_timeout_s,
            "idle_timeout_s": idle_timeout_s,
            "connections_max": connections_max,
            "per_address_max": per_address_max,
            "filter": rules or Filter("off"),
            "elsewhere": _ELSEWHERE | {b"origin"} if crossing else _ELSEWHERE,
            "open": set(),
            "by_address": {},
            "lines": lines or Lines(),
        },
    )


def _sweep(kind: type[Protocol], loop: asyncio.AbstractEventLoop) -> None:
    now = loop.time()
    for protocol in list(kind.open):
        protocol.look(now)
    kind.sweeping = bool(kind.open)
    if kind.sweeping:
        loop.call_later(_SWEEP_S, _sweep, kind, loop)


def _headers_too_large() -> Invalid:
    return Invalid(
        f"the headers are above {HEADERS_MAX} lines or {HEAD_BYTES_MAX} bytes",
        code="headers_too_large",
    )


def _cause(error: Exception) -> FondacoError:
    cause = error.__context__ or error.__cause__
    return (
        cause
        if isinstance(cause, FondacoError)
        else Invalid("this is not HTTP/1.1 as we read it", code="malformed_http")
    )


_BUSY: Final = _Busy()
