"""What a tenant sells at an instant: the tiers that a buyer can choose from, frozen.

Fed by the entries of `tiers/<tenant>` as they became durable. Belongs to the loop's thread.
"""

from collections.abc import Iterator
from copy import deepcopy

from fondaco.domain.evaluation.model import Tier
from fondaco.domain.evaluation.offering.events import TierEvent
from fondaco.domain.evaluation.offering.model import Offered, Offers
from fondaco.domain.evaluation.offering.rules import evolve
from fondaco.kernel.event import Instant


class Shelf:
    """Tiers of all tenants. Terms are read once, and handed out as they were defined."""

    def __init__(self) -> None:
        self._offers: dict[str, Offers] = {}
        self._tiers: dict[str, Tier] = {}  # by fingerprint: two tenants' same terms are the same

    def load(self, tenant: str, offers: Offers) -> None:
        """All that a tenant's stream says up to now."""
        self._offers[tenant] = deepcopy(offers)

    def note(self, tenant: str, event: TierEvent) -> None:
        """What its stream says next."""
        evolve(self._offers.setdefault(tenant, Offers()), event)

    def offers(self, tenant: str) -> Offers:
        """To look at, never to change."""
        return self._offers.get(tenant) or Offers()

    def on_sale(self, tenant: str, at: Instant) -> tuple[Tier, ...]:
        """In the order in which their names were first defined."""
        return tuple(self.tier_of(each) for each in self._sold(tenant, at))

    def find(self, tenant: str, name: str, at: Instant) -> Tier | None:
        """The version that is sold at an instant."""
        found = self.offers(tenant).on_sale(name, at)
        return self.tier_of(found) if found else None

    def by_fingerprint(self, tenant: str, sha: str) -> Tier | None:
        """Whether it is sold or not, and whether it ever was."""
        found = self.offered(tenant, sha)
        return self.tier_of(found) if found else None

    def offered(self, tenant: str, sha: str) -> Offered | None:
        """The version of these terms, with its text, its bytes and its odds."""
        versions = self.offers(tenant).all()
        return next((each for each in versions if each.fingerprint == sha), None)

    def tier_of(self, offered: Offered) -> Tier:
        found = self._tiers.get(offered.fingerprint)
        if found is None:
            found = self._tiers[offered.fingerprint] = offered.tier()
        return found

    def _sold(self, tenant: str, at: Instant) -> Iterator[Offered]:
        offers = self.offers(tenant)
        for name in offers.tiers:
            found = offers.on_sale(name, at)
            if found is not None:
                yield found
