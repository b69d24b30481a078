"""Standard Webhooks signatures (github.com/standard-webhooks, specification of 2023): HMAC-SHA256
over "id.timestamp.body", in base64 behind "v1,"; several, where a secret is being changed."""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping
from typing import Final

from fondaco.kernel.errors import Denied, Invalid

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  the specification's
SECRET_BYTES: Final = range(24, 65)
TOLERANCE_S: Final = 300
ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"


def secret_of(key: bytes) -> str:
    """24 to 64 random bytes as they are shown and kept."""
    return SECRET_PREFIX + b64encode(key).decode()


def key_of(secret: str) -> bytes:
    """Raises `Invalid`."""
    try:
        key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (NotBase64, ValueError):
        key = b""
    if len(key) not in SECRET_BYTES:
        raise Invalid("a secret is whsec_ and the base64 of 24 to 64 bytes")
    return key


def sign(secret: str, msg_id: str, timestamp_s: int, body: bytes) -> str:
    """One signature: "v1,…"."""
    signed = b"%s.%d.%s" % (msg_id.encode(), timestamp_s, body)
    return "v1," + b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode()


def headers_of(
    secrets: Iterable[str], msg_id: str, timestamp_s: int, body: bytes
) -> dict[str, str]:
    """Of a message, signed with each secret; the newest first."""
    return {
        ID: msg_id,
        TIMESTAMP: str(timestamp_s),
        SIGNATURE: " ".join(sign(secret, msg_id, timestamp_s, body) for secret in secrets),
    }


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    now_s: float,
    tolerance_s: int = TOLERANCE_S,
) -> str:
    """The message's id. Header names are in lower case. Raises `Denied` for what was not signed
    with `secret`, or is too old or too new to be believed."""
    try:
        msg_id, said_s, given = headers[ID], headers[TIMESTAMP], headers[SIGNATURE]
    except KeyError as error:
        raise Denied(f"the header {error.args[0]} is missing", code="unsigned") from None
    if not (said_s.isascii() and said_s.isdecimal() and len(said_s) <= 12):
        raise Denied(f"{TIMESTAMP} is no time in seconds", code="unsigned")
    off_s = abs(now_s - int(said_s))
    if off_s > tolerance_s:
        raise Denied(
            f"{TIMESTAMP} is {off_s:.0f} s away from now, at most {tolerance_s} are allowed",
            code="stale",
        )
    expected = sign(secret, msg_id, int(said_s), body).encode()
    # All are compared, so that time says nothing of which one was nearly right.
    found = [hmac.compare_digest(expected, each.encode()) for each in given.split(" ")]
    if not any(found):
        raise Denied("no signature of the message is by this secret", code="bad_signature")
    return msg_id
