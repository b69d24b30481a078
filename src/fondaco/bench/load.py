"""The loop that offers orders at their due times.

Order n of an open load is due at start + n / rate, whatever became of those before it, and its wait
counts from then: a house that stalls is charged for everybody who queued up meanwhile. A closed
load (rate 0) asks as soon as there is room, and counts from the asking.
"""

import gc
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol, TypeAlias

from fondaco.bench.doors import Answered, Connection
from fondaco.bench.figures import Tally

_RECONNECTS_MAX: Final = 1_000
_IDLE_S: Final = 0.05
_SELECTED_MAX: Final = 1_024

Opens: TypeAlias = Callable[[Answered], Connection]


class Course(NamedTuple):
    """How long, how fast and how many."""

    rate: float  # a second; 0: closed
    seconds: float  # of offering; 0: until `most`
    most: int = 0  # orders; 0: until `seconds`
    together: int = 1  # orders of one bulk: it leaves when the last of them is due
    writes_max: int = 1  # messages that may leave in one write when they are due anyway
    drain_s: float = 10.0  # wait this long for the last answers
    tick_s: float = 0.0005  # look at the clock no more often

    @property
    def orders(self) -> int:
        """How many there are in all; 0: as many as are answered in time."""
        return self.most or round(self.rate * self.seconds)


class Orders(Protocol):
    """Where the bytes of order n come from; `step` is its chance to follow the market."""

    def order(self, nth: int) -> bytes: ...

    def step(self) -> None: ...


class Watch(Protocol):
    """Something else that asks the house now and then, on its own connection."""

    @property
    def sock(self) -> socket.socket: ...

    def look(self, now: float) -> None:
        """Called often: ask, if it is time."""

    def read(self) -> None:
        """Take in what has come."""


class Load:
    """Runs one course, once. `first` numbers its first order."""

    def __init__(self, orders: Orders, *, first: int = 0, watch: Watch | None = None) -> None:
        self.tally = Tally()
        self.offered = 0  # how many were due; of a closed load, how many were sent
        self.started = 0.0
        self._orders = orders
        self._watch = watch
        self._first = first
        self._sent = 0
        self._rate = 0.0
        self._asked_at: dict[int, float] = {}  # of a closed load
        self._epoll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._ready: deque[Connection] = deque()  # have room
        self._reconnects = 0

    def answered(self, nth: int, code: str) -> None:
        """Given to every connection: order `nth` was answered now."""
        now = time.perf_counter()
        if self._rate:
            due = self.started + (nth - self._first) / self._rate
        else:
            due = self._asked_at.pop(nth)
        tally = self.tally
        tally.waits.append(now - due)
        tally.last = now
        if code:
            tally.refused[code] += 1
        else:
            tally.accepted += 1

    def run(self, course: Course, opens: Opens, connections: int) -> Tally:
        for _ in range(connections):
            self._open(opens)
        if self._watch:
            self._epoll.register(self._watch.sock, select.EPOLLIN)
        gc.collect()
        gc.freeze()
        gc.disable()  # or pauses of the load would be charged to the house
        self._rate = course.rate
        self.started = time.perf_counter()
        try:
            self._offer(course, opens)
            patience = time.perf_counter() + course.drain_s
            while self.tally.answered < self._sent and time.perf_counter() < patience:
                self._listen(_IDLE_S, opens)
        finally:
            gc.enable()
            for connection in self._connections.values():
                connection.sock.close()
            self._epoll.close()
        return self.tally

    def _offer(self, course: Course, opens: Opens) -> None:
        total = course.orders or 1 << 62
        seconds = course.seconds or float("inf")
        # A house that cannot keep up is waited for, but not for ever.
        end = self.started + seconds + (course.drain_s if course.rate else 0.0)
        while self._sent < total and (now := time.perf_counter()) < end:
            due = min(int((now - self.started) * course.rate) + 1, total) if course.rate else total
            self._send(due, course, whole=due == total)
            self._orders.step()
            if self._watch:
                self._watch.look(now)
            self._listen(self._pause(course, due), opens)
        self.offered = total if course.orders else self._sent

    def _send(self, due: int, course: Course, *, whole: bool) -> None:
        """Ask for what is due where there is room. `whole`: nobody will join the last ones."""
        order, ready = self._orders.order, self._ready
        while ready and (waiting := due - self._sent) > 0:
            if waiting < course.together and not whole:
                return
            connection = ready.popleft()
            count = min(waiting, connection.room, max(course.together, course.writes_max))
            first = self._first + self._sent
            self._sent += count
            if not course.rate:
                now = time.perf_counter()
                self._asked_at.update(dict.fromkeys(range(first, first + count), now))
            connection.ask(first, [order(nth) for nth in range(first, first + count)])
            if connection.room > 0:
                ready.append(connection)

    def _pause(self, course: Course, due: int) -> float:
        """Until the next is due, where somebody could carry it."""
        if not course.rate or not self._ready:
            return _IDLE_S
        next_due = self.started + (max(due, self._sent + course.together) - 1) / course.rate
        return min(max(next_due - time.perf_counter(), course.tick_s), _IDLE_S)

    def _listen(self, timeout_s: float, opens: Opens) -> None:
        """Read what came. `select` on the epoll waits in microseconds, epoll itself only in ms;
        but it takes no file beyond the first 1,024 of a process."""
        if self._epoll.fileno() < _SELECTED_MAX:
            select.select([self._epoll], [], [], timeout_s)
            timeout_s = 0
        for number, _ in self._epoll.poll(timeout_s):
            connection = self._connections.get(number)
            if connection is None:
                assert self._watch  # noqa: S101  nothing else is registered
                self._watch.read()
                continue
            had_room = connection.room > 0
            if not connection.read():
                self._replace(connection, number, opens)
            elif not had_room and connection.room > 0:
                self._ready.append(connection)

    def _open(self, opens: Opens) -> None:
        connection = opens(self.answered)
        self._connections[connection.sock.fileno()] = connection
        self._epoll.register(connection.sock, select.EPOLLIN)
        self._ready.append(connection)

    def _replace(self, gone: Connection, number: int, opens: Opens) -> None:
        del self._connections[number]
        if gone in self._ready:
            self._ready.remove(gone)
        self._epoll.unregister(number)
        gone.sock.close()
        self._reconnects += 1
        if self._reconnects > _RECONNECTS_MAX:
            raise ConnectionError("the house closes every connection")
        self._open(opens)
