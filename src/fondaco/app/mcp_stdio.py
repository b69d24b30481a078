"""`fondaco mcp`: the door for agents on standard input and output, for programs that start their
servers themselves. Every line is carried to a running house and its answers back: nothing else is
opened, read or kept here, and stdout carries protocol only.
"""

import json
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Lock, Thread
from typing import IO, Any, Final
from urllib.parse import urlsplit

from fondaco.kernel.errors import Invalid

TIMEOUT_S: Final = 60.0
SILENT_S: Final = 45.0  # of a stream, on which the house gives a sign of life every 15
AT_ONCE: Final = 8
_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
_NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_INTERNAL_ERROR: Final = -32603


class Bridge:
    """Between one client and the house at `url`."""

    def __init__(self, url: str, token: str, out: IO[str]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"url is {url[:80]!r}, must be like http://127.0.0.1:8000")
        self._parts, self._url, self._token = parts, url, token
        self._out, self._writes = out, Lock()
        self._session = self._version = ""
        self._streams: dict[Any, HTTPConnection] = {}  # by the id of the request that opened it

    def run(self, lines: IO[str]) -> None:
        """Until the client closes its end; what was asked is answered before."""
        with ThreadPoolExecutor(AT_ONCE, "ask") as pool:
            for line in lines:
                if not line.strip():
                    continue
                try:
                    message = json.loads(line)
                except ValueError:
                    message = None
                if not isinstance(message, dict):
                    self._fail(None, -32700, "this line is no JSON-RPC message")
                elif message.get("method") == "subscriptions/listen":
                    Thread(target=self._listen, args=(message,), daemon=True).start()
                elif message.get("method") in ("initialize", "notifications/initialized"):
                    self._carry(message)  # what follows needs the session
                elif not self._ends_stream(message):
                    pool.submit(self._carry, message)
        self._leave()

    # --- One message ------------------------------------------------------------------------------

    def _carry(self, message: Mapping[str, Any]) -> None:
        id_ = message.get("id")
        http = self._connection(TIMEOUT_S)
        try:
            reply = self._sent(http, message)
            body = reply.read()
        except (OSError, HTTPException) as error:
            if id_ is not None:
                self._fail(id_, _INTERNAL_ERROR, f"the house at {self._url}: {error}")
            return
        finally:
            http.close()
        if message.get("method") == "initialize" and reply.status == 200:
            self._session = reply.headers.get("mcp-session-id", "")
            with suppress(ValueError, KeyError, TypeError):
                self._version = json.loads(body)["result"]["protocolVersion"]
        if message.get("method") == "notifications/initialized" and self._session:
            Thread(target=self._hear, daemon=True).start()
        if id_ is not None:
            self._answer(id_, reply.status, body)

    def _answer(self, id_: Any, status: int, body: bytes) -> None:
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict) or "jsonrpc" not in found:
            self._fail(id_, _INTERNAL_ERROR, f"the house at {self._url} answered {status}")
            return
        self._write({**found, "id": id_})

    def _sent(self, http: HTTPConnection, message: Mapping[str, Any]) -> HTTPResponse:
        headers = self._headers()
        params = message.get("params")
        meta = params.get("_meta") if isinstance(params, dict) else None
        if isinstance(meta, dict) and isinstance(meta.get(_VERSION), str):
            headers["MCP-Protocol-Version"] = meta[_VERSION]
            headers["Mcp-Method"] = str(message.get("method"))
            name = (params or {}).get(_NAMED.get(str(message.get("method")), ""))
            if isinstance(name, str):
                headers["Mcp-Name"] = f"=?base64?{b64encode(name.encode()).decode()}?="
        elif self._version:
            headers["MCP-Protocol-Version"] = self._version
        http.request("POST", "/mcp", json.dumps(message).encode(), headers)
        return http.getresponse()

    def _headers(self) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "Authorization": f"Bearer {self._token}",
        }
        if self._session:
            headers["Mcp-Session-Id"] = self._session
        return headers

    # --- Streams of news --------------------------------------------------------------------------

    def _hear(self) -> None:
        """The session's stream, for as long as there is one."""
        http = self._connection(SILENT_S)
        with suppress(OSError, HTTPException):
            headers = self._headers()
            if self._version:
                headers["MCP-Protocol-Version"] = self._version
            http.request("GET", "/mcp", headers=headers)
            for event in _events(http.getresponse()):
                self._write(event)

    def _listen(self, message: Mapping[str, Any]) -> None:
        id_ = message.get("id")
        http = self._connection(SILENT_S)
        self._streams[id_] = http
        try:
            reply = self._sent(http, message)
            if reply.headers.get_content_type() != "text/event-stream":
                self._answer(id_, reply.status, reply.read())
                return
            for event in _events(reply):
                self._write(event)
        except (OSError, HTTPException, AttributeError) as error:
            if id_ in self._streams:
                self._fail(id_, _INTERNAL_ERROR, f"the stream ended: {error}")
        finally:
            self._streams.pop(id_, None)
            http.close()

    def _ends_stream(self, message: Mapping[str, Any]) -> bool:
        """Over HTTP a client ends a stream by closing it."""
        if message.get("method") != "notifications/cancelled":
            return False
        params = message.get("params")
        http = self._streams.pop(
            params.get("requestId") if isinstance(params, dict) else None, None
        )
        if http is not None:
            with suppress(OSError):
                if http.sock:
                    http.sock.shutdown(2)
        return http is not None

    # --- Parts of these ---------------------------------------------------------------------------

    def _leave(self) -> None:
        if not self._session:
            return
        http = self._connection(2.0)
        with suppress(OSError, HTTPException):
            http.request("DELETE", "/mcp", headers=self._headers())
            http.getresponse().read()
        http.close()

    def _connection(self, timeout_s: float) -> HTTPConnection:
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        return kind(str(self._parts.hostname), self._parts.port, timeout=timeout_s)

    def _fail(self, id_: Any, code: int, text: str) -> None:
        self._write({"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": text}})

    def _write(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message, separators=(",", ":"))
        with self._writes:
            self._out.write(line + "\n")
            self._out.flush()


def _events(reply: HTTPResponse) -> Iterator[dict[str, Any]]:
    """What a stream of events says; comments are signs of life."""
    if reply.status != 200:
        return
    while line := reply.readline():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def bridge(url: str, token: str) -> None:
    Bridge(url, token, sys.stdout).run(sys.stdin)
