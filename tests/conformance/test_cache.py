"""One suite for every cache, one test a promise. An adapter not in `OPEN` does not exist."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.ports import cache as port
from fondaco.ports.cache import Cache, Ranked
from fondaco.ports.cache.memory import MemoryCache

SECOND = 1_000_000_000


class Clock:
    """Nanoseconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 7

    def __call__(self) -> int:
        return self.now

    def pass_ms(self, ms: int) -> None:
        self.now += ms * 1_000_000


Open: TypeAlias = Callable[[Clock], Cache]
OPEN: dict[str, Open] = {"memory": MemoryCache}
each = pytest.mark.parametrize("opened", OPEN.values(), ids=OPEN.keys())


@each
def test_1_a_value_is_there_until_it_expires_and_no_longer(opened: Open) -> None:
    clock = Clock()
    cache = opened(clock)
    cache.put("k", b"old", 50)
    cache.put("k", b"new", 100)
    clock.pass_ms(99)
    assert cache.get("k") == b"new"
    clock.pass_ms(1)
    assert cache.get("k") is None
    cache.put("k", b"again", 100)
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
        put = list(threads.map(lambda n: cache.put_if_absent("k", b"%d" % n, 1000), range(64)))
        winner = b"%d" % put.index(True)
        popped = list(threads.map(lambda _: cache.pop("k"), range(64)))
    assert put.count(True) == 1
    assert [value for value in popped if value is not None] == [winner]
    assert cache.put_if_absent("k", b"", 1000)


@each
def test_3_what_has_expired_is_absent(opened: Open) -> None:
    clock = Clock()
    cache = opened(clock)
    assert cache.put_if_absent("k", b"1", 10)
    clock.pass_ms(10)
    assert cache.pop("k") is None
    assert cache.put_if_absent("k", b"2", 10)
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
    leave()
    leave()
    cache.subscribe("c", late.append)
    cache.publish("c", b"2")
    assert (early, twice, late) == ([b"1", b"2"], [b"1", b"1", b"2"], [b"2"])


scores = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(-3, 3), max_size=12)


@each
@given(first=scores, then=scores, gone=st.sets(st.sampled_from(["a", "b", "ab"])))
def test_5_ranks_are_those_of_a_sorted_list(
    opened: Open, first: dict[str, int], then: dict[str, int], gone: set[str]
) -> None:
    cache = opened(Clock())
    for moves in (first, then):
        for member, score in moves.items():
            cache.rank("board", member, score)
    for member in gone:
        cache.unrank("board", member)
    left = {member: score for member, score in (first | then).items() if member not in gone}
    expected = [
        Ranked(1 + sum(other > score for other in left.values()), member, score)
        for member, score in sorted(left.items(), key=lambda item: (-item[1], item[0]))
    ]
    assert list(cache.top("board", 5)) == expected[:5]
    assert [cache.rank_of("board", ranked.member) for ranked in expected] == expected
    assert cache.rank_of("board", "nobody") is None


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
