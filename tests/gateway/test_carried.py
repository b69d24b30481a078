"""What another door asks through `carry` is answered as over HTTP, byte for byte but for ids."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx2 import ASGITransport, AsyncClient

from fondaco.gateway.carried import carry, known
from fondaco.gateway.cookies import COOKIE
from fondaco.gateway.door import Door
from fondaco.gateway.rest import Exchange
from fondaco.kernel.errors import Denied, Unavailable
from gateway.desk import ORDER
from gateway.whole import PEOPLE, Whole, a_house

pytestmark = pytest.mark.anyio
ORDERS = {"account_id": "demo", "limit": 2}
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "read": ("trading.orders", ORDERS),
    "missing": ("trading.order", {"order_id": "demo.77"}),
    "nobody": ("trading.account", {"account_id": "nobody"}),
    "unknown field": ("trading.orders", {"tip": 1}),
    "malformed": ("trading.orders", {"limit": 0}),
    "beyond the journal": ("trading.orders", {"min_position": 1 << 40}),
    "malformed order": ("trading.place_order", {"symbol": "BTC-USD"}),
    "refused order": ("trading.place_order", {**ORDER, "cl_ord_id": "big", "order_qty": "9999"}),
    "market": ("market.bars", {"symbol": "BTC-USD"}),
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Both:
    """One house, asked over HTTP and through `carry`."""

    def __init__(self, door: Door, house: Whole, http: AsyncClient) -> None:
        self.door, self.house, self.http = door, house, http
        self.endpoints = {each.operation.name: each for each in door.endpoints}

    async def rest(
        self, who: str, name: str, fields: dict[str, Any], key: str = ""
    ) -> tuple[int, Any]:
        operation = self.endpoints[name].operation
        path = "/api" + operation.path.format(**fields)
        rest = {
            each: value for each, value in fields.items() if f"{{{each}}}" not in operation.path
        }
        body = {"json": rest} if self.endpoints[name].has_body else {"params": rest}
        headers = {"Authorization": f"Bearer {who}"} if who else {}
        headers |= {"Idempotency-Key": key} if key else {}
        answer = await self.http.request(operation.method, path, headers=headers, **body)  # type: ignore[arg-type]
        return answer.status_code, _plain(answer.json())

    async def carried(
        self, who: str, name: str, fields: dict[str, Any], key: str = ""
    ) -> tuple[int, Any]:
        found = await carry(self.endpoints[name], PEOPLE.get(who), fields, key=key, door="graphql")
        return found.response.status, _plain(msgspec.json.decode(found.response.body))


def _plain(reply: Any) -> Any:
    if "request_id" in reply:  # every ask has its own
        return {**reply, "request_id": "", "correlation_id": ""}
    return reply


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    async with (
        a_house(tmp_path) as (door, house),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as http,
    ):
        found = Both(door, house, http)
        opened = {"account_id": "demo", "name": "Demo"}
        assert (await found.carried("ada", "trading.open_account", opened))[0] == 201
        money = {"account_id": "demo", "asset": "USD", "amount": "1000", "transfer_id": "t"}
        assert (await found.carried("ada", "trading.deposit", money))[0] == 201
        yield found


@pytest.mark.parametrize("who", ["ada", "stranger", "confined", ""])
async def test_it_is_answered_as_over_http(both: Both, who: str) -> None:
    for case, (name, fields) in ASKED.items():
        answered = await both.rest(who, name, fields)
        assert await both.carried(who, name, fields) == answered, case


async def test_a_key_is_good_once_whichever_door_it_came_through(both: Both) -> None:
    order = {**ORDER, "cl_ord_id": "once"}
    first = await both.rest("ada", "trading.place_order", order, "k")
    assert first[0] == 201
    assert first == await both.carried("ada", "trading.place_order", order, "k")
    status, other = await both.carried("ada", "trading.place_order", {**order, "price": "1"}, "k")
    assert (status, other["code"]) == (409, "idempotency_key_reused")


async def test_under_pressure_only_reads_are_carried(both: Both) -> None:
    both.house.pressed = Unavailable("full")
    assert (await both.carried("ada", "trading.orders", ORDERS))[0] == 200
    status, told = await both.carried("ada", "trading.place_order", dict(ORDER))
    assert (status, told["reached_venue"], told["retryable"]) == (503, "no", True)


async def test_parts_of_a_request_share_its_correlation_and_are_counted(both: Both) -> None:
    endpoint = both.endpoints["trading.orders"]
    whole = Exchange(both.door.unknown, {b"x-correlation-id": b"mine"}, lambda _: None)
    parts = [
        await carry(endpoint, PEOPLE["ada"], {}, within=whole, door="graphql") for _ in range(2)
    ]
    assert {part.correlation_id for part in parts} == {"mine"}
    assert len({part.request_id for part in parts} | {whole.request_id}) == 3
    assert endpoint.tally.statuses == {200: 2}


async def test_who_asks_is_known_by_token_or_cookie_or_not_at_all(both: Both) -> None:
    context = both.door.context
    assert known(context, {b"authorization": b"Bearer ada"}, "") is PEOPLE["ada"]
    assert known(context, {}, "") is None
    cookie = {b"cookie": COOKIE + b"=ada"}
    assert known(context, cookie, "", changes=False) is PEOPLE["ada"]
    for headers in (cookie, {b"authorization": b"Bearer nobody"}, {b"authorization": b"Basic x"}):
        with pytest.raises(Denied):
            known(context, headers, "")
