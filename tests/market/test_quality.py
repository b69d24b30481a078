"""The law of quality: a table for what is known, and stories for how it comes to be known."""

from itertools import product

import pytest

from fondaco.domain.market.model import Quality
from fondaco.domain.market.quality import Condition, judge
from fondaco.kernel.event import Instant
from market.exchange import BTC, MS, Market, diff, snapshot, ticker, trade

OK, STALE, GAPPED = Quality.OK, Quality.STALE, Quality.GAPPED
CROSSED, RECOVERING = Quality.CROSSED, Quality.RECOVERING

# hole, synced, crossed, silent: each row is wrong in its own way and may be in every later one.
LAW = [
    ((True, None, None, None), GAPPED),
    ((False, False, None, None), RECOVERING),
    ((False, True, True, None), CROSSED),
    ((False, True, False, True), STALE),
    ((False, True, False, False), OK),
]


@pytest.mark.parametrize("known", list(product((True, False), repeat=4)))
def test_the_first_trouble_is_the_one_that_is_told(known: tuple[bool, ...]) -> None:
    hole, synced, crossed, silent = known
    [expected] = [
        quality
        for row, quality in LAW
        if all(said is None or said == is_so for said, is_so in zip(row, known, strict=True))
    ]
    assert judge(Condition(synced=synced, hole=hole, crossed=crossed, silent=silent)) is expected


def synced() -> Market:
    return Market().hears(diff(9, 11)).gets(snapshot(10)).hears(diff(12, 12))


def test_a_book_begins_recovering_and_is_ok_with_its_snapshot() -> None:
    market = Market()
    assert market.quality is RECOVERING
    assert not market.board.ready
    assert synced().qualities == ["ok"]
    assert synced().board.ready


def test_a_hole_is_gapped_until_somebody_fetches_then_recovering_then_ok() -> None:
    market = synced().hears(diff(14, 15))
    assert market.quality is GAPPED is market.mark.quality
    assert list(market.normaliser.wants) == ["BTCUSDT"]
    market.fetches()
    assert list(market.normaliser.wants) == []
    assert market.quality is RECOVERING is market.mark.quality
    market.hears(diff(16, 16)).gets(snapshot(15))
    assert market.quality is OK is market.mark.quality
    assert market.qualities == ["ok", "gapped", "recovering", "ok"]
    assert market.board.book(BTC).tallies.gaps == 1


def test_a_crossed_book_is_crossed_until_it_is_not() -> None:
    market = synced().hears(diff(13, 13, bids=[("101.00", "2")]))
    assert market.quality is CROSSED is market.mark.quality  # equal prices are crossed too
    market.hears(diff(14, 14, bids=[("102.00", "2")]))
    market.hears(diff(15, 15, bids=[("101.00", "0"), ("102.00", "0")]))
    assert market.quality is OK is market.mark.quality
    assert market.board.book(BTC).tallies.crossed == 1


def test_silence_is_stale_until_an_update_comes_and_the_mark_keeps_its_time() -> None:
    market = synced()
    board, before = market.board, market.mark
    board.check(Instant(market.now + 2_000 * MS))
    assert market.quality is OK  # as long as allowed
    board.check(Instant(market.now + 2_250 * MS))
    assert market.quality is STALE is market.mark.quality
    assert (market.mark.px, market.mark.at) == (before.px, before.at)
    market.hears(trade(), ticker(13))
    assert market.quality is STALE  # the book is as old as it was
    market.hears(diff(13, 13))
    assert market.quality is OK is market.mark.quality
    assert board.delays[BTC][STALE].max_ns == board.detection_delay_ns[BTC] == 2_250 * MS
    assert board.book(BTC).tallies.stale == 1


def test_a_reset_is_recovering_at_once() -> None:
    market = synced().resets()
    assert market.quality is RECOVERING is market.mark.quality
    assert list(market.normaliser.wants) == ["BTCUSDT"]
    market.board.check(Instant(market.now + 10**12))
    assert market.quality is RECOVERING  # which is worse than stale


@pytest.mark.parametrize(
    ("wrong", "compared"),
    [
        (ticker(13, bid="99.99"), 1),
        (ticker(13, ask="101.01"), 1),
        (ticker(13, qty="1.00001"), 1),
        (ticker(13, bid="nonsense"), 1),
        (ticker(14, bid="99.99"), 0),  # of an update that is still to come
        (ticker(11, bid="99.99"), 0),  # older than the book
    ],
)
def test_a_ticker_that_differs_from_its_update_is_a_hole(wrong: bytes, compared: int) -> None:
    """Whichever of the two comes first."""
    before, after = synced().hears(wrong, diff(13, 13)), synced().hears(diff(13, 13), wrong)
    for market in (before, after):
        assert market.quality is (GAPPED if compared else OK)
        seen = market.board.book(BTC).tallies
        assert (seen.tickers_compared, seen.tickers_different) == (compared, compared)


def test_a_ticker_that_agrees_is_counted() -> None:
    market = synced().hears(ticker(13), diff(13, 13), ticker(13))
    assert market.quality is OK
    assert market.board.book(BTC).tallies.tickers_compared == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"data":7}',
        diff(13, 13).replace(b'"b":[]', b'"b":[["1"]]'),
        diff(13, 13).replace(b'"b":[]', b'"b":7'),
        diff(13, 13, asks=[("101.001", "1")]),  # off the tick
        diff(13, 13, asks=[("101.00", "-1")]),
    ],
)
def test_a_message_that_makes_no_sense_is_a_hole_and_harms_nobody(raw: bytes) -> None:
    market = synced().hears(raw)
    assert market.quality is GAPPED
    assert market.board.book(BTC).tallies.malformed == 1
    market.fetches().hears(diff(14, 14)).gets(snapshot(13))
    assert market.quality is OK


def test_listeners_are_told_when_the_update_is_complete() -> None:
    market, told = Market(), list[object]()
    board = market.board
    board.on_book.append(lambda symbol: told.append((symbol, board.marks[symbol].px)))
    board.on_quality.append(lambda symbol, quality: told.append(board.marks[symbol].quality))
    board.on_trade.append(lambda it: told.append((it.px, it.qty, it.aggressor)))
    market.gets(snapshot(10)).hears(diff(11, 11, bids=[("100.50", "3")]))
    market.hears(trade(px="100.75", buyer_is_maker=True), diff(13, 13))
    assert told == [OK, (BTC, 10050), (BTC, 10075), (10075, 50_000, "sell"), GAPPED]


def test_a_mark_is_the_middle_half_even_or_the_last_trade() -> None:
    market = Market()
    assert market.board.marks == {}
    market.hears(trade(px="99.00"))
    assert (market.mark.px, market.mark.quality, market.mark.tape_position) == (9900, RECOVERING, 1)
    market.gets(snapshot(10, bids=[("100.00", "1")], asks=[("100.01", "1")]))
    assert (market.mark.px, market.mark.quality) == (10000, OK)
    market.hears(diff(11, 11, bids=[("100.01", "1")], asks=[("100.01", "0"), ("100.02", "1")]))
    assert market.mark.px == 10002
    market.hears(trade(px="99.00"))
    assert market.mark.px == 10002  # a trade moves no mark while there is a middle
    assert market.mark.source == "binance"


def test_a_level_tells_whether_it_was_updated_since() -> None:
    market = synced()
    book = market.board.book(BTC)
    seen = book.level_version("ask", 10100)
    market.hears(diff(13, 13, asks=[("102.00", "1")]))
    assert book.level_version("ask", 10100) == seen
    market.hears(diff(14, 14, asks=[("101.00", "1")]))  # the same size, but said again
    assert book.level_version("ask", 10100) == book.version > seen
    market.hears(diff(15, 15, asks=[("101.00", "0")]))
    assert book.level_version("ask", 10100) == -1
    assert (book.qty("ask", 10200), book.qty("bid", 10200)) == (100_000, 0)
