"""A session day begins in a whole house: positions are charged for the night by themselves."""

import asyncio
from pathlib import Path
from typing import Any

from app.test_redelivery import entries_of, started
from build import ask, deposit, fill, opened, placed, tiers
from fondaco.domain.reference.events import SetMargin, SetSwap
from fondaco.domain.reference.model import HOUSE_STREAM, Swap, Symbol
from fondaco.domain.trading.model import AccountId, AccountType, account_stream
from fondaco.domain.trading.refs import update_rates
from fondaco.kernel.event import CommandId, Instant
from fondaco.kernel.money import AssetCode

A = account_stream(AccountId("A1"))
BTC_USD = Symbol("BTC-USD")


def test_a_position_is_charged_as_the_day_begins_and_nobody_has_to_ask(tmp_path: Path) -> None:
    async def live() -> Any:
        kernel = await started(tmp_path, hears=0, latency_ms=0)
        rates = tiers((0, 200_000, 100_000, 0))
        for command in (
            SetMargin(CommandId("m#1"), kernel.now(), BTC_USD, rates, "test"),
            SetSwap(CommandId("s#1"), kernel.now(), BTC_USD, Swap(150, -50), "test"),
        ):
            await kernel.submit(HOUSE_STREAM, command)
        kernel.refs.session_day -= 1  # yesterday, until the next look at the clock
        await kernel.submit(A, opened(AccountType.MARGIN))
        await kernel.submit(A, deposit("100000"))
        kernel.margined.load(A)
        await kernel.submit(A, placed(ask(order_qty="1", price="50000.00")))
        await kernel.submit(A, fill(1, 100_000, 5_000_000))
        before = kernel.peek(A).state.balances["USD"]  # type: ignore[union-attr]
        kernel.refs.session_closes_at = Instant(1)
        async with asyncio.timeout(20):
            while kernel.peek(A).state.balances["USD"] == before:  # type: ignore[union-attr]
                await asyncio.sleep(0.02)
        after = kernel.peek(A).state.balances["USD"]  # type: ignore[union-attr]
        await kernel.stop()
        return before - after

    assert asyncio.run(live()) == 750_000_000  # 150 ppm of 50,000.00
    assert entries_of(tmp_path, A).count("trading.swap_charged.v1") == 1


def test_a_night_over_which_nobody_was_here_is_charged_once_there_is_a_price(
    tmp_path: Path,
) -> None:
    """A house that starts on a later day has no price yet: what it charges waits for that."""

    async def live() -> tuple[int, int]:
        kernel = await started(tmp_path, hears=0, latency_ms=0)
        rates = tiers((0, 200_000, 100_000, 0))
        for command in (
            SetMargin(CommandId("m#1"), kernel.now(), BTC_USD, rates, "test"),
            SetSwap(CommandId("s#1"), kernel.now(), BTC_USD, Swap(150, -50), "test"),
        ):
            await kernel.submit(HOUSE_STREAM, command)
        await kernel.submit(A, opened(AccountType.MARGIN))
        await kernel.submit(A, deposit("100000"))
        kernel.margined.load(A)
        await kernel.submit(A, placed(ask(order_qty="1", price="50000.00")))
        await kernel.submit(A, fill(1, 100_000, 5_000_000))
        before = kernel.peek(A).state.balances["USD"]  # type: ignore[union-attr]
        marks = dict(kernel.refs.marks)
        kernel.refs.marks.clear()
        kernel.refs.rates.pop(AssetCode("BTC"), None)
        kernel.refs.session_day += 1
        kernel.margined.roll(kernel.now())
        await asyncio.sleep(0.2)
        waited = kernel.peek(A).state.balances["USD"]  # type: ignore[union-attr]
        kernel.refs.marks.update(marks)
        update_rates(kernel.refs, marks[BTC_USD])
        async with asyncio.timeout(20):
            while kernel.peek(A).state.balances["USD"] == before:  # type: ignore[union-attr]
                await asyncio.sleep(0.02)
        after = kernel.peek(A).state.balances["USD"]  # type: ignore[union-attr]
        await kernel.stop()
        return before - waited, before - after

    assert asyncio.run(live()) == (0, 750_000_000)
