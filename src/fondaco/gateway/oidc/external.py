"""The way to a provider of others and back. A browser goes there from a page of ours and not by a
redirect, so that a form of ours need not be allowed to lead elsewhere; and back likewise, since the
session's cookie is not sent with what another site has begun (SameSite=Strict)."""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from fondaco.gateway import cookies
from fondaco.gateway.oidc import pages
from fondaco.kernel.errors import Denied, FondacoError, Invalid, Unavailable

COOKIE: Final = "fondaco_external"
COOKIE_S: Final = 600
PATH: Final = "/oauth/external"
_HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": pages.policy(),
}


class ExternalDesk(Protocol):
    """What is asked of the house; called off the loop."""

    def start(self, name: str, query: Mapping[str, str]) -> tuple[str, str]:
        """Where to go, and what the browser keeps until it is back."""
        ...

    def finish(
        self, name: str, query: Mapping[str, str], browser: str, address: str
    ) -> tuple[str, str, int]:
        """Where to go on here, and a session's token with its seconds; "" where a page of ours
        asks for it."""
        ...


class ExternalDoor:
    def __init__(self, desk: ExternalDesk) -> None:
        self._desk = desk

    async def start(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            found = await asyncio.to_thread(self._desk.start, name, dict(request.query_params))
        except FondacoError as error:
            return _said(error)
        there, browser = found
        answer = HTMLResponse(pages.again(there), headers=_HEADERS)
        answer.headers.append("set-cookie", _cookie(browser, COOKIE_S))
        return answer

    async def finish(self, request: Request) -> Response:
        name, pairs = request.path_params["name"], request.query_params.multi_items()
        query = dict(pairs)
        try:
            if len(query) != len(pairs):
                raise Invalid("a parameter is given twice")
            browser = request.cookies.get(COOKIE, "")
            address = request.client.host if request.client else ""
            found = await asyncio.to_thread(self._desk.finish, name, query, browser, address)
        except FondacoError as error:
            return _said(error)
        there, token, seconds = found
        answer = HTMLResponse(pages.again(there), headers=_HEADERS)
        answer.headers.append("set-cookie", _cookie("", 0))
        if token:
            header, value = cookies.set_cookie(token, seconds)
            answer.headers.append(header.decode(), value.decode())
        return answer


def _said(error: FondacoError) -> Response:
    status = {Denied: 403, Invalid: 400, Unavailable: 503}.get(type(error), 400)
    page = pages.said("This cannot go on", error.message)
    return HTMLResponse(page, status, headers=_HEADERS)


def _cookie(value: str, seconds: int) -> str:
    """Lax: it must come along when the provider sends the browser back."""
    return f"{COOKIE}={value}; Max-Age={seconds}; Path={PATH}; HttpOnly; SameSite=Lax; Secure"
