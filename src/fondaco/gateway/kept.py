"""Answers kept under their Idempotency-Key, as rows of the records' store.

The statements are written out, since the gateway knows no SQL library. Whatever somebody else chose
goes into them as hexadecimal digits, so that nothing needs quoting in any dialect.
"""

from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from threading import Lock
from typing import Final

from fondaco.gateway.idempotency import Kept
from fondaco.kernel.errors import Conflict
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS gateway_replies (name CHAR(64) PRIMARY KEY,"
    " content VARCHAR(64) NOT NULL, status INTEGER NOT NULL, media_type VARCHAR(200) NOT NULL,"
    " body TEXT NOT NULL, kept_at BIGINT NOT NULL)"
)
_BY_TIME: Final = "CREATE INDEX IF NOT EXISTS gateway_replies_kept_at ON gateway_replies (kept_at)"

_SELECT: Final = "SELECT content, status, media_type, body FROM gateway_replies WHERE name = '%s'"
_INSERT: Final = (
    "INSERT INTO gateway_replies (name, content, status, media_type, body, kept_at)"
    " VALUES ('%s', '%016x', %d, '%s', '%s', %d)"
)
_DELETE_TEXT: Final = "DELETE FROM gateway_replies WHERE replace(body, '%s', '') <> body"
_OLDEST: Final = "SELECT MIN(kept_at) FROM gateway_replies"
_DELETE: Final = "DELETE FROM gateway_replies WHERE kept_at < %d"


class StoreReplies:
    """Safe to use from several threads, as the store is."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.writing() as conn:
            conn.exec_driver_sql(_TABLE)
            conn.exec_driver_sql(_BY_TIME)
        self._noting = Lock()
        self.oldest = self._look()  # when what is kept for longest was kept, or earlier; None: none

    def _look(self) -> Instant | None:
        with self._store.reading() as conn:
            found = conn.exec_driver_sql(_OLDEST).scalar()
        return None if found is None else Instant(found)

    def get(self, key: str) -> Kept | None:
        with self._store.reading() as conn:
            rows = conn.exec_driver_sql(_SELECT % _name(key))
            for content, status, media_type, body in rows:
                kind = bytes.fromhex(media_type).decode()
                return Kept(content, status, kind, bytes.fromhex(body))
        return None

    def put(self, key: str, reply: Kept, at: Instant) -> None:
        """The first answer stays."""
        with suppress(Conflict), self._store.writing() as conn:
            conn.exec_driver_sql(
                _INSERT
                % (
                    _name(key),
                    int(reply.content, 16),
                    reply.status,
                    reply.media_type.encode().hex(),
                    reply.body.hex(),
                    at,
                )
            )
        with self._noting:
            self.oldest = at if self.oldest is None else min(self.oldest, at)

    def forget_texts(self, texts: Sequence[bytes]) -> int:
        gone = 0
        with self._store.writing() as conn:
            for text in texts:
                gone += int(conn.exec_driver_sql(_DELETE_TEXT % text.hex()).rowcount)
        return gone

    def forget(self, before: Instant) -> int:
        with self._store.writing() as conn:
            gone = int(conn.exec_driver_sql(_DELETE % before).rowcount)
        with self._noting:
            self.oldest = self._look()
        return gone


def _name(key: str) -> str:
    return blake2b(key.encode(), digest_size=32).hexdigest()
