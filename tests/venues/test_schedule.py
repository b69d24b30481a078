"""Phases by the calendar of an exchange: when steps are due, and that each is taken once."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fondaco.app.schedules import Schedules
from fondaco.domain.reference.model import WEEKDAYS
from fondaco.domain.trading.model import Side
from fondaco.domain.venues.crossing.events import (
    FollowSchedule,
    PhaseSet,
    SetPhase,
    SetSchedule,
    StepPassed,
    Uncrossed,
)
from fondaco.domain.venues.crossing.model import CrossingState, Phase, Schedule, Step
from fondaco.domain.venues.crossing.rules import decider
from fondaco.domain.venues.crossing.schedule import Due, last_step, next_step, wrong_schedule
from fondaco.domain.venues.events import OrderExecuted
from fondaco.kernel.event import CommandId, Instant
from fondaco.runtime.loading import made, plain
from venues.paper import NOW, A, B, enter
from venues.test_crossing import STREAM, Crossing

DAY: Final = (
    Step(7 * 60, Phase.PRE_OPEN),
    Step(9 * 60 + 28, Phase.OPENING_AUCTION),
    Step(9 * 60 + 30, Phase.CONTINUOUS),
    Step(15 * 60 + 50, Phase.CLOSING_AUCTION),
    Step(16 * 60, Phase.CLOSED),
)
NEW_YORK: Final = Schedule("America/New_York", "XNYS", DAY)
MINUTE: Final = 60_000_000_000


def ns(text: str) -> Instant:
    """An instant of UTC."""
    return Instant(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9)


@pytest.mark.parametrize(
    ("at", "phase", "since", "following"),
    [
        ("2026-11-25 14:29:59", "opening_auction", "2026-11-25 14:28", "2026-11-25 14:30"),
        ("2026-11-25 14:30:00", "continuous", "2026-11-25 14:30", "2026-11-25 20:50"),
        ("2026-11-25 20:50:00", "closing_auction", "2026-11-25 20:50", "2026-11-25 21:00"),
        # Thanksgiving has no phases, and a weekend has none.
        ("2026-11-26 15:00:00", "closed", "2026-11-25 21:00", "2026-11-27 12:00"),
        ("2026-11-28 15:00:00", "closed", "2026-11-27 21:00", "2026-11-30 12:00"),
        # From the Friday before the clocks are set forward to the Monday after: an hour earlier.
        ("2026-03-06 14:30:00", "continuous", "2026-03-06 14:30", "2026-03-06 20:50"),
        ("2026-03-09 13:30:00", "continuous", "2026-03-09 13:30", "2026-03-09 19:50"),
    ],
)
def test_a_day_in_new_york(at: str, phase: str, since: str, following: str) -> None:
    assert last_step(NEW_YORK, ns(at)) == Due(ns(since), Phase(phase))
    found = next_step(NEW_YORK, ns(at))
    assert found is not None
    assert found.at == ns(following)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"steps": ()}, "0 steps"),
        ({"steps": DAY[:1]}, "1 steps"),
        ({"steps": DAY[:4]}, "must be closed"),
        ({"steps": (DAY[1], DAY[0], DAY[4])}, "must go up"),
        ({"steps": (DAY[0], DAY[0], DAY[4])}, "must go up"),
        ({"steps": (Step(-1, Phase.PRE_OPEN), DAY[4])}, "from 0 to 1439"),
        ({"steps": (*DAY[:4], Step(1_440, Phase.CLOSED))}, "from 0 to 1439"),
        ({"steps": (Step(1, Phase.HALTED), DAY[4])}, "halted"),
        ({"calendar": "XXXX"}, "XNYS"),
    ],
)
def test_what_nobody_can_follow_is_told(change: dict[str, Any], text: str) -> None:
    assert text in wrong_schedule(msgspec.structs.replace(NEW_YORK, **change))
    assert wrong_schedule(NEW_YORK) == ""


schedules = st.builds(
    lambda zone, calendar, minutes, phases: Schedule(
        zone,
        calendar,
        tuple(
            Step(minute, phase)
            for minute, phase in zip(
                sorted(minutes), [*phases[: len(minutes) - 1], Phase.CLOSED], strict=True
            )
        ),
    ),
    st.sampled_from(["UTC", "America/New_York", "Australia/Sydney", "Africa/Casablanca"]),
    st.sampled_from(["", WEEKDAYS, "XNYS", "XTKS"]),
    st.sets(st.integers(0, 1_439), min_size=2, max_size=6),
    st.lists(
        st.sampled_from([phase for phase in Phase if phase is not Phase.HALTED]),
        min_size=5,
        max_size=5,
    ),
)
instants = st.integers(ns("2026-02-01"), ns("2026-11-15")).map(Instant)
# 02:30 does not exist in New York on the 8th of March, and 03:10 does.
SKIPPED: Final = Schedule(
    "America/New_York", "", (Step(150, Phase.CONTINUOUS), Step(190, Phase.CLOSED))
)


@given(schedules, instants)
@example(SKIPPED, ns("2026-03-08 07:20"))
@example(SKIPPED, ns("2026-03-08 07:30"))
def test_every_instant_lies_between_two_steps(schedule: Schedule, now: Instant) -> None:
    assert wrong_schedule(schedule) == ""
    last, following = last_step(schedule, now), next_step(schedule, now)
    assert last is not None
    assert following is not None
    assert last.at <= now < following.at
    assert last_step(schedule, last.at) == last
    assert next_step(schedule, last.at) == following


class Watched(Crossing):
    """A book of our own and who watches the clock for it. Both may die, and be born again."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        self.watch = Schedules(lambda _, command: self.told(command))
        self.watch.note(STREAM, self.state)

    def told(self, command: Any) -> None:
        self.ask(command)

    def set(self, schedule: Schedule | None) -> None:
        self.ask(SetSchedule(CommandId("set"), NOW, schedule, "test", "ada"))
        self.watch.note(STREAM, self.state)

    def phase(self) -> Phase:
        return self.state.phase

    def set_phase(self, phase: Phase) -> list[Any]:
        return self.ask(SetPhase(CommandId("by hand"), NOW, phase, "test", "ada"))

    def reborn(self) -> None:
        kept = msgspec.msgpack.encode(self.state, enc_hook=plain)
        self.state = msgspec.msgpack.decode(kept, type=CrossingState, dec_hook=made)
        replayed = decider.initial(STREAM)
        for event in self.journal:
            decider.evolve(replayed, event)
        assert self.seen() == (
            replayed.book.dump(), replayed.phase, replayed.trades, replayed.last_px,
            repr(replayed.terms),
        )  # fmt: skip
        assert (replayed.schedule, replayed.stepped) == (self.state.schedule, self.state.stepped)
        self.begin()


looks = st.lists(
    st.tuples(st.integers(0, 3_000), st.sampled_from(["look", "look", "die"])), max_size=25
)


@given(schedules, instants, looks)
def test_the_phase_is_the_schedules_however_often_somebody_looks_or_dies(
    schedule: Schedule, now: Instant, looks: list[tuple[int, str]]
) -> None:
    venue = Watched()
    venue.set(schedule)
    for minutes, what in looks:
        now = Instant(now + minutes * MINUTE)
        if what == "die":
            venue.reborn()
        venue.watch.look(now)
        last = last_step(schedule, now)
        assert last is not None
        assert (venue.state.phase, venue.state.stepped) == (last.phase, last.at)
    dues = [event.due for event in venue.journal if isinstance(event, PhaseSet)]
    assert all(before < after for before, after in pairwise(dues)), "a step is taken once"
    assert not [event for event in venue.journal if isinstance(event, StepPassed)]


def test_an_auction_of_the_schedule_uncrosses() -> None:
    venue = Watched()
    venue.set(NEW_YORK)
    venue.watch.look(ns("2026-11-25 14:28"))
    venue.ask(enter(1, Side.BUY, 101, 5, account=A), enter(2, Side.SELL, 99, 3, account=B))
    assert venue.state.phase is Phase.OPENING_AUCTION
    before = len(venue.journal)
    venue.watch.look(ns("2026-11-25 14:30"))
    opened, uncrossed, *executions = venue.journal[before:]
    due = ns("2026-11-25 14:30")
    assert opened == PhaseSet(Phase.CONTINUOUS, "schedule", "schedule", due)
    assert isinstance(uncrossed, Uncrossed)
    assert uncrossed.lots == 3
    assert [type(each) for each in executions] == [OrderExecuted, OrderExecuted]


def test_only_somebody_who_asks_ends_a_halt_and_the_next_step_goes_on() -> None:
    venue = Watched()
    venue.set(NEW_YORK)
    venue.watch.look(ns("2026-11-25 15:00"))
    venue.set_phase(Phase.HALTED)
    venue.watch.look(ns("2026-11-25 20:50"))
    assert venue.phase() is Phase.HALTED
    due = ns("2026-11-25 20:50")
    assert venue.journal[-1] == StepPassed(due, Phase.CLOSING_AUCTION, "halted")
    venue.set_phase(Phase.CONTINUOUS)
    venue.watch.look(ns("2026-11-25 20:55"))
    assert venue.phase() is Phase.CONTINUOUS, "what an operator has set is not overruled"
    venue.watch.look(ns("2026-11-25 21:00"))
    assert venue.phase() is Phase.CLOSED


def test_a_schedule_taken_away_or_overtaken_moves_nothing() -> None:
    venue = Watched()
    venue.set(NEW_YORK)
    venue.set(None)
    venue.watch.look(ns("2026-11-25 21:00"))
    assert venue.phase() is Phase.CONTINUOUS
    late = FollowSchedule(CommandId("late"), NOW, ns("2026-11-25 21:00"), Phase.CLOSED)
    assert venue.ask(late) == [StepPassed(late.due, Phase.CLOSED, "overtaken")]
    venue.set(NEW_YORK)
    venue.watch.look(ns("2026-11-25 21:00"))
    assert venue.ask(late) == [StepPassed(late.due, Phase.CLOSED, "overtaken")]
    assert venue.phase() is Phase.CLOSED


def test_entries_of_before_there_were_schedules_read_as_they_meant() -> None:
    old = msgspec.msgpack.encode(["venues.phase_set.v1", "halted", "why", "ada"])
    assert msgspec.msgpack.decode(old, type=PhaseSet) == PhaseSet(Phase.HALTED, "why", "ada")
