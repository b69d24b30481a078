"""The house's one clock. The process stamp never goes back, whatever the machine's clock does."""

import time
from collections.abc import Callable

from fondaco.kernel.event import Instant


class Clock:
    """Nanoseconds since 1970 UTC, and strictly growing: two stamps are never the same."""

    __slots__ = ("_last", "_read")

    def __init__(self, read: Callable[[], int] = time.time_ns) -> None:
        self._last = 0
        self._read = read

    def __call__(self) -> Instant:
        now = self._read()
        last = self._last
        self._last = now = now if now > last else last + 1
        return now  # type: ignore[return-value]  # see kernel.event
