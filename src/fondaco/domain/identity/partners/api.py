"""What is asked about partners: their tiers, who is on which, and what they have used."""

import asyncio
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import NameText, Scope
from fondaco.domain.identity.partners.model import Door
from fondaco.kernel.errors import Denied, NotFound, Refused
from fondaco.kernel.operation import Do, Operation, Stamp

TierText = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$", examples=["gold"])]
Rate = Annotated[int, Meta(ge=1, le=100_000)]


class PartnersRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class DefineTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`orders_per_day` 0: no limit of its own. `doors` empty: every one."""

    tier: TierText
    requests_per_s: Rate
    burst: Rate
    orders_per_day: Annotated[int, Meta(ge=0, le=10**9)] = 0
    webhooks: Annotated[int, Meta(ge=0, le=1_000)] = 5
    doors: Annotated[list[Door], Meta(max_length=6)] = []


class PartnerTierShown(msgspec.Struct, frozen=True, kw_only=True):
    tier: str
    owner: str
    requests_per_s: int
    burst: int
    orders_per_day: int
    webhooks: int
    doors: list[str]


class PartnerTiers(msgspec.Struct, frozen=True):
    items: list[PartnerTierShown]


class SetPartnerTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`account` is one account of the tenant; without, all of the tenant. `tier` null takes it
    off."""

    tenant: NameText
    tier: TierText | None
    account: NameText | None = None


class PartnerSet(msgspec.Struct, frozen=True):
    partner: str
    tier: str
    position: int


class CallerUse(msgspec.Struct, frozen=True):
    """Requests of one key or session, of each version of the API, since it is counted."""

    caller: str
    version: int
    requests: int


class PartnerShown(msgspec.Struct, frozen=True, kw_only=True):
    """`orders_today` are those that were accepted since midnight, UTC."""

    partner: str
    tenant: str
    account: str
    tier: PartnerTierShown
    orders_today: int
    requests: int
    callers: list[CallerUse]


class PartnersReply(msgspec.Struct, frozen=True):
    items: list[PartnerShown]


class MyTier(msgspec.Struct, frozen=True):
    """`tier` null: you are on none, and the house's rates hold. `orders_left` -1: no limit."""

    partner: str
    tier: PartnerTierShown | None
    orders_today: int
    orders_left: int


class Partners(Protocol):
    """What the door is given to answer from."""

    async def define(self, ask: DefineTier, stamp: Stamp) -> PartnerTierShown: ...

    async def must_be_definable(self, ask: DefineTier, stamp: Stamp) -> None: ...

    async def put(self, ask: SetPartnerTier, stamp: Stamp) -> PartnerSet: ...

    async def must_be_settable(self, ask: SetPartnerTier, stamp: Stamp) -> None: ...

    def tiers(self, stamp: Stamp) -> PartnerTiers: ...

    async def listed(self, stamp: Stamp) -> PartnersReply: ...

    def mine(self, stamp: Stamp) -> MyTier: ...


async def _define(ask: DefineTier, stamp: Stamp, on: Partners) -> PartnerTierShown:
    return await on.define(ask, stamp)


async def _check_define(ask: DefineTier, stamp: Stamp, on: Partners) -> None:
    await on.must_be_definable(ask, stamp)


async def _put(ask: SetPartnerTier, stamp: Stamp, on: Partners) -> PartnerSet:
    return await on.put(ask, stamp)


async def _check_put(ask: SetPartnerTier, stamp: Stamp, on: Partners) -> None:
    await on.must_be_settable(ask, stamp)


async def _tiers(_: PartnersRequest, stamp: Stamp, on: Partners) -> PartnerTiers:
    return on.tiers(stamp)


async def _listed(_: PartnersRequest, stamp: Stamp, on: Partners) -> PartnersReply:
    return await on.listed(stamp)


async def _mine(_: PartnersRequest, stamp: Stamp, on: Partners) -> MyTier:
    return await asyncio.to_thread(on.mine, stamp)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="partners.define_tier",
        summary="Say what partners on a tier may do; it holds at once for all who are on it.",
        method="PUT",
        path="/partner-tiers/{tier}",
        request=DefineTier,
        reply=PartnerTierShown,
        scope=Scope.HOUSE_WRITE,
        errors=(Refused,),
        needs_second=True,
        source="partners",
        answer=_define,
        check=_check_define,
        example={"tier": "gold", "requests_per_s": 100, "burst": 200},
    ),
    Do(
        name="partners.tiers",
        summary="The tiers that your tenant has defined, or is on.",
        method="GET",
        path="/partner-tiers",
        request=PartnersRequest,
        reply=PartnerTiers,
        scope=Scope.HOUSE_READ,
        source="partners",
        answer=_tiers,
    ),
    Do(
        name="partners.set_tier",
        summary="Put a tenant, or one account of it, on a tier, or take it off.",
        method="PUT",
        path="/partners/{tenant}",
        request=SetPartnerTier,
        reply=PartnerSet,
        scope=Scope.HOUSE_WRITE,
        errors=(NotFound, Refused),
        needs_second=True,
        source="partners",
        answer=_put,
        check=_check_put,
        example={"tier": "gold"},
    ),
    Do(
        name="partners.overview",
        summary="Partners that your tenant has put on tiers, and what each has used.",
        method="GET",
        path="/partners",
        request=PartnersRequest,
        reply=PartnersReply,
        scope=Scope.HOUSE_READ,
        source="partners",
        answer=_listed,
    ),
    Do(
        name="partners.mine",
        summary="The tier that you are on, and what is left of today's orders.",
        method="GET",
        path="/partner",
        request=PartnersRequest,
        reply=MyTier,
        scope=Scope.MARKET_READ,
        errors=(Denied,),
        source="partners",
        answer=_mine,
    ),
)
