"""What commands ask of a running house, over its door, as any other client does."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from fondaco.kernel.errors import Denied, FondacoError, Invalid, NotFound, Refused, Unavailable

TIMEOUT_S: Final = 10.0
_ERRORS: Final[dict[int, type[FondacoError]]] = {
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Refused,
    503: Unavailable,
}


class Asking:
    """The house at `url`; raises what it answers."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"url is {url[:80]!r}, must be like http://127.0.0.1:8000")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._http = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._url, self._token = url, token

    def get(self, path: str) -> dict[str, Any]:
        return self._ask("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._ask("POST", path, body)

    def delete(self, path: str) -> dict[str, Any]:
        return self._ask("DELETE", path, None)

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._ask("PUT", path, body)

    def text(self, path: str) -> str:
        """Of what is no JSON, as it is."""
        return self.raw(path).decode()

    def raw(self, path: str) -> bytes:
        """Of what is no text either."""
        status, content = self._answer("GET", path, None)
        if status < 300:
            return content
        raise self._error(status, json.loads(content or b"{}"))

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        status, content = self._answer(method, path, body)
        try:
            said: dict[str, Any] = json.loads(content or b"{}")
        except ValueError as error:
            raise Unavailable(f"the house at {self._url} does not answer: {error}") from error
        if status < 300:
            return said
        raise self._error(status, said)

    def _error(self, status: int, said: dict[str, Any]) -> FondacoError:
        return _ERRORS.get(status, Invalid)(str(said.get("message", status)))

    def _answer(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, bytes]:
        content = None if body is None else json.dumps(body)
        return self._send(method, path, content, "application/json")

    def sent(self, path: str, content: str, media_type: str) -> tuple[int, bytes]:
        """What is answered to something that is no JSON."""
        return self._send("POST", path, content, media_type)

    def _send(
        self, method: str, path: str, content: str | None, media_type: str
    ) -> tuple[int, bytes]:
        headers = {"Content-Type": media_type}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            self._http.request(method, quote(path, safe="/?=&:%"), content, headers)
            reply = self._http.getresponse()
            return reply.status, reply.read()
        except (OSError, HTTPException) as error:
            raise Unavailable(f"the house at {self._url} does not answer: {error}") from error


class OAuthSaid(Denied):
    """What the provider refuses; `error` is OAuth's word for it."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description or error)
        self.error = error


def form_of(url: str, path: str, form: dict[str, str]) -> dict[str, Any]:
    """What the provider at `url` answers to a form. Raises `OAuthSaid`, `Unavailable`."""
    asking = Asking(url, "")
    status, content = asking.sent(path, urlencode(form), "application/x-www-form-urlencoded")
    try:
        said: dict[str, Any] = json.loads(content or b"{}")
    except ValueError as error:
        raise Unavailable(f"the house at {url} does not answer: {error}") from error
    if status < 300:
        return said
    if status in (429, 503):
        raise Unavailable(f"the house at {url} is busy")
    raise OAuthSaid(str(said.get("error", status)), str(said.get("error_description", "")))


def approvals_table(found: dict[str, Any]) -> Iterator[str]:
    """A line for each, and what was asked under it."""
    for glass in found["glasses"]:
        if not glass["verdict"]:
            yield (
                f"GLASS BROKEN  {glass['approval_id']}  by {glass['broken_by']}: "
                f"{glass['reason']}; used for {', '.join(glass['used_for']) or 'nothing'}"
            )
    for each in found["items"]:
        agreed = f", {each['how']} {each['decided_by']}" if each["decided_by"] else ""
        who = "the agent " if each["is_agents"] else ""
        yield (
            f"{each['approval_id']}  {each['state']}  {each['operation']}  "
            f"asked by {who}{each['asked_by']}{agreed}"
        )
        yield f"    {json.dumps(each['request'])}"
        if each["reason"] or each["error"]:
            yield f"    {each['reason']} {each['error']}".rstrip()
    if not found["items"]:
        yield f"nothing waits ({found['mode']})"
