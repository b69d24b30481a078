"""Several sources of one instrument: which one is shown, when the next takes over, and that no
price jumps in silence."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.market import looks
from fondaco.domain.market.binance import Binance
from fondaco.domain.market.board import Board
from fondaco.domain.market.connection import notice
from fondaco.domain.market.consolidated import consolidated
from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.feeds.several import SeveralFeed, agreed
from fondaco.domain.market.feeds.spec import feed
from fondaco.domain.market.feeds.synthetic import SyntheticFeed
from fondaco.domain.market.intake import Arrival, Clock, Emit, Intake
from fondaco.domain.market.listings import listed, listing
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.market.sources import Part, Sources, names_of
from fondaco.domain.market.takeover import Doubt, Manners, Standing, chosen, jump_bps
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.ports.tape.memory import MemoryTape
from fondaco.ports.tape.segments import SegmentTape
from market.exchange import BTC, MS, Levels, diff, snapshot, trade

MANNERS = Manners()
LATE_MS = MANNERS.silence_ms + 1
CONFIRM_MS = MANNERS.confirm_after_ns // MS
RETURN_MS = MANNERS.return_after_ns // MS

# ok and since when, of each source in order; the one that is shown; the one to show at 20 s
CHOICES = [
    ([(True, 0)], 0, 0),
    ([(False, 0)], 0, 0),
    ([(True, 0), (True, 0)], 0, 0),
    ([(False, 19), (True, 0)], 0, 1),
    ([(False, 19), (False, 0)], 0, 0),  # nobody is better
    ([(False, 19), (False, 0), (True, 0)], 0, 2),
    ([(False, 19), (True, 0), (True, 0)], 0, 1),  # in order
    ([(True, 15), (True, 0)], 1, 1),  # not good for long enough to come back
    ([(True, 10), (True, 0)], 1, 0),
    ([(True, 15), (False, 20)], 1, 0),  # but better than one that is not
    ([(True, 15), (True, 10), (True, 0)], 2, 1),
    ([(True, 0), (True, 0)], 1, 0),
]


@pytest.mark.parametrize(("standings", "shown", "expected"), CHOICES)
def test_the_source_to_show(standings: list[tuple[bool, int]], shown: int, expected: int) -> None:
    known = [Standing(ok, Instant(since * 1_000 * MS)) for ok, since in standings]
    assert chosen(known, shown, Instant(20_000 * MS), MANNERS) == expected


@pytest.mark.parametrize(
    ("before", "after", "bps"),
    [(10_000, 10_000, 0), (10_000, 10_050, 50), (10_000, 9_950, 50), (20_000, 20_001, 1),
     (0, 5, 10_000), (3, 4, 3_334)],
)  # fmt: skip
def test_a_jump_is_in_basis_points_rounded_up(before: int, after: int, bps: int) -> None:
    assert jump_bps(before, after) == bps


# price and ms since the switch; other good sources; believed?
DOUBTS = [
    ([(10_100, 0)], [], False),
    ([(10_040, 0)], [], True),  # back in the band
    ([(10_100, 0)], [10_120], True),  # another one agrees
    ([(10_100, 0)], [10_000], False),
    ([(10_100, 0), (10_110, CONFIRM_MS)], [], True),  # it stood
    ([(10_100, 0), (10_110, CONFIRM_MS - 1)], [], False),
    ([(10_100, 0), (10_300, CONFIRM_MS)], [], False),  # it moved on: begin again
    ([(10_100, 0), (10_300, 100), (10_300, 100 + CONFIRM_MS)], [], True),
]


@pytest.mark.parametrize(("prices", "others", "believed"), DOUBTS)
def test_when_a_far_price_is_believed(
    prices: list[tuple[int, int]], others: list[int], believed: bool
) -> None:
    doubt = Doubt(before=10_000, stood=10_100, since=Instant(0))
    ends = [doubt.ends(px, others, Instant(ms * MS), MANNERS) for px, ms in prices]
    assert ends == [False] * (len(prices) - 1) + [believed]


class Two:
    """An instrument with two sources, "one" and "two"; each message says which time it is."""

    def __init__(self, *names: str) -> None:
        listings = listed(["BTCUSDT"])
        self.board = Board({each.symbol: each.instrument for each in listings})
        parts = [Part(name, listings, Binance) for name in names or ("one", "two")]
        self.sources = Sources(self.board, parts)
        self.now = Instant(1_000_000 * MS)
        self.numbers: Counter[str] = Counter()

    def hears(self, source: str, raw: bytes, part: str = "") -> "Two":
        self.sources.take(f"{source}.{part}" if part else source, self.now, 1, raw)
        return self

    def starts(self, source: str, bid: str = "100.00", ask: str = "100.02") -> "Two":
        self.numbers[source] = 10
        raw = snapshot(10, bids=[(bid, "1")], asks=[(ask, "1")])
        return self.hears(source, raw, "BTCUSDT").speaks(source)

    def speaks(self, source: str, bids: Levels | None = None, asks: Levels | None = None) -> "Two":
        self.numbers[source] += 1
        number = self.numbers[source]
        return self.hears(source, diff(number, number, bids=bids, asks=asks))

    def after(self, ms: int) -> "Two":
        self.now = Instant(self.now + ms * MS)
        return self

    def checks(self) -> "Two":
        self.board.check(self.now)
        return self

    @property
    def mark(self) -> Mark:
        return self.board.marks[BTC]

    @property
    def shown(self) -> str:
        return self.board.book(BTC).source


def test_a_backup_takes_over_when_one_heartbeat_was_missed() -> None:
    two = Two().starts("one").starts("two")
    assert (two.shown, two.mark.source, two.mark.quality) == ("one", "one", Quality.OK)
    two.after(MANNERS.silence_ms).speaks("two").checks()
    assert two.shown == "one"
    two.after(1).speaks("two")  # said by the backup's own message, before any timer
    assert (two.shown, two.mark.source, two.mark.quality) == ("two", "two", Quality.OK)
    [switch] = two.board.switches[BTC]
    assert (switch.before, switch.after, switch.reason) == ("one", "two", Quality.STALE)
    assert (switch.jump_bps, switch.confirmed_at) == (0, switch.at)


def test_a_timer_sees_it_too() -> None:
    two = Two().starts("one").after(LATE_MS - 10).starts("two").after(10).checks()
    assert two.shown == "two"


@pytest.mark.parametrize("trouble", ["hole", "crossed", "reset", "nonsense"])
def test_a_book_that_is_not_good_gives_way_at_once(trouble: str) -> None:
    two = Two().starts("one").starts("two").after(10)
    match trouble:
        case "hole":
            two.hears("one", diff(99, 99))
        case "crossed":
            two.speaks("one", bids=[("100.03", "1")])
        case "reset":
            two.hears("one", notice("reset"), "house")
        case _:
            two.hears("one", b"{")
    assert (two.shown, two.mark.source, two.board.quality(BTC)) == ("two", "two", Quality.OK)


def test_with_nobody_to_take_over_the_quality_tells() -> None:
    two = Two().starts("one").starts("two").after(2_001).checks()
    assert two.board.quality(BTC) is Quality.STALE
    assert two.shown == "one"


def test_the_first_source_comes_back_when_it_was_good_for_long_enough() -> None:
    two = Two().starts("one").starts("two").after(10).hears("one", notice("reset"), "house")
    assert two.shown == "two"
    two.after(100).starts("one")
    for _ in range(RETURN_MS // 1_000):
        assert two.speaks("two").shown == "two"
        two.speaks("one").after(1_000)
    two.speaks("one").speaks("two").checks()
    assert two.shown == "one"
    assert [each.after for each in two.board.switches[BTC]] == ["two", "one"]


def test_a_far_price_is_unconfirmed_until_it_stood() -> None:
    two = Two().starts("one").starts("two", "101.00", "101.02").after(10)
    two.hears("one", notice("reset"), "house")
    assert (two.mark.px, two.mark.source) == (10_101, "two")
    assert (two.mark.quality, two.board.quality(BTC)) == (Quality.UNCONFIRMED,) * 2
    [switch] = two.board.switches[BTC]
    assert (switch.px_before, switch.px_after, switch.jump_bps) == (10_001, 10_101, 100)
    assert switch.confirmed_at == 0
    for _ in range(CONFIRM_MS // 1_000):
        two.speaks("two").checks()
        assert two.mark.quality == "unconfirmed"
        two.after(1_000)
    two.speaks("two")
    assert two.mark.quality == "ok"
    assert switch.confirmed_at == two.now


def test_a_third_source_that_agrees_confirms_a_far_price() -> None:
    two = Two("one", "two", "three").starts("one").starts("two", "101.00", "101.02")
    two.starts("three", "101.00", "101.04").hears("one", notice("reset"), "house")
    assert (two.shown, two.mark.quality) == ("two", Quality.OK)
    assert two.board.switches[BTC][0].jump_bps == 100  # it is told all the same


def test_trades_are_those_of_the_source_that_is_shown() -> None:
    two, seen = Two().starts("one").starts("two"), list[str]()
    two.board.on_trade.append(lambda it: seen.append(it.source))
    two.hears("one", trade(1)).hears("two", trade(2)).after(10)
    two.hears("one", notice("reset"), "house").hears("one", trade(3)).hears("two", trade(4))
    assert seen == ["one", "two"]


def test_a_level_of_another_source_never_looks_like_the_one_that_was_consumed() -> None:
    two = Two().starts("one").starts("two")
    book = two.board.book(BTC)
    version, level = book.version, book.level_version("ask", 10_002)
    two.after(10).hears("one", notice("reset"), "house")
    assert two.shown == "two"
    assert book.level_version("ask", 10_002) not in (level, -1)
    assert book.version > version


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", "three"]),
        st.sampled_from(["up", "down", "hole", "start", "far", "quiet"]),
        st.integers(0, 2_500),
    ),
    max_size=60,
)


@given(STEPS)
def test_no_price_jumps_in_silence(steps: list[tuple[str, str, int]]) -> None:
    """Between two good marks of different sources there is no more than the band, or the new one
    was confirmed; and a switch was told of."""
    two = Two("one", "two", "three")
    middles = {"one": 10_001, "two": 10_005, "three": 10_003}
    believed: Mark | None = None
    told = 0
    for source, what, ms in steps:
        two.after(ms).checks()
        if what in ("up", "down", "far"):
            old, by = middles[source], {"up": 2, "down": -2, "far": 400}[what]
            middles[source] = old + by
        if what in ("start", "far"):
            middle = middles[source]
            two.hears(source, notice("reset"), "house")
            two.starts(source, _text(middle - 1), _text(middle + 1))
        elif what == "hole":
            two.hears(source, diff(10**6, 10**6))
        elif what != "quiet" and two.numbers[source]:
            old = middles[source] - (2 if what == "up" else -2)
            two.speaks(
                source,
                bids=[(_text(old - 1), "0"), (_text(middles[source] - 1), "1")],
                asks=[(_text(old + 1), "0"), (_text(middles[source] + 1), "1")],
            )
        mark = two.board.marks.get(BTC)
        if mark is None or mark.quality is not Quality.OK:
            continue
        switches = two.board.switches[BTC]
        if believed is not None and mark.source != believed.source:
            assert len(switches) > told
            near = jump_bps(believed.px, mark.px) <= 2 * MANNERS.band_bps
            assert near or switches[-1].confirmed_at or switches[-1].jump_bps <= MANNERS.band_bps
        believed, told = mark, len(switches)


def _text(ticks: int) -> str:
    return f"{ticks / 100:.2f}"


# The consolidated book

SIDE = st.dictionaries(st.integers(1, 30), st.integers(1, 9), max_size=12)


@given(st.lists(st.tuples(SIDE, SIDE, st.booleans()), min_size=1, max_size=4), st.integers(1, 20))
def test_the_consolidated_book_is_the_sum_of_the_good_ones(
    books: list[tuple[dict[int, int], dict[int, int], bool]], depth: int
) -> None:
    names = [f"s{nth}" for nth in range(len(books))]
    two = Two(*names)
    sides: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    for name, (bids, asks, good) in zip(names, books, strict=True):
        texts = [
            [(_text(px + 1_000 * nth), str(qty)) for px, qty in side.items()]
            for nth, side in enumerate((bids, asks))
        ]
        two.hears(name, snapshot(10, bids=texts[0], asks=texts[1]), "BTCUSDT")
        if good:
            sides[0].update(bids)
            sides[1].update({px + 1_000: qty for px, qty in asks.items()})
        else:
            two.hears(name, diff(99, 99))
    merged = consolidated(two.board.sources[BTC], depth)
    lot = two.board.book(BTC).instrument.lots("1")
    expected = (
        sorted(sides[0].items(), reverse=True)[:depth],
        sorted(sides[1].items())[:depth],
    )
    for levels, summed in zip((merged.bids, merged.asks), expected, strict=True):
        assert [(each.px, each.qty) for each in levels] == [(px, qty * lot) for px, qty in summed]
        assert all(each.qty == sum(share.qty for share in each.shares) for each in levels)
    assert not merged.crossed


def test_the_answer_tells_each_levels_sources_and_who_is_left_out() -> None:
    two = Two("one", "two", "three").starts("one").starts("two", "100.02", "100.03").starts("three")
    two.hears("three", diff(99, 99))
    reply = msgspec.to_builtins(looks.consolidated(two.board, BTC, 5, two.now))
    assert reply["bids"] == [["100.02", "1", {"two": "1"}], ["100", "1", {"one": "1"}]]
    assert reply["asks"] == [["100.02", "1", {"one": "1"}], ["100.03", "1", {"two": "1"}]]
    assert reply["crossed"] is True  # one's ask is two's bid
    assert [(each["source"], each["quality"], each["shown"]) for each in reply["sources"]] == [
        ("one", "ok", True),
        ("two", "ok", False),
        ("three", "gapped", False),
    ]


def test_the_health_of_a_feed_lists_sources_and_switches() -> None:
    two = (
        Two("replay.kraken-2021", "two")
        .starts("replay.kraken-2021")
        .starts("two", "101.00", "101.02")
    )
    [line] = looks.feeds(two.board, two.now)
    assert (line.source, line.format) == ("replay:kraken-2021", "recorded format of 2021")
    two.hears("replay.kraken-2021", notice("reset"), "house")
    [line] = looks.feeds(two.board, two.now)
    [switch] = line.switches
    assert (switch.before, switch.after) == ("replay:kraken-2021", "two")
    assert (switch.price_before, switch.price_after, switch.jump_bps) == ("100.01", "101.01", 100)
    assert (line.quality, switch.confirmed_at) == (Quality.UNCONFIRMED, 0)
    assert [each.shown for each in line.sources] == [False, True]


# Several feeds


def test_names_are_told_apart() -> None:
    assert names_of(["a", "b", "a", "a"]) == ["a", "b", "a_2", "a_3"]


def test_an_instrument_is_listed_in_steps_that_fit_every_source() -> None:
    one = listing("x", "BTC", "USD", px_decimals=1, qty_decimals=8).instrument
    other = listing("y", "BTC", "USD", px_decimals=4, qty_decimals=5).instrument
    [both] = agreed([one, other]).values()
    assert (both.px_text(1), both.qty_text(1)) == ("0.0001", "0.00000001")
    with pytest.raises(Invalid, match="BTC-USD is BTC/USD and"):
        agreed([one, msgspec.structs.replace(other, base="SOL")])


class Dying:
    """A feed that says what another one says, and dies in the middle of it."""

    def __init__(self, inner: SyntheticFeed) -> None:
        self.label, self.listings, self.wire = "dying", inner.listings, inner.wire
        self.instruments, self.assets = inner.instruments, inner.assets
        self._inner = inner
        self.runs = 0

    async def run(self, clock: Clock, emit: Emit) -> None:
        self.runs += 1
        emit(
            Arrival(each.source.replace("synthetic", "dying"), each.at, each.raw)
            for each in self._inner.opening(clock())
        )
        await asyncio.sleep(0.1)
        raise ValueError("on purpose")


def test_a_feed_that_dies_takes_no_other_with_it() -> None:
    dying = Dying(SyntheticFeed(seed=1))
    several = SeveralFeed([dying, SyntheticFeed(seed=1)])
    board = Board({each.symbol: each for each in several.instruments()})
    intake = Intake(board, MemoryTape(), several.listings, several.wire)
    loop_time: list[float] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()

        def clock() -> Instant:
            return Instant(int(loop.time() * 1e9))

        running = asyncio.create_task(several.run(clock, intake))
        symbol = next(iter(board.books))
        async with asyncio.timeout(20):
            while board.book(symbol).source != "synthetic" or not board.ready:
                board.check(clock())
                await asyncio.sleep(0.02)
        loop_time.append(loop.time())
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
    assert "dying died of on purpose" in several.trouble
    assert all(found[-1].after == "synthetic" for found in board.switches.values())


def test_the_same_feed_twice_is_two_sources_on_the_tape_too() -> None:
    served: Feed = feed("synthetic; synthetic,seed=7", open_tape=SegmentTape)
    assert served.label == "synthetic; synthetic_2"
    board = Board({each.symbol: each for each in served.instruments()})
    tape = MemoryTape()
    intake = Intake(board, tape, served.listings, served.wire)
    heard: set[str] = set()

    async def story() -> None:
        def emit(arrivals: Iterable[Arrival]) -> Collection[str]:
            found = list(arrivals)
            heard.update(each.source for each in found)
            return intake(found)

        running = asyncio.create_task(served.run(lambda: Instant(1_000 * MS), emit))
        await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
    assert {"synthetic.BTCUSD", "synthetic_2.BTCUSD"} <= heard
    merged = looks.consolidated(board, next(iter(board.books)), 50, Instant(0))
    names = {"synthetic", "synthetic_2"}
    assert {each.source for each in merged.sources} == names
    assert {source for each in merged.bids for source in each.shares} == names
