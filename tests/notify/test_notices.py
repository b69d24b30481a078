"""Who is told of what, by which way and when, under a simulated clock; and that templates fit."""

from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.app.kinds import CODEC
from fondaco.app.notices.catalog import BY_EVENT, KINDS, People, Person
from fondaco.app.notices.engine import Direct, Engine
from fondaco.domain.identity import events as idn
from fondaco.domain.identity.approvals.events import ApprovalAsked
from fondaco.domain.identity.kyc.events import DocumentsAsked
from fondaco.domain.identity.model import IDENTITY_STREAM, Role, scopes_of
from fondaco.domain.ledger.events import CheckCleared, CheckFailed
from fondaco.domain.ledger.model import CHECKS_STREAM
from fondaco.domain.notify.notices import model, store
from fondaco.domain.notify.notices.model import SECOND_NS, USUAL, Preferences, Quiet
from fondaco.domain.notify.notices.templates import TEMPLATES, leads_to, one_line, render
from fondaco.domain.reference.model import TradingState
from fondaco.domain.surveillance.events import AlertRaised
from fondaco.domain.trading.events import AccountOpened, TradingStateSet
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId
from fondaco.kernel.money import AssetCode
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.notices import Carried, Notice
from fondaco.ports.store.sqlite import SqliteStore

DAY: Final = Instant(1_795_000_000 * SECOND_NS)  # 2026-11-18 11:06:40 UTC
FINE: Final = Carried("delivered", "taken")
DOWN: Final = Carried("again", "451 later")


class Inline(ThreadPoolExecutor):
    """Carries at once, so that a test says when a turn is over."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(fn(*args, **named))
        return future


def person(
    user: str,
    *roles: Role,
    tenant: str = "acme",
    chosen: Preferences = USUAL,
    subscriptions: tuple[str, ...] = (),
) -> Person:
    scopes = frozenset(map(str, scopes_of(roles)))
    return Person(tenant, user, scopes, f"{user}@example.com", chosen, subscriptions)


class World:
    """A journal, a queue on a disk, people, and ways that answer as they are told."""

    def __init__(self, folder: Path, *people: Person) -> None:
        self.journal = MemoryJournal(CODEC)
        self.queue = SqliteStore(folder / "notices.db", durable=False)
        self.now = DAY
        self.everybody = list(people)
        self.got: list[tuple[str, str, Notice]] = []  # way, to, what
        self.answer: Callable[[str, Notice], Carried] = lambda _, __: FINE
        self.gone: list[str] = []
        self.versions: dict[StreamId, int] = defaultdict(int)
        self.begin()

    def begin(self) -> None:
        """As after a crash: nothing is known but what the queue holds."""
        ways = {way: _Way(self, way) for way in ("email", "push", "pager")}
        clock = lambda: self.now  # noqa: E731
        self.engine = Engine(self.journal, self.queue, self, ways, clock, Inline(1), "Here")

    # What the engine asks of `Known`.
    def people(self) -> People:
        return People(self.everybody)

    def address(self, tenant: str, user: str) -> str:
        found = () if user in self.gone else People(self.everybody).named(tenant, user)
        return found[0].email if found else ""

    def subscription(self, subscription_id: str) -> str | None:
        return None if subscription_id in self.gone else f"{{{subscription_id}}}"

    def unsubscribe(self, subscription_id: str) -> None:
        self.gone.append(subscription_id)

    def opened(self, sealed: bytes) -> Direct:
        return Direct(*msgspec.json.decode(sealed, type=tuple[str, str, str]))

    def write(self, stream: StreamId, *events: Event) -> None:
        before = self.versions[stream]
        made = Decision(stream, before, CommandId(f"c{before}"), self.now, 0, events)
        self.versions[stream] = before + len(events)
        self.journal.append([made])

    def turn(self, seconds: float = 0.0) -> None:
        self.now = Instant(self.now + int(seconds * SECOND_NS))
        for _ in range(200):
            if not self.engine.step():
                return

    def who(self, way: str = "email") -> list[str]:
        return sorted(to.partition("@")[0] for each, to, _ in self.got if each == way)

    def rows(self, **there: str) -> list[Any]:
        with self.queue.reading() as conn:
            found = [row for t in ("acme", "bank", "") for row in store.log(conn, t)]
        return [row for row in found if all(getattr(row, k) == v for k, v in there.items())]


class _Way:
    def __init__(self, world: World, way: str) -> None:
        self._world, self._way = world, way

    def carry(self, to: str, notice: Notice) -> Carried:
        came = self._world.answer(to, notice)
        if came.said == "delivered":
            self._world.got.append((self._way, to, notice))
        return came


ADA: Final = person("ada", Role.TRADER)
CHANGED: Final = idn.PasswordChanged("acme", "ada", "ada/~1")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, ADA)


def test_who_is_concerned_is_told_and_nobody_of_another_tenant(tmp_path: Path) -> None:
    traders = [person("ada", Role.TRADER), person("bob", Role.TRADER, tenant="bank")]
    risk, admin = person("rita", Role.RISK), person("root", Role.ADMIN, tenant="bank")
    world = World(tmp_path, *traders, risk, admin)
    asked = ApprovalAsked(
        1, "trading.set_limits", "{}", "limits:write", "", "rita", "rita/k", DAY, DAY
    )
    for stream, event, who in (
        (IDENTITY_STREAM, CHANGED, ["ada"]),
        (IDENTITY_STREAM, DocumentsAsked("bank", "bob", "c1", ("identity",), "rule"), ["bob"]),
        ("approvals/acme", asked, []),  # rita has asked, and ada may set no limits
        ("approvals/bank", asked, []),
        (CHECKS_STREAM, CheckFailed("books", ("debit is 1",), 5), ["root"]),
    ):
        world.got.clear()
        world.write(StreamId(stream), event)
        world.turn()
        assert world.who() == who, event
    world.everybody.append(person("rolf", Role.RISK))
    world.write(StreamId("approvals/acme"), asked)
    world.turn()
    assert "rolf" in world.who()
    assert [row.user for row in world.rows(kind="approvals.waiting", way="inbox")] == ["rolf"]


def test_orders_are_told_to_who_has_asked_for_them_and_margin_of_the_accounts_they_named(
    tmp_path: Path,
) -> None:
    chosen = Preferences({"margin": ("email",)}, None, ("second",))
    world = World(tmp_path, ADA, person("una", Role.TRADER, chosen=chosen))
    for name in ("first", "second"):
        stream = account_stream(AccountId(name))
        world.write(stream, AccountOpened("acme", AssetCode("USD"), name))
        world.write(stream, TradingStateSet(TradingState.HALTED, "<b>why</b> not"))
    world.turn()
    assert world.who() == ["ada", "ada", "una"]
    said = [notice for _, to, notice in world.got if to.startswith("una")]
    assert [each.subject for each in said] == ["Account second is halted"]
    assert "<b>" not in said[0].html
    assert "&lt;b&gt;why&lt;/b&gt; not" in said[0].html
    assert model.DEFAULTS["orders"] == ()


def test_nothing_is_told_twice_or_left_out_whenever_it_dies(world: World) -> None:
    for number in range(5):
        world.write(IDENTITY_STREAM, idn.RecoveryCodeUsed("acme", "ada", 9 - number))
        if number % 2:
            world.turn()
        world.begin()  # its place is written at most every five seconds: it reads some again
    world.turn()
    ids = Counter(notice.notice_id for _, __, notice in world.got)
    assert len(ids) == 5
    assert set(ids.values()) == {1}
    assert len(world.rows(way="inbox")) == 5


def test_what_fails_is_tried_again_and_given_up_and_what_is_refused_is_not(world: World) -> None:
    tried: list[int] = []

    def answer(_: str, __: Notice) -> Carried:
        tried.append(world.now)
        return DOWN

    world.answer = answer
    world.write(IDENTITY_STREAM, CHANGED)
    for _ in range(20):
        world.turn(3_600)
    gaps = [later - before for before, later in pairwise(tried)]
    wanted = [each * SECOND_NS for each in model.RETRY_AFTER_S]
    assert len(tried) == 1 + len(model.RETRY_AFTER_S)
    assert all(gap >= least for gap, least in zip(gaps, wanted, strict=True))
    (row,) = world.rows(way="email")
    assert (row.state, row.attempts, row.detail) == ("given_up", 7, "451 later")

    world.answer = lambda _, __: Carried("refused", "550 no … here")
    world.write(IDENTITY_STREAM, CHANGED)
    world.turn()
    assert [each.state for each in world.rows(way="email")] == ["refused", "given_up"]
    world.answer = lambda _, __: Carried("again", "left alone", postponed_s=30)
    world.write(IDENTITY_STREAM, CHANGED)
    for _ in range(20):
        world.turn(31)
    waiting = world.rows(way="email")[0]
    assert (waiting.state, waiting.attempts) == ("waiting", 0), "what was not tried is no attempt"


def test_quiet_hours_hold_what_can_wait_and_nothing_that_cannot(tmp_path: Path) -> None:
    quiet = Quiet("10:00", "12:00", "UTC")
    world = World(tmp_path, person("ada", Role.TRADER, chosen=Preferences({}, quiet)))
    world.write(IDENTITY_STREAM, DocumentsAsked("acme", "ada", "c1", ("identity",), "rule"))
    world.write(IDENTITY_STREAM, CHANGED)
    world.turn()
    assert [notice.subject for *_, notice in world.got] == ["The password of ada was changed"]
    assert len(world.rows(way="inbox")) == 2
    world.turn(3_600)  # 12:06
    assert [notice.subject for *_, notice in world.got][1:] == ["Documents are needed"]


def test_who_is_paid_elsewhere_hears_of_it_whoever_has_said_so(tmp_path: Path) -> None:
    world = World(tmp_path, person("ada", Role.TRADER), person("tim", Role.TRADER))
    world.write(IDENTITY_STREAM, idn.PayoutDestinationSet("acme", "ada", "stripe", "ada/key_1"))
    world.turn()
    assert world.who() == ["ada"]
    assert [notice.subject for *_, notice in world.got] == ["ada is paid elsewhere from now on"]


def test_who_was_forgotten_a_moment_ago_is_not_written_to(tmp_path: Path) -> None:
    quiet = Quiet("10:00", "12:00", "UTC")
    world = World(tmp_path, person("ada", Role.TRADER, chosen=Preferences({}, quiet)))
    world.write(IDENTITY_STREAM, DocumentsAsked("acme", "ada", "c1", ("identity",), "rule"))
    world.turn()
    world.gone.append("ada")  # who is still among those that were read a moment ago
    world.turn(3_600)
    assert world.who() == []
    assert [row.state for row in world.rows(way="email")] == ["withheld"]


@given(
    st.integers(0, 23), st.integers(0, 59), st.integers(0, 23), st.integers(0, 59),
    st.integers(0, 7 * 86_400), st.sampled_from(["UTC", "Europe/Rome", "Asia/Kolkata"]),
)  # fmt: skip
def test_quiet_hours_end_when_they_say_and_are_never_a_day(
    h1: int, m1: int, h2: int, m2: int, after_s: int, zone: str
) -> None:
    quiet = Quiet(f"{h1:02}:{m1:02}", f"{h2:02}:{m2:02}", zone)
    now = Instant(DAY + after_s * SECOND_NS)
    until = model.quiet_until(quiet, now)
    assert now <= until <= now + 25 * 3_600 * SECOND_NS
    if quiet.begins != quiet.ends:
        assert model.quiet_until(quiet, until) == until


def test_a_person_has_so_many_within_an_hour_and_what_is_a_day_old_is_no_news(
    world: World,
) -> None:
    for _ in range(model.HOUR_MAX + 5):
        world.write(IDENTITY_STREAM, CHANGED)
    world.turn()
    assert len(world.got) == model.HOUR_MAX
    assert Counter(row.state for row in world.rows(way="email"))["withheld"] == 5
    world.write(IDENTITY_STREAM, CHANGED)
    world.turn(2 * 86_400)
    assert world.rows(way="email")[0].detail == "a day old"


def test_a_browser_that_is_gone_is_asked_no_more(tmp_path: Path) -> None:
    chosen = Preferences({"security": ("push",)})
    listening = person("ada", Role.TRADER, chosen=chosen, subscriptions=("sub_1", "sub_2"))
    world = World(tmp_path, listening)
    world.answer = lambda to, _: Carried("refused", "410", is_gone=True) if "1" in to else FINE
    world.write(IDENTITY_STREAM, CHANGED)
    world.turn()
    assert [to for _, to, __ in world.got] == ["{sub_2}"]
    assert world.gone == ["sub_1"]


def test_a_pager_hears_of_what_is_severe_and_of_its_end(tmp_path: Path) -> None:
    world = World(tmp_path, person("root", Role.ADMIN))
    alert = AlertRaised("a1", "F01", "t", "low", "s", "x", "r", (), DAY, DAY, ())
    world.write(
        StreamId("surveillance/fix"), alert, msgspec.structs.replace(alert, severity="high")
    )
    world.write(CHECKS_STREAM, CheckFailed("books", ("debit is 1",), 5), CheckCleared("books", 6))
    world.turn()
    paged = [notice for way, _, notice in world.got if way == "pager"]
    told = [(each.severity, each.about, each.is_over) for each in paged]
    assert told == [
        ("error", "alert/a1", False),
        ("critical", "check/books", False),
        ("info", "check/books", True),
    ]
    mails = [notice.subject for way, _, notice in world.got if way == "email"]
    assert mails == ["high: t", "Standing check books fails"], "low alerts are in the inbox alone"


def test_text_that_is_in_no_entry_is_carried_once_and_kept_nowhere(world: World) -> None:
    sealed = msgspec.json.encode(("eve@example.com", "Your code", "it is 123456"))
    row = {
        "notice_id": "ntc_1", "tenant": "", "user": "", "kind": "direct", "topic": "security",
        "way": "email", "queued_at": world.now, "due_at": world.now, "sealed": sealed,
    }  # fmt: skip
    with world.queue.writing() as conn:
        store.queue(conn, [row, row])
    world.turn()
    ((_, to, notice),) = world.got
    assert (to, notice.text) == ("eve@example.com", "it is 123456")
    assert [(row.state, row.sealed) for row in world.rows(kind="direct")] == [("delivered", None)]


def test_every_kind_has_a_template_and_every_template_a_kind() -> None:
    assert {each.name for each in KINDS} | {"test"} == set(TEMPLATES)
    assert len(BY_EVENT) == len(KINDS), "an event makes one notice"
    assert {each.topic for each in KINDS} <= set(model.TOPICS) == set(model.DEFAULTS)
    for each in KINDS:
        assert each.name.partition(".")[0] == each.topic


def test_a_notice_leads_to_what_it_is_about_and_to_nothing_where_it_does_not_say() -> None:
    told = {"order_id": "demo.57", "account_id": "second", "case_id": "kyc_1", "alert": "F01/a b"}
    assert leads_to("orders.filled", told) == "order/demo.57"
    assert leads_to("margin.warned", told) == "account/second"
    assert leads_to("kyc.approved", told) == "papers"
    assert leads_to("kyc.review_waiting", told) == "case/kyc_1"
    assert leads_to("surveillance.alert", told) == "alert/F01/a b"
    assert leads_to("orders.rejected", {"order_id": ""}) == leads_to("orders.filled", {}) == ""
    assert leads_to("test", told) == ""
    assert "\n" not in leads_to("orders.filled", {"order_id": "1\n2"})
    assert all(leads_to(each.name, defaultdict(lambda: "x")) for each in KINDS)


def test_what_nobody_should_choose_is_refused() -> None:
    model.check(Preferences({"security": ("push",), "orders": ("inbox",)}))
    with pytest.raises(Invalid, match="outside of this house"):
        model.check(Preferences({"security": ("inbox",)}))
    with pytest.raises(Invalid, match="no time zone"):
        model.check(Preferences({}, Quiet("22:00", "07:00", "Mars/Olympus")))
    with pytest.raises(Invalid, match="leave them out"):
        model.check(Preferences({}, Quiet("22:00", "22:00")))


@settings(max_examples=60)
@given(st.text())
def test_whatever_is_put_into_a_template_is_text(value: str) -> None:
    shown = render(TEMPLATES["margin.state_set"], dict.fromkeys(
        ("account_id", "state", "at", "reason"), value), "Here")  # fmt: skip
    assert "\n" not in shown.subject
    assert shown.html.count("<") == render(
        TEMPLATES["margin.state_set"], dict.fromkeys(("account_id", "state", "at", "reason"), ""),
        "Here",
    ).html.count("<")  # fmt: skip
    assert one_line(value).isprintable()
