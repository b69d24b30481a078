"""The embedded ring: one file, sealed under a key that is kept elsewhere, or made of a passphrase.

    unseal key ── AES-256-GCM ──► masters ── AES-256-GCM ──► secrets, and data keys that others keep

The file is written beside and renamed, so that it is always whole; what was in it before is not on
the disk by its name any more. Several processes may use it: who meets a master that is new reads it
again, and who writes holds a lock.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Final

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fondaco.kernel.errors import Corrupt, Denied, Invalid, NotFound, Unavailable
from fondaco.ports.secrets import KEY_BYTES, NAME_MAX, SECRET_MAX

FILE: Final = "ring"
NONCE: Final = 12
SALT: Final = 16
MEMORY_KIB: Final = 64 * 1024  # RFC 9106, section 4: the second recommended choice
PASSES: Final = 3
_GONE: Final = "it is wrapped under the master {}, which this ring does not have any more"


class Kept(msgspec.Struct, frozen=True):
    """Bytes under a master, or a master under the unseal key."""

    name: str
    by: str  # the master's name; "" is the unseal key
    sealed: bytes


class Content(msgspec.Struct, frozen=True):
    """What the file holds, as JSON."""

    format: int
    salt: bytes  # of a passphrase; empty: the unseal key is used as it is
    memory_kib: int
    passes: int
    masters: list[Kept]  # oldest first
    secrets: list[Kept]


def sealed(key: AESGCM, text: bytes, about: str) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + key.encrypt(nonce, text, about.encode())


def opened(key: AESGCM, text: bytes, about: str) -> bytes:
    """Raises `InvalidTag`."""
    return key.decrypt(text[:NONCE], text[NONCE:], about.encode())


class SealedFile:
    """`unseal` gives a passphrase, or a key of 32 bytes where `is_key`; it is asked once, here."""

    def __init__(
        self,
        folder: Path,
        unseal: Callable[[], bytes],
        *,
        is_key: bool,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
    ) -> None:
        self._path = folder / FILE
        self._lock = RLock()
        self._masters: dict[str, AESGCM] = {}
        self._newest = ""
        self._closed = False
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._writing():
                if not self._path.exists():
                    salt = b"" if is_key else os.urandom(SALT)
                    self._unsealing = _unsealing(unseal(), salt, memory_kib, passes)
                    self._write(Content(1, salt, memory_kib, passes, [self._new_master([])], []))
                else:
                    found = self._read()
                    self._unsealing = _unsealing(
                        unseal(), found.salt, found.memory_kib, found.passes
                    )
                self._learn(self._read())
        except OSError as error:
            raise self._unavailable(error) from error

    # --- Masters --------------------------------------------------------------------------------

    def wrap(self, key: bytes, about: str) -> bytes:
        with self._lock:
            self._learn(self._read())  # another process may have begun a newer one
            name = self._newest
            return name.encode() + b":" + sealed(self._master(name), key, f"wrapped {about}")

    def unwrap(self, wrapped: bytes, about: str) -> bytes:
        name, _, rest = wrapped.partition(b":")
        with self._lock:
            key = self._master(name.decode("ascii", "replace"))
        try:
            return opened(key, rest, f"wrapped {about}")
        except (InvalidTag, ValueError) as error:
            raise Corrupt(f"what is wrapped about {about} is of something else") from error

    def is_current(self, wrapped: bytes) -> bool:
        with self._lock:
            self._learn(self._read())
            return wrapped.partition(b":")[0] == self._newest.encode()

    def rotate(self) -> str:
        with self._writing():
            found = self._read()
            new = self._new_master(found.masters)
            self._write(msgspec.structs.replace(found, masters=[*found.masters, new]))
            self._learn(self._read())
            return new.name

    def retire(self) -> Sequence[str]:
        with self._writing():
            found = self._read()
            self._learn(found)
            newest = found.masters[-1]
            secrets = [
                each if each.by == newest.name else self._sealed(each.name, self._value(each))
                for each in found.secrets
            ]
            self._write(msgspec.structs.replace(found, masters=[newest], secrets=secrets))
            self._learn(self._read())
            return [each.name for each in found.masters[:-1]]

    def reseal(self, unseal: Callable[[], bytes], *, is_key: bool) -> None:
        """From now on another passphrase or key unseals the ring, and the old one does not."""
        with self._writing():
            found = self._read()
            self._learn(found)
            masters = {each.name: self._opened_master(each) for each in found.masters}
            salt = b"" if is_key else os.urandom(SALT)
            self._unsealing = _unsealing(unseal(), salt, found.memory_kib, found.passes)
            again = [
                Kept(name, "", sealed(self._unsealing, key, f"master {name}"))
                for name, key in masters.items()
            ]
            self._write(msgspec.structs.replace(found, salt=salt, masters=again))

    # --- Secrets --------------------------------------------------------------------------------

    def get(self, name: str) -> bytes:
        with self._lock:
            found = self._read()
            self._learn(found)
            for each in found.secrets:
                if each.name == name:
                    return self._value(each)
        raise NotFound(f"there is no secret {name[:NAME_MAX]} in this ring")

    def put(self, name: str, value: bytes) -> None:
        check(name, value)
        with self._writing():
            found = self._read()
            self._learn(found)
            others = [each for each in found.secrets if each.name != name]
            self._write(
                msgspec.structs.replace(found, secrets=[*others, self._sealed(name, value)])
            )

    def remove(self, name: str) -> None:
        with self._writing():
            found = self._read()
            others = [each for each in found.secrets if each.name != name]
            if len(others) == len(found.secrets):
                raise NotFound(f"there is no secret {name[:NAME_MAX]} in this ring")
            self._write(msgspec.structs.replace(found, secrets=others))

    def names(self) -> list[str]:
        with self._lock:
            self._check_open()
            return sorted(each.name for each in self._read().secrets)

    def close(self) -> None:
        with self._lock:
            self._masters.clear()
            self._closed = True

    # --- Parts of these -------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable(f"the ring in {self._path.parent} is sealed", code="sealed")

    def _master(self, name: str) -> AESGCM:
        self._check_open()
        if name not in self._masters:
            self._learn(self._read())
        try:
            return self._masters[name]
        except KeyError:
            raise Unavailable(_GONE.format(name[:NAME_MAX]), code="master_gone") from None

    def _learn(self, found: Content) -> None:
        """Raises `Denied` where we cannot unseal it."""
        self._check_open()
        names = [each.name for each in found.masters]
        for each in found.masters:
            if each.name not in self._masters:
                self._masters[each.name] = AESGCM(self._opened_master(each))
        for gone in self._masters.keys() - set(names):
            del self._masters[gone]
        self._newest = names[-1]

    def _opened_master(self, kept: Kept) -> bytes:
        try:
            return opened(self._unsealing, kept.sealed, f"master {kept.name}")
        except InvalidTag as error:
            raise Denied(
                f"the ring in {self._path.parent} is sealed with another key or passphrase: give "
                "the one that belongs to it",
                code="sealed",
            ) from error

    def _new_master(self, masters: Sequence[Kept]) -> Kept:
        name = f"m{int(masters[-1].name[1:]) + 1 if masters else 1}"
        return Kept(name, "", sealed(self._unsealing, os.urandom(KEY_BYTES), f"master {name}"))

    def _sealed(self, name: str, value: bytes) -> Kept:
        by = self._newest
        return Kept(name, by, sealed(self._master(by), value, f"secret {name}"))

    def _value(self, kept: Kept) -> bytes:
        try:
            return opened(self._master(kept.by), kept.sealed, f"secret {kept.name}")
        except InvalidTag as error:
            raise Corrupt(f"the secret {kept.name} in {self._path} is damaged") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, (self._path.parent / "lock").open("ab") as file:
            self._check_open()
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _read(self) -> Content:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Content)
        except OSError as error:
            raise self._unavailable(error) from error
        except msgspec.MsgspecError as error:
            raise Corrupt(f"{self._path} is no ring: {error}") from error

    def _write(self, content: Content) -> None:
        beside = self._path.with_suffix(".new")
        try:
            beside.unlink(missing_ok=True)
            file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "wb") as new:
                new.write(msgspec.json.format(msgspec.json.encode(content)))
                new.flush()
                os.fsync(new.fileno())
            beside.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(f"the ring {self._path} cannot be used: {error.strerror or error}")


def check(name: str, value: bytes) -> None:
    """Raises `Invalid`."""
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise Invalid(f"a secret's name is 1 to {NAME_MAX} characters that can be printed")
    if len(value) > SECRET_MAX:
        raise Invalid(f"{name} has {len(value)} bytes; a secret has at most {SECRET_MAX}")


def _unsealing(given: bytes, salt: bytes, memory_kib: int, passes: int) -> AESGCM:
    if not salt:
        if len(given) != KEY_BYTES:
            raise Denied(
                f"the unseal key has {len(given)} bytes, and must have {KEY_BYTES}", code="sealed"
            )
        return AESGCM(given)
    return AESGCM(
        hash_secret_raw(
            given, salt, time_cost=passes, memory_cost=memory_kib, parallelism=1,
            hash_len=KEY_BYTES, type=Type.ID,
        )
    )  # fmt: skip
