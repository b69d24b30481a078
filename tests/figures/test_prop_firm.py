"""W1-W3: what a prop firm's published examples say of its limits, and what the house says."""

from datetime import datetime
from zoneinfo import ZoneInfo

from fondaco.domain.evaluation.model import Tier
from fondaco.domain.evaluation.reading import tier_of
from fondaco.domain.evaluation.rules import (
    EquityMark,
    Finding,
    RuleBroken,
    Standing,
    begin,
    distances,
    mark,
)
from fondaco.kernel.event import Instant

U = 10**8


def tier(account: int, rules: str) -> Tier:
    return tier_of(
        f'name = "w"\ntitle = "W"\neffective_from = 2026-01-01\naccount = "{account}"\n'
        f'time_zone = "Europe/Prague"\n[[phases]]\nname = "P"\ntarget = "90%"\n{rules}'
    )


def at(text: str) -> Instant:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Prague"))
    return Instant(int(local.timestamp()) * 10**9)


def seen(standing: Standing, when: str, balance: int, floating: int = 0) -> list[Finding]:
    equity = (balance + floating) * U
    return mark(standing, EquityMark(at(when), balance * U, equity, int(floating != 0)))


def test_w1_a_limit_follows_the_close_of_a_day_and_never_falls() -> None:
    one = tier(100_000, 'overall_loss = { limit = "10%", follows = "end_of_day" }')
    standing = begin(one, 0, at("2026-03-02T09:00"))
    limits = [standing.overall_limit // U]
    seen(standing, "2026-03-02T12:00", 100_000, 9_000)  # open positions do not move it
    limits.append(standing.overall_limit // U)
    for day, close in (("02", 104_000), ("03", 103_000)):
        seen(standing, f"2026-03-{day}T22:00", close)
        seen(standing, f"2026-03-{int(day) + 1:02}T00:00", close)
        limits.append(standing.overall_limit // U)
    assert limits == [90_000, 90_000, 94_000, 94_000]


def test_w2_the_daily_loss_is_counted_from_the_balance_at_midnight_in_prague() -> None:
    two = tier(200_000, 'daily_loss = { limit = "5%", from = "balance" }')
    standing = begin(two, 0, at("2026-03-02T09:00"))
    seen(standing, "2026-03-02T10:00", 192_000)
    assert [each.headroom // U for each in distances(standing)] == [2_000]

    standing = begin(two, 0, at("2026-03-02T09:00"))
    seen(standing, "2026-03-02T10:00", 204_000)
    assert [each.headroom // U for each in distances(standing)] == [14_000]
    found = seen(standing, "2026-03-02T23:59", 204_000, -13_000)
    assert standing.verdict == "active"
    assert not [each for each in found if isinstance(each, RuleBroken)]

    [broken] = [
        each
        for each in seen(standing, "2026-03-03T00:00", 204_000, -13_000)
        if isinstance(each, RuleBroken)
    ]
    assert standing.verdict != "active"
    assert (broken.rule, broken.at) == ("daily_loss", at("2026-03-03T00:00"))
    assert (broken.value // U, broken.limit // U) == (191_000, 194_000)


def test_w3_an_open_loss_counts_for_the_overall_limit() -> None:
    three = tier(100_000, 'overall_loss = { limit = "10%", follows = "static" }')
    standing = begin(three, 0, at("2026-03-02T09:00"))
    seen(standing, "2026-03-02T10:00", 92_000)
    seen(standing, "2026-03-02T10:01", 92_000, -2_000)
    assert standing.verdict == "active", "a limit may be touched"
    [broken] = [
        each
        for each in seen(standing, "2026-03-02T10:02", 92_000, -2_001)
        if isinstance(each, RuleBroken)
    ]
    assert (broken.rule, broken.equity // U, broken.limit // U) == ("overall_loss", 89_999, 90_000)
