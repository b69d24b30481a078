"""What the sandbox keeps: its objects, what it has answered to which key, what it has to tell.

One SQLite file, written through at each step: a provider forgets nothing when we are killed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Final, NamedTuple

import msgspec

_encode: Final = msgspec.json.Encoder(order="sorted").encode
_decode: Final = msgspec.json.decode
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS objects (id TEXT PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, asked BLOB NOT NULL, answer BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS moves (
  number INTEGER PRIMARY KEY, reference TEXT, kind TEXT, amount INTEGER, currency TEXT,
  at_s INTEGER, purchase_id TEXT);
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY, id TEXT, body BLOB, due_s REAL, attempts INTEGER, state TEXT);
CREATE INDEX IF NOT EXISTS events_due ON events (state, due_s);
CREATE TABLE IF NOT EXISTS secrets (secret TEXT);
"""


class Due(NamedTuple):
    number: int
    id: str
    body: bytes
    attempts: int


class Books:
    """Safe to call from any thread. `change` is one transaction."""

    def __init__(self, path: Path | str) -> None:
        self._lock = RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_TABLES)

    @contextmanager
    def change(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def put(self, kind: str, body: dict[str, Any]) -> None:
        self._write(
            "INSERT OR REPLACE INTO objects VALUES (?,?,?)", body["id"], kind, _encode(body)
        )

    def get(self, name: str) -> dict[str, Any] | None:
        found = self._one("SELECT body FROM objects WHERE id = ?", name)
        return None if found is None else _decode(found[0])

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [_decode(row[0]) for row in self._all("SELECT body FROM objects WHERE kind=?", kind)]

    def answered(self, key: str, asked: Any) -> tuple[bool, Any]:
        """Whether it was asked with this content, and the answer. None: never under this key."""
        found = self._one("SELECT asked, answer FROM keys WHERE key = ?", key)
        if found is None:
            return True, None
        return found[0] == _encode(asked), _decode(found[1])

    def answer(self, key: str, asked: Any, answer: Any) -> None:
        self._write("INSERT INTO keys VALUES (?,?,?)", key, _encode(asked), _encode(answer))

    def move(
        self, reference: str, kind: str, amount: int, currency: str, at_s: int, purchase_id: str
    ) -> None:
        text = "INSERT INTO moves VALUES (NULL,?,?,?,?,?,?)"
        self._write(text, reference, kind, amount, currency, at_s, purchase_id)

    def moves(self, since_s: int, until_s: int) -> list[tuple[Any, ...]]:
        return self._all(
            "SELECT reference,kind,amount,currency,at_s,purchase_id FROM moves"
            " WHERE at_s >= ? AND at_s < ? ORDER BY number",
            since_s,
            until_s,
        )

    def tell(self, event: dict[str, Any], due_s: float) -> None:
        self._write(
            "INSERT INTO events (id,body,due_s,attempts,state) VALUES (?,?,?,0,'waiting')",
            event["id"],
            _encode(event),
            due_s,
        )

    def due(self, now_s: float, limit: int = 100) -> list[Due]:
        rows = self._all(
            "SELECT number,id,body,attempts FROM events WHERE state='waiting' AND due_s <= ?"
            " ORDER BY due_s, number LIMIT ?",
            now_s,
            limit,
        )
        return [Due(*row) for row in rows]

    def next_due_s(self) -> float | None:
        found = self._one("SELECT MIN(due_s) FROM events WHERE state='waiting'")
        return None if found is None else found[0]

    def settle(self, number: int, state: str, attempts: int, due_s: float) -> None:
        text = "UPDATE events SET state=?, attempts=?, due_s=? WHERE number=?"
        self._write(text, state, attempts, due_s, number)

    def secrets(self) -> list[str]:
        """What signs its messages, the newest first."""
        return [row[0] for row in self._all("SELECT secret FROM secrets ORDER BY rowid DESC")]

    def add_secret(self, secret: str) -> None:
        self._write("INSERT INTO secrets VALUES (?)", secret)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _write(self, text: str, *values: Any) -> None:
        with self._lock:
            self._db.execute(text, values)

    def _one(self, text: str, *values: Any) -> Any:
        with self._lock:
            return self._db.execute(text, values).fetchone()

    def _all(self, text: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(text, values).fetchall()
