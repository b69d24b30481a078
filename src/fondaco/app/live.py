"""A running house: the kernel with its doors, its follower and its feed, until told to stop."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from fondaco import __version__
from fondaco.app.about import about
from fondaco.app.approvals import ApprovalsDesk
from fondaco.app.arming import Waiting, arm, waiting, watch_equity
from fondaco.app.candles import candles_of
from fondaco.app.checks import Heard
from fondaco.app.child import CommandLine
from fondaco.app.demo import seed_accounts
from fondaco.app.files import Files, make_root, tape_lock
from fondaco.app.fix.desk import Desk, fix_desk
from fondaco.app.fix.door import applications, set_routes
from fondaco.app.fix.messages import Messages, messages
from fondaco.app.follower import Follower
from fondaco.app.greeting import announce, greet, tell_switch, url
from fondaco.app.health import OPERATIONS as HEALTH
from fondaco.app.health import Health
from fondaco.app.house import Kernel
from fondaco.app.keeping import keep_running
from fondaco.app.kinds import ROOMS
from fondaco.app.listening import bind, on_signals, run
from fondaco.app.machines import (
    MEMORY,
    house_lock,
    open_cache,
    open_records,
    open_views,
    rate_limit,
    refuse_lost_end,
)
from fondaco.app.numbers import numbers
from fondaco.app.outbox import carry
from fondaco.app.paying import pay_contracts
from fondaco.app.people import MINUTE_NS, PeoplePart, people_part
from fondaco.app.proofs import proofs, publish_last
from fondaco.app.queries import queries
from fondaco.app.say import say, say_error
from fondaco.app.server import certificates_of, make_server
from fondaco.app.tracing import Tracer, house_watch, keep_times, tracing
from fondaco.app.views import POSTS
from fondaco.domain.identity.directory import Directory, seed_demo
from fondaco.domain.identity.model import TooMany
from fondaco.domain.identity.rate_limit import RateLimit
from fondaco.domain.ledger.events import RecordChecks
from fondaco.domain.ledger.model import CHECKS_STREAM
from fondaco.domain.market import api as market_api
from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.feeds.spec import chosen, feed
from fondaco.domain.market.intake import Intake
from fondaco.domain.trading import api as trading_api
from fondaco.domain.trading.rules import decider as trading_law
from fondaco.domain.trading.store.stops import at_work
from fondaco.domain.venues import api as venues_api
from fondaco.domain.venues.pooling import api as pooling_api
from fondaco.gateway import terminal
from fondaco.gateway.door import Door
from fondaco.gateway.idempotency import Replies
from fondaco.gateway.kept import StoreReplies
from fondaco.gateway.logs import Log
from fondaco.gateway.streams import Streams
from fondaco.gateway.tls import keep_renewed
from fondaco.kernel.errors import Corrupt, FondacoError, NotFound, Unavailable
from fondaco.kernel.event import Command, CommandId, Instant, StreamId
from fondaco.kernel.operation import Operation
from fondaco.ports.cache import Cache
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store import Store
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.ports.tape import Tape
from fondaco.ports.tape.segments import SegmentTape
from fondaco.runtime.projector import positions
from fondaco.runtime.tracing.looking import Beside
from fondaco.runtime.tracing.prices import PricePath
from fondaco.runtime.tracing.watch import HouseWatch
from fondaco.settings import Settings

READERS: Final = 4
READY_POLL_S: Final = 0.02
VIEWS_WAIT_S: Final = 2.0
OUTBOX_S: Final = 0.5
UPKEEP_S: Final = 1.0
RECORDS_EVERY: Final = 30  # times that long
FORGET_EVERY: Final = 3_600
HOUR_NS: Final = 3_600_000_000_000
FOLLOWER_FAILURES_MAX: Final = 3  # one after the other, at the start
VIEWS_STILL_S: Final = 10.0  # a step under load takes far less
VIEWS_BEHIND_MAX: Final = 50_000  # entries; about a second of full load


class House:
    """What the gateway asks of us: `fondaco.gateway.house.House`."""

    def __init__(
        self,
        kernel: Kernel,
        directory: Directory,
        limits: Sequence[RateLimit],
        views: SqliteStore,
        follower: Follower,
        watch: HouseWatch,
    ) -> None:
        self.kernel = kernel
        self.directory = directory
        self._limits = limits  # each for when the one before cannot be asked
        self._shown = views
        self.follower = follower
        self.now = kernel.now
        self.authenticate = directory.authenticate
        self.redeem = directory.redeem
        self.tenant_of = kernel.accounts.get
        self.submit = kernel.submit
        self.pressure = kernel.pressure
        self.reading = views.reading
        self.draining = False
        self.failed = ""  # the part that died; then the house stops
        self.shared_cache: Cache | None = None  # one that is elsewhere
        self.proofs = proofs(kernel.files, kernel.journal)
        self.about = about(kernel)
        self.tape_lost: Callable[[], int] = int  # frames that the disk did not take
        self.feed_deaths = 0
        self.checked = Heard(kernel.files)
        self.watch = watch
        self.tracer: Tracer | None = None
        self.beside = Beside(kernel.files.traces, POSTS)
        self.health: Health  # once there are doors to be counted at
        self.people: PeoplePart  # once there are records
        self.fix: Desk  # once its sessions are open
        self.approvals = ApprovalsDesk(kernel, directory, self.source)
        self.fix_messages: Messages
        self._views_were_at = self._views_moved_s = 0.0

    def part_ended(self, task: "asyncio.Task[None]") -> None:
        """A part that nobody foresaw to end: stop, rather than go on without it."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.failed:
            self.failed = task.get_name()
            say_error(f"the part that is called {self.failed} has died: we stop", error)
            os.kill(os.getpid(), signal.SIGTERM)

    def feed_died(self, error: BaseException | None) -> None:
        self.feed_deaths += 1
        if error is None:
            say("the feed has ended; it is begun again")
        else:
            say_error("the feed has died; it is begun again", error)

    def recheck(self, caller: Any) -> None:
        """Raises `Denied` once the key of somebody who stays connected is no longer valid."""
        self.directory.caller_named(caller.tenant, caller.name)

    def wait_ns(self, caller: str, address: str) -> int:
        """0 where rates are off, which costs nothing."""
        for limit in self._limits:
            if limit.is_off:
                break
            try:
                limit.check_ip(address)
                if caller:
                    limit.check_user("", caller)
            except TooMany as error:
                return int(str(error.details["retry_after_ms"])) * 1_000_000
            except Unavailable:  # the cache is away: until it is back, this process alone counts
                continue
            break
        return 0

    def views_at(self) -> int:
        try:
            with self._shown.reading() as conn:
                return min(positions(conn).values(), default=0)
        except Corrupt:
            return 0  # the follower has not made its tables yet

    def look_after_views(self) -> None:
        """Called every second: who has died is started again, who stands still is seen."""
        self.follower.keep_alive()
        if self.tracer:
            self.tracer.keep_alive()
        self.fix_messages.keep_alive()
        now, views_at = time.monotonic(), self._views_at()
        if views_at != self._views_were_at or views_at >= self.kernel.committer.position:
            self._views_moved_s = now
        self._views_were_at = views_at

    def _views_at(self) -> int:
        try:
            return self.views_at()
        except FondacoError:
            return 0

    def _views(self) -> tuple[bool, str]:
        behind = max(self.kernel.committer.position - self._views_at(), 0)
        still_s = time.monotonic() - self._views_moved_s if self._views_moved_s else 0.0
        if self.follower.trouble:
            return False, f"{self.follower.trouble}; {behind} entries behind"
        if behind and still_s > VIEWS_STILL_S:
            return False, f"{behind} entries behind, and nothing moves for {still_s:.0f} s"
        return behind <= VIEWS_BEHIND_MAX, f"{behind} entries behind"

    def _market(self) -> tuple[bool, str]:
        books, bad = self.kernel.board.books, self.kernel.board.not_ready
        source = self.kernel.feed
        label = source.label if source else "no feed"
        trouble = getattr(source, "trouble", "")  # of one that needs a network
        if bad:
            why = f" ({trouble})" if trouble else ""
            return False, f"{label}{why}: {', '.join(bad)}"
        return True, f"{label}: {len(books)} books are ok"

    def source(self, name: str) -> Any:
        """What operations are answered from."""
        match name:
            case "market":
                return self.kernel.board
            case "journal":
                return self.kernel.journal
            case "proofs":
                return self.proofs
            case "identity":
                return self.directory
            case "house":
                return self
            case "about":
                return self.about
            case "fix" | "fix_messages" | "approvals" | "people":
                return getattr(self, name)
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
    def margins(self) -> Any:
        return self.kernel.margins

    @property
    def board(self) -> Any:
        return self.kernel.board

    @property
    def journal(self) -> Any:
        return self.kernel.journal

    async def wake(self, stream: StreamId) -> None:
        await self.kernel.wake(stream)

    def streams(self) -> list[StreamId]:
        return self.kernel.streams()

    def ask_again_until_done(self, stream: StreamId, command: Command) -> None:
        self.kernel.ask_again_until_done(stream, command)

    async def accounts_at_work(self, symbol: str, position: int) -> list[str]:
        """Accounts with working orders in an instrument, once the views have reached `position`;
        all accounts, where they do not within a moment."""
        deadline = time.monotonic() + VIEWS_WAIT_S
        while await asyncio.to_thread(self._views_at) < position:
            if time.monotonic() > deadline:
                return list(self.kernel.accounts)
            await asyncio.sleep(READY_POLL_S)

        def look() -> list[str]:
            with self.reading() as conn:
                return [account for account, _, _ in at_work(conn, None, symbol)]

        return await asyncio.to_thread(look)

    # --- Standing checks ------------------------------------------------------------------------

    def hear_checks(self) -> None:
        """A check that fails, or holds again, is written to the journal and to the log, once."""
        made = self.checked.read()
        if made is None:
            return
        failing = self.failing()
        for each in made.found:
            if bool(each.wrong) != (each.name in failing):
                say(f"standing check {each.name} {'; '.join(each.wrong) or 'holds again'}")
                command = RecordChecks(
                    CommandId(f"checks/{made.at}"), self.now(), made.found, made.position
                )
                self.kernel.ask_again_until_done(CHECKS_STREAM, command)
                return

    def failing(self) -> Mapping[str, tuple[str, ...]]:
        """Standing checks that fail, as the journal has them."""
        memory = self.kernel.peek(CHECKS_STREAM)
        return memory.state.failing if memory else {}

    def standing(self) -> Any:
        """The last round of standing checks, and which fail: what `ledger.checks` is made of."""
        return self.checked.last, self.failing()

    def _books(self) -> tuple[bool, str]:
        """Never a reason to be taken away from those who trade here: that would mend no book."""
        failing = self.failing()
        if failing:
            return True, f"FAILING: {', '.join(failing)}; see /api/checks"
        if self.checked.last is None:
            return True, "no standing check was made yet"
        return True, f"{len(self.checked.last.found)} standing checks hold"

    # --- Whether it is ready --------------------------------------------------------------------

    def checks(self) -> dict[str, tuple[bool, str]]:
        """Each thing that must hold for `/ready`, and what it is now."""
        pressure = self.kernel.pressure()
        return {
            "serving": (not self.draining, "draining" if self.draining else "serving"),
            "journal": (pressure is None, pressure.message if pressure else "takes entries"),
            "views": self._views(),
            "market": self._market(),
            "books": self._books(),
            **self.approvals.checks(),
            **self._elsewhere(),
        }

    def _elsewhere(self) -> dict[str, tuple[bool, str]]:
        """Nothing that a house must have to trade, so it is ready without."""
        if self.shared_cache is None:
            return {}
        try:
            self.shared_cache.get("ready")
        except Unavailable as error:
            return {"cache": (True, f"{error.message}; rates are counted by this process alone")}
        return {"cache": (True, "answers")}


def make_door(
    house: House, replies: Replies, readers: ThreadPoolExecutor, settings: Settings
) -> tuple[Door, Streams]:
    """Every operation of every room behind one door, and its WebSockets."""
    kernel = house.kernel
    streams: list[Streams] = []
    door = Door(
        house,
        house.approvals.guarded(operations(house)),
        replies=replies,
        readers=readers,
        log=Log(settings.log_level, house.now),
        body_max=settings.body_max_bytes,
        version=__version__,
        checks=house.checks,
        numbers=lambda: numbers(house, streams[0]),
        **({"note": house.watch.note} if settings.traces_quota_bytes else {}),
        routes=terminal.routes(),
    )
    streams.append(Streams(door, house.refs, kernel.board, position=kernel.committer.position))
    kernel.listeners.append(streams[0].publish)
    house.health = Health(house, door, streams[0])
    return door, streams[0]


def operations(house: House) -> list[Operation[Any, Any]]:
    """What the rooms offer. Those of trading need the reference data as they are now."""
    return [
        *(operation for room in ROOMS for operation in room.operations),
        *market_api.OPERATIONS,
        *HEALTH,
        *trading_api.operations(house.refs, trading_law.decide),
        *venues_api.operations(house.refs),
        *pooling_api.operations(house.refs),
        *trading_api.looks(house.refs, trading_law, queries(house.beside), house.tenant_of),
    ]


def serve(settings: Settings, command: CommandLine | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then let requests under way end. Returns the exit status.

    `command` runs a command of `fondaco`; with it the follower is a fork of this process.
    """
    follower = Follower(settings)
    if command:
        follower.fork(command)
    try:
        return run(_serve(settings, follower))
    finally:
        follower.end()


async def _serve(settings: Settings, follower: Follower) -> int:
    starting = asyncio.current_task()
    assert starting  # noqa: S101  # a coroutine runs in a task
    failed = ""

    def give_up() -> None:
        on_signals(_ignore)  # what was begun is taken back in peace
        starting.cancel()

    on_signals(give_up)
    certificates = certificates_of(settings)
    try:
        with bind(settings.host, settings.port) as bound:
            async with running(settings, follower) as (house, door, streams):
                server = make_server(settings, door, streams, certificates)

                def drain() -> None:
                    server.force_exit = house.draining  # asked twice: do not wait
                    server.should_exit = house.draining = True

                on_signals(drain)
                greet(house.kernel, bound)
                parts = {"announcement": announce(house.checks, url(bound, settings))}
                if certificates:
                    parts["certificates"] = keep_renewed(certificates, say)
                tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
                for task in tasks:
                    task.add_done_callback(house.part_ended)
                try:
                    await server.serve(sockets=[bound])
                finally:
                    on_signals(_ignore)
                    for task in tasks:
                        task.cancel()
                    failed = house.failed
    except asyncio.CancelledError:
        if starting.uncancel():
            raise
    return 1 if failed else 0


def _ignore() -> None:
    """It is ending already."""


@asynccontextmanager
async def running(
    settings: Settings, follower: Follower
) -> AsyncIterator[tuple[House, Door, Streams]]:
    """Everything that makes a house, until the block ends. Raises before anything is served."""
    files = Files(Path(settings.data), settings.journal, settings.store)
    make_root(files)
    source = await _feed(settings)
    async with AsyncExitStack() as stack:
        stack.enter_context(house_lock(files))
        watch = house_watch(settings, files)
        noting = watch if settings.traces_quota_bytes else None
        kernel = Kernel(settings, files, source, watch=noting)
        kernel.board.path = PricePath(time.perf_counter_ns)
        stack.callback(publish_last, files)  # behind everything that ends, and is written then
        tracer = stack.enter_context(tracing(settings, files, kernel.committer.position))
        stack.callback(watch.close)
        stack.push_async_callback(kernel.stop)
        records = stack.enter_context(closing(open_records(files)))
        views = stack.enter_context(closing(open_views(files)))
        refuse_lost_end(files, views, kernel.committer.position)
        readers = stack.enter_context(ThreadPoolExecutor(READERS, "reader"))
        cache = stack.enter_context(closing(open_cache(settings.cache, kernel.now)))
        idle_ns = settings.session_idle_min * MINUTE_NS
        directory = Directory(records, cache, kernel.now, os.urandom, idle_ns)
        stack.callback(follower.end)
        follower.begin()
        caches = [cache] if settings.cache == MEMORY else [cache, MemoryCache(kernel.now)]
        limits = [rate_limit(settings, each) for each in caches]
        house = House(kernel, directory, limits, views, follower, watch)
        house.tracer = tracer
        house.people = people_part(settings, files, records, directory)
        house.shared_cache = None if settings.cache == MEMORY else cache
        await kernel.start(house.part_ended)
        await _arm(house)
        if settings.demo:
            seed_demo(directory)
            await seed_accounts(kernel)
            await _wait_for_views(house, kernel.committer.position)  # who asks at once finds them
        house.fix = await stack.enter_async_context(
            fix_desk(settings, files, kernel, applications(house))
        )
        await set_routes(kernel, [line.application for line in house.fix.switchboard])
        await house.approvals.open()
        house.fix_messages = stack.enter_context(messages(kernel, records, house.fix))
        replies = StoreReplies(records)
        doors = make_door(house, replies, readers, settings)
        stack.push_async_callback(house.health.close)
        parts = {
            "upkeep": _upkeep(house, replies),
            "outbox": _tell_journal(records, house),
            "times": keep_times(watch),
        }
        if source:
            tape = stack.enter_context(_tape(settings, files))
            house.tape_lost = lambda: tape.lost
            kernel.board.on_switch.append(tell_switch)
            candles = stack.enter_context(candles_of(kernel.board, files))
            parts["candles"] = candles.run(kernel.now)
            intake = Intake(kernel.board, tape, source.listings, source.wire)
            parts["feed"] = keep_running(partial(source.run, kernel.now, intake), house.feed_died)
        tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
        for task in tasks:
            task.add_done_callback(house.part_ended)
        stack.push_async_callback(_cancel, tasks)
        yield house, *doors


async def _feed(settings: Settings) -> Feed | None:
    if settings.feed == "none":
        return None
    return feed(await chosen(settings.feed), open_tape=SegmentTape)


@contextmanager
def _tape(settings: Settings, files: Files) -> Iterator[Tape]:
    with (
        tape_lock(files),
        closing(
            SegmentTape(
                files.tape,
                quota_bytes=settings.tape_quota_bytes,
                retention_days=settings.retention_tape_days,
            )
        ) as tape,
    ):
        yield tape


async def _cancel(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _arm(house: House) -> None:
    """Wait until the views show all that was written before, and take from them what waits."""
    kernel = house.kernel

    def look() -> Waiting:
        with house.reading() as conn:
            return waiting(conn)

    last = -1
    while last != kernel.committer.position:  # what is told again may move orders meanwhile
        last = kernel.committer.position
        await _wait_for_views(house, last)
        found = await asyncio.to_thread(look)
    arm(kernel, found)
    await watch_equity(kernel, found)
    pay_contracts(kernel, house.reading, partial(_wait_for_views, house), house.part_ended)
    await kernel.wake(CHECKS_STREAM)


async def _wait_for_views(house: House, position: int) -> None:
    """Raises `Unavailable` where nobody can fill them."""
    while await asyncio.to_thread(house._views_at) < position:
        house.follower.keep_alive()
        if house.follower.failures >= FOLLOWER_FAILURES_MAX:
            raise Unavailable(
                f"{house.follower.trouble}, again and again; it has said why above. If "
                f"{house.kernel.files.views.name} is broken, delete it: it is filled anew"
            )
        await asyncio.sleep(READY_POLL_S)


async def _upkeep(house: House, replies: Replies) -> None:
    """What must be looked after now and then."""
    kept_ns = house.kernel.settings.retention_idempotency_h * HOUR_NS
    second = 0
    while True:
        house.look_after_views()
        house.hear_checks()
        house.health.tick()
        await house.approvals.tick()
        with suppress(Unavailable):  # the records are locked or their disk is full: next time
            await asyncio.to_thread(house.people.desk.tick)
            if second % FORGET_EVERY == 0:
                await asyncio.to_thread(replies.forget, Instant(house.now() - kept_ns))
            if second % RECORDS_EVERY == RECORDS_EVERY - 1:
                await asyncio.to_thread(house.directory.note_use)
                await asyncio.to_thread(house.directory.refresh)
        await asyncio.sleep(UPKEEP_S)
        second += 1


async def _tell_journal(records: Store, house: House) -> None:
    """What the records have committed reaches the journal within a moment; and so does it us, where
    another process has committed it, as `fondaco key` does."""
    while True:
        with suppress(Unavailable):
            if await carry(records, house.kernel.submit):
                await asyncio.to_thread(house.directory.refresh)
        await asyncio.sleep(OUTBOX_S)
