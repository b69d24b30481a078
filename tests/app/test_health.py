"""How a house says it is: over HTTP, from a real one."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fondaco import __version__
from fondaco.app.health import environment_of
from running import Client, Running, house, order


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with house(tmp_path_factory.mktemp("health") / "house") as found:
        yield found


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    found = running.client()
    yield found
    found.close()


def until(client: Client, path: str, holds: Any) -> Any:
    deadline = time.monotonic() + 20
    while not holds(found := client.get(path)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_it_says_what_it_is_what_it_shows_and_how_far_everything_is(client: Client) -> None:
    placed = client.ask("POST", "/api/orders", order("h1"))
    assert placed.status == 201, placed.body
    found = until(client, "/api/house", lambda it: it["windows"][1]["count"] > 0)
    assert (found["version"], found["environment"]) == (__version__, "synthetic")
    assert (found["serving"], found["killed"], found["demo"]) == (True, False, True)
    assert found["position"] >= placed.body["position"]
    assert {part["name"] for part in found["parts"]} >= {"serving", "journal", "views", "market"}
    assert {feed["symbol"] for feed in found["feeds"]} >= {"BTC-USD"}
    assert {line["name"] for line in found["followers"]} == {"views", "proofs", "messages"}
    assert {line["name"]: line["bytes"] for line in found["disks"]}["journal"] > 0
    assert 0 < found["memory_bytes"] <= found["memory_peak_bytes"] * 1.1
    assert {line["state"] for line in found["kernels"]} <= {"compiled", "source", "outdated"}
    window = found["windows"][1]
    assert 0 < window["p50_ms"] <= window["p99_ms"] <= window["p999_ms"]


def test_orders_are_counted_by_time_and_refused_ones_apart(client: Client) -> None:
    before = client.get("/api/house/latency?seconds=900&step_s=60")
    assert client.ask("POST", "/api/orders", order("h2")).status == 201
    assert client.ask("POST", "/api/orders", order("h3", order_qty="999999")).status == 409
    found = until(
        client,
        "/api/house/latency?seconds=900&step_s=60",
        lambda it: sum(it["orders"]) >= sum(before["orders"]) + 2,
    )
    assert sum(found["refused"]) == sum(before["refused"]) + 1
    assert sum(found["entries"]) > 0
    assert {len(values) for values in found.values()} == {len(found["at_ms"])}


def test_the_journal_is_verified_beside_what_goes_on_and_the_result_is_kept(
    tmp_path: Path,
) -> None:
    data = tmp_path / "house"
    with house(data) as first:
        client = first.client()
        assert client.get("/api/journal/verify")["last"] is None
        assert client.ask("POST", "/api/journal/verify").body["running"] is True
        again = client.ask("POST", "/api/journal/verify").body  # one at a time
        assert client.ask("POST", "/api/orders", order("v1")).status == 201
        found = until(client, "/api/journal/verify", lambda it: not it["running"])
        assert (found["trouble"], found["last"]["wrong"]) == ("", [])
        assert found["last"]["entries"] > 0
        assert again["last"] is None
        client.close()
        first.stop()
    with house(data) as second:
        kept = second.client().get("/api/house")["verification"]
    assert kept["last"] == found["last"]


def test_a_journal_that_was_changed_is_said_with_the_position(tmp_path: Path) -> None:
    data = tmp_path / "house"
    with house(data) as first:
        assert first.client().ask("POST", "/api/orders", order("c1")).status == 201
        first.stop()
    proofs = data / "proofs" / "level-0"
    raw = bytearray(proofs.read_bytes())
    raw[40] ^= 1  # of the tree: a changed journal would not let the house begin
    proofs.write_bytes(raw)
    with house(data) as second:
        client = second.client()
        client.ask("POST", "/api/journal/verify")
        found = until(client, "/api/journal/verify", lambda it: not it["running"])
    assert found["last"]["wrong"], found


@pytest.mark.parametrize(
    ("label", "environment"),
    [("", "none"), ("synthetic", "synthetic"), ("binance", "live"), ("replay:binance", "replay"),
     ("binance; replay:kraken", "replay"), ("kraken; synthetic", "synthetic")],
)  # fmt: skip
def test_prices_are_what_the_least_of_their_sources_is(label: str, environment: str) -> None:
    assert environment_of(label) == environment


def test_every_entry_names_itself_its_cause_what_it_began_with_and_both_times(
    client: Client,
) -> None:
    """Row A13: what executes at the venue is followed back from the fill to its request."""
    at_market = order("taken", ord_type="market", time_in_force="ioc")
    del at_market["price"]
    taken = client.ask("POST", "/api/orders", at_market)
    assert taken.status == 201, taken.body
    named = "/api/orders?cl_ord_id=taken&account_id=demo"
    until(client, named, lambda it: it["items"] and it["items"][0]["cum_qty"] != "0")
    page = client.get("/api/journal?limit=1000")
    entries = list(page["items"])
    while page["next"] < page["head"]:
        page = client.get(f"/api/journal?after={page['next']}&limit=1000")
        entries += page["items"]
    by_id = {entry["event_id"]: entry for entry in entries}
    assert len(by_id) == len(entries)
    for entry in entries:
        assert 0 < int(entry["occurred_at"]) <= int(entry["at"])
        cause = by_id.get(entry["caused_by"])  # else a request, or what watches time and marks
        began = f"{entry['stream']}:{entry['caused_by']}"
        assert entry["correlation_id"] == (cause["correlation_id"] if cause else began)
    [accepted] = [
        each
        for each in entries
        if each["kind"] == "trading.order_accepted.v1"
        and each["event"]["order"]["cl_ord_id"] == "taken"
    ]
    together = [each for each in entries if each["correlation_id"] == accepted["correlation_id"]]
    assert {each["kind"] for each in together} >= {
        "trading.order_accepted.v1",
        "venues.order_executed.v1",
        "trading.order_filled.v1",
    }
    [executed] = [each for each in together if each["kind"] == "venues.order_executed.v1"]
    [filled] = [each for each in together if each["kind"] == "trading.order_filled.v1"]
    assert filled["occurred_at"] == executed["at"]
    found = client.get(f"/api/journal?cause={accepted['correlation_id'].replace('#', '%23')}")
    assert [each["position"] for each in found["items"]] == [each["position"] for each in together]
