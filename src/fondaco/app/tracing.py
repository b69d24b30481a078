"""Times and traces of a running house: noted here, told by a process of their own."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.app.files import Files
from fondaco.domain.trading.events import OrderFilled
from fondaco.domain.venues.model import PREFIX as VENUES
from fondaco.runtime.tracing.hops import Histogram, Hops
from fondaco.runtime.tracing.noting import Noted
from fondaco.runtime.tracing.rows import Commit
from fondaco.runtime.tracing.spans import tag_of
from fondaco.runtime.tracing.watch import COMMITS, HouseWatch
from fondaco.settings import Settings

FLUSH_S: Final = 0.1
KEEP_S: Final = 1.0  # between two of a follower's words on how long hops take
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
