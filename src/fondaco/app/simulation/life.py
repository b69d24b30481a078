"""One life of the house: a process from its start to its death, with a follower beside it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from fondaco.app.arming import Waiting, arm, waiting, watch_equity
from fondaco.app.clock import Clock
from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.app.kinds import CODEC, build_digest, room_of
from fondaco.app.paying import Paying, pay_contracts
from fondaco.app.simulation.link import Link, Weather
from fondaco.app.views import every_view
from fondaco.domain.market.feeds.synthetic import SyntheticFeed
from fondaco.domain.market.intake import Intake
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import StreamId
from fondaco.kernel.seeded import Seeded
from fondaco.ports.journal._disk import Disk
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.ports.tape.memory import MemoryTape
from fondaco.runtime.loading import Snapshots, load
from fondaco.runtime.projector import Projector
from fondaco.runtime.simulated import Process
from fondaco.settings import Settings

T = TypeVar("T")

SEGMENT_BYTES: Final = 24 * 1_024  # so that a run begins many
FEED_RATE: Final = 3  # updates a second of each instrument
FOLLOW_MS: Final = 2_000  # the longest that the follower rests
SNAPSHOT_PARTS: Final = 3  # of its steps one in so many saves a snapshot
INDEX_PARTS: Final = 6


class Life:
    """Belongs to `process`. `kernel` is there once the house has been put together, and `serving`
    is true from when its doors would open."""

    def __init__(
        self,
        files: Files,
        disk: Disk,
        weather: Weather,
        dice: Seeded,
        process: Process,
        wall_ns: Callable[[], int],
    ) -> None:
        self.process = process
        self.files = files
        self.serving = False
        self.kernel: Kernel | None = None
        self.reading: SegmentJournal | None = None
        self.views: SqliteStore | None = None
        self.projector: Projector | None = None
        self.paying: Paying | None = None
        self.feed_goes_on = True
        self._parts: list[asyncio.Task[Any]] = []
        self._disk = disk
        self._weather = weather
        self._dice = dice
        self._wall_ns = wall_ns

    async def begin(self, part_ended: Callable[["asyncio.Task[Any]"], None]) -> Kernel:
        """Raises `Unavailable` where the disk does not let it start."""
        source = SyntheticFeed(seed=self._dice.below(1 << 20), rate=FEED_RATE)
        latency_ms = self._dice.pick((0, 0, 1, 15))
        kernel = self.kernel = Kernel(
            Settings(paper_latency_ms=latency_ms),
            self.files,
            source,
            journal=SegmentJournal(
                self.files.journal, CODEC, segment_bytes=SEGMENT_BYTES, disk=self._disk
            ),
            now=Clock(self._wall_ns),
            link=lambda submit: Link(self._weather, self._dice, submit).submit,
        )
        await kernel.start(part_ended)
        self._open_views()
        await self._arm(kernel)
        reading = there(self.views).reading
        self.paying = pay_contracts(kernel, reading, self._shown, part_ended)
        intake = Intake(kernel.board, MemoryTape(), source.listings)
        self._begin(self._feed(kernel, source, intake), "feed", part_ended)
        self._begin(self._follow(), "follower", part_ended)
        self.serving = True
        return kernel

    def _begin(
        self, part: Any, name: str, part_ended: Callable[["asyncio.Task[Any]"], None]
    ) -> None:
        task = asyncio.create_task(part, name=name)
        task.add_done_callback(part_ended)
        self._parts.append(task)

    async def stop(self) -> None:
        """In good order."""
        self.serving = False
        for part in self._parts:
            part.cancel()
        await asyncio.gather(*self._parts, return_exceptions=True)
        if self.kernel is not None:
            await self.kernel.stop()

    async def _feed(self, kernel: Kernel, source: SyntheticFeed, intake: Intake) -> None:
        def emit(arrivals: Any) -> Any:
            return intake(arrivals) if self.feed_goes_on else ()

        await source.run(kernel.now, emit)

    # --- The follower, which in a real house is another process -----------------------------------

    def _open_views(self) -> None:
        self.reading = SegmentJournal(self.files.journal, CODEC, writer=False)
        if not self.files.views.exists():
            self.files.views.write_bytes(empty_views())
        self.views = SqliteStore(self.files.views, durable=False)
        self.projector = Projector(self.reading, self.views, every_view(self.reading))

    async def _arm(self, kernel: Kernel) -> None:
        last = -1
        while last != kernel.committer.position:
            last = kernel.committer.position
            found = await asyncio.to_thread(self._look)
        arm(kernel, found)
        await watch_equity(kernel, found)

    async def _shown(self, position: int) -> None:
        while there(self.projector).position < position:
            await asyncio.sleep(FOLLOW_MS / 10_000)

    def _look(self) -> Waiting:
        there(self.projector).catch_up()
        with there(self.views).reading() as conn:
            return waiting(conn)

    async def _follow(self) -> None:
        projector, journal = there(self.projector), there(self.reading)
        dice, streams = self._dice, dict[StreamId, None]()
        snapshots, position = Snapshots(self.files.snapshots, build_digest()), 0
        while True:
            await asyncio.sleep(dice.below(FOLLOW_MS) / 1_000)
            with suppress(Unavailable):
                projector.step(dice.between(1, 400))
            if dice.chance(1, INDEX_PARTS):
                journal.index_more(dice.between(1, 100))
            entries = journal.follow(position, 1_000)
            streams |= dict.fromkeys(entry.stream for entry in entries)
            position = entries[-1].position if entries else position
            if streams and dice.chance(1, SNAPSHOT_PARTS):
                stream = dice.pick(tuple(streams))
                decider = room_of(stream).decider
                if decider is not None:
                    memory = load(stream, decider, journal, snapshots)
                    snapshots.save(stream, memory)

    # --- Its end ----------------------------------------------------------------------------------

    def close(self) -> None:
        """What the system does with the files of a process that is gone."""
        self.process.bury()
        if self.kernel is not None:
            self.kernel.journal.close()
        if self.reading is not None:
            self.reading.close()
        if self.views is not None:
            self.views.close()

    def is_quiet(self) -> bool:
        """Whether nothing is under way inside."""
        kernel = self.kernel
        return (
            kernel is not None
            and self.serving
            and not kernel.reactor.open_count
            and not kernel.committer.queued_count
            and not kernel.committer.busy_since
            and not there(self.paying).looking_count
        )


def there(found: T | None) -> T:
    """For parts that a house has once it serves."""
    if found is None:
        raise LookupError("the house does not serve yet")
    return found


@cache
def empty_views() -> bytes:
    """The file of views that show nothing yet: making its tables takes longer than filling them."""
    with TemporaryDirectory() as name:
        path = Path(name) / "views.db"
        journal, store = MemoryJournal(CODEC), SqliteStore(path)
        Projector(journal, store, every_view(journal))
        store.settle()
        store.close()
        return path.read_bytes()
