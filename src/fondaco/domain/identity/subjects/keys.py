"""A data key for each subject: sealed with it, what is kept of somebody is forgotten with it.

A subject is a path: "person/acme/ada", "tenant/acme", "house/journal". What is sealed names its
key, so a key that was destroyed is told from one that never was.

    sealed = mark (4 bytes) | key id (16 characters) | nonce (12) | AES-256-GCM of the text
"""

import os
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from hmac import digest
from threading import RLock
from typing import Final, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fondaco.domain.identity.subjects import store
from fondaco.kernel.errors import Corrupt, NotFound, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store

MARK: Final = b"\xffS1:"
ID_BYTES: Final = 8
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
KNOWN_MAX: Final = 10_000  # unwrapped keys in memory
_BEGIN: Final = len(MARK) + 2 * ID_BYTES


class Wrapping(Protocol):
    """What of a ring is used here."""

    def wrap(self, key: bytes, about: str) -> bytes: ...

    def unwrap(self, wrapped: bytes, about: str) -> bytes: ...

    def is_current(self, wrapped: bytes) -> bool: ...


class Forgotten(NotFound):
    """The key was destroyed, as somebody has asked: nobody can read this any more."""


class Rewrapped(msgspec.Struct, frozen=True):
    """What a change of the master came to."""

    keys: int  # how many there are
    rewrapped: int  # how many of them were, or would be, wrapped anew


def person(tenant: str, user: str) -> str:
    return f"person/{tenant}/{user}"


class SubjectKeys:
    """Safe to call from any thread, and from several processes on one file."""

    def __init__(
        self,
        kept: Store,
        ring: Wrapping,
        clock: Callable[[], Instant],
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._kept, self._ring, self._clock, self._random = kept, ring, clock, random
        self._lock = RLock()
        self._by_subject: dict[str, str] = {}
        self._known: OrderedDict[str, bytes] = OrderedDict()  # by key id
        kept.create(store.metadata)

    def key_of(self, subject: str) -> tuple[str, bytes]:
        """Its id and the key, which is made where there is none."""
        with self._lock:
            key_id = self._by_subject.get(subject)
            if key_id is None or key_id not in self._known:
                key_id = self._learn(subject)
            return key_id, self._known[key_id]

    def key_named(self, key_id: str) -> bytes:
        """Raises `Forgotten` for one that was destroyed, `Unavailable` for one that is not here."""
        with self._lock:
            if (key := self._known.get(key_id)) is not None:
                return key
            with self._kept.reading() as conn:
                row = store.key_named(conn, key_id)
                gone = row is None and store.is_destroyed(conn, key_id)
            if gone:
                raise Forgotten("what this was has been forgotten: its key was destroyed")
            if row is None:
                raise Unavailable(
                    f"the key {key_id} is not here: put back the keys that belong to this house"
                )
            return self._remember(row.key_id, row.subject, row.wrapped)

    def seal(self, text: bytes, about: str, subject: str, *, same: bool = False) -> bytes:
        """`same`: the same bytes for the same text about the same. Then the nonce is made of both,
        as RFC 5297 makes it, and no two texts have one."""
        key_id, key = self.key_of(subject)
        nonce = _synthetic(key, text, about) if same else self._random(NONCE_BYTES)
        found = AESGCM(key).encrypt(nonce, text, about.encode())
        return MARK + key_id.encode() + nonce + found

    def unseal(self, sealed: bytes, about: str) -> bytes:
        """Raises `Forgotten`, `Unavailable`, and `Corrupt` for what was sealed about another."""
        key = AESGCM(self.key_named(sealed[len(MARK) : _BEGIN].decode("ascii", "replace")))
        nonce, text = sealed[_BEGIN : _BEGIN + NONCE_BYTES], sealed[_BEGIN + NONCE_BYTES :]
        try:
            return key.decrypt(nonce, text, about.encode())
        except InvalidTag as error:
            raise Corrupt(f"what is kept of {about} is of somebody else, or damaged") from error

    def destroy(self, subject: str) -> bool:
        """Whether there was one. From here on nobody reads what it has sealed, wherever that is."""
        with self._lock, self._kept.writing() as conn:
            row = store.key_of(conn, subject)
            if row is not None:
                store.destroy(conn, row.key_id, named(subject), self._clock())
                self._known.pop(row.key_id, None)
            self._by_subject.pop(subject, None)
        self._kept.settle()
        return row is not None

    def forgotten_at(self, subject: str) -> Instant | None:
        with self._kept.reading() as conn:
            return store.was_forgotten(conn, named(subject))

    def has_key(self, subject: str) -> bool:
        with self._kept.reading() as conn:
            return store.key_of(conn, subject) is not None

    def rewrap(self, *, dry_run: bool = False) -> Rewrapped:
        """Wrap every key under the newest master. Nothing that a key has sealed is touched."""
        with self._lock, self._kept.writing() as conn:
            rows = store.all_keys(conn)
            old = [row for row in rows if not self._ring.is_current(row.wrapped)]
            for row in () if dry_run else old:
                key = self._ring.unwrap(row.wrapped, row.subject)
                store.put_wrapped(conn, row.key_id, self._ring.wrap(key, row.subject))
        self._kept.settle()
        return Rewrapped(len(rows), len(old))

    def take_tombstones(self, of: "SubjectKeys") -> int:
        """Destroy here what was destroyed there; how many keys that took."""
        with of._kept.reading() as conn:
            rows = store.all_tombstones(conn)
        with self._lock, self._kept.writing() as conn:
            here = {row.key_id for row in store.all_keys(conn)}
            for row in rows:
                store.put_tombstone(conn, row.key_id, row.subject, row.destroyed_at)
                self._known.pop(row.key_id, None)
        return sum(row.key_id in here for row in rows)

    def _learn(self, subject: str) -> str:
        with self._kept.reading() as conn:
            row = store.key_of(conn, subject)
        if row is None:
            with self._kept.writing() as conn:  # another process may have been first
                row = store.key_of(conn, subject)
                if row is None:
                    key_id, key = self._random(ID_BYTES).hex(), self._random(KEY_BYTES)
                    wrapped = self._ring.wrap(key, subject)
                    store.add_key(conn, key_id, subject, wrapped, self._clock())
                    row = store.key_of(conn, subject)
        self._remember(row.key_id, row.subject, row.wrapped)
        return str(row.key_id)

    def _remember(self, key_id: str, subject: str, wrapped: bytes) -> bytes:
        key = self._ring.unwrap(wrapped, subject)
        self._by_subject[subject] = key_id
        self._known[key_id] = key
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return key


def _synthetic(key: bytes, text: bytes, about: str) -> bytes:
    own = sha256(b"nonce of " + key).digest()
    name = about.encode()
    return digest(own, b"%d:" % len(name) + name + text, "sha256")[:NONCE_BYTES]


def is_sealed(text: bytes) -> bool:
    """Whether it was sealed here, and not by what there was before."""
    return text[: len(MARK)] == MARK


def named(subject: str) -> str:
    """What a tombstone says of a subject."""
    return sha256(subject.encode()).hexdigest()
