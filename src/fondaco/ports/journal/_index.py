"""Where each stream's frames are: a disposable SQLite file, and a list of what it lacks.

Wrong answers would be worse than none: the file says which frame it reaches, with that frame's
checksum, and one that does not fit the journal beside it is as good as no file at all.
"""

import fcntl
import os
import sqlite3
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Final

from fondaco.kernel.codec import Codec
from fondaco.kernel.errors import Corrupt
from fondaco.kernel.event import StreamId
from fondaco.ports.journal._chain import Chain, End
from fondaco.ports.journal._disk import unavailable
from fondaco.ports.journal._frames import Frame, place, segment_of

_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;  -- after a power cut it reaches less far, and is still right
BEGIN;
CREATE TABLE IF NOT EXISTS stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS frame (
    stream  INTEGER NOT NULL,
    version INTEGER NOT NULL,  -- the stream's last one in this frame
    place   INTEGER NOT NULL,
    PRIMARY KEY (stream, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reach (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    last INTEGER NOT NULL,  -- place of the last frame it knows
    stop INTEGER NOT NULL,  -- and right behind it
    crc  INTEGER NOT NULL   -- of that frame
) STRICT;
INSERT OR IGNORE INTO reach VALUES (1, 0, 0, 0);
COMMIT;
"""
_REACH: Final = "SELECT last, stop, crc FROM reach"
_ID: Final = "SELECT id FROM stream WHERE name = ?"
_PLACES: Final = (
    f"SELECT place FROM frame WHERE stream = ({_ID}) AND version > ? AND place < ? "  # noqa: S608
    "ORDER BY version LIMIT ?"
)
_VERSION: Final = (
    f"SELECT version FROM frame WHERE stream = ({_ID}) AND place < ? "  # noqa: S608
    "ORDER BY version DESC LIMIT 1"
)
# Locked, or no space: there will be another time. All else is a file that cannot be used.
_PASSING: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL)
_TAIL_FRAMES_MAX: Final = 50_000


class Index:
    """Answers with nothing whenever the file is missing, locked, damaged or of another journal."""

    def __init__(self, folder: Path, name_of: Callable[[str], str]) -> None:
        """`name_of`: what the file calls a stream, so that it tells nobody their names."""
        self._name_of = name_of
        self._folder = folder / "index"
        self._lock_path = folder / "index.lock"
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._path: Path | None = None  # of the file behind `_connection`
        self._fitting = (0, 0, 0)  # the last reach that was found to fit the journal

    def places(
        self,
        stream: StreamId,
        after_version: int,
        chain: Chain,
        now: Callable[[], End],
        limit: int = -1,
    ) -> "tuple[int, array[int]]":
        """The place up to which every frame is indexed (0: none is), and the places of the first
        `limit` (below zero: all) before it that hold what comes after `after_version`."""
        with self._lock:
            try:
                if connection := self._reaching(chain, now):
                    asked = (self._name_of(stream), after_version, self._fitting[1], limit)
                    rows = connection.execute(_PLACES, asked)
                    return self._fitting[1], array("Q", (row[0] for row in rows))
            except sqlite3.Error:
                pass  # the journal itself knows
            return 0, array("Q")

    def version(self, stream: StreamId, chain: Chain, now: Callable[[], End]) -> tuple[int, int]:
        """The place up to which every frame is indexed, and the stream's last version there."""
        with self._lock:
            try:
                if connection := self._reaching(chain, now):
                    row = connection.execute(
                        _VERSION, (self._name_of(stream), self._fitting[1])
                    ).fetchone()
                    return self._fitting[1], row[0] if row else 0
            except sqlite3.Error:
                pass
            return 0, 0

    def fill(self, chain: Chain, now: Callable[[], End], codec: Codec, limit_frames: int) -> bool:
        """Index up to `limit_frames` more; False when there are none, or somebody else is at it."""
        with _held(self._lock_path) as held:
            if not held:
                return False
            with self._lock:
                try:
                    connection = self._reaching(chain, now) or self._begin_anew()
                    frames = chain.frames(self._fitting[1], now())
                    return _fill(connection, islice(frames, limit_frames), codec, self._name_of)
                except sqlite3.Error as error:
                    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING:
                        return False
                    self._begin_anew()
                    return True
                except OSError as error:
                    raise unavailable("write to", self._folder, error) from error

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def _reaching(self, chain: Chain, now: Callable[[], End]) -> sqlite3.Connection | None:
        """A connection to an index of this very journal; `_fitting` says how far it reaches.

        The journal's end is asked for after that: an end that is older would not fit.
        """
        connection = self._current()
        row = connection.execute(_REACH).fetchone() if connection else None
        if row is None or (row != self._fitting and not _fits(row, chain, now())):
            self._fitting = (0, 0, 0)
            return None
        self._fitting = row
        return connection

    def _current(self) -> sqlite3.Connection | None:
        """A connection to the file that is there now: another may have been deleted meanwhile."""
        if self._path is None or not self._path.exists():
            self._disconnect()
            path = next(self._folder.glob("*.db"), None)
            if path is not None:
                self._connection = _connected(path)
                self._path = path
        return self._connection

    def _begin_anew(self) -> sqlite3.Connection:
        """A new file, with a name that none ever had.

        Who still has a deleted one open takes that one's log away by name when closing it.
        """
        self._disconnect()
        self._folder.mkdir(exist_ok=True)
        for path in self._folder.iterdir():
            path.unlink(missing_ok=True)
        path = self._folder / f"{os.urandom(8).hex()}.db"
        unfinished = path.with_suffix(".new")
        made = sqlite3.connect(unfinished, isolation_level=None)
        try:
            made.executescript(_SCHEMA)
        finally:
            made.close()
        unfinished.rename(path)
        self._connection, self._path = _connected(path), path
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._path = None
        self._fitting = (0, 0, 0)


class Tail:
    """Where each stream has frames that the index does not reach yet, and its last version."""

    def __init__(self, start: int) -> None:
        self.start = self.stop = start
        self.frames = 0
        self.places: dict[StreamId, array[int]] = {}
        self.versions: dict[StreamId, int] = {}

    def serves(self, reach: int) -> bool:
        """Whether this and an index that reaches so far hold every frame between them."""
        if self.frames > _TAIL_FRAMES_MAX and reach > self.start:
            return False  # it does, but a new one would be shorter
        return self.start <= reach <= self.stop

    def extend(self, chain: Chain, end: End, codec: Codec) -> None:
        for where, frame in chain.frames(self.stop, end):
            for stream, version in last_versions(codec, frame.payload).items():
                self.places.setdefault(stream, array("Q")).append(where)
                self.versions[stream] = version
            self.frames += 1
            self.stop = place(segment_of(where), frame.end)


def last_versions(codec: Codec, payload: memoryview) -> dict[StreamId, int]:
    """Each stream in the frame, and its version after it."""
    return {r.stream: r.expected_version + r.count for r in codec.records(payload)}


def _connected(path: Path) -> sqlite3.Connection:
    """To a file that is there: none is made."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=5,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _fits(row: tuple[int, int, int], chain: Chain, end: End) -> bool:
    last, stop, crc = row
    if not stop:
        return True  # it claims nothing
    if not 0 < last <= end.last:
        return False
    try:
        frame = chain.frame(last)
    except (Corrupt, KeyError):
        return False
    return frame.crc == crc and place(segment_of(last), frame.end) == stop


def _fill(
    connection: sqlite3.Connection,
    frames: Iterator[tuple[int, Frame]],
    codec: Codec,
    name_of: Callable[[str], str],
) -> bool:
    last = (0, 0, 0)
    connection.execute("BEGIN IMMEDIATE")
    try:
        ids: dict[StreamId, int] = {}
        rows: list[tuple[int, int, int]] = []
        for where, frame in frames:
            for stream, version in last_versions(codec, frame.payload).items():
                number = ids.get(stream)
                if number is None:
                    number = ids[stream] = _number(connection, name_of(stream))
                rows.append((number, version, where))
            last = where, place(segment_of(where), frame.end), frame.crc
        # In the order of the key, so that a stream's rows land on one page together.
        connection.executemany("INSERT INTO frame VALUES (?, ?, ?)", sorted(rows))
        if last[0]:
            connection.execute("INSERT OR REPLACE INTO reach VALUES (1, ?, ?, ?)", last)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return last[0] > 0


def _number(connection: sqlite3.Connection, name: str) -> int:
    """By which the file knows a stream; a new one where it is new."""
    connection.execute("INSERT OR IGNORE INTO stream (name) VALUES (?)", (name,))
    number: int = connection.execute(_ID, (name,)).fetchone()[0]
    return number


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Whether we are the only one who holds this lock, at once and not later."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unavailable("write to", path, error) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = True
        except BlockingIOError:
            held = False
        yield held
    finally:
        os.close(file)
