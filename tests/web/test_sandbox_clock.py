"""In a sandbox the page says whose time it is: where it stands, and not that a clock is wrong."""

from pathlib import Path

from playwright.sync_api import Browser, expect

import running
from web import browsing
from web.chromium import troubles

LATE_MS = 30_000


def test_the_head_of_every_page_says_a_sandbox_s_time_and_that_it_is_one(
    browser: Browser, tmp_path: Path
) -> None:
    with running.house(tmp_path, options=("--sandbox",)) as found:
        client = found.client()
        client.ask("POST", "/api/test-clock/advance", {"to": "2031-05-06T07:08:09Z"})
        with browsing.looking(browser) as context:
            page = context.new_page()
            faults = troubles(page)
            page.goto(found.url)
            browsing.live(page)
            clock = page.locator(".header .clock")
            expect(clock).to_contain_text("sandbox time", timeout=LATE_MS)
            expect(clock).to_contain_text("2031-05-06 07:08:09", timeout=LATE_MS)
            assert page.locator(".connection .chip.warn").count() == 0
            client.ask("POST", "/api/test-clock/advance", {"by": "1d"})
            expect(clock).to_contain_text("2031-05-07 07:08:09", timeout=LATE_MS)
            assert faults == []


def test_a_house_whose_time_is_everybody_s_shows_the_time_and_no_sandbox(
    browser: Browser, tmp_path: Path
) -> None:
    with (
        running.house(tmp_path, options=browsing.CALM) as found,
        browsing.looking(browser) as context,
    ):
        page = context.new_page()
        page.goto(found.url)
        browsing.live(page)
        browsing.settled(page)
        clock = page.locator(".header .clock")
        before = clock.inner_text()
        assert "sandbox" not in before
        expect(clock).not_to_have_text(before, timeout=LATE_MS)  # it goes
