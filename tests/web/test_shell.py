"""The terminal as a person meets it: real house, real browser, nothing replaced."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openapi
import pytest
from playwright.sync_api import Browser, Page

import running
from web import browsing
from web.chromium import eventually, promised, serious, troubles


@pytest.fixture(scope="module")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Running]:
    """After the browser, so that nothing is started where there is none."""
    folder = Path(tmp_path_factory.mktemp("terminal"))
    with running.house(folder, options=browsing.CALM) as found:
        yield found


def known_paths() -> list[re.Pattern[str]]:
    """Every path of the OpenAPI document, and the two sockets of the AsyncAPI one."""
    paths = [*openapi.document()["paths"], "/ws/trading", "/ws/market-data"]
    return [re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$") for path in paths]


def test_the_page_signs_in_works_by_keys_and_calls_only_the_public_api(
    browser: Browser, house: running.Running
) -> None:
    asked: set[str] = set()
    with browsing.looking(browser) as context:
        context.on("request", lambda request: asked.add(request.url))
        page = context.new_page()
        page.on("websocket", lambda socket: asked.add(socket.url.replace("ws:", "http:")))
        faults = troubles(page)
        page.goto(house.url)
        browsing.live(page)
        assert page.locator(".ribbon").first.inner_text() == "SYNTHETIC"
        _go_by_palette(page)
        page.keyboard.press("Shift+Slash")
        page.get_by_role("dialog", name="Keys").wait_for()
        page.keyboard.press("Escape")
        for letter in page.locator(".rail a").evaluate_all(
            "links => links.map(link => link.title.match(/g (.)/)[1])"
        ):
            page.keyboard.press("g")
            page.keyboard.press(letter)
            page.locator(f'.rail a[title$="(g {letter})"][aria-current]').wait_for()
            browsing.settled(page)
        assert faults == []
        _sign_out_and_in(page)
    paths = {
        url.removeprefix(house.url).split("?")[0]
        for url in asked
        if "/ws/" in url or "/api/" in url
    }
    known = known_paths()
    private = [path for path in paths if not any(each.match(path) for each in known)]
    assert private == []
    assert any("/ws/trading" in path for path in paths)
    own = {url for url in asked if not url.startswith((house.url, "data:", "blob:"))}
    assert own == set()  # nothing from elsewhere


def _go_by_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Go to, find, or do")
    field.fill("ethusd")
    page.get_by_role("option", name="ETH-USD").first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash.includes('ETH-USD')")


def _sign_out_and_in(page: Page) -> None:
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Sign out").click()
    key = page.get_by_label("API key")
    key.fill("fk_wrong")
    page.keyboard.press("Enter")
    page.get_by_text("This key is not taken").wait_for()
    key.fill("demo")
    page.keyboard.press("Enter")
    browsing.live(page)
    assert page.evaluate("sessionStorage.getItem('fondaco.token')") == "demo"
    assert page.evaluate("localStorage.getItem('fondaco.token')") is None


def test_settings_and_layouts_are_kept_by_the_house(
    browser: Browser, house: running.Running
) -> None:
    with browsing.looking(browser) as context:
        page = browsing.opened(context, house.url)
        page.keyboard.press("Control+k")
        page.get_by_role("combobox", name="Go to, find, or do").fill("settings")
        page.keyboard.press("Enter")
        page.get_by_text("Light", exact=True).click()
        page.get_by_text("Comfortable", exact=True).click()
        page.get_by_label("Grouping", exact=True).select_option("de")
        client = house.client()

        def kept() -> object:
            return (client.get("/api/preferences/settings")["value"] or {}).get("grouping")

        eventually(page, lambda: kept() == "de", "the last of three changes is kept")
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
    with browsing.looking(browser) as context:  # another machine of the same person
        page = browsing.opened(context, house.url)
        page.wait_for_function("document.documentElement.dataset.theme === 'light'")
        assert page.evaluate("document.documentElement.dataset.density") == "comfortable"
    assert kept() == "de"
    client.ask("PUT", "/api/preferences/settings", {"value": {}})
    client.close()


@pytest.mark.parametrize(("theme", "phone"), [("dark", False), ("light", True)])
def test_axe_finds_nothing_serious_and_nothing_runs_out_of_the_page(
    browser: Browser, house: running.Running, theme: str, phone: bool
) -> None:
    with browsing.looking(browser, theme=theme, phone=phone) as context:
        page = browsing.opened(context, house.url)
        addresses = page.locator(".rail a").evaluate_all("links => links.map(link => link.hash)")
        for address in addresses:
            page.evaluate("address => { location.hash = address }", address)
            browsing.settled(page)
            assert serious(page) == [], address
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, (address, "the page is wider than the window")


def test_without_a_network_the_last_state_is_shown_as_such(
    browser: Browser, house: running.Running
) -> None:
    with browsing.looking(browser, worker=True) as context:
        page = browsing.opened(context, house.url)
        page.wait_for_function("navigator.serviceWorker.controller !== null")
        _until(page, _KEPT)
        context.set_offline(True)
        page.reload()
        title = page.get_by_role("heading", name=re.compile("Offline. State of .* position"))
        title.wait_for()
        acting = page.get_by_role("button").all_inner_texts()
        assert acting == ["Ask the house again"]
        assert "100,000,000" in page.get_by_role("table", name="Balances, stale").inner_text()
        context.set_offline(False)
        browsing.live(page)  # by itself
        kept = promised(
            page,
            "caches.keys().then(names => Promise.all(names.map(name => caches.open(name)"
            ".then(cache => cache.keys())))).then(all => all.flat().map(each => each.url))",
        )
        assert kept
        assert not [url for url in kept if "/api/" in url]  # no answer to anybody is kept
        page.get_by_role("button", name="More").click()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("API key").wait_for()
        _until(page, _FORGOTTEN)


def _until(page: Page, promise: str) -> None:
    """`wait_for_function` would take the promise itself for a yes."""
    for _ in range(150):
        if promised(page, promise):
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"never true: {promise}")


_LAST = (
    "new Promise((done, no) => { const asked = indexedDB.open('fondaco', 1);"
    " asked.onerror = asked.onblocked = () => no(new Error('no storage'));"
    " asked.onupgradeneeded = () => asked.result.createObjectStore('last');"
    " asked.onsuccess = () => { const got = asked.result.transaction('last').objectStore('last')"
    ".get('last'); got.onsuccess = () => { asked.result.close(); done(got.result) } } })"
)
_KEPT = f"{_LAST}.then(last => (last?.balances?.length ?? 0) > 0)"
_FORGOTTEN = f"{_LAST}.then(last => last === undefined)"


def test_nothing_is_lost_and_nothing_twice_when_the_house_comes_back(
    browser: Browser, tmp_path: Path
) -> None:
    """Orders are placed while the page is cut off; it resumes where it was, without a reload."""
    options = (*browsing.CALM, "--port", str(browsing.free_port()))
    with running.house(tmp_path, options=options) as first, browsing.looking(browser) as context:
        page = browsing.opened(context, first.url)
        page.evaluate("window.marked = true")
        _place(first, "before", 3)
        _heard(page, 3)
        first.stop()
        page.locator(".line.cut").wait_for()
        assert page.title().startswith("⚠")
        assert "Trying again" in page.locator(".line.cut").inner_text()
        with running.house(tmp_path, options=options) as second:
            position = _place(second, "after", 4)
            browsing.live(page)
            heard = _heard(page, 7)
            assert page.evaluate("window.marked") is True  # nobody reloaded
            assert len(heard) == len(set(heard)) == 7
            client = second.client()
            working = f"/api/orders?account_id=demo&ord_status=new&min_position={position}"
            orders = client.all(working)
            client.close()
            assert sorted(heard) == sorted(each["order_id"] for each in orders)
            assert not page.title().startswith("⚠")


def _place(house: running.Running, name: str, count: int) -> int:
    """The position of the last one."""
    position = 0
    client = house.client()
    for nth in range(count):
        reply = client.ask("POST", "/api/orders", running.order(f"{name}-{nth}"))
        assert reply.status == 201, reply
        position = reply.body["position"]
    client.close()
    return position


def _heard(page: Page, count: int) -> list[str]:
    """Ids of the working orders, as the palette finds them: it looks into what the page knows."""
    found: list[Any] = []
    for _ in range(100):
        page.keyboard.press("Control+k")
        page.get_by_role("combobox", name="Go to, find, or do").fill("order demo.")
        page.wait_for_timeout(150)
        found = page.locator("#palette-list [role=option] > span:first-child").all_inner_texts()
        page.keyboard.press("Escape")
        page.locator("dialog.palette").wait_for(state="detached")
        ids = [text.removeprefix("Order ") for text in found if text.startswith("Order ")]
        if len(ids) >= count:
            return ids
        page.wait_for_timeout(200)
    raise AssertionError(f"{found} instead of {count} orders")
