"""Books over HTTP: two phases, linked transfers, and whose they are."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx2 import ASGITransport, AsyncClient

from gateway.test_operations import Client
from gateway.whole import a_house

pytestmark = pytest.mark.anyio
AT = "/ledgers/treasury"


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
        await client(201, "POST", f"{AT}/accounts", {"account": "cash", "asset": "USD"})
        limited = {"account": "ada", "asset": "USD", "debits_must_not_exceed_credits": True}
        await client(201, "POST", f"{AT}/accounts", limited)
        first = await client(201, "POST", f"{AT}/transfers", moved("cash", "ada", "100"))
        await client(200, "GET", f"{AT}/accounts?min_position={first['position']}")
        yield client


def moved(debit: str, credit: str, amount: str, **more: object) -> dict[str, object]:
    return {"debit": debit, "credit": credit, "amount": amount, **more}


async def test_a_transfer_waits_for_its_second_phase(ask: Client) -> None:
    pending = moved("ada", "cash", "70", pending=True, timeout_s=60, key="p1")
    first = await ask(201, "POST", f"{AT}/transfers", pending)
    assert (first["number"], first["status"], first["posted"]) == (2, "pending", "0")
    assert first["expires_at"]
    assert await ask(201, "POST", f"{AT}/transfers", pending) == first
    await ask(409, "POST", f"{AT}/transfers", pending | {"amount": "1"})
    refused = await ask(409, "POST", f"{AT}/transfers", moved("ada", "cash", "30.01"))
    assert (refused["code"], refused["details"]["limit"]) == ("exceeds_credits", "30")
    where = f"?min_position={first['position']}"
    line = await ask(200, "GET", f"{AT}/accounts/ada{where}")
    assert [line[k] for k in ("debits_pending", "debits_posted")] == ["70", "0"]
    posted = await ask(200, "POST", f"{AT}/transfers/2/post", {"amount": "60"})
    assert (posted["status"], posted["posted"], posted["amount"]) == ("posted", "60", "70")
    again = await ask(409, "POST", f"{AT}/transfers/2/void")
    assert again["code"] == "pending_transfer_already_posted"
    where = f"?min_position={posted['position']}"
    [ada, cash] = (await ask(200, "GET", f"{AT}/accounts{where}"))["items"]
    assert [ada[k] for k in ("debits_pending", "debits_posted", "credits_posted")] == [
        "0", "60", "100",
    ]  # fmt: skip
    assert [cash["debits_posted"], cash["credits_posted"]] == ["100", "60"]


async def test_linked_transfers_are_all_or_none(ask: Client) -> None:
    legs = [
        {"transfer": moved("ada", "cash", "50")},
        {"transfer": moved("ada", "nobody", "1")},
    ]
    refused = await ask(409, "POST", f"{AT}/transfers/linked", {"linked": legs})
    assert refused["code"] == "credit_account_not_found"
    assert refused["details"]["linked"] == ["linked_event_failed", "credit_account_not_found"]
    legs[1] = {"transfer": moved("ada", "cash", "25", pending=True)}
    done = await ask(201, "POST", f"{AT}/transfers/linked", {"linked": legs})
    assert [each["status"] for each in done["transfers"]] == ["posted", "pending"]
    ends = {"linked": [{"void": 3}, {"transfer": moved("ada", "cash", "50")}]}
    done = await ask(201, "POST", f"{AT}/transfers/linked", ends)
    where = f"?limit=2&min_position={done['position']}"
    page = await ask(200, "GET", f"{AT}/transfers{where}")
    assert [(each["number"], each["status"]) for each in page["items"]] == [
        (4, "posted"),
        (3, "voided"),
    ]
    rest = await ask(200, "GET", f"{AT}/transfers?cursor={page['next']}")
    assert ([each["number"] for each in rest["items"]], rest["next"]) == ([2, 1], None)
    voided = await ask(200, "GET", f"{AT}/transfers?status=voided&account=ada")
    assert [each["number"] for each in voided["items"]] == [3]
    await ask(422, "POST", f"{AT}/transfers/linked", {"linked": [{"post": 1, "void": 1}]})


async def test_a_book_is_its_tenants_own(ask: Client) -> None:
    await ask(200, "GET", f"{AT}/accounts/ada")
    await ask(404, "GET", f"{AT}/accounts/ada", who="stranger")
    await ask(404, "GET", f"{AT}/transfers/1", who="stranger")
    await ask(403, "GET", f"{AT}/accounts", who="confined")
    theirs = await ask(409, "POST", f"{AT}/transfers", moved("cash", "ada", "1"), who="stranger")
    assert theirs["code"] == "debit_account_not_found"
    told = (await ask(200, "GET", "/journal?limit=1000", who="stranger"))["items"]
    assert {each["stream"] for each in told if "ledger/" in each["stream"]} == {
        "ledger/other/treasury"
    }


async def test_an_account_is_opened_once_as_it_is(ask: Client) -> None:
    await ask(201, "POST", f"{AT}/accounts", {"account": "cash", "asset": "USD"})
    other = await ask(409, "POST", f"{AT}/accounts", {"account": "cash", "asset": "BTC"})
    assert other["code"] in ("exists_with_different_flags", "key_reused")
    wrong = await ask(409, "POST", f"{AT}/accounts", {"account": "x", "asset": "NONE"})
    assert wrong["code"] == "unknown_asset"
