"""The house's own venue over HTTP: instruments are listed, phases set, orders meet in the dark."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from app.test_crossing import status
from app.test_restart import done, wait_for
from running import Client, Running, house

SYMBOL = "FON-USD"
ACME = {
    "symbol": "ACME-USD",
    "base": "ACME",
    "quote": "USD",
    "tick_size": "0.05",
    "lot_size": "0.1",
    "reference_price": "25.00",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One house for all tests; each lists an instrument of its own."""
    with house(tmp_path_factory.mktemp("own") / "house") as running:
        yield running


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    client = running.client()
    yield client
    client.close()


@pytest.fixture
def symbol(client: Client, request: pytest.FixtureRequest) -> str:
    """A further instrument on FON, of which the demo accounts have plenty."""
    symbol = f"T{crc32(request.node.name.encode())}-USD"
    terms = {"base": "FON", "tick_size": "0.01", "lot_size": "1", "reference_price": "100"}
    done(client, "POST", "/api/instruments", {**ACME, **terms, "symbol": symbol})
    return symbol


def place(
    client: Client, symbol: str, account: str, name: str, side: str, price: str, **more: Any
) -> Any:
    order = {
        "account_id": account,
        "cl_ord_id": name,
        "symbol": symbol,
        "side": side,
        "ord_type": "limit",
        "order_qty": "10",
        "price": price,
        "time_in_force": "gtc",
    }
    return done(client, "POST", "/api/orders", order | more)


def orderbook(client: Client, symbol: str) -> Any:
    return client.get(f"/api/market-data/orderbook/{symbol}")


def phase_of(client: Client, symbol: str) -> Any:
    found = {each["symbol"]: each["phase"] for each in client.get("/api/instruments")["items"]}
    return found[symbol]


def set_phase(client: Client, symbol: str, phase: str, **more: Any) -> Any:
    body = {"phase": phase, "reason": "a test", **more}
    return done(client, "PUT", f"/api/instruments/{symbol}/phase", body)


def test_an_auction_is_opened_shown_and_uncrossed(client: Client, symbol: str) -> None:
    """Figure O3's book over HTTP: the indicative price is told while orders gather, and the auction
    ends where it said; other venues have no phases."""
    assert phase_of(client, symbol) == "continuous"
    assert phase_of(client, "BTC-USD") == ""
    set_phase(client, symbol, "opening_auction")
    bids = (("640", "500"), ("639", "500"), ("639", "500"), ("634", "1000"), ("633", "500"))
    asks = (("610", "1000"), ("640", "500"), ("641", "520"), ("642", "550"), ("643", "519"))
    limits = {"limits": {}, "reason": "prices far from the listing's"}
    done(client, "PUT", "/api/risk/limits", limits)
    for side, account, levels in (("buy", "demo", bids), ("sell", "demo2", asks)):
        for nth, (px, qty) in enumerate(levels):
            place(client, symbol, account, f"{side}{nth}", side, px, order_qty=qty)
    wait_for(lambda: (orderbook(client, symbol)["indicative"] or {}).get("surplus") == "500")
    wait_for(lambda: len(orderbook(client, symbol)["asks"]) == 5)
    book = orderbook(client, symbol)
    assert (book["phase"], book["quality"]) == ("opening_auction", "ok")
    assert book["indicative"] == {"price": "639", "qty": "1000", "surplus": "500"}
    assert client.get(f"/api/market-data/prices/{symbol}")["mark"]["price"] == "100"
    told = set_phase(client, symbol, "continuous")
    assert told["uncrossed"] == {"price": "639", "qty": "1000", "surplus": "500", "trades": 2}
    wait_for(lambda: status(client, "demo", "buy0") == "filled")
    book = orderbook(client, symbol)
    assert (book["phase"], book["indicative"], phase_of(client, symbol)) == (
        "continuous",
        None,
        "continuous",
    )
    assert client.get(f"/api/market-data/prices/{symbol}")["last"]["price"] == "639"


def test_who_is_halted_may_only_leave(client: Client, symbol: str) -> None:
    order = place(client, symbol, "demo", "rests", "buy", "99")
    wait_for(lambda: len(orderbook(client, symbol)["bids"]) == 1)
    set_phase(client, symbol, "halted")
    assert (orderbook(client, symbol)["quality"], phase_of(client, symbol)) == ("closed", "halted")
    done(client, "DELETE", f"/api/orders/{order['order_id']}", None)
    wait_for(lambda: status(client, "demo", "rests") == "canceled")
    set_phase(client, symbol, "continuous")
    assert orderbook(client, symbol)["quality"] == "ok"


@pytest.mark.parametrize(
    ("symbol", "change", "code"),
    [
        ("BTC-USD", {}, 422),
        ("NONE-USD", {}, 404),
        (SYMBOL, {"phase": "lunch"}, 422),
        (SYMBOL, {"reason": ""}, 422),
        (SYMBOL, {"reference_price": "1.001"}, 422),
    ],
)
def test_a_phase_that_makes_no_sense_is_refused(
    client: Client, symbol: str, change: dict[str, str], code: int
) -> None:
    body = {"phase": "halted", "reason": "a test"} | change
    assert client.ask("PUT", f"/api/instruments/{symbol}/phase", body).status == code


def test_phases_follow_a_schedule(client: Client, symbol: str) -> None:
    """A day of two steps around now, in UTC: whichever came last has its phase set by the clock."""
    path = f"/api/instruments/{symbol}/schedule"
    assert client.get(path)["steps"] == []
    now = datetime.now(UTC)
    steps = [{"at": "00:00", "phase": "opening_auction"}, {"at": "23:59", "phase": "closed"}]
    schedule = {"time_zone": "UTC", "calendar": "", "steps": steps, "reason": "a test"}
    assert done(client, "PUT", path, schedule)["changed"]
    open_ = "closed" if (now.hour, now.minute) == (23, 59) else "opening_auction"
    wait_for(lambda: phase_of(client, symbol) == open_)
    shown = client.get(path)
    assert (shown["phase"], shown["steps"], shown["time_zone"]) == (open_, steps, "UTC")
    assert shown["next"]["phase"] in ("closed", "opening_auction")
    done(client, "PUT", path, {"reason": "no more of it"})
    wait_for(lambda: client.get(path)["next"] is None)
    set_phase(client, symbol, "continuous")
    assert phase_of(client, symbol) == "continuous"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbol": "BTC-USD"}, 422),
        ({"symbol": "NONE-USD"}, 404),
        ({"time_zone": "Mars/Olympus"}, 422),
        ({"calendar": "XXXX"}, 422),
        ({"steps": [{"at": "24:00", "phase": "closed"}]}, 422),
        ({"steps": [{"at": "10:00", "phase": "closed"}]}, 422),
        ({"steps": [{"at": "10:00", "phase": "closed"}, {"at": "11:00", "phase": "halted"}]}, 422),
    ],
)
def test_a_schedule_that_nobody_can_follow_is_refused(
    client: Client, change: dict[str, Any], code: int
) -> None:
    steps = [{"at": "09:00", "phase": "continuous"}, {"at": "17:00", "phase": "closed"}]
    body = {"symbol": SYMBOL, "steps": steps, "reason": "a test"} | change
    path = f"/api/instruments/{body.pop('symbol')}/schedule"
    assert client.ask("PUT", path, body).status == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tick_size": "0"}, 422),
        ({"lot_size": "0"}, 422),
        ({"tick_size": "-1"}, 422),
        ({"reference_price": "25.01"}, 422),
        ({"reference_price": "0"}, 422),
        ({"symbol": "acme"}, 422),
        ({"kind": "option"}, 422),
        ({"asset_class": "event"}, 422),
        ({"mic": "XNYS"}, 422),
        ({"maker_fee_ppm": -5}, 422),
        ({"base": "USD"}, 409),
        ({"symbol": "BTC-USD", "base": "BTC"}, 409),
        ({"symbol": SYMBOL, "base": "FON", "tick_size": "0.01", "lot_size": "1"}, 409),
        ({"base": "FON", "lot_size": "0.000001"}, 422),
    ],
)
def test_a_listing_that_is_malformed_or_exists_is_refused(
    client: Client, change: dict[str, Any], code: int
) -> None:
    before = client.get("/api/instruments")["version"]
    told = client.ask("POST", "/api/instruments", ACME | change)
    assert told.status == code, told.body
    symbols = [each["symbol"] for each in client.get("/api/instruments")["items"]]
    assert ACME["symbol"] not in symbols
    assert before <= client.get("/api/instruments")["version"]


def test_a_listed_instrument_trades_at_once_and_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "house"
    with house(data) as running:
        client = running.client()
        _list_and_trade(client)
        client.close()
        running.stop()
    with house(data) as running:
        client = running.client()
        assert phase_of(client, "ACME-USD") == "continuous"
        assert orderbook(client, "ACME-USD")["bids"] == [["24.95", "6"]]
        assert client.ask("POST", "/api/instruments", ACME).status == 409
        client.close()


def _list_and_trade(client: Client) -> None:
    told = done(client, "POST", "/api/instruments", ACME)
    assert (told["symbol"], told["mic"], told["tick_size"]) == ("ACME-USD", "CROSS", "0.05")
    done(client, "POST", "/api/accounts/demo2/deposits", {"asset": "ACME", "amount": "100"})
    place(client, "ACME-USD", "demo", "b", "buy", "24.95")
    wait_for(lambda: len(orderbook(client, "ACME-USD")["bids"]) == 1)
    place(client, "ACME-USD", "demo2", "s", "sell", "24.95", order_qty="4")
    wait_for(lambda: status(client, "demo2", "s") == "filled")
    wait_for(lambda: orderbook(client, "ACME-USD")["bids"] == [["24.95", "6"]])


def test_orders_meet_unseen_at_the_middle_of_our_own_book(client: Client, symbol: str) -> None:
    """They wait while the lit book has no middle, and execute once it has one; nothing of them is
    shown before, and the print says where it was."""
    dark = {"midpoint": True, "min_qty": "5"}
    place(client, symbol, "demo", "d1", "buy", "103", **dark)
    place(client, symbol, "demo2", "d2", "sell", "97", order_qty="30", **dark)
    wait_for(lambda: status(client, "demo2", "d2") == "new")
    book = orderbook(client, symbol)
    assert (book["bids"], book["asks"]) == ([], [])
    place(client, symbol, "demo2", "lit1", "sell", "102")
    place(client, symbol, "demo", "lit2", "buy", "98")
    wait_for(lambda: status(client, "demo", "d1") == "filled")
    wait_for(lambda: status(client, "demo2", "d2") == "partially_filled")
    book = orderbook(client, symbol)
    assert (book["bids"], book["asks"]) == ([["98", "10"]], [["102", "10"]])
    last = client.get(f"/api/market-data/prices/{symbol}")["last"]
    assert (last["price"], last["source"]) == ("100", "midpt")
    small = place(client, symbol, "demo", "d3", "buy", "103", order_qty="4", midpoint=True)
    wait_for(lambda: status(client, "demo", "d3") == "new")
    done(client, "DELETE", f"/api/orders/{small['order_id']}", None)
    wait_for(lambda: status(client, "demo", "d3") == "canceled")


def test_an_account_says_what_happens_where_it_meets_itself(client: Client, symbol: str) -> None:
    """By order, by its own limits, and by those of the house."""
    place(client, symbol, "demo", "m1", "sell", "101")
    wait_for(lambda: len(orderbook(client, symbol)["asks"]) == 1)
    oldest = {"self_match_prevention": "cancel_oldest"}
    place(client, symbol, "demo", "t1", "buy", "101", **oldest)
    wait_for(lambda: status(client, "demo", "m1") == "canceled")
    wait_for(lambda: status(client, "demo", "t1") == "new")
    limits = {"limits": {"self_match_prevention": "decrement"}, "reason": "a test"}
    done(client, "PUT", "/api/accounts/demo/limits", limits)
    place(client, symbol, "demo", "t2", "sell", "101", order_qty="4")
    wait_for(lambda: status(client, "demo", "t2") == "canceled")
    wait_for(lambda: orderbook(client, symbol)["bids"] == [["101", "6"]])
    [kept] = [
        each for each in client.all("/api/orders?account_id=demo") if each["cl_ord_id"] == "t1"
    ]
    assert (kept["order_qty"], kept["leaves_qty"], kept["ord_status"]) == ("6", "6", "new")
    done(
        client,
        "PUT",
        "/api/risk/limits",
        limits | {"limits": {"self_match_prevention": "cancel_both"}},
    )
    done(client, "PUT", "/api/accounts/demo/limits", {"limits": None, "reason": "a test"})
    place(client, symbol, "demo", "t3", "sell", "101")
    wait_for(lambda: status(client, "demo", "t1") == "canceled")
    wait_for(lambda: status(client, "demo", "t3") == "canceled")
