"""Rows in files of their own beside the journal: written often and never synced, read by anybody.

What is lost with the machine is a time and no fact. A frame is a length, the lowest and the highest
key of its rows, and the rows as MessagePack. A writer begins a new file, so what a death has torn
off is never followed by something sound. The oldest files go when all together are too large.
"""

import os
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from struct import Struct
from threading import Lock
from typing import BinaryIO, Final, Generic, NamedTuple, TypeVar

import msgspec

T = TypeVar("T")

FILES: Final = 16  # that a quota is divided into: the oldest sixteenth goes at once
WAITING_MAX: Final = 100_000  # rows that wait for a disk which takes nothing; more are lost
PIECE_BYTES: Final = 1 << 18  # that a reader takes at once
_HEAD: Final = Struct("<IQQ")
_encode: Final = msgspec.msgpack.Encoder().encode


def _files(folder: Path, name: str) -> list[Path]:
    return sorted(folder.glob(f"{name}-[0-9]*"))


class Notes(Generic[T]):
    """The one writer of a kind of rows. `add` and `flush` may be called on different threads."""

    def __init__(
        self, folder: Path, name: str, key: Callable[[T], tuple[int, int]], quota_bytes: int
    ) -> None:
        """`key` gives the lowest and highest key of a row."""
        self._folder = folder
        self._name = name
        self._key = key
        self._file_bytes = max(quota_bytes // FILES, 1)
        self._waiting: deque[T] = deque()
        self._file = -1
        self._written = 0
        self._number = 0
        self.lost = 0  # rows that no disk took

    def add(self, row: T) -> None:
        if len(self._waiting) < WAITING_MAX:
            self._waiting.append(row)
        else:
            self.lost += 1

    def flush(self) -> None:
        """Write what waits. A disk that refuses costs the rows, and nobody else anything."""
        rows = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not rows:
            return
        lows, highs = zip(*map(self._key, rows), strict=True)
        body = _encode(rows)
        lowest, highest = min(lows), max(highs)
        frame = _HEAD.pack(len(body), lowest, highest) + body
        try:
            if self._file < 0 or self._written >= self._file_bytes:
                self._next_file()
            done = os.write(self._file, frame)
            self._written += done
            if done != len(frame):
                raise OSError(28, "no space left for a frame")
        except OSError:
            self.lost += len(rows)
            self.close()  # what is torn off stays the last of its file

    def _next_file(self) -> None:
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        there = _files(self._folder, self._name)
        last = int(there[-1].name.rpartition("-")[2]) if there else 0
        self._number = max(self._number, last) + 1
        path = self._folder / f"{self._name}-{self._number:08}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._written = 0
        for old in there[: -(FILES - 1)]:
            old.unlink(missing_ok=True)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class _Frame(NamedTuple):
    lowest: int
    highest: int
    body: int  # where its rows begin
    end: int


class _Index:
    """Where the frames of a file are, 24 bytes for each."""

    def __init__(self) -> None:
        self._lowest, self._highest, self._ends = array("Q"), array("Q"), array("Q")

    def read_on(self, file: BinaryIO) -> None:
        for frame in _frames(file, self._ends[-1] if self._ends else 0):
            self._lowest.append(frame.lowest)
            self._highest.append(frame.highest)
            self._ends.append(frame.end)

    def around(self, key: int) -> list[_Frame]:
        found = []
        end = 0
        for lowest, highest, after in zip(self._lowest, self._highest, self._ends, strict=True):
            if lowest <= key <= highest:
                found.append(_Frame(lowest, highest, end + _HEAD.size, after))
            end = after
        return found


class Noted(Generic[T]):
    """One reader: on from where it stands with `more`, or anywhere with `around`."""

    def __init__(self, folder: Path, name: str, kind: type[T]) -> None:
        self._folder = folder
        self._name = name
        self._decode = msgspec.msgpack.Decoder(list[kind]).decode  # type: ignore[valid-type]
        self._path: Path | None = None
        self._offset = 0
        self._lock = Lock()
        self._indices: dict[str, _Index] = {}  # of files that were searched

    def skip(self) -> None:
        """Go on with what is written from now on."""
        there = _files(self._folder, self._name)
        if there:
            self._path, self._offset = there[-1], 0
            with self._path.open("rb") as file:
                for frame in _frames(file, 0):
                    self._offset = frame.end

    def more(self) -> list[T]:
        """The next rows that were written since, as many as are read at once; none: there is
        nothing new."""
        rows: list[T] = []
        while not rows:
            there = _files(self._folder, self._name)
            # Looked at before the file is read: one that has a later one is not written any more,
            # and what cannot be read at its end was torn off.
            later = [each for each in there if self._path is None or each.name > self._path.name]
            if self._path is not None:
                with suppress(FileNotFoundError), self._path.open("rb") as file:  # quota took it
                    until = self._offset + PIECE_BYTES
                    for frame in _frames(file, self._offset):
                        rows += self._rows(file, frame)
                        self._offset = frame.end
                        if frame.end > until:
                            break
            if rows or not later:
                break
            self._path, self._offset = later[0], 0
        return rows

    def around(self, key: int) -> Iterator[T]:
        """Rows of all frames that may have it, the newest files first. For any thread."""
        for path in reversed(_files(self._folder, self._name)):
            with suppress(FileNotFoundError), path.open("rb") as file:
                for frame in self._frames_with(path, file, key):
                    yield from self._rows(file, frame)

    def _frames_with(self, path: Path, file: BinaryIO, key: int) -> list[_Frame]:
        with self._lock:
            index = self._indices.setdefault(path.name, _Index())
            index.read_on(file)
            return index.around(key)

    def _rows(self, file: BinaryIO, frame: _Frame) -> list[T]:
        file.seek(frame.body)
        try:
            return self._decode(file.read(frame.end - frame.body))
        except msgspec.MsgspecError:  # of another build
            return []


def _frames(file: BinaryIO, offset: int) -> Iterator[_Frame]:
    """Those that are whole, from `offset` on."""
    size = os.fstat(file.fileno()).st_size
    while offset + _HEAD.size <= size:
        file.seek(offset)
        length, lowest, highest = _HEAD.unpack(file.read(_HEAD.size))
        body = offset + _HEAD.size
        offset = body + length
        if offset > size:
            return
        yield _Frame(lowest, highest, body, offset)
