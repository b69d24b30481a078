"""What a leaf is: one entry of the journal, by its place and the bytes that are stored of it.

    leaf input = position (8 bytes), place in its record (4), events in the record (4), and then
                 the record if that is its only event, else the record's SHA-256

Numbers are big-endian. A record is one decision as it is stored: a MessagePack array of stream,
expected version, cause, time, version of the reference data, count of events, codec, key id and
payload, so everything that an entry says is in its leaf. The payload is hashed as it is stored:
encrypted or not is all the same, and destroying its key changes no hash. Leaf n - 1 is position n.
A record of many events is hashed once, so that a list of a thousand orders costs what they do.
"""

from hashlib import sha256
from struct import Struct
from typing import Final, TypeAlias

import msgspec

from fondaco.ports.journal import Stored

Bytes: TypeAlias = bytes | memoryview | msgspec.Raw
_HEADER: Final = Struct(">BQII")  # 0 marks a leaf (RFC 9162)


def leaf_hashes(stored: Stored) -> list[bytes]:
    """The hashes of the leaves that one append wrote, in order."""
    pack = _HEADER.pack
    if stored.count == len(stored.records):  # as nearly always: one event each
        return [
            sha256(pack(0, position, 0, 1) + record).digest()
            for position, record in enumerate(stored.records, stored.first)
        ]
    hashes: list[bytes] = []
    position = stored.first
    for record, count in zip(stored.records, stored.counts, strict=True):
        hashes += record_hashes(position, record, count)
        position += count
    return hashes


def record_hashes(position: int, record: Bytes, count: int) -> list[bytes]:
    """The leaves of one record's events, of which the first stands at `position`."""
    content = bytes(record) if count == 1 else sha256(record).digest()
    return [
        sha256(_HEADER.pack(0, position + nth, nth, count) + content).digest()
        for nth in range(count)
    ]
