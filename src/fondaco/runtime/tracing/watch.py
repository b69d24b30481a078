"""What the serving process notes of itself: when its commits were, and whose traces they are."""

from collections import deque
from collections.abc import Callable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Final

from fondaco.kernel.event import Entry
from fondaco.runtime.tracing.noting import Notes
from fondaco.runtime.tracing.rows import Commit, Request, Shown

COMMITS: Final = "commits"
REQUESTS: Final = "requests"
SHOWN: Final = "shown"


class HouseWatch:
    """A `committer.Watch`, and the noter of requests. Rows lie in memory until `flush`, which is
    called on another thread: nothing that a trader waits for touches a file."""

    def __init__(self, folder: Path, now: Callable[[], int], quota_bytes: int) -> None:
        """`quota_bytes` is for everything that lies in the folder."""
        share = quota_bytes // 4
        self.now = now
        self.commits: Notes[Commit] = Notes(folder, COMMITS, attrgetter("first", "last"), 2 * share)
        self.requests: Notes[Request] = Notes(folder, REQUESTS, attrgetter("at", "at"), share)
        self.note = self.requests.add
        self._groups: deque[tuple[list[int], list[int], int, int, int, int]] = deque()

    @property
    def lost(self) -> int:
        return self.commits.lost + self.requests.lost

    def committed(
        self, firsts: list[int], decided: list[int], last: int, began: int, durable: int
    ) -> None:
        self._groups.append((firsts, decided, last, began, durable, self.now()))

    def flush(self) -> None:
        # Requests first: who finds a commit finds what was noted before its turns.
        groups = [self._groups.popleft() for _ in range(len(self._groups))]
        self.requests.flush()
        for group in groups:
            self.commits.add(_commit(*group))
        self.commits.flush()

    def close(self) -> None:
        self.flush()
        self.commits.close()
        self.requests.close()


def _commit(
    positions: list[int], decided: list[int], last: int, began: int, durable: int, told: int
) -> Commit:
    """A machine's clock may be set back: no wait is below nothing."""
    if positions != sorted(positions):  # a group that failed was written stream by stream
        pairs = sorted(zip(positions, decided, strict=True))
        positions, decided = [each for each, _ in pairs], [at for _, at in pairs]
    first = positions[0]
    firsts = [position - first for position in positions]
    waits = [began - at if began > at else 0 for at in decided]
    return Commit(first, last, began, max(durable - began, 0), max(told - began, 0), firsts, waits)


class ViewsWatch:
    """What the process that fills the views notes: `projector.Watch`."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], int],
        quota_bytes: int,
        hear: Callable[[Sequence[Entry]], None],
    ) -> None:
        """`hear` is given all that was shown."""
        share = quota_bytes // 4
        self.now = now
        self.notes: Notes[Shown] = Notes(folder, SHOWN, lambda s: (s.first, s.last), share)
        self._hear = hear

    def shown(self, entries: Sequence[Entry], began: int, parts: dict[str, int]) -> None:
        first, last = entries[0].position, entries[-1].position
        self.notes.add(Shown(first, last, began, self.now(), parts))
        self.notes.flush()
        self._hear(entries)

    def close(self) -> None:
        self.notes.close()
