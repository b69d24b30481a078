"""Writing: the one segment that grows, how it is found again, and what is done when a disk fails.

Two laws. Bytes that were written once are never written over by others: what cannot be continued
is given up, and the next segment's header says where it validly ended. And a sync that failed is
never asked again: the kernel would say yes, having forgotten what it lost.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from fondaco.kernel.errors import Conflict, Invalid, Unavailable
from fondaco.ports.journal._chain import HeadWord, damaged, mapped
from fondaco.ports.journal._disk import Disk, Spare, make_zeroed, unavailable, write
from fondaco.ports.journal._frames import (
    FRAME_HEADER,
    PAYLOAD_MAX,
    SEGMENT_HEADER,
    Frame,
    SegmentHead,
    new_salt,
    numbers_in,
    pack_frame,
    path_of,
    place,
    scan,
    segment_head,
    sound_frame_beyond,
)

# A segment that somebody waits for is small, so that they do not wait long.
_PROMPT_BYTES: Final = 1 << 20


class Lock:
    """Held by the one writer for as long as it lives, and by nobody when it has died."""

    def __init__(self, folder: Path) -> None:
        path = folder / "lock"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._file, 20, 0).decode().strip() or "unknown"
            os.close(self._file)
            raise Conflict(
                f"the journal in {folder} has a writer already, process {owner}: stop that one "
                f"first, or open it for reading",
                pid=owner,
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._file)


class Tip:
    """Where the one writer writes."""

    def __init__(self, folder: Path, segment_bytes: int, disk: Disk, word: HeadWord) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._disk = disk
        self._word = word
        self._head: SegmentHead | None = None  # of the segment being written, with its file
        self._file = -1
        self._size = self._offset = 0
        self._number = 0  # the highest ever used
        self._link = 0
        self._previous = (0, 0)  # the last segment with frames in it, and where they end
        self._empty: list[Path] = []  # segments given up before anything in them was durable
        self.position = 0
        self._spare = Spare(folder, segment_bytes, disk)
        try:
            self._recover()
        except OSError as error:
            raise unavailable("recover", folder, error) from error

    def append(self, payload: bytes, count: int) -> None:
        """Write one frame; it is durable on return."""
        needed = FRAME_HEADER + len(payload)
        if len(payload) > PAYLOAD_MAX:
            raise Invalid(f"{len(payload)} bytes in one append, at most {PAYLOAD_MAX} fit a frame")
        if self._head is None or self._offset + needed > self._size:
            self._begin(needed)
        assert self._head is not None  # noqa: S101  `_begin` made one, or raised
        frame = pack_frame(self._head, self._link, self.position + 1, count, payload)
        try:
            write(self._disk, self._file, frame, self._offset)
            self._disk.fdatasync(self._file)
        except OSError as error:
            path = path_of(self._folder, self._head.number)
            # At once, so that what may have reached the disk is nobody's, for ever, before the
            # caller hears of it. While that fails as well, nobody can tell.
            with suppress(Unavailable):
                self._begin(0)
            raise unavailable("write to", path, error) from error
        except BaseException:
            self._give_up()
            raise
        where = place(self._head.number, self._offset)
        self._offset += needed
        self._link = int.from_bytes(frame[4:8], "little")
        self.position += count
        self._word.store(where)
        if 2 * self._offset > self._size or self._size < self._segment_bytes:
            self._spare.prepare()

    def close(self) -> None:
        self._spare.close()
        if self._head is not None:
            os.close(self._file)
            self._head = None

    def _give_up(self) -> None:
        """Never write to this segment again."""
        if self._head is None:
            return
        if self._offset > SEGMENT_HEADER:
            self._previous = (self._head.number, self._offset)
        else:
            self._empty.append(path_of(self._folder, self._head.number))
        os.close(self._file)
        self._head = None

    def _begin(self, needed: int) -> None:
        """A new segment with room for `needed`, whose header is durable.

        Whatever becomes of it, the old one is given up first: if the new header reached the disk
        unnoticed, what the old one got later would be beyond its end.
        """
        self._give_up()
        self._number += 1
        head = SegmentHead(
            self._number,
            new_salt(),
            self._previous[0],
            self._link,
            self._previous[1],
            self.position,
        )
        path = path_of(self._folder, self._number)
        size = SEGMENT_HEADER + needed
        try:
            if not self._spare.take(path, size):
                size = max(size, min(self._segment_bytes, _PROMPT_BYTES))
                make_zeroed(self._disk, path, size, step=_PROMPT_BYTES)
            self._open(head, SEGMENT_HEADER)
            write(self._disk, self._file, head.pack(), 0)
            self._disk.fdatasync(self._file)
            self._disk.sync_folder(self._folder)
        except OSError as error:
            if self._head is not None:
                os.close(self._file)
                self._head = None
            with suppress(OSError):
                path.unlink()
            raise unavailable("begin", path, error) from error
        for path in self._empty:  # only now that the new header is what counts
            with suppress(OSError):
                path.unlink()
        self._empty.clear()

    def _open(self, head: SegmentHead, offset: int) -> None:
        self._file = os.open(path_of(self._folder, head.number), os.O_RDWR)
        self._head = head
        self._size = os.fstat(self._file).st_size
        self._offset = offset

    def _recover(self) -> None:
        """Find the durable end. Raises `Corrupt` where what was acknowledged cannot be read."""
        numbers = numbers_in(self._folder)
        published = self._word.load()
        self._number = numbers[-1] if numbers else 0
        head = self._last_begun(numbers)
        if head is None:
            if published:
                raise damaged(published)
            return
        view = mapped(path_of(self._folder, head.number))
        frames, offset = scan(view, len(view), head)
        if sound_frame_beyond(view, offset, head) is not None:
            raise damaged(place(head.number, offset))
        last, owner = (frames[-1], head) if frames else self._last_frame_before(head)
        where = place(owner.number, last.offset) if last else 0
        if published > where:
            raise damaged(place(head.number, offset))
        self.position, self._link = (last.last, last.crc) if last else (0, 0)
        if last and where != published:
            self._write_again(owner, last)
        self._word.store(where)
        if frames:
            self._previous = (head.number, offset)
        else:
            self._previous = (head.previous, head.previous_end)
        if not bytes(view[offset:]).strip(b"\0"):
            # Who began it may have died before its name was durable, and nobody would sync it now.
            self._disk.sync_folder(self._folder)
            self._open(head, offset)  # else: a torn frame, which nobody writes over

    def _last_begun(self, numbers: list[int]) -> SegmentHead | None:
        """The last segment with a header. One whose header never reached the disk holds nothing."""
        for number in reversed(numbers):
            view = mapped(path_of(self._folder, number))
            if head := segment_head(view):
                if head.number != number:
                    raise damaged(place(number, 0))
                return head
            if bytes(view[SEGMENT_HEADER:]).strip(b"\0"):
                raise damaged(place(number, 0))
        return None

    def _last_frame_before(self, head: SegmentHead) -> tuple[Frame | None, SegmentHead]:
        """The last frame in the segments before `head`, and its segment."""
        while head.previous:
            view = mapped(path_of(self._folder, head.previous))
            before = segment_head(view)
            if before is None:
                raise damaged(place(head.previous, 0))
            frames, offset = scan(view, head.previous_end, before)
            if offset != head.previous_end:
                raise damaged(place(before.number, offset))
            head = before
            if frames:
                return frames[-1], head
        return None, head

    def _write_again(self, head: SegmentHead, last: Frame) -> None:
        """Make sure of a frame that was perhaps never synced: the same bytes at the same place."""
        path = path_of(self._folder, head.number)
        content = bytes(mapped(path)[last.offset : last.end])
        file = os.open(path, os.O_RDWR)
        try:
            write(self._disk, file, content, last.offset)
            self._disk.fdatasync(file)
        finally:
            os.close(file)
        self._disk.sync_folder(self._folder)
