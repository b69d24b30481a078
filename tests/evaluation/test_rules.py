"""What a stage says of equity: laws, and a slow reading of the same terms beside it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fondaco.domain.evaluation.model import (
    NEVER,
    DailyLoss,
    NewsWindow,
    OverallLoss,
    PhaseTerms,
    Tier,
)
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.rules import (
    DayReset,
    EquityMark,
    Finding,
    RuleBroken,
    RuleWarned,
    StageEnded,
    TradeOpened,
    begin,
    conditions,
    distances,
    mark,
    trade_opened,
)
from fondaco.kernel.event import Instant

U = 10**8
ACCOUNT = 1_000 * U
HOUR = 3_600 * 10**9
DAY = 24 * HOUR
MONDAY = Instant(20_514 * DAY)  # 2026-03-02, UTC


def tier(terms: PhaseTerms, **more: object) -> Tier:
    return replace(
        tier_of(text_of("coin")), account=ACCOUNT, phases=(terms,), **{"broken_at": "below", **more}
    )


def phase(**terms: object) -> PhaseTerms:
    said: dict[str, object] = {"name": "P", "target": 100 * U, **terms}
    return PhaseTerms(**said)  # type: ignore[arg-type]


def broken(found: list[Finding]) -> list[str]:
    return [each.rule for each in found if isinstance(each, RuleBroken)]


ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Prague",
        "America/New_York",
        "Australia/Lord_Howe",  # half an hour
        "America/Sao_Paulo",  # had its changes at midnight
        "Asia/Kathmandu",
    ]
)
MINUTES = st.sampled_from([0, 30, 120, 150, 180, 1_020, 1_439])
# Days around changes of clocks, in any of these zones; 2018 for São Paulo's.
STARTS = st.sampled_from(
    [date(2026, 3, 6), date(2026, 3, 27), date(2026, 10, 23), date(2026, 4, 3), date(2018, 11, 2)]
)


@settings(max_examples=60, deadline=None)
@given(zone=ZONES, minute=MINUTES, start=STARTS, hours=st.lists(st.integers(1, 40), max_size=12))
def test_a_day_is_reset_once_whatever_clocks_do(
    zone: str, minute: int, start: date, hours: list[int]
) -> None:
    """Each local day has one reset, at its minute, or where that is skipped when it would have
    been; whether marks are far apart or close."""
    one = tier(phase(), time_zone=zone, reset_minute=minute)
    began = Instant(int(datetime.combine(start, time(12), UTC).timestamp()) * 10**9)
    standing = begin(one, 0, began)
    found: list[Finding] = []
    at = began
    for each in hours:
        at = Instant(at + each * HOUR)
        found += mark(standing, EquityMark(at, ACCOUNT, ACCOUNT))
    resets = [each for each in found if isinstance(each, DayReset)]
    expected = []
    for offset in range(-1, 25):
        local = start + timedelta(days=offset)
        shown = datetime.combine(local, time(minute // 60, minute % 60), ZoneInfo(zone))
        instant = int(shown.timestamp()) * 10**9
        if began < instant <= at:
            expected.append(((local - date(1970, 1, 1)).days, instant))
    assert [(each.day, each.at) for each in resets] == expected


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_days_of_23_and_of_25_hours_have_one_reset(day: str, hours: int) -> None:
    one = tier(phase(), time_zone="Europe/Prague")
    local = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Prague"))
    began = Instant(int(local.timestamp()) * 10**9)
    standing = begin(one, 0, began)
    resets: list[Finding] = []
    for quarter in range(1, 4 * 30):
        at = Instant(began + quarter * HOUR // 4)
        resets += mark(standing, EquityMark(at, ACCOUNT, ACCOUNT))
    assert [each.at - began for each in resets if isinstance(each, DayReset)] == [hours * HOUR]


MARKS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(-60, 60), st.integers(-60, 60)), max_size=30
)
OVERALL = st.builds(
    OverallLoss,
    st.integers(1, 150).map(lambda each: each * U),
    st.sampled_from(["static", "trailing", "end_of_day"]),
    st.sampled_from([NEVER, ACCOUNT, ACCOUNT + 50 * U]),
)
DAILY = st.builds(
    DailyLoss,
    st.integers(1, 100).map(lambda each: each * U),
    st.just(0),
    st.sampled_from(["initial", "balance", "equity", "higher"]),
)


class Slow:
    """The whole history is looked at again for every mark."""

    def __init__(self, terms: PhaseTerms, touch: bool) -> None:
        self.terms, self.touch = terms, touch
        self.marks: list[EquityMark] = []

    def limits(self, now: Instant) -> dict[str, int]:
        today = now // DAY
        before = [each for each in self.marks if each.at // DAY < today]
        last = before[-1] if before else EquityMark(MONDAY, ACCOUNT, ACCOUNT)
        found = {}
        if self.terms.daily_loss:
            start = {
                "initial": ACCOUNT,
                "balance": last.balance,
                "equity": last.equity,
                "higher": max(last.balance, last.equity),
            }[self.terms.daily_loss.basis]
            is_first = not before and today == MONDAY // DAY
            start = ACCOUNT if is_first else start
            found["daily_loss"] = start - self.terms.daily_loss.amount
        overall = self.terms.overall_loss
        if overall:
            closes = {each.at // DAY: each.balance for each in before}
            peak = {
                "static": ACCOUNT,
                "trailing": max([ACCOUNT, *(each.equity for each in self.marks)]),
                "end_of_day": max([ACCOUNT, *closes.values()]),
            }[overall.follows]
            found["overall_loss"] = min(peak - overall.amount, overall.locks_at)
        return found

    def breaks(self, seen: EquityMark) -> bool:
        """Whether this mark, or a reset since the last one, breaks a limit."""
        if self.marks:
            last = self.marks[-1]
            for day in range(last.at // DAY + 1, seen.at // DAY + 1):
                if self.is_under(last.equity, self.limits(Instant(day * DAY))):
                    return True
        self.marks.append(seen)
        return self.is_under(seen.equity, self.limits(seen.at))

    def is_under(self, equity: int, limits: dict[str, int]) -> bool:
        return any(equity < each + self.touch for each in limits.values())


@settings(max_examples=100, deadline=None)
@given(
    daily=st.none() | DAILY,
    overall=st.none() | OVERALL,
    touch=st.booleans(),
    marks=MARKS,
)
def test_limits_are_what_the_whole_history_says(
    daily: DailyLoss | None,
    overall: OverallLoss | None,
    touch: bool,
    marks: list[tuple[int, int, int]],
) -> None:
    """And a limit that follows never falls, nor rises over its lock."""
    terms = phase(daily_loss=daily, overall_loss=overall, target=0)
    one = tier(terms, broken_at="touch" if touch else "below")
    standing, slow = begin(one, 0, MONDAY), Slow(terms, touch)
    at, balance = MONDAY, ACCOUNT
    for hours, gain, floating in marks:
        at, balance = Instant(at + hours * HOUR), balance + gain * U
        seen = EquityMark(at, balance, balance + floating * U, 1)
        level = standing.overall_limit
        found = mark(standing, seen)
        assert standing.overall_limit >= level
        if overall:
            assert standing.overall_limit <= max(overall.locks_at, ACCOUNT - overall.amount)
        if slow.breaks(seen):
            assert standing.verdict == "failed"
            assert len(broken(found)) == 1
            return
        assert standing.verdict == "active"
        assert {each.rule: each.limit for each in distances(standing)} == slow.limits(at)


def test_what_comes_after_a_verdict_means_nothing() -> None:
    one = tier(phase(overall_loss=OverallLoss(100 * U, "static", NEVER)))
    standing = begin(one, 0, MONDAY)
    found = mark(standing, EquityMark(MONDAY, ACCOUNT, ACCOUNT - 101 * U, 1))
    assert broken(found) == ["overall_loss"]
    assert found[-1] == StageEnded(MONDAY, "failed")
    assert mark(standing, EquityMark(MONDAY, 2 * ACCOUNT, 2 * ACCOUNT)) == []
    assert trade_opened(standing, TradeOpened(at=MONDAY)) == []


def test_a_warning_comes_once_a_day_before_the_limit() -> None:
    one = tier(phase(daily_loss=DailyLoss(100 * U, 0, "balance")))
    standing = begin(one, 0, MONDAY)
    warned = []
    for hour, loss in ((1, 79), (2, 80), (3, 90), (4, 10), (5, 95), (25, 15), (26, 90)):
        at = Instant(MONDAY + hour * HOUR)
        found = mark(standing, EquityMark(at, ACCOUNT, ACCOUNT - loss * U, 1))
        warned += [(hour, each.headroom // U) for each in found if isinstance(each, RuleWarned)]
    assert warned == [(2, 20), (26, 10)]


def test_what_passing_needs_is_no_rule_and_passing_waits_for_all_of_it() -> None:
    one = tier(phase(min_trading_days=2, min_trades=3, consistency_ppm=600_000))
    standing = begin(one, 0, MONDAY)

    def trade(day: int, balance: int) -> list[Finding]:
        at = Instant(MONDAY + day * DAY + HOUR)
        found = trade_opened(standing, TradeOpened(at=at))
        return found + mark(standing, EquityMark(at, balance * U, balance * U))

    def missing() -> list[str]:
        return [each.name for each in conditions(standing) if not each.is_met]

    assert broken(trade(0, 1_120)) == []
    assert missing() == ["min_trading_days", "min_trades", "consistency"]
    trade(1, 1_130)
    assert missing() == ["min_trades", "consistency"]
    trade(1, 1_190)
    assert missing() == ["consistency"], "120 of 190 are more than 60 %"
    at = Instant(MONDAY + 26 * HOUR)
    is_open = mark(standing, EquityMark(at, 1_200 * U, 1_200 * U, open_positions=1))
    assert missing() == []
    assert standing.verdict == "active", "something is open"
    assert is_open == []
    assert mark(standing, EquityMark(at, 1_200 * U, 1_200 * U)) == [StageEnded(at, "passed")]


TRADES = [
    ("max_risk_per_trade", {"max_risk_per_trade": 10 * U}, {"risk": 10 * U}, {"risk": 10 * U + 1}),
    ("max_positions", {"max_positions": 3}, {"open_positions": 3}, {"open_positions": 4}),
    ("max_lots", {"max_lots": 20_000}, {"lots": 20_000}, {"lots": 20_001}),
    ("leverage", {}, {"notional": 30 * ACCOUNT}, {"notional": 30 * ACCOUNT + 1}),
    ("instruments", {}, {}, {"instrument": "DOGE-USD"}),
    (
        "news",
        {"news": NewsWindow(2, 3)},
        {"announcements": (MONDAY + HOUR + 121 * 10**9, MONDAY + HOUR - 181 * 10**9)},
        {"announcements": (MONDAY + HOUR + 120 * 10**9,)},
    ),
    (
        "news",
        {"news": NewsWindow(2, 3)},
        {},
        {"announcements": (MONDAY + HOUR - 180 * 10**9,)},
    ),
]


@pytest.mark.parametrize(("rule", "terms", "kept", "breaks"), TRADES)
def test_a_trade_keeps_each_rule_up_to_its_limit(
    rule: str, terms: dict[str, object], kept: dict[str, object], breaks: dict[str, object]
) -> None:
    one = tier(phase(**terms), leverage=30, instruments=("BTC-USD",))
    for said, expected in ((kept, []), (breaks, [rule])):
        standing = begin(one, 0, MONDAY)
        whole = {"at": Instant(MONDAY + HOUR), "instrument": "BTC-USD", **said}
        assert broken(trade_opened(standing, TradeOpened(**whole))) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "minute", "weekend"), [("UTC", 0, 5 * DAY), ("UTC", 1_020, 4 * DAY + 17 * HOUR)]
)
def test_a_weekend_begins_with_the_day_that_is_saturdays(
    zone: str, minute: int, weekend: int
) -> None:
    one = tier(phase(weekend="flat"), time_zone=zone, reset_minute=minute)
    standing = begin(one, 0, MONDAY)
    before = Instant(MONDAY + weekend - 1)
    assert broken(mark(standing, EquityMark(before, ACCOUNT, ACCOUNT, 1))) == []
    found = mark(standing, EquityMark(Instant(before + HOUR), ACCOUNT, ACCOUNT, 0))
    assert broken(found) == ["weekend"], "it was open when the weekend began"
    assert found[-1] == StageEnded(Instant(MONDAY + weekend), "failed")


@pytest.mark.parametrize(
    ("terms", "verdict", "day"),
    [
        ({"time_limit_days": 10, "inactivity_days": 5}, "abandoned", 7),
        ({"time_limit_days": 6, "inactivity_days": 5}, "expired", 6),
    ],
)
def test_idleness_and_time_end_a_stage_and_neither_fails_it(
    terms: dict[str, object], verdict: str, day: int
) -> None:
    one = tier(phase(**terms))
    standing = begin(one, 0, MONDAY)
    trade_opened(standing, TradeOpened(at=Instant(MONDAY + 2 * DAY)))
    found = mark(standing, EquityMark(Instant(MONDAY + 20 * DAY), ACCOUNT, ACCOUNT))
    assert found[-1] == StageEnded(Instant(MONDAY + day * DAY), verdict)  # type: ignore[arg-type]
    assert broken(found) == []
