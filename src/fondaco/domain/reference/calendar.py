"""Trading days: which one an instant belongs to, and when it ends.

A session of the local day D opens when clocks in its time zone show the opening minute of D, and
lasts until the next one opens. Where clocks are set back and show that minute twice, it opens the
first time; where they are set forward past it, it opens as if they had not been: RFC 5545, 3.3.5.
A day that is skipped altogether (Apia, 30 December 2011) has no session.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from fondaco.domain.reference.model import Session
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

_SECOND_NS: Final = 1_000_000_000
_EPOCH: Final = date(1970, 1, 1)
_A_DAY: Final = timedelta(days=1)


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


def _openings(around: date, zone: ZoneInfo, minute: int) -> Iterator[tuple[date, Instant]]:
    """Those that can matter near noon of a local day; a skipped one opens with the next."""
    for offset in range(-2, 4):
        day = around + offset * _A_DAY
        opens = datetime.combine(day, time(minute // 60, minute % 60), zone)
        yield day, Instant(int(opens.astimezone(UTC).timestamp()) * _SECOND_NS)
