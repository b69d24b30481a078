"""Keys, tickets and roles, over a real store and the memory cache."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter_ns

import pytest
import sqlalchemy as sa

from fondaco.domain.identity.directory import Directory, seed_demo
from fondaco.domain.identity.model import Role, Scope, digest_of
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store import told
from fondaco.ports.store.sqlite import SqliteStore

SECOND = 1_000_000_000


class House:
    """A directory with its own time and dice; `another` is the next process on its files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = Instant(1_000 * SECOND)
        self.drawn = 0
        self.store = SqliteStore(path)
        self.directory = self.another()

    def another(self) -> Directory:
        return Directory(self.store, MemoryCache(lambda: self.now), lambda: self.now, self.random)

    def random(self, size: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(size, "big")

    def told(self) -> list[bytes]:
        with self.store.reading() as conn:
            return [event.event for event in told(conn, 100)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "records.db")
    house.directory.create_user("acme", "ada", [Role.TRADER])
    yield house
    house.store.close()


def test_a_key_stands_for_its_user_with_the_roles_scopes(house: House) -> None:
    key, token = house.directory.create_key("acme", "ada", "laptop")
    caller = house.directory.authenticate(token)
    assert (caller.name, caller.tenant, caller.user) == ("ada/laptop", "acme", "ada")
    assert caller.may("orders:write")
    assert not caller.may("limits:write")
    assert caller.may("")
    assert caller.key_id == key.key_id
    assert caller.may_use("any account")
    assert house.another().authenticate(token) == caller


def test_a_key_may_be_narrower_than_its_user_and_never_wider(house: House) -> None:
    narrow = [Scope.ORDERS_READ]
    _, token = house.directory.create_key("acme", "ada", "ro", scopes=narrow, accounts=["A1"])
    caller = house.directory.authenticate(token)
    caller.require("orders:read", "A1")
    with pytest.raises(Denied, match="orders:write") as denied:
        caller.require("orders:write", "A1")
    assert denied.value.code == "forbidden"
    with pytest.raises(Denied, match="A2"):
        caller.require("orders:read", "A2")
    with pytest.raises(Invalid, match="limits:write"):
        house.directory.create_key("acme", "ada", "rw", scopes=[Scope.LIMITS_WRITE])


def test_a_key_made_by_a_caller_is_no_wider_than_the_key_that_made_it(house: House) -> None:
    wide = [Scope.ORDERS_READ, Scope.KEYS_WRITE]
    house.directory.create_key("acme", "ada", "first", scopes=wide, accounts=["A1"])

    def make(
        name: str, scopes: list[Scope] | None = None, accounts: list[str] | None = None
    ) -> str:
        _, token = house.directory.create_own_key(
            "ada/first", "acme", name, scopes=scopes, accounts=accounts, expires_at=None
        )
        return token

    same = house.directory.authenticate(make("same"))
    assert (same.scopes, same.accounts) == (frozenset(wide), frozenset({"A1"}))
    with pytest.raises(Denied):
        make("wider", scopes=[Scope.ORDERS_WRITE])
    with pytest.raises(Denied):
        make("elsewhere", accounts=["A1", "A2"])
    with pytest.raises(Denied):
        house.directory.create_own_key(
            "ada/first", "other", "x", scopes=None, accounts=None, expires_at=None
        )


def test_a_user_who_loses_a_role_loses_it_in_every_key(house: House) -> None:
    _, token = house.directory.create_key("acme", "ada", "laptop")
    house.directory.authenticate(token)
    house.directory.create_user("acme", "ada", [Role.AUDITOR])
    caller = house.directory.authenticate(token)
    assert not caller.may("orders:write")
    assert not caller.may("journal:read"), "a key never grew scopes that it was not made with"
    assert caller.may("orders:read")


@pytest.mark.parametrize("token", ["", "fk_", "demo", "fk_" + "A" * 43, "\x00", "ü" * 9, "\udcff"])
def test_strangers_are_denied(house: House, token: str) -> None:
    with pytest.raises(Denied) as denied:
        house.directory.authenticate(token)
    assert denied.value.code == "unauthenticated"
    assert not token or token not in denied.value.message


def test_a_revoked_key_is_refused_at_once_and_by_others_when_they_look_again(house: House) -> None:
    elsewhere = house.another()
    key, token = house.directory.create_key("acme", "ada", "laptop")
    elsewhere.authenticate(token)  # made by another process since: found in the records
    house.directory.authenticate(token)
    house.directory.revoke_key("acme", key.key_id)
    with pytest.raises(Denied):
        house.directory.authenticate(token)
    elsewhere.refresh()
    with pytest.raises(Denied):
        elsewhere.authenticate(token)
    house.directory.revoke_key("acme", key.key_id)  # again changes nothing
    [listed] = house.directory.keys("acme")
    assert listed.revoked_at == house.now
    with pytest.raises(Conflict):
        house.directory.create_key("acme", "ada", "laptop")


def test_nobody_learns_again_what_is_being_revoked(house: House) -> None:
    made = [house.directory.create_key("acme", "ada", f"k{n}") for n in range(12)]
    with ThreadPoolExecutor(4) as threads:
        revoking = [
            threads.submit(house.directory.revoke_key, "acme", key.key_id) for key, _ in made
        ]
        while not all(future.done() for future in revoking):
            for _, token in made:
                try:
                    house.directory.authenticate(token)
                except Denied:
                    continue
    for _, token in made:
        with pytest.raises(Denied):
            house.directory.authenticate(token)


def test_a_key_ends_at_its_expiry_to_the_nanosecond(house: House) -> None:
    ends = Instant(house.now + SECOND)
    _, token = house.directory.create_key("acme", "ada", "brief", expires_at=ends)
    house.now = Instant(ends - 1)
    house.directory.authenticate(token)
    house.now = ends
    with pytest.raises(Denied):
        house.directory.authenticate(token)
    with pytest.raises(Invalid, match="after now"):
        house.directory.create_key("acme", "ada", "late", expires_at=ends)


def test_last_use_is_kept_when_it_is_noted(house: House) -> None:
    _, token = house.directory.create_key("acme", "ada", "laptop")
    house.directory.create_key("acme", "ada", "unused")
    house.directory.authenticate(token)
    used_at = house.now
    house.now = Instant(house.now + SECOND)
    house.directory.refresh()
    house.directory.note_use()
    laptop, unused = sorted(house.directory.keys("acme"), key=lambda key: key.name)
    assert (laptop.last_used_at, unused.last_used_at) == (used_at, None)


def test_no_token_is_kept_and_the_journal_is_told_of_every_change(house: House) -> None:
    key, token = house.directory.create_key("acme", "ada", "laptop")
    house.directory.authenticate(token)
    house.directory.note_use()
    house.directory.revoke_key("acme", key.key_id, by="eve")
    house.store.close()
    stored = b"".join(path.read_bytes() for path in house.path.parent.iterdir())
    assert digest_of(token).encode() in stored
    assert token.encode() not in stored
    assert token.removeprefix("fk_").encode() not in stored
    kinds = [event.split(b"identity.")[1].split(b".v1")[0] for event in house.told()]
    assert kinds == [b"tenant_created", b"user_created", b"key_created", b"key_revoked"]


@pytest.mark.parametrize(
    ("tenant", "user", "name", "error"),
    [
        ("acme", "bob", "k", NotFound),
        ("other", "ada", "k", NotFound),
        ("acme", "ada", "", Invalid),
        ("acme", "ada", "a/b", Invalid),
        ("acme", "ada", "x" * 65, Invalid),
    ],
)
def test_a_key_needs_a_user_and_a_name(
    house: House, tenant: str, user: str, name: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        house.directory.create_key(tenant, user, name)
    assert list(house.directory.keys("acme")) == []


def test_keys_of_one_tenant_are_not_seen_from_another(house: House) -> None:
    house.directory.create_user("rival", "ada", [Role.ADMIN])
    key, _ = house.directory.create_key("acme", "ada", "laptop")
    assert list(house.directory.keys("rival")) == []
    with pytest.raises(NotFound):
        house.directory.revoke_key("rival", key.key_id)


def test_a_ticket_opens_once_within_thirty_seconds(house: House) -> None:
    key, token = house.directory.create_key("acme", "ada", "laptop")
    caller = house.directory.authenticate(token)
    first, second, third = (house.directory.issue_ticket(caller) for _ in range(3))
    assert len({first.ticket, second.ticket, third.ticket}) == 3
    assert first.expires_at == house.now + 30 * SECOND
    assert house.directory.redeem(first.ticket) == caller
    with pytest.raises(Denied):
        house.directory.redeem(first.ticket)
    with pytest.raises(Denied):
        house.directory.redeem(token)  # a key is no ticket …
    with pytest.raises(Denied):
        house.directory.authenticate(second.ticket)  # … and a ticket no key
    house.now = Instant(house.now + 30 * SECOND)
    with pytest.raises(Denied):
        house.directory.redeem(second.ticket)
    late = house.directory.issue_ticket(caller)
    house.directory.revoke_key("acme", key.key_id)
    with pytest.raises(Denied):
        house.directory.redeem(late.ticket)


def test_demo_is_known_only_where_it_was_asked_for(house: House) -> None:
    caller = seed_demo(house.directory)
    assert (caller.name, caller.tenant, caller.scopes) == ("demo", "demo", frozenset(Scope))
    assert house.directory.authenticate("demo") == caller
    house.directory.refresh()
    ticket = house.directory.issue_ticket(house.directory.caller_named("demo", "demo"))
    assert house.directory.redeem(ticket.ticket) == caller
    told_before = house.told()
    seed_demo(house.directory)
    assert house.told() == told_before, "a second start tells nothing new"
    with pytest.raises(Denied):
        house.another().authenticate("demo")


def test_guessing_does_not_keep_the_records_busy(house: House) -> None:
    looks = 0

    def counted(conn: sa.Connection, *_: object) -> None:
        nonlocal looks
        looks += 1

    sa.event.listen(house.store._readers, "begin", counted)
    for n in range(1_000):
        with pytest.raises(Denied):
            house.directory.authenticate(f"guess {n}")
    assert 0 < looks <= 200


def test_a_token_seen_before_costs_a_microsecond(house: House) -> None:
    _, token = house.directory.create_key("acme", "ada", "laptop")
    authenticate = house.directory.authenticate
    authenticate(token)

    def cost_ns() -> int:
        began = perf_counter_ns()
        for _ in range(1_000):
            authenticate(token)
        return (perf_counter_ns() - began) // 1_000

    assert min(cost_ns() for _ in range(20)) <= 1_000


def test_the_records_can_be_read_by_anything_that_reads_sqlite(house: House) -> None:
    house.directory.create_key("acme", "ada", "laptop")
    with sqlite3.connect(house.path) as conn:
        [row] = conn.execute("SELECT tenant, user, name FROM identity_keys").fetchall()
    assert row == ("acme", "ada", "laptop")
