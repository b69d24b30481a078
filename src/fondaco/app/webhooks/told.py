"""A type of what webhooks tell: its name, whose it is, and what of an entry is said."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from fondaco.domain.identity.model import Scope
from fondaco.domain.notify.model import Endpoint
from fondaco.kernel.event import Entry, Event, StreamId

# The families of topics, as the documents of a prop firm group them, and those that we add.
_FAMILIES: Final[Mapping[str, str]] = {
    "instrument": "market data",
    "order": "trading",
    "execution": "trading",
    "balance": "trading",
    "margin": "trading",
    "account": "trading",
    "assessment": "assessment",
    "payout": "assessment",
    "rules": "rules",
    "payment": "payment",
    "montecarlo": "monte carlo",
}


class Opening(msgspec.Struct, frozen=True, gc=False):
    """Whose a stream is: what the entry says that began it. `last` is the one before what is told,
    of the kind that was asked for."""

    tenant: str
    user: str = ""
    event: Event | None = None
    last: Event | None = None


class Told(NamedTuple):
    """A type of what is told. `tenant` is the prefix of a tenant's stream, ACCOUNTS, or "" where it
    is the house's. `topic` is the name that the documents have for it, `also` are those of others
    that its listeners must hear, too. Where `begins` is given, the first entry of that kind says
    whose the stream is, and only that user hears of it, or who holds one of `overseers`."""

    name: str
    kind: type[Event]
    scope: Scope
    tenant: str
    resource: Callable[[Entry], str]
    shape: type[msgspec.Struct]
    make: Callable[..., msgspec.Struct] | None  # None: as the Teller says it
    topic: str = ""
    also: tuple[str, ...] = ()
    begins: type[Event] | None = None
    overseers: frozenset[Scope] = frozenset()
    ordered_by: str = ""
    after: type[Event] | None = None  # of which the last one before says more of it
    subject: Callable[[Entry], StreamId] | None = None

    @property
    def family(self) -> str:
        return _FAMILIES.get(self.name.partition(".")[0], "house")

    @property
    def names(self) -> tuple[str, ...]:
        """What one may ask for, and is told by that name."""
        return tuple(each for each in (self.name, self.topic, *self.also) if each)

    def heard_as(self, endpoint: Endpoint) -> str:
        """By which name an endpoint is told; "" where it does not want it. Its own name goes first,
        so that nobody hears of the same thing twice."""
        if endpoint.wants(self.name):
            return self.name
        wanted = (each for each in self.names[1:] if each in endpoint.events)
        return next(wanted, "")

    def may_be_heard(self, opening: Opening | None, owner: str, held: frozenset[Any]) -> bool:
        """Whether who holds these scopes may hear it."""
        if opening is None or not self.overseers:
            return self.scope in held
        if self.overseers & held:
            return True
        return self.scope in held and opening.user == owner
