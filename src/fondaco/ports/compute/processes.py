"""Workers in processes of this machine: the default."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import wait
from threading import Thread
from typing import Any, TypeVar

from fondaco.kernel.errors import Unavailable
from fondaco.ports.compute import translated

R = TypeVar("R")


class Processes:
    """`has_threads`: who opens it has threads, which a fork of it would not have. `niceness`: who
    trades comes first."""

    def __init__(self, workers: int, *, has_threads: bool = True, niceness: int = 0) -> None:
        self.workers = workers
        self._waits = not has_threads
        can_fork = "fork" in multiprocessing.get_all_start_methods()
        how = multiprocessing.get_context("fork" if can_fork and not has_threads else "spawn")
        self._pool = ProcessPoolExecutor(workers, how, _begin, (niceness,))

    def submit(self, function: Callable[..., R], *args: Any) -> "Future[R]":
        try:
            found: Future[R] = translated(self._pool.submit(function, *args), _error)
        except BrokenProcessPool as error:
            raise _error(error) from error
        return found

    def close(self) -> None:
        self._pool.shutdown(wait=self._waits, cancel_futures=True)


def _error(error: BaseException) -> BaseException:
    if isinstance(error, BrokenProcessPool):
        return Unavailable(f"a process that worked something out has died: {error}")
    return error


def _begin(niceness: int) -> None:
    """Called in each worker: it is nobody's once who opened the pool is gone, and ends."""
    with suppress(OSError):
        os.nice(niceness)
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
