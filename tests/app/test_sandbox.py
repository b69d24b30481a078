"""The time of a sandbox: one jump is what many small steps are, and nothing else is moved by it."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from build import ask as order_ask
from build import deposit, opened, placed
from fondaco.app.files import Files
from fondaco.app.kinds import CODEC
from fondaco.app.test_clock.advancing import Advancing, Stuck
from fondaco.app.test_clock.clock import MovedClock, sandbox_clock
from fondaco.app.test_clock.feed import ScriptedFeed
from fondaco.app.test_clock.kernel import SandboxKernel
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import (
    Assessment,
    account_id,
    assessment_id_of,
    assessment_stream,
)
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.identity.model import IDENTITY_STREAM
from fondaco.domain.identity.test_clock.events import SandboxOpened
from fondaco.domain.identity.test_clock.model import Posted
from fondaco.domain.market.intake import Intake
from fondaco.domain.reference.events import HouseKilled, SetMargin, SetSettlement, SetSwap
from fondaco.domain.reference.model import HOUSE_STREAM, Margin, MarginTier, Swap, Symbol
from fondaco.domain.trading import events as tev
from fondaco.domain.trading.model import (
    AccountId,
    AccountType,
    Side,
    TimeInForce,
    account_stream,
)
from fondaco.kernel.errors import Refused
from fondaco.kernel.event import CommandId, Decision, Instant, StreamId
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.tape.memory import MemoryTape
from fondaco.settings import load

BTC_USD: Final = Symbol("BTC-USD")
DAY: Final = 86_400 * 10**9
HOUR: Final = 3_600 * 10**9
FRIDAY: Final = Instant(1_774_609_200 * 10**9)  # 2026-03-27 12:00 in Prague, where Sunday has 23 h
A1: Final = account_stream(AccountId("A1"))
CASH: Final = account_stream(AccountId("A2"))  # pays for what it buys when that settles
NAMES: Final = ("a", "b")
ASSESSMENTS: Final = [assessment_stream(assessment_id_of(name)) for name in NAMES]
ACCOUNTS: Final = [account_stream(account_id(assessment_id_of(name), 1)) for name in NAMES]


class Sandbox:
    """A sandbox without a door, begun in the spring of 2026."""

    def __init__(self, data: Path) -> None:
        self.journal = MemoryJournal(CODEC)
        self.clock = MovedClock(FRIDAY)
        self.feed = ScriptedFeed()
        quiet = load({"data": str(data), "paper_latency_ms": 0}, {})
        self.kernel = SandboxKernel(
            quiet, Files(data), self.feed, journal=self.journal, now=self.clock
        )
        self.advancing = Advancing(self.kernel, self.clock, self.feed)

    async def to(self, at: int, prices: Sequence[Posted] = ()) -> None:
        await self.advancing.run(Instant(at), prices)

    async def asks(self, stream: StreamId, command: Any) -> Any:
        return await self.kernel.submit(stream, command)

    def state(self, stream: StreamId) -> Any:
        memory = self.kernel.peek(stream)
        assert memory is not None
        return memory.state

    def told(self) -> dict[StreamId, list[Any]]:
        """Everything that was written, by stream, but for where in the journal it stands."""
        found: dict[StreamId, list[Any]] = {}
        for e in self.journal.follow(0, 1 << 30):
            found.setdefault(e.stream, []).append((e.version, e.caused_by, e.at, e.event))
        return found

    def kinds(self, stream: StreamId) -> list[str]:
        return [type(event).__name__ for _, _, _, event in self.told().get(stream, [])]


def lived(story: Callable[[Sandbox], Awaitable[None]]) -> Sandbox:
    async def live(data: Path) -> Sandbox:
        sandbox = Sandbox(data)
        kernel, feed = sandbox.kernel, sandbox.feed
        await kernel.start(lambda _: None)
        market = asyncio.create_task(
            feed.run(sandbox.clock, Intake(kernel.board, MemoryTape(), feed.listings, feed.wire))
        )
        try:
            async with asyncio.timeout(60):
                await feed.opened.wait()
                await furnish(sandbox)
                await story(sandbox)
        finally:
            market.cancel()
            await kernel.stop()
        return sandbox

    with TemporaryDirectory() as data:
        return asyncio.run(live(Path(data)))


async def furnish(sandbox: Sandbox) -> None:
    """Margin, nights that cost something, fills that settle after two days; an account and two
    assessments."""
    rates = Margin((MarginTier(0, 50_000, 25_000),))
    for command in (
        SetMargin(CommandId("m#1"), sandbox.clock(), BTC_USD, rates, "test"),
        SetSwap(CommandId("s#1"), sandbox.clock(), BTC_USD, Swap(150, -50), "test"),
        SetSettlement(CommandId("t#1"), sandbox.clock(), Symbol("ETH-USD"), 2, "test"),
    ):
        await sandbox.asks(HOUSE_STREAM, command)
    await sandbox.asks(A1, opened(AccountType.MARGIN))
    await sandbox.asks(A1, deposit("1000000"))
    await sandbox.asks(CASH, opened())
    await sandbox.asks(CASH, deposit("1000000"))
    terms = msgspec.json.encode(tier_of(text_of("two-step-100k"))).decode()
    for name in NAMES:
        found = assessment_id_of(name)
        create = ev.CreateAssessment(
            CommandId(f"!{name}#1"), sandbox.clock(), found, "acme", "tim", name, terms
        )
        await sandbox.asks(assessment_stream(found), create)
    await sandbox.to(sandbox.clock())


async def trades(
    sandbox: Sandbox, stream: StreamId, name: str, qty: str, px: str, **more: Any
) -> None:
    command = placed(order_ask(name, order_qty=qty, price=px, **more), at=sandbox.clock())
    await sandbox.asks(stream, command)


async def busy(sandbox: Sandbox) -> None:
    """Positions, orders that expire, and a fill that settles in two days."""
    ioc, gtd = TimeInForce.IOC, TimeInForce.GTD
    now = sandbox.clock()
    for nth, account in enumerate(ACCOUNTS):
        await trades(sandbox, account, f"p{nth}", "0.05", "50001.00", time_in_force=ioc)
    await trades(sandbox, CASH, "eth", "2", "2501.00", symbol="ETH-USD", time_in_force=ioc)
    await trades(sandbox, A1, "btc", "1", "50001.00", time_in_force=ioc)
    for days in (1, 4, 9):
        expires = {"time_in_force": gtd, "expire_time": now + days * DAY + 7}
        await trades(sandbox, A1, f"g{days}", "1", "40000.00", **expires)
    await trades(sandbox, A1, "day", "1", "41000.00", time_in_force=TimeInForce.DAY)
    await trades(
        sandbox, ACCOUNTS[0], "tp", "0.05", "52500.00", side=Side.SELL,
        time_in_force=TimeInForce.GTC,
    )  # fmt: skip


def in_steps(steps: Sequence[int], days: int, prices: Sequence[Posted]) -> Sandbox:
    """The same life, by other jumps: `steps` are hours after the beginning."""

    async def story(sandbox: Sandbox) -> None:
        await busy(sandbox)
        since = sandbox.clock()
        for stop in [*sorted({since + hours * HOUR for hours in steps}), since + days * DAY]:
            now = sandbox.clock()
            part = [p for p in prices if now < p.at <= stop or (p.at == now == since)]
            await sandbox.to(stop, part)

    return lived(story)


@st.composite
def prices(draw: Any, days: int) -> list[Posted]:
    """Bitcoin as it may go; one price at an instant, some of them at the beginning of a day."""
    hours = draw(st.lists(st.integers(0, days * 24 - 1), unique=True, max_size=8))
    found = []
    for hour in sorted(hours):
        bid = draw(st.integers(44_000, 54_000))
        found.append(Posted(Instant(FRIDAY + hour * HOUR), BTC_USD, f"{bid}.00", f"{bid}.01"))
    return found


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(prices(40), st.lists(st.integers(1, 40 * 24 - 1), max_size=12))
def test_one_jump_is_day_by_day_is_any_steps(drawn: list[Posted], steps: list[int]) -> None:
    jump = in_steps((), 40, drawn).told()
    daily = in_steps(range(24, 40 * 24, 24), 40, drawn).told()
    any_steps = in_steps(steps, 40, drawn).told()
    assert jump == daily
    assert jump == any_steps


def test_what_is_due_happens_at_its_time() -> None:
    """Day resets on the day of 23 hours, expiries, nights, a settlement, and who is idle ends."""
    sandbox = in_steps((), 40, ())
    told = sandbox.told()
    first = told[ASSESSMENTS[1]]
    resets = [e.at for _, _, _, e in first if isinstance(e, ev.DayReset)]
    assert [b - a for a, b in pairwise(resets)][:3] == [DAY, 23 * HOUR, DAY]
    assert all(at == e.at for _, _, at, e in first if isinstance(e, ev.DayReset))
    assert isinstance(first[-1][3], ev.AccountRetired)
    assert sandbox.state(ASSESSMENTS[1]).state == "abandoned"
    expired = [(e.number, at) for _, _, at, e in told[A1] if isinstance(e, tev.OrderExpired)]
    assert [at - FRIDAY for _, at in expired if (at - FRIDAY) % HOUR == 7] == [
        DAY + 7, 4 * DAY + 7, 9 * DAY + 7,
    ]  # fmt: skip
    assert len(expired) == 4
    assert sandbox.kinds(A1).count("SwapCharged") == 40
    [settled] = [(e, at) for _, _, at, e in told[CASH] if isinstance(e, tev.FillsSettled)]
    assert settled[0].settles_at == settled[1] == FRIDAY + 37 * HOUR  # Sunday, midnight in UTC


def test_a_script_of_prices_breaks_a_rule_at_the_price_that_does() -> None:
    at = Instant(FRIDAY + 3 * DAY + HOUR)
    fall = [Posted(at, BTC_USD, "30000.00", "30000.01")]

    async def story(sandbox: Sandbox) -> None:
        await trades(sandbox, ACCOUNTS[0], "p", "1", "50001.00", time_in_force=TimeInForce.IOC)
        await sandbox.to(FRIDAY + 10 * DAY, fall)

    sandbox = lived(story)
    state: Assessment = sandbox.state(ASSESSMENTS[0])
    assert state.state == "failed"
    assert state.violation is not None
    assert state.violation.at <= at


def test_time_stands_still_until_it_is_moved_and_never_goes_back() -> None:
    clock = MovedClock(Instant(5))
    assert [clock(), clock()] == [5, 5]
    clock.move(Instant(9))
    clock.move(Instant(7))
    assert clock() == 9


def test_a_house_that_was_lived_in_can_be_no_sandbox() -> None:
    async def story(sandbox: Sandbox) -> None:
        assert sandbox.journal.head()

    lived_in = lived(story).journal
    with pytest.raises(Refused) as refused:
        sandbox_clock(lived_in, MovedClock(FRIDAY), wanted=True)
    assert refused.value.code == "not_a_sandbox"
    assert sandbox_clock(lived_in, MovedClock(FRIDAY), wanted=False) is None
    fresh = MemoryJournal(CODEC)
    made = sandbox_clock(fresh, MovedClock(FRIDAY), wanted=True)
    assert made is not None
    assert made() == FRIDAY
    assert isinstance(fresh.follow(0, 1)[0].event, SandboxOpened)
    again = sandbox_clock(fresh, MovedClock(Instant(1)), wanted=False)
    assert again is not None
    assert again() == FRIDAY


def test_a_sandbox_that_begins_again_stands_where_its_own_time_stood() -> None:
    """Who signs in does so in the machine's time, be that years before or after."""
    journal = MemoryJournal(CODEC)
    assert sandbox_clock(journal, MovedClock(FRIDAY), wanted=True) is not None
    moved, machines = Instant(FRIDAY + 1_000 * DAY), Instant(FRIDAY + HOUR)
    for nth, (stream, at) in enumerate(((HOUSE_STREAM, moved), (IDENTITY_STREAM, machines))):
        event = HouseKilled("test", "ada")
        journal.append([Decision(stream, 0, CommandId(f"c{nth}"), at, 0, (event,))])
    again = sandbox_clock(journal, MovedClock(machines), wanted=False)
    assert again is not None
    assert again() == moved


def test_what_cannot_be_done_stops_the_clock_where_it_is_due() -> None:
    async def story(sandbox: Sandbox) -> None:
        await trades(
            sandbox, A1, "g", "1", "40000.00", time_in_force=TimeInForce.GTD,
            expire_time=FRIDAY + 5 * DAY,
        )  # fmt: skip
        host = sandbox.kernel.trading
        whole = host._decider
        host._actors.clear()

        def broken(state: Any, command: Any, refs: Any) -> Any:
            if isinstance(command, tev.ExpireOrders):
                raise ValueError("it is broken")
            return whole.decide(state, command, refs)

        host._decider = dataclasses.replace(whole, decide=broken)
        with pytest.raises(Stuck) as stuck:
            await sandbox.to(FRIDAY + 10 * DAY)
        assert "ExpireOrders" in stuck.value.what
        assert "it is broken" in stuck.value.why
        assert sandbox.clock() == FRIDAY + 5 * DAY
        host._decider = whole
        host._actors.clear()
        await sandbox.to(FRIDAY + 10 * DAY)
        assert sandbox.clock() == FRIDAY + 10 * DAY
        assert "OrderExpired" in sandbox.kinds(A1)

    lived(story)
