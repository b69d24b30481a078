"""A bus of files: a folder a topic, a file of JSON lines a partition. For programs on the same
machine: `tail -F` is a consumer.

A line is synced before `publish` returns. A line that a crash has torn is cut off by the next
publisher; readers pass over it. Who wants room moves a file away: the next line begins a new one.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.bus import PARTITIONS, Carried, Record, no_record, partition_of

OFFSET_DIGITS: Final = 18


class FileBus:
    """Offsets are bytes of the partition's file."""

    def __init__(self, folder: Path, partitions: int = PARTITIONS) -> None:
        self._folder, self._count = folder, partitions

    def publish(self, topic: str, records: Sequence[Record]) -> None:
        of: dict[int, list[Record]] = {}
        try:
            count = self.partitions(topic) or self._begin(topic)
            for each in records:
                of.setdefault(partition_of(each.key, count), []).append(each)
            for partition, some in of.items():
                self._append(self._path(topic, partition), b"".join(map(_line, some)))
        except OSError as error:
            raise Unavailable(f"{self._folder} cannot be published to: {error}") from error

    def partitions(self, topic: str) -> int:
        try:
            return int((self._folder / topic / "partitions").read_text())
        except FileNotFoundError:
            return 0

    def read(
        self, topic: str, partition: int, after: str = "", limit: int = 1_000
    ) -> list[Carried]:
        found: list[Carried] = []
        try:
            with self._path(topic, partition).open("rb") as file:
                if after:
                    file.seek(_offset(after))
                    file.readline()
                while len(found) < limit:
                    offset, line = file.tell(), file.readline()
                    if not line.endswith(b"\n"):
                        break
                    try:
                        found.append(Carried(str(offset), _record(line)))
                    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                        if found:
                            break
                        raise no_record(topic, partition, str(offset), error) from error
        except FileNotFoundError:
            pass
        except OSError as error:
            raise Unavailable(f"{self._folder} cannot be read: {error}") from error
        return found

    def close(self) -> None:
        pass

    def _begin(self, topic: str) -> int:
        (self._folder / topic).mkdir(parents=True, exist_ok=True)
        mark = self._folder / topic / "partitions"
        partial = mark.with_suffix(".part")
        partial.write_text(f"{self._count}\n")
        partial.replace(mark)
        return self._count

    def _path(self, topic: str, partition: int) -> Path:
        return self._folder / topic / f"{partition}.jsonl"

    def _append(self, path: Path, lines: bytes) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            end = _whole(file)
            os.ftruncate(file, end)
            written = 0
            while written < len(lines):
                written += os.pwrite(file, lines[written:], end + written)
            os.fdatasync(file)
        finally:
            os.close(file)


def _whole(file: int) -> int:
    """Where the last whole line of a file ends."""
    end = os.fstat(file).st_size
    while end:
        begin = max(end - 65_536, 0)
        found = os.pread(file, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _line(record: Record) -> bytes:
    value: dict[str, Any]
    try:
        value = {"value": record.value.decode()}
    except UnicodeDecodeError:
        value = {"base64": b64encode(record.value).decode()}
    line = {"key": record.key, "headers": dict(record.headers), **value}
    return msgspec.json.encode(line) + b"\n"


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: str
    headers: dict[str, str]
    value: str | None = None
    base64: str | None = None


def _record(line: bytes) -> Record:
    found = msgspec.json.decode(line, type=_Line)
    if (found.value is None) == (found.base64 is None):
        raise ValueError("it has one value, as text or in base64")
    if found.value is not None:
        return Record(found.key, found.value.encode(), found.headers)
    return Record(found.key, b64decode(found.base64 or "", validate=True), found.headers)


def _offset(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= OFFSET_DIGITS):
        raise Invalid(f"offset is {text[:40]!r}, must be one that was read here before")
    return int(text)
