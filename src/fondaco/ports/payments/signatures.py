"""Stripe's webhook signatures: `Stripe-Signature: t=…,v1=…`, HMAC-SHA256 over "t.body" in
hexadecimal (docs.stripe.com/webhooks#verify-manually); several v1, where a secret is being changed.
"""

import hmac
from collections.abc import Iterable
from typing import Final

from fondaco.kernel.errors import Denied

HEADER: Final = "stripe-signature"
TOLERANCE_S: Final = 300
_LENGTH_MAX: Final = 2_000


def sign(secret: str, at_s: int, body: bytes) -> str:
    """One signature, 64 hexadecimal digits."""
    return hmac.digest(secret.encode(), b"%d." % at_s + body, "sha256").hex()


def header_of(secrets: Iterable[str], at_s: int, body: bytes) -> str:
    return ",".join([f"t={at_s}", *(f"v1={sign(each, at_s, body)}" for each in secrets)])


def verify(
    secrets: Iterable[str],
    header: str | None,
    body: bytes,
    now_s: float,
    tolerance_s: int = TOLERANCE_S,
) -> int:
    """When it was signed, s. Raises `Denied`: "unsigned", "bad_signature" or "stale"."""
    if not header or len(header) > _LENGTH_MAX:
        raise Denied("the message has no Stripe-Signature", code="unsigned")
    said: list[str] = []
    given: list[str] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            said.append(value)
        elif name == "v1":
            given.append(value)
    if len(said) != 1 or not (said[0].isascii() and said[0].isdecimal() and len(said[0]) <= 12):
        raise Denied("the signature names no time", code="unsigned")
    at_s = int(said[0])
    # All are compared, so that time says nothing of which one was nearly right.
    found = [
        hmac.compare_digest(sign(secret, at_s, body).encode(), each.encode())
        for secret in secrets
        for each in given
    ]
    if not any(found):
        raise Denied("no secret of ours has signed the message", code="bad_signature")
    off_s = abs(now_s - at_s)
    if off_s > tolerance_s:
        raise Denied(
            f"the message was signed {off_s:.0f} s away from now, more than {tolerance_s}",
            code="stale",
        )
    return at_s
