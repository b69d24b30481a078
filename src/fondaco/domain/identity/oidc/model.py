"""Clients, what people have agreed to, and what is asked of both. RFC 6749, 7636, 8252, 9700."""

import re
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from fondaco.domain.identity.oidc.jwt import encoded
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

SECOND_NS: Final = 1_000_000_000
CODE_S: Final = 60  # RFC 6749 section 4.1.2: at most ten minutes
ACCESS_S: Final = 600
GRANT_S: Final = 30 * 86_400  # after which somebody must agree again
IDENTITY_SCOPES: Final = ("openid", "profile", "email", "offline_access")
COMMAND_LINE: Final = "fondaco-cli"  # the client that `fondaco login` is; everybody's
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
RedirectUri = Annotated[str, Meta(max_length=500, examples=["https://app.example.com/back"])]
OAuthErrorCode = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "invalid_scope",
    "invalid_target",
    "invalid_redirect_uri",
    "access_denied",
    "login_required",
    "consent_required",
    "authorization_pending",  # RFC 8628 section 3.5, as are the next two
    "slow_down",
    "expired_token",
]
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}").fullmatch


def agreeable(asked: Sequence[str], scopes: Collection[str]) -> tuple[str, ...]:
    """Of `asked`, what somebody who may `scopes` can agree to: nobody gives more than they have."""
    return tuple(each for each in asked if each in IDENTITY_SCOPES or each in scopes)


class OAuthRefusal(Exception):
    """What a client is told, in the words of RFC 6749 section 5.2."""

    def __init__(self, error: OAuthErrorCode, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status


class Client(msgspec.Struct, frozen=True):
    """An application. `machine` is the user in whose name it asks by itself; "" where it does not.
    `is_public`: it can keep no secret."""

    client_id: str
    tenant: str  # "" for one that registered itself: for whoever agrees
    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    machine: str
    is_public: bool
    created_at: Instant


class Asked(msgspec.Struct, frozen=True):
    """One authorisation request that may be shown to somebody."""

    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    nonce: str
    challenge: str
    resource: str
    prompt: str


def challenge_of(verifier: str) -> str:
    """S256, RFC 7636 section 4.2."""
    return encoded(sha256(verifier.encode()).digest())


def is_challenge(text: str) -> bool:
    return _CHALLENGE(text) is not None


def fits(verifier: str, challenge: str) -> bool:
    return _VERIFIER(verifier) is not None and challenge_of(verifier) == challenge


def check_redirect_uri(uri: str) -> None:
    """Raises `Invalid` for one that no client may register."""
    found = urlsplit(uri)
    is_loopback = found.scheme == "http" and (found.hostname or "") in (
        "127.0.0.1",
        "::1",
        "localhost",
    )
    has_own_scheme = "." in found.scheme  # com.example.app:/back, RFC 8252 section 7.1
    if (
        found.fragment
        or "#" in uri
        or not uri.isascii()
        or not uri.isprintable()
        or " " in uri
        or found.username
        or not ((found.scheme == "https" and found.hostname) or is_loopback or has_own_scheme)
    ):
        raise Invalid(
            f"redirect URI {uri[:100]!r} must be https, http on this machine, or a scheme of the "
            "application's own, without a fragment",
            code="invalid_redirect_uri",
        )


def is_registered(uri: str, registered: tuple[str, ...]) -> bool:
    """Exactly; on this machine any port, which a native application is given when it starts
    (RFC 8252 section 7.3)."""
    return uri in registered or (
        (bare := _without_port(uri)) is not None
        and any(_without_port(each) == bare for each in registered)
    )


def _without_port(uri: str) -> str | None:
    match = re.fullmatch(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::\d{1,5})?(/[^#]*)?", uri)
    return None if match is None else match[1] + (match[2] or "")
