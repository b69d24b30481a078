"""Amazon CloudWatch Logs: PutLogEvents, within its documented limits (API reference, version
2014-03-28). Credentials, region and endpoints are found as boto3 finds them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fondaco.kernel.errors import Unavailable
from fondaco.ports.logs import Line

BATCH_EVENTS: Final = 10_000
BATCH_BYTES: Final = 1_048_576  # of all messages in UTF-8, and of each event's overhead
EVENT_OVERHEAD: Final = 26
# The least that any version of the reference says; four bytes less, for a character that is cut.
EVENT_BYTES: Final = 262_144 - EVENT_OVERHEAD - 4
SPAN_MS: Final = 24 * 3_600_000
TIMEOUT_S: Final = 10
_MISSING: Final = "ResourceNotFoundException"
_THERE: Final = "ResourceAlreadyExistsException"


def batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """In the order of time, each as large as may be asked at once."""
    batch: list[Line] = []
    size = 0
    for line in sorted(_parts(lines), key=lambda each: each.at_ms):
        cost = len(line.text.encode()) + EVENT_OVERHEAD
        is_full = len(batch) == BATCH_EVENTS or size + cost > BATCH_BYTES
        if batch and (is_full or line.at_ms - batch[0].at_ms >= SPAN_MS):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += cost
    if batch:
        yield batch


def _parts(lines: Iterable[Line]) -> Iterator[Line]:
    """An empty message is none: there is nothing to lose of it."""
    for line in lines:
        raw = line.text.encode()
        while raw:
            part = raw[:EVENT_BYTES].decode(errors="ignore") if len(raw) > EVENT_BYTES else ""
            part = part or raw.decode()
            yield line._replace(text=part)
            raw = raw[len(part.encode()) :]


class CloudWatch:
    """A log group, which is made where there is none; so are its streams."""

    def __init__(self, region: str, group: str) -> None:
        self._group = group
        config = Config(
            connect_timeout=TIMEOUT_S,
            read_timeout=TIMEOUT_S,
            retries={"mode": "standard", "max_attempts": 3},
        )
        try:
            self._logs: Any = boto3.client("logs", region_name=region or None, config=config)
        except BotoCoreError as error:
            raise Unavailable(f"CloudWatch cannot be asked: {type(error).__name__}") from None

    def put(self, stream: str, lines: Sequence[Line]) -> int:
        """See `LogSink`."""
        return sum(self._put(stream, batch) for batch in batches(lines))

    def _put(self, stream: str, batch: list[Line]) -> int:
        events = [{"timestamp": line.at_ms, "message": line.text} for line in batch]
        where = {"logGroupName": self._group, "logStreamName": stream}
        try:
            try:
                said = self._logs.put_log_events(**where, logEvents=events)
            except ClientError as error:
                if _code(error) != _MISSING:
                    raise
                self._make(stream)
                said = self._logs.put_log_events(**where, logEvents=events)
        except ClientError as error:
            raise Unavailable(f"CloudWatch says {_code(error)}") from None
        except BotoCoreError as error:
            raise Unavailable(f"CloudWatch does not answer: {type(error).__name__}") from None
        return refused(said.get("rejectedLogEventsInfo") or {}, len(batch))

    def _make(self, stream: str) -> None:
        for make, named in (
            (self._logs.create_log_group, {}),
            (self._logs.create_log_stream, {"logStreamName": stream}),
        ):
            try:
                make(logGroupName=self._group, **named)
            except ClientError as error:
                if _code(error) != _THERE:
                    raise


def refused(told: dict[str, int], count: int) -> int:
    """How many of a batch were not taken. Old ones end before an index, new ones begin at one."""
    old = max(told.get("tooOldLogEventEndIndex", 0), told.get("expiredLogEventEndIndex", 0))
    return old + count - told.get("tooNewLogEventStartIndex", count)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "nothing that is known"))
