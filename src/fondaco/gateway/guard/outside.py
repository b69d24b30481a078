"""Around every answer that is not the order path's: what browsers are told.

Pages of other origins read nothing here unless their origin is listed. One that is may call the
operations with a token; no cookie ever crosses: nothing says Access-Control-Allow-Credentials.
Paths that let everybody in by themselves (OAuth's documents) are left as they are.
"""

from collections.abc import Sequence
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fondaco.kernel.errors import Invalid

HSTS: Final = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
PERMISSIONS: Final = (
    b"permissions-policy",
    b"camera=(), geolocation=(), microphone=(), payment=(), usb=(),"
    b" publickey-credentials-get=(self), publickey-credentials-create=(self)",
)
_ALLOW: Final = b"access-control-allow-origin"
_PREFLIGHT: Final = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, Fondaco-Version, Idempotency-Key, If-Match, If-None-Match,"
        b" Traceparent, X-Correlation-Id, X-Request-Id",
    ),
    (b"access-control-max-age", b"600"),
)
_EXPOSED: Final = (
    b"access-control-expose-headers",
    b"Deprecation, ETag, Idempotent-Replayed, Link, RateLimit, RateLimit-Policy, Retry-After,"
    b" Sunset, Traceparent, X-Correlation-Id, X-Request-Id",
)


def origins(text: str) -> frozenset[bytes]:
    """From `https://app.example, https://…`. Raises `Invalid` for `*` and what else is none."""
    found = [each.strip() for each in text.split(",") if each.strip()]
    for each in found:
        scheme, mark, host = each.partition("://")
        if scheme not in ("https", "http") or not mark or not host or set(host) & set("/?#*@ "):
            raise Invalid(f"{each!r} is no origin like https://app.example; list each of them")
    return frozenset(each.encode("ascii", "replace") for each in found)


class Outside:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, allowed: frozenset[bytes] = frozenset()) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = [value for name, value in scope["headers"] if name == b"origin"]
        origin = named[0] if named and named[0] in self._allowed else None
        asks = any(name == b"access-control-request-method" for name, _ in scope["headers"])
        if origin is not None and scope["method"] == "OPTIONS" and asks:
            headers = [*_crossing(origin), *_PREFLIGHT, (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._with(scope, list(message["headers"]), origin)
            await send(message)

        await self._app(scope, receive, told)

    def _with(
        self, scope: Scope, headers: list[Any], origin: bytes | None
    ) -> Sequence[tuple[bytes, bytes]]:
        names = dict(headers)
        if scope.get("scheme") == "https":
            headers.append(HSTS)
        if names.get(b"content-type", b"").startswith(b"text/html"):
            headers.append(PERMISSIONS)
        if self._allowed and _ALLOW not in names:
            if origin is not None:
                headers += [*_crossing(origin), _EXPOSED]
            else:
                headers.append((b"vary", b"Origin"))
        return headers


def _crossing(origin: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return ((_ALLOW, origin), (b"vary", b"Origin"))
