"""Memory that ends: what a sensor remembers for months, whoever tries to fill it."""

from collections import deque
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

KEYS_MAX: Final = 20_000  # of what strangers choose: addresses, names, symbols
TIMES_MAX: Final = 20_000  # within one window, after which its count stands still


class Lately(Generic[K, V]):
    """A mapping that forgets what was not asked for lately; at most `limit` keys.

    Two generations: the young one fills up to half the limit, then it becomes the old one, whose
    rest is dropped. So nothing is ever searched for the oldest key.
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, limit: int = KEYS_MAX) -> None:
        self._half = max(limit // 2, 1)
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young) + sum(key not in self._young for key in self._old)

    def __contains__(self, key: K) -> bool:
        return key in self._young or key in self._old

    def get(self, key: K) -> V | None:
        """The value, which is then lately asked for; or None."""
        found = self._young.get(key)
        if found is None and self._old:
            found = self._old.get(key)
            if found is not None:
                self[key] = found
        return found

    def __setitem__(self, key: K, value: V) -> None:
        young = self._young
        if len(young) >= self._half and key not in young:
            self._old = young
            young = self._young = {}
        young[key] = value

    def setdefault(self, key: K, value: V) -> V:
        found = self.get(key)
        if found is None:
            self[key] = found = value
        return found

    def pop(self, key: K) -> None:
        """Forget a key, which need not be known."""
        self._young.pop(key, None)
        self._old.pop(key, None)


class Window:
    """How often something happened within a span, for any number of keys."""

    __slots__ = ("_span", "_times")

    def __init__(self, span: int) -> None:
        self._span = span
        self._times: Lately[object, deque[int]] = Lately()

    def add(self, key: object, at: int) -> int:
        """Count one, and say how many there are now."""
        times = self._times.get(key)
        if times is None:
            times = self._times[key] = deque(maxlen=TIMES_MAX)
        if times and at < times[-1] - self._span:  # a log goes back
            times.clear()
        times.append(at)
        while at - times[0] > self._span:
            times.popleft()
        return len(times)

    def clear(self, key: object) -> None:
        self._times.pop(key)
