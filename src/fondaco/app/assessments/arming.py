"""What a house that starts must watch of assessments: all that may still trade, and all accounts
that are not closed yet. The views know them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from fondaco.app.house import Kernel
from fondaco.domain.evaluation.assessments.model import Assessment, assessment_stream
from fondaco.domain.evaluation.assessments.store import living
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.kernel.event import StreamId

AT_ONCE: Final = 64  # streams that are loaded


async def watch_assessments(kernel: Kernel, reading: Callable[[], Any]) -> None:
    """Once the views show what was written."""

    def look() -> Sequence[str]:
        with reading() as conn:
            return living(conn)

    waking: dict[StreamId, asyncio.Task[None]] = {}

    def wake(stream: StreamId) -> None:
        if stream not in waking:
            task = waking[stream] = asyncio.create_task(kernel.wake(stream))
            task.add_done_callback(lambda _: waking.pop(stream, None))

    kernel.assessments.missing = wake
    found = [assessment_stream(name) for name in await asyncio.to_thread(look)]
    for first in range(0, len(found), AT_ONCE):
        streams = found[first : first + AT_ONCE]
        await asyncio.gather(*map(kernel.wake, streams))
        states: list[tuple[StreamId, Assessment]] = []
        for stream in streams:
            memory = kernel.peek(stream)
            if memory is not None and memory.state.assessment_id:
                states.append((stream, memory.state))
        names = [name for _, state in states for name in (state.account, *state.closing) if name]
        await asyncio.gather(*(kernel.wake(account_stream(AccountId(name))) for name in names))
        for stream, state in states:
            kernel.assessments.load(stream, state)
