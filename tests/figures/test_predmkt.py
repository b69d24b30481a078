"""Messages of Kalshi and Polymarket of 2026, as others archived them: every one is read, and the
books show what the exchange's own answers say."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from fondaco.domain.market.board import Board
from fondaco.domain.market.feeds.archived import Archive, archives
from fondaco.domain.market.wires import kalshi, polymarket
from fondaco.kernel.event import Instant

FOLDER = Path(__file__).resolve().parents[2] / "../shared/data/market/predmkt"

if not FOLDER.exists():
    pytest.skip("../shared/data/market/predmkt is not here", allow_module_level=True)


def played(archive: Archive) -> tuple[Board, int]:
    board = Board({each.symbol: each.instrument for each in archive.listings})
    normaliser = archive.wire(board, archive.listings)
    for position, (at, source, raw) in enumerate(archive.read(), 1):
        normaliser.take(source, Instant(at), position, raw)
    assert normaliser.malformed == 0
    seen = [book.tallies for book in board.books.values()]
    assert sum(each.malformed + each.gaps + each.crossed for each in seen) == 0
    assert board.ready
    return board, normaliser.unknown


def test_every_book_that_was_archived_is_read() -> None:
    made = {each.exchange: each for each in archives(FOLDER)}
    board, passed_over = played(made[kalshi.SOURCE])
    assert (len(board.books), passed_over) == (22, 14)  # YES and NO; trades of other markets
    board, passed_over = played(made[polymarket.SOURCE])
    assert (len(board.books), passed_over) == (10, 7)


def test_the_book_of_kalshi_has_the_touch_of_its_market() -> None:
    [archive] = [each for each in archives(FOLDER) if each.exchange == kalshi.SOURCE]
    board, _ = played(archive)
    market = json.loads((FOLDER / "kalshi_rest_market.json").read_text())["market"]
    book = board.books[kalshi.contract(market["ticker"]).symbol]
    px = book.instrument.px_text
    assert Decimal(px(book.levels.best_bid())) == Decimal(market["yes_bid_dollars"])
    assert Decimal(px(book.levels.best_ask())) == Decimal(market["yes_ask_dollars"])
    contract = board.contracts[book.symbol]
    assert (contract.stage, contract.payout) == ("open", None)
    assert contract.close_at == 4_089_243_540 * 10**9  # 2099-08-01T04:59:00Z


def test_all_trades_are_read_exactly() -> None:
    """Also those of markets whose book nobody archived."""
    lines = (FOLDER / "kalshi_trade.jsonl").read_text().splitlines()
    lines.append((FOLDER / "kalshi_rest_trades.json").read_text())
    told = [each for line in lines for each in _bodies(json.loads(line))]
    tickers = {each.get("market_ticker") or each["ticker"] for each in told}
    listings = [kalshi.contract(each) for each in sorted(tickers)]
    board = Board({each.symbol: each.instrument for each in listings})
    normaliser = kalshi.Kalshi(board, listings)
    seen: list[tuple[Decimal, Decimal, str]] = []
    board.on_trade.append(
        lambda it: seen.append(
            (
                Decimal(board.instruments[it.symbol].px_text(it.px)),
                Decimal(board.instruments[it.symbol].qty_text(it.qty)),
                "yes" if it.aggressor == "buy" else "no",
            )
        )
    )
    for position, line in enumerate(lines, 1):
        normaliser.take("kalshi-2026", Instant(2**62), position, line.encode())
    assert seen == [
        (Decimal(each["yes_price_dollars"]), Decimal(each["count_fp"]), each["taker_side"])
        for each in told
    ]
    assert len(seen) > 10
    assert (normaliser.unknown, normaliser.malformed) == (0, 0)


def _bodies(message: dict[str, object]) -> list[dict[str, str]]:
    found = message.get("trades") or [message["msg"]]
    assert isinstance(found, list)
    return found
