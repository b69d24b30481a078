"""Debian's Chromium before a real house, for journeys through its page."""

import gc
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "src/fondaco/gateway/web/index.html"
AXE: Final = ROOT / "web/node_modules/axe-core/axe.min.js"
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def where() -> str:
    """The main thread stands in Playwright's loop; the test stands aside, in a greenlet."""
    try:
        from greenlet import greenlet  # type: ignore[import-untyped]
    except ImportError:
        return "before there was a browser"
    waiting = [each.gr_frame for each in gc.get_objects() if isinstance(each, greenlet)]
    stacks = [traceback.format_stack(frame) for frame in waiting if frame is not None]
    return "".join(line for stack in stacks for line in stack if "/tests/" in line)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; skips where there is none, or where the page was not built."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install --group dev")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    if not PAGE.is_file():
        pytest.skip("the page was not built: make page")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def troubles(page: Any) -> list[str]:
    """Collects what the page says on its console of errors, and what it throws."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console", lambda message: found.append(message.text) if message.type == "error" else None
    )
    return found


def eventually(page: Any, holds: Callable[[], bool], what: str, within_ms: int = 15_000) -> None:
    """Waits for something that the page does not show."""
    for _ in range(within_ms // 50):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"it did not happen: {what}")


def promised(page: Any, promise: str, within_ms: int = 10_000) -> Any:
    """What a promise of the page comes to; a promise that is never kept is an error."""
    late = f"new Promise((_, no) => setTimeout(() => no(new Error('never kept')), {within_ms}))"
    return page.evaluate(f"Promise.race([{promise}, {late}])")


def serious(page: Any) -> list[str]:
    """What axe finds that keeps somebody from using the page; skips where axe is not installed."""
    if not AXE.is_file():
        pytest.skip("axe-core is not here: npm ci in web/")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8") + "; undefined")  # its own value is all of it
    found = promised(page, "axe.run(document, {resultTypes: ['violations']})", 60_000)
    return [
        f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
