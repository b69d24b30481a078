"""The house as it lives in one process: the journal, the owners of its streams, and its market.

What is written is told on, in this order: to the reference data that decisions are given, to those
who watch (stops, deadlines, the paper venue's queue), to the reactor, to whoever listens outside.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, TypeAlias, get_args

import msgspec

from fondaco.app.assessments.watch import AssessmentWatch
from fondaco.app.at_rest import at_rest
from fondaco.app.clock import Clock
from fondaco.app.darks import Darks
from fondaco.app.files import Files, read_cursor, write_cursor
from fondaco.app.given import Given
from fondaco.app.kinds import CALLS, POLICIES, ROOMS, build_digest
from fondaco.app.machines import open_journal
from fondaco.app.margined import Margined
from fondaco.app.pools import Pools
from fondaco.app.schedules import Schedules
from fondaco.domain.ledger.events import ExpireTransfers, TransferPending
from fondaco.domain.ledger.model import PREFIX as BOOKS
from fondaco.domain.market.board import Board
from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.model import Trade
from fondaco.domain.reference.events import (
    ChangeRefused,
    HouseKilled,
    InstrumentListed,
    ListInstrument,
    ReferenceEvent,
)
from fondaco.domain.reference.model import HOUSE_STREAM, HouseState, Instrument, Symbol
from fondaco.domain.trading.events import (
    AccountOpened,
    CancelOrders,
    ExpireOrders,
    FillUnsettled,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderReleased,
    OrderReplaced,
    OrderTrailed,
    OrderTriggered,
    SettleFills,
    TrailOrder,
    TriggerOrder,
)
from fondaco.domain.trading.model import PREFIX as ACCOUNTS
from fondaco.domain.trading.model import AccountId, AccountType, account_of, account_stream
from fondaco.domain.trading.policies import goes_first
from fondaco.domain.trading.refs import refresh, refs_of, roll_session, update_rates
from fondaco.domain.trading.triggers import TriggerBook
from fondaco.domain.venues.crossing.events import OwnEvent, ScheduleSet
from fondaco.domain.venues.crossing.market import OwnMarket
from fondaco.domain.venues.crossing.model import MIC as CROSSING
from fondaco.domain.venues.crossing.rules import initial as empty_book
from fondaco.domain.venues.events import MatchResting, VenueEvent
from fondaco.domain.venues.midpoint.model import PREFIX as DARK
from fondaco.domain.venues.model import PREFIX as VENUES
from fondaco.domain.venues.model import venue_stream
from fondaco.domain.venues.queue import PaperQueue
from fondaco.kernel.errors import FondacoError, Refused, Unavailable
from fondaco.kernel.event import (
    Command,
    CommandId,
    Entry,
    Event,
    Instant,
    StreamId,
    fingerprint,
    request_id,
)
from fondaco.ports.journal import Journal
from fondaco.runtime.actor import AnyHost, Host
from fondaco.runtime.committer import Answer, Committer, Outcome, Watch
from fondaco.runtime.deadlines import Deadlines
from fondaco.runtime.loading import Memory, Snapshots
from fondaco.runtime.reactor import Reactor
from fondaco.settings import Settings

LOADERS: Final = 2  # threads that load streams at their first touch
TICK_S: Final = 0.05  # between looks at the clock: deadlines, silent books, cursor
CURSOR_EVERY: Final = 20  # ticks
IDLE_EVERY: Final = 6_000  # ticks: five minutes
AGAIN_S: Final = 0.1  # before what must happen is asked again
SETTLE_TICKS: Final = 40
REDELIVERED: Final = 10_000  # entries told again at a time
TRIGGER_AGAIN_NS: Final = 1_000_000_000  # before a stop whose mark was reached is asked again

Submit: TypeAlias = Callable[[StreamId, Command], Answer]

_Kinds: TypeAlias = tuple[type[Event], ...]
_REFERENCE: Final[_Kinds] = get_args(ReferenceEvent)
_VENUE: Final[_Kinds] = (*get_args(VenueEvent), *get_args(OwnEvent))
_DUE: Final[_Kinds] = (FillUnsettled, TransferPending)
_WATCHED: Final[_Kinds] = (
    OrderReleased,
    OrderTrailed,
    OrderReplaced,
    OrderTriggered,
    OrderCanceled,
    OrderExpired,
)


class Kernel:
    """Journal, owners and market of a house, without a door. Belongs to the event loop's thread.

    `listeners` are given the entries of every commit, in order, after the house itself has. A
    simulation gives it another journal, another clock, and a `link` that carries what its streams
    tell each other.
    """

    forgets = True  # accounts that nobody asks anything of leave memory

    def __init__(
        self,
        settings: Settings,
        files: Files,
        feed: Feed | None,
        *,
        journal: Journal | None = None,
        now: Clock | None = None,
        watch: Watch | None = None,
        link: Callable[[Submit], Submit] = lambda submit: submit,
    ) -> None:
        self.settings, self.files, self.feed = settings, files, feed
        self.listeners: list[Callable[[Sequence[Entry]], None]] = []
        self.journal: Journal = journal or open_journal(
            files, writer=True, segment_bytes=settings.segment_bytes
        )
        self.snapshots = Snapshots(files.snapshots, build_digest(), at_rest(files))
        self.loaders = ThreadPoolExecutor(LOADERS, "loader")
        self.committer = Committer(self.journal, self._publish, watch)
        self.now = now or Clock()
        instruments = {each.symbol: each for each in feed.instruments()} if feed else {}
        self.board = Board(instruments, stale_after_ms=settings.stale_after_ms)
        self.triggers = TriggerBook()
        self.deadlines, self.settlements = Deadlines(), Deadlines()
        self.queues: dict[Symbol, PaperQueue] = {}
        self._papers: dict[StreamId, PaperQueue] = {}  # the same by their venues
        self.markets: dict[StreamId, OwnMarket] = {}  # of instruments that trade on our own book
        self.darks = Darks(self.board, self.submit, self.now)
        self.schedules = Schedules(self.ask_again_until_done)
        self._moved, self._noting = dict[StreamId, OwnMarket](), self._listening()  # in a commit
        self.accounts: dict[str, str] = {}  # account -> tenant
        self._hosts: dict[str, AnyHost] = {}
        self.refs = refs_of(HouseState(), self.board.marks, self.now())
        self.refs.books = self.board.books
        self.pools = Pools(self.board, self.refs, self.peek, self.submit, settings.pool_every_ms)
        self._given = Given(self.refs, self.board, self.peek)
        self.routes = self._given.routes
        for room in ROOMS:
            if room.decider is None:
                continue
            self._hosts[room.prefix] = Host(
                room.decider,
                self._given.to(room.prefix),
                self.journal,
                self.committer,
                snapshots=self.snapshots,
                loaders=self.loaders,
            )
        self._by_kind = {
            prefix.partition("/")[0]: each
            for prefix, each in self._hosts.items()
            if prefix.count("/") == 1  # venues are told apart by the next word too
        }
        self.trading, self.venues = self._hosts[ACCOUNTS], self._hosts[VENUES]
        ask = self.ask_again_until_done
        self.margined = Margined(self.refs, self._account, self.submit, ask)
        self.margins = self.margined.watch
        self.assessments = AssessmentWatch(self.refs, self.peek, ask, self.now)
        latency_s = settings.paper_latency_ms / 1_000
        self.reactor = Reactor(
            POLICIES,
            link(self.submit),
            self.now,
            delay_s=lambda stream: latency_s if stream.startswith(VENUES) else 0.0,
            refusal=CALLS.refusal,
            goes_first=goes_first,
        )
        self._asked: dict[tuple[StreamId, int], Instant] = {}  # stops whose mark was reached
        self._caught_up, self._ticks = False, 0  # until all that was written before is told again
        self._tasks: list[asyncio.Task[None]] = []

    # --- What doors and followers ask -----------------------------------------------------------

    def submit(self, stream: StreamId, command: Command) -> Answer:
        """A turn of the stream's owner, now."""
        return self._host(stream).submit(stream, command)

    @property
    def owner_count(self) -> int:
        """Streams in memory."""
        return len(self.streams())

    def streams(self) -> list[StreamId]:
        """Those in memory."""
        return [stream for host in self._hosts.values() for stream in host.streams()]

    def peek(self, stream: StreamId) -> Memory[Any] | None:
        return self._host(stream).peek(stream)

    def _account(self, stream: StreamId) -> Any:
        memory = self.trading.peek(stream)
        return None if memory is None else memory.state

    @property
    def tick_count(self) -> int:
        """Looks at the clock since it has started."""
        return self._ticks

    @property
    def is_killed(self) -> bool:
        """Whether the kill switch is thrown."""
        memory = self.peek(HOUSE_STREAM)
        return memory is not None and bool(memory.state.killed)

    def tenant_of(self, account_id: str) -> str | None:
        return self.accounts.get(account_id)

    def pressure(self) -> FondacoError | None:
        """Why nothing new is taken on."""
        if self.reactor.stopped:
            target, error = next(iter(self.reactor.stopped.items()))
            return Unavailable(f"{target} has stopped and must be mended: {error.message}")
        limit_s = self.settings.behind_max_ms / 1_000
        now, busy_since = asyncio.get_running_loop().time(), self.committer.busy_since
        waits_s = now - busy_since if busy_since else 0.0
        if waits_s > limit_s:
            return Unavailable(f"the disk has not answered for {waits_s:.1f} s; try again")
        if self.reactor.behind_s(now) > limit_s:
            return Unavailable("orders on their way to their venues are behind; try again")
        return None

    def _host(self, stream: StreamId) -> AnyHost:
        host = self._hosts.get(stream[: stream.rfind("/") + 1])
        if host is None:
            host = self._by_kind.get(stream.partition("/")[0])
        if host is None:
            raise LookupError(f"no room owns {stream}")
        return host

    # --- What was written -----------------------------------------------------------------------

    def _publish(self, entries: Sequence[Entry]) -> None:
        noting = self._noting
        for entry in entries:
            note = noting.get(type(entry.event))
            if note is not None:
                note(entry)
        self.margins.note(entries)
        self.assessments.note(entries)
        if self._moved:
            self._show_markets(entries[-1].at)
        if self._caught_up:  # until then they come behind what must be told again
            self.reactor.deliver(entries)
        for listener in tuple(self.listeners):  # one may take itself off
            listener(entries)

    def _listening(self) -> dict[type[Event], Callable[[Entry], None]]:
        """Who of us must hear of an entry, by its kind."""
        return {
            **dict.fromkeys(_VENUE, self._tell_queue),
            **dict.fromkeys(_WATCHED, self._watch),
            **dict.fromkeys(_DUE, self._arm_due),
            **dict.fromkeys(_REFERENCE, self._refresh),
            OrderAccepted: self._accepted,
            AccountOpened: self._opened,
        }

    def _arm_due(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, FillUnsettled):
            self.settlements.add(event.settles_at, entry.stream)
        elif isinstance(event, TransferPending) and event.expires_at:
            self.deadlines.add(event.expires_at, entry.stream)

    def _opened(self, entry: Entry) -> None:
        event: AccountOpened = entry.event  # type: ignore[assignment]
        self.accounts[account_of(entry.stream)] = event.tenant
        if event.account_type is AccountType.MARGIN:
            self.margined.load(entry.stream)

    def _accepted(self, entry: Entry) -> None:
        order = entry.event.order  # type: ignore[attr-defined]  # an OrderAccepted
        if order.expire_time:
            self.deadlines.add(order.expire_time, entry.stream)
        if not order.at_venue:
            self.triggers.note(entry)

    def _watch(self, entry: Entry) -> None:
        event = entry.event
        if isinstance(event, OrderTriggered | OrderCanceled | OrderExpired):
            self._asked.pop((entry.stream, event.number), None)
        self.triggers.note(entry)

    def _refresh(self, entry: Entry) -> None:
        memory = self._hosts[HOUSE_STREAM].peek(HOUSE_STREAM)
        if memory is not None:
            refresh(self.refs, memory.state, self.now())
        if self.margins:
            self.margins.retune()
        self.assessments.retune()
        if isinstance(entry.event, HouseKilled):
            self.cancel_everything(self.accounts)
        elif isinstance(entry.event, InstrumentListed):
            self._open_market(entry.event.instrument)

    def cancel_everything(self, accounts: Iterable[str]) -> None:
        """Once the kill switch is thrown; and when a house starts that was killed before."""
        for account in accounts:
            now = self.now()
            command = CancelOrders(CommandId(f"kill/{now}"), now, reason="kill")
            self.ask_again_until_done(account_stream(AccountId(account)), command)

    def _tell_queue(self, entry: Entry) -> None:
        paper = self._papers.get(entry.stream)
        if paper is not None:
            paper.hear(entry.event)  # type: ignore[arg-type]  # the venue's own kinds
        elif entry.stream.startswith(DARK):
            self.darks.hear(entry)
        elif (market := self.markets.get(entry.stream)) is not None:
            market.hear(entry)
            self._moved[entry.stream] = market
            if isinstance(entry.event, ScheduleSet):
                self.schedules.note(entry.stream, market.shown)

    def _open_market(self, instrument: Instrument) -> None:
        """Show the book of an instrument that trades on our own venue, as far as it is durable."""
        stream = venue_stream(instrument.symbol, instrument.mic)
        if instrument.mic != CROSSING or stream in self.markets:
            return
        memory = self.peek(stream)
        self.board.add_own(instrument)
        state = empty_book(stream) if memory is None else memory.state
        self.markets[stream] = OwnMarket(self.board, state, self.now())
        self.schedules.note(stream, self.markets[stream].shown)

    def _show_markets(self, at: Instant) -> None:
        moved, self._moved = self._moved, {}
        for market in moved.values():
            market.settle(at)

    # --- The market -----------------------------------------------------------------------------

    def _on_book(self, symbol: Symbol) -> None:
        mark = self.board.marks.get(symbol)
        if mark is None:
            return
        update_rates(self.refs, mark)
        self.assessments.see(mark)
        self.margined.see(mark, self.now)
        for stream, command in self.triggers.see(mark):
            self._try(stream, command)
        queue = self.queues.get(symbol)
        if queue is not None and len(queue):
            for match in queue.on_book(self.now()):
                self._match(queue, symbol, match)
        self.darks.on_book(symbol)

    def _on_trade(self, trade: Trade) -> None:
        queue = self.queues.get(trade.symbol)
        if queue is not None and len(queue):
            for match in queue.on_trade(trade):
                self._match(queue, trade.symbol, match)

    def _match(self, queue: PaperQueue, symbol: Symbol, match: MatchResting) -> None:
        def settled(outcome: Outcome) -> None:
            if isinstance(outcome, FondacoError):
                queue.release(match)

        try:
            self.submit(venue_stream(symbol), match).then(settled)
        except Unavailable:
            queue.release(match)

    def _try(self, stream: StreamId, command: TriggerOrder | TrailOrder) -> None:
        """What comes from watching may fail: a later look at the market asks again.

        A stop that was reached and stays, since trading is halted, is not asked about at each look.
        """
        key, now = (stream, command.number), self.now()
        if isinstance(command, TriggerOrder):
            if now - self._asked.get(key, 0) < TRIGGER_AGAIN_NS:
                return
            self._asked[key] = now

        def settled(outcome: Outcome) -> None:
            if isinstance(outcome, FondacoError):
                self._asked.pop(key, None)

        try:
            self.submit(stream, command).then(settled)
        except Unavailable as error:
            settled(error)

    def ask_again_until_done(self, stream: StreamId, command: Command) -> None:
        """For what must happen, and has nobody who would repeat it."""

        def settled(outcome: Outcome) -> None:
            if isinstance(outcome, FondacoError) and outcome.retryable:
                asyncio.get_running_loop().call_later(
                    AGAIN_S, self.ask_again_until_done, stream, command
                )

        try:
            self.submit(stream, command).then(settled)
        except Unavailable as error:
            settled(error)

    # --- Starting and stopping ------------------------------------------------------------------

    async def start(self, ended: Callable[["asyncio.Task[None]"], None]) -> None:
        """Become what the journal says. Nothing is asked of the house before this has returned.

        `ended` is told when one of our tasks is over.
        """
        self._begin(self.committer.run(), "committer", ended)
        self.assessments.is_telling = self.reactor.is_telling
        self.reactor.gives_way = lambda: self.assessments.is_behind
        await self._list_instruments()
        for symbol in self.board.instruments:
            stream = venue_stream(symbol)
            await self.wake(stream)
            queue = self.queues[symbol] = PaperQueue(symbol, self.board.books[symbol])
            self._papers[stream] = queue
            memory = self.venues.peek(stream)
            if memory is not None:
                queue.rebuild(memory.state, memory.heard.get(queue.source, 0))
        for instrument in self.refs.instruments.values():
            if instrument.mic == CROSSING:
                await self.wake(venue_stream(instrument.symbol, CROSSING))
                self._open_market(instrument)
        for stream in self.darks.streams(self.refs.instruments):
            await self.wake(stream)
            self.darks.rebuild(stream, self.peek(stream))
        for stream in self.pools.streams():
            await self.wake(stream)
        for mark in self.board.marks.values():
            update_rates(self.refs, mark)
        await self._redeliver()
        self.board.on_book.append(self._on_book)
        self.board.on_trade.append(self._on_trade)
        self._begin(self._tick(), "ticks", ended)

    def _begin(
        self,
        part: Coroutine[Any, Any, None],
        name: str,
        ended: Callable[["asyncio.Task[None]"], None],
    ) -> None:
        task = asyncio.create_task(part, name=name)
        task.add_done_callback(ended)
        self._tasks.append(task)

    async def stop(self) -> None:
        """Commit what is queued, remember where the reactor stands, and let go of the files."""
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks[1:], return_exceptions=True)
        if self._tasks and not self._tasks[0].done():
            await self._settle()
        self.committer.close()
        await asyncio.gather(*self._tasks[:1], return_exceptions=True)
        self.loaders.shutdown()
        if self._caught_up:
            self._remember_cursor(self.reactor.cursor)
        self.journal.close()

    async def _settle(self) -> None:
        """Give messages that are on their way a moment to arrive; the others are told again."""
        for _ in range(SETTLE_TICKS):
            if not self.reactor.open_count and not self.committer.queued_count:
                return
            await asyncio.sleep(TICK_S)

    async def _list_instruments(self) -> None:
        assets = {each.code: each for each in self.feed.assets()} if self.feed else {}
        for instrument in self.board.instruments.values():
            ask = ListInstrument(
                CommandId(""), self.now(), instrument, assets[instrument.base],
                assets[instrument.quote], by="start",
            )  # fmt: skip
            same = msgspec.structs.replace(ask, at=Instant(0))
            key = f"!list/{instrument.symbol}/{fingerprint(same)}"
            command_id = request_id(key, "start")
            told = await self.submit(
                HOUSE_STREAM, msgspec.structs.replace(ask, command_id=command_id)
            )
            if isinstance(told[0].event, ChangeRefused):  # else prices would mean two things
                raise Refused(
                    f"the feed and the journal differ: {told[0].event.text}; choose another feed, "
                    "or another data directory",
                    code=told[0].event.reason,
                )
        await self.wake(HOUSE_STREAM)
        memory = self.peek(HOUSE_STREAM)
        if memory is not None:
            refresh(self.refs, memory.state, self.now())

    async def wake(self, stream: StreamId) -> None:
        """Load a stream without asking anything of it."""
        await self._host(stream).wake(stream)

    async def _redeliver(self) -> None:
        """Tell again what may not have been heard before the house stopped."""
        position = read_cursor(self.files.cursor)
        if position > self.committer.position:  # of another journal
            position = 0
        reactor = self.reactor
        reactor.position = position
        while position < self.committer.position:
            entries = await asyncio.to_thread(self.journal.follow, position, REDELIVERED)
            # What is durable but not published yet is published to the reactor later.
            entries = [entry for entry in entries if entry.position <= self.committer.position]
            reactor.deliver(entries)
            position = reactor.position
            while reactor.open_count > REDELIVERED and not reactor.stopped:
                await asyncio.sleep(0.001)
        self._caught_up = True

    def _remember_cursor(self, position: int) -> None:
        with suppress(OSError):  # then more is told again
            write_cursor(self.files.cursor, position)

    def turn(self, now: Instant) -> None:
        """What time brings about."""
        self.board.check(now)
        self.schedules.look(now)
        self.pools.look(now)
        if roll_session(self.refs, now):
            self.margined.roll(now)
        for stream in self.settlements.pop_due(now):
            self.ask_again_until_done(stream, SettleFills(CommandId(f"due/{now}"), now))
        self.assessments.look(now)
        self.margined.look(now)
        for stream in self.deadlines.pop_due(now):
            expire = ExpireTransfers if stream.startswith(BOOKS) else ExpireOrders
            self.ask_again_until_done(stream, expire(CommandId(f"due/{now}"), now))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._ticks += 1
            if self.committer.fenced is not None:
                raise self.committer.fenced  # another house writes this journal: we stop
            now = self.now()
            self.turn(now)
            if self._ticks % CURSOR_EVERY == 0:
                if self.margined.rolls:
                    self.margined.roll(now)
                self.committer.find_out()
                asyncio.get_running_loop().run_in_executor(
                    self.loaders, self._remember_cursor, self.reactor.cursor
                )
            if self._ticks % IDLE_EVERY == 0 and self.forgets:
                self.trading.dismiss_idle()
