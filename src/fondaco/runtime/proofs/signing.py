"""The key that signs roots, and whether roots are signed.

It is made at the first start and stays in the house's key ring. Whoever has that has the key: a
signature says that a root is of this house, and only a root that has left the machine says that
nothing was changed since. A backup has the public key and not the
other: a house that is restored from it makes itself a new one, and each root names its own.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from fondaco.kernel.ed25519 import SEED_BYTES, is_signed, public_key, sign
from fondaco.kernel.errors import Corrupt, Unavailable
from fondaco.runtime.proofs.roots import Root

KEY: Final = "signing.key"
PUBLIC: Final = "signing.pub"


class Signer:
    """The one who writes roots."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self.key = public_key(seed).hex()

    def signed(self, root: Root) -> Root:
        root = msgspec.structs.replace(root, key=self.key)
        return msgspec.structs.replace(root, signature=sign(self._seed, _text(root)).hex())


def signer(folder: Path, seed: bytes | None = None) -> Signer:
    """With the key that a ring keeps; else with that of the folder, made if there is none. Raises
    `Corrupt` for what is no key, and `Unavailable`."""
    path = folder / KEY
    try:
        if seed is None:
            if not path.exists():
                _write(path, os.urandom(SEED_BYTES).hex(), 0o600)
            seed = bytes.fromhex(path.read_text("ascii").strip())
        found = Signer(seed)
        if public(folder) != found.key:
            _write(folder / PUBLIC, found.key, 0o644)
    except OSError as error:
        raise Unavailable(f"{path} cannot be used: {error.strerror}") from error
    except ValueError as error:
        raise Corrupt(f"{path} is no key of {SEED_BYTES} bytes in hexadecimal: {error}") from error
    return found


def public(folder: Path) -> str:
    """The public key, hexadecimal; "" while there is none."""
    try:
        return (folder / PUBLIC).read_text("ascii").strip()
    except FileNotFoundError:
        return ""


def unsigned(roots: Iterable[Root]) -> list[str]:
    """What is wrong with the signatures of roots, oldest first. Those from before there was a key
    have none; after the first that has one, all have."""
    wrong, begun = [], False
    for root in roots:
        begun = begun or bool(root.signature)
        if begun and not is_root_signed(root):
            said = "is not signed by the key that it names" if root.signature else "is not signed"
            wrong.append(f"the root of the first {root.size} entries {said}")
    return wrong


def is_root_signed(root: Root) -> bool:
    try:
        key, signature = bytes.fromhex(root.key), bytes.fromhex(root.signature)
    except ValueError:
        return False
    return is_signed(key, _text(root), signature)


def _text(root: Root) -> bytes:
    return f"fondaco root {root} {root.at} {root.why} {root.key}\n".encode()


def _write(path: Path, text: str, mode: int) -> None:
    """As a whole or not at all, durable on return."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        os.write(file, f"{text}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
    beside.replace(path)
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
