"""UTCTimestamp as nanoseconds, fast: days are worked out once."""

from datetime import UTC, datetime
from typing import Final

_NS: Final = 1_000_000_000
_days: dict[bytes, int] = {}


def timestamp(value: bytes | None) -> int:
    """Nanoseconds since 1970 of YYYYMMDD-HH:MM:SS[.fraction]; 0 for anything else."""
    if value is None or len(value) < 17 or value[8] != 45:
        return 0
    day = _days.get(value[:8])
    try:
        if day is None:
            moment = datetime(int(value[:4]), int(value[4:6]), int(value[6:8]), tzinfo=UTC)
            if len(_days) > 4000:
                _days.clear()
            day = _days[value[:8]] = int(moment.timestamp())
        seconds = int(value[9:11]) * 3600 + int(value[12:14]) * 60 + int(value[15:17])
        fraction = int(value[18:27].ljust(9, b"0")) if len(value) > 18 else 0
    except ValueError:
        return 0
    return (day + seconds) * _NS + fraction
