"""One thread in which time is a number: the event loop of a simulation, and processes that die.

Under one seed everything happens in one order. What nothing promises an order to is put into
another one under another seed: when two tasks that became ready go on, how long work on another
thread takes, and so which of two pieces of it is done first. What `call_soon` promises is kept.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from typing import Any, Final, TypeVar

from fondaco.kernel.seeded import Seeded

T = TypeVar("T")

SECOND_NS: Final = 1_000_000_000
MS_NS: Final = 1_000_000
CALLBACK_NS: Final = 1_000  # what one callback takes
LATER_NS: Final = 50_000  # by which a task that is ready may have to wait for its turn
WORK_NS: Final = 200_000  # of a piece of work on another thread, usually
WORK_SLOW_NS: Final = 20_000_000  # … and now and then


class Died(BaseException):
    """The process has ended inside a call. Nothing of it may run after that."""


class Stalled(Exception):
    """Everybody waits, and nothing is under way that they could wait for."""


class Process:
    """What dies together: the tasks and callbacks that were begun inside, and theirs in turn."""

    def __init__(self, loop: "SimulatedLoop", name: str) -> None:
        self.name = name
        self.alive = True
        self._loop = loop
        self._tasks: list[asyncio.Task[Any]] = []
        self._context = copy_context()
        self._context.run(_PROCESS.set, self)

    def call(self, act: Callable[..., T], *args: Any) -> T:
        """Call `act` as if from inside."""
        return self._context.copy().run(act, *args)

    def begin(self, part: Coroutine[Any, Any, T], name: str) -> "asyncio.Task[T]":
        return self.call(lambda: self._loop.create_task(part, name=name))

    def note(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.append(task)

    def kill(self) -> None:
        """As SIGKILL does: from here on, none of its callbacks is called."""
        self.alive = False

    def bury(self) -> None:
        """Let go of what it was doing, in the order in which it was begun."""
        for task in self._tasks:
            work = task.get_coro()
            if not task.done() and work is not None:
                try:
                    work.close()
                except (RuntimeError, ValueError):
                    continue  # it awaits while it closes, or it is what died
        self._tasks.clear()


_PROCESS: Final[ContextVar[Process | None]] = ContextVar("process", default=None)


class SimulatedLoop(asyncio.BaseEventLoop):
    """Time stands still while a callback runs, and then goes to when the next one is due."""

    def __init__(self, dice: Seeded) -> None:
        super().__init__()
        self._dice = dice
        self._due: list[tuple[int, int, asyncio.TimerHandle, Process | None]] = []
        self._count = 0
        self.now_ns = 0
        self.callbacks = 0
        self.slow_until_ns = 0  # until then every piece of work is slow
        self.on_error: Callable[[dict[str, Any]], None] = lambda told: None

    # --- What asyncio asks of a loop --------------------------------------------------------------

    def time(self) -> float:
        return self.now_ns / SECOND_NS

    def get_debug(self) -> bool:
        return False

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        wait_ns = 0
        if isinstance(getattr(callback, "__self__", None), asyncio.Task) and self._dice.chance(
            1, 4
        ):
            wait_ns = self._dice.below(LATER_NS)
        return self._at(self.now_ns + wait_ns, callback, args, context)

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        raise RuntimeError(f"another thread is at work: {callback}")

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self._at(self.now_ns + int(delay * SECOND_NS), callback, args, context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self._at(int(when * SECOND_NS), callback, args, context)

    def create_task(self, coro: Any, **named: Any) -> "asyncio.Task[Any]":
        task: asyncio.Task[Any] = super().create_task(coro, **named)
        process = _PROCESS.get()
        if process is not None:
            process.note(task)
        return task

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """Done here, a while from now; and known a while after that."""
        done: asyncio.Future[T] = self.create_future()
        self._at(self.now_ns + self._work_ns(), self._work, (done, func, args), None)
        return done

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        message = str(context.get("message", ""))
        if not message.startswith("Task was destroyed"):  # with its process
            self.on_error(context)

    # --- What the simulation asks -----------------------------------------------------------------

    def step(self) -> bool:
        """Call what is due next; False where nothing is."""
        while self._due:
            when, _, handle, process = heappop(self._due)
            if handle.cancelled() or (process is not None and not process.alive):
                continue
            self.now_ns = max(self.now_ns, when) + CALLBACK_NS
            self.callbacks += 1
            handle._run()
            return True
        return False

    def run_while(self, goes_on: Callable[[], bool]) -> None:
        """Raises `Stalled` where nothing will ever happen again."""
        asyncio._set_running_loop(self)
        try:
            while goes_on():
                if not self.step():
                    raise Stalled("everybody waits, and nobody is at work")
        finally:
            asyncio._set_running_loop(None)

    def outside(self, when_ns: int, callback: Callable[..., object], *args: Any) -> None:
        """Call it then, whatever becomes of the process that asks for it: it has left that one."""
        context = copy_context()
        context.run(_PROCESS.set, None)
        self._at(when_ns, callback, args, context)

    def _at(
        self,
        when_ns: int,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> asyncio.TimerHandle:
        if context is None:
            context = copy_context()
        handle = asyncio.TimerHandle(when_ns / SECOND_NS, callback, args, self, context)
        self._count += 1
        heappush(self._due, (when_ns, self._count, handle, context.get(_PROCESS)))
        return handle

    def _work_ns(self) -> int:
        dice = self._dice
        if self.now_ns < self.slow_until_ns or dice.chance(1, 50):
            return dice.below(WORK_SLOW_NS)
        return dice.below(WORK_NS)

    def _work(self, done: "asyncio.Future[T]", func: Callable[..., T], args: Any) -> None:
        result: Any = None
        failed: Exception | None = None
        try:
            result = func(*args)
        except Died:
            return
        except Exception as error:  # goes to whoever waits, as an executor's does
            failed = error
        self._at(self.now_ns + self._work_ns(), self._tell, (done, result, failed), None)

    def _tell(self, done: "asyncio.Future[T]", result: T, failed: Exception | None) -> None:
        if done.done():
            return
        if failed is not None:
            done.set_exception(failed)
        else:
            done.set_result(result)
