"""What a session has said, kept in memory: enough where nothing must survive the process."""

from bisect import bisect_left
from collections.abc import Iterator


class SentInMemory:
    """All of it, or the last `keep_max` messages; older ones are filled as gaps."""

    def __init__(self, keep_max: int = 0) -> None:
        self._numbers: list[int] = []
        self._raw: list[bytes] = []
        self._keep_max = keep_max

    def keep(self, seq_num: int, raw: bytes) -> None:
        self._numbers.append(seq_num)
        self._raw.append(raw)
        if self._keep_max and len(self._raw) > 2 * self._keep_max:
            del self._numbers[: -self._keep_max], self._raw[: -self._keep_max]

    def between(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        begin = bisect_left(self._numbers, first)
        end = bisect_left(self._numbers, last + 1)
        yield from zip(self._numbers[begin:end], self._raw[begin:end], strict=True)

    def clear(self) -> None:
        self._numbers.clear()
        self._raw.clear()
