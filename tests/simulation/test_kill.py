"""kill -9 under load: what was acknowledged is there once, what was refused is not, money adds up.

The whole house is killed, its follower too, at a moment that the seed chooses; then a house is
started on what is left. This shows that answers follow commits and that every view follows the
journal. That commits outlive a power cut is what tests/faults/test_house_sync.py shows.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from nursery import born
from running import Client, begin, house
from simulation.under_load import Told, orders, until_killed

SOAK: Final = os.environ.get("FONDACO_SOAK") == "1"
SEEDS: Final = range(1, 51 if SOAK else 4)
ACCOUNT: Final = "/api/orders?account_id=demo"


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_acknowledged_is_there_once_after_kill_9(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    data, told = tmp_path / "house", Told()
    killed_after = draw.uniform(0.3, 1.5)
    with house(data) as running:
        asyncio.run(until_killed(running, seed, killed_after, told))
    assert not told.otherwise
    assert len(told.accepted) > 20, f"the load was no load: {len(told.accepted)} orders"
    assert told.refused

    if seed % 3 == 0:  # and again while it recovers
        killed_at_start(data, after_s=draw.uniform(0.0, 1.0))
    with house(data) as running:
        client = running.client()
        everything_acknowledged_is_there_once(client, told)
        retries_are_answered_once(client, told)
        the_money_adds_up(client)
        assert running.stop() == 0
    nothing_is_wrong_with(data)


@pytest.mark.parametrize("after_s", [0.05, 0.4, 0.8] if not SOAK else [n / 20 for n in range(40)])
def test_a_house_killed_while_it_starts_starts_again(tmp_path: Path, after_s: float) -> None:
    """On an empty directory, then on one that it has left half made."""
    data = tmp_path / "house"
    for _ in range(2):
        killed_at_start(data, after_s=after_s)
    with house(data) as running:
        client = running.client()
        accepted = client.ask("POST", "/api/orders", next(orders(1)))
        assert accepted.status in (201, 409)
        balances = client.get("/api/accounts/demo")["balances"]
        assert {each["asset"] for each in balances} >= {"USD", "BTC"}
        assert running.stop() == 0
    nothing_is_wrong_with(data)


def killed_at_start(data: Path, *, after_s: float) -> None:
    """Start a house and SIGKILL it, ready or not."""
    starting = begin(data)
    time.sleep(after_s)
    starting.kill()


def everything_acknowledged_is_there_once(client: Client, told: Told) -> None:
    last = max(answer["position"] for answer in told.accepted.values())
    listed = client.all(f"{ACCOUNT}&limit=500&min_position={last}")
    times = Counter(each["cl_ord_id"] for each in listed)
    found = {each["cl_ord_id"]: each for each in listed}
    assert set(told.accepted) <= set(found), "an acknowledged order is lost"
    assert not [cl_ord_id for cl_ord_id, count in times.items() if count > 1]
    for cl_ord_id, answer in told.accepted.items():
        assert found[cl_ord_id]["order_id"] == answer["order_id"]
    for cl_ord_id in told.refused:
        assert found.get(cl_ord_id, {"ord_status": "rejected"})["ord_status"] == "rejected"
    some = list(told.accepted)[:: max(len(told.accepted) // 20, 1)]
    for cl_ord_id in some:
        assert len(client.get(f"{ACCOUNT}&cl_ord_id={cl_ord_id}")["items"]) == 1


def retries_are_answered_once(client: Client, told: Told) -> None:
    """The same content again: those in doubt are decided now, the others were decided then."""
    position = 0
    for cl_ord_id in told.in_doubt:
        first, second = (client.ask("POST", "/api/orders", told.asked[cl_ord_id]) for _ in "12")
        assert first.status in (201, 409), first
        assert second.status == first.status
        if first.status == 201:
            assert second.body["order_id"] == first.body["order_id"]
            position = max(position, first.body["position"])
            told.accepted[cl_ord_id] = first.body
    for cl_ord_id in list(told.accepted)[-20:]:
        again = client.ask("POST", "/api/orders", told.asked[cl_ord_id])
        assert again.status == 201
        assert again.body["order_id"] == told.accepted[cl_ord_id]["order_id"]
    for cl_ord_id in list(told.refused)[-5:]:
        assert client.ask("POST", "/api/orders", told.asked[cl_ord_id]).status == 409
    times = Counter(
        each["cl_ord_id"] for each in client.all(f"{ACCOUNT}&limit=500&min_position={position}")
    )
    assert all(times[cl_ord_id] == 1 for cl_ord_id in told.accepted)


def the_money_adds_up(client: Client) -> None:
    """What the account holds is what was paid in, moved by its executions and by nothing else."""
    settled = client.ask("DELETE", "/api/orders?account_id=demo")
    assert settled.status == 200
    until = time.perf_counter() + 10
    while (account := client.get("/api/accounts/demo"))["open_orders"]:
        assert time.perf_counter() < until, "orders cannot be canceled"
        time.sleep(0.05)
    at = account["position"]
    executions = client.all(f"/api/executions?account_id=demo&limit=500&min_position={at}")
    assert executions, "nothing was filled, and the flow crosses the touch"
    expected = {"USD": Decimal(100_000_000), "BTC": Decimal(10_000)}
    for each in executions:
        sign = 1 if each["side"] == "buy" else -1
        qty, px, gross = (Decimal(each[name]) for name in ("last_qty", "last_px", "gross"))
        assert abs(gross - qty * px) < Decimal("1e-8")
        expected["BTC"] += sign * qty
        expected["USD"] -= sign * gross + Decimal(each["fee"])
    found = {each["asset"]: each for each in account["balances"]}
    assert {asset: Decimal(found[asset]["balance"]) for asset in expected} == expected
    assert {asset: Decimal(found[asset]["held"]) for asset in expected} == dict.fromkeys(
        expected, 0
    )


def nothing_is_wrong_with(data: Path) -> None:
    """`fondaco verify`: journal and tape byte by byte, postings sum to zero per asset."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    verify = born(["verify", "--data", str(data)], {**os.environ, "PYTHONPATH": path}, None)
    assert verify.wait(120) == 0, verify.stdout.read()
