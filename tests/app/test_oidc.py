"""A browser and an application at the provider of a running house, from discovery to sign-out."""

import http.client
import io
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwk, jwt
from websockets.sync.client import connect

from fondaco.cli import main
from fondaco.domain.identity.model import Scope
from fondaco.domain.identity.oidc.model import IDENTITY_SCOPES, challenge_of
from fondaco.gateway.oidc.pages import MEANS
from running import Running, house

PASSWORD: Final = "correct horse battery staple"
VERIFIER: Final = "v" * 43
BACK: Final = "http://127.0.0.1:9/back"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("provider")
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    with house(data, log=data / "log") as running:
        running.data = data  # type: ignore[attr-defined]
        yield running


class Browser:
    """Cookies, forms and redirects; no script."""

    def __init__(self, running: Running) -> None:
        self.running, self.cookies = running, dict[str, str]()

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        line = http.client.HTTPConnection("127.0.0.1", self.running.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        line.request(method, path, None if form is None else urlencode(form), sent)
        got = line.getresponse()
        found = {name.lower(): value for name, value in got.getheaders()}
        text = got.read().decode()
        line.close()
        for each in got.headers.get_all("set-cookie", []):
            name, _, value = each.partition(";")[0].partition("=")
            self.cookies[name] = value
        return got.status, found, text


def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in found}


def registered(running: Running, **more: Any) -> tuple[str, str]:
    body = {
        "name": "App <1>",
        "scopes": ["orders:read", "market:read"],
        "redirect_uris": [BACK],
        **more,
    }
    made = running.client().ask("POST", "/api/oauth-clients", body)
    assert made.status == 201, made.body
    return made.body["client"]["client_id"], made.body["client_secret"]


def query(client_id: str, **change: str) -> dict[str, str]:
    return {
        "client_id": client_id,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid profile offline_access orders:read market:read",
        "state": "a b&c",
        "nonce": "n1",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        **change,
    }


def test_from_discovery_to_sign_out(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    told = served.client("").get("/.well-known/openid-configuration")
    assert told["issuer"] == served.url
    assert served.client("").get("/.well-known/oauth-authorization-server") == told
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    who = ["--data", str(served.data), "--tenant", "demo", "--user", "ada"]  # type: ignore[attr-defined]
    assert main(["user", "add", *who, "--role", "trader"]) == 0
    client_id, secret = registered(served)
    browser = Browser(served)
    start = f"/oauth/authorize?{urlencode(query(client_id))}"
    status, _, page = browser.ask("GET", start)
    assert (status, "refresh" in page) == (200, True), "once more, from here"
    again = unescape(re.search(r"url=([^\"]*)", page)[1])  # type: ignore[index]
    status, headers, page = browser.ask("GET", again)
    assert "App &lt;1&gt;" in page
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    form = {**hidden(page), "tenant": "demo", "user": "ada"}
    status, _, wrong = browser.ask("POST", "/oauth/sign-in", {**form, "password": "wrong"})
    assert (status, 'role="alert"' in wrong) == (401, True)
    foreign = {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"}
    assert (
        browser.ask("POST", "/oauth/sign-in", {**form, "password": PASSWORD}, **foreign)[0] == 403
    )
    status, headers, _ = browser.ask("POST", "/oauth/sign-in", {**form, "password": PASSWORD})
    assert status == 303
    status, headers, page = browser.ask("GET", headers["location"])
    assert "App &lt;1&gt; asks for access" in page
    assert "http://127.0.0.1:9" in headers["content-security-policy"]
    form = hidden(page)
    forged = {**form, "answer": "yes", "csrf": "0" * 32}
    assert browser.ask("POST", "/oauth/authorize", forged)[0] == 403
    refused = browser.ask("POST", "/oauth/authorize", {**form, "answer": "no"})[1]["location"]
    assert parse_qs(urlsplit(refused).query)["error"] == ["access_denied"]
    status, headers, _ = browser.ask("POST", "/oauth/authorize", {**form, "answer": "yes"})
    back = parse_qs(urlsplit(headers["location"]).query)
    assert (status, back["state"], back["iss"]) == (303, ["a b&c"], [served.url])
    basic = b64encode(f"{client_id}:{secret}".encode()).decode()
    exchange = {
        "grant_type": "authorization_code",
        "code": back["code"][0],
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    status, _, text = browser.ask("POST", "/oauth/token", exchange, Authorization="Basic bm86bm8=")
    assert (status, json.loads(text)["error"]) == (401, "invalid_client")
    status, headers, text = browser.ask(
        "POST", "/oauth/token", exchange, Authorization=f"Basic {basic}"
    )
    found = json.loads(text)
    assert (status, headers["cache-control"]) == (200, "no-store"), text
    keys = jwk.KeySet.import_key_set(served.client("").get("/.well-known/jwks.json"))
    claims = jwt.decode(found["id_token"], keys, algorithms=["RS256"]).claims
    assert (claims["nonce"], claims["sub"]) == ("n1", "demo/ada")
    held(served, found)
    more = {"grant_type": "refresh_token", "refresh_token": found["refresh_token"]}
    status, _, text = browser.ask("POST", "/oauth/token", more, Authorization=f"Basic {basic}")
    assert status == 200
    later = served.client(json.loads(text)["access_token"])
    assert later.ask("GET", "/api/orders").status == 200
    silent = urlencode(query(client_id, prompt="none") | {"here": "1"})
    status, headers, _ = browser.ask("GET", f"/oauth/authorize?{silent}")
    assert "code=" in headers["location"], "it was agreed to before"
    out = urlencode({"id_token_hint": found["id_token"], "here": "1"})
    assert browser.ask("GET", f"/oauth/end-session?{out}")[0] == 200
    assert later.ask("GET", "/api/orders").status == 401
    status, headers, _ = browser.ask("GET", f"/oauth/authorize?{silent}")
    assert "error=login_required" in headers["location"]


def held(served: Running, found: dict[str, Any]) -> None:
    """An access token at every door: what was agreed to, and nothing else."""
    app = served.client(found["access_token"])
    assert app.get("/api/session")["user"] == "ada"
    assert app.ask("GET", "/api/orders").status == 200
    assert app.ask("POST", "/api/keys", {"name": "more"}).status == 403
    assert app.get("/oauth/userinfo")["preferred_username"] == "ada"
    url = f"{served.url.replace('http', 'ws')}/ws/trading"
    told = {"Authorization": f"Bearer {found['access_token']}"}
    with connect(url, additional_headers=told) as socket:
        socket.send('{"op":"ping","id":1}')
        assert socket.recv(timeout=10)
    grants = app.get("/api/users/grants")["items"]
    assert [each["client_name"] for each in grants] == ["App <1>"]


def test_an_application_registers_itself_and_demo_agrees(served: Running) -> None:
    """As MCP clients do: RFC 7591, a public client, a port of its own."""
    wanted = {"client_name": "Agent", "redirect_uris": ["http://localhost:1/cb"]}
    made = served.client("").ask("POST", "/oauth/register", wanted)
    assert made.status == 201, made.body
    asked = query(made.body["client_id"], redirect_uri="http://localhost:7/cb", scope="orders:read")
    browser = Browser(served)
    start = f"/oauth/authorize?{urlencode(asked | {'here': '1'})}"
    _, _, page = browser.ask("GET", start)
    status, headers, _ = browser.ask("POST", "/oauth/sign-in", {**hidden(page), "demo": "1"})
    assert status == 303
    _, _, page = browser.ask("GET", headers["location"])
    _, headers, _ = browser.ask("POST", "/oauth/authorize", {**hidden(page), "answer": "yes"})
    code = parse_qs(urlsplit(headers["location"]).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "client_id": made.body["client_id"],
        "code": code,
        "redirect_uri": asked["redirect_uri"],
        "code_verifier": VERIFIER,
    }
    status, _, text = browser.ask("POST", "/oauth/token", form)
    assert status == 200, text
    agent = served.client(json.loads(text)["access_token"])
    assert agent.ask("GET", "/api/orders").status == 200
    assert agent.ask("GET", "/api/accounts").status == 403
    for bad in ({"redirect_uris": ["http://evil.example/"]}, {}, {"redirect_uris": "x"}):
        assert served.client("").ask("POST", "/oauth/register", bad).status == 400


@pytest.mark.parametrize("path", ["token", "revoke", "sign-in", "authorize", "register"])
def test_what_is_no_form_is_told_so(served: Running, path: str) -> None:
    found = served.client("").ask("POST", f"/oauth/{path}", ["x"])
    assert found.status in (400, 401, 403)


def test_a_parameter_given_twice_is_none(served: Running) -> None:
    found = Browser(served).ask("GET", "/oauth/authorize?client_id=a&client_id=b")
    assert found[0] == 400


def test_consent_says_what_every_scope_means() -> None:
    assert [each for each in (*IDENTITY_SCOPES, *Scope) if each not in MEANS] == []
