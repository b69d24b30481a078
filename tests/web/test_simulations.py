"""Simulations on pages: asked for by key, drawn with their errors, and taken along."""

import csv
import json
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect

import running
from web import browsing
from web.chromium import serious, troubles

LATE_MS: Final = 60_000
PATIENCE_S: Final = 60.0
DAYS: Final = "day,percent\n" + "".join(
    f"2026-{month:02}-{nth:02},{(nth * 7 + month * 3) % 11 / 10 - 0.45:.2f}\n"
    for month in range(1, 7)
    for nth in range(1, 28)
)
OTHER: Final = DAYS.replace("-0.", "-0.1").replace(",0.", ",0.2")


@pytest.fixture(scope="module")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Running]:
    """After the browser, so that nothing is started where there is none."""
    folder = Path(tmp_path_factory.mktemp("simulations"))
    with running.house(folder, options=browsing.CALM) as found:
        yield found


def ran(house: running.Running, kind: str, **inputs: Any) -> str:
    body: dict[str, Any] = {"kind": kind, **inputs}
    if kind in ("projection", "validation"):
        body["journals"] = [{"name": "days.csv", "text": DAYS}, {"name": "o.csv", "text": OTHER}]
    found = house.client().ask("POST", "/api/simulations", body)
    assert found.status == 200, found.body
    simulation_id: str = found.body["item"]["simulation_id"]
    deadline = time.monotonic() + PATIENCE_S
    while (now := one(house, simulation_id))["item"]["state"] == "running":
        assert time.monotonic() < deadline, now
        time.sleep(0.05)
    assert now["item"]["state"] == "done", now
    return simulation_id


def one(house: running.Running, simulation_id: str) -> Any:
    return house.client().get(f"/api/simulations/{simulation_id}")


def of_each(house: running.Running) -> dict[str, str]:
    odds = {"tier": "one-step-50k", "version": 1, "traders": ["skilled"], "paths": 400}
    journal = {"journal": "journal:days.csv"}
    return {
        "tier_odds": ran(house, "tier_odds", odds=odds),
        "sensitivity": ran(house, "sensitivity", odds=odds),
        "projection": ran(house, "projection", projection={**journal, "days": 60, "paths": 500}),
        "validation": ran(
            house, "validation", validation={**journal, "against": ["journal:o.csv"], "trials": 20}
        ),
    }


def look(page: Page, house: running.Running, simulation_id: str) -> None:
    page.goto(f"{house.url}/#/prop/simulations/{simulation_id}")
    browsing.live(page)
    browsing.settled(page)


@pytest.mark.parametrize(("theme", "phone"), [("dark", False), ("light", True)])
def test_each_kind_is_drawn_and_nothing_keeps_anybody_from_it(
    browser: Browser, house: running.Running, theme: Any, phone: bool
) -> None:
    ids = of_each(house)
    with browsing.looking(browser, theme=theme, phone=phone) as context:
        page = context.new_page()
        faults = troubles(page)
        for kind, simulation_id in ids.items():
            look(page, house, simulation_id)
            page.locator(".simulation").wait_for()
            assert serious(page) == [], kind
            width = page.evaluate("document.getElementById('screen').scrollWidth")
            assert width <= page.evaluate("innerWidth"), kind
        assert faults == []


def test_the_sensitivity_of_a_version_is_asked_for_from_its_tier_by_key(
    browser: Browser, house: running.Running
) -> None:
    with browsing.looking(browser) as context:
        page = context.new_page()
        page.goto(f"{house.url}/#/prop/tiers?tier=one-step-50k")
        browsing.live(page)
        browsing.settled(page)
        page.get_by_role("link", name="What each rule does").first.focus()
        page.keyboard.press("Enter")
        asking = page.get_by_role("region", name="Ask for a simulation")
        expect(asking.get_by_label("Tier")).to_have_value("one-step-50k 1")
        expect(asking.get_by_label("What")).to_have_value("sensitivity")
        asking.get_by_label("Seed").fill("11")
        page.keyboard.press("Enter")
        table = page.get_by_role("table", name="What each rule does to the pass rate of skilled")
        table.wait_for(timeout=LATE_MS)
        listed = house.client().get("/api/simulations?kind=sensitivity")["items"]
        found = one(house, next(e["simulation_id"] for e in listed if e["seed"] == "11"))
        effects = found["traders"][0]["effects"]
        rows = table.get_by_role("row")
        assert rows.count() == 1 + len(effects)
        strongest = max(effects, key=lambda each: abs(each["pass_change"]))
        expect(rows.nth(1)).to_contain_text(f"{abs(strongest['pass_change']) * 100:.1f}")
        expect(page.locator(".simulation")).to_contain_text("two standard errors of the difference")
        page.locator("main h2").first.click()
        with page.expect_download() as taken:
            page.keyboard.press("e")
        kept = list(csv.DictReader(StringIO(Path(taken.value.path()).read_text("utf-8"))))
        assert [each["rule"] for each in kept] == [each["rule"] for each in effects]
        assert float(kept[0]["pass_change"]) == effects[0]["pass_change"]


def test_a_file_is_projected_under_the_limits_of_a_tier_and_taken_along(
    browser: Browser, house: running.Running, tmp_path: Path
) -> None:
    file = tmp_path / "days.csv"
    file.write_text(DAYS, "utf-8")
    with browsing.looking(browser) as context:
        page = context.new_page()
        page.goto(f"{house.url}/#/prop/simulations")
        browsing.live(page)
        page.keyboard.press("Control+k")
        page.keyboard.type("Projection: a fan")
        page.keyboard.press("Enter")
        asking = page.get_by_role("region", name="Ask for a simulation")
        expect(asking.get_by_label("What")).to_have_value("projection")
        asking.locator("input[type=file]").set_input_files(file)
        asking.get_by_label("Days of the first file").wait_for()
        asking.get_by_role("button", name="Simulate").click()
        fan = page.get_by_role("img", name="Fan of 2000 paths over 250 days")
        fan.wait_for(timeout=LATE_MS)
        page.get_by_label("Limits of").select_option("one-step-50k 1")
        expect(page.locator(".fan .thresholds")).to_contain_text("overall loss")
        page.get_by_role("slider", name="Day").focus()
        page.keyboard.press("Home")
        found = one(house, page.url.split("/simulations/")[1].partition("?")[0])
        first = found["projection"]["fan"][0]
        expect(page.locator(".fan .said")).to_contain_text(f"Day {first['day']}:")
        middle = f"{abs(first['quantiles'][2]) * 100:.1f}"
        expect(page.locator(".fan .said")).to_contain_text(middle)
        page.locator(".fan .plot").hover()
        expect(page.locator(".fan .said")).not_to_contain_text(f"Day {first['day']}:")
        with page.expect_download() as taken:
            page.get_by_role("button", name="JSON").click()
        kept = json.loads(Path(taken.value.path()).read_text("utf-8"))
        assert kept["projection"] == found["projection"]
        assert kept["inputs"] == json.loads(found["inputs"])


def test_a_validation_says_what_its_numbers_mean(browser: Browser, house: running.Running) -> None:
    simulation_id = of_each(house)["validation"]
    found = one(house, simulation_id)["validation"]
    with browsing.looking(browser) as context:
        page = context.new_page()
        look(page, house, simulation_id)
        said = page.locator(".simulation")
        expect(said).to_contain_text(f"PBO) is {found['overfit_probability'] * 100:.1f}")
        expect(said).to_contain_text("the deflated Sharpe ratio, has the probability")
        assert page.locator(".bootstrap rect").count() == len(found["bins"])
        listed = page.get_by_role("table", name="Simulations")
        expect(listed.get_by_role("row", name="Whether they were luck").first).to_contain_text(
            "done"
        )
