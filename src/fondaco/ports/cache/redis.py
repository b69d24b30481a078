"""The cache in Redis or Valkey, shared by every process that names the same one.

What must be atomic is one command, or one script on the server. Keys end by the server's clock, and
buckets fill by it, so that all who share them agree.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from os import urandom
from threading import Event as Flag
from threading import Lock, Thread
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.cache import Drawn, Ranks
from fondaco.ports.cache.boards import lasting
from fondaco.ports.cache.redis_boards import RedisBoards

ANSWER_S: Final = 0.25  # the order door waits for a bucket: better none than a late one
AGAIN_NS: Final = 1_000_000_000  # after a failure nobody waits for the next one so soon
ENTER_S: Final = 5.0  # for the server to say that somebody is subscribed
LISTEN_S: Final = 1.0
_SECOND: Final = 1_000_000_000

# A bucket is the moment at which it will be full. Numbers are doubles here, so a moment is two of
# them, seconds and nanoseconds, and only differences are multiplied out. It is kept for a minute
# longer than it says anything.
_TAKE: Final = """
local s, n = tonumber(ARGV[3]), tonumber(ARGV[4])
if s < 0 then
    local t = redis.call('TIME')
    s, n = tonumber(t[1]), tonumber(t[2]) * 1000
end
local price, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 's', 'n')
local ahead = 0  -- of now, until it is full
if kept[1] then ahead = (tonumber(kept[1]) - s) * 1e9 + (tonumber(kept[2]) - n) end
if ahead < 0 then ahead = 0 end
local wait = ahead + price - burst * price
if wait > 0 then return {string.format('%.0f', wait), string.format('%.0f', ahead)} end
local full = n + ahead + price
redis.call('HSET', KEYS[1], 's', string.format('%.0f', s + math.floor(full / 1e9)),
           'n', string.format('%.0f', full % 1e9))
redis.call('PEXPIRE', KEYS[1], math.ceil((ahead + price) / 1e6) + 60000)
return {'0', string.format('%.0f', ahead + price)}
"""


class RedisCache:
    """`url` is `redis://host:6379/0`, `rediss://…` or `unix:///path`; `clock` counts nanoseconds.

    With `own_time` the buckets go by `clock` too, for who shares them with nobody. Raises
    `Unavailable` while the server does not answer, at once where it did not a moment ago.
    """

    def __init__(self, url: str, clock: Callable[[], int], *, own_time: bool = False) -> None:
        self._clock = clock
        self._own_time = own_time
        self._down_until = 0
        self._redis = _client(url, ANSWER_S)
        self._where = _named(self._redis)
        self._take = self._redis.register_script(_TAKE)
        self._boards = RedisBoards(self._redis, self._ask)
        self._listener = _Listener(_client(url, ENTER_S), self._wake)
        self._ask(self._redis.ping)

    def get(self, key: str) -> bytes | None:
        found: bytes | None = self._ask(self._redis.get, key)
        return found

    def put(self, key: str, value: bytes, ttl_ms: int) -> None:
        self._ask(self._redis.set, key, value, px=lasting(ttl_ms))

    def put_if_absent(self, key: str, value: bytes, ttl_ms: int) -> bool:
        return bool(self._ask(self._redis.set, key, value, px=lasting(ttl_ms), nx=True))

    def pop(self, key: str) -> bytes | None:
        found: bytes | None = self._ask(self._redis.getdel, key)
        return found

    def delete(self, key: str) -> None:
        self._ask(self._redis.delete, key)

    def publish(self, channel: str, message: bytes) -> None:
        self._ask(self._redis.publish, channel, message)

    def subscribe(self, channel: str, receive: Callable[[bytes], None]) -> Callable[[], None]:
        """`receive` is called on a thread of the cache's own. What is published while the
        connection to the server is broken is missed."""
        return self._listener.enter(channel, receive)

    def put_ranks(self, board: str, scores: Mapping[str, int], mark: str, ttl_ms: int) -> None:
        self._boards.put(board, scores, mark, ttl_ms)

    def move_ranks(
        self, board: str, changes: Mapping[str, int | None], since: str, mark: str
    ) -> bool:
        return self._boards.move(board, changes, since, mark)

    def ranks(self, board: str, limit: int, members: Sequence[str] = ()) -> Ranks | None:
        return self._boards.look(board, limit, members)

    def take(self, bucket: str, *, per_s: int, burst: int) -> int:
        return self.draw(bucket, per_s=per_s, burst=burst).wait_ns

    def draw(self, bucket: str, *, per_s: int, burst: int) -> Drawn:
        price = -(-_SECOND // per_s)  # rounded up: never more than the rate
        now = divmod(self._clock(), _SECOND) if self._own_time else (-1, 0)
        said = self._ask(self._take, keys=[bucket], args=[price, burst, *now])
        return Drawn(*map(int, said))

    def close(self) -> None:
        self._listener.close()
        self._redis.close()

    def _wake(self, channel: str) -> None:
        self._ask(self._redis.publish, channel, b"")

    def _ask(self, act: Callable[..., Any], *values: Any, **named: Any) -> Any:
        now = self._clock()
        if now < self._down_until:
            raise Unavailable(f"{self._where} did not answer a moment ago", retry_after_s=1)
        try:
            return act(*values, **named)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self._down_until = now + AGAIN_NS
            raise Unavailable(f"{self._where} does not answer: {error}") from error
        except redis.RedisError as error:
            raise Unavailable(f"{self._where}: {error}") from error


class _Subscriber:
    __slots__ = ("channel", "entered", "receive")

    def __init__(self, channel: str, receive: Callable[[bytes], None]) -> None:
        self.channel = channel
        self.receive = receive
        self.entered = Flag()  # the server has said so: what was published before is not for them


class _Listener:
    """One connection and one thread for all subscriptions; it begins with the first.

    The server says who is subscribed in the same row in which it sends messages, so who enters is
    told exactly what was published after that.
    """

    def __init__(self, client: Any, wake: Callable[[str], None]) -> None:
        self._redis = client
        self._call_on = wake
        self._own = f"fondaco:wake:{urandom(8).hex()}"  # only we publish on it
        self._lock = Lock()
        self._members: dict[str, list[_Subscriber]] = {}
        self._new: list[_Subscriber] = []  # for whom the server was not asked yet
        # For whom it was: its answers come in the order of the questions.
        self._asked: dict[str, deque[list[_Subscriber]]] = {}
        self._ended = Flag()
        self._begun = Flag()
        self._thread: Thread | None = None

    def enter(self, channel: str, receive: Callable[[bytes], None]) -> Callable[[], None]:
        member = _Subscriber(channel, receive)
        with self._lock:
            self._members.setdefault(channel, []).append(member)
            self._new.append(member)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="cache-listener", daemon=True)
                self._thread.start()

        def leave() -> None:
            with self._lock:
                members = self._members.get(channel, [])
                if member in members:
                    members.remove(member)

        if self._begun.wait(ENTER_S):
            self._call_on(self._own)
        if not member.entered.wait(ENTER_S):
            leave()
            raise Unavailable(f"the cache did not take a subscription in {ENTER_S:.0f} s")
        return leave

    def close(self) -> None:
        self._ended.set()
        if self._thread is not None:
            with suppress(Unavailable):
                self._call_on(self._own)
            self._thread.join()
        self._redis.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            pubsub = self._redis.pubsub()
            try:
                with self._lock:
                    self._new.clear()
                    self._asked = {name: deque([list(m)]) for name, m in self._members.items()}
                pubsub.subscribe(self._own, *self._asked)
                while not self._ended.is_set():
                    self._hear(pubsub, pubsub.get_message(timeout=LISTEN_S))
            except redis.RedisError:
                self._ended.wait(LISTEN_S)  # then everybody is subscribed anew
            finally:
                pubsub.close()

    def _hear(self, pubsub: Any, told: dict[str, Any] | None) -> None:
        if told is None:
            return
        channel = told["channel"].decode()
        if channel == self._own:
            self._begun.set()
            self._ask_for_all(pubsub)
        elif told["type"] == "subscribe":
            asked = self._asked.get(channel)
            for member in asked.popleft() if asked else ():
                member.entered.set()
        elif told["type"] == "message":
            with self._lock:
                members = [each for each in self._members.get(channel, ()) if each.entered.is_set()]
            for member in members:
                member.receive(told["data"])

    def _ask_for_all(self, pubsub: Any) -> None:
        """Subscribe those who came since, and leave the channels that nobody is left on."""
        with self._lock:
            new: dict[str, list[_Subscriber]] = {}
            for member in self._new:
                new.setdefault(member.channel, []).append(member)
            self._new.clear()
            empty = [channel for channel, members in self._members.items() if not members]
            for channel in empty:
                del self._members[channel]
        if empty:
            pubsub.unsubscribe(*empty)
        for channel, members in new.items():
            self._asked.setdefault(channel, deque()).append(members)
            pubsub.subscribe(channel)


def _client(url: str, timeout_s: float) -> Any:
    try:
        return redis.Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0), client_name="fondaco",
        )  # fmt: skip  # never twice by itself: a `pop` that was heard twice gives nobody anything
    except ValueError as error:
        raise Invalid(f"the address of the cache cannot be used: {error}") from error


def _named(client: Any) -> str:
    """The server, without what is secret in its address."""
    parts = client.connection_pool.connection_kwargs
    where = parts.get("path") or f"{parts.get('host', 'localhost')}:{parts.get('port', 6379)}"
    return f"Redis {where}/{parts.get('db', 0)}"
