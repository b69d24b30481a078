"""The house as a provider, put together: records, keys, people and the addresses it goes by."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from fondaco.app.external import ExternalPart, external_part
from fondaco.app.files import Files
from fondaco.app.people import PeoplePart
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import DEMO, Caller, Scope, is_session
from fondaco.domain.identity.oidc.api import Algorithm, RegisterClient, RegisteredClient
from fondaco.domain.identity.oidc.bearers import Bearers
from fondaco.domain.identity.oidc.devices import GRANT as DEVICE
from fondaco.domain.identity.oidc.devices import DeviceAsked, Devices, DeviceShown
from fondaco.domain.identity.oidc.issuer import ID_ALG, Issuer, Tokens
from fondaco.domain.identity.oidc.model import IDENTITY_SCOPES, Asked, OAuthRefusal, agreeable
from fondaco.kernel.errors import Denied, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.cache import Cache
from fondaco.ports.outbound import Outbound
from fondaco.ports.store import Store
from fondaco.settings import Settings

SECOND_NS: Final = 1_000_000_000
URIS_MAX: Final = 10
URI_MAX: Final = 500
GRANTS: Final = ("authorization_code", "refresh_token", "client_credentials", DEVICE)
METHODS: Final = ("none", "client_secret_basic", "client_secret_post")


class Provider:
    """What the provider's door and its operations are answered from."""

    refusal = OAuthRefusal

    def __init__(
        self, issuer: Issuer, people: PeoplePart, directory: Directory, *, demo: bool, open_: bool
    ) -> None:
        self.issuer, self._people, self._directory = issuer, people, directory
        self.is_demo, self._open = demo, open_
        self.devices: Devices
        self.external: ExternalPart
        self.cookie, self.csrf = people.cookie, people.csrf
        self.remove_client, self.clients = issuer.remove_client, issuer.clients
        self.grants_of, self.revoke_grant = issuer.grants_of, issuer.revoke_grant
        self.userinfo, self.caller = issuer.userinfo, people.caller

    @property
    def providers(self) -> Mapping[str, str]:
        return self.external.labels

    @property
    def url(self) -> str:
        return self.issuer.url

    def metadata(self) -> Mapping[str, Any]:
        """OpenID Connect Discovery 1.0, and RFC 8414."""
        url = self.url
        return {
            "issuer": url,
            "authorization_endpoint": f"{url}/oauth/authorize",
            "token_endpoint": f"{url}/oauth/token",
            "userinfo_endpoint": f"{url}/oauth/userinfo",
            "jwks_uri": f"{url}/.well-known/jwks.json",
            "device_authorization_endpoint": f"{url}/oauth/device_authorization",
            "revocation_endpoint": f"{url}/oauth/revoke",
            "end_session_endpoint": f"{url}/oauth/end-session",
            **({"registration_endpoint": f"{url}/oauth/register"} if self._open else {}),
            "scopes_supported": [*IDENTITY_SCOPES, *Scope],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(GRANTS),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ID_ALG],
            "token_endpoint_auth_methods_supported": list(METHODS),
            "revocation_endpoint_auth_methods_supported": list(METHODS),
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "claims_supported": [
                "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "amr", "sid",
                "preferred_username", "tenant", "name", "email", "email_verified",
            ],
        }  # fmt: skip

    def jwks(self) -> Mapping[str, Any]:
        return {"keys": self.issuer.public_keys()}

    def asked(self, query: Mapping[str, str]) -> Asked:
        return self.issuer.asked(query)

    def agreeable(self, asked: Sequence[str], caller: Caller) -> tuple[str, ...]:
        """Of the scopes that are asked for, those that this person can give."""
        return agreeable(asked, caller.scopes)

    def may_skip(self, asked: Asked, caller: Caller) -> bool:
        """Whether the same was agreed to before. Of an application that anybody may say to be, a
        person is asked each time (RFC 8252 section 8.6)."""
        return not asked.client.is_public and any(
            grant.client_id == asked.client.client_id
            and (grant.tenant, grant.user) == (caller.tenant, caller.user)
            and set(asked.scopes) <= set(_names(grant.scopes))
            for grant in self.issuer.grants.values()
        )

    def agree(self, asked: Asked, caller: Caller) -> str:
        """Raises `Invalid` for who is not signed in as a person."""
        return self.issuer.agree(asked, caller, *self._signed_in(caller))

    def _signed_in(self, caller: Caller) -> tuple[str, Instant]:
        """With which second factor, and when. Raises `Invalid`."""
        if caller.key_id and is_session(caller.key_id):
            return self._people.desk.signed_in(caller)
        if self.is_demo and caller.user == DEMO and not caller.behind:
            return "", self._directory.clock()
        raise Invalid("a key agrees to nothing: sign in as a person")

    # --- Devices --------------------------------------------------------------------------------

    def device_begun(self, form: Mapping[str, str], secret: str, address: str) -> DeviceAsked:
        client = self.issuer.authenticated(form.get("client_id", ""), secret)
        scope, resource = form.get("scope", ""), form.get("resource", "")
        return self.devices.begin(client, scope, resource, address)

    def device_shown(self, user_code: str, caller: Caller, address: str) -> DeviceShown:
        """Raises `NotFound`, and `TooMany` for who guesses."""
        attempts, who = self._people.desk.attempts, f"device/{caller.tenant}/{caller.user}"
        attempts.check(who, address, "")
        try:
            return self.devices.shown(user_code)
        except NotFound:
            attempts.failed(who, address, "")
            raise

    def device_decided(self, user_code: str, caller: Caller, address: str, *, agrees: bool) -> None:
        self.device_shown(user_code, caller, address)
        self.devices.decide(user_code, caller, *self._signed_in(caller), agrees=agrees)

    def tokens(self, form: Mapping[str, str], secret: str) -> Tokens:
        client = self.issuer.authenticated(form.get("client_id", ""), secret)
        match form.get("grant_type"):
            case "authorization_code":
                found = self.issuer.of_code(
                    client,
                    form.get("code", ""),
                    form.get("redirect_uri", ""),
                    form.get("code_verifier", ""),
                )
            case "refresh_token":
                found = self.issuer.of_refresh(
                    client, form.get("refresh_token", ""), form.get("scope", "")
                )
            case "client_credentials":
                scope, resource = form.get("scope", ""), form.get("resource", "")
                found = self.issuer.of_machine(client, scope, resource)
            case each if each == DEVICE:
                found = self.devices.tokens(client, form.get("device_code", ""))
            case _:
                raise OAuthRefusal("unsupported_grant_type", f"one of {', '.join(GRANTS)}")
        return found

    def revoke(self, form: Mapping[str, str], secret: str) -> None:
        client = self.issuer.authenticated(form.get("client_id", ""), secret)
        self.issuer.revoke_token(client, form.get("token", ""))

    def sign_in(
        self, form: Mapping[str, str], address: str, device: str = ""
    ) -> tuple[str, int, str]:
        if self.is_demo and form.get("demo"):
            return DEMO, 3_600, ""
        found = self._people.desk.sign_in(
            form.get("tenant", ""),
            form.get("user", ""),
            form.get("password", ""),
            form.get("code", ""),
            address=address,
            device=device,
            device_name="sign-in page",
        )
        if found is None:
            raise Denied("give the code of your second factor, too", code="sign_in_failed")
        seconds = (found.ends_at - self._directory.clock()) // SECOND_NS
        return found.token, seconds, found.device

    def end_session(self, query: Mapping[str, str], caller: Caller | None) -> str:
        """OpenID Connect RP-Initiated Logout 1.0. A page of another site that knows no token of
        ours ends nothing."""
        claims = self.issuer.hint(query.get("id_token_hint", ""))
        if claims is None:
            return ""
        if caller is not None and claims["sub"] == f"{caller.tenant}/{caller.user}":
            if is_session(caller.key_id):
                self._people.desk.end_session(caller, caller.key_id)
            if claims.get("sid") in self.issuer.grants:
                self.issuer.revoke_grant(caller, str(claims["sid"]))
        uri = query.get("post_logout_redirect_uri", "")
        registered = self.issuer.client(str(claims["aud"])).redirect_uris
        return uri if uri in registered else ""

    # --- Applications ---------------------------------------------------------------------------

    def register_client(self, tenant: str, ask: RegisterClient, by: str) -> RegisteredClient:
        if ask.machine:
            owner = self._directory.owners(tenant).get(ask.machine)
            if owner != self._directory.caller_named(tenant, by).user:
                raise NotFound(f"you have no service account {ask.machine}")
        client, secret = self.issuer.register(
            tenant,
            ask.name,
            ask.redirect_uris,
            ask.scopes,
            machine=ask.machine or "",
            is_public=ask.is_public,
            by=by,
        )
        return RegisteredClient(secret, client)

    def rotate(self, alg: Algorithm, by: str) -> str:
        return self.issuer.rotate(alg, by)

    def register(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """RFC 7591: public clients, which can do nothing until a person agrees."""
        if not self._open:
            raise Denied("applications are registered by the house: ask for it", code="forbidden")
        uris, name = wanted.get("redirect_uris"), wanted.get("client_name", "An application")
        if not isinstance(uris, list) or not 0 < len(uris) <= URIS_MAX:
            raise OAuthRefusal("invalid_redirect_uri", f"give 1 to {URIS_MAX} redirect_uris")
        if not all(isinstance(each, str) and len(each) <= URI_MAX for each in uris):
            raise OAuthRefusal("invalid_redirect_uri", f"each is text of at most {URI_MAX}")
        if wanted.get("token_endpoint_auth_method", "none") != "none":
            raise OAuthRefusal("invalid_request", "only token_endpoint_auth_method none")
        client, _ = self.issuer.register(
            "", str(name)[:100], uris, tuple(Scope), is_public=True, by=""
        )
        return {
            "client_id": client.client_id,
            "client_id_issued_at": client.created_at // SECOND_NS,
            "client_name": client.name,
            "redirect_uris": list(client.redirect_uris),
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": " ".join((*IDENTITY_SCOPES, *Scope)),
        }


def provider_part(
    settings: Settings,
    files: Files,
    records: Store,
    directory: Directory,
    people: PeoplePart,
    cache: Cache,
    outbound: Outbound,
) -> Provider:
    sealing = directory.sealing
    assert sealing is not None  # noqa: S101  # people have one
    issuer = Issuer(
        records, directory, os.urandom, sealing, people.desk.personal, settings.issuer.rstrip("/")
    )
    ring, here = people.sealing.ring, lambda: issuer.url
    external = external_part(files, ring, records, directory, people, cache, outbound, here)
    directory.bearing = Bearers(issuer, external.foreign if external.labels else None)
    provider = Provider(
        issuer,
        people,
        directory,
        demo=settings.demo,
        open_=settings.oauth_registration or settings.demo,
    )
    provider.external = external
    provider.devices = Devices(issuer, records, os.urandom)
    return provider


def _names(text: str) -> list[str]:
    return msgspec.json.decode(text, type=list[str])
