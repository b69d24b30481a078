"""Compute: workers that run pure functions, in other processes or on other machines.

Promises, which `tests/conformance/test_compute.py` holds every adapter to, one test each:

1. What a function returns comes back as it is, whichever worker runs it and however many there are.
2. An error of ours that a function raises is raised where its result is asked for, as it was.
3. A worker that dies is `Unavailable` to whoever waits for it; a pool that is opened anew goes on.
4. What has not begun can be canceled, and then never runs.
5. Once it is closed, no worker is left.

A function is one of a module, and its arguments and its result are values: nothing is shared.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from typing import Any, Protocol, TypeVar

R = TypeVar("R")


class Pool(Protocol):
    """Any thread may ask; one at a time closes it."""

    @property
    def workers(self) -> int: ...

    def submit(self, function: Callable[..., R], *args: Any) -> "Future[R]": ...

    def close(self) -> None: ...


def translated(inner: "Future[R]", error_of: Callable[[BaseException], BaseException]) -> Any:
    """A future with the errors of an adapter in our words; canceling it cancels the other."""
    outer: Future[R] = Future()

    def done(found: "Future[R]") -> None:
        with suppress(InvalidStateError):  # it was canceled meanwhile
            try:
                error = found.exception()
            except CancelledError:
                outer.cancel()
                return
            if error is None:
                outer.set_result(found.result())
            else:
                outer.set_exception(error_of(error))

    def canceled(found: "Future[R]") -> None:
        if found.cancelled():
            inner.cancel()

    outer.add_done_callback(canceled)
    inner.add_done_callback(done)
    return outer
