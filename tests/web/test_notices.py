"""What somebody is told: at the bell, on the pages of Notices, and by push in a closed page."""

from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import CDPSession, Page

import running
from notify.post import Browser
from notify.receiver import Receiver, receiving
from web import browsing
from web.chromium import eventually, promised, serious, troubles

ORDER = {
    "account_id": "demo", "symbol": "BTC-USD", "side": "buy", "ord_type": "market",
    "order_qty": "0.001", "time_in_force": "ioc",
}  # fmt: skip
# The service that carries a browser's notices is its maker's, and out of reach here.
REACHED = """(() => {
  const carried = %s;
  PushManager.prototype.subscribe = async function (asked) {
    globalThis.askedWith = [asked.userVisibleOnly, [...asked.applicationServerKey]];
    const { endpoint, ...keys } = carried;
    const found = {
      endpoint, options: asked, toJSON: () => ({ endpoint, keys }), unsubscribe: async () => true,
    };
    PushManager.prototype.getSubscription = async () => found;
    return found;
  };
})()"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Running]:
    with running.house(tmp_path_factory.mktemp("told"), options=browsing.CALM) as found:
        yield found


def test_the_bell_tells_of_a_fill_and_leads_to_its_order(
    browser: Chromium, house: running.Running
) -> None:
    with browsing.looking(browser) as context:
        page = browsing.opened(context, f"{house.url}/#/notices/ways")
        faults = troubles(page)
        page.get_by_role("checkbox", name="orders by Inbox").check()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="As usual").wait_for()
        assert serious(page) == []
        bell = page.get_by_role("button", name="Notices, ")
        assert bell.get_attribute("aria-label") == "Notices, none unread"
        placed = house.client().ask("POST", "/api/orders", {**ORDER, "cl_ord_id": "bell-1"})
        page.get_by_role("button", name="Notices, 1 unread").wait_for()
        page.locator("body").press("Shift+N")
        page.get_by_role("region", name="Latest notices").wait_for()
        assert serious(page) == []
        page.get_by_role("link", name="buy 0.001 BTC-USD filled at").click()
        page.wait_for_url(f"**/#/order/{placed.body['order_id']}**")
        page.get_by_role("button", name="Notices, none unread").wait_for()
        eventually(page, lambda: house.client().get("/api/notifications")["unseen"] == 0, "seen")
        page.goto(f"{house.url}/#/notices")
        page.get_by_role("link", name="buy 0.001 BTC-USD filled at").wait_for()
        page.goto(f"{house.url}/#/notices/deliveries?way=inbox")
        page.get_by_role("cell", name="orders: filled").wait_for()
        assert serious(page) == []
        assert faults == []


def test_what_nobody_should_choose_is_said_and_not_kept(
    browser: Chromium, house: running.Running
) -> None:
    """Security must reach somebody outside of this house."""
    with browsing.looking(browser, phone=True, theme="light") as context:
        page = browsing.opened(context, f"{house.url}/#/notices/ways")
        page.get_by_role("checkbox", name="security by Mail").uncheck()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("security needs a way that reaches you outside").wait_for()
        page.get_by_role("button", name="Leave it").click()
        assert page.get_by_role("checkbox", name="security by Mail").is_checked()
        page.get_by_role("checkbox", name="Hold what can wait").check()
        page.get_by_label("By the clock of").fill("Mars/Olympus")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("there is no time zone 'Mars/Olympus'").wait_for()
        width = page.evaluate("[document.querySelector('#screen').scrollWidth, innerWidth]")
        assert width[0] <= width[1]
        assert serious(page) == []


def test_a_browser_that_asks_is_told_by_push_and_leads_to_what_it_is_about(
    browser: Chromium, house: running.Running
) -> None:
    far = Browser()
    with receiving() as service, browsing.looking(browser, worker=True) as context:
        context.grant_permissions(["notifications"], origin=house.url)
        carried = msgspec.json.encode(far.subscription(service.url)).decode()
        context.add_init_script(REACHED % carried)
        page = browsing.opened(context, f"{house.url}/#/notices/ways")
        devtools = context.new_cdp_session(page)
        worker = _worker(page, devtools)
        assert page.evaluate("'askedWith' in globalThis") is False, "asked before a click"
        page.get_by_role("button", name="Tell this browser").click()
        page.get_by_text("This browser is told, even while this page is closed.").wait_for()
        shown = house.client().get("/api/notifications/preferences")
        assert [each["host"] for each in shown["subscriptions"]] == ["127.0.0.1"]
        visible, key = page.evaluate("askedWith")
        assert (visible, len(key), key[0]) == (True, 65, 4)

        chosen = {"ways": {"orders": ["inbox", "push"]}}
        house.client().ask("PUT", "/api/notifications/preferences", chosen)
        page.wait_for_timeout(2_500)  # a change of records is seen within two seconds
        placed = house.client().ask("POST", "/api/orders", {**ORDER, "cl_ord_id": "bell-2"})
        said = _told(service, far, page)
        assert said["leads_to"] == f"order/{placed.body['order_id']}"
        for nth, text in enumerate(("no JSON", msgspec.json.encode(said).decode()), 1):
            _pushed(
                page, devtools, {"origin": house.url, "registrationId": worker, "data": text}, nth
            )
        assert {each["title"] for each in _shown(page)} == {"Fondaco", said["title"]}
        assert "unsubscribe" not in str(_shown(page)), "of a mail's foot there is nothing"
        context.service_workers[0].evaluate(
            "async () => { for (const notification of await self.registration.getNotifications())"
            " if (notification.data.leads_to)"
            " self.dispatchEvent(new NotificationEvent('notificationclick', {notification})); }"
        )
        page.wait_for_url(f"**/#/order/{placed.body['order_id']}**")
        eventually(page, lambda: len(_shown(page)) == 1, "the one that was pressed is closed")

        page.goto(f"{house.url}/#/notices/ways")
        page.get_by_role("button", name="Tell sub_").click()
        page.get_by_text("This browser is not told.").wait_for()
        assert house.client().get("/api/notifications/preferences")["subscriptions"] == []


def _pushed(page: Page, devtools: CDPSession, message: dict[str, str], shown: int) -> None:
    """Until so many are shown: on a busy machine a message may come before its worker has begun.
    One that comes twice is shown once."""
    for _ in range(6):
        devtools.send("ServiceWorker.deliverPushMessage", message)
        for _ in range(50):
            if len(_shown(page)) == shown:
                return
            page.wait_for_timeout(100)
    raise AssertionError(f"{shown} are not shown: {_shown(page)}")


def _worker(page: Page, devtools: CDPSession) -> str:
    """The id of the registration of the page's service worker, once it is active."""
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(each["registrationId"] for each in event["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    promised(page, "navigator.serviceWorker.ready.then(() => true)", 30_000)
    eventually(page, lambda: bool(found), "there is a service worker")
    return found[-1]


def _told(service: Receiver, far: Browser, page: Page) -> dict[str, str]:
    """What the browser's maker was given, opened as the browser does."""
    eventually(page, lambda: bool(service.came), "the house has told", 30_000)
    said: dict[str, str] = far.read(service.came[0])
    return said


def _shown(page: Page) -> list[dict[str, str]]:
    asked = (
        "navigator.serviceWorker.ready.then((found) => found.getNotifications()).then((all) =>"
        " all.map(({title, body, data}) => ({title, body, ...data})))"
    )
    found: list[dict[str, str]] = promised(page, asked)
    return found
