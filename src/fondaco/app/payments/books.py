"""The provider's books beside ours: each day by itself, and whenever somebody asks."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

from fondaco.app.house import Kernel
from fondaco.app.payments.desk import NO_PROVIDER, PaymentsDesk, Reading
from fondaco.app.say import say
from fondaco.domain.payments import api, store
from fondaco.domain.payments.model import Purchase, amount_text, step_of
from fondaco.domain.payments.reconciling import BookLine, Reconciled, reconciled
from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.kernel.event import Instant
from fondaco.kernel.instants import parsed_day
from fondaco.ports.payments import Checkout, Moved

DAY_NS: Final = 86_400_000_000_000
SECOND_NS: Final = 1_000_000_000
# What is only ours: nothing moves when a dispute is lost that had taken the money before.
_OURS_ALONE: Final = "dispute_lost"


Learn: TypeAlias = Callable[[str, Checkout], Awaitable[bool]]


class BooksDesk:
    """Belongs to the loop's thread."""

    def __init__(self, kernel: Kernel, desk: PaymentsDesk, reading: Reading, learn: Learn) -> None:
        """`learn` has a purchase hear what its checkout is now, and says whether it was paid."""
        self._kernel, self._desk, self._reading, self._hear = kernel, desk, reading, learn
        self.wrong = ""  # what the last day's comparison has found, in words
        self._done = 0  # the last day that was compared by itself, counted from 1970

    async def reconciliation(self, day: str, tenant: str) -> api.ReconciliationShown:
        """One day, UTC, as far as it is a tenant's. Raises `Invalid`, `Unavailable`."""
        number = self._day(day)
        found = await self._compare(number, tenant)
        return _shown(number, self._desk.provider.name if self._desk.provider else "", found)

    async def daily(self) -> None:
        """Yesterday, once; a sale whose message is lost is heard of this way."""
        number = self._kernel.now() // DAY_NS - 1
        if number <= self._done or self._desk.provider is None:
            return
        found = await self._compare(number, None)
        for line in found.missing_here:
            if line.kind == "sale" and await self._learn(line):
                say(f"a message of {line.reference} was lost; it is paid all the same")
        self._done, self.wrong = number, ""
        if not found.is_right:
            self.wrong = (
                f"{_text(number)}: {len(found.missing_here)} missing here, "
                f"{len(found.missing_there)} there, {len(found.differ)} differ"
            )
            say(f"THE PROVIDER'S BOOKS DIFFER from ours: {self.wrong}; fondaco purchases reconcile")

    async def _learn(self, line: BookLine) -> bool:
        provider = self._desk.provider
        if provider is None or not line.name.startswith("pu_"):
            return False
        state = await self._desk.state(line.name)
        if state.stage in ("new", "completed") or not state.session:
            return False
        found = await provider.checkout(state.session)
        return await self._hear(line.name, found)

    async def _compare(self, number: int, tenant: str | None) -> Reconciled:
        provider = self._desk.provider
        if provider is None:
            raise Unavailable(NO_PROVIDER, code="no_provider")
        since, until = Instant(number * DAY_NS), Instant((number + 1) * DAY_NS)
        wide = since - DAY_NS, until + DAY_NS
        theirs = [
            _line(each) for each in await provider.moved(wide[0] // SECOND_NS, wide[1] // SECOND_NS)
        ]

        def look() -> list[store.Movement]:
            with self._reading() as conn:
                return store.moved(conn, *wide, provider.name)

        moved = await asyncio.to_thread(look)
        ours = [
            BookLine(each.kind, each.reference, each.amount, each.currency, each.at, each.name)
            for each in moved
            if each.kind != _OURS_ALONE and tenant in (None, each.tenant)
        ]
        if tenant is not None:
            of = {each.reference: each.tenant for each in moved}
            theirs = [
                each for each in theirs if await self._is_of(each, of.get(each.reference), tenant)
            ]
        return reconciled(ours, theirs, since, until)

    async def _is_of(self, line: BookLine, known: str | None, tenant: str) -> bool:
        """What nobody here knows is everybody's to look at."""
        if known is None and line.name.startswith("pu_"):
            state: Purchase = await self._desk.state(line.name)
            known = state.tenant or None
        return known in (None, tenant)

    def _day(self, text: str) -> int:
        today = datetime.fromtimestamp(self._kernel.now() / SECOND_NS, UTC).date()
        day = parsed_day(text, "day") if text else today - timedelta(days=1)
        if day > today or day.year < 2000:
            raise Invalid(f"day is {day}, must not be in the future, nor before 2000")
        return (day - date(1970, 1, 1)).days


def _line(each: Moved) -> BookLine:
    amount = each.amount * step_of(each.currency)
    at = each.at_s * SECOND_NS
    return BookLine(each.kind, each.reference, amount, each.currency, at, each.purchase_id)


def _text(number: int) -> str:
    return str(date(1970, 1, 1) + timedelta(days=number))


def _shown(number: int, provider: str, found: Reconciled) -> api.ReconciliationShown:
    return api.ReconciliationShown(
        day=_text(number),
        provider=provider,
        is_right=found.is_right,
        compared=found.compared,
        missing_here=[_move(each) for each in found.missing_here],
        missing_there=[_move(each) for each in found.missing_there],
        differ=[
            api.DifferenceShown(
                kind=each.ours.kind,
                reference=each.ours.reference,
                name=each.ours.name or each.theirs.name,
                ours=amount_text(each.ours.amount, each.ours.currency),
                ours_currency=each.ours.currency,
                theirs=amount_text(each.theirs.amount, each.theirs.currency),
                theirs_currency=each.theirs.currency,
            )
            for each in found.differ
        ],
    )


def _move(each: BookLine) -> api.MovementShown:
    return api.MovementShown(
        kind=each.kind,
        reference=each.reference,
        name=each.name,
        amount=amount_text(each.amount, each.currency),
        currency=each.currency,
        at=str(each.at),
    )
