"""Who may ask how often, on a clock that is a number."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.identity.model import TooMany
from fondaco.gateway.guard.rates import Rate, Rates, Tier, line_of
from fondaco.kernel.errors import Unavailable
from fondaco.ports.cache import Drawn
from fondaco.ports.cache.memory import MemoryCache

SECOND = 1_000_000_000


@dataclass(frozen=True)
class Asker:
    name: str
    tenant: str = "acme"
    scopes: frozenset[str] = frozenset()
    accounts: frozenset[str] | None = None


ADA, ADAS_LAPTOP, BOB, OTHER_ADA = (
    Asker("ada"),
    Asker("ada/laptop"),
    Asker("bob"),
    Asker("ada", "rival"),
)


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def granted(rates: Rates, who: Asker | None, address: str = "10.0.0.1") -> bool:
    try:
        rates.check(who, address)
    except TooMany:
        return False
    return True


def count(rates: Rates, who: Asker | None, address: str = "10.0.0.1") -> int:
    """How many more come through at once."""
    return next(nth for nth in range(10_000) if not granted(rates, who, address))


rate = st.builds(Rate, st.integers(1, 5_000), st.integers(1, 20))


@given(rate, st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=60))
def test_over_any_time_no_more_comes_through_than_burst_and_rate(
    given_rate: Rate, pauses: list[int]
) -> None:
    clock = Clock()
    rates = Rates(clock, {"user": given_rate})
    passed: list[int] = []
    for pause in pauses:
        clock.now += pause
        if granted(rates, ADA):
            passed.append(clock.now)
    for first, since in enumerate(passed):
        for nth, until in enumerate(passed[first:], 1):
            assert (nth - given_rate.burst) * SECOND <= (until - since) * given_rate.per_s


@given(rate, st.lists(st.integers(0, SECOND), max_size=20))
def test_who_waits_as_told_comes_through_and_a_nanosecond_earlier_does_not(
    given_rate: Rate, pauses: list[int]
) -> None:
    clock = Clock()
    rates = Rates(clock, {"user": given_rate})
    for pause in pauses:
        clock.now += pause
        granted(rates, ADA)
    while granted(rates, ADA):
        pass
    [bucket] = rates._buckets.values()
    wait_ns = bucket.full_at - clock.now - bucket.slack
    with pytest.raises(TooMany) as caught:
        rates.check(ADA, "10.0.0.1")
    told_ms = caught.value.details["retry_after_ms"]
    assert isinstance(told_ms, int)
    assert 0 <= told_ms * 1_000_000 - wait_ns < 1_000_000
    clock.now += wait_ns - 1
    assert not granted(rates, ADA)
    clock.now += 1
    assert granted(rates, ADA)


@given(
    rate,
    rate,
    rate,
    st.lists(st.tuples(st.sampled_from([ADA, ADAS_LAPTOP, BOB]), st.integers(0, SECOND))),
)
def test_what_is_left_is_what_comes_through(
    user: Rate, key: Rate, address: Rate, asked: list[tuple[Asker, int]]
) -> None:
    """The header `r` of the least is neither too much nor too little."""
    clock = Clock()
    rates = Rates(clock, {"user": user, "key": key, "address": address})
    for who, pause in asked:
        clock.now += pause
        granted(rates, who)
    for who in {who for who, _ in asked}:
        told = [bucket.left(clock.now) for bucket in rates._of["acme", who.name, "10.0.0.1"]]
        assert count(rates, who) == min(told)


def test_users_keys_addresses_and_firms_have_buckets_of_their_own() -> None:
    rates = Rates(Clock(), {"user": Rate(1, 5), "key": Rate(1, 3), "address": Rate(1, 100)})
    assert count(rates, ADAS_LAPTOP) == 3  # the key's
    assert count(rates, ADA) == 2  # what the user has left
    assert count(rates, BOB) == 3
    assert count(rates, OTHER_ADA) == 3
    assert count(rates, None, "10.0.0.2") == 100
    assert not granted(rates, BOB, "10.0.0.2")  # nobody from there


def test_a_refusal_takes_from_the_address_alone() -> None:
    clock = Clock()
    rates = Rates(clock, {"address": Rate(1, 10), "user": Rate(1, 2), "key": Rate(1, 5)})
    assert count(rates, ADA) == 2
    for _ in range(3):
        assert not granted(rates, ADA)
    assert rates._of["acme", "ada", "10.0.0.1"][2].left(0) == 3, "the key lost nothing"
    assert count(rates, None) == 4


def test_a_tier_is_one_for_the_firm_and_changes_when_it_is_told() -> None:
    tiers = {"acme": Tier("silver", Rate(1, 4))}
    rates = Rates(Clock())
    rates.tiers(lambda tenant, name: tiers.get(tenant))
    assert granted(rates, ADA)
    assert dict(rates.headers(ADA, "10.0.0.1"))[b"ratelimit"] == b'"silver";r=3;t=1'
    assert count(rates, BOB) == 3
    assert rates.headers(OTHER_ADA, "10.0.0.1") == ()
    tiers["acme"] = Tier("gold", Rate(100, 50))
    assert not granted(rates, ADA), "it was not told yet"
    rates.forget()
    assert not granted(rates, ADA), "what was taken stays taken"
    headers = dict(rates.headers(ADA, "10.0.0.1"))
    assert headers[b"ratelimit-policy"] == b'"gold";q=50;w=1'


def test_headers_are_structured_fields_that_tell_the_least() -> None:
    clock = Clock()
    rates = Rates(clock, {"user": Rate(10, 100), "address": Rate(50, 1_000)})
    for _ in range(60):
        rates.check(ADA, "10.0.0.1")
    assert rates.headers(ADA, "10.0.0.1") == (
        (b"ratelimit-policy", b'"address";q=1000;w=20, "user";q=100;w=10'),
        (b"ratelimit", b'"user";r=40;t=6'),
    )
    clock.now += 6 * SECOND
    assert dict(rates.headers(ADA, "10.0.0.1"))[b"ratelimit"].endswith(b";t=0")


def test_on_the_order_path_they_tell_when_less_than_half_is_left() -> None:
    rates = Rates(Clock(), {"user": Rate(1, 10)})
    for nth in range(1, 11):
        rates.check(ADA, "10.0.0.1")
        assert bool(rates.headers(ADA, "10.0.0.1", if_scarce=True)) == (nth > 5)


def test_a_rate_of_nothing_limits_nothing_and_tells_nothing() -> None:
    rates = Rates(Clock(), {"user": Rate(0, 1), "address": Rate(0, 1)})
    for _ in range(1_000):
        rates.check(ADA, "10.0.0.1")
    assert rates.headers(ADA, "10.0.0.1") == ()
    assert not rates.is_on


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no:address", "no:address"),
    ],
)
def test_one_line_is_one_address(address: str, line: str) -> None:
    assert line_of(address) == line


def test_who_comes_from_everywhere_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fondaco.gateway.guard.rates.KNOWN_MAX", 100)
    clock = Clock()
    rates = Rates(clock, {"address": Rate(1, 2)})
    for nth in range(1_000):
        clock.now += SECOND // 10
        rates.check(None, f"10.0.{nth // 250}.{nth % 250}")
        assert len(rates._buckets) <= 100
        assert len(rates._of) <= 100
    assert count(rates, None, "10.0.3.249") == 1, "who asked just now is remembered"


class Gone(MemoryCache):
    """A shared cache that may be away."""

    is_gone = False

    def draw(self, bucket: str, *, per_s: int, burst: int) -> Drawn:
        if self.is_gone:
            raise Unavailable("away")
        return super().draw(bucket, per_s=per_s, burst=burst)


def test_processes_that_share_a_cache_count_together_and_alone_while_it_is_away() -> None:
    clock = Clock()
    shared = Gone(clock)
    one, other = (Rates(clock, {"user": Rate(1, 10)}, shared) for _ in range(2))
    for _ in range(6):
        one.check(ADA, "")
    assert count(other, ADA) == 4
    assert dict(other.headers(ADA, "10.0.0.1"))[b"ratelimit"] == b'"user";r=0;t=10'
    shared.is_gone = True
    clock.now += 3 * SECOND
    assert count(one, ADA) == 7, "this process remembers what it was told last"
