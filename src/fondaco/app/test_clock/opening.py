"""Which kernel a house has: one whose time is everybody's, or a sandbox's."""

from collections.abc import Awaitable, Callable

from fondaco.app.clock import Clock
from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.app.machines import open_journal
from fondaco.app.test_clock.clock import sandbox_clock
from fondaco.app.test_clock.feed import ScriptedFeed
from fondaco.app.test_clock.kernel import SandboxKernel
from fondaco.domain.market.feeds import Feed
from fondaco.kernel.errors import Invalid
from fondaco.runtime.committer import Watch
from fondaco.settings import Settings

# Of a house that is none: a sandbox has prices of its own.
_NO_MARKETS = ("synthetic", "none")


async def open_kernel(
    settings: Settings,
    files: Files,
    watch: Watch | None,
    feed: Callable[[Settings], Awaitable[Feed | None]],
) -> tuple[Kernel, Clock]:
    """And the machine's clock. Raises `Refused` for a sandbox in a directory that is none, and
    `Invalid` for one that is to trade anywhere else."""
    wall = Clock()
    journal = open_journal(files, writer=True, segment_bytes=settings.segment_bytes)
    try:
        clock = sandbox_clock(journal, wall, wanted=settings.sandbox)
        if clock is None:
            source = await feed(settings)
            return Kernel(settings, files, source, journal=journal, now=wall, watch=watch), wall
        refuse_others(settings, files)
        scripted = ScriptedFeed()
        return SandboxKernel(
            settings, files, scripted, journal=journal, now=clock, watch=watch
        ), wall
    except BaseException:
        journal.close()
        raise


def refuse_others(settings: Settings, files: Files) -> None:
    """A sandbox trades with itself alone. Raises `Invalid`."""
    if settings.feed not in _NO_MARKETS:
        raise Invalid(f"feed is {settings.feed}, but a sandbox has prices of its own: leave it out")
    if settings.fix_venue or settings.fix_port or files.agreements.exists():
        raise Invalid("a sandbox has no FIX sessions: leave out fix_venue, fix_port and fix.toml")
    if settings.payments == "stripe":
        raise Invalid("a sandbox is paid by nobody: payments is auto, sandbox or none")
