"""Two people at the page: one signs in with a password and agrees to what the other has asked."""

import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import running
from fondaco.cli import main
from web import browsing
from web.chromium import troubles

PASSWORD = "correct horse battery staple"


def test_a_second_person_signs_in_and_agrees(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fondaco.toml").write_text("password_memory_mib = 8\nfour_eyes = 'strict'\n")
    for user in ("ada", "bob"):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        who = ["--data", str(tmp_path), "--tenant", "demo", "--user", user, "--role", "risk"]
        assert main(["user", "add", *who]) == 0
    with running.house(tmp_path, options=browsing.CALM) as house:
        body = {"tenant": "demo", "user": "ada", "password": PASSWORD}
        found = house.client("").ask("POST", "/api/users/login", body)
        ada = house.client(found.body["token"])
        limits = {"limits": {"orders_max": 77}, "reason": "as agreed"}
        assert ada.ask("PUT", "/api/accounts/demo/limits", limits).status == 202
        with browsing.looking(browser) as context:
            context.add_init_script("sessionStorage.setItem('fondaco.left', 'yes')")
            page = context.new_page()
            faults = troubles(page)
            page.goto(f"{house.url}/#/access")
            page.get_by_text("Password", exact=True).first.click()
            page.get_by_label("User").fill("bob")
            page.get_by_label("Password", exact=True).last.fill(PASSWORD)
            page.keyboard.press("Enter")
            page.get_by_role("button", name="Approve").click()
            dialog = page.get_by_role("dialog", name="Approve apr-1")
            dialog.get_by_label("Reason").fill("looked at it")
            dialog.get_by_role("button", name="Approve; it is done at once").click()
            page.get_by_text("(a second person)").wait_for()
            assert faults == []
        shown = house.client(found.body["token"]).get("/api/approvals/apr-1")
        assert shown["state"] == "executed"
        assert shown["decided_by"].startswith("bob/~")
