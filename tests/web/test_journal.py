"""Journal and order story in a browser before a real house: the tail, the past, one life."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from running import Running, house, order
from web import browsing
from web.chromium import eventually, serious, troubles


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with house(tmp_path_factory.mktemp("journal"), options=browsing.CALM) as found:
        at_market = order("taken", ord_type="market", time_in_force="ioc")
        del at_market["price"]
        place(found, at_market, *(order(f"j{nth}") for nth in range(40)))
        yield found


def place(running: Running, *orders: dict[str, str]) -> list[Any]:
    client = running.client()
    told = [client.ask("POST", "/api/orders", each).body for each in orders]
    client.close()
    return told


@pytest.fixture(scope="module")
def context(browser: Any) -> Iterator[Any]:
    with browsing.looking(browser, theme="light") as found:
        yield found


@pytest.fixture
def page(context: Any) -> Iterator[Any]:
    page = context.new_page()
    found = troubles(page)
    yield page
    page.close()
    assert found == []


def rows(page: Any) -> Any:
    return page.locator(".entry")


def test_the_tail_is_live_pauses_above_its_end_and_loses_nothing(
    page: Any, running: Running
) -> None:
    page.goto(f"{running.url}/#/journal")
    rows(page).first.wait_for()
    place(running, order("live"))
    page.locator(".entry", has_text="live").first.wait_for()
    tail = page.locator(".rows")
    tail.evaluate("box => { box.scrollTop = 0; }")
    page.get_by_role("button", name="Follow ↓").wait_for()
    before = tail.evaluate("box => box.scrollTop")
    place(running, order("later1"), order("later2"))
    page.get_by_role("button", name="new ↓").wait_for()
    assert tail.evaluate("box => box.scrollTop") == before, "what is read does not move"
    page.get_by_role("button", name="new ↓").click()
    for name in ("later1", "later2"):
        page.locator(".entry", has_text=name).first.wait_for()


def test_a_search_finds_what_followed_from_one_request(page: Any, running: Running) -> None:
    page.goto(f"{running.url}/#/journal")
    page.get_by_label("Search").fill("kind:trading.order_filled")
    page.locator(".entry", has_text="order filled").click()
    eventually(page, lambda: rows(page).count() == 1, "only fills")
    page.get_by_title("All that followed from it").click()
    page.locator(".entry", has_text="order executed").wait_for()
    kinds = [each.split("\n")[-3] for each in rows(page).all_inner_texts()]
    assert any("order accepted" in each for each in kinds)
    page.get_by_role("button", name="Prove that it is in the journal").click()
    page.locator(".proof .hash").wait_for()
    assert len(page.locator(".proof .hash").inner_text()) == 64
    assert serious(page) == []


def test_the_past_is_marked_shows_what_was_true_and_turns_every_command_off(
    page: Any, running: Running
) -> None:
    client = running.client()
    items = client.get("/api/journal?kind=trading.order_accepted&limit=1000")["items"]
    client.close()
    early, late = items[4]["position"], items[20]["position"]
    page.goto(f"{running.url}/#/journal?at={early}")
    page.get_by_text(f"position {early}, known at now. Reading only.").wait_for()
    page.get_by_role("heading", name=f"demo as of position {early}").wait_for()
    page.get_by_text("Working orders, 4 of 5 ever").wait_for()  # one was taken at once
    page.keyboard.press("d")
    page.get_by_text("Marked. Move the slider to compare.").wait_for()
    page.get_by_label("Go to a position, a time or an order").fill(str(late))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"demo as of position {late}").wait_for()
    page.locator("section[aria-label=Difference] tr", has_text="USD held").wait_for()
    working = items[20]["event"]["order"]["number"]
    page.goto(f"{running.url}/#/order/demo.{working}?at={late}")
    assert page.get_by_role("button", name="Cancel order").is_disabled()
    page.get_by_role("button", name="Now").click()
    eventually(page, page.get_by_role("button", name="Cancel order").is_enabled, "back to now")


def test_the_slider_is_moved_by_hand_and_by_key(page: Any, running: Running) -> None:
    page.goto(f"{running.url}/#/journal")
    track = page.get_by_role("slider")
    page.locator(".ticks span").first.wait_for(state="attached")
    browsing.settled(page)
    width = track.bounding_box()["width"]
    track.hover(position={"x": width * 0.5, "y": 20})  # once it lies still where it is
    page.mouse.down()
    track.hover(position={"x": width * 0.45, "y": 20})
    page.wait_for_timeout(400)  # a hand that rests on its way is shown what is there, and goes on
    track.hover(position={"x": width * 0.4, "y": 20})
    page.locator(".track output").wait_for()
    page.mouse.up()
    page.locator(".line.past").wait_for()
    here = re.compile(r"[?&]at=(\d+)")  # a hand that rests on its way has been elsewhere before
    eventually(
        page,
        lambda: here.search(page.url)[1] == track.get_attribute("aria-valuenow"),  # type: ignore[index]
        "what is shown is what is looked at",
    )
    page.wait_for_timeout(200)  # a slider that was let go tells a place that it passed no more
    at = int(track.get_attribute("aria-valuenow"))
    page.keyboard.press("ArrowRight")
    eventually(page, lambda: track.get_attribute("aria-valuenow") == str(at + 1), "one on")
    page.keyboard.press("n")
    page.locator(".line.past").wait_for(state="detached")


def test_an_order_tells_its_life_with_rules_postings_and_how_long_each_took(
    page: Any, running: Running
) -> None:
    page.goto(f"{running.url}/#/order/taken")
    page.get_by_role("heading", name="Buy 0.001 BTC-USD market IOC · demo").wait_for()
    steps = page.locator(".timeline h2").all_inner_texts()
    titles = [each.split(" @")[0].strip() for each in steps]
    assert titles == ["Asked by a client", "Accepted", "Executed at the venue", "Fill booked"]
    rule = page.locator("table.checks tr", has_text="Buying power")
    page.get_by_role("button", name="further rules").click()
    rule.wait_for()
    assert page.locator(".postings tr", has_text="house/fees").count() == 1
    page.keyboard.press("ArrowLeft")  # from where the rules were opened, to what was asked
    page.keyboard.press("o")
    assert '"cl_ord_id": "taken"' in page.locator("pre.raw").inner_text()
    assert serious(page) == []


def test_a_refusal_is_drawn_as_large_as_what_went_well(page: Any, running: Running) -> None:
    place(running, order("huge", order_qty="999999"))
    page.goto(f"{running.url}/#/order/huge")
    page.locator(".step.bad h2", has_text="Refused").wait_for()
    page.get_by_text("exceeds_order_notional").first.wait_for()


def test_a_working_order_grows_at_its_end_and_is_canceled_from_its_story(
    page: Any, running: Running
) -> None:
    [told] = place(running, order("grows"))
    page.goto(f"{running.url}/#/order/{told['order_id']}")
    page.get_by_role("heading", name="Still open").wait_for()
    page.get_by_role("button", name="Cancel order").click()
    page.locator(".timeline h2", has_text="Canceled").wait_for()
    assert page.get_by_role("button", name="Cancel order").count() == 0


def test_who_leaves_the_journal_asks_no_more(page: Any, running: Running) -> None:
    """A render that the browser throws away leaves nobody behind who holds entries, and asks."""
    under_way: set[Any] = set()
    page.on("request", lambda asked: under_way.add(asked) if "wait_ms" in asked.url else None)
    for ended in ("requestfinished", "requestfailed"):
        page.on(ended, lambda asked: under_way.discard(asked))
    page.goto(running.url)
    browsing.live(page)
    for _ in range(4):
        for screen in ("#/journal", "#/house"):
            page.evaluate("address => { location.hash = address }", screen)
            page.wait_for_timeout(700)
    eventually(page, lambda: not under_way, "nobody asks the journal", within_ms=5_000)
