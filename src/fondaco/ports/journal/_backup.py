"""A copy of a running journal: its segments only grow, so their bytes up to the end are enough."""

import os
from pathlib import Path
from typing import Final

from fondaco.kernel.errors import Conflict
from fondaco.ports.journal._chain import Chain, End, HeadWord
from fondaco.ports.journal._disk import Disk, unavailable
from fondaco.ports.journal._frames import path_of

_SLICE: Final = 1 << 20


def copy(folder: Path, chain: Chain, end: End, to: Path) -> None:
    """`to` is not there yet, and has its name only once it is whole and durable."""
    if to.exists():
        raise Conflict(f"{to} is there already: name a folder that is not")
    partial = to.with_name(to.name + ".partial")
    disk = Disk()
    try:
        partial.mkdir(parents=True)
        for segment, stop in chain.lengths(end):
            _copy_bytes(path_of(folder, segment), path_of(partial, segment), stop)
        HeadWord(partial, writer=True).store(end.last)
        disk.sync_folder(partial)
        partial.rename(to)
        disk.sync_folder(to.parent)
    except FileExistsError as error:
        raise Conflict(f"{partial} is left from a backup that ended early: delete it") from error
    except OSError as error:
        raise unavailable("back up to", to, error) from error


def _copy_bytes(source: Path, target: Path, length: int) -> None:
    with source.open("rb") as original, target.open("xb") as copied:
        while length and (content := original.read(min(_SLICE, length))):
            copied.write(content)
            length -= len(content)
        copied.flush()
        os.fsync(copied.fileno())
