"""Limits as a client meets them: over HTTP, with real laws and views, at a price that stands still.

Requirements C41, C43 – C45 and R24: what a refusal says of the largest order is true.
"""

import random
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from httpx2 import ASGITransport, AsyncClient

from fondaco.domain.trading.refs import roll_session, update_rates
from fondaco.kernel.event import Instant
from gateway.desk import BTC_USD, ORDER
from gateway.whole import Whole, a_house

pytestmark = pytest.mark.anyio
LOT: Final = Decimal("0.000001")
DAY_NS: Final = 86_400 * 10**9
PORTFOLIOS: Final = 120


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Desk:
    """Asks over HTTP, in the house that it is in."""

    def __init__(self, http: AsyncClient, house: Whole) -> None:
        self.http, self.house = http, house

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": "Bearer ada"}
        answer = await self.http.request(method, f"/api{path}", json=body, headers=headers)
        return answer.status_code, answer.json()

    async def opens(self, account: str, **funds: str) -> None:
        assert (await self("POST", "/accounts", {"account_id": account}))[0] == 201
        for asset, amount in funds.items():
            deposit = {"asset": asset, "amount": amount}
            assert (await self("POST", f"/accounts/{account}/deposits", deposit))[0] == 201

    async def limits(self, account: str, **limits: Any) -> None:
        body = {"limits": limits, "reason": "test"}
        assert (await self("PUT", f"/accounts/{account}/limits", body))[0] == 200

    async def order(self, account: str, name: str, **terms: str) -> tuple[int, Any]:
        asked = ORDER | {"account_id": account, "cl_ord_id": name} | terms
        return await self("POST", "/orders", asked)

    async def accepted(self, account: str, name: str, **terms: str) -> None:
        status, body = await self.order(account, name, **terms)
        assert status == 201, body

    async def refused(self, code: str, account: str, name: str, **terms: str) -> Any:
        status, body = await self.order(account, name, **terms)
        assert (status, body["code"]) == (409, code), body
        return body["details"]

    def price(self, px: int) -> None:
        """The market moves."""
        mark = msgspec.structs.replace(self.house.board.marks[BTC_USD.symbol], px=px)
        self.house.board.marks[BTC_USD.symbol] = mark
        update_rates(self.house.reference, mark)

    def tomorrow(self) -> None:
        self.house.at += DAY_NS
        assert roll_session(self.house.reference, Instant(self.house.at))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with (
        a_house(tmp_path) as (door, house),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as http,
    ):
        yield Desk(http, house)


async def test_a_position_limit_counts_what_open_orders_may_still_bring(desk: Desk) -> None:
    await desk.opens("demo", USD="1000000", BTC="1")
    await desk.limits("demo", position_max={"BTC-USD": "3"})
    await desk.accepted("demo", "a", order_qty="1.5")  # rests: 1 held, 1.5 may come
    said = await desk.refused("exceeds_position_limit", "demo", "b", order_qty="0.6")
    assert said == {
        "value": "3.1", "limit": "3", "distance": "0.1", "unit": "BTC", "order_qty_max": "0.5",
    }  # fmt: skip
    await desk.accepted("demo", "c", order_qty="0.5")
    await desk.refused("exceeds_position_limit", "demo", "d", order_qty="0.000001")
    await desk.accepted("demo", "e", side="sell", price="50000.00", order_qty="1")


async def test_a_day_that_lost_too_much_buys_no_more_until_the_next_session(desk: Desk) -> None:
    await desk.opens("demo", USD="100000", BTC="1")
    await desk.limits("demo", daily_loss_max="1000")
    await desk.accepted("demo", "a")
    desk.price(4_900_000)
    said = await desk.refused("exceeds_daily_loss", "demo", "b", price="49000.00")
    assert (said["value"], said["limit"], said["order_qty_max"]) == ("1000", "1000", "0")
    await desk.accepted("demo", "c", side="sell", price="49000.00")
    desk.tomorrow()
    await desk.accepted("demo", "d", price="49000.00")


async def test_concentration_is_limited_by_instrument_and_by_asset_class(desk: Desk) -> None:
    for account, limits, code in (
        ("one", {"concentration_max_bps": 5_000}, "exceeds_concentration"),
        (
            "class",
            {"class_concentration_max_bps": {"crypto": 5_000}},
            "exceeds_class_concentration",
        ),
    ):
        await desk.opens(account, USD="100000")
        await desk.limits(account, **limits)
        await desk.accepted(account, "a", order_qty="0.6")  # 30,000 of 100,000
        said = await desk.refused(code, account, "b", order_qty="0.5")
        assert (said["value"], said["limit"], said["order_qty_max"]) == ("55000", "50000", "0.4")
        await desk.accepted(account, "c", order_qty="0.4")


async def test_orders_and_notional_are_limited_within_a_window(desk: Desk) -> None:
    await desk.opens("many", USD="1000000")
    await desk.limits("many", orders_max=3, rate_window_ms=1_000)
    for name in "abc":
        await desk.accepted("many", name)
    said = await desk.refused("exceeds_order_rate", "many", "d")
    assert (said["value"], said["limit"], said["unit"]) == ("4", "3", "orders")
    await desk.opens("large", USD="1000000")
    await desk.limits("large", notional_max="100000", rate_window_ms=1_000)
    await desk.accepted("large", "a", order_qty="1.5")
    said = await desk.refused("exceeds_notional_rate", "large", "b", order_qty="1")
    assert (said["value"], said["limit"], said["order_qty_max"]) == ("125000", "100000", "0.5")
    desk.house.at += 2 * 10**9  # the window has slid on
    await desk.accepted("many", "e")
    await desk.accepted("large", "c", order_qty="1")


async def test_the_size_that_a_refusal_suggests_passes_and_one_lot_more_does_not(
    desk: Desk,
) -> None:
    """On random portfolios; for whichever rule binds. What it says is then done."""
    draw = random.Random(24)
    codes = set()
    for nth in range(PORTFOLIOS):
        account = f"p{nth}"
        await desk.opens(
            account, USD=str(draw.randint(10_000, 900_000)), BTC=f"{draw.randint(1, 9_000) / 1e3}"
        )
        for before in range(draw.randint(0, 3)):
            qty = f"{draw.randint(1, 40) / 1e3}"
            await desk.order(account, f"w{before}", order_qty=qty, price="49000.00")
        own = {
            "position_max": {"BTC-USD": str(draw.randint(1, 12))},
            "order_qty_max": {"BTC-USD": f"{draw.randint(1, 9)}"},
            "order_notional_max": str(draw.randint(5_000, 400_000)),
            "concentration_max_bps": draw.randint(2_000, 10_000),
            "class_concentration_max_bps": {"crypto": draw.randint(2_000, 10_000)},
            "notional_max": str(draw.randint(5_000, 500_000)),
        }
        chosen = draw.sample(sorted(own), draw.randint(0, 3))
        await desk.limits(account, **{name: own[name] for name in chosen})
        side, price = draw.choice([("buy", "50100.00"), ("sell", "49900.00"), ("buy", "48000.00")])
        terms = {"side": side, "price": price}
        status, body = await desk.order(account, "big", order_qty="5000", **terms)
        assert status == 409
        said = body["details"]
        assert Decimal(said["distance"]) == Decimal(said["value"]) - Decimal(said["limit"])
        codes.add(body["code"])
        largest = Decimal(said["order_qty_max"])
        more = await desk.order(account, "more", order_qty=f"{largest + LOT:f}", **terms)
        assert more[0] == 409
        assert Decimal(more[1]["details"]["order_qty_max"]) == largest
        if largest:
            await desk.accepted(account, "fits", order_qty=f"{largest:f}", **terms)
    assert len(codes) >= 6, codes


async def test_whichever_way_an_order_is_asked_for_one_explanation_is_given(desk: Desk) -> None:
    """Placed, in a list, as the change of another, or only asked about: row O3."""
    await desk.opens("demo", USD="1000000")
    await desk.limits("demo", order_notional_max="100")
    await desk.accepted("demo", "small")
    big = ORDER | {"account_id": "demo", "cl_ord_id": "big", "order_qty": "0.003"}
    names = ("value", "limit", "distance", "unit", "order_qty_max")

    said = [await desk.refused("exceeds_order_notional", "demo", "big", order_qty="0.003")]
    _, listed = await desk("POST", "/orders/bulk", {"orders": [big | {"cl_ord_id": "listed"}]})
    assert listed["items"][0]["error"]["code"] == "exceeds_order_notional"
    said.append(listed["items"][0]["error"]["details"])
    _, both = await desk(
        "POST", "/orders/bulk", {"orders": [big | {"cl_ord_id": "all"}], "atomic": True}
    )
    said.append(both["details"]["items"][0]["error"]["details"])
    _, asked = await desk("POST", "/risk/validate", big | {"cl_ord_id": "asked"})
    said.append(asked["reasons"][0] | {"order_qty_max": asked["order_qty_max"]})
    found = [{name: each[name] for name in names} for each in said]
    assert found == [
        {"value": "150", "limit": "100", "distance": "50", "unit": "USD", "order_qty_max": "0.002"}
    ] * 4  # fmt: skip
    status, changed = await desk(
        "PATCH", "/orders/demo.1", {"cl_ord_id": "b", "order_qty": "0.003"}
    )
    assert status == 409, changed
    assert "exceeds_order_notional" in str(changed), changed
