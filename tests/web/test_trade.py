"""The Trade screen in a browser before a real house: an order's whole life by hand and by key."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from running import Client, Running, house
from web import browsing
from web.chromium import eventually, serious, troubles

LOST = "net::ERR_FAILED"  # what a test has cut itself
WORKING = "pending_new,new,partially_filled,pending_replace"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with house(tmp_path_factory.mktemp("trade"), options=browsing.CALM) as found:
        yield found


class Asking:
    """A connection for each question: pages take longer than the house keeps an idle one."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def get(self, path: str) -> Any:
        return self._once(lambda client: client.get(path))

    def all(self, path: str) -> list[Any]:
        found: list[Any] = self._once(lambda client: client.all(path))
        return found

    def put(self, path: str, body: Any) -> None:
        reply = self._once(lambda client: client.ask("PUT", path, body))
        assert reply.status == 200, reply

    def cancel_all(self) -> None:
        self._once(lambda client: client.ask("DELETE", "/api/orders?account_id=demo"))

    def _once(self, ask: Callable[[Client], Any]) -> Any:
        client = self._running.client()
        try:
            return ask(client)
        finally:
            client.close()


@pytest.fixture(scope="module")
def client(running: Running) -> Asking:
    return Asking(running)


@pytest.fixture(scope="module")
def desk(browser: Any, running: Running) -> Iterator[Any]:
    """One page for all tests at a desk."""
    with browsing.looking(browser) as context:
        page = context.new_page()
        found = troubles(page)
        page.goto(f"{running.url}/#/trade/BTC-USD")
        page.locator(".ladder tr[data-touch=bid]").wait_for()
        page.locator(".chart .intervals").wait_for()
        yield page
    assert [each for each in found if LOST not in each] == []


@pytest.fixture
def page(desk: Any, client: Asking) -> Any:
    """Without working orders, and with an empty ticket."""
    client.cancel_all()
    desk.keyboard.press("Escape")
    desk.get_by_role("tab", name="Orders").click()
    desk.locator("table.orders tbody tr:not(.gone)").first.wait_for(state="detached")
    choose(desk, "Limit")
    choose(desk, "Buy")
    desk.get_by_label("Quantity", exact=True).fill("")
    return desk


def choose(page: Any, name: str) -> None:
    page.locator(".ticket label", has_text=re.compile(f"^{name}")).first.click()


def fill(page: Any, qty: str, price: str | None = None) -> None:
    page.get_by_label("Quantity", exact=True).fill(qty)
    if price is not None:
        page.get_by_label("Limit price", exact=True).fill(price)


def send(page: Any) -> None:
    """By the button, once the house has said that it passes; and yes, where it is asked."""
    page.locator(".send:enabled").click()
    confirmed(page)


def confirmed(page: Any) -> None:
    page.wait_for_timeout(50)
    if page.locator("dialog[open]").count():
        page.keyboard.press("Enter")


def working(client: Asking) -> list[Any]:
    return client.all(f"/api/orders?account_id=demo&ord_status={WORKING}")


def below(client: Asking, less: str = "500") -> str:
    """A price that rests far below the market."""
    mid = client.get("/api/market-data/prices/BTC-USD")["mid"]["price"]
    return str(Decimal(mid).quantize(Decimal(1)) - Decimal(less))


def test_a_market_order_reads_back_is_confirmed_and_its_fill_is_shown(
    page: Any, client: Asking
) -> None:
    choose(page, "Market")
    fill(page, "0.1")
    page.locator(".verdict.passes:not(.asking)").wait_for()
    assert re.search(r"Notional\s*[\d,]+\.\d\d USD", page.locator(".cost").inner_text())
    page.locator(".send:enabled").click()
    dialog = page.locator("dialog[open]")
    assert "Buy 0.10000 BTC-USD market IOC · demo" in dialog.inner_text()
    assert "market order" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert page.get_by_label("Quantity", exact=True).input_value() == "0.1"
    assert client.get("/api/executions?account_id=demo")["items"] == []
    page.locator(".send:enabled").click()
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Fills").click()
    row = page.locator("table[aria-label=Fills] tbody tr").first
    row.wait_for()
    [filled] = client.get("/api/executions?account_id=demo")["items"]
    assert filled["order_id"] in row.inner_text()
    page.get_by_role("tab", name="Positions").click()
    position = page.locator("table.positions tbody tr", has_text="BTC-USD")
    position.locator(".loss, .gain").first.wait_for()  # a spread and a fee were paid, or it moved
    assert "10,000.10000" in position.inner_text()


def test_an_order_is_dragged_to_a_new_price_and_esc_drops_the_wish(
    page: Any, client: Asking
) -> None:
    fill(page, "0.5", below(client))
    send(page)
    grip = page.locator(".order-line .grip")
    grip.wait_for()
    [before] = working(client)
    box = grip.bounding_box()
    x, y = box["x"] + 20, box["y"] + 10
    for is_meant in (False, True):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y - 20, steps=3)
        page.mouse.move(x, y - 30, steps=3)
        ghost = page.locator(".order-line.ghost .tag")
        assert "rests" in ghost.inner_text()
        ghost.locator(".judged-by", has_text="passes").wait_for()  # the house was asked
        assert page.locator(".order-line:not(.ghost) .grip").count() == 1  # the fact stays solid
        if not is_meant:
            page.keyboard.press("Escape")
            ghost.wait_for(state="detached")
        page.mouse.up()
    old = before["price"]
    eventually(page, lambda: [each["price"] for each in working(client)] != [old], "replaced")
    [after] = working(client)
    assert after["order_id"] == before["order_id"]
    shown = f"{Decimal(after['price']):,.2f}"
    page.locator("table.orders tbody tr", has_text=shown).wait_for()
    page.locator(".order-line .grip", has_text=shown).wait_for()
    assert page.locator(".order-line.ghost").count() == 0


def test_what_would_be_refused_is_said_before_it_is_let_go(page: Any, client: Asking) -> None:
    fill(page, "195", below(client, "900"))
    send(page)
    grip = page.locator(".order-line .grip")
    grip.wait_for()
    grip.focus()
    limits = {"limits": {"order_notional_max": "9000000"}, "reason": "a drill"}
    client.put("/api/accounts/demo/limits", limits)
    for _ in range(3):
        page.keyboard.press("Shift+ArrowUp")
    said = page.locator(".order-line.ghost .judged-by[data-refused]")
    said.wait_for()
    assert "would be refused: Order notional, over by" in said.inner_text()
    page.keyboard.press("Escape")
    client.put("/api/accounts/demo/limits", {"limits": None, "reason": "over"})


def test_a_halt_says_since_when_by_whom_and_why(page: Any, client: Asking) -> None:
    client.put("/api/accounts/demo/trading-state", {"state": "halted", "reason": "a wild robot"})
    band = page.locator(".band.halted")
    band.get_by_text("by demo: a wild robot").wait_for()
    assert re.search(r"Since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", band.inner_text())
    assert page.locator(".send").is_disabled()
    client.put("/api/accounts/demo/trading-state", {"state": "active", "reason": "mended"})
    band.wait_for(state="detached")


def test_columns_are_moved_widened_and_put_away_and_stay_so(page: Any, client: Asking) -> None:
    def order() -> list[str]:
        found: list[str] = page.locator(".trade > [data-column]").evaluate_all(
            "all => all.map(each => each.dataset.column)"
        )
        return found

    usual = ["watchlist", "middle", "ladder", "ticket"]
    eventually(page, lambda: order() == usual, "the kept layout was read")
    ticket, watch = (page.locator(f"[data-column={name}]") for name in ("ticket", "watchlist"))
    grip, target = ticket.locator("header h2").bounding_box(), watch.bounding_box()
    page.mouse.move(grip["x"] + 5, grip["y"] + 5)
    page.mouse.down()
    page.mouse.move(target["x"] + 20, target["y"] + 20, steps=4)
    page.mouse.up()
    moved = ["ticket", "watchlist", "middle", "ladder"]
    eventually(page, lambda: order() == moved, "the ticket stands first")
    ladder = page.locator("[data-column=ladder]")
    before = ladder.bounding_box()["width"]
    ladder.get_by_role("separator").focus()
    page.keyboard.press("ArrowLeft")
    assert ladder.bounding_box()["width"] == before + 16
    watch.get_by_role("button", name="Place of the watchlist").click()
    watch.get_by_role("button", name="Put away").click()
    wanted = {
        "order": moved,
        "widths": {"ladder": before + 16},
        "away": ["watchlist"],
    }

    def kept() -> list[object]:
        value = client.get("/api/preferences/layouts")["value"] or {}
        return [each.get("trade", {}).get("columns") for each in value.get("named", {}).values()]

    # Three changes may be kept in one go or one by one: the answer to wait for is not told apart.
    eventually(page, lambda: kept() == [wanted], "the columns are kept")
    page.reload()
    page.locator(".ladder tr[data-touch=bid]").wait_for()
    eventually(page, lambda: order() == ["ticket", "middle", "ladder"], "put away for good")
    client.put("/api/preferences/layouts", {"value": {}})
    page.reload()
    page.locator(".ladder tr[data-touch=bid]").wait_for()
    eventually(page, lambda: order() == usual, "the layout as it came")


def test_one_is_canceled_at_once_and_all_of_them_in_two_steps(page: Any, client: Asking) -> None:
    for nth in range(3):
        fill(page, "0.5", below(client, str(500 + nth)))
        send(page)
        page.locator("table.orders tbody tr:not(.gone, .wished)").nth(nth).wait_for()
    page.get_by_role("button", name="Cancel demo.").first.click()
    eventually(page, lambda: len(working(client)) == 2, "two orders left")
    page.locator("table.orders tr.gone").first.wait_for()  # greyed before it leaves
    page.get_by_role("button", name="Cancel all…").click()
    dialog = page.locator("dialog[open]")
    assert "Cancel 2 orders?" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert len(working(client)) == 2
    page.get_by_role("button", name="Cancel all…").click()
    page.keyboard.press("Enter")
    eventually(page, lambda: working(client) == [], "no order left")
    page.get_by_text("No working orders.").wait_for()  # … five seconds later


def test_a_refusal_is_known_before_and_one_click_makes_the_order_pass(
    page: Any, client: Asking
) -> None:
    fill(page, "5000", below(client))
    refused = page.locator(".verdict.refused")
    refused.wait_for()
    said = refused.inner_text()
    for word in ("exceeds_order_notional", "Value", "Limit", "Over by", "10,000,000 USD"):
        assert word in said
    assert page.locator(".send").is_disabled()
    page.get_by_role("button", name="the largest that passes").click()
    page.locator(".verdict.passes:not(.asking)").wait_for()
    largest = page.get_by_label("Quantity", exact=True).input_value()
    send(page)
    eventually(page, lambda: len(working(client)) == 1, "the largest order")
    assert working(client)[0]["order_qty"] == largest


def test_a_size_column_works_an_order_there_and_shows_it_as_mine(page: Any, client: Asking) -> None:
    fill(page, "0.25", below(client))
    page.locator(".verdict.passes:not(.asking)").wait_for()
    row = page.locator(".ladder tbody tr").nth(-3)
    price = row.locator(".px").inner_text().replace(",", "")
    row.locator("td.bid").click()
    dialog = page.locator("dialog[open]")
    assert f"limit {Decimal(price):,.2f}" in dialog.inner_text()
    page.keyboard.press("Enter")
    chip = page.locator(".ladder .own-chip:not(.wish)")
    chip.wait_for()
    assert chip.inner_text().startswith("0.25")
    [order] = working(client)
    assert (Decimal(order["price"]), order["side"]) == (Decimal(price), "buy")
    chip.click(button="right")
    eventually(page, lambda: working(client) == [], "canceled by its chip")


def test_keys_trade_while_armed_and_at_no_other_time(page: Any, client: Asking) -> None:
    fill(page, "", below(client))
    page.locator(".glance h1").click()
    for key in ("s", "m", "3", "Control+Enter"):
        page.keyboard.press(key)
    assert page.locator(".ticket.buy").count() == 1
    assert page.get_by_label("Quantity", exact=True).input_value() == ""
    page.keyboard.press("Shift+A")
    page.locator(".chip.armed").wait_for()
    price = page.get_by_label("Limit price", exact=True)
    for key in ("l", "3", "Shift+ArrowDown"):
        page.keyboard.press(key)
    stepped = price.input_value()
    assert Decimal(stepped) < Decimal(below(client, "490"))
    page.locator(".verdict.passes:not(.asking)").wait_for()
    page.keyboard.press("Control+Enter")
    confirmed(page)
    eventually(page, lambda: len(working(client)) == 1, "an order by key")
    assert Decimal(working(client)[0]["price"]) == Decimal(stepped)
    page.locator("table.orders tbody tr:not(.wished)").first.focus()
    page.keyboard.press("c")
    eventually(page, lambda: working(client) == [], "canceled by key")
    page.keyboard.press("Escape")
    page.locator(".chip.armed").wait_for(state="detached")


def test_a_click_without_an_answer_is_checked_and_sent_again_under_its_id(
    page: Any, client: Asking
) -> None:
    fill(page, "0.5", below(client))
    page.locator(".verdict.passes:not(.asking)").wait_for()
    sent: list[str] = []

    def lose(route: Any) -> None:
        sent.append(route.request.post_data_json["cl_ord_id"])
        route.abort()

    page.route("**/api/orders", lose)
    send(page)
    page.locator("table.orders tr.wished", has_text="checking").wait_for()
    assert page.locator(".send").is_disabled()  # until it is known
    assert "2" not in (page.get_by_role("tab", name="Orders").text_content() or "")
    page.unroute("**/api/orders", lose)
    again = page.get_by_role("button", name="Send it again")
    again.wait_for()
    assert working(client) == []
    again.click()
    eventually(page, lambda: len(working(client)) == 1, "the order, sent again")
    assert [working(client)[0]["cl_ord_id"]] == sent


def test_history_is_filtered_and_leaves_as_csv(page: Any, client: Asking, tmp_path: Path) -> None:
    page.get_by_role("tab", name="History").click()
    page.locator(".grid .ag-row").first.wait_for()
    page.get_by_role("button", name="Filled", exact=True).click()
    page.locator(".grid .ag-row", has_text="Canceled").first.wait_for(state="detached")
    page.locator(".grid .ag-row", has_text="Filled").first.wait_for()
    files = {}
    for name in ("CSV of these", "CSV of all"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        download.value.save_as(tmp_path / name)
        files[name] = (tmp_path / name).read_text().splitlines()
    ordered = client.all("/api/orders?account_id=demo")
    assert len(files["CSV of all"]) == 1 + len(ordered)
    assert len(files["CSV of these"]) == 1 + sum(each["ord_status"] == "filled" for each in ordered)
    assert files["CSV of all"][0].startswith("order_id,cl_ord_id,account_id,symbol,side,ord_type")


def test_nothing_keeps_anybody_from_using_it(page: Any) -> None:
    assert serious(page) == []


def test_a_phone_has_the_ticket_as_a_sheet_and_orders_within_reach(
    browser: Any, running: Running, client: Asking
) -> None:
    with browsing.looking(browser, theme="light", phone=True) as context:
        page: Any = context.new_page()
        found = troubles(page)
        page.goto(f"{running.url}/#/trade/BTC-USD?view=orders")
        page.get_by_role("button", name="Trade BTC-USD").tap()
        fill(page, "0.5", below(client))
        button = page.locator(".sheet .send:enabled")
        button.wait_for()
        box = button.bounding_box()
        assert box["y"] + box["height"] <= browsing.PHONE["height"]
        assert page.get_by_role("button", name="Close").is_visible()
        button.tap()
        dialog = page.locator("dialog.confirm[open]")  # on a phone every order is asked about
        assert "Buy 0.50000 BTC-USD limit" in dialog.inner_text()
        dialog.locator("footer .buy").tap()
        cancel = page.locator(".cards").get_by_role("button", name="Cancel")
        cancel.first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= browsing.PHONE["width"]
        cancel.first.tap()
        eventually(page, lambda: working(client) == [], "canceled on the phone")
        assert serious(page) == []
    assert found == []
