"""Where lines of a log are kept by somebody else.

Promises, which `tests/conformance/test_log_sinks.py` holds against every adapter:

1. What `put` returned for is kept there, each line with its time. Lines that the other side will
   never take, because they are too old, are counted in what it returns.
2. Whatever is asked at once is within the limits of the other side; a line that is longer than it
   takes comes in parts.
3. Lines that are put again, as after a crash, are kept again: a reader knows them by their content.
4. Raises `Unavailable`, and nothing else, for what may pass later; no secret stands in its message.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Line(NamedTuple):
    """`at_ms` is milliseconds since 1970, UTC."""

    at_ms: int
    text: str


class LogSink(Protocol):
    def put(self, stream: str, lines: Sequence[Line]) -> int:
        """How many lines the other side will never take."""
        ...
