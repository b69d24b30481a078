"""WS /ws/trading: entry, acks, executions without a gap, and who is cut off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fondaco.gateway import talk
from fondaco.gateway.door import Door
from fondaco.gateway.streams import Streams
from gateway.desk import ORDER, REFS, Desk, a_door
from gateway.server import PATIENCE_S, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Opened:
    def __init__(self, door: Door, house: Desk, streams: Streams, port: int) -> None:
        self.door, self.house, self.streams, self.port = door, house, streams, port

    @asynccontextmanager
    async def talk(
        self, who: str = "ada", query: str = "", path: str = "/ws/trading", **knobs: Any
    ) -> AsyncIterator[ClientConnection]:
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        url = f"ws://127.0.0.1:{self.port}{path}{query}"
        async with connect(url, additional_headers=headers, **knobs) as found:
            yield found


@asynccontextmanager
async def opening(**limits: Any) -> AsyncIterator[Opened]:
    async with a_door() as (door, house):
        streams = Streams(door, lambda: REFS, None)
        house.listeners.append(streams.publish)
        async with serving(door, ws=streams.socket(**limits)) as port:
            yield Opened(door, house, streams, port)


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    async with opening() as found:
        yield found


def code_of(closed: ConnectionClosed) -> int:
    return closed.rcvd.code if closed.rcvd else 0


async def said(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return msgspec.json.decode(await socket.recv())


async def ask(socket: ClientConnection, **message: Any) -> Any:
    await socket.send(msgspec.json.encode(message).decode())
    return await said(socket)


async def place(socket: ClientConnection, cl_ord_id: str = "o1", **change: Any) -> Any:
    return await ask(socket, op="place", **{**ORDER, "cl_ord_id": cl_ord_id, "id": 1, **change})


async def test_an_order_is_acknowledged_under_its_id_and_is_the_one_of_http(
    opened: Opened,
) -> None:
    async with opened.talk() as socket:
        first = await place(socket, id="mine")
        assert first == {
            "id": "mine",
            "status": 201,
            "order_id": "demo.1",
            "cl_ord_id": "o1",
            "ord_status": "new",
            "leaves_qty": "0.001",
            "position": 1,
        }
        assert (await place(socket, id=7))["order_id"] == "demo.1"
    assert len(opened.house.entries()) == 1


@pytest.mark.parametrize(
    ("message", "status", "code", "ask_id"),
    [
        ({"op": "place", "id": 1, **ORDER, "side": "by"}, 422, "invalid", 1),
        ({"op": "place", "id": 1, **ORDER, "tip": 1}, 422, "invalid", 1),
        ({"op": "place", "id": 1, **ORDER, "order_qty": "11"}, 409, "exceeds_order_qty", 1),
        ({"op": "place", "id": 1, **ORDER, "account_id": "theirs"}, 404, "unknown_account", 1),
        ({"op": "place", "id": 1, **ORDER, "cl_ord_id": "poison"}, 500, "corrupt", 1),
        ({"op": "dance", "id": "x"}, 422, "invalid", "x"),
        ({"op": "subscribe", "id": 2, "accounts": ["theirs"]}, 404, "unknown_account", 2),
        ({"op": "subscribe", "id": 2, "accounts": []}, 422, "invalid", 2),
        ({"op": "resume", "id": 2, "accounts": ["demo"], "after": 99}, 422, "invalid", 2),
        ({"op": "auth", "id": 3, "token": "ada"}, 422, "invalid", 3),
        ([1], 422, "invalid", None),
    ],
)
async def test_what_is_wrong_is_said_under_its_id_as_over_http(
    opened: Opened, message: Any, status: int, code: str, ask_id: Any
) -> None:
    async with opened.talk() as socket:
        await socket.send(msgspec.json.encode(message).decode())
        found = await said(socket)
        assert (found["id"], found["status"], found["error"]["code"]) == (ask_id, status, code)
        assert found["error"].keys() >= {"retryable", "reached_venue", "state", "request_id"}
        assert (await place(socket, "next"))["status"] == 201


async def test_an_array_is_answered_one_by_one_in_order(opened: Opened) -> None:
    async with opened.talk() as socket:
        asks = [{"op": "place", "id": nth, **ORDER, "cl_ord_id": f"b{nth}"} for nth in range(500)]
        await socket.send(msgspec.json.encode([*asks, {"op": "ping", "id": "p"}]).decode())
        found = [await said(socket) for _ in range(501)]
        acks = [each["id"] for each in found if each["status"] == 201]
        assert acks == list(range(500))
    assert len(opened.house.entries()) == 500


async def test_fragments_and_pings_among_messages_are_understood(opened: Opened) -> None:
    async with opened.talk() as socket:
        text = msgspec.json.encode({"op": "place", "id": 1, **ORDER}).decode()
        await socket.send(iter([text[:5], text[5:60], text[60:]]))
        assert (await said(socket))["status"] == 201
        await (await socket.ping())
        assert (await place(socket, "o2"))["status"] == 201


@pytest.mark.parametrize("sent", [b"\x00\xff", "{", "[" * 5_000, '{"op":"place"}', ""])
async def test_nonsense_is_answered_and_nothing_else_happens(opened: Opened, sent: Any) -> None:
    async with opened.talk() as socket:
        await socket.send(sent)
        assert (await said(socket))["status"] == 422
        assert (await place(socket))["status"] == 201


async def test_who_is_known_by_header_ticket_or_first_message(opened: Opened) -> None:
    opened.house.tickets["t1"] = "ada"
    async with opened.talk("", "?ticket=t1") as socket:
        assert (await place(socket))["status"] == 201
    with pytest.raises(InvalidStatus, match="401"):  # a ticket is good once
        async with opened.talk("", "?ticket=t1"):
            pass
    with pytest.raises(InvalidStatus, match="401"):
        async with opened.talk("eve"):
            pass
    async with opened.talk("") as socket:
        assert (await place(socket, "o2"))["error"]["code"] == "unauthenticated"
        assert (await ask(socket, op="auth", id=1, token="eve"))["status"] == 401
        assert (await ask(socket, op="auth", id=1, token="ada"))["status"] == 200
        assert (await place(socket, "o2"))["status"] == 201
    async with opened.talk("reader") as socket:
        assert (await place(socket, "o3"))["error"]["code"] == "denied"


async def test_who_is_not_known_in_time_or_not_any_more_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(talk, "AUTH_WITHIN_S", 0.05)
    monkeypatch.setattr(talk, "RECHECK_S", 0.05)
    async with opening() as opened:
        async with opened.talk("") as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await said(socket)
            assert code_of(closed.value) == talk.UNAUTHENTICATED
        async with opened.talk() as socket:
            assert (await place(socket))["status"] == 201
            opened.house.revoked.add("ada")
            with pytest.raises(ConnectionClosed) as closed:
                await said(socket)
            assert code_of(closed.value) == talk.UNAUTHENTICATED
        assert opened.streams.users == {}


async def test_a_subscription_tells_every_entry_after_it_and_of_these_accounts_only(
    opened: Opened,
) -> None:
    async with opened.talk() as watcher, opened.talk() as trader:
        assert (await ask(watcher, op="subscribe", id=1, accounts=["demo"]))["status"] == 200
        await place(trader, "elsewhere", account_id="second")
        placed = await place(trader, "here")
        told = await said(watcher)
        assert (told["channel"], told["order_id"]) == ("orders", placed["order_id"])
        assert (told["position"], told["cl_ord_id"]) == (placed["position"], "here")
        assert (await ask(watcher, op="unsubscribe", id=2, accounts=["demo"]))["status"] == 200
        await place(trader, "unheard")
        assert (await ask(watcher, op="ping", id=3))["op"] == "pong"
    assert not opened.streams.trading._watchers


async def test_whoever_resumes_misses_nothing_and_hears_nothing_twice(opened: Opened) -> None:
    async with opened.talk() as trader:
        for nth in range(30):
            await place(trader, f"o{nth}")
        async with opened.talk() as watcher:
            going = asyncio.create_task(_many(trader, 200))
            assert (await ask(watcher, op="resume", id=1, accounts=["demo"], after=10))["id"] == 1
            positions = [(await said(watcher))["position"] for _ in range(220)]
            assert positions == list(range(11, 231))
            await going


async def _until(socket: ClientConnection) -> AsyncIterator[Any]:
    """What comes before the end."""
    with suppress(ConnectionClosed):
        while True:
            yield await socket.recv()


async def test_a_subscription_takes_the_place_of_the_one_before(opened: Opened) -> None:
    async with opened.talk() as watcher, opened.talk() as trader:
        accounts = ["demo"]
        await ask(watcher, op="subscribe", id=1, accounts=accounts)
        await place(trader, "one")
        assert (await said(watcher))["position"] == 1
        await ask(watcher, op="subscribe", id=2, accounts=accounts, channels=["executions"])
        await ask(watcher, op="ping", id=3)
        await place(trader, "two")
        assert (await ask(watcher, op="ping", id=4))["id"] == 4  # an order is no execution
        await ask(watcher, op="resume", id=5, accounts=accounts, after=1)
        assert (await said(watcher))["position"] == 2
        assert (await ask(watcher, op="ping", id=6))["id"] == 6


async def _many(trader: ClientConnection, count: int) -> None:
    for nth in range(count):
        await place(trader, f"m{nth}")


async def test_a_slow_reader_is_cut_off_and_told_where_to_resume() -> None:
    async with opening(queue_max=50) as opened:
        async with (
            opened.talk(max_queue=1) as watcher,
            opened.talk(max_queue=None) as trader,
        ):
            await ask(watcher, op="subscribe", id=1, accounts=["demo"])
            watcher.transport.pause_reading()
            batch = 500
            for start in range(200):
                asks = [
                    {"op": "place", "id": 0, **ORDER, "cl_ord_id": f"s{start}.{nth}"}
                    for nth in range(batch)
                ]
                await trader.send(msgspec.json.encode(asks).decode())
                for _ in range(batch):
                    await trader.recv()
                if not opened.streams.trading._watchers:
                    break
            watcher.transport.resume_reading()
            positions = [msgspec.json.decode(text)["position"] async for text in _until(watcher)]
        assert watcher.close_code == talk.SLOW
        assert watcher.close_reason == f"reads too slowly; resume after {positions[-1]}"
        assert positions == list(range(1, len(positions) + 1))  # what was sent has no gap
        async with opened.talk(max_queue=None) as again:
            await ask(again, op="resume", id=1, accounts=["demo"], after=positions[-1])
            assert (await said(again))["position"] == positions[-1] + 1


async def test_beyond_the_limit_nobody_is_let_in() -> None:
    async with opening(connections_max=1) as opened, opened.talk() as first:
        with pytest.raises(InvalidStatus, match="503"):
            async with opened.talk():
                pass
        assert (await place(first))["status"] == 201


async def test_when_the_house_closes_everybody_is_told_to_come_back() -> None:
    async with a_door() as (door, house):
        streams = Streams(door, lambda: REFS, None)
        house.listeners.append(streams.publish)
        serving_it = serving(door, ws=streams.socket())
        opened = Opened(door, house, streams, await serving_it.__aenter__())
        async with opened.talk() as socket:
            assert (await place(socket))["status"] == 201
            told = asyncio.create_task(_closed(socket))
            await serving_it.__aexit__(None, None, None)
            assert await told == 1001


async def _closed(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        async with asyncio.timeout(PATIENCE_S):
            await socket.recv()
    return code_of(closed.value)


async def test_messages_too_large_and_paths_unknown_are_refused(opened: Opened) -> None:
    async with opened.talk(max_size=None) as socket:
        with suppress(ConnectionClosed):
            await socket.send("x" * (17 << 20))
        assert await _closed(socket) == 1009
    with pytest.raises(InvalidStatus, match="403"):
        async with opened.talk(path="/ws/nothing"):
            pass
    async with opened.talk(path="/api/v1/ws/trading") as socket:
        assert (await place(socket))["status"] == 201
