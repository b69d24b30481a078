"""Half a minute of Kraken, Coinbase (April 2021) and Bitstamp (January 2022), ten books each, as
cryptofeed recorded it.

Kraken sends a checksum with every update, so each of its books is proven after each update. The
others prove less: a twin that keeps decimals in dicts must end the same, the books must never be
crossed, and Coinbase's matches must carry numbers without a hole.

This product includes software developed by Bryant Moscon (http://www.bryantmoscon.com/): the
recordings are his.
"""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from fondaco.domain.market.board import Board
from fondaco.domain.market.feeds.captured import Capture, captures
from fondaco.domain.market.model import Quality, Trade
from fondaco.kernel.event import Instant
from market.recorded import NAIVE, Twin

FOLDER = Path(__file__).resolve().parents[2] / "../shared/data/market/crypto/wire_2021"

if not FOLDER.exists():
    pytest.skip("../shared/data/market/crypto is not here", allow_module_level=True)

COUNTS = {  # frames, snapshots, updates, trades, checksums
    "kraken-2021": (4_430, 10, 4_269, 10, 4_269),
    "coinbase-2021": (9_946, 10, 9_719, 97, 0),
    "bitstamp-2022": (757, 10, 717, 10, 0),
}


@pytest.fixture(scope="module", params=COUNTS)
def capture(request: pytest.FixtureRequest) -> Capture:
    return next(each for each in captures(FOLDER) if each.exchange == request.param)


def test_every_checksum_passes_and_no_book_is_ever_wrong(capture: Capture) -> None:
    board = Board({each.symbol: each.instrument for each in capture.listings})
    normaliser = capture.wire(board, capture.listings)
    crossed: list[object] = []
    trades: list[Trade] = []
    board.on_quality.append(
        lambda symbol, quality: crossed.append(symbol) if quality is not Quality.OK else None
    )
    board.on_trade.append(trades.append)
    frames = list(capture.read())
    for position, (at, source, raw) in enumerate(frames, 1):
        normaliser.take(source, Instant(at), position, raw)
    seen = [book.tallies for book in board.books.values()]
    assert (normaliser.malformed, normaliser.unknown) == (0, 0)
    assert COUNTS[capture.exchange] == (
        len(frames),
        sum(each.snapshots for each in seen),
        sum(each.diffs for each in seen),
        len(trades),
        sum(each.checksums for each in seen),
    )
    assert sum(each.checksums_different + each.gaps + each.malformed for each in seen) == 0
    assert (crossed, len(board.books), board.ready) == ([], 10, True)
    assert sum(book.levels.cut for book in board.books.values()) == 0  # all is whole lots


def test_a_book_that_is_wrong_by_one_level_fails_the_next_checksum() -> None:
    """What the count of passed checksums is worth."""
    [kraken] = captures(FOLDER / "KRAKEN.0.gz")
    board = Board({each.symbol: each.instrument for each in kraken.listings})
    normaliser = kraken.wire(board, kraken.listings)
    for position, (at, source, raw) in enumerate(kraken.read(), 1):
        if position == 2_000:
            for book in board.books.values():
                [(px, qty)] = book.bids(1)
                book.levels.apply(0, px, qty + 1)
        normaliser.take(source, Instant(at), position, raw)
    wrong = [book.tallies.checksums_different for book in board.books.values()]
    assert wrong == [1] * 10


def test_a_twin_of_decimals_and_dicts_ends_the_same(capture: Capture) -> None:
    board = Board({each.symbol: each.instrument for each in capture.listings})
    normaliser = capture.wire(board, capture.listings)
    twins = {each.name: Twin() for each in capture.listings}
    for position, frame in enumerate(capture.read(), 1):
        normaliser.take(frame.source, Instant(frame.at), position, frame.raw)
        NAIVE[capture.exchange](twins, frame.source, frame.raw)
    for each in capture.listings:
        assert twins[each.name].equals(board.book(each.symbol)), each.name


def test_matches_of_coinbase_are_numbered_without_a_hole() -> None:
    [coinbase] = captures(FOLDER / "COINBASE.0.gz")
    numbers: dict[str, list[int]] = {}
    for frame in coinbase.read():
        message = json.loads(frame.raw)
        if message["type"] in ("match", "last_match"):
            numbers.setdefault(message["product_id"], []).append(message["trade_id"])
    assert len(numbers) == 10
    for found in numbers.values():
        assert found == list(range(found[0], found[0] + len(found)))


def test_what_coinbase_says_of_the_touch_is_what_its_book_showed() -> None:
    """A ticker carries the touch after a match; the book's messages come on a clock of their own,
    so it is looked for among the touches of the second around it."""
    [coinbase] = captures(FOLDER / "COINBASE.0.gz")
    board = Board({each.symbol: each.instrument for each in coinbase.listings})
    normaliser = coinbase.wire(board, coinbase.listings)
    touches: dict[str, list[tuple[int, Decimal, Decimal]]] = {}
    said: list[tuple[str, int, Decimal, Decimal]] = []
    for position, (at, source, raw) in enumerate(coinbase.read(), 1):
        normaliser.take(source, Instant(at), position, raw)
        message = json.loads(raw)
        book = board.books.get(message.get("product_id", ""))
        if message["type"] == "ticker":
            best = Decimal(message["best_bid"]), Decimal(message["best_ask"])
            said.append((message["product_id"], at, *best))
        elif book is not None and board.ready:
            px = book.instrument.px_text
            touch = Decimal(px(book.levels.best_bid())), Decimal(px(book.levels.best_ask()))
            touches.setdefault(str(book.symbol), []).append((at, *touch))
    found = sum(
        any(abs(when - at) < 10**9 and best == touch for when, *touch in touches[product])
        for product, at, *best in said
    )
    assert len(said) == 107
    assert found >= 90, found
