"""Instants and days as text: what is written is read back, and what is none is named."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.kernel.errors import Invalid
from fondaco.kernel.instants import (
    instant_of,
    is_instant,
    moment,
    parsed_day,
    parsed_instant,
    rfc_3339,
)

NO_INSTANTS = [
    "", "yesterday", "2026-11-22", "2026-02-30T00:00:00Z", "5", "2026-11-22T09:30:00",
    "٢٠٢٦-11-22T09:30:00Z",
]  # fmt: skip


@given(st.integers(0, 2**62))
def test_a_time_is_the_same_instant_written_and_read(ns: int) -> None:
    assert parsed_instant(rfc_3339(ns), "at") == ns


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00.5+01:00", 500_000_000),
        ("2026-11-22T09:30:00.000000001Z", 1_795_339_800_000_000_001),
    ],
)
def test_any_offset_and_any_fraction_is_read(text: str, ns: int) -> None:
    assert parsed_instant(text, "at") == ns


@pytest.mark.parametrize("text", NO_INSTANTS)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"expires_at is .*, must be a time in RFC 3339"):
        parsed_instant(text, "expires_at")


@given(st.integers(-(2**62), 2**62))
def test_a_moment_is_that_of_python_to_the_microsecond(ns: int) -> None:
    read = datetime.fromisoformat(moment(ns))
    assert read.tzinfo is not None
    assert instant_of(read) == ns // 1_000 * 1_000
    assert is_instant(moment(ns))


def test_what_nanoseconds_cannot_count_is_as_far_as_they_go() -> None:
    assert instant_of(datetime.max.replace(tzinfo=UTC)) == 2**63 - 1
    assert parsed_instant("0001-01-01T00:00:00+23:59", "at") == -(2**63) + 1
    assert instant_of(datetime.min.replace(tzinfo=UTC)) == -(2**63) + 1


@given(st.dates())
def test_a_day_is_read_as_it_is_written(day: date) -> None:
    assert parsed_day(day.isoformat(), "day") == day


@pytest.mark.parametrize("text", ["", "today", "2026-02-30", "20261122", "2026-11-22T00:00:00Z"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"born is .*, must be a day: 2026-11-22") as told:
        parsed_day(text, "born", "kyc_incomplete")
    assert told.value.code == "kyc_incomplete"
