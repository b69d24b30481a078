"""Trading days: which one an instant belongs to, and when it ends.

A session of the local day D opens when clocks in its time zone show the opening minute of D, and
lasts until the next one opens. Where clocks are set back and show that minute twice, it opens the
first time; where they are set forward past it, it opens as if they had not been: RFC 5545, 3.3.5.
A day that is skipped altogether (Apia, 30 December 2011) has no session.

Settlement counts the sessions of days on which an instrument's calendar is open: "" is open every
day, WEEKDAYS from Monday to Friday, and an exchange's (ISO 10383) on its own trading days.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from fondaco.domain.reference.holidays import CLOSED
from fondaco.domain.reference.model import SETTLE_DAYS_MAX, WEEKDAYS, Session
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

_SECOND_NS: Final = 1_000_000_000
_EPOCH: Final = date(1970, 1, 1)
_A_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_LOOK_AHEAD: Final = 30  # sessions; no exchange has ever been closed for three weeks of them


def check_time_zone(name: str) -> None:
    """Raises `Invalid` for what is no IANA time zone on this machine."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:  # ZoneInfoNotFoundError is a LookupError
        raise Invalid(
            f"time_zone is {name[:40]}, must be an IANA one such as Europe/Zurich"
        ) from error


def session_day_and_close(at: Instant, session: Session) -> tuple[int, Instant]:
    """The session that is open at `at`: its day, counted from 1970-01-01, and when it closes.

    Days go up with time, and `at` is before the close. Raises `Invalid` for an unknown time zone.
    """
    check_time_zone(session.time_zone)
    zone = ZoneInfo(session.time_zone)
    local = datetime.fromtimestamp(at // _SECOND_NS, zone).date()
    day, closes_at = _EPOCH, at
    for each, opens_at in _openings(local, zone, session.opens_minute):
        if at < opens_at:
            closes_at = opens_at
            break
        day = each
    return (day - _EPOCH).days, closes_at


def is_open(calendar: str, day: int) -> bool:
    """Whether business is done on a day, counted from 1970-01-01. Beyond the years that the table
    has, every weekday is thought to be one."""
    if not calendar:
        return True
    date_ = _EPOCH + timedelta(days=day)
    if date_.weekday() >= _SATURDAY:
        return False
    if calendar == WEEKDAYS:
        return True
    return f"{date_.month:02}{date_.day:02}" not in CLOSED[calendar].get(date_.year, "").split()


def settlements(
    at: Instant, session: Session, calendars: Iterable[str]
) -> dict[str, tuple[Instant, ...]]:
    """When what is traded at `at` settles at T+1, T+2 …, by calendar: at the opening of the session
    of that many days of business after the one that is open. A Friday's T+1 is Monday, and so is a
    Saturday's."""
    found: dict[str, list[Instant]] = {calendar: [] for calendar in calendars}
    opens = session_day_and_close(at, session)[1]
    for _ in range(_LOOK_AHEAD):
        day, closes = session_day_and_close(opens, session)
        for calendar, instants in found.items():
            if len(instants) < SETTLE_DAYS_MAX and is_open(calendar, day):
                instants.append(opens)
        if all(len(instants) == SETTLE_DAYS_MAX for instants in found.values()):
            break
        opens = closes
    return {calendar: tuple(instants) for calendar, instants in found.items()}


def local_day(at: Instant, time_zone: str) -> int:
    """The day that clocks in a time zone show at an instant, counted from 1970-01-01."""
    return (datetime.fromtimestamp(at // _SECOND_NS, ZoneInfo(time_zone)).date() - _EPOCH).days


def instants_of(day: int, time_zone: str, minutes: Sequence[int]) -> list[Instant]:
    """When clocks in a time zone show these minutes of a day, which go up; and so do the instants,
    also where clocks are set forward past one of them."""
    local, zone, found = _EPOCH + timedelta(days=day), ZoneInfo(time_zone), list[Instant]()
    for minute in minutes:
        shown = datetime.combine(local, time(minute // 60, minute % 60), zone)
        at = Instant(int(shown.astimezone(UTC).timestamp()) * _SECOND_NS)
        found.append(max(at, found[-1]) if found else at)
    return found


def _openings(around: date, zone: ZoneInfo, minute: int) -> Iterator[tuple[date, Instant]]:
    """Those that can matter near noon of a local day; a skipped one opens with the next."""
    for offset in range(-2, 4):
        day = around + offset * _A_DAY
        opens = datetime.combine(day, time(minute // 60, minute % 60), zone)
        yield day, Instant(int(opens.astimezone(UTC).timestamp()) * _SECOND_NS)
