"""Partners and their tiers: nobody changes another's, and nobody gives themselves one."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.identity.partners.events import (
    DefinePartnerTier,
    PartnerRefused,
    PartnerTierDefined,
    PartnerTierSet,
    PutPartner,
)
from fondaco.domain.identity.partners.model import PARTNERS_STREAM, PartnersState, name_of
from fondaco.domain.identity.partners.rules import decide, evolve, initial
from fondaco.kernel.event import CommandId, Instant

TENANTS: Final = ("acme", "robo", "desk")
NOW: Final = (CommandId("c"), Instant(1))


def define(tier: str, owner: str, rate: int = 10) -> DefinePartnerTier:
    return DefinePartnerTier(*NOW, tier, owner, rate, 2 * rate, 100, 5, (), "ada")


def put(
    tenant: str, tier: str, owner: str, account: str = "", *, is_alone: bool = False
) -> PutPartner:
    return PutPartner(*NOW, tenant, account, tier, owner, is_alone, "ada")


def lived(*commands: Any) -> tuple[PartnersState, Any]:
    state, event = initial(PARTNERS_STREAM), None
    for command in commands:
        (event,) = decide(state, command, None)  # type: ignore[arg-type]
        state = evolve(state, event)
    return state, event


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (define("gold", "desk"), "anothers"),
        (define("gold", "acme", 99), ""),
        (put("robo", "gold", "acme"), ""),
        (put("robo", "gold", "desk"), "unknown_tier"),  # a tier is its owner's to give
        (put("robo", "iron", "acme"), "unknown_tier"),
        (put("acme", "gold", "acme"), "own_tier"),
        (put("acme", "gold", "acme", is_alone=True), ""),
        (put("acme", "gold", "acme", "a1"), ""),  # it divides what it has
        (put("desk", "", "acme"), "unknown_partner"),
        (put("old", "", "acme"), ""),
        (put("old", "", "desk"), "anothers"),
    ],
)
def test_who_may_define_and_give_a_tier(command: Any, reason: str) -> None:
    before = (define("gold", "acme"), put("old", "gold", "acme"))
    _, event = lived(*before, command)
    assert (event.reason if isinstance(event, PartnerRefused) else "") == reason


commands = st.one_of(
    st.builds(define, st.sampled_from(["gold", "iron"]), st.sampled_from(TENANTS)),
    st.builds(
        put,
        st.sampled_from(TENANTS),
        st.sampled_from(["gold", "iron", ""]),
        st.sampled_from(TENANTS),
        st.sampled_from(["", "a1"]),
    ),
)


@given(st.lists(commands, max_size=30))
def test_every_partner_is_on_a_tier_that_there_is_and_that_somebody_else_gave(
    asked: list[Any],
) -> None:
    state = initial(PARTNERS_STREAM)
    for command in asked:
        before = (state.tiers, state.partners)
        (event,) = decide(state, command, None)  # type: ignore[arg-type]
        state = evolve(state, event)
        if isinstance(event, PartnerRefused):
            assert (state.tiers, state.partners) == before
        elif isinstance(event, PartnerTierDefined):
            assert state.tiers[event.tier].owner == event.owner
        elif isinstance(event, PartnerTierSet):
            assert (name_of(event.tenant, event.account) in state.partners) == bool(event.tier)
        for partner in state.partners.values():
            assert state.tiers[partner.tier].owner == partner.owner
            assert partner.account or partner.tenant != partner.owner
