"""Ranks on boards that processes share: whatever happens, and whatever becomes of the cache, they
are those that the journal gives."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.test_cache import Clock, redis_cache, server_itself
from evaluation.test_assessments import TWO
from fondaco.app.kinds import CODEC
from fondaco.app.leaderboard import BOARD_MS, Boards, Race
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import Numbers, assessment_stream, numbers_of
from fondaco.domain.evaluation.leaderboard import store
from fondaco.domain.evaluation.leaderboard.ranking import By, Result, member_of, ranked
from fondaco.domain.evaluation.rules import begin
from fondaco.domain.trading.model import AccountId
from fondaco.kernel.event import CommandId, Decision, Event, Instant
from fondaco.kernel.money import AssetCode
from fondaco.ports.cache import Cache
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.cache.redis import RedisCache
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.projector import Projector, views_equal_replay
from servers import Valkey

CACHES: Final[dict[str, Callable[[Clock], Cache]]] = {"memory": MemoryCache, "redis": redis_cache}
cached = pytest.mark.parametrize("opened", CACHES.values(), ids=CACHES.keys())
SIZE: Final = 100 * 10**8
TIERS: Final = ("one", "two")
WAYS: Final[tuple[tuple[By, str], ...]] = (
    ("return", "USD"), ("payouts", "USD"), ("payouts", "EUR"),
)  # fmt: skip
ALL: Final = [Race("acme", by, code, tier) for by, code in WAYS for tier in (None, "one")]


def numbers(balance: int) -> Numbers:
    standing = begin(TWO, 0, Instant(1))
    standing.balance = balance
    return numbers_of(standing)


class Firm:
    """A journal of assessments, and views of it that are carried on when asked to be."""

    def __init__(self, folder: str) -> None:
        self.journal = MemoryJournal(CODEC)
        self.views = SqliteStore(Path(folder) / "views.db", durable=False)
        self.projector = Projector(self.journal, self.views, [store.LeaderboardView()])
        self.epoch = 1_000  # ns, of what is written from here on
        self._versions: dict[str, int] = {}
        self._payouts: dict[str, int] = {}
        self.scratch = SqliteStore(Path(folder) / "again.db", durable=False)

    def say(self, name: str, *events: Event) -> None:
        version, at = self._versions.get(name, 0), Instant(self.epoch + self.journal.head())
        cause, stream = CommandId(f"x#{self.journal.head()}"), assessment_stream(name)
        self.journal.append([Decision(stream, version, cause, at, 0, events)])
        self._versions[name] = version + len(events)

    def create(self, name: str, tenant: str, tier: str) -> None:
        self.say(
            name,
            ev.AssessmentCreated(name, tenant, "tim", "s", tier, 1, "f", "{}", Instant(1)),
            self.begun(name),
            ev.AssessmentStarted(0, AccountId(f"{name}-1")),
        )

    def begun(self, name: str, why: str = "begun", *, is_funded: bool = False) -> ev.StageBegun:
        return ev.StageBegun(0, "s", AccountId(f"{name}-1"), 1, "acme", SIZE, is_funded, why)

    def stands(self, name: str, cents: int, account: int = 1) -> None:
        """The account has this balance by now, whatever it had before."""
        kept = numbers(balance=SIZE + cents * 10**6)
        self.say(name, ev.StandingKept(0, AccountId(f"{name}-{account}"), kept, Instant(2)))

    def pays(self, name: str, amount: int, currency: str) -> None:
        nth = self._payouts[name] = self._payouts.get(name, 0) + 1
        code = AssetCode(currency)
        self.say(name, ev.PayoutAgreed(nth, 2 * amount, amount, code, "acme", "t", "b", Instant(3)))

    def takes_back(self, name: str) -> None:
        if self._payouts.get(name):
            self.say(name, ev.PayoutSettled(self._payouts[name], False, "the bank says no"))

    def ends(self, name: str) -> None:
        self.say(name, ev.AssessmentAbandoned(Instant(4), AccountId("a"), "payments", "paid back"))

    def ranks(self, boards: Boards, board: Race, members: list[str]) -> Any:
        with self.views.reading() as conn:
            return boards.ranks(conn, board, 3, members)

    def expected(self, board: Race) -> list[Any]:
        with self.views.reading() as conn:
            found = store.results(conn, board.tenant, board.tier, board.currency)
        return [(each.rank, member_of(each.result), each.value) for each in ranked(found, board.by)]

    def compare(self, boards: Boards) -> None:
        for board in ALL:
            expected = self.expected(board)
            found = self.ranks(boards, board, [member for _, member, _ in expected])
            assert [tuple(each) for each in found.top] == expected[:3], board
            assert found.members == len(expected)
            asked = {member: tuple(each) for member, each in found.asked.items()}
            assert asked == {line[1]: line for line in expected}


@contextmanager
def firm() -> Iterator[Firm]:
    with TemporaryDirectory() as folder:
        made = Firm(folder)
        try:
            yield made
        finally:
            made.views.close()
            made.scratch.close()


NAMES: Final = [f"asm-{n:016x}" for n in range(5)]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("stands"), st.sampled_from(NAMES), st.integers(-2, 2)),
        st.tuples(st.just("pays"), st.sampled_from(NAMES), st.sampled_from(("USD", "EUR"))),
        st.tuples(st.sampled_from(("takes_back", "ends", "reset")), st.sampled_from(NAMES)),
        st.tuples(st.sampled_from(("look", "carry", "flush", "restart"))),
    ),
    max_size=25,
)


@cached
@settings(deadline=None, max_examples=15)
@given(steps=steps)
def test_ranks_are_those_of_the_journal_whatever_is_corrected_and_whatever_the_cache_has_lost(
    opened: Callable[[Clock], Cache], steps: list[tuple[Any, ...]]
) -> None:
    clock = Clock()
    cache = opened(clock)
    with firm() as made:
        for n, name in enumerate(NAMES):
            made.create(name, "acme" if n else "other", TIERS[n % 2])
        made.projector.catch_up()
        boards = Boards(cache, made.journal)
        for what, *of in steps:
            if what == "stands":
                made.stands(of[0], of[1])
            elif what == "pays":
                made.pays(of[0], 10**8, of[1])
            elif what == "reset":
                made.say(of[0], made.begun(of[0], "reset"), ev.AssessmentStarted(0, AccountId("")))
            elif what in ("takes_back", "ends"):
                getattr(made, what)(of[0])
            elif what == "look":
                made.compare(boards)
            elif what == "carry":
                made.projector.catch_up()
            elif what == "flush":
                clock.pass_ms(BOARD_MS)
            else:  # another process, which shares the cache
                boards = Boards(cache, made.journal)
        made.projector.catch_up()
        made.compare(boards)
        again = views_equal_replay(
            made.journal, made.views, made.scratch, lambda: [store.LeaderboardView()]
        )
        assert again == [], "rebuilt from the journal it is something else"


@cached
def test_a_board_of_another_history_is_not_believed(opened: Callable[[Clock], Cache]) -> None:
    """A backup was restored, and gone on with otherwise: positions alone do not tell."""
    cache = opened(Clock())
    with firm() as lost, firm() as restored:
        for made in (lost, restored):
            made.create(NAMES[0], "acme", "one")
            made.create(NAMES[1], "acme", "one")
        restored.epoch = 2_000
        lost.stands(NAMES[0], 5)
        restored.say("elsewhere", ev.NothingNoted("later"), ev.NothingNoted("still"))
        restored.stands(NAMES[1], 5)
        for made in (lost, restored):
            made.projector.catch_up()
            made.compare(Boards(cache, made.journal))
        lost.compare(Boards(cache, lost.journal))


@cached
def test_a_board_that_is_ahead_of_these_views_is_left_as_it_is(
    opened: Callable[[Clock], Cache],
) -> None:
    cache = opened(Clock())
    with firm() as made:
        made.create(NAMES[0], "acme", "one")
        made.projector.catch_up()
        made.stands(NAMES[0], 5)
        ahead = Race("acme", "return", "USD", None)
        mark = f"{made.journal.head()}@{made.journal.follow(made.journal.head() - 1, 1)[0].at}"
        cache.put_ranks(ahead.key, {"0/ahead": 7}, mark, BOARD_MS)
        made.compare(Boards(cache, made.journal))
        kept = cache.ranks(ahead.key, 1)
        assert kept is not None
        assert kept.mark == mark


def test_a_server_that_is_flushed_or_gone_changes_no_answer() -> None:
    server = Valkey()
    cache = RedisCache(server.url, Clock())
    with firm() as made:
        for name in NAMES:
            made.create(name, "acme", "one")
        boards = Boards(cache, made.journal)
        for n, name in enumerate(NAMES):
            made.stands(name, n)
            made.projector.catch_up()
            made.compare(boards)
            server_itself().flushdb()
        server.kill()
        made.stands(NAMES[0], 99)
        made.projector.catch_up()
        made.compare(boards)
    cache.close()


def test_money_beyond_what_a_double_holds_is_ranked_to_the_unit() -> None:
    """2**53 is 90 million in 10^-8: there a sorted set's own scores would make these equal."""
    cache = redis_cache(Clock())
    with firm() as made:
        for n, name in enumerate(NAMES):
            made.create(name, "acme", "one")
            made.pays(name, 2**53 + n % 2, "USD")
        made.projector.catch_up()
        made.compare(Boards(cache, made.journal))
        board = Race("acme", "payouts", "USD", None)
        found = made.ranks(Boards(cache, made.journal), board, [])
        assert [(each.rank, each.score - 2**53) for each in found.top] == [(1, 1), (1, 1), (3, 0)]


def test_of_another_account_than_the_present_one_nobody_is_ranked_by() -> None:
    with firm() as made:
        made.create(NAMES[0], "acme", "one")
        made.stands(NAMES[0], 5)
        made.stands(NAMES[0], 9, account=7)
        made.projector.catch_up()
        with made.views.reading() as conn:
            (only,) = store.results(conn, "acme", None, "USD")
    assert isinstance(only, Result)
    assert only.balance == SIZE + 5 * 10**6
