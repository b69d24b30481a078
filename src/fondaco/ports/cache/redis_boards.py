"""A board of ranks as Redis keeps it: one sorted set of names, and a hash that says where each is.

The scores of a sorted set are doubles, which round beyond 2**53: money in 10^-8 is there at 90
million. So all scores are 0, and the set is in the order of its members' bytes: 32 hexadecimal
digits of how far the score is below the highest there may be, then the member's name. Ranks are
counts of what comes before (ZLEXCOUNT), exact for whole numbers of 126 bits.

Both keys have one hash tag, so that they lie on one node of a cluster. Where a server has thrown
one of them away, the board is not there: it is worked out again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from os import urandom
from typing import Any, Final

from fondaco.ports.cache import SCORE_MAX, Ranked, Ranks
from fondaco.ports.cache.boards import checked, counted, lasting

CHUNK: Final = 2_000  # members a command: none of them keeps others waiting
HALF_MADE_MS: Final = 60_000  # after which nothing is left of a board that nobody finished
_DIGITS: Final = 32
_MARK: Final = b"\0mark"  # no member's place: those are digits
# The set has as many members as the hash but for its mark; else a part of it is gone.
_WHOLE: Final = """
local mark = redis.call('HGET', KEYS[2], ARGV[1])
if not mark or redis.call('ZCARD', KEYS[1]) + 1 ~= redis.call('HLEN', KEYS[2]) then
    return false
end
"""
_LOOK: Final = (
    _WHOLE
    + """
local top = {}
if tonumber(ARGV[2]) > 0 then top = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1) end
local asked = {}
for n = 3, #ARGV do
    local at = redis.call('HGET', KEYS[2], ARGV[n])
    if at then
        asked[n - 2] = {at, redis.call('ZLEXCOUNT', KEYS[1], '-', '(' .. at) + 1}
    else
        asked[n - 2] = {}
    end
end
return {mark, redis.call('ZCARD', KEYS[1]), top, asked}
"""
)
_MOVE: Final = (
    _WHOLE
    + """
if mark ~= ARGV[2] then return false end
for n = 4, #ARGV, 2 do
    local name, to = ARGV[n], ARGV[n + 1]
    local at = redis.call('HGET', KEYS[2], name)
    if at then redis.call('ZREM', KEYS[1], at .. string.sub(name, 2)) end
    if to == '' then
        redis.call('HDEL', KEYS[2], name)
    else
        redis.call('ZADD', KEYS[1], 0, to .. string.sub(name, 2))
        redis.call('HSET', KEYS[2], name, to)
    end
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
local left = redis.call('PTTL', KEYS[2])
if left > 0 then redis.call('PEXPIRE', KEYS[1], left) end
return 1
"""
)


def _place(score: int) -> bytes:
    """From the highest down."""
    return f"{SCORE_MAX - score:0{_DIGITS}x}".encode()


def _score(place: bytes) -> int:
    return SCORE_MAX - int(place, 16)


def _field(member: str) -> bytes:
    """Of the hash. Never the mark's."""
    return b":" + member.encode()


def _keys(board: str) -> list[str]:
    return [f"ranks:{{{board}}}", f"ranks:{{{board}}}:at"]


class RedisBoards:
    """`ask` calls a command of `client`, and raises `Unavailable` where nobody answers."""

    def __init__(self, client: Any, ask: Callable[..., Any]) -> None:
        self._redis, self._ask = client, ask
        self._look = client.register_script(_LOOK)
        self._move = client.register_script(_MOVE)

    def put(self, board: str, scores: Mapping[str, int], mark: str, ttl_ms: int) -> None:
        """Beside what is there, in steps that keep nobody waiting; then in its place, in one."""
        checked(scores.values())
        lasting(ttl_ms)
        made = _keys(f"{board}}}{urandom(8).hex()}")  # the tag ends before what is ours alone
        names, at = made
        items = iter(scores.items())
        while chunk := list(islice(items, CHUNK)):
            pipe = self._redis.pipeline(transaction=True)
            pipe.zadd(names, {_place(score) + name.encode(): 0 for name, score in chunk})
            pipe.hset(at, mapping={_field(name): _place(score) for name, score in chunk})
            pipe.pexpire(names, HALF_MADE_MS)
            pipe.pexpire(at, HALF_MADE_MS)
            self._ask(pipe.execute)
        pipe = self._redis.pipeline(transaction=True)
        pipe.hset(at, _MARK, mark)
        for key, target in zip(made, _keys(board), strict=True):
            if scores or key == at:
                pipe.rename(key, target)
                pipe.pexpire(target, ttl_ms)
            else:  # a set of nobody is no key
                pipe.delete(target)
        self._ask(pipe.execute)

    def move(self, board: str, changes: Mapping[str, int | None], since: str, mark: str) -> bool:
        checked(changes.values())
        told = (
            each
            for name, score in changes.items()
            for each in (_field(name), b"" if score is None else _place(score))
        )
        moved = self._ask(self._move, keys=_keys(board), args=[_MARK, since, mark, *told])
        return moved is not None

    def look(self, board: str, limit: int, members: Sequence[str]) -> Ranks | None:
        args = [_MARK, max(limit, 0), *map(_field, members)]
        found = self._ask(self._look, keys=_keys(board), args=args)
        if found is None:
            return None
        mark, size, top, asked = found
        return Ranks(mark.decode(), size, counted(map(_read, top)), dict(_told(members, asked)))


def _read(entry: bytes) -> tuple[str, int]:
    return entry[_DIGITS:].decode(), _score(entry[:_DIGITS])


def _told(members: Sequence[str], asked: Iterable[Sequence[Any]]) -> Iterable[tuple[str, Ranked]]:
    for member, found in zip(members, asked, strict=True):
        if found:
            yield member, Ranked(found[1], member, _score(found[0]))
