"""Money between accounts, resets and daily statements, in a whole house that is killed."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from app.test_redelivery import entries_of, started
from app.test_restart import wait_for
from build import BTC_USD, buy, deposit, fill, opened
from fondaco.app.arming import Waiting, arm
from fondaco.app.files import Files, read_cursor
from fondaco.app.house import Kernel
from fondaco.app.offline import verify
from fondaco.domain.reference.events import SetSettlement
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading.events import SendTransfer
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.kernel.event import Instant, request_id
from fondaco.kernel.money import AssetCode
from running import Client, Running, house

A, B = (account_stream(AccountId(name)) for name in ("A1", "B1"))
COUNT = 20


@pytest.mark.parametrize("hears", [0, 1, COUNT, COUNT + 1, 2 * COUNT - 1])
def test_what_was_lost_on_its_way_arrives_once(tmp_path: Path, hears: int) -> None:
    """The house dies when so many messages were heard; the next one tells all of them again."""

    async def live() -> None:
        kernel = await started(tmp_path, hears=hears, latency_ms=0)
        for stream in (A, B):
            await kernel.submit(stream, opened())
        await kernel.submit(A, deposit("100"))
        for nth in range(COUNT):
            asked = request_id(f"t{nth}", "x")
            command = SendTransfer(asked, kernel.now(), B, AssetCode("USD"), "1.5")
            await kernel.submit(A, command)
        await kernel.stop()
        Files(tmp_path).cursor.unlink(missing_ok=True)

    async def again() -> tuple[Any, Any]:
        kernel = await started(tmp_path, hears=1_000_000, latency_ms=0)
        while kernel.reactor.open_count:
            await asyncio.sleep(0.01)
        for stream in (A, B):
            await kernel.wake(stream)
        states = [kernel.peek(stream) for stream in (A, B)]
        await kernel.stop()
        return states[0].state, states[1].state  # type: ignore[union-attr]

    asyncio.run(live())
    for _ in range(2):  # the second time nothing is left to tell
        a, b = asyncio.run(again())
        assert (a.balances["USD"], b.balances["USD"]) == (70 * 10**8, 30 * 10**8)
        assert a.sent == {}
    kinds = entries_of(tmp_path, A) + entries_of(tmp_path, B)
    for kind in ("sent", "received", "posted"):
        assert kinds.count(f"trading.transfer_{kind}.v1") == COUNT
    assert read_cursor(Files(tmp_path).cursor) > 0


def test_what_is_due_settles_by_itself_also_after_a_restart(tmp_path: Path) -> None:
    """One fill settles in a fifth of a second, and one when the house has stopped meanwhile."""

    async def live(kernel: Kernel) -> Any:
        while kernel.peek(A).state.unsettled:  # type: ignore[union-attr]
            await asyncio.sleep(0.02)
        return kernel.peek(A).state  # type: ignore[union-attr]

    async def trade() -> Any:
        kernel = await started(tmp_path, hears=0, latency_ms=0)
        t1 = SetSettlement(request_id("t1", "x"), kernel.now(), BTC_USD, 1)
        await kernel.submit(HOUSE_STREAM, t1)
        for command in (opened(), deposit("100000"), buy("o1", "1", "50000.00")):
            await kernel.submit(A, command)
        units = {}
        for nth, wait_s in ((1, 0.2), (2, 3.0)):
            kernel.refs.settles_at = (Instant(kernel.now() + int(wait_s * 1e9)),)
            await kernel.submit(A, fill(1, 100, 50_000_00, nth=nth))
            units[nth] = kernel.peek(A).state.unsettled["BTC"]  # type: ignore[union-attr]
            if nth == 1:
                await live(kernel)
        assert units[1] == units[2] > 0
        await kernel.stop()
        return None

    async def again() -> Any:
        kernel = await started(tmp_path, hears=1_000_000, latency_ms=0)
        await kernel.wake(A)
        state = kernel.peek(A).state  # type: ignore[union-attr]
        found = [("A1", settles_at) for settles_at in state.settling]
        assert len(found) == 1
        arm(kernel, Waiting({}, [], [], [], [], found))
        state = await asyncio.wait_for(live(kernel), 20)
        await kernel.stop()
        return state

    asyncio.run(trade())
    assert asyncio.run(again()).settling == {}
    assert entries_of(tmp_path, A).count("trading.fills_settled.v1") == 2


def done(client: Client, path: str, body: object, status: int = 201) -> Any:
    reply = client.ask("POST", path, body)
    assert reply.status == status, reply
    return reply.body


def balance(client: Client, account: str, asset: str = "USD", seen: int = 0) -> Decimal:
    found = client.get(f"/api/accounts/{account}?min_position={seen}")
    held = {each["asset"]: Decimal(each["balance"]) for each in found["balances"]}
    return held.get(asset, Decimal(0))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    """Two accounts, and a house that was killed while money went from one to the other."""
    data = tmp_path_factory.mktemp("money") / "house"
    with house(data) as first:
        client = first.client()
        for name, is_virtual in (("from", False), ("to", True)):
            done(client, "/api/accounts", {"account_id": name, "virtual": is_virtual})
        done(client, "/api/accounts/from/deposits", {"asset": "USD", "amount": "1000"})
        stop = threading.Timer(0.4, first.kill)
        stop.start()
        sent = {"account_id": "from", "to_account_id": "to", "asset": "USD", "amount": "0.5"}
        with pytest.raises((OSError, HTTPException)):
            send_until_killed(client, sent)
        stop.join()
    with house(data) as second:
        yield second, data


def send_until_killed(client: Client, sent: dict[str, str]) -> None:
    for _ in range(2_000):
        done(client, "/api/transfers", sent)


@pytest.fixture
def client(running: tuple[Running, Path]) -> Iterator[Client]:
    found = running[0].client()
    yield found
    found.close()


def test_a_kill_loses_and_doubles_no_money(client: Client) -> None:
    """Whatever was on its way when the house died has arrived, or never left."""
    wait_for(lambda: all(each["status"] == "posted" for each in sent(client)))
    moved = Decimal("0.5") * len(sent(client))
    assert moved > 0
    assert (balance(client, "from"), balance(client, "to")) == (1_000 - moved, moved)


def sent(client: Client) -> list[Any]:
    return client.all("/api/accounts/from/transfers/sent")


def test_a_transfer_is_asked_for_once_and_between_accounts_of_ones_own(client: Client) -> None:
    asked = {"account_id": "from", "to_account_id": "to", "asset": "USD", "amount": "1"}
    once = {**asked, "transfer_id": "once"}
    first = done(client, "/api/transfers", once)
    assert done(client, "/api/transfers", once) == first
    assert first["status"] == "pending"
    done(client, "/api/transfers", once | {"amount": "2"}, 409)
    done(client, "/api/transfers", asked | {"to_account_id": "from"}, 422)
    done(client, "/api/transfers", asked | {"to_account_id": "nobody"}, 404)
    refused = done(client, "/api/transfers", asked | {"amount": "1000000"}, 409)
    assert refused["code"] == "transfer_refused"


def test_only_a_virtual_account_begins_anew(client: Client) -> None:
    assert client.get("/api/accounts/to")["virtual"] is True
    given = {"balances": {"USD": "250", "BTC": "1.5"}}
    done(client, "/api/accounts/from/reset", given, 409)
    reset = done(client, "/api/accounts/to/reset", given, 200)
    seen = reset["position"]
    assert balance(client, "to", seen=seen) == 250
    assert balance(client, "to", "BTC") == Decimal("1.5")
    again = done(client, "/api/accounts/to/reset", given, 200)
    assert again["changed"] is False


def test_a_day_is_stated_as_json_csv_and_a_page(
    running: tuple[Running, Path], client: Client
) -> None:
    day = datetime.now(UTC).date().isoformat()
    found = client.get(f"/api/accounts/from/statements/{day}")
    [usd] = [line for line in found["balances"] if line["asset"] == "USD"]
    assert (usd["opening"], found["final"]) == ("0", False)
    assert found["movements"][-1]["balance_exact"] == usd["closing"]
    assert Decimal(usd["closing"]) == balance(client, "from")
    text = client.ask("GET", f"/api/accounts/from/statements/{day}/csv")
    assert text.headers["content-type"].startswith("text/csv")
    assert text.body.count(b"transfer_out") == sum(
        line["kind"] == "transfer_out" for line in found["movements"]
    )
    page = client.ask("GET", f"/api/accounts/from/statements/{day}/html")
    assert page.headers["content-type"].startswith("text/html")
    assert f"Statement of from, {day}".encode() in page.body
    assert client.ask("GET", "/api/accounts/from/statements/2999-01-01").status == 404
    assert client.ask("GET", "/api/accounts/from/statements/2026-13-01").status == 422
    assert running[0].stop() == 0
    assert verify(running[1])["wrong"] == []
