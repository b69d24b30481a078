"""How the house is, for whoever runs it: what serves, what does not, how fast, and how far behind.

Nothing is added up for it on the order path: a look reads counters, and histograms a second at a
time that are kept for a quarter of an hour.
"""

import asyncio
import platform
import resource
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta

from fondaco import __version__
from fondaco.app.verifying import Verified, Verifying
from fondaco.domain.identity.model import Scope
from fondaco.domain.market.looks import feeds
from fondaco.domain.market.model import Quality
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.gateway.door import Door
from fondaco.gateway.recent import Latency, Recent, Second, latency
from fondaco.gateway.streams import Streams
from fondaco.gateway.tally import counted
from fondaco.kernel import compiled
from fondaco.kernel.event import Instant
from fondaco.kernel.instants import moment
from fondaco.kernel.operation import Do, Operation, Stamp
from fondaco.ports.outbound import State

if TYPE_CHECKING:
    from fondaco.app.answering import House

WINDOWS_S: Final = (10, 60, 300)
SERIES_MAX: Final = 400  # points of one answer
ORDERS: Final = frozenset({"trading.place_order", "trading.place_orders"})
_NS: Final = 1_000_000_000


class HouseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class PartLine(msgspec.Struct, frozen=True):
    """What must hold for the house to be ready, as /ready has it."""

    name: str
    ok: bool
    says: str


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    symbol: str
    source: str
    quality: Quality
    since: str | None  # of this quality; null where it never changed
    age_ms: float  # of the last message
    messages: int
    gaps: int
    crossed: int
    stale: int
    recoveries: int
    malformed: int


class WindowLine(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, from the request read to its answer behind the commit, over all doors. Percentiles
    are upper edges of buckets, at most 16 % too many; null where nothing was asked."""

    seconds: int
    count: int
    refused: int
    per_s: float
    p50_ms: float | None
    p99_ms: float | None
    p999_ms: float | None


class FollowerLine(msgspec.Struct, frozen=True):
    name: str
    position: int
    behind: int
    trouble: str


class DiskLine(msgspec.Struct, frozen=True):
    name: str
    bytes: int


class KernelLine(msgspec.Struct, frozen=True):
    name: str
    state: str  # "compiled", "source" or "outdated"


class CheckedLine(msgspec.Struct, frozen=True):
    """The last round of standing checks."""

    at: str | None
    position: int
    holds: bool
    failing: list[str]


class VerificationReply(msgspec.Struct, frozen=True, kw_only=True):
    """The journal's verification: the one that runs, if one does, and what the last has found."""

    running: bool
    started_at: str | None
    entries: int  # read so far by the one that runs
    total: int
    trouble: str  # why the last one came to no end
    last: Verified | None


class PlaceLine(msgspec.Struct, frozen=True):
    """A place that the house calls: a webhook, a provider. "open" is left alone after failing."""

    place: str
    state: State
    calls: int  # of the last minute
    failures: int
    opened: int
    again_in_ms: int


class HouseReply(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    python: str
    machine: str
    at: str
    started_at: str
    serving: bool
    environment: str  # "live", "replay", "synthetic" or "none"
    feed: str
    demo: bool
    killed: bool
    kill_reason: str
    parts: list[PartLine]
    feeds: list[FeedLine]
    windows: list[WindowLine]
    position: int  # of the journal
    entries_per_s: float  # over the last ten seconds
    commits: int
    commit_mean_ms: float | None
    commit_queue: int
    messages_open: int
    followers: list[FollowerLine]
    accounts: int
    owners: int  # streams in memory
    websockets: int
    disks: list[DiskLine]  # what lies in the data directory
    disk_free: int
    disk_total: int
    memory_bytes: int
    memory_peak_bytes: int
    cpu_s: float
    kernels: list[KernelLine]
    checks: CheckedLine
    verification: VerificationReply
    places: list[PlaceLine]


class LatencyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last `seconds`, `step_s` together."""

    seconds: Annotated[int, Meta(ge=10, le=900)] = 300
    step_s: Annotated[int, Meta(ge=1, le=60)] = 5


class LatencyReply(msgspec.Struct, frozen=True, kw_only=True):
    """A step that nobody counted is left out: that is a gap, not a zero. A percentile is null where
    nothing was asked. `at_ms` is the end of the step."""

    at_ms: list[int]
    p50_ms: list[float | None]
    p99_ms: list[float | None]
    p999_ms: list[float | None]
    orders: list[int]
    refused: list[int]
    entries: list[int]  # that the journal has grown by


class Health:
    """Belongs to the loop's thread."""

    def __init__(self, house: "House", door: Door, streams: Streams) -> None:
        self.house = house
        self.streams = streams
        self.started_at = house.now()
        tallies = [each.tally for each in door.endpoints if each.operation.name in ORDERS]
        tallies.append(streams.trading.tally)
        self.recent = Recent(lambda: counted(tallies))
        self.verifying = Verifying(house.kernel.files)

    def tick(self) -> None:
        """Once a second."""
        self.recent.tick(self.house.now(), self.house.kernel.committer.position)

    async def close(self) -> None:
        await self.verifying.close()

    async def told(self) -> HouseReply:
        house, now = self.house, self.house.now()
        views_at, disks, usage = await asyncio.to_thread(self._slow)
        memory_bytes = _memory()
        kernel = house.kernel
        committer, source = kernel.committer, kernel.feed
        memory = kernel.peek(HOUSE_STREAM)
        lately = self.recent.seconds(Instant(now - 10 * _NS))
        return HouseReply(
            version=__version__,
            python=platform.python_version(),
            machine=f"{platform.system()} {platform.machine()}",
            at=moment(now),
            started_at=moment(self.started_at),
            serving=not house.draining and kernel.pressure() is None,
            environment=environment_of(source.label if source else ""),
            feed=source.label if source else "none",
            demo=kernel.settings.demo,
            killed=kernel.is_killed,
            kill_reason=memory.state.killed if memory else "",
            parts=[PartLine(name, ok, says) for name, (ok, says) in house.checks().items()],
            feeds=self._feeds(now),
            windows=[self._window(now, seconds) for seconds in WINDOWS_S],
            position=committer.position,
            entries_per_s=_rate(lately, sum(each.entries for each in lately)),
            commits=committer.group_count,
            commit_mean_ms=(
                committer.busy_s / committer.group_count * 1e3 if committer.group_count else None
            ),
            commit_queue=committer.queued_count,
            messages_open=kernel.reactor.open_count,
            followers=self._followers(views_at),
            accounts=len(kernel.accounts),
            owners=kernel.owner_count,
            websockets=self.streams.open_count,
            disks=disks,
            disk_free=usage.free,
            disk_total=usage.total,
            memory_bytes=memory_bytes,
            # The system counts the two apart, and the peak somewhat late.
            memory_peak_bytes=max(memory_bytes, _memory_peak()),
            cpu_s=time.process_time(),
            kernels=[KernelLine(name, state) for name, state in compiled.in_use()],
            checks=self._checked(),
            verification=self.verification(),
            places=[PlaceLine(*line) for line in house.outbound.lines()],
        )

    def _slow(self) -> tuple[int, list[DiskLine], Any]:
        """What asks the disk."""
        files = self.house.kernel.files
        parts = {
            "journal": [files.journal],
            "proofs": [files.proofs],
            "tape": [files.tape],
            "records": files.root.glob(f"{files.records.name}*"),
            "views": files.root.glob(f"{files.views.name}*"),
            "snapshots": [files.snapshots],
            "candles": files.root.glob(f"{files.candles.name}*"),
        }
        lines = [DiskLine(name, _size(paths)) for name, paths in parts.items()]
        return self.house.seen_views_at(), lines, shutil.disk_usage(files.root)

    def _feeds(self, now: Instant) -> list[FeedLine]:
        board = self.house.kernel.board
        return [
            FeedLine(
                symbol=each.symbol,
                source=each.source,
                quality=each.quality,
                since=moment(each.since) if each.since else None,
                age_ms=min((one.age_ms for one in each.sources if one.shown), default=0.0),
                messages=each.tallies.messages,
                gaps=each.tallies.gaps,
                crossed=each.tallies.crossed,
                stale=each.tallies.stale,
                recoveries=each.tallies.recoveries,
                malformed=each.tallies.malformed,
            )
            for each in feeds(board, now)
        ]

    def _window(self, now: Instant, seconds: int) -> WindowLine:
        found = self.recent.seconds(Instant(now - seconds * _NS))
        told = latency(found)
        return WindowLine(
            seconds=seconds,
            count=told.answered,
            refused=sum(each.refused for each in found),
            per_s=_rate(found, told.answered),
            p50_ms=_ms(told.p50_s),
            p99_ms=_ms(told.p99_s),
            p999_ms=_ms(told.p999_s),
        )

    def _followers(self, views_at: int) -> list[FollowerLine]:
        kernel, head = self.house.kernel, self.house.kernel.committer.position
        trouble = self.house.follower.trouble
        hashed, heard = self.house.proofs.size, kernel.reactor.cursor
        return [
            FollowerLine("views", views_at, max(head - views_at, 0), trouble),
            FollowerLine("proofs", hashed, max(head - hashed, 0), trouble),
            FollowerLine("messages", heard, max(head - heard, 0), ""),
        ]

    def _checked(self) -> CheckedLine:
        made, failing = self.house.checked.last, sorted(self.house.failing())
        if made is None:
            return CheckedLine(None, 0, not failing, failing)
        wrong = sorted({*failing, *(each.name for each in made.found if each.wrong)})
        return CheckedLine(moment(made.at), made.position, not wrong, wrong)

    def verification(self) -> VerificationReply:
        found = self.verifying
        return VerificationReply(
            running=found.is_running,
            started_at=moment(found.started_at) if found.is_running else None,
            entries=found.entries,
            total=found.total,
            trouble=found.trouble,
            last=found.last,
        )

    def verify(self) -> VerificationReply:
        self.verifying.start(self.house.now(), self.house.kernel.committer.position)
        return self.verification()

    def series(self, ask: LatencyRequest) -> LatencyReply:
        step_s = max(ask.step_s, -(-ask.seconds // SERIES_MAX))
        since = Instant(self.house.now() - ask.seconds * _NS)
        steps = list(self.recent.steps(since, step_s))
        told: list[Latency] = [latency(found) for _, found in steps]
        return LatencyReply(
            at_ms=[at // 1_000_000 for at, _ in steps],
            p50_ms=[_ms(each.p50_s) for each in told],
            p99_ms=[_ms(each.p99_s) for each in told],
            p999_ms=[_ms(each.p999_s) for each in told],
            orders=[each.answered for each in told],
            refused=[sum(second.refused for second in found) for _, found in steps],
            entries=[sum(second.entries for second in found) for _, found in steps],
        )


def environment_of(label: str) -> str:
    """What prices of a feed are: as soon as one source is not live, none of it is."""
    if not label:
        return "none"
    for word in ("synthetic", "replay"):
        if any(each.strip().startswith(word) for each in label.split(";")):
            return word
    return "live"


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1e3, 4)


def _rate(found: list[Second], count: int) -> float:
    return round(count / len(found), 2) if found else 0.0


def _size(paths: Iterable[Path]) -> int:
    """Files may go while we count."""
    total = 0
    for each in paths:
        for path in each.rglob("*") if each.is_dir() else [each]:
            try:
                total += path.stat().st_size
            except OSError:
                continue
    return total


def _memory() -> int:
    """Resident, in bytes; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * resource.getpagesize()


def _memory_peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024


async def _told(_: HouseRequest, __: Stamp, house: "House") -> HouseReply:
    return await house.health.told()


async def _series(ask: LatencyRequest, _: Stamp, house: "House") -> LatencyReply:
    return house.health.series(ask)


async def _verify(_: HouseRequest, __: Stamp, house: "House") -> VerificationReply:
    return house.health.verify()


async def _verification(_: HouseRequest, __: Stamp, house: "House") -> VerificationReply:
    return house.health.verification()


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="house.health",
        summary="How the house is: parts, feeds, latency, followers, disk, checks, verification.",
        method="GET",
        path="/house",
        request=HouseRequest,
        reply=HouseReply,
        scope=Scope.HOUSE_READ,
        source="house",
        answer=_told,
    ),
    Do(
        name="house.latency",
        summary="How fast orders were answered lately: percentiles and throughput by time.",
        method="GET",
        path="/house/latency",
        request=LatencyRequest,
        reply=LatencyReply,
        scope=Scope.HOUSE_READ,
        source="house",
        answer=_series,
    ),
    Do(
        name="journal.verify",
        summary="Begin to verify the journal byte by byte, beside what goes on; one at a time.",
        method="POST",
        path="/journal/verify",
        request=HouseRequest,
        reply=VerificationReply,
        scope=Scope.HOUSE_READ,
        source="house",
        answer=_verify,
    ),
    Do(
        name="journal.verification",
        summary="How far the verification of the journal is, and what the last one has found.",
        method="GET",
        path="/journal/verify",
        request=HouseRequest,
        reply=VerificationReply,
        scope=Scope.HOUSE_READ,
        source="house",
        answer=_verification,
    ),
)
