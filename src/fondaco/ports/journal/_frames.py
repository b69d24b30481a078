"""The bytes of a segment file: a header, then frames one after the other, then zeros.

A frame is what one `append` wrote. Its checksum starts from the segment's salt, so that no payload
can pass for a frame, and it names the checksum of the frame before it: an order of frames that was
not written is not believed. A place is one number, segment and offset, and grows along the journal.
"""

import os
import struct
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from fondaco.kernel.errors import Corrupt

_SEGMENT: Final = struct.Struct("<8sIIIIQQ20x")  # and its checksum
_FRAME: Final = struct.Struct("<4sIIIQII")
_MAGIC_SEGMENT: Final = b"FONDACO1"
_MAGIC_FRAME: Final = b"\xf7JF\x01"
_CHECKED_FROM: Final = 8  # behind the magic and the checksum itself
_OFFSET_BITS: Final = 40

SEGMENT_HEADER: Final = _SEGMENT.size + 4
FRAME_HEADER: Final = _FRAME.size
PAYLOAD_MAX: Final = 2**32 - 1


def place(segment: int, offset: int) -> int:
    return segment << _OFFSET_BITS | offset


def segment_of(where: int) -> int:
    return where >> _OFFSET_BITS


def offset_of(where: int) -> int:
    return where & ((1 << _OFFSET_BITS) - 1)


def described(where: int) -> str:
    return f"segment {segment_of(where):08d} at byte {offset_of(where)}"


def path_of(folder: Path, segment: int) -> Path:
    return folder / f"{segment:08d}.seg"


def numbers_in(folder: Path) -> list[int]:
    """The numbers of the segment files in `folder`, smallest first."""
    return sorted(int(path.stem) for path in folder.glob("*.seg") if path.stem.isdecimal())


class SegmentHead(msgspec.Struct, frozen=True, gc=False):
    """How a segment begins: durably, and before its first frame is written."""

    number: int
    salt: int
    previous: int  # the segment that comes before it; 0: none
    link: int  # the checksum of the last frame before it
    previous_end: int  # where the one before validly ended; what lies beyond was never written
    position: int  # the last one before it

    def pack(self) -> bytes:
        fields = _SEGMENT.pack(
            _MAGIC_SEGMENT,
            self.number,
            self.salt,
            self.previous,
            self.link,
            self.previous_end,
            self.position,
        )
        return fields + crc32(fields).to_bytes(4, "little")


class Frame(msgspec.Struct, frozen=True, gc=False):
    """What one `append` wrote; `payload` is not copied."""

    offset: int
    end: int
    first: int  # position
    count: int  # of events
    crc: int
    link: int
    payload: memoryview

    @property
    def last(self) -> int:
        return self.first + self.count - 1


def new_salt() -> int:
    return int.from_bytes(os.urandom(4), "little")


def segment_head(view: memoryview) -> SegmentHead | None:
    """The header of a segment, or None when it is not a sound one."""
    if len(view) < SEGMENT_HEADER:
        return None
    fields = view[: _SEGMENT.size]
    magic, *values = _SEGMENT.unpack(fields)
    sound = int.from_bytes(view[_SEGMENT.size : SEGMENT_HEADER], "little") == crc32(fields)
    return SegmentHead(*values) if sound and magic == _MAGIC_SEGMENT else None


def pack_frame(head: SegmentHead, link: int, first: int, count: int, payload: bytes) -> bytes:
    header = _FRAME.pack(_MAGIC_FRAME, 0, len(payload), count, first, head.number, link)
    crc = crc32(payload, crc32(header[_CHECKED_FROM:], head.salt))
    return header[:4] + crc.to_bytes(4, "little") + header[_CHECKED_FROM:] + payload


def frame_at(view: memoryview, offset: int, stop: int, head: SegmentHead) -> Frame | None:
    """The frame at `offset`, or None when no whole and sound one lies there before `stop`."""
    if offset + FRAME_HEADER > stop:
        return None
    magic, crc, length, count, first, number, link = _FRAME.unpack_from(view, offset)
    begin = offset + FRAME_HEADER
    end = begin + length
    if magic != _MAGIC_FRAME or number != head.number or end > stop:
        return None
    if crc32(view[offset + _CHECKED_FROM : end], head.salt) != crc:
        return None
    return Frame(offset, end, first, count, crc, link, view[begin:end])


def events_at(view: memoryview, offset: int) -> int:
    """How many events the header at `offset` counts, sound or not; 0 beyond the end."""
    return _FRAME.unpack_from(view, offset)[3] if offset + FRAME_HEADER <= len(view) else 0


def skip_to(view: memoryview, stop: int, position: int) -> int:
    """Where the frame that holds `position` begins, by headers alone; `stop` when none does."""
    offset = SEGMENT_HEADER
    while offset + FRAME_HEADER <= stop:
        _, _, length, count, first, _, _ = _FRAME.unpack_from(view, offset)
        if first + count > position or not count:  # no count, no frame: its reader will say so
            return offset
        offset += FRAME_HEADER + length
    return stop


def scan(view: memoryview, stop: int, head: SegmentHead) -> tuple[list[Frame], int]:
    """The frames of a segment up to `stop` or the first that is not whole, and where that is."""
    frames: list[Frame] = []
    offset, link, position = SEGMENT_HEADER, head.link, head.position
    while frame := frame_at(view, offset, stop, head):
        if frame.link != link or frame.first != position + 1:
            raise Corrupt(
                f"the frame in {described(place(head.number, offset))} does not follow the one "
                f"before it: restore the journal from a backup",
            )
        frames.append(frame)
        offset, link, position = frame.end, frame.crc, frame.last
    return frames, offset


def sound_frame_beyond(view: memoryview, offset: int, head: SegmentHead) -> int | None:
    """Where the next sound frame begins, if any: an append that ended is followed by none."""
    raw = bytes(view[offset:])
    found = raw.find(_MAGIC_FRAME, 1)
    while found >= 0:
        if frame_at(view, offset + found, len(view), head):
            return offset + found
        found = raw.find(_MAGIC_FRAME, found + 1)
    return None
