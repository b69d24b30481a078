"""Which addresses may be called: public ones, and networks that somebody has allowed.

What a stranger lets us call (a webhook, a provider's keys) must not reach what only we can reach:
our own ports, the neighbours', the cloud's metadata (OWASP: server-side request forgery). The lists
are IANA's special-purpose registries; an address inside another (mapped, NAT64, 6to4, Teredo) is
judged by both.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from fondaco.kernel.errors import Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC: Final = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "::/16",  # unspecified, loopback, compatible and mapped ones
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/9",  # link and site
        "ff00::/8",
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
LOOPBACK: Final = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


def networks(text: str) -> tuple[Network, ...]:
    """From `10.0.0.0/8, fd00::/8`. Raises `Invalid`."""
    try:
        return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise Invalid(f"{text!r} is no list of networks like 10.0.0.0/8: {error}") from error


def read(text: str) -> Address:
    """Without the zone that link-local addresses may have."""
    return ip_address(text.partition("%")[0])


def is_allowed(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether somebody has allowed its network."""
    return any(address in network for network in allowed)


def is_public(address: Address) -> bool:
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return all(is_public(each) for each in _within(address))


def _within(address: Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    found = [address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [each for each in found if each is not None]
