"""When something is due. Deadlines are state of their streams; this only remembers to ask.

It may be thrown away: the views know what is due, and arm it again.
"""

from heapq import heappop, heappush, nsmallest
from typing import Final

from fondaco.kernel.event import Instant, StreamId

NEVER: Final = Instant(2**63 - 1)


class Deadlines:
    """Streams by the instants at which they must be asked, nearest first, each pair once."""

    def __init__(self) -> None:
        self._due: list[tuple[Instant, StreamId]] = []
        self._known: set[tuple[Instant, StreamId]] = set()

    def __len__(self) -> int:
        return len(self._due)

    @property
    def nearest(self) -> Instant:
        """When something is due next; `NEVER`: nothing is."""
        return self._due[0][0] if self._due else NEVER

    def upcoming(self, limit: int) -> list[tuple[Instant, StreamId]]:
        """What is due next, the nearest first."""
        return nsmallest(limit, self._due)

    def add(self, at: Instant, stream: StreamId) -> None:
        if (at, stream) not in self._known:
            self._known.add((at, stream))
            heappush(self._due, (at, stream))

    def pop_due(self, now: Instant, limit: int = 2**63) -> list[StreamId]:
        """Streams of which something is due at `now`, each once, up to `limit` of them, the longest
        due first; they are forgotten here."""
        streams: dict[StreamId, None] = {}
        while self._due and self._due[0][0] <= now and len(streams) < limit:
            due = heappop(self._due)
            self._known.discard(due)
            streams[due[1]] = None
        return list(streams)
