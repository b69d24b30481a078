"""How often somebody may guess. A file of its own because it has state, which is kept in memory.

Guesses are counted per user and place: a device that has signed in before counts by itself, and
everybody else by address. So whoever fails from elsewhere cannot keep a person out of their own
device (OWASP, device cookies). Guesses at one user from all unknown places together are counted,
too, with more patience, and hold up unknown places alone. No wait is longer than a quarter of an
hour.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from fondaco.domain.identity.model import TooMany
from fondaco.kernel.event import Instant

FREE: Final = 5  # guesses before the first wait
FREE_TOGETHER: Final = 50  # at one user, from unknown places
WAIT_MAX_S: Final = 900
FORGOTTEN_NS: Final = 86_400 * 1_000_000_000
COUNTED_MAX: Final = 20_000
SECOND_NS: Final = 1_000_000_000


class _Count:
    __slots__ = ("failures", "last", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.last = 0
        self.until = 0


class Attempts:
    def __init__(self, clock: Callable[[], Instant]) -> None:
        self._clock = clock
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def check(self, user: str, address: str, device: str) -> None:
        """Raises `TooMany`, the same for users that there are and for others."""
        now = self._clock()
        for place, _ in _places(user, address, device):
            count = self._counts.get(place)
            if count is not None and now < count.until:
                wait_s = -(-(count.until - now) // SECOND_NS)
                raise TooMany(
                    f"too many wrong passwords or codes: try again in {wait_s} s",
                    code="rate_limited",
                    retry_after_s=wait_s,
                )

    def failed(self, user: str, address: str, device: str) -> bool:
        """Whether from now on somebody must wait who need not before."""
        now, waits = self._clock(), False
        for place, free in _places(user, address, device):
            count = self._counts.setdefault(place, _Count())
            if now - count.last > FORGOTTEN_NS:
                count.failures = 0
            count.failures += 1
            count.last = now
            self._counts.move_to_end(place)
            beyond = count.failures - free
            if beyond >= 0:
                count.until = now + min(2 ** min(beyond, 20), WAIT_MAX_S) * SECOND_NS
                waits = waits or beyond == 0
        while len(self._counts) > COUNTED_MAX:
            self._counts.popitem(last=False)
        return waits

    def succeeded(self, user: str, address: str, device: str) -> None:
        """Of this place alone: what others guess goes on counting."""
        place, _ = _places(user, address, device)[0]
        self._counts.pop(place, None)


def _places(user: str, address: str, device: str) -> list[tuple[str, int]]:
    """Where a guess is counted, and how many are free there."""
    if device:
        return [(f"{user}|device|{device}", FREE)]
    return [(f"{user}|from|{address}", FREE), (f"{user}|", FREE_TOGETHER)]
