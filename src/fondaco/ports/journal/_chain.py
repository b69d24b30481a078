"""Reading segments: which of them count, up to where, and the frames between two places."""

import mmap
import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from fondaco.kernel.errors import Corrupt
from fondaco.ports.journal._disk import unavailable
from fondaco.ports.journal._frames import (
    SEGMENT_HEADER,
    Frame,
    SegmentHead,
    described,
    frame_at,
    offset_of,
    path_of,
    place,
    segment_head,
    segment_of,
    skip_to,
)

_HEAD_BYTES: Final = 4096
_MAPS_MAX: Final = 64
_CURSORS_MAX: Final = 16


class HeadWord:
    """The place of the last durable frame, shared with readers in other processes.

    One aligned store of eight bytes, so that nobody sees half of it. It is never synced: after a
    power cut it may lag behind, and the next writer works it out again, but it is never ahead.
    """

    def __init__(self, folder: Path, *, writer: bool) -> None:
        self._path = folder / "head"
        self._word: memoryview | None = None
        if writer:
            self._map(os.O_RDWR | os.O_CREAT, mmap.ACCESS_WRITE)

    def load(self) -> int:
        """0 while nothing was ever written."""
        if self._word is None:
            try:
                self._map(os.O_RDONLY, mmap.ACCESS_READ)
            except FileNotFoundError:
                pass  # nothing was ever written here
            except OSError as error:
                raise unavailable("read", self._path, error) from error
        return 0 if self._word is None else self._word[0]

    def store(self, where: int) -> None:
        assert self._word is not None, "only a writer stores"  # noqa: S101
        self._word[0] = where

    def _map(self, flags: int, access: int) -> None:
        file = os.open(self._path, flags, 0o600)
        try:
            if flags & os.O_CREAT and os.fstat(file).st_size != _HEAD_BYTES:
                os.ftruncate(file, 0)
                # Written, for a store into a hole would kill the process on a full disk.
                os.pwrite(file, bytes(_HEAD_BYTES), 0)
            if os.fstat(file).st_size == _HEAD_BYTES:
                shared = mmap.mmap(file, _HEAD_BYTES, access=access)
                self._word = memoryview(shared).cast("Q")
        finally:
            os.close(file)


class End(msgspec.Struct, frozen=True, gc=False):
    """How far the journal is durable."""

    last: int  # the place of the last frame; 0: there is none
    stop: int  # the place right behind it
    position: int


class Chain:
    """The segments that count, oldest first: those that the last one leads back to.

    Segments that a failed disk made the writer give up before anything in them was durable are
    not among them, and neither is what lies beyond the end that a successor's header states.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._heads: list[SegmentHead] = []
        self._at: dict[int, int] = {}  # segment number -> place in `_heads`
        self._maps: OrderedDict[int, memoryview] = OrderedDict()
        self._cursors: OrderedDict[int, int] = OrderedDict()  # position -> place behind it
        self._end = End(0, 0, 0)

    def extend(self, last: int) -> End:
        """The end, when the frame at `last` is the last durable one."""
        if last <= self._end.last:
            return self._end
        with self._lock:
            if last <= self._end.last:
                return self._end
            self._lead_back(segment_of(last))
            frame = self.frame(last)
            self._end = End(last, place(segment_of(last), frame.end), frame.last)
            return self._end

    def heads(self) -> list[SegmentHead]:
        with self._lock:
            return list(self._heads)

    def lengths(self, end: End) -> list[tuple[int, int]]:
        """Each segment up to `end`, with the offset at which it validly ends."""
        return [(head.number, stop) for head, stop in self._stretches(0, end)]

    def view(self, segment: int) -> memoryview:
        """A segment's bytes, as the writer's last `pwrite` left them. Closed by nobody but the
        last one who refers to it."""
        view = self._maps.get(segment)
        if view is None:
            view = mapped(path_of(self._folder, segment))
            self._maps[segment] = view
            if len(self._maps) > _MAPS_MAX:
                with suppress(KeyError):
                    self._maps.popitem(last=False)
        return view

    def frame(self, where: int) -> Frame:
        """The frame that must begin at `where`."""
        view = self.view(segment_of(where))
        head = self._heads[self._at[segment_of(where)]]
        frame = frame_at(view, offset_of(where), len(view), head)
        if frame is None:
            raise damaged(where)
        return frame

    def frames(self, start: int, end: End) -> Iterator[tuple[int, Frame]]:
        """Each frame from `start`, a place that one begins or ends at, with its place."""
        expected = 0
        for head, stop in self._stretches(start, end):
            number = head.number
            view = self.view(number)
            begin = place(number, SEGMENT_HEADER)
            offset = offset_of(max(start, begin))
            while offset < stop:
                frame = frame_at(view, offset, stop, head)
                if frame is None or (expected and frame.first != expected):
                    raise damaged(place(number, offset))
                yield place(number, offset), frame
                offset, expected = frame.end, frame.first + frame.count

    def locate(self, after_position: int, end: End) -> int:
        """Where to read on for what comes after `after_position`, which is before the end."""
        if (known := self._cursors.get(after_position)) is not None:
            return known
        with self._lock:
            at = bisect_right(self._heads, after_position, key=lambda head: head.position) - 1
        for head, stop in self._stretches(place(self._heads[at].number, 0), end):
            offset = skip_to(self.view(head.number), stop, after_position + 1)
            if offset < stop:
                return place(head.number, offset)
        return end.stop

    def remember(self, position: int, behind: int) -> None:
        """A follower stands at `position`; it will ask for what comes after."""
        self._cursors[position] = behind
        if len(self._cursors) > _CURSORS_MAX:
            with suppress(KeyError):
                self._cursors.popitem(last=False)

    def _stretches(self, start: int, end: End) -> list[tuple[SegmentHead, int]]:
        """The segments from `start` to `end`, each with the offset at which it validly ends."""
        if not end.last:
            return []
        with self._lock:
            first = self._at.get(segment_of(start), 0)
            last = self._at[segment_of(end.stop)]
            heads = self._heads[first : last + 1]
        if not heads:
            return []  # `start` is newer than `end`
        stops = [after.previous_end for after in heads[1:]] + [offset_of(end.stop)]
        return list(zip(heads, stops, strict=True))

    def _lead_back(self, last: int) -> None:
        """Add the segments between the last known one and `last`."""
        known = self._heads[-1].number if self._heads else 0
        new: list[SegmentHead] = []
        number = last
        while number > known:
            head = segment_head(self.view(number))
            if head is None or head.number != number or head.previous >= number:
                raise damaged(place(number, 0))
            new.append(head)
            number = head.previous
        if number != known:
            raise damaged(place(last, 0))
        for head in reversed(new):
            self._at[head.number] = len(self._heads)
            self._heads.append(head)


def mapped(path: Path) -> memoryview:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError as error:
        raise Corrupt(f"{path} is missing: restore the journal from a backup") from error
    except OSError as error:
        raise unavailable("read", path, error) from error
    try:
        if not os.fstat(file).st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(file, 0, access=mmap.ACCESS_READ))
    finally:
        os.close(file)


def damaged(where: int) -> Corrupt:
    return Corrupt(
        f"the journal is damaged in {described(where)}: restore it from a backup",
        segment=segment_of(where),
        offset=offset_of(where),
    )
