"""Stopping an account, an instrument or the house: what it would do, doing it, how far it is."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient

from gateway.test_operations import Client
from gateway.whole import a_house

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Client]:
    """Two accounts of demo and one of a stranger, each with an order that rests; no venue answers
    here, so what is asked to end stays unconfirmed."""
    async with (
        a_house(tmp_path) as (door, house),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as http,
    ):
        client = Client(http, house)
        for account, who in (("demo", "ada"), ("second", "ada"), ("theirs", "stranger")):
            await client(201, "POST", "/accounts", {"account_id": account}, who=who)
            deposit = {"asset": "USD", "amount": "1000000", "transfer_id": "t"}
            await client(201, "POST", f"/accounts/{account}/deposits", deposit, who=who)
            await place(client, "o1", account, who)
        house.views_at()
        yield client


async def place(ask: Client, cl_ord_id: str, account: str = "demo", who: str = "ada") -> Any:
    order = {
        "account_id": account, "cl_ord_id": cl_ord_id, "symbol": "BTC-USD", "side": "buy",
        "ord_type": "limit", "order_qty": "0.001", "price": "50000.00", "time_in_force": "gtc",
    }  # fmt: skip
    return await ask(201, "POST", "/orders", order, who=who)


async def test_a_preview_counts_all_and_names_ones_own(ask: Client) -> None:
    await place(ask, "o2", "second")
    ask.house.views_at()
    found = await ask(200, "GET", "/risk/kill/preview")
    assert (found["scope"], found["orders"], found["accounts"]) == ("house", 4, 3)
    assert found["at_work"] == [
        {"account_id": "second", "orders": 2},
        {"account_id": "demo", "orders": 1},
    ]
    one = await ask(200, "GET", "/risk/kill/preview?account_id=demo")
    assert (one["scope"], one["name"], one["orders"], one["stopped"]) == (
        "account",
        "demo",
        1,
        False,
    )
    symbol = await ask(200, "GET", "/risk/kill/preview?symbol=BTC-USD")
    assert (symbol["scope"], symbol["orders"]) == ("instrument", 4)
    assert (await ask(200, "GET", "/risk/kill/preview?symbol=NO-USD"))["orders"] == 0
    await ask(404, "GET", "/risk/kill/preview?account_id=theirs")
    await ask(422, "GET", "/risk/kill/preview?account_id=demo&symbol=BTC-USD")


async def test_one_account_is_stopped_and_the_others_go_on(ask: Client) -> None:
    why = {"account_id": "demo", "reason": "a wild robot"}
    stopped = await ask(200, "POST", "/risk/stop", why)
    assert (stopped["changed"], stopped["accounts"]) == (True, 1)
    refused = await ask.order("late", 409)
    assert refused["code"] == "trading_halted"
    await place(ask, "o2", "second")
    ask.house.views_at()
    found = await ask(200, "GET", f"/risk/kill?since={stopped['position']}")
    assert (found["scope"], found["name"], found["blocked"]) == ("account", "demo", True)
    assert (found["reason"], found["sent"], found["confirmed"]) == ("a wild robot", 1, 0)
    assert [each["order_id"] for each in found["named"]] == ["demo.1"]
    assert (found["unconfirmed"], found["refused"]) == (1, 1)
    await ask(404, "GET", f"/risk/kill?since={stopped['position']}", who="stranger")
    active = {"state": "active", "reason": "mended"}
    await ask(200, "PUT", "/accounts/demo/trading-state", active)
    lifted = await ask(200, "GET", f"/risk/kill?since={stopped['position']}")
    assert (lifted["blocked"], lifted["sent"]) == (False, 1)
    assert lifted["ended_at"]


async def test_who_keeps_orders_out_when_and_why(ask: Client) -> None:
    assert (await ask(200, "GET", "/risk/restrictions?account_id=demo"))["items"] == []
    await ask(200, "POST", "/risk/stop", {"account_id": "demo", "reason": "a wild robot"})
    await ask(200, "POST", "/risk/stop", {"symbol": "BTC-USD", "reason": "wrong tick"})
    ask.house.views_at()
    found = (await ask(200, "GET", "/risk/restrictions?account_id=demo"))["items"]
    said = [(each["scope"], each["name"], each["reason"], each["by"]) for each in found]
    assert said == [
        ("account", "demo", "a wild robot", "ada"),
        ("instrument", "BTC-USD", "wrong tick", "ada"),
    ]
    assert all(each["at"] and each["state"] == "halted" for each in found)
    house = (await ask(200, "GET", "/risk/restrictions"))["items"]
    assert [each["scope"] for each in house] == ["instrument"]
    await ask(404, "GET", "/risk/restrictions?account_id=theirs")


async def test_an_instrument_is_stopped_in_every_account(ask: Client) -> None:
    stopped = await ask(200, "POST", "/risk/stop", {"symbol": "BTC-USD", "reason": "wrong tick"})
    assert stopped["accounts"] == 3
    ask.house.views_at()
    assert (await ask(200, "GET", "/risk/kill/preview?symbol=BTC-USD"))["stopped"] is True
    found = await ask(200, "GET", f"/risk/kill?since={stopped['position']}")
    assert (found["scope"], found["name"], found["sent"]) == ("instrument", "BTC-USD", 3)
    assert {each["account_id"] for each in found["named"]} == {"demo", "second"}
    assert (await ask.order("late", 409))["code"] == "trading_halted"


async def test_the_house_is_killed_and_every_cancel_followed(ask: Client) -> None:
    nothing = await ask(200, "GET", "/risk/kill")
    assert (nothing["scope"], nothing["blocked"], nothing["since"]) == ("none", False, 0)
    killed = await ask(200, "POST", "/risk/kill", {"reason": "drill"})
    for account in ("demo", "second", "theirs"):  # the kernel of a running house does it
        ask.house.cancel_as_killed(account)
    await ask.house.settled()
    found = await ask(200, "GET", "/risk/kill")
    assert (found["scope"], found["since"], found["reason"]) == (
        "house",
        killed["position"],
        "drill",
    )
    assert (found["blocked"], found["sent"], found["unconfirmed"]) == (True, 3, 3)
    await ask(200, "POST", "/risk/unkill", {"reason": "over"})
    assert (await ask(200, "GET", "/risk/kill"))["blocked"] is False


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/risk/stop", {"reason": "x"}, 422),
        ("/risk/stop", {"reason": "", "account_id": "demo"}, 422),
        ("/risk/stop", {"reason": "x", "account_id": "demo", "symbol": "BTC-USD"}, 422),
        ("/risk/stop", {"reason": "x", "symbol": "NO-USD"}, 409),
        ("/risk/stop", {"reason": "x", "account_id": "nobody"}, 404),
    ],
)
async def test_what_cannot_be_stopped_is_refused(
    ask: Client, path: str, body: Any, status: int
) -> None:
    await ask(status, "POST", path, body)


@pytest.mark.parametrize("since", [1, 2, 99_999])
async def test_where_nothing_was_stopped_there_is_no_progress(ask: Client, since: int) -> None:
    await ask(404, "GET", f"/risk/kill?since={since}")


async def test_new_limits_are_held_against_what_is_used(ask: Client) -> None:
    limits = {"position_max": {"BTC-USD": "0.0005"}, "orders_max": 100, "collar_bps": 500}
    of_account = {"account_id": "demo", "limits": limits}
    found = await ask(200, "POST", "/risk/limits/preview", of_account)
    lines = {line["name"]: line for line in found["changes"]}
    assert lines["position_max"] == {
        "name": "position_max", "unit": "BTC", "about": "BTC-USD", "after": "0.0005",
        "used": "0.001", "exceeded": True,
    }  # fmt: skip
    assert "exceeded" not in lines["orders_max"]
    assert found["exceeding"] == [{"account_id": "demo", "exceeded": ["position_max BTC-USD"]}]
    of_house = await ask(200, "POST", "/risk/limits/preview", {"limits": limits})
    assert of_house["accounts"] == 2
    assert [each["account_id"] for each in of_house["exceeding"]] == ["demo", "second"]
    assert (of_house["own"], found["own"], of_house["now"]) == (False, False, found["now"])
    kept = await ask(200, "GET", "/risk/limits?account_id=demo")
    assert kept["own"] is False
    unlisted = {"limits": {"position_max": {"NO-USD": "1"}}}
    await ask(422, "POST", "/risk/limits/preview", unlisted)
    await ask(404, "POST", "/risk/limits/preview", {"account_id": "theirs", "limits": None})
