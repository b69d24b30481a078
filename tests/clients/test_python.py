"""The Python client against a real house: an order, its fill, a refusal, a house that is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import running
from fondaco_client import Client, NoAnswer, Problem, Refused


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Running]:
    with running.house(Path(tmp_path_factory.mktemp("client"))) as found:
        yield found


@pytest.fixture
def client(house: running.Running) -> Iterator[Client]:
    with Client(house.url, "demo") as found:
        yield found


def test_it_places_an_order_and_reads_its_fill(client: Client) -> None:
    order = client.trading.place_order(
        account_id="demo",
        cl_ord_id="client-1",
        symbol="BTC-USD",
        side="buy",
        ord_type="market",
        order_qty="0.5",
        time_in_force="ioc",
    )
    assert order["order_id"].startswith("demo.")
    shown = client.trading.order(order_id=order["order_id"], min_position=order["position"])
    for _ in range(200):
        if shown["order"]["ord_status"] == "filled":
            break
        shown = client.trading.order(order_id=order["order_id"])
    fills = shown["executions"]
    assert shown["order"]["ord_status"] == "filled"
    assert fills
    assert {fill["order_id"] for fill in fills} == {order["order_id"]}
    assert client.trading.orders(account_id="demo", cl_ord_id="client-1")["items"]


def test_the_same_order_again_is_answered_as_the_first(client: Client) -> None:
    def place(qty: str) -> str:
        found = client.trading.place_order(
            account_id="demo",
            cl_ord_id="client-2",
            symbol="BTC-USD",
            side="buy",
            ord_type="limit",
            order_qty=qty,
            price="1.00",
        )
        return found["order_id"]

    with pytest.raises(Refused) as refused:
        place("20000000")
    assert refused.value.status == 409
    assert {"value", "limit", "distance", "unit", "order_qty_max"} <= refused.value.details.keys()
    with pytest.raises(Problem) as used:
        place("0.2")
    assert used.value.code == "key_reused"


def test_errors_say_what_they_are(client: Client, house: running.Running) -> None:
    with pytest.raises(Problem) as missing:
        client.trading.order(order_id="demo.999999")
    assert (missing.value.status, missing.value.reached_venue) == (404, "no")
    assert missing.value.request_id
    with Client(house.url, "nobody") as stranger, pytest.raises(Problem) as denied:
        stranger.trading.accounts()
    assert denied.value.code == "unauthenticated"


def test_texts_come_as_texts(client: Client) -> None:
    assert client.trading.statement(account_id="demo").startswith("time,")


def test_nobody_there_is_said(client: Client) -> None:
    with Client("http://127.0.0.1:9", "demo") as nowhere, pytest.raises(NoAnswer) as silent:
        nowhere.trading.accounts()
    assert (silent.value.retryable, silent.value.reached_venue) == (True, "no")
    with pytest.raises(ValueError, match="no address"):
        Client("ftp://x", "demo")
