"""Times as they are told and asked for."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at: int) -> str:
    """Nanoseconds as text in UTC, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=at // 1_000)).isoformat().replace("+00:00", "Z")


def nanoseconds(of: datetime) -> int:
    return (of - _EPOCH) // timedelta(microseconds=1) * 1_000
