"""The world around the house: its machine, its clients, what goes wrong, and time."""

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from fondaco.app.demo import OWN
from fondaco.app.files import Files
from fondaco.app.kinds import CODEC
from fondaco.app.simulation import faults
from fondaco.app.simulation.checks import (
    at_rest,
    auctions_execute,
    empty_handed,
    nights_once,
    views_show_it,
)
from fondaco.app.simulation.clients import (
    ACCOUNTS,
    OWN_BOOKS,
    Admin,
    Bookkeeper,
    Client,
    Market,
    Operator,
    Told,
    Trader,
)
from fondaco.app.simulation.life import Life, there
from fondaco.app.simulation.link import Weather
from fondaco.app.simulation.report import Report
from fondaco.app.simulation.witness import Broken, Witness, check, decided_once
from fondaco.domain.market.feeds.synthetic import SHAPES, SyntheticFeed
from fondaco.domain.trading.events import CancelOrders
from fondaco.domain.trading.model import AccountId, account_stream
from fondaco.kernel.errors import FondacoError, Unavailable
from fondaco.kernel.event import Command, StreamId, request_id
from fondaco.kernel.seeded import Seeded
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.ports.journal.simulated import SimulatedDisk
from fondaco.runtime.simulated import MS_NS, SECOND_NS, Died, Process, SimulatedLoop, Stalled

STEPS: Final = 200  # requests and faults of a run
BEGAN_NS: Final = 1_700_000_038_500 * MS_NS  # 22:13:58.5, or up to …
EARLIER_MS: Final = 3_000  # … earlier: a day begins while clients ask, or when all is quiet
DAY_NS: Final = 1_700_000_040 * SECOND_NS  # 22:14
FAULT_EVERY_MS: Final = 700
VIEWS_EVERY: Final = 4  # seeds: that check takes as long as a third of a run
SOON_MS: Final = 12  # after a sync has failed: what is written next may cover it
AWAY_MS: Final = 800  # how long a house is down at most
UNANSWERED_S: Final = 4.0  # after that a client thinks that no answer will come
QUIET_S: Final = 60.0  # by then everything that was under way has arrived
STILL_S: Final = 0.4  # for so long nothing is under way in a house at rest
CALLBACKS_MAX: Final = 2_000_000
TRACE_MAX: Final = 40


def simulate(seed: int, steps: int = STEPS, *, tell: Callable[[str], None] | None = None) -> Report:
    """Run one seed; `tell` hears of everything as it happens."""
    memory = Path("/dev/shm")  # noqa: S108  # where there is one, else the disk
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="fondaco-sim") as name,
        _collected_afterwards(),
    ):
        return World(seed, steps, Path(name), tell).run()


@contextmanager
def _collected_afterwards() -> Iterator[None]:
    """What is garbage ends at the same moment under the same seed: when all is over."""
    was_on = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        if was_on:
            gc.enable()


class World:
    def __init__(
        self, seed: int, steps: int, root: Path, tell: Callable[[str], None] | None
    ) -> None:
        self.seed = seed
        self.steps_max = steps
        self.steps = self.lives = 0
        self.broken: Broken | None = None
        self._tell = tell
        self._trace: list[str] = []
        dice = Seeded(seed)
        self._dice = dice.child("world")
        self._for_lives = dice.child("lives")
        self.files = Files(root)
        self.files.journal.mkdir(parents=True)
        self.loop = SimulatedLoop(dice.child("loop"))
        self.loop.on_error = self._on_error
        self.disk = SimulatedDisk(self.files.journal, dice.child("disk"), self._died_inside)
        self.weather = Weather()
        self.witness = Witness()
        self.life: Life | None = None
        self.kinds = faults.chosen(dice.child("faults"))
        self._inside: str = faults.INSIDE
        self._skew_ns = 0
        self._began_ns = BEGAN_NS - dice.child("day").below(EARLIER_MS) * MS_NS
        self._waiting: dict[asyncio.Future[Told], Life] = {}  # whose answers come from which life
        feed = SyntheticFeed(seed=0, rate=1)
        anchors = {each.symbol: SHAPES[each.name].anchor for each in feed.listings}
        anchors |= {each.symbol: each.reference_px for each in OWN_BOOKS}
        self.market = Market([*feed.instruments(), *OWN_BOOKS], anchors)
        self.clients: list[Client] = []
        for nth in range(4 + self._dice.below(3)):
            name, account = f"t{nth}", ACCOUNTS[nth % len(ACCOUNTS)]
            client = Trader(name, account, dice.child(name), self.ask, self.market)
            self.clients.append(client)
        self.clients.append(Bookkeeper("books", dice.child("books"), self.ask, self.market))
        self.clients.append(Admin("admin", dice.child("admin"), self.ask, self.market))
        self.clients.append(Operator("own", dice.child("own"), self.ask, self.market))

    def run(self) -> Report:
        loop = self.loop
        try:
            whole = loop.create_task(self._all(), name="world")
            loop.run_while(
                lambda: not whole.done() and self.broken is None and loop.callbacks < CALLBACKS_MAX
            )
            if self.broken is None and whole.done():
                whole.result()
            if self.broken is None and not whole.done():
                self.broken = Broken("it comes to rest", f"{CALLBACKS_MAX} callbacks, and no end")
        except Broken as broken:
            self.broken = self.broken or broken
        except Stalled as stalled:
            self.broken = self.broken or Broken("it comes to rest", str(stalled))
        finally:
            if self.life is not None:
                self.life.process.kill()
                self.life.close()
        entries, digest = self._written()
        loop.close()
        self._close_what_the_dead_had_open()
        return Report(
            self.seed,
            self.steps_max,
            self.steps,
            self.broken.invariant if self.broken else "",
            self.broken.text if self.broken else "",
            entries,
            self.lives,
            self.kinds,
            loop.time(),
            digest,
            tuple(self._trace),
        )

    # --- Time and noise ---------------------------------------------------------------------------

    def wall_ns(self) -> int:
        """What the machine's clock shows."""
        return self._began_ns + self.loop.now_ns + self._skew_ns

    def say(self, text: str) -> None:
        line = f"{self.steps:5} {self.loop.time():9.3f} s  {text}"
        self._trace = [*self._trace[1 - TRACE_MAX :], line]
        if self._tell is not None:
            self._tell(line)

    def _on_error(self, told: dict[str, Any]) -> None:
        error = told.get("exception")
        if isinstance(error, Broken):
            self.broken = self.broken or error
        elif not isinstance(error, Died):
            self.broken = self.broken or Broken(
                "no callback fails", f"{told.get('message')}: {error!r}"
            )

    def _after(self, ms: int, act: Callable[..., object], *args: Any) -> None:
        """Whoever says so, a dying process too: it is the world that does it."""
        self.loop.outside(self.loop.now_ns + ms * MS_NS, act, *args)

    # --- From its beginning to its end ------------------------------------------------------------

    async def _all(self) -> None:
        self._start()
        clients = [asyncio.create_task(each.run(), name=each.name) for each in self.clients]
        for each in clients:
            each.add_done_callback(self._client_ended)
        while self.steps < self.steps_max:
            await asyncio.sleep(self._dice.below(FAULT_EVERY_MS) / 1_000)
            self._see_market()
            if self.kinds and self._dice.chance(2, 3):
                self._fault(self._dice.pick(faults.weighed(self.kinds)))
        for client in self.clients:
            client.goes_on = False
        self._heal()
        await asyncio.gather(*clients)
        await self._quiet()
        if self.wall_ns() <= DAY_NS:
            self._skew_ns += DAY_NS + MS_NS - self.wall_ns()
            await self._quiet()
        self._check_at_rest("orders rest")
        await self._cancel_everything()
        await self._quiet()
        life = there(self.life)
        self._check_at_rest("no order works")
        empty_handed(life)
        if self.seed % VIEWS_EVERY == 0:
            views_show_it(life)
        await self._stop(life)
        self._look_at_what_is_left()

    def _client_ended(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            raise error

    def _see_market(self) -> None:
        self.market.now = self.wall_now()
        life = self.life
        if life is not None and life.kernel is not None:
            for symbol, mark in life.kernel.board.marks.items():
                self.market.px[symbol] = mark.px
            book = life.kernel.board.books.get(OWN.symbol)
            self.market.gathers = book is not None and "auction" in book.phase

    def wall_now(self) -> Any:
        return self.wall_ns()

    async def _quiet(self) -> None:
        """Wait until nothing is under way any more, for a while; the market stands still."""
        began, still_since = self.loop.time(), -1.0
        while True:
            life = self.life
            if life is not None:
                life.feed_goes_on = False
            if life is None or not life.is_quiet():
                still_since = -1.0
            elif still_since < 0:
                still_since = self.loop.time()
            elif self.loop.time() - still_since > STILL_S:
                return
            now = self.loop.time()
            stopped = life.kernel.reactor.stopped if life is not None and life.kernel else {}
            check(not stopped, "no stream is corrupt", f"these have stopped: {stopped}")
            check(now - began < QUIET_S, "it comes to rest", f"not within {QUIET_S} s")
            await asyncio.sleep(0.02)

    async def _cancel_everything(self) -> None:
        for account in ACCOUNTS:
            stream = account_stream(AccountId(account))
            command = CancelOrders(request_id(f"!last/{account}", "simulated"), self.wall_now())
            while not isinstance(await self.ask(stream, command), tuple):
                await asyncio.sleep(0.1)

    def _check_at_rest(self, when: str) -> None:
        self.say(f"all is quiet, {when}")
        at_rest(there(self.life), self.wall_ns())

    def _close_what_the_dead_had_open(self) -> None:
        """With a real process its files are closed; here ten thousand lives share one."""
        inside, opened = f"{self.files.root}{os.sep}", Path("/proc/self/fd")
        for name in os.listdir(opened) if opened.is_dir() else ():
            with suppress(OSError):  # the listing's own, which is closed by now
                if os.readlink(opened / name).startswith(inside):
                    os.close(int(name))

    async def _stop(self, life: Life) -> None:
        """In good order, as SIGTERM does."""
        await life.process.begin(life.stop(), "stop")
        life.process.kill()
        life.close()
        if self.life is life:
            self.life = None

    def _look_at_what_is_left(self) -> None:
        journal = SegmentJournal(self.files.journal, CODEC, writer=False)
        try:
            self.witness.restarted(journal, journal.head())
            decided_once(decision for decision, _ in journal.decisions())
            nights_once(self.witness.told.values())
            auctions_execute(self.witness.told.values())
            journal.verify()
        finally:
            journal.close()

    def _written(self) -> tuple[int, str]:
        digest = sha256()
        try:
            journal = SegmentJournal(self.files.journal, CODEC, writer=False)
        except FondacoError:
            return 0, ""
        try:
            for decision, _ in journal.decisions():
                digest.update(CODEC.encode([decision]))
            return journal.head(), digest.hexdigest()
        except FondacoError:
            return 0, ""
        finally:
            journal.close()

    # --- Lives ------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.lives += 1
        process = Process(self.loop, f"house {self.lives}")
        dice = self._for_lives.child(process.name)
        life = Life(self.files, self.disk, self.weather, dice, process, self.wall_ns)
        self.life = life
        self.say(f"life {self.lives} begins")
        starting = process.begin(self._live(life), "start")
        starting.add_done_callback(lambda task: self._part_ended(life, task))

    async def _live(self, life: Life) -> None:
        def ended(task: "asyncio.Task[Any]") -> None:
            self._part_ended(life, task)

        kernel = await life.begin(ended)
        self.witness.restarted(kernel.journal, kernel.committer.position)
        kernel.listeners.append(self.witness.heard)
        self.say(f"life {self.lives} serves, at position {kernel.committer.position}")

    def _part_ended(self, life: Life, task: "asyncio.Task[Any]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is None or isinstance(error, Died) or not life.process.alive:
            return
        if isinstance(error, Unavailable):  # the disk does not let it start
            self.say(f"{task.get_name()} ended: {error.message}")
            self._dies(life, faults.CRASH)
        elif isinstance(error, Broken):
            self.broken = self.broken or error
        else:
            self.broken = self.broken or Broken("no part dies", f"{task.get_name()}: {error!r}")

    def _died_inside(self) -> BaseException:
        """Called by the disk, in the middle of whatever the house was doing."""
        life = self.life
        if life is not None:
            life.process.kill()
            self._after(0, self._dies, life, self._inside)
        return Died()

    def _dies(self, life: Life, kind: str) -> None:
        if self.life is not life:
            return
        self.life = None
        life.process.kill()
        life.close()
        said = ""
        if kind in (faults.POWER, faults.INSIDE_POWER):
            said = f": {self.disk.cut_power()}"
            self._lose_caches()
        self.disk.calls_left = -1
        self.say(f"{kind}{said}")
        for answer, owner in list(self._waiting.items()):
            if owner is life:
                self._after(1, self._reply, answer, None)
        self._after(self._dice.below(AWAY_MS), self._start)

    def _lose_caches(self) -> None:
        """What may be worked out again, and was not synced."""
        dice = self._dice
        for path in self.files.root.glob(f"{self.files.views.name}*"):
            path.unlink()  # as another boot of the machine does
        if dice.chance(1, 3):
            for path in self.files.journal.glob("index/*"):
                path.unlink()
        for path in sorted(self.files.snapshots.glob("*.snapshot")):
            if dice.chance(1, 3):
                path.unlink()
            elif dice.chance(1, 3):
                content = path.read_bytes()
                path.write_bytes(content[: dice.below(len(content) + 1)])
        if self.files.cursor.exists() and dice.chance(1, 2):
            self.files.cursor.write_text(dice.pick(("", "0", f"{1:020}", "\0" * 20)))

    # --- Between clients and the house ------------------------------------------------------------

    async def ask(self, stream: StreamId, command: Command) -> Told:
        """What a door does, and a network before it. None: no answer came."""
        answer: asyncio.Future[Told] = self.loop.create_future()
        self.steps += 1
        self.loop.call_later(self._travel_s(), self._arrive, stream, command, answer)
        self.loop.call_later(UNANSWERED_S, self._reply, answer, None)
        return await answer

    def _travel_s(self) -> float:
        return self._dice.below(3_000) / 1e6

    def _arrive(self, stream: StreamId, command: Command, answer: "asyncio.Future[Told]") -> None:
        life = self.life
        if life is None or not life.serving or answer.done():
            self._after(1, self._reply, answer, None)
            return
        self._waiting[answer] = life
        life.process.call(self._at_door, life, stream, command, answer)

    def _at_door(
        self, life: Life, stream: StreamId, command: Command, answer: "asyncio.Future[Told]"
    ) -> None:
        kernel = there(life.kernel)
        stamped = msgspec.structs.replace(command, at=kernel.now())

        def left(outcome: Any) -> None:
            self.witness.answered(stream, stamped, outcome, kernel.journal.head())
            self._send_back(answer, outcome)

        pressure = kernel.pressure()
        if pressure is not None:
            self._send_back(answer, pressure)
            return
        try:
            kernel.submit(stream, stamped).then(left)
        except Unavailable as error:
            self._send_back(answer, error)

    def _send_back(self, answer: "asyncio.Future[Told]", outcome: Told) -> None:
        """It has left the house: whatever happens to that one now, it is on its way, or is lost."""
        lost = self._dice.chance(1, 50)
        self._waiting.pop(answer, None)
        arrives_ns = self.loop.now_ns + int(self._travel_s() * SECOND_NS)
        self.loop.outside(arrives_ns, self._reply, answer, None if lost else outcome)

    def _reply(self, answer: "asyncio.Future[Told]", outcome: Told) -> None:
        self._waiting.pop(answer, None)
        if not answer.done():
            answer.set_result(outcome)

    # --- What goes wrong --------------------------------------------------------------------------

    def _fault(self, kind: str) -> None:
        dice, life = self._dice, self.life
        self.steps += 1
        if kind in (faults.CRASH, faults.POWER):
            if life is not None:
                self._dies(life, kind)
        elif kind in (faults.INSIDE, faults.INSIDE_POWER):
            self._inside = kind
            self.disk.calls_left = dice.below(6)
        elif kind == faults.STOP:
            if life is not None and life.serving:
                self.say(kind)
                stopping = self.loop.create_task(self._stop_and_start(life))
                stopping.add_done_callback(self._client_ended)
        else:
            self._passing(kind, dice.between(50, 4_000 if kind == faults.PARTITION else 2_000))

    async def _stop_and_start(self, life: Life) -> None:
        stopping = life.process.begin(life.stop(), "stop")
        await asyncio.wait({stopping}, timeout=30)
        if self.life is life:
            error = stopping.exception() if stopping.done() and not stopping.cancelled() else None
            check(stopping.done() and error is None, "it stops when told to", f"{error!r}")
            self._dies(life, faults.STOP)

    def _passing(self, kind: str, ms: int) -> None:
        """A fault that lasts a while."""
        dice, disk, weather = self._dice, self.disk, self.weather
        self.say(f"{kind}, for {ms} ms")
        if kind == faults.FULL:
            disk.is_full = True
        elif kind == faults.SYNC:
            disk.sync_fails = dice.pick((80, 150, 250, 1_000))
        elif kind == faults.WRITE:
            disk.write_fails, disk.short = dice.pick((20, 200)), dice.pick((0, 300))
        elif kind == faults.SLOW:
            self.loop.slow_until_ns = self.loop.now_ns + ms * MS_NS
        elif kind == faults.LINES:
            weather.delays, weather.repeats = dice.pick((200, 800)), dice.pick((0, 100))
            weather.breaks, weather.loses = dice.pick((0, 50)), dice.pick((0, 50))
        elif kind == faults.PARTITION:
            self._cut_off(ms)
        elif kind == faults.CLOCK:
            self._skew_ns += dice.between(-3_000, 3_000) * MS_NS
        elif kind == faults.SILENCE and self.life is not None:
            self.life.feed_goes_on = False
        self._after(ms, self._over, kind)
        self._strike(kind, ms)

    def _strike(self, kind: str, ms: int) -> None:
        """What goes wrong alone is survived easily: now and then a life ends in the middle of it;
        soon after a sync that has failed."""
        dice = self._dice
        deadly = [each for each in faults.STRIKES.get(kind, ()) if each in self.kinds]
        if not deadly or (kind != faults.SYNC and dice.chance(1, 2)):
            return
        end = dice.pick(deadly)
        if kind == faults.SYNC:
            self.disk.on_failed = lambda: self._soon(end)
        else:
            self._after(dice.between(min(ms, 100), ms), self._ends, end)

    def _soon(self, kind: str) -> None:
        """Before what was lost is written over; of those syncs that fail every other."""
        if self._dice.chance(1, 2):
            self._after(self._dice.between(1, SOON_MS), self._ends, kind)

    def _ends(self, kind: str) -> None:
        if self.life is not None:
            self._dies(self.life, kind)

    def _cut_off(self, ms: int) -> None:
        life = self.life
        streams = life.kernel.streams() if life is not None and life.kernel is not None else []
        if streams:
            target = self._dice.pick(streams)
            self.weather.cut[target] = True
            self._after(ms, self.weather.cut.pop, target, None)

    def _over(self, kind: str) -> None:
        disk, weather = self.disk, self.weather
        if kind == faults.FULL:
            disk.is_full = False
        elif kind == faults.SYNC:
            disk.sync_fails = 0
        elif kind == faults.WRITE:
            disk.write_fails = disk.short = 0
        elif kind == faults.LINES:
            weather.delays = weather.repeats = weather.breaks = weather.loses = 0
        elif kind == faults.SILENCE and self.life is not None:
            self.life.feed_goes_on = True

    def _heal(self) -> None:
        self.say("nothing goes wrong any more")
        self.disk.heal()
        self.weather.clear()
