"""Whom a signed token stands for: ours, or one of a provider that this house trusts."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from fondaco.domain.identity.bearing import RolesOf
from fondaco.domain.identity.model import (
    BEARER_MARK,
    Caller,
    KeyId,
    Scope,
    TenantId,
    UserId,
    scopes_of,
)
from fondaco.domain.identity.oidc import jwt
from fondaco.domain.identity.oidc.issuer import Issuer
from fondaco.domain.identity.oidc.model import SECOND_NS
from fondaco.kernel.event import Instant

GRANT_SHOWN: Final = 8  # digits of a grant in a caller's name


class _Issued(msgspec.Struct, frozen=True):
    iss: str = ""


_issued: Final = msgspec.json.Decoder(_Issued)


class Foreign(Protocol):
    """Providers that are trusted here by configuration."""

    def knows(self, issuer: str) -> bool: ...

    def verified(self, token: str, issuer: str) -> Mapping[str, Any]: ...

    def caller(self, claims: Mapping[str, Any]) -> tuple[Caller, Instant]: ...

    def still(self, tenant: str, name: str, roles_of: RolesOf) -> Caller | None: ...


class Bearers:
    """What the directory asks of a token with two dots in it."""

    def __init__(self, issuer: Issuer, foreign: Foreign | None = None) -> None:
        self._issuer, self.foreign = issuer, foreign

    def refresh(self) -> None:
        self._issuer.refresh()

    def verified(self, token: str) -> Mapping[str, Any]:
        """Its claims. Which issuer it names decides only whose keys it is held against."""
        if self.foreign is not None:
            _, payload, _, _ = jwt.parts_of(token)
            try:
                issuer = _issued.decode(payload).iss
            except msgspec.MsgspecError:
                raise jwt.refused("it names no issuer") from None
            if issuer != self._issuer.url and self.foreign.knows(issuer):
                return self.foreign.verified(token, issuer)
        return self._issuer.claims(token)

    def caller(self, claims: Mapping[str, Any], roles_of: RolesOf) -> tuple[Caller, Instant]:
        """Whom they stand for today: no more than was agreed to, and than the user may do today."""
        if claims["iss"] != self._issuer.url:
            if self.foreign is None:
                raise jwt.refused("it is another issuer's")
            return self.foreign.caller(claims)
        grant = self._issuer.grants.get(str(claims.get("sid")))
        if grant is None:
            raise jwt.refused("what it stands for was revoked")
        found = _caller(grant, str(claims.get("scope", "")).split(), roles_of)
        named = KeyId(f"tok_{claims.get('jti')}")
        return msgspec.structs.replace(found, key_id=named), Instant(claims["exp"] * SECOND_NS)

    def still(self, tenant: str, name: str, roles_of: RolesOf) -> Caller:
        """By what was agreed to, for as long as it holds."""
        if self.foreign is not None and (found := self.foreign.still(tenant, name, roles_of)):
            return found
        user = name.partition(BEARER_MARK)[0]
        for grant in self._issuer.grants.values():
            if (grant.tenant, grant.user) == (tenant, user) and _name(grant) == name:
                return _caller(grant, msgspec.json.decode(grant.scopes), roles_of)
        raise jwt.refused("what it stands for was revoked")


def _caller(grant: Any, scopes: list[str], roles_of: RolesOf) -> Caller:
    roles = roles_of(grant.tenant, grant.user)
    if roles is None:
        raise jwt.refused("its user is not here any more")
    agreed = set(scopes).intersection(msgspec.json.decode(grant.scopes))
    return Caller(
        name=_name(grant),
        tenant=TenantId(grant.tenant),
        user=UserId(grant.user),
        roles=roles,
        scopes=frozenset[Scope](each for each in scopes_of(roles) if each in agreed),
    )


def _name(grant: Any) -> str:
    """ada/@app_5f2c9a1b4d3e6078.1b4d3e60: the user, the application, and which consent."""
    mark = "" if grant.grant_id == grant.client_id else "." + grant.grant_id[-GRANT_SHOWN:]
    return f"{grant.user}{BEARER_MARK}{grant.client_id}{mark}"
