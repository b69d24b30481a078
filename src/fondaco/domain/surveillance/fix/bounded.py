# cython: initializedcheck=False
# mypy: disable-error-code="untyped-decorator,no-any-return,unused-ignore"
"""Memory that ends: what a sensor remembers for months, whoever tries to fill it. Hot."""

from collections import deque
from typing import Any

try:
    import cython
except ImportError:  # pragma: no cover - the machine decides
    from fondaco.kernel import nocython as cython  # type: ignore[no-redef]

COMPILED = cython.compiled
KEYS_MAX = 20_000  # of what strangers choose: addresses, names, symbols
TIMES_MAX = 20_000  # within one window, after which its count stands still


@cython.final
@cython.cclass
class Lately:
    """A mapping that forgets what was not asked for lately; at most `limit` keys.

    Two generations: the young one fills up to half the limit, then it becomes the old one, whose
    rest is dropped. So nothing is ever searched for the oldest key.
    """

    _half = cython.declare(cython.Py_ssize_t)
    _young = cython.declare(dict)
    _old = cython.declare(dict)

    def __init__(self, limit: int = KEYS_MAX) -> None:
        self._half = max(limit // 2, 1)
        self._young = {}
        self._old = {}

    def __len__(self) -> int:
        return len(self._young) + sum([key not in self._young for key in self._old])

    def __contains__(self, key: object) -> bool:
        return key in self._young or key in self._old

    def get(self, key: object) -> Any:
        """The value, which is then lately asked for; or None."""
        found = self._young.get(key)
        if found is None and self._old:
            found = self._old.get(key)
            if found is not None:
                self._put(key, found)
        return found

    def __setitem__(self, key: object, value: object) -> None:
        self._put(key, value)

    def setdefault(self, key: object, value: Any) -> Any:
        found = self.get(key)
        if found is None:
            self._put(key, value)
            found = value
        return found

    def pop(self, key: object) -> None:
        """Forget a key, which need not be known."""
        self._young.pop(key, None)
        if self._old:
            self._old.pop(key, None)

    @cython.cfunc
    def _put(self, key: object, value: object) -> None:
        if len(self._young) >= self._half and key not in self._young:
            self._old = self._young
            self._young = {}
        self._young[key] = value


@cython.final
@cython.cclass
class Window:
    """How often something happened within a span, for any number of keys."""

    _span = cython.declare(cython.longlong)
    _times = cython.declare(Lately)

    def __init__(self, span: int) -> None:
        self._span = span
        self._times = Lately()

    def add(self, key: object, at: cython.longlong) -> int:
        """Count one, and say how many there are now."""
        times = self._times.get(key)
        if times is None:
            times = deque(maxlen=TIMES_MAX)
            self._times[key] = times
        if times and at < times[-1] - self._span:  # a log goes back
            times.clear()
        times.append(at)
        while at - times[0] > self._span:
            times.popleft()
        return len(times)

    def clear(self, key: object) -> None:
        self._times.pop(key)
