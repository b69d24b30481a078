"""A bus of Redis Streams (Redis 5 and later, Valkey): a stream a partition.

`fondaco.fix.messages:3` is partition 3 of a topic, `fondaco.fix.messages:partitions` how many there
are. An entry has the fields `key`, `value` and `header.NAME`; its id is its offset. What survives a
crash of the server is up to its `appendonly`; a stream keeps about the last million entries.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.bus import PARTITIONS, Carried, Record, no_record, partition_of

ANSWER_S: Final = 5.0
KEPT: Final = 1_000_000  # entries of a stream, about
_HEADER: Final = b"header."


class RedisBus:
    """`url` is `redis://host:6379/0`, `rediss://…` or `unix:///path`."""

    def __init__(self, url: str, partitions: int = PARTITIONS, kept: int = KEPT) -> None:
        self._count, self._kept = partitions, kept
        try:
            self._redis: Any = redis.Redis.from_url(
                url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S,
                retry=Retry(NoBackoff(), 0), client_name="fondaco",
            )  # fmt: skip  # never twice by itself: whoever publishes repeats what it must
        except ValueError as error:
            raise Invalid(f"the address of the bus cannot be used: {error}") from error

    def publish(self, topic: str, records: Sequence[Record]) -> None:
        def add() -> None:
            self._redis.set(f"{topic}:partitions", self._count, nx=True)
            count = int(self._redis.get(f"{topic}:partitions"))
            # A transaction: whatever happens, nothing of it is there, or all.
            with self._redis.pipeline(transaction=True) as pipe:
                for each in records:
                    stream = f"{topic}:{partition_of(each.key, count)}"
                    fields = {f"header.{name}": text for name, text in each.headers.items()}
                    fields |= {"key": each.key, "value": each.value}  # type: ignore[dict-item]
                    pipe.xadd(stream, fields, maxlen=self._kept, approximate=True)
                pipe.execute()

        self._ask(add)

    def partitions(self, topic: str) -> int:
        return int(self._ask(lambda: self._redis.get(f"{topic}:partitions")) or 0)

    def read(
        self, topic: str, partition: int, after: str = "", limit: int = 1_000
    ) -> list[Carried]:
        begin = f"({after}" if after else "-"
        found = self._ask(
            lambda: self._redis.xrange(f"{topic}:{partition}", min=begin, count=limit)
        )
        records: list[Carried] = []
        for offset, fields in found:
            place = offset.decode()
            try:
                records.append(Carried(place, _record(fields)))
            except (KeyError, UnicodeDecodeError) as error:
                if records:
                    break
                raise no_record(topic, partition, place, error) from error
        return records

    def close(self) -> None:
        self._redis.close()

    def _ask(self, what: Callable[[], Any]) -> Any:
        try:
            return what()
        except redis.RedisError as error:
            raise Unavailable(f"the bus in Redis does not do its part: {error}") from error


def _record(fields: dict[bytes, bytes]) -> Record:
    headers = {
        name.removeprefix(_HEADER).decode(): text.decode()
        for name, text in fields.items()
        if name.startswith(_HEADER)
    }
    return Record(fields[b"key"].decode(), fields[b"value"], headers)
