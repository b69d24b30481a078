"""The live feed against an exchange on loopback that breaks in every way that exchanges do."""

import asyncio
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from fix.certificates import make_pair
from fondaco.domain.market.board import Board
from fondaco.domain.market.feeds.binance_live import BinanceFeed, Manners, answers
from fondaco.domain.market.feeds.replay import Recording
from fondaco.domain.market.intake import Intake, rebuild
from fondaco.domain.market.listings import listed
from fondaco.domain.market.model import Quality
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.kernel.seeded import Seeded
from fondaco.ports.tape.memory import MemoryTape
from market.exchange import BTC, Exchange, encoded

RECORDED = (
    Path(__file__).resolve().parents[2] / "../shared/data/market/crypto/binance_spot_20240808"
)
HASTY = Manners(
    silence_s=5.0,
    ping_every_s=5.0,
    backoff_s=0.02,
    backoff_max_s=0.1,
    snapshot_after_s=0.03,
    snapshot_every_s=0.03,
    rest_timeout_s=2.0,
)


def now() -> Instant:
    return Instant(time.time_ns())


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange is on loopback, whatever this machine reaches others through."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")


@dataclass
class House:
    """A board behind a live feed."""

    exchange: Exchange
    feed: BinanceFeed
    board: Board
    tape: MemoryTape

    @property
    def qualities(self) -> list[str]:
        return [quality.value for quality, _ in self.board.book(BTC).periods]

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < deadline, f"{what}: {self.qualities} {self.feed.trouble}"
            self.board.check(now())
            await asyncio.sleep(0.005)

    async def good(self, *, times: int = 1) -> None:
        """Until the book has become OK that often."""
        await self.until(lambda: self.qualities.count("ok") >= times, f"OK {times} times")


def live(
    story: Callable[[House], Awaitable[None]],
    *,
    stale_after_ms: int = 2_000,
    manners: Manners = HASTY,
) -> House:
    """Run `story` in a house whose feed is connected to an exchange of its own."""

    async def whole() -> House:
        async with Exchange().open() as exchange:
            feed = BinanceFeed(
                listed(["BTCUSDT"]),
                Seeded(5),
                stream_url=exchange.stream_url,
                rest_url=exchange.rest_url,
                manners=manners,
            )
            board = Board(
                {each.symbol: each for each in feed.instruments()}, stale_after_ms=stale_after_ms
            )
            house = House(exchange, feed, board, MemoryTape())
            running = asyncio.create_task(feed.run(now, Intake(board, house.tape, feed.listings)))
            try:
                await story(house)
                # Whatever happened, an OK book is the exchange's own.
                assert not running.done()
                await house.until(lambda: _same(house), "the exchange's book")
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            return house

    return asyncio.run(whole())


def _same(house: House) -> bool:
    bids, asks = house.exchange.walk.bids, house.exchange.walk.asks
    book = house.board.book(BTC)
    return book.quality is Quality.OK and (dict(book.bids(99)), dict(book.asks(99))) == (bids, asks)


class Once:
    """A fault that happens to the nth depth update, once."""

    def __init__(self, nth: int, what: Callable[[bytes], bytes | None]) -> None:
        self.nth, self.what, self.seen = nth, what, 0

    def __call__(self, _: Exchange, __: ServerConnection, raw: bytes) -> bytes | None:
        self.seen += b"@depth" in raw
        if b"@depth" in raw and self.seen == self.nth:
            return self.what(raw)
        return raw


def test_a_book_is_synchronised_and_followed() -> None:
    async def story(house: House) -> None:
        await house.good()
        book = house.board.book(BTC)
        await house.until(lambda: book.tallies.tickers_compared > 20, "tickers to compare")

    house = live(story)
    assert house.exchange.subscriptions == [
        ["btcusdt@depth@100ms", "btcusdt@bookTicker", "btcusdt@trade"]
    ]
    seen = house.board.book(BTC).tallies
    assert (seen.gaps, seen.tickers_different, seen.malformed) == (0, 0, 0)
    assert seen.trades > 0
    assert house.board.marks[BTC].source == "binance"
    assert house.feed.connections == 1


FAULTS: dict[str, Callable[[bytes], bytes | None]] = {
    "lost": lambda _: None,
    "cut short": lambda raw: raw[:-9],
    "no levels": lambda raw: raw.replace(b'"b":[[', b'"b":[[7,'),
    "a wrong price": lambda raw: raw.replace(b'"b":[["', b'"b":[["9999999.00","1"],["'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_bad_update_the_book_recovers_on_the_same_connection(fault: str) -> None:
    async def story(house: House) -> None:
        await house.good()
        house.exchange.fault = Once(3, FAULTS[fault])
        await house.good(times=2)

    house = live(story)
    assert house.feed.connections == 1
    assert house.exchange.snapshots == 2
    bad = house.qualities[1:-1]
    assert bad[-2:] == ["gapped", "recovering"]
    assert house.board.book(BTC).tallies.gaps >= 1


@pytest.mark.parametrize("how", ["dropped", "closed"])
def test_a_connection_that_ends_is_made_and_subscribed_again(how: str) -> None:
    def broken(_: Exchange, socket: ServerConnection, raw: bytes) -> bytes | None:
        if how == "dropped":
            socket.transport.abort()
        else:
            asyncio.get_running_loop().create_task(socket.close(1001, "a day is over"))
        return None

    async def story(house: House) -> None:
        await house.good()
        fault, house.exchange.fault = house.exchange.fault, broken
        await house.until(lambda: house.board.quality(BTC) is Quality.RECOVERING, "RECOVERING")
        house.exchange.fault = fault
        await house.good(times=2)

    house = live(story)
    assert house.feed.connections >= 2
    assert len(house.exchange.subscriptions) == house.feed.connections
    assert set(house.qualities) == {"ok", "recovering"}


def test_silence_is_stale_first_and_then_a_new_connection() -> None:
    async def story(house: House) -> None:
        await house.good()
        house.exchange.silent = True
        await house.until(lambda: house.feed.connections == 2, "a second connection")
        house.exchange.silent = False
        await house.good(times=2)

    manners = msgspec.structs.replace(HASTY, silence_s=0.6)
    house = live(story, stale_after_ms=200, manners=manners)
    assert house.qualities[:3] == ["ok", "stale", "recovering"]
    delays = house.board.delays[BTC][Quality.STALE]
    assert delays.count >= 1
    assert delays.last_ns > 200e6  # told by the timer, not by the connection that was given up


def test_snapshots_are_fetched_now_and_then_so_that_any_part_of_the_tape_can_be_replayed() -> None:
    async def story(house: House) -> None:
        await house.until(lambda: house.exchange.snapshots >= 4, "more snapshots")
        await house.until(lambda: house.tape.position > 400, "400 frames")

    house = live(story, manners=msgspec.structs.replace(HASTY, snapshot_again_s=0.05))
    assert house.qualities == ["ok"]  # a book that goes on takes no notice
    taken = [frame.position for frame in house.tape.read(sources={"binance.BTCUSDT"})]
    later = board_of_btc()
    rebuild(house.tape.read(after=taken[1] - 10), later, listed(["BTCUSDT"]))
    assert later.quality(BTC) is Quality.OK
    assert later.book(BTC).levels.digest() == house.board.book(BTC).levels.digest()


@pytest.mark.parametrize("refusal", ["503", "an error", "a page", "cut short", "nothing"])
def test_snapshots_that_fail_are_asked_for_again(refusal: str) -> None:
    async def story(house: House) -> None:
        house.exchange.refusal, house.exchange.refuse_snapshots = refusal, 3
        await house.good()

    house = live(story)
    assert house.exchange.snapshots == 4
    assert house.feed.connections == 1
    assert house.qualities == ["ok"]


def test_a_book_that_goes_on_needs_no_snapshot_and_is_not_harmed_by_a_bad_one() -> None:
    async def story(house: House) -> None:
        await house.good()
        house.exchange.refusal, house.exchange.refuse_snapshots = "a page", 3
        await house.until(lambda: house.exchange.snapshots >= 4, "more snapshots")

    house = live(story, manners=msgspec.structs.replace(HASTY, snapshot_again_s=0.05))
    assert house.qualities == ["ok"]
    assert house.board.book(BTC).tallies.malformed >= 1


def test_an_exchange_that_is_not_there_is_tried_at_growing_distances() -> None:
    feed = BinanceFeed(
        listed(["BTCUSDT"]),
        Seeded(5),
        stream_url="ws://127.0.0.1:9",
        rest_url="http://127.0.0.1:9",
        manners=Manners(backoff_s=0.5, backoff_max_s=30.0),
    )
    waits = [feed._wait_s(failures) for failures in range(60)]
    for failures, wait in enumerate(waits):
        longest = min(0.5 * 2**failures, 30.0)
        assert longest / 2 <= wait <= longest
    assert len(set(waits[10:])) == 50  # no two houses come back together

    async def tried() -> int:
        board = Board({each.symbol: each for each in feed.instruments()})
        tape = MemoryTape()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await feed.run(now, Intake(board, tape, feed.listings))
        assert b"reset" in next(tape.read()).raw
        return feed.connections

    assert asyncio.run(tried()) == 0
    assert feed.trouble != ""
    assert asyncio.run(answers("http://127.0.0.1:9", within_s=1.0)) is False


def test_an_exchange_that_is_there_answers() -> None:
    async def asked() -> bool:
        async with Exchange().open() as exchange:
            return await answers(exchange.rest_url, within_s=2.0)

    assert asyncio.run(asked()) is True


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("stream_url", "ws://stream.binance.example"),
        ("stream_url", "http://127.0.0.1:9"),
        ("stream_url", "wss://"),
        ("rest_url", "http://api.binance.example"),
        ("rest_url", "http://127.0.0.1.example"),
        ("rest_url", "http://[::1"),
        ("rest_url", "ftp://127.0.0.1"),
    ],
)
def test_prices_are_asked_for_over_tls_or_on_this_machine_alone(name: str, address: str) -> None:
    """Requirement A49."""
    given: dict[str, Any] = {name: address}
    with pytest.raises(Invalid, match=rf"{name} is .*, must start with (wss|https)://"):
        BinanceFeed(listed(["BTCUSDT"]), Seeded(1), **given)
    BinanceFeed(listed(["BTCUSDT"]), Seeded(1))  # as it is usually asked


def test_an_exchange_that_nobody_vouches_for_is_not_believed(tmp_path: Path) -> None:
    """Requirement A49: over TLS, and with a certificate that somebody has signed whom we trust."""
    pair = make_pair(tmp_path, "exchange")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    async def tried() -> BinanceFeed:
        async def silent(_: ServerConnection) -> None:
            await asyncio.sleep(60)

        async with serve(silent, "127.0.0.1", 0, ssl=context) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            feed = BinanceFeed(
                listed(["BTCUSDT"]), Seeded(5), stream_url=f"wss://127.0.0.1:{port}",
                rest_url=f"https://127.0.0.1:{port}", manners=HASTY,
            )  # fmt: skip
            board = Board({each.symbol: each for each in feed.instruments()})
            intake = Intake(board, MemoryTape(), feed.listings)
            running = asyncio.create_task(feed.run(now, intake))
            async with asyncio.timeout(20):
                while not feed.trouble:
                    await asyncio.sleep(0.01)
            running.cancel()
            return feed

    feed = asyncio.run(tried())
    assert feed.connections == 0
    assert "certificate" in feed.trouble.lower()


def test_an_exchange_that_sends_us_elsewhere_has_not_answered() -> None:
    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    asked: list[str] = []
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            assert asyncio.run(answers(url, within_s=5.0)) is False
        finally:
            server.shutdown()
    assert asked == ["/api/v3/ping"]


def test_the_tape_of_a_bad_day_gives_the_same_board() -> None:
    """Lost updates, a dropped connection, refused snapshots: all of it is on the tape."""

    async def story(house: House) -> None:
        await house.good()
        house.exchange.fault = Once(2, FAULTS["lost"])
        house.exchange.refuse_snapshots = 1
        await house.good(times=2)
        house.exchange.fault = lambda _, socket, __: socket.transport.abort()
        await house.until(lambda: house.board.quality(BTC) is Quality.RECOVERING, "RECOVERING")
        house.exchange.fault = lambda _, __, raw: raw
        await house.good(times=3)

    house = live(story, stale_after_ms=60_000)
    again = Board(house.board.instruments)
    rebuild(house.tape.read(), again, listed(["BTCUSDT"]))
    assert again.marks == house.board.marks
    assert again.book(BTC).levels.digest() == house.board.book(BTC).levels.digest()
    assert again.book(BTC).periods == house.board.book(BTC).periods
    assert again.book(BTC).tallies == house.board.book(BTC).tallies


def test_every_byte_of_the_exchange_is_on_the_tape() -> None:
    async def story(house: House) -> None:
        await house.good()
        await house.until(lambda: house.tape.position > 100, "a hundred frames")

    house = live(story)
    first, *streamed = [frame.raw for frame in house.tape.read(sources={"binance"})]
    assert first == encoded({"result": None, "id": 1})
    assert len(streamed) > 90
    assert streamed == house.exchange.sent[: len(streamed)]
    [rest] = house.tape.read(sources={"binance.BTCUSDT"})
    assert rest.raw.startswith(b'{"lastUpdateId":')


@pytest.mark.skipif(not RECORDED.exists(), reason="../shared/data/market/crypto is not here")
def test_a_recorded_session_over_the_socket_is_the_book_that_was_recorded() -> None:
    session = list(islice(Recording(RECORDED).read(), 8_000))
    [start] = [raw for _, source, raw in session if source == "binance.BTCUSDT"]
    messages = [raw for _, source, raw in session if source == "binance"]

    async def whole() -> Board:
        async with Exchange(recorded=messages, start=start).open() as exchange:
            feed = BinanceFeed(
                listed(["BTCUSDT"]),
                Seeded(5),
                stream_url=exchange.stream_url,
                rest_url=exchange.rest_url,
                manners=HASTY,
            )
            house = House(exchange, feed, board_of_btc(), MemoryTape())
            running = asyncio.create_task(
                feed.run(now, Intake(house.board, house.tape, feed.listings))
            )
            await house.until(lambda: house.tape.position >= len(messages) + 3, "all of it")
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return house.board

    over_socket, direct = asyncio.run(whole()), board_of_btc()
    normaliser = rebuild([], direct, listed(["BTCUSDT"]))
    for position, (at, source, raw) in enumerate(session, 1):
        normaliser.take(source, Instant(at), position, raw)
    for board in (over_socket, direct):
        assert board.quality(BTC) is Quality.OK
        assert board.book(BTC).tallies.gaps == board.book(BTC).tallies.tickers_different == 0
    assert over_socket.book(BTC).levels.digest() == direct.book(BTC).levels.digest()
    assert over_socket.marks[BTC].px == direct.marks[BTC].px


def board_of_btc() -> Board:
    return Board({each.symbol: each.instrument for each in listed(["BTCUSDT"])})
