"""How many messages a second."""

from collections import deque

from fondaco.domain.fix.session.model import SECOND_NS


class Pace:
    """Counts what happened in the second behind us. A limit of 0 lets everything pass."""

    __slots__ = ("_times", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._times: deque[int] = deque()

    def takes(self, now: int) -> bool:
        """Whether one more fits; then it is counted."""
        times = self._times
        while times and now - times[0] >= SECOND_NS:
            times.popleft()
        if self.limit and len(times) >= self.limit:
            return False
        if self.limit:
            times.append(now)
        return True

    @property
    def free_at(self) -> int:
        """When the oldest is a second ago."""
        return self._times[0] + SECOND_NS if self._times else 0
