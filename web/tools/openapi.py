"""Prints the OpenAPI document of this house, as a running one serves it; nothing is started.

python web/tools/openapi.py > openapi.json
"""

import sys
from types import SimpleNamespace
from typing import Any, Final, cast

import msgspec

from fondaco import __version__
from fondaco.app import live
from fondaco.gateway import openapi

# Operations are bound to reference data and tenants, which a document does not need.
_NOBODY: Final = cast(live.House, SimpleNamespace(refs=lambda: None, tenant_of=lambda _: None))


def document() -> bytes:
    """Keys in the house's own order, one field a line, so that a difference can be read."""
    found: dict[str, Any] = openapi.openapi(live.operations(_NOBODY), __version__)
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(document())
