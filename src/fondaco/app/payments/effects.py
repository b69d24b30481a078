"""What must be done at the provider because a stream has decided it: refunds, evidence of disputes,
payouts, and the end of checkouts that nobody has paid. Done at least once, under the stream's own
key: so exactly once.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from fondaco.app.house import Kernel
from fondaco.app.payments.books import BooksDesk
from fondaco.app.payments.desk import PaymentsDesk, Reading
from fondaco.app.payments.intake import Hearing
from fondaco.app.say import say
from fondaco.domain.payments import store
from fondaco.domain.payments.disputes import store as disputes
from fondaco.domain.payments.events import (
    EvidenceAsked,
    ExpirePurchase,
    FailRefund,
    PayoutOrdered,
    RecordEvidence,
    RefundAsked,
    SettlePayout,
)
from fondaco.domain.payments.model import (
    PREFIX,
    Notice,
    Payout,
    minor_of,
    payout_stream,
    purchase_stream,
    step_of,
)
from fondaco.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from fondaco.kernel.event import CommandId, Entry, StreamId, message_id
from fondaco.ports.payments import EvidenceAsk, PaymentsProvider, PayoutAsk, RefundAsk

LOOK_EVERY_S: Final = 15.0  # for what was left undone: by a crash, or a provider that was away
GRACE_NS: Final = 5_000_000_000  # the provider closes its page first


class Effects:
    """Belongs to the loop's thread."""

    def __init__(
        self,
        kernel: Kernel,
        desk: PaymentsDesk,
        intake: Hearing,
        provider: PaymentsProvider,
        reading: Reading,
        died: Callable[["asyncio.Task[None]"], None],
        where: Callable[[str, str, str, str], str],
    ) -> None:
        """`where` a payout goes: of its id, tenant, user and the provider's name."""
        self._kernel, self._desk, self._intake = kernel, desk, intake
        self._provider, self._reading, self._died = provider, reading, died
        self._where = where
        self.compares_days = True  # each day's books, by itself
        self.books = BooksDesk(kernel, desk, reading, self.learn)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        kernel.listeners.append(self.hear)

    def hear(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry.event, RefundAsked):
                self._begin(self._refund, entry.stream.removeprefix(PREFIX))
            elif isinstance(entry.event, EvidenceAsked):
                self._begin(self._evidence, entry.stream.removeprefix(PREFIX))
            elif isinstance(entry.event, PayoutOrdered):
                self._begin(self._pay_out, entry.event.payout_id)

    def _begin(self, act: Callable[[str], Coroutine[Any, Any, None]], name: str) -> None:
        """One thing at a time of each stream; what comes meanwhile is looked for again."""
        if name in self._under_way:
            return

        async def done() -> None:
            try:
                await act(name)
            except Unavailable as error:
                say(f"{self._provider.name} cannot be asked about {name} now: {error.message}")

        task = self._under_way[name] = asyncio.create_task(done(), name="payments")
        task.add_done_callback(lambda _: self._under_way.pop(name, None))
        task.add_done_callback(self._died)

    async def run(self) -> None:
        """Look for what is left undone, now and then, until canceled."""
        while True:
            with suppress(Unavailable):  # the views are locked, or the provider is away
                await self.look()
                if self.compares_days:
                    await self.books.daily()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        now = self._kernel.now()

        def find() -> tuple[store.Outstanding, list[str]]:
            with self._reading() as conn:
                return store.outstanding(conn, now - GRACE_NS), disputes.waiting(conn)

        found, disputed = await asyncio.to_thread(find)
        for name in disputed:
            self._begin(self._evidence, name)
        for name in found.refunds:
            self._begin(self._refund, name)
        for name in found.payouts:
            self._begin(self._pay_out, name)
        for name in found.checkouts:
            self._begin(self._close, name)

    def end(self, purchase_id: str) -> None:
        """Have the time of its checkout be over."""
        self._begin(self._close, purchase_id)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._under_way)

    async def settle(self) -> None:
        """Wait for all that is under way."""
        while self._under_way:
            await asyncio.wait(list(self._under_way.values()))

    async def close(self) -> None:
        """What is under way is done when the house is there again."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- Each of them -----------------------------------------------------------------------------

    async def _refund(self, purchase_id: str) -> None:
        state = await self._desk.state(purchase_id)
        stream = purchase_stream(purchase_id)
        for refund_id, each in list(state.refunds.items()):
            if each.state != "asked" or each.reference:
                continue
            ask = RefundAsk(
                refund_id, purchase_id, state.payment, minor_of(each.amount, state.currency),
                state.currency,
            )  # fmt: skip
            try:
                made = await self._provider.refund(ask)
            except (Invalid, Conflict) as error:
                now = self._kernel.now()
                fail = FailRefund(CommandId(f"no/{now}"), now, refund_id, error.message[:200])
                await self._kernel.submit(stream, fail)
                continue
            if made.state == "pending":
                continue  # its message comes later
            kind: Any = "refunded" if made.state == "done" else "refund_failed"
            notice = Notice(
                "", kind, state.payment, "", each.amount, state.currency, made.reference,
                refund_id, made.reason,
            )  # fmt: skip
            await self._intake.note(purchase_id, notice)

    async def _evidence(self, purchase_id: str) -> None:
        state = await self._desk.state(purchase_id)
        for dispute, each in list(state.disputes.items()):
            if each.evidence != "asked" or each.said is None or each.state != "open":
                continue
            said, reason = each.said, ""
            ask = EvidenceAsk(each.evidence_id, dispute, said.product, said.activity, said.text)
            try:
                await self._provider.submit_evidence(ask)
            except (Invalid, Conflict) as error:
                reason = error.message[:200]
            now = self._kernel.now()
            command = RecordEvidence(
                CommandId(f"evidence/{now}"), now, each.evidence_id, dispute, reason
            )
            await self._kernel.submit(purchase_stream(purchase_id), command)

    async def _pay_out(self, payout_id: str) -> None:
        stream = payout_stream(payout_id)
        memory = await self._desk.memory(stream)
        state: Payout | None = memory.state if memory else None
        if state is None or state.state != "ordered":
            return
        reference = reason = ""
        try:
            amount = minor_of(state.amount, state.currency)
            to = state.destination or await asyncio.to_thread(
                self._where, payout_id, state.tenant, state.user, self._provider.name
            )
            ask = PayoutAsk(payout_id, amount, state.currency, to)
            made = await self._provider.pay_out(ask)
            reference, reason = made.reference, made.reason
            if made.state == "pending":
                return
        except (Invalid, Conflict) as error:
            reason = error.message[:200]
        # Told by the order, so of its trace; who tells it again after a crash is not heard twice.
        ordered = await asyncio.to_thread(self._ordered, stream)
        told = message_id(stream, ordered)
        command = SettlePayout(told, self._kernel.now(), reference, reason, "")
        await self._kernel.submit(stream, command)

    def _ordered(self, stream: StreamId) -> int:
        """The version of the entry that has ordered it."""
        entries = self._kernel.journal.read(stream)
        return next(each.version for each in entries if isinstance(each.event, PayoutOrdered))

    async def _close(self, purchase_id: str) -> None:
        """Its time is over; but perhaps it was paid, and the message of that is lost."""
        state = await self._desk.state(purchase_id)
        if state.stage not in ("opened", "checkout"):
            return
        reason = "expired"
        if state.session:
            try:
                found = await self._provider.expire_checkout(state.session)
            except NotFound as error:
                reason = error.message[:200]
            else:
                if await self.learn(purchase_id, found) or found.state != "expired":
                    return
        now = self._kernel.now()
        command = ExpirePurchase(CommandId(f"over/{now}"), now, reason)
        await self._kernel.submit(purchase_stream(purchase_id), command)

    async def learn(self, purchase_id: str, found: Any) -> bool:
        """Have the purchase hear that its checkout was paid, as far as it was."""
        if not found.is_paid:
            return False
        notice = Notice(
            "", "paid", found.payment, found.session,
            found.amount * step_of(found.currency), found.currency,
        )  # fmt: skip
        await self._intake.note(purchase_id, notice)
        return True
