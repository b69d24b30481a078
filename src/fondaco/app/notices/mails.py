"""Mails that the house sends of itself, such as a code to somebody who registers."""

import os
import time
from pathlib import Path
from typing import Any

from fondaco.app.at_rest import open_sqlite
from fondaco.app.files import Files
from fondaco.app.notices.carriers import FOLDER, has_server
from fondaco.app.notices.engine import DIRECT, Direct
from fondaco.app.notices.known import sealed_text
from fondaco.app.secrets import SubjectSealing
from fondaco.domain.notify.notices import store
from fondaco.kernel.event import Instant
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.settings import Settings


class HouseMail:
    """Queued where there is a mail server; else a file, which whatever sends mail here takes away,
    and a line in the log that says so. What it said lies sealed in the queue until it was carried,
    and nowhere afterwards."""

    def __init__(self, files: Files, settings: Settings, sealing: SubjectSealing) -> None:
        self._files, self._settings, self._sealing = files, settings, sealing
        self._queue: SqliteStore | None = None

    def send(self, to: str, subject: str, text: str) -> None:
        now = Instant(time.time_ns())
        row: dict[str, Any] = {
            "notice_id": f"ntc_{os.urandom(14).hex()}", "tenant": "", "user": "", "kind": DIRECT,
            "topic": "security", "way": "email", "queued_at": now, "due_at": now,
        }  # fmt: skip
        if has_server(self._settings):
            row["sealed"] = sealed_text(self._sealing, Direct(to, subject, text))
        else:
            name = self._kept(now, to, subject, text)
            detail = f"no mail server configured: {FOLDER}/{name}"
            row |= {"state": "kept", "detail": detail, "finished_at": now, "attempts": 1}
        with self._opened().writing() as conn:
            store.queue(conn, [row])

    def _kept(self, now: Instant, to: str, subject: str, text: str) -> str:
        folder: Path = self._files.root / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{now}-{os.urandom(4).hex()}.eml"
        content = (
            f"To: {to}\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        )
        part = folder / f".{name}"
        part.write_text(content, "utf-8")
        part.rename(folder / name)
        return name

    def _opened(self) -> SqliteStore:
        if self._queue is None:
            self._queue = open_sqlite(self._files, self._files.notices)
            self._queue.create(store.queue_metadata)
        return self._queue

    def close(self) -> None:
        if self._queue is not None:
            self._queue.close()
