"""What is answered about a market."""

import msgspec
import pytest

from fondaco.domain.market import looks
from fondaco.domain.market.model import Quality
from fondaco.domain.reference.model import Symbol
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.event import Instant
from market.exchange import BTC, MS, Market, diff, snapshot, trade


@pytest.fixture
def market() -> Market:
    made = Market().gets(snapshot(10, bids=[("100.10", "1.5"), ("99.00", "0.00001")]))
    return made.hears(trade(px="100.20", qty="0.25", at_ms=1), diff(11, 11))


def test_a_price_is_decimals_as_text_with_source_and_age(market: Market) -> None:
    reply = looks.prices(market.board, BTC, Instant(market.now + 3 * MS))
    assert msgspec.to_builtins(reply) == {
        "symbol": "BTC-USDT",
        "quality": "ok",
        "synthetic": False,
        "last": {"price": "100.2", "source": "binance", "age_ms": 103.0},
        "mid": {"price": "100.55", "source": "binance", "age_ms": 3.0},
        "mark": {"price": "100.55", "source": "binance", "age_ms": 3.0},
    }


def test_before_anything_was_heard_there_is_no_price() -> None:
    reply = looks.prices(Market().board, BTC, Instant(1))
    assert (reply.last, reply.mid, reply.mark) == (None, None, None)
    assert reply.quality is Quality.RECOVERING


def test_what_is_synthetic_is_labelled_so() -> None:
    market = Market().hears(trade(), source="synthetic")
    assert looks.prices(market.board, BTC, market.now).synthetic
    market = Market().hears(trade(), source="replay.synthetic")
    assert looks.prices(market.board, BTC, market.now).synthetic


def test_an_orderbook_has_depth_sequence_and_checksum(market: Market) -> None:
    reply = looks.orderbook(market.board, BTC, 1, market.now)
    assert msgspec.to_builtins(reply.bids) == [["100.1", "1.5"]]
    assert msgspec.to_builtins(reply.asks) == [["101", "1"]]
    assert (reply.sequence, reply.version, reply.quality) == (11, 2, Quality.OK)
    assert len(looks.orderbook(market.board, BTC, 50, market.now).bids) == 2
    # CRC-32 of the text "10010:150000:10100:100000:9900:1"
    assert reply.checksum == 0x9FE98EE4
    market.hears(diff(12, 12, bids=[("99.00", "0.00002")]))
    assert looks.orderbook(market.board, BTC, 1, market.now).checksum != reply.checksum


@pytest.mark.parametrize("depth", [0, -1, 1_001])
def test_a_depth_has_bounds(depth: int, market: Market) -> None:
    with pytest.raises(Invalid, match="must be 1 to 1000"):
        looks.orderbook(market.board, BTC, depth, market.now)


def test_bars_are_text_oldest_first(market: Market) -> None:
    market.hears(trade(px="101.00", qty="1", at_ms=1_000, buyer_is_maker=True))
    reply = looks.bars(market.board, BTC, "1s", 10)
    assert [(bar.start, bar.open, bar.volume, bar.buy_volume) for bar in reply.items] == [
        (0, "100.2", "0.25", "0.25"),
        (1_000 * MS, "101", "1", "0"),
    ]
    assert looks.bars(market.board, BTC, "1s", 1).items == reply.items[-1:]
    for wrong in (("1s", 0), ("1s", 1_001), ("7s", 1)):
        with pytest.raises(Invalid):
            looks.bars(market.board, BTC, *wrong)


def test_an_unknown_symbol_is_not_found(market: Market) -> None:
    nobody = Symbol("DOGE-USD")
    for look in (
        lambda: looks.prices(market.board, nobody, market.now),
        lambda: looks.orderbook(market.board, nobody, 1, market.now),
        lambda: looks.bars(market.board, nobody, "1s", 1),
    ):
        with pytest.raises(NotFound, match="no market in DOGE-USD"):
            look()


def test_the_health_of_every_feed_is_one_line(market: Market) -> None:
    market.hears(diff(13, 13))
    [line] = looks.feeds(market.board, market.now)
    assert (line.symbol, line.quality, line.source) == (BTC, Quality.GAPPED, "binance")
    assert line.since == market.now
    assert (line.tallies.gaps, line.tallies.messages) == (1, 4)
    assert line.delays[Quality.GAPPED].last_ns == 100 * MS
    assert b'"gapped"' in msgspec.json.encode(line)
