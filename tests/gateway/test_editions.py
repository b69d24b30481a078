"""Two versions of the API at once: what differs, what does not, and what is said of the end."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx2 import ASGITransport, AsyncClient, Response

from docs.catalog import operations
from fondaco.gateway.editions import EDITIONS, FIRST, edition_of
from fondaco.gateway.uses import DAY_NS, KeptUses
from fondaco.kernel.event import Instant
from fondaco.kernel.instants import parsed_instant
from fondaco.ports.store.sqlite import SqliteStore
from gateway.desk import Person
from gateway.whole import a_house

TIMES = EDITIONS[1].changes[0]
ORDER = {
    "account_id": "demo",
    "symbol": "BTC-USD",
    "side": "buy",
    "order_qty": "1",
    "ord_type": "limit",
    "price": "40000.00",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Any]:
    async with (
        a_house(tmp_path) as (door, _),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as http,
    ):

        async def asked(method: str, path: str, body: Any = None, **headers: str) -> Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            sent = {"authorization": "Bearer ada", **named}
            return await http.request(method, path, json=body, headers=sent)

        await asked("POST", "/api/accounts", {"account_id": "demo", "name": "Demo"})
        deposit = {"asset": "USD", "amount": "1000000", "transfer_id": "t1"}
        await asked("POST", "/api/accounts/demo/deposits", deposit)
        yield asked


@pytest.mark.anyio
async def test_both_versions_are_served_and_act_on_the_same_house(ask: Any) -> None:
    placed = await ask("POST", "/api/v2/orders", {**ORDER, "cl_ord_id": "a"})
    again = await ask("POST", "/api/v1/orders", {**ORDER, "cl_ord_id": "a"})
    assert (placed.status_code, again.status_code) == (201, 201)
    assert placed.json() == again.json()


@pytest.mark.anyio
async def test_times_of_version_2_are_rfc_3339_and_the_same_instants(ask: Any) -> None:
    old = (await ask("GET", "/api/v1/journal")).json()["items"]
    new = (await ask("GET", "/api/v2/journal")).json()["items"]
    assert [parsed_instant(each["at"], "at") for each in new] == [int(each["at"]) for each in old]
    assert new[0]["at"].endswith("Z")
    differing = {
        name
        for one, other in zip(old, new, strict=True)
        for name in one
        if one[name] != other[name]
    }
    assert {"at", "occurred_at"} <= differing <= {"at", "occurred_at", "event"}


@pytest.mark.anyio
async def test_the_first_version_says_until_when_and_the_newest_does_not(ask: Any) -> None:
    for path in ("/api/instruments", "/api/v1/instruments", "/api/v1/orders/nowhere"):
        found = (await ask("GET", path)).headers
        assert found["sunset"] == "Mon, 22 Nov 2027 00:00:00 GMT"
        assert found["deprecation"] == f"@{int(datetime(2026, 11, 22, tzinfo=UTC).timestamp())}"
        assert found["link"] == '</api/v2>; rel="successor-version"'
    newest = await ask("GET", "/api/v2/instruments")
    assert newest.status_code == 200
    assert not {"sunset", "deprecation"} & set(newest.headers)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("asked", "has_sunset"),
    [("1", True), ("2", False), ("2026-11-21", True), ("2026-11-22", False), ("2030-01-01", False)],
)
async def test_a_version_is_asked_for_by_number_or_by_day(
    ask: Any, asked: str, has_sunset: bool
) -> None:
    found = await ask("GET", "/api/instruments", fondaco_version=asked)
    assert ("sunset" in found.headers) is has_sunset
    placed = await ask("POST", "/api/orders", {**ORDER, "cl_ord_id": "b"}, fondaco_version=asked)
    assert (placed.status_code, "sunset" in placed.headers) == (201, has_sunset)


@pytest.mark.anyio
@pytest.mark.parametrize("asked", ["3", "x", "2026-08-31", "2026-13-01"])
async def test_a_version_that_there_is_not_is_refused_with_those_there_are(
    ask: Any, asked: str
) -> None:
    found = await ask("GET", "/api/instruments", fondaco_version=asked)
    assert (found.status_code, found.json()["code"]) == (422, "unknown_version")
    assert asked in found.json()["message"]


@pytest.mark.anyio
async def test_each_version_has_its_document(ask: Any) -> None:
    first = (await ask("GET", "/api/openapi.json")).json()
    second = (await ask("GET", "/api/v2/openapi.json")).json()
    assert [each["info"]["version"][0] for each in (first, second)] == ["1", "2"]
    assert "/api/v2/orders" in second["paths"]
    line = second["components"]["schemas"]["OrderLine"]["properties"]
    assert line["created_at"] == {"type": ["string", "null"], "format": "date-time"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1_795_339_800_000_000_001, "2026-11-22T09:30:00.000000001Z"),
        ("1795339800000000001", "2026-11-22T09:30:00.000000001Z"),
        ("2026-11-22T09:30:00.5Z", "2026-11-22T09:30:00.500000000Z"),
        (0, None),
        ("", None),
        (None, None),
        (7, 7),  # a position
        ({"a": 1}, {"a": 1}),
    ],
)
def test_each_way_of_version_1_to_write_a_time(value: Any, written: Any) -> None:
    assert TIMES.reply({"items": [{"since": value, "qty": 5}]}) == {
        "items": [{"since": written, "qty": 5}]
    }


def test_every_operation_reads_a_time_where_version_1_counts_nanoseconds() -> None:
    counted = 0
    for operation in operations():
        for field in msgspec.structs.fields(operation.request):
            asked = {field.name: "2026-11-22T09:30:00Z"}
            read = EDITIONS[1].request(asked, operation)[field.name]
            assert read in (asked[field.name], 1_795_339_800_000_000_000)
            counted += read != asked[field.name]
    assert counted >= 1


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_version_is_found_by_all_its_names(edition: Any) -> None:
    for name in (str(edition.major), edition.version, str(edition.released)):
        assert edition_of(name.encode()) is edition
    assert edition_of(None) is FIRST


def test_who_asks_for_what_is_counted_by_day_and_kept(tmp_path: Path) -> None:
    uses = KeptUses(SqliteStore(tmp_path / "records.db"))
    ada, bob, other = (
        Person(name, tenant, frozenset())
        for name, tenant in (("ada/k1", "demo"), ("bob's/k", "demo"), ("eve/k", "other"))
    )
    for caller, major, times in ((ada, 1, 3), (ada, 2, 1), (bob, 1, 5), (other, 1, 9)):
        for _ in range(times):
            uses.counted.count(caller, major)
    uses.keep(uses.counted.taken(), Instant(DAY_NS))
    uses.counted.count(ada, 1)
    told = [("bob's/k", 1, 5, 1, 1), ("ada/k1", 1, 4, 1, 2), ("ada/k1", 2, 1, 1, 1)]
    assert [tuple(use) for use in uses.of("demo", Instant(2 * DAY_NS))] == told
    uses.keep(uses.counted.taken(), Instant(2 * DAY_NS))
    assert [tuple(use) for use in uses.of("demo", Instant(3 * DAY_NS))] == told
    uses.keep({}, Instant(402 * DAY_NS))
    assert [use.requests for use in uses.of("demo", Instant(402 * DAY_NS))] == [1]
