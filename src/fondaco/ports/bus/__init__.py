"""The bus: carries what happened to other programs, keyed, at least once.

Promises, which `tests/conformance/test_bus.py` holds every adapter to, one test each:

1. What `publish` has returned for is kept by the bus, and read by whoever reads it: key, value and
   headers, byte for byte.
2. All records of one key are in one partition, in the order in which they were published, whoever
   publishes them: nothing but the key and the number of partitions decides.
3. Where `publish` raises, a beginning of the records of each partition may be there, or all.
   Published again they are there again, and the first of each are in their order.
4. `read` gives what is behind an offset, in order; with the offset of the last record it goes on.
5. While the bus does not answer, `Unavailable` is raised, within seconds; later it answers again.
6. What somebody else has written there, and is no record, is `Corrupt`, with its place, once what
   is before it was read: no bytes make a reader fail otherwise.

A publisher notes how far it has come only behind `publish`: that makes at least once of it.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol
from zlib import crc32

import msgspec

from fondaco.kernel.errors import Corrupt

PARTITIONS: Final = 8  # unless the address says otherwise


class Record(msgspec.Struct, frozen=True, gc=False):
    """`key` decides about the partition; records of one key keep their order."""

    key: str
    value: bytes
    headers: Mapping[str, str] = {}


class Carried(msgspec.Struct, frozen=True, gc=False):
    """A record as it is read: `offset` is the bus's own word for its place."""

    offset: str
    record: Record


class Bus(Protocol):
    """One thread at a time. A topic begins with the first record."""

    def publish(self, topic: str, records: Sequence[Record]) -> None:
        """Raises `Unavailable` where not all are kept, or nobody can tell."""
        ...

    def partitions(self, topic: str) -> int:
        """How many the topic has; 0 where there is no such topic."""
        ...

    def read(
        self, topic: str, partition: int, after: str = "", limit: int = 1_000
    ) -> list[Carried]:
        """Records behind an offset; "" is the beginning."""
        ...

    def close(self) -> None: ...


def no_record(topic: str, partition: int, offset: str, error: Exception) -> Corrupt:
    """What a reader raises for what stands there."""
    return Corrupt(
        f"{topic}, partition {partition}, has no record of ours at {offset}: {type(error).__name__}"
        "; read on behind it, and see who else may write there"
    )


def partition_of(key: str, partitions: int) -> int:
    """CRC-32 (IEEE 802.3) of the key's UTF-8, modulo: any language has it. Kafka has its own."""
    return crc32(key.encode()) % partitions
