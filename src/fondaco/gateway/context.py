"""What every endpoint of a door shares."""

from collections.abc import Callable
from concurrent.futures import Executor
from itertools import count
from secrets import token_hex
from typing import NamedTuple

from fondaco.gateway import idempotency
from fondaco.gateway.house import House
from fondaco.gateway.logs import Log
from fondaco.gateway.uses import Uses
from fondaco.runtime.tracing.rows import Request


class Names:
    """Ids of requests: unlike any other of this process, and of others but for 1 in 2^48."""

    def __init__(self) -> None:
        self._prefix = token_hex(6)
        self._numbers = count(1)

    def next(self) -> str:
        return f"{self._prefix}-{next(self._numbers):x}"


class Context(NamedTuple):
    """What every endpoint of a door shares."""

    house: House
    replies: idempotency.Replies
    readers: Executor
    log: Log
    names: Names
    in_use: set[str]  # Idempotency-Keys whose first request is under way
    note: Callable[[Request], None]  # of a request whose trace its entries do not tell
    uses: Uses  # of the API's versions
