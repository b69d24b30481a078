"""Web Push: a message for a browser that is not open here, which its maker carries and cannot read.

RFC 8030 (delivery), 8291 and 8188 (encryption), 8292 (who we are: VAPID).
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fondaco.kernel.errors import Invalid
from fondaco.ports.notices import Carried, Notice, Post, carried

RECORD_BYTES: Final = 4_096
PLAIN_MAX: Final = 3_993  # RFC 8291, section 4: what every service must take
TEXT_MAX: Final = 1_000
TTL_S: Final = 86_400
TOKEN_S: Final = 12 * 3_600  # at most 24 hours, RFC 8292 section 2
GONE: Final = (404, 410)
_CURVE: Final = ec.SECP256R1()


class Subscription(msgspec.Struct, frozen=True):
    """What a browser gives: PushSubscription.toJSON(), without `expirationTime`."""

    endpoint: str
    p256dh: str
    auth: str


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Raises `ValueError`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check(subscription: Subscription) -> None:
    """Raises `Invalid` for keys with which nothing could be encrypted."""
    try:
        _point(unb64(subscription.p256dh))
        is_fit = len(unb64(subscription.auth)) == 16
    except ValueError:
        is_fit = False
    if not is_fit:
        raise Invalid("p256dh must be a point of P-256, and auth 16 bytes, both in base64url")


def private_key_of(number: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(number), _CURVE)


def public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypt(
    plain: bytes, p256dh: bytes, auth: bytes, salt: bytes, key: ec.EllipticCurvePrivateKey
) -> bytes:
    """The body: one record of RFC 8188. `key` is for this message alone, `salt` has 16 bytes."""
    if len(plain) > PLAIN_MAX:
        raise Invalid(f"{len(plain)} bytes are more than a push message holds, {PLAIN_MAX}")
    ours = public_bytes(key.public_key())
    shared = key.exchange(ec.ECDH(), _point(p256dh))
    secret = _derived(shared, auth, b"WebPush: info\0" + p256dh + ours, 32)
    content_key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD_BYTES.to_bytes(4) + bytes([len(ours)]) + ours
    return head + AESGCM(content_key).encrypt(nonce, plain + b"\2", None)


def _point(raw: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, raw)


def _derived(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    return HKDF(hashes.SHA256(), size, salt, info).derive(secret)


def vapid(key: ec.EllipticCurvePrivateKey, endpoint: str, subject: str, now_s: int) -> str:
    """The header Authorization. `subject` is whom a push service may ask: mailto: or https:."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": now_s + TOKEN_S, "sub": subject}
    head = {"typ": "JWT", "alg": "ES256"}
    signed = f"{b64(msgspec.json.encode(head))}.{b64(msgspec.json.encode(claims))}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    token = f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"
    return f"vapid t={token}, k={b64(public_bytes(key.public_key()))}"


class WebPushCarrier:
    """`number` is the house's private key, 32 bytes; `now_s` seconds since 1970; `to`, when it
    carries, a Subscription as JSON."""

    def __init__(self, post: Post, number: bytes, subject: str, now_s: Callable[[], int]) -> None:
        self._post, self._key, self._subject = post, private_key_of(number), subject
        self._now_s = now_s

    def carry(self, to: str, notice: Notice) -> Carried:
        """See `Carrier`."""
        where = msgspec.json.decode(to, type=Subscription)
        said = {
            "id": notice.notice_id,
            "title": notice.subject[:200],
            "text": notice.text[:TEXT_MAX],
            "at": notice.at // 1_000_000,
            "leads_to": notice.leads_to,
        }
        try:
            body = encrypt(
                msgspec.json.encode(said),
                unb64(where.p256dh),
                unb64(where.auth),
                os.urandom(16),
                ec.generate_private_key(_CURVE),
            )
        except (ValueError, Invalid) as error:
            return Carried("refused", str(error))
        headers = {
            "Authorization": vapid(self._key, where.endpoint, self._subject, self._now_s()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_S),
            "Urgency": "high" if notice.is_urgent else "normal",
            "Topic": notice.notice_id[-32:],
        }
        place = urlsplit(where.endpoint).netloc
        return carried(self._post(place, where.endpoint, headers, body), GONE)
