"""Tokens of providers that a house trusts: which are taken, and whom they stand for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from fondaco.app.external import trusted_in
from fondaco.app.files import Files
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Role, Scope
from fondaco.domain.identity.oidc import jwt
from fondaco.domain.identity.oidc.foreign import Fetched, ForeignProviders, kept_for, local
from fondaco.domain.identity.oidc.model import challenge_of
from fondaco.domain.identity.oidc.trusted import RoleRule, Trusted, check, half_hash, mapped
from fondaco.kernel.errors import Denied, FondacoError, Invalid, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store.sqlite import SqliteStore

URL: Final = "https://login.example.com"
HERE: Final = "https://house.example.com"
BACK: Final = f"{HERE}/oauth/external/corp/callback"
NOW_S: Final = 1_790_000_000
RULES: Final = (
    RoleRule("groups", "traders", (Role.TRADER,)),
    RoleRule("realm_access.roles", "risk", (Role.RISK,)),
    RoleRule("client_id", "robot", (Role.PARTNER,)),
)
CORP: Final = Trusted(
    issuer=URL, client_id="fondaco", tenant="acme", roles=RULES, audience=f"{HERE}/api"
)
KEYS: Final = {alg: jwt.generated(alg) for alg in ("EdDSA", "ES256", "RS256")}


class Corp:
    """A provider of somebody else's, as far as it can be asked."""

    def __init__(self) -> None:
        self.key: Any = KEYS["ES256"]
        self.asked: list[str] = []
        self.is_down = False
        self.said: dict[str, Any] = {}  # claims of the next ID token
        self.more: dict[str, Any] = {}  # in what it publishes
        self.form: dict[str, list[str]] = {}

    def jwk(self) -> dict[str, str]:
        return jwt.jwk_of(self.key.public_key())

    def token(self, claims: Mapping[str, Any], typ: str = "at+jwt") -> str:
        return jwt.signed(claims, self.key, self.jwk()["kid"], typ)

    def fetch(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Fetched:
        self.asked.append(urlsplit(url).path)
        if self.is_down:
            raise Unavailable("login.example.com does not answer")
        found: Any
        match urlsplit(url).path:
            case "/.well-known/openid-configuration":
                found = {
                    "issuer": URL,
                    "authorization_endpoint": f"{URL}/auth",
                    "token_endpoint": f"{URL}/token",
                    "jwks_uri": f"{URL}/jwks",
                    "end_session_endpoint": f"{URL}/out?x=1",
                    **self.more,
                }
            case "/jwks":
                found = {"keys": [self.jwk(), {"kty": "oct", "kid": "x"}, {"kty": "RSA"}]}
            case _:
                self.form = parse_qs(body.decode())
                found = {"id_token": self.token(self.said, "JWT"), "access_token": "at"}
        return Fetched(200, {"cache-control": "max-age=600"}, msgspec.json.encode(found))


class House:
    def __init__(self, folder: Path, trusted: Trusted = CORP) -> None:
        self.now_s, self.corp, self.drawn = float(NOW_S), Corp(), 0
        clock = lambda: Instant(int(self.now_s * 1e9))  # noqa: E731
        records, cache = SqliteStore(folder / "records.db"), MemoryCache(clock)
        self.directory = Directory(records, cache, clock, self.random)
        self.foreign = ForeignProviders(
            {"corp": trusted}, lambda _: "s&cret", self.corp.fetch, records, cache, clock,
            self.random,
        )  # fmt: skip
        from fondaco.domain.identity.oidc.bearers import Bearers

        issuer: Any = type("Ours", (), {"url": HERE, "grants": {}, "refresh": lambda _: None})()
        self.directory.bearing = Bearers(issuer, self.foreign)

    def random(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")

    def begin(self) -> tuple[dict[str, str], str]:
        there, browser = self.foreign.start("corp", "/oauth/authorize?x=1", BACK)
        return {name: value for name, [value] in parse_qs(urlsplit(there).query).items()}, browser

    def come_back(self, change: Mapping[str, Any] = {}) -> Any:
        """Through the provider, whose ID token says `change` besides."""
        sent, browser = self.begin()
        self.corp.said = id_claims(sent["nonce"]) | dict(change)
        return self.foreign.finish("corp", {"state": sent["state"], "code": "c"}, browser, BACK)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> House:
    """For tokens that are refused, and change nothing."""
    return House(tmp_path_factory.mktemp("foreign"))


def id_claims(nonce: str) -> dict[str, Any]:
    return {
        "iss": URL, "sub": "u1", "aud": "fondaco", "nonce": nonce, "iat": NOW_S,
        "exp": NOW_S + 300, "groups": ["staff", "traders"], "amr": ["pwd", "otp"],
    }  # fmt: skip


def access_claims(**change: Any) -> dict[str, Any]:
    return {
        "iss": URL, "sub": "u1", "aud": [f"{HERE}/api"], "iat": NOW_S, "exp": NOW_S + 300,
        "client_id": "app", "scope": "orders:read orders:write house:write", "groups": ["traders"],
        **change,
    }  # fmt: skip


def test_the_way_there_and_back(house: House) -> None:
    sent, browser = house.begin()
    assert sent["redirect_uri"] == BACK
    assert (sent["code_challenge_method"], sent["response_type"]) == ("S256", "code")
    house.corp.said = id_claims(sent["nonce"]) | {"at_hash": half_hash("at")}
    arrived = house.foreign.finish("corp", {"state": sent["state"], "code": "c"}, browser, BACK)
    assert challenge_of(house.corp.form["code_verifier"][0]) == sent["code_challenge"]
    assert arrived.next == "/oauth/authorize?x=1"
    user = house.foreign.user_of(arrived.who)
    assert (user.tenant, user.roles, arrived.who.second_factor) == ("acme", (Role.TRADER,), "sso")
    assert user.user.startswith("corp-"), "the journal hears no name of theirs"
    assert house.corp.asked == ["/.well-known/openid-configuration", "/token", "/jwks"]
    again = house.come_back({"groups": ["traders"], "realm_access": {"roles": ["risk"]}})
    assert house.foreign.user_of(again.who).roles == (Role.RISK, Role.TRADER), "as of today"
    assert house.corp.asked[3:] == ["/token"], "what it has published is kept"
    out = house.foreign.sign_out("corp", "idt", f"{HERE}/")
    assert out.startswith(f"{URL}/out?x=1&client_id=fondaco&")
    assert out.endswith("id_token_hint=idt")


# What an ID token says, and why it is refused.
ID_TOKENS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "another issuer": ({"iss": "https://evil.example"}, "another issuer"),
    "for somebody else": ({"aud": "other"}, "somebody else"),
    "for two, asked for by the other": ({"aud": ["fondaco", "other"], "azp": "other"}, "asked for"),
    "for two, asked for by nobody": ({"aud": ["fondaco", "other"]}, "asked for"),
    "another sign-in's nonce": ({"nonce": "fk_other"}, "nonce"),
    "no nonce": ({"nonce": None}, "nonce"),
    "expired": ({"exp": NOW_S - 61}, "expired"),
    "no end": ({"exp": None}, "expired"),
    "an end that is true": ({"exp": True}, "expired"),
    "not yet": ({"nbf": NOW_S + 61}, "not good yet"),
    "of tomorrow": ({"iat": NOW_S + 86_400, "exp": NOW_S + 90_000}, "not good yet"),
    "old": ({"iat": NOW_S - 661}, "old"),
    "another access token's": ({"at_hash": half_hash("other")}, "another access token"),
    "nobody": ({"sub": ""}, "nobody"),
    "a number for a person": ({"sub": 7}, "nobody"),
    "nobody whom we know": ({"groups": ["staff"]}, "no role"),
    "a group that is like ours": ({"groups": "traders2"}, "no role"),
}


@pytest.mark.parametrize("case", ID_TOKENS)
def test_an_id_token_is_refused(shared: House, case: str) -> None:
    change, why = ID_TOKENS[case]
    with pytest.raises(Denied, match=why):
        shared.come_back(change)


def test_clocks_may_differ_a_little(house: House) -> None:
    assert house.come_back({"exp": NOW_S - 59, "iat": NOW_S + 59, "nbf": NOW_S + 59}).who


def test_a_sign_in_is_finished_once_and_where_it_began(house: House) -> None:
    sent, browser = house.begin()
    house.corp.said = id_claims(sent["nonce"])
    back = {"state": sent["state"], "code": "c"}
    with pytest.raises(Denied, match="another browser"):
        house.foreign.finish("corp", back, "fk_other", BACK)
    with pytest.raises(Denied, match="finished before"):
        house.foreign.finish("corp", back, browser, BACK)
    first, browser = house.begin()
    house.foreign.finish("corp", *_answer(house, first), browser, BACK)
    second, browser = house.begin()
    house.corp.said = id_claims(first["nonce"])  # its token is shown again
    with pytest.raises(Denied, match="nonce"):
        house.foreign.finish("corp", {"state": second["state"], "code": "c"}, browser, BACK)
    sent, browser = house.begin()
    house.now_s += 601
    with pytest.raises(Denied, match="finished before"):
        house.foreign.finish("corp", *_answer(house, sent), browser, BACK)


def _answer(house: House, sent: Mapping[str, str]) -> tuple[dict[str, str]]:
    house.corp.said = id_claims(sent["nonce"])
    return ({"state": sent["state"], "code": "c"},)


def test_another_provider_cannot_answer(house: House) -> None:
    """RFC 9207: the mix-up of two providers."""
    sent, browser = house.begin()
    back = {"state": sent["state"], "code": "c", "iss": "https://evil.example"}
    with pytest.raises(Denied, match="another provider"):
        house.foreign.finish("corp", back, browser, BACK)
    house.corp.more = {"authorization_response_iss_parameter_supported": True}
    house.now_s += 700
    sent, browser = house.begin()
    with pytest.raises(Denied, match="another provider"):
        house.foreign.finish("corp", *_answer(house, sent), browser, BACK)


@pytest.mark.parametrize(
    "more",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://login.example.com/t"}],
)
def test_what_it_publishes_must_be_its_own(house: House, more: dict[str, str]) -> None:
    house.corp.more = more
    with pytest.raises(Denied):
        house.begin()


# Access tokens: how one is made, and why it is refused.
def _confused(corp: Corp) -> str:
    """HS256 with the public key for a secret (RFC 8725, section 2.1)."""
    import hmac

    head = {"alg": "HS256", "typ": "at+jwt", "kid": corp.jwk()["kid"]}
    parts = [jwt.encoded(msgspec.json.encode(each)) for each in (head, access_claims())]
    text = ".".join(parts)
    secret = msgspec.json.encode(corp.jwk())
    return f"{text}.{jwt.encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def _unsigned(corp: Corp) -> str:
    head = {"alg": "none", "typ": "at+jwt", "kid": corp.jwk()["kid"]}
    parts = [jwt.encoded(msgspec.json.encode(each)) for each in (head, access_claims())]
    return ".".join((*parts, ""))


def _forged(corp: Corp) -> str:
    return jwt.signed(access_claims(), jwt.generated("ES256"), corp.jwk()["kid"], "at+jwt")


def _other_algorithm(corp: Corp) -> str:
    return jwt.signed(access_claims(), KEYS["EdDSA"], corp.jwk()["kid"], "at+jwt")


ACCESS: Final[dict[str, tuple[Callable[[Corp], str], str]]] = {
    "a secret instead of a key": (_confused, "algorithm"),
    "no signature": (_unsigned, "algorithm"),
    "somebody else's signature": (_forged, "signature"),
    "an algorithm that is not the key's": (_other_algorithm, "algorithm"),
    "expired": (lambda corp: corp.token(access_claims(exp=NOW_S - 61)), "expired"),
    "not yet": (lambda corp: corp.token(access_claims(nbf=NOW_S + 61)), "not good yet"),
    "for somebody else": (lambda corp: corp.token(access_claims(aud="other")), "somebody else"),
    "for its client": (lambda corp: corp.token(access_claims(aud="fondaco")), "somebody else"),
    "an ID token": (lambda corp: corp.token(id_claims("n"), "JWT"), "another kind"),
    "an ID token that says another kind": (
        lambda corp: corp.token(id_claims("n") | {"aud": f"{HERE}/api"}),
        "an ID token",
    ),
    "of nobody who may": (lambda corp: corp.token(access_claims(groups=[])), "no role"),
}


@pytest.mark.parametrize("case", ACCESS)
def test_an_access_token_is_refused(shared: House, case: str) -> None:
    make, why = ACCESS[case]
    shared.foreign._read_keys("corp")
    with pytest.raises(Denied, match=why):
        shared.directory.authenticate(make(shared.corp))
    assert not shared.directory.users("acme"), "nobody is made of a token that is refused"


@pytest.mark.parametrize("alg", KEYS)
def test_an_access_token_is_a_caller(house: House, alg: str) -> None:
    house.corp.key = KEYS[alg]
    house.foreign._read_keys("corp")
    known = len(house.corp.asked)
    caller = house.directory.authenticate(house.corp.token(access_claims()))
    assert caller.scopes == {Scope.ORDERS_READ, Scope.ORDERS_WRITE}, "named, and of its roles"
    assert (caller.tenant, caller.roles) == ("acme", (Role.TRADER,))
    less = house.directory.authenticate(house.corp.token(access_claims(scope="orders:read")))
    assert less.user == caller.user
    assert less.scopes == {Scope.ORDERS_READ}
    assert less.name != caller.name, "who may do less is another caller"
    house.directory.refresh()
    assert house.directory.still("acme", less.name).scopes == {Scope.ORDERS_READ}
    assert house.directory.still("acme", caller.name).scopes == caller.scopes
    assert len(house.corp.asked) == known, "nothing is fetched while somebody asks"
    token = house.corp.token(access_claims())
    house.now_s += 359
    house.directory.authenticate(token)
    house.now_s += 1
    with pytest.raises(Denied):
        house.directory.authenticate(token)


def test_keys_are_rotated(house: House) -> None:
    """A key that is not known is looked for at once, and not for everybody who makes one up."""
    house.foreign._read_keys("corp")
    old = house.corp.token(access_claims())
    house.directory.authenticate(old)
    house.now_s += 11
    house.corp.key = KEYS["RS256"]
    with pytest.raises(Unavailable):
        house.directory.authenticate(house.corp.token(access_claims()))
    assert house.foreign.tick() == ""
    assert house.directory.authenticate(house.corp.token(access_claims()))
    asked = len(house.corp.asked)
    house.corp.key = KEYS["EdDSA"]
    for _ in range(3):
        with pytest.raises(Denied):
            house.directory.authenticate(house.corp.token(access_claims()))
        house.foreign.tick()
    assert len(house.corp.asked) == asked, "not within ten seconds"
    house.corp.key = KEYS["ES256"]
    with pytest.raises(Denied):
        house.directory.authenticate(house.corp.token(access_claims(jti="new")))


def test_keys_are_kept_while_it_is_away_but_not_for_ever(house: House) -> None:
    house.foreign._read_keys("corp")
    house.corp.is_down = True
    house.now_s += 3_600
    assert "does not answer" in house.foreign.tick()
    now = int(house.now_s)
    assert house.directory.authenticate(house.corp.token(access_claims(iat=now, exp=now + 9)))
    house.now_s += 86_400
    now = int(house.now_s)
    with pytest.raises(FondacoError):
        house.directory.authenticate(house.corp.token(access_claims(iat=now, exp=now + 9)))


def test_a_name_that_somebody_has_is_not_taken_over(tmp_path: Path) -> None:
    named = msgspec.structs.replace(CORP, user_claim="preferred_username")
    house = House(tmp_path, named)
    house.directory.create_user("acme", "ada", [Role.ADMIN])
    arrived = house.come_back({"preferred_username": "Ada"})
    with pytest.raises(Denied, match="taken"):
        house.foreign.user_of(arrived.who)
    assert house.directory.users("acme")[0].roles == (Role.ADMIN,)
    with pytest.raises(Denied, match="cannot be"):
        house.come_back({"preferred_username": "../ada"})
    grace = house.come_back({"preferred_username": "grace"}).who
    assert house.foreign.user_of(grace).user == "grace"
    other = house.come_back({"preferred_username": "grace", "sub": "u2"}).who
    with pytest.raises(Denied, match="taken"):
        house.foreign.user_of(other)


def test_a_tenant_is_one_that_is_named() -> None:
    by = {"tenant": None, "tenant_claim": "org", "tenants": {"Acme Ltd": "acme"}}
    trusted = msgspec.structs.replace(CORP, **by)
    claims = id_claims("n") | {"org": "Acme Ltd"}
    assert mapped("corp", trusted, claims).tenant == "acme"
    for other in ("acme", "Acme Ltd2", None, ["Acme Ltd"]):
        with pytest.raises(Denied, match="firm"):
            mapped("corp", trusted, claims | {"org": other})


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "http://login.example.com"},
        {"issuer": "https://u:p@login.example.com"},
        {"tenant": None},
        {"tenant_claim": "org"},
        {"roles": ()},
        {"scopes": ("profile",)},
        {"audience": "fondaco"},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(change: dict[str, Any]) -> None:
    check("corp", CORP)
    with pytest.raises(Invalid):
        check("corp", msgspec.structs.replace(CORP, **change))


def test_the_file(tmp_path: Path) -> None:
    assert trusted_in(Files(tmp_path)) == {}
    file = tmp_path / "providers.toml"
    text = (
        f'[corp]\nissuer = "{URL}"\nclient_id = "fondaco"\ntenant = "acme"\n'
        '[[corp.roles]]\nclaim = "groups"\nvalue = "traders"\nroles = ["trader"]\n'
    )
    file.write_text(text)
    assert trusted_in(Files(tmp_path))["corp"].roles == RULES[:1]
    for wrong in (
        text.replace('"trader"', '"king"'),
        text.replace("client_id", "client"),
        text.replace("corp", "Corp"),
        text + text.replace("corp", "two"),
        "[",
    ):
        file.write_text(wrong)
        with pytest.raises(Invalid, match=r"providers\.toml"):
            trusted_in(Files(tmp_path))


@pytest.mark.parametrize(
    ("address", "where"),
    [("/", "/"), ("/oauth/x?y=1", "/oauth/x?y=1"), ("//evil.example", "/"), ("/\\evil", "/"),
     ("https://evil.example", "/"), ("", "/"), ("/a\nb", "/")],
)  # fmt: skip
def test_one_goes_on_here(address: str, where: str) -> None:
    assert local(address) == where


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("", 3_600), ("max-age=600", 600), ("public, max-age=1", 60), ("no-store", 60),
     ("max-age=99999999", 86_400), ("max-age=x", 3_600)],
)  # fmt: skip
def test_what_is_published_is_kept_for_as_long_as_it_says(said: str, seconds: int) -> None:
    assert kept_for({"cache-control": said}) == seconds
