"""Tiers as they hold: what doors ask before an operation, and what partners have used."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from fondaco.app.house import Kernel
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import DEMO, Action, Caller, Scope, TooMany
from fondaco.domain.identity.partners import api
from fondaco.domain.identity.partners.events import (
    DefinePartnerTier,
    PartnerCommand,
    PartnerRefused,
    PutPartner,
)
from fondaco.domain.identity.partners.model import (
    PARTNERS_STREAM,
    Partner,
    PartnersState,
    PartnerTier,
    name_of,
)
from fondaco.domain.identity.partners.rules import what_is_wrong
from fondaco.domain.trading.events import OrderAccepted
from fondaco.domain.trading.model import account_of
from fondaco.domain.trading.store.tables import orders
from fondaco.gateway.guard.rates import Rate, Rates, Tier
from fondaco.gateway.uses import KeptUses
from fondaco.kernel.errors import Denied, NotFound, Refused
from fondaco.kernel.event import CommandId, Entry, fingerprint, request_id
from fondaco.kernel.operation import Stamp

DAY_NS: Final = 86_400_000_000_000
SECOND_NS: Final = 1_000_000_000


class PartnersDesk:
    """Belongs to the loop's thread, but for what says otherwise."""

    def __init__(self, kernel: Kernel, directory: Directory, uses: Callable[[], KeptUses]) -> None:
        self._kernel, self._directory, self._uses = kernel, directory, uses
        self._day = 0
        self._counts: dict[str, int] = {}  # orders accepted today, by account
        self._state = PartnersState()
        self._rates: Rates | None = None
        kernel.listeners.append(self._hear)

    async def open(self, reading: Callable[[], Any], rates: Rates) -> None:
        """Once views show what was written: today's orders are counted from them."""
        await self._kernel.wake(PARTNERS_STREAM)
        self._rates = rates
        self._refresh()
        day = self._kernel.now() // DAY_NS

        def count() -> dict[str, int]:
            with reading() as conn:
                o = orders.c
                asked = (
                    sa.select(o.account_id, sa.func.count())
                    .where(o.created_at >= day * DAY_NS, o.ord_status != "rejected")
                    .group_by(o.account_id)
                )
                return {account: int(found) for account, found in conn.execute(asked)}

        self._day, self._counts = day, await asyncio.to_thread(count)

    def _hear(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.stream == PARTNERS_STREAM:
                self._refresh()
            elif isinstance(entry.event, OrderAccepted):
                self._turn(entry.at)
                account = account_of(entry.stream)
                self._counts[account] = self._counts.get(account, 0) + 1

    def _turn(self, at: int) -> None:
        if at // DAY_NS > self._day:
            self._day, self._counts = at // DAY_NS, {}

    def _refresh(self) -> None:
        """Rates are looked at for nobody until somebody is on a tier."""
        memory = self._kernel.peek(PARTNERS_STREAM)
        self._state = memory.state if memory else PartnersState()
        if self._rates is None:
            return
        if self._state.partners:
            self._rates.tiers(self._rate_of)
        else:
            self._rates.forget()

    def _rate_of(self, tenant: str, name: str) -> Tier | None:
        partner = self._state.partners.get(tenant)
        with suppress(Denied):  # a session, whose name is not kept, is its tenant's
            partner = self.partner_of(self._directory.caller_named(tenant, name))
        if partner is None:
            return None
        tier = self._state.tiers[partner.tier]
        return Tier(tier.name, Rate(tier.requests_per_s, tier.burst))

    # --- What doors ask ---------------------------------------------------------------------------

    def partner_of(self, caller: Caller) -> Partner | None:
        """Whom a caller is for: the one account that they are confined to, or their tenant."""
        partners = self._state.partners
        if not partners:
            return None
        if caller.accounts is not None and len(caller.accounts) == 1:
            found = partners.get(name_of(caller.tenant, next(iter(caller.accounts))))
            if found is not None:
                return found
        return partners.get(caller.tenant)

    def tier_of(self, caller: Caller) -> PartnerTier | None:
        partner = self.partner_of(caller)
        return self._state.tiers[partner.tier] if partner else None

    def webhooks_of(self, caller: Caller, usual: int) -> int:
        """How many webhooks a caller's tenant may have."""
        tier = self.tier_of(caller)
        return usual if tier is None else tier.webhooks

    def authorising(self, inner: Callable[..., bool]) -> Callable[..., bool]:
        """`House.authorise`, within what the caller's tier allows."""

        def authorise(
            caller: Any, action: Action, accounts: Iterable[str], ask: Any, door: str, address: str
        ) -> bool:
            tier = self.tier_of(caller)
            if tier is None:
                return inner(caller, action, accounts, ask, door, address)
            if tier.doors and door not in tier.doors:
                raise Denied(
                    f"the tier {tier.name} has the doors {', '.join(tier.doors)}, not {door}",
                    code="tier_door",
                )
            inner(caller, action, accounts, ask, door, address)
            if tier.orders_per_day and action.scope == Scope.ORDERS_WRITE:
                self._within_day(caller, tier, action)
            return False  # so that it is asked again each time

        return authorise

    def _within_day(self, caller: Caller, tier: PartnerTier, action: Action) -> None:
        if action.operation not in _PLACING:
            return
        now = self._kernel.now()
        partner = self.partner_of(caller)
        used = self._orders_today(partner) if partner else 0
        if used >= tier.orders_per_day:
            raise TooMany(
                f"the tier {tier.name} has {tier.orders_per_day} orders a day, and {used} were "
                "accepted since midnight, UTC",
                code="rate_limited",
                rule="orders_per_day",
                retry_after_s=(DAY_NS - now % DAY_NS) // SECOND_NS + 1,
            )

    def _orders_today(self, partner: Partner) -> int:
        self._turn(self._kernel.now())
        if partner.account:
            return self._counts.get(partner.account, 0)
        tenant_of = self._kernel.accounts.get
        return sum(n for account, n in self._counts.items() if tenant_of(account) == partner.tenant)

    # --- What is asked ----------------------------------------------------------------------------

    async def must_be_definable(self, ask: api.DefineTier, stamp: Stamp) -> None:
        self._must(_define(ask, stamp))

    async def define(self, ask: api.DefineTier, stamp: Stamp) -> api.PartnerTierShown:
        await self._submit(_define(ask, stamp))
        return _shown(self._state.tiers[ask.tier])

    async def must_be_settable(self, ask: api.SetPartnerTier, stamp: Stamp) -> None:
        """What a tier or a partner is by the time that somebody agrees is judged then."""
        await self._place(ask, stamp)

    async def put(self, ask: api.SetPartnerTier, stamp: Stamp) -> api.PartnerSet:
        entry = await self._submit(await self._place(ask, stamp))
        name = name_of(ask.tenant, ask.account or "")
        return api.PartnerSet(name, ask.tier or "", entry.position)

    async def _place(self, ask: api.SetPartnerTier, stamp: Stamp) -> PutPartner:
        """Raises `NotFound` for who is not there."""
        if ask.tenant not in await asyncio.to_thread(self._directory.tenants):
            raise NotFound(f"there is no tenant {ask.tenant}")
        if ask.account and self._kernel.accounts.get(ask.account) != ask.tenant:
            raise NotFound(f"{ask.tenant} has no account {ask.account}")
        settings = self._kernel.settings
        alone = settings.demo and stamp.tenant == DEMO and settings.four_eyes != "strict"
        return PutPartner(
            _command_id(stamp, ask), stamp.at, ask.tenant, ask.account or "", ask.tier or "",
            stamp.tenant, alone, stamp.caller,
        )  # fmt: skip

    def _must(self, command: PartnerCommand) -> None:
        wrong = what_is_wrong(self._state, command)
        if wrong:
            raise Refused(wrong[1], code=wrong[0])

    async def _submit(self, command: PartnerCommand) -> Entry:
        entry = (await self._kernel.submit(PARTNERS_STREAM, command))[-1]
        if isinstance(entry.event, PartnerRefused):
            raise Refused(entry.event.text, code=entry.event.reason)
        return entry

    def tiers(self, stamp: Stamp) -> api.PartnerTiers:
        state = self._state
        mine = {each.tier for each in state.partners.values() if each.tenant == stamp.tenant}
        return api.PartnerTiers(
            [
                _shown(each)
                for _, each in sorted(state.tiers.items())
                if each.owner == stamp.tenant or each.name in mine
            ]
        )

    async def listed(self, stamp: Stamp) -> api.PartnersReply:
        state, uses = self._state, self._uses()
        mine = [each for _, each in sorted(state.partners.items()) if each.owner == stamp.tenant]
        found = []
        for partner in mine:
            used = await asyncio.to_thread(uses.of, partner.tenant, stamp.at)
            callers = [
                api.CallerUse(use.caller, use.major, use.requests)
                for use in used
                if not partner.account or self._is_for(partner, use.caller)
            ]
            found.append(
                api.PartnerShown(
                    partner=partner.name,
                    tenant=partner.tenant,
                    account=partner.account,
                    tier=_shown(state.tiers[partner.tier]),
                    orders_today=self._orders_today(partner),
                    requests=sum(each.requests for each in callers),
                    callers=callers,
                )
            )
        return api.PartnersReply(found)

    def _is_for(self, partner: Partner, name: str) -> bool:
        try:
            caller = self._directory.caller_named(partner.tenant, name)
        except Denied:
            return False  # a key that is gone
        return caller.accounts == frozenset({partner.account})

    def mine(self, stamp: Stamp) -> api.MyTier:
        """From any thread."""
        caller = self._directory.still(stamp.tenant, stamp.caller)
        partner, tier = self.partner_of(caller), self.tier_of(caller)
        if partner is None or tier is None:
            return api.MyTier(stamp.tenant, None, 0, -1)
        used = self._orders_today(partner)
        left = max(tier.orders_per_day - used, 0) if tier.orders_per_day else -1
        return api.MyTier(partner.name, _shown(tier), used, left)


_PLACING: Final = frozenset({"trading.place_order", "trading.place_orders"})


def _define(ask: api.DefineTier, stamp: Stamp) -> DefinePartnerTier:
    return DefinePartnerTier(
        _command_id(stamp, ask), stamp.at, ask.tier, stamp.tenant, ask.requests_per_s, ask.burst,
        ask.orders_per_day, ask.webhooks, tuple(sorted(frozenset(ask.doors))), stamp.caller,
    )  # fmt: skip


def _command_id(stamp: Stamp, ask: Any) -> CommandId:
    key = stamp.idempotency_key or stamp.request_id
    return request_id(f"!partners/{stamp.tenant}/{stamp.caller}/{key}", fingerprint(ask))


def _shown(tier: PartnerTier) -> api.PartnerTierShown:
    return api.PartnerTierShown(
        tier=tier.name,
        owner=tier.owner,
        requests_per_s=tier.requests_per_s,
        burst=tier.burst,
        orders_per_day=tier.orders_per_day,
        webhooks=tier.webhooks,
        doors=list(tier.doors),
    )
