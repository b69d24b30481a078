"""Those who sign in at once. A file of its own because it has state: threads, and who waits.

A hash keeps a core busy for a tenth of a second or more, so as many run at once as there are cores,
and only so many wait that the last one is answered while somebody still looks at the page. They
have threads of their own: a crowd at the door holds up nothing else.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

from fondaco.kernel.errors import Unavailable

T = TypeVar("T")
THREADS: Final = 4
INSIDE_MAX: Final = 12


class Crowd:
    """Belongs to one event loop."""

    def __init__(self, threads: int = THREADS, inside_max: int = INSIDE_MAX) -> None:
        self._pool = ThreadPoolExecutor(threads, "sign-in")
        self._inside, self._inside_max = 0, inside_max

    async def run(self, act: Callable[[], T]) -> T:
        """Raises `Unavailable` at once where too many wait already."""
        if self._inside >= self._inside_max:
            raise Unavailable("too many sign in at once; try again in a moment", retry_after_s=2)
        self._inside += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, copy_context().run, act)
        finally:
            self._inside -= 1
