"""Pictures of every screen, of a house that is started for it: `make screens`.

docs/screens/NAME-dark.png, NAME-light.png and NAME-phone.png for each screen in the rail, and for
sign-in, the command palette, a house that is cut off, and the page without a network.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

from fondaco_client import Client, Problem

ROOT: Final = Path(__file__).resolve().parents[2]
TO: Final = ROOT / "docs/screens"
FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
DESK: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
SETTLE_MS: Final = 2_500


class House:
    def __init__(self, data: str) -> None:
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "clients/python/src")])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fondaco", "up", "--demo", "--data", data, "--port", "0",
             "--feed", "synthetic"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        assert self.process.stdout  # noqa: S101
        for line in self.process.stdout:
            if line.startswith("ready "):
                self.url = line.split()[1].rstrip("/")
                return
        raise SystemExit(f"the house ended with {self.process.wait()}")

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()


@contextmanager
def house() -> Iterator[House]:
    with tempfile.TemporaryDirectory() as data:
        found = House(data)
        try:
            yield found
        finally:
            found.stop()


def a_morning(url: str) -> None:
    """Fills, working orders, a cancel and a refusal, so that there is something to look at."""
    terms: list[dict[str, Any]] = [
        {"side": "buy", "ord_type": "market", "order_qty": "0.75", "time_in_force": "ioc"},
        {"side": "sell", "ord_type": "market", "order_qty": "0.2", "time_in_force": "ioc"},
        {"side": "buy", "ord_type": "limit", "order_qty": "0.5", "price": "49900.00"},
        {"side": "buy", "ord_type": "limit", "order_qty": "0.25", "price": "50004.00"},
        {"side": "sell", "ord_type": "limit", "order_qty": "0.4", "price": "50020.00"},
        {"side": "buy", "ord_type": "limit", "order_qty": "1", "price": "49000.00"},
        {"side": "buy", "ord_type": "limit", "order_qty": "9000", "price": "50000.00"},
    ]
    with Client(url, "demo") as client:
        placed = []
        for nth, each in enumerate(terms):
            try:
                placed.append(
                    client.trading.place_order(
                        account_id="demo", cl_ord_id=f"morning-{nth}", symbol="BTC-USD", **each
                    )
                )
            except Problem as refused:
                print(f"refused, as is to be shown: {refused.code}")
        client.trading.cancel_order(order_id=placed[-1]["order_id"])


@contextmanager
def window(
    browser: Browser, theme: Any, *, phone: bool = False, keep: bool = False
) -> Iterator[Page]:
    context = browser.new_context(
        viewport=PHONE if phone else DESK,  # type: ignore[arg-type]
        color_scheme=theme, has_touch=phone, is_mobile=phone,
        service_workers="allow" if keep else "block",
    )  # fmt: skip
    yield context.new_page()
    context.close()


def live(page: Page, url: str) -> list[str]:
    """The addresses of the rail."""
    page.goto(url)
    page.locator(".connection.live").wait_for()
    found: list[str] = page.locator(".rail a").evaluate_all("links => links.map(l => l.hash)")
    return found


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=TO / f"{name}.png")
    print(f"docs/screens/{name}.png")


def screens(browser: Browser, url: str) -> None:
    for suffix, theme, phone in (
        ("dark", "dark", False),
        ("light", "light", False),
        ("phone", "light", True),
    ):
        with window(browser, theme, phone=phone) as page:
            for address in live(page, url):
                page.evaluate("address => { location.hash = address }", _shown(address))
                shoot(page, f"{address.removeprefix('#/').split('?')[0]}-{suffix}")


def _shown(address: str) -> str:
    """Where a screen without a choice would be empty."""
    if address.startswith("#/order?"):
        return address.replace("#/order?", "#/order/demo.1?")
    return address.replace("#/trade?", "#/trade/BTC-USD?")


def states(browser: Browser, running: House) -> None:
    with window(browser, "dark") as page:
        live(page, running.url)
        page.keyboard.press("Control+k")
        page.keyboard.type("or")
        shoot(page, "palette-dark")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="More").click()
        page.get_by_role("button", name="Sign out").click()
        shoot(page, "sign-in-dark")
    with window(browser, "dark", keep=True) as kept, window(browser, "dark") as cut:
        live(kept, running.url)
        live(cut, running.url)
        time.sleep(8)  # the last state is kept every few seconds
        running.stop()
        cut.locator(".line.cut").wait_for()
        shoot(cut, "cut-off-dark")
        kept.reload()
        shoot(kept, "offline-dark")


def main() -> None:
    TO.mkdir(parents=True, exist_ok=True)
    with house() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        time.sleep(3)
        a_morning(running.url)
        screens(browser, running.url)
        states(browser, running)
        browser.close()


if __name__ == "__main__":
    main()
