"""Every operation over HTTP, with the real laws and the real views behind it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient

from fondaco.domain.reference.model import Session
from fondaco.kernel.errors import Unavailable
from gateway.desk import ORDER
from gateway.whole import Whole, a_house

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Client:
    """Asks, and says what status was expected."""

    def __init__(self, http: AsyncClient, house: Whole) -> None:
        self.http, self.house = http, house

    async def __call__(
        self, status: int, method: str, path: str, body: Any = None, *, who: str = "ada"
    ) -> Any:
        headers = {"Authorization": f"Bearer {who}"}
        answer = await self.http.request(method, f"/api{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    async def order(self, cl_ord_id: str, status: int = 201, **change: Any) -> Any:
        return await self(status, "POST", "/orders", {**ORDER, "cl_ord_id": cl_ord_id, **change})


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Client]:
    async with (
        a_house(tmp_path) as (door, house),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as http,
    ):
        client = Client(http, house)
        await client(201, "POST", "/accounts", {"account_id": "demo", "name": "Demo"})
        for asset, amount in (("USD", "1000000"), ("BTC", "10")):
            deposit = {"asset": asset, "amount": amount, "transfer_id": f"t-{asset}"}
            await client(201, "POST", "/accounts/demo/deposits", deposit)
        yield client


async def test_an_account_opens_once_and_for_its_tenant(ask: Client) -> None:
    again = await ask(201, "POST", "/accounts", {"account_id": "demo", "name": "Demo"})
    assert again["account_id"] == "demo"
    await ask(409, "POST", "/accounts", {"account_id": "demo", "name": "Other"})
    await ask(409, "POST", "/accounts", {"account_id": "demo", "name": "Demo"}, who="stranger")
    await ask(404, "GET", "/accounts/demo", who="stranger")


async def test_transfers_move_what_is_free_once_each(ask: Client) -> None:
    moved = {"asset": "USD", "amount": "250.50", "direction": "withdrawal", "transfer_id": "w1"}
    first = await ask(201, "POST", "/accounts/demo/transfers", moved)
    assert first == await ask(201, "POST", "/accounts/demo/transfers", moved)
    assert first["amount"] == "250.5"
    await ask(409, "POST", "/accounts/demo/transfers", moved | {"amount": "1"})
    refused = await ask(
        409, "POST", "/accounts/demo/withdrawals", {"asset": "USD", "amount": "9999999"}
    )
    assert (refused["code"], refused["details"]["limit"]) == ("transfer_refused", "999749.5")
    await ask(422, "POST", "/accounts/demo/deposits", {"asset": "USD", "amount": "-1"})
    where = f"?min_position={first['position']}"
    account = await ask(200, "GET", f"/accounts/demo{where}")
    assert [(b["asset"], b["balance"]) for b in account["balances"]] == [
        ("BTC", "10"),
        ("USD", "999749.5"),
    ]
    assert account["equity"] == "1499749.5"  # ten coins at the mark
    lines = (await ask(200, "GET", f"/accounts/demo/transfers{where}"))["items"]
    assert [(line["kind"], line["asset"], line["amount_exact"]) for line in lines] == [
        ("withdrawal", "USD", "-250.5"),
        ("deposit", "BTC", "10"),
        ("deposit", "USD", "1000000"),
    ]
    statement = await ask(200, "GET", f"/accounts/demo/statement.csv{where}")
    assert "withdrawal" in statement
    assert statement.startswith("time,kind,")


async def test_an_account_is_shown_as_of_a_position(ask: Client) -> None:
    placed = await ask.order("o1")
    at = placed["position"]
    await ask(200, "GET", f"/accounts/demo?min_position={at}")
    before = await ask(200, "GET", f"/accounts/demo?as_of={at - 1}")
    after = await ask(200, "GET", f"/accounts/demo?as_of={at}")
    assert (before["open_orders"], after["open_orders"]) == (0, 1)
    held = {line["asset"]: line["held"] for line in after["balances"]}
    assert held["USD"] == "50"
    assert before["position"] == at - 1
    await ask(422, "GET", "/accounts/demo?as_of=99999")
    risk = await ask(200, "GET", f"/risk/positions?account_id=demo&as_of={at}")
    assert [line["asset"] for line in risk["items"]] == ["BTC"]


async def test_orders_are_listed_found_and_followed(ask: Client) -> None:
    placed = [await ask.order(f"o{nth}") for nth in range(5)]
    last = placed[-1]["position"]
    page = await ask(200, "GET", f"/orders?account_id=demo&limit=2&min_position={last}")
    assert [line["cl_ord_id"] for line in page["items"]] == ["o4", "o3"]
    rest = await ask(200, "GET", f"/orders?account_id=demo&cursor={page['next']}")
    assert [line["cl_ord_id"] for line in rest["items"]] == ["o2", "o1", "o0"]
    found = await ask(200, "GET", "/orders?account_id=demo&cl_ord_id=o3")
    assert [line["order_id"] for line in found["items"]] == [placed[3]["order_id"]]
    assert found["next"] is None
    one = await ask(200, "GET", f"/orders/{placed[3]['order_id']}")
    assert one["order"]["ord_status"] == "new"
    same = await ask(200, "GET", f"/trades/{placed[3]['order_id']}/status")
    assert same == one
    assert (await ask(200, "GET", "/orders?ord_status=filled,canceled"))["items"] == []
    assert (await ask(200, "GET", "/trades/history?account_id=demo"))["items"] == []
    why = await ask(200, "GET", f"/why/{placed[3]['order_id']}")
    assert [step["kind"] for step in why["steps"]] == ["trading.order_accepted.v1"]
    for path in ("/orders/demo.99", "/why/demo.99"):
        await ask(404, "GET", path)
    await ask(404, "GET", f"/orders/{placed[0]['order_id']}", who="stranger")
    assert (await ask(200, "GET", "/orders", who="stranger"))["items"] == []
    await ask(403, "GET", "/orders", who="confined")
    assert (await ask(200, "GET", "/orders?account_id=demo", who="confined"))["items"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "ord_status=odd", "tip=1", "side=by", "limit=1&limit=2", "since=x"],
)
async def test_a_query_is_checked_as_a_body_is(ask: Client, query: str) -> None:
    assert (await ask(422, "GET", f"/orders?{query}"))["code"] == "invalid"


async def test_a_position_that_is_not_reached_in_time_is_said_to_be_behind(
    ask: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondaco.gateway.looking.VIEWS_WAIT_S", 0.02)
    monkeypatch.setattr(ask.house, "views_at", lambda: 1)
    head = ask.house.journal.head()
    behind = await ask(503, "GET", f"/orders?min_position={head}")
    assert (behind["code"], behind["retryable"]) == ("view_behind", True)
    assert behind["state"]["position"] == 1
    await ask(422, "GET", f"/orders?min_position={head + 1}")


@pytest.mark.parametrize("year", ["0001", "1677", "2262", "9999"])
async def test_times_that_no_clock_counts_are_far_away_and_no_error(ask: Client, year: str) -> None:
    await ask(200, "GET", f"/orders?since={year}-12-31T00:00:00Z")
    await ask.order("far", time_in_force="gtd", expire_time="9999-12-31T00:00:00Z")


async def test_under_pressure_whoever_only_reads_is_still_answered(ask: Client) -> None:
    placed = await ask.order("working")
    ask.house.pressed = Unavailable("the disk is behind")
    await ask.order("more", status=503)
    await ask(503, "DELETE", f"/orders/{placed['order_id']}")
    await ask(503, "POST", "/orders/bulk", {"orders": [ORDER]})
    at = f"min_position={placed['position']}"
    for path in (
        f"/orders?{at}",
        f"/orders/{placed['order_id']}?{at}",
        f"/accounts/demo?{at}",
        "/risk/limits?account_id=demo",
        "/market-data/prices/BTC-USD",
        "/journal",
    ):
        await ask(200, "GET", path)


async def test_a_bulk_answers_each_order_for_itself(ask: Client) -> None:
    orders = [{**ORDER, "cl_ord_id": f"b{nth}"} for nth in range(3)]
    orders[1]["symbol"] = "DOGE-USD"
    found = await ask(200, "POST", "/orders/bulk", {"orders": orders})
    assert [item["status"] for item in found["items"]] == [201, 409, 201]
    assert found["items"][1]["error"]["code"] == "unknown_instrument"
    assert (found["accepted"], found["items"][0]["order_id"]) == (2, "demo.1")
    again = await ask(200, "POST", "/orders/bulk", {"orders": orders})
    assert again == found
    mixed = [ORDER, {**ORDER, "account_id": "theirs"}]
    assert (await ask(404, "POST", "/orders/bulk", {"orders": mixed}))["code"] == "unknown_account"
    await ask(422, "POST", "/orders/bulk", {"orders": []})
    await ask(422, "POST", "/orders/bulk", {"orders": [ORDER] * 1_001})


async def test_an_atomic_bulk_is_all_or_none(ask: Client) -> None:
    good = [{**ORDER, "cl_ord_id": f"a{nth}"} for nth in range(2)]
    found = await ask(200, "POST", "/orders/bulk", {"orders": good, "atomic": True})
    assert found["accepted"] == 2
    bad = [{**ORDER, "cl_ord_id": "c0"}, {**ORDER, "cl_ord_id": "c1", "symbol": "DOGE-USD"}]
    refused = await ask(409, "POST", "/trades/bulk", {"orders": bad, "atomic": True})
    assert refused["code"] == "unknown_instrument"
    assert [item["status"] for item in refused["details"]["items"]] == [409, 409]
    oco = [
        {**ORDER, "cl_ord_id": "s1", "side": "sell", "price": "60000.00"},
        {
            **{k: v for k, v in ORDER.items() if k != "price"},
            "cl_ord_id": "s2",
            "side": "sell",
            "ord_type": "stop",
            "stop_px": "40000.00",
        },
    ]
    body = {"orders": oco, "atomic": True, "contingency": "oco"}
    assert (await ask(200, "POST", "/orders/bulk", body))["accepted"] == 2
    await ask(422, "POST", "/orders/bulk", {**body, "orders": oco[:1]})


async def test_a_working_order_is_canceled_and_replaced(ask: Client) -> None:
    placed = await ask.order("o1")
    path = f"/orders/{placed['order_id']}"
    changed = await ask(200, "PATCH", path, {"cl_ord_id": "o2", "price": "49000.00"})
    assert changed["ord_status"] == "pending_replace"
    asked = await ask(200, "DELETE", path)
    assert asked["ord_status"] == "pending_cancel"
    denied = await ask(409, "DELETE", path)
    assert (denied["code"], denied["state"]["ord_status"]) == ("already_pending", "pending_cancel")
    assert (await ask(404, "DELETE", "/orders/demo.99"))["code"] == "unknown_order"
    await ask(422, "DELETE", "/orders/nonsense")
    await ask(404, "DELETE", path, who="stranger")


async def test_mass_cancel_and_close_touch_what_is_meant(ask: Client) -> None:
    buy = await ask.order("b")
    sell = await ask.order("s", side="sell", price="60000.00")
    found = await ask(200, "DELETE", "/orders?account_id=demo&side=sell")
    assert [item["order_id"] for item in found["items"]] == [sell["order_id"]]
    nothing = await ask(200, "DELETE", "/orders?account_id=demo&side=sell")
    assert nothing["items"] == []
    closed = await ask(200, "POST", "/positions/close", {"account_id": "demo"})
    statuses = {item["order_id"]: item["ord_status"] for item in closed["items"]}
    assert statuses[buy["order_id"]] == "pending_cancel"
    assert "new" in statuses.values()  # what was free is being sold


async def test_validation_says_what_an_order_would_be_told_and_changes_nothing(
    ask: Client,
) -> None:
    limits = {"limits": {"order_notional_max": "100"}, "reason": "test"}
    await ask(200, "PUT", "/accounts/demo/limits", limits)
    head = ask.house.journal.head()
    good = await ask(200, "POST", "/risk/validate", ORDER)
    assert (good["accepted"], good["reasons"]) == (True, [])
    assert good["headroom"]["notional"] == "100"
    bad = await ask(200, "POST", "/risk/validate", {**ORDER, "order_qty": "0.003"})
    assert (bad["accepted"], bad["reasons"][0]["reason"]) == (False, "exceeds_order_notional")
    assert bad["order_qty_max"] == "0.002"
    assert bad["policy_version"] == ask.house.reference.version
    assert ask.house.journal.head() == head
    await ask.order("o1", 409, order_qty="0.003")
    await ask.order("o2", 201, order_qty=bad["order_qty_max"])
    shown = await ask(200, "GET", "/risk/limits?account_id=demo")
    assert (shown["own"], shown["limits"]["order_notional_max"]) == (True, "100")
    assert shown["open_orders"] == 1
    await ask(200, "PUT", "/accounts/demo/limits", {"limits": None, "reason": "test"})
    assert (await ask(200, "GET", "/risk/limits?account_id=demo"))["own"] is False


async def test_validation_says_what_an_order_costs_and_judges_a_list_as_it_is_placed(
    ask: Client,
) -> None:
    head = ask.house.journal.head()
    good = await ask(200, "POST", "/risk/validate", ORDER)
    cost = good["cost"]
    assert (cost["currency"], cost["notional"], cost["hold_asset"]) == ("USD", "50", "USD")
    assert cost["margin"] is None
    too_large = {**ORDER, "order_qty": "100000"}
    refused = await ask(200, "POST", "/risk/validate", too_large)
    assert refused["cost"]["qty_max"] == refused["order_qty_max"] == cost["qty_max"]
    passes = {**ORDER, "order_qty": cost["qty_max"]}
    assert (await ask(200, "POST", "/risk/validate", passes))["accepted"] is True
    legs = [{**ORDER, "cl_ord_id": name} for name in ("l1", "l2", "l3")]
    for child, terms in zip(legs[1:], ("limit", "stop"), strict=True):
        child |= {"side": "sell", "ord_type": terms}
    legs[1]["price"], legs[2]["stop_px"] = "60000.00", "40000.00"
    del legs[2]["price"]
    bracket = {"orders": legs, "contingency": "bracket"}
    found = await ask(200, "POST", "/risk/validate/bulk", bracket)
    assert (found["accepted"], len(found["items"])) == (True, 3)
    legs[0]["order_qty"] = "0.002"
    found = await ask(200, "POST", "/risk/validate/bulk", bracket)
    assert found["accepted"] is False
    assert found["items"][0]["reasons"][0]["reason"] == "unsupported_order"
    assert ask.house.journal.head() == head
    await ask(422, "POST", "/risk/validate/bulk", {**bracket, "contingency": "oco"})


async def test_validation_of_new_terms_is_what_a_replace_is_told_and_changes_nothing(
    ask: Client,
) -> None:
    limits = {"limits": {"order_notional_max": "100"}, "reason": "test"}
    await ask(200, "PUT", "/accounts/demo/limits", limits)
    placed = await ask.order("o1")
    head = ask.house.journal.head()
    path, name = "/risk/validate/replace", placed["order_id"]
    good = await ask(200, "POST", path, {"order_id": name, "price": "50001.00"})
    assert (good["accepted"], good["cancels"], good["reasons"]) == (True, False, [])
    assert good["hold_asset"] == "USD"
    bad = await ask(200, "POST", path, {"order_id": name, "order_qty": "0.003"})
    [reason] = bad["reasons"]
    assert (bad["accepted"], reason["reason"]) == (False, "exceeds_order_notional")
    assert (reason["limit"], reason["unit"]) == ("100", "USD")
    tick = await ask(200, "POST", path, {"order_id": name, "price": "50000.001"})
    assert tick["reasons"][0]["reason"] == "price_off_tick"
    gone = await ask(200, "POST", path, {"order_id": "demo.99", "price": "1"})
    assert gone["reasons"][0]["reason"] == "unknown_order"
    assert ask.house.journal.head() == head
    change = {"cl_ord_id": "o2", "order_qty": "0.003"}
    refused = await ask(409, "PATCH", f"/orders/{name}", change)
    assert reason["text"] in refused["message"]
    await ask(404, "POST", path, {"order_id": "nobody.1", "price": "1"})


async def test_limits_and_states_of_the_house_hold_for_everybody_at_once(ask: Client) -> None:
    body = {"limits": {"order_qty_max": {"BTC-USD": "0.0005"}}, "reason": "test"}
    assert (await ask(200, "PUT", "/risk/limits", body))["changed"] is True
    assert (await ask(200, "PUT", "/risk/limits", body))["changed"] is False
    assert (await ask.order("o1", 409))["code"] == "exceeds_order_qty"
    await ask(422, "PUT", "/risk/limits", {"limits": {"collar_bps": -1}, "reason": "x"})
    await ask(422, "PUT", "/risk/limits", {"limits": {"position_max": {"X": "1"}}, "reason": "x"})
    await ask(200, "PUT", "/risk/limits", {"limits": {}, "reason": "off"})
    halt = {"state": "halted", "reason": "test"}
    await ask(200, "PUT", "/accounts/demo/trading-state", halt)
    assert (await ask.order("o2", 409))["code"] == "trading_halted"
    await ask(200, "PUT", "/accounts/demo/trading-state", {**halt, "state": "active"})
    await ask(200, "PUT", "/risk/trading-state", {**halt, "symbol": "BTC-USD"})
    assert (await ask.order("o3", 409))["code"] == "trading_halted"
    refused = await ask(409, "PUT", "/risk/trading-state", {**halt, "symbol": "DOGE-USD"})
    assert refused["code"] == "unknown_instrument"
    await ask(200, "PUT", "/risk/trading-state", {**halt, "symbol": "BTC-USD", "state": "active"})
    assert (await ask(200, "POST", "/risk/kill", {"reason": "test"}))["changed"] is True
    assert (await ask.order("o4", 409))["code"] == "trading_halted"
    assert (await ask(200, "GET", "/risk/limits?account_id=demo"))["house_state"] == "halted"
    await ask(200, "POST", "/risk/unkill", {"reason": "test"})
    await ask.order("o5")


async def test_fees_the_restricted_list_and_the_session_are_the_house_s(ask: Client) -> None:
    fees = {"maker_fee_ppm": -50, "taker_fee_ppm": 250}
    assert (await ask(200, "PUT", "/instruments/BTC-USD/fees", fees))["changed"] is True
    assert (await ask(200, "PUT", "/instruments/BTC-USD/fees", fees))["changed"] is False
    terms = ask.house.refs().instruments["BTC-USD"]
    assert (terms.maker_fee_ppm, terms.taker_fee_ppm) == (-50, 250)
    beyond = {**fees, "maker_fee_ppm": -251}
    assert (await ask(409, "PUT", "/instruments/BTC-USD/fees", beyond))["code"] == "fee_invalid"
    unknown = await ask(409, "PUT", "/instruments/DOGE-USD/fees", fees)
    assert unknown["code"] == "unknown_instrument"

    closed = {"symbols": ["BTC-USD"], "reason": "insider list"}
    assert (await ask(200, "PUT", "/risk/restricted", closed))["changed"] is True
    assert (await ask.order("o1", 409))["code"] == "restricted"
    await ask(409, "PUT", "/risk/restricted", {**closed, "symbols": ["DOGE-USD"]})
    await ask(200, "PUT", "/risk/restricted", {**closed, "symbols": []})
    await ask.order("o2")

    opens = {"time_zone": "America/New_York", "opens_minute": 570}
    assert (await ask(200, "PUT", "/risk/session", opens))["changed"] is True
    assert ask.house.refs().session == Session("America/New_York", 570)
    for wrong in ({"time_zone": "Mars/Olympus"}, {"time_zone": "../UTC"}, {"opens_minute": 1_440}):
        await ask(422, "PUT", "/risk/session", {**opens, **wrong})
    await ask(409, "PUT", "/instruments/BTC-USD/fees", beyond)  # a house goes on after a wrong ask


async def test_the_journal_shows_a_tenant_its_own_and_the_house(ask: Client) -> None:
    await ask.order("o1")
    page = await ask(200, "GET", "/journal?limit=3")
    assert [entry["position"] for entry in page["items"]] == [1, 2, 3]
    rest = await ask(200, "GET", f"/journal?after={page['next']}&limit=1000")
    assert rest["items"][-1]["kind"] == "trading.order_accepted.v1"
    assert rest["next"] == rest["head"] == ask.house.journal.head()
    theirs = await ask(200, "GET", "/journal?limit=1000", who="stranger")
    assert {entry["stream"] for entry in theirs["items"]} == {"reference/house"}


async def test_instruments_and_market_are_shown_with_what_they_are_worth(ask: Client) -> None:
    [listed] = (await ask(200, "GET", "/instruments"))["items"]
    assert (listed["symbol"], listed["tick_size"], listed["lot_size"]) == (
        "BTC-USD",
        "0.01",
        "0.000001",
    )
    price = await ask(200, "GET", "/market-data/prices/BTC-USD")
    assert price["quality"] == "recovering"
    book = await ask(200, "GET", "/market-data/orderbook/BTC-USD?depth=5")
    assert (book["bids"], book["asks"]) == ([], [])
    assert (await ask(200, "GET", "/market-data/bars/BTC-USD?interval=1m"))["items"] == []
    for path in ("prices/NO-USD", "orderbook/NO-USD", "bars/NO-USD"):
        await ask(404, "GET", f"/market-data/{path}")
    await ask(422, "GET", "/market-data/orderbook/BTC-USD?depth=0")
    await ask(422, "GET", "/market-data/bars/BTC-USD?interval=7m")
