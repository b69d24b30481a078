"""The actor: a stream's one owner. Whatever is asked of the stream is asked of it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any, Final, Generic

from fondaco.kernel.decider import C, Decider, E, R, S, no_keys
from fondaco.kernel.errors import Conflict, Corrupt, FondacoError, Unavailable
from fondaco.kernel.event import REQUEST_MARK, Decision, Entry, StreamId
from fondaco.ports.journal import Journal
from fondaco.runtime.committer import Answer, Committer, Lease, Outcome, Turn
from fondaco.runtime.loading import Cause, Memory, Snapshots, hash_of, load

LOADING_S: Final = 0.001  # between looks at whether somebody else has loaded a stream
QUEUED_MAX: Final = 20_000  # turns waiting for the disk: a second's work, then we say no
RECALLED_FIRST: Final = 4  # entries that a look at the journal begins with


class Actor(Generic[S, C, E, R]):
    """Takes one turn at a time, in the order of arrival, ahead of the disk.

    A turn never waits, and all turns are taken on one thread, so no turn sees half of another.
    """

    __slots__ = ("_committer", "_decider", "_journal", "lease", "memory", "stream", "touched")

    def __init__(
        self,
        stream: StreamId,
        decider: Decider[S, C, E, R],
        journal: Journal,
        committer: Committer,
        memory: Memory[S],
    ) -> None:
        self.lease = Lease()
        self.memory = memory
        self.stream = stream
        self.touched = True
        self._decider = decider
        self._journal = journal
        self._committer = committer

    def take_turn(self, command: C, refs: R, *, others: frozenset[int] = frozenset()) -> Answer:
        """Decide `command` now. `others` are versions that only share a hash with its keys."""
        answer, lease = Answer(), self.lease
        if lease.lost:
            answer.settle(lease.lost)
            return answer
        self.touched = True
        memory, decider = self.memory, self._decider
        cause = Cause(command.command_id)
        try:
            if cause.is_request:
                found = memory.answered.find(cause.hash)
                asked = () if decider.keys_asked is no_keys else decider.keys_asked(command)
                if (found or asked) and self._was_answered(
                    command, [(cause.own, found), *self._used(asked)], refs, answer, others
                ):
                    return answer
            elif cause.told and cause.told <= memory.heard.get(cause.own, 0):
                # Settled behind the commit that is queued, as what was heard may still be in there.
                self._committer.enqueue(Turn(self.stream, None, answer, lease))
                return answer
            events = decider.decide(memory.state, command, refs)
            if not events:
                raise Corrupt(f"{type(command).__name__} left no trace on {self.stream}")
        except Exception as error:  # `decide` writes nothing: this request fails, and it alone.
            answer.settle(self._known(error))
            return answer
        before = memory.version
        try:
            memory.live_through(decider, cause, events)
        except Exception as error:  # The state may be half changed: this stream stops, no other.
            lease.lost = self._known(error)
            answer.settle(lease.lost)
            return answer
        decision = Decision(
            self.stream, before, command.command_id, command.at, refs.version, events
        )
        self._committer.enqueue(Turn(self.stream, decision, answer, lease))
        return answer

    def _used(self, keys: Sequence[str]) -> list[tuple[str, Sequence[int]]]:
        """Each with the versions that may have used it."""
        answered = self.memory.answered
        return [(key, answered.find(hash_of(key))) for key in keys]

    def _was_answered(
        self,
        command: C,
        places: list[tuple[str, Sequence[int]]],
        refs: R,
        answer: Answer,
        others: frozenset[int],
    ) -> bool:
        """Whether the answer will come from what this stream decided before, as `places` say."""
        if others:
            places = [(key, [v for v in found if v not in others]) for key, found in places]
        places = [place for place in places if place[1]]
        if places:
            self._recall(command, refs, answer, places, others)
        return bool(places)

    def _recall(
        self,
        command: C,
        refs: R,
        answer: Answer,
        places: list[tuple[str, Sequence[int]]],
        others: frozenset[int],
    ) -> None:
        """Confirm in the journal that a key was used; a mere collision takes its turn after all."""
        looked_at = others.union(*(versions for _, versions in places))

        def look() -> Outcome:
            return self._look(command, places)

        def settle(outcome: Outcome) -> None:
            if outcome == ():
                self.take_turn(command, refs, others=looked_at).then(answer.settle)
            else:
                answer.settle(outcome)

        recalled = Answer()
        recalled.then(settle)
        self._committer.enqueue(Turn(self.stream, None, recalled, self.lease, look))

    def _look(self, command: C, places: list[tuple[str, Sequence[int]]]) -> Outcome:
        try:
            for key, versions in places:
                for version in versions:
                    same = self._left_at(version)
                    cause = same[0].caused_by
                    if cause == command.command_id:
                        return same
                    if cause.rpartition(REQUEST_MARK)[0] == key or any(
                        key in self._decider.keys_used(entry.event)  # type: ignore[arg-type]
                        for entry in same
                    ):
                        raise Conflict(
                            f"{key} was used before, with other content; use another id",
                            code="key_reused",
                            key=key,
                            position=same[0].position,
                        )
        except FondacoError as error:
            return error
        return ()

    def _left_at(self, version: int) -> tuple[Entry, ...]:
        """The entry of that version and those of the same cause behind it: mostly one or two."""
        limit = RECALLED_FIRST
        while True:
            entries = self._journal.read(self.stream, version - 1, limit)
            same = tuple(_while_caused_by(entries[0].caused_by, entries))
            if len(same) < limit:
                return same
            limit *= 8

    def _known(self, error: Exception) -> FondacoError:
        return error if isinstance(error, FondacoError) else Corrupt(f"{self.stream}: {error!r}")


def _while_caused_by(cause: str, entries: Sequence[Entry]) -> Iterator[Entry]:
    for entry in entries:
        if entry.caused_by != cause:
            return
        yield entry


class Host(Generic[S, C, E, R]):
    """The actors of one room on this machine. Belongs to the event loop's thread.

    With `loaders`, a stream's first touch is loaded on one of its threads, and what is asked
    meanwhile waits its turn; without, at once and here.
    """

    def __init__(
        self,
        decider: Decider[S, C, E, R],
        refs_of: Callable[[StreamId], R],
        journal: Journal,
        committer: Committer,
        *,
        snapshots: Snapshots | None = None,
        loaders: Executor | None = None,
    ) -> None:
        self._decider = decider
        self._refs_of = refs_of
        self._journal = journal
        self._committer = committer
        self._snapshots = snapshots
        self._loaders = loaders
        self._actors: dict[StreamId, Actor[S, C, E, R]] = {}
        self._waiting: dict[StreamId, list[tuple[C, Answer]]] = {}

    def submit(self, stream: StreamId, command: C) -> Answer:
        """Decide `command` on `stream`, here and now; await the answer. Safe to repeat.

        Raises:
            Unavailable: too many turns wait for the disk. Nothing was decided.

        The answer itself may raise any `FondacoError`; after a retryable one, submit again.
        """
        if len(self._committer.queue) >= QUEUED_MAX:
            raise Unavailable(f"{QUEUED_MAX} turns wait for the disk; try again", retry_after_s=1)
        actor = self._actors.get(stream)
        if actor is None or (actor.lease.lost and actor.lease.lost.retryable):
            if self._loaders:
                return self._wait(stream, command, self._loaders)
            actor = self._seat(stream, self._load(stream))
        return actor.take_turn(command, self._refs_of(stream))

    async def wake(self, stream: StreamId) -> None:
        """Have the owner of `stream` in memory, without asking anything of it. Where somebody asks
        and it is being loaded for that, it is there once that has been decided."""
        loop = asyncio.get_running_loop()
        while self._is_away(stream):
            if stream in self._waiting:
                await asyncio.sleep(LOADING_S)
                continue
            memory = await loop.run_in_executor(self._loaders, self._load, stream)
            if self._is_away(stream) and stream not in self._waiting:
                self._seat(stream, memory)

    def _is_away(self, stream: StreamId) -> bool:
        """Whether it must be loaded. One that lost its lease to a failed commit is rebuilt; a
        corrupt one stays stopped."""
        actor = self._actors.get(stream)
        return actor is None or (actor.lease.lost is not None and actor.lease.lost.retryable)

    def peek(self, stream: StreamId) -> Memory[S] | None:
        """What the owner of `stream` knows now, if it is in memory: to look at, never to change."""
        actor = self._actors.get(stream)
        return actor.memory if actor and not actor.lease.lost else None

    def streams(self) -> list[StreamId]:
        """Those in memory."""
        return list(self._actors)

    @property
    def loading_count(self) -> int:
        """Streams that are being loaded for somebody who asks."""
        return len(self._waiting)

    def dismiss_idle(self) -> int:
        """Forget actors that were not asked anything since the last call; how many."""
        idle = [s for s, a in self._actors.items() if not a.touched and not a.lease.lost]
        if self._committer.queued_count or self._committer.busy_since:
            return 0  # What they decided may be on its way: they could not be loaded right.
        for stream in idle:
            del self._actors[stream]
        for actor in self._actors.values():
            actor.touched = False
        return len(idle)

    def _seat(self, stream: StreamId, memory: Memory[S]) -> Actor[S, C, E, R]:
        actor = Actor(stream, self._decider, self._journal, self._committer, memory)
        self._actors[stream] = actor
        return actor

    def _load(self, stream: StreamId) -> Memory[S]:
        return load(stream, self._decider, self._journal, self._snapshots)

    def _wait(self, stream: StreamId, command: C, loaders: Executor) -> Answer:
        answer = Answer()
        waiting = self._waiting.get(stream)
        if waiting is not None:
            waiting.append((command, answer))
            return answer
        self._waiting[stream] = [(command, answer)]
        loop = asyncio.get_running_loop()
        loading = loop.run_in_executor(loaders, self._load, stream)
        loading.add_done_callback(lambda done: self._loaded(stream, done))
        return answer

    def _loaded(self, stream: StreamId, loading: "asyncio.Future[Memory[S]]") -> None:
        waiting = self._waiting.pop(stream)
        error = loading.exception()
        if error is not None:
            known = error if isinstance(error, FondacoError) else Corrupt(f"{stream}: {error!r}")
            for _, answer in waiting:
                answer.settle(known)
            return
        actor = self._seat(stream, loading.result())
        for command, answer in waiting:
            actor.take_turn(command, self._refs_of(stream)).then(answer.settle)


AnyHost = Host[Any, Any, Any, Any]
