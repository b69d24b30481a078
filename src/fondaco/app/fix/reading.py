"""Reads captures and logs, piece by piece, so that a file may be larger than memory."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Final

from fondaco.domain.fix.capture.flows import Flow
from fondaco.domain.fix.capture.loglines import LogLines
from fondaco.domain.fix.capture.packets import Packets, is_capture
from fondaco.domain.fix.capture.sighting import Sighting
from fondaco.kernel.errors import Invalid

_CHUNK: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"

Source = Packets | LogLines


def source_of(name: str, head: bytes) -> Source:
    """Who reads a file that begins so: a capture by its magic number, anything else as a log."""
    return Packets() if is_capture(head) else LogLines(name)


def read(
    path: Path, see: Callable[[list[Sighting]], None], after: Callable[[list[Flow]], None]
) -> Source:
    """Hand every message of a file to `see`, in the order of the wire, and its connections to
    `after` each piece. Raises Invalid where the file cannot be read for what it claims to be."""
    try:
        with _opened(path) as file:
            head = file.read(_CHUNK)
            source = source_of(path.name, head)
            for chunk in _chunks(head, file):
                see(source.feed(chunk))
                after(source.flows)
    except (EOFError, gzip.BadGzipFile) as error:
        raise Invalid(f"{path} is damaged: {error}") from error
    except Invalid as error:
        raise Invalid(f"{path}: {error.message}") from error
    see(source.finish())
    after(source.flows)
    return source


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    if path.is_dir():
        raise Invalid(f"{path} is a folder: name the captures and logs in it")
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP
    return gzip.open(path) if zipped else path.open("rb")


def _chunks(head: bytes, file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    chunk = head
    while chunk:
        yield chunk
        chunk = file.read(_CHUNK)


def size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)
