"""The documents' names for what an order does and where it stands, each seen to happen."""

from copy import deepcopy

import pytest

from build import BTC, USD, buy, ended, fill, given
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import TradingCommand
from fondaco.domain.trading.model import OrdStatus
from fondaco.domain.trading.rules.words import BEHAVIOURS, STATES

STORIES: dict[str, tuple[TradingCommand, ...]] = {
    "OnOrderCreated": (buy(),),
    "OnRiskValidated": (buy(),),
    "OnOrderFilled": (buy(), fill(lots=400)),
    "OnOrderCancelled": (buy(), ended()),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_behaviour_of_the_documents_is_a_command_and_the_events_it_becomes(name: str) -> None:
    command, events = BEHAVIOURS[name]
    story = given().when(*STORIES[name][:-1])
    before = deepcopy(story.state)
    assert type(STORIES[name][-1]) is command
    story.when(STORIES[name][-1])
    assert type(story.events[-1]) is events[0]
    assert story.state != before  # `evolve` has a part of its own for it


def test_the_behaviours_are_those_that_the_documents_name() -> None:
    assert BEHAVIOURS.keys() == STORIES.keys()


def test_creating_an_order_is_validating_it_in_the_same_turn() -> None:
    accepted = given().when(buy()).only(ev.OrderAccepted)
    assert accepted.marks
    assert accepted.headroom.power > 0
    refused = given().when(buy(order_qty="9999")).only(ev.OrderRejected)
    assert refused.excess is not None
    assert (type(accepted), type(refused)) == BEHAVIOURS["OnRiskValidated"][1]


def status(*history: TradingCommand) -> OrdStatus:
    state = given().when(*history).state
    return state.working[1].ord_status if state.working else state.ended[1].ord_status


@pytest.mark.parametrize(
    ("word", "history"),
    [
        ("ACCEPTED", (buy(),)),
        ("ACCEPTED", (buy(), fill(lots=400))),
        ("FILLED", (buy(), fill())),
        ("REJECTED", (buy(order_qty="9999"),)),
        ("CANCELLED", (buy(), ended())),
        ("CANCELLED", (buy(), ended(status=OrdStatus.EXPIRED))),
    ],
)
def test_a_state_of_the_documents_is_a_view_of_ord_status(
    word: str, history: tuple[TradingCommand, ...]
) -> None:
    found = status(*history)
    assert found in STATES[word]
    assert [other for other, statuses in STATES.items() if found in statuses] in (
        [word],
        ["FILLED", "SETTLED"],
    )


def test_spot_is_settled_with_its_fill() -> None:
    """Money and bitcoin have moved, nothing is held, and what was bought can be spent."""
    story = given().when(buy(), fill())
    assert story.state.balances == {USD: 9_900 * 10**8, BTC: 11 * 10**9}
    assert not any(story.state.held.values())
    assert story.state.free(BTC) == 11 * 10**9
