"""The tape in a list, for tests and simulation. Seals nothing, survives nothing, has no quota."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from threading import RLock

from fondaco.kernel.event import Instant
from fondaco.ports.tape import Frame, check_source


class MemoryTape:
    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._sources: set[str] = set()
        self._lock = RLock()

    @property
    def position(self) -> int:
        return len(self._frames)

    @property
    def lost(self) -> int:
        return 0

    def sources(self) -> list[str]:
        return sorted(self._sources)

    def append(self, source: str, at: Instant, raw: bytes) -> int:
        if source not in self._sources:
            check_source(source)
            self._sources.add(source)
        with self._lock:
            position = len(self._frames) + 1
            self._frames.append(Frame(position, source, at, bytes(raw)))
        return position

    def append_all(self, source: str, at: Instant, raws: Sequence[bytes]) -> int:
        with self._lock:
            for raw in raws:
                self.append(source, at, raw)
            return self.position

    def read(
        self, after: int = 0, limit: int = -1, sources: Collection[str] | None = None
    ) -> Iterator[Frame]:
        frames = islice(self._frames, after, self.position)
        chosen = (frame for frame in frames if sources is None or frame.source in sources)
        return chosen if limit < 0 else islice(chosen, limit)

    def seal(self) -> None:
        return

    def verify(self) -> list[str]:
        return []

    def close(self) -> None:
        return
