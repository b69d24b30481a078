"""Moves a sandbox's time: from one thing that is due to the next, each at its own time.

It stops where something is due or a price is to be quoted, and nowhere else; and goes on once all
that follows from it is written. So one jump and many small steps are the same.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from fondaco.app.test_clock.clock import MovedClock
from fondaco.app.test_clock.feed import ScriptedFeed
from fondaco.app.test_clock.kernel import SandboxKernel, Timer
from fondaco.domain.identity.test_clock.model import Posted
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import Instant

QUIET_S: Final = 60.0  # by the machine's clock: what takes longer than that will never end
AGAIN_MAX: Final = 10_000  # stops at one instant
LOOK_S: Final = 0.02


class Stuck(Exception):
    """Something was due, and could not be done. `what` and `why` are for whoever reads it."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what, self.why = what, why


class Works(Protocol):
    """Something beside the kernel that time has to do with."""

    @property
    def nearest(self) -> Instant: ...

    def upcoming(self, limit: int) -> list[Timer]: ...

    async def fire(self, now: Instant) -> None:
        """Do what is due at `now`; raises `FondacoError`."""
        ...

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way."""
        ...

    async def settle(self) -> None:
        """Return once nothing is under way."""
        ...


class Advancing:
    """Belongs to the loop's thread. One at a time."""

    def __init__(self, kernel: SandboxKernel, clock: MovedClock, feed: ScriptedFeed) -> None:
        self._kernel, self._clock, self._feed = kernel, clock, feed
        self.works: list[Works] = []
        self.count = 0  # stops of this advance
        self.canceled = False
        self._wrote = asyncio.Event()
        kernel.listeners.append(lambda _: self._wrote.set())

    def upcoming(self, limit: int) -> list[Timer]:
        """What is due next, the nearest first."""
        found = self._kernel.upcoming(limit)
        for each in self.works:
            found += each.upcoming(limit)
        return sorted(found)[:limit]

    async def run(self, to: Instant, prices: Sequence[Posted]) -> None:
        """Until time stands at `to`, or somebody cancels it. `prices` are in the order of their
        time. Raises `Stuck`."""
        self.count, self.canceled = 0, False
        await self._feed.opened.wait()
        for stream, (command, _) in list(self._kernel.failed.items()):  # what had failed before
            del self._kernel.failed[stream]
            self._kernel.ask_again_until_done(stream, command)
        for each in self.works:
            await each.settle()
        await self._quiet()
        played = 0
        while not self.canceled:
            stop = min(self._nearest(), to)
            if played < len(prices):
                stop = min(stop, prices[played].at)
            self._clock.move(stop)
            now = self._clock()
            await self._do(now)
            while played < len(prices) and prices[played].at <= now:
                self._feed.post(prices[played], now)
                played += 1
                await self._quiet()
            if now >= to and played == len(prices) and self._nearest() > now:
                return
            if not self.count % 64:
                await asyncio.sleep(0)  # who asks the house meanwhile is answered

    def _nearest(self) -> Instant:
        return min([self._kernel.nearest, *(each.nearest for each in self.works)])

    async def _do(self, now: Instant) -> None:
        """Everything that is due, and what follows from it."""
        for _ in range(AGAIN_MAX):
            self.count += 1
            self._kernel.turn(now)
            await self._quiet()
            for each in self.works:
                if each.nearest <= now:
                    try:
                        await each.fire(now)
                    except FondacoError as error:
                        raise Stuck(_named(each.upcoming(1)), error.message) from error
                    await self._quiet()
            if self._nearest() > now:
                return
        raise Stuck(_named(self.upcoming(1)), f"it was done {AGAIN_MAX} times, and is due still")

    async def _quiet(self) -> None:
        """Wait until nothing is on its way, neither here nor at those who work for us."""
        await self._heard()
        while busy := [each for each in self.works if not each.is_quiet]:
            for each in busy:
                await each.settle()
            await self._heard()

    async def _heard(self) -> None:
        """Wait until all that was asked is done, and all that was said is heard."""
        kernel, loop = self._kernel, asyncio.get_running_loop()
        until = loop.time() + QUIET_S
        while not kernel.is_quiet:
            if kernel.reactor.stopped:
                stream, error = next(iter(kernel.reactor.stopped.items()))
                raise Stuck(f"a message to {stream}", error.message)
            if loop.time() > until:
                raise Stuck(_named(self.upcoming(1)), f"it was not done within {QUIET_S:.0f} s")
            self._wrote.clear()
            if not kernel.is_quiet:
                try:
                    await asyncio.wait_for(self._wrote.wait(), LOOK_S)
                except TimeoutError:
                    continue
        for stream, (command, failure) in kernel.failed.items():
            raise Stuck(f"{type(command).__name__} to {stream}", failure.message)


def _named(timers: Sequence[Timer]) -> str:
    return f"{timers[0].what} {timers[0].stream}".strip() if timers else "what is due"
