"""What was not heard before a crash is heard after it, in order, whatever happens meanwhile."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from app.test_restart import entries_after
from build import ask as order_ask
from build import deposit, opened, placed, stop
from fondaco.app import house
from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.domain.market.feeds.synthetic import SyntheticFeed
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.events import SetTradingState
from fondaco.domain.trading.model import AccountId, TimeInForce, TradingState, account_stream
from fondaco.domain.venues.model import venue_stream
from fondaco.kernel.event import Command, CommandId, Instant, StreamId
from fondaco.runtime.history import kind_of
from fondaco.settings import load

ORDERS: Final = 100
ENDED: Final = "trading.order_expired.v1"
BTC_USD: Final = Symbol("BTC-USD")
A1: Final = account_stream(AccountId("A1"))
VENUE: Final = venue_stream(BTC_USD)


async def started(data: Path, *, hears: int, latency_ms: int) -> Kernel:
    """A house of whose messages only the first few are heard, as if it died with the others."""
    settings = load({"data": str(data), "paper_latency_ms": latency_ms}, {})
    kernel = Kernel(settings, Files(data), SyntheticFeed())
    send, left = kernel.reactor._send, hears

    def lose(position: int, since: float, target: StreamId, command: Command) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            send(position, since, target, command)

    kernel.reactor._send = lose  # type: ignore[method-assign]
    kernel.board.marks[BTC_USD] = Mark(BTC_USD, 5_000_000, Quality.OK, "synthetic", 0, Instant(1))
    await kernel.start(lambda _: None)
    return kernel


async def live(data: Path) -> None:
    """The venue hears the first order, after all were accepted; its report reaches nobody."""
    kernel = await started(data, hears=1, latency_ms=200)
    await kernel.submit(A1, opened())
    await kernel.submit(A1, deposit("1000000"))
    for answer in [kernel.submit(A1, limit(f"o{nth}")) for nth in range(ORDERS)]:
        await answer
    while kernel.reactor.open_count:
        await asyncio.sleep(0.01)
    await kernel.stop()
    (data / "reactor.cursor").unlink()


async def again(data: Path) -> None:
    kernel = await started(data, hears=1_000_000, latency_ms=0)
    while kernel.reactor.open_count:
        await asyncio.sleep(0.01)
    await kernel.stop()


def limit(cl_ord_id: str) -> Any:
    """Ends at once, since the book is empty; the venue says so to the account."""
    asked = order_ask(cl_ord_id, order_qty="0.001", price="40000.00")
    return placed(msgspec.structs.replace(asked, time_in_force=TimeInForce.IOC))


def entries_of(data: Path, stream: StreamId) -> list[str]:
    return [kind_of(each.event) for each in entries_after(data, 0) if each.stream == stream]


@pytest.mark.parametrize("at_a_time", [1, 10_000])
def test_what_is_new_does_not_overtake_what_is_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_a_time: int
) -> None:
    monkeypatch.setattr(house, "REDELIVERED", at_a_time)
    asyncio.run(live(tmp_path))
    assert entries_of(tmp_path, VENUE) == ["venues.order_ended.v1"]
    assert ENDED not in entries_of(tmp_path, A1)
    asyncio.run(again(tmp_path))
    venue, account = entries_of(tmp_path, VENUE), entries_of(tmp_path, A1)
    assert Counter(venue)["venues.order_ended.v1"] == ORDERS
    assert Counter(account)[ENDED] == ORDERS, "a report was lost"
    asyncio.run(again(tmp_path))
    assert (entries_of(tmp_path, VENUE), entries_of(tmp_path, A1)) == (venue, account)


def test_a_stop_that_may_not_go_is_not_asked_about_at_each_look(tmp_path: Path) -> None:
    """A halted account whose stop is reached would write an entry at every update of the book."""

    async def look() -> None:
        kernel = await started(tmp_path, hears=0, latency_ms=0)
        await kernel.submit(A1, opened())
        await kernel.submit(A1, deposit("10", "BTC"))
        await kernel.submit(A1, stop("s1", "60000.00"))
        halt = SetTradingState(CommandId("h#1"), Instant(2), TradingState.HALTED, "test")
        await kernel.submit(A1, halt)
        for _ in range(50):
            kernel._on_book(BTC_USD)
            await asyncio.sleep(0.001)
        await kernel.stop()

    asyncio.run(look())
    told = Counter(entries_of(tmp_path, A1))
    assert told["trading.order_accepted.v1"] == 1
    assert told["trading.nothing_to_do.v1"] == 1
