"""The tape: what was observed, byte for byte, in the order of its arrival.

Promises, which `tests/conformance/test_tape.py` holds every adapter to, one test each:

1. Positions grow over all sources, 1, 2, 3 …, and name one frame for good. After a crash they go on
   at a distance, so that a position which somebody noted before is never given to another frame.
   Frames that are given together have positions in a row.
2. Nothing is refused for its content: any bytes, an empty frame, a time before the last one's.
3. What is read equals what was appended, byte for byte, any range, any choice of sources. Opening
   a tape changes nothing; only the first frame appended does.
4. A sealed segment carries a checksum; `verify` names every segment that does not match its own.
5. Over its quota a tape deletes its oldest sealed segments, and nothing else; it keeps the newest.
6. A crash costs at most the frames of the last tenth of a second: the tail of unsealed segments.
7. A full disk loses frames, which are counted, and never raises at the one who appends.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant

_SOURCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One observation: what came, from where, when it arrived, and where on the tape it stands."""

    position: int
    source: str  # letters, digits, ".", "_" and "-": "binance", "binance.BTCUSDT"
    at: Instant
    raw: bytes


class Tape(Protocol):
    """Safe to call from any thread. `append` never waits for a disk."""

    @property
    def position(self) -> int:
        """Of the last frame, or behind it where a crash made room; 0 where there is none."""
        ...

    @property
    def lost(self) -> int:
        """How many frames could not be kept since this tape was opened."""
        ...

    def sources(self) -> list[str]:
        """Of what there are frames."""
        ...

    def append(self, source: str, at: Instant, raw: bytes) -> int:
        """Keep `raw` and give its position. Raises `Invalid` for a source that is no name."""
        ...

    def append_all(self, source: str, at: Instant, raws: Sequence[bytes]) -> int:
        """As `append` of each, at one time, with no other frame between them; the last position."""
        ...

    def read(
        self, after: int = 0, limit: int = -1, sources: Collection[str] | None = None
    ) -> Iterator[Frame]:
        """Frames behind position `after`, in order; `limit` below zero means all of them."""
        ...

    def seal(self) -> None:
        """Close every open segment and write its checksum."""
        ...

    def verify(self) -> list[str]:
        """What is wrong with which sealed segment; empty where all match their checksums."""
        ...

    def close(self) -> None:
        """Seal, and let go of files and threads."""
        ...


def check_source(source: str) -> None:
    """Raises `Invalid` for what cannot be the name of a folder everywhere."""
    if not _SOURCE.fullmatch(source):
        raise Invalid(f"source is {source[:70]!r}, must be letters, digits, '.', '_' and '-'")
