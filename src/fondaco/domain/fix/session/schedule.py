"""When a session is open: daily or weekly hours in a time zone, and days that are closed.

An opening begins when clocks in `time_zone` show its start, and ends when those in `end_time_zone`
show its end: hours that are skipped when clocks go forward are read as if they had not been (RFC
5545, 3.3.5), hours that come twice are the first. A daily opening belongs to the date of its last
moment, so that the one from Sunday 17:00 to Monday 16:00 is Monday's; `weekdays` and `holidays` are
such dates. A weekly opening is interrupted on holidays, but its numbers go on.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.kernel.instants import parsed_day

_SECOND_NS: Final = 1_000_000_000
_A_DAY: Final = timedelta(days=1)
_LOOK_AHEAD: Final = 40  # days
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Opening(msgspec.Struct, frozen=True):
    """From when to when a session is open, UTC nanoseconds; `ends_at` is no longer in it."""

    begins_at: int
    ends_at: int


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Local times are "HH:MM" or "HH:MM:SS". An end that is not after the start is the next day's.

    With `start_day` and `end_day` ("monday" …) the opening is a week's.
    """

    start: str
    end: str
    time_zone: str = "UTC"
    end_time_zone: str = ""  # as `time_zone`
    start_day: str = ""
    end_day: str = ""
    weekdays: tuple[str, ...] = ()  # of daily openings; none named: all
    holidays: tuple[str, ...] = ()  # "2026-12-25"

    def __post_init__(self) -> None:
        """Raises `Invalid` for a time, day, date or zone that is none."""
        _time(self.start), _time(self.end)
        for zone in (self.time_zone, self.end_time_zone or self.time_zone):
            _zone(zone)
        for day in (self.start_day, self.end_day, *self.weekdays):
            if day and day not in _DAYS:
                raise Invalid(f"day is {day[:20]!r}, must be one of {', '.join(_DAYS)}")
        if bool(self.start_day) != bool(self.end_day):
            raise Invalid("a weekly schedule has a start_day and an end_day, this has one of them")
        for each in self.holidays:
            parsed_day(each, "holiday")

    def opening(self, at: int) -> Opening | None:
        """The one that `at` is in; None where the session is closed."""
        local = datetime.fromtimestamp(at // _SECOND_NS, _zone(self.time_zone)).date()
        back = 8 if self.start_day else 2
        for days in range(-1, back + 1):
            found = self._beginning(local - days * _A_DAY)
            if found is not None and found.begins_at <= at < found.ends_at:
                return None if self._is_holiday(at) else found
        return None

    def next_opening(self, at: int) -> Opening | None:
        """The first that begins behind `at`, within forty days."""
        local = datetime.fromtimestamp(at // _SECOND_NS, _zone(self.time_zone)).date()
        for days in range(-1, _LOOK_AHEAD):
            found = self._beginning(local + days * _A_DAY)
            if found is not None and found.begins_at > at:
                return found
        return None

    def _beginning(self, day: date) -> Opening | None:
        """The opening that begins on a day of `time_zone`'s calendar."""
        end_zone = self.end_time_zone or self.time_zone
        start, end = _time(self.start), _time(self.end)
        if self.start_day:
            if _DAYS[day.weekday()] != self.start_day:
                return None
            days = (_DAYS.index(self.end_day) - day.weekday()) % 7
            if days == 0 and end <= start:
                days = 7
            return Opening(
                _instant(day, start, self.time_zone), _instant(day + days * _A_DAY, end, end_zone)
            )
        begins_at = _instant(day, start, self.time_zone)
        last = day if _instant(day, end, end_zone) > begins_at else day + _A_DAY
        found = Opening(begins_at, _instant(last, end, end_zone))
        trade_date = datetime.fromtimestamp((found.ends_at - 1) // _SECOND_NS, _zone(end_zone))
        if self.weekdays and _DAYS[trade_date.weekday()] not in self.weekdays:
            return None
        return None if trade_date.date().isoformat() in self.holidays else found

    def _is_holiday(self, at: int) -> bool:
        """Of a week that is open: a holiday's date, where the session is."""
        if not self.start_day or not self.holidays:
            return False
        local = datetime.fromtimestamp(at // _SECOND_NS, _zone(self.time_zone))
        return local.date().isoformat() in self.holidays


class Hours:
    """A schedule that is asked at every message; None is always open."""

    __slots__ = ("_now", "_schedule", "_stays")

    def __init__(self, schedule: Schedule | None) -> None:
        self._schedule = schedule
        self._now = Opening(0, 0)  # the one that was found last
        # A week that has holidays is open and closed within one opening.
        self._stays = schedule is not None and not (schedule.start_day and schedule.holidays)

    def opening(self, at: int) -> Opening | None:
        """The one that `at` is in; None where it is closed, and where there is no schedule."""
        if self._schedule is None:
            return None
        if self._stays and self._now.begins_at <= at < self._now.ends_at:
            return self._now
        found = self._schedule.opening(at)
        self._now = found or Opening(0, 0)
        return found

    def is_open(self, at: int) -> bool:
        return self._schedule is None or self.opening(at) is not None


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"time of day is {text[:20]!r}, must be like 17:00 or 17:00:00") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:  # ZoneInfoNotFoundError is a LookupError
        raise Invalid(
            f"time_zone is {name[:40]!r}, must be an IANA one such as America/New_York"
        ) from error


def _instant(day: date, at: time, zone: str) -> int:
    local = datetime.combine(day, at, _zone(zone))
    return int(local.astimezone(UTC).timestamp()) * _SECOND_NS
