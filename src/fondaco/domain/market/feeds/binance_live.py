"""Binance spot, live: one connection for all instruments, snapshots over REST.

Whatever ends a connection (an error, silence, the exchange's own daily cut) ends the books: they
are told at once, on the tape too. The next connection subscribes again and every book recovers
from a new snapshot. Waits between attempts double up to `BACKOFF_MAX_S`, less a random part, so
that a thousand houses do not come back in the same moment.
"""

import asyncio
import urllib.request
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from fondaco.domain.market.binance import Binance
from fondaco.domain.market.connection import HOUSE, notice
from fondaco.domain.market.intake import Arrival, Clock, Emit
from fondaco.domain.market.listings import Listing, assets_of
from fondaco.domain.reference.model import Instrument
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import Asset
from fondaco.kernel.seeded import Seeded

SOURCE: Final = "binance"
STREAM_URL: Final = "wss://stream.binance.com:9443"
REST_URL: Final = "https://api.binance.com"
STREAMS: Final = ("depth@100ms", "bookTicker", "trade")
SNAPSHOT_LEVELS: Final = 1_000
MESSAGE_BYTES_MAX: Final = 4 << 20


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the feed is."""

    silence_s: float = 10.0  # without any message the connection counts as dead
    ping_every_s: float = 20.0
    backoff_s: float = 0.5  # the first wait; each failure doubles it
    backoff_max_s: float = 30.0
    snapshot_after_s: float = 0.3  # let updates come first: a snapshot must meet one
    snapshot_every_s: float = 1.0  # at most, per instrument
    snapshot_again_s: float = 3_600.0  # unasked, so that any hour of a tape can be replayed
    rest_timeout_s: float = 10.0


LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """An exchange that sends us elsewhere has not answered: it might be a place without TLS."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_Unmoved)


def check_address(name: str, address: str, scheme: str) -> None:
    """Raises `Invalid` for what is not asked over TLS: prices of a market decide about orders, and
    whoever stands in between must not be able to change them. This machine may be asked plainly."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    plain = scheme.removesuffix("s")
    if host and (parts.scheme == scheme or (parts.scheme == plain and host in LOOPBACK)):
        return
    raise Invalid(
        f"{name} is {address!r}, must start with {scheme}://; {plain}:// is for this machine alone"
    )


class BinanceFeed:
    def __init__(
        self,
        listings: tuple[Listing, ...],
        random: Seeded,
        *,
        stream_url: str = STREAM_URL,
        rest_url: str = REST_URL,
        manners: Manners | None = None,
    ) -> None:
        check_address("stream_url", stream_url, "wss")
        check_address("rest_url", rest_url, "https")
        self.label = SOURCE
        self.wire = Binance
        self.listings = listings
        self.connections = 0  # how often one was made
        self.trouble = ""  # why the last one ended
        self._random = random
        self._stream_url, self._rest_url = stream_url.rstrip("/"), rest_url.rstrip("/")
        self._manners = manners or Manners()
        self._fetches: dict[str, asyncio.Task[None]] = {}
        self._heard = 0.0
        self._messages = 0

    def instruments(self) -> tuple[Instrument, ...]:
        return tuple(each.instrument for each in self.listings)

    def assets(self) -> tuple[Asset, ...]:
        return assets_of(self.listings)

    async def run(self, clock: Clock, emit: Emit) -> None:
        failures = 0
        try:
            while True:
                heard_before = self._messages
                try:
                    await self._connection(clock, emit)
                except (OSError, WebSocketException, TimeoutError) as error:
                    self.trouble = str(error) or type(error).__name__
                self._stop_fetching()
                house = f"{SOURCE}.{HOUSE}"
                emit([Arrival(house, clock(), notice("reset", reason=self.trouble[:200]))])
                failures = 0 if self._messages > heard_before else failures + 1
                await asyncio.sleep(self._wait_s(failures))
        finally:
            self._stop_fetching()

    def _wait_s(self, failures: int) -> float:
        manners = self._manners
        longest = min(manners.backoff_s * 2.0 ** min(failures, 30), manners.backoff_max_s)
        return longest * (0.5 + 0.5 * self._random.unit())

    async def _connection(self, clock: Clock, emit: Emit) -> None:
        manners = self._manners
        async with connect(
            f"{self._stream_url}/stream",
            ping_interval=manners.ping_every_s,
            ping_timeout=manners.ping_every_s,
            max_size=MESSAGE_BYTES_MAX,
            compression=None,
        ) as socket:
            self.connections += 1
            await socket.send(self._subscription())
            self._heard = asyncio.get_running_loop().time()
            watch = asyncio.create_task(self._watch(socket))
            again = asyncio.create_task(self._fetch_again(clock, emit))
            try:
                while True:
                    raw = await socket.recv(decode=False)
                    self._heard = asyncio.get_running_loop().time()
                    self._messages += 1
                    wants = emit([Arrival(SOURCE, clock(), raw)])
                    for name in wants:
                        self._start_fetching(name, clock, emit)
            finally:
                watch.cancel()
                again.cancel()

    async def _watch(self, socket: ClientConnection) -> None:
        """Close a connection that says nothing: the exchange never stays silent that long."""
        silence_s = self._manners.silence_s
        loop = asyncio.get_running_loop()
        while (rest := self._heard + silence_s - loop.time()) > 0:
            await asyncio.sleep(rest)
        await socket.close(code=4000, reason=f"silent for {silence_s} s")

    def _start_fetching(self, name: str, clock: Clock, emit: Emit) -> None:
        if name not in self._fetches:
            self._fetches[name] = asyncio.create_task(self._fetch(name, clock, emit))

    async def _fetch_again(self, clock: Clock, emit: Emit) -> None:
        while True:
            await asyncio.sleep(self._manners.snapshot_again_s)
            for listing in self.listings:
                self._start_fetching(listing.name, clock, emit)

    async def _fetch(self, name: str, clock: Clock, emit: Emit) -> None:
        """Bring one snapshot; the book says when it wants another one."""
        manners, failures = self._manners, 0
        await asyncio.sleep(manners.snapshot_after_s)
        emit([Arrival(f"{SOURCE}.{HOUSE}", clock(), notice("fetching", name=name))])
        while True:
            try:
                raw = await asyncio.to_thread(self._snapshot, name)
                break
            except OSError as error:
                self.trouble = f"snapshot of {name}: {error}"
                failures += 1
                await asyncio.sleep(self._wait_s(failures))
        emit([Arrival(f"{SOURCE}.{name}", clock(), raw)])
        await asyncio.sleep(manners.snapshot_every_s)
        del self._fetches[name]

    def _snapshot(self, name: str) -> bytes:
        """Runs in a thread. Raises `OSError`."""
        url = f"{self._rest_url}/api/v3/depth?symbol={name}&limit={SNAPSHOT_LEVELS}"
        with _OPENER.open(url, timeout=self._manners.rest_timeout_s) as answer:
            try:
                body: bytes = answer.read()
            except HTTPException as error:  # cut short; urllib translates only what comes before
                raise OSError(f"{type(error).__name__}: {error}") from error
        return body

    def _subscription(self) -> str:
        streams = [f"{each.name.lower()}@{stream}" for each in self.listings for stream in STREAMS]
        asked = {"method": "SUBSCRIBE", "params": streams, "id": self.connections}
        return msgspec.json.encode(asked).decode()

    def _stop_fetching(self) -> None:
        for task in self._fetches.values():
            task.cancel()
        self._fetches.clear()


async def answers(rest_url: str = REST_URL, *, within_s: float = 3.0) -> bool:
    """Whether the exchange can be reached from here."""

    def ping() -> bool:
        with _OPENER.open(f"{rest_url}/api/v3/ping", timeout=within_s) as answer:
            return bool(answer.status == 200)

    try:
        async with asyncio.timeout(within_s):
            return await asyncio.to_thread(ping)
    except (OSError, HTTPException, TimeoutError):  # somebody in between may speak no HTTP
        return False
