"""Workers of a Ray cluster: one that is there, or one on this machine for as long as the pool is.

Machines of a cluster must have this package in the same version: a function travels as its name.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.compute import translated

R = TypeVar("R")
LOCAL: Final = "local"


class RayPool:
    """`address` "local" begins a cluster of `workers` here; "host:port" or "ray://host:port" joins
    one. Where this process is in a cluster already, that one is used, and left as it is."""

    def __init__(self, address: str, workers: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
        try:
            import ray
        except ImportError as error:
            raise Invalid("Ray is not installed: pip install 'fondaco[ray]'") from error
        self._ray: Any = ray
        self.workers = workers
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            begins: dict[str, Any] = {"num_cpus": workers} if address == LOCAL else {}
            try:
                ray.init(
                    address=address, include_dashboard=False, log_to_driver=False,
                    configure_logging=False, **begins,
                )  # fmt: skip
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise Unavailable(f"no Ray cluster at {address}: {error}") from error
        # A task that dies with its worker is told of, as processes of ours are: nothing is retried.
        self._run = ray.remote(max_retries=0, num_cpus=1)(_run)

    def submit(self, function: Callable[..., R], *args: Any) -> "Future[R]":
        ref = self._run.remote(function, *args)
        found: Future[R] = translated(ref.future(), self._error)

        def canceled(future: "Future[R]") -> None:
            if future.cancelled() and self._ray.is_initialized():
                self._ray.cancel(ref)

        found.add_done_callback(canceled)
        return found

    def close(self) -> None:
        if self._is_ours:
            self._ray.shutdown()

    def _error(self, error: BaseException) -> BaseException:
        errors = self._ray.exceptions
        if isinstance(error, errors.RayTaskError):
            cause: BaseException = error.cause
            return cause
        if isinstance(error, errors.RayError):
            return Unavailable(f"a worker of Ray has died: {error}")
        return error


def _run(function: Callable[..., R], *args: Any) -> R:
    return function(*args)
