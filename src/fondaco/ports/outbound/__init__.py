"""Calls that the house makes over HTTP: webhooks, providers, lists. Nothing else opens a connection
outwards for one.

Promises, which `tests/outbound` holds, on a simulated clock where they speak of time:

1. A call to an address that is not public is refused before a byte is sent, unless its network is
   allowed. Names are resolved once, and the address that was checked is the one that is called. No
   redirect is followed, no proxy of the environment is asked, nobody's cookies are kept.
2. What is not idempotent is sent once. What is, up to three times: after a failure it waits, at
   least 100 ms and at most 5 s, twice as long each time, and a random part of that on top.
3. Where half of the calls to one place failed, no call goes there for 30 s. Then one may, then two,
   then four; when all of them got through, the place is as before. One that fails shuts it again,
   for twice as long as the last time.
4. A call ends within its time, whatever the other side does; more than `body_max` is not read.

A status of the other side is no error here: who asks judges it. No answer at all is `Unavailable`.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, Protocol

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})  # statuses that may be others next time

State = Literal["closed", "open", "half_open"]


class Request(NamedTuple):
    method: str
    url: str  # https://…; http:// to networks that are allowed alone
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    idempotency_key: str = ""  # sent as Idempotency-Key; then a POST may be sent again, too
    attempts: int = 3
    within_s: float = 30.0  # all attempts and what lies between them
    body_max: int = 1 << 20  # bytes of the answer
    place: str = ""  # whose failures count together; the URL's origin where it is not said

    @property
    def is_idempotent(self) -> bool:
        return self.method in IDEMPOTENT or bool(self.idempotency_key)


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]  # names in small letters; of several with one name the last
    body: bytes
    attempts: int = 1


class BreakerLine(NamedTuple):
    """How one place is doing."""

    place: str
    state: State
    calls: int  # within the last minute
    failures: int
    opened: int  # times, since the house began
    again_in_ms: int  # until the next call may go there; 0 where it may


class Outbound(Protocol):
    """Belongs to one event loop."""

    async def ask(self, request: Request) -> Reply:
        """Raises `Invalid` for an address that must not be called (code "address_refused"), and
        `Unavailable`: no answer ("no_answer"), or none is asked for ("circuit_open")."""
        ...

    async def check(self, url: str) -> None:
        """Raises `Invalid` where `ask` would not call this address as its name resolves now."""
        ...

    def lines(self) -> Sequence[BreakerLine]:
        """Of every place that was called lately."""
        ...

    async def close(self) -> None: ...
