"""What a house that starts must watch for: stops, deadlines, a kill switch thrown before.

They are state of their streams. The views know them all, so that no stream is loaded for it; but
of an account on margin everything counts, so those are loaded.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from fondaco.app.house import Kernel
from fondaco.domain.ledger.model import book_stream
from fondaco.domain.ledger.store.books import book_deadlines
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import AccountId, Side, account_stream
from fondaco.domain.trading.store import queries, settlements
from fondaco.domain.trading.triggers import Stop
from fondaco.kernel.event import Instant

AT_ONCE: Final = 64  # streams that are loaded


class Waiting(NamedTuple):
    """As of one moment of the views."""

    accounts: dict[str, str]  # and their tenants
    stops: Sequence[Any]
    deadlines: Sequence[Any]
    at_work: Sequence[str]  # accounts with working orders
    books_due: Sequence[Any]  # transfers that expire: tenant, book and when
    settling: Sequence[Any]  # accounts, and when fills of theirs settle
    on_margin: Sequence[str] = ()  # accounts


def waiting(conn: Any) -> Waiting:
    return Waiting(
        queries.open_accounts(conn),
        queries.pending_triggers(conn),
        queries.deadlines(conn),
        queries.accounts_at_work(conn),
        book_deadlines(conn),
        settlements.due(conn),
        queries.accounts_on_margin(conn),
    )


def arm(kernel: Kernel, found: Waiting) -> None:
    """Watch for it. The views stand where the journal does, and so does the kernel."""
    kernel.accounts.update(found.accounts)
    if kernel.is_killed:  # thrown, and perhaps nobody was left to act on it
        kernel.cancel_everything(found.at_work)
    for each in found.stops:
        stop = Stop(
            account_stream(AccountId(each.account_id)),
            each.number,
            Symbol(each.symbol),
            Side(each.side),
            each.stop_px,
            each.trail,
        )
        if each.suspended:
            kernel.triggers.put_to_sleep(stop)
        else:
            kernel.triggers.arm((stop,))
    for each in found.deadlines:
        stream = account_stream(AccountId(each.account_id))
        kernel.deadlines.add(Instant(each.expire_time), stream)
    for account_id, settles_at in found.settling:
        kernel.settlements.add(Instant(settles_at), account_stream(AccountId(account_id)))
    for tenant, book, expires_at in found.books_due:
        kernel.deadlines.add(Instant(expires_at), book_stream(tenant, book))


async def watch_equity(kernel: Kernel, found: Waiting) -> None:
    """Load the accounts on margin, look at what they have, and charge them for nights over which
    the house was away."""
    for first in range(0, len(found.on_margin), AT_ONCE):
        streams = [account_stream(AccountId(e)) for e in found.on_margin[first : first + AT_ONCE]]
        await asyncio.gather(*map(kernel.wake, streams))
        for stream in streams:
            kernel.margined.load(stream)
    kernel.margined.roll(kernel.now())
