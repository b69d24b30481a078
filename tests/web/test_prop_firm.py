"""Pages of those who look after a prop firm's money, and of those who are paid: a payout, a
dispute, a certificate, where somebody is paid, and what goes on working when somebody is gone."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import running
from app import firm as app
from app.firm import Firm
from web import browsing
from web.chromium import serious, troubles

LATE_MS = 60_000
ALL = ("ada", "ian", "ria", "tim", "zoe")


@pytest.fixture(scope="module")
def firm(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    """In a demo one person is everybody. After the browser: nothing is started without one."""
    folder = Path(tmp_path_factory.mktemp("firm"))
    with running.house(folder, options=("--feed", "synthetic,rate=20")) as found:
        firm = Firm(found, dict.fromkeys(ALL, running.TOKEN), folder)
        app.opened(firm, app.INSTANT)
        yield firm


def part(page: Page, firm: Firm, name: str) -> None:
    page.goto(f"{firm.running.url}/#/prop/{name}")
    browsing.live(page)
    browsing.settled(page)


def by_palette(page: Page, words: str, panel: str) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Go to, find, or do").fill(words)
    first = page.locator("#palette-list [role=option]").first
    expect(first).to_contain_text(words, ignore_case=True)
    page.keyboard.press("Enter")
    page.get_by_role("region", name=panel, exact=True).wait_for()
    browsing.settled(page)


def disputed(firm: Firm) -> tuple[dict[str, Any], dict[str, Any]]:
    """A purchase, and that its buyer's bank has taken it back."""
    client = firm.of("tim")
    purchase = app.done(firm, "tim", "POST", "/api/purchases", {"tier": "instant"})
    app.pressed(firm.running, purchase, "dispute")

    def found() -> Any:
        for each in client.get("/api/disputes")["items"]:
            if each["purchase_id"] == purchase["purchase_id"] and each["due_at"]:
                return each
        return None

    dispute = dict(app.until(found))
    path = f"/api/assessments/{dispute['assessment_id']}"
    app.until(lambda: client.ask("GET", path).status == 200 and client.get(path)["frozen"])
    return purchase, dispute


def test_a_dispute_is_found_answered_and_seen_to_be_decided(browser: Browser, firm: Firm) -> None:
    purchase, dispute = disputed(firm)
    with browsing.looking(browser) as context:
        page = context.new_page()
        faults = troubles(page)
        part(page, firm, "shop")
        by_palette(page, "disputes: what banks", "Disputes")
        row = page.get_by_role("table", name="Disputes").locator("tbody tr").first
        expect(row).to_contain_text("product not received")
        expect(row).to_contain_text("6 days left")
        row.focus()
        page.keyboard.press("Enter")
        one = page.get_by_role("region", name=f"Dispute {dispute['dispute']}")
        expect(one).to_contain_text("frozen: its payment is disputed")
        expect(one.get_by_role("list", name="What was when").get_by_role("listitem")).to_have_count(
            3
        )
        assert serious(page) == []
        with page.expect_download(timeout=LATE_MS) as kept:
            page.keyboard.press("p")
        assert zipfile.is_zipfile(kept.value.path())
        page.keyboard.press("a")
        dialog = page.get_by_role("dialog")
        activity = dialog.get_by_label("That it was used, and when")
        expect(activity).to_have_value(re.compile("opened as asm-"))
        expect(activity).not_to_have_value(re.compile(r"\bdemo\b"))
        assert serious(page) == []
        dialog.get_by_label("Whatever else").fill("As agreed.")
        dialog.get_by_role("button", name="Hand it in, once").click()
        expect(one.get_by_role("region", name="The answer")).to_contain_text("As agreed.")
        expect(one).to_contain_text("sandbox has the answer", timeout=LATE_MS)
        expect(one.get_by_role("button", name="Answer it")).to_be_disabled()
        app.pressed(firm.running, purchase, "win")
        expect(one).to_contain_text("Won: the money came back", timeout=LATE_MS)
        page.get_by_text("None is open.").first.wait_for()
        by_palette(page, "books beside", "Books beside the provider’s")  # it leaves as it came
        assert faults == []


def test_a_payout_is_agreed_to_paid_where_its_trader_said_and_certified(
    browser: Browser, firm: Firm
) -> None:
    _, name = app.bought(firm, "instant")
    app.earns(firm, name)
    with browsing.looking(browser) as context:
        page = context.new_page()
        faults = troubles(page)
        part(page, firm, "shop")
        by_palette(page, "where you are paid: your", "Where you are paid")
        page.keyboard.press("n")
        dialog = page.get_by_role("dialog")
        where = dialog.get_by_label("Your account at the provider")
        where.fill("4242 4242 4242 4242")
        expect(dialog).to_contain_text("looks like the number of a card")
        expect(dialog.get_by_role("button", name="Be paid there")).to_be_disabled()
        where.fill("acct_1A2b3C4d5E6f7G")
        dialog.get_by_role("button", name="Be paid there").click()
        own = page.get_by_role("region", name="Where you are paid", exact=True)
        expect(own).to_contain_text("••••6f7G")
        expect(own).not_to_contain_text("acct_1A2b")
        own.get_by_role("button", name="Show").click()
        expect(own).to_contain_text("acct_1A2b3C4d5E6f7G")
        assert serious(page) == []
        app.done(firm, "tim", "POST", f"/api/assessments/{name}/payouts", None)
        reads: list[str] = []
        page.on(
            "request", lambda each: reads.append(each.url) if "/assessments" in each.url else None
        )
        by_palette(page, "payouts: what waits", "Payouts that wait")
        waiting = page.get_by_role("region", name="Payouts that wait")
        waiting.get_by_role("button", name="Agree").click(timeout=LATE_MS)
        assert all("/assessments/payouts" in each for each in reads), "each is not asked one by one"
        page.get_by_label("Reason").fill("as agreed")
        page.get_by_role("button", name=re.compile("^Pay USD")).click()
        expect(waiting).to_contain_text("No payout waits.", timeout=LATE_MS)
        there = page.get_by_role("table", name="Payouts at the provider")
        expect(there.get_by_role("row", name=name)).to_contain_text("paid", timeout=LATE_MS)
        assert serious(page) == []
        certified(page, firm, name)
        assert faults == []


def certified(page: Page, firm: Firm, name: str) -> None:
    client = firm.of("tim")
    app.until(lambda: client.get("/api/assessments/payouts?state=paid")["items"])
    by_palette(page, "certificates: make", "Certificates")
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Of", exact=True).select_option(label=f"Funded: instant, {name}")
    dialog.get_by_label("Name on it").select_option("name")
    dialog.get_by_label("Name", exact=True).fill("Ada Lovelace")
    assert serious(page) == []
    dialog.get_by_role("button", name="Make it").click()
    row = page.get_by_role("table", name="Certificates").locator("tbody tr")
    expect(row).to_contain_text("you alone", timeout=LATE_MS)
    with page.expect_download(timeout=LATE_MS) as kept:
        row.get_by_role("button", name="PDF").click()
    assert Path(kept.value.path()).read_bytes()[:5] == b"%PDF-"
    row.get_by_role("button", name="Let it be seen").click()
    expect(row.get_by_role("button", name="Copy link")).to_be_visible()
    assert serious(page) == []
    link = str(row.get_by_role("link", name="its page").get_attribute("href"))
    assert b"Ada Lovelace" in client.ask("GET", link).body
    page.get_by_text("Everybody’s", exact=True).click()
    row.get_by_role("button", name="Revoke").click()
    page.get_by_label("Reason").fill("made by mistake")
    page.get_by_role("button", name="Revoke it for good").click()
    expect(row).to_contain_text("made by mistake")
    assert b"was revoked" in client.ask("GET", link).body


def test_who_forgets_somebody_sees_which_of_their_orders_go_on_working(
    browser: Browser, firm: Firm
) -> None:
    _, name = app.bought(firm, "instant")
    account = app.shown(firm, name)["account_id"]
    order = {**running.order("left-open", account_id=account), "price": "30000"}
    app.done(firm, "tim", "POST", "/api/orders", order)
    with browsing.looking(browser) as context:
        page = context.new_page()
        faults = troubles(page)
        page.goto(f"{firm.running.url}/#/access/people/demo")
        browsing.live(page)
        page.get_by_role("button", name="Forget demo").click()
        dialog = page.get_by_role("dialog")
        left = dialog.get_by_role("table", name="Working orders of demo")
        row = left.get_by_role("row", name=account)
        expect(row).to_contain_text("Buy BTC-USD, limit", timeout=LATE_MS)
        assert serious(page) == []
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        assert faults == []
