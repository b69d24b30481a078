"""`make soak` for the page: hours of prices, orders and screens leave no more behind than minutes.

A market at speed, an order placed and canceled now and then, and a person who walks through the
screens. What the page holds is read after the collector has run, by the browser's own count.

FONDACO_SOAK_PAGE_MIN=30 is the length that is promised; unset, a soak looks for three minutes.
"""

import os
import time
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import pytest

import running
from web import browsing
from web.chromium import troubles

RECORDED: Final = Path(__file__).resolve().parents[3] / "shared/data/market/crypto"
MINUTES: Final = float(os.environ.get("FONDACO_SOAK_PAGE_MIN", "3"))
WARM_S: Final = min(60.0, MINUTES * 20)  # until caches, bars and tapes are as full as they get
EVERY_S: Final = 5.0
HEAP_GROWTH: Final = 1.25  # of the least that was held after the warm-up
SLACK_BYTES: Final = 3_000_000
NODES_GROWTH: Final = 1.5

pytestmark = pytest.mark.timeout(MINUTES * 60 + 300)


def feed() -> str:
    """The recording at twenty times its speed, where it is at hand; else a seeded market."""
    found = RECORDED / "binance_spot_20240808"
    return f"replay:{found},speed=20" if found.is_dir() else "synthetic,rate=200"


def held(session: Any) -> tuple[int, int]:
    """Bytes of the page's heap and nodes of its document, once the collector has run."""
    session.send("HeapProfiler.collectGarbage")
    found = {
        each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]
    }
    return int(found["JSHeapUsedSize"]), int(found["Nodes"])


def ask(house: running.Running, method: str, path: str, body: Any = None) -> Any:
    """By a connection of its own: the house ends those that are idle."""
    client = house.client()
    try:
        return client.ask(method, path, body).body
    finally:
        client.close()


def test_a_page_that_is_looked_at_for_long_holds_no_more(browser: Any, tmp_path: Path) -> None:
    with (
        running.house(tmp_path, options=("--feed", feed())) as house,
        browsing.looking(browser) as context,
    ):
        page = browsing.opened(context, house.url)
        faults = troubles(page)
        session = context.new_cdp_session(page)
        session.send("Performance.enable")
        symbol = ask(house, "GET", "/api/instruments")["items"][0]["symbol"]
        began, seen = time.monotonic(), []
        trade = f"#/trade/{symbol}"
        screens = cycle([trade, "#/journal", "#/house", f"{trade}?tab=fills"])
        while (passed := time.monotonic() - began) < MINUTES * 60:
            page.evaluate("address => { location.hash = address }", next(screens))
            order = running.order(f"s{passed:.3f}", symbol=symbol, price="1.00")
            if "order_id" in (placed := ask(house, "POST", "/api/orders", order)):
                ask(house, "DELETE", f"/api/orders/{placed['order_id']}")
            page.wait_for_timeout(EVERY_S * 1_000)
            if passed > WARM_S:
                seen.append(held(session))
        assert page.locator(".connection.live").count() == 1
    third = max(len(seen) // 3, 1)
    for what, growth, slack, nth in (
        ("bytes", HEAP_GROWTH, SLACK_BYTES, 0), ("nodes", NODES_GROWTH, 500, 1),
    ):  # fmt: skip
        first, last = (min(each[nth] for each in part) for part in (seen[:third], seen[-third:]))
        print(f"{what}: {first:,} held at first, {last:,} at last")  # noqa: T201
        assert last <= first * growth + slack, f"{what} grow: {[each[nth] for each in seen]}"
    assert faults == []
