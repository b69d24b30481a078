"""Time-based one-time passwords: RFC 6238 over RFC 4226, with SHA-1, six digits and 30 seconds,
which is what every authenticator reads.
"""

import hmac
from base64 import b32encode
from typing import Final
from urllib.parse import quote

STEP_S: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20  # as long as the hash, RFC 4226 section 4
DRIFT_STEPS: Final = 1  # either way, RFC 6238 section 5.2


def code_at(secret: bytes, step: int, digits: int = DIGITS, hash_name: str = "sha1") -> str:
    """The code of one time step, RFC 4226 section 5.3."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hash_name)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_of(at_ns: int) -> int:
    return at_ns // 1_000_000_000 // STEP_S


def step_that_fits(secret: bytes, code: str, at_ns: int, after: int) -> int | None:
    """The step that `code` is of, if it is near and later than `after`, which was used last: a code
    is good once. Takes as long whichever fits."""
    now, found = step_of(at_ns), None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        fits = hmac.compare_digest(code_at(secret, step).encode(), code.encode())
        if fits and step > after:
            found = step
    return found


def shown(secret: bytes) -> str:
    """As people type it."""
    return b32encode(secret).decode().rstrip("=")


def uri_of(secret: bytes, user: str, issuer: str) -> str:
    """What authenticators read from a picture: the key URI format."""
    label = quote(f"{issuer}:{user}")
    return (
        f"otpauth://totp/{label}?secret={shown(secret)}&issuer={quote(issuer)}"
        f"&algorithm=SHA1&digits={DIGITS}&period={STEP_S}"
    )
