"""Rego by an OPA server, over its REST API (https://www.openpolicyagent.org/docs/rest-api).

One policy has the whole server: what others have put there under the same names is replaced.
"""

import http.client
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.policy import Sources

TIMEOUT_S: Final = 2.0


class OpaPolicy:
    """Puts the sources on the server at `url`. Raises `Invalid` for those that do not compile."""

    def __init__(self, url: str, sources: Sources) -> None:
        self.sources = sources
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "127.0.0.1", parts.port or 8_181, timeout=TIMEOUT_S
        )
        self._forget()
        for name, value in msgspec.json.decode(sources.data, type=dict[str, Any]).items():
            self._send("PUT", f"/v1/data/{name}", msgspec.json.encode(value))
        for name, text in sources.modules:
            self._send("PUT", f"/v1/policies/{name}", text.encode(), "text/plain")

    def ask(self, entrypoint: str, given: Any) -> Any:
        body = msgspec.json.encode({"input": given})
        found = self._send("POST", f"/v1/data/{entrypoint}", body)
        return msgspec.json.decode(found).get("result")

    def close(self) -> None:
        self._connection.close()

    def _forget(self) -> None:
        for each in msgspec.json.decode(self._send("GET", "/v1/policies")).get("result", ()):
            self._send("DELETE", f"/v1/policies/{each['id']}")

    def _send(
        self, method: str, path: str, body: bytes = b"", media_type: str = "application/json"
    ) -> bytes:
        try:
            self._connection.request(method, path, body, {"content-type": media_type})
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Unavailable(f"the OPA server does not answer: {error}") from error
        if response.status == 400:
            raise Invalid(_located(content))
        if response.status >= 300:
            raise Unavailable(f"the OPA server says {response.status} to {method} {path}")
        return content


def _located(content: bytes) -> str:
    found = msgspec.json.decode(content)
    lines = [
        f"{each.get('location', {}).get('file', '?')}:{each.get('location', {}).get('row', 0)}: "
        f"{each.get('message', '')}"
        for each in found.get("errors", ())
    ]
    return "; ".join(lines) or str(found.get("message", content[:200]))
