"""How long each hop of an order takes, as histograms: what a follower can tell without asking
anybody who trades.

    decided   from a request's stamp until the law had decided
    durable   from decided until it was synced
    routed    from durable at the account until the venue heard of it
    filled    from what a venue has heard, or seen of the market, until its execution is durable at
              the account
    told      from durable until answers had left and subscribers were told
"""

from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

import msgspec

from fondaco.kernel.event import Entry, StreamId
from fondaco.runtime.tracing.noting import Noted
from fondaco.runtime.tracing.rows import Commit
from fondaco.runtime.tracing.spans import Turn, turns_of

HOPS: Final = ("decided", "durable", "routed", "filled", "told")
EDGES_US: Final[tuple[int, ...]] = tuple(
    digit * 10**power for power in range(7) for digit in (1, 2, 5)
)  # 1 µs to 5 s; two wide, so that a percentile is known to within a factor of two
WAITING_MAX: Final = 100_000  # entries whose commits were not noted yet; then they never will be
KEPT_MAX: Final = 50_000  # turns that others may be caused by
STEP: Final = 1_000  # turns at once


class Histogram(msgspec.Struct):
    """Of waits in whole microseconds; the last bucket is above all edges."""

    buckets: list[int] = msgspec.field(default_factory=lambda: [0] * (len(EDGES_US) + 1))
    sum_us: int = 0

    def add(self, ns: int) -> None:
        us = ns // 1_000 if ns > 0 else 0
        self.buckets[bisect_left(EDGES_US, us)] += 1
        self.sum_us += us

    @property
    def count(self) -> int:
        return sum(self.buckets)

    def quantile_us(self, share: float) -> float:
        """Worked out within its bucket as if all of that were equally far apart."""
        wanted, below = share * self.count, 0
        for nth, here in enumerate(self.buckets):
            if here and below + here >= wanted:
                low = EDGES_US[nth - 1] if nth else 0
                high = EDGES_US[nth] if nth < len(EDGES_US) else EDGES_US[-1]
                return low + (high - low) * max(wanted - below, 0) / here
            below += here
        return 0.0


class Timeline:
    """Commits in the order of positions, for a reader that goes along."""

    def __init__(self, noted: Noted[Commit]) -> None:
        self._noted = noted
        self._ahead: deque[Commit] = deque()
        self.reached = 0  # the last position of which a commit was noted

    def read_on(self, until: int) -> None:
        """As far as `until`, if so much was noted."""
        while self.reached < until:
            found = self._noted.more()
            if not found:
                break
            self._ahead += found
            self.reached = max(self.reached, found[-1].last)

    def at(self, position: int) -> Commit | None:
        """Positions are asked for in their order."""
        ahead = self._ahead
        while ahead and ahead[0].last < position:
            ahead.popleft()
        return ahead[0] if ahead and ahead[0].first <= position else None


class Hops:
    """Belongs to one thread. `hear` is given every entry, in order; `step` works a few of them in
    once their commits were noted."""

    def __init__(self, noted: Noted[Commit], *, venues: str, executions: frozenset[str]) -> None:
        """Streams of venues begin with `venues`; events of the kinds `executions` book a fill."""
        noted.skip()
        self._timeline = Timeline(noted)
        self._venues = venues
        self._executions = executions
        self._waiting: deque[Turn] = deque()
        self._kept: OrderedDict[tuple[StreamId, int], tuple[int, int]] = OrderedDict()
        self.moved = False  # since somebody looked
        self.histograms = {name: Histogram() for name in HOPS}

    def hear(self, entries: Sequence[Entry]) -> None:
        self._waiting.extend(turns_of(entries))
        while len(self._waiting) > WAITING_MAX:
            self._waiting.popleft()

    def step(self) -> bool:
        """Whether there is more to do at once."""
        waiting, timeline = self._waiting, self._timeline
        if not waiting:
            return False
        timeline.read_on(waiting[min(len(waiting), STEP) - 1].position)
        done = 0
        while waiting and waiting[0].position <= timeline.reached and done < STEP:
            turn = waiting.popleft()
            commit = timeline.at(turn.position)
            if commit is not None:
                self._add(turn, commit)
            done += 1
        self.moved = self.moved or bool(done)
        return done == STEP

    def _add(self, turn: Turn, commit: Commit) -> None:
        found = self.histograms
        durable = commit.durable
        decided = commit.decided(turn.position)
        found["durable"].add(durable - decided)
        found["told"].add(commit.told - durable)
        source = turn.source
        if source is not None:
            before = self._kept.get(source)
            if before is not None:
                if turn.stream.startswith(self._venues):
                    found["routed"].add(turn.at - before[1])
                elif not self._executions.isdisjoint(turn.kinds):
                    found["filled"].add(durable - before[0])
        elif turn.is_request:
            found["decided"].add(decided - turn.at)
        kept = self._kept
        for version in range(turn.version, turn.version + len(turn.kinds)):
            kept[turn.stream, version] = (turn.at, durable)
        while len(kept) > KEPT_MAX:
            kept.popitem(last=False)
