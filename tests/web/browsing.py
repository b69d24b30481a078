"""A person's window before a real house: on a desk or a phone, in the dark or in the light."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, expect

from web.chromium import eventually

DESK: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
# A market that moves as often as somebody can read: the page draws each move.
CALM: Final = ("--feed", "synthetic,rate=3")
WAIT_MS: Final = 30_000  # on a busy machine; nothing is judged by how long it takes
expect.set_options(timeout=WAIT_MS)


def free_port() -> int:
    """For a house that is to come back where it was."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def looking(browser: Browser, *, theme: Any = "dark", phone: bool = False, worker: bool = False,
            motion: Any = "reduce") -> Iterator[BrowserContext]:  # fmt: skip
    """A person's browser: what it keeps is its own. `worker` lets the page be kept for offline, for
    which it reads all of its files."""
    context = browser.new_context(
        viewport=PHONE if phone else DESK,  # type: ignore[arg-type]
        color_scheme=theme, has_touch=phone, is_mobile=phone, reduced_motion=motion,
        service_workers="allow" if worker else "block",
    )  # fmt: skip
    context.set_default_timeout(WAIT_MS)
    try:
        yield context
    finally:
        context.close()


def settled(page: Page) -> None:
    """Nothing on the screen is being read any more, and what came is drawn."""
    busy = page.locator("#screen [aria-busy=true]")
    eventually(page, lambda: busy.count() == 0, "the screen is read")
    page.wait_for_timeout(200)


def opened(context: BrowserContext, url: str) -> Page:
    """The page, signed in and live."""
    page = context.new_page()
    page.goto(url)
    live(page)
    return page


def live(page: Page) -> None:
    page.locator(".connection.live").wait_for()
