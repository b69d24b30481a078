"""The door: every operation over HTTP. Hot ones are found before the framework is.

A path is served under /api and /api/v1, and bare where a document names it so.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, Final

import msgspec
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from fondaco.domain.identity.model import SignedRequest
from fondaco.gateway import pages
from fondaco.gateway.context import Context, Names
from fondaco.gateway.editions import EDITIONS, FIRST, HEADER, Edition, edition_of
from fondaco.gateway.guard.filter import Filter
from fondaco.gateway.house import House
from fondaco.gateway.idempotency import Replies
from fondaco.gateway.late import LateRoute
from fondaco.gateway.logs import Log
from fondaco.gateway.metrics import Metric
from fondaco.gateway.openapi import Channel
from fondaco.gateway.pages import Checks, Page
from fondaco.gateway.rest import Endpoint, Exchange, Response
from fondaco.gateway.tally import Tally
from fondaco.gateway.uses import Uses
from fondaco.kernel.errors import FondacoError, Invalid, NotFound
from fondaco.kernel.operation import Look, Operation
from fondaco.runtime.tracing.rows import Request

SIGNATURE: Final = b"signature"
PREFIXES: Final = ("/api", "/api/v1")
# Who says these goes the long way.
_ELSEWHERE: Final = frozenset({b"idempotency-key", SIGNATURE, HEADER})
SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)
_KEPT: Final = (SECURITY[0], SECURITY[2])  # of an answer that says itself how long it may be kept


def _unnoted(_: Request) -> None:
    """Nobody keeps it."""


class Nothing(msgspec.Struct, frozen=True):
    """What is asked by a request that names no operation."""


class Door:
    """An ASGI application. `hot` is also asked by the protocol, which needs no ASGI for it."""

    def __init__(
        self,
        house: House,
        operations: Iterable[Operation[Any, Any]],
        *,
        replies: Replies,
        readers: Executor,
        log: Log | None = None,
        body_max: int = 1 << 20,
        version: str = "1",
        checks: Callable[[], Checks] = dict,
        numbers: Callable[[], Iterable[Metric]] = tuple,
        routes: Sequence[BaseRoute] = (),
        note: Callable[[Request], None] = _unnoted,
        doors: Sequence[Callable[["Door"], Sequence[BaseRoute]]] = (),
        uses: Uses | None = None,
        rules: Filter | None = None,
        topics: Callable[[], Sequence[Channel]] = tuple,
    ) -> None:
        """`checks` are what `/ready` asks, `numbers` what `/metrics` shows besides our own;
        `routes` are Starlette's: pages that are no operations, before all others. `note` is told
        of requests whose trace does not follow from what they leave. `doors` are others to the same
        operations; they are given this one and say what they serve. `rules` are the request
        filter's; none: everything is let in. `topics` are those of the bus, for the documents."""
        self.house = house
        self.body_max = body_max
        self.filter = rules or Filter("off")
        self.context = Context(
            house, replies, readers, log or Log(), Names(), set(), note, uses or Uses()
        )
        self.endpoints = [Endpoint(operation, self.context) for operation in operations]
        self.unknown = Endpoint(_NOTHING, self.context)
        self.hot: dict[tuple[bytes, bytes], Endpoint] = {}
        self._hot: dict[tuple[str, str], Endpoint] = {}
        places: dict[str, dict[str, Endpoint]] = {}
        for endpoint in self.endpoints:
            for method, path in paths_of(endpoint.operation):
                places.setdefault(path, {})[method] = endpoint
                if endpoint.is_hot and "{" not in path:
                    self._hot[method, path] = endpoint
                    self.hot[method.encode(), path.encode()] = endpoint
            for edition in EDITIONS[1:]:
                for method, path in paths_of(endpoint.operation, edition):
                    places.setdefault(path, {})[method] = endpoint.of(edition)
        # Literal paths before those with parameters: /orders/bulk is no order_id.
        ordered = sorted(places.items(), key=lambda place: place[0].count("{"))
        named = [LateRoute(path, self._place(found)) for path, found in ordered]
        self.sockets: Tally | None = None  # of orders that come over WebSockets
        shown = pages.pages(
            self.endpoints, version, checks, self._counted(numbers), lambda: self.sockets, topics
        )
        served = [LateRoute(path, self._page(page)) for path, page in shown.items()]
        beside = [route for other in doors for route in other(self)]
        self._others = Router(
            [*routes, *beside, *served, *named], redirect_slashes=False, default=self._missing
        )

    def _counted(self, numbers: Callable[[], Iterable[Metric]]) -> Callable[[], Iterable[Metric]]:
        log = self.context.log
        text = "Lines that no log took."
        return lambda: [
            *numbers(),
            Metric("fondaco_log_lost_total", text, "counter", log.lost),
            *self._filtered(),
        ]

    def _filtered(self) -> Iterator[Metric]:
        text = "Requests that a rule of the filter has met."
        for rule, count in self.filter.met.items():
            yield Metric("fondaco_filtered_total", text, "counter", count, (("rule", rule),))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            endpoint = self._hot.get((scope["method"], scope["path"]))
            if endpoint is not None:
                await self._serve_hot(endpoint, scope, receive, send)
                return
        await self._others(scope, receive, send)

    async def _serve_hot(
        self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send
    ) -> None:
        headers = dict(scope["headers"])
        if scope["query_string"] or not _ELSEWHERE.isdisjoint(headers):
            await self._serve(endpoint, {}, scope, receive, send)
            return
        done = asyncio.get_running_loop().create_future()
        exchange = Exchange(endpoint, headers, lambda _: done.set_result(None))
        try:
            body = await self.body(scope, receive)
        except FondacoError as error:
            exchange.fail(error)
        except ClientDisconnect:
            return  # Before the request was complete, so nothing was decided.
        else:
            exchange.begin(headers, body, address_of(scope))
        await done
        await respond(send, exchange, exchange.response)

    def _place(self, found: Mapping[str, Endpoint]) -> ASGIApp:
        """All operations at one path."""
        methods = dict(found)
        if "GET" in methods:
            methods.setdefault("HEAD", methods["GET"])
        allow = ", ".join(sorted(methods))

        async def place(scope: Scope, receive: Receive, send: Send) -> None:
            endpoint = methods.get(scope["method"])
            if endpoint is None:
                await self._not_allowed(allow, scope, send)
            else:
                await self._serve(endpoint, scope.get("path_params", {}), scope, receive, send)

        return Application(place)

    def _page(self, page: Page) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["method"] not in ("GET", "HEAD"):
                await self._not_allowed("GET, HEAD", scope, send)
                return
            exchange = Exchange(self.unknown, dict(scope["headers"]), _said)
            if isinstance(page, pages.Rendered) and page.content is None:
                await asyncio.to_thread(page.make)
            found = page()
            found.headers["x-request-id"] = exchange.request_id
            found.headers["x-correlation-id"] = exchange.correlation_id
            await found(scope, receive, send)

        return Application(serve)

    async def _not_allowed(self, allow: str, scope: Scope, send: Send) -> None:
        error = Invalid(
            f"{scope['path']} is not asked with {scope['method'][:20]} but with {allow}",
            code="method_not_allowed",
            allow=allow,
        )
        await self.refuse(error, scope, send)

    async def _serve(
        self,
        endpoint: Endpoint,
        path: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        headers = dict(scope["headers"])
        exchange = Exchange(endpoint, headers, _said)
        try:
            if HEADER in headers and endpoint.edition is FIRST:  # what the path says goes first
                exchange.endpoint = endpoint = endpoint.of(edition_of(headers[HEADER]))
            body = await self.body(scope, receive) if endpoint.has_body else b""
        except ClientDisconnect:
            return
        except FondacoError as error:
            response = exchange.problem(error)
        else:
            address = address_of(scope)
            signed = None
            if SIGNATURE in headers and b"authorization" not in headers:
                signed = partial(self.house.signed, _as_signed(scope, headers, body), address)
            response = await endpoint.serve(
                exchange, headers, path, scope["query_string"], body, address, signed
            )
        exchange.finish(response)
        await respond(send, exchange, exchange.response)

    async def _missing(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4404, "reason": "no such path"})
            return
        await self.refuse(NotFound(f"there is nothing at {scope['path'][:100]}"), scope, send)

    async def refuse(self, error: FondacoError, scope: Scope, send: Send) -> None:
        """Answer with a problem, for who serves something beside us."""
        exchange = Exchange(self.unknown, dict(scope["headers"]), _said)
        exchange.fail(error)
        await respond(send, exchange, exchange.response)

    async def body(self, scope: Scope, receive: Receive) -> bytes:
        """Of a request. Raises `Invalid`, code "too_large", as soon as that is known."""
        body, more = b"", True
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > self.body_max:
                raise too_large(self.body_max)
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.body_max:
                raise too_large(self.body_max)
        return body


class Application:
    """Starlette takes a function for an endpoint of requests; this is an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def too_large(body_max: int) -> Invalid:
    return Invalid(f"the body is above {body_max} bytes; send less at once", code="too_large")


def paths_of(operation: Operation[Any, Any], edition: Edition = FIRST) -> list[tuple[str, str]]:
    """Where it is served. Aliases are what documents name, so they are served bare as well."""
    if edition is not FIRST:
        places = ((operation.method, operation.path), *operation.aliases)
        return [(method, f"/api/v{edition.major}{path}") for method, path in places]
    found: list[tuple[str, str]] = []
    here = [(operation.method, operation.path, operation.bare)]
    for method, path, bare in [*here, *((m, p, True) for m, p in operation.aliases)]:
        found += [(method, prefix + path) for prefix in PREFIXES]
        if bare:
            found.append((method, path))
    return found


def _as_signed(scope: Scope, headers: Mapping[bytes, bytes], body: bytes) -> SignedRequest:
    target = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    return SignedRequest(scope["method"], target.decode("latin-1"), headers, body)


def address_of(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


async def respond(send: Send, exchange: Exchange, response: Response) -> None:
    status = response.status
    headers = [
        (b"content-type", response.media_type),
        (b"content-length", b"%d" % len(response.body)),
        (b"x-request-id", exchange.request_id.encode()),
        (b"x-correlation-id", exchange.correlation_id.encode()),
        (b"traceparent", exchange.traceparent.encode()),
        *(_KEPT if any(name == b"cache-control" for name, _ in response.headers) else SECURITY),
        *response.headers,
    ]
    if status in (204, 304):
        headers = headers[2:]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def _said(_: Exchange) -> None:
    """The response is awaited, not called back."""


def _empty(*_: Any) -> None:
    return None


_NOTHING: Final[Operation[Any, Any]] = Look(
    name="gateway.none",
    summary="No operation.",
    method="GET",
    path="",
    request=Nothing,
    reply=object,
    scope="",
    source="",
    answer=_empty,
)
