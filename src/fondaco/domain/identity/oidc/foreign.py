"""Signing in with a provider of others, and their access tokens. A file of its own because it has
state: what each provider has published, kept until it says, and what was begun and not finished.

What fetches must be called off the loop; `verified` and `caller` are called on it, and fetch
nothing: where they miss a key they have it fetched, and say to come again.
"""

import hmac
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote, urlencode

import msgspec

from fondaco.domain.identity import store as identity
from fondaco.domain.identity.bearing import RolesOf
from fondaco.domain.identity.model import (
    BEARER_MARK,
    Caller,
    KeyId,
    Role,
    TenantId,
    User,
    UserId,
    digest_of,
    scopes_of,
    token_of,
)
from fondaco.domain.identity.oidc import jwt, store
from fondaco.domain.identity.oidc.model import SECOND_NS, challenge_of
from fondaco.domain.identity.oidc.trusted import (
    Stranger,
    Trusted,
    check_access_token,
    check_id_token,
    is_safe,
    mapped,
    scopes_in,
)
from fondaco.kernel.errors import Denied, FondacoError, Invalid, NotFound, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.cache import Cache
from fondaco.ports.store import Store

PENDING_MS: Final = 600_000
KEPT_S: Final = (60, 3_600, 86_400)  # what is published: at least, where nothing is said, at most
AGAIN_S: Final = 10  # between two looks for a key that is not known
NAMES_MAX: Final = 10_000
KEYS_MAX: Final = 100
ACCESS_TYPES: Final = ("at+jwt",)
_PENDING: Final = "external:"
_ASK: Final = "ask whoever runs the house"


class Fetched(NamedTuple):
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Fetch(Protocol):
    """One request to somebody else, that follows no redirect. Raises `Unavailable`."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Fetched: ...


class _Metadata(msgspec.Struct, frozen=True):
    """OpenID Connect Discovery 1.0, as far as it is used here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class _Answer(msgspec.Struct, frozen=True):
    id_token: str = ""
    access_token: str = ""
    error: str = ""


class _Keys(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class _Begun(msgspec.Struct, frozen=True):
    """A sign-in that somebody has begun; the browser is known by a cookie's hash."""

    provider: str
    verifier: str
    nonce: str
    next: str
    browser: str
    at: Instant


class _State:
    """What is known of one provider."""

    __slots__ = (
        "keys", "keys_asked_s", "keys_at_s", "keys_until_s", "metadata", "until_s", "wanted"
    )  # fmt: skip

    def __init__(self) -> None:
        self.metadata: _Metadata | None = None
        self.until_s = self.keys_until_s = self.keys_at_s = self.keys_asked_s = 0
        self.keys: dict[str, jwt.VerifyingKey] = {}
        self.wanted = False


class Arrived(NamedTuple):
    """Somebody who has come back from a provider."""

    who: Stranger
    next: str
    id_token: str


class ForeignProviders:
    def __init__(
        self,
        trusted: Mapping[str, Trusted],
        secret: Callable[[str], str],
        fetch: Fetch,
        records: Store,
        cache: Cache,
        clock: Callable[[], Instant],
        random: Callable[[int], bytes],
    ) -> None:
        """`secret` gives a provider's, by name; "" for none."""
        self.trusted = trusted
        self._secret, self._fetch, self._records = secret, fetch, records
        self._cache, self._clock, self._random = cache, clock, random
        self._by_issuer = {each.issuer: name for name, each in trusted.items()}
        self._states = {name: _State() for name in trusted}
        self._scopes: OrderedDict[tuple[str, str], Caller] = OrderedDict()
        self._linked: set[tuple[str, str]] = set()

    # --- Signing in -----------------------------------------------------------------------------

    def start(self, name: str, next_: str, redirect_uri: str) -> tuple[str, str]:
        """Where to send a browser, and what to have it keep until it is back."""
        trusted, metadata = self._named(name), self._metadata(name)
        state, nonce, verifier, browser = (token_of(self._random(32)) for _ in range(4))
        begun = _Begun(name, verifier, nonce, local(next_), digest_of(browser), self._clock())
        self._cache.put(_PENDING + digest_of(state), msgspec.json.encode(begun), PENDING_MS)
        query = {
            "client_id": trusted.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(trusted.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in metadata.authorization_endpoint else "?"
        return f"{metadata.authorization_endpoint}{mark}{urlencode(query)}", browser

    def finish(
        self, name: str, query: Mapping[str, str], browser: str, redirect_uri: str
    ) -> Arrived:
        """Raises `Denied` for what nobody has begun here, or has finished before."""
        trusted, metadata = self._named(name), self._metadata(name)
        kept = self._cache.pop(_PENDING + digest_of(query.get("state", "")))
        begun = msgspec.json.decode(kept, type=_Begun) if kept else None
        if begun is None or begun.provider != name:
            raise _refused("nobody has begun it here, or it was finished before")
        if not hmac.compare_digest(begun.browser, digest_of(browser)):
            raise _refused("it was begun in another browser")
        if query.get("iss", trusted.issuer) != trusted.issuer or (
            metadata.authorization_response_iss_parameter_supported and "iss" not in query
        ):
            raise _refused("another provider has answered")  # RFC 9207
        if "error" in query or not query.get("code"):
            raise _refused(f"{name} says {query.get('error', 'nothing')[:60]}")
        answer = self._redeem(name, query["code"], begun.verifier, redirect_uri)
        types = ("jwt", "")
        claims = self._read_again(name, lambda keys: jwt.verified(answer.id_token, keys, types))
        check_id_token(trusted, claims, begun.nonce, self._now_s(), answer.access_token)
        if trusted.userinfo:
            claims = {**self._userinfo(name, answer.access_token, claims), **claims}
        return Arrived(mapped(name, trusted, claims), begun.next, answer.id_token)

    def _redeem(self, name: str, code: str, verifier: str, redirect_uri: str) -> _Answer:
        trusted, metadata = self._named(name), self._metadata(name)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        secret = self._secret(name)
        if secret and "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            pair = f"{quote(trusted.client_id, '')}:{quote(secret, '')}"  # RFC 6749, 2.3.1
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = trusted.client_id
            if secret:
                form["client_secret"] = secret
        got = self._fetch("POST", metadata.token_endpoint, headers, urlencode(form).encode())
        answer: _Answer = _decoded(name, got.body, _Answer)
        if got.status != 200 or not answer.id_token:
            raise _refused(f"{name} gives no token: {answer.error[:60] or got.status}")
        return answer

    def _userinfo(self, name: str, token: str, claims: Mapping[str, Any]) -> dict[str, Any]:
        got = self._fetch(
            "GET", self._metadata(name).userinfo_endpoint, {"authorization": f"Bearer {token}"}
        )
        found: dict[str, Any] = _decoded(name, got.body, dict[str, Any])
        if got.status != 200 or found.get("sub") != claims.get("sub"):
            raise _refused(f"{name} tells of somebody else")  # Core, 5.3.2
        return found

    def user_of(self, who: Stranger) -> User:
        """The user of somebody who has arrived, with the roles that they are given today. Raises
        `Denied` where another has their name."""
        made = User(TenantId(who.tenant), UserId(who.user), who.roles)
        with self._records.writing() as conn:
            linked = store.linked(conn, who.subject)
            if linked is not None:
                made = User(TenantId(linked.tenant), UserId(linked.user), who.roles)
            if made.tenant != who.tenant:
                raise Denied(f"you were of {made.tenant} here: {_ASK}", code="forbidden")
            identity.add_tenant(conn, made.tenant, self._clock())
            if linked is None:
                if _is_taken(conn, made):
                    raise Denied(f"the name {made.user} is taken: {_ASK}", code="forbidden")
                store.link(conn, who.subject, made.tenant, made.user, self._clock())
            identity.put_user(conn, made, self._clock())
        self._linked.add((made.tenant, who.subject))
        return made

    def sign_out(self, name: str, id_token: str, back: str) -> str:
        """Where to send a browser that is signed out here, to be signed out there, too. "" where
        the provider has no such place. OpenID Connect RP-Initiated Logout 1.0."""
        trusted, metadata = self._named(name), self._metadata(name)
        if not metadata.end_session_endpoint:
            return ""
        query = {"client_id": trusted.client_id, "post_logout_redirect_uri": back}
        if id_token:
            query["id_token_hint"] = id_token
        mark = "&" if "?" in metadata.end_session_endpoint else "?"
        return f"{metadata.end_session_endpoint}{mark}{urlencode(query)}"

    # --- What it has published ------------------------------------------------------------------

    def tick(self) -> str:
        """Called every second, off the loop: what is to be read again is. What could not be."""
        failed = []
        for name, trusted in self.trusted.items():
            state, now_s = self._states[name], self._now_s()
            due = state.wanted or (trusted.audience and now_s >= state.keys_until_s)
            if not due or now_s < state.keys_asked_s + AGAIN_S:
                continue
            try:
                self._read_keys(name)
            except FondacoError as error:
                failed.append(error.message)
        return "; ".join(failed)

    def _metadata(self, name: str) -> _Metadata:
        state, now_s = self._states[name], self._now_s()
        if state.metadata is not None and now_s < state.until_s:
            return state.metadata
        issuer = self.trusted[name].issuer
        place = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            got = self._fetch("GET", place, {"accept": "application/json"})
            found: _Metadata = _published(name, got, _Metadata)
        except Unavailable:
            if state.metadata is None:
                raise
            return state.metadata  # what it said last
        if found.issuer != issuer:
            raise Denied(f"{name} calls itself {found.issuer[:200]}", code="forbidden")
        places = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        more = (found.userinfo_endpoint, found.end_session_endpoint)
        if not all(is_safe(each.partition("?")[0]) for each in (*places, *filter(None, more))):
            raise Denied(f"{name} names a place that is not https", code="forbidden")
        state.metadata, state.until_s = found, now_s + kept_for(got.headers)
        return found

    def _read_keys(self, name: str) -> dict[str, jwt.VerifyingKey]:
        state = self._states[name]
        state.keys_asked_s, state.wanted = self._now_s(), False
        got = self._fetch("GET", self._metadata(name).jwks_uri, {"accept": "application/json"})
        found: dict[str, jwt.VerifyingKey] = {}
        for each in _published(name, got, _Keys).keys[:KEYS_MAX]:
            try:
                key = jwt.key_of(each)
            except Invalid:
                continue  # of a kind that we could not use either
            if key is not None:
                found[key.kid] = key
        if len(found) == 1:
            found[""] = next(iter(found.values()))  # a token need not name the only one
        state.keys, state.keys_at_s = found, self._now_s()
        state.keys_until_s = state.keys_at_s + kept_for(got.headers)
        return found

    def _keys(self, name: str) -> dict[str, jwt.VerifyingKey]:
        """Not for longer than a day, whatever has become of the provider."""
        state = self._states[name]
        return state.keys if self._now_s() < state.keys_at_s + KEPT_S[2] else {}

    def _read_again(
        self, name: str, verify: Callable[[Mapping[str, jwt.VerifyingKey]], dict[str, Any]]
    ) -> dict[str, Any]:
        """With the keys that are known, and where one is not, once more with those of today."""
        state = self._states[name]
        if self._now_s() < state.keys_until_s:
            try:
                return verify(self._keys(name))
            except jwt.UnknownKey:
                if self._now_s() < state.keys_asked_s + AGAIN_S:
                    raise
        return verify(self._read_keys(name))

    # --- Access tokens --------------------------------------------------------------------------

    def knows(self, issuer: str) -> bool:
        return issuer in self._by_issuer

    def verified(self, token: str, issuer: str) -> Mapping[str, Any]:
        """Raises `Denied`, and `Unavailable` while its keys are being read."""
        name = self._by_issuer[issuer]
        trusted, state = self.trusted[name], self._states[name]
        if not trusted.audience:
            raise jwt.refused(f"access tokens of {name} are not taken here")
        types = (*ACCESS_TYPES, "jwt") if trusted.plain_access_tokens else ACCESS_TYPES
        try:
            claims = jwt.verified(token, self._keys(name), types)
        except jwt.UnknownKey:
            if self._now_s() < state.keys_asked_s + AGAIN_S:
                raise
            state.wanted = True
            raise Unavailable(
                f"the keys of {name} are being read again: try again in a moment", retry_after_s=1
            ) from None
        check_access_token(trusted, claims, self._now_s())
        who = mapped(name, trusted, claims)
        if (who.tenant, who.subject) not in self._linked:
            self.user_of(who)
        return claims

    def caller(self, claims: Mapping[str, Any]) -> tuple[Caller, Instant]:
        """By what its claims are given today."""
        name = self._by_issuer[claims["iss"]]
        trusted = self.trusted[name]
        who = mapped(name, trusted, claims)
        with self._records.reading() as conn:
            linked = store.linked(conn, who.subject)
        if linked is None or linked.tenant != who.tenant:
            raise jwt.refused("its user is not here any more")
        scopes = scopes_in(trusted, claims, who.roles)
        # Two tokens that may do different things are two callers.
        by = claims.get("azp") or claims.get("client_id") or ""
        own = sha256(f"{by}\0{' '.join(sorted(scopes))}".encode()).hexdigest()[:8]
        found = Caller(
            name=f"{linked.user}{BEARER_MARK}{name}.{own}",
            tenant=TenantId(linked.tenant),
            user=UserId(linked.user),
            roles=who.roles,
            scopes=scopes,
            key_id=KeyId(f"tok_{name}_{digest_of(msgspec.json.encode(claims).decode())[:24]}"),
            second_factor=who.second_factor,
        )
        self._scopes[found.tenant, found.name] = found
        while len(self._scopes) > NAMES_MAX:
            self._scopes.popitem(last=False)
        ends_at = Instant(int((claims["exp"] + trusted.clock_skew_s) * SECOND_NS))
        return found, ends_at

    def still(self, tenant: str, name: str, roles_of: RolesOf) -> Caller | None:
        """Whom such a name stands for, as far as its user may still do it; None for others."""
        found = self._scopes.get((tenant, name))
        if found is None:
            return None
        roles: tuple[Role, ...] = roles_of(tenant, found.user) or ()
        scopes = found.scopes & scopes_of(roles)
        return msgspec.structs.replace(found, roles=roles, scopes=scopes)

    # --- Parts of these -------------------------------------------------------------------------

    def _named(self, name: str) -> Trusted:
        found = self.trusted.get(name)
        if found is None:
            raise Invalid(f"there is no provider {name[:40]!r} here")
        return found

    def _now_s(self) -> int:
        return self._clock() // SECOND_NS


def local(address: str) -> str:
    """A place of this house; its first page for anything else."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_ours and address.isprintable() and len(address) <= 8_000 else "/"


def kept_for(headers: Mapping[str, str]) -> int:
    """Seconds for which what was published may be kept: Cache-Control, RFC 9111."""
    low, usual, high = KEPT_S
    for part in headers.get("cache-control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        if name in ("no-store", "no-cache"):
            return low
        if name == "max-age" and value.isdecimal():
            return min(max(int(value), low), high)
    return usual


def _is_taken(conn: Any, user: User) -> bool:
    try:
        identity.user(conn, user.tenant, user.user)
    except NotFound:
        return False
    return True


def _published(name: str, got: Fetched, kind: Any) -> Any:
    if got.status != 200:
        raise Unavailable(f"{name} answers {got.status}: try again in a moment", retry_after_s=10)
    return _decoded(name, got.body, kind)


def _decoded(name: str, body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError:
        raise Unavailable(f"what {name} answers cannot be read", retry_after_s=10) from None


def _refused(why: str) -> Denied:
    return Denied(f"signing in was not finished: {why}", code="sign_in_failed")
