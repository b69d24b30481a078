"""Retries and breakers around whatever carries one call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol
from urllib.parse import urlsplit

from fondaco.kernel.errors import FondacoError, Invalid, Unavailable
from fondaco.ports.outbound import PASSING, BreakerLine, Reply, Request
from fondaco.ports.outbound.breaker import USUAL, Breaker, Terms

FIRST_MS: Final = 100
LAST_MS: Final = 5_000
PLACES_MAX: Final = 4_096
_MS: Final = 1_000_000
_S: Final = 1_000_000_000


class Wire(Protocol):
    """Carries one call, once."""

    async def carry(self, request: Request, within_s: float) -> Reply:
        """Raises `Invalid` for an address that must not be called, `Unavailable` for no answer."""
        ...

    async def check(self, url: str) -> None: ...

    async def close(self) -> None: ...


class Courier:
    """`fondaco.ports.outbound.Outbound`. `clock` counts nanoseconds and never goes back, `between`
    draws a whole number, both ends included."""

    def __init__(
        self,
        wire: Wire,
        *,
        clock: Callable[[], int],
        between: Callable[[int, int], int],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        terms: Terms = USUAL,
    ) -> None:
        self._wire = wire
        self._clock = clock
        self._sleep = sleep
        self._between = between
        self._terms = terms
        self._breakers: dict[str, Breaker] = {}  # the longest unused first
        self.check = wire.check
        self.close = wire.close

    async def ask(self, request: Request) -> Reply:
        """See `Outbound`."""
        breaker = self._breaker(request.place or origin_of(request.url))
        until = self._clock() + int(request.within_s * _S)
        attempts = max(request.attempts, 1) if request.is_idempotent else 1
        for attempt in range(1, attempts + 1):
            failure: Unavailable | None = None
            reply: Reply | None = None
            try:
                reply = await self._once(breaker, request, until)
            except Unavailable as error:
                failure = error
            is_last = attempt == attempts or (failure and failure.code == "circuit_open")
            if is_last or (reply and reply.status not in PASSING):
                break
            wait_ms = self._wait_ms(attempt, reply)
            if wait_ms is None or self._clock() + wait_ms * _MS >= until:
                break
            await self._sleep(wait_ms / 1_000)
        if reply is not None:
            return reply._replace(attempts=attempt)
        assert failure is not None  # noqa: S101  # one of the two there is
        failure.details["attempts"] = attempt
        raise failure

    def lines(self) -> Sequence[BreakerLine]:
        """See `Outbound`."""
        now = self._clock()
        return [
            BreakerLine(
                each.place,
                each.state(now),
                *each.counts(now),
                each.opened,
                -(-each.wait_ns(now) // _MS),
            )
            for each in self._breakers.values()
        ]

    async def _once(self, breaker: Breaker, request: Request, until: int) -> Reply:
        permit = breaker.enter(self._clock())
        ok: bool | None = None
        try:
            left_s = max(until - self._clock(), 0) / _S
            reply = await self._wire.carry(request, left_s)
            ok = reply.status < 500
            return reply
        except Unavailable:
            ok = False
            raise
        finally:
            breaker.leave(permit, self._clock(), ok=ok)

    def _wait_ms(self, attempt: int, reply: Reply | None) -> int | None:
        """None where the other side wants to be left alone for longer than we wait."""
        low = min(FIRST_MS << (attempt - 1), LAST_MS)
        wait_ms = self._between(low, min(2 * low, LAST_MS))
        asked = reply.headers.get("retry-after", "") if reply else ""
        if asked.isascii() and asked.isdigit():
            asked_ms = int(asked[:9]) * 1_000
            return max(wait_ms, asked_ms) if asked_ms <= LAST_MS else None
        return wait_ms

    def _breaker(self, place: str) -> Breaker:
        breaker = self._breakers.pop(place, None) or Breaker(place, self._terms)
        self._breakers[place] = breaker
        if len(self._breakers) > PLACES_MAX:
            now = self._clock()
            idle = (name for name, each in self._breakers.items() if each.state(now) == "closed")
            del self._breakers[next(idle, next(iter(self._breakers)))]
        return breaker


def origin_of(url: str) -> str:
    """Scheme, host and port. Raises `Invalid` for what no call can be made to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _refused(url, str(error)) from error
    if parts.scheme not in ("https", "http") or not host:
        raise _refused(url, "must be https://host/…")
    if parts.username is not None or parts.password is not None:
        raise _refused(url, "must name no user")
    if not url.isascii() or any(each <= " " or each == "\\" for each in url):
        raise _refused(url, "must be ASCII without spaces: write others as %XX or xn--…")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}:{port or (443 if parts.scheme == 'https' else 80)}"


def _refused(url: str, why: str) -> FondacoError:
    shown = url.partition("?")[0].rpartition("@")[2][:80]
    return Invalid(f"cannot call {shown!r}: {why}", code="address_refused")
