"""FIX in a browser before a real house, with a counterparty that shares no code with it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from fix.foreign import Foreign, free_port, order
from running import Running, house
from web import browsing
from web.chromium import eventually, serious, troubles

NAME = "FIX.4.4:FONDACO->DEMO"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Running]:
    options = (*browsing.CALM, "--fix-port", str(port))
    with house(tmp_path_factory.mktemp("fix"), options=options) as found:
        yield found


@pytest.fixture
def page(browser: Any, running: Running) -> Iterator[Any]:
    with browsing.looking(browser) as context:
        page = context.new_page()
        found = troubles(page)
        page.goto(f"{running.url}/#/fix")
        page.locator(".fix h1").wait_for()
        yield page
        assert found == []


def test_a_gap_is_told_a_session_stopped_renumbered_and_started_again(
    page: Any, running: Running, port: int
) -> None:
    demo = Foreign(port, "DEMO")
    demo.log_on()
    demo.number += 4  # these are lost on the way, and nobody answers the question for them yet
    demo.send("D", order("beyond"))
    page.locator(".fix h1", has_text="1 of 4 sessions is up.").wait_for()
    page.locator(".troubles", has_text="2 to 5 asked for again, 1 waiting behind it").wait_for()

    page.get_by_role("row", name="up DEMO calls us as FONDACO, FIX.4.4").click()
    assert f"/fix/sessions/{quote(NAME, safe='')}" in page.evaluate("location.hash")
    about = page.get_by_role("complementary", name="Session")
    about.get_by_text("Gap.").wait_for()
    assert about.get_by_role("button", name="Set numbers…").is_disabled()

    page.keyboard.press("o")
    asked = page.get_by_role("dialog", name="Stop DEMO")
    assert asked.get_by_role("button", name="Stop DEMO", exact=True).is_disabled()
    asked.get_by_label("Reason, kept in the journal").fill("numbers are to be set")
    asked.get_by_role("button", name="Stop DEMO", exact=True).click()
    said = demo.hear("5")
    assert "numbers are to be set" in said[58]
    about.get_by_text("stopped", exact=False).first.wait_for()

    about.get_by_role("button", name="Set numbers…").click()
    asked = page.get_by_role("dialog", name="Sequence numbers of DEMO")
    asked.get_by_label("Next out").fill("900")
    asked.get_by_label("Next in").fill("20")
    asked.get_by_text("7 to 19 of DEMO are given up: we never ask for them").wait_for()
    assert serious(page) == []
    asked.get_by_label("Reason, kept in the journal").fill("agreed by telephone")
    asked.get_by_role("button", name="Set 900 out, 20 in").click()
    asked.wait_for(state="detached")
    eventually(page, lambda: numbers(running) == (900, 20), "the numbers are set")

    page.keyboard.press("o")
    asked = page.get_by_role("dialog", name="Start DEMO")
    asked.get_by_label("Reason, kept in the journal").fill("agreed by telephone")
    asked.get_by_role("button", name="Let DEMO log on").click()
    asked.wait_for(state="detached")
    again = Foreign(port, "DEMO", number=20)
    assert again.log_on()[34] == "900"
    page.locator(".session .now", has_text="up").wait_for()
    again.drop()


def numbers(running: Running) -> tuple[int, int]:
    client = running.client()
    try:
        found = client.ask("GET", f"/api/fix/session?session={quote(NAME)}").body
        return found["next_out"], found["next_in"]
    finally:
        client.close()
