"""The committer: one transaction for everything that queued up while the last one was synced.

The law it keeps: no answer leaves before the entries it speaks of are durable.

It lives on the event loop's thread, as the actors do, so none of them needs a lock. Only `_write`
runs on another thread, where it touches the journal and the group that it was given.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from fondaco.kernel.errors import Corrupt, FondacoError, Unavailable
from fondaco.kernel.event import Decision, Entry, Event, StreamId
from fondaco.ports.journal import FENCED, Journal

_STEP: Final = 10_000  # entries that are read at a time, where a write in doubt came through

Outcome: TypeAlias = tuple[Entry, ...] | FondacoError


class Answer:
    """The entries that a turn left, once they are durable; or the error that it met.

    Its one caller awaits it, gives it a function to call, or looks at it after a commit. It cannot
    be canceled: whoever stops waiting changes nothing about what was decided.
    """

    __slots__ = ("_outcome", "_then", "_waiter")

    def __init__(self) -> None:
        self._outcome: Outcome | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._then: Callable[[Outcome], None] | None = None

    def settle(self, outcome: Outcome) -> None:
        self._outcome = outcome
        if self._then:
            try:
                self._then(outcome)
            except Exception as error:  # Others of the group wait behind this one.
                told = {"message": "whoever waited for an answer failed on it", "exception": error}
                asyncio.get_running_loop().call_exception_handler(told)
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def then(self, act: Callable[[Outcome], None]) -> None:
        """Call `act` with the outcome, on the loop's thread; at once if it is known."""
        if self._outcome is not None:
            act(self._outcome)
        else:
            self._then = act

    def done(self) -> bool:
        return self._outcome is not None

    def result(self) -> tuple[Entry, ...]:
        if isinstance(self._outcome, FondacoError):
            raise self._outcome.with_traceback(None)  # It may be shared by a whole group.
        if self._outcome is None:
            raise asyncio.InvalidStateError("not committed yet")
        return self._outcome

    def __await__(self) -> Generator[Any, None, tuple[Entry, ...]]:
        if self._outcome is None:
            if self._waiter is None or self._waiter.done():
                self._waiter = asyncio.get_running_loop().create_future()
            yield from self._waiter
        return self.result()


class Lease(msgspec.Struct):
    """An actor's right to decide for its stream. Once lost, nothing decided under it is written."""

    lost: FondacoError | None = None


class Turn(msgspec.Struct, frozen=True):  # collected: a refusal's traceback leads back to it
    """What one turn decided and who waits for it. A retry decides nothing; `recall` answers it."""

    stream: StreamId
    decision: Decision[Event] | None
    answer: Answer
    lease: Lease
    recall: Callable[[], Outcome] | None = None  # called behind the commit, off the loop


class Watch(Protocol):
    """Told when what happened, by one clock."""

    def now(self) -> int: ...

    def committed(
        self,
        firsts: list[int],
        decided: list[int],
        last: int,
        began: int,
        durable: int,
    ) -> None:
        """A group was written and everybody was told. Of each of its turns, the position of the
        first entry and when it was decided; `last` is the group's last position."""
        ...


class Committer:
    """One task runs `run`, or a test calls `commit` when it wants one.

    `publish` is given the entries of every group, in order, after their answers were settled.
    """

    def __init__(
        self,
        journal: Journal,
        publish: Callable[[Sequence[Entry]], None] = lambda _: None,
        watch: Watch | None = None,
    ) -> None:
        self._journal = journal
        self._publish = publish
        self._watch = watch
        self._clock = watch.now if watch else None
        self.queue: list[Turn] = []  # that waits for the group before it; only to be looked at
        self._decided: list[int] = []  # when each turn of the queue was; only if somebody watches
        self._wake = asyncio.Event()
        self._closing = False
        self.position = journal.head()
        self.failure: FondacoError | None = None  # of the last group
        self.fenced: FondacoError | None = None  # another writer has taken our place
        self.in_doubt = False  # a write may have come through, though its callers heard otherwise
        self._found: list[Entry] = []  # it has: entries that nobody was told of
        self.busy_since: float = 0.0  # loop time at which the group now being written was begun
        self.busy_s: float = 0.0  # of all groups before it
        self.group_count = 0

    @property
    def queued_count(self) -> int:
        return len(self.queue)

    def enqueue(self, turn: Turn) -> None:
        queue = self.queue
        if not queue:
            self._wake.set()
        queue.append(turn)
        if self._clock is not None:
            self._decided.append(self._clock())

    def commit(self) -> None:
        """Write everything queued in one transaction, then release its answers."""
        group, _ = self._next_group()
        self._settle(group, self._write(group))

    def find_out(self) -> None:
        """Ask the journal what became of a write in doubt, should nobody else write just now."""
        if self.in_doubt and not self.queue:
            self.enqueue(Turn(StreamId(""), None, Answer(), Lease()))

    async def run(self) -> None:
        """Commit until closed, and once more for what is queued then.

        The next group is what queued up meanwhile: no timer gathers it. Each group comes back to
        the loop in one wake-up, whatever its size.
        """
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "committer") as disk:
            while self.queue or not self._closing:
                await self._wake.wait()
                group, decided = self._next_group()
                if group:
                    watch = self._watch
                    began = watch.now() if watch else 0
                    self.busy_since = loop.time()
                    outcomes = await loop.run_in_executor(disk, self._write, group)
                    self.busy_s += loop.time() - self.busy_since
                    self.busy_since = 0.0
                    self.group_count += 1
                    durable = watch.now() if watch else 0
                    self._settle(group, outcomes)
                    if watch:
                        _note(watch, group, outcomes, decided, began, durable)

    def close(self) -> None:
        self._closing = True
        self._wake.set()

    def _next_group(self) -> tuple[list[Turn], list[int]]:
        """What is queued, in order, and when it was decided. Turns whose lease is lost are answered
        here."""
        queue, self.queue = self.queue, []
        decided, self._decided = self._decided, []
        if not self._closing:
            self._wake.clear()
        # No loop of its own for the usual case: nobody has lost anything.
        if not [turn for turn in queue if turn.lease.lost]:
            return queue, decided
        group: list[Turn] = []
        lost: list[int] = []
        for nth, turn in enumerate(queue):
            if turn.lease.lost:
                turn.answer.settle(turn.lease.lost)
                lost.append(nth)
            else:
                group.append(turn)
        if lost and decided:
            decided = [at for nth, at in enumerate(decided) if nth not in lost]
        return group, decided

    def _write(self, group: Sequence[Turn]) -> list[Outcome]:
        try:
            if self.in_doubt:
                self._resolve()
            return self._append(group)
        except Unavailable as error:
            self._doubt(error)
            return [error] * len(group)
        except Exception:  # One bad decision must not take the others with it: each stream alone.
            outcomes: dict[int, Outcome] = {}
            for _, run in groupby(sorted(enumerate(group), key=_stream_of), key=_stream_of):
                numbered = list(run)
                turns = [turn for _, turn in numbered]
                try:
                    found = self._append(turns)
                except Exception as error:
                    known = _known(error)
                    self._doubt(known)
                    found = [known] * len(turns)
                outcomes |= {nth: one for (nth, _), one in zip(numbered, found, strict=True)}
            return [outcomes[nth] for nth in range(len(group))]

    def _doubt(self, error: FondacoError) -> None:
        if isinstance(error, Unavailable):
            self.in_doubt = True
            if error.code == FENCED:
                self.fenced = error

    def _resolve(self) -> None:
        """What came through is published like all else, or its messages would never leave."""
        self._journal.append(())
        position = self._found[-1].position if self._found else self.position
        while entries := self._journal.follow(position, _STEP):
            self._found += entries
            position = entries[-1].position
        self.in_doubt = False

    def _append(self, turns: Sequence[Turn]) -> list[Outcome]:
        decisions = [turn.decision for turn in turns if turn.decision]
        written = self._journal.append(decisions) if decisions else []
        outcomes: list[Outcome] = []
        start = 0
        for turn in turns:
            decision = turn.decision
            if decision is None:
                outcomes.append(turn.recall() if turn.recall else ())
                continue
            count = len(decision.events)
            if count == 1:
                outcomes.append((written[start],))
            else:
                outcomes.append(tuple(written[start : start + count]))
            start += count
        return outcomes

    def _settle(self, group: Sequence[Turn], outcomes: Sequence[Outcome]) -> None:
        """Give everybody their answer. Actors that had a part in a failure lose their leases.

        Their memory has run ahead of the journal. Turns they took meanwhile are queued behind, and
        fail the same way.
        """
        entries, self._found = self._found, []
        self.failure = None
        for turn, outcome in zip(group, outcomes, strict=True):
            if turn.decision is not None:
                if isinstance(outcome, tuple):
                    entries += outcome
                else:
                    self.failure = turn.lease.lost = outcome
            turn.answer.settle(outcome)
        if entries:
            entries.sort(key=_position)  # after a failed group streams were written one by one
            self.position = entries[-1].position
            self._publish(entries)


def _note(
    watch: Watch,
    group: Sequence[Turn],
    outcomes: Sequence[Outcome],
    decided: Sequence[int],
    began: int,
    durable: int,
) -> None:
    # In a few passes that are fast each: this is done for every order.
    written = [
        outcome
        for turn, outcome in zip(group, outcomes, strict=True)
        if turn.decision is not None and isinstance(outcome, tuple)
    ]
    if len(written) != len(group):
        both = zip(group, outcomes, decided, strict=True)
        decided = [at for t, o, at in both if t.decision is not None and isinstance(o, tuple)]
    if written:
        firsts = [entries[0].position for entries in written]
        last = max([entries[-1].position for entries in written])
        watch.committed(firsts, list(decided), last, began, durable)


_position = attrgetter("position")


def _stream_of(numbered: tuple[int, Turn]) -> str:
    return numbered[1].stream


def _known(error: Exception) -> FondacoError:
    return error if isinstance(error, FondacoError) else Corrupt(f"commit failed: {error!r}")
