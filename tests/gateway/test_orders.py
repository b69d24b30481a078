"""The order door: what is answered, over the framework and over the short way alike."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from httpx2 import ASGITransport, AsyncClient

from fondaco.gateway.door import Door
from fondaco.gateway.guard.rates import Rate, Rates
from fondaco.kernel.errors import Unavailable
from gateway.desk import ORDER, Desk, a_door
from gateway.server import serving, wired

pytestmark = pytest.mark.anyio

BODY_MAX = 4_096


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def opened() -> AsyncIterator[tuple[Door, Desk]]:
    async with a_door(body_max=BODY_MAX) as found:
        yield found


@pytest.fixture
async def client(opened: tuple[Door, Desk]) -> AsyncIterator[AsyncClient]:
    headers = {"Authorization": "Bearer ada"}
    transport = ASGITransport(opened[0])
    async with AsyncClient(transport=transport, base_url="http://test", headers=headers) as it:
        yield it


# change of the order, token, content type, status, code, part of the message
WRONG: list[tuple[Any, str, str, int, str, str]] = [
    ({"side": "by"}, "ada", "json", 422, "invalid", "'by' - at `$.side`; must be one of buy, sell"),
    ({"order_qty": "-1"}, "ada", "json", 422, "invalid", "`$.order_qty`"),
    ({"order_qty": "1e30"}, "ada", "json", 422, "invalid", "`$.order_qty`"),
    ({"order_qty": "NaN"}, "ada", "json", 422, "invalid", "`$.order_qty`"),
    ({"order_qty": "9" * 40}, "ada", "json", 422, "invalid", "`$.order_qty`"),
    ({"order_qty": 0.001}, "ada", "json", 422, "invalid", "Expected `str | null`"),
    ({"order_qty": "0.0000000000001"}, "ada", "json", 422, "invalid", "`$.order_qty`"),
    ({"order_qty": "0.0000001"}, "ada", "json", 422, "quantity_off_lot", "a multiple of 0.000001"),
    ({"price": "1.001"}, "ada", "json", 422, "price_off_tick", "a multiple of 0.01"),
    ({"tip": "1"}, "ada", "json", 422, "invalid", "unknown field `tip`"),
    ({"cl_ord_id": "a#b"}, "ada", "json", 422, "invalid", "`$.cl_ord_id`"),
    ({"cl_ord_id": "a@b"}, "ada", "json", 422, "invalid", "`$.cl_ord_id`"),
    ({"cl_ord_id": ""}, "ada", "json", 422, "invalid", "`$.cl_ord_id`"),
    ({"symbol": "btc usd"}, "ada", "json", 422, "invalid", "`$.symbol`"),
    ({"symbol": "DOGE-USD"}, "ada", "json", 409, "unknown_instrument", ""),
    ({"order_qty": "11"}, "ada", "json", 409, "exceeds_order_qty", ""),
    ({"account_id": "theirs"}, "ada", "json", 404, "unknown_account", "no account theirs"),
    ({"account_id": "nobodys"}, "ada", "json", 404, "unknown_account", "no account nobodys"),
    ({}, "confined", "json", 404, "unknown_account", "no account demo"),
    ({}, "stranger", "json", 404, "unknown_account", "no account demo"),
    ({}, "reader", "json", 403, "denied", "lacks orders:write"),
    ({}, "eve", "json", 401, "unauthenticated", "unknown or has expired"),
    ({}, "", "json", 401, "unauthenticated", "Authorization: Bearer"),
    ({}, "ada", "xml", 415, "unsupported_media_type", "Content-Type: application/json"),
    ({"symbol": "A" * BODY_MAX}, "ada", "json", 413, "too_large", "above 4096 bytes"),
    (b'{"account_id":', "ada", "json", 422, "invalid", "truncated"),
    (b"[1,2]", "ada", "json", 422, "invalid", "Expected `object`"),
    (b"", "ada", "json", 422, "invalid", "truncated"),
    (b'{"account_id":"\xff"}', "ada", "json", 422, "invalid", ""),
    (b"[" * 3_000, "ada", "json", 422, "invalid", ""),
    (b'{"order_qty":NaN}', "ada", "json", 422, "invalid", ""),
    ({"cl_ord_id": "poison"}, "ada", "json", 500, "corrupt", "an error of our own"),
]


def content_of(change: Any) -> bytes:
    return change if isinstance(change, bytes) else msgspec.json.encode({**ORDER, **change})


@pytest.mark.parametrize(("change", "token", "kind", "status", "code", "text"), WRONG)
async def test_what_is_wrong_is_said_alike_over_both_ways(
    opened: tuple[Door, Desk],
    client: AsyncClient,
    change: Any,
    token: str,
    kind: str,
    status: int,
    code: str,
    text: str,
) -> None:
    door, _ = opened
    content = content_of(change)
    headers = {"content-type": f"application/{kind}", "x-request-id": "r1"}
    headers["authorization"] = f"Bearer {token}" if token else ""
    slow = await client.post("/api/orders", content=content, headers=headers)
    async with serving(door) as port, wired(port) as wire:
        await wire.send(request(content, headers))
        fast_status, fast_headers, fast_body = await wire.response()
    assert (slow.status_code, slow.json()["code"], text in slow.json()["message"]) == (
        status,
        code,
        True,
    ), slow.json()
    assert fast_status == slow.status_code
    positions = ("state",)  # each way asks anew, so a refusal is recorded twice
    first, second = slow.json(), msgspec.json.decode(fast_body)
    assert {k: v for k, v in first.items() if k not in positions} == {
        k: v for k, v in second.items() if k not in positions
    }
    for name in ("content-type", "x-request-id", "x-correlation-id", "cache-control"):
        assert fast_headers[name] == slow.headers[name]
    assert first["request_id"] == "r1"
    assert first["type"] == f"/docs/errors#{code}"
    after = await client.post("/api/orders", json=ORDER | {"cl_ord_id": "next"})
    assert after.status_code == 201  # nobody else suffers


def request(content: bytes, headers: dict[str, str], line: str = "POST /api/orders") -> bytes:
    lines = [f"{line} HTTP/1.1", "Host: test"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode() + content


async def test_an_order_is_placed_once_however_often_and_wherever_it_is_sent(
    opened: tuple[Door, Desk], client: AsyncClient
) -> None:
    door, house = opened
    headers = {"authorization": "Bearer ada", "content-type": "application/json"}
    answers = [
        (await client.post(path, json=ORDER)).content
        for path in ("/api/orders", "/api/v1/orders", "/trades/execute", "/api/trades/execute")
    ]
    async with serving(door) as port, wired(port) as wire:
        await wire.send(request(msgspec.json.encode(ORDER), headers))
        status, _, body = await wire.response()
    assert status == 201
    assert {*answers, body} == {
        b'{"order_id":"demo.1","cl_ord_id":"o1","ord_status":"new","leaves_qty":"0.001",'
        b'"position":1}'
    }
    assert len(house.entries()) == 1


async def test_a_used_cl_ord_id_with_other_content_is_a_conflict_that_stays(
    client: AsyncClient,
) -> None:
    await client.post("/api/orders", json=ORDER)
    answer = await client.post("/api/orders", json=ORDER | {"price": "1.00"})
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert answer.json()["retryable"] is False
    assert answer.json()["state"] == {"position": 1}


async def test_a_refusal_says_what_would_pass_and_what_is_true(client: AsyncClient) -> None:
    answer = await client.post("/api/orders", json=ORDER | {"order_qty": "11"})
    assert answer.json()["details"] == {
        "value": "11",
        "limit": "10",
        "distance": "1",
        "unit": "BTC",
        "order_qty_max": "10",
    }
    assert answer.json()["state"] == {
        "order_id": "demo.1",
        "cl_ord_id": "o1",
        "ord_status": "rejected",
        "position": 1,
    }
    assert (answer.json()["reached_venue"], answer.json()["retryable"]) == ("no", False)


async def test_what_comes_at_once_under_one_id_makes_one_order(
    opened: tuple[Door, Desk], client: AsyncClient
) -> None:
    answers = await asyncio.gather(
        *(client.post("/api/orders", json=ORDER) for _ in range(20)),
        *(client.post("/api/orders", json=ORDER | {"price": "1.00"}) for _ in range(5)),
    )
    assert [answer.status_code for answer in answers] == [201] * 20 + [409] * 5
    assert len(opened[1].entries()) == 1


async def test_under_pressure_nothing_is_taken_on_and_the_answer_says_when_to_return(
    opened: tuple[Door, Desk], client: AsyncClient
) -> None:
    opened[1].pressed = Unavailable("the disk is behind")
    answer = await client.post("/api/orders", json=ORDER)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (answer.json()["retryable"], answer.json()["reached_venue"]) == (True, "no")
    assert not opened[1].entries()


async def test_who_asks_too_often_is_told_how_long_to_wait(
    opened: tuple[Door, Desk], client: AsyncClient
) -> None:
    opened[1].rates = Rates(lambda: 0, {"user": Rate(3, 1), "address": Rate(1, 2)})
    answer = await client.post("/api/orders", json=ORDER)
    assert answer.headers["ratelimit-policy"] == '"address";q=2;w=2, "user";q=1;w=1'
    assert answer.headers["ratelimit"] == '"user";r=0;t=1'
    answer = await client.post("/api/orders", json=ORDER)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.headers["ratelimit"] == '"user";r=0;t=1'
    told = answer.json()
    assert (told["code"], told["retryable"]) == ("rate_limited", True)
    assert told["details"] == {
        "whose": "user",
        "limit_per_s": 3,
        "burst": 1,
        "remaining": 0,
        "retry_after_ms": 334,
        "retry_after_s": 1,
    }


@pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("a b", False), ("x" * 129, False)])
async def test_ids_are_kept_where_they_are_sane_and_always_there(
    client: AsyncClient, given: str, kept: bool
) -> None:
    headers = {"X-Request-Id": given, "X-Correlation-Id": given}
    answer = await client.post("/api/orders", json=ORDER, headers=headers)
    assert (answer.headers["x-request-id"] == given) is kept
    assert answer.headers["x-request-id"]
    other = await client.post("/api/orders", json=ORDER)
    assert other.headers["x-correlation-id"] == other.headers["x-request-id"]


async def test_another_method_is_told_which_there_are(client: AsyncClient) -> None:
    answer = await client.put("/api/orders", json=ORDER)
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, POST")
    assert answer.json()["code"] == "method_not_allowed"
    assert (await client.get("/nowhere")).json()["code"] == "not_found"
