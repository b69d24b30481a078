"""Where the door for agents is. It is opened by its first request: most houses never have one."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from fondaco.gateway.mcp import resource_metadata

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
PATHS: Final = ("/mcp", "/mcp/")


def routes(open_: Callable[[], Application], issuer: Callable[[], str]) -> list[BaseRoute]:
    """`issuer` is who gives tokens for it."""
    later = _Later(open_)
    return [
        *(Route(path, later) for path in PATHS),
        *(Route(path, _Metadata(issuer)) for path in resource_metadata.PATHS),
    ]


class _Later:
    opened: Application | None = None

    def __init__(self, open_: Callable[[], Application]) -> None:
        self._open = open_

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.opened is None:
            self.opened = self._open()
        await self.opened(scope, receive, send)


class _Metadata:
    """Open to everybody, as it must be: it says where to get a token."""

    def __init__(self, issuer: Callable[[], str]) -> None:
        self._issuer = issuer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = resource_metadata.document(scope, dict(scope["headers"]), self._issuer())
        headers = {"access-control-allow-origin": "*", "cache-control": "no-store"}
        await JSONResponse(found, headers=headers)(scope, receive, send)
