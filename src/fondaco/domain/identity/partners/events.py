"""What becomes of tiers and partners."""

from typing import TypeAlias

from fondaco.kernel.event import Command, Event


class DefinePartnerTier(Command, frozen=True, gc=False):
    tier: str
    owner: str
    requests_per_s: int
    burst: int
    orders_per_day: int
    webhooks: int
    doors: tuple[str, ...]
    by: str


class PutPartner(Command, frozen=True, gc=False):
    """`is_alone`: the house is one person's, who may put themselves on a tier. `tier` "" takes the
    partner off it."""

    tenant: str
    account: str
    tier: str
    owner: str
    is_alone: bool
    by: str


class PartnerTierDefined(Event, frozen=True, gc=False, tag="partners.tier_defined.v1"):
    """As it is from now on, for everybody who is on it."""

    tier: str
    owner: str
    requests_per_s: int
    burst: int
    orders_per_day: int
    webhooks: int
    doors: tuple[str, ...]
    by: str


class PartnerTierSet(Event, frozen=True, gc=False, tag="partners.tier_set.v1"):
    """A tenant, or one account of it, is on a tier from now on; on none, where `tier` is ""."""

    tenant: str
    account: str
    tier: str
    owner: str
    by: str


class PartnerRefused(Event, frozen=True, gc=False, tag="partners.refused.v1"):
    """`reason` is permanent: "unknown_tier", "anothers", "own_tier", "unknown_partner"."""

    reason: str
    text: str
    by: str


PartnerCommand: TypeAlias = DefinePartnerTier | PutPartner
PartnerEvent: TypeAlias = PartnerTierDefined | PartnerTierSet | PartnerRefused
