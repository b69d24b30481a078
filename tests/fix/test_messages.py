"""Messages of a house that are kept for search, and what the detectors say of them."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fix.foreign import Foreign, agreements, free_port, order
from fondaco.domain.identity.model import digest_of, key_id_of
from running import Client, Running, begin, house

KEY = key_id_of(digest_of("demo"))
SESSION = "FIX.4.4:FONDACO->BUYSIDE"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("messages")
    agreements(data, KEY, ("FIX.4.4", "BUYSIDE", "orders"))
    return data


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def running(data: Path, port: int) -> Iterator[Running]:
    with house(data, options=("--fix-port", str(port))) as found:
        yield found


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    found = running.client()
    yield found
    found.close()


def found(client: Client, query: str, count: int) -> list[Any]:
    """Messages that answer, once there are so many."""
    until = time.monotonic() + 10
    while True:
        items = client.all(f"/api/fix/messages?limit=3&query={quote(query)}")
        if len(items) >= count or time.monotonic() > until:
            assert len(items) == count, items
            return items
        time.sleep(0.05)


def alerts(client: Client) -> list[Any]:
    return client.all("/api/fix/alerts?limit=2")


def awaited(look: Callable[[], Any]) -> Any:
    """What `look` finds, once it finds something."""
    until = time.monotonic() + 10
    while not (seen := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return seen


def test_messages_are_found_told_and_survive(
    running: Running, client: Client, data: Path, port: int
) -> None:
    buyer = Foreign(port, "BUYSIDE")
    buyer.log_on((553, "buyer"), (554, "geheim"))
    for name in ("a-1", "a-2", "b-1"):
        buyer.send("D", order(name))
        buyer.report("0", t11=name)
    buyer.send("D", order("b-2", t38="1000000"))
    refused = buyer.report("8", t39="8", t11="b-2")

    orders = found(client, "35=D AND ClOrdID=a-*", 2)
    assert [each["summary"].split()[-1] for each in orders] == ["a-2", "a-1"]
    [line] = found(client, f'35=8 AND 58:~"{refused[58]}"', 1)
    assert (line["direction"], line["session"], line["name"]) == ("out", SESSION, "ExecutionReport")
    told = client.get(f"/api/fix/messages/{line['id']}")
    assert {each["tag"]: each["value"] for each in told["fields"]}[58] == refused[58]
    assert "|11=b-2|" in told["raw"]
    assert bytes.fromhex(told["hex"]).replace(b"\x01", b"|").decode() == told["raw"] + "|"
    assert client.ask("GET", "/api/fix/messages/0").status == 404

    [logon] = found(client, "35=A AND direction=in", 1)
    assert "geheim" not in client.get(f"/api/fix/messages/{logon['id']}")["raw"]
    assert found(client, "geheim".join('""'), 0) == []

    wrong = client.ask("GET", f"/api/fix/messages?query={quote('Symbl=EUR')}")
    assert wrong.status == 422
    assert "character 1: " in wrong.body["message"]
    assert "did you mean Symbol?" in wrong.body["message"]

    path = f"/api/fix/timeline?session={quote(SESSION)}&buckets=10"
    line = client.get(path)
    assert sum(each["received"] for each in line["buckets"]) == 5
    assert [each["kind"] for each in line["marks"] if each["message"]][:2] == ["logon", "logon"]

    for _ in range(7):  # the whole day again and again
        buyer.send("2", [(7, "1"), (16, "0")])
    *_, storm = awaited(lambda: [a for a in alerts(client) if a["pattern"] == "F10"])
    assert (storm["session"], storm["attack"]) == (SESSION, ["T1499"])
    told = client.get(f"/api/fix/alerts/{storm['id']}")
    assert told["evidence"]
    for each in told["evidence"]:
        proof = client.get(f"/api/fix/messages/{each['message']}")
        assert (proof["msg_type"], proof["raw"]) == ("2", each["text"])
    exported = client.ask("GET", "/api/fix/alerts/export?form=ecs").body.decode().splitlines()
    assert "F10" in [json.loads(each)["rule"]["id"] for each in exported]
    assert awaited(lambda: f"FIX alert {storm['id']}" in running.said())
    assert [m["alert"] for m in client.get(path)["marks"] if m["kind"] == "alert"].count(
        storm["id"]
    ) == 1

    time.sleep(1.5)  # what was found once more is counted
    known = alerts(client)
    storms = [each for each in known if each["pattern"] == "F10"]

    # Killed and begun again, nothing is lost and nothing is there twice.
    before = client.all("/api/fix/messages?limit=1000")
    running.kill()
    again = begin(data, options=("--fix-port", str(port))).wait()
    try:
        later = again.client()
        assert buyer.back()[35] == "A"
        buyer.send("D", order("c-1"))
        buyer.report("0", t11="c-1")
        found(later, "ClOrdID=c-1", 2)
        assert {each["id"] for each in known} <= {each["id"] for each in alerts(later)}
        assert [a for a in alerts(later) if a["pattern"] == "F10"] == storms
        after = later.all("/api/fix/messages?limit=7")
        assert after[-len(before) :] == before
        assert len({each["id"] for each in after}) == len(after)
        later.close()
    finally:
        again.kill()
