"""`fondaco fix sessions …`: asks a running house over its door, as any other client does."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlsplit

from fondaco.kernel.errors import Denied, FondacoError, Invalid, NotFound, Unavailable

TIMEOUT_S: Final = 10.0
COLUMNS: Final = ("session", "role", "state", "next_out", "next_in", "peer", "reason")
_ERRORS: Final[dict[int, type[FondacoError]]] = {401: Denied, 403: Denied, 404: NotFound}


class Remote:
    """The FIX sessions of the house at `url`; raises what the house answers."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"url is {url[:80]!r}, must be like http://127.0.0.1:8000")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._http = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._url, self._token = url, token

    def list(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._ask("GET", "/api/fix/sessions")["items"]
        return items

    def show(self, session: str) -> dict[str, Any]:
        return self._ask("GET", f"/api/fix/session?session={quote(session)}")

    def get(self, path: str) -> dict[str, Any]:
        """What the house answers to a GET."""
        return self._ask("GET", path)

    def order(self, what: str, session: str, reason: str, **more: int) -> dict[str, Any]:
        """`what` is stop, start or sequence."""
        body = {"session": session, "reason": reason, **more}
        return self._ask("POST", f"/api/fix/sessions/{what}", body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            self._http.request(method, path, json.dumps(body) if body else None, headers)
            reply = self._http.getresponse()
            said: dict[str, Any] = json.loads(reply.read() or b"{}")
        except (OSError, HTTPException, ValueError) as error:
            raise Unavailable(f"the house at {self._url} does not answer: {error}") from error
        if reply.status in (200, 202):  # 202: a second person must agree
            return said
        message = str(said.get("message", reply.reason))
        raise _ERRORS.get(reply.status, Invalid)(message)


def table(sessions: list[dict[str, Any]]) -> Iterator[str]:
    """One line a session, under their names."""
    rows = [COLUMNS, *(tuple(str(each[name]) for name in COLUMNS) for each in sessions)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(COLUMNS))]
    for row in rows:
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()
