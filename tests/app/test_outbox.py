"""What the records tell reaches the journal once: after a crash, and after a restore as well."""

import asyncio
import itertools
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.app.machines import open_journal
from fondaco.app.offline import backup
from fondaco.app.outbox import carry
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.events import UserCreated
from fondaco.domain.identity.model import Role
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Command, Instant, StreamId
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.committer import Answer
from fondaco.settings import load


def records(data: Path) -> SqliteStore:
    data.mkdir(exist_ok=True)
    return SqliteStore(Files(data).records)


def add_user(store: SqliteStore, name: str) -> None:
    numbers = itertools.count(1)
    clock = lambda: Instant(next(numbers))  # noqa: E731
    Directory(store, MemoryCache(clock), clock, bytes).create_user("t", name, [Role.TRADER])


def tell(data: Path, store: SqliteStore, *, dies: bool = False) -> None:
    """Carry what waits; a house that dies has it durable, and has not taken the rows away."""

    async def run() -> None:
        kernel = Kernel(load({"data": str(data), "feed": "none"}, {}), Files(data), None)
        await kernel.start(lambda _: None)
        try:
            await carry(store, submit(kernel))
        except Unavailable:
            assert dies
        finally:
            await kernel.stop()

    def submit(kernel: Kernel) -> Callable[[StreamId, Command], Answer]:
        def ask(stream: StreamId, command: Command) -> Answer:
            answer = kernel.submit(stream, command)
            if not dies:
                return answer
            died = Answer()
            answer.then(lambda _: died.settle(Unavailable("it died here")))
            return died

        return ask

    asyncio.run(run())


def users(data: Path) -> list[str]:
    with closing(open_journal(Files(data))) as journal:
        found = [each.event for each in journal.follow(0, 1_000_000)]
    return [event.user for event in found if isinstance(event, UserCreated)]


def test_what_was_told_before_a_crash_is_not_told_twice(tmp_path: Path) -> None:
    store = records(tmp_path)
    add_user(store, "ann")
    tell(tmp_path, store, dies=True)
    tell(tmp_path, store)
    add_user(store, "bob")
    tell(tmp_path, store)
    assert users(tmp_path) == ["ann", "bob"]
    store.close()


def test_what_is_told_while_a_backup_is_taken_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal goes on behind the records: numbers come again, and mean something else."""
    data, copy = tmp_path / "house", tmp_path / "backup"
    store = records(data)
    add_user(store, "ann")
    tell(data, store)

    copying = SqliteStore.copy

    def slow(self: SqliteStore, target: Path) -> None:
        copying(self, target)
        add_user(store, "bob")
        tell(data, store)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "copy", slow)
        backup(data, copy, tmp_path / "keys")
    store.close()
    shutil.copytree(tmp_path / "keys", copy / "secrets")  # kept in another place, and put back
    shutil.copyfile(data / "secrets" / "unseal.key", copy / "secrets" / "unseal.key")

    restored = records(copy)
    add_user(restored, "cyd")  # under the number that bob's row had
    tell(copy, restored)
    restored.close()
    assert users(copy) == ["ann", "bob", "cyd"]
