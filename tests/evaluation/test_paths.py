"""The kernel walks as its slow twin does, whose verdicts are those of the rules."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from evaluation.naive_paths import Walk
from fondaco.domain.evaluation.model import (
    NEVER,
    DailyLoss,
    NewsWindow,
    OverallLoss,
    Payout,
    PhaseTerms,
    ScalingStep,
    Tier,
)
from fondaco.domain.evaluation.reading import built_in, text_of, tier_of
from fondaco.domain.evaluation.simulation import paths as kernel
from fondaco.domain.evaluation.simulation.traders import Crowd, Trader, paths_of, trader_of

U = 10**8
ACCOUNT = 10_000 * U
AMOUNTS = st.integers(1, 30).map(lambda each: each * 40 * U + 3 * 10**4)

DAILY = st.builds(
    DailyLoss,
    st.just(0) | AMOUNTS,
    st.just(0),
    st.sampled_from(["initial", "balance", "equity", "higher"]),
).map(lambda each: each if each.amount else replace(each, part_ppm=31_237))
OVERALL = st.builds(
    OverallLoss,
    AMOUNTS,
    st.sampled_from(["static", "trailing", "end_of_day"]),
    st.sampled_from([NEVER, ACCOUNT, ACCOUNT + 200 * U]),
)
PHASES = st.builds(
    PhaseTerms,
    name=st.just("Phase"),
    target=AMOUNTS,
    daily_loss=st.none() | DAILY,
    overall_loss=st.none() | OVERALL,
    min_trading_days=st.integers(0, 4),
    min_trades=st.integers(0, 9),
    time_limit_days=st.sampled_from([0, 0, 5]),
    max_risk_per_trade=st.sampled_from([0, 70 * U]),
    consistency_ppm=st.sampled_from([0, 300_000, 500_000]),
    inactivity_days=st.sampled_from([0, 0, 1, 3]),
    max_lots=st.sampled_from([0, 0, 900]),
    news=st.none() | st.just(NewsWindow(100, 100)),
    weekend=st.sampled_from(["allowed", "flat"]),
)
TRADERS = st.builds(
    Trader,
    kind=st.just("fair"),
    win=st.sampled_from(["", "", "0.6"]),
    stake=st.just("75"),
    risk=st.just("0.9%"),
    edge=st.sampled_from([0.0, 0.3]),
    stop=st.sampled_from([0.0, 1.0]),
    aim=st.sampled_from([0.0, 2.0]),
    cost=st.sampled_from([0.0, 0.05]),
    ticks=st.integers(1, 12),
    trades=st.integers(1, 4),
    tails=st.sampled_from(["normal", "fat"]),
    revenge=st.sampled_from([1.0, 2.0]),
    week=st.sampled_from([5, 7]),
    pause=st.sampled_from([0.0, 0.0, 0.2]),
    pause_days=st.integers(0, 5),
    hold=st.sampled_from([0.0, 0.0, 0.5, 1.0]),
    gap=st.sampled_from([0.0, 2.5]),
    announcements=st.sampled_from([0.0, 2.0]),
    distance=st.sampled_from(["", "0.5%", "0.03%"]),
)
DAYS = st.lists(
    st.lists(st.tuples(st.integers(-30_000, 0), st.integers(-20_000, 40_000)), max_size=3),
    min_size=1,
    max_size=5,
)
CROWDS = st.builds(Crowd, st.sampled_from([0.0, 0.7, 1.0]), st.integers(1, 4), st.integers(1, 2))


@st.composite
def journals(draw: st.DrawFn) -> Trader:
    """Somebody's days, with as many trades as they had."""
    days = draw(DAYS)
    trades = [each for day in days for each in day] or [(0, 1)]
    days[0] = days[0] or trades[:1]
    trades = [each for day in days for each in day]
    ends = tuple(sum(map(len, days[: nth + 1])) for nth, _ in enumerate(days))
    return replace(
        trader_of("fair:week=7,stop=0,aim=0"),
        kind="journal",
        risk="1%",
        revenge_max=0,
        results=tuple(result for _, result in trades),
        lows=tuple(min(low, result) for low, result in trades),
        ends=ends,
        block=draw(st.sampled_from([1.0, 2.0])),
        distance="",
    )


SCALING = (
    ScalingStep(60 * U, ACCOUNT + 2_500 * U, 900_000),
    ScalingStep(200 * U, 3 * ACCOUNT, 950_000),
)


@st.composite
def tiers(draw: st.DrawFn) -> Tier:
    funded = replace(draw(PHASES), target=0) if draw(st.booleans()) else None
    payout = Payout(
        split_ppm=800_000,
        first_after_days=draw(st.integers(0, 6)),
        every_days=draw(st.integers(1, 4)),
        minimum=draw(st.sampled_from([0, 50 * U])),
        refunds_fee=draw(st.booleans()),
    )
    return replace(
        tier_of(text_of("coin")),
        account=ACCOUNT,
        broken_at=draw(st.sampled_from(["below", "touch"])),
        leverage=draw(st.sampled_from([1, 30])),
        fee=99 * U,
        scaling=draw(st.sampled_from([(), SCALING])) if funded else (),
        phases=tuple(draw(st.lists(PHASES, min_size=0 if funded else 1, max_size=2))),
        funded=funded,
        payout=payout if funded else None,
    )


def test_a_toss_of_any_trader_is_as_large_as_its_stake() -> None:
    """How far a stop is says nothing of a toss; leverage does not make it smaller."""
    tier = replace(tier_of(text_of("coin")), account=ACCOUNT, leverage=1)
    found = []
    for distance in ("", "0.03%", "50%"):
        trader = replace(trader_of("fair:win=0.6,stake=75"), distance=distance)
        ends, flows = array("q", bytes(8 * 6 * 3)), array("q", bytes(8 * 64))
        paths_of(tier, trader, days=9, funded_days=12).run(1, 0, 3, ends, flows)
        found.append(list(ends))
    assert found[0] == found[1] == found[2]


@settings(max_examples=60, deadline=None)
@given(tier=tiers(), trader=TRADERS | journals(), seed=st.integers(0, 2**64 - 1), crowd=CROWDS)
def test_every_path_is_what_the_rules_say_of_its_ticks(
    tier: Tier, trader: Trader, seed: int, crowd: Crowd
) -> None:
    found, flows = array("q", bytes(8 * 6 * 3)), array("q", bytes(8 * 64))
    kernel = paths_of(tier, trader, days=9, funded_days=12, crowd=crowd)
    kernel.run(seed, 5, 3, found, flows)
    slow = Walk(tier, trader, 9, 12, crowd)
    expected, paid = [], [0] * 64
    for number in range(5, 8):
        expected.append(slow.path(seed, number))
        for day, amount in slow.flows.items():
            paid[day] += amount
    assert [list(found[at : at + 6]) for at in (0, 6, 12)] == expected
    assert flows.tolist() == paid


@pytest.mark.parametrize("name", built_in())
def test_a_built_in_tier_is_walked_as_the_rules_say(name: str) -> None:
    tier = replace(tier_of(text_of(name)), time_zone="UTC", reset_minute=0)
    trader = trader_of("skilled:risk=1%,edge=0.4,week=7")
    found = array("q", bytes(8 * 6 * 2))
    paths_of(tier, trader, days=15, funded_days=20).run(3, 0, 2, found, array("q", [0]))
    slow = Walk(tier, trader, 15, 20)
    assert [list(found[:6]), list(found[6:])] == [slow.path(3, 0), slow.path(3, 1)]


@pytest.mark.parametrize("seed", range(3))
def test_tosses_alone_go_the_short_way_to_the_same_end(seed: int) -> None:
    """A daily loss as large as the account changes nothing, and leaves the short way."""
    tier = replace(tier_of(text_of("coin")), account=9 * U)
    terms = replace(tier.phases[0], target=2 * U, overall_loss=OverallLoss(9 * U, "static", NEVER))
    short = replace(tier, phases=(terms,))
    long = replace(tier, phases=(replace(terms, daily_loss=DailyLoss(50 * U, 0, "balance")),))
    rows = []
    for each in (short, long):
        found = array("q", bytes(8 * 6 * 50))
        paths_of(each, trader_of("coin:win=0.45"), days=0, funded_days=1).run(
            seed, 0, 50, found, array("q", [0])
        )
        rows.append(found.tolist())
    assert rows[0] == rows[1]
    slow = Walk(short, trader_of("coin:win=0.45"), 0, 1)
    assert rows[0][:6] == slow.path(seed, 0)


def test_of_two_equal_limits_the_overall_one_is_broken() -> None:
    tier = replace(tier_of(text_of("coin")), account=9 * U)
    terms = replace(
        tier.phases[0],
        daily_loss=DailyLoss(2 * U, 0, "balance"),
        overall_loss=OverallLoss(2 * U, "static", NEVER),
    )
    trader, found = trader_of("coin:win=0.5,stake=1"), array("q", bytes(8 * 6 * 8))
    equal = replace(tier, phases=(terms,))
    paths_of(equal, trader, days=3, funded_days=1).run(1, 0, 8, found, array("q", [0]))
    slow = [Walk(equal, trader, 3, 1).path(1, number) for number in range(8)]
    assert found.tolist() == [each for row in slow for each in row]
    assert kernel.OVERALL in found[0::6], "or nothing was broken on a first day"
