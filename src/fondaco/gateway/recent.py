"""What was counted lately: how fast requests were answered, a second at a time.

A request costs one count in a fine histogram; everything else is worked out when somebody looks.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from fondaco.kernel.event import Instant

# The E24 series of IEC 60063 with 5.0 for 5.1, from 10 us to 9.1 s: never further apart than 16 %,
# and every edge that /metrics shows is one of them.
_E24: Final = (
    "1.0 1.1 1.2 1.3 1.5 1.6 1.8 2.0 2.2 2.4 2.7 3.0",
    "3.3 3.6 3.9 4.3 4.7 5.0 5.6 6.2 6.8 7.5 8.2 9.1",
)
EDGES_S: Final = tuple(
    float(f"{each}e{power}") for power in range(-5, 1) for each in " ".join(_E24).split()
)
SECONDS_KEPT: Final = 900
_NS: Final = 1_000_000_000


def bucket_of(seconds: float) -> int:
    return bisect_left(EDGES_S, seconds)


class Second(NamedTuple):
    """What was answered in about a second that ended at `at`."""

    at: Instant
    counts: dict[int, int]  # of answers, by bucket
    refused: int  # by a rule, or by the door
    entries: int  # that the journal has grown by


class Latency(NamedTuple):
    """Seconds within which that share of requests was answered: upper edges of their buckets, so at
    most 16 % too many. None: nothing was asked."""

    answered: int
    p50_s: float | None
    p99_s: float | None
    p999_s: float | None


class Counted(NamedTuple):
    """The tallies of some doors, added up, as they stand."""

    counts: list[int]
    refused: int


class Recent:
    """`read` adds up what is counted since the start; called once a second, by `tick`."""

    def __init__(self, read: Callable[[], Counted], kept: int = SECONDS_KEPT) -> None:
        self._read = read
        self._last = read()
        self._position = -1
        self._seconds: deque[Second] = deque(maxlen=kept)

    def tick(self, at: Instant, position: int) -> None:
        """`position` is where the journal ends."""
        last, now = self._last, self._read()
        pairs = zip(now.counts, last.counts, strict=True)
        counts = {nth: new - old for nth, (new, old) in enumerate(pairs) if new != old}
        self._last = now
        refused = now.refused - last.refused
        entries = position - self._position if self._position >= 0 else 0
        self._position = position
        self._seconds.append(Second(at, counts, refused, entries))

    def seconds(self, since: Instant) -> list[Second]:
        """Those that ended behind `since`, oldest first."""
        return [each for each in tuple(self._seconds) if each.at > since]

    def steps(self, since: Instant, step_s: int) -> Iterator[tuple[Instant, list[Second]]]:
        """The same, `step_s` together by the clock; a step in which nobody looked is left out."""
        together: dict[int, list[Second]] = {}
        for each in self.seconds(since):
            together.setdefault(each.at // _NS // step_s, []).append(each)
        for nth, found in together.items():
            yield Instant((nth + 1) * step_s * _NS), found


def latency(seconds: Iterable[Second]) -> Latency:
    """Of all of them together."""
    counts: dict[int, int] = {}
    for second in seconds:
        for bucket, count in second.counts.items():
            counts[bucket] = counts.get(bucket, 0) + count
    total = sum(counts.values())
    ordered = sorted(counts.items())
    return Latency(total, *(_within(ordered, total, share) for share in (500, 990, 999)))


def _within(ordered: list[tuple[int, int]], total: int, per_mille: int) -> float | None:
    """The upper edge of the bucket that holds the request at that rank."""
    rank, seen = -(-total * per_mille // 1_000), 0
    for bucket, count in ordered:
        seen += count
        if seen >= rank:
            return EDGES_S[min(bucket, len(EDGES_S) - 1)]
    return None
