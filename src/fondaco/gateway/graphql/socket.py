"""/graphql over WebSocket: the protocol graphql-transport-ws, as the library graphql-ws speaks it.

Who asks is known by the header Authorization, a ticket (`?ticket=…`), or the payload of
`connection_init`: {"Authorization": "Bearer …"}. Queries and mutations are answered, too.
https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

import msgspec

from fondaco.gateway.graphql.asking import Asked, Asking, ProblemError, Sent
from fondaco.gateway.rest import Exchange, bearer
from fondaco.gateway.talk import Talk
from fondaco.kernel.errors import FondacoError, Invalid

if TYPE_CHECKING:
    from fondaco.gateway.graphql.serving import Graph

SUBPROTOCOL: Final = "graphql-transport-ws"
STREAMS_MAX: Final = 100  # of one connection
MALFORMED: Final = 4400
UNKNOWN: Final = 4401
FORBIDDEN: Final = 4403
TWICE: Final = 4409
AGAIN: Final = 4429
_encode: Final = msgspec.json.Encoder().encode


class Frame(msgspec.Struct, omit_defaults=True):
    type: str
    id: str | None = None
    payload: Any = None


_decode: Final = msgspec.json.Decoder(Frame).decode


class GraphTalk(Talk):
    subprotocol = SUBPROTOCOL

    def __init__(self, graph: "Graph", *args: Any) -> None:
        self._graph = graph
        self._is_open = False
        self._streams: dict[str, Future[None]] = {}
        super().__init__(*args)

    def receive(self, message: bytes) -> None:
        try:
            frame = _decode(message)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.socket.close(MALFORMED, "this is no message of graphql-transport-ws")
            return
        match frame.type:
            case "connection_init":
                self._init(frame.payload)
            case "ping":
                self.say(Frame("pong", payload=frame.payload))
            case "pong":
                pass
            case "subscribe":
                self._subscribe(frame)
            case "complete":
                stream = self._streams.pop(frame.id or "", None)
                if stream is not None:
                    stream.cancel()
            case _:
                self.socket.close(MALFORMED, f"there is no message of type {frame.type[:40]}")

    def _init(self, payload: Any) -> None:
        if self._is_open:
            self.socket.close(AGAIN, "Too many initialisation requests")
            return
        given = payload if isinstance(payload, Mapping) else {}
        token = given.get("Authorization") or given.get("authorization")
        try:
            if self.caller is None and isinstance(token, str):
                self.admit(self.house.authenticate(bearer(token.encode("utf-8", "replace"))))
        except FondacoError as error:
            self.socket.close(FORBIDDEN, error.message)
            return
        if self.caller is None:
            self.socket.close(UNKNOWN, 'say who you are: {"Authorization": "Bearer <token>"}')
            return
        self._is_open = True
        self.say(Frame("connection_ack"))

    def _subscribe(self, frame: Frame) -> None:
        name = frame.id or ""
        if not self._is_open:
            self.socket.close(UNKNOWN, "Unauthorized")
        elif not name:
            self.socket.close(MALFORMED, "subscribe needs an id")
        elif name in self._streams:
            self.socket.close(TWICE, f"Subscriber for {name[:60]} already exists")
        else:
            exchange = Exchange(self._graph.endpoint, {}, _answered)
            exchange.address, exchange.caller = self.socket.address, self.caller
            problem = self._graph.problem(exchange)
            try:
                if len(self._streams) >= STREAMS_MAX:
                    raise Invalid(f"{STREAMS_MAX} are under way on this connection; end some")
                self.house.rates.check(self.known(), self.socket.address)
                asked = msgspec.convert(frame.payload, Asked)
            except (FondacoError, msgspec.MsgspecError) as error:
                known = error if isinstance(error, FondacoError) else Invalid(str(error))
                self.say(_failed(name, problem(known, False)))
                return
            carry = self._graph.carrier(self.caller, exchange, exchange.address)
            sent = Sent(asked, True, carry, problem)
            asking = Asking(carry)
            asking.listen = self._graph.listener(self.known(), exchange.address)
            loop = self.socket.loop
            self._streams[name] = self._graph.beside.begin(self._stream(name, sent, asking, loop))

    async def _stream(
        self, name: str, sent: Sent, asking: Asking, loop: asyncio.AbstractEventLoop
    ) -> None:
        """On the thread of documents."""
        end = Frame("complete", name)
        try:
            async for said in self._graph.engine().stream(sent, asking):
                await self._tell(Frame("next", name, said), loop)
        except ProblemError as error:
            end = _failed(name, error.extensions)
        except FondacoError as error:
            problem = sent.problem(error, error.kind == "corrupt")
            found = error.details.get("errors")
            end = Frame("error", name, found) if found else _failed(name, problem)
        loop.call_soon_threadsafe(self._ended, name, end)

    async def _tell(self, frame: Frame, loop: asyncio.AbstractEventLoop) -> None:
        """A peer that does not read is waited for: what comes meanwhile is the pipe's to keep."""
        socket, content = self.socket, _encode(frame)

        async def once_writable() -> None:
            while socket.is_slow:
                await socket.writable_again()
            socket.tell(content)

        if socket.is_slow:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(once_writable(), loop))
        else:
            loop.call_soon_threadsafe(socket.tell, content)

    def _ended(self, name: str, end: Frame) -> None:
        if self._streams.pop(name, None) is not None:
            self.say(end)

    def closed(self) -> None:
        super().closed()
        for stream in self._streams.values():
            stream.cancel()
        self._streams.clear()


def check_offer(headers: Mapping[str, str]) -> None:
    """Raises `Invalid` for a peer that does not offer to speak the protocol."""
    offered = headers.get("sec-websocket-protocol", "")
    if SUBPROTOCOL not in {each.strip() for each in offered.split(",")}:
        raise Invalid(f"this socket speaks {SUBPROTOCOL}: offer it as Sec-WebSocket-Protocol")


def _failed(name: str, problem: Mapping[str, Any]) -> Frame:
    return Frame("error", name, [{"message": problem["message"], "extensions": problem}])


def _answered(_: Exchange) -> None:
    """Frames are sent, not called back."""
