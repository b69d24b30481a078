"""Delivery under a simulated clock: what receivers may rely on, whatever they and we do."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.app.kinds import CODEC
from fondaco.app.webhooks.engine import Configured, Engine
from fondaco.app.webhooks.sender import Outcome
from fondaco.domain.identity.model import Scope
from fondaco.domain.notify import store
from fondaco.domain.notify.events import (
    WebhookDisabled,
    WebhookRemoved,
    WebhookReplayAsked,
    WebhookTestAsked,
)
from fondaco.domain.notify.model import (
    DISABLE_AFTER_S,
    RETRY_AFTER_S,
    SECOND_NS,
    Endpoint,
    retry_at,
    stream_of,
)
from fondaco.domain.notify.signatures import ID, secret_of, verify
from fondaco.domain.reference.model import TradingState
from fondaco.domain.trading.events import AccountOpened, TradingStateSet
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId
from fondaco.kernel.money import AssetCode
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.store.sqlite import SqliteStore

HOOK: Final = "wh_0000000000000001"
SECRET: Final = secret_of(bytes(range(32)))
FINE: Final = Outcome(204, "", 3)
DOWN: Final = Outcome(0, "ConnectionRefusedError: refused", 1)


class Inline(ThreadPoolExecutor):
    """Sends at once, so that a test says when a turn is over."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(fn(*args, **named))
        return future


class World:
    """A journal, a queue on a disk, one endpoint, and a receiver that answers as it is told."""

    def __init__(self, folder: Path) -> None:
        self.journal = MemoryJournal(CODEC)
        self.queue = SqliteStore(folder / "webhooks.db", durable=False)
        self.now = Instant(1_700_000_000 * SECOND_NS)
        self.answer: Callable[[str, int], Outcome] = lambda _, __: FINE
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.tried: dict[str, int] = defaultdict(int)
        self.disabled: list[str] = []
        self.held = frozenset(Scope)
        self.secrets: tuple[str, ...] = (SECRET,)
        self.versions: dict[StreamId, int] = defaultdict(int)
        self.endpoint = Endpoint(
            HOOK, "acme", "ada", "https://x.example/", ("*",), None, frozenset(Scope), "",
            "active", "", 0, self.now, self.now,
        )  # fmt: skip
        self.begin()

    def begin(self) -> None:
        """As after a crash: nothing is known but what the queue holds."""
        clock = lambda: self.now  # noqa: E731
        self.engine = Engine(self.journal, self.queue, self, self.send, clock, Inline(1))

    # What the engine asks of `Config`.
    def read(self) -> Mapping[str, Configured]:
        return {HOOK: Configured(self.endpoint, self.secrets, self.held)}

    def disable(self, endpoint: Endpoint, reason: str, _: Instant) -> None:
        self.disabled.append(reason)
        self.change(state="disabled")

    def change(self, **new: Any) -> None:
        self.endpoint = msgspec.structs.replace(self.endpoint, **new)

    def send(self, place: str, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        for secret in self.secrets:
            verify(secret, {k.lower(): v for k, v in headers.items()}, body, self.now / SECOND_NS)
        msg_id = headers[ID]
        self.tried[msg_id] += 1
        outcome = self.answer(msg_id, self.tried[msg_id])
        if outcome.status == FINE.status:
            self.got.append((msg_id, msgspec.json.decode(body)))
        return outcome

    def write(self, stream: StreamId, *events: Event) -> int:
        before = self.versions[stream]
        made = Decision(stream, before, CommandId(f"c{before}"), self.now, 0, events)
        self.versions[stream] = before + len(events)
        return self.journal.append([made])[-1].position

    def account(self, name: str, tenant: str = "acme") -> None:
        self.write(account_stream(AccountId(name)), AccountOpened(tenant, AssetCode("USD"), name))

    def say(self, account: str, reason: str) -> int:
        event = TradingStateSet(TradingState.HALTED, reason)
        return self.write(account_stream(AccountId(account)), event)

    def turn(self, seconds: float = 0.0, turns: int = 4) -> None:
        self.now = Instant(self.now + int(seconds * SECOND_NS))
        for _ in range(turns):
            self.engine.step()

    def drain(self) -> None:
        """Until nothing waits; time passes as it must."""
        for _ in range(500):
            if not self.engine.step():
                with self.queue.reading() as conn:
                    due = conn.execute(sa.select(sa.func.min(store.lanes.c.due_at))).scalar_one()
                    held = store.stands(conn)[HOOK].held_until
                if due is None:
                    return
                self.now = Instant(max(self.now + SECOND_NS, due, held))
        raise AssertionError("it never ends")

    def rows(self) -> list[Any]:
        with self.queue.reading() as conn:
            return list(reversed(store.log(conn, HOOK, "", "", 0, 1_000)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def reasons(got: list[tuple[str, dict[str, Any]]], account: str) -> list[str]:
    told = [body["data"] for _, body in got if body["type"] == "account.state_set.v1"]
    return [each["reason"] for each in told if each["account_id"] == account]


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.sampled_from(["write a", "write b", "turn", "crash", "wait"]), max_size=15),
    st.lists(st.booleans(), max_size=9),
)
def test_nothing_is_lost_and_each_resource_is_told_in_order(
    steps: list[str], fails: list[bool]
) -> None:
    """Whatever fails and whenever we die: each message arrives, under one id, and the first
    arrivals of an account's messages are in the order of the journal."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        with closing(world.queue):
            failing = iter(fails)
            world.answer = lambda _, __: DOWN if next(failing, False) else FINE
            world.account("a")
            world.account("b")
            written: dict[str, list[str]] = {"a": [], "b": []}
            for number, step in enumerate(steps):
                match step.split():
                    case ["write", account]:
                        written[account].append(str(number))
                        world.say(account, str(number))
                    case ["turn"]:
                        world.engine.step()
                    case ["wait"]:
                        world.now = Instant(world.now + 40 * SECOND_NS)
                    case _:
                        world.begin()  # what was sent and not noted is sent again
            world.drain()
            for account, said in written.items():
                first = list(dict.fromkeys(reasons(world.got, account)))
                assert first == said
            bodies: dict[str, set[bytes]] = defaultdict(set)
            for msg_id, body in world.got:
                bodies[msg_id].add(msgspec.json.encode(body))
            assert all(len(found) == 1 for found in bodies.values())
            assert len(bodies) == 2 + sum(map(len, written.values()))


def test_one_resource_that_fails_holds_up_itself_alone(world: World) -> None:
    world.account("a")
    world.account("b")
    world.turn()
    bad = {"a-1"}

    def answer(_: str, __: int) -> Outcome:
        return Outcome(500, "", 1) if world.now < until else FINE

    until = world.now + 1
    world.answer = answer
    world.say("a", "a-1")
    world.turn(turns=1)
    world.turn(turns=1)  # noted: it waits for its next attempt
    world.answer = lambda _, __: FINE
    world.say("a", "a-2")
    world.say("b", "b-1")
    world.turn(turns=6)
    assert reasons(world.got, "b") == ["b-1"]
    assert reasons(world.got, "a") == []
    world.drain()
    assert reasons(world.got, "a") == [*bad, "a-2"]


def test_retries_take_days_and_then_it_is_given_up(world: World) -> None:
    world.account("a")
    world.answer = lambda _, __: DOWN
    begun = world.now
    for _ in range(20_000):
        if not world.engine.step():
            row = world.rows()[0]
            if row.state != "waiting":
                break
            world.now = Instant(max(world.now, row.due_at, world.now + SECOND_NS))
    (row,) = world.rows()
    assert (row.state, row.attempts) == ("given_up", len(RETRY_AFTER_S) + 1)
    days = (world.now - begun) / (86_400 * SECOND_NS)
    assert 3 < days < 4
    assert row.last_error == DOWN.error
    with world.queue.reading() as conn:
        tries = store.attempts_of(conn, [row.number])
    gaps = [(b.at - a.at) / SECOND_NS for a, b in pairwise(tries)]
    for gap, least in zip(gaps, RETRY_AFTER_S, strict=True):
        assert least <= gap <= least * 1.1 + 400  # an endpoint that fails is tried seldom, too


@given(st.integers(1, 20), st.integers(0, 10**6), st.text(min_size=1, max_size=20))
def test_the_next_attempt_is_never_before_what_the_table_or_the_receiver_says(
    failures: int, asked_s: int, msg_id: str
) -> None:
    at = retry_at(failures, Instant(0), msg_id, asked_s)
    if failures > len(RETRY_AFTER_S):
        assert at is None
        return
    assert at is not None
    least = max(RETRY_AFTER_S[failures - 1], min(asked_s, 86_400))
    assert least * SECOND_NS <= at <= least * 1.1 * SECOND_NS


def test_a_dead_endpoint_is_disabled_and_one_that_says_gone_at_once(world: World) -> None:
    world.account("a")
    world.answer = lambda _, __: Outcome(503, "", 1)
    begun = world.now
    number = 0
    while not world.disabled and world.now - begun < 9 * 86_400 * SECOND_NS:
        number += 1
        world.say("a", str(number))
        world.turn(6 * 3_600, turns=2)
    assert world.now - begun >= DISABLE_AFTER_S * SECOND_NS
    assert "failed for 5.0 days" in world.disabled[0]
    sent = sum(world.tried.values())
    world.turn(86_400)
    assert sum(world.tried.values()) == sent
    # Going on, it is told what it has missed.
    world.answer = lambda _, __: FINE
    world.change(state="active")
    world.drain()
    waited = [row for row in world.rows() if row.state == "delivered"]
    given_up = [row for row in world.rows() if row.state == "given_up"]
    assert len(waited) + len(given_up) == number + 1
    world.answer = lambda _, __: Outcome(410, "", 1)
    world.say("a", "gone")
    world.turn(60)
    assert world.disabled[1] == "it answered 410: gone"


def test_a_disabled_endpoint_is_told_to_the_others(world: World) -> None:
    event = WebhookDisabled("acme", "wh_0000000000000002", "y.example", "it failed", world.now)
    world.write(stream_of("acme"), event)
    world.turn()
    ((_, body),) = world.got
    assert body["type"] == "webhook.disabled.v1"
    assert body["data"]["webhook_id"] == "wh_0000000000000002"


def test_tests_and_replays_go_to_their_endpoint_under_the_same_ids(world: World) -> None:
    world.account("a")
    world.say("a", "1")
    last = world.say("a", "2")
    world.drain()
    first = [msg_id for msg_id, _ in world.got]
    world.got.clear()
    world.write(stream_of("acme"), WebhookTestAsked("acme", HOOK, "ada"))
    world.write(stream_of("acme"), WebhookTestAsked("acme", "wh_0000000000000009", "ada"))
    world.drain()
    assert [body["type"] for _, body in world.got] == ["webhook.test.v1"]
    world.got.clear()
    asked = WebhookReplayAsked("acme", HOOK, 0, last, ("account.state_set.v1",), "ada")
    world.write(stream_of("acme"), asked)
    world.drain()
    world.begin()
    world.drain()  # not a second time, though we have died
    assert [msg_id for msg_id, _ in world.got] == first[1:]
    assert [row.is_replay for row in world.rows()] == [False] * 4 + [True] * 2


def test_only_what_is_the_tenants_and_wanted_and_may_be_read_is_told(world: World) -> None:
    world.change(events=("account.state_set.v1",), accounts=("a",))
    for name, tenant in (("a", "acme"), ("b", "acme"), ("c", "other")):
        world.account(name, tenant)
        world.say(name, name)
    world.drain()
    assert [body["data"]["reason"] for _, body in world.got] == ["a"]
    # A role that its owner has lost since is looked at when it is sent.
    world.held = frozenset({Scope.MARKET_READ})
    world.say("a", "secret")
    world.drain()
    assert len(world.got) == 1
    assert world.rows()[-1].state == "withheld"


def test_both_secrets_sign_while_one_is_being_changed(world: World) -> None:
    world.secrets = (secret_of(b"n" * 32), SECRET)  # `send` verifies with each
    world.account("a")
    world.drain()
    assert len(world.got) == 1


def test_who_goes_on_from_now_is_not_told_what_was_and_who_is_removed_nothing(
    world: World,
) -> None:
    world.account("a")
    world.change(state="paused")
    world.say("a", "missed")
    world.turn()
    world.change(state="active", since=world.journal.head())
    world.say("a", "heard")
    world.drain()
    assert reasons(world.got, "a") == ["heard"]
    world.answer = lambda _, __: DOWN
    world.say("a", "late")
    world.turn()
    world.write(stream_of("acme"), WebhookRemoved("acme", HOOK, "ada"))
    world.change(state="paused")
    world.turn()
    assert world.rows() == []
