"""The provider: what an attacker tries with tokens, codes and consent; published vectors."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk as foreign_keys
from joserfc import jwt as foreign

from fondaco.app.files import Files
from fondaco.app.secrets import sealing_at
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, Role, Scope
from fondaco.domain.identity.oidc import jwt
from fondaco.domain.identity.oidc.bearers import Bearers
from fondaco.domain.identity.oidc.issuer import Issuer, Tokens
from fondaco.domain.identity.oidc.model import (
    ACCESS_S,
    CODE_S,
    OAuthRefusal,
    challenge_of,
    check_redirect_uri,
    is_registered,
)
from fondaco.kernel.errors import Conflict, Denied, FondacoError, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.store import told
from fondaco.ports.store.sqlite import SqliteStore

pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
SECOND: Final = 1_000_000_000
NOW_S: Final = 1_750_000_000
URL: Final = "https://fondaco.example.com"
BACK: Final = "https://app.example.com/back"
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B


class House:
    def __init__(self, folder: Path) -> None:
        self.now = NOW_S * SECOND
        self.store = SqliteStore(folder / "records.db")
        clock = lambda: Instant(self.now)  # noqa: E731
        self.directory = Directory(self.store, MemoryCache(clock), clock, os.urandom)
        self.directory.create_user("acme", "ada", [Role.TRADER])
        self.directory.create_user("acme", "root", [Role.ADMIN])
        _, token = self.directory.create_key("acme", "ada", "first")
        self.ada = self.directory.authenticate(token)
        personal = lambda tenant, user: {"name": "Ada Lovelace", "email": "ada@example.com"}  # noqa: E731
        sealing = sealing_at(Files(folder))
        self.issuer = Issuer(self.store, self.directory, os.urandom, sealing, personal, URL)
        self.directory.bearing = Bearers(self.issuer)
        scopes = [Scope.ORDERS_READ, Scope.MARKET_READ, Scope.LIMITS_WRITE]
        self.client, self.secret = self.issuer.register("acme", "App", [BACK], scopes, by="root")

    def query(self, **change: str) -> dict[str, str]:
        return {
            "client_id": self.client.client_id,
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "openid profile offline_access orders:read",
            "state": "s",
            "nonce": "n-0S6_WzA2Mj",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **change,
        }

    def code(self, **change: str) -> str:
        asked = self.issuer.asked(self.query(**change))
        return self.issuer.agree(asked, self.ada, "totp", Instant(self.now - SECOND))

    def tokens(self, **change: str) -> Tokens:
        return self.issuer.of_code(self.client, self.code(**change), BACK, VERIFIER)

    def said(self) -> list[bytes]:
        with self.store.reading() as conn:
            return [row.event for row in told(conn, 1_000)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    found = House(tmp_path_factory.mktemp("oidc"))
    yield found
    found.store.close()


@pytest.fixture
def house(kept: House) -> House:
    """The keys take a moment to make, so they are shared; what a test changes is its own grant."""
    kept.now += 1_000 * SECOND
    return kept


def refused(error: str, act: Any, *args: Any) -> None:
    with pytest.raises(OAuthRefusal) as found:
        act(*args)
    assert found.value.error == error


# --- PKCE and addresses ---------------------------------------------------------------------------


def test_the_published_challenge_is_of_the_published_verifier() -> None:
    assert challenge_of(VERIFIER) == CHALLENGE


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("https://app.example.com/back", True),
        ("http://127.0.0.1:9/back", True),
        ("http://localhost/back", True),
        ("com.example.app:/back", True),
        ("http://app.example.com/back", False),
        ("https://app.example.com/back#x", False),
        ("https://user@app.example.com/", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https:///back", False),
        ("https://app.example.com/ back", False),
        ("", False),
    ],
)
def test_which_addresses_may_be_registered(uri: str, good: bool) -> None:
    if good:
        check_redirect_uri(uri)
    else:
        with pytest.raises(Invalid):
            check_redirect_uri(uri)


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        (BACK, True),
        ("http://127.0.0.1:51234/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://127.0.0.1:51234/cb/more", False),
        ("http://127.0.0.1.evil.example/cb", False),
        ("http://127.0.0.1:1@evil.example/cb", False),
        (BACK + "/", False),
        (BACK + "?x=1", False),
        ("https://app.example.com.evil.example/back", False),
        ("https://APP.example.com/back", False),
        ("", False),
    ],
)
def test_an_address_is_the_registered_one_exactly(uri: str, good: bool) -> None:
    assert is_registered(uri, (BACK, "http://127.0.0.1:8000/cb")) is good


# --- Authorising ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
        ({"scope": "openid root"}, "invalid_scope"),
        ({"scope": "openid house:write"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"resource": "https://elsewhere.example.com"}, "invalid_target"),
    ],
)
def test_what_is_asked_wrongly_is_told_to_the_application(
    house: House, change: dict[str, str], error: str
) -> None:
    refused(error, house.issuer.asked, house.query(**change))


def test_nobody_is_sent_to_an_address_that_is_not_registered(house: House) -> None:
    for change in ({"redirect_uri": "https://evil.example/"}, {"client_id": "app_0"}):
        with pytest.raises(Invalid):
            house.issuer.asked(house.query(**change))


def test_a_code_leads_to_tokens_once(house: House) -> None:
    code = house.code()
    found = house.issuer.of_code(house.client, code, BACK, VERIFIER)
    caller = house.directory.authenticate(found.access_token)
    assert (str(caller.user), set(caller.scopes)) == ("ada", {Scope.ORDERS_READ})
    assert house.directory.caller_named("acme", caller.name) == caller
    refused("invalid_grant", house.issuer.of_code, house.client, code, BACK, VERIFIER)
    with pytest.raises(Denied):
        house.directory.authenticate(found.access_token)
    refused("invalid_grant", house.issuer.of_refresh, house.client, found.refresh_token, "")
    assert any(b"code used again" in each for each in house.said())


@pytest.mark.parametrize(
    ("uri", "verifier", "later_s"),
    [
        (BACK + "/", VERIFIER, 0),
        (BACK, "A" * 43, 0),
        (BACK, VERIFIER[:-1], 0),
        (BACK, CHALLENGE, 0),
        (BACK, "", 0),
        (BACK, VERIFIER, CODE_S),
    ],
)
def test_a_stolen_code_is_worth_nothing(
    house: House, uri: str, verifier: str, later_s: int
) -> None:
    code = house.code()
    house.now += later_s * SECOND
    refused("invalid_grant", house.issuer.of_code, house.client, code, uri, verifier)


def test_a_code_is_of_one_client(house: House) -> None:
    other, _ = house.issuer.register("acme", "Other", [BACK], [], is_public=True, by="root")
    code = house.code()
    refused("invalid_grant", house.issuer.of_code, other, code, BACK, VERIFIER)
    assert house.issuer.of_code(house.client, code, BACK, VERIFIER).access_token


def test_who_has_no_secret_is_no_client(house: House) -> None:
    client_id = house.client.client_id
    assert house.issuer.authenticated(client_id, house.secret) == house.client
    public, _ = house.issuer.register("acme", "Public", [BACK], [], is_public=True, by="root")
    assert house.issuer.authenticated(public.client_id, "") == public
    wrong = [(client_id, ""), (client_id, "x"), ("app_0", ""), (public.client_id, "x"), ("", "")]
    for named, secret in wrong:
        refused("invalid_client", house.issuer.authenticated, named, secret)


# --- Refreshing -----------------------------------------------------------------------------------


def test_a_refresh_token_that_comes_again_ends_everything(house: House) -> None:
    first = house.tokens()
    second = house.issuer.of_refresh(house.client, first.refresh_token, "")
    assert second.refresh_token != first.refresh_token
    house.directory.authenticate(second.access_token)
    refused("invalid_grant", house.issuer.of_refresh, house.client, first.refresh_token, "")
    with pytest.raises(Denied):
        house.directory.authenticate(second.access_token)
    refused("invalid_grant", house.issuer.of_refresh, house.client, second.refresh_token, "")


def test_a_refreshed_token_may_do_less_and_never_more(house: House) -> None:
    found = house.tokens()
    refused(
        "invalid_scope", house.issuer.of_refresh, house.client, found.refresh_token, "market:read"
    )
    less = house.issuer.of_refresh(house.client, found.refresh_token, "openid")
    assert house.directory.authenticate(less.access_token).scopes == set()
    assert not house.tokens(scope="openid orders:read").refresh_token, "it was not asked for"


def test_nobody_agrees_to_more_than_they_may_and_a_lost_role_is_lost(house: House) -> None:
    found = house.tokens(scope="orders:read limits:write")
    assert house.directory.authenticate(found.access_token).scopes == {Scope.ORDERS_READ}
    house.directory.create_user("acme", "ada", [Role.ADMIN])
    assert house.directory.authenticate(found.access_token).scopes == set()
    house.directory.create_user("acme", "ada", [Role.TRADER])
    assert house.directory.authenticate(found.access_token).scopes == {Scope.ORDERS_READ}


def test_what_was_agreed_to_is_seen_and_ended(house: House) -> None:
    found = house.tokens()
    caller = house.directory.authenticate(found.access_token)
    (grant, *_) = house.issuer.grants_of(house.ada)
    assert grant.client_name == "App"
    root = Caller("root/x", house.ada.tenant, "root", (), frozenset())  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        house.issuer.revoke_grant(root, grant.grant_id)
    assert house.directory.still("acme", caller.name).scopes == {Scope.ORDERS_READ}
    house.issuer.revoke_grant(house.ada, grant.grant_id)
    with pytest.raises(Denied):
        house.directory.authenticate(found.access_token)
    for ask in (house.directory.caller_named, house.directory.still):
        with pytest.raises(Denied):
            ask("acme", caller.name)


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_an_application_gives_its_token_back(house: House, which: str) -> None:
    found = house.tokens()
    other, _ = house.issuer.register("acme", "Other", [BACK], [], is_public=True, by="root")
    house.issuer.revoke_token(other, getattr(found, which))
    assert house.directory.authenticate(found.access_token), "another's is not its to give"
    house.issuer.revoke_token(house.client, getattr(found, which))
    with pytest.raises(Denied):
        house.directory.authenticate(found.access_token)
    house.issuer.revoke_token(house.client, "nobody has this")


# --- Machines -------------------------------------------------------------------------------------


def test_a_machine_asks_for_its_service_account(house: House) -> None:
    with pytest.raises(Conflict):
        house.issuer.register("acme", "Bot", [], [Scope.ORDERS_READ], machine="ada", by="root")
    name = f"svc-{house.now}"
    house.directory.create_service_account("acme", name, "ada", [Role.TRADER], "root")
    scopes = [Scope.ORDERS_READ, Scope.ORDERS_WRITE]
    bot, _ = house.issuer.register("acme", "Bot", [], scopes, machine=name, by="root")
    found = house.issuer.of_machine(bot, "orders:read", "")
    caller = house.directory.authenticate(found.access_token)
    assert (str(caller.user), set(caller.scopes)) == (name, {Scope.ORDERS_READ})
    assert not found.id_token
    assert not found.refresh_token
    refused("invalid_scope", house.issuer.of_machine, bot, "house:write", "")
    refused("unauthorized_client", house.issuer.of_machine, house.client, "", "")
    house.issuer.remove_client("acme", bot.client_id, "root")
    with pytest.raises(Denied):
        house.directory.authenticate(found.access_token)


# --- Tokens ---------------------------------------------------------------------------------------


def test_others_read_our_tokens(house: House) -> None:
    """joserfc, which shares no code with us."""
    found = house.tokens(scope="openid profile email orders:read")
    keys = foreign_keys.KeySet.import_key_set({"keys": house.issuer.public_keys()})  # type: ignore[typeddict-item]
    claims = foreign.decode(found.id_token, keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"], claims["sub"]) == (
        URL,
        house.client.client_id,
        "acme/ada",
    )
    assert (claims["nonce"], claims["amr"]) == ("n-0S6_WzA2Mj", ["pwd", "mfa"])
    assert claims["auth_time"] == house.now // SECOND - 1
    assert (claims["name"], claims["email"]) == ("Ada Lovelace", "ada@example.com")
    access = foreign.decode(found.access_token, keys, algorithms=["ES256"])
    assert access.header["typ"] == "at+jwt"
    assert access.claims["exp"] == house.now // SECOND + ACCESS_S
    assert house.issuer.userinfo(found.access_token)["preferred_username"] == "ada"


def claims_of(house: House) -> dict[str, Any]:
    token = house.tokens().access_token
    return dict(msgspec.json.decode(jwt.parts_of(token)[1]))


def signed_as(head: dict[str, Any], payload: str, key: Any) -> str:
    """With a header that we would never write, and a signature that fits."""
    text = f"{jwt.encoded(msgspec.json.encode(head))}.{payload}"
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
    return f"{text}.{jwt.encoded(r.to_bytes(32) + s.to_bytes(32))}"


def forged(house: House, how: str) -> str:  # noqa: C901
    good = house.tokens()
    claims = claims_of(house)
    kid, key = house.issuer._keys["ES256"]
    head, _, rest = good.access_token.partition(".")
    payload = rest.partition(".")[0]
    public = house.issuer.verifying[kid].key
    match how:
        case "none":
            bare = jwt.encoded(msgspec.json.encode({"alg": "none", "typ": "at+jwt", "kid": kid}))
            return f"{bare}.{payload}."
        case "hmac":  # the public key as the secret of an HMAC
            from hmac import digest

            bare = jwt.encoded(msgspec.json.encode({"alg": "HS256", "typ": "at+jwt", "kid": kid}))
            signature = digest(
                public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
                f"{bare}.{payload}".encode(),
                "sha256",
            )
            return f"{bare}.{payload}.{jwt.encoded(signature)}"
        case "other key":
            return jwt.signed(claims, jwt.generated("ES256"), kid, "at+jwt")
        case "unknown kid":
            return jwt.signed(claims, key, "nobody", "at+jwt")
        case "own key":
            own = jwt.generated("ES256")
            named = jwt.jwk_of(own.public_key())
            return signed_as(
                {"alg": "ES256", "typ": "at+jwt", "kid": kid, "jwk": named}, payload, own
            )
        case "id token":
            return good.id_token
        case "issuer":
            return jwt.signed({**claims, "iss": "https://evil.example"}, key, kid, "at+jwt")
        case "audience":
            return jwt.signed({**claims, "aud": "https://evil.example"}, key, kid, "at+jwt")
        case "expired":
            return jwt.signed({**claims, "exp": house.now // SECOND}, key, kid, "at+jwt")
        case "no expiry":
            del claims["exp"]
            return jwt.signed(claims, key, kid, "at+jwt")
        case "grant":
            return jwt.signed({**claims, "sid": "grant_0"}, key, kid, "at+jwt")
        case "crit":
            crit = {"alg": "ES256", "typ": "at+jwt", "kid": kid, "crit": ["b64"], "b64": False}
            return signed_as(crit, payload, key)
        case "padded":
            return good.access_token + "="
        case "changed":
            other = jwt.encoded(msgspec.json.encode({**claims, "scope": "house:write"}))
            return f"{head}.{other}.{rest.partition('.')[2]}"
    raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        "none", "hmac", "other key", "unknown kid", "own key", "id token", "issuer", "audience",
        "expired", "no expiry", "grant", "crit", "padded", "changed",
    ],
)  # fmt: skip
def test_a_token_that_is_not_ours_is_refused(house: House, how: str) -> None:
    with pytest.raises(Denied):
        house.directory.authenticate(forged(house, how))


def test_a_token_ends_when_it_says_also_where_it_was_seen(house: House) -> None:
    token = house.tokens().access_token
    house.directory.authenticate(token)
    house.now += (ACCESS_S - 1) * SECOND
    house.directory.authenticate(token)
    house.now += SECOND
    with pytest.raises(Denied):
        house.directory.authenticate(token)


def test_after_a_rotation_old_tokens_hold_and_old_keys_end(house: House) -> None:
    before = house.tokens()
    old, _ = house.issuer._keys["ES256"]
    kid = house.issuer.rotate("ES256", "root")
    after = house.tokens()
    assert jwt.parts_of(after.access_token)[0].kid == kid != old
    for token in (before.access_token, after.access_token):
        house.directory.authenticate(token)
    assert {each["kid"] for each in house.issuer.jwks} >= {old, kid}
    house.now += 86_401 * SECOND
    house.issuer.refresh()
    assert old not in house.issuer.verifying
    assert kid in house.issuer.verifying


def test_a_restarted_house_knows_its_keys(house: House, tmp_path: Path) -> None:
    token = house.tokens().access_token
    sealing, personal = house.issuer._sealing, house.issuer._about
    again = Issuer(house.store, house.directory, os.urandom, sealing, personal, URL)
    assert again.claims(token)["sub"] == "acme/ada"
    (tmp_path / "other").mkdir()
    other = sealing_at(Files(tmp_path / "other"))
    with pytest.raises(FondacoError):
        Issuer(house.store, house.directory, os.urandom, other, personal, URL)


@given(
    st.text(max_size=200)
    | st.from_regex(r"[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,60}")
)
def test_no_text_breaks_the_reading_of_a_token(text: str) -> None:
    with pytest.raises(Denied):
        jwt.verified(text, {}, ("at+jwt",))


# RFC 8037, appendix A.4: a signature by the key of A.1.
ED25519: Final = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
SIGNED: Final = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)


def test_the_published_token_of_ed25519_verifies() -> None:
    _, payload, text, signature = jwt.parts_of(SIGNED)
    assert payload == b"Example of Ed25519 signing"
    key = jwt.key_of(ED25519)
    assert key
    jwt.check(key, text, signature)
    with pytest.raises(Denied):
        jwt.check(key, text + b".", signature)
    # RFC 8037 appendix A.3: its thumbprint.
    assert jwt.jwk_of(key.key)["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("alg", jwt.Algorithm.__args__)  # type: ignore[attr-defined]
def test_what_we_sign_others_read_and_we_read_what_they_sign(alg: jwt.Algorithm) -> None:
    private = jwt.generated(alg)
    named = jwt.jwk_of(private.public_key())
    token = jwt.signed({"sub": "x"}, private, named["kid"], "JWT")
    theirs = foreign_keys.import_key(named)  # type: ignore[arg-type]
    assert foreign.decode(token, theirs, algorithms=[alg]).claims == {"sub": "x"}
    kinds: dict[str, tuple[Any, Any]] = {
        "EdDSA": ("OKP", "Ed25519"),
        "RS256": ("RSA", 2048),
        "ES256": ("EC", "P-256"),
    }
    own: Any = foreign_keys.generate_key(*kinds[alg])
    shown = {**own.as_dict(private=False), "kid": "theirs", "alg": alg}
    key = jwt.key_of(shown)
    assert key
    made = foreign.encode({"alg": alg, "kid": "theirs"}, {"sub": "y"}, own, algorithms=[alg])
    assert jwt.verified(made, {"theirs": key}, ("jwt",)) == {"sub": "y"}


def test_a_weak_or_unusable_key_is_not_taken() -> None:
    weak = foreign_keys.RSAKey.generate_key(1024).as_dict(private=False)
    with pytest.raises(Invalid):
        jwt.key_of(weak)
    assert jwt.key_of({**ED25519, "use": "enc"}) is None
    assert jwt.key_of({**ED25519, "alg": "RS256"}) is None
    assert jwt.key_of({"kty": "oct", "k": "AAAA"}) is None
