"""A person's window before a real house: on a desk or a phone, in the dark or in the light."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page

DESK: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
WAIT_MS: Final = 30_000  # on a busy machine; nothing is judged by how long it takes


def free_port() -> int:
    """For a house that is to come back where it was."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def looking(browser: Browser, *, theme: Any = "dark", phone: bool = False, worker: bool = False,
            motion: Any = "reduce") -> Iterator[BrowserContext]:  # fmt: skip
    """A person's browser: what it keeps is its own. `worker` lets the page be kept for offline."""
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


def opened(context: BrowserContext, url: str) -> Page:
    """The page, signed in and live."""
    page = context.new_page()
    page.goto(url)
    live(page)
    return page


def live(page: Page) -> None:
    page.locator(".connection.live").wait_for()
