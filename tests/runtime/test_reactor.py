"""Messages between streams: in order, again after a crash, with one effect."""

import asyncio
from collections.abc import Callable, Iterator

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fondaco.kernel.errors import Corrupt, Denied, FondacoError, Unavailable
from fondaco.kernel.event import Command, CommandId, Entry, Instant, StreamId
from fondaco.runtime.committer import Answer
from fondaco.runtime.reactor import AT_ONCE, AT_ONCE_BESIDE, Reactor
from runtime.till import T1, T2, Put, Took, told

OTHER = StreamId("till/3")


def entry(position: int, amount: int = 1) -> Entry:
    return Entry(T1, position, position, CommandId("c"), Instant(1), 7, Took(amount))


def pass_on(entry: Entry, at: Instant) -> Iterator[tuple[StreamId, Put]]:
    assert isinstance(entry.event, Took)
    for target in (T2, OTHER) if entry.event.amount > 1 else (T2,):
        yield target, replace(told(entry.stream, entry.version, entry.event.amount), at=at)


class Ear:
    """Hears what is submitted and answers when told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.answers: list[Answer] = []
        self.deaf = False

    def submit(self, stream: StreamId, command: Command) -> Answer:
        if self.deaf:
            raise Unavailable("full")
        assert command.at == 9, "it was told at 1, and is heard at 9"
        self.heard.append((stream, command.command_id))
        self.answers.append(Answer())
        return self.answers[-1]

    def settle(self, outcome: tuple[Entry, ...] | FondacoError = ()) -> None:
        answers, self.answers = self.answers, []
        for answer in answers:
            answer.settle(outcome)


def reacting(act: Callable[[Reactor, Ear], object]) -> tuple[Reactor, Ear]:
    ear = Ear()

    async def run() -> Reactor:
        reactor = Reactor({Took: (pass_on,)}, ear.submit, lambda: Instant(9))
        found = act(reactor, ear)
        if asyncio.iscoroutine(found):
            await found
        return reactor

    return asyncio.run(run()), ear


def test_the_cursor_stands_before_the_first_message_that_is_not_heard_durably() -> None:
    cursors: list[int] = []

    def act(reactor: Reactor, ear: Ear) -> None:
        reactor.deliver([entry(1), entry(2, amount=5), entry(3)])
        first, *others = ear.answers
        for answer in (others[2], first, others[0], others[1]):
            cursors.append(reactor.cursor)
            answer.settle(())
        cursors.append(reactor.cursor)

    _, ear = reacting(act)
    assert cursors == [0, 0, 1, 1, 3]
    assert ear.heard == [(T2, "till/1@1"), (T2, "till/1@2"), (OTHER, "till/1@2"), (T2, "till/1@3")]


def test_a_target_that_cannot_be_reached_hears_everything_later_and_in_order() -> None:
    async def act(reactor: Reactor, ear: Ear) -> None:
        reactor.deliver([entry(1)])
        ear.settle(Unavailable("disk full"))
        reactor.deliver([entry(2, amount=5)])
        assert ear.heard == [(T2, "till/1@1"), (OTHER, "till/1@2")]
        ear.deaf = True
        await asyncio.sleep(0.15)
        ear.deaf = False
        await asyncio.sleep(0.15)
        ear.settle()
        assert reactor.cursor == 2

    _, ear = reacting(act)
    assert ear.heard[2:] == [(T2, "till/1@1"), (T2, "till/1@2")]


def test_a_target_that_is_broken_keeps_the_cursor_and_is_named() -> None:
    def act(reactor: Reactor, ear: Ear) -> None:
        reactor.deliver([entry(1), entry(2)])
        ear.settle(Corrupt("half way"))

    reactor, _ = reacting(act)
    assert (reactor.cursor, list(reactor.stopped)) == (0, [T2])


def test_what_is_on_its_way_while_its_target_stalls_does_not_overtake_those_before_it() -> None:
    ear, delays = Ear(), iter((0.0, 0.03))

    async def run() -> None:
        reactor = Reactor(
            {Took: (pass_on,)}, ear.submit, lambda: Instant(9), delay_s=lambda _: next(delays)
        )
        reactor.deliver([entry(1), entry(2)])
        ear.settle(Unavailable("disk full"))
        await asyncio.sleep(0.2)
        ear.settle()
        assert reactor.cursor == 2

    asyncio.run(run())
    assert ear.heard == [(T2, "till/1@1"), (T2, "till/1@1"), (T2, "till/1@2")]


def test_a_message_that_cannot_be_handed_over_is_said_and_holds_up_nobody() -> None:
    """All of a group that are as long on their way arrive together."""
    said: list[str] = []

    async def run() -> list[tuple[str, str]]:
        ear = Ear()

        def submit(stream: StreamId, command: Command) -> Answer:
            if stream == T2:
                raise LookupError("no room owns it")
            return ear.submit(stream, command)

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: said.append(context["message"]))
        reactor = Reactor({Took: (pass_on,)}, submit, lambda: Instant(9), delay_s=lambda _: 0.01)
        reactor.deliver([entry(1, amount=5), entry(2, amount=5)])
        assert ear.heard == []
        await asyncio.sleep(0.1)
        assert reactor.cursor == 0, "neither has been heard"
        return ear.heard

    assert asyncio.run(run()) == [(OTHER, "till/1@1"), (OTHER, "till/1@2")]
    assert said == ["Put was not handed to till/2"] * 2


def test_what_may_not_be_told_does_not_arrive_and_everybody_hears_of_that() -> None:
    told_of: list[str] = []

    def act(reactor: Reactor, ear: Ear) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told_of.append(context["message"]))
        reactor._refusal = lambda _, target, __: Denied("no") if target == OTHER else None
        reactor.deliver([entry(1), entry(2, amount=5), entry(3)])
        ear.settle(())

    reactor, ear = reacting(act)
    assert [stream for stream, _ in ear.heard] == [T2, T2, T2]
    assert told_of == [f"a message to {OTHER} was refused"]
    assert list(reactor.stopped) == [OTHER]  # the house takes nothing on until that is mended
    assert reactor.cursor == 1  # and a build that is mended tells it again


# --- Who waits, and who goes first ----------------------------------------------------------------

URGENT = 1_000  # amounts from here on go first
LATER = 0.0  # seconds: whoever asked before this was asked for, comes before it


def to(target: int) -> StreamId:
    return StreamId(f"till/{target}")


def pass_to(entry: Entry, at: Instant) -> Iterator[tuple[StreamId, Put]]:
    """An amount's last digit is whom it is told to."""
    assert isinstance(entry.event, Took)
    amount = entry.event.amount
    yield to(amount % 10), replace(told(entry.stream, entry.version, amount), at=at)


def waiting(ear: Ear) -> Reactor:
    return Reactor(
        {Took: (pass_to,)},
        ear.submit,
        lambda: Instant(9),
        goes_first=lambda command: isinstance(command, Put) and command.amount >= URGENT,
    )


def versions(ear: Ear, target: StreamId) -> list[int]:
    return [int(cause.rpartition("@")[2]) for stream, cause in ear.heard if stream == target]


amounts = st.lists(
    st.tuples(st.booleans(), st.integers(0, 5)).map(lambda d: d[0] * URGENT + d[1]), max_size=150
)


@given(st.lists(amounts, max_size=4))
def test_everything_is_heard_once_and_in_order_between_two_whoever_goes_first(
    groups: list[list[int]],
) -> None:
    ear, told_in_all = Ear(), list[tuple[StreamId, int]]()

    async def run() -> None:
        reactor, position = waiting(ear), 0
        for group in groups:
            entries = [entry(position + nth, amount) for nth, amount in enumerate(group, 1)]
            position += len(group)
            reactor.deliver(entries)
            told_in_all.extend((to(e.event.amount % 10), e.version) for e in entries)  # type: ignore[attr-defined]
            # Whatever goes first has been heard when `deliver` comes back.
            first = [e for e in entries if e.event.amount >= URGENT]  # type: ignore[attr-defined]
            assert {f"till/1@{each.version}" for each in first} <= {c for _, c in ear.heard}
            await asyncio.sleep(LATER)
        while reactor.is_telling():
            await asyncio.sleep(LATER)
        ear.settle()
        assert reactor.cursor == position

    asyncio.run(run())
    assert sorted(ear.heard) == sorted((t, f"till/1@{v}") for t, v in told_in_all)
    for target in {t for t, _ in told_in_all}:
        assert versions(ear, target) == [v for t, v in told_in_all if t == target]


def test_what_goes_first_waits_for_nobody_but_its_own() -> None:
    ear = Ear()

    async def run() -> None:
        reactor = waiting(ear)
        common = [entry(nth, nth % 5) for nth in range(1, 3 * AT_ONCE)]
        reactor.deliver(common)
        assert len(ear.heard) == AT_ONCE
        own = [each.version for each in common if each.event.amount == 3]  # type: ignore[attr-defined]
        reactor.deliver([entry(1_000, URGENT + 3)])
        assert versions(ear, to(3)) == [*own, 1_000]
        others = sum(each.event.amount != 3 for each in common[:AT_ONCE])  # type: ignore[attr-defined]
        assert len(ear.heard) == others + len(own) + 1, "and nobody else with them"

    asyncio.run(run())


def test_much_to_tell_leaves_the_loop_to_others_in_between() -> None:
    ear, seen = Ear(), list[int]()

    async def run() -> None:
        reactor = waiting(ear)
        reactor.deliver([entry(nth, nth % 10) for nth in range(1, 5 * AT_ONCE + 1)])
        while reactor.is_telling():
            seen.append(len(ear.heard))
            await asyncio.sleep(LATER)
        reactor.gives_way = lambda: True  # and fewer still, where others have what goes first
        reactor.deliver([entry(nth, nth % 10) for nth in range(1_000, 1_000 + 2 * AT_ONCE)])
        seen.append(len(ear.heard))

    asyncio.run(run())
    assert seen == [*(AT_ONCE * nth for nth in range(1, 5)), 5 * AT_ONCE + AT_ONCE_BESIDE]


def test_what_waits_behind_a_target_that_stalls_is_heard_behind_it() -> None:
    ear = Ear()

    async def run() -> None:
        reactor = waiting(ear)
        count = AT_ONCE + 20
        reactor.deliver([entry(nth, 2) for nth in range(1, count + 1)])
        ear.settle(Unavailable("disk full"))  # of those that were handed; the others wait still
        while len(versions(ear, to(2))) < AT_ONCE + count:
            await asyncio.sleep(0.01)
        assert versions(ear, to(2))[AT_ONCE:] == list(range(1, count + 1))
        ear.settle()
        assert reactor.cursor == count

    asyncio.run(run())
