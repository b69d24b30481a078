"""How a key may be used besides by whom: from which networks, and whether it signs requests."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, Protocol

import msgspec

from fondaco.domain.identity.model import Caller, Key, Scope, scopes_of
from fondaco.domain.identity.signatures import Signing
from fondaco.kernel.errors import Denied, Invalid

FOUND_MAX: Final = 64


class Terms(msgspec.Struct, frozen=True):
    """How a key may be used. `public_key` is that of ed25519, whose other half is not here."""

    networks: tuple[str, ...] = ()
    signing: Signing = ""
    public_key: bytes = b""


ANY: Final = Terms()


class KeySealing(Protocol):
    """Keeps the secrets of keys that sign."""

    def seal(self, text: bytes, about: str) -> bytes: ...

    def unseal(self, sealed: bytes, about: str) -> bytes: ...


class Guard:
    """What is asked of a key besides its token. Most have none, and are asked nothing."""

    __slots__ = ("_found", "networks", "signing")

    def __init__(self, key: Key) -> None:
        self.networks = [ip_network(each) for each in key.networks]
        self._found: set[str] = set()  # addresses that were within lately: to read one takes time
        self.signing: Signing = key.signing  # type: ignore[assignment]  # checked when it was made

    def check(self, address: str, *, signed: bool) -> None:
        """Raises `Denied`."""
        if bool(self.signing) != signed:
            raise Denied(
                "this key signs requests: send Signature-Input and Signature, and no token"
                if self.signing
                else "this key signs nothing: send its token",
                code="unauthenticated",
            )
        if not self.networks or address in self._found:
            return
        if not _is_within(address, self.networks):
            raise Denied(
                f"this key may not be used from {address or 'where you are'}: its list of networks "
                "does not hold it",
                code="address_not_allowed",
            )
        if len(self._found) >= FOUND_MAX:
            self._found.clear()
        self._found.add(address)


def _is_within(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)


def next_name(name: str, taken: set[str]) -> str:
    """bot, bot.2, bot.3: a name in a log means one key for ever."""
    stem, dot, number = name.rpartition(".")
    stem, nth = (stem, int(number) + 1) if dot and number.isdecimal() and stem else (name, 2)
    while f"{stem}.{nth}" in taken:
        nth += 1
    return f"{stem}.{nth}"


def networks_of(texts: Iterable[str]) -> tuple[str, ...]:
    """As they are kept: sorted, each once. Raises `Invalid` for what is no network."""
    found = []
    for text in texts:
        try:
            found.append(str(ip_network(text)))
        except ValueError as error:
            raise Invalid(
                f"networks has {text[:64]!r}: {error}; write 203.0.113.0/24 or 2001:db8::/32"
            ) from None
    return tuple(sorted(frozenset(found)))


def check_holds(caller: Caller, scopes: Iterable[Scope], accounts: Iterable[str] | None) -> None:
    """Raises `Denied` unless the caller may do all of that."""
    for scope in scopes:
        caller.require(scope)
    if accounts is None and caller.accounts is not None:
        raise Denied(f"{caller.name} may not use all accounts", code="forbidden")
    for account in accounts or ():
        caller.require("", account)


def check_whole(caller: Caller) -> None:
    """A key that may do a part of what its user may must not lead to a service account's."""
    if caller.accounts is not None or caller.scopes != scopes_of(caller.roles):
        raise Denied(
            "a service account's keys are made by somebody signed in, or by a key that may do all "
            "that its user may",
            code="forbidden",
        )
