"""A browser that stops answering is ended, and its journey tried once more with a new one.

Playwright asks Chromium some things without a limit (`evaluate`, `close`): once, on a busy machine,
no answer came for an hour. That is no fault of the house, so the journey is given a second browser;
a second silence fails it.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol
from playwright.sync_api import Error

from web.chromium import chromium, where

SILENCE_S: Final = 120.0  # the longest journey takes some 30 s, on a busy machine
collect_ignore = [] if os.environ.get("FONDACO_SOAK") == "1" else ["test_soak.py"]
ENDED: Final = pytest.StashKey[bool]()


@contextmanager
def answering(item: pytest.Item) -> Iterator[None]:
    """A journey with all that it begins and ends: its browser answers in time, or is ended."""
    ended = threading.Event()

    def end() -> None:
        ended.set()
        sys.stderr.write(f"{item.nodeid} waits here:\n{where()}\n")
        for pid in browsers(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    own = item.get_closest_marker("timeout")
    timer = threading.Timer(own.args[0] if own else SILENCE_S, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        item.stash[ENDED] = ended.is_set()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One for all journeys of a file."""
    with chromium() as found:
        yield found


def browsers(ancestor: int) -> list[int]:
    """Processes of Chromium that descend from a process; none where there is no /proc."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text("utf-8").rpartition(")")
        except OSError:  # it has ended meanwhile
            continue
        parents[int(folder.name)] = int(rest.split()[1])
        names[int(folder.name)] = name.partition("(")[2]

    def descends(pid: int) -> bool:
        while pid in parents and pid != ancestor:
            pid = parents[pid]
        return pid == ancestor

    return [pid for pid, name in names.items() if "chrom" in name and descends(pid)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Any:
    """As always, but for a journey whose browser was ended: once more, from new fixtures."""
    if Path(__file__).parent not in item.path.parents:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    with answering(item):
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    if _was_silent(item, reports):
        warnings.warn(f"no answer from the browser, tried again: {item.nodeid}", stacklevel=1)
        with answering(item):
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
        _was_silent(item, reports)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _was_silent(item: pytest.Item, reports: list[pytest.TestReport]) -> bool:
    """Whether the browser was ended; then nothing is left that was made with it."""
    if not item.stash.get(ENDED, False) or not any(report.failed for report in reports):
        return False
    with suppress(Error, AssertionError):  # what is left of it closes badly
        item.session._setupstate.teardown_exact(None)
    return True
