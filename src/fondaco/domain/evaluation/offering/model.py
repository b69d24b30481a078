"""A tenant's tiers: every version that was defined, and when it is sold."""

from collections.abc import Iterator
from typing import Final

import msgspec

from fondaco.domain.evaluation.model import Tier
from fondaco.kernel.event import Instant, StreamId

PREFIX: Final = "tiers/"
NEVER: Final = Instant((1 << 63) - 1)
VERSIONS_MAX: Final = 500  # of a tenant, of all its tiers: all are kept in memory for ever
_read: Final = msgspec.json.Decoder(Tier).decode


def stream_of(tenant: str) -> StreamId:
    return StreamId(PREFIX + tenant)


class AttachedOdds(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulation has found, as the journal has it; see `SimulationAttached`."""

    odds: str
    traders: tuple[str, ...]
    seed: int
    paths: int
    days: int
    funded_days: int
    sales: int
    capital: str
    at: Instant
    by: str


class Offered(msgspec.Struct, kw_only=True):
    """A version. `effective_at` NEVER: it was not published. `ends_at`: it was retired, or its text
    says until when; a later version may end it before."""

    name: str
    version: int
    fingerprint: str
    text: str
    terms: str
    opens_at: Instant
    closes_at: Instant
    contradictions: tuple[str, ...]
    defined_at: Instant
    defined_by: str
    simulation: AttachedOdds | None = None
    effective_at: Instant = NEVER
    ends_at: Instant = NEVER
    is_retired: bool = False
    published_by: str = ""

    @property
    def is_published(self) -> bool:
        return self.effective_at != NEVER

    @property
    def is_ever_sold(self) -> bool:
        """Whether there is an instant at which it is: it may be retired before its time comes."""
        return self.is_published and self.effective_at < self.ends_at

    def tier(self) -> Tier:
        """The terms, as they were when it was defined."""
        return _read(self.terms)


class Offers(msgspec.Struct):
    """Of one tenant: versions of a tier in the order of their numbers."""

    tiers: dict[str, list[Offered]] = {}
    count: int = 0

    def versions(self, name: str) -> list[Offered]:
        return self.tiers.get(name, [])

    def of(self, name: str, version: int) -> Offered | None:
        return next((each for each in self.versions(name) if each.version == version), None)

    def on_sale(self, name: str, at: Instant) -> Offered | None:
        """The one version that is sold at an instant: the last to have begun, unless it has ended.
        What it took the place of does not come back."""
        begun = [each for each in self.versions(name) if _is_begun(each, at)]
        return begun[-1] if begun and at < begun[-1].ends_at else None

    def ends_at(self, offered: Offered) -> Instant:
        """Until when a published version is sold, as things are now."""
        later = (
            each.effective_at
            for each in self.versions(offered.name)
            if each.version > offered.version and each.is_ever_sold
        )
        return min(offered.ends_at, *later, NEVER)

    def all(self) -> Iterator[Offered]:
        for versions in self.tiers.values():
            yield from versions


def _is_begun(each: Offered, at: Instant) -> bool:
    return each.effective_at <= at and each.is_ever_sold
