"""Pictures of every screen, of a house that is started for it: `make screens`.

docs/screens/NAME-dark.png, NAME-light.png and NAME-phone.png for each screen in the rail; FIX in
its parts; sign-in, the command palette, the settings, an account that is halted, a house that is
cut off, and the page without a network; books that are STALE and GAPPED; and Trade as other eyes
and settings have it.
`make screens TO=folder` writes them elsewhere, to look at.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from counterparty import a_morning_over_fix, yesterday
from playwright.sync_api import Browser, Page, sync_playwright

from fondaco_client import Client, Problem

ROOT: Final = Path(__file__).resolve().parents[2]
TO: Final = Path(os.environ.get("TO") or ROOT / "docs/screens")
FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
DESK: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
SETTLE_MS: Final = 2_500
FIX_SESSION: Final = "FIX.4.4%3AFONDACO-%3EDEMO"


class House:
    def __init__(self, data: str, feed: str) -> None:
        self.fix_port = _free_port()
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "clients/python/src")])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fondaco", "up", "--demo", "--data", data, "--port", "0",
             "--feed", feed, "--fix-port", str(self.fix_port)],
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


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
    return port


@contextmanager
def house(feed: str = "synthetic") -> Iterator[House]:
    with tempfile.TemporaryDirectory() as data:
        found = House(data, feed)
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
    browser: Browser, theme: Any, *, phone: bool = False, keep: bool = False, **more: Any
) -> Iterator[Page]:
    asked: dict[str, Any] = {
        "viewport": PHONE if phone else DESK, "color_scheme": theme, "has_touch": phone,
        "is_mobile": phone, "service_workers": "allow" if keep else "block",
    }  # fmt: skip
    context = browser.new_context(**asked | more)
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
    print(TO / f"{name}.png")


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
    if address.startswith("#/fix?"):
        return address.replace("#/fix?", f"#/fix/sessions/{FIX_SESSION}?span=900&")
    return address.replace("#/trade?", "#/trade/BTC-USD?")


def fix(browser: Browser, url: str) -> None:
    """Messages with one of them open, and what was found with its evidence."""
    for suffix, theme, phone in (("dark", "dark", False), ("phone", "light", True)):
        with window(browser, theme, phone=phone) as page:
            live(page, f"{url}/#/fix/messages?q=35%3D8%20OR%2035%3DD")
            line = page.locator(".message").nth(4)
            line.wait_for()
            if phone:
                shoot(page, "fix-messages-phone")
            line.click()
            page.locator(".fields tbody tr").first.wait_for()
            if not phone:
                page.get_by_role("row", name="ClOrdID").first.hover()
            shoot(page, "fix-message-phone" if phone else "fix-messages-dark")
            page.goto(f"{url}/#/fix/alerts")
            page.locator("tr[data-key]").first.click()
            page.locator(".evidence li").first.wait_for()
            shoot(page, f"fix-alerts-{suffix}")
            if not phone:
                page.goto(f"{url}/#/fix/captures")
                page.set_input_files("input[type=file]", yesterday())
                page.locator("aside .reason").wait_for()
                shoot(page, "fix-captures-dark")


def eyes(browser: Browser, url: str) -> None:
    """Trade as it is seen by colour-blind eyes, with colours of the system's own, and enlarged."""
    address = f"{url}/#/trade/BTC-USD?tab=positions"
    with window(browser, "dark") as page:
        live(page, address)
        session = page.context.new_cdp_session(page)
        for kind in ("deuteranopia", "protanopia", "achromatopsia"):
            session.send("Emulation.setEmulatedVisionDeficiency", {"type": kind})
            shoot(page, f"trade-{kind}")
    with window(browser, "dark", forced_colors="active") as page:
        live(page, address)
        shoot(page, "trade-forced-colors")
    half = {name: length // 2 for name, length in DESK.items()}
    with window(browser, "light", viewport=half, device_scale_factor=2) as page:
        live(page, address)
        shoot(page, "trade-zoomed")
        page.goto(f"{url}/#/order/demo.1")
        shoot(page, "order-zoomed")


def a_recording(folder: Path) -> str:
    """Three markets: one goes on, of one a message is missing, and one says nothing any more."""
    began = 1_700_000_000_000_000_000
    for name, mid, gap, ends in (
        ("BTCUSDT", 61_000, 0, 9_999), ("ETHUSDT", 2_600, 60, 9_999), ("SOLUSDT", 140, 0, 60),
    ):  # fmt: skip
        levels = {
            side: [[f"{mid + sign * nth / 10:.2f}", f"{1 + nth % 7}.5"] for nth in range(1, 40)]
            for side, sign in (("bids", -1), ("asks", 1))
        }
        lines = [(began, {"lastUpdateId": 100, **levels})]
        for nth in range(1, min(ends, 3_000)):
            first = 100 + nth + (7 if gap and nth >= gap else 0)
            at, away = began + nth * 100_000_000, 1 + nth % 9
            data = {
                "e": "depthUpdate", "E": at // 1_000_000, "s": name, "U": first, "u": first,
                "b": [[f"{mid - away / 10:.2f}", f"{1 + nth % 11}.25"]],
                "a": [[f"{mid + away / 10:.2f}", f"{1 + nth % 5}.75"]],
            }  # fmt: skip
            stream = name.lower()
            lines.append((at, {"stream": f"{stream}@depth@100ms", "data": data}))
            trade = {
                "e": "trade", "E": at // 1_000_000, "s": name, "t": nth, "T": at // 1_000_000,
                "p": f"{mid + (nth % 3 - 1) / 10:.2f}", "q": "0.05", "m": nth % 2 == 0, "M": True,
            }  # fmt: skip
            lines.append((at, {"stream": f"{stream}@trade", "data": trade}))
        text = "".join(f"{at} {json.dumps(each, separators=(',', ':'))}\n" for at, each in lines)
        (folder / f"{name}.jsonl").write_text(text)
    return f"replay:{folder}"


def troubled(browser: Browser) -> None:
    """Books that are not well, each on its own screen and beside those that are."""
    with tempfile.TemporaryDirectory() as folder, house(a_recording(Path(folder))) as running:
        time.sleep(12)  # both troubles have come by then
        for suffix, theme, phone in (("dark", "dark", False), ("phone", "light", True)):
            with window(browser, theme, phone=phone) as page:
                live(page, f"{running.url}/#/trade/SOL-USDT")
                shoot(page, f"stale-{suffix}")
                page.goto(f"{running.url}/#/trade/ETH-USDT")
                shoot(page, f"gapped-{suffix}")


def states(browser: Browser, running: House) -> None:
    with window(browser, "dark") as page:
        live(page, running.url)
        page.keyboard.press("Control+k")
        page.keyboard.type("settings")
        page.keyboard.press("Enter")
        page.get_by_text("My own", exact=True).click()
        shoot(page, "settings-dark")
        with page.expect_response("**/api/preferences/settings"):
            page.get_by_text("Teal, vermilion", exact=True).click()
    with window(browser, "light") as page:
        with Client(running.url, "demo") as client:
            client.risk.stop(account_id="demo", reason="a robot that repeats itself")
        live(page, f"{running.url}/#/trade/BTC-USD")
        shoot(page, "halted-light")
        with Client(running.url, "demo") as client:  # the house ends connections that are idle
            client.trading.set_account_state(account_id="demo", state="active", reason="mended")
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
        others = a_morning_over_fix(running.fix_port)
        screens(browser, running.url)
        fix(browser, running.url)
        for each in others:
            each.socket.close()
        eyes(browser, running.url)
        states(browser, running)
        troubled(browser)
        browser.close()


if __name__ == "__main__":
    main()
