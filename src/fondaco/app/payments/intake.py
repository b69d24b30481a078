"""What a payment provider tells us: kept first, then believed if it is signed, then decided.

The raw message is on the tape, synced, before anything looks into it. It is answered with 200 once
what it says is durable, so that the provider tells again whatever we may have lost; a message that
comes again, or behind a later one, does nothing twice: the purchase's stream knows the provider's
name of each, and what became of it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from fondaco.app.house import Kernel
from fondaco.app.payments.desk import Reading
from fondaco.app.say import say
from fondaco.domain.identity.model import Action
from fondaco.domain.payments import store
from fondaco.domain.payments.events import HearNotice, PaymentMismatched, SettlePayout
from fondaco.domain.payments.model import Notice, payout_stream, purchase_stream, step_of
from fondaco.kernel.errors import Denied, FondacoError, NotFound, Unavailable
from fondaco.kernel.event import CommandId, Instant, fingerprint, request_id
from fondaco.ports.payments import Headers, PaymentsProvider, Said, signatures
from fondaco.ports.tape.segments import SegmentTape

SOURCE: Final = "payments."
SECOND_NS: Final = 1_000_000_000
_NO_TIME: Final = Instant(0)
HEARD: Final = Action("payments.webhook", "", reads=False, second=False)
_KEPT: Final = (signatures.HEADER, "content-type", "user-agent")


class Hearing:
    """Belongs to the loop's thread. `denied` is told of what nobody has signed."""

    def __init__(
        self,
        kernel: Kernel,
        reading: Reading,
        tape: SegmentTape,
        provider: PaymentsProvider,
        denied: Callable[[None, Action, FondacoError, str], None],
    ) -> None:
        self._kernel, self._reading, self._tape = kernel, reading, tape
        self._provider, self._denied = provider, denied
        self.heard = 0
        self.refused = 0  # no secret of ours has signed them
        self.strange = 0  # of nothing that was bought here
        self.mismatched = 0

    async def take(self, provider: str, headers: Headers, raw: bytes) -> str:
        """What it was: "heard", or "ignored". Raises `Denied` for what is not signed, `NotFound`
        for another provider, `Invalid` for what cannot be read, `Unavailable` where it cannot be
        kept: then nothing has heard it."""
        if provider != self._provider.name:
            raise NotFound(f"this house has no payment provider {provider[:40]}")
        now, lost = self._kernel.now(), self._tape.lost
        self._tape.append(SOURCE + provider, now, as_kept(headers, raw))
        if self._tape.lost != lost:
            raise Unavailable("the tape of payments has no room; the provider tells again")
        await asyncio.to_thread(self._tape.sync)  # several that wait share one
        try:
            said = self._provider.said(headers, raw, now / 1e9)
        except Denied as error:
            self.refused += 1
            say(f"a message to /payments/webhooks/{provider} is not believed: {error.message}")
            self._denied(None, HEARD, error, "rest")
            raise
        self.heard += 1
        if said is None:
            return "ignored"
        return await self._hear(said)

    async def _hear(self, said: Said) -> str:
        if said.kind == "payout_failed":
            return await self._payout(said)
        purchase_id = said.purchase_id or await self._purchase_of(said.payment)
        if not is_ours(purchase_id):
            self.strange += 1
            return "ignored"
        await self.note(purchase_id, notice_of(said), Instant(said.due_s * SECOND_NS))
        return "heard"

    async def note(self, purchase_id: str, notice: Notice, due_at: Instant = _NO_TIME) -> None:
        """Have the purchase hear it; returns once that is durable."""
        now = self._kernel.now()
        command_id = CommandId(f"asked/{now}")
        if notice.notice:  # the provider's own name for it
            key = f"!payment/{self._provider.name}/{notice.notice}"
            command_id = request_id(key, fingerprint(notice))
        command = HearNotice(command_id, now, notice, due_at)
        for entry in await self._kernel.submit(purchase_stream(purchase_id), command):
            if isinstance(entry.event, PaymentMismatched):
                self.mismatched += 1
                event = entry.event
                say(
                    f"PAYMENTS DIFFER: {purchase_id} {event.what}: expected {event.expected}, "
                    f"{self._provider.name} says {event.found} ({event.payment})"
                )

    async def _payout(self, said: Said) -> str:
        if not said.payout_id:
            self.strange += 1
            return "ignored"
        now = self._kernel.now()
        key = f"!payment/{self._provider.name}/{said.notice}"
        command = SettlePayout(
            request_id(key, said.reference), now, said.reference, said.reason or "failed",
            said.notice,
        )  # fmt: skip
        await self._kernel.submit(payout_stream(said.payout_id), command)
        return "heard"

    async def _purchase_of(self, payment: str) -> str:
        """A dispute names the payment alone."""
        if not payment:
            return ""

        def look() -> str:
            with self._reading() as conn:
                return store.named(conn, payment)

        return await asyncio.to_thread(look) or await self._provider.purchase_of(payment)


def notice_of(said: Said) -> Notice:
    """Raises `Invalid` for a currency that nothing is sold in."""
    step = step_of(said.currency) if said.currency else 0
    return Notice(
        said.notice,
        said.kind,  # type: ignore[arg-type]  # all but "payout_failed", which goes another way
        said.payment,
        said.session,
        said.amount * step,
        said.currency,
        said.reference,
        said.refund_id,
        said.reason,
        said.fee * step,
    )


def is_ours(purchase_id: str) -> bool:
    name = purchase_id.removeprefix("pu_")
    return len(name) == 24 and purchase_id != name and not name.strip("0123456789abcdef")


def as_kept(headers: Headers, raw: bytes) -> bytes:
    """As it came: the headers that it is verified with, an empty line, and the body's own bytes."""
    lines = [f"{name}: {headers[name]}" for name in _KEPT if name in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + raw


def from_tape(frame: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of what `as_kept` wrote."""
    if frame.startswith(b"\r\n"):  # it came without any of them
        return {}, frame[2:]
    head, _, raw = frame.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    return dict(line.split(": ", 1) for line in lines if ": " in line), raw
