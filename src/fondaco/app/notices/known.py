"""What the process that carries notices knows of people: their records, what they have chosen, and
where they are reached."""

from collections.abc import Callable
from typing import Final

import msgspec

from fondaco.app.notices.catalog import People, Person
from fondaco.app.notices.engine import Direct
from fondaco.app.secrets import SubjectSealing
from fondaco.domain.identity import store as identity
from fondaco.domain.identity.model import DEMO, scopes_of
from fondaco.domain.identity.people import store as persons
from fondaco.domain.notify.notices import store
from fondaco.domain.notify.notices.model import USUAL
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import Instant
from fondaco.ports.notices.web_push import Subscription
from fondaco.ports.store import Store

EVERY_NS: Final = 2_000_000_000
SEALED_ABOUT: Final = "notices"  # under the house's key
DEMO_EMAIL: Final = "demo@localhost"  # of the user `demo` of a demo, who has no address


class RecordsKnown:
    """Reads records once in a while. For one thread."""

    def __init__(
        self,
        records: Store,
        sealing: SubjectSealing,
        now: Callable[[], Instant],
        *,
        demo: bool = False,
        every_ns: int = EVERY_NS,
    ) -> None:
        records.create(store.records_metadata)
        records.create(persons.metadata)
        self._records, self._sealing, self._now = records, sealing, now
        self._demo, self._every_ns = demo, every_ns
        self._read_at = -every_ns
        self._people = People(())
        self._subscriptions: dict[str, tuple[str, bytes]] = {}
        self._reached: dict[tuple[str, str], tuple[bytes, str]] = {}

    def people(self) -> People:
        """Those who hold a role or have signed in here, as of a moment ago."""
        now = self._now()
        if now - self._read_at >= self._every_ns:
            self._people, self._read_at = self._read(), now
        return self._people

    def address(self, tenant: str, user: str) -> str:
        """See `Known`. Asked for each mail: nobody is written to after they were forgotten."""
        with self._records.reading() as conn:
            row = persons.person(conn, tenant, user)
        return self._email(tenant, user, row.email if row else None)

    def _read(self) -> People:
        with self._records.reading() as conn:
            roles, chosen = identity.roles(conn), store.chosen(conn)
            sealed = persons.addresses(conn)
            rows = store.subscribed(conn)
        # Opened once: whose address is what it was a moment ago is not opened again.
        self._reached = {
            who: known
            if (known := self._reached.get(who)) and known[0] == sealed[who]
            else (sealed[who], self._email(*who, sealed[who]))
            for who in roles
            if who in sealed
        }
        self._subscriptions = {
            row.subscription_id: (f"{row.tenant}/{row.user}", row.sealed) for row in rows
        }
        listening: dict[tuple[str, str], tuple[str, ...]] = {}
        for row in rows:
            who = (row.tenant, row.user)
            listening[who] = (*listening.get(who, ()), row.subscription_id)
        return People(
            Person(
                *who,
                frozenset(str(each) for each in scopes_of(held)),
                self._reached[who][1] if who in sealed else self._email(*who, None),
                chosen.get(who, USUAL),
                listening.get(who, ()),
            )
            for who, held in sorted(roles.items())
        )

    def _email(self, tenant: str, user: str, sealed: bytes | None) -> str:
        if sealed is None:
            return DEMO_EMAIL if self._demo and (tenant, user) == (DEMO, DEMO) else ""
        try:
            return self._sealing.unseal(sealed, f"{tenant}/{user}").decode()
        except FondacoError:  # they were forgotten a moment ago
            return ""

    def subscription(self, subscription_id: str) -> str | None:
        """See `Known`."""
        found = self._subscriptions.get(subscription_id)
        if found is None:
            return None
        try:
            return self._sealing.unseal(found[1], found[0]).decode()
        except FondacoError:
            return None

    def unsubscribe(self, subscription_id: str) -> None:
        """See `Known`."""
        with self._records.writing() as conn:
            store.unsubscribe(conn, subscription_id)
        self._read_at = -self._every_ns

    def opened(self, sealed: bytes) -> Direct:
        """See `Known`."""
        return opened(self._sealing, sealed)


def sealed_text(sealing: SubjectSealing, direct: Direct) -> bytes:
    return sealing.seal(msgspec.json.encode(tuple(direct)), SEALED_ABOUT)


def opened(sealing: SubjectSealing, sealed: bytes) -> Direct:
    text = sealing.unseal(sealed, SEALED_ABOUT)
    return Direct(*msgspec.json.decode(text, type=tuple[str, str, str]))


def sealed_subscription(
    sealing: SubjectSealing, subscription: Subscription, tenant: str, user: str
) -> bytes:
    return sealing.seal(msgspec.json.encode(subscription), f"{tenant}/{user}")
