"""Turns run ahead of the disk; answers never do."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from fondaco.kernel.errors import Conflict, Corrupt, Unavailable
from fondaco.kernel.event import Decision, Entry, Event
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.runtime.actor import AnyHost, Host
from fondaco.runtime.committer import Answer, Committer, Outcome
from runtime.till import CODEC, T1, T2, Declined, Rates, Till, Took, law, put, ticketed, timer, told


class FaultyJournal(MemoryJournal):
    """Remembers the size of each transaction; fails once, or does something first, when told."""

    def __init__(self) -> None:
        super().__init__(CODEC)
        self.sizes: list[int] = []
        self.fault: Exception | None = None
        self.before_append: Callable[[], None] = lambda: None

    def append(self, decisions: Sequence[Decision[Event]]) -> list[Entry]:
        self.before_append()
        if self.fault:
            fault, self.fault = self.fault, None
            raise fault
        self.sizes.append(len(decisions))
        return super().append(decisions)


class House:
    def __init__(self) -> None:
        self.journal = FaultyJournal()
        self.published: list[Entry] = []
        self.committer = Committer(self.journal, self.published.extend)
        self.tills = self.host()

    def host(self, using: Rates | None = None, by: Any = law) -> AnyHost:
        return Host(by, lambda _: using or Rates(), self.journal, self.committer)


@pytest.fixture
def house() -> House:
    return House()


def test_what_queued_up_is_one_transaction_and_answers_wait_for_it(house: House) -> None:
    answers = [house.tills.submit(stream, put(5)) for stream in (T1, T2)]
    answers += [house.tills.submit(T1, put(1, key)) for key in ("k2", "k3")]
    assert not any(answer.done() for answer in answers)
    assert house.published == []

    house.committer.commit()
    assert house.journal.sizes == [4]
    left = [entry for answer in answers for entry in answer.result()]
    assert [(e.stream, e.version) for e in left] == [(T1, 1), (T2, 1), (T1, 2), (T1, 3)]
    assert house.published == left == house.journal.follow(0, 10)


def test_a_retry_is_given_the_first_answer_and_writes_nothing(house: House) -> None:
    first, early = (house.tills.submit(T1, put(5)) for _ in range(2))
    house.committer.commit()
    late = house.host().submit(T1, put(5))  # by an actor that has only the journal
    house.committer.commit()
    assert first.result() == early.result() == late.result()
    assert len(house.journal.read(T1)) == 1


def test_the_same_key_with_other_content_is_a_conflict(house: House) -> None:
    house.tills.submit(T1, put(5))
    early = house.tills.submit(T1, put(6))
    house.committer.commit()
    late = house.host().submit(T1, put(7))
    house.committer.commit()
    for answer in (early, late):
        with pytest.raises(Conflict, match="k1 was used before, with other content") as raised:
            answer.result()
        assert raised.value.code == "key_reused"
    assert len(house.journal.read(T1)) == 1


def test_a_name_that_an_event_used_up_cannot_be_used_by_another_command(house: House) -> None:
    tills = house.host(by=ticketed)
    tills.submit(T1, put(5, ticket="red"))
    again = tills.submit(T1, put(5, "k2", ticket="red"))
    fresh = tills.submit(T1, put(5, "k3", ticket="blue"))
    as_key = tills.submit(T1, put(5, "red"))
    house.committer.commit()
    for answer in (again, as_key):
        with pytest.raises(Conflict, match="red was used before"):
            answer.result()
    assert len(fresh.result()) == 1


def test_a_collision_of_hashes_is_no_retry(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("actor", "loading"):
        monkeypatch.setattr(f"fondaco.runtime.{module}.hash_of", lambda _: 7)
    answers = [house.tills.submit(T1, put(1, key)) for key in ("k1", "k2", "k3")]
    retry = house.tills.submit(T1, put(1, "k2"))
    for _ in range(3):
        house.committer.commit()
    assert [answer.result()[0].version for answer in answers] == [1, 2, 3]
    assert retry.result() == answers[1].result()


def test_what_a_source_has_told_is_heard_once_and_in_order(house: House) -> None:
    first, again = (house.tills.submit(T2, told(T1, 3)) for _ in range(2))
    older, newer = house.tills.submit(T2, told(T1, 2)), house.tills.submit(T2, told(T1, 4))
    assert not again.done(), "what was heard is not durable yet"
    house.committer.commit()
    assert (again.result(), older.result()) == ((), ())
    assert [answer.result()[0].version for answer in (first, newer)] == [1, 2]
    late = house.host().submit(T2, told(T1, 4))
    house.committer.commit()
    assert late.result() == ()


def test_a_command_without_a_key_is_taken_every_time(house: House) -> None:
    answers = [house.tills.submit(T1, timer()) for _ in range(2)]
    house.committer.commit()
    assert [answer.result()[0].version for answer in answers] == [1, 2]


def test_a_failed_commit_takes_back_what_ran_ahead_and_only_that(house: House) -> None:
    house.tills.submit(T1, put(10))
    house.committer.commit()
    house.journal.fault = Unavailable("disk full")
    lost = house.tills.submit(T1, put(-10, "k2"))
    house.committer.commit()
    with pytest.raises(Unavailable, match="disk full"):
        lost.result()

    # What the lost turn took is there again, so all of it can be taken by another.
    again = house.tills.submit(T1, put(-10, "k3"))
    house.committer.commit()
    assert [type(entry.event) for entry in again.result()] == [Took]
    assert len(house.published) == 2


def test_turns_taken_while_the_commit_was_failing_fail_with_it(house: House) -> None:
    house.tills.submit(T1, put(10))
    ahead: list[Answer] = []
    house.journal.before_append = lambda: ahead.append(house.tills.submit(T1, put(1, "k2")))
    house.journal.fault = Unavailable("disk full")
    house.committer.commit()
    house.committer.commit()
    with pytest.raises(Unavailable, match="disk full"):
        ahead[0].result()
    assert house.journal.read(T1) == []


def test_a_stream_that_somebody_else_moved_does_not_take_others_with_it(house: House) -> None:
    house.tills.submit(T1, put())
    house.committer.commit()
    house.host().submit(T1, put(1, "theirs"))  # by another owner, which ought not to be
    house.committer.commit()

    ours, other = house.tills.submit(T1, put(1, "ours")), house.tills.submit(T2, put())
    house.committer.commit()
    with pytest.raises(Conflict, match="till/1 is at 2, not at 1"):
        ours.result()
    assert len(other.result()) == 1


def test_a_request_that_breaks_decide_fails_alone(house: House) -> None:
    faulty = house.host(using=Rates(floor=None))
    with pytest.raises(Corrupt, match="till/1: TypeError"):
        faulty.submit(T1, put()).result()
    next_one = house.tills.submit(T1, put())
    house.committer.commit()
    assert len(next_one.result()) == 1


def test_a_mistake_in_evolve_stops_its_stream_and_no_other(house: House) -> None:
    def broken(state: Till, event: Took | Declined) -> Till:
        if isinstance(event, Took) and event.amount == 13:
            raise TypeError("half way")
        return law.evolve(state, event)

    faulty = house.host(by=replace(law, evolve=broken))
    for stream in (T1, T2):
        faulty.submit(stream, put())
    with pytest.raises(Corrupt, match="till/1: TypeError"):
        faulty.submit(T1, put(13, "k2")).result()
    stopped, other = faulty.submit(T1, put(1, "k3")), faulty.submit(T2, put(1, "k2"))
    house.committer.commit()
    with pytest.raises(Corrupt):
        stopped.result()
    assert len(other.result()) == 1


def test_an_idle_actor_is_dismissed_and_comes_back_as_it_was(house: House) -> None:
    house.tills.submit(T1, put(5))
    assert house.tills.dismiss_idle() == 0, "its turn is not durable yet"
    house.committer.commit()
    assert [house.tills.dismiss_idle() for _ in range(2)] == [0, 1]
    assert house.tills.peek(T1) is None
    again = house.tills.submit(T1, put(-5, "k2"))
    house.committer.commit()
    assert type(again.result()[0].event) is Took


async def crowd(house: House) -> list[int]:
    """Positions that each of many tasks was told, while commits run on a thread of their own."""
    commits = asyncio.create_task(house.committer.run())

    async def one(nth: int) -> list[int]:
        told = [await house.tills.submit(T1, put(1, f"{nth}-{i}")) for i in range(5)]
        return [entry.position for entries in told for entry in entries]

    told = await asyncio.gather(*(one(nth) for nth in range(40)))
    house.committer.close()
    await commits
    return [position for positions in told for position in positions]


def test_whoever_waits_is_woken_once_their_group_is_written(house: House) -> None:
    assert sorted(asyncio.run(crowd(house))) == list(range(1, 201))
    assert sum(house.journal.sizes) == 200
    assert len(house.journal.sizes) < 20, "each order was committed alone"


async def impatient(house: House) -> Answer:
    answer = house.tills.submit(T1, put())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(answer, timeout=0)
    house.committer.commit()
    return answer


def test_whoever_stops_waiting_changes_nothing(house: House) -> None:
    assert asyncio.run(impatient(house)).result() == tuple(house.journal.read(T1))


def test_an_answer_is_not_given_before_its_time(house: House) -> None:
    with pytest.raises(asyncio.InvalidStateError, match="not committed yet"):
        house.tills.submit(T1, put()).result()


async def _settled_around_a_failure(house: House) -> tuple[Answer, list[dict[str, Any]]]:
    """The answer to a turn after one whose caller fails on its own; what the loop was told."""

    def fail(_: Outcome) -> None:
        raise ZeroDivisionError

    told_of: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: told_of.append(told))
    commits = asyncio.create_task(house.committer.run())
    house.tills.submit(T1, put(5)).then(fail)
    answer = house.tills.submit(T2, put(5))
    async with asyncio.timeout(5):
        await answer
        again = house.tills.submit(T1, put(6, "later"))
        await again
    house.committer.close()
    await commits
    return again, told_of


def test_a_caller_that_fails_on_its_answer_fails_alone(house: House) -> None:
    again, told_of = asyncio.run(_settled_around_a_failure(house))
    assert [entry.version for entry in again.result()] == [2]
    assert [type(each["exception"]) for each in told_of] == [ZeroDivisionError]
    assert house.published == house.journal.follow(0, 10)


# --- A write in doubt ----------------------------------------------------------------------------


class DoubtfulJournal(FaultyJournal):
    """Writes, and says that it cannot tell; until it can, it says so of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.unheard = 0  # writes that come through without a word
        self.away = 0  # times that nobody can tell what became of one

    def append(self, decisions: Sequence[Decision[Event]]) -> list[Entry]:
        if self.away:
            self.away -= 1
            raise Unavailable("nobody can tell")
        written = super().append(decisions) if decisions else []
        if self.unheard and decisions:
            self.unheard -= 1
            raise Unavailable("the connection broke")
        return written


@pytest.mark.parametrize("away", [0, 2])
def test_what_came_through_unheard_is_published_once_and_in_its_place(away: int) -> None:
    house = House()
    house.journal = journal = DoubtfulJournal()
    house.committer = Committer(journal, house.published.extend)
    house.tills = house.host()
    house.tills.submit(T1, put(1, "before"))
    house.committer.commit()
    journal.unheard, journal.away = 1, 0
    unheard = house.tills.submit(T1, put(2, "unheard"))
    house.committer.commit()
    with pytest.raises(Unavailable, match="broke"):
        unheard.result()
    assert house.committer.in_doubt
    journal.away = away
    for _ in range(away):
        failed = house.tills.submit(T2, put(3, "meanwhile"))
        house.committer.commit()
        with pytest.raises(Unavailable, match="nobody can tell"):
            failed.result()
    assert len(house.published) == 1
    again = house.tills.submit(T1, put(2, "unheard"))
    house.committer.commit()
    after = house.tills.submit(T2, put(4, "after"))
    house.committer.commit()
    assert again.result() == tuple(journal.read(T1)[1:])
    assert len(after.result()) == 1
    assert house.published == journal.follow(0, 10)
    assert [entry.position for entry in house.published] == [1, 2, 3]


def test_a_write_in_doubt_is_asked_about_though_nobody_writes() -> None:
    house = House()
    house.journal = journal = DoubtfulJournal()
    house.committer = Committer(journal, house.published.extend)
    house.tills = house.host()
    journal.unheard = 1
    house.tills.submit(T1, put(2))
    house.committer.commit()
    assert house.published == []
    house.committer.find_out()
    house.committer.commit()
    assert house.published == journal.follow(0, 10) != []
    assert not house.committer.in_doubt
    house.committer.find_out()
    assert house.committer.queued_count == 0
