"""Idempotency-Key: the same request under the same key gets the first answer again.

What is kept is the status and the body, for a day at least, also of a 500. Not kept is whatever the
same request may find otherwise later: what was malformed or not allowed, what failed because
somebody else was faster, and what is retryable. A crash between a decision and its keeping does no
harm: the command's own id is made of the key, so the stream answers the retry from its entries.

Of an operation with a secret in its request or reply only that it succeeded is kept: neither the
reply, which may be a token, nor a fingerprint, by which a password could be guessed. The same key
is then told that it was done.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from fondaco.kernel.errors import Conflict, FondacoError, Invalid
from fondaco.kernel.event import Instant

KEY_MAX: Final = 255
WITHHELD: Final = "0" * 16  # in place of a fingerprint
_NEVER_KEPT: Final = frozenset({"invalid", "denied", "conflict"})


class Kept(msgspec.Struct, frozen=True, gc=False):
    content: str  # fingerprint of the request that was answered
    status: int
    media_type: str
    body: bytes


class Replies(Protocol):
    """Where answers are kept. Called on the gateway's threads; safe from several at a time."""

    def get(self, key: str) -> Kept | None: ...

    def put(self, key: str, reply: Kept, at: Instant) -> None: ...

    def forget(self, before: Instant) -> int:
        """Drop what is older; how many."""
        ...

    def forget_texts(self, texts: Sequence[bytes]) -> int:
        """Drop the answers in which one of these stands; how many."""
        ...


class MemoryReplies:
    """For tests, and for a house that may forget them when it ends."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Instant, Kept]] = {}

    def get(self, key: str) -> Kept | None:
        found = self._kept.get(key)
        return found[1] if found else None

    def put(self, key: str, reply: Kept, at: Instant) -> None:
        self._kept.setdefault(key, (at, reply))

    def forget_texts(self, texts: Sequence[bytes]) -> int:
        gone = [key for key, (_, kept) in self._kept.items() if any(t in kept.body for t in texts)]
        for key in gone:
            del self._kept[key]
        return len(gone)

    def forget(self, before: Instant) -> int:
        old = [key for key, (at, _) in self._kept.items() if at < before]
        for key in old:
            del self._kept[key]
        return len(old)


def key_of(header: bytes) -> str:
    """Raises `Invalid` for a key that is too long or cannot be printed."""
    key = header.decode("latin-1")
    if not 0 < len(key) <= KEY_MAX or not (key.isascii() and key.isprintable()):
        raise Invalid(
            f"Idempotency-Key has {len(key)} characters, must be 1 to {KEY_MAX} printable ASCII"
        )
    return key


def replayed(kept: Kept, content: str) -> Kept:
    """What was kept, if it answers this request."""
    if content == WITHHELD:
        raise Conflict(
            "the first request with this Idempotency-Key has succeeded, and its answer was not "
            "kept because it may hold a secret: if it never reached you, revoke what it made and "
            "ask again with another key",
            code="reply_not_kept",
        )
    if kept.content != content:
        raise Conflict(
            "this Idempotency-Key was used before, with other content; use another key",
            code="idempotency_key_reused",
        )
    return kept


def is_kept(error: FondacoError) -> bool:
    return not (error.retryable or error.kind in _NEVER_KEPT)
