"""`fondaco login`: a device asks, a person agrees in a browser, and commands ask as that person."""

import http.client
import io
import json
import queue
import re
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from fondaco.app import as_whom, login_commands
from fondaco.cli import main
from running import Running, house

PASSWORD: Final = "correct horse battery staple"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("login")
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    with house(data, log=data / "log") as running:
        patch = pytest.MonkeyPatch()
        patch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        who = ["--data", str(data), "--tenant", "demo", "--user", "ada", "--role", "trader"]
        assert main(["user", "add", *who]) == 0
        patch.undo()
        running.data = data  # type: ignore[attr-defined]
        yield running


class Browser:
    """A cookie and forms; no script."""

    def __init__(self, running: Running) -> None:
        self.port, self.cookies = running.port, dict[str, str]()

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Cookie": kept} if kept else {}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        line.request(method, path, None if form is None else urlencode(form), sent)
        got = line.getresponse()
        text = got.read().decode()
        for each in got.headers.get_all("set-cookie", []):
            name, _, value = each.partition(";")[0].partition("=")
            self.cookies[name] = value
        there = got.getheader("location") or ""
        line.close()
        return got.status, there or text

    def sign_in(self, user_code: str) -> str:
        """The page where they are asked to agree."""
        said = {"tenant": "demo", "user": "ada", "password": PASSWORD}
        status, there = self.ask(
            "POST", "/oauth/device", {"answer": "sign-in", "user_code": user_code, **said}
        )
        assert status == 303, there
        return self.ask("GET", there)[1]


def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in found}


def oauth(running: Running, path: str, **form: str) -> tuple[int, Any]:
    status, text = Browser(running).ask("POST", path, {"client_id": "fondaco-cli", **form})
    return status, json.loads(text)


def begun(running: Running) -> Any:
    status, found = oauth(running, "/oauth/device_authorization", scope="orders:read")
    assert status == 200, found
    return found


def test_a_person_logs_in_on_the_command_line_and_out(
    served: Running, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("FONDACO_TOKEN", raising=False)
    said: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(login_commands, "print", lambda text, **_: said.put(text), raising=False)
    ended: queue.Queue[int] = queue.Queue()
    login = threading.Thread(target=lambda: ended.put(main(["login", "--url", served.url])))
    login.start()
    said.get(timeout=20)
    code = said.get(timeout=20).rpartition(" ")[2]
    browser = Browser(served)
    page = browser.sign_in(code.lower())
    assert code in page
    assert "Fondaco&#x27;s command line asks for access" in page
    assert "place and cancel orders" in page
    assert "house:write" not in page  # a trader cannot give it: it is not asked of her
    status, page = browser.ask("POST", "/oauth/device", {**hidden(page), "answer": "yes"})
    assert (status, "Go back to your device" in page) == (200, True), page
    assert ended.get(timeout=60) == 0, capsys.readouterr().err
    login.join()
    assert said.get(timeout=5) == f"You are ada of demo at {served.url}."
    kept = tmp_path / "fondaco" / "sessions.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    token = as_whom.token_for(None, served.url)
    assert served.client(token).get("/api/session")["user"] == "ada"
    assert main(["approvals", "list", "--url", served.url]) == 0
    sessions = json.loads(kept.read_text())
    sessions[served.url]["ends_at"] = 0  # as ten minutes later
    kept.write_text(json.dumps(sessions))
    assert as_whom.token_for(None, served.url) != token, "renewed"
    assert main(["logout", "--url", served.url]) == 0
    assert served.client(token).ask("GET", "/api/session").status == 401
    assert as_whom.token_for(None, served.url) == "demo"


def test_a_browser_that_was_used_before_is_no_new_device(served: Running) -> None:
    """It keeps by what it is known, for each person; another one tells the person of itself."""

    def added() -> int:
        with closing(sqlite3.connect(served.data / "records.db")) as records:  # type: ignore[attr-defined]
            found: int = records.execute("SELECT COUNT(*) FROM identity_devices").fetchone()[0]
        return found

    usual = Browser(served)
    usual.sign_in(begun(served)["user_code"])
    known, before = dict(usual.cookies), added()
    (name,) = {each for each in known if each.startswith("fondaco_device_")}
    for _ in range(2):
        usual.cookies.pop("fondaco_session")
        assert "asks for access" in usual.sign_in(begun(served)["user_code"])
    assert usual.cookies[name] == known[name]
    assert added() == before
    other = Browser(served)
    other.cookies[name] = "guessed"
    other.sign_in(begun(served)["user_code"])
    assert other.cookies[name] not in ("guessed", known[name])
    assert added() == before + 1


def test_the_token_endpoint_says_what_the_rfc_says(served: Running) -> None:
    """RFC 8628 section 3.5 and RFC 6749 section 5.2, as they come over the wire."""

    def polled(code: str, **form: str) -> tuple[int, str]:
        kind = {"grant_type": as_whom.DEVICE, "device_code": code, **form}
        status, found = oauth(served, "/oauth/token", **kind)
        return status, found["error"]

    first = begun(served)
    assert first["verification_uri"] == f"{served.url}/oauth/device"
    assert (first["expires_in"], first["interval"]) == (600, 5)
    assert polled(first["device_code"]) == (400, "authorization_pending")
    assert polled(first["device_code"]) == (400, "slow_down")
    assert polled("guessed") == (400, "invalid_grant")
    assert polled(first["device_code"], client_id="app_nobody") == (401, "invalid_client")
    assert polled(first["device_code"], grant_type="password") == (400, "unsupported_grant_type")
    second = begun(served)
    browser = Browser(served)
    form = hidden(browser.sign_in(second["user_code"]))
    assert browser.ask("POST", "/oauth/device", {**form, "answer": "no"})[0] == 200
    assert polled(second["device_code"]) == (400, "access_denied")
    path = "/oauth/device_authorization"
    for change, error in (
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": "orders:read", "resource": "https://x.example"}, "invalid_target"),
        ({"scope": "orders:read", "client_id": "app_nobody"}, "invalid_client"),
    ):
        assert oauth(served, path, **change)[1]["error"] == error
    document = served.client("").get("/.well-known/openid-configuration")
    assert document["device_authorization_endpoint"] == served.url + path
    assert as_whom.DEVICE in document["grant_types_supported"]


def test_a_page_agrees_to_nothing_for_who_has_not_looked(served: Running) -> None:
    found = begun(served)
    code, stranger, browser = found["user_code"], Browser(served), Browser(served)
    again = stranger.ask("GET", f"/oauth/device?user_code={code}")[1]
    assert 'http-equiv="refresh"' in again, "asked once more from here: SameSite=Strict"
    assert "Sign in" in stranger.ask("GET", f"/oauth/device?user_code={code}&here=1")[1]
    wrong = {"answer": "sign-in", "tenant": "demo", "user": "ada", "password": "guess"}
    assert stranger.ask("POST", "/oauth/device", wrong)[0] == 401
    page = browser.sign_in(code)
    for form in (
        {"user_code": code, "answer": "yes"},
        {**hidden(page), "csrf": "x", "answer": "yes"},
    ):
        assert browser.ask("POST", "/oauth/device", form)[0] == 403, (
            "from a page of somebody else's"
        )
    assert browser.ask("POST", "/oauth/device", {**hidden(page), "user_code": "BBBBBBBB"})[0] == 404
    for _ in range(5):
        browser.ask("POST", "/oauth/device", {"user_code": "CCCCCCCC"})
    status, page = browser.ask("GET", f"/oauth/device?user_code={code}")
    assert status == 429, "who guesses waits"
