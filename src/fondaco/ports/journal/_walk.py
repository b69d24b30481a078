"""A journal from its first byte to its last, for who suspects it: nothing is taken on trust.

A reader begins at the end and believes what leads back from there. This begins at the beginning
and says where the first thing is that cannot have been written so.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Never

import msgspec

from fondaco.kernel.codec import Codec
from fondaco.kernel.errors import Corrupt
from fondaco.ports.journal import Damage, Seeming, Stored, Walked
from fondaco.ports.journal._chain import mapped
from fondaco.ports.journal._frames import (
    FRAME_HEADER,
    SEGMENT_HEADER,
    Frame,
    SegmentHead,
    events_at,
    frame_at,
    numbers_in,
    offset_of,
    path_of,
    place,
    segment_head,
    segment_of,
    sound_frame_beyond,
)

_SLICE: Final = 1 << 20
# MessagePack by first byte: how many bytes a value has behind it, or its length.
_FIXED: Final = {
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4,
    0xD3: 8,
}  # fmt: skip
_LENGTHS: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_ARRAYS: Final = {0xDC: 2, 0xDD: 4}


def stored_of(frame: Frame, segment: int, codec: Codec) -> Stored:
    records = codec.raw(frame.payload)
    counts = []
    if frame.count != len(records):
        counts = [record.count for record in codec.records(frame.payload)]
    return _stored(frame, segment, records, counts)


def _stored(frame: Frame, segment: int, records: list[msgspec.Raw], counts: list[int]) -> Stored:
    begin = frame.end - sum(len(memoryview(record)) for record in records)
    return Stored(frame.first, frame.count, records, counts, segment, begin)


def walk(folder: Path, codec: Codec, last: int, *, beyond: bool) -> Iterator[Walked | Damage]:
    """`last` is the place of the last frame that readers are told of."""
    try:
        yield from _Walker(folder, codec, last, beyond=beyond).frames()
    except _Found as found:
        yield found.damage


class _Found(Exception):
    def __init__(self, damage: Damage) -> None:
        self.damage = damage


class _Walker:
    def __init__(self, folder: Path, codec: Codec, last: int, *, beyond: bool) -> None:
        self._codec = codec
        self._last = last
        self._beyond = beyond
        self._views = {number: mapped(path_of(folder, number)) for number in numbers_in(folder)}
        self._heads: dict[int, SegmentHead] = {}  # those that are sound
        for number, view in self._views.items():
            head = segment_head(view)
            if head is not None and head.number == number:
                self._heads[number] = head
        self._position = self._link = 0
        self._at = self._end = 0  # the place of the last frame that was read, and of its end

    def frames(self) -> Iterator[Walked]:
        chain, hole = self._chain()
        for nth, head in enumerate(chain):
            if (head.link, head.position) != (self._link, self._position):
                self._raise(head.number, 0, "the segment does not follow the one before it")
            if nth + 1 < len(chain):
                yield from self._segment(head, chain[nth + 1].previous_end, is_last=False)
            else:
                yield from self._segment(head, 0, is_last=not hole)
        if hole:
            gone = hole not in self._views
            what = "the segment is missing" if gone else "the segment's header is not sound"
            self._raise(hole, 0, what, 0 if gone else SEGMENT_HEADER + FRAME_HEADER)
        if self._at < self._last or (not self._beyond and self._at != self._last):
            what = "readers are told of a frame that is not there"
            same = segment_of(self._end) == segment_of(self._last) and self._end < self._last
            where = self._end if same else self._last  # what is missing begins where frames end
            self._raise(segment_of(where), offset_of(where), what)

    def _chain(self) -> tuple[list[SegmentHead], int]:
        """The segments from the first on, and the number of the first that stops us, or 0."""
        number, hole = self._newest(), 0
        while True:
            chain, broken = self._back_from(number)
            if not broken:
                between = range(number + 1, hole)
                spoiled = (each for each in between if self._is_spoiled(each))
                return chain, next(spoiled, hole)
            hole = broken
            number = max((each for each in self._heads if each < hole), default=0)

    def _newest(self) -> int:
        """The last segment that readers are told of; or that was begun, if that is later."""
        told = segment_of(self._last)
        if self._last and not self._beyond:
            return told
        begun = [each for each in self._views if each in self._heads or self._is_spoiled(each)]
        return max([told, *begun])

    def _is_spoiled(self, number: int) -> bool:
        """Whether a segment has something in it behind a header that is not sound. If not, it may
        never have begun."""
        view = self._views.get(number)
        return view is not None and number not in self._heads and _is_used(view)

    def _back_from(self, number: int) -> tuple[list[SegmentHead], int]:
        chain: list[SegmentHead] = []
        while number:
            head = self._heads.get(number)
            if head is None or head.previous >= number:
                return [], number
            chain.append(head)
            number = head.previous
        return chain[::-1], 0

    def _segment(self, head: SegmentHead, stop: int, *, is_last: bool) -> Iterator[Walked]:
        """Frames up to `stop`; up to where they end, where nobody says."""
        number, view = head.number, self._views[head.number]
        end = stop or len(view)
        offset = SEGMENT_HEADER
        while offset < end:
            where = place(number, offset)
            if is_last and not self._beyond and where > self._last:
                return  # it is being written
            frame = frame_at(view, offset, min(end, len(view)), head)
            if frame is None:
                # What nobody was told of need not be whole, if nothing sound comes behind it.
                may_end = not stop and (where > self._last or not is_last)
                if may_end and sound_frame_beyond(view, offset, head) is None:
                    return
                what = "the frame is not what was written"
                self._raise(number, offset, what, offset + FRAME_HEADER)
            if (frame.first, frame.link) != (self._position + 1, self._link):
                what = "the frame does not follow the one before it"
                self._raise(number, offset, what, offset + FRAME_HEADER)
            yield self._read(frame, number)
            self._position, self._link, self._at = frame.last, frame.crc, where
            offset = frame.end
            self._end = place(number, offset)

    def _read(self, frame: Frame, number: int) -> Walked:
        begin = frame.offset + FRAME_HEADER
        try:
            records = self._codec.records(frame.payload)
            raw = self._codec.raw(frame.payload)
        except Corrupt as error:
            self._raise(number, frame.offset, error.message, begin)
        counts = [record.count for record in records]
        if sum(counts) != frame.count or min(counts, default=0) < 1:
            what = "the frame counts other events than it holds"
            self._raise(number, frame.offset, what, begin)
        return Walked(_stored(frame, number, raw, counts), records)

    def _raise(self, number: int, offset: int, what: str, records_at: int = 0) -> Never:
        rest: list[Seeming] = []
        if records_at:
            rest = list(self._seeming(self._views[number], records_at))
        raise _Found(Damage(self._position + 1, number, offset, what, rest))

    def _seeming(self, view: memoryview, at: int) -> Iterator[Seeming]:
        """What looks like a list of records, one by one up to the first that does not.

        No more than the frame's header counts events: where it is the list's length that was
        changed, what follows is the next frame.
        """
        left = events_at(view, at - FRAME_HEADER)
        try:
            count, at = _array(view, at)
        except IndexError:
            return
        for _ in range(count):
            if left < 1:
                return
            try:
                end = _record_end(view, at)
                content = bytes(view[at:end])
                [record] = self._codec.records(b"\x91" + content)
            except (IndexError, Corrupt):
                yield Seeming(at, b"")
                return
            yield Seeming(at, content, record.stream, record.count)
            left -= record.count
            at = end


def _is_used(view: memoryview) -> bool:
    """Whether anything lies behind the header."""
    return any(
        bytes(view[at : at + _SLICE]).strip(b"\0")
        for at in range(SEGMENT_HEADER, len(view), _SLICE)
    )


def _array(view: memoryview, at: int) -> tuple[int, int]:
    """How long the array at `at` is, and where it begins. Raises `IndexError` where none is."""
    first = view[at]
    if 0x90 <= first <= 0x9F:
        return first - 0x90, at + 1
    width = _ARRAYS.get(first)
    if width is None:
        raise IndexError(at)
    return int.from_bytes(view[at + 1 : at + 1 + width], "big"), at + 1 + width


def _record_end(view: memoryview, at: int) -> int:
    """Where the record that begins at `at` ends: nothing in one is nested."""
    count, at = _array(view, at)
    for _ in range(count):
        first = view[at]
        at += 1
        if first in _FIXED:
            at += _FIXED[first]
        elif first in _LENGTHS:
            width = _LENGTHS[first]
            at += width + int.from_bytes(view[at : at + width], "big")
        elif 0xA0 <= first <= 0xBF:
            at += first - 0xA0
        elif 0x80 <= first < 0xC0:  # a map or an array
            raise IndexError(at)
        if at > len(view):
            raise IndexError(at)
    return at
