"""What a house does before it opens and, while it is open, every second."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Final

from fondaco.app.answering import House
from fondaco.app.arming import Waiting, arm, waiting, watch_equity
from fondaco.app.assessments.arming import watch_assessments
from fondaco.app.outbox import carry
from fondaco.app.paying import pay_contracts
from fondaco.domain.ledger.model import CHECKS_STREAM
from fondaco.gateway.idempotency import Replies
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store

READY_POLL_S: Final = 0.02
OUTBOX_S: Final = 0.5
UPKEEP_S: Final = 1.0
RECORDS_EVERY: Final = 30  # times that long
FORGET_EVERY: Final = 3_600
HOUR_NS: Final = 3_600_000_000_000
FOLLOWER_FAILURES_MAX: Final = 3  # one after the other, at the start


async def arm_house(house: House) -> None:
    """Wait until the views show all that was written before, and take from them what waits."""
    kernel = house.kernel

    def look() -> Waiting:
        with house.reading() as conn:
            return waiting(conn)

    last = -1
    while last != kernel.committer.position:  # what is told again may move orders meanwhile
        last = kernel.committer.position
        await wait_for_views(house, last)
        found = await asyncio.to_thread(look)
    arm(kernel, found)
    await watch_equity(kernel, found)
    await watch_assessments(kernel, house.reading)
    pay_contracts(kernel, house.reading, partial(wait_for_views, house), house.part_ended)
    await kernel.wake(CHECKS_STREAM)
    await house.policy.open()
    await house.partners.open(house.reading, house.rates)


async def wait_for_views(house: House, position: int) -> None:
    """Raises `Unavailable` where nobody can fill them."""
    while await asyncio.to_thread(house.seen_views_at) < position:
        house.follower.keep_alive()
        if house.follower.failures >= FOLLOWER_FAILURES_MAX:
            raise Unavailable(
                f"{house.follower.trouble}, again and again; it has said why above. If "
                f"{house.kernel.files.views.name} is broken, delete it: it is filled anew"
            )
        await asyncio.sleep(READY_POLL_S)


async def upkeep(house: House, replies: Replies) -> None:
    """What must be looked after now and then."""
    kept_ns = house.kernel.settings.retention_idempotency_h * HOUR_NS
    second = 0
    while True:
        house.look_after_views()
        house.hear_checks()
        house.health.tick()
        await house.approvals.tick()
        await house.policy.tick()
        with suppress(Unavailable):  # the records are locked or their disk is full: next time
            await asyncio.to_thread(house.people.desk.tick)
            await asyncio.to_thread(house.erasure.tick)
            await asyncio.to_thread(house.kyc.tick, second)
            await asyncio.to_thread(house.applications.external.tick)
            if second % FORGET_EVERY == 0:
                await asyncio.to_thread(house.applications.issuer.tick)
                await asyncio.to_thread(replies.forget, Instant(house.now() - kept_ns))
            if second % RECORDS_EVERY == RECORDS_EVERY - 1:
                await asyncio.to_thread(house.directory.note_use)
                await asyncio.to_thread(house.directory.refresh)
                await asyncio.to_thread(house.webhooks.tick)
                used = house.uses.counted.taken()
                await asyncio.to_thread(house.uses.keep, used, house.now())
        await asyncio.sleep(UPKEEP_S)
        second += 1


async def tell_journal(records: Store, house: House) -> None:
    """What the records have committed reaches the journal within a moment; and so does it us, where
    another process has committed it, as `fondaco key` does."""
    while True:
        with suppress(Unavailable):
            if await carry(records, house.kernel.submit):
                await asyncio.to_thread(house.directory.refresh)
        await asyncio.sleep(OUTBOX_S)
