"""T+n by calendars: weekends and holidays do not count, whatever the time zone of the session."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.reference.calendar import is_open, session_day_and_close, settlements
from fondaco.domain.reference.holidays import CLOSED, YEARS
from fondaco.domain.reference.model import SETTLE_DAYS_MAX, WEEKDAYS, Session
from fondaco.kernel.event import Instant

EPOCH = date(1970, 1, 1)
UTC_DAY, NEW_YORK = Session(), Session("America/New_York", 9 * 60 + 30)


def ns(text: str) -> Instant:
    return Instant(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9)


def day_of(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def dates(at: str, calendar: str, session: Session = UTC_DAY) -> list[str]:
    """T+1 … T+5."""
    opens = settlements(ns(at), session, [calendar])[calendar]
    days = [session_day_and_close(each, session)[0] for each in opens]
    return [(EPOCH + timedelta(days=day)).isoformat() for day in days]


@pytest.mark.parametrize(
    ("at", "calendar", "session", "first", "second"),
    [
        ("2026-11-20 12:00", "", UTC_DAY, "2026-11-21", "2026-11-22"),  # a Friday, every day
        ("2026-11-20 12:00", WEEKDAYS, UTC_DAY, "2026-11-23", "2026-11-24"),
        ("2026-11-21 12:00", WEEKDAYS, UTC_DAY, "2026-11-23", "2026-11-24"),  # a Saturday
        ("2026-11-20 15:00", "XNYS", NEW_YORK, "2026-11-23", "2026-11-24"),
        ("2026-11-25 15:00", "XNYS", NEW_YORK, "2026-11-27", "2026-11-30"),  # Thanksgiving
        ("2026-12-31 15:00", "XNYS", NEW_YORK, "2027-01-04", "2027-01-05"),
        ("2026-07-02 15:00", "XNYS", NEW_YORK, "2026-07-06", "2026-07-07"),  # kept on the 3rd
        ("2025-01-08 15:00", "XNYS", NEW_YORK, "2025-01-10", "2025-01-13"),  # mourning
        ("2026-04-02 12:00", "XLON", UTC_DAY, "2026-04-07", "2026-04-08"),  # Easter
        ("2026-04-02 12:00", "XTKS", UTC_DAY, "2026-04-03", "2026-04-06"),  # not there
        (
            "2026-11-23 05:00",
            "XNYS",
            NEW_YORK,
            "2026-11-23",
            "2026-11-24",
        ),  # still Sunday's session
    ],
)
def test_days_of_business_count(
    at: str, calendar: str, session: Session, first: str, second: str
) -> None:
    assert dates(at, calendar, session)[:2] == [first, second]


def test_the_published_holidays_of_new_york() -> None:
    """nyse.com/markets/hours-calendars, as published for 2026."""
    published = "0101 0119 0216 0403 0525 0619 0703 0907 1126 1225"
    assert CLOSED["XNYS"][2026] == published


@given(st.integers(day_of("2020-01-01"), day_of("2030-12-20")), st.sampled_from(sorted(CLOSED)))
def test_settlement_days_go_up_and_are_all_days_of_business_that_there_are(
    day: int, calendar: str
) -> None:
    at = Instant((day * 86_400 + 43_200) * 10**9)
    opens = settlements(at, UTC_DAY, [calendar])[calendar]
    found = [session_day_and_close(each, UTC_DAY)[0] for each in opens]
    following = [each for each in range(day + 1, day + 31) if is_open(calendar, each)]
    assert found == following[:SETTLE_DAYS_MAX]


def test_every_day_that_is_closed_is_a_weekday() -> None:
    for mic, years in CLOSED.items():
        assert list(years) == list(range(YEARS[0], YEARS[1] + 1)), mic
        for year, text in years.items():
            days = [date(year, int(each[:2]), int(each[2:])) for each in text.split()]
            assert days == sorted(set(days)), (mic, year)
            assert all(day.weekday() < 5 for day in days), (mic, year)
