"""What time has to do with beside the kernel: checkouts that nobody pays, approvals that nobody
gives."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from fondaco.app.approvals import ApprovalsDesk
from fondaco.app.house import Kernel
from fondaco.app.payments.effects import GRACE_NS, Effects
from fondaco.app.payments.part import PaymentsPart
from fondaco.app.test_clock.advancing import Works
from fondaco.app.test_clock.kernel import Timer
from fondaco.domain.payments import store
from fondaco.domain.payments.events import CheckoutOpened, PurchaseOpened
from fondaco.domain.payments.model import PREFIX
from fondaco.kernel.event import Entry, Event, Instant, StreamId
from fondaco.runtime.deadlines import NEVER, Deadlines

_OPENED: Final[tuple[type[Event], ...]] = (PurchaseOpened, CheckoutOpened)


class Checkouts:
    """`part` is looked at when it is needed: a house has it later than its clock."""

    def __init__(self, part: Callable[[], PaymentsPart]) -> None:
        self._part = part
        self._due = Deadlines()

    def arm(self, open_ones: Sequence[tuple[str, int]]) -> None:
        """Those that were opened before, by name, and when they expire."""
        for name, at in open_ones:
            self._due.add(Instant(at + GRACE_NS), StreamId(PREFIX + name))

    def hear(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry.event, _OPENED):
                event: Any = entry.event
                self._due.add(Instant(event.expires_at + GRACE_NS), entry.stream)

    @property
    def nearest(self) -> Instant:
        return self._due.nearest

    def upcoming(self, limit: int) -> list[Timer]:
        return [Timer(at, "end of a checkout", each) for at, each in self._due.upcoming(limit)]

    async def fire(self, now: Instant) -> None:
        part = self._part()
        effects: Effects | None = part.effects
        for stream in self._due.pop_due(now):
            if effects is not None:
                effects.end(stream.removeprefix(PREFIX))
        await self.settle()

    async def settle(self) -> None:
        """Until what is under way is done, and the provider has told all that it has to tell."""
        part = self._part()
        if part.effects is None:
            return
        await part.effects.settle()
        if part.sandbox is not None and part.intake is not None:
            await part.sandbox.settle()
        await part.effects.settle()


class Approvals:
    """Cases that wait for a second person, until they are too old."""

    def __init__(self, desk: ApprovalsDesk) -> None:
        self._desk = desk

    @property
    def nearest(self) -> Instant:
        return min((at for at, _ in self._desk.expiring()), default=NEVER)

    def upcoming(self, limit: int) -> list[Timer]:
        found = [Timer(at, "end of an approval", each) for at, each in self._desk.expiring()]
        return sorted(found)[:limit]

    async def fire(self, now: Instant) -> None:  # as the house's clock says
        await self._desk.tick()

    async def settle(self) -> None:
        pass


class House(Protocol):
    """What of a house is needed here."""

    approvals: ApprovalsDesk
    payments: PaymentsPart
    kernel: Kernel

    def reading(self) -> AbstractContextManager[Any]: ...


async def works_of(house: House) -> list[Works]:
    """Of a house whose views show what was written."""

    def look() -> list[tuple[str, int]]:
        with house.reading() as conn:
            return store.expiring(conn)

    checkouts = Checkouts(lambda: house.payments)
    checkouts.arm(await asyncio.to_thread(look))
    house.kernel.listeners.append(checkouts.hear)
    return [checkouts, Approvals(house.approvals)]
