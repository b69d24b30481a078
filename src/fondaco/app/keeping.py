"""What ends and must not stay so is run again."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

AGAIN_MIN_S: Final = 0.5  # before what has ended is run again
AGAIN_MAX_S: Final = 30.0


async def keep_running(
    run: Callable[[], Coroutine[Any, Any, None]], died: Callable[[BaseException | None], None]
) -> None:
    """Run it again whenever it ends, after a wait that doubles while it keeps ending.

    A feed that dies takes no order with it: its books go stale, which the rules know how to treat.
    """
    loop = asyncio.get_running_loop()
    wait_s = AGAIN_MIN_S
    while True:
        began = loop.time()
        running = asyncio.create_task(run())
        try:
            await asyncio.wait({running})
        finally:
            running.cancel()
            await asyncio.wait({running})
        died(None if running.cancelled() else running.exception())
        wait_s = AGAIN_MIN_S if loop.time() - began > AGAIN_MAX_S else wait_s
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, AGAIN_MAX_S)
