"""A house is what its journal says: the same after SIGTERM and SIGKILL, whatever else was lost."""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from fondaco.app.kinds import CODEC
from fondaco.app.offline import replay, verify
from fondaco.domain.reference.events import HouseKilled
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.kernel.event import CommandId, Decision, Entry, Instant
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.runtime.history import kind_of
from running import Client, Running, begin, house, order

# One mark a second, so that a stop can be placed and its account halted between two of them.
SLOW: Final = ("--feed", "synthetic,rate=1")
SNAPSHOTS: Final = ("--set", "snapshot_every_entries=1000")
# What belongs to the market of the moment.
PASSING: Final = ("value", "mark", "equity", "usage", "policy_version")


def sell(cl_ord_id: str, **terms: str) -> dict[str, str]:
    return order(cl_ord_id, side="sell", price="200000.00", **terms)


def stop(cl_ord_id: str, stop_px: str, **terms: str) -> dict[str, str]:
    asked = order(cl_ord_id, side="sell", ord_type="stop", stop_px=stop_px, **terms)
    del asked["price"]
    return asked


def done(client: Client, method: str, path: str, body: object) -> Any:
    reply = client.ask(method, path, body)
    assert reply.status in (200, 201), reply
    return reply.body


def together(client: Client, contingency: str, *orders: dict[str, str]) -> None:
    asked = {"orders": list(orders), "atomic": True, "contingency": contingency}
    assert done(client, "POST", "/api/orders/bulk", asked)["accepted"] == len(orders)


def furnish(client: Client) -> None:
    """One of everything that can be waiting."""
    for account in ("halted", "own"):
        done(client, "POST", "/api/accounts", {"account_id": account})
        for asset, amount in (("USD", "1000000"), ("BTC", "5")):
            done(
                client,
                "POST",
                f"/api/accounts/{account}/deposits",
                {"asset": asset, "amount": amount},
            )
    many = [order(f"rests-{nth}", price=f"{30_000 + nth}.00") for nth in range(1_000)]
    assert done(client, "POST", "/api/orders/bulk", {"orders": many})["accepted"] == 1_000
    done(client, "POST", "/api/orders", order("filled", price="60000.00", order_qty="0.5"))
    done(client, "POST", "/api/orders", order("gtd", time_in_force="gtd", expire_time=after(3_600)))
    done(client, "POST", "/api/orders", stop("stop", "30000.00"))
    together(client, "oco", sell("oco-1"), stop("oco-2", "30000.00"))
    together(client, "bracket", order("bracket-1"), sell("bracket-2"), stop("bracket-3", "30000"))
    limits = {"order_notional_max": "70000", "orders_max": 77, "rate_window_ms": 2_000}
    limits["market_protection_bps"] = 400
    own = {"limits": limits, "reason": "test"}
    done(client, "PUT", "/api/accounts/own/limits", own)
    halted = {"state": "halted", "symbol": "ETH-USD", "reason": "test"}
    done(client, "PUT", "/api/risk/trading-state", halted)


def place_reached_stop(client: Client) -> str:
    """A stop whose mark is reached, and that waits since its account was halted at once."""
    for nth in range(5):
        put_state(client, "active")
        placed = done(client, "POST", "/api/orders", stop(f"reached-{nth}", "50200.00")
                      | {"account_id": "halted"})  # fmt: skip
        put_state(client, "halted")
        asked = client.get(f"/api/orders/{placed['order_id']}?min_position={placed['position']}")
        if waits(asked):
            return str(placed["order_id"])
    raise AssertionError("the mark was quicker, five times")


def waits(found: dict[str, Any]) -> bool:
    kinds = [each["kind"] for each in found["history"]]
    return found["order"]["ord_status"] == "new" and "trading.order_triggered.v1" not in kinds


def put_state(client: Client, state: str) -> None:
    asked = {"state": state, "reason": "test"}
    done(client, "PUT", "/api/accounts/halted/trading-state", asked)


def after(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def answers(client: Client, position: int) -> dict[str, Any]:
    """What the house says of itself, without what the market of the moment says."""
    seen = f"min_position={position}"
    found: dict[str, Any] = {
        "house": client.get("/api/risk/limits?account_id=demo"),
        "instruments": client.get("/api/instruments"),
    }
    for account in ("demo", "halted", "own"):
        found[account] = client.get(f"/api/accounts/{account}?{seen}")
        found[f"{account} limits"] = client.get(f"/api/risk/limits?account_id={account}")
        found[f"{account} orders"] = client.all(f"/api/orders?account_id={account}&limit=500")
        found[f"{account} fills"] = client.all(f"/api/executions?account_id={account}&limit=500")
    return {name: lasting(value) for name, value in found.items()}


def lasting(value: Any) -> Any:
    if isinstance(value, dict):
        # The position of an account is how far its view has come.
        passing = (*PASSING, "position") if "balances" in value else PASSING
        return {name: lasting(held) for name, held in value.items() if name not in passing}
    return [lasting(each) for each in value] if isinstance(value, list) else value


def still(data: Path) -> int:
    """Wait until nothing moves any more; the journal's end. What was privileged is gathered for a
    second before it is noted, so quiet is longer than that."""
    position, until = 0, time.monotonic() + 60
    while new := list(entries_after(data, position)):
        position = new[-1].position
        assert time.monotonic() < until, f"the house does not come to rest: {new[-5:]}"
        time.sleep(1.5)
    return position


def entries_after(data: Path, position: int) -> list[Entry]:
    journal = SegmentJournal(data / "journal", CODEC, writer=False)
    try:
        return journal.follow(position, 1_000_000)
    finally:
        journal.close()


def lose_nothing(_: Path) -> None:
    """A stop as it should be."""


def lose_views(data: Path) -> None:
    for path in data.glob("views.db*"):
        path.unlink()
    shutil.rmtree(data / "snapshots")


def lose_cursor(data: Path) -> None:
    """And snapshots turn out to be of a bad disk: one bit is not what it was."""
    (data / "reactor.cursor").unlink()
    spoiled = list((data / "snapshots").glob("*.snapshot"))
    assert spoiled, "there is no snapshot to spoil"
    for path in spoiled:
        found = bytearray(path.read_bytes())
        found[-2] ^= 1
        path.write_bytes(found)


@pytest.mark.parametrize(
    ("end", "lose"),
    [(Running.stop, lose_nothing), (Running.kill, lose_views), (Running.kill, lose_cursor)],
    ids=["stopped", "killed, views lost", "killed, cursor lost, snapshots spoiled"],
)
def test_a_house_comes_back_as_it_was(
    tmp_path: Path, end: Callable[[Running], object], lose: Callable[[Path], None]
) -> None:
    data = tmp_path / "house"
    with house(data, options=(*SLOW, *SNAPSHOTS)) as running:
        client = running.client()
        furnish(client)
        reached = place_reached_stop(client)
        position = still(data)
        before = answers(client, position)
        if lose is lose_cursor:
            wait_for(lambda: any((data / "snapshots").glob("*.snapshot")))
            wait_for((data / "reactor.cursor").exists)
        end(running)
    states = list(replay(data, position, ""))
    lose(data)

    with house(data, options=(*SLOW, *SNAPSHOTS)) as running:
        client = running.client()
        assert answers(client, position) == before
        assert list(replay(data, position, "")) == states
        told = Counter(kind_of(each.event) for each in entries_after(data, position))
        # A stop that waits is asked about once a second, and says that its account is halted.
        assert set(told) <= {"trading.nothing_to_do.v1"}, "something happened twice"

        assert waits(client.get(f"/api/orders/{reached}"))
        put_state(client, "active")
        wait_for(lambda: client.get(f"/api/orders/{reached}")["order"]["ord_status"] == "filled")
        assert running.stop() == 0
    assert verify(data)["wrong"] == []


def wait_for(what: Callable[[], object], within_s: float = 10.0) -> None:
    until = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < until, "it never came to pass"
        time.sleep(0.05)


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """What a house has left that was killed while an order of a second rested, and others."""
    data = tmp_path / "house"
    with house(data) as running:
        client = running.client()
        done(client, "POST", "/api/orders", order("rests"))
        together(client, "oco", sell("oco-1"), stop("oco-2", "30000.00"))
        still(data)
        done(client, "POST", "/api/orders",
             order("short", time_in_force="gtd", expire_time=after(1.0)))  # fmt: skip
        running.kill()
    return data


def statuses(client: Client) -> dict[str, str]:
    found = client.all("/api/orders?account_id=demo")
    return {each["cl_ord_id"]: each["ord_status"] for each in found}


def test_an_order_that_expires_while_nobody_is_there_has_expired_and_a_kill_goes_on(
    left: Path,
) -> None:
    """The kill switch was thrown, and the house died before it could cancel anything."""
    time.sleep(1.0)
    with house(left) as running:
        client = running.client()
        wait_for(lambda: statuses(client).get("short") == "expired")
        assert statuses(client)["rests"] == "new"
        assert running.stop() == 0

    journal = SegmentJournal(left / "journal", CODEC)
    version = len(journal.read(HOUSE_STREAM))
    at = Instant(time.time_ns())
    thrown = (HouseKilled("test", "test"),)
    journal.append([Decision(HOUSE_STREAM, version, CommandId("test"), at, 0, thrown)])
    journal.close()
    with house(left) as running:
        client = running.client()
        ended = {"short": "expired", "rests": "canceled", "oco-1": "canceled", "oco-2": "canceled"}
        wait_for(lambda: statuses(client) == ended)
        refused = client.ask("POST", "/api/orders", order("late"))
        assert refused.status == 409
        assert client.get("/api/risk/limits?account_id=demo")["house_state"] == "halted"
        assert running.stop() == 0


def test_a_house_that_is_stopped_while_it_starts_ends_in_peace(left: Path) -> None:
    for after_s in (0.9, 1.2):
        starting = begin(left)
        time.sleep(after_s)
        starting.process.terminate()
        assert starting.process.wait(20) in (0, -15)  # before Python listens to signals: -15
        assert "Traceback" not in starting.said()
        starting.kill()
    with house(left) as running:
        assert running.stop() == 0
