"""Idempotency-Key: the table of what is replayed, what is refused and what is not kept."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx2 import ASGITransport, AsyncClient

from fondaco.app.kinds import ROOMS
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Role
from fondaco.domain.identity.room import room as identity_room
from fondaco.gateway.door import Door
from fondaco.gateway.idempotency import Kept, MemoryReplies, Replies
from fondaco.gateway.kept import StoreReplies
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Operation
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store.sqlite import SqliteStore
from gateway.desk import ORDER, Desk, a_door, desk

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def opened() -> AsyncIterator[tuple[Door, Desk]]:
    async with a_door() as found:
        yield found


@pytest.fixture
async def client(opened: tuple[Door, Desk]) -> AsyncIterator[AsyncClient]:
    headers = {"Authorization": "Bearer ada"}
    async with AsyncClient(
        transport=ASGITransport(opened[0]), base_url="http://test", headers=headers
    ) as it:
        yield it


async def send(client: AsyncClient, key: str, who: str = "ada", **change: Any) -> Any:
    headers = {"Idempotency-Key": key, "Authorization": f"Bearer {who}"}
    return await client.post("/api/orders", json=ORDER | change, headers=headers)


@pytest.mark.parametrize(
    ("change", "status", "is_replayed"),
    [
        ({}, 201, True),
        ({"order_qty": "11"}, 409, True),  # a rule said no: it is in the journal
        ({"cl_ord_id": "poison"}, 500, True),
        ({"side": "by"}, 422, False),
        ({"order_qty": "0.0000001"}, 422, False),
        ({"account_id": "theirs"}, 404, False),
    ],
)
async def test_what_is_kept_and_what_is_asked_again(
    client: AsyncClient, change: dict[str, str], status: int, is_replayed: bool
) -> None:
    first = await send(client, "k", **change)
    again = await send(client, "k", **change)
    assert (first.status_code, again.status_code) == (status, status)
    assert ("idempotent-replayed" in again.headers) is is_replayed
    assert "idempotent-replayed" not in first.headers
    assert (first.content == again.content) is is_replayed


async def test_the_key_belongs_to_caller_content_and_operation(client: AsyncClient) -> None:
    assert (await send(client, "k")).status_code == 201
    other = await send(client, "k", price="1.00")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert other.json()["retryable"] is False
    stranger = await send(client, "k", "stranger", account_id="theirs")
    assert stranger.status_code == 201
    headers = {"Idempotency-Key": "k"}
    bulk = await client.post("/api/orders/bulk", json={"orders": [ORDER]}, headers=headers)
    assert bulk.status_code == 200


@pytest.mark.parametrize(("key", "status"), [("x" * 255, 201), ("x" * 256, 422), ("a\x7fb", 422)])
async def test_a_key_has_at_most_255_printable_characters(
    client: AsyncClient, key: str, status: int
) -> None:
    assert (await send(client, key)).status_code == status


async def test_while_the_first_is_under_way_the_second_is_told_to_ask_again(
    client: AsyncClient,
) -> None:
    answers = await asyncio.gather(*(send(client, "k") for _ in range(8)))
    assert sorted({answer.status_code for answer in answers}) == [201, 409]
    busy = next(answer for answer in answers if answer.status_code == 409)
    assert (busy.json()["code"], busy.json()["retryable"]) == ("idempotency_key_in_use", True)
    assert (await send(client, "k")).status_code == 201


async def test_what_may_succeed_later_is_not_kept(
    client: AsyncClient, opened: tuple[Door, Desk]
) -> None:
    opened[1].pressed = Unavailable("the disk is behind")
    assert (await send(client, "k")).status_code == 503
    opened[1].pressed = None
    assert (await send(client, "k")).status_code == 201


async def test_after_a_crash_before_it_was_kept_the_stream_answers_the_retry(
    client: AsyncClient, opened: tuple[Door, Desk]
) -> None:
    first = await send(client, "k")
    opened[0].context.replies.forget(Instant(2**62))
    again = await send(client, "k")
    assert (again.status_code, again.content) == (201, first.content)
    assert len(opened[1].entries()) == 1


@pytest.fixture(params=["memory", "store"])
def replies(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Replies]:
    if request.param == "memory":
        yield MemoryReplies()
    else:
        store = SqliteStore(tmp_path / "records.db")
        yield StoreReplies(store)
        store.close()


def test_replies_are_kept_as_they_were_and_forgotten_when_old(replies: Replies) -> None:
    body = bytes(range(256)) + b"'; DROP TABLE gateway_replies; --"
    kept = Kept("00000000000000ff", 201, "application/json", body)
    replies.put("a'b", kept, Instant(10))
    replies.put("a'b", Kept("0" * 16, 500, "text/csv", b""), Instant(11))
    replies.put("c", kept, Instant(20))
    assert (replies.get("a'b"), replies.get("A'b")) == (kept, None)
    assert replies.forget(Instant(20)) == 1
    assert (replies.get("a'b"), replies.get("c")) == (None, kept)


def test_replies_of_a_store_outlive_the_process(tmp_path: Path) -> None:
    kept = Kept("0" * 16, 201, "application/json", b"{}")
    first = SqliteStore(tmp_path / "records.db")
    StoreReplies(first).put("k", kept, Instant(1))
    first.close()
    second = SqliteStore(tmp_path / "records.db")
    assert StoreReplies(second).get("k") == kept
    second.close()


# --- Operations with a secret in their request or reply ------------------------------------------


@pytest.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[tuple[AsyncClient, Directory]]:
    """A door that makes API keys, over records in a file."""
    store = SqliteStore(tmp_path / "records.db")
    directory = Directory(store, MemoryCache(lambda: 0), lambda: Instant(5), os.urandom)
    directory.create_user("acme", "eve", [Role.TRADER])
    _, token = directory.create_key("acme", "eve", "first")
    with ThreadPoolExecutor(2) as readers:
        async with desk(identity=directory) as house:
            house.authenticate = directory.authenticate  # type: ignore[assignment, method-assign]
            offered = identity_room.operations
            door = Door(house, offered, replies=StoreReplies(store), readers=readers)
            headers = {"Authorization": f"Bearer {token}"}
            transport = ASGITransport(door)
            async with AsyncClient(
                transport=transport, base_url="http://test", headers=headers
            ) as it:
                yield it, directory
    store.close()


async def test_a_token_is_answered_once_and_kept_nowhere(
    keyed: tuple[AsyncClient, Directory], tmp_path: Path
) -> None:
    client, directory = keyed
    again = {"Idempotency-Key": "once"}
    made = await client.post("/api/keys", json={"name": "bot"}, headers=again)
    assert (made.status_code, directory.authenticate(made.json()["token"]).name) == (201, "eve/bot")
    for name in ("bot", "other"):
        said = await client.post("/api/keys", json={"name": name}, headers=again)
        assert (said.status_code, said.json()["code"]) == (409, "reply_not_kept")
        assert said.json()["retryable"] is False
        assert "revoke" in said.json()["message"]
    token = made.json()["token"].encode()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"gateway_replies" in kept
    assert token not in kept
    assert token.hex().encode() not in kept
    assert len(directory.keys("acme")) == 2


async def test_what_failed_with_a_secret_may_be_asked_again(
    keyed: tuple[AsyncClient, Directory],
) -> None:
    client, _ = keyed
    again = {"Idempotency-Key": "once"}
    refused = await client.post("/api/keys", json={"name": "first"}, headers=again)
    assert refused.status_code == 409
    made = await client.post("/api/keys", json={"name": "second"}, headers=again)
    assert made.status_code == 201


SECRETS = (
    "client_secret", "code", "csrf", "new", "old", "password", "recovery_codes", "secret", "ticket",
    "token",
)  # fmt: skip


@pytest.mark.parametrize(
    "operation", [each for room in ROOMS for each in room.operations], ids=lambda each: each.name
)
def test_operations_with_secrets_say_so(operation: Operation[Any, Any]) -> None:
    kinds = [operation.request, operation.reply]
    fields = {
        field.name
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        for field in msgspec.structs.fields(kind)
    }
    holds = bool(fields.intersection(SECRETS))
    assert not holds or operation.secret or operation.name in ("identity.welcome",)
