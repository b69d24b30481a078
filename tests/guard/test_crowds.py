"""A crowd at one address, slow in heads and bodies, and an ordinary client at another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from fondaco.gateway.door import Door
from gateway.desk import Desk, a_door
from gateway.server import Wire, serving
from gateway.test_wire import HEAD, names, place

pytestmark = pytest.mark.anyio
CROWD, MAX = 60, 20
SLOW = (
    b"POST /api/orders HTTP/1.1\r\nHost: test\r\nX-Slow: ",
    b"POST /api/orders HTTP/1.1\r\n%bContent-Length: 500\r\n\r\n{" % HEAD,
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def opened() -> AsyncIterator[tuple[Door, Desk]]:
    async with a_door() as found:
        yield found


async def come(port: int, address: str) -> Wire:
    return Wire(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)))


async def drip(port: int, nth: int) -> int:
    """The status that one of the crowd is told in the end, sending a byte now and then."""
    wire = await come(port, "127.0.0.2")
    answer = asyncio.create_task(wire.response())
    with suppress(OSError):
        await wire.send(SLOW[nth % 2])
        while not answer.done():
            await asyncio.sleep(0.05)
            await wire.send(b" ")
    try:
        return (await answer)[0]
    finally:
        wire.writer.close()


async def test_a_slow_crowd_keeps_nobody_else_from_an_answer(opened: tuple[Door, Desk]) -> None:
    async with serving(opened[0], per_address_max=MAX, request_timeout_s=1.0) as port:
        crowd = [asyncio.create_task(drip(port, nth)) for nth in range(CROWD)]
        client = await come(port, "127.0.0.1")
        placed = 0
        while not all(each.done() for each in crowd):
            await client.send(place(f"beside-{placed}"))
            assert await names(client, 1) == [f"beside-{placed}"]
            placed += 1
            await asyncio.sleep(0.02)
        client.writer.close()
        told = [each.result() for each in crowd]
    assert placed >= 10
    assert set(told) == {503, 408}, "too many at once, or too slow: none is served"
    assert told.count(408) <= MAX
