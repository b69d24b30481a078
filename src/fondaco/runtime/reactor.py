"""The reactor: carries what one stream says to the streams that must hear it.

Between two streams messages arrive in order. After a crash they are delivered again from the
cursor, which is a cache: a receiver knows the highest version it has heard of each source, so that
delivery at least once has an effect exactly once.

Nothing is told in one piece that is too long: what a group says beyond a few messages waits for its
turn on the loop, so that whoever asks something meanwhile is not kept waiting. Some messages go
first, ahead of all that wait for other targets; what waits for their own is heard before them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from msgspec.structs import replace

from fondaco.kernel.errors import FondacoError, Unavailable
from fondaco.kernel.event import Command, Entry, Event, Instant, StreamId
from fondaco.runtime.committer import Answer, Outcome
from fondaco.runtime.room import Policy

RETRY_AFTER_S: Final = 0.1
AT_ONCE: Final = 64  # messages, before whoever else waits for the loop
AT_ONCE_BESIDE: Final = 8  # while somebody else has more to do that goes first
_Message = tuple[int, StreamId, Command]  # told by the entry at that position


class Reactor:
    """Belongs to the event loop's thread. `submit` takes a turn on the stream's owner.

    `delay_s` says how long a message to a stream is on its way: the stated latency of a venue.
    `refusal` says why a message must not arrive; its target then stops, as one that is broken does.
    `goes_first` says which messages overtake those that wait for other targets.
    """

    def __init__(
        self,
        policies: Mapping[type[Event], Sequence[Policy]],
        submit: Callable[[StreamId, Command], Answer],
        now: Callable[[], Instant],
        *,
        delay_s: Callable[[StreamId], float] = lambda _: 0.0,
        refusal: Callable[[StreamId, StreamId, Command], FondacoError | None] = lambda *_: None,
        goes_first: Callable[[Command], bool] = lambda _: False,
    ) -> None:
        self._refusal, self._goes_first = refusal, goes_first
        self._policies = policies
        self._submit = submit
        self._now = now
        self._delay_s = delay_s
        # Positions with a message that is not heard yet, in order: since when, in the loop's time.
        self._open: dict[int, float] = {}
        self._more: dict[int, int] = {}  # of some of them, how many further messages there are
        self._stalled: dict[StreamId, deque[tuple[int, Command]]] = {}
        self._leaving: dict[float, list[_Message]] = {}  # of one group, by how long it takes them
        # What waits for the loop: by target, and whose turn is next, once for each message. What
        # went ahead leaves its target in there, which then has one turn too many.
        self._waiting: dict[StreamId, deque[tuple[int, Command]]] = {}
        self._turns: deque[StreamId] = deque()
        self._going_on = False
        self.gives_way: Callable[[], bool] = lambda: False  # somebody else has more that goes first
        self.stopped: dict[StreamId, FondacoError] = {}  # targets that will not hear until mended
        self.position = 0

    @property
    def cursor(self) -> int:
        """Everything up to here was heard, durably."""
        return next(iter(self._open)) - 1 if self._open else self.position

    @property
    def open_count(self) -> int:
        return len(self._open)

    def is_telling(self) -> bool:
        """Whether messages wait for the loop."""
        return bool(self._waiting)

    def behind_s(self, now: float) -> float:
        """For how long the oldest message has been on its way, in the loop's time."""
        return now - next(iter(self._open.values())) if self._open else 0.0

    def deliver(self, entries: Sequence[Entry]) -> None:
        """What a committed group says, in order."""
        policies, send, refusal = self._policies, self._send, self._refusal
        since, at = asyncio.get_running_loop().time(), self._now()
        for entry in entries:
            for policy in policies.get(type(entry.event), ()):
                for target, command in policy(entry, at):
                    refused = refusal(entry.stream, target, command)
                    if refused is None:
                        send(entry.position, since, target, command)
                    else:
                        self._refuse(entry.position, since, target, refused)
        if self._leaving:  # one timer for all that are as long on their way
            loop = asyncio.get_running_loop()
            for delay, messages in self._leaving.items():
                loop.call_later(delay, self._arrive, messages)
            self._leaving = {}
        if entries:
            self.position = entries[-1].position
        if not self._going_on:  # else they come behind those that wait already
            self._hand_some(is_now=True)

    def _refuse(self, position: int, since: float, target: StreamId, refused: FondacoError) -> None:
        """It stays open, so that a build that is mended tells it again."""
        self._note_open(position, since)
        self.stopped[target] = refused
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"a message to {target} was refused", "exception": refused}
        )

    def _send(self, position: int, since: float, target: StreamId, command: Command) -> None:
        self._note_open(position, since)
        delay = self._delay_s(target)
        if delay:
            leaving = self._leaving.get(delay)
            if leaving is None:
                leaving = self._leaving[delay] = []
            leaving.append((position, target, command))
        else:
            self._queue(position, target, command)

    def _queue(self, position: int, target: StreamId, command: Command) -> None:
        waiting = self._waiting.get(target)
        if self._goes_first(command):
            if waiting is not None:  # they were told before
                del self._waiting[target]
                for earlier, told in waiting:
                    self._hand_late(earlier, target, told)
            self._try_to_hand(position, target, command)
            return
        if waiting is None:
            waiting = self._waiting[target] = deque()
        waiting.append((position, command))
        self._turns.append(target)

    def _hand_some(self, *, is_now: bool = False) -> None:
        """`is_now`: all that waits was told just now, and is heard at that time."""
        self._going_on = False
        waiting, turns = self._waiting, self._turns
        left = AT_ONCE_BESIDE if waiting and self.gives_way() else AT_ONCE
        hand = self._try_to_hand if is_now else self._hand_late
        while waiting and left:
            target = turns.popleft()
            queued = waiting.get(target)
            if queued is None:
                continue
            position, command = queued.popleft()
            if not queued:
                del waiting[target]
            left -= 1
            hand(position, target, command)
        if waiting:
            self._going_on = True
            asyncio.get_running_loop().call_soon(self._hand_some)
        else:
            turns.clear()

    def _note_open(self, position: int, since: float) -> None:
        if position in self._open:
            self._more[position] = self._more.get(position, 0) + 1
        else:
            self._open[position] = since

    def _arrive(self, messages: list[_Message]) -> None:
        """After a while on their way: they are heard now, and not when they were sent."""
        for position, target, command in messages:
            self._queue(position, target, command)
        if not self._going_on:
            self._hand_some()

    def _hand_late(self, position: int, target: StreamId, command: Command) -> None:
        self._try_to_hand(position, target, replace(command, at=self._now()))

    def _try_to_hand(self, position: int, target: StreamId, command: Command) -> None:
        try:
            self._hand(position, target, command)
        except Exception as error:  # Those behind it must not wait, nor overtake each other.
            text = f"{type(command).__name__} was not handed to {target}"
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": text, "exception": error})

    def _hand(self, position: int, target: StreamId, command: Command) -> None:
        stalled = self._stalled.get(target) if self._stalled else None
        if stalled is not None:
            # Also what was on its way when the target stalled: heard first, it would make those
            # before it look as if they had been heard.
            stalled.append((position, command))
            return
        try:
            answer = self._submit(target, command)
        except Unavailable:
            self._stall(position, target, command)
            return
        answer.then(partial(self._heard, position, target, command))

    def _heard(self, position: int, target: StreamId, command: Command, outcome: Outcome) -> None:
        if not isinstance(outcome, tuple):
            if outcome.retryable:
                self._stall(position, target, command)
            else:
                self.stopped[target] = outcome
            return
        more = self._more.get(position, 0) if self._more else 0
        if more > 1:
            self._more[position] = more - 1
        elif more:
            del self._more[position]
        else:
            del self._open[position]

    def _stall(self, position: int, target: StreamId, command: Command) -> None:
        """Keep the message, and those after it, until the target can be reached."""
        waiting = self._stalled.get(target)
        if waiting is None:
            waiting = self._stalled[target] = deque()
            asyncio.get_running_loop().call_later(RETRY_AFTER_S, self._retry, target)
        waiting.append((position, command))

    def _retry(self, target: StreamId) -> None:
        # In the order of the journal: a turn that failed may have been told after a later one.
        waiting = sorted(self._stalled.pop(target), key=lambda held: held[0])
        for position, command in waiting:  # those that wait for the loop were told later
            self._hand_late(position, target, command)
