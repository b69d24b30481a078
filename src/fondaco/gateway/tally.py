"""What is counted of each operation, and read by a scrape and the page of health."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, NamedTuple

from fondaco.gateway import recent

EDGES_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


SAMPLE_EVERY: Final = 64  # hot requests of which one is shown as an example


class Example(NamedTuple):
    """A request that stands for its bucket: OpenMetrics 1.0, Exemplars."""

    trace_id: str
    seconds: float
    at_s: float


class Tally:
    """What was counted of one operation. Plain ints: a scrape renders them."""

    __slots__ = ("codes", "counts", "examples", "left", "seconds", "statuses")

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}  # of errors
        self.statuses: dict[int, int] = {}
        self.counts = [0] * (len(recent.EDGES_S) + 1)  # by how long they took
        self.seconds = 0.0
        self.left = 1  # requests until one is taken as an example
        self.examples: dict[int, Example] = {}  # the last of each bucket that /metrics shows

    def count(self, status: int) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def add(self, status: int, seconds: float) -> None:
        statuses = self.statuses
        statuses[status] = statuses.get(status, 0) + 1
        self.counts[bisect_left(recent.EDGES_S, seconds)] += 1
        self.seconds += seconds

    def show(self, example: Example, again_after: int) -> None:
        self.left = again_after
        self.examples[bisect_left(EDGES_S, example.seconds)] = example

    @property
    def buckets(self) -> list[int]:
        """`counts` by the edges that /metrics shows."""
        found = [0] * (len(EDGES_S) + 1)
        for nth, answered in enumerate(self.counts):
            if answered:
                edge = recent.EDGES_S[nth] if nth < len(recent.EDGES_S) else EDGES_S[-1] + 1
                found[bisect_left(EDGES_S, edge)] += answered
        return found


def counted(tallies: Iterable[Tally]) -> recent.Counted:
    """All of them together."""
    found, refused = [0] * (len(recent.EDGES_S) + 1), 0
    for tally in tallies:
        found = [a + b for a, b in zip(found, tally.counts, strict=True)]
        refused += sum(count for status, count in tally.statuses.items() if status >= 400)
    return recent.Counted(found, refused)
