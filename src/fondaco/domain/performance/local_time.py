"""Instants as a clock on somebody's wall shows them; quick where thousands are asked for."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_HOUR_NS = 3_600_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER_NS = _HOUR_NS // 4  # offsets change on quarters of an hour, and are multiples of them


class Clockface:
    """One time zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._offsets: dict[int, int] = {}  # ns, by quarter of an hour

    def _local(self, at: int) -> int:
        quarter = at // _QUARTER_NS
        offset = self._offsets.get(quarter)
        if offset is None:
            moment = _EPOCH + timedelta(microseconds=quarter * _QUARTER_NS // 1_000)
            found = moment.astimezone(self._zone).utcoffset() or timedelta()
            offset = self._offsets[quarter] = round(found.total_seconds()) * 1_000_000_000
        return at + offset

    def day(self, at: int) -> int:
        """Local days since 1970-01-01."""
        return self._local(at) // (24 * _HOUR_NS)

    def hour(self, at: int) -> int:
        return self._local(at) // _HOUR_NS % 24

    def weekday(self, at: int) -> int:
        """0: Monday."""
        return (self.day(at) + 3) % 7

    def ends(self, day: int) -> int:
        """When the next day begins: on this day may be 23 or 25 hours, where clocks change."""
        following = date(1970, 1, 1) + timedelta(days=day + 1)
        midnight = datetime(following.year, following.month, following.day, tzinfo=self._zone)
        return round((midnight.astimezone(UTC) - _EPOCH).total_seconds()) * 1_000_000_000
