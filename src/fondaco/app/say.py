"""What the house says to whoever started it, on stderr, which is its log."""

import sys
import traceback
from contextlib import suppress


def say(text: str) -> None:
    """A log that cannot be written stops nobody: it often lies on the disk that is full."""
    with suppress(OSError):
        print(f"fondaco: {text}", file=sys.stderr, flush=True)  # noqa: T201  # stderr is its log


def say_error(what: str, error: BaseException) -> None:
    """Of what nobody foresaw, with where it happened."""
    with suppress(OSError):
        traceback.print_exception(error)
    say(what)
