"""What is asked about applications: which there are, what one has agreed to, and signing keys."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Caller, NameText, Scope
from fondaco.domain.identity.oidc.model import Client, RedirectUri
from fondaco.kernel.errors import Conflict, Denied, NotFound
from fondaco.kernel.operation import Do, Operation, Stamp

ScopeText = Annotated[str, Meta(min_length=1, max_length=64, examples=["orders:read"])]
ClientText = Annotated[str, Meta(pattern=r"^app_[0-9a-f]{16}$", examples=["app_5f2c9a1b4d3e6078"])]
GrantText = Annotated[str, Meta(max_length=64, examples=["grant_5f2c9a1b4d3e6078"])]
Algorithm = Literal["EdDSA", "RS256", "ES256"]


class RegisterClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`machine` is a service account in whose name it asks by itself (client credentials).
    `is_public`: it runs where nobody can keep a secret, as in a browser or on a phone."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Meta(max_length=32)]
    redirect_uris: Annotated[list[RedirectUri], Meta(max_length=10)] = []
    machine: NameText | None = None
    is_public: bool = False


class RegisteredClient(msgspec.Struct, frozen=True):
    """`client_secret` is shown this once; it is empty for a public client."""

    client_secret: str
    client: Client


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Clients(msgspec.Struct, frozen=True):
    items: list[Client]


class NamedClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    client_id: ClientText


class NamedGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    grant_id: GrantText


class Gone(msgspec.Struct, frozen=True):
    removed: str


class GrantShown(msgspec.Struct, frozen=True):
    """What somebody has agreed to. Times are nanoseconds since 1970, UTC."""

    grant_id: str
    client_id: str
    client_name: str
    scopes: list[str]
    created_at: str
    ends_at: str


class Grants(msgspec.Struct, frozen=True):
    items: list[GrantShown]


class RotateSigningKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: Algorithm
    reason: Annotated[str, Meta(min_length=3, max_length=200)]


class RotatedSigningKey(msgspec.Struct, frozen=True):
    kid: str
    alg: str


class Applications(Protocol):
    """What the door is given to answer from."""

    def caller(self, stamp: Stamp) -> Caller: ...

    def register_client(self, tenant: str, ask: RegisterClient, by: str) -> RegisteredClient: ...

    def clients(self, tenant: str) -> Sequence[Client]: ...

    def remove_client(self, tenant: str, client_id: str, by: str) -> None: ...

    def grants_of(self, caller: Caller) -> Sequence[Any]: ...

    def revoke_grant(self, caller: Caller, grant_id: str) -> None: ...

    def rotate(self, alg: Algorithm, by: str) -> str: ...


async def _register(ask: RegisterClient, stamp: Stamp, on: Applications) -> RegisteredClient:
    return await asyncio.to_thread(on.register_client, stamp.tenant, ask, stamp.caller)


async def _clients(_: NoFields, stamp: Stamp, on: Applications) -> Clients:
    return Clients(list(await asyncio.to_thread(on.clients, stamp.tenant)))


async def _remove(ask: NamedClient, stamp: Stamp, on: Applications) -> Gone:
    await asyncio.to_thread(on.remove_client, stamp.tenant, ask.client_id, stamp.caller)
    return Gone(ask.client_id)


async def _grants(_: NoFields, stamp: Stamp, on: Applications) -> Grants:
    found = await asyncio.to_thread(on.grants_of, on.caller(stamp))
    return Grants(
        [
            GrantShown(
                row.grant_id,
                row.client_id,
                row.client_name,
                msgspec.json.decode(row.scopes),
                str(row.created_at),
                str(row.ends_at),
            )
            for row in found
        ]
    )


async def _revoke(ask: NamedGrant, stamp: Stamp, on: Applications) -> Gone:
    await asyncio.to_thread(on.revoke_grant, on.caller(stamp), ask.grant_id)
    return Gone(ask.grant_id)


async def _rotate(ask: RotateSigningKey, stamp: Stamp, on: Applications) -> RotatedSigningKey:
    return RotatedSigningKey(await asyncio.to_thread(on.rotate, ask.alg, stamp.caller), ask.alg)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="identity.register_client",
        summary="Register an application that asks for access; its secret is shown this once.",
        method="POST",
        path="/oauth-clients",
        request=RegisterClient,
        reply=RegisteredClient,
        scope=Scope.HOUSE_WRITE,
        errors=(Conflict, NotFound),
        status=201,
        secret=True,
        source="applications",
        answer=_register,
        example={
            "name": "Research desk",
            "scopes": ["orders:read"],
            "redirect_uris": ["https://app.example.com/back"],
        },
    ),
    Do(
        name="identity.clients",
        summary="The tenant's applications.",
        method="GET",
        path="/oauth-clients",
        request=NoFields,
        reply=Clients,
        scope=Scope.HOUSE_READ,
        source="applications",
        answer=_clients,
    ),
    Do(
        name="identity.remove_client",
        summary="Remove an application; every token that it was given ends.",
        method="DELETE",
        path="/oauth-clients/{client_id}",
        request=NamedClient,
        reply=Gone,
        scope=Scope.HOUSE_WRITE,
        errors=(NotFound,),
        source="applications",
        answer=_remove,
    ),
    Do(
        name="users.grants",
        summary="What you have agreed that applications may do in your name.",
        method="GET",
        path="/users/grants",
        request=NoFields,
        reply=Grants,
        scope="",
        errors=(Denied,),
        source="applications",
        answer=_grants,
    ),
    Do(
        name="users.revoke_grant",
        summary="Agree no more; tokens of it end at once.",
        method="DELETE",
        path="/users/grants/{grant_id}",
        request=NamedGrant,
        reply=Gone,
        scope="",
        errors=(Denied, NotFound),
        source="applications",
        answer=_revoke,
    ),
    Do(
        name="identity.rotate_signing_key",
        summary="Sign tokens with a new key; the old one verifies for another day.",
        method="POST",
        path="/oauth-keys/rotate",
        request=RotateSigningKey,
        reply=RotatedSigningKey,
        scope=Scope.HOUSE_WRITE,
        needs_second=True,
        source="applications",
        answer=_rotate,
        example={"alg": "EdDSA", "reason": "the yearly exercise"},
    ),
)
