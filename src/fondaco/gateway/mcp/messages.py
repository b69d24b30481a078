"""JSON-RPC 2.0 as the Model Context Protocol uses it, and which revisions of it are spoken here.

Handshake revisions (to 2025-11-25) begin with `initialize` and may keep a session. From 2026-07-28
on every request says its revision in `_meta`, and nothing is kept between two of them.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

HANDSHAKE: Final = ("2025-06-18", "2025-11-25")
STATELESS: Final = ("2026-07-28",)

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
HEADER_MISMATCH: Final = -32020
UNSUPPORTED_VERSION: Final = -32022
UNAUTHORISED: Final = -32001  # of our own: no such code is written down
RESOURCE_NOT_FOUND: Final = -32002  # of handshake revisions; later ones say INVALID_PARAMS

# What an error of a stateless request is answered with over HTTP; all others with 200.
STATUSES: Final[Mapping[int, int]] = {
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    UNSUPPORTED_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}
VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
CLIENT_KEY: Final = "io.modelcontextprotocol/clientInfo"
CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
SERVER_KEY: Final = "io.modelcontextprotocol/serverInfo"
SUBSCRIPTION_KEY: Final = "io.modelcontextprotocol/subscriptionId"

Id = int | str


class Failure(Exception):
    """A JSON-RPC error."""

    def __init__(self, code: int, message: str, content: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.content = code, message, content


class Message(msgspec.Struct, frozen=True):
    """A request (`method` and `id`), a notification (no `id`), or a response (no `method`)."""

    jsonrpc: Literal["2.0"]
    method: str = ""
    id: Id | UnsetType | None = UNSET
    params: dict[str, Any] | UnsetType = UNSET
    result: msgspec.Raw | UnsetType = UNSET
    error: msgspec.Raw | UnsetType = UNSET

    @property
    def is_request(self) -> bool:
        return bool(self.method) and self.id is not UNSET

    @property
    def given(self) -> dict[str, Any]:
        return {} if isinstance(self.params, UnsetType) else self.params

    @property
    def meta(self) -> dict[str, Any]:
        found = self.given.get("_meta")
        return found if isinstance(found, dict) else {}

    @property
    def is_stateless(self) -> bool:
        return VERSION_KEY in self.meta


_decode: Final = msgspec.json.Decoder(Message).decode
encode: Final = msgspec.json.Encoder().encode


def read(body: bytes | str) -> Message:
    """Raises `Failure`."""
    try:
        found = _decode(body)
    except msgspec.ValidationError as error:
        text = f"the body must be one JSON-RPC 2.0 request or notification: {error}"
        raise Failure(INVALID_REQUEST, text) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Failure(PARSE_ERROR, f"the body is no JSON that we read: {error}") from error
    if found.method and found.is_request and found.id is None:
        raise Failure(INVALID_REQUEST, "the id of a request must be a string or an integer")
    return found


def result(id_: Any, found: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "result": found}


def failed(id_: Any, failure: Failure) -> dict[str, Any]:
    error: dict[str, Any] = {"code": failure.code, "message": failure.message}
    if failure.content is not None:
        error["data"] = failure.content
    return {"jsonrpc": "2.0", "id": None if id_ is UNSET else id_, "error": error}


def told(method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def version_of(message: Message) -> str:
    """Of a stateless request. Raises `Failure` where it does not say what it must."""
    meta = message.meta
    missing = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if key not in meta]
    if missing:
        raise Failure(INVALID_PARAMS, f"params._meta lacks {', '.join(missing)}")
    version = meta[VERSION_KEY]
    if not isinstance(version, str):
        raise Failure(INVALID_PARAMS, f"{VERSION_KEY} must be a string")
    if version not in STATELESS:
        supported = {"supported": [*STATELESS, *HANDSHAKE], "requested": version}
        raise Failure(UNSUPPORTED_VERSION, "Unsupported protocol version", supported)
    return version


def text_of(params: Mapping[str, Any], name: str) -> str:
    found = params.get(name)
    if not isinstance(found, str) or not found:
        raise Failure(INVALID_PARAMS, f"params.{name} must be a string")
    return found
