"""House in a browser before a real house: what it says, its switch, limits tried before set."""

from collections.abc import Iterator
from typing import Any

import pytest

from running import Running, house, order
from web import browsing
from web.chromium import eventually, serious, troubles


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with house(tmp_path_factory.mktemp("house"), options=browsing.CALM) as found:
        client = found.client()
        for nth in range(3):
            assert client.ask("POST", "/api/orders", order(f"h{nth}")).status == 201
        assert client.ask("POST", "/api/orders", order("no", order_qty="999999")).status == 409
        client.close()
        yield found


@pytest.fixture(scope="module")
def context(browser: Any) -> Iterator[Any]:
    with browsing.looking(browser) as found:
        yield found


@pytest.fixture
def page(context: Any, running: Running) -> Iterator[Any]:
    page = context.new_page()
    found = troubles(page)
    page.goto(f"{running.url}/#/house")
    page.locator(".house-screen h1").wait_for()
    yield page
    page.close()
    assert found == []


def answer(running: Running, method: str, path: str, body: Any = None) -> Any:
    client = running.client()
    try:
        reply = client.ask(method, path, body)
        assert reply.status in (200, 201), reply.body
        return reply.body
    finally:
        client.close()


def test_it_says_in_one_sentence_how_it_is_and_verifies_when_asked(
    page: Any, running: Running
) -> None:
    said = page.locator(".house-screen h1").inner_text()
    assert said.startswith("Serving. 4 books OK.") or "not OK" in said
    assert page.get_by_role("table", name="Feeds").locator("tbody tr").count() == 4
    page.get_by_role("button", name="Verify now").click()
    kept = "/api/journal/verify"
    eventually(page, lambda: answer(running, "GET", kept)["last"] is not None, "verified", 60_000)
    page.get_by_text("Roots that fit").wait_for()
    assert "FAILED" not in page.locator(".house-screen h1").inner_text()
    assert serious(page) == []


def test_a_stop_says_its_numbers_wants_a_reason_and_takes_two_clicks_that_lie_apart(
    page: Any, running: Running
) -> None:
    stop = page.get_by_role("region", name="Stop trading")
    stop.get_by_text("cancels 3 orders in 1 account").wait_for()
    first = stop.get_by_role("button", name="Stop account demo…")
    assert first.is_disabled()
    stop.get_by_label("Reason, kept in the journal").fill("a drill")
    first.click()
    second = stop.get_by_role("button", name="Stop account demo now")
    one, two = first.bounding_box(), second.bounding_box()
    apart = abs(one["y"] - two["y"])
    assert apart > one["height"], "one slip of the hand must not be enough"
    assert answer(running, "GET", "/api/risk/kill/preview?account_id=demo")["stopped"] is False
    second.click()
    stop.get_by_text("Account demo is stopped").wait_for()
    stop.get_by_text("Confirmed 3").wait_for()
    stop.get_by_text("Not confirmed 0").wait_for()
    client = running.client()
    assert client.ask("POST", "/api/orders", order("late")).body["code"] == "trading_halted"
    client.close()
    page.reload()  # it stays until somebody closes it
    stop.get_by_text("New orders blocked, 1 refused since").wait_for()
    stop.get_by_role("button", name="Lift it…").click()
    stop.get_by_label("Why it may trade again, kept in the journal").fill("over")
    stop.get_by_role("button", name="Accept new orders again").click()
    stop.get_by_text("Lifted at").wait_for()
    stop.get_by_role("button", name="Close this list").click()
    stop.get_by_text("cancels nothing").wait_for()
    assert answer(running, "POST", "/api/orders", order("again"))["ord_status"] == "new"


def test_limits_are_tried_against_what_is_used_before_they_are_set(
    page: Any, running: Running
) -> None:
    page.keyboard.press("l")
    limits = page.get_by_role("region", name="Limits")
    limits.get_by_label("Whose").select_option("demo")
    limits.get_by_text("follows the house").wait_for()
    field = limits.get_by_label("New Position, BTC-USD")
    field.fill("1")
    limits.get_by_text("would be over").wait_for()
    assert answer(running, "GET", "/api/risk/limits?account_id=demo")["own"] is False
    field.fill("20000.5")
    limits.get_by_text("Nothing in use is above it").wait_for()
    limits.get_by_label("Reason, kept in the journal").fill("agreed today")
    limits.get_by_role("button", name="Set limits of demo").click()
    limits.get_by_text("has limits of its own").wait_for()
    found = answer(running, "GET", "/api/risk/limits?account_id=demo")
    assert found["limits"]["position_max"] == {"BTC-USD": "20000.5"}
    house_wide = answer(running, "POST", "/api/risk/limits/preview", {"limits": None})["now"]
    assert {**found["limits"], "position_max": {}} == {"position_max": {}, **house_wide}
    assert serious(page) == []


def test_a_phone_shows_it_without_scrolling_sideways(browser: Any, running: Running) -> None:
    with browsing.looking(browser, theme="light", phone=True) as context:
        page = context.new_page()
        page.goto(f"{running.url}/#/house")
        page.locator(".house-screen h1").wait_for()
        page.get_by_role("region", name="Stop trading").wait_for()
        wide = page.evaluate("document.querySelector('#screen').scrollWidth")
        assert wide <= browsing.PHONE["width"]
