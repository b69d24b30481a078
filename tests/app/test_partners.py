"""A partner of a whole house: their tier, what it allows at which door, and what they used."""

import time
from collections.abc import Iterator

import pytest

from running import Client, Running, house, order


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with house(tmp_path_factory.mktemp("partners") / "house") as found:
        yield found


def partner(running: Running, name: str) -> Client:
    """A key that is confined to the account `demo`."""
    asked = {
        "name": name,
        "scopes": ["orders:write", "orders:read", "market:read", "webhooks:write"],
        "accounts": ["demo"],
    }
    made = running.client().ask("POST", "/api/keys", asked)
    assert made.status == 201, made
    return running.client(made.body["token"])


def tier(client: Client, **terms: object) -> None:
    usual = {"requests_per_s": 1_000, "burst": 1_000, "webhooks": 1, **terms}
    reply = client.ask("PUT", "/api/partner-tiers/gold", usual)
    assert reply.status == 200, reply
    reply = client.ask("PUT", "/api/partners/demo", {"tier": "gold", "account": "demo"})
    assert reply.status == 200, reply


def test_a_tier_bounds_orders_doors_webhooks_and_rates_and_uses_are_told(running: Running) -> None:
    demo, robo = running.client(), partner(running, "robo")
    assert robo.get("/api/partner")["tier"] is None
    tier(demo, orders_per_day=2)
    placed = [robo.ask("POST", "/api/orders", order(f"p{number}")).status for number in range(3)]
    assert placed == [201, 201, 429]
    refused = robo.ask("POST", "/api/orders", order("p4"))
    assert refused.body["details"]["rule"] == "orders_per_day"
    mine = robo.get("/api/partner")
    assert (mine["orders_today"], mine["orders_left"]) == (2, 0)
    assert demo.ask("POST", "/api/orders", order("not-a-partner")).status == 201

    hook = {"url": "http://127.0.0.1:9/", "events": ["order.*"]}
    assert robo.ask("POST", "/api/webhooks", hook).status == 201
    assert robo.ask("POST", "/api/webhooks", hook).status == 409

    tier(demo, doors=["ws"])
    denied = robo.ask("GET", "/api/partner")
    assert (denied.status, denied.body["code"]) == (403, "tier_door")

    tier(demo, requests_per_s=1, burst=3)
    statuses = [robo.ask("GET", "/api/partner").status for _ in range(30)]
    assert 200 in statuses
    assert 429 in statuses
    limited = next(
        reply
        for reply in iter(lambda: robo.ask("GET", "/api/partner"), None)
        if reply.status == 429
    )
    assert int(limited.headers["retry-after"]) >= 1

    (shown,) = demo.get("/api/partners")["items"]
    assert shown["partner"] == "demo/demo"
    assert shown["requests"] >= 30
    assert [each["caller"] for each in shown["callers"]] == ["demo/robo"]
    reply = demo.ask("PUT", "/api/partners/demo", {"tier": None, "account": "demo"})
    assert reply.status == 200, reply
    time.sleep(1.1)
    assert robo.get("/api/partner")["tier"] is None
