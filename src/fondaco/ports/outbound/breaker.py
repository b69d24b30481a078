"""A circuit breaker: who fails half of the time is left alone for a while (Nygard, *Release It!*).

Closed, it counts calls and failures of the last minute in slots of ten seconds. Open, it refuses.
Half open, it lets one call through, then two, then four; when all seven succeed it closes. Pure but
for what it remembers: the time is an argument, in nanoseconds that never go back.
"""

from typing import Final, NamedTuple

from fondaco.kernel.errors import Unavailable
from fondaco.ports.outbound import State

_SECOND: Final = 1_000_000_000


class Terms(NamedTuple):
    calls_min: int = 4  # of fewer, a half says nothing
    slot_ns: int = 10 * _SECOND
    slots: int = 6
    open_ns: int = 30 * _SECOND
    open_max_ns: int = 960 * _SECOND  # doubled five times
    steps: int = 3  # half open: 1, 2 and 4 calls


USUAL: Final = Terms()


class Breaker:
    """`enter` before a call, `leave` after it with the permit that was given."""

    def __init__(self, place: str, terms: Terms = USUAL) -> None:
        self.place = place
        self.opened = 0
        self._terms = terms
        self._slots: dict[int, list[int]] = {}  # number of the slot -> [calls, failures]
        self._open_until = 0  # 0: closed
        self._open_ns = terms.open_ns
        self._step = 0
        self._under_way = self._succeeded = 0  # of the calls of this step
        self._permit = 1  # another one after each change of state: who is late tells nothing

    def state(self, now: int) -> State:
        if not self._open_until:
            return "closed"
        return "open" if now < self._open_until else "half_open"

    def wait_ns(self, now: int) -> int:
        """Until a call may go through; 0 where one may now."""
        if not self._open_until:
            return 0
        if now < self._open_until:
            return self._open_until - now
        is_full = self._under_way + self._succeeded >= 1 << self._step
        return _SECOND if is_full else 0

    def enter(self, now: int) -> int:
        """Raises `Unavailable`, code "circuit_open", with how long to wait."""
        wait_ns = self.wait_ns(now)
        if wait_ns:
            calls, failures = self.counts(now)
            wait_s = -(-wait_ns // _SECOND)
            raise Unavailable(
                f"{self.place} is left alone after failing: ask again in {wait_s} s",
                code="circuit_open",
                place=self.place,
                calls=calls,
                failures=failures,
                retry_after_s=wait_s,
            )
        if self._open_until:
            self._under_way += 1
        return self._permit

    def leave(self, permit: int, now: int, *, ok: bool | None) -> None:
        """`ok` is None for a call that was given up before anybody could know."""
        if permit != self._permit:
            return  # it began before the state changed
        if self._open_until:
            self._probed(now, ok)
        elif ok is not None:
            slot = self._slots.setdefault(now // self._terms.slot_ns, [0, 0])
            slot[0] += 1
            slot[1] += not ok
            calls, failures = self.counts(now)
            if not ok and calls >= self._terms.calls_min and 2 * failures >= calls:
                self._open(now)

    def counts(self, now: int) -> tuple[int, int]:
        """Calls and failures of the last minute; of the one before it opened, where it is open."""
        if not self._open_until:
            oldest = now // self._terms.slot_ns - self._terms.slots
            for number in [each for each in self._slots if each <= oldest]:
                del self._slots[number]
        slots = self._slots.values()
        return sum(slot[0] for slot in slots), sum(slot[1] for slot in slots)

    def _probed(self, now: int, ok: bool | None) -> None:
        self._under_way -= 1
        if ok is False:
            self._open_ns = min(2 * self._open_ns, self._terms.open_max_ns)
            self._open(now)
        elif ok:
            self._succeeded += 1
            if self._succeeded == 1 << self._step:
                self._step += 1
                self._succeeded = 0
                if self._step == self._terms.steps:
                    self._close()

    def _open(self, now: int) -> None:
        self.opened += 1
        self._open_until = now + self._open_ns
        self._step = self._under_way = self._succeeded = 0
        self._permit += 1

    def _close(self) -> None:
        self._open_until = 0
        self._open_ns = self._terms.open_ns
        self._slots.clear()
        self._permit += 1
