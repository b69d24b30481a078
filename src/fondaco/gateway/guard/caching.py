"""Answers that a client may keep, and is told to ask about (RFC 9110, 8.8 and 13; RFC 9111).

The tag is of the content and of whoever asks: what one may keep says nothing to another. Nothing is
kept without asking again (`no-cache`), by nobody in between (`private`). What is secret or about a
person is kept nowhere (`no-store`), and has no tag.
"""

from hashlib import blake2b
from typing import Final

from fondaco.gateway.house import Caller

HEADERS: Final = (
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Authorization, Cookie"),
)
PERSONAL: Final = ("identity.", "users.", "kyc.", "approvals.", "secrets.")


def is_kept(operation: str, *, secret: bool) -> bool:
    """Whether answers of this operation may be kept."""
    return not secret and not operation.startswith(PERSONAL)


def tag_of(caller: Caller, body: bytes) -> bytes:
    """Strong: the same bytes for the same caller."""
    who = f"{caller.tenant}/{caller.name}".encode()
    return b'"%b"' % blake2b(body, digest_size=12, key=blake2b(who).digest()).hexdigest().encode()


def is_same(asked: bytes, tag: bytes) -> bool:
    """Whether If-None-Match names it; compared weakly, as it must be (RFC 9110, 13.1.2)."""
    if asked.strip() == b"*":
        return True
    named = (each.strip().removeprefix(b"W/") for each in asked.split(b","))
    return tag in named
