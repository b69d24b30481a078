"""Uploads on the disk: one folder each, with the file as it came and what was found in it.

captures/1/content/session.log     as it was uploaded
captures/1/upload.json             by whom and when, and its checksum once it is whole
captures/1/state.json              how far it was read
captures/1/report.json, .html      the audit
"""

import fcntl
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Final

import msgspec

from fondaco.domain.fix.store.messages import followed
from fondaco.domain.fix.uploading import AppendCapture, CaptureLine, CaptureReply, State
from fondaco.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from fondaco.ports.store import Store

NUMBERS_MAX: Final = 999_999
TRIED_MAX: Final = 3
_NOTHING: Final = msgspec.Raw(b"null")


class Upload(msgspec.Struct, frozen=True):
    name: str
    file: str  # as it is called here
    at: str
    by: str
    sha256: str = ""  # once it is whole


class Progress(msgspec.Struct, frozen=True):
    """How far a capture was read. `tried`: how often that was begun."""

    state: State
    progress: float = 0.0
    messages: int = 0
    alerts: int = 0
    trouble: str = ""
    tried: int = 0


class CaptureFolder:
    """The uploads of a house. Safe to use from any thread."""

    def __init__(self, folder: Path, *, octets_max: int = 2**62, quota: int = 2**62) -> None:
        self._folder, self._max, self._quota = folder, octets_max, quota
        self._writing = Lock()

    def begin(self, name: str, content: bytes, by: str, at: str, *, more: bool) -> int:
        """Keep a new upload, or its first piece, and number it."""
        with self._writing:
            self._admit(len(content), len(content))
            number = max(self.numbers(), default=0) + 1
            if number > NUMBERS_MAX:
                raise Unavailable("there are too many captures; remove their folders")
            file = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[-100:].strip("._-") or "capture"
            place = self._folder / str(number)
            (place / "content").mkdir(parents=True)
            (place / "content" / file).write_bytes(content)
            self._leave(number, "upload", Upload(name, file, at, by))
            if not more:
                self._whole(number)
            return number

    def append(self, number: int, asked: AppendCapture) -> None:
        """Raises `Conflict` for a piece that does not follow what is there."""
        with self._writing:
            upload = self.upload(number)
            path = self.file(number)
            has = path.stat().st_size
            is_again = asked.offset + len(asked.content) == has
            if is_again and path.read_bytes()[asked.offset :] == asked.content:
                if not upload.sha256 and not asked.more:
                    self._whole(number)
                return
            if upload.sha256 or asked.offset != has:
                said = "is whole" if upload.sha256 else f"has {has} bytes"
                raise Conflict(
                    f"capture {number} {said}, the piece begins at {asked.offset}: "
                    "send what follows, or upload the file anew"
                )
            self._admit(has + len(asked.content), len(asked.content))
            with path.open("ab") as file:
                file.write(asked.content)
            if not asked.more:
                self._whole(number)

    def numbers(self) -> list[int]:
        """Of all captures, ascending."""
        places = self._folder.glob("*/upload.json") if self._folder.is_dir() else ()
        return sorted(int(each.parent.name) for each in places if each.parent.name.isdecimal())

    def upload(self, number: int) -> Upload:
        try:
            content = (self._place(number) / "upload.json").read_bytes()
            return msgspec.json.decode(content, type=Upload)
        except FileNotFoundError:
            raise NotFound(f"there is no capture {number}; GET /fix/captures lists them") from None

    def file(self, number: int) -> Path:
        return self._place(number) / "content" / self.upload(number).file

    def progress(self, number: int) -> Progress:
        try:
            place = self._place(number) / "state.json"
            return msgspec.json.decode(place.read_bytes(), type=Progress)
        except FileNotFoundError:
            return Progress("waiting" if self.upload(number).sha256 else "uploading")

    def note(self, number: int, progress: Progress) -> None:
        self._leave(number, "state", progress)

    def keep(self, number: int, report: str, page: str) -> None:
        """What the audit found."""
        (self._place(number) / "report.json").write_text(report, "utf-8")
        (self._place(number) / "report.html").write_text(page, "utf-8")

    def lines(self) -> Sequence[CaptureLine]:
        return [self.line(number) for number in reversed(self.numbers())]

    def line(self, number: int) -> CaptureLine:
        return CaptureLine(**self._shown(number))

    def reply(self, number: int) -> CaptureReply:
        report = self._place(number) / "report.json"
        is_read = self.progress(number).state == "read"
        found = msgspec.Raw(report.read_bytes()) if is_read else _NOTHING
        return CaptureReply(**self._shown(number), report=found)

    def page(self, number: int) -> str:
        if self.progress(number).state != "read":
            raise NotFound(f"capture {number} is not read yet; its `progress` says how far it is")
        return (self._place(number) / "report.html").read_text("utf-8")

    @contextmanager
    def reading(self) -> Iterator[bool]:
        """Only one process reads captures: whether it is this one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True

    def _admit(self, octets: int, more: int) -> None:
        if octets > self._max:
            raise Invalid(
                f"the capture has {octets} bytes, may have {self._max}: cut it, or raise "
                "fix_capture_max_bytes",
                code="too_large",
            )
        files = self._folder.glob("*/content/*") if self._folder.is_dir() else ()
        kept = sum(each.stat().st_size for each in files)
        if kept + more > self._quota:
            raise Unavailable(
                f"captures have {kept} bytes, may have {self._quota}: remove folders from "
                f"{self._folder}, or raise fix_captures_quota_bytes"
            )

    def _whole(self, number: int) -> None:
        digest = sha256()
        with self.file(number).open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        known = self.upload(number)
        self._leave(number, "upload", msgspec.structs.replace(known, sha256=digest.hexdigest()))

    def _shown(self, number: int) -> dict[str, Any]:
        upload, progress = self.upload(number), self.progress(number)
        return {
            "id": str(number),
            "name": upload.name,
            "octets": self.file(number).stat().st_size,
            "sha256": upload.sha256,
            "at": upload.at,
            "by": upload.by,
            "state": progress.state,
            "progress": round(progress.progress, 3),
            "messages": progress.messages,
            "alerts": progress.alerts,
            "trouble": progress.trouble,
        }

    def _place(self, number: int) -> Path:
        return self._folder / str(number)

    def _leave(self, number: int, what: str, value: msgspec.Struct) -> None:
        path = self._place(number) / f"{what}.json"
        partial = path.with_suffix(".part")
        partial.write_bytes(msgspec.json.encode(value))
        partial.replace(path)


def source_of(number: int) -> str:
    """Under which name it is noted that a capture's messages are kept."""
    return f"capture/{number}"


def waiting(captures: CaptureFolder, store: Store) -> list[int]:
    """Captures that are whole and not read; one whose messages went with the index is read anew."""
    with store.reading() as conn:
        known = followed(conn)
    found = []
    for number in captures.numbers():
        state = captures.progress(number).state
        is_lost = state == "read" and source_of(number) not in known
        if state in ("waiting", "reading") or is_lost:
            found.append(number)
    return found
