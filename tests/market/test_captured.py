"""Captures and archives of other people as feeds: what they say reaches tape, board and listeners,
and a tape of them can be played again."""

import asyncio
import gzip
from collections.abc import Iterable
from pathlib import Path

import pytest

from fondaco.domain.market.board import Board
from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.feeds.archived import archives
from fondaco.domain.market.feeds.captured import captures
from fondaco.domain.market.feeds.replay import ReplayFeed, tape_recordings
from fondaco.domain.market.feeds.several import SeveralFeed
from fondaco.domain.market.feeds.spec import feed
from fondaco.domain.market.intake import Arrival, Intake
from fondaco.domain.market.model import Quality, Trade
from fondaco.domain.reference.model import Symbol
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.ports.tape import Tape
from fondaco.ports.tape.memory import MemoryTape
from fondaco.ports.tape.segments import SegmentTape
from market.recorded import encoded, kraken_checksum, match, said_by_kalshi

TIME = "1618678133.365913"
ASKS = [("101.0", "1.00000000", TIME)]
BIDS = [("100.0", "2.00000000", TIME)]
BETTER = ("100.5", "3.00000000", TIME)
KRAKEN = [
    {"event": "systemStatus", "status": "online"},
    [560, {"as": ASKS, "bs": BIDS}, "book-10", "XBT/USD"],
    [560, {"b": [BETTER], "c": kraken_checksum(ASKS, [BETTER, *BIDS])}, "book-10", "XBT/USD"],
    [561, [["101.0", "0.5", TIME, "b", "m", ""]], "trade", "XBT/USD"],
]
PRODUCTS = {
    "KRAKEN": {"result": {"X": {"wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8}}},
    "COINBASE": [
        {"id": "BTC-USD", "base_currency": "BTC", "quote_currency": "USD",
         "quote_increment": "0.01", "base_increment": "0.00000001"},
    ],
    "BITSTAMP": [
        {"name": "ETH/USD", "url_symbol": "ethusd", "base_decimals": 8, "counter_decimals": 2}
    ],
}  # fmt: skip
BTC, ETH = Symbol("BTC-USD"), Symbol("ETH-USD")


def listed(name: str, symbol: str) -> bytes:
    asked = encoded({"l2_book": [symbol]})
    return b"https://list -> 1.5: %s\nconfiguration: %s\n" % (encoded(PRODUCTS[name]), asked)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Kraken packed, Coinbase plain, and Bitstamp, whose book comes by another way."""
    made = tmp_path / "wire"
    made.mkdir()
    with gzip.open(made / "KRAKEN.0.gz", "wb") as file:
        file.write(listed("KRAKEN", "BTC-USD"))
    lines = [b"wss://x <-> 10.0", b'wss://x <- 10.1: {"event":"subscribe"}', b""]
    lines += [b"%d.25: %s" % (11 + nth, encoded(each)) for nth, each in enumerate(KRAKEN)]
    with gzip.open(made / "KRAKEN.ws.1.0.gz", "wb") as file:
        file.write(b"\n".join(lines) + b"\n")
    (made / "COINBASE.0").write_bytes(listed("COINBASE", "BTC-USD"))
    start = {"type": "snapshot", "product_id": "BTC-USD", "bids": [["100.25", "1"]],
             "asks": [["101.00", "2"]]}  # fmt: skip
    (made / "COINBASE.ws.1.0").write_bytes(
        b"20.5: %s\n20.625000001: %s\n" % (encoded(start), match(7))
    )
    (made / "BITSTAMP.0").write_bytes(listed("BITSTAMP", "ETH-USD"))
    answer = {"microtimestamp": "5", "bids": [["10.00", "1"]], "asks": [["11.00", "1"]]}
    (made / "BITSTAMP.http.0.0").write_bytes(
        b"https://b/api/v2/order_book/ethusd -> 30.5: %s\n" % encoded(answer)
    )
    (made / "LICENSE.txt").write_text("of the recording")
    return made


def test_what_was_received_is_read_in_its_order_and_what_was_sent_is_not(folder: Path) -> None:
    [kraken] = captures(folder / "KRAKEN.0.gz")
    frames = list(kraken.read())
    assert [frame.raw for frame in frames] == [encoded(each) for each in KRAKEN]
    assert frames[0].at == 11_250_000_000
    coinbase = next(each for each in captures(folder) if each.exchange == "coinbase-2021")
    assert [frame.at for frame in coinbase.read()] == [20_500_000_000, 20_625_000_001]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("KRAKEN.ws.2.0", b"soon: {}\n", "is no time"),
        ("COINBASE.0", b"https://list -> 1.5: 7\n", "makes no sense"),
    ],
)
def test_what_is_no_capture_is_refused(file: str, text: bytes, message: str, folder: Path) -> None:
    (folder / file).write_bytes(text)
    with pytest.raises(Invalid, match=message):
        [list(each.read()) for each in captures(folder)]
    (folder / "COINBASE.0").unlink()
    with pytest.raises(Invalid, match="lists the products"):
        captures(folder)


def play(served: Feed, tape: Tape) -> tuple[Board, list[Trade], list[tuple[str, bytes]]]:
    """Everything that a feed of recordings says once, through tape and board, to a listener."""
    board = Board({each.symbol: each for each in served.instruments()})
    trades: list[Trade] = []
    board.on_trade.append(trades.append)
    intake = Intake(board, tape, served.listings, served.wire)
    told: list[tuple[str, bytes]] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        def clock() -> Instant:
            return Instant(10**18 + int((loop.time() - began) * 1e9))

        def emit(arrivals: Iterable[Arrival]) -> Iterable[str]:
            found = list(arrivals)
            told.extend((each.source, each.raw) for each in found)
            return intake(found)

        running = asyncio.create_task(served.run(clock, emit))  # type: ignore[arg-type]
        async with asyncio.timeout(20):
            while not (board.ready and len(trades) >= 1):
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
    return board, trades, told


def test_raw_goes_to_the_tape_and_what_it_means_to_the_board_and_its_listeners(
    folder: Path,
) -> None:
    tape = MemoryTape()
    served = feed(f"replay:{folder},speed=100", open_tape=SegmentTape)
    assert served.label == "replay:bitstamp-2022; replay:coinbase-2021; replay:kraken-2021"
    board, trades, told = play(served, tape)
    assert [(frame.source, frame.raw) for frame in tape.read()] == told
    raws = [raw for source, raw in told if source == "replay.kraken-2021"]
    assert raws == [encoded(each) for each in KRAKEN]
    assert board.quality(BTC) is board.quality(ETH) is Quality.OK
    # Coinbase goes before Kraken by name, so its book is shown; both are in the consolidated one.
    assert board.book(BTC).source == "replay:coinbase-2021"
    assert [each.source for each in board.sources[BTC]] == [
        "replay:coinbase-2021",
        "replay:kraken-2021",
    ]
    assert {each.source for each in trades} == {"replay:coinbase-2021"}


def test_a_tape_of_several_exchanges_is_several_recordings(folder: Path) -> None:
    tape = MemoryTape()
    first, *_ = play(feed(f"replay:{folder},speed=100", open_tape=SegmentTape), tape)
    again = SeveralFeed([ReplayFeed(each, speed=100) for each in tape_recordings(tape)])
    assert {each.symbol for each in again.instruments()} == {BTC, ETH}
    second, *_ = play(again, MemoryTape())
    for symbol, book in first.books.items():
        other = second.book(symbol)
        assert (other.bids(9), other.asks(9)) == (book.bids(9), book.asks(9))
        assert {each.source for each in second.sources[symbol]} == {
            each.source for each in first.sources[symbol]
        }


def test_an_archive_lists_what_it_has_a_book_of(tmp_path: Path) -> None:
    book = said_by_kalshi("orderbook_snapshot", yes_dollars_fp=[["0.40", "2"]])
    other = said_by_kalshi("trade", market_ticker="KXOTHER-1")
    (tmp_path / "kalshi_ws.jsonl").write_bytes(book + b"\n" + other + b"\n")
    (tmp_path / "kalshi_a.json").write_bytes(b'{"market":{"ticker":"KXA-1"}}')
    (tmp_path / "kalshi_b.json").write_bytes(
        b'{"orderbook_fp":{"yes_dollars":[["0.1000","1.00"]],"no_dollars":[]}}'
    )
    (tmp_path / "polymarket_rest.json").write_bytes(b'[{"price":0.9579999999}]')
    [archive] = archives(tmp_path)
    assert [each.name for each in archive.listings] == [
        "KXA-1", "KXA-1:no", "KXTEST-26", "KXTEST-26:no",
    ]  # fmt: skip
    assert [frame.source for frame in archive.read()] == [
        "kalshi-2026.KXA-1", "kalshi-2026.KXA-1", "kalshi-2026", "kalshi-2026",
    ]  # fmt: skip
    assert archives(tmp_path / "kalshi_a.json") == []
    served = feed(f"replay:{tmp_path},speed=100", open_tape=SegmentTape)
    assert served.label == "replay:kalshi-2026"
