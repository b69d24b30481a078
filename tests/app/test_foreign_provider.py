"""A person and a machine of somebody else's provider at a running house: one that we made for the
purpose, and npm's oidc-provider, which we did not (in a soak)."""

import http.client
import os
import re
import shutil
import socket
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import time
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

import msgspec
import pytest

from fondaco.app.files import Files
from fondaco.app.secrets import open_ring
from fondaco.domain.identity.oidc import jwt
from fondaco.domain.identity.oidc.model import challenge_of
from running import Running, house

SOAK: Final = os.environ.get("FONDACO_SOAK") == "1"
SECRET: Final = "s&cret of the house"
PROOF: Final = "p" * 43
HERE: Final = Path(__file__).parent.parent


class Browser:
    """Cookies of each place, forms, redirects and pages that lead on; no script."""

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, str]] = {}

    def ask(self, url: str, form: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
        found = urlsplit(url)
        line = http.client.HTTPConnection(found.hostname or "", found.port, timeout=20)
        mine = self.cookies.setdefault(found.netloc, {})
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in mine.items())}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        target = f"{found.path or '/'}?{found.query}"
        line.request("POST" if form else "GET", target, urlencode(form or {}) or None, sent)
        got = line.getresponse()
        text = got.read().decode()
        for value in got.headers.get_all("set-cookie") or ():
            name, _, rest = value.partition(";")[0].partition("=")
            mine[name] = rest
        line.close()
        return got.status, {n.lower(): v for n, v in got.getheaders()}, text

    def follow(
        self, url: str, form: dict[str, str] | None = None, until: str = ""
    ) -> tuple[str, str]:
        """Where it ends, and the page there; or the first address that begins with `until`."""
        for _ in range(12):
            status, headers, text = self.ask(url, form)
            form = None
            led = re.search(r'http-equiv="refresh" content="0;url=([^"]*)"', text)
            if status in (302, 303):
                url = urljoin(url, headers["location"])
            elif led:
                url = urljoin(url, unescape(led[1]))
            else:
                return url, text
            if until and url.startswith(until):
                return url, ""
        raise AssertionError(f"goes round: {url}")


class Ours(BaseHTTPRequestHandler):
    """A provider that asks nobody who they are: everybody is ada."""

    key: Any = jwt.generated("ES256")
    codes: dict[str, dict[str, list[str]]] = {}

    def do_GET(self) -> None:
        found = urlsplit(self.path)
        query = parse_qs(found.query)
        url = f"http://{self.headers['host']}"
        match found.path:
            case "/.well-known/openid-configuration":
                places = {"authorization": "auth", "token": "token", "end_session": "session/end"}
                told = {f"{name}_endpoint": f"{url}/{path}" for name, path in places.items()}
                self._say({"issuer": url, "jwks_uri": f"{url}/jwks", **told})
            case "/jwks":
                self._say({"keys": [jwt.jwk_of(self.key.public_key())]})
            case "/auth":
                self.codes[f"c{len(self.codes)}"] = query
                back = {"code": f"c{len(self.codes) - 1}", "state": query["state"][0], "iss": url}
                self.send_response(302)
                self.send_header("location", f"{query['redirect_uri'][0]}?{urlencode(back)}")
                self.end_headers()
            case _:
                self._say({})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        asked = self.codes.pop(form["code"][0])
        pair = b64encode(f"fondaco:{quote(SECRET, '')}".encode()).decode()
        fits = challenge_of(form["code_verifier"][0]) == asked["code_challenge"][0]
        if not fits or self.headers["authorization"] != f"Basic {pair}":
            self._say({"error": "invalid_grant"}, 400)
            return
        claims = {"nonce": asked["nonce"][0], "aud": "fondaco", "groups": ["traders"]}
        self._say({"id_token": self._token("ada", claims, "JWT"), "access_token": "at"})

    def _token(self, sub: str, claims: dict[str, Any], typ: str) -> str:
        url, now = f"http://{self.headers['host']}", int(time())
        kid = jwt.jwk_of(self.key.public_key())["kid"]
        told = {"iss": url, "sub": sub, "iat": now, "exp": now + 60, **claims}
        return jwt.signed(told, self.key, kid, typ)

    def _say(self, found: Any, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(msgspec.json.encode(found))

    def log_message(self, *_: Any) -> None:
        pass


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def prepared(data: Path, issuer: str, audience: str) -> None:
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    (data / "providers.toml").write_text(
        f'[corp]\nissuer = "{issuer}"\nclient_id = "fondaco"\nlabel = "Corp & Co"\n'
        f'tenant = "demo"\naudience = "{audience}"\nuserinfo = {str(audience != "none").lower()}\n'
        '[[corp.roles]]\nclaim = "groups"\nvalue = "traders"\nroles = ["trader"]\n'
        '[[corp.roles]]\nclaim = "client_id"\nvalue = "robot"\nroles = ["partner"]\n'
    )
    with closing(open_ring(Files(data))) as ring:
        ring.put("oidc/corp", SECRET.encode(), "operator")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("foreign")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ours)
    Thread(target=server.serve_forever, daemon=True).start()
    prepared(data, f"http://127.0.0.1:{server.server_port}", "none")
    with house(data, log=data / "log") as running:
        yield running
    server.shutdown()
    server.server_close()


def start(served: Running) -> str:
    told = served.client("").get("/api/users/providers")["items"]
    assert told == [{"name": "corp", "label": "Corp & Co", "start": "/oauth/external/corp"}]
    return f"{served.url}{told[0]['start']}?challenge={challenge_of(PROOF)}"


def signed_in(served: Running, browser: Browser, there: str) -> dict[str, Any]:
    """`there` is where the provider has sent the browser: back to us."""
    url, _ = browser.follow(there, until=f"{served.url}/#")
    code = urlsplit(url).fragment.removeprefix("/signed-in/")
    asked = {"code": code, "proof": PROOF}
    found = served.client("").ask("POST", "/api/users/arrive", asked)
    assert found.status == 200, found.body
    assert served.client("").ask("POST", "/api/users/arrive", asked).status == 401, "once"
    assert "cannot go on" in browser.follow(there)[1], "it was finished"
    session: dict[str, Any] = found.body
    return session


def looked_at(served: Running, session: dict[str, Any]) -> None:
    """What a session of somebody else's person may, and how it ends."""
    page = served.client(session["token"])
    who = page.get("/api/session")
    assert (who["tenant"], who["roles"], who["user"][:5]) == ("demo", ["trader"], "corp-")
    assert page.ask("GET", "/api/orders").status == 200
    assert page.ask("GET", "/api/journal?limit=1").status == 403, "default deny"
    assert page.get("/api/users/sessions")["items"][0]["device"] == "signed in with corp"
    ended = page.ask("POST", "/api/users/logout", {}).body
    out = parse_qs(urlsplit(ended["sign_out_at"]).query)
    assert out["post_logout_redirect_uri"] == [f"{served.url}/"]
    assert out["id_token_hint"][0].count(".") == 2
    assert page.ask("GET", "/api/orders").status == 401


def test_a_person_of_another_provider(served: Running) -> None:
    browser = Browser()
    back, _ = browser.follow(start(served), until=f"{served.url}/oauth/external")
    assert "another browser" in Browser().follow(back)[1]
    back, _ = browser.follow(start(served), until=f"{served.url}/oauth/external")
    looked_at(served, signed_in(served, browser, back))


def test_somebody_else_s_proof(served: Running) -> None:
    browser = Browser()
    url, _ = browser.follow(start(served), until=f"{served.url}/#")
    code = urlsplit(url).fragment.removeprefix("/signed-in/")
    for proof in ("q" * 43, PROOF):
        asked = {"code": code, "proof": proof}
        assert served.client("").ask("POST", "/api/users/arrive", asked).status == 401


def test_an_application_s_person_goes_on_to_it(served: Running) -> None:
    """From the sign-in page of our own provider, through another one's, to the consent."""
    body = {"name": "App", "scopes": ["orders:read"], "redirect_uris": ["http://127.0.0.1:9/"]}
    client = served.client().ask("POST", "/api/oauth-clients", body).body["client"]
    query = {
        "client_id": client["client_id"], "redirect_uri": "http://127.0.0.1:9/", "state": "s",
        "response_type": "code", "scope": "openid orders:read", "here": "1",
        "code_challenge": challenge_of(PROOF), "code_challenge_method": "S256",
    }  # fmt: skip
    browser = Browser()
    _, page = browser.follow(f"{served.url}/oauth/authorize?{urlencode(query)}")
    assert "Sign in with Corp &amp; Co" in page
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    form = {unescape(name): unescape(value) for name, value in hidden}
    _url, page = browser.follow(f"{served.url}/oauth/sign-in", {**form, "provider": "corp"})
    assert "App asks for access" in page
    assert "You are corp-" in page


@pytest.mark.parametrize(
    "path",
    ["/oauth/external/nobody", "/oauth/external/corp?challenge=short",
     "/oauth/external/corp/callback", "/oauth/external/corp/callback?state=x&code=y",
     "/oauth/external/corp/callback?state=x&state=y"],
)  # fmt: skip
def test_nothing_begins_or_ends_by_itself(served: Running, path: str) -> None:
    status, headers, page = Browser().ask(f"{served.url}{path}")
    assert (status in (400, 403), "cannot go on" in page) == (True, True)
    assert "fondaco_session=fk_" not in headers.get("set-cookie", "")


# --- npm's oidc-provider ------------------------------------------------------------------------


@contextmanager
def oidc_provider(folder: Path, port: int, url: str) -> Iterator[None]:
    if not shutil.which("npm"):
        pytest.skip("oidc-provider cannot be installed: no npm is here")
    (folder / "package.json").write_text('{"private":true}')
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "oidc-provider@9"]
    try:
        done = subprocess.run(install, cwd=folder, timeout=180, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("oidc-provider cannot be installed: npm reaches no registry")
    if done.returncode:
        pytest.skip("oidc-provider cannot be installed: npm reaches no registry")
    shutil.copy(HERE / "foreign_provider.mjs", folder / "provider.mjs")
    command = ["node", "provider.mjs", str(port), url]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as it:
        assert it.stdout
        try:
            assert it.stdout.readline().strip() == b"ready"
            yield
        finally:
            it.kill()


def npm(tmp_path: Path) -> None:
    """A person and a machine of a provider that we did not make."""
    data, folder, port, mine = tmp_path / "data", tmp_path / "node", free_port(), free_port()
    data.mkdir()
    folder.mkdir()
    prepared(data, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{mine}/api")
    with (
        house(data, log=data / "log", options=["--port", str(mine)]) as served,
        oidc_provider(folder, port, served.url),
    ):
        at_npm(served, f"http://127.0.0.1:{port}")


def at_npm(served: Running, provider: str) -> None:
    browser = Browser()
    looked_at(served, signed_in(served, browser, through(served, browser, "ada")))
    other = Browser()
    _url, page = other.follow(through(served, other, "eve"))
    assert "no role" in page, "somebody whom the provider knows, and nobody here"
    for wrong, told in (("s", 401), ("robot", 200)):
        form = {
            "grant_type": "client_credentials", "scope": "orders:read",
            "resource": f"{served.url}/api", "client_id": "robot", "client_secret": wrong,
        }  # fmt: skip
        status, _, text = browser.ask(f"{provider}/token", form)
        assert status == told, text
    machine = served.client(msgspec.json.decode(text)["access_token"])
    who = machine.get("/api/session") if machine.ask("GET", "/api/session").status == 200 else {}
    assert machine.ask("GET", "/api/orders").status == 200, who
    assert machine.ask("POST", "/api/orders", {}).status in (403, 422)
    assert machine.ask("GET", "/api/accounts").status == 403, "its token names orders:read alone"


def through(served: Running, browser: Browser, login: str) -> str:
    """The provider's own pages: who it is, and that they agree; then the way back."""
    back = f"{served.url}/oauth/external"
    url, page = browser.follow(start(served))
    for form in ({"prompt": "login", "login": login, "password": "x"}, {"prompt": "consent"}):
        assert 'action="' in page, page
        action = unescape(re.search(r'action="([^"]+)"', page)[1])  # type: ignore[index]
        url, page = browser.follow(urljoin(url, action), form, until=back)
    return url


if SOAK:

    def test_oidc_provider_of_npm(tmp_path: Path) -> None:
        npm(tmp_path)
