"""Signed tokens: JWS in its compact form (RFC 7515, 7519, 8037) and the keys of it (RFC 7517).

Which algorithm is used is said by the key, never by the token: a token whose header names another
one is refused, and so "none", or a public key used as an HMAC secret, is nothing that could be
asked for (RFC 8725 section 3.1).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fondaco.kernel.errors import Denied, Invalid

Algorithm = Literal["EdDSA", "ES256", "RS256"]
PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
RSA_BITS: Final = 2_048
TOKEN_MAX: Final = 16_384
_COORDINATE: Final = 32  # bytes of one number of P-256
_PADDING: Final = padding.PKCS1v15()
_ECDSA: Final = ec.ECDSA(SHA256())


class Header(msgspec.Struct, frozen=True):
    """`crit` names what a reader must understand; we understand nothing of that kind."""

    alg: str = ""
    kid: str = ""
    typ: str = ""
    crit: Any = None


class UnknownKey(Denied):
    """Its issuer may have rotated its keys since they were read."""


class VerifyingKey(msgspec.Struct, frozen=True):
    kid: str
    alg: Algorithm
    key: Any


_header: Final = msgspec.json.Decoder(Header)
_claims: Final = msgspec.json.Decoder(dict[str, Any])


def parts_of(token: str) -> tuple[Header, bytes, bytes, bytes]:
    """Header, payload, what was signed, and the signature; nothing is verified yet."""
    pieces = token.split(".")
    if len(pieces) != 3 or len(token) > TOKEN_MAX or not token.isascii():
        raise refused("it is no signed token")
    try:
        header = _header.decode(decoded(pieces[0]))
        payload, signature = decoded(pieces[1]), decoded(pieces[2])
    except (ValueError, msgspec.MsgspecError):
        raise refused("it is no signed token") from None
    return header, payload, f"{pieces[0]}.{pieces[1]}".encode(), signature


def verified(token: str, keys: Mapping[str, VerifyingKey], typ: tuple[str, ...]) -> dict[str, Any]:
    """The claims of a token that one of `keys` has signed. `typ` are the kinds that are taken, in
    lower case. Raises `Denied`, and `UnknownKey` where that is not one of them."""
    header, payload, text, signature = parts_of(token)
    key = keys.get(header.kid)
    if key is None:
        raise UnknownKey(
            "the token is signed with a key that is not known here", code="unauthenticated"
        )
    if header.alg != key.alg or header.crit is not None:
        raise refused("its algorithm is not that of its key")
    if header.typ.lower().removeprefix("application/") not in typ:
        raise refused("it is a token of another kind")
    check(key, text, signature)
    try:
        return _claims.decode(payload)
    except msgspec.MsgspecError:
        raise refused("its claims are no object") from None


def check(key: VerifyingKey, text: bytes, signature: bytes) -> None:
    """Raises `Denied` unless `signature` is of `text`, by `key`."""
    try:
        match key.alg:
            case "EdDSA":
                key.key.verify(signature, text)
            case "RS256":
                key.key.verify(signature, text, _PADDING, SHA256())
            case "ES256":
                if len(signature) != 2 * _COORDINATE:
                    raise InvalidSignature
                r, s = signature[:_COORDINATE], signature[_COORDINATE:]
                der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
                key.key.verify(der, text, _ECDSA)
    except InvalidSignature:
        raise refused("its signature does not fit") from None


def signed(claims: Mapping[str, Any], key: PrivateKey, kid: str, typ: str) -> str:
    alg = algorithm_of(key)
    header = msgspec.json.encode({"alg": alg, "kid": kid, "typ": typ})
    text = f"{encoded(header)}.{encoded(msgspec.json.encode(claims))}"
    raw = text.encode()
    if isinstance(key, Ed25519PrivateKey):
        signature = key.sign(raw)
    elif isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(raw, _PADDING, SHA256())
    else:
        r, s = decode_dss_signature(key.sign(raw, _ECDSA))
        signature = r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")
    return f"{text}.{encoded(signature)}"


def generated(alg: Algorithm) -> PrivateKey:
    match alg:
        case "EdDSA":
            return Ed25519PrivateKey.generate()
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "RS256":
            return rsa.generate_private_key(65_537, RSA_BITS)


def algorithm_of(key: PrivateKey | PublicKey) -> Algorithm:
    if isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        return "EdDSA"
    return "RS256" if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) else "ES256"


def jwk_of(key: PublicKey) -> dict[str, str]:
    """The public key as others read it; its `kid` is its thumbprint (RFC 7638)."""
    if isinstance(key, Ed25519PublicKey):
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        named = {"crv": "Ed25519", "kty": "OKP", "x": encoded(raw)}
    elif isinstance(key, rsa.RSAPublicKey):
        n = key.public_numbers()
        named = {"e": _number(n.e), "kty": "RSA", "n": _number(n.n)}
    else:
        point = key.public_numbers()
        x, y = (each.to_bytes(_COORDINATE, "big") for each in (point.x, point.y))
        named = {"crv": "P-256", "kty": "EC", "x": encoded(x), "y": encoded(y)}
    kid = encoded(sha256(msgspec.json.encode(named)).digest())
    return {**named, "kid": kid, "use": "sig", "alg": algorithm_of(key)}


def key_of(jwk: Mapping[str, Any]) -> VerifyingKey | None:
    """One of a set; None for a key of a kind that we do not use, or that is not for signing."""
    if jwk.get("use", "sig") != "sig":
        return None
    try:
        found = _public(jwk)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Invalid(f"key {str(jwk.get('kid'))[:64]!r} cannot be read: {error}") from None
    if found is None or jwk.get("alg", algorithm_of(found)) != algorithm_of(found):
        return None
    return VerifyingKey(str(jwk.get("kid", "")), algorithm_of(found), found)


def _public(jwk: Mapping[str, Any]) -> PublicKey | None:
    match jwk.get("kty"), jwk.get("crv"):
        case "OKP", "Ed25519":
            return Ed25519PublicKey.from_public_bytes(decoded(jwk["x"]))
        case "EC", "P-256":
            x, y = (int.from_bytes(decoded(jwk[each]), "big") for each in "xy")
            return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        case "RSA", _:
            n, e = (int.from_bytes(decoded(jwk[each]), "big") for each in "ne")
            if n.bit_length() < RSA_BITS:
                raise ValueError(f"RSA of {n.bit_length()} bits, must have {RSA_BITS}")
            return rsa.RSAPublicNumbers(e, n).public_key()
    return None


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Raises `ValueError` for anything but what `encoded` writes."""
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encoded(raw) != text:
        raise ValueError("no base64url")
    return raw


def _number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def refused(why: str) -> Denied:
    return Denied(f"the token is refused: {why}", code="unauthenticated")
