"""Copies of what a house keeps of FIX beside its journal, while it may be running."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from fondaco.app.files import Files
from fondaco.app.fix import archive
from fondaco.app.fix.columns import has_lake, open_lake

TRIES: Final = 10
_MANIFEST: Final = "manifest.json"


def copy_fix(files: Files, copy: Files) -> None:
    """Uploads, archive and columns; then the tape, which must reach as far as they do."""
    for folder, to in ((files.captures, copy.captures), (files.places, copy.places)):
        if folder.is_dir():
            _copy_present(folder, to)
    for folder, to in ((files.fix_archive, copy.fix_archive), (files.fix_lake, copy.fix_lake)):
        if (folder / _MANIFEST).exists():
            _copy_listed(folder, to)
    if files.fix.is_dir():  # what is being written ends where it is torn, as after a crash
        shutil.copytree(files.fix, copy.fix, ignore=shutil.ignore_patterns("*.sealing"))


def wrong(files: Files) -> Iterator[str]:
    """Files of the archive and the columns that are not what was written."""
    yield from archive.wrong(files.fix_archive)
    if has_lake():
        yield from open_lake(files.fix_lake).wrong()


def _copy_present(folder: Path, to: Path) -> None:
    """Whatever goes away meanwhile was about to."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".part":
            place = to / path.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                shutil.copy2(path, place)


def _copy_listed(folder: Path, to: Path) -> None:
    """The files that one manifest names. They never change under their names, but others may take
    their place: then the manifest is another one, and is asked again."""
    for tried in range(TRIES):
        content = (folder / _MANIFEST).read_bytes()
        try:
            for path in _named(folder, content):
                place = to / path.relative_to(folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                if not place.exists():
                    shutil.copy2(path, place)
        except FileNotFoundError:
            if tried + 1 == TRIES:
                raise
            continue
        (to / _MANIFEST).write_bytes(content)
        return


def _named(folder: Path, content: bytes) -> list[Path]:
    """The archive's manifest has `files`, that of the columns `parts`."""
    found = msgspec.json.decode(content)
    names = [each["file"] for each in found.get("files", ())]
    names += [each["path"] for each in found.get("parts", ())]
    return [folder / name for name in names]
