"""The journal as it is shown: bounded, only what the reader may see, and exact in JSON."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.trading.model import AccountState
from fondaco.domain.trading.rules import decider
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Entry, Instant
from fondaco.runtime.history import (
    moments,
    plain,
    position_at,
    row_of,
    state_at,
    tail,
    tail_before,
)
from ledger.history import DEMO, OTHER, History


def test_a_tail_shows_what_the_reader_may_see_and_where_to_go_on() -> None:
    history = History().open().open(OTHER).deposit(5)
    found = tail(history.journal, 0, 3, _demo)
    assert [(row["position"], row["kind"]) for _, row in found.rows] == [
        (3, "trading.account_opened.v1")
    ]
    assert found.last == 3
    found = tail(history.journal, found.last, 3, _demo)
    assert [row["event"]["units"] for _, row in found.rows] == [5]
    assert tail(history.journal, found.last, 3, lambda _: True) == ([], 6, 5)


def _demo(entry: Entry) -> bool:
    return entry.stream == DEMO


@given(
    st.lists(st.booleans(), max_size=30), st.integers(0, 40), st.integers(1, 9), st.integers(0, 9)
)
def test_pages_both_ways_show_every_entry_once(
    ours: list[bool], before: int, limit: int, scan: int
) -> None:
    history = History().open().open(OTHER)
    for mine in ours:
        history.deposit(1, stream=DEMO if mine else OTHER)
    head = history.journal.head()
    wanted = [each.position for each in history.journal.follow(0, 99) if _demo(each)]
    seen: list[int] = []
    at = 0
    while at < head:
        found = tail(history.journal, at, limit, _demo, scan=scan)
        seen += [entry.position for entry, _ in found.rows]
        assert len(found.rows) <= limit
        assert found.last > at
        at = found.last
    assert seen == wanted
    back: list[int] = []
    at = before or head + 1
    below = [position for position in wanted if position < at]
    while at > 1:
        found = tail_before(history.journal, at, limit, _demo, scan=scan)
        back = [entry.position for entry, _ in found.rows] + back
        assert len(found.rows) <= limit
        assert found.first < at
        at = found.first
    assert back == below


def test_a_time_has_the_last_position_that_was_recorded_by_then() -> None:
    history = History().open().deposit(5).deposit(7)
    stamps = [entry.at for entry in history.journal.follow(0, 99)]
    for at in {*stamps, stamps[0] - 1, stamps[-1] + 1}:
        assert position_at(history.journal, Instant(at)) == sum(each <= at for each in stamps)


@pytest.mark.parametrize(("first", "last", "points"), [(1, 5, 3), (2, 5, 9), (3, 3, 2), (6, 5, 2)])
def test_a_timeline_is_positions_with_the_times_of_their_entries(
    first: int, last: int, points: int
) -> None:
    history = History().open().deposit(5).deposit(7)
    at = {entry.position: entry.at for entry in history.journal.follow(0, 99)}
    found = moments(history.journal, first, last, points)
    assert found == [(position, at[position]) for position, _ in found]
    assert len(found) == min(points, max(last - first + 1, 0))
    assert not found or (found[0][0], found[-1][0]) == (first, last)


def test_a_row_survives_readers_that_make_floats_of_numbers() -> None:
    history = History().open()
    history.deposit(2**60)
    row = row_of(history.journal.follow(3, 1)[0])
    assert row["event"]["units"] == str(2**60)
    assert row["at"] == str(history.at)
    as_floats = msgspec.json.decode(msgspec.json.encode(row))
    assert as_floats == row


@pytest.mark.parametrize(
    ("value", "shown"),
    [(2**53, 2**53), (-(2**53) - 1, str(-(2**53) - 1)), (True, True), (b"\x01", "01"), ((1,), [1])],
)
def test_plain_values(value: object, shown: object) -> None:
    assert plain(value) == shown
    assert type(plain(value)) is type(shown)


def test_an_account_as_of_a_position() -> None:
    history = History().open().deposit(5).deposit(7)
    state, version = state_at(history.journal, decider, DEMO, 4)
    assert isinstance(state, AccountState)
    assert (state.balances, version) == ({"USD": 5}, 2)
    assert state_at(history.journal, decider, DEMO, 0) == (AccountState(), 0)


@pytest.mark.parametrize("position", [-1, 6])
def test_a_position_that_is_not_there_is_invalid(position: int) -> None:
    history = History().open().deposit(5).deposit(7)
    with pytest.raises(Invalid, match="as_of"):
        state_at(history.journal, decider, DEMO, position)
