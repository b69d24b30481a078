"""The breaker's law, on a clock that is a number: 50 %, 30 s, and back by 1, 2 and 4 calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.kernel.errors import Unavailable
from fondaco.ports.outbound.breaker import Breaker, Terms

S = 1_000_000_000
TERMS = Terms()


def call(breaker: Breaker, now: int, ok: bool | None) -> bool:
    """Whether it was let through."""
    try:
        permit = breaker.enter(now)
    except Unavailable:
        return False
    breaker.leave(permit, now, ok=ok)
    return True


def opened(now: int = 0) -> Breaker:
    breaker = Breaker("https://a:443")
    for _ in range(TERMS.calls_min):
        call(breaker, now, False)
    return breaker


@given(st.lists(st.booleans(), max_size=40))
def test_it_opens_at_the_first_failure_that_makes_half_of_four_calls_or_more(
    oks: list[bool],
) -> None:
    breaker = Breaker("a")
    calls = failures = 0
    for ok in oks:
        call(breaker, 0, ok)
        calls, failures = calls + 1, failures + (not ok)
        should_open = not ok and calls >= 4 and 2 * failures >= calls
        assert breaker.state(0) == ("open" if should_open else "closed")
        if should_open:
            break


@given(st.integers(0, 60))
def test_what_failed_a_minute_ago_counts_no_more(seconds: int) -> None:
    breaker = Breaker("a")
    for _ in range(3):
        call(breaker, 0, False)
    call(breaker, seconds * S, False)
    assert breaker.state(seconds * S) == ("open" if seconds < 60 else "closed")


def test_it_refuses_for_30_s_and_says_how_long_and_then_lets_one_through() -> None:
    breaker = opened()
    for nth in range(30):
        with pytest.raises(Unavailable) as caught:
            breaker.enter(nth * S)
        assert caught.value.code == "circuit_open"
        assert caught.value.details["retry_after_s"] == 30 - nth
    assert breaker.state(30 * S) == "half_open"
    breaker.enter(30 * S)
    with pytest.raises(Unavailable):
        breaker.enter(30 * S)


def test_it_recovers_by_one_two_and_four_calls() -> None:
    breaker, now = opened(), 30 * S
    for step in (1, 2, 4):
        permits = [breaker.enter(now) for _ in range(step)]
        with pytest.raises(Unavailable):
            breaker.enter(now)
        assert breaker.state(now) == "half_open"
        for permit in permits:
            breaker.leave(permit, now, ok=True)
    assert breaker.state(now) == "closed"
    assert breaker.counts(now) == (0, 0)


@given(st.integers(0, 6), st.integers(1, 8))
def test_each_failed_recovery_doubles_the_pause_up_to_16_minutes(good: int, rounds: int) -> None:
    breaker, now, pause_s = opened(), 0, 30
    for _ in range(rounds):
        now += pause_s * S
        assert breaker.wait_ns(now - 1) == 1
        for _ in range(good):
            assert call(breaker, now, True)
        assert call(breaker, now, False)
        pause_s = min(2 * pause_s, 960)
        assert breaker.wait_ns(now) == pause_s * S
    now += pause_s * S
    for _ in range(7):
        assert call(breaker, now, True)
    for _ in range(TERMS.calls_min):
        call(breaker, now, False)
    assert breaker.wait_ns(now) == 30 * S, "after it has closed, the pause begins anew"


def test_who_comes_back_late_tells_nothing() -> None:
    breaker = Breaker("a")
    late = breaker.enter(0)
    for _ in range(4):
        call(breaker, 0, False)
    probe = breaker.enter(30 * S)
    breaker.leave(late, 30 * S, ok=False)
    assert breaker.state(30 * S) == "half_open"
    breaker.leave(probe, 30 * S, ok=None)  # given up: another one may go in its place
    assert call(breaker, 30 * S, True)


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([True, False, None]))))
def test_it_never_keeps_out_longer_than_it_says(steps: list[tuple[int, bool | None]]) -> None:
    breaker, now = Breaker("a"), 0
    for seconds, ok in steps:
        now += seconds * S
        call(breaker, now, ok)
        wait_ns = breaker.wait_ns(now)
        assert 0 <= wait_ns <= TERMS.open_max_ns
        if breaker.state(now) != "half_open":
            assert breaker.wait_ns(now + wait_ns) == 0
