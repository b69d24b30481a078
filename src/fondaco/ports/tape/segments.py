"""The tape on a disk: one folder per source, one file per hour or 64 MiB.

    tape/binance/00000000000000000001.seg      frames; the name is the first one's position
    tape/binance/00000000000000000001.seal     its checksum, once nothing more will be written
    tape/closed                                the last position, while nobody has the tape open

A frame is a CRC-32 of what follows, the length of the bytes, position, arrival in nanoseconds, and
the bytes. `append` only fills a buffer; a thread writes buffers out every `FLUSH_EVERY_S`, seals
what is full and deletes the oldest sealed segments over quota. A segment is synced when it is
sealed, or where somebody asks for it: else what the machine did not write until it died was only
observed, and nobody was promised anything on it.
"""

import heapq
import os
import struct
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from pathlib import Path
from threading import Event, Lock, RLock, Thread
from typing import BinaryIO, Final
from zlib import crc32

import msgspec

from fondaco.kernel.errors import Corrupt, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.at_rest import AtRest, counter_of, new_head, reading
from fondaco.ports.tape import Frame, check_source

FLUSH_EVERY_S: Final = 0.05
SEGMENT_BYTES: Final = 64 << 20
QUOTA_BYTES: Final = 4 << 30
BUFFER_BYTES: Final = 64 << 20  # kept in memory while the disk refuses; then frames are lost
HOUR_NS: Final = 3_600_000_000_000
SKIPPED: Final = 1_000_000  # positions after a crash: more than a buffer can have held
RAW_MAX: Final = 1 << 30  # a longer frame is a length read from a torn tail

_HEAD: Final = struct.Struct("<IIQQ")
_BODY: Final = struct.Struct("<IQQ")  # what the checksum covers, before the bytes


class Seal(msgspec.Struct, frozen=True):
    """What a segment was when it was closed."""

    source: str
    first: int  # position
    last: int
    newest_at: int  # arrival of the last frame
    frames: int
    size: int  # bytes
    sha256: str = ""


class _Open:
    """The segment of one source that is being written; what waits for the disk is in `buffer`."""

    __slots__ = (
        "at", "buffer", "digest", "file", "first", "frames", "head", "hour", "is_named", "last",
        "size", "to_begin", "wrote",
    )  # fmt: skip

    def __init__(self, first: int, hour: int, head: bytes) -> None:
        """`head` is what an encrypted file begins with."""
        self.first, self.last, self.hour = first, first - 1, hour
        self.at = self.frames = self.wrote = 0
        self.head = self.to_begin = head
        self.size = len(head)
        self.buffer = bytearray()
        self.digest = sha256()
        self.file: BinaryIO | None = None
        self.is_named = False  # its name in the folder is synced, too


class SegmentTape:
    """One writer per folder, which the owner of the data directory sees to."""

    def __init__(
        self,
        folder: Path,
        *,
        quota_bytes: int = QUOTA_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
        buffer_bytes: int = BUFFER_BYTES,
        retention_days: int = 0,
        at_rest: AtRest | None = None,
    ) -> None:
        """`retention_days` below one keep everything that the quota lets stay; with `at_rest` new
        segments are encrypted, and their seals are over what is stored."""
        self._folder, self._at_rest = folder, at_rest
        self._quota_bytes, self._segment_bytes = quota_bytes, segment_bytes
        self._buffer_bytes = buffer_bytes
        self._retention_ns = retention_days * 24 * HOUR_NS
        self._lock = RLock()  # of everything below; held for moments
        self._disk = Lock()  # one at a time writes files; taken before the other
        self._syncing = Lock()  # taken before both
        self._synced = 0
        self._open: dict[str, _Open] = {}
        self._full: list[tuple[str, _Open]] = []  # to be written out and sealed
        self._buffered = 0
        self._lost = 0
        self.trouble = ""  # what the disk said last; empty when it is well
        self._closing = Event()
        self._thread: Thread | None = None  # runs from the first frame on
        try:
            known = [self._known(path) for path in _files(folder, "seg")]
            self._unsealed = [seal for seal in known if seal is not None and not seal.sha256]
            self._position = self._reached([seal.last for seal in known if seal is not None])
        except OSError as error:
            raise Unavailable(f"the tape in {folder} cannot be read: {error}") from error

    @property
    def position(self) -> int:
        return self._position

    @property
    def lost(self) -> int:
        return self._lost

    def append(self, source: str, at: Instant, raw: bytes) -> int:
        hour = at // HOUR_NS
        if self._thread is None:
            self._start(source)
        with self._lock:
            segment = self._open.get(source)
            if segment is None or segment.hour != hour or segment.size >= self._segment_bytes:
                segment = self._next(source, segment, hour)
            position = self._position = self._position + 1
            size = _HEAD.size + len(raw)
            if self._buffered + size > self._buffer_bytes:
                self._lost += 1
                return position
            body = _BODY.pack(len(raw), position, at)
            buffer = segment.buffer
            buffer += crc32(raw, crc32(body)).to_bytes(4, "little")
            buffer += body
            buffer += raw
            segment.last = position
            segment.frames += 1
            segment.at = at
            segment.size += size
            self._buffered += size
            return position

    def append_all(self, source: str, at: Instant, raws: Sequence[bytes]) -> int:
        if not raws:
            return self._position
        size = sum(map(len, raws)) + _HEAD.size * len(raws)
        hour = at // HOUR_NS
        if self._thread is None:
            self._start(source)
        with self._lock:
            segment = self._open.get(source)
            if (
                segment is not None
                and segment.hour == hour
                and segment.size + size < self._segment_bytes
                and self._buffered + size <= self._buffer_bytes
            ):
                return self._append_all(segment, at, raws, size)
            for raw in raws:
                last = self.append(source, at, raw)
            return last

    def _append_all(self, segment: _Open, at: int, raws: Sequence[bytes], size: int) -> int:
        """Within the lock, where all of them have room in one segment."""
        position, pack, crc = self._position, _BODY.pack, crc32
        pieces: list[bytes] = []
        for raw in raws:
            position += 1
            body = pack(len(raw), position, at)
            pieces += (crc(raw, crc(body)).to_bytes(4, "little"), body, raw)
        segment.buffer += b"".join(pieces)
        segment.last = self._position = position
        segment.frames += len(raws)
        segment.at = at
        segment.size += size
        self._buffered += size
        return position

    def read(
        self, after: int = 0, limit: int = -1, sources: Collection[str] | None = None
    ) -> Iterator[Frame]:
        self.flush()
        rows = [
            self._source_frames(folder, after)
            for folder in sorted({path.parent for path in _files(self._folder, "seg")})
            if sources is None or folder.name in sources
        ]
        frames = heapq.merge(*rows, key=_position)
        return frames if limit < 0 else islice(frames, limit)

    def sources(self) -> list[str]:
        self.flush()
        return sorted({path.parent.name for path in _files(self._folder, "seg")})

    def seal(self) -> None:
        with self._lock:
            self._full += self._open.items()
            self._open = {}
        self.flush()

    def verify(self) -> list[str]:
        with self._disk:
            return self._verify()

    def _verify(self) -> list[str]:
        return [wrong for path in sorted(_files(self._folder, "seal")) if (wrong := _wrong(path))]

    def close(self) -> None:
        if self._thread is None:
            return  # nothing was written
        self._closing.set()
        self._thread.join()
        self.seal()
        with suppress(OSError):  # then it goes on at a distance, as after a crash
            (self._folder / "closed").write_text(f"{self._position}\n")

    def flush(self) -> None:
        """Hand everything to the operating system. A disk that refuses costs nobody an error."""
        with self._disk:
            with self._lock:
                full, self._full = self._full, []
                current = [each for each in self._open.items() if each[1].buffer]
            sealed = bool(full)
            try:
                while full:
                    self._write(*full[0])
                    self._finish(*full[0])
                    full.pop(0)
                if sealed:
                    self._within_quota()
                for source, segment in current:
                    self._write(source, segment)
                self.trouble = ""
            except OSError as error:
                self.trouble = str(error)
                with self._lock:
                    self._full = full + self._full

    def sync(self) -> None:
        """Return once all that was appended before this call is on the disk, unless it was lost
        (`lost`). Who waits while another syncs is done with theirs, or with the next one. Raises
        `Unavailable`."""
        wanted = self._position
        with self._syncing:
            if self._synced >= wanted:
                return
            reached = self._position
            self.flush()
            if self.trouble:
                raise Unavailable(f"the tape in {self._folder} cannot be written: {self.trouble}")
            with self._disk:
                for source, segment in list(self._open.items()):
                    self._sync(source, segment)
            self._synced = reached

    def _sync(self, source: str, segment: _Open) -> None:
        if segment.file is None:
            return
        try:
            os.fdatasync(segment.file.fileno())
            if not segment.is_named:
                for folder in (self._folder / source, self._folder):
                    _sync_folder(folder)
                segment.is_named = True
        except OSError as error:
            # What the disk forgot stays forgotten: what follows must not stand behind a hole.
            with self._lock:
                if self._open.get(source) is segment:
                    self._full.append((source, self._open.pop(source)))
            raise Unavailable(
                f"the tape in {self._folder} cannot be synced: {error}; see the disk"
            ) from error

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_EVERY_S):
            self.flush()

    def _next(self, source: str, full: _Open | None, hour: int) -> _Open:
        if full is None:
            check_source(source)
        else:
            self._full.append((source, full))
        head = b"" if self._at_rest is None else new_head()
        segment = self._open[source] = _Open(self._position + 1, hour, head)
        return segment

    def _write(self, source: str, segment: _Open) -> None:
        with self._lock:
            buffer, segment.buffer = segment.buffer, bytearray()
        if not buffer:
            return
        stored: bytes | bytearray = buffer
        written, begun = 0, len(segment.to_begin)
        if self._at_rest is not None:
            counter = counter_of(segment.head)
            stored = segment.to_begin + self._at_rest.grow(counter, segment.wrote, buffer)
        try:
            if segment.file is None:
                path = _path(self._folder, source, segment.first)
                path.parent.mkdir(parents=True, exist_ok=True)
                segment.file = path.open("ab", buffering=0)
            while written < len(stored):
                written += segment.file.write(memoryview(stored)[written:]) or 0
        except OSError:
            with self._lock:  # for the next attempt, in front of what has come since
                segment.buffer = buffer[max(written - begun, 0) :] + segment.buffer
            raise
        finally:
            segment.digest.update(memoryview(stored)[:written])
            segment.to_begin = segment.to_begin[written:]
            segment.wrote += max(written - begun, 0)
            with self._lock:
                self._buffered -= max(written - begun, 0)

    def _finish(self, source: str, segment: _Open) -> None:
        if segment.file is None:
            return  # nothing was ever written
        os.fsync(segment.file.fileno())
        _write_seal(
            _path(self._folder, source, segment.first),
            Seal(
                source,
                segment.first,
                segment.last,
                segment.at,
                segment.frames,
                segment.size,
                segment.digest.hexdigest(),
            ),
        )
        segment.file.close()
        segment.file = None

    def _within_quota(self) -> None:
        """Delete the oldest sealed segments: over quota, or past their retention. The newest stays,
        so that the tape knows how far it came."""
        sizes = {path: path.stat().st_size for path in _files(self._folder, "seg")}
        over = sum(sizes.values()) - self._quota_bytes
        ordered = sorted(sizes, key=lambda each: each.stem)
        sealed = [(path, seal) for path in ordered if (seal := path.with_suffix(".seal")).exists()]
        newest_at = max((_read_seal(seal).newest_at for _, seal in sealed[-1:]), default=0)
        for path, seal in sealed:
            if path == ordered[-1]:
                return
            kept_for = newest_at - _read_seal(seal).newest_at if self._retention_ns else 0
            if over <= 0 and kept_for <= self._retention_ns:
                return
            seal.unlink()  # first: a segment without a seal is sealed again, never missed
            path.unlink()
            over -= sizes[path]

    def _known(self, path: Path) -> Seal | None:
        """The seal of a segment, or what it would be, without a checksum: up to its torn tail.
        None where a writer has just deleted both."""
        seal = path.with_suffix(".seal")
        frames, size, last, at = 0, 0, int(path.stem) - 1, 0
        try:
            if seal.exists():
                return _read_seal(seal)
            for frame, end in _frames(path, self._at_rest):
                frames, size, last, at = frames + 1, end, frame.position, frame.at
        except FileNotFoundError:
            return None
        return Seal(path.parent.name, int(path.stem), last, at, frames, size)

    def _reached(self, lasts: list[int]) -> int:
        """The position to go on from."""
        last = max(lasts, default=0)
        closed = self._folder / "closed"
        if closed.exists() and (text := closed.read_text().strip()).isdecimal():
            return max(last, int(text))
        return last + SKIPPED if last else 0

    def _start(self, source: str) -> None:
        """From here on it is written: what a crash left unsealed is cut to whole frames, sealed."""
        check_source(source)
        with self._disk:
            if self._thread is not None:
                return
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / "closed").unlink(missing_ok=True)
                for seal in self._unsealed:
                    self._recover(seal)
                self._unsealed = []
                self._within_quota()
            except OSError as error:
                self.trouble = str(error)  # the segments stay as they are; so does the promise
            self._thread = Thread(target=self._run, name="tape", daemon=True)
            self._thread.start()

    def _recover(self, seal: Seal) -> None:
        path = _path(self._folder, seal.source, seal.first)
        if not seal.frames:
            path.unlink()
            return
        with path.open("r+b") as file:
            file.truncate(seal.size)
            os.fsync(file.fileno())
        _write_seal(path, msgspec.structs.replace(seal, sha256=_sha256(path)))

    def _source_frames(self, folder: Path, after: int) -> Iterator[Frame]:
        paths = sorted(folder.glob("*.seg"))
        for nth, path in enumerate(paths):
            if nth + 1 < len(paths) and int(paths[nth + 1].stem) <= after + 1:
                continue  # the next one starts early enough
            try:
                frames = _frames(path, self._at_rest)
                yield from (frame for frame, _ in frames if frame.position > after)
            except FileNotFoundError:
                continue  # deleted for the quota since we looked


def _path(folder: Path, source: str, first: int) -> Path:
    return folder / source / f"{first:020}.seg"


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _files(folder: Path, suffix: str) -> list[Path]:
    return list(folder.glob(f"*/*.{suffix}"))


def frames_of(source: str, file: BinaryIO) -> Iterator[Frame]:
    """Frames of a segment from where `file` stands; it is left behind the last that is whole."""
    while True:
        offset = file.tell()
        head = file.read(_HEAD.size)
        if len(head) == _HEAD.size:
            crc, length, position, at = _HEAD.unpack(head)
            raw = file.read(length) if length <= RAW_MAX else b""
            if len(raw) == length and crc32(raw, crc32(head[4:])) == crc:
                yield Frame(position, source, Instant(at), raw)
                continue
        file.seek(offset)
        return


def is_behind(segment: Path, position: int) -> bool:
    """Whether a segment begins at or before what follows `position`."""
    return int(segment.stem) <= position + 1


def _frames(path: Path, at_rest: AtRest | None) -> Iterator[tuple[Frame, int]]:
    """Frames of a segment with the offset behind each, up to the first that is not whole."""
    source = path.parent.name
    with reading(path, at_rest) as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            crc, length, position, at = _HEAD.unpack(head)
            raw = file.read(length) if length <= RAW_MAX else b""
            if len(raw) < length or crc32(raw, crc32(head[4:])) != crc:
                return
            yield Frame(position, source, Instant(at), raw), file.tell()


def _position(frame: Frame) -> int:
    return frame.position


def _sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _write_seal(segment: Path, seal: Seal) -> None:
    """All of it or nothing: a seal is written beside and moved into place."""
    beside = segment.with_suffix(".sealing")
    with beside.open("wb") as file:
        file.write(msgspec.json.encode(seal) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(segment.with_suffix(".seal"))


def _read_seal(path: Path) -> Seal:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Seal)
    except msgspec.MsgspecError as error:
        raise Corrupt(f"{path} is no seal: {error}") from error


def _wrong(seal_path: Path) -> str:
    """What is wrong with the segment of this seal; empty where nothing is."""
    path = seal_path.with_suffix(".seg")
    try:
        seal, size = _read_seal(seal_path), path.stat().st_size
        if size != seal.size:
            return f"{path} has {size} bytes, its seal says {seal.size}"
        same = _sha256(path) == seal.sha256
    except FileNotFoundError:  # unless both went, for the quota
        return f"{path} is missing" if seal_path.exists() else ""
    return "" if same else f"{path} does not match the SHA-256 of its seal"
