"""One connection to the house, and its errors as exceptions."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

# A parameter that was not given; null is something else.
ABSENT: Final[Any] = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()


class Problem(Exception):
    """What every error of the house says (RFC 9457)."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        super().__init__(f"{body.get('code', '')}: {body.get('message', '')}")
        self.status: int = body.get("status", 0)
        self.code: str = body.get("code", "")
        self.message: str = body.get("message", "")
        self.retryable: bool = body.get("retryable", False)
        self.reached_venue: str = body.get("reached_venue", "unknown")
        self.state: Mapping[str, Any] = body.get("state", {})
        self.details: Mapping[str, Any] = body.get("details", {})
        self.request_id: str = body.get("request_id", "")


class Refused(Problem):
    """A rule said no. `details` has value, limit, distance and order_qty_max where it measures."""


class NoAnswer(Problem):
    """Nobody answered: what was asked may have been done. Asked again with the same cl_ord_id or
    idempotency_key, it is done once."""


class Asking:
    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                f"{url[:200]!r} is no address of a house, such as http://127.0.0.1:8000"
            )
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_s)
        self._headers = {"authorization": f"Bearer {token}", "accept": "application/json, text/*"}

    def close(self) -> None:
        self._connection.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
        path_: Mapping[str, Any] | None = None,
    ) -> Any:
        """What was answered: JSON decoded, anything else as text. Raises `Problem`."""
        for name, value in (path_ or {}).items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        found = {name: _text(value) for name, value in (query or {}).items() if value is not ABSENT}
        if found:
            path += f"?{urlencode(found)}"
        headers = dict(self._headers)
        headers |= {name: str(v) for name, v in (header or {}).items() if v is not ABSENT}
        content = None
        if body is not None:
            given = {name: value for name, value in body.items() if value is not ABSENT}
            content, headers["content-type"] = json.dumps(given), "application/json"
        return self._answer(*self._exchange(method, path, content, headers))

    def _exchange(
        self, method: str, path: str, content: str | None, headers: Mapping[str, str]
    ) -> tuple[int, str, bytes]:
        try:
            self._connection.request(method, path, content, dict(headers))
            answer = self._connection.getresponse()
            return answer.status, answer.headers.get_content_type(), answer.read()
        except (OSError, HTTPException) as error:
            self._connection.close()  # the next request opens it anew
            message = f"the house did not answer: {error or type(error).__name__}"
            reached = "no" if method == "GET" else "unknown"
            raise NoAnswer(
                {
                    "code": "no_answer",
                    "message": message,
                    "retryable": True,
                    "reached_venue": reached,
                }
            ) from error

    def _answer(self, status: int, kind: str, body: bytes) -> Any:
        if status < 300:
            return json.loads(body) if kind == "application/json" else body.decode()
        if kind != "application/problem+json":
            text = body[:200].decode(errors="replace")
            raise Problem({"status": status, "code": "foreign_answer", "message": text})
        problem = json.loads(body)
        raise (Refused if status == 409 else Problem)(problem)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
