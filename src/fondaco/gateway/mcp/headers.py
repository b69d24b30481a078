"""Headers that say again what a stateless request says in its body, so that who stands between may
read them; they must agree, or the two would be told different things."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from fondaco.gateway.mcp.messages import (
    HEADER_MISMATCH,
    Failure,
    Message,
    version_of,
)

_NAMES: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_BEGIN, _END = "=?base64?", "?="


def check_headers(headers: Mapping[bytes, bytes], message: Message) -> str:
    """The revision that the request is of. Raises `Failure`."""
    meta = message.meta
    if "io.modelcontextprotocol/protocolVersion" not in meta:
        version_of(message)
    said = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
    if said != meta["io.modelcontextprotocol/protocolVersion"]:
        raise _mismatch("MCP-Protocol-Version", said)
    method = headers.get(b"mcp-method", b"").decode("latin-1")
    if method != message.method:
        raise _mismatch("Mcp-Method", method)
    key = _NAMES.get(message.method)
    params = message.given
    if key is not None and params.get(key) is not None:
        name = headers.get(b"mcp-name", b"").decode("latin-1")
        if _plain(name) != params[key]:
            raise _mismatch("Mcp-Name", name)
    return version_of(message)


def _plain(value: str) -> str | None:
    if value.startswith(_BEGIN) and value.endswith(_END):
        try:
            return b64decode(value[len(_BEGIN) : -len(_END)], validate=True).decode()
        except ValueError:
            return None
    return value


def _mismatch(name: str, value: str) -> Failure:
    text = f"Header mismatch: {name} is {value[:100]!r}, which the body does not say"
    return Failure(HEADER_MISMATCH, text)
