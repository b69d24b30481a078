"""Messages of a house that are kept for search, and what the detectors say of them."""

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fix.foreign import Foreign, agreements, free_port, order
from fix.recorded import log_of
from fix.siems import Listener
from fondaco.app.files import Files
from fondaco.app.fix.publishing import MESSAGES
from fondaco.app.fix.trail import trail_in
from fondaco.domain.identity.model import digest_of, key_id_of
from fondaco.ports.bus.files import FileBus
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
def siem() -> Iterator[Listener]:
    with closing(Listener()) as found:
        yield found


@pytest.fixture(scope="module")
def options(port: int, siem: Listener) -> tuple[str, ...]:
    alerts_to = f"fix_alerts_to=syslog+tcp://127.0.0.1:{siem.port}?form=ecs"
    to = ("--set", "fix_publish_to=file://", "--set", alerts_to)
    return ("--fix-port", str(port), *to)


@pytest.fixture(scope="module")
def running(data: Path, options: tuple[str, ...]) -> Iterator[Running]:
    with house(data, options=options) as found:
        yield found


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    found = running.client()
    yield found
    found.close()


def found(client: Client, query: str, count: int) -> list[Any]:
    """Messages that answer, once there are so many."""
    until = time.monotonic() + 60
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
    until = time.monotonic() + 60
    while not (seen := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return seen


def test_an_upload_is_audited_and_searched(client: Client) -> None:
    content = log_of(5)
    pieces = [content[:100], content[100:]]
    body = {"name": "../my log.txt", "content": b64encode(pieces[0]).decode(), "more": True}
    begun = client.ask("POST", "/api/fix/captures", body).body
    assert (begun["state"], begun["octets"], begun["sha256"]) == ("uploading", 100, "")
    path = f"/api/fix/captures/{begun['id']}"
    rest = {"offset": 100, "content": b64encode(pieces[1]).decode()}
    for _ in range(2):  # once more, since its answer was lost
        assert client.ask("POST", f"{path}/pieces", rest).status == 200
    gap = client.ask("POST", f"{path}/pieces", {**rest, "offset": 5_000})
    assert gap.status == 409
    read = awaited(lambda: (found := client.get(path))["state"] == "read" and found)
    assert (read["messages"], read["octets"], read["progress"]) == (7, len(content), 1)
    assert read["sha256"] == sha256(content).hexdigest()
    assert read["report"]["messages"] == 7
    assert "<html" in client.ask("GET", f"{path}/page").body.decode()
    orders = client.all(f"/api/fix/messages?capture={begun['id']}&limit=2&query=35%3DD")
    assert len(orders) == 6
    assert {each["session"] for each in orders} == {"BUY → SELL"}
    known = client.all(f"/api/fix/alerts?capture={begun['id']}")
    assert len(known) == read["alerts"] == len(read["report"]["alerts"])
    [replay] = [each for each in known if each["pattern"] == "F11"]
    proofs = client.get(f"/api/fix/alerts/{replay['id']}")["evidence"]
    told = [client.get(f"/api/fix/messages/{each['message']}") for each in proofs]
    assert [each["raw"] for each in told] == [each["text"] for each in proofs]
    handed = client.get(f"/api/fix/alerts/{replay['id']}/evidence")
    exact = [b64decode(each["content"]) for each in handed["exhibits"]]
    assert [sha256(each).hexdigest() for each in exact] == [each["sha256"] for each in proofs]
    assert all(each in content for each in exact)
    packets = b64decode(handed["content"])
    assert (handed["missing"], handed["sha256"]) == (0, sha256(packets).hexdigest())
    assert all(each in packets for each in exact)
    assert client.ask("GET", "/api/fix/alerts/nothing/evidence").status == 404
    assert not [each for each in alerts(client) if each["capture"]]
    assert client.all("/api/fix/captures")[-1]["name"] == "../my log.txt"


def test_what_is_no_capture_fails_and_says_why(client: Client) -> None:
    body = {"name": "x.gz", "content": b64encode(b"\x1f\x8b nothing").decode()}
    begun = client.ask("POST", "/api/fix/captures", body).body
    path = f"/api/fix/captures/{begun['id']}"
    failed = awaited(lambda: (found := client.get(path))["state"] == "failed" and found)
    assert "x.gz is damaged" in failed["trouble"]
    assert client.ask("GET", f"{path}/page").status == 404
    assert client.ask("GET", "/api/fix/captures/99").status == 404


def pushed(siem: Listener) -> dict[str, tuple[int, Any]]:
    """What a SIEM was told: when, and what, by the alert's id."""
    lines = [(at, line) for at, batch in siem.heard for line in batch]
    found = [(at, json.loads(line[line.index(b" - {") + 3 :])) for at, line in lines]
    return {line["event"]["id"]: (at, line) for at, line in reversed(found)}


def published(data: Path) -> list[str]:
    """Ids of the messages of the topic, those of a repetition left out."""
    bus = FileBus(data / "published")
    pages = [bus.read(MESSAGES, each, limit=100_000) for each in range(bus.partitions(MESSAGES))]
    return list(dict.fromkeys(each.record.headers["id"] for page in pages for each in page))


def trails(client: Client, data: Path, message: str, cl_ord_id: str) -> None:
    """F27: from the wire to the journal and back out again is one trace, here and in `why`."""
    why = awaited(
        lambda: (found := client.ask("GET", f"/api/why/{cl_ord_id}")).status == 200 and found
    )
    found = client.get(f"/api/fix/messages/{message}/trail")
    assert found["trace_id"] == why.body["trace_id"]
    stages = [each["stage"] for each in found["steps"]]
    assert list(dict.fromkeys(stages)) == [
        "message",
        "ingestion",
        "engine",
        "compliance",
        "security",
        "storage",
        "analytics",
    ]
    positions = [each["position"] for each in found["steps"] if each["stage"] == "engine"]
    assert positions[0] == why.body["steps"][0]["position"]
    assert {each["trace_id"] for each in found["steps"]} == {found["trace_id"]}
    assert trail_in(Files(data), message).trace_id == found["trace_id"]
    report = client.get(f"/api/fix/messages?query=35%3D8%20AND%2011%3D{cl_ord_id}")["items"][-1]
    told = client.get(f"/api/fix/messages/{report['id']}/trail")
    assert told["trace_id"] == found["trace_id"]


def is_there(client: Client, path: str) -> bool:
    return client.ask("GET", path).status == 200


def work_on_the_case(client: Client, alert: dict[str, Any]) -> None:
    """F12: alerts of a subject are a case, which somebody takes, writes to and closes."""
    path = f"/api/fix/cases?alert={alert['id']}"
    [line] = awaited(lambda: client.get(path)["items"])
    assert (line["state"], line["subject"]) == ("open", alert["subject"])
    case = f"/api/fix/cases/{line['case_id']}"
    shown = client.get(case)
    assert alert["id"] in [each["alert"] for each in shown["alerts"]]
    for what, body in (
        ("assign", {"to": "ada"}),
        ("comments", {"text": "asked their desk"}),
        ("close", {"outcome": "true_positive", "reason": "their engine looped"}),
    ):
        assert client.ask("POST", f"{case}/{what}", body).status == 200
    again = client.ask("POST", f"{case}/close", {"outcome": "benign", "reason": "or not"})
    assert (again.status, again.body["code"]) == (409, "case_closed")
    assert client.ask("POST", "/api/fix/cases/case-99/comments", {"text": "xxx"}).status == 404
    shown = client.ask("POST", f"{case}/reopen", {"reason": "it goes on"}).body
    assert (shown["state"], shown["assignee"], shown["outcome"]) == ("open", "ada", "")
    told = [(each["what"], each["text"]) for each in shown["notes"]]
    assert told[1:] == [
        ("assigned", "ada"),
        ("commented", "asked their desk"),
        ("closed", "true_positive: their engine looped"),
        ("reopened", "it goes on"),
    ]


def test_messages_are_found_told_and_survive(
    running: Running,
    client: Client,
    data: Path,
    port: int,
    siem: Listener,
    options: tuple[str, ...],
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

    trails(client, data, orders[0]["id"], "a-2")

    path = f"/api/fix/timeline?session={quote(SESSION)}&buckets=10"
    line = client.get(path)
    assert sum(each["received"] for each in line["buckets"]) == 5
    assert [each["kind"] for each in line["marks"] if each["message"]][:2] == ["logon", "logon"]

    silent = "/api/fix/timeline?session=FIX.4.4:FONDACO-%3ENOBODY"
    assert client.ask("GET", silent).status == 404  # no message could be its end
    assert client.get(f"{silent}&before=2026-01-01T00:00:00Z")["buckets"] == []

    points = client.get(f"/api/fix/series?session={quote(SESSION)}&width_s=3600")["points"]
    assert sum(each["received"] for each in points) == 5
    assert sum(each["answered"] for each in points) == 4
    assert sum(each["rejects"] for each in points) == 1
    assert points[-1]["max_us"] >= points[-1]["p99_us"] >= points[-1]["p50_us"] > 0
    narrow = client.ask("GET", "/api/fix/series?width_s=1&after=2026-01-01T00:00:00Z")
    assert (narrow.status, "must be at most 10,000" in narrow.body["message"]) == (422, True)

    for _ in range(7):  # the whole day again and again
        buyer.send("2", [(7, "1"), (16, "0")])
    *_, storm = awaited(lambda: [a for a in alerts(client) if a["pattern"] == "F10"])
    assert (storm["session"], storm["attack"]) == (SESSION, ["T1499"])
    told = client.get(f"/api/fix/alerts/{storm['id']}")
    assert told["evidence"]
    for each in told["evidence"]:
        path_of = f"/api/fix/messages/{each['message']}"
        awaited(partial(is_there, client, path_of))  # the alert may be kept a moment before
        proof = client.get(path_of)
        assert (proof["msg_type"], proof["raw"]) == ("2", each["text"])
    exported = client.ask("GET", "/api/fix/alerts/export?form=ecs").body.decode().splitlines()
    assert "F10" in [json.loads(each)["rule"]["id"] for each in exported]
    assert awaited(lambda: f"FIX alert {storm['id']}" in running.said())
    assert [m["alert"] for m in client.get(path)["marks"] if m["kind"] == "alert"].count(
        storm["id"]
    ) == 1

    # F12: pushed to a SIEM within a second of its message, the quickest of them on a busy machine.
    _, line = awaited(lambda: pushed(siem).get(storm["id"]))
    assert (line["rule"]["id"], line["fondaco"]["subject"]) == ("F10", storm["subject"])
    took = [at - line["fondaco"]["evidence"][-1]["at"] for at, line in pushed(siem).values()]
    assert min(took) < 1_000_000_000

    work_on_the_case(client, storm)

    time.sleep(1.5)  # what was found once more is counted
    known = alerts(client)
    storms = [each for each in known if each["pattern"] == "F10"]

    # Killed and begun again, nothing is lost and nothing is there twice.
    before = client.all("/api/fix/messages?limit=1000")
    running.kill()
    again = begin(data, options=options).wait()
    try:
        later = again.client()
        assert buyer.back()[35] == "A"
        buyer.send("D", order("c-1"))
        buyer.report("0", t11="c-1")
        found(later, "ClOrdID=c-1", 2)
        assert {each["id"] for each in known} <= {each["id"] for each in alerts(later)}
        assert [a for a in alerts(later) if a["pattern"] == "F10"] == storms
        [case] = later.get(f"/api/fix/cases?alert={storm['id']}&state=open")["items"]
        assert (case["assignee"], case["state"]) == ("ada", "open")
        after = later.all("/api/fix/messages?limit=7")
        assert after[-len(before) :] == before
        assert len({each["id"] for each in after}) == len(after)
        ids = [each["id"] for each in reversed(after)]
        assert awaited(lambda: published(data)[len(ids) - 1 :])
        assert published(data)[: len(ids)] == ids  # F7: all of them, in their order
        later.close()
    finally:
        again.kill()
