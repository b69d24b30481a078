"""What the account holds, pays and releases; and what it refuses, in which order."""

from build import BTC, USD, buy, cancel, ended, fill, given, sell
from fondaco.domain.trading.events import (
    CancelRequested,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
)
from fondaco.domain.trading.model import OrdStatus, Side

CENT = 1_000_000  # ledger units


def test_a_buy_holds_its_cost_until_it_executes() -> None:
    story = given().when(buy(order_qty="5", price="100.00")).then(OrderAccepted)
    assert story.state.free(USD) == 9_500_00 * CENT

    story.when(fill(lots=5_000, px=99_00)).then(OrderFilled)
    assert story.state.free(USD) == story.state.balances[USD] == 9_505_00 * CENT
    assert story.state.free(BTC) == 15 * 10**9
    assert not story.state.working


def test_a_sell_holds_what_it_offers() -> None:
    story = given().when(sell(order_qty="4"))
    assert story.state.free(BTC) == 6 * 10**9
    story.when(fill(lots=1_000, px=101_00, side=Side.SELL))
    assert story.state.balances[USD] == 10_101_00 * CENT
    assert story.state.held[BTC] == 3 * 10**9


def test_a_cancel_releases_when_the_venue_has_answered() -> None:
    story = given().when(buy(), cancel()).then(CancelRequested)
    assert story.order().ord_status is OrdStatus.PENDING_CANCEL
    assert story.state.held[USD] == 100_00 * CENT
    story.when(ended()).then(OrderCanceled)
    assert story.state.held[USD] == 0
