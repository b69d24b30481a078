"""Passkeys: what an authenticator says of itself, held against what was asked (Web Authentication
Level 3, sections 7.1 and 7.2). Pure.

Nobody attests here which make an authenticator is of, so what a browser reads from an attestation
(`getPublicKey`, `getAuthenticatorData`) is all that we take, and no CBOR has to be read.
"""

import hmac
from base64 import urlsafe_b64decode
from collections.abc import Collection
from hashlib import sha256
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from fondaco.kernel.errors import Denied

PRESENT: Final = 0x01  # somebody touched it
VERIFIED: Final = 0x04  # and it knows who: by finger, face or PIN
MAY_BE_COPIED: Final = 0x08
IS_COPIED: Final = 0x10
HAS_CREDENTIAL: Final = 0x40
ALGORITHMS: Final = (-8, -7, -257)  # EdDSA, ES256, RS256, in the order of preference
ID_MAX: Final = 1_023  # bytes, Level 3 section 7.1
_FIXED: Final = 37  # bytes of authenticator data before any credential
_AAGUID: Final = 16


class ClientSaid(msgspec.Struct, frozen=True, rename={"cross_origin": "crossOrigin"}):
    """What a browser signs with: for which ask, on whose page."""

    type: str
    challenge: str
    origin: str
    cross_origin: bool = False


class Found(msgspec.Struct, frozen=True):
    """What authenticator data say."""

    flags: int
    sign_count: int
    credential_id: bytes


_client_said: Final = msgspec.json.Decoder(ClientSaid)


def check_client(raw: bytes, kind: str, challenge: bytes, origins: Collection[str]) -> None:
    """Raises `Denied` unless a page of ours asks this now, webauthn.create or webauthn.get."""
    try:
        said = _client_said.decode(raw)
        given = decoded(said.challenge)
    except (msgspec.MsgspecError, ValueError):
        raise refused("the client data cannot be read") from None
    if said.type != kind or said.cross_origin or said.origin not in origins:
        raise refused("it was not asked on a page of this house")
    if not hmac.compare_digest(given, challenge):
        raise refused("it answers another ask")


def read(data: bytes, rp_id: str) -> Found:
    """Raises `Denied` for another house's, or where nobody was present and verified."""
    if len(data) < _FIXED or not hmac.compare_digest(data[:32], sha256(rp_id.encode()).digest()):
        raise refused("it is for another house")
    flags = data[32]
    if not flags & PRESENT or not flags & VERIFIED:
        raise refused("the authenticator did not verify who uses it")
    if flags & IS_COPIED and not flags & MAY_BE_COPIED:
        raise refused("its flags contradict each other")
    sign_count, credential_id = int.from_bytes(data[33:37], "big"), b""
    if flags & HAS_CREDENTIAL:
        at = _FIXED + _AAGUID
        size = int.from_bytes(data[at : at + 2], "big")
        credential_id = data[at + 2 : at + 2 + size]
        if not 0 < size <= ID_MAX or len(credential_id) != size:
            raise refused("its credential cannot be read")
    return Found(flags, sign_count, credential_id)


def key_of(der: bytes) -> Any:
    """A public key of a kind that we asked for. Raises `Denied`."""
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise refused("its public key cannot be read") from None
    is_p256 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    is_rsa = isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2_048
    if not (is_p256 or is_rsa or isinstance(key, Ed25519PublicKey)):
        raise refused("its public key is of a kind that is not used here")
    return key


def check_signature(der: bytes, data: bytes, client_data: bytes, signature: bytes) -> None:
    """Raises `Denied`."""
    key, text = key_of(der), data + sha256(client_data).digest()
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, text)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, text, padding.PKCS1v15(), SHA256())
        else:
            key.verify(signature, text, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise refused("its signature does not fit") from None


def decoded(text: str) -> bytes:
    """base64url. Raises `ValueError`."""
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def refused(why: str) -> Denied:
    return Denied(f"the passkey is refused: {why}", code="sign_in_failed")
