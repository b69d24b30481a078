"""The operations as a door calls them: a request, a stamp, and what the room bound."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from fondaco.domain.identity import api
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Role
from fondaco.domain.identity.room import room
from fondaco.kernel.errors import Denied, NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Stamp
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store.sqlite import SqliteStore


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    store = SqliteStore(tmp_path / "records.db")
    drawn = iter(range(1, 1_000))
    cache = MemoryCache(lambda: 0)
    directory = Directory(
        store, cache, lambda: Instant(5), lambda size: next(drawn).to_bytes(size, "big")
    )
    for user, role in (("ada", Role.TRADER), ("bob", Role.TRADER), ("eve", Role.ADMIN)):
        directory.create_user("acme", user, [role])
        directory.create_key("acme", user, "first")
    return directory


def stamp(user: str) -> Stamp:
    return Stamp(Instant(5), "r1", f"{user}/first", "acme")


def test_a_caller_makes_lists_and_revokes_their_own_keys(directory: Directory) -> None:
    async def journey() -> None:
        made = await api.create_key.answer(api.CreateKey("bot"), stamp("ada"), directory)
        assert directory.authenticate(made.token).name == "ada/bot"
        listed = await api.list_keys.answer(api.ListKeys(), stamp("ada"), directory)
        assert {key.name for key in listed.items} == {"bot", "first"}
        assert made.token.encode() not in msgspec.json.encode(listed)
        revoke = api.RevokeKey(made.key.key_id)
        with pytest.raises(NotFound):
            await api.revoke_key.answer(revoke, stamp("bob"), directory)
        await api.revoke_key.answer(revoke, stamp("ada"), directory)
        with pytest.raises(Denied):
            directory.authenticate(made.token)

    asyncio.run(journey())


def test_an_admin_sees_and_revokes_the_tenants_keys(directory: Directory) -> None:
    async def journey() -> None:
        listed = await api.list_keys.answer(api.ListKeys(), stamp("eve"), directory)
        [adas] = [key for key in listed.items if key.user == "ada"]
        await api.revoke_key.answer(api.RevokeKey(adas.key_id), stamp("eve"), directory)
        with pytest.raises(Denied):
            directory.caller_named("acme", "ada/first")

    asyncio.run(journey())


def test_a_ticket_stands_for_whoever_asked(directory: Directory) -> None:
    async def journey() -> None:
        issued = await api.issue_ticket.answer(api.IssueTicket(), stamp("bob"), directory)
        assert directory.redeem(issued.ticket).name == "bob/first"

    asyncio.run(journey())


def test_requests_and_replies_travel_as_json() -> None:
    wrong = [b'{"name":"A B"}', b'{"name":"a","scopes":["all"]}', b'{"name":"a","expires_at":-1}']
    for body in (*wrong, b'{"name":"a","token":"x"}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(body, type=api.CreateKey)
    names = [operation.name for operation in room.operations]
    assert len(set(names)) == len(names)
    for operation in room.operations:
        assert msgspec.json.schema(operation.request)
        assert msgspec.json.schema(operation.reply)
