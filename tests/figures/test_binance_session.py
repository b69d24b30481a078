"""Binance spot around midnight of 2024-08-08, as somebody recorded it: BTCUSDT, ETHUSDT, 651 s.

The exchange publishes the best bid and offer beside the updates of the book, numbered alike. So the
book after the update that ends with number u must show what the ticker numbered u says, and every
pair in the session with the same number is compared.
"""

import json
from collections import Counter
from decimal import Decimal
from itertools import islice
from pathlib import Path

import msgspec
import pytest

import build
from fondaco.domain.market.binance import Binance
from fondaco.domain.market.board import Board, LiveBook
from fondaco.domain.market.connection import HOUSE, notice
from fondaco.domain.market.feeds.captured import Recorded
from fondaco.domain.market.feeds.replay import Recording
from fondaco.domain.market.listings import Listing, listed
from fondaco.domain.market.model import Quality
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.events import OrderAccepted
from fondaco.domain.trading.model import Side
from fondaco.domain.trading.rules import decide
from fondaco.kernel.event import Instant
from market.naive import NaiveBook

FOLDER = Path(__file__).resolve().parents[2] / "../shared/data/market/crypto/binance_spot_20240808"
BTC, ETH = Symbol("BTC-USDT"), Symbol("ETH-USDT")
MS = 1_000_000

if not FOLDER.exists():
    pytest.skip("../shared/data/market/crypto is not here", allow_module_level=True)


@pytest.fixture(scope="module")
def session() -> list[Recorded]:
    return list(Recording(FOLDER).read())


def board_of(*names: str) -> tuple[Board, Binance]:
    listings = listed(names or ("BTCUSDT", "ETHUSDT"))
    board = Board({each.symbol: each.instrument for each in listings})
    return board, Binance(board, listings)


def test_the_session_has_no_gaps_and_the_book_equals_every_ticker_of_the_same_number(
    session: list[Recorded],
) -> None:
    board, normaliser = board_of()
    for position, (at, source, raw) in enumerate(session, 1):
        normaliser.take(source, Instant(at), position, raw)
    assert len(session) == 179_318
    assert (normaliser.malformed, normaliser.unknown) == (0, 0)
    expected = {
        BTC: (99_574, 6_495, 73_174, 19_904, 1_072),
        ETH: (79_744, 6_470, 58_758, 14_515, 1_056),
    }
    for symbol, counts in expected.items():
        book = board.book(symbol)
        seen = book.tallies
        assert (seen.messages, seen.diffs, seen.tickers, seen.trades) == counts[:4]
        assert seen.tickers_compared == counts[4]
        assert (seen.gaps, seen.crossed, seen.malformed, seen.tickers_different) == (0, 0, 0, 0)
        assert book.quality is Quality.OK
        assert [quality for quality, _ in book.periods] == [Quality.OK]
        # Every ticker whose number ends an update that the book went through was compared.
        assert seen.tickers_compared == _pairs(session, symbol.replace("-", ""))
        # The recorder's clock was 1.25 s behind: everything was received before it happened.
        assert seen.latency_negative == seen.diffs + seen.trades
        assert seen.latency_max_ns == 0


@pytest.mark.parametrize("name", ["BTCUSDT", "ETHUSDT"])
def test_a_naive_book_ends_the_same_and_compares_as_many(
    name: str, session: list[Recorded]
) -> None:
    naive, (board, normaliser) = NaiveBook(), board_of(name)
    for position, (at, source, raw) in enumerate(session, 1):
        if name.encode() in raw[:400] or source.endswith(name):
            naive.take(raw)
            normaliser.take(source, Instant(at), position, raw)
    book = board.book(Symbol(f"{name[:3]}-USDT"))
    instrument = book.instrument
    lot = Decimal(instrument.lot_units).scaleb(-instrument.qty_decimals)
    for mine, theirs in ((book.bids(10**6), naive.bids), (book.asks(10**6), naive.asks)):
        # In whole lots: the session shows a handful of quantities that are finer.
        whole = {px: int(qty / lot) for px, qty in theirs.items() if qty >= lot}
        assert {Decimal(instrument.px_text(px)): lots for px, lots in mine} == whole
    assert (naive.compared, naive.different) == (book.tallies.tickers_compared, 0)


def test_injected_gaps_are_found_by_the_next_update(session: list[Recorded]) -> None:
    """Requirement R10: from the next update on, until a newer snapshot is in, no mark is OK."""
    (board, normaliser), (whole, reference) = board_of(), board_of()
    book, there = board.book(BTC), whole.book(BTC)
    dropped_at, delays_ns, good_while_bad, diffs = 0, list[int](), 0, 0
    for position, (at, source, raw) in enumerate(session, 1):
        now = Instant(at)
        reference.take(source, now, position, raw)
        if raw.startswith(b'{"stream":"btcusdt@depth'):
            diffs += 1
            if diffs % 500 == 100:
                dropped_at = at
                continue  # this one gets lost
            if diffs % 500 == 110:
                normaliser.take(f"binance.{HOUSE}", now, 0, notice("fetching", name="BTCUSDT"))
                assert board.marks[BTC].quality is Quality.RECOVERING
            if diffs % 500 == 113:
                normaliser.take("binance.BTCUSDT", now, 0, _snapshot(there))
                assert board.marks[BTC].quality is Quality.OK
                assert book.levels.digest() == there.levels.digest()
        normaliser.take(source, now, position, raw)
        if dropped_at and book.quality is not Quality.OK:
            delays_ns.append(at - dropped_at)
            dropped_at = 0
        if 101 < diffs % 500 < 113:
            good_while_bad += board.marks[BTC].quality is Quality.OK
            assert diffs % 500 >= 110 or book.quality is Quality.GAPPED
    assert good_while_bad == 0
    assert book.tallies.gaps == len(delays_ns) == board.delays[BTC][Quality.GAPPED].count == 13
    assert max(delays_ns) < 210 * MS  # an update is due every 100 ms; one interval was longer
    # The board counts from the last good update, which is the worst that can be true.
    assert max(delays_ns) <= board.detection_delay_ns[BTC] < 310 * MS
    cycle = [Quality.GAPPED, Quality.RECOVERING, Quality.OK]
    assert [quality for quality, _ in book.periods] == [Quality.OK, *13 * cycle]
    assert book.levels.digest() == there.levels.digest()
    assert [quality for quality, _ in board.book(ETH).periods] == [Quality.OK]


def test_injected_crossed_books_are_found_at_once(session: list[Recorded]) -> None:
    """A bid at the best ask is put in front of an update and taken away by the next one."""
    board, normaliser = board_of()
    book = board.book(BTC)
    compared = {
        json.loads(raw)["data"]["u"] for _, _, raw in session if b"btcusdt@bookT" in raw[:30]
    }
    diffs, crossed, held = 0, 0, list[tuple[str, bytes]]()
    for position, (at, source, raw) in enumerate(session, 1):
        now = Instant(at)
        if raw.startswith(b'{"stream":"btcusdt@depth'):
            for earlier_source, earlier in held:
                assert board.marks[BTC].quality is Quality.CROSSED
                normaliser.take(earlier_source, now, position, earlier)
                assert board.marks[BTC].quality is Quality.OK
            held.clear()
            diffs += 1
            message = json.loads(raw)
            data = message["data"]
            if diffs % 50 == 0 and data["u"] > data["U"] and data["U"] not in compared:
                bid = book.instrument.px_text(book.asks(1)[0][0])
                rest = {**data, "U": data["U"] + 1, "b": [[bid, "0.00000000"], *data["b"]]}
                held.append((source, _encoded({**message, "data": rest})))
                first = {**data, "u": data["U"], "b": [[bid, "0.50000000"]], "a": []}
                raw = _encoded({**message, "data": first})
                crossed += 1
        normaliser.take(source, now, position, raw)
        assert (board.marks[BTC].quality is Quality.CROSSED) == bool(held) if diffs > 10 else True
    assert crossed > 80
    delays = board.delays[BTC]
    assert set(delays) == {Quality.CROSSED}
    assert book.tallies.crossed == delays[Quality.CROSSED].count == crossed
    # Found with the very update that crosses: the delay is the time since the one before.
    assert delays[Quality.CROSSED].max_ns < 310 * MS
    assert book.tallies.tickers_different == 0


class Trader:
    """An account with money and bitcoin, in the house whose marks are the board's."""

    def __init__(self) -> None:
        instrument = build.btc_usd(lot="0.00001")
        listing = Listing("BTCUSDT", instrument)  # the pair of the session, paid in dollars
        self.board = Board({instrument.symbol: instrument})
        self.normaliser = Binance(self.board, [listing])
        self.book = self.board.book(instrument.symbol)
        refs = build.refs(btc=instrument)
        self._refs = msgspec.structs.replace(refs, marks=self.board.marks)
        self._state = build.given(build.deposit("1000000"), build.deposit("10", "BTC")).state
        self.accepted = Counter[tuple[Side, Quality]]()
        self.asked = Counter[Quality]()

    def tries(self) -> None:
        """To buy and to sell at the market, as it is now."""
        quality = self.book.quality
        self.asked[quality] += 1
        for side in Side:
            command = build.market(order_qty="0.01", side=side)
            [*_, event] = decide(self._state, command, self._refs)
            self.accepted[side, quality] += isinstance(event, OrderAccepted)


def test_no_opening_order_is_accepted_while_the_book_is_bad(session: list[Recorded]) -> None:
    """Requirement R10, from the wire to the decision: an update is lost now and then, bids are put
    at the ask, and after every message somebody wants to buy and to sell."""
    trader, whole = Trader(), Trader()
    book, there, diffs = trader.book, whole.book, 0
    messages = (each for each in session if b"BTCUSDT" in each.raw or each.source[-7:] == "BTCUSDT")
    for position, (at, source, raw) in enumerate(islice(messages, 30_000), 1):
        now, is_diff = Instant(at), b"@depth" in raw[:30]
        whole.normaliser.take(source, now, position, raw)
        diffs += is_diff
        step = diffs % 100 if is_diff else 0
        if step == 50:
            continue  # lost
        if step == 30:
            message = json.loads(raw)
            bid = book.instrument.px_text(book.asks(1)[0][0])
            message["data"]["b"] = [[bid, "0.50000000"]]
            message["data"]["a"] = []
            raw = _encoded(message)
        trader.normaliser.take(source, now, position, raw)
        if step in (35, 60):
            trader.normaliser.take("binance.house", now, 0, notice("reset", name="BTCUSDT"))
        if step in (40, 70):
            trader.normaliser.take("binance.BTCUSDT", now, 0, _snapshot(there))
        if book.symbol in trader.board.marks:
            trader.tries()
    assert trader.asked[Quality.OK] > 10_000
    assert trader.accepted[Side.BUY, Quality.OK] == trader.asked[Quality.OK]
    for bad in (Quality.CROSSED, Quality.GAPPED, Quality.RECOVERING):
        assert trader.asked[bad] > 100
        assert trader.accepted[Side.BUY, bad] == 0
        assert trader.accepted[Side.SELL, bad] == trader.asked[bad]  # what reduces stays possible


def _pairs(session: list[Recorded], name: str) -> int:
    """How many tickers carry the number of an update's end, from the snapshot on."""
    start, tickers, ends = 0, set[int](), set[int]()
    for _, source, raw in session:
        if source.endswith(name):
            start = json.loads(raw)["lastUpdateId"]
        elif name.encode() in raw:
            data = json.loads(raw)["data"]
            if "u" in data:
                (ends if "U" in data else tickers).add(data["u"])
    return sum(number > start for number in tickers & ends)


def _snapshot(book: LiveBook) -> bytes:
    """What the exchange would have answered at this moment."""
    px, qty = book.instrument.px_text, book.instrument.qty_text
    bids, asks = (
        [[px(level), qty(lots)] for level, lots in side]
        for side in (book.bids(10**6), book.asks(10**6))
    )
    return _encoded({"lastUpdateId": book.sequence, "bids": bids, "asks": asks})


def _encoded(message: dict[str, object]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()
