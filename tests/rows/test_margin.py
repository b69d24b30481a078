"""Margin as a client meets it: over HTTP, with real laws and views. Rows C40, C42 and C44."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx2 import ASGITransport, AsyncClient

from fondaco.domain.ledger.model import LOSSES, add_up, trial_balance
from fondaco.domain.reference.events import ListInstrument
from fondaco.domain.reference.model import HOUSE_STREAM, InstrumentKind, instrument
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import CheckEquity, Fill, RecordExecution
from fondaco.domain.trading.model import AccountId, Side, account_stream
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.store.replayed import account_amiss
from fondaco.kernel.event import CommandId, message_id
from gateway.desk import BTC, BTC_USD, USD
from gateway.whole import a_house
from rows.test_limits import Desk

pytestmark = pytest.mark.anyio
TIERS: Any = [
    {"notional_max": "100000", "initial_ppm": 200_000, "maintenance_ppm": 100_000},
    {"initial_ppm": 400_000, "maintenance_ppm": 200_000, "deduction": "10000"},
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with (
        a_house(tmp_path) as (door, house),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as http,
    ):
        desk = Desk(http, house)
        body = {"tiers": TIERS, "reason": "test"}
        assert (await desk("PUT", "/instruments/BTC-USD/margin", body))[0] == 200
        yield desk


async def opens(desk: Desk, account: str, amount: str) -> None:
    asked = {"account_id": account, "account_type": "margin"}
    status, body = await desk("POST", "/accounts", asked)
    assert (status, body["account_type"]) == (201, "margin")
    deposit = {"asset": "USD", "amount": amount}
    assert (await desk("POST", f"/accounts/{account}/deposits", deposit))[0] == 201


async def amiss(desk: Desk, account: str) -> list[str]:
    """What the views say otherwise than the account itself."""
    desk.house.views_at()
    state = desk.house.peek(account_stream(AccountId(account)))
    with desk.house.reading() as conn:
        return account_amiss(conn, account, state)


async def executed(desk: Desk, account: str, nth: int = 1) -> None:
    """The venue executes the account's newest order at its limit."""
    stream = account_stream(AccountId(account))
    state = desk.house.peek(stream)
    order = state.working[max(state.working)]
    await desk.house.submit(
        stream,
        RecordExecution(
            message_id(stream, 1_000 + nth),
            desk.house.now(),
            order.number,
            order.symbol,
            order.side,
            1,
            (Fill(order.px, order.lots),),
            is_maker=False,
        ),
    )


async def test_an_account_on_margin_buys_and_sells_beyond_what_it_has(desk: Desk) -> None:
    await opens(desk, "long", "10000")
    said = await desk.refused("exceeds_margin", "long", "a", order_qty="1.2", price="50000.00")
    assert said == {
        "value": "12000", "limit": "10000", "distance": "2000", "unit": "USD",
        "order_qty_max": "1",
    }  # fmt: skip
    await desk.accepted("long", "b", order_qty="1", price="50000.00")
    await executed(desk, "long")
    status, found = await desk("GET", "/accounts/long/margin")
    assert status == 200
    assert found["equity"] == found["initial"] == "10000"
    assert (found["maintenance"], found["available"], found["used_bps"]) == ("5000", "0", 5_000)
    [position] = found["positions"]
    assert (position["side"], position["qty"], position["entry_px"]) == ("buy", "1", "50000")
    # 1 x p - 40,000 = 0.1 x p
    assert position["liquidation_px"] == "44444.45"
    desk.price(4_800_000)
    [position] = (await desk("GET", "/accounts/long/margin"))[1]["positions"]
    assert (position["unrealized"], position["mark_px"]) == ("-2000", "48000")
    await opens(desk, "short", "10000")
    await desk.accepted("short", "a", side="sell", order_qty="1", price="48000.00")
    desk.house.views_at()
    status, account = await desk("GET", "/accounts/long")
    assert (status, account.get("account_type")) == (200, "margin"), account
    assert {each["asset"]: each["balance"] for each in account["balances"]} == {
        "BTC": "1", "USD": "-40000",
    }  # fmt: skip
    assert await amiss(desk, "long") == await amiss(desk, "short") == []
    status, _ = await desk("GET", "/accounts/demo/margin")
    assert status == 404


async def test_a_liquidation_is_told_step_by_step_and_its_loss_is_on_the_books(desk: Desk) -> None:
    await opens(desk, "short", "10000")
    await desk.accepted("short", "a", side="sell", order_qty="1", price="50000.00")
    await executed(desk, "short")
    stream = account_stream(AccountId("short"))

    async def checked(nth: int) -> list[Any]:
        ask = CheckEquity(CommandId(f"equity/{nth}"), desk.house.now())
        return [entry.event for entry in await desk.house.submit(stream, ask)]

    desk.price(5_350_000)
    [warned] = await checked(1)
    assert isinstance(warned, ev.MarginWarned)
    desk.price(6_200_000)
    began, order = await checked(2)
    assert isinstance(began, ev.LiquidationBegan)
    assert isinstance(order, ev.OrderAccepted)
    assert (order.order.side, order.order.reduce_only) == (Side.BUY, True)
    status, found = await desk("GET", "/accounts/short/margin")
    assert (status, found["liquidating"], found["used_bps"]) == (200, True, None)
    await executed(desk, "short", 2)
    covered, ended = await checked(3)
    assert isinstance(covered, ev.NegativeBalanceCovered)
    assert isinstance(ended, ev.LiquidationEnded)
    entries = desk.house.journal.follow(0, 1_000)
    posters = Postings(entries).posters()
    books = add_up(
        posting
        for entry in entries
        if type(entry.event) in posters
        for posting in posters[type(entry.event)](entry)
    )
    # 60,000 in cash; it was bought back at the order's protection, 5 % beyond 62,000
    assert books[LOSSES, USD.code] == -5_100 * 10**8
    assert not any(trial_balance(books).values())
    assert await amiss(desk, "short") == []
    position = next(
        entry.position for entry in entries if isinstance(entry.event, ev.LiquidationBegan)
    )
    status, why = await desk("GET", f"/why/{position}")
    assert status == 200
    [step] = why["steps"]
    assert step["kind"] == "trading.liquidation_began.v1"
    assert step["marks"][0]["px"] == "62000"
    assert step["event"]["equity"] < 0


async def test_a_contract_settles_its_gains_and_nothing_else(desk: Desk) -> None:
    perp = instrument(
        "BTC-PERP", BTC, USD, tick="0.01", lot="0.001", taker=1_000, kind=InstrumentKind.LINEAR
    )
    house = desk.house
    listing = ListInstrument(CommandId("list/perp"), house.now(), perp, BTC, USD)
    await house.submit(HOUSE_STREAM, listing)
    spot = house.board.marks[BTC_USD.symbol]
    house.board.marks[perp.symbol] = msgspec.structs.replace(spot, symbol=perp.symbol)
    body = {"tiers": TIERS, "reason": "test"}
    assert (await desk("PUT", "/instruments/BTC-PERP/margin", body))[0] == 200
    await opens(desk, "demo", "10000")
    await desk.opens("cash", USD="10000")
    terms = {"symbol": "BTC-PERP", "order_qty": "0.5", "price": "50000.00"}
    status, said = await desk.order("cash", "a", **terms)
    assert (status, said["code"]) == (409, "unsupported_order")
    await desk.accepted("demo", "a", **terms)
    await executed(desk, "demo", 1)
    closing = {"side": "sell", "price": "51000.00", "order_qty": "0.2"}
    await desk.accepted("demo", "b", **(terms | closing))
    assert await amiss(desk, "demo") == []
    await executed(desk, "demo", 2)
    status, found = await desk("GET", "/accounts/demo/margin")
    assert status == 200
    [position] = found["positions"]
    assert (position["symbol"], position["kind"], position["qty"]) == ("BTC-PERP", "linear", "0.3")
    assert (position["entry_px"], position["unrealized"]) == ("50000", "0")
    assert await amiss(desk, "demo") == []
    _, account = await desk("GET", "/accounts/demo")
    # 0.2 gained 1,000 each; fees are 0.1 % of 25,000 and of 10,200
    [cash] = account["balances"]
    assert (cash["asset"], cash["balance"]) == ("USD", "10164.8")
    _, shown = await desk("GET", "/risk/positions?account_id=demo")
    [traded] = shown["traded"]
    assert (traded["qty"], traded["avg_px"], traded["realized"]) == ("0.3", "50000", "200")


async def test_concentration_is_limited_by_issuer_and_by_venue(desk: Desk) -> None:
    assert (await desk("PUT", "/instruments/BTC-USD/issuer", {"issuer": "Satoshi"}))[0] == 200
    for account, limit, code in (
        ("issuer", "issuer_concentration_max_bps", "exceeds_issuer_concentration"),
        ("venue", "venue_concentration_max_bps", "exceeds_venue_concentration"),
    ):
        await desk.opens(account, USD="100000")
        await desk.limits(account, **{limit: 5_000})
        await desk.accepted(account, "a", order_qty="0.6")  # 30,000 of 100,000
        said = await desk.refused(code, account, "b", order_qty="0.5")
        assert (said["value"], said["limit"], said["order_qty_max"]) == ("55000", "50000", "0.4")
        await desk.accepted(account, "c", order_qty="0.4")
