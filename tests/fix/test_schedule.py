"""Hours of sessions: time zones, nights, weeks, holidays, and clocks that are set."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix.link import SECOND, Link
from fondaco.domain.fix.api import Close, Renumbered, Schedule, Write, parse
from fondaco.kernel.errors import Invalid

CHICAGO = {"start": "17:00", "end": "16:00", "time_zone": "America/Chicago"}
WEEK = {
    "start": "17:00",
    "end": "16:00",
    "start_day": "sunday",
    "end_day": "friday",
    "time_zone": "America/Chicago",
}
BUSINESS = ("monday", "tuesday", "wednesday", "thursday", "friday")


def at(text: str) -> int:
    """UTC nanoseconds of "2026-03-08 21:59:59"."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def shown(instant: int) -> str:
    return datetime.fromtimestamp(instant // SECOND, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("agreed", "when", "begins", "ends"),
    [
        ({"start": "08:00", "end": "17:00"}, "2026-01-05 08:00", "2026-01-05 08:00", "17:00"),
        ({"start": "08:00", "end": "17:00"}, "2026-01-05 17:00", "", ""),
        ({"start": "00:00", "end": "00:00"}, "2026-01-05 23:59", "2026-01-05 00:00", "00:00"),
        (CHICAGO, "2026-01-05 21:59", "2026-01-04 23:00", "22:00"),
        (CHICAGO, "2026-01-05 22:30", "", ""),
        # Clocks go forward on 8 March 2026: the same local hours, an hour earlier in UTC.
        (CHICAGO, "2026-03-08 22:00", "2026-03-08 22:00", "21:00"),
        (CHICAGO, "2026-03-08 20:59", "2026-03-07 23:00", "21:00"),
        # They go back on 1 November: one session is an hour longer.
        (CHICAGO, "2026-11-01 21:59", "2026-10-31 22:00", "22:00"),
        (WEEK, "2026-01-07 03:00", "2026-01-04 23:00", "22:00"),
        (WEEK, "2026-01-10 12:00", "", ""),
        ({**CHICAGO, "weekdays": BUSINESS}, "2026-01-04 23:30", "2026-01-04 23:00", "22:00"),
        ({**CHICAGO, "weekdays": BUSINESS}, "2026-01-03 23:30", "", ""),
        ({**CHICAGO, "holidays": ("2026-12-25",)}, "2026-12-25 03:00", "", ""),
        ({**CHICAGO, "holidays": ("2026-12-25",)}, "2026-12-26 03:00", "2026-12-25 23:00", "22:00"),
        ({**WEEK, "holidays": ("2026-01-07",)}, "2026-01-07 12:00", "", ""),
        ({"start": "09:00", "end": "17:30", "end_time_zone": "Europe/London"},
         "2026-07-01 16:29", "2026-07-01 09:00", "16:30"),
    ],
)  # fmt: skip
def test_openings(agreed: dict[str, Any], when: str, begins: str, ends: str) -> None:
    found = Schedule(**agreed).opening(at(when))
    if not begins:
        assert found is None
        return
    assert found is not None
    assert shown(found.begins_at) == begins
    assert shown(found.ends_at).endswith(ends)
    assert found.begins_at <= at(when) < found.ends_at


@given(
    st.sampled_from([CHICAGO, WEEK, {"start": "22:00", "end": "02:00", "time_zone": "Asia/Tokyo"}]),
    st.integers(at("2025-01-01"), at("2027-12-31")),
)
def test_openings_do_not_overlap_and_the_next_one_is_the_next(
    agreed: dict[str, Any], when: int
) -> None:
    schedule = Schedule(**agreed)
    following = schedule.next_opening(when)
    assert following is not None
    assert schedule.opening(following.begins_at) == following
    assert schedule.opening(following.ends_at - 1) == following
    now = schedule.opening(when)
    if now is not None:
        assert now.ends_at <= following.begins_at
        assert schedule.opening(now.begins_at - 1) != now


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": "25:00", "end": "16:00"},
        {"start": "08:00", "end": "16:00", "time_zone": "Mars/Olympus"},
        {"start": "08:00", "end": "16:00", "start_day": "monday"},
        {"start": "08:00", "end": "16:00", "weekdays": ("someday",)},
        {"start": "08:00", "end": "16:00", "holidays": ("Christmas",)},
    ],
)
def test_what_is_no_schedule_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Schedule(**wrong)


def test_a_session_ends_with_its_hours_and_begins_anew_with_the_next() -> None:
    link = Link(schedule=Schedule(start="08:00", end="17:00"))
    link.now = at("2026-01-05 16:59")
    link.ends[0].say(link.now)
    link.settle()
    assert all(end.session.is_up for end in link.ends)
    link.wait(61 * SECOND)
    for side in (0, 1, 0):
        link.carry(side, len(link.ends[side].wire))
    assert all(end.closes for end in link.ends), "they have said Logout to each other"
    link.cut()
    link.connect()
    assert isinstance(link.ends[0].acts[-1], Close), "nobody logs on in the night"
    link.cut()
    link.now = at("2026-01-06 08:00")
    link.connect()
    for side in (0, 1):
        link.carry(side, len(link.ends[side].wire))
    for end in link.ends:
        assert end.session.is_up
        assert (end.session.next_out, end.session.next_in) == (2, 2)
        assert sum(isinstance(act, Renumbered) for act in end.acts) == 2


def test_more_than_is_agreed_is_refused_and_what_we_say_waits() -> None:
    slow = Link(receive_max_per_s=2)
    slow.connect()
    slow.carry(0, 500)
    slow.carry(1, 500)
    for _ in range(4):
        slow.ends[0].say(slow.now)
    slow.carry(0, 5_000)
    assert slow.ends[1].delivered == [b"1", b"2"]
    refused = [parse(act.raw) for act in slow.ends[1].acts if isinstance(act, Write)][-2:]
    assert [(each.msg_type, each.text(380)) for each in refused] == [("j", "8")] * 2
    paced = Link(send_max_per_s=2)
    paced.connect()
    paced.carry(0, 500)
    paced.carry(1, 500)
    for _ in range(5):
        paced.ends[0].say(paced.now)
    for sent in (2, 4, 5):
        paced.carry(0, 5_000)
        assert len(paced.ends[1].delivered) == sent
        assert sent == 5 or paced.ends[0].session.due() <= paced.now + SECOND
        paced.wait(SECOND)
