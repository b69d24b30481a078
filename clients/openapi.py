"""The OpenAPI document of this house, as a running one serves it; nothing is started.

python clients/openapi.py > openapi.json
"""

import sys
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, Final, cast

import msgspec

from fondaco import __version__
from fondaco.app import live
from fondaco.app.answering import House
from fondaco.gateway import openapi
from fondaco.gateway.editions import FIRST

# Operations are bound to reference data and tenants, which a document does not need.
_NOBODY: Final = cast(
    House, SimpleNamespace(beside=None, refs=lambda: None, tenant_of=lambda _: None)
)


def document() -> dict[str, Any]:
    """As JSON has it."""
    made = openapi.openapi(live.operations(_NOBODY), FIRST.version)
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    return found


def sockets() -> dict[str, Any]:
    """The schemas of what goes over the WebSockets (AsyncAPI), as a document of schemas alone."""
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(openapi.asyncapi(__version__)))
    found: dict[str, Any] = made["components"]["schemas"]
    return {
        "openapi": "3.1.0",
        "info": made["info"],
        "paths": {},
        "components": {"schemas": found},
    }


def printed(found: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


def digest(found: dict[str, Any]) -> str:
    """Of what clients are made of: the order of fields and examples do not count."""
    return sha256(msgspec.json.encode(_plain(found), order="deterministic")).hexdigest()


def _plain(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _plain(each) for name, each in found.items() if name != "example"}
    return [_plain(each) for each in found] if isinstance(found, list) else found


if __name__ == "__main__":
    sys.stdout.buffer.write(printed(document()))
