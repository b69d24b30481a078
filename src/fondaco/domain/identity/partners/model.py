"""Tiers of partners. A partner is a tenant, as of a robo adviser, or one account of a tenant."""

from typing import Final, Literal

import msgspec

from fondaco.kernel.event import StreamId

PARTNERS_STREAM: Final = StreamId("partners/house")
Door = Literal["rest", "ws", "graphql", "mcp", "fix", "cli"]


class PartnerTier(msgspec.Struct, frozen=True):
    """What everybody on a tier may do. `orders_per_day` 0: as many as they like, by the day in UTC;
    `doors` none: every one. `owner` is the tenant that defined it."""

    name: str
    owner: str
    requests_per_s: int
    burst: int
    orders_per_day: int
    webhooks: int
    doors: tuple[str, ...]


class Partner(msgspec.Struct, frozen=True):
    """`account` "": the tenant. `owner` is the tenant that put it on its tier."""

    tenant: str
    account: str
    tier: str
    owner: str

    @property
    def name(self) -> str:
        return name_of(self.tenant, self.account)


class PartnersState(msgspec.Struct):
    """Values are replaced, never changed in place."""

    tiers: dict[str, PartnerTier] = {}
    partners: dict[str, Partner] = {}  # by name


def name_of(tenant: str, account: str) -> str:
    return f"{tenant}/{account}" if account else tenant
