"""What connections prove, and whose word is taken for what others have proved to them.

A client's certificate is read where the door asks for one. What a proxy says of its clients, in
X-Forwarded-Client-Cert (Envoy), X-Forwarded-For, X-Forwarded-Proto or the header of a CDN, is read
only where the proxy is one that the settings name: by its network, or by the name in its own
certificate. From everybody else these headers mean nothing.
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

from fondaco.kernel.errors import Invalid
from fondaco.kernel.line import Line

SPIFFE: Final = "spiffe://"
CERTIFICATE: Final = b"x-forwarded-client-cert"
_FOR: Final = b"x-forwarded-for"
_PROTO: Final = b"x-forwarded-proto"
_CLOUDFRONT: Final = b"cloudfront-viewer-address"
_KEPT_MAX: Final = 1_000  # clients of one connection of a proxy that are remembered
_ELEMENT: Final = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,]*)([;,]|$)')
_HEX: Final = re.compile(r"[0-9a-f]{64}").fullmatch


class Lines:
    """`proxies` are networks (CIDR) and SPIFFE ids, parted by commas or blanks; `viewer` is the
    header in which a CDN says who its client is, "" for none. Raises `Invalid`."""

    def __init__(self, proxies: str = "", viewer: str = "") -> None:
        self._ids: set[str] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        self._viewer = viewer.strip().lower().encode()
        for each in proxies.replace(",", " ").split():
            if each.startswith(SPIFFE):
                self._ids.add(each)
                continue
            try:
                self._networks.append(ip_network(each))
            except ValueError as error:
                raise Invalid(
                    f"proxies names {each[:60]!r}, must be a network such as 10.0.0.0/8 or a "
                    f"SPIFFE id such as spiffe://house/door: {error}"
                ) from None

    def of(self, transport: asyncio.BaseTransport, address: str) -> Line:
        """A connection, as it was made."""
        tls = transport.get_extra_info("ssl_object")
        peer = "" if tls is None else name_in(tls)
        is_proxy = peer in self._ids or self._is_ours(address)
        return Line(address, peer, is_encrypted=tls is not None, is_proxy=is_proxy)

    def behind(self, line: Line, headers: Mapping[bytes, bytes]) -> Line:
        """Whom a proxy's request is of. The same for the same words, as long as the line lasts."""
        said = [headers.get(each, b"") for each in (CERTIFICATE, _FOR, _PROTO, self._viewer)]
        key = b"\n".join(said).decode("latin-1")
        found: Line | None = line.held.get(key)
        if found is None:
            if len(line.held) >= _KEPT_MAX:
                line.held.clear()
            found = line.held[key] = self._behind(line, *said)
        return found

    def _behind(self, line: Line, named: bytes, hops: bytes, proto: bytes, viewer: bytes) -> Line:
        # CloudFront always adds a port, which of an IPv6 address looks like a part.
        if self._viewer == _CLOUDFRONT:
            viewer = viewer.rpartition(b":")[0]
        address = _address_in(viewer) if self._viewer else ""
        address = address or self._first_stranger(hops) or str(line)
        # What leaves a proxy in clear text leaves it on the machine that both are on, or is read.
        is_safe = line.is_encrypted or _is_here(line)
        said = proto.strip().lower() == b"https" if proto else bool(named)
        is_encrypted = is_safe and said
        return Line(address, name_said(named.decode("latin-1")), is_encrypted=is_encrypted)

    def _first_stranger(self, hops: bytes) -> str:
        """From the right: each proxy has added whom it saw, and what stands before the first that
        is none of ours was written by who knows whom."""
        for each in reversed(hops.decode("latin-1").split(",")):
            address = _address_in(each.strip().encode("latin-1"))
            if not address or not self._is_ours(address):
                return address
        return ""

    def _is_ours(self, address: str) -> bool:
        if not self._networks:
            return False
        with suppress(ValueError):
            found = ip_address(address)
            return any(found in network for network in self._networks)
        return False


def name_in(tls: Any) -> str:
    """The SPIFFE id in the certificate that the other side of `tls` has shown, or its fingerprint;
    "" where it has shown none."""
    shown = tls.getpeercert(binary_form=True)
    if not shown:
        return ""
    for kind, value in (tls.getpeercert() or {}).get("subjectAltName", ()):
        if kind == "URI" and value.startswith(SPIFFE):
            return str(value)
    return f"sha256:{sha256(shown).hexdigest()}"


def name_said(header: str) -> str:
    """The same as Envoy says it in X-Forwarded-Client-Cert: of the last element, which is the one
    that the proxy nearest to us has verified itself. "" where there is none, or it is garbled."""
    elements: list[dict[str, str]] = [{}]
    at = 0
    while at < len(header):
        found = _ELEMENT.match(header, at)
        if found is None or found.end() == at:
            return ""
        name, value, end = found[1].lower(), found[2], found[3]
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        elements[-1].setdefault(name, value)
        if end == ",":
            elements.append({})
        at = found.end()
    last = elements[-1]
    if last.get("uri", "").startswith(SPIFFE):
        return last["uri"]
    digest = last.get("hash", "").lower()
    return f"sha256:{digest}" if _HEX(digest) else ""


def _address_in(text: bytes) -> str:
    """An address with or without a port, as CDNs and proxies write it; "" where it is none."""
    said = text.decode("latin-1").strip()
    for each in (said, said.rpartition(":")[0] if "." in said or "]" in said else ""):
        with suppress(ValueError):
            return str(ip_address(each.strip("[]")))
    return ""


def _is_here(address: str) -> bool:
    with suppress(ValueError):
        return ip_address(str(address)).is_loopback
    return False
