"""The house as a provider: who asks for what, what somebody has agreed to, and tokens of it. A file
of its own because it joins records, keys and the directory; call it off the loop.

Access tokens are JWTs (RFC 9068), good for ten minutes. Refresh tokens are good once: one that
comes again has been stolen by somebody, so what it belongs to is revoked (RFC 9700, 4.14.2).
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from fondaco.domain.identity import events as ev
from fondaco.domain.identity import store as identity
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.key_terms import KeySealing
from fondaco.domain.identity.model import (
    Caller,
    Scope,
    TenantId,
    UserId,
    digest_of,
    token_of,
)
from fondaco.domain.identity.oidc import jwt, store
from fondaco.domain.identity.oidc.model import (
    ACCESS_S,
    CODE_S,
    COMMAND_LINE,
    GRANT_S,
    IDENTITY_SCOPES,
    SECOND_NS,
    Asked,
    Client,
    OAuthRefusal,
    agreeable,
    check_redirect_uri,
    fits,
    is_challenge,
    is_registered,
)
from fondaco.kernel.errors import Denied, Invalid, NotFound, Taken
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store

ALGORITHMS: Final[tuple[jwt.Algorithm, ...]] = ("EdDSA", "RS256", "ES256")
ACCESS_ALG: Final = "ES256"  # OpenSSL checks it in two thirds of the time of Ed25519
ID_ALG: Final = "RS256"  # the one that every client reads, OpenID Connect Core section 15.1
KEYS_SHOWN_NS: Final = 86_400 * SECOND_NS  # after they have signed last
ROTATED_EVERY_NS: Final = 30 * 86_400 * SECOND_NS
GRANT_BYTES: Final = 8
AUDIENCES: Final = ("", "/", "/api", "/mcp", "/graphql")  # of ours, behind the issuer's name


class About(Protocol):
    """What is told of a person to whom they have agreed."""

    def __call__(self, tenant: str, user: str) -> Mapping[str, str]: ...


class Tokens(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 6749 section 5.1. What is not given is left out."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    id_token: str = ""
    refresh_token: str = ""


class Issuer:
    def __init__(
        self,
        records: Store,
        directory: Directory,
        random: Callable[[int], bytes],
        sealing: KeySealing,
        about: About,
        url: str,
    ) -> None:
        self._records, self._directory = records, directory
        self.clock = self._clock = directory.clock
        self._random = random
        self._sealing, self._about = sealing, about
        self.url = url
        self._keys: dict[str, tuple[str, jwt.PrivateKey]] = {}  # by algorithm: what signs
        self.verifying: dict[str, jwt.VerifyingKey] = {}  # by kid
        self.jwks: list[dict[str, str]] = []
        self.grants: dict[str, Any] = {}  # those that hold, for tokens to be checked against
        self._know_command_line()
        self.refresh()

    def _know_command_line(self) -> None:
        """A client of the house's own, public, for whoever agrees; it is sent back nowhere."""
        with self._records.reading() as conn:
            if store.client(conn, COMMAND_LINE) is not None:
                return
        own = Client(
            COMMAND_LINE, "", "Fondaco's command line", (), tuple(Scope), "", True, self._clock()
        )
        with self._records.writing() as conn:
            store.add_client(conn, own, "")

    # --- Keys -----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read keys and grants again. To be called now and then: others may change them."""
        at = self._clock()
        with self._records.reading() as conn:
            rows = store.signing_keys_at(conn, at)
            grants = store.live_grants(conn, at)
        public = [msgspec.json.decode(row.public, type=dict[str, str]) for row in rows]
        found = [key for jwk in public if (key := jwt.key_of(jwk)) is not None]
        self.verifying = {key.kid: key for key in found}
        for row in rows:
            if row.ends_at is None and self._keys.get(row.alg, ("",))[0] != row.kid:
                raw = self._sealing.unseal(row.private, f"signing key {row.kid}")
                self._keys[row.alg] = (row.kid, load_der_private_key(raw, None))  # type: ignore[assignment]
        self.jwks, self.grants = public, grants

    def tick(self) -> None:
        """Called now and then: keys that have signed for a month are rotated."""
        at = self._clock()
        with self._records.reading() as conn:
            rows = store.signing_keys_at(conn, at)
        for row in rows:
            if row.ends_at is None and at - row.created_at > ROTATED_EVERY_NS:
                self.rotate(row.alg, "age")
        with self._records.writing() as conn:
            store.forget(conn, Instant(at - KEYS_SHOWN_NS))

    def rotate(self, alg: jwt.Algorithm, by: str) -> str:
        """A new key signs from now on; the old one verifies for another day. Its kid."""
        private, at = jwt.generated(alg), self._clock()
        jwk = jwt.jwk_of(private.public_key())
        raw = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        sealed = self._sealing.seal(raw, f"signing key {jwk['kid']}")
        with self._records.writing() as conn:
            store.add_signing_key(conn, jwk, sealed, at, Instant(at + KEYS_SHOWN_NS))
            store.tell(conn, ev.SigningKeyRotated(jwk["kid"], alg, by), at)
        self.refresh()
        return jwk["kid"]

    def _signing(self, alg: jwt.Algorithm) -> tuple[str, jwt.PrivateKey]:
        """Made when it is asked for first."""
        if alg not in self._keys:
            self.rotate(alg, "first")
        return self._keys[alg]

    def public_keys(self) -> list[dict[str, str]]:
        for alg in (ACCESS_ALG, ID_ALG):
            self._signing(alg)
        return self.jwks

    # --- Clients --------------------------------------------------------------------------------

    def register(
        self,
        tenant: str,
        name: str,
        redirect_uris: Sequence[str],
        scopes: Sequence[str],
        *,
        machine: str = "",
        is_public: bool = False,
        by: str,
    ) -> tuple[Client, str]:
        """A new client and its secret, which is shown this once; "" for a public one."""
        for uri in redirect_uris:
            check_redirect_uri(uri)
        if machine and is_public:
            raise Invalid("who asks by itself needs a secret: it cannot be public")
        if not redirect_uris and not machine:
            raise Invalid("a client needs a redirect URI, or a service account to ask for")
        secret, client_id = token_of(self._random(32)), f"app_{self._random(8).hex()}"
        client = Client(
            client_id,
            tenant,
            name,
            tuple(redirect_uris),
            tuple(sorted(frozenset(scopes))),
            machine,
            is_public,
            self._clock(),
        )
        with self._records.writing() as conn:
            if machine:
                identity.user(conn, TenantId(tenant), UserId(machine))
                if machine not in identity.owners(conn, tenant):
                    raise Taken(f"{machine} is a person: a client asks for a service account")
            store.add_client(conn, client, "" if is_public else digest_of(secret))
            told = ev.ClientRegistered(client_id, tenant, client.scopes, machine, is_public, by)
            store.tell(conn, told, client.created_at)
            if machine:
                self._add_grant(
                    conn, client, client_id, machine, client.scopes, "", "", forever=True
                )
        self.refresh()
        return client, "" if is_public else secret

    def remove_client(self, tenant: str, client_id: str, by: str) -> None:
        at = self._clock()
        with self._records.writing() as conn:
            if not store.remove_client(conn, tenant, client_id, at):
                raise NotFound(f"there is no client {client_id[:64]}")
            store.tell(conn, ev.ClientRemoved(client_id, tenant, by), at)
        self.changed()

    def clients(self, tenant: str) -> Sequence[Client]:
        with self._records.reading() as conn:
            return store.clients_of(conn, tenant)

    def client(self, client_id: str) -> Client:
        with self._records.reading() as conn:
            found = store.client(conn, client_id)
        if found is None:
            raise OAuthRefusal("invalid_client", "there is no such client", 401)
        return found[0]

    def authenticated(self, client_id: str, secret: str) -> Client:
        """A public client has none to show, and shows its code's verifier instead."""
        with self._records.reading() as conn:
            found = store.client(conn, client_id)
        digest = found[1] if found else digest_of("nobody")
        if found is None or (
            (digest or secret) and not hmac.compare_digest(digest, digest_of(secret))
        ):
            raise OAuthRefusal("invalid_client", "client or secret is wrong", 401)
        return found[0]

    # --- Authorising ----------------------------------------------------------------------------

    def asked(self, query: Mapping[str, str]) -> Asked:
        """What an application asks for. Raises `Invalid` where nobody may be sent back: then the
        person is told; else `OAuthRefusal`, which is for the application."""
        try:
            client = self.client(query.get("client_id", ""))
        except OAuthRefusal:
            raise Invalid("this application is not known here: client_id is wrong") from None
        uri = query.get("redirect_uri", "")
        if not is_registered(uri, client.redirect_uris):
            raise Invalid(f"{client.name} has not registered the address {uri[:200]!r}")
        if query.get("response_type") != "code":
            raise OAuthRefusal("unsupported_response_type", "response_type must be code")
        if query.get("code_challenge_method") != "S256" or not is_challenge(
            query.get("code_challenge", "")
        ):
            raise OAuthRefusal("invalid_request", "PKCE is needed: code_challenge with S256")
        if query.get("response_mode", "query") != "query":
            raise OAuthRefusal("invalid_request", "response_mode must be query")
        scopes = self.scopes_for(client, query.get("scope", ""))
        resource = self.audience(query.get("resource", ""))
        return Asked(
            client,
            uri,
            scopes,
            query.get("state", "")[:2_000],
            query.get("nonce", "")[:500],
            query["code_challenge"],
            resource,
            query.get("prompt", ""),
        )

    def scopes_for(self, client: Client, scope: str) -> tuple[str, ...]:
        """What an application may be given of what it asks for. Raises `OAuthRefusal`."""
        scopes = tuple(dict.fromkeys(scope.split()))
        known = {*IDENTITY_SCOPES, *Scope}
        if unknown := [each for each in scopes if each not in known]:
            raise OAuthRefusal("invalid_scope", f"{unknown[0][:40]} is no scope")
        if beyond := [each for each in scopes if each not in (*IDENTITY_SCOPES, *client.scopes)]:
            raise OAuthRefusal("invalid_scope", f"{client.name} may not ask for {beyond[0]}")
        if not scopes:
            raise OAuthRefusal("invalid_scope", "ask for a scope")
        return scopes

    def audience(self, resource: str) -> str:
        """RFC 8707: what the token is to be used at; ours alone."""
        if not resource:
            return self.url
        if resource not in self.audiences():
            raise OAuthRefusal("invalid_target", f"{resource[:100]} is not served here")
        return resource

    def audiences(self) -> tuple[str, ...]:
        return tuple(self.url + each for each in AUDIENCES)

    def agree(self, asked: Asked, caller: Caller, second_factor: str, signed_in_at: Instant) -> str:
        """The code that the application is sent back with, once a person has agreed."""
        code, at = token_of(self._random(32)), self._clock()
        with self._records.writing() as conn:
            grant_id = self.grant_to(
                conn, asked.client, caller, asked.scopes, asked.resource, second_factor,
                signed_in_at,
            )  # fmt: skip
            store.add_code(
                conn,
                digest=digest_of(code),
                grant_id=grant_id,
                redirect_uri=asked.redirect_uri,
                challenge=asked.challenge,
                nonce=asked.nonce,
                ends_at=at + CODE_S * SECOND_NS,
            )
        self.refresh()
        return code

    def grant_to(
        self,
        conn: Any,
        client: Client,
        caller: Caller,
        asked: Sequence[str],
        resource: str,
        second_factor: str,
        signed_in_at: Instant,
    ) -> str:
        """The id of what a person agrees to: of `asked`, as far as they may do it. Raises
        `Invalid` for an application of another firm."""
        if client.tenant not in ("", caller.tenant):
            raise Invalid(f"{client.name} is not for people of {caller.tenant}")
        scopes = agreeable(asked, caller.scopes)
        grant_id = f"grant_{self._random(GRANT_BYTES).hex()}"
        self._add_grant(
            conn, client, grant_id, caller.user, scopes, resource, second_factor,
            tenant=caller.tenant, signed_in_at=signed_in_at,
        )  # fmt: skip
        return grant_id

    def _add_grant(
        self,
        conn: Any,
        client: Client,
        grant_id: str,
        user: str,
        scopes: Sequence[str],
        resource: str,
        second_factor: str,
        *,
        tenant: str = "",
        forever: bool = False,
        signed_in_at: Instant | None = None,
    ) -> None:
        at = self._clock()
        whose = tenant or client.tenant
        store.add_grant(
            conn,
            grant_id=grant_id,
            client_id=client.client_id,
            tenant=whose,
            user=user,
            scopes=scopes,
            resource=resource,
            second_factor=second_factor,
            signed_in_at=at if signed_in_at is None else signed_in_at,
            created_at=at,
            ends_at=2**62 if forever else at + GRANT_S * SECOND_NS,
        )
        told = ev.AccessGranted(grant_id, client.client_id, whose, user, tuple(scopes))
        store.tell(conn, told, at)

    # --- Tokens ---------------------------------------------------------------------------------

    def of_code(self, client: Client, code: str, redirect_uri: str, verifier: str) -> Tokens:
        """Raises `OAuthRefusal`. A code that comes again revokes what it led to."""
        digest, at = digest_of(code), self._clock()
        with self._records.writing() as conn:
            row = store.code(conn, digest)
            grant: Any = None if row is None else store.grant(conn, row.grant_id)
            is_mine = grant is not None and grant.client_id == client.client_id
            first = is_mine and store.use_code(conn, digest, at)
            if is_mine and not first and store.revoke_grant(conn, row.grant_id, at):
                store.tell(conn, ev.AccessRevoked(row.grant_id, "code used again"), at)
        if is_mine and not first:
            self.changed()
        good = first and at < row.ends_at and grant.revoked_at is None
        if not good or redirect_uri != row.redirect_uri or not fits(verifier, row.challenge):
            raise OAuthRefusal(
                "invalid_grant", "the code is unknown, old, used, or of another request"
            )
        return self._tokens(grant, msgspec.json.decode(grant.scopes), row.nonce)

    def of_refresh(self, client: Client, token: str, scope: str) -> Tokens:
        """A new pair; the old refresh token is good no more. Raises `OAuthRefusal`."""
        digest, at = digest_of(token), self._clock()
        with self._records.writing() as conn:
            row = store.refresh(conn, digest)
            grant: Any = None if row is None else store.grant(conn, row.grant_id)
            is_mine = grant is not None and grant.client_id == client.client_id
            lives = is_mine and grant.revoked_at is None and at < grant.ends_at
            scopes = msgspec.json.decode(grant.scopes) if lives else []
            wanted = scope.split() or scopes
            if lives and not set(wanted) <= set(scopes):
                raise OAuthRefusal("invalid_scope", "that is more than was agreed to")
            first = lives and store.use_refresh(conn, digest, at)
            if lives and not first and store.revoke_grant(conn, row.grant_id, at):
                told = ev.AccessRevoked(row.grant_id, "refresh token used again")
                store.tell(conn, told, at)
        if lives and not first:
            self.changed()
        if not first:
            raise OAuthRefusal("invalid_grant", "the refresh token is unknown, used or revoked")
        return self._tokens(grant, wanted, "")

    def tokens_of(self, grant: Any) -> Tokens:
        """Of what somebody has agreed to just now."""
        return self._tokens(grant, msgspec.json.decode(grant.scopes), "")

    def of_machine(self, client: Client, scope: str, resource: str) -> Tokens:
        """Client credentials: in the name of the service account that the client asks for."""
        if not client.machine or client.is_public:
            raise OAuthRefusal("unauthorized_client", "this client does not ask by itself")
        wanted = scope.split() or list(client.scopes)
        if not set(wanted) <= set(client.scopes):
            raise OAuthRefusal("invalid_scope", "that is more than the client may ask for")
        grant = self.grants.get(client.client_id)
        if grant is None:
            raise OAuthRefusal("invalid_grant", "this client's access was revoked")
        return self._tokens(grant, wanted, "", self.audience(resource))

    def _tokens(self, grant: Any, scopes: Sequence[str], nonce: str, resource: str = "") -> Tokens:
        """`scopes` that the user has lost since are left out when the token is read."""
        now_s = self._clock() // SECOND_NS
        about = {
            "iss": self.url,
            "sub": f"{grant.tenant}/{grant.user}",
            "iat": now_s,
            "exp": now_s + ACCESS_S,
        }
        is_machine = grant.grant_id == grant.client_id
        scope = " ".join(scopes)
        access = {
            **about,
            "aud": resource or grant.resource or self.url,
            "client_id": grant.client_id,
            "jti": self._random(12).hex(),
            "sid": grant.grant_id,
            "scope": scope,
        }
        kid, key = self._signing(ACCESS_ALG)
        refresh = id_token = ""
        if "offline_access" in scopes and not is_machine:
            refresh = token_of(self._random(32))
            with self._records.writing() as conn:
                store.add_refresh(conn, digest_of(refresh), grant.grant_id, self._clock())
        if "openid" in scopes and not is_machine:
            told = {
                **about,
                "aud": grant.client_id,
                "auth_time": grant.signed_in_at // SECOND_NS,
                "amr": ["pwd", "mfa"] if grant.second_factor else ["pwd"],
                "sid": grant.grant_id,
                **({"nonce": nonce} if nonce else {}),
                **self._told(grant.tenant, grant.user, scopes),
            }
            id_kid, id_key = self._signing(ID_ALG)
            id_token = jwt.signed(told, id_key, id_kid, "JWT")
        token = jwt.signed(access, key, kid, "at+jwt")
        return Tokens(
            access_token=token,
            token_type="Bearer",  # noqa: S106
            expires_in=ACCESS_S,
            scope=scope,
            id_token=id_token,
            refresh_token=refresh,
        )

    def _told(self, tenant: str, user: str, scopes: Sequence[str]) -> dict[str, Any]:
        """Of a person, by what they have agreed to."""
        found: dict[str, Any] = {}
        personal = self._about(tenant, user) if {"profile", "email"} & set(scopes) else {}
        if "profile" in scopes:
            found |= {"preferred_username": user, "tenant": tenant}
            found |= {"name": personal["name"]} if personal.get("name") else {}
        if "email" in scopes and personal.get("email"):
            found |= {"email": personal["email"], "email_verified": True}
        return found

    # --- What a token leads to ------------------------------------------------------------------

    def userinfo(self, token: str) -> dict[str, Any]:
        """OpenID Connect Core section 5.3. Raises `Denied`."""
        claims = self.claims(token)
        scopes = str(claims.get("scope", "")).split()
        if "openid" not in scopes:
            raise Denied("the token was not given for openid", code="forbidden")
        tenant, _, user = str(claims["sub"]).partition("/")
        return {"sub": claims["sub"], **self._told(tenant, user, scopes)}

    def claims(self, token: str) -> dict[str, Any]:
        """Of an access token of ours that holds now. Raises `Denied`."""
        claims = jwt.verified(token, self.verifying, ("at+jwt",))
        now_s = self._clock() // SECOND_NS
        if claims.get("iss") != self.url:
            raise jwt.refused("it is another issuer's")
        if claims.get("aud") not in self.audiences():
            raise jwt.refused("it is for somebody else")
        exp = claims.get("exp")
        if not isinstance(exp, int) or now_s >= exp:
            raise jwt.refused("it has expired")
        if claims.get("sid") not in self.grants:
            raise jwt.refused("what it stands for was revoked")
        return claims

    def hint(self, token: str) -> dict[str, Any] | None:
        """The claims of an ID token of ours, be it old; None for anything else."""
        try:
            claims = jwt.verified(token, self.verifying, ("jwt",))
        except Denied:
            return None
        return claims if claims.get("iss") == self.url else None

    def revoke_token(self, client: Client, token: str) -> None:
        """RFC 7009: what is not known is revoked already."""
        grant_id = ""
        with self._records.reading() as conn:
            row = store.refresh(conn, digest_of(token))
            if row is not None:
                grant_id = row.grant_id
        if not grant_id:
            try:
                claims = jwt.verified(token, self.verifying, ("at+jwt",))
            except Denied:
                return
            grant_id = str(claims.get("sid", ""))
        grant = self.grants.get(grant_id)
        if (
            grant is not None
            and grant.client_id == client.client_id
            and grant_id != client.client_id
        ):
            self._revoke(grant_id, "client")

    def revoke_grant(self, caller: Caller, grant_id: str) -> None:
        """By whoever gave it. Raises `NotFound`."""
        grant = self.grants.get(grant_id)
        if grant is None or (grant.tenant, grant.user) != (caller.tenant, caller.user):
            raise NotFound(f"you have given no {grant_id[:64]}")
        self._revoke(grant_id, caller.name)

    def grants_of(self, caller: Caller) -> Sequence[Any]:
        with self._records.reading() as conn:
            return store.grants_of(conn, caller.tenant, caller.user, self._clock())

    def _revoke(self, grant_id: str, by: str) -> None:
        at = self._clock()
        with self._records.writing() as conn:
            if store.revoke_grant(conn, grant_id, at):
                store.tell(conn, ev.AccessRevoked(grant_id, by), at)
        self.changed()

    def changed(self) -> None:
        self.refresh()
        self._directory.refresh()
