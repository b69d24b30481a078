"""Times and traces of a running house: noted here, told by a process of their own."""

import asyncio
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from fondaco import __version__
from fondaco.app.child import Child, begin_child
from fondaco.app.files import Files, read_cursor, write_cursor
from fondaco.app.machines import open_journal
from fondaco.app.views import POSTS
from fondaco.domain.trading.events import OrderFilled
from fondaco.domain.venues.model import PREFIX as VENUES
from fondaco.runtime.tracing.export import Collector, Exporter, Progress
from fondaco.runtime.tracing.hops import Histogram, Hops
from fondaco.runtime.tracing.noting import Noted
from fondaco.runtime.tracing.otlp import resource
from fondaco.runtime.tracing.rows import Commit, Request, Shown
from fondaco.runtime.tracing.spans import tag_of
from fondaco.runtime.tracing.watch import COMMITS, REQUESTS, SHOWN, HouseWatch
from fondaco.settings import Settings

FLUSH_S: Final = 0.1
NICENESS: Final = 10  # behind everybody: the journal keeps what waits
END_S: Final = (
    3.0  # for what a house that stops has still to tell; the rest is told at its next start
)
KEEP_S: Final = 1.0  # between two of a follower's words on how long hops take
TRACES: Final = "/v1/traces"
Histograms = dict[str, Histogram]


def house_watch(settings: Settings, files: Files) -> HouseWatch:
    return HouseWatch(files.traces, time.time_ns, settings.traces_quota_bytes)


async def keep_times(watch: HouseWatch) -> None:
    """What was noted of commits and requests gets into its files, behind everybody's back."""
    while True:
        await asyncio.to_thread(watch.flush)
        await asyncio.sleep(FLUSH_S)


class HopsKept:
    """Sums up hops in the process that fills the views, and leaves them where the house looks."""

    def __init__(self, files: Files) -> None:
        commits = Noted(files.traces, COMMITS, Commit)
        fills = frozenset({tag_of(OrderFilled)})
        self._hops = Hops(commits, venues=VENUES, executions=fills)
        self._path = hops_file(files)
        self._kept_at = 0.0
        self.hear = self._hops.hear

    def step(self) -> bool:
        more = self._hops.step()
        now = time.monotonic()
        if now - self._kept_at > KEEP_S and self._hops.moved:
            self._kept_at = now
            self._hops.moved = False
            leave(self._path, self._hops.histograms)
        return more


def hops_file(files: Files) -> Path:
    return files.traces / "hops.json"


def hops_of(files: Files) -> Histograms:
    """As the process that fills the views has left them; nothing where it has not."""
    try:
        return msgspec.json.decode(hops_file(files).read_bytes(), type=Histograms)
    except (OSError, msgspec.MsgspecError):
        return {}


def leave(path: Path, what: Any) -> None:
    partial = path.with_suffix(".part")
    with suppress(OSError):  # a full disk, or no folder yet: next time
        partial.write_bytes(msgspec.json.encode(what))
        partial.replace(path)


class Tracer(Child):
    """Tells a collector, in a process of its own."""

    def __init__(self, files: Files, endpoint: str) -> None:
        settings = {"JOURNAL": files.journal_at, "OTLP_ENDPOINT": endpoint}
        super().__init__("exports spans", ["trace", "--data", str(files.root)], settings)


@contextmanager
def tracing(settings: Settings, files: Files, head: int) -> Iterator[Tracer | None]:
    """Where spans are exported for the first time, they are from behind `head` on. Raises `Invalid`
    for an address that is none."""
    endpoint = endpoint_of(settings, os.environ)
    if not endpoint:
        yield None
        return
    Collector(traces_url(endpoint, os.environ), {})
    with suppress(OSError):  # then it begins wherever it finds the journal's end
        files.traces.mkdir(exist_ok=True)
        if not cursor_file(files).exists():
            write_cursor(cursor_file(files), head)
    tracer = Tracer(files, endpoint)
    tracer.begin()
    try:
        yield tracer
    finally:
        tracer.end(END_S)


def trace(files: Files, endpoint: str, after: int, environment: Mapping[str, str]) -> None:
    """Export spans until standard input ends: from where it stood; or from `after` on, beside
    whoever else does and without a word of how far that got."""
    stop = begin_child(NICENESS)
    url = traces_url(endpoint, environment)
    with (
        closing(open_journal(files)) as journal,
        closing(Collector(url, _pairs(environment.get("OTEL_EXPORTER_OTLP_HEADERS", "")))) as to,
    ):
        position = read_cursor(cursor_file(files)) if after < 0 else after
        if after < 0 and not cursor_file(files).exists():
            position = journal.head()  # what is written from now on
        exporter = Exporter(
            journal,
            Noted(files.traces, COMMITS, Commit),
            Noted(files.traces, REQUESTS, Request),
            Noted(files.traces, SHOWN, Shown),
            to.send,
            time.time_ns,
            resource=resource(_resource(files, environment)),
            version=__version__,
            position=min(position, journal.head()),
            posts=POSTS,
        )
        exporter.run(stop, _Kept(files) if after < 0 else _untold)


def endpoint_of(settings: Settings, environment: Mapping[str, str]) -> str:
    """Where spans go; empty: nowhere."""
    return (
        settings.otlp_endpoint
        or environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
        or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    )


def traces_url(endpoint: str, environment: Mapping[str, str]) -> str:
    """As the OpenTelemetry specification puts it together: that of traces alone is taken as it is,
    behind another goes the path of traces."""
    if endpoint == environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        return endpoint
    bare = endpoint.rstrip("/")
    return bare if bare.endswith(TRACES) else bare + TRACES


def _pairs(text: str) -> dict[str, str]:
    """ "a=1,b=2", with %-signs, as in W3C Baggage."""
    pairs = (each.partition("=") for each in text.split(",") if "=" in each)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}


def _resource(files: Files, environment: Mapping[str, str]) -> list[tuple[str, str]]:
    named = {
        "service.name": "fondaco",
        "service.version": __version__,
        "service.instance.id": f"{platform.node()}:{files.root.resolve()}",
        **_pairs(environment.get("OTEL_RESOURCE_ATTRIBUTES", "")),
    }
    if name := environment.get("OTEL_SERVICE_NAME"):
        named["service.name"] = name
    return list(named.items())


def _untold(_: Progress) -> None:
    """Nobody asks."""


class _Kept:
    """Leaves how far it has got, and once a second also what has become of it all."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._position = -1
        self._kept_at = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.position != self._position:
            self._position = progress.position
            with suppress(OSError):  # then some are told again
                self._files.traces.mkdir(exist_ok=True)
                write_cursor(cursor_file(self._files), progress.position)
        if now - self._kept_at > KEEP_S:
            self._kept_at = now
            leave(progress_file(self._files), progress)


def cursor_file(files: Files) -> Path:
    return files.traces / "exported"


def progress_file(files: Files) -> Path:
    return files.traces / "export.json"


def progress_of(files: Files) -> Progress:
    try:
        return msgspec.json.decode(progress_file(files).read_bytes(), type=Progress)
    except (OSError, msgspec.MsgspecError):
        return Progress()
