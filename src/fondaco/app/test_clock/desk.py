"""What doors ask of a sandbox's time. Belongs to the loop's thread."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from fondaco.app.clock import Clock
from fondaco.app.house import Kernel
from fondaco.app.say import say
from fondaco.app.test_clock.advancing import Advancing, Stuck, Works
from fondaco.app.test_clock.clock import MovedClock
from fondaco.app.test_clock.feed import ScriptedFeed
from fondaco.app.test_clock.kernel import SandboxKernel
from fondaco.domain.identity.test_clock.api import AdvanceRequest, ClockReply, PriceAsk, TimerLine
from fondaco.domain.identity.test_clock.events import (
    AdvanceBegun,
    AdvanceRefused,
    BeginAdvance,
    EndAdvance,
)
from fondaco.domain.identity.test_clock.model import SECOND_NS, STREAM, ClockState, Posted
from fondaco.kernel.errors import Invalid, Refused
from fondaco.kernel.event import CommandId, Instant, fingerprint, request_id
from fondaco.kernel.instants import parsed_instant
from fondaco.kernel.operation import Stamp

Died = Callable[["asyncio.Task[None]"], None]
SHOWN: Final = 20  # timers
_SPANS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
LIVE: Final = (
    "the time of this house is everybody's; fondaco up --sandbox --data DIRECTORY begins one whose "
    "time can be moved"
)


class TestClockDesk:
    """Of a house whose time is everybody's, until `begin`."""

    __test__ = False  # no test of pytest's

    def __init__(self, kernel: Kernel, died: Died) -> None:
        self._kernel, self._died = kernel, died
        self._wall = Clock()
        self._feed: ScriptedFeed | None = None
        self.advancing: Advancing | None = None
        self._task: asyncio.Task[None] | None = None
        self._by = ""  # who has canceled it

    async def begin(self, works: Callable[[], Awaitable[list[Works]]]) -> None:
        """Of a sandbox: an advance that was under way when the house ended goes on."""
        kernel, feed = self._kernel, self._kernel.feed
        if not isinstance(kernel, SandboxKernel) or not isinstance(feed, ScriptedFeed):
            return
        clock = kernel.now
        assert isinstance(clock, MovedClock)  # noqa: S101  # a sandbox has no other
        self._feed, self.advancing = feed, Advancing(kernel, clock, feed)
        self.advancing.works = await works()
        await kernel.wake(STREAM)
        state = self._state()
        feed.restore(state.quotes)
        if state.stage == "advancing":
            now = clock()
            feed.restore({each.symbol: each for each in state.prices if each.at < now})
            self._go(state)

    @asynccontextmanager
    async def moving(self, works: Callable[[], Awaitable[list[Works]]]) -> AsyncIterator[None]:
        """Until the block ends; what is under way then goes on when the house is there again."""
        await self.begin(works)
        try:
            yield
        finally:
            if self._task is not None:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)

    def _state(self) -> ClockState:
        memory = self._kernel.peek(STREAM)
        state: ClockState = ClockState() if memory is None else memory.state
        return state

    # --- Looks ------------------------------------------------------------------------------------

    def show(self, stamp: Stamp) -> ClockReply:
        state, now = self._state(), self._kernel.now()
        moves = state.stage == "advancing" or self._task is not None  # until that is durable
        span = max(state.to - state.since, 1)
        timers = self.advancing.upcoming(SHOWN) if self.advancing else []
        return ClockReply(
            is_sandbox=state.is_sandbox,
            state="advancing" if moves else state.stage if state.is_sandbox else "live",
            now=str(now),
            wall_now=str(self._wall()),
            advancing_from=str(state.since if moves else 0),
            advancing_to=str(state.to if moves else 0),
            progress=min((now - state.since) / span, 1.0) if moves else 1.0,
            stops=self.advancing.count if self.advancing else 0,
            failed_at=str(state.at if state.error else 0),
            failed_timer=state.what,
            error=state.error,
            next=[TimerLine(str(at), what, stream) for at, what, stream in timers],
        )

    # --- What is done -----------------------------------------------------------------------------

    async def advance(self, ask: AdvanceRequest, stamp: Stamp) -> ClockReply:
        """Raises `Invalid` for what is no time or no price, and `Refused`."""
        feed = self._feed
        if feed is None:
            raise Refused(LIVE, code="not_a_sandbox")
        if ask.to is not None and ask.by is not None:
            raise Invalid("say to, or by, and not both")
        if self._task is not None and self._state().stage != "advancing":
            await asyncio.shield(self._task)  # it is about to have ended
        now = self._kernel.now()
        to = now
        if ask.to is not None:
            to = _instant(ask.to, "to")
        elif ask.by is not None:
            to = Instant(now + int(ask.by[:-1]) * _SPANS_S[ask.by[-1]] * SECOND_NS)
        key = stamp.idempotency_key or stamp.request_id
        command = BeginAdvance(
            request_id(f"!test-clock/{stamp.tenant}/{stamp.caller}/{key}", fingerprint(ask)),
            now, to, _prices(feed, ask.prices, now, to), stamp.caller, self._wall(),
        )  # fmt: skip
        [entry] = await self._kernel.submit(STREAM, command)
        event = entry.event
        if isinstance(event, AdvanceRefused):
            raise Refused(event.text, code=event.reason)
        state = self._state()
        is_new = isinstance(event, AdvanceBegun) and event.number == state.number
        if is_new and state.stage == "advancing" and self._task is None:
            self._go(state)
        return self.show(stamp)

    async def cancel(self, stamp: Stamp) -> ClockReply:
        """It stops at what it is about, and stands there."""
        if self.advancing is None:
            raise Refused(LIVE, code="not_a_sandbox")
        if self._task is not None:
            self._by, self.advancing.canceled = stamp.caller, True
            await asyncio.shield(self._task)
        return self.show(stamp)

    def _go(self, state: ClockState) -> None:
        now = self._kernel.now()
        prices = [each for each in state.prices if each.at >= now]
        self._by = ""
        self._task = asyncio.create_task(
            self._advance(state.number, state.to, prices), name="test clock"
        )
        self._task.add_done_callback(self._died)

    async def _advance(self, number: int, to: Instant, prices: Sequence[Posted]) -> None:
        advancing = self.advancing
        assert advancing is not None  # noqa: S101  # `begin` was called
        what = error = ""
        try:
            await advancing.run(to, prices)
        except Stuck as stuck:
            what, error = stuck.what, stuck.why
            say(f"time stands still: {what}: {error}")
        now, by = self._kernel.now(), "" if error else self._by
        command = EndAdvance(
            CommandId(f"advance/{number}"), now, number, advancing.count, self._wall(),
            what, error, by,
        )  # fmt: skip
        await self._kernel.submit(STREAM, command)
        self._task = None


def _instant(text: str, name: str) -> Instant:
    """Nanoseconds since 1970, too. Raises `Invalid`."""
    if text.isascii() and text.isdecimal() and len(text) <= 19:
        return Instant(int(text))
    return parsed_instant(text, name)


def _prices(
    feed: ScriptedFeed, asked: Sequence[PriceAsk], now: Instant, to: Instant
) -> tuple[Posted, ...]:
    """In the order of their time. Raises `Invalid`."""
    found: list[Posted] = []
    seen: set[tuple[Instant, str]] = set()
    for each in asked:
        at = _instant(each.at, "at") if each.at else now
        if not now <= at <= to:
            raise Invalid(f"a price of {each.symbol} is at {at}, must be from {now} to {to}")
        if (at, each.symbol) in seen:
            raise Invalid(f"{each.symbol} has two prices at {at}")
        seen.add((at, each.symbol))
        found.append(Posted(at, each.symbol, *feed.read(each.symbol, each.bid, each.ask)))
    return tuple(sorted(found, key=lambda each: each.at))
