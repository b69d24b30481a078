"""Trading days in any time zone: both changes of the clocks, gaps, folds, and a skipped day."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.reference.calendar import check_time_zone, session_day_and_close
from fondaco.domain.reference.model import Session
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

NEW_YORK, ZURICH, SYDNEY, APIA = (
    "America/New_York",
    "Europe/Zurich",
    "Australia/Sydney",
    "Pacific/Apia",
)
HOUR_NS = 3_600_000_000_000


def ns(text: str) -> Instant:
    """An instant of UTC."""
    return Instant(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9)


def hours(first: str, second: str) -> int:
    return (ns(second) - ns(first)) // HOUR_NS


@pytest.mark.parametrize(
    ("zone", "minute", "at", "day", "closes_at"),
    [
        ("UTC", 0, "2026-11-20 00:00", "2026-11-20", "2026-11-21 00:00"),
        ("UTC", 0, "2026-11-20 23:59:59", "2026-11-20", "2026-11-21 00:00"),
        ("UTC", 540, "2026-11-20 08:59:59", "2026-11-19", "2026-11-20 09:00"),
        ("UTC", 540, "2026-11-20 09:00", "2026-11-20", "2026-11-21 09:00"),
        # 17:00 in New York, the FX day: the 8th of March 2026 has 23 hours …
        (NEW_YORK, 1020, "2026-03-07 21:59:59", "2026-03-06", "2026-03-07 22:00"),
        (NEW_YORK, 1020, "2026-03-07 22:00", "2026-03-07", "2026-03-08 21:00"),
        (NEW_YORK, 1020, "2026-03-08 21:00", "2026-03-08", "2026-03-09 21:00"),
        # … and the 1st of November 25.
        (NEW_YORK, 1020, "2026-10-31 21:00", "2026-10-31", "2026-11-01 22:00"),
        (NEW_YORK, 1020, "2026-11-01 21:59:59", "2026-10-31", "2026-11-01 22:00"),
        (NEW_YORK, 1020, "2026-11-01 22:00", "2026-11-01", "2026-11-02 22:00"),
        # Midnight in Zurich, days of 23 and of 25 hours.
        (ZURICH, 0, "2026-03-28 23:00", "2026-03-29", "2026-03-29 22:00"),
        (ZURICH, 0, "2026-10-24 22:00", "2026-10-25", "2026-10-25 23:00"),
        # 02:30 does not exist in New York on the 8th of March: 03:30 of summer time, 07:30 UTC.
        (NEW_YORK, 150, "2026-03-08 07:29:59", "2026-03-07", "2026-03-08 07:30"),
        (NEW_YORK, 150, "2026-03-08 07:30", "2026-03-08", "2026-03-09 06:30"),
        # 01:30 comes twice on the 1st of November; the first counts, 05:30 UTC.
        (NEW_YORK, 90, "2026-11-01 05:29:59", "2026-10-31", "2026-11-01 05:30"),
        (NEW_YORK, 90, "2026-11-01 05:30", "2026-11-01", "2026-11-02 06:30"),
        (NEW_YORK, 90, "2026-11-01 06:30", "2026-11-01", "2026-11-02 06:30"),
        # The southern half changes the other way round.
        (SYDNEY, 600, "2026-04-04 00:00", "2026-04-04", "2026-04-05 00:00"),
        (SYDNEY, 600, "2026-04-03 23:00", "2026-04-04", "2026-04-05 00:00"),
        (SYDNEY, 600, "2026-10-03 12:00", "2026-10-03", "2026-10-03 23:00"),
        # Samoa went from the 29th to the 31st of December 2011.
        (APIA, 0, "2011-12-30 09:59:59", "2011-12-29", "2011-12-30 10:00"),
        (APIA, 0, "2011-12-30 10:00", "2011-12-31", "2011-12-31 10:00"),
        (APIA, 600, "2011-12-30 19:00", "2011-12-29", "2011-12-30 20:00"),
        (APIA, 600, "2011-12-30 20:00", "2011-12-31", "2011-12-31 20:00"),
    ],
)
def test_an_instant_belongs_to_a_session(
    zone: str, minute: int, at: str, day: str, closes_at: str
) -> None:
    found = session_day_and_close(ns(at), Session(zone, minute))
    assert found == ((date.fromisoformat(day) - date(1970, 1, 1)).days, ns(closes_at))


def test_a_day_may_have_23_or_25_hours() -> None:
    assert hours("2026-03-07 22:00", "2026-03-08 21:00") == 23
    assert hours("2026-10-31 21:00", "2026-11-01 22:00") == 25


zones = st.sampled_from([NEW_YORK, ZURICH, SYDNEY, APIA, "UTC", "Asia/Kathmandu", "Africa/Cairo"])
instants = st.integers(ns("1995-01-01 00:00"), ns("2037-01-01 00:00")).map(Instant)


@settings(deadline=None)
@given(zones, st.integers(0, 1_439), instants)
def test_sessions_follow_each_other_without_gap_or_overlap(
    zone: str, minute: int, at: Instant
) -> None:
    session = Session(zone, minute)
    day, closes_at = session_day_and_close(at, session)
    assert at < closes_at
    assert session_day_and_close(Instant(closes_at - 1), session) == (day, closes_at)
    next_day, next_close = session_day_and_close(closes_at, session)
    assert next_day - day in (1, 2), "2 where a day was skipped"
    assert 22 * HOUR_NS <= next_close - closes_at <= 26 * HOUR_NS
    # It closes when the local clock shows the opening minute, unless clocks were changed past it.
    local = datetime.fromtimestamp(closes_at // 10**9, ZoneInfo(zone))
    shown = local.hour * 60 + local.minute
    assert shown == minute or abs(shown - minute) in (60, 30, 23 * 60)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "a" * 300])
def test_what_is_no_time_zone_is_invalid(name: str) -> None:
    with pytest.raises(Invalid):
        check_time_zone(name)
    with pytest.raises(Invalid):
        session_day_and_close(ns("2026-11-20 00:00"), Session(name, 0))


def test_zones_are_known_where_the_machine_has_none() -> None:
    """As in a small container: the zones of the package `tzdata` are used."""
    code = "from fondaco.domain.reference.calendar import check_time_zone as c; c('Europe/Zurich')"
    bare = {**os.environ, "PYTHONTZPATH": "", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=bare, check=True)
