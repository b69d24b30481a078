"""Structured logs: one JSON line an event. Nothing of a body or a header gets in, so no secret can.

Successes are logged at DEBUG or INFO, which the order path can do without; what a client did wrong
at INFO, what was not allowed or too much at WARN; our own failures always, with their traceback.
"""

import os
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import Instant

Level = Literal["DEBUG", "INFO", "WARN", "ERROR"]
LEVELS: Final[dict[str, int]] = {"DEBUG": 0, "INFO": 1, "WARN": 2, "ERROR": 3}
_WARNED: Final = frozenset({401, 403, 408, 413, 429, 431})
_NEVER: Final = 1_000
_STDERR: Final = 2
_encode: Final = msgspec.json.Encoder().encode


def to_stderr(line: bytes) -> None:
    """Without a buffer, which would keep what a full disk did not take and fail again with it."""
    os.write(_STDERR, line)


class Log:
    """`status_min` is the lowest status that is logged at all; the hot path only compares it.

    A line that cannot be written is counted in `lost` and stops nobody: the log often lies on the
    disk that is full, and whoever is about to be answered has nothing to do with it.
    """

    def __init__(
        self,
        level: str = "WARN",
        clock: Callable[[], Instant] = lambda: Instant(0),
        write: Callable[[bytes], None] = to_stderr,
    ) -> None:
        self._level = LEVELS[level]
        self._clock = clock
        self._write = write
        self.lost = 0
        self.status_min = {"DEBUG": 0, "INFO": 0, "WARN": 400, "ERROR": _NEVER}[level]

    def line(self, level: Level, event: str, **fields: Any) -> None:
        if LEVELS[level] < self._level:
            return
        seconds, ns = divmod(self._clock(), 1_000_000_000)
        moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        head = {"time": f"{moment}.{ns // 1_000_000:03d}Z", "level": level, "event": event}
        try:
            self._write(_encode({**head, **fields}) + b"\n")
        except OSError:
            self.lost += 1

    def request(self, exchange: Any, status: int, seconds: float) -> None:
        level: Level = "WARN" if status in _WARNED else "INFO"
        self.line(level, "request", status=status, ms=round(seconds * 1e3, 3), **_of(exchange))

    def error(self, exchange: Any, error: FondacoError) -> None:
        cause = error.__cause__
        trace = "".join(traceback.format_exception(cause)) if cause else ""
        level: Level = "WARN" if error.retryable else "ERROR"
        fields = {"code": error.code, "message": error.message, "trace": trace}
        self.line(level, "failure", **fields, **_of(exchange))


def _of(exchange: Any) -> dict[str, str]:
    return {
        "request_id": exchange.request_id,
        "correlation_id": exchange.correlation_id,
        "trace_id": exchange.traceparent[3:35],
        "caller": exchange.caller.name if exchange.caller else "",
        "operation": exchange.endpoint.operation.name,
    }
