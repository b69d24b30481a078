"""The house's one key ring, and the keys of those whom data is about.

A data directory belongs to one ring, and says in `secrets/house` which that is and how it is
unsealed; so every process that opens the directory finds it. What was a key in a file before there
was a ring is taken into it at the first start, and the file goes once the ring has it for good.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fondaco.app.clock import Clock
from fondaco.app.files import Files
from fondaco.domain.identity.people import store as people
from fondaco.domain.identity.subjects.keys import SubjectKeys, is_sealed
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from fondaco.ports.secrets import KEY_BYTES, Secrets
from fondaco.ports.secrets.audited import KeyRing
from fondaco.ports.secrets.sealed_file import SealedFile
from fondaco.ports.store import Store
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.proofs import signing
from fondaco.settings import Settings

FILE: Final = "file"
AT_REST: Final = "at-rest"  # which key the directory is encrypted with, where it is
HOUSE: Final = "house/records"
KEY: Final = "key"
KEYS: Final = "keys.db"
SIGNING: Final = "proofs/signing"
RECORDS: Final = "records"  # what sealed people's records before each had a key of their own
NONCE_BYTES: Final = 12


class Belongs(msgspec.Struct, frozen=True):
    """Which ring a data directory has; the settings `secrets` and `unseal`."""

    secrets: str
    unseal: str
    key: str = "unseal.key"  # the file, where `unseal` is "key"
    before: "Belongs | None" = None  # how it was unsealed before, while that changes


def belongs(files: Files, settings: Settings | None = None) -> Belongs:
    """What the directory says, or is to say. Raises `Conflict` where settings say another."""
    mark = files.secrets / "house"
    usual = Settings()
    asked = Belongs(settings.secrets, settings.unseal) if settings else Belongs(FILE, KEY)
    try:
        found = msgspec.json.decode(mark.read_bytes(), type=Belongs)
    except FileNotFoundError:
        found = asked
        files.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_mark(files, found)
        return found
    for name in ("secrets", "unseal"):
        there, wanted = getattr(found, name), getattr(asked, name)
        if settings is not None and wanted not in (there, getattr(usual, name)):
            raise Conflict(
                f"{name} is {wanted}, and the keys of {files.root} are {there}: `fondaco secrets "
                f"reseal` changes how they are unsealed; they cannot move to another ring by that"
            )
    return found


def write_mark(files: Files, belongs: Belongs) -> None:
    beside = files.secrets / "house.new"
    beside.write_bytes(msgspec.json.encode(belongs))
    beside.replace(files.secrets / "house")


def open_ring(files: Files, settings: Settings | None = None) -> KeyRing:
    """Raises `Denied` where it cannot be unsealed."""
    where = belongs(files, settings)
    ring = _opened(files, where)
    found = KeyRing(ring, files.secrets / "audit", Clock())
    _take_in(files, found)
    return found


def _opened(files: Files, where: Belongs) -> Secrets:
    if where.secrets != FILE:
        return _elsewhere(files, where)
    give, is_key = unsealing(files, where)
    try:
        return SealedFile(files.secrets, give, is_key=is_key)
    except Denied:
        if where.before is None:
            raise
    give, is_key = unsealing(files, where.before)
    return SealedFile(files.secrets, give, is_key=is_key)


def _elsewhere(files: Files, where: Belongs) -> Secrets:
    kind, _, rest = where.secrets.partition(":")
    try:
        if kind == "aws":
            from fondaco.ports.secrets.aws import AwsSecrets

            region, _, name = rest.partition("/")
            return AwsSecrets(region, name or "fondaco")
        from fondaco.ports.secrets.pkcs11 import Pkcs11Secrets
    except ImportError as error:
        raise Invalid(
            f"this needs more than is installed: pip install 'fondaco[{kind}]' ({error})"
        ) from error
    if where.unseal == KEY:
        raise Invalid("a token is unsealed by its PIN: set unseal to file:PATH or env:NAME")
    module = os.environ.get("PKCS11_MODULE", "")
    if not module:
        raise Invalid("name the library of the token's maker in the environment: PKCS11_MODULE")
    return Pkcs11Secrets(module, rest, unsealing(files, where)[0])


def unsealing(files: Files, where: Belongs) -> tuple[Callable[[], bytes], bool]:
    """How to get at what unseals a ring, and whether that is a key and not a passphrase."""
    kind, _, rest = where.unseal.partition(":")
    if kind == KEY:
        return lambda: _made(files.secrets / where.key), True
    if kind == "file":
        return lambda: _from_file(Path(rest)), False
    return lambda: _from_environment(rest), False


def _made(path: Path) -> bytes:
    """A key in a file, made where there is none."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    key = os.urandom(KEY_BYTES)
    with os.fdopen(made, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def _from_file(path: Path) -> bytes:
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise Denied(f"{path} unseals the keys, and cannot be read: {error.strerror}") from error


def _from_environment(name: str) -> bytes:
    try:
        return os.environb[name.encode()]
    except KeyError:
        raise Denied(
            f"the passphrase that unseals the keys is expected in the environment, as {name}"
        ) from None


def _take_in(files: Files, ring: KeyRing) -> None:
    """Keys that were files: put, got again, compared, and only then taken away."""
    old = {RECORDS: files.root / "records.key", SIGNING: files.proofs / signing.KEY}
    for name, path in old.items():
        try:
            value = path.read_bytes()
        except FileNotFoundError:
            continue
        if name == SIGNING:
            value = bytes.fromhex(value.decode("ascii").strip())
        with suppress(NotFound):
            if ring.get(name, "house") != value:
                raise Conflict(
                    f"{path} is another key than the one that the ring has as {name}: take it "
                    "away, or put it where it belongs"
                )
        ring.put(name, value, "house")
        if ring.get(name, "house") == value:
            path.unlink()


def signing_seed(ring: KeyRing) -> bytes:
    """Of the key that signs roots, made at the first start."""
    with suppress(NotFound):
        return ring.get(SIGNING, "house")
    ring.put(SIGNING, os.urandom(KEY_BYTES), "house")
    return ring.get(SIGNING, "house")


def reseal(files: Files, unseal: str) -> None:
    """The ring is unsealed by something else from now on. A running house has what it needs in
    memory; its next start asks for the new one. Raises `Invalid` for a ring that is elsewhere."""
    was = belongs(files)
    ring = _opened(files, was)
    if not isinstance(ring, SealedFile):
        raise Invalid(f"the ring of {files.root} is {was.secrets}: change its credentials there")
    key = f"unseal.{os.urandom(4).hex()}.key" if unseal == KEY else was.key
    now = Belongs(was.secrets, unseal, key)
    # Whoever opens it meanwhile, or after we have died in between, tries both.
    write_mark(files, msgspec.structs.replace(now, before=was))
    give, is_key = unsealing(files, now)
    ring.reseal(give, is_key=is_key)
    write_mark(files, now)
    if was.unseal == KEY:
        (files.secrets / was.key).unlink()


def copy_keys(files: Files, to: Path) -> None:
    """The ring and the wrapped keys as they are now, without what unseals them: that is kept in
    another place, or the copy is worth as much as the keys. Raises `NotFound`."""
    if not (files.secrets / "house").exists():
        raise NotFound(f"{files.root} has no keys yet: `fondaco up` makes them")
    to.mkdir(mode=0o700, parents=True)
    for each in ("ring", "house", "audit", AT_REST):
        with suppress(FileNotFoundError):
            shutil.copyfile(files.secrets / each, to / each)
    if (files.secrets / KEYS).exists():
        with closing(SqliteStore(files.secrets / KEYS)) as store:
            store.copy(to / KEYS)


def open_keys(files: Files, ring: KeyRing) -> SubjectKeys:
    return SubjectKeys(SqliteStore(files.secrets / KEYS), ring, Clock())


def sealing_at(files: Files, settings: Settings | None = None) -> "SubjectSealing":
    ring = open_ring(files, settings)
    return SubjectSealing(open_keys(files, ring), ring)


class SubjectSealing:
    """What is kept of people, each under their own key, where `about` is "tenant/user"; what is
    about something else, such as the secret of a signing key, under the house's."""

    def __init__(self, keys: SubjectKeys, ring: KeyRing) -> None:
        self.keys = keys
        self.ring = ring
        self._older: AESGCM | None = None

    def seal(self, text: bytes, about: str) -> bytes:
        return self.keys.seal(text, about, f"person/{about}" if "/" in about else HOUSE)

    def unseal(self, sealed: bytes, about: str) -> bytes:
        if is_sealed(sealed):
            return self.keys.unseal(sealed, about)
        try:
            if self._older is None:
                self._older = AESGCM(self.ring.get(RECORDS, "house"))
            return self._older.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode())
        except (InvalidTag, NotFound) as error:
            raise Unavailable(
                f"what is kept of {about} was sealed with another key than this ring has: put "
                "back the one that belongs to these records"
            ) from error

    def new_master(self) -> None:
        """The old ones are destroyed, so that a copy of keys that was made before opens nothing
        beside the ring as it is now."""
        self.ring.rotate("erasure")
        self.keys.rewrap()
        if not self.keys.rewrap(dry_run=True).rewrapped:  # else next time: they would be lost
            self.ring.retire("erasure")

    def move(self, records: Store) -> int:
        """Seal again what was sealed with the one key that all had; how many fields that was."""
        moved = 0
        with records.writing() as conn:
            for table, row in people.sealed_rows(conn):
                about = f"{row.tenant}/{row.user}"
                again = {
                    name: self.seal(self.unseal(value, about), about)
                    for name in people.SEALED[table.name]
                    if (value := getattr(row, name)) is not None and not is_sealed(value)
                }
                if again:
                    people.put_sealed(conn, table, row, again)
                    moved += len(again)
        return moved
