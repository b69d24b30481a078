"""The odds that the house's own tiers are sold with are worked out again, byte by byte."""

import os
from typing import Final

import msgspec
import pytest

from fondaco.app.simulating import Run, simulate
from fondaco.app.tiers import built_in_odds
from fondaco.domain.evaluation.lint import is_wrong, lint
from fondaco.domain.evaluation.model import fingerprint
from fondaco.domain.evaluation.reading import built_in, text_of, tier_of
from fondaco.domain.evaluation.simulation.attached import (
    TITLES,
    USUAL,
    TraderOdds,
    kept,
    title_of,
    trader_kept,
    written,
)
from fondaco.domain.evaluation.simulation.traders import ARCHETYPES, trader_of

SOLD: Final = sorted(set(built_in()) - {"coin"})
SOAK: Final = os.environ.get("FONDACO_SOAK") == "1"


def test_every_tier_that_is_sold_has_odds_of_exactly_its_terms() -> None:
    found = built_in_odds()
    assert sorted(found) == SOLD
    for name, each in found.items():
        tier = tier_of(text_of(name))
        assert each.fingerprint == fingerprint(tier), f"{name}: simulate it again"
        assert not is_wrong(lint(tier))
        assert each.traders == USUAL
        assert [odds.trader for odds in each.odds] == list(USUAL)
        assert {odds.odds.paths for odds in each.odds} == {each.paths}


@pytest.mark.parametrize("name", SOLD if SOAK else ["one-step-50k"])
def test_the_odds_of_our_own_tiers_are_those_of_their_seed(name: str) -> None:
    each = built_in_odds()[name]
    run = Run(
        paths=each.paths,
        seed=each.seed,
        days=each.days,
        funded_days=each.funded_days,
        workers=1,
        sales=each.sales,
        capital=float(each.capital),
    )
    tier = tier_of(text_of(name))
    made = [
        TraderOdds(trader=who, title=title_of(who), odds=simulate(tier, trader_of(who), run))
        for who in each.traders[slice(None) if SOAK else slice(1, 3)]
    ]
    kept = each.odds if SOAK else each.odds[1:3]
    assert written(made) == written(kept)


def test_every_kind_of_trader_has_a_title_and_is_kept_whole() -> None:
    assert TITLES.keys() == ARCHETYPES.keys()
    for kind in ARCHETYPES.keys() - {"journal"}:
        assert trader_kept(kept(trader_of(kind))) == trader_of(kind)
    days = msgspec.structs.replace(
        trader_of("fair"), kind="journal", results=(-10_000, 5_000), lows=(-10_000, 0), ends=(0, 2)
    )
    assert trader_kept(kept(days)) == days
