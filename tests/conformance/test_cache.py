"""One suite for every cache, one test a promise. An adapter not in `OPEN` does not exist."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache as once
from typing import TypeAlias

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports import cache as port
from fondaco.ports.cache import Cache, Ranked
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.cache.redis import RedisCache
from servers import Valkey, valkey

SECOND = 1_000_000_000
MINUTE_MS = 60_000


class Clock:
    """Nanoseconds that pass when the test says so; `also` are other clocks that are set forward."""

    def __init__(self) -> None:
        self.now = 7
        self.also: list[Callable[[int], None]] = []

    def __call__(self) -> int:
        return self.now

    def pass_ms(self, ms: int) -> None:
        self.now += ms * 1_000_000
        for set_forward in self.also:
            set_forward(ms)


clocks: list[Clock] = []  # the last one counts


@once
def server_itself() -> redis.Redis:
    return redis.Redis.from_url(valkey().url)


def redis_cache(clock: Clock) -> Cache:
    """An empty one. A server's clock cannot be set forward; all that waits for it can be."""
    server = server_itself()
    server.flushdb()

    def set_forward(ms: int) -> None:
        for key in server.scan_iter():
            server.pexpireat(key, server.pexpiretime(key) - ms)

    clock.also.append(set_forward)
    clocks.append(clock)
    return shared_cache()


@once
def shared_cache() -> RedisCache:
    """A new connection for each example would cost more than the example."""
    return RedisCache(valkey().url, lambda: clocks[-1](), own_time=True)


Open: TypeAlias = Callable[[Clock], Cache]
OPEN: dict[str, Open] = {"memory": MemoryCache, "redis": redis_cache}
each = pytest.mark.parametrize("opened", OPEN.values(), ids=OPEN.keys())


@each
def test_1_a_value_is_there_until_it_expires_and_no_longer(opened: Open) -> None:
    clock = Clock()
    cache = opened(clock)
    cache.put("k", b"old", 50 * MINUTE_MS)
    cache.put("k", b"new", 100 * MINUTE_MS)
    clock.pass_ms(99 * MINUTE_MS)
    assert cache.get("k") == b"new"
    clock.pass_ms(MINUTE_MS)
    assert cache.get("k") is None
    cache.put("k", b"again", MINUTE_MS)
    cache.delete("k")
    cache.delete("k")
    assert cache.get("k") is None


def test_2_a_full_cache_lets_go_of_what_has_expired_then_of_what_ends_soonest() -> None:
    clock = Clock()
    cache = MemoryCache(clock, entries_max=3)
    for key, ttl_ms in (("brief", 10), ("a", 200), ("b", 300)):
        cache.put(key, b"v", ttl_ms)
    clock.pass_ms(20)
    cache.put("c", b"v", 400)
    assert [cache.get(key) for key in ("brief", "a", "b", "c")] == [None, b"v", b"v", b"v"]
    cache.put("d", b"v", 500)
    assert [cache.get(key) for key in "abcd"] == [None, b"v", b"v", b"v"]


def test_2_buckets_are_bounded_too_and_full_ones_go_first() -> None:
    clock = Clock()
    cache = MemoryCache(clock, entries_max=2)
    assert cache.take("full again", per_s=1000, burst=1) == 0
    clock.pass_ms(1)
    assert cache.take("empty", per_s=1, burst=1) == 0
    assert cache.take("another", per_s=1, burst=1) == 0
    assert cache.take("empty", per_s=1, burst=1) > 0


@each
def test_3_one_of_many_puts_and_one_of_many_pops_succeeds(opened: Open) -> None:
    cache = opened(Clock())
    with ThreadPoolExecutor(8) as threads:
        put = list(threads.map(lambda n: cache.put_if_absent("k", b"%d" % n, MINUTE_MS), range(64)))
        winner = b"%d" % put.index(True)
        popped = list(threads.map(lambda _: cache.pop("k"), range(64)))
    assert put.count(True) == 1
    assert [value for value in popped if value is not None] == [winner]
    assert cache.put_if_absent("k", b"", MINUTE_MS)


@each
def test_3_what_has_expired_is_absent(opened: Open) -> None:
    clock = Clock()
    cache = opened(clock)
    assert cache.put_if_absent("k", b"1", MINUTE_MS)
    clock.pass_ms(MINUTE_MS)
    assert cache.pop("k") is None
    assert cache.put_if_absent("k", b"2", MINUTE_MS)
    assert cache.get("k") == b"2"


@each
def test_4_messages_reach_those_who_were_there_in_order(opened: Open) -> None:
    cache = opened(Clock())
    early: list[bytes] = []
    twice: list[bytes] = []
    late: list[bytes] = []
    cache.publish("c", b"0")
    cache.subscribe("c", early.append)
    leave = cache.subscribe("c", twice.append)
    cache.subscribe("c", twice.append)
    cache.publish("c", b"1")
    cache.publish("other", b"x")
    arrived(lambda: len(twice) == 2)
    leave()
    leave()
    cache.publish("c", b"2")
    cache.subscribe("c", late.append)
    cache.publish("c", b"3")
    arrived(lambda: bool(late))
    assert early == [b"1", b"2", b"3"]
    assert twice == [b"1", b"1", b"2", b"3"]
    assert late == [b"3"]


@each
def test_4_whoever_comes_while_others_publish_misses_nothing_after_that(opened: Open) -> None:
    cache = opened(Clock())
    first: list[bytes] = []
    cache.subscribe("c", first.append)
    later: list[list[bytes]] = []
    came: list[int] = []
    with ThreadPoolExecutor(1) as other:
        publishing = other.submit(
            lambda: [cache.publish("c", b"%d" % n) for n in range(500)]  # type: ignore[func-returns-value]
        )
        while not publishing.done():
            later.append([])
            came.append(len(first))
            cache.subscribe("c", later[-1].append)
    cache.publish("c", b"end")
    arrived(lambda: all(each[-1:] == [b"end"] for each in (first, *later)))
    assert first == [*(b"%d" % n for n in range(500)), b"end"]
    for since, heard in zip(came, later, strict=True):
        assert heard == first[-len(heard) :], "a message is missing, or out of order"
        assert len(heard) <= len(first) - since, "it heard what was published before"


def arrived(said: Callable[[], bool]) -> None:
    """Over a network it takes a moment."""
    until = time.monotonic() + 20
    while not said():
        assert time.monotonic() < until, "it never arrived"
        time.sleep(0.001)


NEAR = (0, 1, -1, 2**53, 2**53 + 1, -(2**53) - 1, port.SCORE_MAX - 1, 1 - port.SCORE_MAX)
names = st.text("ab:é𝄞", min_size=0, max_size=3)
scores = st.dictionaries(names, st.sampled_from(NEAR), max_size=12)
changes = st.dictionaries(names, st.none() | st.sampled_from(NEAR), max_size=6)


@each
@given(first=scores, then=st.lists(changes, max_size=3), limit=st.integers(0, 14))
def test_5_ranks_are_those_of_a_sorted_list_to_the_unit(
    opened: Open, first: dict[str, int], then: list[dict[str, int | None]], limit: int
) -> None:
    cache = opened(Clock())
    cache.put_ranks("board", first, "m0", MINUTE_MS)
    left: dict[str, int | None] = dict(first)
    for n, moves in enumerate(then):
        assert cache.move_ranks("board", moves, f"m{n}", f"m{n + 1}")
        left |= moves
    kept = {member: score for member, score in left.items() if score is not None}
    expected = [
        Ranked(1 + sum(other > score for other in kept.values()), member, score)
        for member, score in sorted(kept.items(), key=lambda item: (-item[1], item[0]))
    ]
    found = cache.ranks("board", limit, [*left, "nobody"])
    by_name = {each.member: each for each in expected}
    assert found == (f"m{len(then)}", len(kept), expected[:limit], by_name)


@each
def test_5_a_board_is_of_one_mark_and_moves_from_no_other(opened: Open) -> None:
    clock = Clock()
    cache = opened(clock)
    assert cache.ranks("board", 1) is None
    assert not cache.move_ranks("board", {"a": 1}, "", "m1"), "nothing is there to move"
    cache.put_ranks("board", {}, "m1", MINUTE_MS)
    assert cache.ranks("board", 9) == ("m1", 0, [], {})
    assert not cache.move_ranks("board", {"a": 1}, "m0", "m2")
    assert cache.move_ranks("board", {"a": 1}, "m1", "m2")
    assert not cache.move_ranks("board", {"a": 1}, "m1", "m2"), "twice"
    cache.put_ranks("board", {"b": 2}, "m3", MINUTE_MS)
    assert cache.ranks("board", 9, ["a"]) == ("m3", 1, [Ranked(1, "b", 2)], {})
    assert cache.move_ranks("board", {"b": None}, "m3", "m4")
    assert cache.ranks("board", 9, ["b"]) == ("m4", 0, [], {})
    assert cache.ranks("other", 9) is None
    with pytest.raises(Invalid, match="2\\*\\*126"):
        cache.put_ranks("board", {"a": port.SCORE_MAX}, "m5", MINUTE_MS)
    with pytest.raises(Invalid, match="2\\*\\*126"):
        cache.move_ranks("board", {"a": -port.SCORE_MAX}, "m4", "m5")
    clock.pass_ms(MINUTE_MS)
    assert cache.ranks("board", 9) is None


@each
def test_5_who_looks_while_others_move_sees_all_of_one_mark(opened: Open) -> None:
    """A board of 50 whose scores add up to 0 at every mark, moved by many at once."""
    cache = opened(Clock())
    cache.put_ranks("board", {f"m{n}": 0 for n in range(50)}, "0", MINUTE_MS)

    def move(seed: int) -> int:
        done = 0
        for n in range(30):
            kept = cache.ranks("board", 0)
            assert kept is not None
            pair = {f"m{seed}": seed + n, f"m{seed + 20}": -seed - n}
            done += cache.move_ranks("board", pair, kept.mark, str(int(kept.mark) + 1))
        return done

    def look(_: int) -> None:
        for _ in range(30):
            kept = cache.ranks("board", 50, ["m1", "m21"])
            assert kept is not None
            assert (kept.members, sum(each.score for each in kept.top)) == (50, 0)
            assert kept.asked["m1"].score == -kept.asked["m21"].score
            assert set(kept.asked.values()) <= set(kept.top)

    with ThreadPoolExecutor(8) as threads:
        looks = threads.map(look, range(4))
        moved = sum(threads.map(move, range(4)))
        list(looks)
    kept = cache.ranks("board", 0)
    assert kept is not None
    assert kept.mark == str(moved) != "0", "a move was lost, or counted twice"


@each
@given(
    per_s=st.integers(1, 5_000),
    burst=st.integers(1, 20),
    pauses=st.lists(st.integers(0, SECOND // 50), min_size=1, max_size=60),
)
def test_6_no_stretch_of_time_grants_more_than_burst_and_rate(
    opened: Open, per_s: int, burst: int, pauses: list[int]
) -> None:
    clock = Clock()
    cache = opened(clock)
    granted: list[int] = []
    for pause in pauses:
        clock.now += pause
        if cache.take("b", per_s=per_s, burst=burst) == 0:
            granted.append(clock.now)
    for first, since in enumerate(granted):
        for last, until in enumerate(granted[first:], first):
            assert (last - first + 1 - burst) * SECOND <= (until - since) * per_s


@each
@given(per_s=st.integers(1, 5_000), burst=st.integers(1, 20))
def test_6_a_burst_comes_at_once_and_who_waits_as_told_is_granted(
    opened: Open, per_s: int, burst: int
) -> None:
    clock = Clock()
    cache = opened(clock)
    assert [cache.take("b", per_s=per_s, burst=burst) for _ in range(burst)] == [0] * burst
    wait = cache.take("b", per_s=per_s, burst=burst)
    assert 0 < wait == cache.take("b", per_s=per_s, burst=burst), "a refusal took something"
    clock.now += wait - 1
    assert cache.take("b", per_s=per_s, burst=burst) == 1
    clock.now += 1
    assert cache.take("b", per_s=per_s, burst=burst) == 0
    assert cache.take("other", per_s=per_s, burst=burst) == 0


@each
@given(per_s=st.integers(1, 5_000), burst=st.integers(1, 20), taken=st.integers(0, 25))
def test_6_what_is_out_of_a_bucket_comes_back_in_the_time_that_it_says(
    opened: Open, per_s: int, burst: int, taken: int
) -> None:
    clock = Clock()
    cache = opened(clock)
    for _ in range(taken):
        cache.take("b", per_s=per_s, burst=burst)
    drawn = cache.draw("b", per_s=per_s, burst=burst)
    price = -(-SECOND // per_s)
    assert drawn.ahead_ns == min(taken + 1, burst) * price
    assert drawn.wait_ns == (price if taken >= burst else 0)


# --- What only a server can do -------------------------------------------------------------------


def test_6_buckets_fill_by_the_servers_clock_which_all_who_share_them_see_alike() -> None:
    redis_cache(Clock()).take("warm", per_s=1, burst=1)
    early, late = (RedisCache(valkey().url, lambda at=at: at) for at in (5, 10**19))  # type: ignore[misc]
    assert early.take("b", per_s=1, burst=2) == 0
    assert late.take("b", per_s=1, burst=2) == 0
    wait_ns = early.take("b", per_s=1, burst=2)
    assert 0 < wait_ns <= SECOND
    assert 0 < late.take("b", per_s=1, burst=2) <= wait_ns
    time.sleep(wait_ns / 1e9)
    assert late.take("b", per_s=1, burst=2) == 0
    for cache in (early, late):
        cache.close()


def test_1_what_is_kept_in_one_process_is_there_for_another() -> None:
    redis_cache(Clock())
    one, other = RedisCache(valkey().url, time.time_ns), RedisCache(valkey().url, time.time_ns)
    one.put(port.order_key("o1"), b"v", port.ORDER_MS)
    assert other.pop("order:o1") == b"v"
    assert one.get("order:o1") is None
    for cache in (one, other):
        cache.close()


def test_a_server_that_is_gone_is_unavailable_at_once_and_serves_again() -> None:
    server, clock = Valkey(), Clock()
    cache = RedisCache(server.url, clock)
    heard: list[bytes] = []
    cache.subscribe("c", heard.append)
    server.kill()
    for _ in range(2):
        with pytest.raises(Unavailable, match="Redis /tmp/"):
            cache.get("k")
    server.start()
    with pytest.raises(Unavailable, match="a moment ago"):
        cache.get("k")
    clock.pass_ms(1_000)
    assert cache.get("k") is None

    def told_again() -> bool:
        cache.publish("c", b"again")
        return bool(heard)

    arrived(told_again)
    cache.close()
    server.kill()


def test_5_a_board_of_which_a_part_was_thrown_away_is_not_there() -> None:
    cache, server = redis_cache(Clock()), server_itself()
    for lost in ("ranks:{board}", "ranks:{board}:at"):
        cache.put_ranks("board", {"a": 1, "b": 2}, "m", MINUTE_MS)
        server.delete(lost)
        assert cache.ranks("board", 2) is None
        assert not cache.move_ranks("board", {"a": 2}, "m", "n")
    cache.put_ranks("board", {str(n): n for n in range(5_000)}, "m", MINUTE_MS)
    assert sorted(server.keys()) == [b"ranks:{board}", b"ranks:{board}:at"], "and nothing half made"
    found = cache.ranks("board", 1, ["0"])
    assert found == ("m", 5_000, [Ranked(1, "4999", 4_999)], {"0": Ranked(5_000, "0", 0)})


def test_a_time_that_is_none_and_an_address_that_is_none_are_refused() -> None:
    cache = redis_cache(Clock())
    with pytest.raises(Invalid, match="ttl_ms is 0"):
        cache.put("k", b"", 0)
    with pytest.raises(Invalid, match="address of the cache"):
        RedisCache("http://localhost", Clock())


# --- What is kept for how long -------------------------------------------------------------------


@each
@pytest.mark.parametrize(
    ("key", "ttl_ms"),
    [
        (port.idempotency_key("k"), port.IDEMPOTENCY_MS),
        (port.order_key("o"), port.ORDER_MS),
        (port.order_book_key("BTC-USD"), port.ORDER_BOOK_MS),
        ("session:s", port.SESSION_IDLE_MS),
        ("quote:q", port.QUOTE_MS),
        ("ticket:t", port.TICKET_MS),
    ],
)
def test_what_the_documents_name_is_kept_for_as_long_as_they_say(
    opened: Open, key: str, ttl_ms: int
) -> None:
    clock = Clock()
    cache = opened(clock)
    cache.put(key, b"v", ttl_ms)
    if ttl_ms > port.ORDER_BOOK_MS:  # a second that really passes proves nothing
        clock.pass_ms(ttl_ms * 9 // 10)
        assert cache.get(key) == b"v"
    clock.pass_ms(ttl_ms)
    assert cache.get(key) is None


def test_keys_and_times_are_those_that_the_documents_name() -> None:
    assert port.idempotency_key("k1") == "idempotency:k1"
    assert port.order_key("o1") == "order:o1"
    assert port.order_book_key("BTC-USD") == "orderbook:BTC-USD"
    assert port.position_key("u1", "BTC-USD") == "position:u1:BTC-USD"
    hour = 3_600_000
    lasting = {
        "idempotency": port.IDEMPOTENCY_MS,
        "order": port.ORDER_MS,
        "order book": port.ORDER_BOOK_MS,
        "quote": port.QUOTE_MS,
        "session, idle": port.SESSION_IDLE_MS,
        "session": port.SESSION_ABSOLUTE_MS,
    }
    assert lasting == {
        "idempotency": 24 * hour,
        "order": hour,
        "order book": 1_000,
        "quote": 60_000,
        "session, idle": hour // 2,
        "session": 24 * hour,
    }
