"""What this door is to OAuth: a protected resource, and who gives tokens for it. RFC 9728."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.types import Scope

from fondaco.domain.identity.model import Scope as Held

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
PATHS: Final = (f"{WELL_KNOWN}/mcp", WELL_KNOWN)


def origin(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """Under which name the house was asked."""
    host = headers.get(b"host", b"127.0.0.1").decode("latin-1")
    plain = "".join(sign for sign in host if sign.isalnum() or sign in ".-:[]")
    return f"{scope.get('scheme', 'http')}://{plain}"


def address(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """Where `document` is found."""
    return origin(scope, headers) + PATHS[0]


def document(scope: Scope, headers: Mapping[bytes, bytes], issuer: str) -> dict[str, Any]:
    """`issuer` gives the tokens; "": whoever answers here."""
    here = origin(scope, headers)
    return {
        "resource": f"{here}/mcp",
        "authorization_servers": [issuer or here],
        "scopes_supported": sorted(scope.value for scope in Held),
        "bearer_methods_supported": ["header"],
        "resource_name": "Fondaco",
        "resource_documentation": f"{here}/docs",
    }
