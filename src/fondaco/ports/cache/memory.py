"""The cache in this process. Keeps every promise, within a bounded number of entries."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from threading import Lock
from typing import Final, NamedTuple

from fondaco.ports.cache import Drawn, Ranks
from fondaco.ports.cache.boards import BOARDS_MAX, KeptRanks, lasting

_ENTRIES_MAX: Final = 100_000
_SECOND: Final = 1_000_000_000
_MILLISECOND: Final = 1_000_000
_SWEPT_AT_ONCE: Final = 64


class _Kept(NamedTuple):
    value: bytes
    until: int


class MemoryCache:
    """`clock` counts nanoseconds and never goes back."""

    def __init__(self, clock: Callable[[], int], *, entries_max: int = _ENTRIES_MAX) -> None:
        self._clock = clock
        self._entries_max = entries_max
        self._lock = Lock()
        self._kept: dict[str, _Kept] = {}  # the longest unused first
        self._full_at: dict[str, int] = {}  # when a bucket will be; the longest unused first
        self._boards: dict[str, KeptRanks] = {}  # the longest unused first
        self._receivers: dict[str, list[Callable[[bytes], None]]] = {}

    def get(self, key: str) -> bytes | None:
        with self._lock:
            kept = self._live(key)
            if kept is None:
                return None
            self._kept[key] = self._kept.pop(key)
            return kept.value

    def put(self, key: str, value: bytes, ttl_ms: int) -> None:
        with self._lock:
            self._keep(key, value, ttl_ms)

    def put_if_absent(self, key: str, value: bytes, ttl_ms: int) -> bool:
        with self._lock:
            if self._live(key) is not None:
                return False
            self._keep(key, value, ttl_ms)
            return True

    def pop(self, key: str) -> bytes | None:
        with self._lock:
            kept = self._live(key)
            self._kept.pop(key, None)
            return kept.value if kept else None

    def delete(self, key: str) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def publish(self, channel: str, message: bytes) -> None:
        with self._lock:
            receivers = tuple(self._receivers.get(channel, ()))
        for receive in receivers:
            receive(message)

    def subscribe(self, channel: str, receive: Callable[[bytes], None]) -> Callable[[], None]:
        def once(message: bytes) -> None:  # of its own, though one may subscribe twice
            receive(message)

        def leave() -> None:
            with self._lock:
                receivers = self._receivers.get(channel, [])
                if once in receivers:
                    receivers.remove(once)
                if not receivers:
                    self._receivers.pop(channel, None)

        with self._lock:
            self._receivers.setdefault(channel, []).append(once)
        return leave

    def put_ranks(self, board: str, scores: Mapping[str, int], mark: str, ttl_ms: int) -> None:
        made = KeptRanks(scores, mark, self._clock() + lasting(ttl_ms) * _MILLISECOND)
        with self._lock:
            self._boards.pop(board, None)
            self._boards[board] = made
            if len(self._boards) > BOARDS_MAX:
                del self._boards[next(iter(self._boards))]

    def move_ranks(
        self, board: str, changes: Mapping[str, int | None], since: str, mark: str
    ) -> bool:
        with self._lock:
            kept = self._board(board)
            if kept is None or kept.mark != since:
                return False
            kept.move(changes, mark)
            return True

    def ranks(self, board: str, limit: int, members: Sequence[str] = ()) -> Ranks | None:
        with self._lock:
            kept = self._board(board)
            return None if kept is None else kept.seen(limit, members)

    def _board(self, board: str) -> KeptRanks | None:
        """The last used is the last to go."""
        kept = self._boards.pop(board, None)
        if kept is None or kept.until <= self._clock():
            return None
        self._boards[board] = kept
        return kept

    def take(self, bucket: str, *, per_s: int, burst: int) -> int:
        """See `Cache`."""
        return self.draw(bucket, per_s=per_s, burst=burst).wait_ns

    def draw(self, bucket: str, *, per_s: int, burst: int) -> Drawn:
        """A bucket is the moment at which it will be full; a grant moves that on by its price."""
        price = -(-_SECOND // per_s)  # rounded up: never more than the rate
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at.pop(bucket, now), now)
            wait = full_at + price - now - burst * price
            if wait <= 0:
                full_at += price
            self._full_at[bucket] = full_at
            self._sweep(now)
            return Drawn(max(wait, 0), full_at - now)

    def close(self) -> None:
        """Nothing is held but memory."""

    def _live(self, key: str) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is not None and kept.until <= self._clock():
            del self._kept[key]
            return None
        return kept

    def _keep(self, key: str, value: bytes, ttl_ms: int) -> None:
        now = self._clock()
        self._kept.pop(key, None)
        self._kept[key] = _Kept(value, now + ttl_ms * _MILLISECOND)
        self._sweep(now)

    def _sweep(self, now: int) -> None:
        """Make room. A few entries at a time, so that no caller pays for all of them."""
        if len(self._kept) > self._entries_max:
            eldest = list(islice(self._kept.items(), _SWEPT_AT_ONCE))
            ended = [key for key, kept in eldest if kept.until <= now]
            for key in ended or [min(eldest, key=lambda item: item[1].until)[0]]:
                del self._kept[key]
        if len(self._full_at) > self._entries_max:
            eldest_buckets = list(islice(self._full_at.items(), _SWEPT_AT_ONCE))
            full = [bucket for bucket, full_at in eldest_buckets if full_at <= now]
            for bucket in full or [eldest_buckets[0][0]]:
                del self._full_at[bucket]
