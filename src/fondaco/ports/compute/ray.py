"""Workers of a Ray cluster: one that is there, or one on this machine for as long as the pool is.

Ray's own library is native, takes signals for itself, and does not bear all others beside it: it
lives in a process of its own, which is told what to run and tells what came of it. Machines of a
cluster must have this package in the same version: a function travels as its name.
"""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import Any, Final, TypeVar

from fondaco.kernel.errors import Invalid, Unavailable

R = TypeVar("R")
LOCAL: Final = "local"
CLOSING_S: Final = 30.0


class RayPool:
    """`address` "local" begins a cluster of `workers` here; "host:port" or "ray://host:port" joins
    one, and leaves it as it is."""

    def __init__(self, address: str, workers: int) -> None:
        if find_spec("ray") is None:
            raise Invalid("Ray is not installed: pip install 'fondaco[ray]'")
        self.workers = workers
        self._futures: dict[int, Future[Any]] = {}
        self._numbers = count()
        self._telling = Lock()
        how = multiprocessing.get_context("spawn")
        self._line, theirs = how.Pipe()
        self._driver = how.Process(target=_drive, args=(theirs, address, workers))
        self._driver.start()
        theirs.close()
        try:
            wrong = self._line.recv()
        except EOFError:
            wrong = "the process that joins it has died"
        if wrong:
            self.close()
            raise Unavailable(f"no Ray cluster at {address}: {wrong}")
        Thread(target=self._hear, daemon=True).start()

    def submit(self, function: Callable[..., R], *args: Any) -> "Future[R]":
        future: Future[R] = Future()
        number = next(self._numbers)
        self._futures[number] = future
        future.add_done_callback(lambda found: self._cancel(number) if found.cancelled() else None)
        self._tell((number, function, args))
        return future

    def close(self) -> None:
        with suppress(OSError):
            self._tell(None)
        self._driver.join(CLOSING_S)
        if self._driver.is_alive():
            self._driver.kill()
            self._driver.join()

    def _tell(self, what: Any) -> None:
        with self._telling:
            try:
                self._line.send(what)
            except (BrokenPipeError, ConnectionResetError) as error:
                raise Unavailable("the process that asks Ray has died") from error

    def _cancel(self, number: int) -> None:
        self._futures.pop(number, None)
        with suppress(Unavailable):
            self._tell((number, None, ()))

    def _hear(self) -> None:
        """In a thread, until the driver ends."""
        while True:
            try:
                number, result, error = self._line.recv()
            except (EOFError, OSError):
                break
            future = self._futures.pop(number, None)
            if future is not None:
                _end(future, result, error)
        for number in list(self._futures):
            future = self._futures.pop(number, None)
            if future is not None:
                _end(future, None, Unavailable("the process that asks Ray has died"))


def _end(future: "Future[Any]", result: Any, error: BaseException | None) -> None:
    with suppress(InvalidStateError):  # it was canceled meanwhile
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


# --- In the process that Ray's library lives in ---------------------------------------------------


def _drive(line: Connection, address: str, workers: int) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
    import ray

    begins: dict[str, Any] = {"num_cpus": workers} if address == LOCAL else {}
    try:
        ray.init(
            address=address, include_dashboard=None if not begins else False,
            log_to_driver=False, configure_logging=False, **begins,
        )  # fmt: skip
    except (ConnectionError, RuntimeError, ValueError) as error:
        line.send(str(error) or type(error).__name__)
        return
    line.send("")
    # A task that dies with its worker is told of, as processes of ours are: nothing is retried.
    run = ray.remote(max_retries=0, num_cpus=1)(_run)
    refs: dict[int, Any] = {}
    telling = Lock()

    def tell(number: int, found: "Future[Any]") -> None:
        refs.pop(number, None)
        error = found.exception()  # Ray cancels no future of its own: it ends with an error
        result = None if error is not None else found.result()
        said = None if error is None else _ours(ray.exceptions, error)
        with telling, suppress(OSError):
            line.send((number, result, said))

    with suppress(EOFError):  # who asks is gone
        while (asked := line.recv()) is not None:
            number, function, args = asked
            if function is None:
                if number in refs:
                    ray.cancel(refs[number])
                continue
            ref = refs[number] = run.remote(function, *args)
            ref.future().add_done_callback(lambda found, nth=number: tell(nth, found))
    ray.shutdown()


def _ours(errors: Any, error: BaseException) -> BaseException:
    if isinstance(error, errors.RayTaskError):
        cause: BaseException = error.cause
        return cause
    return Unavailable(f"a worker of Ray has died: {type(error).__name__}")


def _run(function: Callable[..., R], *args: Any) -> R:
    return function(*args)
