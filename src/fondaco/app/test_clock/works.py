"""What time has to do with beside the kernel: checkouts that nobody pays, approvals that nobody
gives, the provider's books of each day, who is known no longer, and what is kept for so long only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from fondaco.app.approvals import ApprovalsDesk
from fondaco.app.house import Kernel
from fondaco.app.kyc import KycPart
from fondaco.app.outbox import carry
from fondaco.app.payments.books import DAY_NS
from fondaco.app.payments.effects import GRACE_NS, Effects
from fondaco.app.payments.part import PaymentsPart
from fondaco.app.test_clock.advancing import Works
from fondaco.app.test_clock.kernel import Timer
from fondaco.domain.payments import store
from fondaco.domain.payments.events import CheckoutOpened, PurchaseOpened
from fondaco.domain.payments.model import PREFIX
from fondaco.domain.payments.postings import POSTERS
from fondaco.gateway.kept import StoreReplies
from fondaco.kernel.event import Entry, Event, Instant, StreamId
from fondaco.ports.store import Store
from fondaco.runtime.deadlines import NEVER, Deadlines

HOUR_NS: Final = 3_600_000_000_000
_OPENED: Final[tuple[type[Event], ...]] = (PurchaseOpened, CheckoutOpened)
_HOUSE: Final = StreamId("")  # everybody's


class Checkouts:
    """And refunds and payouts, which are done before time goes on. `part` is looked at when it is
    needed: a house has it later than its clock."""

    def __init__(self, part: Callable[[], PaymentsPart]) -> None:
        self._part = part
        self._due = Deadlines()
        self._looked = False

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

    @property
    def is_quiet(self) -> bool:
        effects = self._part().effects
        return effects is None or not effects.is_busy

    async def settle(self) -> None:
        """Until what is under way is done, and the provider has told all that it has to tell. What
        a crash has left undone is done first: at the time at which it was left."""
        part = self._part()
        if part.effects is None:
            return
        if not self._looked:
            await part.effects.look()
            self._looked = True
        await part.effects.settle()
        if part.sandbox is not None and part.intake is not None:
            await part.sandbox.settle()
        await part.effects.settle()


class Idle:
    """Works that have nothing under way between what is due."""

    @property
    def is_quiet(self) -> bool:
        return True

    async def settle(self) -> None:
        pass


class Days(Idle):
    """The provider's books beside ours, at the end of each day on which money has moved."""

    def __init__(
        self,
        part: Callable[[], PaymentsPart],
        seen: Callable[[int], Awaitable[None]],
        today: Instant,
    ) -> None:
        """`seen` returns once the views show a position."""
        self._part, self._seen = part, seen
        self._days = {today // DAY_NS - 1, today // DAY_NS}  # as far as a crash has left them
        self._position = 0

    def hear(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if type(entry.event) in POSTERS:
                self._days.add(entry.at // DAY_NS)
                self._position = entry.position

    @property
    def nearest(self) -> Instant:
        effects = self._part().effects
        return NEVER if effects is None else self._end

    @property
    def _end(self) -> Instant:
        return Instant((min(self._days) + 1) * DAY_NS) if self._days else NEVER

    def upcoming(self, limit: int) -> list[Timer]:
        at = self.nearest
        return [] if at == NEVER else [Timer(at, "reconciliation of a day", _HOUSE)]

    async def fire(self, now: Instant) -> None:
        effects = self._part().effects
        if effects is not None:
            await self._seen(self._position)
            await effects.books.daily()
        self._days = {day for day in self._days if (day + 1) * DAY_NS > now}


class KnownUntil(Idle):
    """Who the house knows, until a day. `told` returns once the journal has what records tell."""

    def __init__(self, kyc: KycPart, told: Callable[[], Awaitable[None]]) -> None:
        self._kyc, self._told = kyc, told

    @property
    def nearest(self) -> Instant:
        return min(self._kyc.expiring(), default=NEVER)

    def upcoming(self, limit: int) -> list[Timer]:
        ends = self._kyc.expiring()
        return sorted(Timer(at, "end of a verification", _HOUSE) for at in ends)[:limit]

    async def fire(self, now: Instant) -> None:
        await asyncio.to_thread(self._kyc.desk.expire)
        await self._told()


class KeptReplies(Idle):
    """Answers under an Idempotency-Key, for as long as the house keeps them."""

    def __init__(self, replies: StoreReplies, kept_ns: int) -> None:
        self._replies, self._kept_ns = replies, kept_ns

    @property
    def nearest(self) -> Instant:
        oldest = self._replies.oldest
        return NEVER if oldest is None else Instant(oldest + self._kept_ns + 1)

    def upcoming(self, limit: int) -> list[Timer]:
        at = self.nearest
        return [] if at == NEVER else [Timer(at, "end of a kept answer", _HOUSE)]

    async def fire(self, now: Instant) -> None:
        await asyncio.to_thread(self._replies.forget, Instant(now - self._kept_ns))


class Approvals(Idle):
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


class House(Protocol):
    """What of a house is needed here."""

    approvals: ApprovalsDesk
    payments: PaymentsPart
    kernel: Kernel
    kyc: KycPart

    def reading(self) -> AbstractContextManager[Any]: ...


async def works_of(
    house: House,
    records: Store,
    replies: StoreReplies,
    seen: Callable[[int], Awaitable[None]],
) -> list[Works]:
    """Of a house whose views show what was written; `seen` waits until they show a position."""
    kernel = house.kernel

    def look() -> list[tuple[str, int]]:
        with house.reading() as conn:
            return store.expiring(conn)

    async def told() -> None:
        while await carry(records, kernel.submit):
            pass

    checkouts = Checkouts(lambda: house.payments)
    checkouts.arm(await asyncio.to_thread(look))
    days = Days(lambda: house.payments, seen, kernel.now())
    for hear in (checkouts.hear, days.hear):
        kernel.listeners.append(hear)
    if (effects := house.payments.effects) is not None:
        effects.compares_days = False  # we do
    kept_ns = kernel.settings.retention_idempotency_h * HOUR_NS
    return [
        checkouts,
        days,
        KnownUntil(house.kyc, told),
        KeptReplies(replies, kept_ns),
        Approvals(house.approvals),
    ]
