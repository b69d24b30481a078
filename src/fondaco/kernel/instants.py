"""Instants and days as text: one way to write them, one to read them, one error each. Pure."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

SECOND_NS: Final = 1_000_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FAR: Final = 2**63 - 1
_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
).fullmatch
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch
_SHOWN: Final = 40  # characters of what was said wrongly


def _counted(ns: int) -> Instant:
    """A time that 64 bits of nanoseconds cannot count is the nearest that they can, in the year
    1677 or 2262."""
    return Instant(min(max(ns, -_FAR), _FAR))


def moment(at: int) -> str:
    """Nanoseconds since 1970 as ISO 8601 in UTC, to the microsecond."""
    return (EPOCH + timedelta(microseconds=at // 1_000)).isoformat().replace("+00:00", "Z")


def rfc_3339(at: int) -> str:
    """Nanoseconds since 1970 as text in UTC, all nine digits of them."""
    seconds, rest = divmod(at, SECOND_NS)
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def instant_of(moment: datetime) -> Instant:
    """Exact, as no float is."""
    since = moment - EPOCH
    ns = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
    return _counted(ns)


def is_instant(text: str) -> bool:
    """Whether it looks like one; there may be no such day."""
    return _RFC_3339(text) is not None


def parsed_instant(text: str, name: str) -> Instant:
    """RFC 3339 with any offset and up to nine digits of a second. Raises `Invalid`."""
    matched = _RFC_3339(text)
    try:
        if matched is None:
            raise ValueError
        whole, fraction, offset = matched.groups()
        since = datetime.fromisoformat(whole + offset.replace("Z", "+00:00")) - EPOCH
    except (ValueError, OverflowError):
        raise Invalid(
            f"{name} is {text[:_SHOWN]!r}, must be a time in RFC 3339: 2026-11-22T09:30:00Z"
        ) from None
    digits = (fraction or "0").ljust(9, "0")
    return _counted((since.days * 86_400 + since.seconds) * SECOND_NS + int(digits))


def parsed_day(text: str, name: str, code: str = "") -> date:
    """Raises `Invalid`."""
    try:
        if not _DAY(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(
            f"{name} is {text[:_SHOWN]!r}, must be a day: 2026-11-22", code=code
        ) from None
