"""A running house: the kernel with its doors, its follower and its feed, until told to stop."""

import asyncio
import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import uvicorn
import uvloop

from fondaco import __version__
from fondaco.app.demo import seed_accounts
from fondaco.app.files import Files
from fondaco.app.follower import Follower
from fondaco.app.house import Kernel
from fondaco.app.kinds import ROOMS
from fondaco.app.numbers import numbers
from fondaco.app.outbox import carry
from fondaco.app.queries import QUERIES
from fondaco.domain.identity.directory import Directory, seed_demo
from fondaco.domain.identity.model import TooMany
from fondaco.domain.identity.rate_limit import RateLimit
from fondaco.domain.market import api as market_api
from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.feeds.spec import chosen, feed
from fondaco.domain.market.intake import Intake
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading import api as trading_api
from fondaco.domain.trading.model import AccountId, Side, account_stream
from fondaco.domain.trading.rules import decider as trading_law
from fondaco.domain.trading.store import queries
from fondaco.domain.trading.triggers import Stop
from fondaco.gateway.door import Door
from fondaco.gateway.kept import StoreReplies
from fondaco.gateway.logs import Log
from fondaco.gateway.protocol import protocol_of
from fondaco.gateway.streams import Streams
from fondaco.kernel.errors import Corrupt, FondacoError, NotFound, Unavailable
from fondaco.kernel.event import Instant, StreamId
from fondaco.kernel.operation import Operation
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.ports.tape import Tape
from fondaco.ports.tape.segments import SegmentTape
from fondaco.runtime.projector import positions
from fondaco.settings import Settings

FREEZE_THRESHOLD: Final = (10_000, 50, 1_000_000)  # young ones only: a full one stops everybody
READERS: Final = 4
READY_POLL_S: Final = 0.02
OUTBOX_S: Final = 0.5
UPKEEP_S: Final = 1.0
RECORDS_EVERY: Final = 30
VIEWS_BEHIND_MAX: Final = 50_000  # entries; about a second of full load


class House:
    """What the gateway asks of us: `fondaco.gateway.house.House`."""

    def __init__(
        self,
        kernel: Kernel,
        directory: Directory,
        limit: RateLimit,
        views: SqliteStore,
        follower: Follower,
    ) -> None:
        self.kernel = kernel
        self.directory = directory
        self._limit = limit
        self._views = views
        self.follower = follower
        self.now = kernel.now
        self.authenticate = directory.authenticate
        self.redeem = directory.redeem
        self.tenant_of = kernel.accounts.get
        self.submit = kernel.submit
        self.pressure = kernel.pressure
        self.reading = views.reading
        self.draining = False

    def recheck(self, caller: Any) -> None:
        """Raises `Denied` once the key of somebody who stays connected is no longer valid."""
        self.directory.caller_named(caller.tenant, caller.name)

    def wait_ns(self, caller: str, address: str) -> int:
        """Nothing where rates are off, which costs nothing."""
        try:
            self._limit.check_ip(address)
            if caller:
                self._limit.check_user("", caller)
        except TooMany as error:
            return int(str(error.details["retry_after_ms"])) * 1_000_000
        return 0

    def views_at(self) -> int:
        try:
            with self._views.reading() as conn:
                return min(positions(conn).values(), default=0)
        except Corrupt:
            return 0  # the follower has not made its tables yet

    def source(self, name: str) -> Any:
        """What operations are answered from."""
        match name:
            case "market":
                return self.kernel.board
            case "journal":
                return self.kernel.journal
            case "identity":
                return self.directory
            case "house":
                return self
            case _:
                raise NotFound(f"operations have no source called {name}")

    # --- What `Do`s and `Look`s of the trading room name as their House ---------------------------

    def peek(self, stream: StreamId) -> Any:
        """The state of a stream's owner, if it is in memory; None if not."""
        memory = self.kernel.peek(stream)
        return memory.state if memory else None

    def refs(self) -> Any:
        return self.kernel.refs

    @property
    def board(self) -> Any:
        return self.kernel.board

    @property
    def journal(self) -> Any:
        return self.kernel.journal

    async def wake(self, stream: StreamId) -> None:
        await self.kernel.wake(stream)

    # --- Whether it is ready --------------------------------------------------------------------

    def checks(self) -> dict[str, tuple[bool, str]]:
        """Each thing that must hold for `/ready`, and what it is now."""
        kernel = self.kernel
        pressure = kernel.pressure()
        try:
            views_at = self.views_at()
        except FondacoError:
            views_at = 0
        books = {symbol: book.quality for symbol, book in kernel.board.books.items()}
        bad = [f"{symbol} {quality}" for symbol, quality in books.items() if quality != "ok"]
        behind = kernel.committer.position - views_at
        return {
            "serving": (not self.draining, "draining" if self.draining else "serving"),
            "journal": (pressure is None, pressure.message if pressure else "takes entries"),
            "views": (behind <= VIEWS_BEHIND_MAX, f"{max(behind, 0)} entries behind"),
            "market": (not bad, ", ".join(bad) or f"{len(books)} books are ok"),
        }


def make_door(
    house: House, records: SqliteStore, readers: ThreadPoolExecutor, settings: Settings
) -> tuple[Door, Streams]:
    """Every operation of every room behind one door, and its WebSockets."""
    kernel = house.kernel
    streams: list[Streams] = []
    door = Door(
        house,
        operations(house),
        replies=StoreReplies(records),
        readers=readers,
        log=Log(settings.log_level, house.now),
        body_max=settings.body_max_bytes,
        version=__version__,
        checks=house.checks,
        numbers=lambda: numbers(house, streams[0]),
    )
    streams.append(Streams(door, house.refs, kernel.board, position=kernel.committer.position))
    kernel.listeners.append(streams[0].publish)
    return door, streams[0]


def operations(house: House) -> list[Operation[Any, Any]]:
    """What the rooms offer. Those of trading need the reference data as they are now."""
    return [
        *(operation for room in ROOMS for operation in room.operations),
        *market_api.OPERATIONS,
        *trading_api.operations(house.refs, trading_law.decide),
        *trading_api.looks(house.refs, trading_law, QUERIES, house.tenant_of),
    ]


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, then let requests under way end. Returns the exit status."""
    return uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    async with running(settings) as (house, door, streams):
        server, sockets = _server(settings, door, streams)
        serving = asyncio.create_task(server.serve(sockets=sockets))
        announcing = asyncio.create_task(_announce(house, sockets[0]))
        try:
            await serving
        finally:
            announcing.cancel()
    return 0


def _server(
    settings: Settings, door: Door, streams: Streams
) -> tuple[uvicorn.Server, list[socket.socket]]:
    config = uvicorn.Config(
        door,
        host=settings.host,
        port=settings.port,
        http=protocol_of(
            door,
            request_timeout_s=settings.header_timeout_s,
            connections_max=settings.ws_connections_max + 1_000,
        ),
        ws=streams.socket(
            queue_max=settings.ws_send_queue_max, connections_max=settings.ws_connections_max
        ),
        ws_per_message_deflate=False,
        ws_max_size=settings.body_max_bytes,
        ws_ping_interval=settings.ws_idle_timeout_s / 2,
        ws_ping_timeout=settings.ws_idle_timeout_s,
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=4_096,
        timeout_graceful_shutdown=settings.drain_timeout_s,
    )
    return uvicorn.Server(config), [config.bind_socket()]


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[House, Door, Streams]]:
    """Everything that makes a house, until the block ends. Raises before anything is served."""
    files = Files(Path(settings.data))
    files.root.mkdir(parents=True, exist_ok=True)
    source = await _feed(settings)
    async with AsyncExitStack() as stack:
        kernel = Kernel(settings, files, source)
        stack.push_async_callback(kernel.stop)
        records = stack.enter_context(closing(SqliteStore(files.records)))
        views = stack.enter_context(closing(SqliteStore(files.views, durable=False)))
        readers = stack.enter_context(ThreadPoolExecutor(READERS, "reader"))
        cache = MemoryCache(kernel.now)
        directory = Directory(records, cache, kernel.now, os.urandom)
        follower = stack.enter_context(_follower(settings, files))
        house = House(kernel, directory, _rate_limit(settings, cache), views, follower)
        await kernel.start()
        await _arm(house)
        if settings.demo:
            seed_demo(directory)
            await seed_accounts(kernel)
        tasks = [
            asyncio.create_task(_upkeep(house), name="upkeep"),
            asyncio.create_task(_tell_journal(records, kernel), name="outbox"),
        ]
        if source:
            tape = stack.enter_context(closing(_tape(settings, files)))
            intake = Intake(kernel.board, tape, source.listings)
            tasks.append(asyncio.create_task(source.run(kernel.now, intake), name="feed"))
        for task in tasks:
            task.add_done_callback(_must_not_end)
        stack.push_async_callback(_cancel, tasks)
        yield house, *make_door(house, records, readers, settings)


async def _feed(settings: Settings) -> Feed | None:
    if settings.feed == "none":
        return None
    return feed(await chosen(settings.feed), open_tape=SegmentTape)


def _rate_limit(settings: Settings, cache: MemoryCache) -> RateLimit:
    return RateLimit(
        cache,
        user_per_s=settings.rate_user_per_s,
        user_burst=settings.rate_user_burst,
        ip_per_s=settings.rate_ip_per_s,
        ip_burst=settings.rate_ip_burst,
    )


def _tape(settings: Settings, files: Files) -> Tape:
    return SegmentTape(files.tape, quota_bytes=settings.tape_quota_bytes)


async def _cancel(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _must_not_end(task: "asyncio.Task[None]") -> None:
    """A part of the house has died, which nobody foresaw: stop, rather than go on without it."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        traceback.print_exception(error)
        print(f"fondaco: {task.get_name()} has died; the house stops", file=sys.stderr)  # noqa: T201
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _follower(settings: Settings, files: Files) -> Iterator["Follower"]:
    follower = Follower(files.root, settings.snapshot_every_entries)
    try:
        yield follower
    finally:
        follower.end()


async def _arm(house: House) -> None:
    """Wait until the views show all that was written before, and take from them what is due."""
    kernel = house.kernel
    last = kernel.committer.position
    while await asyncio.to_thread(house.views_at) < last:
        house.follower.keep_alive()
        await asyncio.sleep(READY_POLL_S)

    def look() -> tuple[Any, Any, Any]:
        with house.reading() as conn:
            return (
                queries.open_accounts(conn),
                queries.pending_triggers(conn),
                queries.deadlines(conn),
            )

    accounts, stops, due = await asyncio.to_thread(look)
    kernel.accounts.update(accounts)
    for each in stops:
        stop = Stop(
            account_stream(AccountId(each.account_id)),
            each.number,
            Symbol(each.symbol),
            Side(each.side),
            each.stop_px,
            each.trail,
        )
        if each.suspended:
            kernel.triggers.put_to_sleep(stop)
        else:
            kernel.triggers.arm((stop,))
    for each in due:
        stream = account_stream(AccountId(each.account_id))
        kernel.deadlines.add(Instant(each.expire_time), stream)


async def _upkeep(house: House) -> None:
    """What must be looked after now and then."""
    while True:
        for _ in range(RECORDS_EVERY):
            await asyncio.sleep(UPKEEP_S)
            house.follower.keep_alive()
        with suppress(Unavailable):  # the records are locked or their disk is full: next time
            await asyncio.to_thread(house.directory.note_use)
            house.directory.refresh()


async def _tell_journal(records: SqliteStore, kernel: Kernel) -> None:
    """What the records have committed reaches the journal within a moment."""
    while True:
        with suppress(Unavailable):
            await carry(records, kernel.submit)
        await asyncio.sleep(OUTBOX_S)


async def _announce(house: House, bound: socket.socket) -> None:
    """Say where we are, once everything is as it must be to trade."""
    host, port = bound.getsockname()[:2]
    while not all(ok for ok, _ in house.checks().values()):
        await asyncio.sleep(READY_POLL_S)
    gc.collect()
    gc.freeze()  # What is here stays: do not look at it again.
    gc.set_threshold(*FREEZE_THRESHOLD)
    print(f"ready http://{host}:{port}", flush=True)  # noqa: T201  # scripts wait for this line
