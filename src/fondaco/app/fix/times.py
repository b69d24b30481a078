"""Times as they are told and asked for."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = -(1 << 63)
_LAST: Final = (1 << 63) - 1


def moment(at: int) -> str:
    """Nanoseconds as text in UTC, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=at // 1_000)).isoformat().replace("+00:00", "Z")


def nanoseconds(of: datetime) -> int:
    """What lies outside of 1678 to 2261 is as far as 64 bits go: nothing was recorded there."""
    return max(_FIRST, min((of - _EPOCH) // timedelta(microseconds=1) * 1_000, _LAST))
