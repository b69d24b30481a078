"""The lake: columns of what was observed, in files that every analytic engine reads.

Promises, which `tests/conformance/test_lake.py` holds every adapter to, one test each:

1. A batch and the positions that it leads to appear together or not at all, whenever one dies.
2. Rows of one key lie in partitions of that key alone, in the order in which they were appended.
3. A file never changes under its name; `compact` and `forget` put others in its place, or none.
4. What is read equals what was appended: numbers exactly, times to the nanosecond, bytes.
5. Every file has a checksum; `wrong` names each that does not match its own.

A partition is a day (UTC) and a key, in Hive's way of naming: `day=2026-11-22/session=…/`.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

ColumnKind = Literal["time", "text", "whole", "decimal", "bytes"]


class Column(NamedTuple):
    """`decimal` has 38 digits, 12 of them behind the point; `time` is UTC in nanoseconds."""

    name: str
    kind: ColumnKind


class Table(NamedTuple):
    """`key` and `time` name columns: by their values rows are put into partitions."""

    columns: tuple[Column, ...]
    key: str
    time: str


class Part(msgspec.Struct, frozen=True):
    """A file. Times are those of its rows, nanoseconds since 1970; `number` grows with every
    batch."""

    path: str  # under the lake's folder
    day: str  # 2026-11-22
    key: str
    number: int
    rows: int
    first_at: int
    last_at: int
    octets: int
    sha256: str


class Lake(Protocol):
    """One table, one writer; any number of readers."""

    def positions(self) -> Mapping[str, int]:
        """How far each source was appended."""
        ...

    def append(self, columns: Mapping[str, Sequence[Any]], positions: Mapping[str, int]) -> None:
        """Add rows, given as columns, and note `positions` of their sources."""
        ...

    def parts(self, after: int, before: int, key: str | None = None) -> list[Part]:
        """Files that may have rows of that time and key; those of a key in their order."""
        ...

    def path(self, part: Part) -> Path: ...

    def opened(self, part: Part) -> Path | BytesIO:
        """What an engine reads: the file, or what it is where it is encrypted."""
        ...

    def compact(self, before_day: str) -> int:
        """Put the files of a partition of an earlier day together into one; how many that were."""
        ...

    def forget(self, before_day: str) -> int:
        """Let go of days before that one; how many rows they had."""
        ...

    def wrong(self) -> list[str]:
        """What is amiss with which file; nothing where all match their checksums."""
        ...
