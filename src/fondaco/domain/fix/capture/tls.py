"""What an encrypted connection shows of itself before it hides: versions, cipher, certificate.

TLS 1.2 (RFC 5246) sends its certificate in the clear, TLS 1.3 (RFC 8446) does not: what was not
seen is said to be unknown, never good. Reads just enough DER (X.690) for names and validity.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import md5, sha256
from typing import Final

import msgspec

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_SERVER_HELLO: Final = 2
_CERTIFICATE: Final = 11
_SNI: Final = 0
_SUPPORTED_VERSIONS: Final = 43
_GROUPS: Final = 10
_FORMATS: Final = 11
_COMMON_NAME: Final = b"\x55\x04\x03"
_VERSIONS: Final = {
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}
# RFC 9325 section 4.1 and the IANA registry.
_NULL: Final = frozenset({0x0000, 0x0001, 0x0002, 0x003B, 0xC006, 0xC010, 0xC001, 0xC00B, 0xC015})
_EXPORT: Final = frozenset({0x0003, 0x0006, 0x0008, 0x000B, 0x000E, 0x0011, 0x0014, 0x0017, 0x0019})
_RC4: Final = frozenset({0x0004, 0x0005, 0x0018, 0xC002, 0xC007, 0xC00C, 0xC011, 0xC016})
_DES: Final = frozenset(
    {0x0009, 0x000A, 0x000C, 0x000D, 0x000F, 0x0010, 0x0012, 0x0013, 0x0015, 0x0016, 0x001A, 0x001B}
    | {0xC003, 0xC008, 0xC00D, 0xC012, 0xC017}
)


class Greeting(msgspec.Struct, frozen=True):
    """What one end said of itself. Empty strings and zeros are what it did not show.

    `ja3` is the hash of what a client offers (Althouse, Atkinson and Atkins, 2017), `subject` the
    common name of the leaf, `fingerprint` its SHA-256; `not_before` and `not_after` are seconds
    since 1970.
    """

    role: str = ""
    version: str = ""
    cipher: int = 0
    server_name: str = ""
    ja3: str = ""
    subject: str = ""
    fingerprint: str = ""
    self_signed: bool = False
    not_before: int = 0
    not_after: int = 0

    def weaknesses(self, at_s: int) -> list[str]:
        """What FIXS (FIX-over-TLS 1.1) forbids and this end did, at a time in seconds."""
        found = []
        if self.role == "server":
            if self.version in ("SSL 3.0", "TLS 1.0", "TLS 1.1"):
                found.append(f"{self.version} was agreed on; FIXS asks for TLS 1.2 or 1.3")
            for kind, suites in (
                ("no encryption", _NULL),
                ("export grade", _EXPORT),
                ("RC4", _RC4),
                ("DES or 3DES", _DES),
            ):
                if self.cipher in suites and self.version:
                    found.append(f"cipher suite 0x{self.cipher:04X}: {kind}")
        if self.self_signed:
            found.append(f"the certificate {self.fingerprint[:16]} is self-signed")
        if self.not_after and at_s > self.not_after:
            found.append(f"the certificate ended on {_day(self.not_after)}")
        if self.not_before and at_s < self.not_before:
            found.append(f"the certificate begins on {_day(self.not_before)}")
        return found


def greeting_of(octets: bytes) -> Greeting:
    """Read the hello and the certificate in the first bytes of one direction.

    Whatever is cut or malformed ends the reading; what was read until there is given.
    """
    found: dict[str, object] = {}
    for kind, body in _handshakes(octets):
        try:
            if kind in (_CLIENT_HELLO, _SERVER_HELLO):
                found.update(_hello(kind, body))
            elif kind == _CERTIFICATE:
                found.update(_certificate(body))
        except (IndexError, ValueError):
            break
    return msgspec.convert(found, Greeting)


def _handshakes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    messages = bytearray()
    i = 0
    while i + 5 <= len(octets) and octets[i] == _HANDSHAKE:
        size = int.from_bytes(octets[i + 3 : i + 5], "big")
        messages += octets[i + 5 : i + 5 + size]
        i += 5 + size
    i = 0
    while i + 4 <= len(messages):
        size = int.from_bytes(messages[i + 1 : i + 4], "big")
        if messages[i] not in (_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE, 12, 13, 14, 16):
            return
        yield messages[i], bytes(messages[i + 4 : i + 4 + size])
        i += 4 + size


def _hello(kind: int, body: bytes) -> dict[str, object]:
    server = kind == _SERVER_HELLO
    version = int.from_bytes(body[0:2], "big")
    i = 34
    i += 1 + body[i]
    cipher = int.from_bytes(body[i : i + 2], "big") if server else 0
    suites = b"" if server else body[i + 2 : i + 2 + int.from_bytes(body[i : i + 2], "big")]
    i += 2 if server else 2 + len(suites)
    i += 1 if server else 1 + body[i]
    found: dict[str, object] = {"role": "server" if server else "client", "cipher": cipher}
    i += 2
    offers: dict[int, bytes] = {}
    while i + 4 <= len(body):
        extension = int.from_bytes(body[i : i + 2], "big")
        size = int.from_bytes(body[i + 2 : i + 4], "big")
        value = offers[extension] = body[i + 4 : i + 4 + size]
        if extension == _SUPPORTED_VERSIONS:
            offered = value if server else value[1:]
            known = [int.from_bytes(offered[k : k + 2], "big") for k in range(0, len(offered), 2)]
            version = max((each for each in known if each in _VERSIONS), default=version)
        elif extension == _SNI and not server:
            found["server_name"] = value[5:].decode("latin-1")
        i += 4 + size
    if not server:
        legacy = int.from_bytes(body[0:2], "big")
        found["ja3"] = ja3(legacy, suites, offers)
    found["version"] = _VERSIONS.get(version, f"0x{version:04X}")
    return found


def ja3(version: int, suites: bytes, offers: Mapping[int, bytes]) -> str:
    """Version, cipher suites, extensions, groups and point formats, without GREASE (RFC 8701)."""
    lists = (
        _pairs(suites),
        list(offers),
        _pairs(offers.get(_GROUPS, b"")[2:]),
        list(offers.get(_FORMATS, b"")[1:]),
    )
    parts = [f"{version}"]
    parts += ["-".join(f"{n}" for n in each if n & 0x0F0F != 0x0A0A) for each in lists]
    return md5(",".join(parts).encode(), usedforsecurity=False).hexdigest()


def _pairs(octets: bytes) -> list[int]:
    return [int.from_bytes(octets[k : k + 2], "big") for k in range(0, len(octets) - 1, 2)]


def _certificate(body: bytes) -> dict[str, object]:
    """RFC 5246 section 7.4.2: a list of certificates, the leaf first."""
    size = int.from_bytes(body[3:6], "big")
    leaf = body[6 : 6 + size]
    if len(leaf) < size or not size:
        raise ValueError("the certificate is cut")
    [whole] = _der(leaf)
    fields = list(_der(next(_der(whole[1]))[1]))
    if fields[0][0] == 0xA0:  # version
        fields = fields[1:]
    issuer, validity, subject = fields[2][1], fields[3][1], fields[4][1]
    not_before, not_after = (_time(*each) for each in _der(validity))
    return {
        "fingerprint": sha256(leaf).hexdigest(),
        "subject": _name(subject),
        "self_signed": issuer == subject,
        "not_before": not_before,
        "not_after": not_after,
    }


def _name(subject: bytes) -> str:
    """The first common name (X.520, 2.5.4.3) of a distinguished name, or ""."""
    for _, relative in _der(subject):
        for _, attribute in _der(relative):
            kind, value = list(_der(attribute))[:2]
            if kind[1] == _COMMON_NAME:
                return value[1].decode("utf-8", "replace")
    return ""


def _der(octets: bytes) -> Iterator[tuple[int, bytes]]:
    i = 0
    while i < len(octets):
        tag, size = octets[i], octets[i + 1]
        i += 2
        if size & 0x80:
            width = size & 0x7F
            size = int.from_bytes(octets[i : i + width], "big")
            i += width
        yield tag, octets[i : i + size]
        i += size


def _time(tag: int, text: bytes) -> int:
    """UTCTime (years 1950 to 2049) or GeneralizedTime, as seconds."""
    digits = text.decode("ascii").rstrip("Z")
    if tag == 23:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    return int(datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp())


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
