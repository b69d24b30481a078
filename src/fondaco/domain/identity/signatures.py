"""Signed requests: HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530).

Whoever signs sends no token at all, so nothing that passes by can be used again. We take one
signature over at least the method, the path, the query, and the digest of a body, with `created`,
`keyid` and a `nonce` that is good once. Algorithms are the two that the standard names for this:
hmac-sha256 and ed25519; the key says which, never the request (RFC 9421 section 7.3.6).
"""

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from hashlib import sha256, sha512
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fondaco.domain.identity.model import SignedRequest
from fondaco.kernel.errors import Denied, Unavailable
from fondaco.kernel.event import Instant

Signing = Literal["", "hmac-sha256", "ed25519"]
SKEW_S: Final = 60  # how old or early a signature may be
NONCES_MAX: Final = 100_000  # within that time
COMPONENTS_MAX: Final = 16
REQUIRED: Final = ("@method", "@path", "@query")
SECOND_NS: Final = 1_000_000_000
_INPUT: Final = re.compile(
    r'([a-z*][a-z0-9_.*-]{0,63})=(\(((?:"[a-z0-9@_.-]{1,64}" ?){1,20})\)'
    r'((?:;[a-z]{1,16}=(?:"[!#-\[\]-~]{0,255}"|\d{1,15})){1,8}))'
).fullmatch
_PARAMETER: Final = re.compile(r';([a-z]+)=(?:"([^"]*)"|(\d+))')
_NAME: Final = re.compile(r'"([^"]+)"')
_SIGNATURE: Final = re.compile(r"([a-z*][a-z0-9_.*-]{0,63})=:([A-Za-z0-9+/=]{1,200}):").fullmatch
_DIGEST: Final = re.compile(r"(sha-256|sha-512)=:([A-Za-z0-9+/=]{1,100}):").fullmatch


class Signature(msgspec.Struct, frozen=True):
    key_id: str
    nonce: str
    created: int  # seconds since 1970, UTC
    expires: int | None
    algorithm: str  # "" where it is left to the key
    components: tuple[str, ...]
    text: bytes  # what was signed
    value: bytes


def read(request: SignedRequest) -> Signature:
    """The one signature of a request. Raises `Denied` for what is not as we take it."""
    given, signature = _header(request, b"signature-input"), _header(request, b"signature")
    found, value = _INPUT(given), _SIGNATURE(signature)
    if found is None or value is None or found[1] != value[1]:
        raise refused("send one signature: Signature-Input and Signature with the same label")
    parameters: dict[str, str] = {}
    for name, text, number in _PARAMETER.findall(found[4]):
        if name in parameters:
            raise refused(f"the parameter {name} is given twice")
        parameters[name] = text or number
    components = tuple(_NAME.findall(found[3]))
    if len(set(components)) != len(components) or len(components) > COMPONENTS_MAX:
        raise refused(f"name each component once, and at most {COMPONENTS_MAX}")
    for name in ("created", "keyid", "nonce"):
        if not parameters.get(name):
            raise refused(f"the signature lacks the parameter {name}")
    expires = parameters.get("expires", "")
    if not parameters["created"].isdecimal() or (expires and not expires.isdecimal()):
        raise refused("created and expires are whole seconds since 1970")
    try:
        raw = b64decode(value[2], validate=True)
    except NotBase64:
        raise refused("the signature is no base64") from None
    return Signature(
        parameters["keyid"],
        parameters["nonce"],
        int(parameters["created"]),
        int(expires) if expires else None,
        parameters.get("alg", ""),
        components,
        text_of(request, components, found[2]),
        raw,
    )


def text_of(request: SignedRequest, components: Sequence[str], parameters: str) -> bytes:
    """The signature base, RFC 9421 section 2.5. `parameters` is what follows the label."""
    lines = [f'"{name}": {_component(request, name)}' for name in components]
    lines.append(f'"@signature-params": {parameters}')
    return "\n".join(lines).encode("latin-1")


def check_cover(signature: Signature, request: SignedRequest) -> None:
    """Raises `Denied` where something of the request is not signed, or the body is another."""
    required = (*REQUIRED, "content-digest") if request.body else REQUIRED
    missing = [name for name in required if name not in signature.components]
    if missing:
        raise refused(f"the signature does not cover {', '.join(missing)}")
    if request.body or b"content-digest" in request.headers:
        found = _DIGEST(_header(request, b"content-digest"))
        if found is None:
            raise refused("Content-Digest must be sha-256=:…: or sha-512=:…:")
        digest = (sha256 if found[1] == "sha-256" else sha512)(request.body).digest()
        if not hmac.compare_digest(b64encode(digest).decode(), found[2]):
            raise refused("Content-Digest is of another body")


def check_value(signature: Signature, signing: Signing, secret: bytes) -> None:
    """`secret` is that of hmac-sha256, or the public key of ed25519. Raises `Denied`."""
    if signature.algorithm not in ("", signing):
        raise refused(f"this key signs with {signing}")
    if signing == "hmac-sha256":
        wanted = hmac.digest(secret, signature.text, "sha256")
        if not hmac.compare_digest(wanted, signature.value):
            raise refused("the signature does not fit")
        return
    try:
        Ed25519PublicKey.from_public_bytes(secret).verify(signature.value, signature.text)
    except InvalidSignature:
        raise refused("the signature does not fit") from None


class Nonces:
    """Those that were used lately. Nothing from before it was made is taken, since what was used
    then is not known; so a signature is good once also across a restart."""

    def __init__(self, clock: Callable[[], Instant]) -> None:
        self._clock = clock
        self._since_s = clock() // SECOND_NS
        self._used: dict[tuple[str, str], int] = {}  # until when it matters, in seconds

    def use(self, signature: Signature) -> None:
        """Raises `Denied` for what is old, early, or was used before."""
        now_s = self._clock() // SECOND_NS
        ends_s = signature.created + SKEW_S
        if signature.expires is not None:
            ends_s = min(ends_s, signature.expires)
        if not signature.created - SKEW_S <= now_s <= ends_s or signature.created < self._since_s:
            raise refused(
                f"the signature was created at {signature.created} and it is {now_s} here: at most "
                f"{SKEW_S} s may lie between, and no start of the house"
            )
        name = (signature.key_id, signature.nonce)
        if name in self._used:
            raise refused("this nonce was used before")
        if len(self._used) >= NONCES_MAX:
            self._used = {each: end for each, end in self._used.items() if end >= now_s}
            if len(self._used) >= NONCES_MAX:
                raise Unavailable("too many signed requests a minute; wait a moment")
        self._used[name] = signature.created + SKEW_S


def _component(request: SignedRequest, name: str) -> str:
    path, mark, query = request.target.partition("?")
    match name:
        case "@method":
            return request.method
        case "@path":
            return path
        case "@query":
            return f"?{query}" if mark else "?"
        case "@authority":
            return _header(request, b"host").lower()
        case _ if not name.startswith("@"):
            return _header(request, name.encode())
    raise refused(f"{name} cannot be signed here; sign {', '.join(REQUIRED)}")


def _header(request: SignedRequest, name: bytes) -> str:
    value = request.headers.get(name)
    if value is None:
        raise refused(f"the header {name.decode()} is missing")
    return value.decode("latin-1").strip()


def refused(why: str) -> Denied:
    return Denied(f"signed request: {why}", code="unauthenticated")
