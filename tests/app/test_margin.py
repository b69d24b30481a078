"""Margin accounts in a house that lives: warned, liquidated and made whole, as the market falls."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from app.test_house import metric
from app.test_restart import done, wait_for
from build import ask as order_ask
from build import deposit, opened, placed
from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.feeds.synthetic import SyntheticFeed
from fondaco.domain.reference.events import SetMargin
from fondaco.domain.reference.model import HOUSE_STREAM, Margin, MarginTier, Symbol
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import (
    AccountId,
    AccountState,
    AccountType,
    OrdType,
    Side,
    TimeInForce,
    account_stream,
)
from fondaco.domain.trading.rules.margin import stand
from fondaco.kernel.event import CommandId, Entry
from fondaco.kernel.money import AssetCode
from fondaco.settings import load
from running import house, order

A1: Final = account_stream(AccountId("A1"))
A2: Final = account_stream(AccountId("A2"))
BTC_USD: Final = Symbol("BTC-USD")
USD, BTC = AssetCode("USD"), AssetCode("BTC")
DOLLAR: Final = 10**8
RATES: Final = Margin((MarginTier(0, 200_000, 100_000),))  # 20 % initial, 10 % maintenance
DEEP: Final = 10_000_000  # lots


class Floor:
    """A house without a door, whose market the test writes."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.said: list[Entry] = []
        kernel.listeners.append(self.said.extend)

    def trades_at(self, dollars: int, *, bids: int = DEEP) -> None:
        """The book around a price, with so many lots to sell to."""
        self.quotes(dollars * 100, bids=bids)

    def quotes(self, cents: int, *, bids: int = DEEP) -> None:
        for symbol, book in self.kernel.board.books.items():
            px = cents if symbol == BTC_USD else 10_000
            book.levels.clear()
            book.version += 1
            book.levels.apply(BID, px - 1, bids, book.version)
            book.levels.apply(ASK, px + 1, DEEP, book.version)
            book.condition.synced = True
            book.at = self.kernel.now()
            self.kernel.board.settle(book)

    def state(self, stream: Any = A1) -> AccountState:
        memory = self.kernel.peek(stream)
        assert memory is not None
        state: AccountState = memory.state
        return state

    def heard(self, kind: type[Any], stream: Any = A1) -> list[Any]:
        return [e.event for e in self.said if e.stream == stream and isinstance(e.event, kind)]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.01)

    async def buys(self, qty: str, stream: Any = A1) -> None:
        """With what the account has and what it can borrow, as one cent above the mark is asked."""
        name, ioc = f"buy-{stream[-2:]}", TimeInForce.IOC
        ask = order_ask(name, order_qty=qty, price="50000.01", time_in_force=ioc)
        await self.kernel.submit(stream, placed(ask, at=self.kernel.now()))
        await self.until(lambda: self.state(stream).balances.get(BTC))


def lived(data: Path, story: Callable[[Floor], Awaitable[None]]) -> None:
    """A house in which A1 has 10,000 dollars on margin and bitcoin trades at 50,000."""

    async def live() -> None:
        quiet = {"data": str(data), "paper_latency_ms": 0, "stale_after_ms": 600_000}
        kernel = Kernel(load(quiet, {}), Files(data), SyntheticFeed())
        floor = Floor(kernel)
        await kernel.start(lambda _: None)
        try:
            floor.trades_at(50_000)
            rates = SetMargin(CommandId("rates#1"), kernel.now(), BTC_USD, RATES, "test")
            await kernel.submit(HOUSE_STREAM, rates)
            await kernel.submit(A1, opened(AccountType.MARGIN))
            await kernel.submit(A1, deposit("10000"))
            await story(floor)
        finally:
            await kernel.stop()

    asyncio.run(live())


def covers(floor: Floor) -> bool:
    found = stand(floor.state(), floor.kernel.refs)
    return found is not None and found.equity >= found.initial


def test_an_account_is_warned_then_closed_until_its_equity_covers_what_it_has(
    tmp_path: Path,
) -> None:
    async def story(floor: Floor) -> None:
        await floor.buys("0.9")
        floor.trades_at(44_000)  # 4,600 of equity, of which 39,600 need 3,960: 86 %
        await floor.until(lambda: floor.heard(ev.MarginWarned))
        [warned] = floor.heard(ev.MarginWarned)
        assert warned.level == 8_000
        assert floor.kernel.margins.counts()["warned"] == 1
        [near] = floor.kernel.margins.nearest(10)
        assert (near.stream, near.level_bps, near.liquidating) == (A1, 8_500, False)

        floor.trades_at(49_000)
        await floor.until(lambda: floor.heard(ev.MarginEased))
        floor.trades_at(44_000)
        await floor.until(lambda: len(floor.heard(ev.MarginWarned)) == 2)

        floor.trades_at(43_000)  # 3,700 of equity for 3,870
        await floor.until(lambda: floor.heard(ev.LiquidationEnded))
        assert len(floor.heard(ev.LiquidationBegan)) == 1
        state = floor.state()
        assert not state.liquidating
        assert 0 < state.balances[BTC] < 9 * 10**8
        assert covers(floor)
        sold = [each.order for each in floor.heard(ev.OrderAccepted) if each.order.reduce_only]
        assert sold
        assert {(each.side, each.ord_type, each.time_in_force) for each in sold} == {
            (Side.SELL, OrdType.MARKET, TimeInForce.IOC)
        }
        checks = [e for e in floor.said if e.caused_by.startswith("equity/")]
        assert not any(isinstance(e.event, ev.NothingToDo) for e in checks), "no false alarms"

    lived(tmp_path, story)


def test_what_is_still_owed_after_everything_is_closed_is_the_house_s_loss(tmp_path: Path) -> None:
    """The market opens far below where the account would have been closed."""

    async def story(floor: Floor) -> None:
        await floor.buys("0.9")
        floor.trades_at(30_000)  # 8,000 less than nothing
        await floor.until(lambda: floor.heard(ev.LiquidationEnded))
        [covered] = floor.heard(ev.NegativeBalanceCovered)
        assert 8_000 * DOLLAR <= covered.shortage < 8_100 * DOLLAR
        assert not any(floor.state().balances.values())
        assert not floor.state().liquidating

    lived(tmp_path, story)


def test_a_liquidation_without_buyers_goes_on_when_there_are_some(tmp_path: Path) -> None:
    async def story(floor: Floor) -> None:
        await floor.buys("0.9")
        floor.trades_at(42_000, bids=1)  # a lot: a millionth of a bitcoin
        await floor.until(lambda: floor.heard(ev.LiquidationBegan))
        await floor.until(lambda: floor.heard(ev.OrderFilled)[1:])
        await floor.until(lambda: not floor.state().working)
        assert floor.state().liquidating
        assert not covers(floor)
        floor.trades_at(42_000)
        await floor.until(lambda: floor.heard(ev.LiquidationEnded))
        assert covers(floor)

    lived(tmp_path, story)


def test_only_those_on_margin_are_watched(tmp_path: Path) -> None:
    async def story(floor: Floor) -> None:
        await floor.kernel.submit(A2, opened())
        await floor.kernel.submit(A2, deposit("50001"))
        await floor.buys("0.9", A2)
        floor.trades_at(10)
        await asyncio.sleep(0.2)
        assert len(floor.kernel.margins) == 1
        assert {e.stream for e in floor.said if e.caused_by.startswith("equity/")} == set()

    lived(tmp_path, story)


def test_a_house_that_starts_again_watches_whom_it_watched(tmp_path: Path) -> None:
    """Through the door: open on margin, buy, stop, start; the house lists who is nearest."""
    rates = {"initial_ppm": 200_000, "maintenance_ppm": 100_000}
    with house(tmp_path / "house") as running:
        client = running.client()
        asked = {"tiers": [rates], "reason": "test"}
        done(client, "PUT", "/api/instruments/BTC-USD/margin", asked)
        done(client, "POST", "/api/accounts", {"account_id": "lever", "account_type": "margin"})
        done(client, "POST", "/api/accounts/lever/deposits", {"asset": "USD", "amount": "10000"})
        limits = {"limits": {"collar_bps": 5_000}, "reason": "test"}
        done(client, "PUT", "/api/accounts/lever/limits", limits)
        bought = order("lever-1", account_id="lever", order_qty="0.6", price="51000.00")
        done(client, "POST", "/api/orders", bought)
        wait_for(lambda: client.get("/api/margin")["items"])
        assert running.stop() == 0
    with house(tmp_path / "house") as running:
        client = running.client()
        found = client.get("/api/margin?limit=5")  # two are watched, one of them the demo's
        assert (found["watched"], found["warned"], found["liquidating"]) == (2, 0, 0)
        [line] = found["items"]
        assert line["account_id"] == "lever"
        assert 0 < line["used_bps"] < 8_000
        [position] = line["positions"]
        assert (position["symbol"], position["side"], position["qty"]) == ("BTC-USD", "buy", "0.6")
        assert 20_000 < float(position["liquidation_px"]) < 45_000
        assert metric(client, 'fondaco_margin_accounts{level="watched"}') == 2
