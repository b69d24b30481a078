"""`fondaco seal`: a data directory in the clear is written again, encrypted.

Every step puts a whole file or folder in the place of another, and every reader takes both, so that
one which died in between goes on where it was. What lay there before is deleted, not overwritten:
a disk may hold it for a while, and backups that were made before stay in the clear.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from fondaco.app.at_rest import at_rest, encrypt
from fondaco.app.files import Files, is_served
from fondaco.app.journal_sealing import sealing_codec
from fondaco.app.policies.decisions import opened_lines, sealed_lines
from fondaco.kernel.errors import Conflict, Corrupt, NotFound
from fondaco.ports.at_rest import (
    GROWN_MARK,
    AtRest,
    counter_of,
    is_plain_sqlite,
    is_sealed,
    new_head,
    opened,
    reading,
)
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.ports.store.sqlite import encrypt_file

TOGETHER: Final = 1_000  # decisions
TELL_EVERY: Final = 100_000  # entries


def seal_house(files: Files) -> Iterator[str]:
    """What it has done, line by line. Raises `Conflict` while a house runs on it."""
    if not files.journal.is_dir() and not _left(files).is_dir():
        raise NotFound(f"{files.root} holds no house; name its data directory with --data")
    if is_served(files):
        raise Conflict(f"{files.root} is being served; stop that house first")
    key = encrypt(files)
    yield from _journal(files, key)
    lasting = (files.records, files.webhooks, files.notices, files.reports)
    for path in (*lasting, files.views, files.candles, files.messages):
        if is_plain_sqlite(path):
            encrypt_file(path, key.sqlite_key, durable=path in lasting)
            yield f"{path.name} is encrypted"
    shutil.rmtree(files.snapshots, ignore_errors=True)
    for path in sorted((files.root / "decisions").glob("*.jsonl")):
        _put(path, sealed_lines(key, path.read_bytes()))
    for path in sorted(files.fix.glob("*/*.seg")):
        _grown(path, key)
    yield from _listed(files.fix_archive, "files", "file", key)
    yield from _listed(files.fix_lake, "parts", "path", key)
    yield f"{files.root} is encrypted; copy its keys: fondaco backup --to B --keys K"


def open_file(files: Files, path: Path) -> bytes:
    """A file of the archive, the columns, the tape or the log of decisions, in the clear."""
    key = at_rest(files)
    content = path.read_bytes()
    if content.startswith(GROWN_MARK):
        with reading(path, key) as file:
            return file.read()
    if path.suffix == ".jsonl":
        return opened_lines(key, content)
    return opened(key, content, path.name.encode())


def _left(files: Files) -> Path:
    return files.journal.with_name("journal.clear")


def _journal(files: Files, key: AtRest) -> Iterator[str]:
    clear, beside = _left(files), files.journal.with_name("journal.sealed")
    if clear.is_dir():  # an earlier one died: between its two renames, or behind them
        if files.journal.is_dir():
            shutil.rmtree(clear)
            return
        clear.rename(files.journal)
    shutil.rmtree(beside, ignore_errors=True)
    codec = sealing_codec(files)
    with (
        closing(SegmentJournal(files.journal, codec, writer=False, at_rest=key)) as source,
        closing(SegmentJournal(beside, codec, at_rest=key)) as target,
    ):
        if source.is_encrypted():
            shutil.rmtree(beside)
            return
        decisions = (decision for decision, _ in source.decisions())
        told = TELL_EVERY
        while together := list(islice(decisions, TOGETHER)):
            target.append(together)
            if target.head() >= told:
                yield f"{target.head():,} of {source.head():,} entries"
                told += TELL_EVERY
        if target.head() != source.head():
            raise Corrupt(f"{source.head()} entries became {target.head()}; nothing was changed")
        entries = target.head()
    files.journal.rename(clear)
    beside.rename(files.journal)
    _sync(files.root)
    shutil.rmtree(clear)
    yield f"the journal's {entries:,} entries are encrypted"


def _grown(path: Path, key: AtRest) -> None:
    """A segment of a tape, and its seal, which is over what is stored."""
    content = path.read_bytes()
    if content.startswith(GROWN_MARK):
        return
    head = new_head()
    stored = head + key.grow(counter_of(head), 0, content)
    seal = path.with_suffix(".seal")
    told = msgspec.json.decode(seal.read_bytes()) if seal.exists() else None
    seal.unlink(missing_ok=True)  # a segment without a seal is sealed again, never missed
    _put(path, stored)
    if told is not None:
        told |= {"size": len(stored), "sha256": sha256(stored).hexdigest()}
        _put(seal, msgspec.json.encode(told) + b"\n")


def _listed(folder: Path, many: str, name: str, key: AtRest) -> Iterator[str]:
    """Files that a manifest lists with their checksums."""
    manifest = folder / "manifest.json"
    if not manifest.exists():
        return
    known = msgspec.json.decode(manifest.read_bytes())
    for each in known[many]:
        path = folder / each[name]
        content = path.read_bytes()
        if not is_sealed(content):
            content = key.seal(content, path.name.encode())
            _put(path, content)
        each |= {"octets": len(content), "sha256": sha256(content).hexdigest()}
    _put(manifest, msgspec.json.encode(known))
    yield f"{len(known[many])} files of {folder.name} are encrypted"


def _put(path: Path, content: bytes) -> None:
    """All of it or nothing."""
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
