"""What the journal keeps of a tenant's tiers. Kinds are permanent.

A version is kept as the text that somebody wrote and as the bytes of the terms that were made of
it: a later build that would read the text otherwise changes nothing for whoever has bought it.
"""

from typing import TypeAlias

from fondaco.kernel.event import Command, Event, Instant


class OfferTier(Command, frozen=True, gc=False):
    """A version, which nobody can buy yet. `terms` is the JSON of a `Tier`; whoever asks has made
    it of `text`. `contradictions` are what lint found, "code at key"."""

    name: str
    version: int
    text: str
    terms: str
    opens_at: Instant
    closes_at: Instant
    contradictions: tuple[str, ...]
    by: str


class AttachSimulation(Command, frozen=True, gc=False):
    """The odds of `traders` in a version, with all that it takes to work them out again."""

    name: str
    version: int
    fingerprint: str
    odds: str
    traders: tuple[str, ...]
    seed: int
    paths: int
    days: int
    funded_days: int
    sales: int
    capital: str
    by: str


class PublishTier(Command, frozen=True, gc=False):
    """Sell a version from `effective_at` on, and no other of its name; 0: at once."""

    name: str
    version: int
    effective_at: Instant
    note: str
    by: str


class RetireTier(Command, frozen=True, gc=False):
    """Sell a version no more, from `ends_at` on; 0: at once. Whoever has bought it keeps it."""

    name: str
    version: int
    ends_at: Instant
    note: str
    by: str


class TierDefined(Event, frozen=True, gc=False, tag="tiers.defined.v1"):
    """`fingerprint` is the SHA-256 of `terms`, by which a buyer's frozen tier is known. It is sold
    from `opens_at` at the earliest, and before `closes_at`, as its text says."""

    name: str
    version: int
    text: str
    terms: str
    fingerprint: str
    opens_at: Instant
    closes_at: Instant
    contradictions: tuple[str, ...]
    at: Instant
    by: str


class SimulationAttached(Event, frozen=True, gc=False, tag="tiers.simulation_attached.v1"):
    """`odds` is a JSON list, one for each of `traders`, which are the JSON of a `Trader` each; the
    same seed makes the same bytes of them, among any number of workers."""

    name: str
    version: int
    fingerprint: str
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


class TierPublished(Event, frozen=True, gc=False, tag="tiers.published.v1"):
    """On sale from `effective_at` on, until a later version is, or it is retired."""

    name: str
    version: int
    fingerprint: str
    effective_at: Instant
    at: Instant
    by: str
    note: str


class TierRetired(Event, frozen=True, gc=False, tag="tiers.retired.v1"):
    name: str
    version: int
    ends_at: Instant
    at: Instant
    by: str
    note: str


class TierUnchanged(Event, frozen=True, gc=False, tag="tiers.unchanged.v1"):
    """It was so already."""

    name: str
    version: int


class TierRefused(Event, frozen=True, gc=False, tag="tiers.refused.v1"):
    """`reason` is permanent: "unknown_version", "version_fixed", "no_simulation" …"""

    name: str
    version: int
    reason: str
    text: str


TierCommand: TypeAlias = OfferTier | AttachSimulation | PublishTier | RetireTier
TierEvent: TypeAlias = (
    TierDefined | SimulationAttached | TierPublished | TierRetired | TierUnchanged | TierRefused
)
