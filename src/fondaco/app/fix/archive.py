"""Messages that are too old for the index: moved into compressed files, each with its checksum.

    archive/fix/manifest.json                     which files there are, and what is in them
    archive/fix/admin-1-4711.log.gz               heartbeats and test requests
    archive/fix/rest-2-4712.log.gz                everything else

A file is a log that `fondaco fix search` and `fondaco fix audit` read. It is whole, and in the
manifest, before the index lets its messages go; the tape has them all the same.
"""

import gzip
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import msgspec

from fondaco.domain.fix.store.messages import Kept, Span, forget_these, oldest, span_of
from fondaco.ports.at_rest import AtRest, sealed
from fondaco.ports.store import Store
from fondaco.settings import Settings

DAY_NS: Final = 86_400_000_000_000
AT_ONCE: Final = 5_000  # messages of a file
Class = Literal["admin", "rest"]
CLASSES: Final[tuple[Class, ...]] = ("admin", "rest")


class Archive(msgspec.Struct, frozen=True):
    """One file. Ids are those of messages; times are nanoseconds since 1970."""

    file: str
    kind: Class
    first: int
    last: int
    first_at: int
    last_at: int
    messages: int
    octets: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """The files that are there, oldest first; `through`: up to which id a class is archived, which
    stays when a file is deleted for its age; `gone` counts the messages of those."""

    files: tuple[Archive, ...] = ()
    through: dict[str, int] = {}
    gone: int = 0

    @property
    def messages(self) -> int:
        return sum(each.messages for each in self.files)


class Retention(msgspec.Struct, frozen=True):
    """How many days each class is searched in the index, and files are kept."""

    admin_days: int
    rest_days: int
    archive_days: int

    def days(self, kind: Class) -> int:
        return self.admin_days if kind == "admin" else self.rest_days


def retention_of(settings: Settings) -> Retention:
    return Retention(
        settings.retention_fix_admin_days,
        settings.retention_fix_days,
        settings.retention_fix_archive_days,
    )


class Archiving:
    """Moves what is too old. Belongs to the one who writes the index."""

    def __init__(
        self, folder: Path, store: Store, retention: Retention, at_rest: AtRest | None = None
    ) -> None:
        self._at_rest = at_rest
        self._folder, self._store, self._retention = folder, store, retention

    def step(self, now: int) -> bool:
        """Archive a file's worth of each class; whether there may be more."""
        more = False
        for kind in CLASSES:
            until = now - self._retention.days(kind) * DAY_NS
            more = self._archive(kind, until) or more
        self._let_go(now - self._retention.archive_days * DAY_NS)
        return more

    def _archive(self, kind: Class, until: int) -> bool:
        known = manifest(self._folder)
        span, through = span_of(), known.through.get(kind, -1)
        with self._store.reading() as conn:
            # What an index that was filled anew has again, and what a death left undone.
            again = oldest(conn, Span(span.above, through + 1), kind == "admin", AT_ONCE)
            found = again or oldest(
                conn, Span(max(span.above, through), span.below), kind == "admin", AT_ONCE
            )
        if not again:
            young = next((n for n, each in enumerate(found) if each.at >= until), len(found))
            found = found[:young]
            if found:
                self._write(kind, found, known)
        if found:
            with self._store.writing() as conn:
                forget_these(conn, found)
        return len(found) == AT_ONCE

    def _write(self, kind: Class, found: Sequence[Kept], known: Manifest) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        first, last = found[0], found[-1]
        path = self._folder / f"{kind}-{first.id}-{last.id}.log.gz"
        content = gzip.compress(b"".join(map(_line, found)), mtime=0)
        content = sealed(self._at_rest, content, path.name.encode())
        _leave(path, content)
        told = Archive(
            path.name,
            kind,
            first.id,
            last.id,
            min(each.at for each in found),
            max(each.at for each in found),
            len(found),
            len(content),
            sha256(content).hexdigest(),
        )
        self._note(
            msgspec.structs.replace(
                known, files=(*known.files, told), through={**known.through, kind: last.id}
            )
        )

    def _let_go(self, until: int) -> None:
        """Files that are too old."""
        known = manifest(self._folder)
        old = [each for each in known.files if each.last_at < until]
        if old:
            left = tuple(each for each in known.files if each.last_at >= until)
            gone = known.gone + sum(each.messages for each in old)
            self._note(msgspec.structs.replace(known, files=left, gone=gone))
            for each in old:
                (self._folder / each.file).unlink(missing_ok=True)

    def _note(self, known: Manifest) -> None:
        _leave(self._folder / "manifest.json", msgspec.json.encode(known))


def manifest(folder: Path) -> Manifest:
    """What was archived; nothing where nothing was."""
    try:
        return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest()


def wrong(folder: Path) -> list[str]:
    """Which files do not match their checksums."""
    found = []
    for each in manifest(folder).files:
        path = folder / each.file
        if not path.exists():
            found.append(f"{path} is missing")
        elif sha256(path.read_bytes()).hexdigest() != each.sha256:
            found.append(f"{path} does not match its SHA-256 in the manifest")
    return found


def _line(kept: Kept) -> bytes:
    at = datetime.fromtimestamp(kept.at // 10**9, UTC).strftime("%Y%m%d-%H:%M:%S")
    head = f"{at}.{kept.at % 10**9:09} {kept.direction} "
    return head.encode() + kept.raw + b"\n"


def _leave(path: Path, content: bytes) -> None:
    """All of it or nothing, and on the disk."""
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
