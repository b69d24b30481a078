"""FIX in a browser before a real house, with a counterparty that shares no code with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fix.foreign import Foreign, free_port, order
from fondaco.domain.fix import encode
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
        # Chromium itself tells of the question that could not be read; the page does so in words.
        assert [each for each in found if "422" not in each] == []


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
    asked.wait_for(state="detached")  # the house has heard it: what we answer comes too late
    said = demo.hear("5")
    assert "numbers are to be set" in said[58]
    demo.drop()
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


def test_a_message_is_found_followed_compared_and_seen_byte_for_byte(
    page: Any, running: Running, port: int
) -> None:
    demo = Foreign(port, "DEMO", "FIXT.1.1")
    demo.log_on((1137, "9"), (554, "a secret"))
    demo.send("D", order("m-1", t44="1234.50"))
    demo.report("0", t11="m-1")
    demo.send("D", order("m-2", t55="EUR-XXX"))
    demo.report("8", t11="m-2")

    page.keyboard.press("2")
    ask = page.get_by_role("combobox", name="Search messages")
    lines = page.get_by_role("listbox", name="Messages, newest first").get_by_role("option")
    page.keyboard.press("/")
    ask.press_sequentially("MsgTy")
    page.get_by_role("option", name="MsgType 35").wait_for()
    ask.press("Tab")
    ask.press_sequentially('D AND 11="m-1')
    page.locator(".query .wrong", has_text="character").wait_for()  # a quote that does not end
    ask.press_sequentially('"')
    eventually(page, lambda: lines.count() == 1, "one line answers", browsing.WAIT_MS)
    assert page.locator(".query .wrong").count() == 0
    lines.first.click()
    about = page.get_by_role("complementary", name="Message")
    row = about.get_by_role("row", name="44 Price 1234.50")
    row.hover()
    assert about.locator(".wire .lit").inner_text().startswith("44=1234.50")
    page.keyboard.press("b")
    assert about.locator(".hexes .lit").first.inner_text().strip().startswith("34 34 3d")
    assert serious(page) == []

    page.keyboard.press("f")
    eventually(page, lambda: lines.count() >= 2, "the order's report", browsing.WAIT_MS)
    page.keyboard.press("x")
    lines.filter(has_text="ExecutionReport").first.click()
    about.get_by_role("row", name="35 MsgType D 8").wait_for()
    page.keyboard.press("Escape")
    about.wait_for(state="detached")

    ask.fill("35=A AND direction=in AND session=FIXT*")
    eventually(page, lambda: lines.count() == 1, "the logon", browsing.WAIT_MS)
    lines.first.click()
    about.get_by_role("row", name="554 Password ********").wait_for()
    assert "a secret" not in page.content()
    demo.log_out()


def test_an_alert_shows_its_evidence_and_a_session_its_story_on_a_phone(
    browser: Any, running: Running, port: int
) -> None:
    for _ in range(8):
        stranger = Foreign(port, "WATCHER")
        stranger.number = 7_000_000  # a logon from far ahead, again and again
        stranger.send("A", [(98, "0"), (108, "30"), (554, "guess")])
        stranger.drop()
    with browsing.looking(browser, theme="light", phone=True) as context:
        page = context.new_page()
        found = troubles(page)
        page.goto(f"{running.url}/#/fix/alerts")
        rows = page.get_by_role("table", name="Alerts").locator("tbody tr[data-key]")
        eventually(page, lambda: rows.count() > 0, "something is found", browsing.WAIT_MS)
        rows.first.click()
        about = page.get_by_role("complementary", name="Alert")
        about.locator(".evidence li").first.wait_for()
        assert "guess" not in page.content()
        assert serious(page) == []
        page.goto(f"{running.url}/#/fix/sessions/{quote('FIX.4.4:FONDACO->WATCHER', safe='')}")
        page.locator(".marks li", has_text="alert").first.wait_for()
        assert serious(page) == []
        wide = "document.documentElement.scrollWidth - innerWidth"
        assert page.evaluate(wide) <= 0, "nothing scrolls sideways"
        assert found == []


def numbers(running: Running) -> tuple[int, int]:
    client = running.client()
    try:
        found = client.ask("GET", f"/api/fix/session?session={quote(NAME)}").body
        return found["next_out"], found["next_in"]
    finally:
        client.close()


def test_a_log_is_uploaded_audited_and_searched(page: Any, tmp_path: Path) -> None:
    lines = (
        encode("FIX.4.4", [(35, b"D"), (49, b"A"), (56, b"B"), (34, b"%d" % n), (11, b"up-%d" % n)])
        for n in range(1, 40)
    )
    (tmp_path / "yesterday.log").write_bytes(b"\n".join(lines))
    page.keyboard.press("4")
    page.get_by_role("button", name="Upload…").wait_for()
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Upload…").click()
    chosen.value.set_files(tmp_path / "yesterday.log")
    about = page.get_by_role("complementary", name="Capture")
    about.locator(".reason", has_text="39 messages in 1 session").wait_for()
    assert serious(page) == []
    about.get_by_role("link", name="39 messages").click()
    page.get_by_role("option", name="up-39").wait_for()
    page.get_by_role("button", name="capture 1").wait_for()
