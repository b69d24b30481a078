"""Reads topics so that each entry is taken once, however often it was published.

The offset and the highest position of each partition are committed together, behind the work that
was done with them; where the work's own database keeps them, in the same transaction, work is done
exactly once.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from fondaco.kernel.errors import Corrupt
from fondaco.ports.bus import Bus, Record

LOOK_AGAIN_S: Final = 2.0  # for a topic that has not begun
AT_ONCE: Final = 1_000


class Seen(msgspec.Struct, frozen=True):
    """Where a reader of a partition stands."""

    offset: str = ""
    position: int = 0  # the highest in the journal


Places = dict[str, dict[str, Seen]]  # by topic, and partition


class Taken(NamedTuple):
    topic: str
    partition: int
    offset: str
    position: int
    record: Record


class Reading:
    """For one thread. `places` are those that were committed, and are written to by `step`."""

    def __init__(
        self,
        bus: Bus,
        topics: Sequence[str],
        places: Places,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.places = places
        self.repeated = 0  # records that were left out
        self._bus, self._topics, self._clock = bus, topics, clock
        self._counts: dict[str, int] = {}
        self._looked_at = float("-inf")

    def step(self) -> list[Taken]:
        """What came since, each entry of a topic once; in the journal's order, as far as it came
        at once. Raises `Unavailable`, or `Corrupt` for what is no record of ours."""
        self._look()
        found: list[Taken] = []
        for topic, count in self._counts.items():
            of = self.places.setdefault(topic, {})
            for partition in range(count):
                seen = of.get(str(partition), Seen())
                for each in self._bus.read(topic, partition, seen.offset, AT_ONCE):
                    at = _position(topic, partition, each.offset, each.record)
                    if at > seen.position:
                        found.append(Taken(topic, partition, each.offset, at, each.record))
                    else:
                        self.repeated += 1
                    seen = Seen(each.offset, max(at, seen.position))
                of[str(partition)] = seen
        return sorted(found, key=lambda each: each.position)

    def _look(self) -> None:
        """For topics that have begun since."""
        now = self._clock()
        if now - self._looked_at < LOOK_AGAIN_S:
            return
        self._looked_at = now
        for topic in self._topics:
            if topic not in self._counts and (count := self._bus.partitions(topic)):
                self._counts[topic] = count


def _position(topic: str, partition: int, offset: str, record: Record) -> int:
    text = record.headers.get("position", "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Corrupt(
            f"{topic}, partition {partition}, has a record at {offset} whose header `position` is "
            f"{text[:20]!r}, not the number of an entry; see who else may write there"
        )
    return int(text)


def read_places(path: Path) -> Places:
    """None, where there is no such file yet. Raises `Corrupt`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Places)
    except FileNotFoundError:
        return {}
    except msgspec.MsgspecError as error:
        raise Corrupt(f"{path} does not say how far was read: {error}; name another") from error


def write_places(path: Path, places: Places) -> None:
    partial = path.with_suffix(".part")
    partial.write_bytes(msgspec.json.encode(places))
    partial.replace(path)
