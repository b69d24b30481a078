"""Webhooks of a whole house: made, received, verified, and not lost when the house is killed."""

import contextlib
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fondaco import cli
from fondaco.kernel.errors import Denied
from notify.receiver import Receiver, receiving
from running import Client, Running, begin, house, order

STATE = "account.state_set.v1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("webhooks") / "house"
    with house(folder) as found:
        found.folder = folder  # type: ignore[attr-defined]
        yield found


@pytest.fixture(scope="module")
def demo(running: Running) -> Client:
    return running.client()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def made(client: Client, url: str, *events: str) -> tuple[str, str]:
    asked = {"url": url, "events": list(events) or ["*"]}
    reply = client.ask("POST", "/api/webhooks", asked)
    assert reply.status == 201, reply
    return reply.body["webhook"]["webhook_id"], reply.body["secret"]


def place(client: Client, cl_ord_id: str) -> str:
    reply = client.ask("POST", "/api/orders", order(cl_ord_id))
    assert reply.status == 201, reply
    return str(reply.body["order_id"])


def test_an_order_is_told_signed_and_in_order_and_again_when_asked(
    demo: Client, receiver: Receiver
) -> None:
    hook, secret = made(demo, receiver.url, "order.*")
    sent = demo.ask("POST", f"/api/webhooks/{hook}/test").body
    first = place(demo, "hook-1")
    demo.ask("DELETE", f"/api/orders/{first}")
    wanted = ["order.accepted.v1", "order.cancel_requested.v1", "order.canceled.v1"]
    receiver.until(lambda: len(receiver.came) >= 4)
    assert [each for each in receiver.types() if each != "webhook.test.v1"] == wanted
    by_type = {each.said["type"]: each for each in receiver.came}
    assert by_type["webhook.test.v1"].msg_id == sent["msg_id"]
    for each in receiver.came:
        assert each.verify(secret) == each.msg_id
    data = by_type["order.accepted.v1"].said["data"]
    assert (data["order_id"], data["cl_ord_id"]) == (first, "hook-1")

    ids = [each.msg_id for each in receiver.came if each.said["type"] in wanted]
    replay: dict[str, Any] = {"after": data["position"] - 1}
    dry = demo.ask("POST", f"/api/webhooks/{hook}/replay", replay).body
    assert dry["counts"] == dict.fromkeys(wanted, 1)
    real = {"after": dry["after"], "until": dry["until"], "dry_run": False}
    assert demo.ask("POST", f"/api/webhooks/{hook}/replay", real).body["count"] == 3
    receiver.until(lambda: len(receiver.came) >= 7)
    assert [each.msg_id for each in receiver.came[4:]] == ids

    def delivered() -> list[Any]:
        found: list[Any] = demo.get(f"/api/webhooks/{hook}/deliveries")["items"]
        return [each for each in found if each["state"] == "delivered"]

    receiver.until(lambda: len(delivered()) == 7)
    line = delivered()[0]
    shown = demo.get(f"/api/webhooks/{hook}/deliveries/{line['number']}")
    assert [each["status"] for each in shown["tries"]] == [204]
    assert "hook-1" not in str(delivered()) + str(shown)  # what was said is not kept
    demo.ask("DELETE", f"/api/webhooks/{hook}")


def test_a_secret_is_changed_while_both_verify(demo: Client, receiver: Receiver) -> None:
    hook, old = made(demo, receiver.url, "margin.*")
    new = demo.ask("POST", f"/api/webhooks/{hook}/rotate-secret", {"overlap_s": 3_600}).body
    time.sleep(1.0)  # a change of records is seen within half a second
    demo.ask("POST", f"/api/webhooks/{hook}/test")
    receiver.until(lambda: bool(receiver.came))
    (came,) = receiver.came
    assert came.verify(old) == came.verify(new["secret"]) == came.msg_id
    demo.ask("POST", f"/api/webhooks/{hook}/rotate-secret", {"overlap_s": 0})
    time.sleep(1.0)
    demo.ask("POST", f"/api/webhooks/{hook}/test")
    receiver.until(lambda: len(receiver.came) == 2)
    for secret in (old, new["secret"]):
        with pytest.raises(Denied):
            receiver.came[1].verify(secret)
    demo.ask("DELETE", f"/api/webhooks/{hook}")


def test_what_is_asked_wrongly_is_told_so_and_others_see_nothing(
    running: Running, demo: Client, receiver: Receiver
) -> None:
    for wrong in (
        {"url": "https://10.1.2.3/", "events": ["*"]},
        {"url": "http://hooks.example.com/", "events": ["ordr.*"]},
        {"url": receiver.url, "events": ["order.accepted.v9"]},
        {"url": receiver.url, "events": []},
    ):
        assert demo.ask("POST", "/api/webhooks", wrong).status == 422, wrong
    hook, _ = made(demo, receiver.url)
    told = io.StringIO()
    folder = str(running.folder)  # type: ignore[attr-defined]
    with contextlib.redirect_stdout(told):
        asked = f"key create --data {folder} --tenant other --user eve --role admin"
        cli.main(asked.split())
    eve = running.client(told.getvalue().split('"token": "')[1].split('"')[0])
    receiver.until(lambda: eve.ask("GET", "/api/session").status == 200)
    assert eve.get("/api/webhooks")["items"] == []
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries"),
        ("POST", "/rotate-secret"),
    ):  # fmt: skip
        body: Any = {} if method == "POST" else None
        assert eve.ask(method, f"/api/webhooks/{hook}{path}", body).status == 404, path
    demo.ask("DELETE", f"/api/webhooks/{hook}")


def test_a_house_that_is_killed_sends_what_it_had_not_and_loses_nothing(tmp_path: Path) -> None:
    """The receiver is down, orders are placed, the house is killed; both come back."""
    data = tmp_path / "house"
    with receiving() as first:
        port = first.port
    running = begin(data).wait()
    try:
        client = running.client()
        hook, secret = made(client, f"http://127.0.0.1:{port}/hook", "order.accepted.v1")
        placed = [place(client, f"lost-{number}") for number in range(3)]

        def failed() -> bool:
            items = client.get(f"/api/webhooks/{hook}/deliveries")["items"]
            return len(items) == 3 and any(each["last_error"] for each in items)

        Receiver().until(failed)
        placed.append(place(client, "last"))  # perhaps not even queued
        running.kill()
        with receiving(port) as receiver:
            running = begin(data).wait()
            receiver.until(lambda: len({each.msg_id for each in receiver.came}) >= 4, 60.0)
            first_ones = list(
                dict.fromkeys(each.said["data"]["order_id"] for each in receiver.came)
            )
            assert first_ones == placed
            for each in receiver.came:
                assert each.verify(secret) == each.msg_id
            assert running.client().get("/ready")["checks"]["webhooks"]
    finally:
        running.kill()
