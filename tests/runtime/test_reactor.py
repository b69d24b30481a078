"""Messages between streams: in order, again after a crash, with one effect."""

import asyncio
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from fondaco.kernel.errors import Corrupt, Denied, FondacoError, Unavailable
from fondaco.kernel.event import Command, CommandId, Entry, Instant, StreamId
from fondaco.runtime.committer import Answer
from fondaco.runtime.reactor import Reactor
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
