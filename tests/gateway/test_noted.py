"""What others rely on is done, and answered, only once it is durable who was allowed it."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from httpx2 import ASGITransport, AsyncClient

from fondaco.gateway.door import Door
from fondaco.gateway.idempotency import MemoryReplies
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp
from gateway.desk import Desk, desk

pytestmark = pytest.mark.anyio


class Nothing(msgspec.Struct, frozen=True):
    pass


class Done(msgspec.Struct, frozen=True):
    times: int


class Noting:
    """What was done, and whether it may be yet."""

    def __init__(self) -> None:
        self.done, self.asked = 0, 0
        self.durable = asyncio.Event()
        self.error: Unavailable | None = None

    async def noted(self, caller: Any) -> None:
        self.asked += 1
        await self.durable.wait()
        if self.error:
            raise self.error

    async def act(self, _: Nothing, __: Stamp, ___: Any) -> Done:
        self.done += 1
        return Done(self.done)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def opened() -> AsyncIterator[tuple[AsyncClient, Noting, Desk]]:
    noting = Noting()

    def offered(name: str, method: Any, scope: str) -> Operation[Any, Any]:
        return Do(
            name=f"house.{name}", summary="Does it.", method=method, path=f"/{name}",
            request=Nothing, reply=Done, scope=scope, source="house", answer=noting.act,
        )  # fmt: skip

    operations = [
        offered("change", "POST", "accounts:write"),
        offered("look", "GET", "accounts:write"),
        offered("trade", "POST", "orders:write"),
    ]
    with ThreadPoolExecutor(1) as readers:
        async with desk() as house:
            house.noted = noting.noted  # type: ignore[method-assign]
            door = Door(house, operations, replies=MemoryReplies(), readers=readers)
            headers = {"Authorization": "Bearer ada"}
            async with AsyncClient(
                transport=ASGITransport(door), base_url="http://test", headers=headers
            ) as client:
                yield client, noting, house


async def test_nothing_is_done_before_it_is_durable_who_may(
    opened: tuple[AsyncClient, Noting, Desk],
) -> None:
    client, noting, _ = opened
    asked = asyncio.create_task(client.post("/api/change", json={}))
    while not noting.asked:
        await asyncio.sleep(0)
    for _turn in range(20):
        await asyncio.sleep(0)
    assert (noting.done, asked.done()) == (0, False)
    noting.durable.set()
    assert (await asked).json() == {"times": 1}


async def test_what_cannot_be_noted_is_not_done(opened: tuple[AsyncClient, Noting, Desk]) -> None:
    client, noting, _ = opened
    noting.durable.set()
    noting.error = Unavailable("the disk is full")
    for headers in ({}, {"Idempotency-Key": "once"}):
        answer = await client.post("/api/change", json={}, headers=headers)
        assert (answer.status_code, answer.json()["reached_venue"]) == (503, "no")
    assert noting.done == 0
    noting.error = None
    answer = await client.post("/api/change", json={}, headers={"Idempotency-Key": "once"})
    assert answer.json() == {"times": 1}, "the refusal was not kept as the answer"


async def test_who_reads_or_trades_waits_for_no_note(
    opened: tuple[AsyncClient, Noting, Desk],
) -> None:
    client, noting, _ = opened
    assert (await client.get("/api/look")).status_code == 200
    assert (await client.post("/api/trade", json={})).status_code == 200
    assert noting.asked == 0
