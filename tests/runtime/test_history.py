"""The journal as it is shown: bounded, only what the reader may see, and exact in JSON."""

import msgspec
import pytest

from fondaco.domain.trading.model import AccountState
from fondaco.domain.trading.rules import decider
from fondaco.kernel.errors import Invalid
from fondaco.runtime.history import plain, row_of, state_at, tail
from ledger.history import DEMO, OTHER, History


def test_a_tail_shows_what_the_reader_may_see_and_where_to_go_on() -> None:
    history = History().open().open(OTHER).deposit(5)
    rows, after = tail(history.journal, 0, 3, lambda stream: stream == DEMO)
    assert [(row["position"], row["kind"]) for row in rows] == [(3, "trading.account_opened.v1")]
    assert after == 3
    rows, after = tail(history.journal, after, 3, lambda stream: stream == DEMO)
    assert [row["event"]["units"] for row in rows] == [5]
    assert tail(history.journal, after, 3, lambda _: True) == ([], 5)


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
