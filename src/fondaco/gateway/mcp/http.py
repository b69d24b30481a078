"""Streamable HTTP: one address, to which every message of a client is a POST of its own.

Answers are JSON; a stream of events is what a client gets that wants to hear of changes: with GET
in a session, or as the answer to `subscriptions/listen`, which needs no session. The bearer token
of each request says who asks, never a cookie or a session: what a browser sends by itself counts
for nothing here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send

from fondaco.gateway.door import SECURITY, Door, address_of
from fondaco.gateway.house import Caller
from fondaco.gateway.mcp import messages as rpc
from fondaco.gateway.mcp import resource_metadata
from fondaco.gateway.mcp.headers import check_headers
from fondaco.gateway.mcp.messages import Failure, Message
from fondaco.gateway.mcp.news import Listener
from fondaco.gateway.mcp.server import Peer, Server
from fondaco.gateway.mcp.sessions import Session, Sessions
from fondaco.gateway.rest import bearer
from fondaco.kernel.errors import Denied, FondacoError, Unavailable

JSON: Final = b"application/json"
EVENTS: Final = b"text/event-stream"
KEEP_ALIVE_S: Final = 15.0
TOGETHER_S: Final = 0.1  # changes that come in this time are told at once
LISTEN: Final = "subscriptions/listen"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SECURE: Final = [(name, value) for name, value in SECURITY if name != b"cache-control"]
Headers = dict[bytes, bytes]


class McpDoor:
    """An ASGI application. `origins` are pages elsewhere that may connect from a browser."""

    def __init__(self, server: Server, door: Door, origins: frozenset[str] = frozenset()) -> None:
        self._server, self._door, self._origins = server, door, origins
        self._house = door.house
        self.sessions = Sessions(server.news, door.house.now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            self._check_origin(headers)
            token = bearer(headers.get(b"authorization"))
            caller = self._known(token, address_of(scope))
        except Denied as error:
            await self._denied(error, headers, scope, send)
            return
        except Unavailable as error:
            after = str(error.details.get("retry_after_s", 1)).encode()
            failure = Failure(rpc.INTERNAL_ERROR, error.message)
            await _answer(send, 429, rpc.failed(None, failure), [(b"retry-after", after)])
            return
        match scope["method"]:
            case "POST":
                await self._post(headers, caller, scope, receive, send)
            case "GET":
                await self._get(headers, caller, receive, send)
            case "DELETE":
                found = self.sessions.end(headers.get(b"mcp-session-id", b""), caller)
                await _answer(send, 204 if found else 404)
            case _:
                await _answer(send, 405, more=[(b"allow", b"GET, POST, DELETE")])

    # --- Who asks ---------------------------------------------------------------------------------

    def _check_origin(self, headers: Headers) -> None:
        """A page of somebody else, to whose name our address was given, sends its own origin."""
        origin = headers.get(b"origin", b"").decode("latin-1")
        if not origin or origin in self._origins:
            return
        if urlsplit(origin).hostname not in _LOOPBACK:
            raise Denied(f"the origin {origin[:100]} may not connect here", code="origin")

    def _known(self, token: str, address: str) -> Caller:
        try:
            caller = self._house.authenticate(token, address)
        except Denied:
            self._house.rates.check(None, address)
            raise
        self._house.rates.check(caller, address)
        return caller

    async def _denied(self, error: Denied, headers: Headers, scope: Scope, send: Send) -> None:
        body = rpc.failed(None, Failure(rpc.UNAUTHORISED, error.message))
        if error.code == "origin":
            await _answer(send, 403, body)
            return
        where = resource_metadata.address(scope, headers)
        challenge = f'Bearer resource_metadata="{where}"'
        if b"authorization" in headers:
            challenge += ', error="invalid_token"'
        await _answer(send, 401, body, [(b"www-authenticate", challenge.encode())])

    # --- POST -------------------------------------------------------------------------------------

    async def _post(
        self, headers: Headers, caller: Caller, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if headers.get(b"content-type", JSON).partition(b";")[0].strip().lower() != JSON:
            failure = Failure(rpc.INVALID_REQUEST, "send Content-Type: application/json")
            await _answer(send, 415, rpc.failed(None, failure))
            return
        message: Message | None = None
        try:
            message = rpc.read(await self._door.body(scope, receive))
            if not message.is_request:
                await _answer(send, 202)
                return
            peer, session = self._peer(headers, caller, message, address_of(scope))
            if message.method == LISTEN and peer.is_stateless:
                await self._listen(peer, message, receive, send)
                return
            found = await self._server.answer(peer, message)
        except Failure as failure:
            id_ = message.id if message else None
            await _answer(send, _status(message, headers, failure), rpc.failed(id_, failure))
            return
        except FondacoError as error:  # the body is too large
            await _answer(send, 413, rpc.failed(None, Failure(rpc.INVALID_REQUEST, error.message)))
            return
        more = [(b"mcp-session-id", session.name)] if session else []
        await _answer(send, 200, rpc.result(message.id, found), more)

    def _peer(
        self, headers: Headers, caller: Caller, message: Message, address: str
    ) -> tuple[Peer, Session | None]:
        """Who sends it, and the session that it begins. Raises `Failure`."""
        said = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
        params = message.given
        if message.method == "initialize":
            asked = params.get("protocolVersion")
            version = asked if asked in rpc.HANDSHAKE else rpc.HANDSHAKE[-1]
            client = _client_of(params.get("clientInfo"))
            session = self.sessions.begin(caller, version, client)
            return Peer(caller, address, version, client, session.listener), session
        if message.is_stateless or (said and said not in rpc.HANDSHAKE):
            version = check_headers(headers, message)
            client = _client_of(message.meta.get(rpc.CLIENT_KEY))
            return Peer(caller, address, version, client), None
        name = headers.get(b"mcp-session-id")
        if name is None:  # every request says who asks, so there is nothing that it would lack
            return Peer(caller, address, said or rpc.HANDSHAKE[0]), None
        found = self.sessions.found(name, caller)
        if found is None:
            raise Failure(rpc.INVALID_REQUEST, "this session is over: initialize again", 404)
        return Peer(caller, address, found.version, found.client, found.listener), None

    # --- Streams of news --------------------------------------------------------------------------

    async def _get(self, headers: Headers, caller: Caller, receive: Receive, send: Send) -> None:
        name = headers.get(b"mcp-session-id")
        if name is None or headers.get(b"mcp-protocol-version", b"").decode() in rpc.STATELESS:
            await _answer(send, 405, more=[(b"allow", b"POST")])
            return
        session = self.sessions.found(name, caller)
        if session is None:
            await _answer(send, 404)
            return
        if EVENTS not in headers.get(b"accept", EVENTS) and b"*/*" not in headers[b"accept"]:
            await _answer(send, 406)
            return
        with self.sessions.streaming(session) as streams_on:
            news = self._changes(session.listener, {}, streams_on)
            await _stream(send, receive, news)

    async def _listen(self, peer: Peer, message: Message, receive: Receive, send: Send) -> None:
        """Until the client closes, or the house does."""
        params = message.given
        wanted = params.get("notifications")
        uris = wanted.get("resourceSubscriptions") if isinstance(wanted, dict) else None
        listener = Listener(peer.caller)
        honoured: list[str] = []
        try:
            for uri in uris if isinstance(uris, list) else []:
                with suppress(Failure):  # what it may not read it does not hear of
                    await self._server.follow(peer, listener, str(uri))
                    honoured.append(str(uri))
            meta = {rpc.SUBSCRIPTION_KEY: message.id}
            agreed = {"resourceSubscriptions": honoured} if honoured else {}
            told = {"notifications": agreed, "_meta": meta}

            async def all_of_it() -> AsyncIterator[bytes]:
                yield _event(rpc.told("notifications/subscriptions/acknowledged", told))
                async for each in self._changes(listener, {"_meta": meta}, lambda: True):
                    yield each
                ended = {
                    "resultType": "complete",
                    "_meta": {**meta, rpc.SERVER_KEY: self._server.identity},
                }
                yield _event(rpc.result(message.id, ended))

            await _stream(send, receive, all_of_it())
        finally:
            self._server.news.end(listener)

    async def _changes(
        self, listener: Listener, more: Mapping[str, Any], goes_on: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Events, and a sign of life where there are none; ends with the house or the key."""
        loop = asyncio.get_running_loop()
        quiet_since = loop.time()
        while goes_on() and not self._house.draining:
            with suppress(TimeoutError):
                await asyncio.wait_for(listener.wakes.wait(), 0.5)
                await asyncio.sleep(TOGETHER_S)
            try:
                self._house.recheck(listener.caller)
            except Denied:
                return
            found = listener.take()
            for uri in found:
                yield _event(rpc.told("notifications/resources/updated", {"uri": uri, **more}))
            if found:
                quiet_since = loop.time()
            elif loop.time() - quiet_since > KEEP_ALIVE_S:
                quiet_since = loop.time()
                yield b":\r\n\r\n"


def _client_of(said: Any) -> str:
    """What a client calls itself, for lists: its own word, so only what prints."""
    if not isinstance(said, dict):
        return ""
    words = f"{said.get('name', '')} {said.get('version', '')}"
    return "".join(sign for sign in words if sign.isprintable())[:64].strip()


def _status(message: Message | None, headers: Headers, failure: Failure) -> int:
    if failure.content == 404:  # of a session that is over
        failure.content = None
        return 404
    said = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
    is_stateless = message is not None and (message.is_stateless or said in rpc.STATELESS)
    if message is None or is_stateless or failure.code in (rpc.UNSUPPORTED_VERSION, -32020):
        return rpc.STATUSES.get(failure.code, 200)
    return 200


def _event(message: Any) -> bytes:
    return b"event: message\r\ndata: " + rpc.encode(message) + b"\r\n\r\n"


async def _answer(
    send: Send, status: int, body: Any = None, more: list[tuple[bytes, bytes]] | None = None
) -> None:
    content = b"" if body is None else rpc.encode(body)
    headers = [*SECURITY, *(more or []), (b"content-length", b"%d" % len(content))]
    if content:
        headers.append((b"content-type", JSON))
    if status == 204:
        headers = [pair for pair in headers if pair[0] != b"content-length"]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _stream(send: Send, receive: Receive, events: AsyncIterator[bytes]) -> None:
    """Until `events` end or the client has gone."""
    headers = [
        *_SECURE,
        (b"content-type", EVENTS),
        (b"cache-control", b"no-cache, no-transform"),
        (b"x-accel-buffering", b"no"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": True})

    async def tell() -> None:
        async for event in events:
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            continue

    tasks = [asyncio.create_task(tell()), asyncio.create_task(gone())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
