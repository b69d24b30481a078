"""Providers of others that this house trusts, and what their tokens say here. Pure.

A provider says who somebody is; this house says what they may do. A claim that no rule names gives
nothing, and who is given nothing is refused. OpenID Connect Core 1.0, 3.1.3.7; RFC 9068, section 4.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import NameText, Role, Scope, scopes_of
from fondaco.domain.identity.oidc.jwt import refused
from fondaco.domain.identity.oidc.model import LOOPBACK
from fondaco.kernel.errors import Denied, Invalid

ISSUED_WITHIN_S: Final = 600  # an ID token of a code that was just redeemed is not older
SUBJECT_MAX: Final = 255
SHOWN: Final = 12  # digits of a subject's hash in a user's name
FACTORS: Final = frozenset({"mfa", "otp", "hwk", "swk", "fpt", "face", "pin", "sc"})  # RFC 8176
_USER: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}").fullmatch
_PLACE: Final = re.compile(r"https?://[^\s?#@]+").fullmatch

ProviderName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{0,19}$")]
Claim = Annotated[str, Meta(min_length=1, max_length=100)]


class RoleRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever's `claim` is `value`, or has it among others, has `roles`. A dot in a claim's name
    goes one level down: realm_access.roles."""

    claim: Claim
    value: Annotated[str, Meta(min_length=1, max_length=200)]
    roles: Annotated[tuple[Role, ...], Meta(min_length=1)]


class Trusted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider. Its secret is in the key ring as oidc/<name>; without one it is asked as a
    public client. `user_claim` "": a user is called by a hash of who they are there, since the
    journal keeps names for ever. `audience` is what access tokens for our doors are for; "": none
    are taken."""

    issuer: Annotated[str, Meta(min_length=8, max_length=300)]
    client_id: Annotated[str, Meta(min_length=1, max_length=200)]
    label: Annotated[str, Meta(max_length=60)] = ""
    scopes: tuple[str, ...] = ("openid", "profile")
    tenant: NameText | None = None
    tenant_claim: str = ""
    tenants: dict[str, NameText] = {}
    user_claim: str = ""
    roles: tuple[RoleRule, ...] = ()
    userinfo: bool = False  # claims are asked for at its userinfo endpoint, besides
    audience: str = ""
    scopes_from_roles: bool = False  # its access tokens name no scopes of ours
    plain_access_tokens: bool = False  # their typ is JWT, as before RFC 9068
    clock_skew_s: Annotated[int, Meta(ge=0, le=300)] = 60


class Stranger(msgspec.Struct, frozen=True):
    """Whom claims stand for here. `subject` is a hash of issuer and sub, `user` the name that they
    would be given."""

    tenant: str
    user: str
    subject: str
    roles: tuple[Role, ...]
    second_factor: str


def check(name: str, found: Trusted) -> None:
    """Raises `Invalid` for what could not work, or would let in whom nobody meant."""
    if not is_safe(found.issuer) or found.issuer.endswith("/.well-known/openid-configuration"):
        raise Invalid(f"{name}: issuer is {found.issuer!r}, must be https, as it names itself")
    if (found.tenant is None) == (not found.tenant_claim):
        raise Invalid(f"{name}: give tenant, or tenant_claim with tenants; one of them")
    if found.tenant_claim and not found.tenants:
        raise Invalid(f"{name}: tenants says which {found.tenant_claim} is which tenant here")
    if not found.roles:
        raise Invalid(f"{name}: roles is empty, so nobody could do anything")
    if "openid" not in found.scopes:
        raise Invalid(f"{name}: scopes must have openid")
    if found.audience == found.client_id:
        raise Invalid(f"{name}: audience is client_id, so an ID token would open every door")


def is_safe(address: str) -> bool:
    """Nothing is sent in clear but to this machine."""
    if not _PLACE(address):
        return False
    found = urlsplit(address)
    return found.scheme == "https" or found.hostname in LOOPBACK


def mapped(name: str, trusted: Trusted, claims: Mapping[str, Any]) -> Stranger:
    """Raises `Denied` for who is given nothing."""
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= SUBJECT_MAX:
        raise refused("it names nobody")
    subject = sha256(f"{trusted.issuer}\0{sub}".encode()).hexdigest()
    roles = tuple(
        sorted({role for rule in trusted.roles if _has(claims, rule) for role in rule.roles})
    )
    if not roles:
        raise Denied(
            f"{trusted.label or name} knows you, but this house gives no role to anybody like "
            "you: ask whoever runs it",
            code="forbidden",
        )
    user = f"{name}-{subject[:SHOWN]}"
    if trusted.user_claim:
        user = str(_claim(claims, trusted.user_claim) or "").lower()
        if not _USER(user):
            raise Denied(
                f"{trusted.user_claim} of your {name} account cannot be a user's name here",
                code="forbidden",
            )
    amr = claims.get("amr")
    strong = isinstance(amr, list) and any(each in FACTORS for each in amr if isinstance(each, str))
    return Stranger(_tenant(name, trusted, claims), user, subject, roles, "sso" if strong else "")


def _tenant(name: str, trusted: Trusted, claims: Mapping[str, Any]) -> str:
    if trusted.tenant is not None:
        return trusted.tenant
    said = _claim(claims, trusted.tenant_claim)
    found = trusted.tenants.get(said) if isinstance(said, str) else None
    if found is None:
        raise Denied(
            f"{name} says that you belong to a firm that is not here: ask whoever runs the house",
            code="forbidden",
        )
    return found


def _has(claims: Mapping[str, Any], rule: RoleRule) -> bool:
    found = _claim(claims, rule.claim)
    return found == rule.value or (isinstance(found, list) and rule.value in found)


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """By its whole name, since names may have dots in them (https://…); then level by level."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


# --- Tokens ---------------------------------------------------------------------------------------


def check_id_token(
    trusted: Trusted, claims: Mapping[str, Any], nonce: str, now_s: int, access_token: str = ""
) -> None:
    """OpenID Connect Core 1.0, section 3.1.3.7. Raises `Denied`."""
    _check_times(trusted, claims, now_s)
    if claims.get("iss") != trusted.issuer:
        raise refused("it is another issuer's")
    audience = _audience(claims)
    if trusted.client_id not in audience:
        raise refused("it is for somebody else")
    azp = claims.get("azp")
    if (azp is not None or len(audience) > 1) and azp != trusted.client_id:
        raise refused("it was asked for by somebody else")
    if not nonce or claims.get("nonce") != nonce:
        raise refused("its nonce is not that of this sign-in")
    issued: Any = claims.get("iat")
    if not _is_time(issued) or issued < now_s - ISSUED_WITHIN_S - trusted.clock_skew_s:
        raise refused("it is old")
    said = claims.get("at_hash")
    if said is not None and access_token and said != half_hash(access_token):
        raise refused("it came with another access token")


def check_access_token(trusted: Trusted, claims: Mapping[str, Any], now_s: int) -> None:
    """RFC 9068, section 4. Raises `Denied`."""
    _check_times(trusted, claims, now_s)
    if claims.get("iss") != trusted.issuer:
        raise refused("it is another issuer's")
    if not trusted.audience or trusted.audience not in _audience(claims):
        raise refused("it is for somebody else")
    if "nonce" in claims:
        raise refused("it is an ID token")


def scopes_in(
    trusted: Trusted, claims: Mapping[str, Any], roles: tuple[Role, ...]
) -> frozenset[Scope]:
    """What an access token gives: what it names and its roles have; no more."""
    held = scopes_of(roles)
    if trusted.scopes_from_roles:
        return held
    said = claims.get("scope", "")
    named = frozenset(said.split()) if isinstance(said, str) else frozenset[str]()
    return frozenset[Scope](each for each in held if each in named)


def half_hash(token: str) -> str:
    """at_hash for algorithms with SHA-256."""
    return urlsafe_b64encode(sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


def _check_times(trusted: Trusted, claims: Mapping[str, Any], now_s: int) -> None:
    skew = trusted.clock_skew_s
    ends: Any
    ends, begins, issued = claims.get("exp"), claims.get("nbf", 0), claims.get("iat", 0)
    if not _is_time(ends) or now_s >= ends + skew:
        raise refused("it has expired")
    if not _is_time(begins) or not _is_time(issued) or max(begins, issued) > now_s + skew:
        raise refused("it is not good yet: are both clocks right?")


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**40


def _audience(claims: Mapping[str, Any]) -> list[Any]:
    found = claims.get("aud")
    return found if isinstance(found, list) else [found]
