"""Fractional orders against a whole house: pooled, bought as whole shares, shared out, explained,
and the same after a kill."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.test_crossing import status
from app.test_restart import done, wait_for
from fondaco.domain.ledger.checks import not_cleared
from fondaco.domain.ledger.store.postings import ledger_balances
from running import Client, house

ACME = {
    "symbol": "ACME-USD",
    "base": "ACME",
    "quote": "USD",
    "tick_size": "0.01",
    "lot_size": "0.000000001",
    "round_lot": "1",
    "reference_price": "25.00",
    "taker_fee_ppm": 1000,
}
CUSTOMERS = ("ann", "ben", "cleo")
OPTIONS = ("--set", "pool_every_ms=50", "--set", "checks_every_s=1")


def place(client: Client, account: str, name: str, side: str, qty: str, price: str) -> Any:
    order = {
        "account_id": account, "cl_ord_id": name, "symbol": "ACME-USD", "side": side,
        "ord_type": "limit", "order_qty": qty, "price": price, "time_in_force": "gtc",
    }  # fmt: skip
    return done(client, "POST", "/api/orders", order)


def furnish(client: Client) -> None:
    done(client, "PUT", "/api/risk/limits", {"limits": {}, "reason": "a test"})
    done(client, "POST", "/api/instruments", ACME)
    for account in (*CUSTOMERS, "pool-desk", "street"):
        done(client, "POST", "/api/accounts", {"account_id": account})
        for asset, amount in (("USD", "100000"), ("ACME", "100")):
            path = f"/api/accounts/{account}/deposits"
            done(client, "POST", path, {"asset": asset, "amount": amount})


def balances(client: Client, account: str) -> dict[str, Decimal]:
    found = client.get(f"/api/accounts/{account}")
    return {each["asset"]: Decimal(each["balance"]) for each in found["balances"]}


def filled(client: Client, names: dict[str, str]) -> bool:
    return all(status(client, account, name) == "filled" for name, account in names.items())


def test_fractions_become_whole_shares_and_come_back_exactly(tmp_path: Path) -> None:
    """One share at 25.00 and two at 25.03 for 2.123456789 shares of three people, who all pay
    25.02 a share; then the house is killed in the middle of more of it."""
    data = tmp_path / "house"
    with house(data, options=OPTIONS) as running:
        client = running.client()
        furnish(client)
        place(client, "street", "s1", "sell", "1", "25.00")
        place(client, "street", "s2", "sell", "50", "25.03")
        place(client, "street", "b1", "buy", "50", "24.90")
        names = {"a": "ann", "b": "ben", "c": "cleo"}
        done(
            client,
            "PUT",
            "/api/accounts/pool-desk/trading-state",
            {"state": "halted", "reason": "gather"},
        )
        orders = [
            place(client, account, name, "buy", qty, "25.10")
            for (name, account), qty in zip(
                names.items(), ("0.123456789", "1.5", "0.5"), strict=True
            )
        ]
        done(
            client,
            "PUT",
            "/api/accounts/pool-desk/trading-state",
            {"state": "active", "reason": "go"},
        )
        wait_for(lambda: filled(client, names))
        found = client.get("/api/pools/ACME-USD")
        block = next(each for each in found["blocks"] if each["parts"])
        check(block, orders)
        assert found["pool"]["inventory"] == "0.876543211"
        explained(client, orders[0]["order_id"])
        more = [place(client, who, f"m{who}{n}", "buy" if n % 2 else "sell", f"0.{n}7", "25.10"
                      if n % 2 else "24.80") for who in CUSTOMERS for n in range(1, 6)]  # fmt: skip
        running.kill()
    with house(data, options=OPTIONS) as running:
        client = running.client()
        wait_for(lambda: all_filled(client, 3 + len(more)))
        at_rest(client)
        assert running.stop() == 0
    with sa.create_engine(f"sqlite:///{data / 'views.db'}").connect() as conn:
        assert not_cleared(ledger_balances(conn)) == []


def check(block: dict[str, Any], orders: list[Any]) -> None:
    """Sum of parts, average price, and nobody better."""
    assert (block["street_qty"], block["qty"]) == ("3", "2.123456789")
    assert Decimal(block["street_cost"]) == Decimal("25.00") + 2 * Decimal("25.03")
    average = Decimal(block["street_cost"]) / 3
    assert abs(Decimal(block["avg_px"]) - average) < Decimal("0.00000001")
    assert {each["order_id"] for each in block["parts"]} == {each["order_id"] for each in orders}
    assert sum(Decimal(each["cost"]) for each in block["parts"]) == Decimal(block["cost"])
    for each in block["parts"]:
        exact = Decimal(each["qty"]) * average
        assert abs(Decimal(each["cost"]) - exact) < Decimal("0.00000000002")


def explained(client: Client, order: str) -> None:
    """The fill goes back through the block, the desk's own order and the street to the clock."""
    found = client.get(f"/api/why/{order}")
    fill = next(each for each in found["steps"] if each["kind"] == "trading.order_filled.v1")
    kinds = [each.get("kind") for each in fill["causes"]]
    assert "venues.block_cut.v1" in kinds
    assert kinds[0] == "venues.order_executed.v1"
    assert "trading.order_accepted.v1" in kinds
    joined = [each["kind"] for each in found["steps"]]
    assert "venues.pool_joined.v1" in joined
    street = client.get("/api/why/pool-desk.1")
    assert street["steps"][0]["causes"][0]["kind"] == "venues.block_cut.v1"


def all_filled(client: Client, count: int) -> bool:
    orders = [each for who in CUSTOMERS for each in client.all(f"/api/orders?account_id={who}")]
    return [each["ord_status"] for each in orders] == ["filled"] * count


def at_rest(client: Client) -> None:
    """Nothing stands on a clearing account, and what is owned is what came in."""
    found = client.get("/api/pools/ACME-USD")["pool"]
    owned = {each: balances(client, each) for each in (*CUSTOMERS, "pool-desk", "street")}
    assert sum(each["ACME"] for each in owned.values()) == 500
    street = Decimal(100) - owned["street"]["ACME"]
    assert street == int(street), "the street has traded whole shares"
    assert owned["pool-desk"]["ACME"] == 100 + Decimal(found["inventory"])
    assert 0 <= Decimal(found["inventory"]) < 1
    wait_for(lambda: client.get("/api/checks")["holds"])


@pytest.mark.parametrize(
    ("change", "code"),
    [({"round_lot": "0"}, 422), ({"round_lot": "0.0000000001"}, 422), ({"kind": "linear"}, 422)],
)
def test_a_round_lot_that_makes_no_sense_is_refused(
    own: Client, change: dict[str, str], code: int
) -> None:
    assert own.ask("POST", "/api/instruments", ACME | change).status == code


def test_what_is_not_pooled_has_no_desk(own: Client) -> None:
    assert own.get("/api/pools") == {"items": []}
    assert own.ask("GET", "/api/pools/BTC-USD").status == 404


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with house(tmp_path_factory.mktemp("own") / "house") as running:
        client = running.client()
        yield client
        client.close()
