"""How a `Look` is answered: on a thread, once what it wants to see is there."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, Final

from fondaco.gateway.house import Caller, House, Reading
from fondaco.kernel.errors import Invalid, NotFound, Unavailable
from fondaco.kernel.operation import Look

VIEWS_WAIT_S: Final = 2.0  # for min_position
VIEWS_POLL_S: Final = 0.004
ENTRIES_POLL_S: Final = 0.05  # for wait_ms


async def look(
    house: House, readers: Executor, operation: Look[Any, Any], ask: Any, caller: Caller
) -> Any:
    """Requests with a `min_position` wait for the views, those with `wait_ms` for news. That there
    is no such thing is said once the views have all that was written by then."""
    if position := getattr(ask, "min_position", None):
        await views_reach(house, readers, position)
    if wait_ms := getattr(ask, "wait_ms", None):
        await _journal_passes(house, readers, ask.after, wait_ms / 1_000)

    at = house.now()

    def reading(source: Any, journal: Any = None) -> Reading:
        return Reading(source, journal, caller.tenant, caller.accounts, at)

    if operation.source == "store":
        journal = house.source("journal")

        def on_store() -> Any:
            with house.reading() as conn:
                return operation.answer(ask, reading(conn, journal))

        head = journal.head()
        try:
            return await off_loop(readers, on_store)
        except NotFound:  # of what was written a moment ago the views may not know yet
            with suppress(Unavailable):
                await views_reach(house, readers, head)
            return await off_loop(readers, on_store)
    source = reading(house.source(operation.source))
    if operation.on_loop:
        return operation.answer(ask, source)
    return await off_loop(readers, operation.answer, ask, source)


async def views_reach(house: House, readers: Executor, position: int) -> None:
    """Waits a moment for them. Raises `Invalid` for what was never written, and `Unavailable`."""
    head = house.source("journal").head()
    if position > head:
        raise Invalid(f"min_position is {position}, must be one of the journal: 0 to {head}")
    deadline = time.monotonic() + VIEWS_WAIT_S
    while (at := await off_loop(readers, house.views_at)) < position:
        if time.monotonic() >= deadline:
            raise Unavailable(
                f"the views are at {at}, not at {position} yet; ask again",
                code="view_behind",
                state={"position": at},
            )
        await asyncio.sleep(VIEWS_POLL_S)


async def _journal_passes(house: House, readers: Executor, position: int, wait_s: float) -> None:
    """Until there is an entry behind `position`, the time is over, or the house closes."""
    deadline = time.monotonic() + wait_s
    head = house.source("journal").head
    while not house.draining and await off_loop(readers, head) <= position:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        await asyncio.sleep(min(ENTRIES_POLL_S, left))


def off_loop(readers: Executor, act: Callable[..., Any], *args: Any) -> Awaitable[Any]:
    return asyncio.get_running_loop().run_in_executor(readers, act, *args)
