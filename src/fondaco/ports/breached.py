"""Passwords that were stolen elsewhere, looked up in files on this machine: nothing of a password
leaves it. The files are those of Have I Been Pwned, in either of the forms in which it gives them:

- a folder of ranges, each named by the first five digits of a SHA-1 (`5BAA6` or `5BAA6.txt`), with
  lines of the 35 that follow and how often: `1E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824`;
- one file of whole hashes, sorted: `5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824`.
"""

from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from typing import BinaryIO, Final

from fondaco.kernel.errors import Invalid, Unavailable

PREFIX: Final = 5
DIGITS: Final = 40
LINE_MAX: Final = 80  # bytes; what is longer is no such file
_RANGE: Final = frozenset("0123456789ABCDEF")


def breached(path: Path) -> Callable[[str], int]:
    """How often a password was seen in what was stolen; 0 where it was not. Raises `Invalid` for
    what is no such file; the lookup raises `Unavailable` where it cannot be read."""
    if path.is_dir():
        if not any(_is_range(each.name) for each in path.iterdir()):
            raise Invalid(f"{path} has no range files, named by five digits of a SHA-1: 00000 …")
        return lambda password: _in_ranges(path, _digest(password))
    try:
        with path.open("rb") as file:
            first = file.readline(LINE_MAX)
    except OSError as error:
        raise Invalid(f"breached passwords: {path} cannot be read: {error.strerror}") from None
    if len(first.partition(b":")[0]) != DIGITS:
        raise Invalid(f"{path} must have lines of a SHA-1 and a count, sorted: 000…:3")
    return lambda password: _in_sorted(path, _digest(password))


def _digest(password: str) -> str:
    return sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def _is_range(name: str) -> bool:
    stem = name.partition(".")[0]
    return len(stem) == PREFIX and _RANGE.issuperset(stem)


def _in_ranges(folder: Path, digest: str) -> int:
    """A range that is not there has none: whoever keeps a part of the list has a part of it."""
    prefix, wanted = digest[:PREFIX], digest[PREFIX:]
    for name in (prefix, f"{prefix}.txt"):
        try:
            text = (folder / name).read_text("ascii")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(folder / name, error) from None
        for line in text.splitlines():
            if line[: len(wanted)].upper() == wanted:
                return _count(line)
    return 0


def _in_sorted(path: Path, digest: str) -> int:
    """By halves: some forty reads of a line in a file of forty gigabytes."""
    wanted = digest.encode()
    try:
        with path.open("rb") as file:
            low, high = 0, path.stat().st_size
            while low < high:
                middle = (low + high) // 2
                line = _line_behind(file, middle)
                if line and line[:DIGITS].upper() < wanted:
                    low = middle + 1
                else:
                    high = middle
            line = _line_behind(file, low)
    except OSError as error:
        raise _unreadable(path, error) from None
    return _count(line.decode("ascii", "replace")) if line[:DIGITS].upper() == wanted else 0


def _line_behind(file: BinaryIO, place: int) -> bytes:
    """The first line that begins at `place` or later; b"" behind the last."""
    file.seek(max(place - 1, 0))
    if place:
        file.readline(LINE_MAX)
    return file.readline(LINE_MAX)


def _count(line: str) -> int:
    text = line.partition(":")[2].strip()
    return int(text) if text.isdecimal() else 1


def _unreadable(path: Path, error: Exception) -> Unavailable:
    return Unavailable(f"the list of stolen passwords, {path}, cannot be read: {error}")
