"""The journal over HTTP: search, paging both ways, waiting, times, accounts as of a position."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient

from gateway.test_operations import Client
from gateway.whole import a_house

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Client]:
    async with (
        a_house(tmp_path) as (door, house),
        AsyncClient(transport=ASGITransport(door), base_url="http://test") as http,
    ):
        client = Client(http, house)
        await client(201, "POST", "/accounts", {"account_id": "demo", "name": "Demo"})
        for asset, amount in (("USD", "1000000"), ("BTC", "10")):
            deposit = {"asset": asset, "amount": amount, "transfer_id": f"t-{asset}"}
            await client(201, "POST", "/accounts/demo/deposits", deposit)
        yield client


def positions(page: Any) -> list[int]:
    return [entry["position"] for entry in page["items"]]


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ("stream=account/demo&kind=trading.order", ["order_accepted", "order_accepted"]),
        ("stream=reference", ["instrument_listed"]),
        ("kind=trading.cash_deposited", ["cash_deposited", "cash_deposited"]),
        ("cause=t-BTC", ["cash_deposited"]),
        ("text=O2", ["order_accepted"]),
        ("text=nowhere", []),
    ],
)
async def test_entries_are_found_by_stream_kind_cause_and_text(
    ask: Client, asked: str, kinds: list[str]
) -> None:
    await ask.order("o1")
    await ask.order("o2")
    page = await ask(200, "GET", f"/journal?{asked}")
    assert [entry["kind"].split(".")[1] for entry in page["items"]] == kinds
    assert page["next"] == page["head"]
    back = await ask(200, "GET", f"/journal?{asked}&before={page['head'] + 1}")
    assert positions(back) == positions(page)
    assert (await ask(200, "GET", f"/journal?{asked}", who="stranger"))["items"] in (
        [],
        page["items"] if "reference" in asked else [],
    )


async def test_the_newest_are_read_backwards_page_by_page(ask: Client) -> None:
    await ask.order("o1")
    head = ask.house.journal.head()
    everything = positions(await ask(200, "GET", "/journal?limit=1000"))
    seen: list[int] = []
    before = head + 1
    while before > 1:
        page = await ask(200, "GET", f"/journal?before={before}&limit=2")
        seen = positions(page) + seen
        assert page["previous"] < before
        before = page["previous"]
    assert seen == everything


async def test_every_entry_has_an_id_its_cause_what_it_began_with_and_both_times(
    ask: Client,
) -> None:
    await ask.order("o1")
    items = (await ask(200, "GET", "/journal?limit=1000"))["items"]
    assert len({entry["event_id"] for entry in items}) == len(items)
    for entry in items:
        assert entry["event_id"] == f"{entry['stream']}@{entry['version']}"
        assert entry["correlation_id"] == f"{entry['stream']}:{entry['caused_by']}"
        assert entry["caused_by"]
        assert 0 < int(entry["occurred_at"]) <= int(entry["at"])


async def test_a_page_waits_for_the_next_entry_and_not_for_ever(ask: Client) -> None:
    head = ask.house.journal.head()
    empty = await ask(200, "GET", f"/journal?after={head}&wait_ms=60")
    assert (empty["items"], empty["next"]) == ([], head)
    waiting = asyncio.create_task(ask(200, "GET", f"/journal?after={head}&wait_ms=20000"))
    await asyncio.sleep(0)
    await ask.order("o1")
    page = await waiting
    assert page["items"][-1]["kind"] == "trading.order_accepted.v1"
    ask.house.draining = True
    closing = await ask(200, "GET", f"/journal?after={page['head']}&wait_ms=20000")
    assert closing["items"] == []
    await ask(422, "GET", "/journal?wait_ms=20001")


async def test_a_time_and_a_position_name_each_other(ask: Client) -> None:
    placed = await ask.order("o1")
    items = (await ask(200, "GET", "/journal?limit=1000"))["items"]
    at = {entry["position"]: int(entry["at"]) for entry in items}
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at[3] // 1_000)
    text = moment.isoformat().replace("+00:00", "Z")
    found = await ask(200, "GET", f"/journal/at?time={text}")
    assert (found["position"], found["at"]) == (3, str(at[3]))
    before = await ask(200, "GET", "/journal/at?time=1971-01-01T00:00:00Z")
    assert (before["position"], before["at"], before["next_at"]) == (0, None, str(at[1]))
    later = await ask(200, "GET", "/journal/at?time=2100-01-01T00:00:00Z")
    assert (later["position"], later["next_at"]) == (placed["position"], None)
    line = await ask(200, "GET", "/journal/timeline?points=3")
    assert [point[0] for point in line["points"]] == [1, 3, placed["position"]]
    assert [point[1] for point in line["points"]] == [at[p] // 10**6 for p, _ in line["points"]]
    await ask(422, "GET", "/journal/at?time=yesterday")


async def test_an_account_as_of_a_position_is_what_it_was_then(ask: Client) -> None:
    placed = await ask.order("o1")
    at = placed["position"]
    later = await ask.order("o2")
    await ask(200, "GET", f"/accounts/demo?min_position={later['position']}")
    before = await ask(200, "GET", f"/accounts/demo/as-of/{at - 1}")
    assert (before["orders"], before["order_count"], before["position"]) == ([], 0, at - 1)
    then = await ask(200, "GET", f"/accounts/demo/as-of/{at}")
    [order] = then["orders"]
    assert (order["order_id"], order["cl_ord_id"], order["leaves_qty"]) == (
        "demo.1",
        "o1",
        "0.001",
    )
    held = {line["asset"]: (line["held"], line["free"]) for line in then["balances"]}
    assert held == {"BTC": ("0", "10"), "USD": ("50", "999950")}
    assert then["changed_at"] == then["at"]
    await ask(404, "GET", "/accounts/demo/as-of/1")
    await ask(404, "GET", f"/accounts/demo/as-of/{at}", who="stranger")
    await ask(422, "GET", "/accounts/demo/as-of/99999")
