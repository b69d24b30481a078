"""The law of partners: who defined a tier changes it, and nobody gives themselves one. Pure."""

from typing import Final

from fondaco.domain.identity.partners.events import (
    DefinePartnerTier,
    PartnerCommand,
    PartnerEvent,
    PartnerRefused,
    PartnerTierDefined,
    PartnerTierSet,
    PutPartner,
)
from fondaco.domain.identity.partners.model import Partner, PartnersState, PartnerTier, name_of
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import StreamId


def initial(_: StreamId) -> PartnersState:
    return PartnersState()


def decide(state: PartnersState, command: PartnerCommand, _: Refs) -> tuple[PartnerEvent, ...]:
    wrong = what_is_wrong(state, command)
    if wrong:
        return (PartnerRefused(*wrong, command.by),)
    if isinstance(command, DefinePartnerTier):
        c = command
        return (
            PartnerTierDefined(
                c.tier, c.owner, c.requests_per_s, c.burst, c.orders_per_day, c.webhooks, c.doors,
                c.by,
            ),
        )  # fmt: skip
    return (
        PartnerTierSet(command.tenant, command.account, command.tier, command.owner, command.by),
    )


def what_is_wrong(state: PartnersState, command: PartnerCommand) -> tuple[str, str] | None:
    """Reason and text; None where nothing is."""
    if isinstance(command, DefinePartnerTier):
        there = state.tiers.get(command.tier)
        if there is not None and there.owner != command.owner:
            return "anothers", f"the tier {command.tier} is somebody else's: choose another name"
        return None
    return _wrong_place(state, command)


def _wrong_place(state: PartnersState, command: PutPartner) -> tuple[str, str] | None:
    name = name_of(command.tenant, command.account)
    partner, tier = state.partners.get(name), state.tiers.get(command.tier)
    if partner is not None and partner.owner != command.owner:
        return "anothers", f"somebody else has put {name} on a tier"
    if not command.tier:
        return None if partner else ("unknown_partner", f"{name} is on no tier")
    if tier is None or tier.owner != command.owner:
        return "unknown_tier", f"you have defined no tier {command.tier}"
    # A tenant may divide what it has among its accounts, but not give itself more.
    if command.tenant == command.owner and not (command.account or command.is_alone):
        return "own_tier", "nobody puts themselves on a tier: another tenant's admin does"
    return None


def evolve(state: PartnersState, event: PartnerEvent) -> PartnersState:
    match event:
        case PartnerTierDefined():
            tier = PartnerTier(
                event.tier, event.owner, event.requests_per_s, event.burst, event.orders_per_day,
                event.webhooks, event.doors,
            )  # fmt: skip
            state.tiers = {**state.tiers, tier.name: tier}
        case PartnerTierSet():
            name = name_of(event.tenant, event.account)
            others = {key: each for key, each in state.partners.items() if key != name}
            if event.tier:
                others[name] = Partner(event.tenant, event.account, event.tier, event.owner)
            state.partners = others
        case PartnerRefused():
            pass
    return state


decider: Final = Decider(initial, decide, evolve, PartnersState)
