"""What lies on the disk of a house, encrypted under one data key: the journal's frames, files that
are written whole, lines and files that grow, and SQLite files.

Each use has a key of its own (HKDF, RFC 5869), and every reader takes what is in the clear as it
is: a directory that is being switched over has both.

    sealed = mark (8 bytes) | nonce (12) | AES-256-GCM of the text, about what it is
    grown  = mark (8 bytes) | counter (16) | AES-256-CTR of what was appended
"""

import io
import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hmac import digest
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from fondaco.kernel.codec import FRAME_MARK
from fondaco.kernel.errors import Corrupt, Unavailable

KEY_BYTES: Final = 32
MARK: Final = FRAME_MARK + b"SEALED1"
GROWN_MARK: Final = FRAME_MARK + b"GROWN.1"
GROWN_HEAD: Final = 24
LINE_MARK: Final = b"~"  # no line of JSON begins so
_NONCE: Final = 12
_BLOCK: Final = 16
_AHEAD: Final = 1 << 16
_FRAME: Final = b"frame"
_PLAIN_SQLITE: Final = b"SQLite format 3\0"


class AtRest:
    """Safe to use from any thread; several processes may have the same key."""

    def __init__(self, key: bytes) -> None:
        self._whole = AESGCM(_derived(key, "whole"))
        self._grown = AES(_derived(key, "grown"))
        self._names = _derived(key, "names")
        self.sqlite_key = _derived(key, "sqlite").hex()
        self._lock = Lock()
        self._begin_nonces()

    def _begin_nonces(self) -> None:
        """NIST SP 800-38D, 8.2.1: who writes is 64 random bits, and counts what it wrote."""
        self._own, self._numbers = os.urandom(8), iter(range(1 << 32))
        self._pid = os.getpid()

    def _nonce(self) -> bytes:
        with self._lock:
            number = next(self._numbers, None)
            if number is None or self._pid != os.getpid():
                self._begin_nonces()
                number = next(self._numbers)
            return self._own + number.to_bytes(4, "big")

    def seal(self, text: bytes, about: bytes) -> bytes:
        nonce = self._nonce()
        return MARK + nonce + self._whole.encrypt(nonce, text, about)

    def open(self, stored: bytes | memoryview, about: bytes) -> bytes:
        """Raises `Corrupt` for what was sealed with another key, about another, or changed."""
        begin = len(MARK) + _NONCE
        try:
            return self._whole.decrypt(bytes(stored[len(MARK) : begin]), stored[begin:], about)
        except (InvalidTag, ValueError) as error:
            what = about.decode("ascii", "replace")
            raise Corrupt(f"the sealed {what} is damaged, or of another house") from error

    def sealed(self, packed: bytes) -> bytes:
        return self.seal(packed, _FRAME)

    def opened(self, stored: bytes | memoryview) -> bytes:
        return self.open(stored, _FRAME)

    def token(self, name: str) -> str:
        """In place of a name by which something is looked up; 128 bits of HMAC-SHA-256."""
        return digest(self._names, name.encode(), "sha256")[:16].hex()

    def grow(self, counter: bytes, offset: int, text: bytes | bytearray) -> bytes:
        """`text` as it stands at `offset` behind the head of a file that grows, or the reverse."""
        first = (int.from_bytes(counter, "big") + offset // _BLOCK) % (1 << 128)
        skipped = offset % _BLOCK
        under = Cipher(self._grown, CTR(first.to_bytes(_BLOCK, "big"))).encryptor()
        return under.update(bytes(skipped) + text)[skipped:]


def is_sealed(stored: bytes | memoryview) -> bool:
    return stored[: len(MARK)] == MARK


def sealed(at_rest: AtRest | None, text: bytes, about: bytes) -> bytes:
    return text if at_rest is None else at_rest.seal(text, about)


def opened(at_rest: AtRest | None, stored: bytes, about: bytes) -> bytes:
    """What was sealed; what was not, as it is. Raises `Unavailable` where the key is not here."""
    if not is_sealed(stored):
        return stored
    return known(at_rest).open(stored, about)


def known(at_rest: AtRest | None) -> AtRest:
    if at_rest is None:
        raise Unavailable("this is encrypted, and its key is not here: put back the house's keys")
    return at_rest


def sealed_line(at_rest: AtRest | None, line: bytes, about: bytes) -> bytes:
    """`line` is without its end, and so is what comes back."""
    return line if at_rest is None else LINE_MARK + b64encode(at_rest.seal(line, about))


def is_sealed_line(line: bytes) -> bool:
    return line.startswith(LINE_MARK)


def opened_line(at_rest: AtRest | None, line: bytes, about: bytes) -> bytes:
    """Raises `Corrupt` for one that was cut off."""
    if not is_sealed_line(line):
        return line
    try:
        return opened(at_rest, b64decode(line[1:], validate=True), about)
    except NotBase64 as error:
        raise Corrupt("a sealed line was cut off") from error


def new_head() -> bytes:
    """How a file that grows begins."""
    return GROWN_MARK + os.urandom(_BLOCK)


def counter_of(head: bytes) -> bytes:
    return head[len(GROWN_MARK) :]


def reading(path: Path, at_rest: AtRest | None) -> BinaryIO:
    """A file that grew, or is still to begin; places in it are those on the disk."""
    file = path.open("rb")
    try:
        head = file.read(GROWN_HEAD)
        file.seek(0)
        if head.startswith(GROWN_MARK):
            known(at_rest)
        elif head or at_rest is None:
            return file
    except BaseException:
        file.close()
        raise
    return cast(BinaryIO, _Grown(file, known(at_rest)))


class _Grown(io.RawIOBase):
    """Reads ahead, since whoever reads a tape asks for a few bytes at a time."""

    def __init__(self, file: BinaryIO, at_rest: AtRest) -> None:
        self._file, self._at_rest = file, at_rest
        self._counter = b""
        self._at = self._ahead_at = 0
        self._ahead = b""

    def read(self, size: int = -1) -> bytes:
        if not self._counter and not self._begin():
            return b""
        begin = self._at - self._ahead_at
        if size < 0 or not 0 <= begin <= begin + size <= len(self._ahead):
            self._file.seek(self._at)
            stored = self._file.read(size if size < 0 else max(size, _AHEAD))
            self._ahead_at, begin = self._at, 0
            self._ahead = self._at_rest.grow(self._counter, self._at - GROWN_HEAD, stored)
        found = self._ahead[begin:] if size < 0 else self._ahead[begin : begin + size]
        self._at += len(found)
        return found

    def _begin(self) -> bool:
        """Whether its head is there."""
        self._file.seek(0)
        head = self._file.read(GROWN_HEAD)
        if len(head) < GROWN_HEAD:
            return False
        self._counter = counter_of(head)
        self._at = max(self._at, GROWN_HEAD)
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (self._at if whence == 1 else 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._file.close()
        super().close()


def is_plain_sqlite(path: Path) -> bool:
    """Whether a SQLite file is there that anybody can read."""
    try:
        with path.open("rb") as file:
            return file.read(len(_PLAIN_SQLITE)) == _PLAIN_SQLITE
    except FileNotFoundError:
        return False


def _derived(key: bytes, use: str) -> bytes:
    return HKDFExpand(SHA256(), KEY_BYTES, b"fondaco at rest: " + use.encode()).derive(key)
