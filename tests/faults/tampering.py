"""A journal of a few segments, and everything that somebody who can write its files may do to it.

What is mended (checksums, lengths, counts, links, positions, versions, headers) is a journal in its
own right, as sound as the first: nothing but its hashes says that it is another one.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import msgspec

from faults.noted import CODEC, FaultyDisk, Noted, set_head_word
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId
from fondaco.ports.journal._frames import (
    FRAME_HEADER,
    SEGMENT_HEADER,
    SegmentHead,
    frame_at,
    numbers_in,
    pack_frame,
    path_of,
    place,
    segment_head,
)
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.runtime.proofs.growth import Growth

STREAMS: Final = tuple(StreamId(f"account/{name}") for name in "abcde")
Record = list[Any]  # the nine fields, as `fondaco.kernel.codec` packs them
COUNT, VERSION = 5, 1


@dataclass(frozen=True)
class Segment:
    number: int
    salt: int
    frames: tuple[tuple[bytes, ...], ...]  # the records of each


@dataclass(frozen=True)
class Spot:
    """Where a record lies."""

    position: int
    segment: int
    frame: int  # offset of the frame that holds it
    begin: int
    end: int


def write(folder: Path, proofs: Path, rng: random.Random) -> None:
    """A closed journal of some two hundred entries, its tree and about five roots."""
    journal = SegmentJournal(folder, CODEC, segment_bytes=4096, disk=FaultyDisk())
    days = iter(range(1_000_000))
    log = Growth(proofs, journal, lambda: Instant(next(days) * 10**9), lambda _: None, every_s=12)
    versions = dict.fromkeys(STREAMS, 0)
    for turn in range(60):
        decisions: list[Decision[Event]] = []
        for stream in rng.sample(STREAMS, rng.choice((1, 1, 2, 3))):
            texts = [
                rng.randbytes(rng.randrange(30)).hex() for _ in range(rng.choice((1, 1, 1, 3)))
            ]
            cause = CommandId(f"c{turn}-{len(decisions)}#{rng.randrange(10**6)}")
            events = tuple(map(Noted, texts))
            at = Instant(1_700_000_000_000_000_000 + turn)
            decisions.append(Decision(stream, versions[stream], cause, at, 1, events))
            versions[stream] += len(events)
        journal.append(decisions)
        log.step()
    log.finish()
    log.close()
    journal.close()


def read(folder: Path) -> list[Segment]:
    found = []
    for number in numbers_in(folder):
        view = memoryview(path_of(folder, number).read_bytes())
        head = segment_head(view)
        assert head
        frames, offset = [], SEGMENT_HEADER
        while frame := frame_at(view, offset, len(view), head):
            frames.append(tuple(bytes(raw) for raw in CODEC.raw(frame.payload)))
            offset = frame.end
        if frames:
            found.append(Segment(number, head.salt, tuple(frames)))
    return found


def packed(segments: list[Segment]) -> tuple[dict[int, bytes], int, list[Spot]]:
    """The files of a sound journal by their numbers, its last frame's place, and its records."""
    files: dict[int, bytes] = {}
    spots: list[Spot] = []
    previous = previous_end = link = position = last = 0
    for segment in segments:
        head = SegmentHead(segment.number, segment.salt, previous, link, previous_end, position)
        content = head.pack()
        for records in segment.frames:
            payload = array_header(len(records)) + b"".join(records)
            count = sum(fields(record)[COUNT] for record in records)
            last = place(segment.number, len(content))
            at = len(content) + FRAME_HEADER + len(payload) - sum(map(len, records))
            frame = pack_frame(head, link, position + 1, count, payload)
            for record in records:
                end = at + len(record)
                spots.append(Spot(position + 1, segment.number, len(content), at, end))
                position += fields(record)[COUNT]
                at = end
            link = int.from_bytes(frame[4:8], "little")
            content += frame
        previous, previous_end = segment.number, len(content)
        files[segment.number] = content
    return files, last, spots


def array_header(count: int) -> bytes:
    return msgspec.msgpack.encode([0] * count)[: -count or None]


def fields(record: bytes) -> Record:
    found: Record = msgspec.msgpack.decode(record)
    return found


def leaves(segments: list[Segment]) -> list[bytes]:
    """Written out here, so that the product's own way is not asked about itself."""
    found: list[bytes] = []
    for segment in segments:
        for record in (record for frame in segment.frames for record in frame):
            count = fields(record)[COUNT]
            content = record if count == 1 else sha256(record).digest()
            for nth in range(count):
                position = len(found) + 1
                header = b"\0" + b"".join(
                    number.to_bytes(width, "big")
                    for number, width in ((position, 8), (nth, 4), (count, 4))
                )
                found.append(sha256(header + content).digest())
    return found


def renumbered(segments: list[Segment]) -> list[Segment]:
    """With every stream's versions as they must follow."""
    versions: dict[str, int] = {}
    found = []
    for segment in segments:
        frames = []
        for records in segment.frames:
            mended = []
            for record in records:
                each = fields(record)
                each[VERSION] = versions.get(each[0], 0)
                versions[each[0]] = each[VERSION] + each[COUNT]
                mended.append(msgspec.msgpack.encode(each))
            if mended:
                frames.append(tuple(mended))
        if frames:
            found.append(replace(segment, frames=tuple(frames)))
    return found


# --- What is done to the records, and mended ------------------------------------------------------

Mending = Callable[[list[list[list[bytes]]], random.Random], None]


def mended(segments: list[Segment], change: Mending, rng: random.Random) -> list[Segment]:
    """`change` is given records by segment and frame, and the last word about versions is ours."""
    lists = [[list(frame) for frame in segment.frames] for segment in segments]
    change(lists, rng)
    return renumbered(
        [
            replace(segment, frames=tuple(tuple(frame) for frame in frames))
            for segment, frames in zip(segments, lists, strict=True)
        ]
    )


def _any_frame(lists: list[list[list[bytes]]], rng: random.Random) -> list[bytes]:
    return rng.choice(rng.choice([frames for frames in lists if frames]))


def edit(lists: list[list[list[bytes]]], rng: random.Random) -> None:
    frame = _any_frame(lists, rng)
    at = rng.randrange(len(frame))
    each = fields(frame[at])
    match rng.randrange(5):
        case 0:
            each[0] = rng.choice([stream for stream in STREAMS if stream != each[0]])
        case 1:
            each[2] += "!"
        case 2:
            each[3] += rng.choice((-1, 1, 10**9))
        case 3:
            each[4] += 1
        case _:
            events = msgspec.msgpack.decode(each[8])
            events[rng.randrange(len(events))][1] += "more"
            each[8] = msgspec.msgpack.encode(events)
    frame[at] = msgspec.msgpack.encode(each)


def delete_record(lists: list[list[list[bytes]]], rng: random.Random) -> None:
    frame = _any_frame(lists, rng)
    del frame[rng.randrange(len(frame))]


def delete_frame(lists: list[list[list[bytes]]], rng: random.Random) -> None:
    frames = rng.choice([frames for frames in lists if frames])
    del frames[rng.randrange(len(frames))]


def delete_segment(lists: list[list[list[bytes]]], rng: random.Random) -> None:
    rng.choice(lists).clear()


def cut_off(lists: list[list[list[bytes]]], rng: random.Random) -> None:
    for _ in range(rng.randrange(1, 12)):
        last = next(frames for frames in reversed(lists) if frames)
        del last[-1]


def swap_records(lists: list[list[list[bytes]]], rng: random.Random) -> None:
    one, other = _any_frame(lists, rng), _any_frame(lists, rng)
    i, j = rng.randrange(len(one)), rng.randrange(len(other))
    one[i], other[j] = other[j], one[i]


def swap_neighbours(lists: list[list[list[bytes]]], rng: random.Random) -> None:
    frames = rng.choice([frames for frames in lists if len(frames) > 1])
    at = rng.randrange(len(frames) - 1)
    frames[at], frames[at + 1] = frames[at + 1], frames[at]


def repeat_record(lists: list[list[list[bytes]]], rng: random.Random) -> None:
    frame = _any_frame(lists, rng)
    at = rng.randrange(len(frame))
    frame.insert(rng.randrange(at + 1), frame[at])


def forge(lists: list[list[list[bytes]]], rng: random.Random) -> None:
    """Another entry between those that are there."""
    frame = _any_frame(lists, rng)
    events = msgspec.msgpack.encode([["test.noted.v1", "forged"]])
    forged = [rng.choice(STREAMS), 0, "forged#0", 1_700_000_000_000_000_000, 1, 1, 1, "", events]
    frame.insert(rng.randrange(len(frame)), msgspec.msgpack.encode(forged))


def merge_frames(lists: list[list[list[bytes]]], rng: random.Random) -> None:
    """The second of two appends goes into the first, behind an entry that was changed."""
    frames = rng.choice([frames for frames in lists if len(frames) > 1])
    at = rng.randrange(len(frames) - 1)
    edit([[frames[at]]], rng)
    frames[at] += frames.pop(at + 1)


MENDED: Final[tuple[Mending, ...]] = (
    edit, delete_record, delete_frame, delete_segment, cut_off, swap_records, swap_neighbours,
    repeat_record, forge, merge_frames,
)  # fmt: skip


# --- What is done to the bytes --------------------------------------------------------------------

# Says which record it hit, unless that is the first whose bytes are not what they were.
Spoiling = Callable[[dict[int, bytes], list[Spot], random.Random], Spot | None]


def _used(files: dict[int, bytes], rng: random.Random) -> tuple[int, int]:
    """A segment and a byte that means something."""
    number = rng.choice(sorted(files))
    return number, rng.randrange(len(files[number]))


def flip(files: dict[int, bytes], _: list[Spot], rng: random.Random) -> None:
    number, at = _used(files, rng)
    content = bytearray(files[number])
    content[at] ^= 1 << rng.randrange(8)
    files[number] = bytes(content)


def flip_header(files: dict[int, bytes], _: list[Spot], rng: random.Random) -> None:
    number = rng.choice(sorted(files))
    content = bytearray(files[number])
    content[rng.randrange(SEGMENT_HEADER)] ^= 1 << rng.randrange(8)
    files[number] = bytes(content)


def flip_with_checksum(files: dict[int, bytes], spots: list[Spot], rng: random.Random) -> Spot:
    """The frame's own checksum is mended, and nothing else: the next frame's link tells."""
    spot = rng.choice(spots)
    content = bytearray(files[spot.segment])
    content[rng.randrange(spot.begin, spot.end)] ^= 1 << rng.randrange(8)
    head = segment_head(memoryview(files[spot.segment]))
    assert head
    frame = frame_at(memoryview(files[spot.segment]), spot.frame, len(content), head)
    assert frame
    checked = content[spot.frame + 8 : frame.end]
    content[spot.frame + 4 : spot.frame + 8] = crc32(checked, head.salt).to_bytes(4, "little")
    files[spot.segment] = bytes(content)
    return spot


def overwrite(files: dict[int, bytes], _: list[Spot], rng: random.Random) -> None:
    number, at = _used(files, rng)
    content = files[number]
    noise = rng.randbytes(min(rng.randrange(1, 200), len(content) - at))
    files[number] = content[:at] + noise + content[at + len(noise) :]


def _frames(files: dict[int, bytes], spots: list[Spot], number: int) -> list[bytes]:
    """A segment cut into header and frames."""
    cuts = sorted({spot.frame for spot in spots if spot.segment == number})
    ends = [*cuts[1:], len(files[number])]
    content = files[number]
    return [content[: cuts[0]], *(content[a:b] for a, b in zip(cuts, ends, strict=True))]


def swap_raw(files: dict[int, bytes], spots: list[Spot], rng: random.Random) -> None:
    number = rng.choice(sorted(files))
    head, *frames = _frames(files, spots, number)
    rng.shuffle(frames)
    files[number] = b"".join((head, *frames))


def delete_raw(files: dict[int, bytes], spots: list[Spot], rng: random.Random) -> None:
    number = rng.choice(sorted(files))
    head, *frames = _frames(files, spots, number)
    length = len(files[number])
    del frames[rng.randrange(len(frames))]
    files[number] = b"".join((head, *frames)).ljust(length, b"\0")


def repeat_raw(files: dict[int, bytes], spots: list[Spot], rng: random.Random) -> None:
    number = rng.choice(sorted(files))
    head, *frames = _frames(files, spots, number)
    at = rng.randrange(len(frames))
    frames.insert(at, frames[at])
    files[number] = b"".join((head, *frames))


def swap_segments(files: dict[int, bytes], _: list[Spot], rng: random.Random) -> None:
    one, other = rng.sample(sorted(files), 2)
    files[one], files[other] = files[other], files[one]


def remove_segment(files: dict[int, bytes], _: list[Spot], rng: random.Random) -> None:
    del files[rng.choice(sorted(files))]


def cut_short(files: dict[int, bytes], _: list[Spot], rng: random.Random) -> None:
    number, at = _used(files, rng)
    files[number] = files[number][:at]


def zero(files: dict[int, bytes], _: list[Spot], rng: random.Random) -> None:
    number, at = _used(files, rng)
    files[number] = files[number][:at].ljust(len(files[number]), b"\0")


SPOILED: Final[tuple[Spoiling, ...]] = (
    flip, flip_header, flip_with_checksum, overwrite, swap_raw, delete_raw, repeat_raw,
    swap_segments, remove_segment, cut_short, zero,
)  # fmt: skip


def first_spoiled(before: dict[int, bytes], after: dict[int, bytes], spots: list[Spot]) -> Spot:
    """The first record whose bytes, or whose frame's or segment's, are not what they were."""
    for number in sorted(before):
        of_segment = [spot for spot in spots if spot.segment == number]
        if number not in after:
            return of_segment[0]
        old, new = before[number], after[number]
        if new[: len(old)] == old:
            continue
        both = min(len(old), len(new))
        at = next((n for n in range(both) if old[n] != new[n]), both)
        frames = [spot.frame for spot in of_segment if spot.frame <= at]
        frame = max(frames, default=of_segment[0].frame)  # else in the segment's header
        in_frame = [spot for spot in of_segment if spot.frame == frame]
        return next((spot for spot in in_frame if spot.begin <= at < spot.end), in_frame[0])
    raise Unchanged


class Unchanged(Exception):
    """It came out as it was."""


def put(folder: Path, files: dict[int, bytes], last: int | None) -> None:
    """Make these the files of the journal; `last` is what readers are told, None leaves it."""
    for number in numbers_in(folder):
        if number not in files:
            path_of(folder, number).unlink()
    for number, content in files.items():
        path_of(folder, number).write_bytes(content)
    if last is not None:
        set_head_word(folder, last)
