"""The exchange's rules for a book, case by case, and any stream that keeps them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.market.binance import PENDING_MAX
from fondaco.domain.market.connection import notice
from fondaco.domain.market.model import Quality
from fondaco.domain.reference.model import Symbol
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import Instant
from market.exchange import BTC, MS, Market, diff, encoded, snapshot, trade

# Updates before the snapshot at 10 (first, last), updates after it, and what the book is then.
STARTS = [
    ([], [], "ok", 10),
    ([], [(11, 12)], "ok", 12),
    ([], [(9, 12)], "ok", 12),  # the snapshot fell into the middle of an update
    ([], [(8, 10), (11, 12)], "ok", 12),  # an update that the snapshot already had
    ([], [(12, 13)], "gapped", 10),
    ([(5, 8), (9, 10)], [(11, 11)], "ok", 11),
    ([(5, 8), (9, 12)], [(13, 14)], "ok", 14),
    ([(9, 12), (13, 14)], [(15, 15)], "ok", 15),
    ([(9, 12), (13, 14)], [(16, 16)], "gapped", 14),
    ([(9, 12), (14, 14)], [], "gapped", 12),  # a hole among those that waited
    ([(9, 12)], [(12, 13)], "gapped", 12),  # after the first, only U = u + 1 goes on
    ([(9, 12)], [(10, 11)], "ok", 12),  # said again: nothing is missing
    ([(11, 12)], [(13, 13)], "ok", 13),
    ([(12, 13)], [], "recovering", 0),  # the snapshot is older than the first update
    ([(12, 13)], [(14, 14)], "recovering", 0),
]


@pytest.mark.parametrize(("before", "after", "quality", "sequence"), STARTS)
def test_a_book_starts_from_a_snapshot_by_the_rules(
    before: list[tuple[int, int]], after: list[tuple[int, int]], quality: str, sequence: int
) -> None:
    market = Market().hears(*(diff(*each) for each in before)).gets(snapshot(10))
    market.hears(*(diff(*each) for each in after))
    assert market.quality.value == quality
    assert market.board.book(BTC).sequence == sequence
    assert bool(market.normaliser.wants) == (quality != "ok")


def test_a_snapshot_that_came_too_late_is_followed_by_another() -> None:
    market = Market().hears(diff(12, 13)).fetches().gets(snapshot(10))
    assert market.board.book(BTC).tallies.snapshots_late == 1
    assert list(market.normaliser.wants) == ["BTCUSDT"]
    market.hears(diff(14, 14)).fetches().gets(snapshot(12))
    assert (market.quality, market.board.book(BTC).sequence) == (Quality.OK, 14)


def test_a_snapshot_of_a_book_that_goes_on_changes_nothing() -> None:
    market = Market().gets(snapshot(10)).hears(diff(11, 11, bids=[("100.50", "1")]))
    before = market.levels()
    market.gets(snapshot(99, bids=[("1.00", "1")]))
    assert market.levels() == before
    assert market.hears(diff(12, 12)).quality is Quality.OK


def test_updates_that_wait_for_a_snapshot_are_bounded() -> None:
    market = Market()
    market.hears(*(diff(nth, nth) for nth in range(1, PENDING_MAX + 100)))
    market.gets(snapshot(50))
    assert market.qualities == []  # those after 50 were let go
    market.gets(snapshot(200))
    assert market.qualities == ["ok"]
    assert market.board.book(BTC).sequence == PENDING_MAX + 99


CHANGE = st.tuples(st.booleans(), st.integers(1, 20), st.integers(0, 3))


@given(
    sizes=st.lists(st.lists(CHANGE, min_size=1, max_size=4), min_size=2, max_size=20),
    cut=st.integers(0, 19),
    arrives=st.integers(0, 19),
)
def test_wherever_the_snapshot_is_taken_the_book_ends_the_same(
    sizes: list[list[tuple[bool, int, int]]], cut: int, arrives: int
) -> None:
    """Taken after any change, even inside an update, and arriving at any later time."""
    number = 100
    sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
    after: list[tuple[dict[int, int], dict[int, int]]] = [({}, {})]
    messages: list[bytes] = []
    for changes in sizes:
        texts: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
        for is_ask, level, qty in changes:
            px = level + 1_000 * is_ask
            sides[is_ask][px] = qty
            texts[is_ask].append((f"{px}.00", str(qty)))
            after.append((dict(sides[0]), dict(sides[1])))
        messages.append(diff(number + 1, number + len(changes), bids=texts[0], asks=texts[1]))
        number += len(changes)
    cut = min(cut, len(after) - 1)
    taken = [[(f"{px}.00", str(qty)) for px, qty in side.items()] for side in after[cut]]
    ends = [100 + sum(map(len, sizes[: nth + 1])) for nth in range(len(sizes))]
    came = max(arrives, sum(end <= 100 + cut for end in ends))
    market = Market().hears(*messages[:came])
    market.gets(snapshot(100 + cut, bids=taken[0], asks=taken[1])).hears(*messages[came:])
    expected = tuple({px * 100: qty * 10**5 for px, qty in side.items() if qty} for side in sides)
    assert market.levels() == expected
    assert market.board.book(BTC).tallies.gaps == 0
    assert market.quality is Quality.OK


@given(lost=st.sets(st.integers(0, 29), max_size=6), fetched=st.integers(1, 5))
def test_a_lost_update_is_never_papered_over(lost: set[int], fetched: int) -> None:
    """OK means equal to the exchange's book: whenever it is OK, all of it is right."""
    market, whole = Market(), Market()
    market.gets(snapshot(0)), whole.gets(snapshot(0))
    waiting = 0
    for nth in range(30):
        raw = diff(nth + 1, nth + 1, bids=[(f"{nth % 7 + 1}.00", str(nth % 3))])
        whole.hears(raw)
        if nth not in lost:
            market.hears(raw)
        waiting = waiting + 1 if market.quality is not Quality.OK else 0
        if waiting == fetched:
            levels = [
                [(f"{px / 100:.2f}", str(qty // 10**5)) for px, qty in side.items()]
                for side in whole.levels()
            ]
            market.fetches().gets(snapshot(nth + 1, bids=levels[0], asks=levels[1]))
        known = market.board.book(BTC).sequence
        if market.quality is Quality.OK and known == nth + 1:
            assert market.levels() == whole.levels()
    holes = market.board.book(BTC).tallies.gaps
    assert holes <= len(lost)
    received = [nth for nth in range(30) if nth not in lost]
    assert (holes > 0) == (min(lost, default=30) < received[-1])  # the next update tells


def test_trades_feed_last_and_bars_with_the_time_they_happened() -> None:
    market = Market()
    now_ms = market.now // MS
    market.hears(trade(7, px="100.25", qty="0.00021", at_ms=now_ms + 40))  # heard at + 100
    last = market.board.last(BTC)
    assert last is not None
    assert (last.px, last.qty, last.aggressor, last.trade_id) == (10025, 21, "buy", 7)
    assert (last.at - last.event_at) == 60 * MS
    assert market.board.book(BTC).tallies.latency_max_ns == 60 * MS
    assert [bar.volume for bar in market.board.bars(BTC, "1s", 5)] == [21]


def test_what_was_received_before_it_happened_is_clamped_and_counted() -> None:
    market = Market()
    market.hears(trade(at_ms=market.now // MS + 5_000))
    last, seen = market.board.last(BTC), market.board.book(BTC).tallies
    assert last is not None
    assert last.event_at == last.at == market.now
    assert (seen.latency_negative, seen.latency_last_ns) == (1, 0)


def test_a_clock_notice_moves_the_times_of_a_recording() -> None:
    market = Market()
    start = market.now + 100 * MS
    market.hears(
        notice("clock", origin=50_000 * MS, start=start, speed=10.0), source="replay.binance.house"
    )
    market.hears(trade(at_ms=50_500), source="replay.binance")  # half a second, ten times as fast
    last = market.board.last(BTC)
    assert last is not None
    assert (last.event_at, last.source) == (start + 50 * MS, "replay:binance")


@pytest.mark.parametrize(
    ("raw", "unknown"),
    [
        (encoded({"result": None, "id": 1}), 0),  # the answer to a subscription
        (encoded({"error": {"code": 2}}), 1),
        (encoded({"data": {"e": "kline", "s": "BTCUSDT"}}), 1),
        (trade().replace(b"BTCUSDT", b"DOGEUSDT"), 1),
        (snapshot(10), 1),  # of nobody: its source names no instrument
    ],
)
def test_what_is_not_for_us_is_counted_and_left_alone(raw: bytes, unknown: int) -> None:
    market = Market().gets(snapshot(10)).hears(raw)
    assert market.normaliser.unknown == unknown
    assert market.quality is Quality.OK


def test_a_trade_that_makes_no_sense_is_counted_and_leaves_the_book_alone() -> None:
    market = Market().gets(snapshot(10)).hears(trade(px="1e5"))
    assert market.board.last(BTC) is None
    assert market.board.book(BTC).tallies.malformed == 1
    assert market.quality is Quality.OK


def test_an_instrument_that_no_feed_serves_is_not_found() -> None:
    board = Market().board
    for ask in (board.book, board.last, board.quality):
        with pytest.raises(NotFound, match="no market in DOGE-USD"):
            ask(Symbol("DOGE-USD"))


def test_a_price_says_where_it_comes_from_and_how_old_it_is() -> None:
    market = Market().hears(trade(px="100.10"), source="replay.binance").gets(snapshot(10))
    price = market.board.price(BTC, Instant(market.now + 5 * MS))
    assert price.last is not None
    assert price.mid is not None
    assert (price.last.px, price.last.source, price.last.age_ns) == (
        10010,
        "replay:binance",
        105 * MS,
    )
    assert (price.mid.px, price.mid.source, price.mid.age_ns) == (10050, "binance", 5 * MS)
    assert price.mark == price.mid
    assert price.quality is Quality.OK
