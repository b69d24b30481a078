"""Follows a tape that another process writes, without reading anything twice.

Sources are followed one by one: what one source wrote first may be seen after what another wrote
later, so how far it was followed is a position for each of them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from fondaco.ports.at_rest import AtRest, reading
from fondaco.ports.tape import Frame
from fondaco.ports.tape.segments import frames_of, is_behind


class _Source:
    """One source's segments, the one being read and how far."""

    def __init__(self, folder: Path, after: int, at_rest: AtRest | None) -> None:
        self.folder, self._at_rest = folder, at_rest
        self.position = after
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def frames(self) -> Iterator[Frame]:
        """What is there by now, behind the position."""
        while True:
            newer = self._newer()  # before reading: what is there then, ended before it
            if self._file is not None:
                yield from self._read(self._file)
            if newer is None:
                return
            self.close()
            self._path, self._file = newer, reading(newer, self._at_rest)

    def _read(self, file: BinaryIO) -> Iterator[Frame]:
        for frame in frames_of(self.folder.name, file):
            if frame.position > self.position:
                self.position = frame.position
                yield frame

    def _newer(self) -> Path | None:
        paths = sorted(self.folder.glob("*.seg"))
        if self._path is None:  # the last that begins at or before the next position
            paths = paths[max(sum(is_behind(each, self.position) for each in paths) - 1, 0) :]
            return paths[0] if paths else None
        return next((each for each in paths if each.name > self._path.name), None)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


class SegmentTail:
    """A `SegmentTape` from outside. `step` gives what has come; positions are those of frames."""

    def __init__(
        self, folder: Path, positions: Mapping[str, int], at_rest: AtRest | None = None
    ) -> None:
        """`positions`: how far each source was read before."""
        self._folder, self._at_rest = folder, at_rest
        self._before = dict(positions)
        self._sources: dict[str, _Source] = {}

    def step(self) -> Iterator[Frame]:
        """Frames that were not given before, of each source in order. Whoever stops early gets the
        rest with the next step."""
        for folder in sorted(self._folder.glob("*/")):
            if folder.name not in self._sources:
                after = self._before.get(folder.name, 0)
                self._sources[folder.name] = _Source(folder, after, self._at_rest)
        for source in self._sources.values():
            try:
                yield from source.frames()
            except FileNotFoundError:  # deleted for the quota: the next step finds what is newer
                source.close()

    def close(self) -> None:
        for source in self._sources.values():
            source.close()
