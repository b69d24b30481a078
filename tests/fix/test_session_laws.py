"""Laws of a session: exactly once, in order, over a link that breaks; numbers only grow."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fix.link import BEGINS, MOVES, SECOND, End, Link, play
from fondaco.domain.fix.api import Contact, Renumbered, contact

AGREED = st.fixed_dictionaries(
    {},
    optional={
        "resend_chunk": st.integers(1, 3),
        "next_expected": st.just(True),
        "last_processed": st.just(True),
        "send_max_per_s": st.integers(1, 3),
        "keeps_messages": st.just(True),
    },
)


@settings(max_examples=80, deadline=None)
@given(AGREED, st.lists(MOVES, max_size=60))
def test_what_is_said_arrives_once_and_in_order(
    agreed: dict[str, Any], steps: list[tuple[Any, ...]]
) -> None:
    link = Link(**agreed)
    play(link, steps)
    link.settle()
    for end, other in (link.ends, link.ends[::-1]):
        assert other.delivered == [b"%d" % (n + 1) for n in range(end.said)]


def only_grow(end: End) -> bool:
    return all(
        now[0] >= before[0] and now[1] >= before[1]
        for before, now in zip(end.numbers, end.numbers[1:], strict=False)
    )


@settings(max_examples=50, deadline=None)
@given(AGREED, st.lists(MOVES, max_size=40))
def test_numbers_never_go_back_without_a_reset(
    agreed: dict[str, Any], steps: list[tuple[Any, ...]]
) -> None:
    link = Link(**agreed)
    play(link, steps)
    for end in link.ends:
        assert not any(isinstance(act, Renumbered) for act in end.acts)
        assert only_grow(end)


@given(st.lists(MOVES, max_size=40))
@settings(max_examples=50, deadline=None)
def test_a_reset_at_logon_begins_anew_on_both_sides(steps: list[tuple[Any, ...]]) -> None:
    link = Link(reset_on_logon=True)
    play(link, steps)
    link.cut()
    link.connect()
    for _ in range(4):
        for side in (0, 1):
            link.carry(side, len(link.ends[side].wire))
    for end in link.ends:
        assert end.session.is_up
        assert (end.session.next_out, end.session.next_in) == (2, 2)


@pytest.mark.parametrize("cut_after", range(0, 240, 23))
def test_a_link_that_breaks_during_the_logon(cut_after: int) -> None:
    link = Link()
    link.ends[0].say(link.now)
    link.ends[1].say(link.now)
    link.connect()
    link.carry(0, cut_after)
    link.carry(1, cut_after)
    link.cut()
    link.settle()
    for end, other in (link.ends, link.ends[::-1]):
        assert other.delivered == [b"%d" % (n + 1) for n in range(end.said)]
    assert link.now < BEGINS + 60 * SECOND


def test_contact_tells_of_a_gap_and_of_silence() -> None:
    link = Link()
    ours = link.ends[1]
    assert contact(ours.session) == Contact()
    link.connect()
    for side in (0, 1):
        link.carry(side, 10_000)
    link.now += SECOND
    link.ends[0].say(link.now)
    link.ends[0].wire.clear()  # lost on the way
    link.ends[0].say(link.now)
    link.carry(0, 10_000)
    found = contact(ours.session)
    assert (found.missing, found.waiting, found.heard_at) == ((2, 2), 1, link.now)
    link.carry(1, 10_000)  # it is asked for again,
    link.carry(0, 10_000)  # and comes
    assert contact(ours.session).missing is None
    link.wait(45 * SECOND)
    assert contact(ours.session).unanswered == 1
    link.cut()
    assert contact(ours.session) == Contact()
