"""The cache: what may be forgotten at any moment. Whoever reads it can work it out again.

Promises, which `tests/conformance/test_cache.py` holds every adapter to, one test each:

1. `get` gives what the last `put` of that key gave, until it expires or is deleted; never longer.
2. It may be gone earlier: when the cache is full, entries near their end or long unused go first.
3. `put_if_absent` and `pop` are atomic: of any number of callers, one succeeds.
4. A message reaches everybody who subscribed before it was published, once at most, in the order of
   its publisher; nobody who came later, and nobody who has left.
5. A board of ranks is put there whole, with a mark of what it was worked out from, and whoever
   looks sees all of it as of one mark. Ranks go from the highest score down, to the unit; equal
   scores share a rank, and the next rank is missed out (1, 2, 2, 4: standard competition ranking);
   among equals the member's name decides who is shown first. A move changes a board only from the
   mark that the move was worked out from: of any number of callers, one succeeds.
6. Over any stretch of time a bucket grants at most its burst and what its rate adds meanwhile; who
   is told to wait, and alone does so, is granted then. A refusal takes nothing.

Whatever is asked raises `Unavailable` while a cache elsewhere does not answer.

Values are bytes, keys and members text, scores and times whole numbers, so that another machine can
keep them. Lua scripts or transactions make 3 and 6 atomic there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

# How long things may stay, at most. Requirements C53 and X9.
IDEMPOTENCY_MS: Final = 24 * 3_600_000
ORDER_MS: Final = 3_600_000
ORDER_BOOK_MS: Final = 1_000  # a newer sequence replaces it earlier
QUOTE_MS: Final = 60_000  # for display only, its age shown
SESSION_IDLE_MS: Final = 30 * 60_000
SESSION_ABSOLUTE_MS: Final = 24 * 3_600_000
TICKET_MS: Final = 30_000


SCORE_MAX: Final = 2**126  # of a rank, either way


# The names of keys. Requirement C54.
def idempotency_key(key: str) -> str:
    return f"idempotency:{key}"


def order_key(order_id: str) -> str:
    return f"order:{order_id}"


def order_book_key(symbol: str) -> str:
    return f"orderbook:{symbol}"


def position_key(user_id: str, symbol: str) -> str:
    return f"position:{user_id}:{symbol}"


class Ranked(NamedTuple):
    rank: int  # 1 is the highest
    member: str
    score: int


class Ranks(NamedTuple):
    """A board as it is at one mark."""

    mark: str
    members: int  # how many are on it
    top: Sequence[Ranked]
    asked: Mapping[str, Ranked]  # of those asked for, who is on it


class Drawn(NamedTuple):
    """What a bucket has said."""

    wait_ns: int  # 0: granted
    ahead_ns: int  # until it is full


class Cache(Protocol):
    """Safe to call from any thread."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, value: bytes, ttl_ms: int) -> None: ...

    def put_if_absent(self, key: str, value: bytes, ttl_ms: int) -> bool:
        """Whether it was put: False where the key holds something."""
        ...

    def pop(self, key: str) -> bytes | None:
        """Get and delete at once."""
        ...

    def delete(self, key: str) -> None: ...

    def publish(self, channel: str, message: bytes) -> None: ...

    def subscribe(self, channel: str, receive: Callable[[bytes], None]) -> Callable[[], None]:
        """Call `receive`, which must not wait, with every message. Returns how to leave."""
        ...

    def put_ranks(self, board: str, scores: Mapping[str, int], mark: str, ttl_ms: int) -> None:
        """All of a board at once. Raises `Invalid` for a score beyond `SCORE_MAX`."""
        ...

    def move_ranks(
        self, board: str, changes: Mapping[str, int | None], since: str, mark: str
    ) -> bool:
        """Put members on it, move them, or take them off it (None). False: it does not stand at
        `since`, or is not there, and nothing was changed."""
        ...

    def ranks(self, board: str, limit: int, members: Sequence[str] = ()) -> Ranks | None:
        """The first `limit`, and each of `members`; None where it is not, or not all of it."""
        ...

    def take(self, bucket: str, *, per_s: int, burst: int) -> int:
        """One from a bucket of `burst` that fills at `per_s`: 0, or the nanoseconds to wait."""
        ...

    def draw(self, bucket: str, *, per_s: int, burst: int) -> Drawn:
        """As `take`, and how much of the bucket is out."""
        ...

    def close(self) -> None: ...
