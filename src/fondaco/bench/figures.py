"""How long orders waited, kept exactly, and said in percentiles and as a histogram."""

import math
from array import array
from collections import Counter
from typing import Final

import msgspec

PERCENTILES: Final = (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99), ("p999_ms", 0.999))
_STEPS: Final = 8  # buckets per doubling: a bucket's bounds are 9 % apart


class Bucket(msgspec.Struct, frozen=True, array_like=True):
    """`count` orders waited at most `up_to_ms`, and longer than the bucket before says."""

    up_to_ms: float
    count: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one run showed. Waits count from the due time of an order, or under a closed loop from
    when it was sent; refused orders were answered too, so their waits are among the others."""

    door: str
    symbol: str
    accounts: int
    connections: int
    rate: int  # asked for; 0 is a closed loop
    seconds: float
    offered_per_s: float
    answered_per_s: float  # over the time from the first due to the last answer
    orders: int
    accepted: int
    unanswered: int
    refused: dict[str, int]
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    histogram: list[Bucket]
    cpu_us_per_order: float  # of this generator


class Tally:
    """What has been answered so far."""

    def __init__(self) -> None:
        self.waits = array("d")  # seconds, in the order of the answers
        self.accepted = 0
        self.refused: Counter[str] = Counter()
        self.last = 0.0

    @property
    def answered(self) -> int:
        return len(self.waits)

    def percentiles(self) -> dict[str, float]:
        """Nearest rank: the wait that the share of all waits does not exceed."""
        waits = sorted(self.waits)
        if not waits:
            return dict.fromkeys((*(name for name, _ in PERCENTILES), "mean_ms", "max_ms"), 0.0)
        found = {name: _ms(waits[rank(share, len(waits))]) for name, share in PERCENTILES}
        return found | {"mean_ms": _ms(sum(waits) / len(waits)), "max_ms": _ms(waits[-1])}

    def histogram(self) -> list[Bucket]:
        """Logarithmic buckets from 1 µs up; those without a wait are left out."""
        counts = Counter(map(bucket_of, self.waits))
        return [Bucket(_ms(bound(nth)), counts[nth]) for nth in sorted(counts)]


def rank(share: float, count: int) -> int:
    """Where the nearest-rank percentile stands in a sorted list of `count`."""
    return max(0, math.ceil(share * count) - 1)


def bucket_of(wait_s: float) -> int:
    """The bucket whose bound is the first that `wait_s` does not exceed."""
    nth = 0
    scaled = wait_s * 1e6
    while scaled > 2.0:
        scaled /= 2.0
        nth += _STEPS
    while nth and bound(nth - 1) >= wait_s:
        nth -= 1
    while bound(nth) < wait_s:
        nth += 1
    return nth


def bound(nth: int) -> float:
    """Seconds that bucket `nth` reaches to."""
    return float(1e-6 * 2.0 ** (nth / _STEPS))


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)
