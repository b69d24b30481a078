"""What a margin account is told of itself, over a real socket: warnings, liquidation, numbers."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
from websockets.sync.client import connect

from running import Client, house

QUANTITY: Final = Decimal("0.3")


def put_rates(client: Client, initial: int, maintenance: int) -> None:
    tiers = [{"initial_ppm": initial, "maintenance_ppm": maintenance}]
    asked = {"tiers": tiers, "reason": "test"}
    reply = client.ask("PUT", "/api/instruments/BTC-USD/margin", asked)
    assert reply.status == 200, reply


def bought(client: Client) -> None:
    """All of it: a market that has just begun may have nothing to sell yet."""
    held, nth = Decimal(0), 0
    while held < QUANTITY:
        nth += 1
        order = {
            "account_id": "lever", "cl_ord_id": f"o{nth}", "symbol": "BTC-USD", "side": "buy",
            "ord_type": "market", "order_qty": str(QUANTITY - held), "time_in_force": "ioc",
        }  # fmt: skip
        placed = client.ask("POST", "/api/orders", order)
        assert placed.status == 201, placed
        path = f"/api/orders/{placed.body['order_id']}?min_position={placed.body['position']}"
        while (found := client.get(path)["order"])["ord_status"] not in ("filled", "canceled"):
            assert found["ord_status"] in ("new", "partially_filled", "pending_new"), found
            time.sleep(0.02)
        held += Decimal(found["cum_qty"])
        assert nth < 200, "the market sells nothing"


def test_warnings_and_liquidation_are_told_over_the_socket(tmp_path: Path) -> None:
    """Rates go up twice: the first time the account is warned, the second time it is closed."""

    def told(alert: str) -> Any:
        """Of the channel that is subscribed to, nothing else comes."""
        while True:
            message = msgspec.json.decode(socket.recv(timeout=20))
            assert message["channel"] == "margin", message
            assert message["account_id"] == "lever"
            if message["alert"] == alert:
                return message

    with house(tmp_path / "data") as running:
        client = running.client()
        put_rates(client, 200_000, 100_000)
        asked = {"account_id": "lever", "name": "Lever", "account_type": "margin"}
        assert client.ask("POST", "/api/accounts", asked).status == 201
        free = {"limits": {}, "reason": "no rule but margin"}
        assert client.ask("PUT", "/api/accounts/lever/limits", free).status == 200
        money = {"asset": "USD", "amount": "10000", "direction": "deposit"}
        assert client.ask("POST", "/api/accounts/lever/transfers", money).status == 201
        url = f"ws://127.0.0.1:{running.port}/ws/trading"
        headers = {"Authorization": "Bearer demo"}
        with connect(url, additional_headers=headers) as socket:
            ask = {"op": "subscribe", "id": 1, "channels": ["margin"], "accounts": ["lever"]}
            socket.send(msgspec.json.encode(ask).decode())
            begun = msgspec.json.decode(socket.recv(timeout=20))
            assert begun.get("type") == "snapshot", begun
            bought(client)
            put_rates(client, 600_000, 570_000)  # 57 % of some 15,000.00
            warned = told("warned")
            assert (warned["level_bps"], warned["currency"]) == (8_000, "USD")
            assert warned["used_bps"] >= 8_000
            assert Decimal(warned["maintenance"]) < Decimal(warned["equity"])
            put_rates(client, 900_000, 850_000)
            began = told("liquidation_began")
            assert Decimal(began["equity"]) < Decimal(began["maintenance"])
            ended = told("liquidation_ended")
            assert Decimal(ended["equity"]) >= Decimal(ended["initial"])
            assert ended["position"] > began["position"] > warned["position"]


def test_who_opens_an_account_may_watch_it_at_once(tmp_path: Path) -> None:
    """The views come a moment behind the journal, and a subscription waits for them."""
    with house(tmp_path / "data") as running:
        client, headers = running.client(), {"Authorization": "Bearer demo"}
        with connect(f"ws://127.0.0.1:{running.port}/ws/trading", additional_headers=headers) as it:
            for nth in range(20):
                asked = {"account_id": f"new{nth}", "name": "New"}
                opened = client.ask("POST", "/api/accounts", asked)
                assert opened.status == 201
                ask = {"op": "subscribe", "id": nth, "accounts": [f"new{nth}"]}
                it.send(msgspec.json.encode(ask).decode())
                said = msgspec.json.decode(it.recv(timeout=20))
                assert (said.get("type"), said["id"]) == ("snapshot", nth), said


def test_who_opens_an_account_may_read_it_at_once(tmp_path: Path) -> None:
    """That there is no such account is said by views that know all that was written."""
    with house(tmp_path / "data") as running:
        client = running.client()
        for nth in range(20):
            opened = client.ask("POST", "/api/accounts", {"account_id": f"new{nth}", "name": "New"})
            assert opened.status == 201
            read = client.ask("GET", f"/api/accounts/new{nth}/statistics")
            assert read.status == 200, read
        assert client.ask("GET", "/api/accounts/nobodys/statistics").status == 404
