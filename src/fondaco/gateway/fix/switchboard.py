"""Which sessions there are, and which of them a Logon means.

A session is named by BeginString, both CompIDs and, where they were agreed on, both SubIDs. A name
with `*` is a template: the first Logon that it fits makes the session, which stays.
"""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Final

import msgspec

from fondaco.domain.fix.api import Message, SessionId, Terms
from fondaco.gateway.fix.line import Line
from fondaco.gateway.fix.venue.route import VenueTerms
from fondaco.kernel.errors import Invalid, NotFound, Taken

DYNAMIC_MAX: Final = 1_000  # sessions made from templates
_WILD: Final = "*?["


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed with one counterparty: the terms, and how one gets there.

    `addresses` are networks ("192.0.2.0/24") from which they connect; none: from anywhere. `pins`
    are SHA-256 hashes, in hex, of their certificates; none: any that the port accepts. `connect`
    are "host:port" to try in turn, of an initiator. `key_id` is the API key in whose name orders
    are placed, `accounts` are those they may name, the first where they name none.
    """

    terms: Terms
    addresses: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    application: str = ""
    key_id: str = ""
    accounts: tuple[str, ...] = ()
    venue: VenueTerms | None = None  # where orders are routed out
    is_enabled: bool = True

    def __post_init__(self) -> None:
        check_networks(self.addresses)

    @property
    def is_template(self) -> bool:
        name = self.terms.id
        texts = (name.sender_comp_id, name.target_comp_id, name.sender_sub_id, name.target_sub_id)
        return any(sign in text for text in texts for sign in _WILD)


def check_networks(networks: tuple[str, ...]) -> None:
    """Raises `Invalid` for what is no network."""
    for each in networks:
        try:
            ip_network(each, strict=False)
        except ValueError as error:
            raise Invalid(
                f"address is {each[:40]!r}, must be a network such as 192.0.2.0/24"
            ) from error


def is_allowed(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address is in one of the networks; any is where none is named."""
    if not networks:
        return True
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return False  # no IP connection at all
    mapped = getattr(known, "ipv4_mapped", None)
    return any((mapped or known) in ip_network(each, strict=False) for each in networks)


class Switchboard:
    """`make` builds the line of an agreement."""

    def __init__(self, make: Callable[[Agreement], Line]) -> None:
        self._make = make
        self._lines: dict[SessionId, Line] = {}
        self._agreements: dict[SessionId, Agreement] = {}
        self._templates: list[Agreement] = []
        self._dynamic = 0

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines.values())

    def add(self, agreement: Agreement) -> Line | None:
        """Its line; None for a template. Raises `Conflict` for a name that is taken."""
        if agreement.is_template:
            self._templates.append(agreement)
            return None
        name = agreement.terms.id
        if name in self._lines:
            raise Taken(f"there is a session {name} already")
        line = self._lines[name] = self._make(agreement)
        line.is_enabled = agreement.is_enabled
        self._agreements[name] = agreement
        return line

    def known(self, name: SessionId) -> Line | None:
        return self._lines.get(name)

    def agreement(self, line: Line) -> Agreement:
        return self._agreements[line.id]

    def line(self, name: str) -> Line:
        """By its written name. Raises `NotFound`."""
        for known, line in self._lines.items():
            if str(known) == name:
                return line
        raise NotFound(f"there is no session {name[:200]}")

    def of_logon(self, message: Message) -> tuple[Line, Agreement] | None:
        """Whom a Logon means: what they call the sender is our target."""
        begin_string, target, sender = message.text(8), message.text(49), message.text(56)
        if not begin_string or not target or not sender:
            return None
        target_sub, sender_sub = message.text(50) or "", message.text(57) or ""
        for name in (
            SessionId(begin_string, sender, target, sender_sub, target_sub),
            SessionId(begin_string, sender, target, "", target_sub),
            SessionId(begin_string, sender, target, sender_sub, ""),
            SessionId(begin_string, sender, target),
        ):
            if name in self._lines:
                return self._lines[name], self._agreements[name]
        return self._of_template(SessionId(begin_string, sender, target, sender_sub, target_sub))

    def _of_template(self, name: SessionId) -> tuple[Line, Agreement] | None:
        if self._dynamic >= DYNAMIC_MAX:
            return None
        for template in self._templates:
            pattern = template.terms.id
            sender_sub = name.sender_sub_id if pattern.sender_sub_id else ""
            target_sub = name.target_sub_id if pattern.target_sub_id else ""
            meant = SessionId(
                name.begin_string, name.sender_comp_id, name.target_comp_id, sender_sub, target_sub
            )
            if _fits(meant, pattern):
                terms = msgspec.structs.replace(template.terms, id=meant)
                agreement = msgspec.structs.replace(template, terms=terms)
                if agreement.is_template:  # they call themselves "*"
                    return None
                self._dynamic += 1
                line = self.add(agreement)
                return (line, agreement) if line else None
        return None


def _fits(name: SessionId, pattern: SessionId) -> bool:
    return all(
        fnmatchcase(text, wild)
        for text, wild in (
            (name.begin_string, pattern.begin_string),
            (name.sender_comp_id, pattern.sender_comp_id),
            (name.target_comp_id, pattern.target_comp_id),
            (name.sender_sub_id, pattern.sender_sub_id),
            (name.target_sub_id, pattern.target_sub_id),
        )
    )
