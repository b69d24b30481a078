"""Whether a data directory is encrypted, and the one key of what lies there.

The key is of the subject "house/data": wrapped by the ring's master as those of people are, so that
a master changes and nothing is written again. Which it is, is said by `secrets/at-rest`.
"""

import os
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock
from typing import Final

from fondaco.app.clock import Clock
from fondaco.app.files import Files
from fondaco.app.secrets import AT_REST, FILE, KEY, KEYS, belongs, open_ring
from fondaco.domain.identity.subjects.keys import SubjectKeys
from fondaco.kernel.errors import Conflict, Denied, Invalid
from fondaco.ports.at_rest import AtRest
from fondaco.ports.store.sqlite import SqliteStore, sealed_driver
from fondaco.settings import Settings

SUBJECT: Final = "house/data"
_known: Final[dict[tuple[Path, str], AtRest]] = {}  # unsealing a ring takes a while
_lock: Final = Lock()


def at_rest(files: Files) -> AtRest | None:
    """None where the directory is in the clear. Raises `Denied` and `Unavailable` where it is not,
    and its key cannot be had."""
    try:
        key_id = (files.secrets / AT_REST).read_text().strip()
    except FileNotFoundError:
        return None
    place = (files.secrets.resolve(), key_id)
    with _lock:
        if place not in _known:
            refuse_missing_key(files)
            ring = open_ring(files)
            with closing(SqliteStore(files.secrets / KEYS)) as kept:
                _known[place] = AtRest(SubjectKeys(kept, ring, Clock()).key_named(key_id))
        return _known[place]


def refuse_missing_key(files: Files) -> None:
    """Else one would be made, which opens nothing."""
    where = belongs(files)
    if (where.secrets, where.unseal) == (FILE, KEY) and not (files.secrets / where.key).exists():
        raise Denied(
            f"{files.secrets} has no {where.key}, which unseals its keys and is in no copy: "
            "put it there from where it is kept"
        )


def open_sqlite(files: Files, path: Path, *, durable: bool = True) -> SqliteStore:
    """A SQLite file of the directory, encrypted where the directory is."""
    key = at_rest(files)
    return SqliteStore(path, durable=durable, key=key.sqlite_key if key else "")


def is_encrypted(files: Files) -> bool:
    return (files.secrets / AT_REST).exists()


def begin_encrypted(files: Files, settings: Settings) -> None:
    """What the setting `encrypt_at_rest` asks for, before anything is written. Raises `Conflict`
    for a directory that has something in the clear, `Invalid` for a house that is not all here."""
    if not settings.encrypt_at_rest or is_encrypted(files):
        return
    if (files.journal / "head").exists():
        raise Conflict(
            f"{files.root} is in the clear: stop its house and run `fondaco seal --data "
            f"{files.root}`, which writes it again"
        )
    encrypt(files, settings)


def encrypt(files: Files, settings: Settings | None = None) -> AtRest:
    """From here on what is written is encrypted."""
    if files.journal_at != "segments" or files.store_at != "sqlite":
        raise Invalid(
            "encrypt_at_rest is of what lies in the data directory, and this house has its journal "
            "or its records in PostgreSQL: encrypt the disks of that server"
        )
    sealed_driver()  # or what is missing is told before anything is begun
    ring = open_ring(files, settings)
    with closing(SqliteStore(files.secrets / KEYS)) as kept:
        key_id, _ = SubjectKeys(kept, ring, Clock()).key_of(SUBJECT)
        kept.settle()
    beside = files.secrets / f"{AT_REST}.new"
    with beside.open("w") as file:
        file.write(f"{key_id}\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(files.secrets / AT_REST)
    folder = os.open(files.secrets, os.O_RDONLY | os.O_DIRECTORY)
    with suppress(OSError):
        os.fsync(folder)
    os.close(folder)
    found = at_rest(files)
    assert found is not None, "it was written just now"  # noqa: S101
    return found
