"""Messages as the tape of FIX sessions has them, for those who follow it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from fondaco.domain.fix.search.model import Asked, Direction
from fondaco.gateway.fix.ends import Ends
from fondaco.gateway.fix.keeping import AGAIN, CONNECTED, ENDED, RECEIVED, SENT
from fondaco.ports.tape import Frame

_KINDS: Final[Mapping[bytes, tuple[Direction, int]]] = {  # and where the message begins
    RECEIVED: ("in", 1),
    SENT: ("out", 9),
    AGAIN: ("out", 1),
}


class Made(NamedTuple):
    """A session's connection was made, or it ended where `ends` is None."""

    at: int
    session: str
    ends: Ends | None


class Taped:
    """Reads frames of a tape in `folder`, and knows whose they are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, str] = {}

    def messages(self, frames: Iterable[Frame]) -> Iterator[tuple[int, Asked]]:
        """Positions and messages, whose secrets are in them; other frames are passed over."""
        for frame in frames:
            kind = _KINDS.get(frame.raw[:1])
            if kind is not None:
                direction, begin = kind
                name = self.session(frame.source)
                yield frame.position, Asked(frame.at, name, direction, frame.raw[begin:])

    def connections(self, frames: Iterable[Frame]) -> Iterator[tuple[int, Made]]:
        """Positions and the connections that were made or ended there."""
        for frame in frames:
            kind = frame.raw[:1]
            if kind in (CONNECTED, ENDED):
                ends = msgspec.json.decode(frame.raw[1:], type=Ends) if kind == CONNECTED else None
                yield frame.position, Made(frame.at, self.session(frame.source), ends)

    def session(self, source: str) -> str:
        """The name of the session whose source that is, as the house has noted it."""
        name = self._names.get(source)
        if name is None:
            place = name_file(self._folder, source)
            name = self._names[source] = place.read_text() if place.exists() else source
        return name


def name_file(folder: Path, source: str) -> Path:
    """Where the name of a session stands, for whoever finds its source on the tape."""
    return folder / f"{source}.name"
