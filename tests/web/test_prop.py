"""Pages of the prop firm: what is sold is what the house says; a text is read as it is written."""

import re
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import running
from web import browsing
from web.chromium import serious, troubles

LATE_MS = 30_000
CONTRADICTION = """name = "narrow"
title = "Narrow, 10,000"
effective_from = 2026-01-01
account = "10000"
fee = "99"

[[phases]]
name = "Challenge"
target = "8%"
min_trading_days = 9
time_limit_days = 5
overall_loss = { limit = "10%" }
"""

HAIR = """name = "hair"
title = "A hair, 100,000"
effective_from = 2026-01-01
account = "100000"
fee = "1"

[[phases]]
name = "Only"
target = "8%"
overall_loss = { limit = "20" }
"""


@pytest.fixture(scope="module")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Running]:
    """After the browser, so that nothing is started where there is none."""
    folder = Path(tmp_path_factory.mktemp("prop"))
    with running.house(folder, options=browsing.CALM) as found:
        yield found


def part(page: Page, house: running.Running, name: str) -> None:
    page.goto(f"{house.url}/#/prop/{name}")
    browsing.live(page)
    browsing.settled(page)


def test_the_shop_says_what_the_house_sells_and_two_are_compared_by_key(
    browser: Browser, house: running.Running
) -> None:
    tiers = house.client().get("/api/tiers")["items"]
    assert len(tiers) > 1
    with browsing.looking(browser) as context:
        page = context.new_page()
        faults = troubles(page)
        part(page, house, "shop")
        for tier in tiers:
            card = page.locator(".tier").filter(has=page.get_by_role("heading", name=tier["title"]))
            expect(card).to_contain_text(f"{tier['currency']} {int(tier['fee']):,}")
            odds = card.get_by_role("table").get_by_role("row")
            assert odds.count() == 1 + len(tier["odds"]["traders"])
            picture = card.get_by_role("img").get_attribute("aria-label") or ""
            first = (tier["phases"] or [tier["funded"]])[0]
            if first["target"]:
                goal = int(tier["account"]) + int(first["target"])
                assert f"target {goal:,}.00" in picture
            if first["overall_loss"]["follows"] == "static":
                assert f"ends here {int(first['overall_loss']['limit']):,}.00" in picture
        page.get_by_text("Every rule in words").first.click()
        said = house.client().get(f"/api/tiers/{tiers[0]['tier']}")["rules"][0]["sentences"][0]
        page.get_by_text(said).wait_for()
        marks = page.get_by_role("checkbox", name="compare")
        marks.nth(0).check()
        marks.nth(1).check()
        page.locator("main h2").first.click()  # out of the box: its keys are its own
        page.keyboard.press("c")
        page.get_by_role("table", name="Two tiers compared").wait_for()
        assert page.locator(".compared .other").count() > 0
        page.reload()  # a view has an address
        page.get_by_role("table", name="Two tiers compared").wait_for()
        assert serious(page) == []
        assert faults == []


@pytest.mark.parametrize(("theme", "phone"), [("dark", False), ("light", True)])
def test_nothing_keeps_anybody_from_the_pages(
    browser: Browser, house: running.Running, theme: Any, phone: bool
) -> None:
    with browsing.looking(browser, theme=theme, phone=phone) as context:
        page = context.new_page()
        faults = troubles(page)
        part(page, house, "shop")
        for address in page.locator(".pages a").evaluate_all("links => links.map(l => l.hash)"):
            page.evaluate("address => { location.hash = address }", address)
            browsing.settled(page)
            width = page.evaluate("document.getElementById('screen').scrollWidth")
            assert width <= page.evaluate("innerWidth"), address
            assert serious(page) == [], address
        assert faults == []


def test_a_text_that_contradicts_itself_is_told_at_its_line(
    browser: Browser, house: running.Running
) -> None:
    with browsing.looking(browser) as context:
        page = context.new_page()
        part(page, house, "tiers")
        text = page.get_by_label("Text of the tier")
        text.fill(CONTRADICTION)
        wrong = page.get_by_role("list", name="What is wrong with it")
        wrong.get_by_text("9 days are to be traded within 5: nobody can pass").wait_for()
        wrong.get_by_role("button", name="line 10").click()
        marked = "document.activeElement.value.slice(document.activeElement.selectionStart, "
        found = page.evaluate(marked + "document.activeElement.selectionEnd)")
        assert found == "min_trading_days = 9"
        text.fill(CONTRADICTION.replace("= 9", "= 3") + "x = = 1\n")
        wrong.get_by_role("button", name="line 13").wait_for()
        text.fill(CONTRADICTION.replace("= 9", "= 3"))
        page.get_by_text("Nothing contradicts itself").wait_for()
        page.get_by_text("To pass, trades were opened on at least 3 days.").wait_for()
        page.get_by_role("button", name="Keep as a version").click()
        page.get_by_role("button", name="Keep it").click()
        kept = page.get_by_role("table", name="All versions").get_by_role("row", name="narrow")
        expect(kept).to_contain_text("draft", timeout=LATE_MS)
        kept.get_by_role("link", name="narrow").click()
        page.get_by_role("table", name="Versions").get_by_text("not yet").wait_for()
        expect(page.get_by_role("button", name="Publish")).to_be_disabled()
        page.get_by_label("Paths of each trader").fill("200")
        page.get_by_role("button", name="Simulate").click()
        page.get_by_role("table", name="Simulated odds").wait_for(timeout=2 * LATE_MS)
        page.get_by_role("button", name="Publish").click()
        page.get_by_label("Reason").fill("as agreed")
        page.get_by_role("button", name="Put it on sale").click()
        page.get_by_role("table", name="Versions").get_by_text("on sale").wait_for()
        said = page.get_by_role("list", name="Publication by two people")
        expect(said).to_contain_text("agreed and done", timeout=LATE_MS)
        page.get_by_role("button", name="Replay the newest").click()
        over = page.get_by_role("region", name="Over what was traded")
        expect(over).to_contain_text("attempts compared", timeout=LATE_MS)
        text = page.get_by_label("Text of the tier")
        text.fill(text.input_value().replace('target = "8%"', 'target = "9%"'))
        seen = page.get_by_role("region", name="What the text changes").locator(".gone, .new")
        expect(seen).to_have_text(['−gone: target = "8%"', re.compile('new: target = "9%"')])
        assert serious(page) == []
        part(page, house, "shop")
        page.get_by_role("heading", name="Narrow, 10,000").wait_for()
        expect(page.locator(".tier").last).to_contain_text("without an edge")
    assert house.client().get("/api/tiers/narrow")["item"]["state"] == "published"


def given(house: running.Running, tier: str, reference: str) -> Any:
    """An assessment that begins at once, and its account."""
    body = {"tier": tier, "user": "demo", "reference": reference}
    made = house.client().ask("POST", "/api/assessments", body)
    assert made.status == 201, made.body
    deadline = time.monotonic() + LATE_MS / 1000
    while not house.client().get(f"/api/assessments/{made.body['assessment_id']}")["headroom"]:
        assert time.monotonic() < deadline, "it did not begin"
    return made.body


def bought(house: running.Running, account_id: str, qty: str) -> None:
    terms = {"symbol": "BTC-USD", "side": "buy", "ord_type": "market", "time_in_force": "ioc"}
    order = {"account_id": account_id, "cl_ord_id": f"web-{account_id}", "order_qty": qty, **terms}
    placed = house.client().ask("POST", "/api/orders", order)
    assert placed.status < 300, placed.body


def test_a_gauge_moves_with_what_is_lost(browser: Browser, house: running.Running) -> None:
    made = given(house, "two-step-100k", "gauge")
    with browsing.looking(browser) as context:
        page = context.new_page()
        faults = troubles(page)
        part(page, house, f"now/{made['assessment_id']}")
        daily = page.locator(".gauges [data-rule=daily_loss]")
        expect(daily).to_contain_text("5,000.00 USD")
        expect(daily.get_by_role("meter")).to_have_attribute(
            "aria-valuetext", "100.00 % left, kept"
        )
        expect(page.locator(".checklist")).to_contain_text("0 of 4")
        bought(house, made["account_id"], "1.5")
        expect(daily).not_to_contain_text("5,000.00 USD", timeout=LATE_MS)
        expect(page.locator(".checklist")).to_contain_text("1 of 4", timeout=LATE_MS)
        page.get_by_role("table", name="Open positions").get_by_text("BTC-USD").wait_for()
        assert serious(page) == []
        page.keyboard.press("t")
        page.locator(".ladder").first.wait_for()
        assert made["account_id"] in page.url
        assert faults == []


def put_on_sale(house: running.Running, text: str) -> str:
    """A tier as it comes on sale: kept, simulated, published; in a demo nobody else must agree."""
    client = house.client()
    tier: str = client.ask("POST", "/api/tiers", {"text": text}).body["tier"]
    path = f"/api/tiers/{tier}/versions/1"
    client.ask("POST", f"{path}/simulate", {"paths": 100, "traders": ["fair"]})
    deadline = time.monotonic() + LATE_MS / 1000
    while client.get(f"{path}/simulation")["state"] != "attached":
        assert time.monotonic() < deadline, "it was not simulated"
    assert client.ask("POST", f"{path}/publish", {"note": "for a test"}).status == 200
    return tier


def test_a_broken_rule_is_told_with_its_evidence_and_the_account_is_closed(
    browser: Browser, house: running.Running
) -> None:
    made = given(house, put_on_sale(house, HAIR), "breach")
    with browsing.looking(browser) as context:
        page = context.new_page()
        part(page, house, f"now/{made['assessment_id']}")
        page.get_by_role("button", name="Trade").wait_for()
        bought(house, made["account_id"], "1.5")  # its costs alone are more than may be lost
        said = page.get_by_role("alert").filter(has_text="Overall loss")
        expect(said).to_contain_text("against a limit of 99,980.00", timeout=LATE_MS)
        page.locator(".status.refused").get_by_text("failed").wait_for()
        expect(page.locator(".gauges [data-rule=overall_loss].broken")).to_contain_text("broken")
        expect(page.get_by_role("button", name="Trade")).to_have_count(0)
        page.get_by_text("Nothing is open.").wait_for(timeout=LATE_MS)
        with page.expect_download() as kept:
            page.keyboard.press("p")
        assert zipfile.is_zipfile(kept.value.path())
        part(page, house, "history")
        row = page.get_by_role("row", name=made["assessment_id"])
        expect(row).to_contain_text("overall loss")


def test_a_tier_is_bought_on_the_provider_s_page_and_its_word_is_waited_for(
    browser: Browser, house: running.Running
) -> None:
    with browsing.looking(browser) as context:
        page = context.new_page()
        faults = troubles(page)
        part(page, house, "shop")
        page.get_by_role("button", name="Buy for USD 349").click()
        costs = page.get_by_role("table", name="What it costs")
        expect(costs).to_contain_text("To pay, USD349.00")
        assert serious(page) == []
        page.get_by_role("button", name="Pay USD 349.00 at the provider").click()
        page.get_by_role("button", name="Pay", exact=True).click()
        page.wait_for_url("**/#/prop/**")
        browsing.live(page)
        bought = house.client().get("/api/purchases")["items"][0]
        page.goto(f"{house.url}/#/prop/bought/{bought['purchase_id']}")
        page.locator(".gauges").wait_for()  # it goes on to the assessment by itself
        more = page.get_by_role("region", name="More of it")
        expect(more.get_by_role("button", name="See the price")).to_have_count(3)
        more.get_by_role("button", name="See the price").first.click()
        expect(costs).to_contain_text("To pay, USD349.00")  # begun anew
        page.get_by_role("button", name="Leave it").click()
        part(page, house, "purchases")
        page.get_by_role("link", name="One step, 50,000").click()
        receipt = page.get_by_role("article", name="Receipt")
        expect(receipt).to_contain_text(bought["fingerprint"])
        page.emulate_media(media="print")
        expect(receipt.get_by_role("table")).to_contain_text("Paid, USD349.00")
        expect(page.get_by_role("navigation", name="Pages of the prop firm")).to_be_hidden()
        page.emulate_media(media="screen")
        today = datetime.now(UTC).date()
        part(page, house, f"books?day={today}")
        page.get_by_text("1 movement is the same on both sides").wait_for()
        assert serious(page) == []
        assert faults == []
    assert house.client().get("/api/purchases")["items"][0]["state"] == "completed"


def test_the_shop_s_prices_are_changed_once_one_has_seen_what_that_does_and_kept_as_csv(
    browser: Browser, house: running.Running
) -> None:
    with browsing.looking(browser) as context:
        page = context.new_page()
        faults = troubles(page)
        part(page, house, "prices")
        page.keyboard.press("n")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Coupon", exact=True).fill("SPRING")
        dialog.get_by_label("Takes off").last.fill("12.5")
        dialog.get_by_label("two-step-100k").check()
        seen = dialog.get_by_role("table", name="What would change")
        expect(seen.get_by_role("row", name="Takes off")).to_contain_text("12.5\u202f%")
        dialog.get_by_role("button", name="Make it").click()
        page.get_by_role("button", name="Change SPRING").click()
        page.get_by_role("button", name="Change it").wait_for()
        expect(page.get_by_role("button", name="Change it")).to_be_disabled()  # nothing to do
        dialog.get_by_label("Takes off").last.fill("20")
        expect(seen.get_by_role("row")).to_have_text(
            ["What changesNowThen", "Takes off12.5\u202f%20\u202f%"]
        )
        assert serious(page) == []
        dialog.get_by_role("button", name="Change it").click()
        expect(page.get_by_role("table", name="Coupons")).to_contain_text("20\u202f%")
        with page.expect_download() as kept:
            page.keyboard.press("e")
        assert Path(kept.value.path()).read_text().splitlines()[1].startswith("SPRING,20,,,0,0,")
        assert house.client().get("/api/coupons")["items"][0]["products"] == ["two-step-100k"]
        page.get_by_role("button", name="Take back SPRING").click()
        page.get_by_role("button", name="Take it back").click()
        page.get_by_text("There is no coupon").wait_for()
        assert faults == []


def test_a_trader_finds_their_rank_and_chooses_by_which_name_they_are_seen(
    browser: Browser, house: running.Running
) -> None:
    given(house, "two-step-100k", "ranked")
    with browsing.looking(browser) as context:
        page = context.new_page()
        part(page, house, "ranks")
        ranks = page.get_by_role("table", name="Ranks", exact=True)
        expect(ranks.get_by_role("row", name="two-step-100k").first).to_contain_text("you")
        expect(ranks).to_contain_text("no name")
        page.get_by_label("Public name").fill("Night Heron")
        page.get_by_role("button", name="Be seen by it").click()
        expect(ranks).to_contain_text("Night Heron", timeout=LATE_MS)
        assert serious(page) == []
        page.get_by_role("button", name="Be seen by no name").click()
        expect(ranks).not_to_contain_text("Night Heron", timeout=LATE_MS)
        page.get_by_text("Paid out", exact=True).click()
        expect(ranks).to_contain_text("Paid out, USD")
