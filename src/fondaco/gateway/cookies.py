"""A browser's session: the cookie that holds its token, and the header that proves that a request
comes from our own page.

The cookie is HttpOnly, so no script reads it, and SameSite=Strict, so no other site sends it. What
changes something must carry X-CSRF-Token besides, which is made from the token: a page of another
origin can neither read it nor send that header.
"""

import hmac
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from fondaco.kernel.errors import Denied

COOKIE: Final = b"fondaco_session"
HEADER: Final = b"x-csrf-token"
YEAR_S: Final = 365 * 86_400
_LABEL: Final = b"fondaco csrf"


def token_in(cookies: bytes) -> str:
    """The session's token; "" where there is none, or more than one, which is somebody's doing."""
    found = [
        value.strip()
        for name, _, value in (each.strip().partition(b"=") for each in cookies.split(b";"))
        if name.strip() == COOKIE
    ]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def device_in(cookies: bytes, tenant: str, user: str) -> str:
    """By what this browser is known to a person; "" for none."""
    name = _device_name(tenant, user)
    for each in cookies.split(b";"):
        found, _, value = each.strip().partition(b"=")
        if found == name:
            return value.decode("latin-1")[:200]
    return ""


def set_device(device: str, tenant: str, user: str) -> tuple[bytes, bytes]:
    """A header: the browser keeps for a year, for each person, by what it is known to them. It lets
    nobody in: it says only that a sign-in is from nowhere new."""
    name = _device_name(tenant, user).decode()
    text = f"{name}={device}; Max-Age={YEAR_S}; Path=/oauth; HttpOnly; SameSite=Lax; Secure"
    return b"set-cookie", text.encode()


def _device_name(tenant: str, user: str) -> bytes:
    digest = blake2b(f"{tenant}/{user}".encode(), digest_size=8).hexdigest()
    return f"fondaco_device_{digest}".encode()


def csrf_of(token: str) -> str:
    return hmac.digest(token.encode("latin-1", "replace"), _LABEL, "sha256").hex()[:32]


def check_csrf(token: str, headers: Mapping[bytes, bytes]) -> None:
    """Raises `Denied`."""
    if not hmac.compare_digest(headers.get(HEADER, b""), csrf_of(token).encode()):
        raise Denied(
            "with a cookie this needs the header X-CSRF-Token, which signing in has answered",
            code="csrf",
        )


def set_cookie(token: str, seconds: int) -> tuple[bytes, bytes]:
    """A header. No token: have it forgotten."""
    text = (
        f"{COOKIE.decode()}={token}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict; Secure"
    )
    return b"set-cookie", text.encode()
