"""GraphQL over WebSocket: graphql-transport-ws, and what happens as subscriptions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fondaco.gateway.graphql.serving import Graph
from fondaco.gateway.streams import Streams
from gateway.desk import ORDER
from gateway.server import PATIENCE_S, serving
from gateway.test_graphql import PLACE
from gateway.whole import a_house

pytestmark = pytest.mark.anyio
ORDERS = "subscription ($after: Long) { trading_orders(account_ids: [%s], after: $after) { %s } }"
MINE = ORDERS % ('"demo"', "position order_id ord_status post_only")
INIT = {"type": "connection_init", "payload": {"Authorization": "Bearer ada"}}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


class Peer:
    def __init__(self, port: int) -> None:
        self.port = port

    @asynccontextmanager
    async def socket(self, **knobs: Any) -> AsyncIterator[ClientConnection]:
        knobs = {"subprotocols": ["graphql-transport-ws"], **knobs}
        async with connect(f"ws://127.0.0.1:{self.port}/graphql", **knobs) as found:
            yield found

    @asynccontextmanager
    async def known(self) -> AsyncIterator[ClientConnection]:
        async with self.socket() as found:
            assert await ask(found, INIT) == {"type": "connection_ack"}
            yield found


async def ask(socket: ClientConnection, frame: Any) -> Any:
    await socket.send(msgspec.json.encode(frame).decode())
    return await heard(socket)


async def heard(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return msgspec.json.decode(await socket.recv())


async def _hear_all(socket: ClientConnection) -> None:
    while True:
        await heard(socket)


async def subscribe(socket: ClientConnection, name: str, query: str, **variables: Any) -> None:
    payload = {"query": query, "variables": variables}
    frame = {"id": name, "type": "subscribe", "payload": payload}
    await socket.send(msgspec.json.encode(frame).decode())


async def place(socket: ClientConnection, cl_ord_id: str) -> Any:
    await subscribe(socket, cl_ord_id, PLACE, **{**ORDER, "cl_ord_id": cl_ord_id})
    said: list[Any] = []
    while {"type": "complete", "id": cl_ord_id} not in said:
        said.append(await heard(socket))
    mine = [each for each in said if each.get("id") == cl_ord_id]
    return mine[0]["payload"]["data"]["trading_place_order"]


@pytest.fixture(scope="module")
async def peer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Peer]:
    graph = Graph()
    folder: Path = tmp_path_factory.mktemp("house")
    async with a_house(folder, doors=(graph.open,)) as (door, house):
        streams = Streams(door, house.refs, house.board)
        house.listeners.append(streams.publish)
        graph.listen(streams)
        async with serving(door, ws=streams.socket()) as port:
            found = Peer(port)
            async with found.known() as socket:
                opened = (
                    'mutation { trading_open_account(account_id: "demo", name: "D") { account_id }'
                    ' trading_deposit(account_id: "demo", asset: "USD", amount: "9000",'
                    ' transfer_id: "t") { amount } }'
                )
                await subscribe(socket, "open", opened)
                assert (await heard(socket))["payload"]["data"]["trading_deposit"]
            yield found
        graph.close()


async def test_what_happens_is_told_until_nobody_wants_it(peer: Peer) -> None:
    async with peer.known() as listening, peer.known() as trading:
        await subscribe(listening, "mine", MINE)
        assert await ask(listening, {"type": "ping"}) == {"type": "pong"}
        first = await place(trading, "p1")
        told = await heard(listening)
        assert (told["id"], told["type"]) == ("mine", "next")
        order = told["payload"]["data"]["trading_orders"]
        assert order["order_id"] == first["order_id"]
        assert order["position"] == first["position"]
        assert order["post_only"] is False
        await listening.send('{"type":"complete","id":"mine"}')
        await place(trading, "p2")
        assert await ask(listening, {"type": "ping"}) == {"type": "pong"}  # and nothing before it
        # Who comes back resumes behind what was seen.
        await subscribe(listening, "mine", MINE, after=first["position"])
        told = await heard(listening)
        assert told["payload"]["data"]["trading_orders"]["order_id"] == "demo.2"


async def test_prices_are_told_as_over_the_markets_socket(peer: Peer) -> None:
    query = 'subscription { market_prices(symbols: ["BTC-USD"]) { price { mark { price } } } }'
    async with peer.known() as socket:
        await subscribe(socket, "p", query)
        said = await heard(socket)
        assert said["payload"]["data"]["market_prices"]["price"]["mark"]["price"] == "50000"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (ORDERS % ('"theirs"', "position"), "unknown_account"),
        (ORDERS % ("", "position"), "invalid"),
        ('subscription { market_book(symbols: ["NO-NO"]) { symbol } }', "unknown_symbol"),
        ("subscription { nothing }", "invalid"),
        ('{ trading_order(order_id: "demo.99") { order { side } } ', "invalid"),
    ],
)
async def test_a_subscription_that_cannot_be_is_told_why(peer: Peer, query: str, code: str) -> None:
    async with peer.known() as socket:
        await subscribe(socket, "x", query)
        said = await heard(socket)
        assert (said["type"], said["id"]) == ("error", "x")
        assert said["payload"][0]["extensions"]["code"] == code


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["nonsense"], 4400),
        ([{"type": "dance"}], 4400),
        ([{"type": "connection_init"}], 4401),
        ([{"type": "connection_init", "payload": {"Authorization": "Bearer nobody"}}], 4403),
        ([{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}], 4401),
        ([INIT, INIT], 4429),
        ([INIT, *[{"type": "subscribe", "id": "1", "payload": {"query": MINE}}] * 2], 4409),
    ],
)
async def test_who_breaks_the_protocol_is_cut_off(peer: Peer, frames: list[Any], code: int) -> None:
    async with peer.socket() as socket:
        for frame in frames:
            await socket.send(msgspec.json.encode(frame).decode())
        with pytest.raises(ConnectionClosed) as closed:
            await _hear_all(socket)
    assert closed.value.rcvd
    assert closed.value.rcvd.code == code


async def test_who_does_not_speak_it_is_not_let_in(peer: Peer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with peer.socket(subprotocols=None):
            pass
    assert refused.value.response.status_code == 422
