"""Feeds by their specs, the seeded market, and recordings as if they happened now."""

import asyncio
import gzip
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import pytest

from fondaco.domain.market.board import Board
from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.feeds.binance_live import BinanceFeed
from fondaco.domain.market.feeds.replay import Recording, ReplayFeed, tape_recordings
from fondaco.domain.market.feeds.spec import chosen, feed
from fondaco.domain.market.feeds.synthetic import SyntheticFeed
from fondaco.domain.market.intake import Arrival, Intake, rebuild
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.market.record import record
from fondaco.domain.reference.model import Symbol
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.kernel.seeded import Seeded
from fondaco.ports.tape import Tape
from fondaco.ports.tape.memory import MemoryTape
from fondaco.ports.tape.segments import SegmentTape
from market.exchange import MS, diff, snapshot, ticker, trade

BTC_USD: Final = Symbol("BTC-USD")
T0: Final = Instant(1_800_000_000_000 * MS)


def spec(text: str) -> Feed:
    return feed(text, open_tape=SegmentTape)


def board_of(served: Feed) -> Board:
    return Board({each.symbol: each for each in served.instruments()})


class FakeTime:
    """A clock that only sleeping moves, and a loop that may be left after so many batches."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> Instant:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now = Instant(self.now + max(round(seconds * 1e9), 1))


class Enough(Exception):
    """Ends a feed from inside `emit`."""


def run(
    served: Feed, batches: int, monkeypatch: pytest.MonkeyPatch, intake: Intake | None = None
) -> list[Arrival]:
    """The first arrivals of a feed under a clock of its own."""
    seen: list[Arrival] = []
    left, time = [batches], FakeTime()

    def emit(arrivals: Iterable[Arrival]) -> list[str]:
        batch = list(arrivals)
        seen.extend(batch)
        if intake is not None:
            intake(batch)
        left[0] -= 1
        if not left[0]:
            raise Enough
        return []

    monkeypatch.setattr(asyncio, "sleep", time.sleep)
    with pytest.raises(Enough):
        asyncio.run(served.run(time, emit))
    return seen


# specs

GOOD = [
    ("synthetic", "synthetic", "BTC-USD ETH-USD SOL-USD"),
    ("synthetic,seed=3,rate=50", "synthetic", "BTC-USD ETH-USD SOL-USD"),
    ("binance:BTCUSDT,ETHUSDT", "binance", "BTC-USDT ETH-USDT"),
    ("binance:solusdt", "binance", "SOL-USDT"),
    ("binance", "binance", "BTC-USDT ETH-USDT SOL-USDT"),
]


@pytest.mark.parametrize(("text", "label", "symbols"), GOOD)
def test_a_spec_names_a_feed(text: str, label: str, symbols: str) -> None:
    named = spec(text)
    assert named.label == label
    assert [each.symbol for each in named.instruments()] == symbols.split()
    codes = {asset.code for asset in named.assets()}
    assert codes == {code for each in named.instruments() for code in (each.base, each.quote)}


BAD = [
    ("", "feed is ''"),
    ("nonsense", "must be synthetic"),
    ("synthetic,rate=0", "rate is 0"),
    ("synthetic,rate=9999", "must be 1 to 1000"),
    ("synthetic,rate=-1", "must be a whole number"),
    ("synthetic,seed=x", "seed is 'x'"),
    ("synthetic,speed=2", "feed is"),
    ("replay:", "feed is 'replay:'"),
    ("replay:/nowhere", "is not there"),
    ("replay:/nowhere,speed=fast", "speed is 'fast'"),
    ("binance:DOGEUSDT", "is not listed"),
    ("binance:BTCUSD", "no pairs in USD"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_wrong_spec_is_refused_with_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        spec(text)


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "1e9"])
def test_a_speed_is_a_positive_number(speed: str, recording: Path) -> None:
    with pytest.raises(Invalid, match="must be above 0"):
        spec(f"replay:{recording},speed={speed}")


def test_auto_is_synthetic_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answers(answer: bool) -> bool:
        return answer

    for answer, expected in ((False, "synthetic"), (True, "binance:BTCUSDT,ETHUSDT,SOLUSDT")):
        monkeypatch.setattr(
            "fondaco.domain.market.feeds.spec.answers", lambda answer=answer: answers(answer)
        )
        assert asyncio.run(chosen("auto")) == expected
    assert asyncio.run(chosen("synthetic,seed=2")) == "synthetic,seed=2"


# the seeded market


def test_the_same_seed_and_times_give_the_same_bytes() -> None:
    def first(seed: int) -> list[Arrival]:
        made = SyntheticFeed(seed=seed)
        steps = [made.step(nth, Instant(T0 + nth * MS)) for nth in range(200)]
        return [*made.opening(T0), *(arrival for step in steps for arrival in step)]

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_the_seeded_market_is_deep_never_crossed_and_stays_near_its_anchor() -> None:
    made, tape = SyntheticFeed(seed=5), MemoryTape()
    board = board_of(made)
    intake = Intake(board, tape, made.listings)
    assert intake(made.opening(T0)) == []
    for nth in range(9_000):
        intake(made.step(nth, Instant(T0 + nth * 33 * MS)))
        if nth % 50 == 0:
            assert board.ready
            for book in board.books.values():
                assert len(book.bids(99)) == len(book.asks(99)) >= 25
    for symbol, anchor in ((BTC_USD, 5_000_000), ("ETH-USD", 250_000), ("SOL-USD", 15_000)):
        book = board.book(Symbol(symbol))
        seen = book.tallies
        assert (seen.gaps, seen.crossed, seen.malformed, seen.tickers_different) == (0, 0, 0, 0)
        assert seen.tickers_compared == seen.diffs == 3_000
        assert 0.9 < board.marks[book.symbol].px / anchor < 1.1
        closes = {bar.close for bar in board.bars(book.symbol, "1s", 300)}
        assert len(closes) > 10  # it moves
        assert board.marks[book.symbol].source == "synthetic"


def test_the_seeded_feed_keeps_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = run(SyntheticFeed(rate=20), 601, monkeypatch)
    updates = [arrival.at for arrival in seen if b"@depth" in arrival.raw]
    assert len(updates) == 600
    assert updates[-1] - updates[0] == pytest.approx(599 / 60 * 1e9, rel=0.01)


def test_a_snapshot_comes_every_hour_so_that_any_part_of_a_tape_can_be_replayed() -> None:
    made = SyntheticFeed(rate=1)
    steps = [made.step(nth, Instant(T0 + nth * 333 * MS)) for nth in range(3 * 3_700)]
    frames = [arrival for step in steps[3 * 3_590 :] for arrival in step]
    assert sum(arrival.source != "synthetic" for arrival in frames) == 3
    board = board_of(made)
    Intake(board, MemoryTape(), made.listings)(frames)
    assert board.ready


def test_a_loop_that_was_away_does_not_make_up_for_it() -> None:
    made, times = SyntheticFeed(), iter([T0, T0, Instant(T0 + 3_600 * 1_000 * MS)])
    batches: list[list[Arrival]] = []

    def emit(arrivals: Iterable[Arrival]) -> list[str]:
        batches.append(list(arrivals))
        return []

    with pytest.raises(RuntimeError):  # the clock has no more times
        asyncio.run(made.run(lambda: next(times), emit))
    assert len(batches) == 2


def test_the_generator_is_the_published_one() -> None:
    """SplitMix64 with seed 1234567, as in Vigna's reference implementation."""
    made = Seeded(1234567)
    assert [made.bits() for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]
    draws = [made.normal() for _ in range(10_000)]
    assert abs(sum(draws) / 10_000) < 0.05
    assert abs(sum(draw * draw for draw in draws) / 10_000 - 1) < 0.05


# recordings

LINES = [  # receive time in ms, message
    (1_000, diff(8, 9, event_ms=900)),
    (1_050, snapshot(9)),
    (1_100, diff(10, 10, bids=[("100.10", "2")], event_ms=1_090)),
    (1_150, ticker(10, bid="100.10", qty="2")),
    (1_200, trade(at_ms=1_300)),  # before it happened
    (1_500, diff(11, 12, asks=[("100.90", "2")], event_ms=1_490)),
]


def write(path: Path, lines: list[tuple[int, bytes]], opened: Callable[..., object] = open) -> None:
    text = b"".join(b"%d %s\n" % (at * MS, raw) for at, raw in lines)
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two parts of one instrument and one of another, beside what is no recording."""
    folder = tmp_path / "recording"
    folder.mkdir()
    write(
        folder / "btcusdt_1.gz",
        [(at, raw.replace(b'"A":"2"', b'"A":"1"')) for at, raw in LINES[:4]],
    )
    write(folder / "btcusdt_2.txt", LINES[4:])
    other = [(1_010, snapshot(3)), (1_060, diff(4, 4, name="ETHUSDT", bids=[("100.20", "1")]))]
    write(folder / "ethusdt.gz", other)
    (folder / "LICENSE").write_text("of the recording")
    return folder


def test_a_folder_is_merged_by_receive_time_and_a_file_stands_alone(recording: Path) -> None:
    both = Recording(recording)
    assert [each.symbol for each in both.listings] == ["BTC-USDT", "ETH-USDT"]
    times = [recorded.at // MS for recorded in both.read()]
    assert times == [1_000, 1_010, 1_050, 1_060, 1_100, 1_150, 1_200, 1_500]
    sources = {recorded.source for recorded in both.read()}
    assert sources == {"binance", "binance.BTCUSDT", "binance.ETHUSDT"}
    assert [each.symbol for each in Recording(recording / "ethusdt.gz").listings] == ["ETH-USDT"]


@pytest.mark.parametrize("text", ["", "1 {}\n", "no lines\n", '{"s":"BTCUSDT"}\n'])
def test_what_is_no_recording_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(Invalid, match="holds no lines"):
        Recording(tmp_path)


def test_a_broken_line_is_named_and_a_torn_last_one_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    write(path, LINES)
    path.write_bytes(path.read_bytes() + b'1 {"torn')
    assert len(list(Recording(path).read())) == len(LINES)
    packed = tmp_path / "y.gz"
    packed.write_bytes(gzip.compress(path.read_bytes())[:-9])
    assert len(list(Recording(packed).read())) in (len(LINES) - 1, len(LINES))
    path.write_bytes(path.read_bytes() + b"\nnonsense\n")
    with pytest.raises(Invalid, match="line 8"):
        list(Recording(path).read())


@pytest.mark.parametrize("speed", [1.0, 4.0, 0.5])
def test_a_replay_is_shifted_to_now_at_its_speed(
    speed: float, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = ReplayFeed(Recording(recording), speed=speed)
    board = board_of(replay)
    seen = run(replay, 8, monkeypatch, Intake(board, MemoryTape(), replay.listings))
    messages = [arrival for arrival in seen if not arrival.source.endswith("house")]
    offsets = [(arrival.at - T0) / MS * speed for arrival in messages]
    assert offsets == pytest.approx([0, 10, 50, 60, 100, 150, 200, 500], abs=0.001)
    assert {arrival.source.split(".")[0] for arrival in seen} == {"replay"}
    assert board.ready
    mark = board.marks[Symbol("BTC-USDT")]
    assert (mark.source, mark.px, mark.at) == ("replay:binance", 10050, messages[-1].at)
    seen_of = board.book(Symbol("BTC-USDT")).tallies
    assert (seen_of.latency_negative, seen_of.tickers_compared) == (1, 1)
    assert seen_of.latency_max_ns == pytest.approx(100 * MS / speed)
    last = board.last(Symbol("BTC-USDT"))
    assert last is not None
    assert last.event_at == last.at  # clamped


def test_a_replay_loops_through_recovering(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = ReplayFeed(Recording(recording))
    board = board_of(replay)
    run(replay, 24, monkeypatch, Intake(board, MemoryTape(), replay.listings))
    assert replay.loops >= 2
    for symbol in ("BTC-USDT", "ETH-USDT"):
        book = board.book(Symbol(symbol))
        qualities = [quality.value for quality, _ in book.periods]
        assert qualities == ["ok", "recovering", "ok", "recovering", "ok"]
        assert book.tallies.gaps == 0


# the tape again


def marks_along(tape: Tape, replayed: Feed) -> tuple[list[tuple[int, Mark | None, int]], Board]:
    """After every frame: the mark and the book of whoever it was about."""
    board = board_of(replayed)
    touched: list[Symbol] = []
    board.on_book.append(touched.append)
    board.on_quality.append(lambda symbol, _: touched.append(symbol))
    along = []
    normaliser = rebuild([], board, replayed.listings)
    for frame in tape.read():
        normaliser.take(frame.source, frame.at, frame.position, frame.raw)
        for symbol in touched:
            digest = board.book(symbol).levels.digest()
            along.append((frame.position, board.marks.get(symbol), digest))
        touched.clear()
    return along, board


@pytest.mark.parametrize("kind", ["synthetic", "replay"])
def test_a_tape_gives_the_same_books_and_marks_at_every_position(
    kind: str, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = spec(kind if kind == "synthetic" else f"replay:{recording}")
    tape = SegmentTape(tmp_path / "tape", segment_bytes=20_000)
    board, live = board_of(served), list[tuple[int, Mark | None, int]]()
    intake = Intake(board, tape, served.listings)

    def note(symbol: Symbol, _: object = None) -> None:
        live.append((tape.position, board.marks.get(symbol), board.book(symbol).levels.digest()))

    board.on_book.append(note)
    board.on_quality.append(note)
    run(served, 200, monkeypatch, intake)
    tape.close()
    again, rebuilt = marks_along(SegmentTape(tmp_path / "tape"), served)
    assert len(again) == len(live) > 20
    assert again == live
    assert rebuilt.marks == board.marks
    for symbol, book in board.books.items():
        assert rebuilt.book(symbol).tallies == book.tallies
        assert rebuilt.book(symbol).periods == book.periods
        assert rebuilt.bars(symbol, "1s", 999) == board.bars(symbol, "1s", 999)


def test_a_tape_is_a_feed_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = SyntheticFeed()
    tape, board = SegmentTape(tmp_path), board_of(first)
    run(first, 300, monkeypatch, Intake(board, tape, first.listings))
    tape.close()
    replay = spec(f"replay:{tmp_path},speed=2")
    assert (replay.label, len(replay.instruments())) == ("replay:synthetic", 3)
    other = board_of(replay)
    frames = tape.position
    batches = 0
    once = replay.once(T0)  # type: ignore[attr-defined]
    intake = Intake(other, MemoryTape(), replay.listings)
    for arrival in once:
        intake([arrival])
        batches += 1
    assert batches == frames + 2  # a reset and a clock of its own
    for symbol in board.books:
        assert other.book(symbol).levels.digest() == board.book(symbol).levels.digest()
        assert other.book(symbol).quality is Quality.OK
    assert other.marks[BTC_USD].source == "replay:synthetic"


def test_a_replay_of_a_recorded_replay_keeps_its_times(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two moves of the clock are one: event times stay as far before receipt as they were."""
    tape = MemoryTape()
    first = ReplayFeed(Recording(recording), speed=2.0)
    board = board_of(first)
    run(first, 8, monkeypatch, Intake(board, tape, first.listings))
    second = ReplayFeed(*tape_recordings(tape), speed=5.0)
    assert second.label == "replay:binance"
    again = board_of(second)
    Intake(again, MemoryTape(), second.listings)(second.once(Instant(T0 * 2)))
    book = again.book(Symbol("BTC-USDT"))
    assert book.tallies.latency_max_ns == pytest.approx(100 * MS / 10, abs=2)
    assert book.at - T0 * 2 == pytest.approx(500 * MS / 10, abs=2)
    assert book.levels.digest() == board.book(Symbol("BTC-USDT")).levels.digest()


def test_record_keeps_a_feed_for_a_while(tmp_path: Path) -> None:
    ticks = iter(range(T0, T0 * 2, 7 * MS))
    tape = SegmentTape(tmp_path)
    kept = asyncio.run(record(SyntheticFeed(rate=100), tape, 0.3, lambda: Instant(next(ticks))))
    tape.close()
    assert (kept.source, kept.first_position, kept.last_position) == ("synthetic", 1, tape.position)
    assert kept.last_position > 20
    assert set(kept.qualities.values()) == {Quality.OK}
    assert tape.verify() == []


def test_urls_of_the_exchange_are_checked() -> None:
    for wrong in ({"stream_url": "http://x"}, {"rest_url": "file:///etc/passwd"}):
        with pytest.raises(Invalid, match="must start with"):
            BinanceFeed((), Seeded(1), **wrong)  # type: ignore[arg-type]
