"""Exchanges known from recordings, by messages from their public documentation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.market.wires import EXCHANGES, bitstamp, coinbase, kalshi, kraken, polymarket
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from market.recorded import (
    MS,
    Heard,
    answer,
    change,
    changes,
    encoded,
    kraken_book,
    kraken_both,
    kraken_checksum,
    match,
)
from market.recorded import (
    bitstamp as said,
)
from market.recorded import (
    coinbase as message,
)

# Kraken: the example of its page "Spot Websockets (v1) Book Checksum".
ASKS = [(f"0.0{5005 + 5 * nth}", "0.00000500", "1582905487.684110") for nth in range(10)]
BIDS = [
    (px, "0.00000500", "1582905487.439814")
    for px in (
        [
            "0.05000",
            "0.04995",
            "0.04990",
            "0.04980",
            "0.04975",
            "0.04970",
            "0.04965",
            "0.04960",
            "0.04955",
            "0.04950",
        ]
    )
]
PUBLISHED = "974947235"


def kraken_started() -> Heard:
    return Heard("kraken-2021").hears(kraken_book(**{"as": ASKS, "bs": BIDS}))


def test_the_published_checksum_of_kraken_is_computed_from_ticks_and_lots() -> None:
    heard = kraken_started().hears(kraken_book(a=[ASKS[0]], c=PUBLISHED))
    assert heard.quality == "ok"
    assert (heard.book.tallies.checksums, heard.book.tallies.checksums_different) == (1, 0)


@pytest.mark.parametrize("wrong", ["974947236", "0", "", "x"])
def test_a_checksum_that_differs_is_a_hole_until_the_next_snapshot(wrong: str) -> None:
    heard = kraken_started().hears(kraken_book(a=[ASKS[0]], c=wrong))
    assert heard.quality == "gapped"
    assert heard.book.tallies.checksums_different == 1
    heard.hears(kraken_book(a=[ASKS[0]], c=PUBLISHED))
    assert heard.quality == "gapped"
    heard.hears(kraken_book(**{"as": ASKS, "bs": BIDS}))
    assert heard.quality == "ok"


def test_an_update_may_come_in_two_parts_and_say_a_level_twice_or_again() -> None:
    time = "1582905488.000001"
    ask, bid = ("0.05004", "0.00000700", time), ("0.05001", "0.00000100", time)
    checksum = kraken_checksum([ask, *ASKS], [bid, *BIDS])
    heard = kraken_started().hears(
        kraken_both(
            {"a": [("0.05004", "0.00000600", time), ask]}, {"b": [(*bid, "r")], "c": checksum}
        )
    )
    assert heard.quality == "ok"
    assert heard.texts(1) == ([("0.05001", "0.000001")], [("0.05004", "0.000007")])


def test_levels_beyond_the_depth_that_was_asked_for_are_dropped() -> None:
    better = ("0.05001", "0.00000100", "1582905488.000001")
    heard = kraken_started().hears(
        kraken_book(b=[better], c=kraken_checksum(ASKS, [better, *BIDS]))
    )
    assert len(heard.book.bids(99)) == 10
    gone = [("0.05001", "0.00000000", "1582905488.000002")]
    heard.hears(kraken_book(b=gone, c=kraken_checksum(ASKS, BIDS)))
    assert heard.quality == "gapped"  # the tenth was dropped, and the exchange did not say it again


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 30), st.integers(0, 3)), min_size=1, max_size=40
    )
)
def test_whatever_changes_the_checksum_is_that_of_the_texts(
    updates: list[tuple[bool, int, int]],
) -> None:
    time = "1582905488.000001"
    sides: tuple[dict[int, int], dict[int, int]] = ({4_000: 1}, {6_000: 1})
    start = [[(f"0.0{px}0", f"0.0000000{qty}", time) for px, qty in side.items()] for side in sides]
    heard = Heard("kraken-2021").hears(
        encoded([1, {"bs": start[0], "as": start[1]}, "book-1000", "XBT/USD"])
    )
    for is_ask, level, qty in updates:
        px = 5_000 + level if is_ask else 5_000 - level
        sides[is_ask][px] = qty
        texts = [
            [(f"0.0{px}0", f"0.0000000{each}", time) for px, each in sorted(side.items()) if each]
            for side in sides
        ]
        part = {"ab"[not is_ask]: [(f"0.0{px}0", f"0.0000000{qty}", time)]}
        checksum = kraken_checksum(texts[1], texts[0][::-1])
        heard.hears(encoded([1, {**part, "c": checksum}, "book-1000", "XBT/USD"]))
        assert heard.quality == "ok"
    assert heard.book.tallies.checksums == len(updates)


def test_trades_of_kraken_have_their_aggressor_and_time_and_no_number() -> None:
    trade = ["0.05004", "2.5", "1582905488.123456", "s", "l", ""]
    heard = kraken_started().hears(encoded([337, [trade, ["bad", "1"]], "trade", "XBT/USD"]))
    [seen] = heard.trades
    assert (seen.px, seen.qty, seen.aggressor, seen.trade_id) == (5004, 250_000_000, "sell", 0)
    assert seen.event_at == 1_582_905_488_123_456_000
    assert heard.normaliser.malformed == 1  # a trade of two texts is no trade


def test_a_heartbeat_keeps_a_silent_book_from_going_stale() -> None:
    heard = kraken_started()
    later = Instant(heard.now + 3_000 * MS)
    heard.board.check(later)
    assert heard.quality == "stale"
    heard.now = later
    heard.hears(encoded({"event": "heartbeat"}))
    heard.board.check(later)
    assert heard.quality == "ok"
    assert heard.normaliser.unknown == 0


# Coinbase


def coinbase_started() -> Heard:
    start = message("snapshot", bids=[["100.00", "1.5"]], asks=[["101.00", "2"]])
    return Heard("coinbase-2021").hears(start)


def test_changes_of_coinbase_go_to_their_side_and_zero_takes_a_level_away() -> None:
    heard = coinbase_started().hears(change("buy", "100.50", "3"), change("sell", "101.00", "0.0"))
    heard.hears(change("sell", "100.99", "0.25"))
    assert heard.texts() == ([("100.5", "3"), ("100", "1.5")], [("100.99", "0.25")])
    assert heard.quality == "ok"


@pytest.mark.parametrize(
    ("messages", "quality", "trades"),
    [
        ([match(7), match(8)], "ok", 2),
        ([match(7), match(9)], "gapped", 2),  # it happened all the same
        ([match(7), match(7), match(8)], "ok", 2),  # said again
        ([message("last_match", trade_id=7, price="1", size="1", side="buy"), match(8)], "ok", 1),
        (
            [message("last_match", trade_id=7, price="1", size="1", side="buy"), match(9)],
            "gapped",
            1,
        ),
        ([change("buy", "1", "1", "2021-04-17T16:43:37.077620Z")], "gapped", 0),
        ([change("buy", "1.001", "1")], "gapped", 0),  # off the tick
        ([change("hold", "1", "1")], "gapped", 0),
        ([b"nonsense"], "gapped", 0),
        ([message("heartbeat", sequence=1), message("ticker", sequence=1)], "ok", 0),
    ],
)
def test_what_coinbase_leaves_out_or_turns_round_is_a_hole(
    messages: list[bytes], quality: str, trades: int
) -> None:
    heard = coinbase_started().hears(change("buy", "99.00", "1"), *messages)
    assert (heard.quality, len(heard.trades)) == (quality, trades)


@pytest.mark.parametrize(("side", "aggressor"), [("sell", "buy"), ("buy", "sell")])
def test_the_side_of_a_match_is_the_makers(side: str, aggressor: str) -> None:
    [seen] = coinbase_started().hears(match(7, side)).trades
    assert (seen.aggressor, seen.trade_id, seen.px) == (aggressor, 7, 10_050)


def test_a_new_subscription_of_coinbase_begins_with_a_snapshot() -> None:
    heard = coinbase_started().hears(match(7)).resets()
    assert heard.quality == "recovering"
    heard.hears(change("buy", "100.50", "3"))
    assert heard.quality == "recovering"
    heard.hears(message("snapshot", bids=[["90.00", "1"]], asks=[["91.00", "2"]]), match(20))
    assert (heard.quality, heard.texts()[0]) == ("ok", [("90", "1")])


# Bitstamp: changes before the snapshot of time 100, those after it, and what the book is then.
STARTS = [
    ([], [], "ok", 100),
    ([], [100], "ok", 100),  # the same moment: what it says is what the snapshot says
    ([], [99], "ok", 100),
    ([90, 110], [], "ok", 110),
    ([110], [120], "ok", 120),
    ([110], [105], "gapped", 110),
    ([], [120, 110], "gapped", 120),
    ([110, 105], [], "gapped", 110),
]


@pytest.mark.parametrize(("before", "after", "quality", "sequence"), STARTS)
def test_a_book_of_bitstamp_starts_by_microseconds(
    before: list[int], after: list[int], quality: str, sequence: int
) -> None:
    heard = Heard("bitstamp-2022").hears(*(changes(each) for each in before))
    assert heard.quality == "recovering"
    heard.hears(answer(100, [("100.00", "1")], [("101.00", "1")]), part="btcusd")
    heard.hears(*(changes(each) for each in after))
    assert (heard.quality, heard.book.sequence) == (quality, sequence)


def test_only_changes_after_the_snapshot_are_applied() -> None:
    heard = Heard("bitstamp-2022").hears(
        changes(90, bids=[("100.00", "9")]), changes(110, asks=[("101.00", "0"), ("102.00", "4")])
    )
    heard.hears(answer(100, [("100.00", "1")], [("101.00", "1")]), part="btcusd")
    assert heard.texts() == ([("100", "1")], [("102", "4")])


@pytest.mark.parametrize("wrong", [b"{}", b'{"microtimestamp":""}', b"<html>", b'{"bids":7}'])
def test_what_came_in_place_of_a_snapshot_is_none(wrong: bytes) -> None:
    heard = Heard("bitstamp-2022").hears(wrong, part="btcusd")
    assert heard.quality == "recovering"
    assert list(heard.normaliser.wants) == ["btcusd"]


@pytest.mark.parametrize(("kind", "aggressor"), [(0, "buy"), (1, "sell")])
def test_a_trade_of_bitstamp_is_read_from_its_texts(kind: int, aggressor: str) -> None:
    heard = Heard("bitstamp-2022").hears(
        said(
            "live_trades", "trade", id=5, amount=3.2394864000001, amount_str="3.23948640",
            price=3802.89, price_str="3802.89", type=kind, microtimestamp="1641343709599000",
        )
    )  # fmt: skip
    [seen] = heard.trades
    assert (seen.px, seen.qty, seen.aggressor) == (380_289, 323_948_640, aggressor)
    assert (seen.trade_id, seen.event_at) == (5, 1_641_343_709_599_000_000)


# What is listed

PRODUCTS = {
    "kraken-2021": encoded(
        {"result": {"XXBTZUSD": {"wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8}}}
    ),
    "coinbase-2021": encoded(
        [
            {
                "id": "BTC-USD", "base_currency": "BTC", "quote_currency": "USD",
                "quote_increment": "0.10000000", "base_increment": "0.00000001",
            }
        ]
    ),
    "bitstamp-2022": encoded(
        [{"name": "BTC/USD", "url_symbol": "btcusd", "base_decimals": 8, "counter_decimals": 1}]
    ),
}  # fmt: skip


@pytest.mark.parametrize("source", PRODUCTS)
def test_an_instrument_is_listed_as_the_exchange_lists_it(source: str) -> None:
    listings = EXCHANGES[source].listings
    assert listings is not None
    [listed] = listings(PRODUCTS[source], ["BTC-USD"])
    it = listed.instrument
    assert (it.symbol, it.base, it.quote) == ("BTC-USD", "BTC", "USD")
    assert (it.px_text(1), it.qty_text(1)) == ("0.1", "0.00000001")
    assert listings(PRODUCTS[source], []) == (listed,)
    with pytest.raises(Invalid, match="is not among"):
        listings(PRODUCTS[source], ["ETH-USD"])
    with pytest.raises(Invalid, match="makes no sense"):
        listings(b"[7]", [])


def test_what_was_never_tried_live_says_of_which_year_its_format_is() -> None:
    for module in (kraken, coinbase, bitstamp, kalshi, polymarket):
        year = module.SOURCE.rpartition("-")[2]
        assert module.FORMAT == EXCHANGES[module.SOURCE].format == f"recorded format of {year}"


@given(st.binary(max_size=60), st.sampled_from(sorted(EXCHANGES)))
def test_no_bytes_harm_a_normaliser(raw: bytes, source: str) -> None:
    Heard(source).hears(raw).hears(raw, part="btcusd")
