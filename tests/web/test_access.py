"""People at the pages of Access: one agrees to what another has asked, and somebody makes keys."""

import io
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

import running
from fondaco.cli import main
from web import browsing
from web.chromium import serious, troubles

LATE_MS = 55_000
PASSWORD = "correct horse battery staple"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154"
    "789c6360606060000000050001a5f645400000000049454e44ae426082"
)
PEOPLE = {
    "ada": "risk",
    "bob": "risk",
    "cleo": "admin",
    "dan": "admin",
    "fay": "admin",
    "eve": "auditor",
    "tim": "trader",
}
CORP = """
[corp]
issuer = "https://login.example.com"
client_id = "fondaco"
label = "Example"
tenant = "demo"

[[corp.roles]]
claim = "groups"
value = "traders"
roles = ["trader"]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Running]:
    """Where nobody does both halves."""
    path = tmp_path_factory.mktemp("access")
    (path / "fondaco.toml").write_text("password_memory_mib = 8\nfour_eyes = 'strict'\n")
    (path / "providers.toml").write_text(CORP)
    for user, role in PEOPLE.items():
        who = ["--data", str(path), "--tenant", "demo", "--user", user, "--role", role]
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
            assert main(["user", "add", *who]) == 0
    with running.house(path, options=browsing.CALM) as found:
        found.data = path  # type: ignore[attr-defined]
        yield found


def session(house: running.Running, user: str) -> running.Client:
    """Of somebody who has no second factor."""
    body = {"tenant": "demo", "user": user, "password": PASSWORD}
    token = house.client("").ask("POST", "/api/users/login", body).body["token"]
    assert token, f"{user} needs more than a password"
    return house.client(token)


def again(house: running.Running, before: running.Client) -> running.Client:
    """On a new connection: the house closes one that nobody used for a while."""
    return house.client(before.token)


@contextmanager
def at(browser: Browser, house: running.Running, part: str, token: str = "") -> Iterator[Page]:
    """A page of Access, signed in with a token, or where one signs in."""
    with browsing.looking(browser) as context:
        grant(context, token)
        page = context.new_page()
        faults = troubles(page)
        page.goto(f"{house.url}/#/access/{part}")
        yield page
        assert faults == []


def grant(context: BrowserContext, token: str) -> None:
    kept = f"sessionStorage.setItem('fondaco.token', '{token}')" if token else ""
    context.add_init_script(f"sessionStorage.setItem('fondaco.left', 'yes');{kept}")


def test_a_second_person_signs_in_and_agrees(browser: Browser, house: running.Running) -> None:
    ada = session(house, "ada")
    limits = {"limits": {"orders_max": 77}, "reason": "as agreed"}
    asked = ada.ask("PUT", "/api/accounts/demo/limits", limits)
    assert asked.status == 202
    number = asked.body["approval_id"]
    with at(browser, house, "approvals") as page:
        page.get_by_text("Password", exact=True).first.click()
        page.get_by_label("User").fill("bob")
        page.get_by_label("Password", exact=True).last.fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Approve").click()
        dialog = page.get_by_role("dialog", name=f"Approve {number}")
        dialog.get_by_label("Reason").fill("looked at it")
        dialog.get_by_role("button", name="Approve; it is done at once").click()
        page.get_by_text("(a second person)").wait_for()
    shown = again(house, ada).get(f"/api/approvals/{number}")
    assert shown["state"] == "executed"
    assert shown["decided_by"].startswith("bob/~")


def test_who_acts_in_another_s_name_is_told_so_on_every_page(
    browser: Browser, house: running.Running
) -> None:
    with at(browser, house, "you") as page:
        page.get_by_role("button", name="Sign in with Example").wait_for()
    glass = {"user": "tim", "reason": "he is ill, and his stop must go", "minutes": 5}
    lent = session(house, "cleo").ask("POST", "/api/break-glass", glass)
    assert lent.status == 201, lent.body
    with at(browser, house, "you", lent.body["token"]) as page:
        said = page.get_by_text("You act as tim, and are cleo: everything you do is told")
        said.wait_for()
        page.goto(f"{house.url}/#/trade/BTC-USD")
        page.locator(".ladder").first.wait_for()
        assert said.is_visible()
        assert serious(page) == []


def test_a_key_is_made_rotated_and_revoked(browser: Browser, house: running.Running) -> None:
    """The token on the page is the one that the house takes, until somebody revokes it."""
    cleo = session(house, "cleo")
    with at(browser, house, "keys", cleo.token) as page:
        page.get_by_role("button", name="New key").first.click()
        dialog = page.get_by_role("dialog", name="New key")
        dialog.get_by_label("Name").fill("backtest")
        dialog.get_by_label("From networks").fill("127.0.0.0/8 10.0.0.0/40")
        dialog.get_by_text("10.0.0.0/40 must end with /0 to /32").wait_for()
        dialog.get_by_label("From networks").fill("127.0.0.0/8")
        dialog.get_by_label("house:read").uncheck()
        dialog.get_by_role("button", name="Make the key").click()
        first = kept(page)
        assert house.client(first).get("/api/session")["caller"] == "cleo/backtest"
        assert house.client(first).ask("GET", "/api/users").status == 403
        page.get_by_role("button", name="Rotate cleo/backtest").click()
        page.get_by_text("At once").click()
        page.get_by_role("button", name="Make the new one").click()
        second = kept(page)
        assert house.client(first).ask("GET", "/api/session").status == 401
        page.get_by_role("button", name="Revoke cleo/backtest").click()
        page.get_by_role("button", name="Revoke it; it is refused from now on").click()
        page.get_by_text("No key that is good; 2 in all").wait_for()
        assert house.client(second).ask("GET", "/api/session").status == 401
        page.get_by_role("button", name="New service account").click()
        dialog = page.get_by_role("dialog", name="New service account")
        dialog.get_by_label("Name").fill("svc-rebalancer")
        dialog.get_by_label("trader").check()
        dialog.get_by_label("Reason").fill("rebalances at noon")
        dialog.get_by_role("button", name="Ask for it").click()
        dialog.get_by_text("waits for a second person").wait_for()
        assert serious(page) == []
    assert again(house, cleo).get("/api/service-accounts")["items"] == []


def kept(page: Page) -> str:
    """The secret that is shown this once."""
    shown: Any = page.locator("output.secret")
    shown.wait_for()
    secret: str = shown.inner_text()
    page.keyboard.press("Escape")
    page.get_by_text("Say that you have kept it").wait_for()
    page.get_by_role("button", name="I have kept it").click()
    return secret


def test_a_passkey_is_added_and_signs_in_alone(browser: Browser, house: running.Running) -> None:
    """Chromium's own authenticator makes it; the house believes what it signs, and nothing else."""
    dan = session(house, "dan")
    url = house.url.replace("127.0.0.1", "localhost")
    with browsing.looking(browser) as context:
        grant(context, dan.token)
        page = context.new_page()
        faults = troubles(page)
        devices = context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        terms = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
        known = {"hasUserVerification": True, "isUserVerified": True}
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": {**terms, **known}})
        page.goto(f"{url}/#/access/you")
        page.get_by_role("button", name="Add a passkey").click()
        dialog = page.get_by_role("dialog", name="Add a passkey")
        dialog.get_by_label("Your password").fill(PASSWORD)
        dialog.get_by_label("What you call it").fill("my laptop")
        dialog.get_by_role("button", name="Make it on this device").click()
        assert len(kept(page).split()) >= 8  # recovery codes
        page.get_by_role("cell", name="my laptop", exact=True).wait_for()
        assert serious(page) == []
        before = {
            each["session_id"] for each in again(house, dan).get("/api/users/sessions")["items"]
        }
        context.add_init_script("sessionStorage.removeItem('fondaco.token')")
        page.reload()
        page.get_by_text("Passkey", exact=True).click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        browsing.live(page)  # though an admin hears of no orders
        page.get_by_role("table", name="Sessions").get_by_role(
            "cell", name="passkey", exact=True
        ).wait_for()
        after = again(house, dan).get("/api/users/sessions")["items"]
        new = [each for each in after if each["session_id"] not in before]
        assert [each["second_factor"] for each in new] == ["passkey"]
        assert faults == []


def test_rules_are_tried_on_what_was_asked_and_then_proposed(
    browser: Browser, house: running.Running
) -> None:
    """Who would lose what is told before; nothing holds before a second person agrees."""
    cleo = session(house, "cleo")
    assert cleo.ask("GET", "/api/audit").status == 403
    with at(browser, house, "policies?view=draft", cleo.token) as page:
        field = page.get_by_label("own.rego")
        text = field.input_value()
        field.fill(text.replace("keys:write", "house:read").replace("public", "loopback"))
        page.get_by_role("button", name="What if").click()
        page.get_by_text("It could not be published").wait_for()
        page.get_by_text("have been answered otherwise").wait_for()
        assert page.get_by_role("cell", name="loses").count() > 0
        assert page.get_by_role("button", name="Propose").is_disabled()
        field.fill(text)
        page.get_by_role("button", name="What if").click()
        page.get_by_text("It could be published: 1 test passes").wait_for()
        page.get_by_role("button", name="Propose").click()
        dialog = page.get_by_role("dialog", name="Propose these rules")
        dialog.get_by_label("Reason").fill("keys are made here")
        dialog.get_by_role("button", name="Ask for it").click()
        dialog.get_by_text("waits for a second person").wait_for()
        assert again(house, cleo).get("/api/policy")["version"] == 0
        dialog.get_by_role("button", name="Close", exact=True).click()
        page.goto(f"{house.url}/#/access/people")
        page.get_by_role("button", name="Change roles of bob").click()
        page.get_by_role("checkbox", name="trader").check()
        page.get_by_text("orders write").last.wait_for()
        assert serious(page) == []


def test_an_auditor_finds_a_denial_with_its_proof(browser: Browser, house: running.Running) -> None:
    key = house.client().ask("POST", "/api/keys", {"name": "little", "scopes": ["journal:read"]})
    assert house.client(key.body["token"]).ask("GET", "/api/users").status == 403
    with at(browser, house, "audit?kind=denial", session(house, "eve").token) as page:
        row = page.get_by_role("row", name="demo/little")
        row.get_by_text("denied").wait_for()
        with page.expect_download() as download:
            page.get_by_role("button", name="CSV").click()
        assert "demo/little" in download.value.path().read_text("utf-8")
        position = row.get_by_role("link").inner_text().replace(",", "")
        row.get_by_role("link").click()
        page.get_by_role("button", name="Prove").first.wait_for()
        assert f"entry={position}" in page.url


def test_a_webhook_is_made_and_its_log_read(browser: Browser, house: running.Running) -> None:
    """Nobody listens there: the log says what was tried, and when it is tried again."""
    cleo = session(house, "cleo")
    with at(browser, house, "webhooks", cleo.token) as page:
        page.get_by_role("button", name="New webhook").click()
        dialog = page.get_by_role("dialog", name="New webhook")
        dialog.get_by_label("Calls").fill("http://127.0.0.1:9/fondaco")
        dialog.get_by_label("With", exact=True).fill("order.* tide.turned")
        dialog.get_by_text("No event is called tide.turned.").wait_for()
        dialog.get_by_label("With", exact=True).fill("order.*")
        dialog.get_by_role("button", name="Make it").click()
        assert kept(page).startswith("whsec_")
        page.get_by_role("link", name="http://127.0.0.1:9/fondaco").click()
        page.get_by_role("button", name="Send a test").click()
        # Who delivers is begun with the first webhook, and takes its time where much else runs.
        page.get_by_role("button", name="Tries of").click(timeout=LATE_MS)
        page.get_by_role("cell", name="no answer from").first.wait_for(timeout=LATE_MS)
        assert serious(page) == []


def test_a_case_is_looked_at_and_refused_by_somebody_else(
    browser: Browser, house: running.Running
) -> None:
    """Ada says who she is, and with what; somebody of the desk opens the case and decides."""
    ada = session(house, "ada")
    person = {
        "given_name": "Ada", "family_name": "Byron", "other_names": "", "birth_date": "1985-12-10",
        "nationality": "GB", "residence": "GB", "street": "12 Square", "city": "London",
        "postal_code": "SW1Y 4JH", "phone": "+442079460000",
    }  # fmt: skip
    stated = ada.ask("PUT", "/api/users/ada/profile", {"person": person, "version": 0})
    assert stated.status == 200, stated.body
    case_id = ada.ask("POST", "/api/users/ada/kyc", {}).body["case_id"]
    for kind in ("identity", "address"):
        sent = {"kind": kind, "media_type": "image/png", "content": b64encode(PNG).decode()}
        assert ada.ask("POST", "/api/users/ada/kyc/documents", sent).status == 200
    with at(browser, house, f"kyc/{case_id}", "demo") as page:
        page.get_by_text("Ada Byron").wait_for()
        page.get_by_role("button", name="Look at it: identity").click()
        page.get_by_role("img", name="identity, as it was uploaded").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Refuse").click()
        page.get_by_label("Because of").select_option("not_accepted")
        page.get_by_role("button", name="Refuse; they may not go on").click()
        page.get_by_role("button", name="Open again").wait_for()
        assert serious(page) == []
    assert again(house, ada).get("/api/users/ada/kyc")["state"] == "refused"


def test_a_device_is_agreed_to_in_a_browser(browser: Browser, house: running.Running) -> None:
    """What a client without a browser's headers does not see: our pages tell no referrer."""
    path, form = "/oauth/device_authorization", {"client_id": "fondaco-cli", "scope": "orders:read"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    begun = house.client("").ask("POST", path, urlencode(form).encode(), headers=headers).body
    with browsing.looking(browser) as context:
        page = context.new_page()
        page.goto(begun["verification_uri_complete"])
        page.get_by_label("Firm").fill("demo")
        page.get_by_label("User").fill("tim")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_text(begun["user_code"]).wait_for(timeout=LATE_MS)
        page.get_by_role("button", name="Agree").click()
        page.get_by_text("Go back to your device").wait_for(timeout=LATE_MS)


def test_somebody_comes_by_a_link_and_is_locked_out_again(
    browser: Browser, house: running.Running
) -> None:
    """Two of the people who are looked after, and what waits shown as now and then."""
    cleo = session(house, "cleo")
    data = house.data  # type: ignore[attr-defined]
    with at(browser, house, "people", cleo.token) as page:
        page.get_by_role("button", name="Invite").click()
        dialog = page.get_by_role("dialog", name="Invite somebody")
        dialog.get_by_label("User").fill("gail")
        dialog.get_by_label("E-mail").fill("gail@example.com")
        dialog.get_by_label("trader").check()
        dialog.get_by_label("Reason").fill("joins the desk")
        dialog.get_by_role("button", name="Send the link").click()
        page.get_by_text("A link is on its way to gail").wait_for()
    texts = [path.read_text() for path in sorted((data / "mail").iterdir())]
    link = next(word for word in " ".join(texts).split() if "/#/invited/demo/gail/" in word)
    with at(browser, house, "approvals", session(house, "fay").token) as page:
        row = page.get_by_role("row", name="roles").first
        assert "trader" in row.inner_text()
        page.get_by_role("button", name="Approve").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("looked at it")
        dialog.get_by_role("button", name="Approve; it is done at once").click()
        page.get_by_text("(a second person)").first.wait_for()
    with browsing.looking(browser) as context:
        page = context.new_page()
        page.goto(link)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button", name="Set the password and sign in").click()
        page.get_by_role("navigation").first.wait_for(timeout=LATE_MS)
        page.goto(f"{house.url}/#/access/my-data")
        page.get_by_role("button", name="Ask to be forgotten").wait_for(timeout=LATE_MS)
        with page.expect_download(timeout=LATE_MS) as saved:
            page.get_by_role("button", name="Save it as JSON").click()
        assert b"gail@example.com" in saved.value.path().read_bytes()
    with at(browser, house, "people/gail", cleo.token) as page:
        page.get_by_role("button", name="Lock out").click()
        dialog = page.get_by_role("dialog", name="Lock gail out")
        left = dialog.get_by_role("region", name="Orders that go on working")
        left.get_by_text("No order works on an account that is gail’s alone.").wait_for()
        dialog.get_by_label("Reason").fill("left the firm")
        dialog.get_by_role("button", name="Lock out, at once").click()
        page.get_by_role("button", name="Let in again").wait_for(timeout=LATE_MS)
        body = {"tenant": "demo", "user": "gail", "password": PASSWORD}
        refused = house.client("").ask("POST", "/api/users/login", body)
        assert (refused.status, refused.body["code"]) == (403, "user_locked")
        assert serious(page) == []
