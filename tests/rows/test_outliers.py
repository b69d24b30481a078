"""Requirement P26: a bad book, or a print that cannot be, is marked, and nobody trades on it."""

import pytest

from fondaco.domain.market.board import Board
from fondaco.domain.market.book import ASK, BID
from fondaco.domain.market.model import Quality, Trade
from fondaco.kernel.event import Instant
from gateway.desk import BTC_USD

SYMBOL = BTC_USD.symbol


class Market:
    """A board around 100.00."""

    def __init__(self, *, synced: bool = True) -> None:
        self.board = Board({SYMBOL: BTC_USD})
        self.heard: list[int] = []
        self.board.on_trade.append(lambda trade: self.heard.append(trade.px))
        book = self.board.books[SYMBOL]
        for side, px in ((BID, 99_00), (ASK, 101_00)):
            book.levels.apply(side, px, 10)
        book.condition.synced = synced
        self.board.settle(book)

    def trade(self, px: int) -> None:
        at = Instant(1)
        self.board.traded(Trade(SYMBOL, px, 5, "buy", 1, at, at, "test"), 1)


@pytest.mark.parametrize("px", [1, 89_99, 110_01, 1_000_000_00])
def test_a_print_far_from_a_good_book_is_counted_and_moves_nothing(px: int) -> None:
    market = Market()
    market.trade(100_50)
    mark = market.board.marks[SYMBOL]
    market.trade(px)
    book = market.board.books[SYMBOL]
    assert book.tallies.outliers == 1
    last = market.board.last(SYMBOL)
    assert last is not None
    assert last.px == 100_50
    assert market.heard == [100_50]  # no resting order of ours was executed by it
    assert [bar.trades for bar in market.board.bars(SYMBOL, "1s", 10)] == [1]
    assert market.board.marks[SYMBOL] == mark
    assert book.quality is Quality.OK


@pytest.mark.parametrize("px", [90_00, 100_00, 110_00])
def test_a_print_within_a_tenth_is_a_trade(px: int) -> None:
    market = Market()
    market.trade(px)
    assert market.heard == [px]
    assert market.board.books[SYMBOL].tallies.outliers == 0


def test_a_book_that_is_not_good_judges_nobody() -> None:
    """It may be the book that is wrong."""
    market = Market(synced=False)
    market.trade(50_00)
    assert market.heard == [50_00]
