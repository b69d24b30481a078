"""A house whose accounts trade with each other: by HTTP, with a book that everybody sees."""

from pathlib import Path
from typing import Any

from app.test_restart import done, wait_for
from running import Client, house

SYMBOL = "FON-USD"


def place(client: Client, account: str, name: str, side: str, price: str, qty: str) -> Any:
    return done(
        client,
        "POST",
        "/api/orders",
        {
            "account_id": account,
            "cl_ord_id": name,
            "symbol": SYMBOL,
            "side": side,
            "ord_type": "limit",
            "order_qty": qty,
            "price": price,
            "time_in_force": "gtc",
        },
    )


def status(client: Client, account: str, name: str) -> str:
    found = {each["cl_ord_id"]: each for each in client.all(f"/api/orders?account_id={account}")}
    # Views follow the answer by some milliseconds: an order that is not there yet has no status.
    return str(found[name]["ord_status"]) if name in found else ""


def test_two_accounts_meet_on_the_houses_own_book_which_survives_a_restart(tmp_path: Path) -> None:
    """The listing's price is the mark of a book that is empty, so that the first order may come."""
    data = tmp_path / "house"
    with house(data) as running:
        client = running.client()
        assert client.get(f"/api/market-data/orderbook/{SYMBOL}")["bids"] == []
        assert client.get(f"/api/market-data/prices/{SYMBOL}")["mark"]["price"] == "100"
        place(client, "demo", "s1", "sell", "101", "10")
        place(client, "demo", "s2", "sell", "102", "10")

        def asks() -> Any:
            return client.get(f"/api/market-data/orderbook/{SYMBOL}")["asks"]

        wait_for(lambda: len(asks()) == 2)
        place(client, "demo2", "b1", "buy", "101.5", "25")
        wait_for(lambda: status(client, "demo", "s1") == "filled")
        wait_for(lambda: status(client, "demo2", "b1") == "partially_filled")
        book = client.get(f"/api/market-data/orderbook/{SYMBOL}")
        best = [book["bids"][0], book["asks"][0]]
        place(client, "demo2", "self", "sell", "101.5", "1")
        wait_for(lambda: status(client, "demo2", "self") == "canceled")
        price = client.get(f"/api/market-data/prices/{SYMBOL}")
        assert (price["quality"], price["last"]["price"]) == ("ok", "101")
        client.close()
        running.stop()
    with house(data) as running:
        client = running.client()
        book = client.get(f"/api/market-data/orderbook/{SYMBOL}")
        assert [book["bids"][0], book["asks"][0]] == best
        assert client.get(f"/api/market-data/prices/{SYMBOL}")["mark"]["price"] == "101.5"
        place(client, "demo", "s3", "sell", "101.5", "15")
        wait_for(lambda: status(client, "demo2", "b1") == "filled")
        client.close()
