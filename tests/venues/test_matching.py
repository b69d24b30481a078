"""The matching kernel: the same as a naive twin, compiled or not, and never beyond its pools."""

import subprocess
import sys
from array import array
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fondaco.domain.venues.crossing import matching
from fondaco.domain.venues.crossing.matching import (
    CANCEL_OLDEST,
    DECREMENT,
    LOTS_MAX,
    WHY,
    MatchingBook,
)
from fondaco.domain.venues.crossing.one_by_one import Engine
from fondaco.domain.venues.crossing.turns import Ended, Matched, Rested, Revised
from venues.naive_matching import NaiveBook

BUY, SELL, IOC, FOK, POST_ONLY, STP = 0, 1, 2, 4, 8, 16
KINDS = ("fill", "cancel", "cut")

orders = st.tuples(
    st.integers(0, 3),  # owner
    st.builds(
        lambda side, tif, post, mode: side + 2 * tif + 8 * (post and not tif) + 16 * mode,
        st.integers(0, 1), st.sampled_from([0, 0, 0, 1, 2]), st.booleans(), st.integers(0, 4),
    ),
    st.integers(1, 6),  # px
    st.integers(1, 30),  # lots
    st.sampled_from([0, 0, 0, 1, 2, 5]),  # display
)  # fmt: skip
cancels = st.tuples(st.integers(1, 60), st.integers(0, 20))
flows = st.lists(st.one_of(orders, orders, cancels), max_size=60)


def merged(steps: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """By maker, in the order in which the taker came to them: the parts of an iceberg are one."""
    found: dict[tuple[Any, int, int], int] = {}
    for what, maker, px, lots in steps:
        found[what, maker, px] = found.get((what, maker, px), 0) + lots
    return [(*key, lots) for key, lots in found.items()]


def steps_of(book: MatchingBook) -> list[tuple[Any, ...]]:
    return merged((KINDS[step[0]], *step[1:4]) for step in book.steps())


@given(flows)
def test_turns_are_those_of_the_naive_twin(flow: list[tuple[int, ...]]) -> None:
    book, twin = MatchingBook(), NaiveBook()
    for number, command in enumerate(flow, 1):
        if len(command) == 2:
            assert book.take_off(*command, False) == twin.take_off(*command)
        else:
            planned = book.plan(command[1] & 1, command[2], command[3], command[0], command[1] >> 4)
            before = book.rows(0), book.rows(1)
            turn = twin.enter(number, *command)
            executed = book.enter(number, *command)
            assert (executed, book.rested, WHY[book.why]) == turn[:3]
            assert steps_of(book) == merged(turn.steps)
            if turn.steps:
                assert merged((KINDS[kind], *rest) for kind, *rest in planned) == steps_of(book)
            elif turn.executed == 0 and not turn.rested:
                assert before == (book.rows(0), book.rows(1))
        assert (book.rows(0), book.rows(1)) == (twin.rows(0), twin.rows(1))
        assert book.count == len(book.rows(0)) + len(book.rows(1))
        bids, asks = book.rows(0), book.rows(1)
        assert not bids or not asks or bids[0][3] < asks[0][3], "crossed after a turn"
        for side, rows, rungs in ((0, bids, book.bids), (1, asks, book.asks)):
            assert rungs.total == sum(row[4] for row in rows)
            for px in range(1, 7):
                assert book.qty(side, px) == sum(row[6] for row in rows if row[3] == px)


OWN_BID = (1, BUY, 2, 2, 0)  # of an owner who then sells, mostly with both sides decremented


@example([OWN_BID, (1, SELL | STP * DECREMENT, 1, 1, 0)])  # the maker keeps one
@example([OWN_BID, (1, SELL | STP * DECREMENT, 1, 5, 0)])  # the taker rests
@example([OWN_BID, (1, SELL | STP * DECREMENT | IOC, 1, 5, 0)])
@example([OWN_BID, (2, BUY, 2, 3, 0), (1, SELL | STP * DECREMENT, 1, 5, 0)])  # nobody ends it
@example([OWN_BID, (1, SELL | STP * CANCEL_OLDEST, 1, 1, 0)])  # the taker rests whole
@given(flows)
def test_quantity_is_conserved(flow: list[tuple[int, ...]]) -> None:
    """Of whatever came in, each lot rests, or executed, or ended; and the events say which."""
    engine = Engine()
    left: dict[int, int] = {}
    for number, command in enumerate(flow, 1):
        cut = 0  # lots that prevention has taken off makers, and so off the taker too
        if len(command) == 2:
            events, mode = engine.cancel(command[0]), 0
        else:
            left[number] = command[3]
            events, mode = engine.enter(number, *command), command[1] >> 4
        for event in events:
            if isinstance(event, Matched):
                left[event.maker] -= event.lots
                left[event.taker] -= event.lots
                assert event.leaves == left[event.maker]
            elif isinstance(event, Ended):
                left[event.order] -= event.lots
                if mode == DECREMENT and event.order != number:
                    cut += event.lots
                elif event.order == number:
                    cut = 0  # it ends with all that it has not executed, these lots among them
            elif isinstance(event, Revised):
                assert mode == DECREMENT
                cut += left[event.order] - event.leaves
                left[event.order] = event.leaves
            else:
                assert event == Rested(number, command[2], left[number] - cut)
        if cut:
            left[number] -= cut
    rows = [row for side in (0, 1) for row in engine.book.rows(side)]
    assert {row[0]: row[4] for row in rows} == {each: lots for each, lots in left.items() if lots}


@given(flows)
def test_a_batch_is_its_commands_one_by_one(flow: list[tuple[int, ...]]) -> None:
    one, other = MatchingBook(), MatchingBook(1_000)
    batch, expected, steps = array("q"), [], []
    for number, command in enumerate(flow, 1):
        if len(command) == 2:
            batch.extend((matching.TAKE_OFF, *command, 0, 0, 0, 0, 0))
            expected.append(one.take_off(*command, False))
        else:
            batch.extend((matching.ENTER, number, *command, 0))
            expected.append(one.enter(number, *command))
            steps += one.steps()
    results = array("q", bytes(8 * len(flow)))
    assert other.run(batch, results) == len(flow)
    assert list(results) == expected
    assert other.steps() == steps
    assert (one.rows(0), one.rows(1)) == (other.rows(0), other.rows(1))


@given(flows)
def test_a_book_is_what_its_rows_say(flow: list[tuple[int, ...]]) -> None:
    """Written down and read back, it goes on as if nothing had been."""
    book, copy = MatchingBook(), MatchingBook()
    for number, command in enumerate(flow, 1):
        if len(command) == 5:
            book.enter(number, *command)
    for row in book.rows(0) + book.rows(1):
        copy.add(*row)
    assert (copy.rows(0), copy.rows(1)) == (book.rows(0), book.rows(1))
    for taker in ((0, BUY | IOC, 6, 45, 0), (0, SELL | IOC, 1, 45, 0)):
        assert copy.enter(1_000, *taker) == book.enter(1_000, *taker)
        assert (copy.rows(0), copy.rows(1)) == (book.rows(0), book.rows(1))


@pytest.mark.parametrize(
    ("mode", "executed", "left", "ends"),
    [
        (0, 10, 0, []),
        (1, 4, 0, [Ended(9, 6, "self_match")]),
        (2, 8, 2, [Ended(2, 3, "self_match")]),
        (3, 4, 0, [Ended(2, 3, "self_match"), Ended(9, 6, "self_match")]),
        (4, 7, 0, [Ended(2, 3, "self_match")]),
    ],
)
def test_self_match_prevention(mode: int, executed: int, left: int, ends: list[Ended]) -> None:
    """Others' 4, our own 3, others' 4; then we buy 10."""
    engine = Engine()
    for order, owner, lots in ((1, 5, 4), (2, 7, 3), (3, 5, 4)):
        engine.enter(order, owner, SELL, 100, lots)
    events = engine.enter(9, 7, BUY | STP * mode, 100, 10)
    assert sum(each.lots for each in events if isinstance(each, Matched)) == executed
    assert sum(each.lots for each in events if isinstance(each, Rested)) == left
    assert [each for each in events if isinstance(each, Ended)] == ends


def test_an_iceberg_of_small_parts_is_had_in_few_steps() -> None:
    """A million parts of one lot each would be a turn of a second."""
    book = MatchingBook()
    book.enter(1, 0, SELL, 5, 1_000_000, 1)
    book.enter(2, 0, SELL, 5, 1_000_000, 1)
    assert book.enter(3, 0, BUY, 5, 1_500_001, 0) == 1_500_001
    assert len(book.steps()) < 10
    assert [(row[0], row[4]) for row in book.rows(SELL)] == [(2, 250_000), (1, 249_999)]


def test_pools_grow_beyond_what_they_began_with() -> None:
    """Ten thousand prices, orders, steps and icebergs, where there was room for sixty-four."""
    book, n = MatchingBook(), 10_000
    for number in range(1, n + 1):
        book.enter(number, 0, SELL, number, 2, 1)
    for number in range(n + 1, 2 * n + 1):
        book.enter(number, 0, SELL, 1, 2, 1)
    assert book.count == 2 * n
    assert book.enter(LOTS_MAX, 0, BUY | IOC, 0, 4 * n, 0) == 4 * n
    assert (book.count, book.asks.total, len(book.rows(SELL))) == (0, 0, 0)
    for number in range(1, n + 1):
        assert book.enter(number, 0, BUY, n + 1 - number, 1, 0) == 0
        assert book.find(number) is not None


@pytest.mark.parametrize(
    "ask",
    [
        (0, 1, BUY, 5, 1, 0),  # ids are positive
        (LOTS_MAX + 1, 1, BUY, 5, 1, 0),
        (1, 1, BUY, 0, 1, 0),  # what rests has a price
        (1, 1, BUY, -5, 1, 0),
        (1, 1, BUY, 5, 0, 0),
        (1, 1, BUY, 5, -1, 0),
        (1, 1, BUY, 5, 1, -1),
        (1, 1, -1, 5, 1, 0),
        (1, 1, 6, 5, 1, 0),
        (1, 1, 5 * STP, 5, 1, 0),
        (7, 1, BUY, 5, 1, 0),  # rests already
        (1, 1, BUY, 5, LOTS_MAX - 9, 0),  # with the ten that rest, sums would not fit
    ],
)
def test_nonsense_is_refused_and_changes_nothing(ask: tuple[int, ...]) -> None:
    book = MatchingBook()
    book.enter(7, 1, BUY, 3, 10, 0)
    before = book.rows(BUY)
    assert book.enter(*ask) == -1
    assert WHY[book.why] == "refused"
    assert book.rows(BUY) == before
    with pytest.raises(ValueError, match="cannot rest"):
        book.add(7, 1, BUY, 3, 10, 0)
    for wrong in ((8, 1), (7, 11), (7, -1)):
        assert book.take_off(*wrong, True) == -1


def test_the_largest_numbers_are_exact() -> None:
    book = MatchingBook()
    assert book.enter(1, 0, SELL, LOTS_MAX, LOTS_MAX, 1) == 0
    assert book.enter(2, 0, BUY, LOTS_MAX, LOTS_MAX, 0) == LOTS_MAX
    assert book.count == 0


def test_new_terms_keep_the_place_only_where_they_are_less() -> None:
    engine = Engine()
    for number in (1, 2):
        engine.enter(number, number, BUY, 5, 10)
    engine.enter(3, 3, SELL, 7, 4)
    assert engine.replace(1, 5, 6) == [Revised(1, 5, 6)]
    assert [row[0] for row in engine.book.rows(BUY)] == [1, 2]
    assert engine.replace(1, 5, 7) == [Rested(1, 5, 7)]
    assert [row[0] for row in engine.book.rows(BUY)] == [2, 1]
    assert engine.replace(1, 7, 7, POST_ONLY) == [Ended(1, 0, "would_take")]
    assert [row[0] for row in engine.book.rows(BUY)] == [2, 1]
    assert engine.replace(1, 7, 7) == [Matched(3, 1, 7, 4, 0), Rested(1, 7, 3)]
    assert engine.replace(1, 0, 7) == [Ended(1, 0, "refused")]
    assert engine.replace(99, 1, 7) == []


def test_compiled_and_source_come_to_the_same() -> None:
    """A process of its own runs the source; ours whatever is here."""
    script = """
import random, sys, zlib
from array import array
from fondaco.domain.venues.crossing.matching import MatchingBook
random.seed(11)
batch, n = array("q"), 4_000
for number in range(1, n + 1):
    if random.random() < 0.3:
        batch.extend((2, random.randrange(1, number + 1), random.choice((0, 0, 3)), 0, 0, 0, 0, 0))
    else:
        tif, mode = random.choice((0, 0, 0, 0, 1, 2)), random.randrange(5)
        manner = random.getrandbits(1) + 2 * tif + 16 * mode
        px, lots = 100 + random.randrange(-20, 21), random.randrange(1, 200)
        display = random.choice((0, 0, 7))
        batch.extend((1, number, random.randrange(5), manner, px, lots, display, 0))
book, results = MatchingBook(), array("q", bytes(8 * n))
book.run(batch, results)
print(zlib.crc32(repr((results, book.steps(), book.rows(0), book.rows(1))).encode()))
"""
    pure = "from fondaco.kernel.compiled import prefer; prefer(pure=True)\n" + script
    told = [
        subprocess.run(
            [sys.executable, "-c", each], capture_output=True, text=True, check=True
        ).stdout
        for each in (script, pure)
    ]
    assert told[0] == told[1]
