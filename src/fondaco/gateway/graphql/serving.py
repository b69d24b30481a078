"""/graphql over HTTP: POST with JSON, GET for queries, and a page for whoever looks with a browser.

What GraphQL needs is read by the first document, on the thread that executes all of them: a house
that nobody asks in GraphQL pays nothing for it. Errors say what REST's say, in `extensions`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from fondaco.gateway.carried import carry, known
from fondaco.gateway.door import Application, Door, Nothing, address_of, respond
from fondaco.gateway.errors import problem_of
from fondaco.gateway.graphql.asking import Asked, Listen, Sent
from fondaco.gateway.graphql.beside import Beside
from fondaco.gateway.graphql.live import Pipe, Told, listen
from fondaco.gateway.graphql.page import PAGE, PAGE_HEADERS
from fondaco.gateway.graphql.socket import GraphTalk, check_offer
from fondaco.gateway.house import Caller
from fondaco.gateway.rest import (
    JSON,
    Endpoint,
    Exchange,
    Headers,
    Response,
    check_media_type,
)
from fondaco.gateway.sockets import Socket
from fondaco.gateway.streams import Streams
from fondaco.kernel.errors import FondacoError, Invalid
from fondaco.kernel.operation import Look

PATHS: Final = ("/graphql", "/api/graphql", "/api/v1/graphql")
GRAPHQL_JSON: Final = b"application/graphql-response+json"
_encode: Final = msgspec.json.Encoder().encode


class Graph:
    """`open` is called by the door that it belongs to."""

    def __init__(self, listed: Path | None = None) -> None:
        """`listed` holds the only documents that are executed; None: any."""
        self._listed = listed
        self.beside = Beside("graphql")
        self._engine: Any = None
        self.door: Door
        self.streams: Streams
        self.endpoint: Endpoint  # of documents

    def open(self, door: Door) -> Sequence[BaseRoute]:
        self.door = door
        self.endpoint = Endpoint(_DOCUMENT, door.context)
        return [Route(path, Application(self._serve)) for path in PATHS]

    def listen(self, streams: Streams) -> None:
        """Also over WebSocket, and to what happens."""
        self.streams = streams
        streams.others |= dict.fromkeys(PATHS, self._open_socket)

    def _open_socket(
        self, socket: Socket, headers: Mapping[str, str], query: dict[str, list[str]]
    ) -> GraphTalk:
        check_offer(headers)
        return GraphTalk(self, *self.streams.parts(socket, headers, query))

    def listener(self, caller: Caller, address: str) -> Listen:
        """How a subscription gets from the thread of documents to what happens."""
        loop = asyncio.get_running_loop()

        async def begin(told: Told, given: Mapping[str, Any]) -> Pipe:
            return listen(self.streams, caller, address, told, given)

        def listened(told: Told, given: Mapping[str, Any]) -> "Future[Pipe]":
            return asyncio.run_coroutine_threadsafe(begin(told, given), loop)

        return listened

    def close(self) -> None:
        self.beside.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, headers = scope["method"], dict(scope["headers"])
        exchange = Exchange(self.endpoint, headers, _answered)
        exchange.address = address_of(scope)
        if method in ("GET", "HEAD") and _wants_page(scope, headers):
            response = Response(200, b"text/html; charset=utf-8", PAGE, PAGE_HEADERS)
        else:
            try:
                if method not in ("GET", "POST"):
                    raise Invalid(
                        "documents are sent with POST, queries with GET, too",
                        code="method_not_allowed",
                        allow="GET, POST",
                    )
                body = await self.door.body(scope, receive) if method == "POST" else b""
                response = await self._answer(exchange, headers, scope["query_string"], body)
            except ClientDisconnect:
                return
            except FondacoError as error:
                response = self._refusal(exchange, error)
        if GRAPHQL_JSON in headers.get(b"accept", b"") and response.media_type == JSON:
            response = response._replace(media_type=GRAPHQL_JSON)
        exchange.finish(response)
        await respond(send, exchange, exchange.response)

    async def _answer(
        self, exchange: Exchange, headers: Headers, query: bytes, body: bytes
    ) -> Response:
        reads = not body and query != b""
        if not reads:
            check_media_type(headers)
        context = self.endpoint.context
        caller = known(context, headers, exchange.address, changes=not reads)
        exchange.caller = caller
        context.house.rates.check(caller, exchange.address)
        asked = _of_query(query) if reads else _of_body(body)
        sent = Sent(
            asked,
            caller is not None,
            self.carrier(caller, exchange, exchange.address),
            self.problem(exchange),
            headers.get(b"idempotency-key", b"").decode("latin-1"),
            reads,
        )
        return Response(*await asyncio.wrap_future(self.beside.begin(self._executed(sent))))

    async def _executed(self, sent: Sent) -> tuple[int, bytes, bytes]:
        status, body = await self.engine().answer(sent)
        return status, JSON, body

    def engine(self) -> Any:
        """Only on the thread of documents: the first one reads what all of them need."""
        if self._engine is None:
            from fondaco.gateway.graphql.executing import Engine
            from fondaco.gateway.graphql.persisted import Documents, allowed

            documents = Documents(allowed(self._listed) if self._listed else None)
            self._engine = Engine(self.door.endpoints, documents)
        return self._engine

    def problem(self, exchange: Exchange) -> Callable[[FondacoError, bool], Mapping[str, Any]]:
        """What the thread of documents says of an error, and has the loop of the house log."""
        loop = asyncio.get_running_loop()

        def problem(error: FondacoError, to_log: bool) -> Mapping[str, Any]:
            if to_log:
                loop.call_soon_threadsafe(self.endpoint.context.log.error, exchange, error)
            found = problem_of(
                error, exchange.request_id, exchange.correlation_id, was_submitted=False
            )
            told: dict[str, Any] = msgspec.to_builtins(found)
            return told

        return problem

    def _refusal(self, exchange: Exchange, error: FondacoError) -> Response:
        """Nothing was executed: the problem, and one error that says it."""
        response = exchange.problem(error)
        problem = msgspec.json.decode(response.body)
        told = {"errors": [{"message": problem["message"], "extensions": problem}]}
        status = 200 if problem["code"] == "PERSISTED_QUERY_NOT_FOUND" else response.status
        return Response(status, JSON, _encode(told), response.headers)

    def carrier(
        self, caller: Caller | None, within: Exchange | None, address: str
    ) -> Callable[[Endpoint, Mapping[str, Any], str], "Future[Exchange]"]:
        """How an operation gets from the thread of documents to the loop of the house."""
        loop = asyncio.get_running_loop()

        def carried(endpoint: Endpoint, fields: Mapping[str, Any], key: str) -> Any:
            work = carry(
                endpoint, caller, fields, key=key, within=within, address=address, door="graphql"
            )
            return asyncio.run_coroutine_threadsafe(work, loop)

        return carried


def _wants_page(scope: Scope, headers: Headers) -> bool:
    """A browser that asks for a page, and brings no query."""
    return b"text/html" in headers.get(b"accept", b"") and not scope["query_string"]


def _of_body(body: bytes) -> Asked:
    if body.lstrip()[:1] == b"[":
        raise Invalid("one document at a time: send an object, not an array")
    try:
        return msgspec.json.decode(body, type=Asked)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the body is no GraphQL request: {error}") from error


def _of_query(query: bytes) -> Asked:
    try:
        given = parse_qs(query.decode("latin-1"), True, errors="strict", max_num_fields=8)
        found: dict[str, Any] = {name: values[-1] for name, values in given.items()}
        for name in ("variables", "extensions"):
            if name in found:
                found[name] = msgspec.json.decode(found[name] or "null")
        return msgspec.convert(found, Asked)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Invalid(f"the query string is no GraphQL request: {error}") from error


def _answered(_: Exchange) -> None:
    """The response is awaited, not called back."""


def _none(*_: Any) -> None:
    return None


_DOCUMENT: Final = Look(
    name="gateway.graphql",
    summary="A GraphQL document.",
    method="POST",
    path="/graphql",
    request=Nothing,
    reply=object,
    scope="",
    source="",
    answer=_none,
)
